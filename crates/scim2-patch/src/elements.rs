//! The values of a multi-valued attribute as a set: equal values, and the primary one.

use scim2_core::validate::ElementIndex;
use scim2_core::{AttributeDef, AttributeId, CompiledType, Object, Quirk, Value};

use crate::apply::set;
use crate::context::Context;
use crate::error::PatchErrorKind;
use crate::patch_op::Op;
use crate::values::invalid;

/// Up to this many new values are searched one by one. For more a hash table is faster.
pub(crate) const MAX_LINEAR_SEARCH: usize = 8;

/// Appends the values that are not in the list yet (S-3.5.2.1-07), after checking their required sub-attributes. If one
/// of them is primary, the others become non-primary (S-3.5.2-13).
pub(crate) fn append(
    def: &AttributeDef,
    present: &mut Vec<Value>,
    mut list: Vec<Value>,
    cx: &mut Context<'_>,
) -> Result<(), PatchErrorKind> {
    let identity = cx.type_.element_identity(def.id());
    // A client that sends a sub-attribute returned `never` must not learn whether it guessed the stored value.
    let given: Vec<Vec<AttributeId>> = if hides(def, cx.type_) {
        list.iter().map(|value| given_never_returned(def, value, cx.type_)).collect()
    } else {
        Vec::new()
    };
    cx.type_.recognise(def.id(), &mut list, present);
    let mut index = (list.len() > MAX_LINEAR_SEARCH).then(|| ElementIndex::new(identity, present));
    let before = present.len();
    let mut primary = Vec::new();
    for (nth, value) in list.into_iter().enumerate() {
        let given = given.get(nth).map_or(&[][..], Vec::as_slice);
        let once = identity.occurs_once(&value);
        let found = match &mut index {
            _ if !given.is_empty() && !once => None,
            Some(index) if once => index.find_or_insert(present, &value, present.len()),
            Some(index) => index.find(present, &value),
            // Equal addresses of one operation both stay.
            None if once => identity.position(present, &value),
            None => {
                let place = |is: &dyn Fn(&Value) -> bool| present.iter().take(before).position(is);
                place(&|there| *there == value).or_else(|| place(&|there| identity.same(there, &value)))
            }
        };
        let at = found.unwrap_or(present.len());
        if is_primary(&value) {
            primary.push(at);
        }
        match present.get_mut(at) {
            None => {
                check_all(def, std::slice::from_ref(&value), cx.type_)?;
                present.push(value);
            }
            // A present member does not change. Another present value gets the new sub-attributes.
            Some(_) if identity.is_membership() => {}
            Some(there) => enrich(def, there, value, given, cx)?,
        }
    }
    settle_primary(def, present, &primary, cx)
}

/// Says whether responses show an attribute, but not all of its sub-attributes.
fn hides(def: &AttributeDef, type_: &CompiledType) -> bool {
    !def.is_never_returned() && type_.sub_attributes(def.id()).iter().any(AttributeDef::is_never_returned)
}

/// The sub-attributes of a value that are returned `never`.
fn given_never_returned(def: &AttributeDef, value: &Value, type_: &CompiledType) -> Vec<AttributeId> {
    let names = value.as_object().into_iter().flat_map(Object::iter).map(|(name, _)| name);
    let subs = names.filter_map(|name| type_.find_sub(def.id(), name));
    subs.filter(|sub| type_.attribute(*sub).is_never_returned()).collect()
}

/// Adds the other sub-attributes of `value` to `there`, which has the same `value` and `type`. Sub-attributes returned
/// `never` count only if the client gave them: the others were copied from the present value.
fn enrich(
    def: &AttributeDef,
    there: &mut Value,
    value: Value,
    given_never_returned: &[AttributeId],
    cx: &mut Context<'_>,
) -> Result<(), PatchErrorKind> {
    let (Value::Object(there), Value::Object(value)) = (there, value) else { return Ok(()) };
    for (name, value) in value {
        let known = name.eq_ignore_ascii_case("value") || name.eq_ignore_ascii_case("type");
        if !known
            && let Some(sub) = cx.type_.find_sub(def.id(), &name).map(|sub| cx.type_.attribute(sub))
            && (def.is_never_returned()
                || !sub.is_never_returned()
                || given_never_returned.contains(&sub.id()))
        {
            set(there, sub, Op::Add, value, cx)?;
        }
    }
    Ok(())
}

/// Removes the values that are [named](is_named).
pub(crate) fn remove_named(
    def: &AttributeDef,
    present: &mut Vec<Value>,
    named: &[Value],
    type_: &CompiledType,
) {
    let identity = type_.element_identity(def.id());
    if named.len() > MAX_LINEAR_SEARCH && (identity.is_membership() || !def.is_complex()) {
        let index = ElementIndex::new(identity, named);
        present.retain(|value| index.find(named, value).is_none());
    } else {
        present.retain(|value| !is_named(def, value, named, type_));
    }
}

/// Says whether a list of values names a value. A membership is named by its `value`. Another complex value is named if
/// all listed sub-attributes are equal, except those returned `never`.
pub(crate) fn is_named(def: &AttributeDef, value: &Value, named: &[Value], type_: &CompiledType) -> bool {
    let identity = type_.element_identity(def.id());
    if identity.is_membership() || !def.is_complex() {
        named.iter().any(|named| identity.same(named, value))
    } else {
        named.iter().any(|named| names(def, named, value, type_))
    }
}

fn names(def: &AttributeDef, named: &Value, value: &Value, type_: &CompiledType) -> bool {
    let (Value::Object(named), Value::Object(value)) = (named, value) else { return false };
    // Sub-attributes returned `never` are not compared: the outcome would confirm a guess.
    let seen = |(name, _): &(&str, &Value)| {
        !type_.find_sub(def.id(), name).is_some_and(|sub| type_.attribute(sub).is_never_returned())
    };
    named.iter().any(|part| seen(&part))
        && named.iter().filter(seen).all(|(name, expected)| match (expected, value.get(name)) {
            (Value::String(expected), Some(Value::String(found))) => {
                type_.find_sub(def.id(), name).is_some_and(|sub| {
                    let rule = type_.attribute(sub).string_rule();
                    rule.key(expected) == rule.key(found)
                })
            }
            (expected, found) => found == Some(expected),
        })
}

/// Cleans up a list after values at these places changed: at most one value is primary, none is empty, none is there
/// twice.
pub(crate) fn settle(
    def: &AttributeDef,
    values: &mut Vec<Value>,
    set: &[usize],
    cx: &mut Context<'_>,
) -> Result<(), PatchErrorKind> {
    settle_primary(def, values, set, cx)?;
    tidy(def, values, cx.type_);
    Ok(())
}

/// Removes empty complex values and duplicates.
pub(crate) fn tidy(def: &AttributeDef, values: &mut Vec<Value>, type_: &CompiledType) {
    values.retain(|value| !value.as_object().is_some_and(Object::is_empty));
    type_.remove_duplicates(def.id(), values);
}

/// Leaves at most one value primary: the first of those that the operation made primary (Q-PRIMARY). `set` holds the
/// places that the operation wrote to.
pub(crate) fn settle_primary(
    def: &AttributeDef,
    values: &mut [Value],
    set: &[usize],
    cx: &mut Context<'_>,
) -> Result<(), PatchErrorKind> {
    let mut candidates = set.iter().copied().filter(|at| values.get(*at).is_some_and(is_primary));
    let Some(winner) = candidates.next() else { return Ok(()) };
    if candidates.any(|at| at != winner) && !cx.allows(Quirk::Primary) {
        return Err(invalid(def, "expected one primary value at most, found several".to_owned()));
    }
    cx.type_.normalise_primary(def.id(), values, Some(winner));
    Ok(())
}

/// Says whether a complex value is the primary one.
pub(crate) fn is_primary(value: &Value) -> bool {
    value.as_object().and_then(|value| value.get("primary")).and_then(Value::as_bool) == Some(true)
}

/// Checks that complex values have their required sub-attributes.
pub(crate) fn check_all(
    def: &AttributeDef,
    list: &[Value],
    type_: &CompiledType,
) -> Result<(), PatchErrorKind> {
    list.iter().filter_map(Value::as_object).try_for_each(|value| check_one(def, value, type_))
}

/// Checks that a complex value has its required sub-attributes, unless it is empty and will be removed.
pub(crate) fn check_left(
    def: &AttributeDef,
    value: &Object,
    type_: &CompiledType,
) -> Result<(), PatchErrorKind> {
    if value.is_empty() { Ok(()) } else { check_one(def, value, type_) }
}

/// Checks that a complex value has its required sub-attributes.
pub(crate) fn check_one(
    def: &AttributeDef,
    value: &Object,
    type_: &CompiledType,
) -> Result<(), PatchErrorKind> {
    type_.check_element(def.id(), value).map_err(PatchErrorKind::Value)
}
