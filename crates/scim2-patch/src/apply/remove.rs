//! `remove` ([RFC 7644 §3.5.2.2](https://www.rfc-editor.org/rfc/rfc7644#section-3.5.2.2)).

use scim2_core::schema::Mutability;
use scim2_core::{AttributeDef, AttributeId, CompiledType, ExtensionId, Owner, Quirk, Value};
use scim2_filter::Filter;

use super::matching::{retain_others, with_elements};
use super::{Patch, assign, container, is_membership};
use crate::context::Context;
use crate::elements;
use crate::error::PatchErrorKind;
use crate::listed;
use crate::matcher;
use crate::target::Target;
use crate::values;

impl Patch<'_, '_> {
    pub(super) fn remove(&mut self, target: Target<'_>, value: Option<Value>) -> Result<(), PatchErrorKind> {
        let type_ = self.cx.type_;
        // A client whose list of members became null must not remove everybody from a group.
        if let (Target::Attribute { top, filter: None, sub: None }, Some(Value::Null)) = (target, &value)
            && let def = type_.attribute(top)
            && is_membership(def, type_)
        {
            return Err(values::invalid(
                def,
                "expected the values to remove, or no `value` at all to remove all, found null".to_owned(),
            ));
        }
        // Some serializers write `""` for an absent value. It counts as absent if the path names at most one value. At a
        // list it is a value that no list has, so it removes nothing.
        let one_value = match target {
            Target::Extension(_) => true,
            Target::SubValues { .. } => false,
            Target::Attribute { top, filter, sub } => {
                !type_.attribute(sub.unwrap_or(top)).multi_valued()
                    && (filter.is_some() || !type_.attribute(top).multi_valued())
            }
        };
        match value {
            Some(Value::String(text)) if one_value && text.is_empty() => {
                if !self.cx.allows(Quirk::RemoveWithValue) {
                    return Err(PatchErrorKind::RemoveWithValue);
                }
                self.remove_of_target(target, None)
            }
            value => self.remove_of_target(target, value),
        }
    }

    /// Removes the target. With a `value`, removes only the listed part of it.
    fn remove_of_target(&mut self, target: Target<'_>, value: Option<Value>) -> Result<(), PatchErrorKind> {
        match target {
            Target::SubValues { top, sub, filter } => {
                self.check_writable(top, Some(sub))?;
                self.spend_on(top, Some(filter), value.as_ref())?;
                let listed = listed::read(self.cx.type_.attribute(sub), value, &mut self.cx)?;
                self.guarded(top, |patch| patch.remove_sub_values(top, sub, filter, listed.as_deref()))
            }
            Target::Extension(extension) => match value.filter(|value| *value != Value::Null) {
                None => self.remove_extension(extension),
                Some(value) => self.remove_from_extension(extension, value),
            },
            Target::Attribute { top, filter, sub } => {
                self.check_writable(top, sub)?;
                let def = self.cx.type_.attribute(top);
                let named = self.cx.type_.attribute(sub.unwrap_or(top));
                if !self.is_schemas(top) {
                    self.spend_on(top, filter, value.as_ref())?;
                }
                let listed = listed::read(named, value, &mut self.cx)?;
                let listed = listed.as_deref();
                if self.is_schemas(top) {
                    return self.remove_schemas(filter, listed);
                }
                // Each present value is compared with each listed one, unless both lists are hashed.
                let hashed = !def.is_complex() || is_membership(def, self.cx.type_);
                if let Some(listed) = listed
                    && def.multi_valued()
                    && (filter.is_some() || !hashed)
                {
                    self.spend_on_pairs(listed, self.cx.type_.get(self.resource, top))?;
                }
                self.guarded(top, |patch| match (filter, sub) {
                    (None, None) => patch.remove_attribute(top, listed),
                    (None, Some(sub)) => patch.remove_sub(top, sub, listed),
                    (Some(filter), sub) => patch.remove_matching(top, filter, sub, listed),
                })
            }
        }
    }

    /// Spends the bytes of comparing each listed value with each present one.
    fn spend_on_pairs(&self, listed: &[Value], present: Option<&Value>) -> Result<(), PatchErrorKind> {
        let Some(present) = present else { return Ok(()) };
        let (listed_count, present_count) = (listed.len() as u64, present.values().len() as u64);
        let listed = listed.iter().map(values::cost).fold(0, u64::saturating_add);
        let bytes = listed.saturating_mul(present_count);
        self.cx.spend(bytes.saturating_add(values::cost(present).saturating_mul(listed_count)))
    }

    fn remove_attribute(&mut self, top: AttributeId, listed: Option<&[Value]>) -> Result<(), PatchErrorKind> {
        let type_ = self.cx.type_;
        let def = type_.attribute(top);
        if listed.is_some_and(<[Value]>::is_empty) {
            return Ok(());
        }
        self.save(top);
        let object = container(self.resource, type_, def.owner());
        listed::remove(object, def, listed, &self.cx)?;
        assign::tidy(object, def, &self.cx)
    }

    fn remove_sub(
        &mut self,
        top: AttributeId,
        sub: AttributeId,
        listed: Option<&[Value]>,
    ) -> Result<(), PatchErrorKind> {
        self.save(top);
        let type_ = self.cx.type_;
        let (def, sub) = (type_.attribute(top), type_.attribute(sub));
        let object = container(self.resource, type_, def.owner());
        let absent = object.get(def.name()).is_none_or(Value::is_unassigned);
        if absent && listed.is_none() && sub.required() {
            return Err(PatchErrorKind::Required(sub.path().into()));
        }
        self.cx.touch(sub);
        let cx = &self.cx;
        with_elements(object, def, |present| {
            for value in present.iter_mut() {
                remove_from_element(value, def, sub, listed, cx)?;
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
        listed: Option<&[Value]>,
    ) -> Result<(), PatchErrorKind> {
        let type_ = self.cx.type_;
        let def = type_.attribute(top);
        let filter = matcher::compile(filter, def, &mut self.cx)?;
        let matches = matcher::matches(&filter, type_.get(self.resource, top), &self.cx)?;
        if matches.is_empty() {
            // Removing an absent member succeeds in every mode (S-3.5.2.2-07).
            let gone = is_membership(def, type_) || self.cx.allows(Quirk::IdempotentRemove);
            return if gone { Ok(()) } else { Err(PatchErrorKind::NoTarget) };
        }
        let Some(sub) = sub.map(|sub| type_.attribute(sub)) else {
            if !def.multi_valued() {
                return self.remove_attribute(top, listed);
            }
            self.save(top);
            let object = container(self.resource, type_, def.owner());
            with_elements(object, def, |present| {
                retain_others(present, &matches, |value| listed::holds(listed, def, value, type_));
                Ok(())
            })?;
            return assign::tidy(object, def, &self.cx);
        };
        self.save(top);
        let object = container(self.resource, type_, def.owner());
        self.cx.touch(sub);
        let cx = &self.cx;
        with_elements(object, def, |present| {
            for at in &matches {
                if let Some(value) = present.get_mut(*at) {
                    remove_from_element(value, def, sub, listed, cx)?;
                }
            }
            elements::tidy(def, present, type_);
            Ok(())
        })?;
        assign::tidy(object, def, &self.cx)
    }

    /// Removes the listed attributes of an extension, key by key, as if each were a path. Unknown and readOnly
    /// attributes are ignored or refused as in a value without path.
    fn remove_from_extension(&mut self, extension: ExtensionId, value: Value) -> Result<(), PatchErrorKind> {
        if !self.cx.allows(Quirk::RemoveWithValue) {
            return Err(PatchErrorKind::RemoveWithValue);
        }
        if value.is_unassigned() {
            return Ok(());
        }
        let type_ = self.cx.type_;
        for (key, value) in self.attributes_of(value)? {
            let part = self.cx.begin_part();
            let Some(target) = self.target_in(extension, &key) else {
                let name = format!("{}:{key}", type_.extension(extension).uri());
                let unknown = PatchErrorKind::UnknownAttribute(name.as_str().into());
                self.ignore_key(&name, unknown)?;
                continue;
            };
            if !value.is_unassigned() && !self.ignores_read_only(target, &value)? {
                self.remove_of_target(target, Some(value))?;
            }
            self.cx.end_part(&part);
        }
        Ok(())
    }

    /// Removes all attributes of an extension except readOnly ones. If readOnly attributes stay, required ones cannot be
    /// removed. Extensions that are nested in it are removed too.
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
                    assign::take(object, def, type_)?;
                } else {
                    assign::unassign(object, def, type_)?;
                }
            }
        }
        self.settle_extension(extension, had);
        let inner = type_.inner_extensions(self.resource, extension);
        if inner.is_empty() {
            return Ok(());
        }
        // Removing the entries first visits each extension once, even if they are nested in a circle.
        if let Some(Value::Object(nesting)) = self.resource.get_mut(CompiledType::NESTING) {
            nesting.retain(|uri, _| !inner.iter().any(|id| *type_.extension(*id).uri() == *uri));
        }
        inner.into_iter().try_for_each(|inner| self.remove_extension(inner))
    }
}

/// Removes a sub-attribute, or the listed values of it, from a complex value.
fn remove_from_element(
    value: &mut Value,
    def: &AttributeDef,
    sub: &AttributeDef,
    listed: Option<&[Value]>,
    cx: &Context<'_>,
) -> Result<(), PatchErrorKind> {
    let Value::Object(complex) = value else { return Ok(()) };
    let had = complex.contains(sub.name());
    if !had && listed.is_some() {
        return Ok(());
    }
    listed::remove(complex, sub, listed, cx)?;
    if had && !complex.contains(sub.name()) {
        assign::forget_reference(complex, sub, cx.type_);
    }
    elements::check_left(def, complex, cx.type_)
}
