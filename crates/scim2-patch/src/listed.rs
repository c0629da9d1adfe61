//! `remove` with a `value` ([`Quirk::RemoveWithValue`], reading A-06): only the listed values are removed.

use scim2_core::{AttributeDef, CompiledType, Object, Quirk, Value};

use crate::apply::{forget_reference, take, unassign};
use crate::context::{Context, Scope};
use crate::elements;
use crate::error::PatchErrorKind;
use crate::values;

/// The values that a `remove` lists, in canonical form. `None` if it has no `value`.
///
/// Some JSON writers send `"value": null` for an absent value.
///
/// # Errors
/// [`RemoveWithValue`](PatchErrorKind::RemoveWithValue) if the mode does not tolerate a `value`, and the
/// errors of the listed values.
pub(crate) fn read(
    def: &AttributeDef,
    value: Option<Value>,
    cx: &mut Context<'_>,
) -> Result<Option<Vec<Value>>, PatchErrorKind> {
    let Some(value) = value.filter(|value| *value != Value::Null) else { return Ok(None) };
    if !cx.allows(Quirk::RemoveWithValue) {
        return Err(PatchErrorKind::RemoveWithValue);
    }
    let value = values::unwrap_named(def, value, Scope::Whole, cx)?;
    values::list(def, value, cx).map(Some)
}

/// Says whether a value is one of the listed ones. Without a list every value is.
pub(crate) fn holds(
    listed: Option<&[Value]>,
    def: &AttributeDef,
    value: &Value,
    type_: &CompiledType,
) -> bool {
    listed.is_none_or(|listed| elements::is_named(def, value, listed, type_))
}

/// Removes the listed values of an attribute from the object that holds it, or all values if there is no list. An
/// attribute with nothing left is unassigned.
///
/// - A list loses the listed values.
/// - A singular simple value is removed if it is the listed one.
/// - A singular complex value loses the listed sub-attributes, each by the same rule.
/// - A value that is returned `never` is removed only without a list: a match would confirm a guess.
///
/// # Errors
/// [`Required`](PatchErrorKind::Required) and [`Immutable`](PatchErrorKind::ImmutableRemoved), if
/// the attribute, or a sub-attribute that would be removed, is required or immutable.
pub(crate) fn remove(
    object: &mut Object,
    def: &AttributeDef,
    listed: Option<&[Value]>,
    cx: &Context<'_>,
) -> Result<(), PatchErrorKind> {
    let Some(listed) = listed else { return unassign(object, def, cx.type_) };
    if def.is_never_returned() {
        return Ok(());
    }
    let nothing_left = match object.get_mut(def.name()) {
        None => false,
        Some(Value::Array(present)) => {
            elements::remove_named(def, present, listed, cx.type_);
            values::only_empty_if_required(def, present)
        }
        Some(Value::Object(complex)) => {
            remove_parts(complex, def, listed, cx)?;
            complex.is_empty()
        }
        Some(single) => elements::is_named(def, single, listed, cx.type_),
    };
    if nothing_left { unassign(object, def, cx.type_) } else { Ok(()) }
}

/// Removes the listed sub-attributes of a singular complex value. A required one can be removed only together with all
/// others.
pub(crate) fn remove_parts(
    complex: &mut Object,
    def: &AttributeDef,
    listed: &[Value],
    cx: &Context<'_>,
) -> Result<(), PatchErrorKind> {
    let mut required = None;
    for (name, listed) in listed.iter().filter_map(Value::as_object).flat_map(Object::iter) {
        let Some(sub) = cx.type_.find_sub(def.id(), name).map(|sub| cx.type_.attribute(sub)) else {
            continue;
        };
        let listed = listed.as_array().unwrap_or(std::slice::from_ref(listed));
        let goes = !sub.is_never_returned()
            && match complex.get_mut(sub.name()) {
                None => false,
                Some(Value::Array(present)) => {
                    elements::remove_named(sub, present, listed, cx.type_);
                    values::only_empty_if_required(sub, present)
                }
                Some(single) => elements::is_named(sub, single, listed, cx.type_),
            };
        if goes {
            take(complex, sub, cx.type_)?;
            forget_reference(complex, sub, cx.type_);
            if sub.required() {
                required.get_or_insert(sub);
            }
        }
    }
    match required {
        Some(sub) if !complex.is_empty() => Err(PatchErrorKind::Required(sub.path().into())),
        _ => Ok(()),
    }
}
