//! `remove` ([RFC 7644 §3.5.2.2](https://www.rfc-editor.org/rfc/rfc7644#section-3.5.2.2)).

use scim2_core::schema::Mutability;
use scim2_core::{AttributeDef, AttributeId, CompiledType, ExtensionId, Owner, Quirk, Value};
use scim2_filter::Filter;

use super::matching::{retain_others, with_elements};
use super::{Patch, assign, container, is_membership};
use crate::context::Context;
use crate::elements;
use crate::error::PatchErrorKind;
use crate::matcher;
use crate::target::Target;
use crate::values;

impl Patch<'_, '_> {
    pub(super) fn remove(&mut self, target: Target<'_>, value: Option<Value>) -> Result<(), PatchErrorKind> {
        // JSON writers of some clients say `"value": null` where there is none. Others have a list of
        // members that came to nothing, which must not take everybody out of a group.
        if let (Some(Value::Null), Target::Attribute { top, filter: None, sub: None }) = (&value, target)
            && is_membership(self.cx.type_.attribute(top), self.cx.type_)
        {
            let def = self.cx.type_.attribute(top);
            return Err(values::invalid(
                def,
                "expected the values to remove, or no `value` at all to remove all, found null".to_owned(),
            ));
        }
        let value = value.filter(|value| *value != Value::Null);
        if value.is_some() && !self.cx.allows(Quirk::RemoveWithValue) {
            return Err(PatchErrorKind::RemoveWithValue);
        }
        match target {
            Target::Extension(extension) => self.remove_extension(extension),
            Target::SubValues { top, sub, filter } => {
                self.check_writable(top, Some(sub))?;
                self.spend_on(top, Some(filter), value.as_ref())?;
                self.guarded(top, |patch| {
                    let named = self::named(sub, value, &mut patch.cx)?;
                    patch.remove_sub_values(top, sub, filter, named.as_deref())
                })
            }
            Target::Attribute { top, filter, sub } => {
                self.check_writable(top, sub)?;
                let def = self.cx.type_.attribute(top);
                let value = value.map(|value| values::unwrap_named(def, value, &mut self.cx)).transpose()?;
                if self.is_schemas(top) {
                    return self.remove_schemas(filter, value);
                }
                // What a singular attribute was thought to hold is of no account.
                let value = value.filter(|_| def.multi_valued());
                self.spend_on(top, filter, value.as_ref())?;
                // Values are compared with each of those listed, except where both have one identity.
                if let Some(listed) = &value
                    && def.is_complex()
                    && !is_membership(def, self.cx.type_)
                {
                    self.spend_on_pairs(listed, self.cx.type_.get(self.resource, top))?;
                }
                self.guarded(top, |patch| {
                    let named = self::named(sub.unwrap_or(top), value, &mut patch.cx)?;
                    match (filter, sub) {
                        (None, None) => patch.remove_attribute(top, named.as_deref()),
                        (None, Some(sub)) => patch.remove_sub(top, sub, named.as_deref()),
                        (Some(filter), sub) => patch.remove_matching(top, filter, sub, named.as_deref()),
                    }
                })
            }
        }
    }

    /// Spends what it takes to compare each listed value with each present one.
    fn spend_on_pairs(&self, listed: &Value, present: Option<&Value>) -> Result<(), PatchErrorKind> {
        let Some(present) = present else { return Ok(()) };
        let (listed_count, present_count) = (listed.values().len() as u64, present.values().len() as u64);
        let bytes = values::cost(listed).saturating_mul(present_count);
        self.cx.spend(bytes.saturating_add(values::cost(present).saturating_mul(listed_count)))
    }

    /// Q-REMOVE-WITH-VALUE: with a list of values only those go, and of an empty list none.
    fn remove_attribute(&mut self, top: AttributeId, named: Option<&[Value]>) -> Result<(), PatchErrorKind> {
        let type_ = self.cx.type_;
        let def = type_.attribute(top);
        if named.is_some_and(<[Value]>::is_empty) {
            return Ok(());
        }
        self.save(top);
        let object = container(self.resource, type_, def.owner());
        match (object.get_mut(def.name()), named) {
            (Some(Value::Array(present)), Some(named)) => {
                elements::remove_named(def, present, named, type_);
                assign::tidy(object, def, &self.cx)
            }
            (_, Some(_)) => Ok(()),
            (_, None) => assign::unassign(object, def),
        }
    }

    fn remove_sub(
        &mut self,
        top: AttributeId,
        sub: AttributeId,
        named: Option<&[Value]>,
    ) -> Result<(), PatchErrorKind> {
        self.save(top);
        let type_ = self.cx.type_;
        let (def, sub) = (type_.attribute(top), type_.attribute(sub));
        let object = container(self.resource, type_, def.owner());
        if object.get(def.name()).is_none_or(Value::is_unassigned) && sub.required() {
            return Err(PatchErrorKind::Required(sub.path().into()));
        }
        with_elements(object, def, |present| {
            for value in present.iter_mut() {
                unassign_in(value, sub, named, type_)?;
            }
            elements::tidy(def, present, type_);
            Ok(())
        })?;
        assign::tidy(object, def, &self.cx)
    }

    fn remove_matching(
        &mut self,
        top: AttributeId,
        filter: &Filter,
        sub: Option<AttributeId>,
        named: Option<&[Value]>,
    ) -> Result<(), PatchErrorKind> {
        let type_ = self.cx.type_;
        let def = type_.attribute(top);
        let filter = matcher::compile(filter, def, &mut self.cx)?;
        let matches = matcher::matches(&filter, type_.get(self.resource, top), &self.cx)?;
        if matches.is_empty() {
            // A member who is not there has left already (S-3.5.2.2-07), whatever the mode.
            let gone = is_membership(def, type_) || self.cx.allows(Quirk::IdempotentRemove);
            return if gone { Ok(()) } else { Err(PatchErrorKind::NoTarget) };
        }
        self.save(top);
        let object = container(self.resource, type_, def.owner());
        with_elements(object, def, |present| {
            match sub.map(|sub| type_.attribute(sub)) {
                None => retain_others(present, &matches, |value| {
                    named.is_none_or(|named| elements::is_named(def, value, named, type_))
                }),
                Some(sub) => {
                    for at in &matches {
                        if let Some(value) = present.get_mut(*at) {
                            unassign_in(value, sub, named, type_)?;
                        }
                    }
                    elements::tidy(def, present, type_);
                }
            }
            Ok(())
        })?;
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

/// The values that a `remove` lists.
fn named(
    id: AttributeId,
    value: Option<Value>,
    cx: &mut Context<'_>,
) -> Result<Option<Vec<Value>>, PatchErrorKind> {
    let def = cx.type_.attribute(id);
    value.map(|value| values::list(def, value, cx)).transpose()
}

/// Takes a sub-attribute from a complex value; of one with a list of values only those that are named.
fn unassign_in(
    value: &mut Value,
    sub: &AttributeDef,
    named: Option<&[Value]>,
    type_: &CompiledType,
) -> Result<(), PatchErrorKind> {
    let Value::Object(complex) = value else { return Ok(()) };
    match (complex.get_mut(sub.name()), named) {
        (Some(Value::Array(present)), Some(named)) => {
            elements::remove_named(sub, present, named, type_);
            if !values::only_empty_if_required(sub, present) {
                return Ok(());
            }
        }
        (Some(single), Some(named)) if !elements::is_named(sub, single, named, type_) => return Ok(()),
        _ => {}
    }
    let had = complex.contains(sub.name());
    assign::unassign(complex, sub)?;
    if had {
        assign::forget_reference(complex, sub, type_);
    }
    match sub.parent() {
        Some(parent) => elements::check_left(type_.attribute(parent), complex, type_),
        None => Ok(()),
    }
}
