//! `add` and `replace` of an attribute within the object that holds it
//! ([RFC 7644 §3.5.2.1](https://www.rfc-editor.org/rfc/rfc7644#section-3.5.2.1),
//! [§3.5.2.3](https://www.rfc-editor.org/rfc/rfc7644#section-3.5.2.3)).

use scim2_core::schema::Mutability;
use scim2_core::{AttributeDef, AttributeId, CompiledType, Object, Owner, Quirk, Value};

use super::journal::Slot;
use super::{Patch, container};
use crate::context::{Context, Scope};
use crate::elements;
use crate::error::PatchErrorKind;
use crate::patch_op::Op;
use crate::values;

impl Patch<'_, '_> {
    /// A path that names a top-level attribute.
    pub(super) fn assign_attribute(
        &mut self,
        op: Op,
        top: AttributeId,
        value: Value,
    ) -> Result<(), PatchErrorKind> {
        let type_ = self.cx.type_;
        let def = type_.attribute(top);
        let appends = op == Op::Add && def.multi_valued() && !matches!(def.owner(), Owner::Extension(_));
        if appends && let Some(Value::Array(present)) = self.resource.get_mut(def.name()) {
            // A present member never changes. Another present value may get more sub-attributes.
            let list = values::list(def, value, &mut self.cx)?;
            if !type_.element_identity(top).is_membership() || list.iter().any(elements::is_primary) {
                self.journal.save(Slot::Attribute(top), self.resource, type_);
            } else {
                self.journal.grow(Slot::Attribute(top), present.len());
            }
            let Some(Value::Array(present)) = self.resource.get_mut(def.name()) else { return Ok(()) };
            return elements::append(def, present, list, &mut self.cx);
        }
        self.save(top);
        set(container(self.resource, type_, def.owner()), def, op, value, &mut self.cx)
    }

    /// A path that names a sub-attribute: of the singular value, or of all values of a list.
    pub(super) fn assign_sub(
        &mut self,
        op: Op,
        top: AttributeId,
        sub: AttributeId,
        value: Value,
    ) -> Result<(), PatchErrorKind> {
        self.save(top);
        let type_ = self.cx.type_;
        let (def, sub) = (type_.attribute(top), type_.attribute(sub));
        let object = container(self.resource, type_, def.owner());
        if !def.multi_valued() {
            set(object.object_entry(def.name()), sub, op, value, &mut self.cx)?;
            return tidy(object, def, &self.cx);
        }
        let Some(Value::Array(present)) = object.get_mut(def.name()).filter(|value| !value.is_unassigned())
        else {
            // Without a value, `replace` acts as `add`, and `add` creates one (S-3.5.2.3-03).
            let mut made = Object::new();
            set(&mut made, sub, op, value, &mut self.cx)?;
            if !made.is_empty() {
                let list = vec![Value::Object(made)];
                elements::check_all(def, &list, self.cx.type_)?;
                object.insert(def.name(), list);
            }
            return Ok(());
        };
        self.cx.spend(values::cost_of_copies(present.len(), &value))?;
        let mut set_in = Vec::new();
        for (at, element) in present.iter_mut().enumerate() {
            if let Value::Object(element) = element {
                set(element, sub, op, value.clone(), &mut self.cx)?;
                elements::check_left(def, element, type_)?;
                set_in.push(at);
            }
        }
        elements::settle(def, present, &set_in, &mut self.cx)?;
        tidy(object, def, &self.cx)
    }
}

/// Adds or replaces an attribute in the object that holds it: a resource, an extension, or (for a
/// sub-attribute) a complex value.
pub(crate) fn set(
    object: &mut Object,
    def: &AttributeDef,
    op: Op,
    value: Value,
    cx: &mut Context<'_>,
) -> Result<(), PatchErrorKind> {
    let fixed = (def.mutability() == Mutability::Immutable)
        .then(|| object.get(def.name()).filter(|value| !value.is_unassigned()).cloned())
        .flatten();
    cx.touch(def);
    if def.is_never_returned() && fixed.is_some() && !value.is_unassigned() {
        return Err(PatchErrorKind::NeverReturnedImmutable(def.path().into()));
    }
    let before = is_reference(def, cx.type_).then(|| object.get(def.name()).cloned());
    if def.multi_valued() {
        set_values(object, def, op, value, cx)?;
    } else if def.is_complex() {
        set_complex(object, def, op, value, cx)?;
    } else {
        match values::singular(def, value, cx)? {
            Some(value) => {
                object.insert(def.name(), value);
            }
            None => unassign_by(op, object, def, cx.type_)?,
        }
    }
    if before.is_some_and(|before| def.is_never_returned() || object.get(def.name()) != before.as_ref()) {
        forget_reference(object, def, cx.type_);
    }
    let Some(fixed) = fixed else { return Ok(()) };
    check_untouched(def, cx)?;
    restore(object, def, fixed, cx.type_)
}

/// Refuses a new value of an immutable attribute if it has a sub-attribute that is returned `never`. It does not compare
/// the values, because the outcome would confirm a guess.
pub(super) fn check_untouched(def: &AttributeDef, cx: &Context<'_>) -> Result<(), PatchErrorKind> {
    let is_touched = |sub: &AttributeDef| cx.notes.touched.contains(&sub.id());
    match cx.type_.sub_attributes(def.id()).iter().find(|sub| is_touched(sub)) {
        Some(sub) => Err(PatchErrorKind::NeverReturnedImmutable(sub.path().into())),
        None => Ok(()),
    }
}

/// Leaves an immutable attribute unchanged (C-7-07). The client may send the same value again, by the attribute's rule of
/// comparison; the stored spelling stays.
pub(super) fn restore(
    object: &mut Object,
    def: &AttributeDef,
    fixed: Value,
    type_: &CompiledType,
) -> Result<(), PatchErrorKind> {
    match object.get_mut(def.name()) {
        Some(now) if type_.same_value(def.id(), &fixed, now) => {
            *now = fixed;
            Ok(())
        }
        _ => Err(PatchErrorKind::Immutable(def.path().into())),
    }
}

fn set_values(
    object: &mut Object,
    def: &AttributeDef,
    op: Op,
    value: Value,
    cx: &mut Context<'_>,
) -> Result<(), PatchErrorKind> {
    let value = cx.read_json_text(def.id(), value, Scope::Whole)?;
    let said = op == Op::Replace && values::says_something(&value);
    let part = cx.begin_part();
    let list = match op {
        Op::Replace => {
            let present = object.get(def.name()).and_then(Value::as_array).unwrap_or_default();
            values::replacements(def, value, present, cx)?
        }
        _ => values::list(def, value, cx)?,
    };
    if list.is_empty() {
        return match said {
            true if cx.met_unknown_name(&part) => Ok(()),
            true => Err(values::nothing_writable(def)),
            false => unassign_by(op, object, def, cx.type_),
        };
    }
    let present = if op == Op::Add { object.get(def.name()).and_then(Value::as_array) } else { None };
    if present.is_none_or(<[Value]>::is_empty) {
        values::not_empty_if_required(def, &list)?;
    }
    if op == Op::Add {
        if let Some(Value::Array(present)) = object.get_mut(def.name()) {
            return elements::append(def, present, list, cx);
        }
        let mut values = Vec::new();
        elements::append(def, &mut values, list, cx)?;
        object.insert(def.name(), Value::Array(values));
        return Ok(());
    }
    // The result is the list that a create or replace would store.
    elements::check_all(def, &list, cx.type_)?;
    let mut values = list;
    cx.type_.remove_duplicates(def.id(), &mut values);
    let all: Vec<usize> = (0..values.len()).collect();
    elements::settle_primary(def, &mut values, &all, cx)?;
    object.insert(def.name(), Value::Array(values));
    Ok(())
}

/// both `add` and `replace` set the sub-attributes that are given and leave the
/// others, except for `replace` in the interoperability profile.
fn set_complex(
    object: &mut Object,
    def: &AttributeDef,
    op: Op,
    value: Value,
    cx: &mut Context<'_>,
) -> Result<(), PatchErrorKind> {
    let value = values::unwrap_single(def, value, cx)?;
    if value.as_str() == Some("") && cx.allows(Quirk::EmptyStringRemove) {
        return unassign_by(op, object, def, cx.type_);
    }
    let Some(given) = values::object(def, value, Quirk::ManagerString, cx)? else {
        return unassign_by(op, object, def, cx.type_);
    };
    let complex = object.object_entry(def.name());
    let type_ = cx.type_;
    let mut fixed = Vec::new();
    if op == Op::Replace && cx.compat.is_profile() {
        fixed = immutables(complex, def, type_);
        // A client that cannot see a sub-attribute replaces it only by naming it.
        complex.retain(|name, _| {
            let sub = type_.find_sub(def.id(), name).map(|sub| type_.attribute(sub));
            sub.is_some_and(|sub| {
                sub.mutability() == Mutability::ReadOnly || sub.is_not_returned_by_default()
            })
        });
    }
    merge(complex, def, op, given, cx)?;
    restore_all(complex, fixed, type_)?;
    tidy(object, def, cx)
}

/// The assigned immutable sub-attributes of a complex value.
pub(super) fn immutables<'t>(
    complex: &Object,
    def: &AttributeDef,
    type_: &'t CompiledType,
) -> Vec<(&'t AttributeDef, Value)> {
    let immutable = |sub: &&AttributeDef| sub.mutability() == Mutability::Immutable;
    let subs = type_.sub_attributes(def.id()).iter().filter(immutable);
    subs.filter_map(|sub| {
        let value = complex.get(sub.name()).filter(|value| !value.is_unassigned())?;
        Some((sub, value.clone()))
    })
    .collect()
}

/// Checks that a value that replaces another one has the same immutable sub-attributes (C-7-07).
pub(super) fn restore_all(
    complex: &mut Object,
    fixed: Vec<(&AttributeDef, Value)>,
    type_: &CompiledType,
) -> Result<(), PatchErrorKind> {
    fixed.into_iter().try_for_each(|(sub, value)| restore(complex, sub, value, type_))
}

/// Sets the given sub-attributes, each as if it were a path. `replace` with `null` clears one (Q-COMPLEX-MERGE).
pub(super) fn merge(
    complex: &mut Object,
    def: &AttributeDef,
    op: Op,
    mut given: Object,
    cx: &mut Context<'_>,
) -> Result<(), PatchErrorKind> {
    // `$ref` comes last, because setting `value` removes it.
    let reference = given.remove(REFERENCE).map(|reference| (REFERENCE.into(), reference));
    for (name, value) in given.into_iter().chain(reference) {
        let part = cx.begin_part();
        if let Some(sub) = values::sub_attribute(def, &name, cx)? {
            cx.given(sub.id());
            set(complex, sub, op, value, cx)?;
        }
        cx.end_part(&part);
    }
    Ok(())
}

/// The sub-attribute with the URI of the resource that `value` names.
const REFERENCE: &str = "$ref";

/// Says whether a sub-attribute is the `value` of a reference, which has a `$ref` next to it.
fn is_reference(sub: &AttributeDef, type_: &CompiledType) -> bool {
    sub.parent().is_some_and(|parent| type_.find_sub(parent, REFERENCE).is_some())
        && sub.name().eq_ignore_ascii_case("value")
}

/// Removes what a change of `value` makes stale: the `$ref`, and the readOnly sub-attributes that the service provider
/// derives from the referenced resource.
pub(crate) fn forget_reference(complex: &mut Object, sub: &AttributeDef, type_: &CompiledType) {
    if !is_reference(sub, type_) {
        return;
    }
    for sibling in sub.parent().map_or(&[][..], |parent| type_.sub_attributes(parent)) {
        let stale = sibling.name().eq_ignore_ascii_case(REFERENCE)
            || (sibling.mutability() == Mutability::ReadOnly && sibling.id() != sub.id());
        if stale && !sibling.required() {
            complex.remove(sibling.name());
        }
    }
}

/// Applies `null` or an empty value: `replace` unassigns, `add` changes nothing.
fn unassign_by(
    op: Op,
    object: &mut Object,
    def: &AttributeDef,
    type_: &CompiledType,
) -> Result<(), PatchErrorKind> {
    if op == Op::Replace { unassign(object, def, type_) } else { Ok(()) }
}

/// Removes an attribute unless it is required or immutable.
pub(crate) fn unassign(
    object: &mut Object,
    def: &AttributeDef,
    type_: &CompiledType,
) -> Result<(), PatchErrorKind> {
    if def.required() {
        return Err(PatchErrorKind::Required(def.path().into()));
    }
    take(object, def, type_)
}

/// Removes an attribute, even a required one, for callers that remove the whole object with it. An assigned immutable
/// attribute cannot be removed, nor can the singular value that holds it: adding it again would change it (C-7-07). An
/// element of a list may be removed, because a new element is another value.
pub(crate) fn take(
    object: &mut Object,
    def: &AttributeDef,
    type_: &CompiledType,
) -> Result<(), PatchErrorKind> {
    let Some(removed) = object.remove(def.name()).filter(|value| !value.is_unassigned()) else {
        return Ok(());
    };
    if def.mutability() == Mutability::Immutable {
        return Err(PatchErrorKind::ImmutableRemoved(def.path().into()));
    }
    match removed {
        Value::Object(complex) => match immutables(&complex, def, type_).first() {
            Some((sub, _)) => Err(PatchErrorKind::ImmutableRemoved(sub.path().into())),
            None => Ok(()),
        },
        _ => Ok(()),
    }
}

/// Unassigns an attribute with nothing left in it, and checks that a complex value has its required sub-attributes.
pub(super) fn tidy(object: &mut Object, def: &AttributeDef, cx: &Context<'_>) -> Result<(), PatchErrorKind> {
    match object.get(def.name()) {
        Some(Value::Object(complex)) if !complex.is_empty() => elements::check_one(def, complex, cx.type_),
        Some(Value::Object(_) | Value::Null) => unassign(object, def, cx.type_),
        Some(Value::Array(values)) if values::only_empty_if_required(def, values) => {
            unassign(object, def, cx.type_)
        }
        _ => Ok(()),
    }
}
