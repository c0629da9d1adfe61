//! `schemas` of a resource under PATCH: it names the extensions that have data, and removing an extension from it
//! removes the data.

use scim2_core::schema::Mutability;
use scim2_core::{AttributeId, ExtensionId, Owner, Value};
use scim2_filter::Filter;

use super::Patch;
use super::journal::Slot;
use crate::error::{PatchErrorKind, cut};
use crate::listed;
use crate::matcher;
use crate::patch_op::Op;
use crate::values::invalid;

const SCHEMAS: &str = "schemas";

impl Patch<'_, '_> {
    pub(super) fn is_schemas(&self, top: AttributeId) -> bool {
        let def = self.cx.type_.attribute(top);
        def.owner() == Owner::Common && def.name() == SCHEMAS
    }

    pub(super) fn assign_schemas(&mut self, op: Op, value: Value) -> Result<(), PatchErrorKind> {
        let mut named: Vec<Option<ExtensionId>> = Vec::new();
        for uri in value.values() {
            let schema = self.schema_of(uri)?;
            if !named.contains(&schema) {
                named.push(schema);
            }
        }
        if op == Op::Replace {
            if !named.contains(&None) {
                return Err(PatchErrorKind::BaseSchema);
            }
            for extension in self.listed_extensions() {
                if !named.contains(&Some(extension)) {
                    self.drop_schema(extension)?;
                }
            }
        }
        for schema in named {
            self.list_schema(schema);
        }
        Ok(())
    }

    pub(super) fn remove_schemas(
        &mut self,
        filter: Option<&Filter>,
        listed: Option<&[Value]>,
    ) -> Result<(), PatchErrorKind> {
        let mut going: Vec<Option<ExtensionId>> = Vec::new();
        match (filter, listed) {
            (None, None) => return Err(PatchErrorKind::BaseSchema),
            (None, Some(listed)) => {
                for uri in listed {
                    going.push(self.schema_of(uri)?);
                }
            }
            (Some(filter), listed) => {
                let Some(top) = self.cx.type_.find(None, SCHEMAS, None) else { return Ok(()) };
                let def = self.cx.type_.attribute(top);
                let filter = matcher::compile(filter, def, &mut self.cx)?;
                for uri in self.resource.get(SCHEMAS).into_iter().flat_map(Value::values) {
                    if matcher::is_match(&filter, uri, &self.cx)?
                        && listed::holds(listed, def, uri, self.cx.type_)
                    {
                        going.push(self.schema_of(uri)?);
                    }
                }
            }
        }
        if going.contains(&None) {
            return Err(PatchErrorKind::BaseSchema);
        }
        for extension in going.into_iter().flatten() {
            self.drop_schema(extension)?;
        }
        Ok(())
    }

    /// Updates `schemas` after a change of an extension's attributes, and removes the extension's object if it is empty.
    pub(super) fn settle_extension(&mut self, extension: ExtensionId, had: bool) {
        let has = self.has_extension(extension);
        if !has {
            self.resource.remove(self.cx.type_.extension(extension).uri().as_str());
            if self.cx.type_.can_nest() {
                self.cx.type_.forget_nesting(self.resource);
            }
        }
        if has {
            self.list_schema(Some(extension));
            if !had {
                self.begun.push(extension);
            }
        } else if had {
            self.unlist_schema(extension);
        }
    }

    /// Checks that an extension with data has its required attributes.
    pub(super) fn check_complete(&self, extension: ExtensionId) -> Result<(), PatchErrorKind> {
        let type_ = self.cx.type_;
        let missing = type_.top_level(Owner::Extension(extension)).find(|def| {
            let asked = def.required() && def.mutability() != Mutability::ReadOnly;
            asked && type_.get(self.resource, def.id()).is_none_or(Value::is_unassigned)
        });
        match missing {
            Some(def) if self.has_extension(extension) => {
                Err(invalid(def, "expected a value, which the extension's schema requires".to_owned()))
            }
            _ => Ok(()),
        }
    }

    pub(super) fn save_extension(&mut self, extension: ExtensionId) {
        self.journal.save(Slot::Extension(extension), self.resource, self.cx.type_);
    }

    fn drop_schema(&mut self, extension: ExtensionId) -> Result<(), PatchErrorKind> {
        self.remove_extension(extension)?;
        if !self.has_extension(extension) {
            self.unlist_schema(extension);
        }
        Ok(())
    }

    fn schema_of(&self, uri: &Value) -> Result<Option<ExtensionId>, PatchErrorKind> {
        let Some(uri) = uri.as_str() else {
            return Err(PatchErrorKind::InvalidValue {
                attribute: SCHEMAS.into(),
                reason: format!("expected the URI of a schema, found {}", uri.kind()).into(),
            });
        };
        if *self.cx.type_.schema() == *uri {
            return Ok(None);
        }
        match self.cx.type_.find_extension(uri) {
            Some(extension) => Ok(Some(extension)),
            None => Err(PatchErrorKind::UnknownSchema(cut(uri).into())),
        }
    }

    fn listed_extensions(&self) -> Vec<ExtensionId> {
        let type_ = self.cx.type_;
        let listed = |uri: &str| {
            self.resource.get(SCHEMAS).is_some_and(|value| {
                value
                    .values()
                    .any(|listed| listed.as_str().is_some_and(|listed| listed.eq_ignore_ascii_case(uri)))
            })
        };
        type_
            .extensions()
            .filter(|(id, extension)| listed(extension.uri().as_str()) || self.has_extension(*id))
            .map(|(id, _)| id)
            .collect()
    }

    fn uri(&self, schema: Option<ExtensionId>) -> &str {
        match schema {
            None => self.cx.type_.schema().as_str(),
            Some(id) => self.cx.type_.extension(id).uri().as_str(),
        }
    }

    fn list_schema(&mut self, schema: Option<ExtensionId>) {
        let uri = self.uri(schema).to_owned();
        let names = |value: &Value| value.as_str().is_some_and(|listed| listed.eq_ignore_ascii_case(&uri));
        if self.resource.get(SCHEMAS).is_some_and(|listed| listed.values().any(names)) {
            return;
        }
        self.save_schemas();
        let base = self.uri(None).to_owned();
        match self.resource.get_mut(SCHEMAS) {
            Some(Value::Array(listed)) if !listed.is_empty() => listed.push(uri.into()),
            _ => {
                let mut listed = vec![base];
                if schema.is_some() {
                    listed.push(uri);
                }
                self.resource.insert(SCHEMAS, listed);
            }
        }
    }

    fn unlist_schema(&mut self, extension: ExtensionId) {
        let uri = self.uri(Some(extension)).to_owned();
        self.save_schemas();
        if let Some(Value::Array(listed)) = self.resource.get_mut(SCHEMAS) {
            listed.retain(|value| !value.as_str().is_some_and(|listed| listed.eq_ignore_ascii_case(&uri)));
        }
    }

    fn save_schemas(&mut self) {
        if let Some(top) = self.cx.type_.find(None, SCHEMAS, None) {
            self.save(top);
        }
    }
}
