//! `remove` ([RFC 7644 §3.5.2.2](https://www.rfc-editor.org/rfc/rfc7644#section-3.5.2.2)).

use scim2_core::schema::Mutability;
use scim2_core::{AttributeDef, AttributeId, ExtensionId, Owner, Quirk, Value};
use scim2_filter::Filter;

use super::matching::retain_others;
use super::{Patch, assign, container, is_membership};
use crate::elements;
use crate::error::PatchErrorKind;
use crate::matcher;
use crate::target::Target;
use crate::values;

impl Patch<'_, '_> {
    pub(super) fn remove(&mut self, target: Target<'_>, value: Option<Value>) -> Result<(), PatchErrorKind> {
        match target {
            Target::Schema(None) => Err(PatchErrorKind::BaseSchema),
            Target::Schema(Some(extension)) => self.remove_extension(extension),
            Target::Attribute { top, filter, sub } => {
                self.check_writable(top, sub)?;
                let listed = if filter.is_none() && sub.is_none() { value } else { None };
                if listed.is_some() && !self.cx.allows(Quirk::RemoveWithValue) {
                    return Err(PatchErrorKind::RemoveWithValue);
                }
                let named = self.cx.type_.attribute(top);
                let listed = listed.map(|value| values::unwrap_named(named, value, &mut self.cx));
                if self.is_schemas(top) {
                    return self.remove_schemas(filter, listed);
                }
                self.guarded(top, |patch| match (filter, sub, listed) {
                    (None, None, Some(value)) if patch.cx.type_.attribute(top).multi_valued() => {
                        patch.remove_listed(top, value)
                    }
                    // What a singular attribute was thought to hold is of no account.
                    (None, None, _) => patch.remove_attribute(top),
                    (None, Some(sub), _) => patch.remove_sub(top, sub),
                    (Some(filter), sub, _) => patch.remove_matching(top, filter, sub),
                })
            }
        }
    }

    fn remove_attribute(&mut self, top: AttributeId) -> Result<(), PatchErrorKind> {
        self.save(top);
        let def = self.cx.type_.attribute(top);
        assign::unassign(container(self.resource, self.cx.type_, def.owner()), def)
    }

    /// Q-REMOVE-WITH-VALUE: only what is listed goes, and of an empty list nothing.
    fn remove_listed(&mut self, top: AttributeId, value: Value) -> Result<(), PatchErrorKind> {
        let type_ = self.cx.type_;
        let def = type_.attribute(top);
        let list = values::list(def, value, &mut self.cx)?;
        if list.is_empty() {
            return Ok(());
        }
        self.save(top);
        let object = container(self.resource, type_, def.owner());
        if let Some(Value::Array(present)) = object.get_mut(def.name()) {
            elements::remove_listed(def, present, &list, type_);
        }
        assign::tidy(object, def, &self.cx)
    }

    fn remove_sub(&mut self, top: AttributeId, sub: AttributeId) -> Result<(), PatchErrorKind> {
        self.save(top);
        let type_ = self.cx.type_;
        let (def, sub) = (type_.attribute(top), type_.attribute(sub));
        let object = container(self.resource, type_, def.owner());
        match object.get_mut(def.name()) {
            Some(Value::Object(complex)) => assign::unassign(complex, sub)?,
            Some(Value::Array(present)) => {
                unassign_in(present.iter_mut(), sub)?;
                elements::tidy(def, present, type_);
            }
            _ if sub.required() => return Err(PatchErrorKind::Required(sub.path().into())),
            _ => {}
        }
        assign::tidy(object, def, &self.cx)
    }

    fn remove_matching(
        &mut self,
        top: AttributeId,
        filter: &Filter,
        sub: Option<AttributeId>,
    ) -> Result<(), PatchErrorKind> {
        let type_ = self.cx.type_;
        let def = type_.attribute(top);
        let filter = matcher::compile(filter, def, &self.cx)?;
        let matches = matcher::matches(&filter, type_.get(self.resource, top));
        if matches.is_empty() {
            // A member who is not there has left already (S-3.5.2.2-07), whatever the mode.
            let gone = is_membership(def, type_) || self.cx.allows(Quirk::IdempotentRemove);
            return if gone { Ok(()) } else { Err(PatchErrorKind::NoTarget) };
        }
        self.save(top);
        let object = container(self.resource, type_, def.owner());
        let Some(Value::Array(present)) = object.get_mut(def.name()) else { return Ok(()) };
        match sub {
            None => retain_others(present, &matches),
            Some(sub) => {
                let sub = type_.attribute(sub);
                let mut places = matches.iter().peekable();
                let chosen = present
                    .iter_mut()
                    .enumerate()
                    .filter(|(at, _)| places.next_if(|place| *place == at).is_some())
                    .map(|(_, value)| value);
                unassign_in(chosen, sub)?;
                elements::tidy(def, present, type_);
            }
        }
        assign::tidy(object, def, &self.cx)
    }

    /// The URI of an extension names all its attributes. ReadOnly ones stay, and as long as they do
    /// the extension has what its schema requires; else that goes too.
    pub(super) fn remove_extension(&mut self, extension: ExtensionId) -> Result<(), PatchErrorKind> {
        let type_ = self.cx.type_;
        let compiled = type_.extension(extension);
        if compiled.required() {
            return Err(PatchErrorKind::Required(compiled.uri().as_str().into()));
        }
        let had = self.has_extension(extension);
        self.save_extension(extension);
        if let Some(Value::Object(object)) = self.resource.get_mut(compiled.uri().as_str()) {
            let (stay, go): (Vec<_>, Vec<_>) = type_
                .top_level(Owner::Extension(extension))
                .filter(|def| object.contains(def.name()))
                .partition(|def| def.mutability() == Mutability::ReadOnly);
            for def in go {
                if stay.is_empty() {
                    assign::take(object, def)?;
                } else {
                    assign::unassign(object, def)?;
                }
            }
        }
        self.settle_extension(extension, had);
        Ok(())
    }
}

fn unassign_in<'v>(
    values: impl Iterator<Item = &'v mut Value>,
    sub: &AttributeDef,
) -> Result<(), PatchErrorKind> {
    for value in values {
        if let Value::Object(value) = value {
            assign::unassign(value, sub)?;
        }
    }
    Ok(())
}
