//! Converts values of a request to the form in which a resource holds them.

use scim2_core::schema::Mutability;
use scim2_core::work::{RESOURCE, VISIT, text_cost};
use scim2_core::{AttributeDef, Object, Quirk, Value};

use crate::context::{Context, Scope};
use crate::error::PatchErrorKind;

/// The values of a multi-valued attribute. A single value is a list of one, and `null` is an empty list. None of
/// the returned values is `null` or empty.
///
/// # Errors
/// If a value does not fit, or is `null` inside the list.
pub(crate) fn list(
    def: &AttributeDef,
    value: Value,
    cx: &mut Context<'_>,
) -> Result<Vec<Value>, PatchErrorKind> {
    canonical_list(def, value, |value| cx.canonical_element(def.id(), value))
}

/// The values that replace all present ones. Sub-attributes that the client cannot see and does not send are copied from
/// the present value that each one replaces.
pub(crate) fn replacements(
    def: &AttributeDef,
    value: Value,
    present: &[Value],
    cx: &mut Context<'_>,
) -> Result<Vec<Value>, PatchErrorKind> {
    let mut values = canonical_list(def, value, |value| cx.canonical_replacement(def.id(), value))?;
    cx.type_.keep_not_returned_by_default(def.id(), &mut values, present);
    Ok(values)
}

fn canonical_list(
    def: &AttributeDef,
    value: Value,
    mut canonical: impl FnMut(Value) -> Result<Option<Value>, PatchErrorKind>,
) -> Result<Vec<Value>, PatchErrorKind> {
    match value {
        Value::Null => Ok(Vec::new()),
        Value::Array(values) => {
            let mut list = Vec::with_capacity(values.len());
            for value in values {
                if let Value::Null | Value::Array(_) = value {
                    return Err(invalid(
                        def,
                        format!("expected one value in each place, found {}", value.kind()),
                    ));
                }
                list.extend(canonical(value)?);
            }
            Ok(list)
        }
        single => Ok(canonical(single)?.into_iter().collect()),
    }
}

/// The work of reading a value once. The JSON reader bounds the depth of the recursion.
pub(crate) fn cost(value: &Value) -> u64 {
    let inner = match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
        Value::String(text) => text_cost(text),
        Value::Array(values) => values.iter().map(cost).fold(0, u64::saturating_add),
        Value::Object(object) => object
            .iter()
            .map(|(name, value)| cost(value).saturating_add(name.len() as u64))
            .fold(0, u64::saturating_add),
    };
    inner.saturating_add(VISIT)
}

/// The work of putting copies of a value into a resource, which grows with their memory.
pub(crate) fn cost_of_copies(copies: usize, value: &Value) -> u64 {
    cost(value).max(RESOURCE.saturating_mul(size(value) as u64)).saturating_mul(copies as u64)
}

/// The approximate size of a copy of a value, in bytes.
fn size(value: &Value) -> usize {
    const NODE: usize = 16;
    NODE + match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
        Value::String(text) => text.len(),
        Value::Array(values) => values.iter().map(size).sum(),
        Value::Object(object) => object.iter().map(|(name, value)| name.len() + size(value)).sum(),
    }
}

/// The value of a singular simple attribute. `None` unassigns it.
pub(crate) fn singular(
    def: &AttributeDef,
    value: Value,
    cx: &mut Context<'_>,
) -> Result<Option<Value>, PatchErrorKind> {
    let value = cx.canonical_element(def.id(), value)?;
    not_empty_if_required(def, value.as_slice())?;
    Ok(value)
}

/// The sub-attributes of a complex value, not canonical yet. `None` unassigns the value.
pub(crate) fn object(
    def: &AttributeDef,
    value: Value,
    string: Quirk,
    cx: &mut Context<'_>,
) -> Result<Option<Object>, PatchErrorKind> {
    let given = if def.multi_valued() { Scope::Element } else { Scope::Whole };
    match cx.read_json_text(def.id(), value, given)? {
        Value::Null => Ok(None),
        Value::Object(object) => Ok(Some(object)),
        Value::String(text) if cx.type_.find_sub(def.id(), "value").is_some() && cx.allows(string) => {
            Ok(Some(Object::from_iter([("value", text)])))
        }
        // Canonicalizing returns the error for a value of another type.
        other => Ok(cx.canonical_element(def.id(), other)?.and_then(|value| match value {
            Value::Object(object) => Some(object),
            _ => None,
        })),
    }
}

/// The sub-attribute of that name. `None` if it is ignored, because it is unknown or readOnly.
pub(crate) fn sub_attribute<'t>(
    def: &AttributeDef,
    name: &str,
    cx: &mut Context<'t>,
) -> Result<Option<&'t AttributeDef>, PatchErrorKind> {
    let type_ = cx.type_;
    let sub = type_.find_sub(def.id(), name).map(|id| type_.attribute(id));
    match sub {
        Some(sub) if sub.mutability() != Mutability::ReadOnly => Ok(Some(sub)),
        _ => {
            // Canonicalizing an object with only this name notes or refuses it as in any other body.
            let alone = Object::from_iter([(name, Value::Null)]);
            cx.canonical_element(def.id(), Value::Object(alone))?;
            Ok(None)
        }
    }
}

/// Unwraps the value given at a path: JSON text is read, and `{"members": […]}` at the path `members` is the list
/// (Q-WRAPPED-VALUE).
pub(crate) fn unwrap_named(
    def: &AttributeDef,
    value: Value,
    given: Scope,
    cx: &mut Context<'_>,
) -> Result<Value, PatchErrorKind> {
    match cx.read_json_text(def.id(), value, given)? {
        Value::Object(object)
            if object.len() == 1
                && object.contains(def.name())
                && !(is_wrapped_value(def) && cx.compat.allows(Quirk::ValueObject))
                && cx.type_.find_sub(def.id(), def.name()).is_none() =>
        {
            if !cx.allows(Quirk::WrappedValue) {
                // Otherwise it would be ignored as an unknown sub-attribute.
                return Err(invalid(def, format!("expected the value without the key `{}`", def.name())));
            }
            let value = object.into_iter().next().map(|(_, value)| value).unwrap_or_default();
            cx.read_json_text(def.id(), value, given)
        }
        value => Ok(value),
    }
}

/// Says whether `{"value": X}` at this attribute is a simple value wrapped in an object.
fn is_wrapped_value(def: &AttributeDef) -> bool {
    !def.is_complex() && !def.multi_valued() && def.name().eq_ignore_ascii_case("value")
}

/// Says whether a value holds anything other than `null`, empty strings and empty lists.
pub(crate) fn says_something(value: &Value) -> bool {
    match value {
        Value::Array(values) => values.iter().any(says_something),
        Value::Object(object) => object.iter().any(|(_, value)| !value.is_unassigned()),
        Value::String(text) => !text.is_empty(),
        value => !value.is_unassigned(),
    }
}

/// The error for a value that holds readOnly sub-attributes only: it must not replace present values by none.
pub(crate) fn nothing_writable(def: &AttributeDef) -> PatchErrorKind {
    invalid(def, "expected a sub-attribute that clients may write".to_owned())
}

/// Unwraps an array with one value where [`Quirk::SingleAsArray`] is tolerated.
pub(crate) fn unwrap_single(
    def: &AttributeDef,
    value: Value,
    cx: &mut Context<'_>,
) -> Result<Value, PatchErrorKind> {
    let Value::Array(mut values) = value else { return Ok(value) };
    match values.len() {
        0 => Ok(Value::Null),
        1 if values.first() == Some(&Value::Null) => {
            Err(invalid(def, "expected one value, found null in an array".to_owned()))
        }
        1 if cx.allows(Quirk::SingleAsArray) => Ok(values.pop().unwrap_or_default()),
        count => Err(invalid(def, format!("expected one value, found an array of {count}"))),
    }
}

/// Checks that a required attribute gets more than empty strings.
pub(crate) fn not_empty_if_required(def: &AttributeDef, values: &[Value]) -> Result<(), PatchErrorKind> {
    if !values.is_empty() && only_empty_if_required(def, values) {
        return Err(invalid(def, "expected a string that is not empty".to_owned()));
    }
    Ok(())
}

/// Says whether an attribute has no usable value: the list is empty, or the attribute is required and all values are
/// empty strings.
pub(crate) fn only_empty_if_required(def: &AttributeDef, values: &[Value]) -> bool {
    values.is_empty() || (def.required() && values.iter().all(|value| value.as_str() == Some("")))
}

pub(crate) fn invalid(def: &AttributeDef, reason: String) -> PatchErrorKind {
    PatchErrorKind::InvalidValue { attribute: def.path().into(), reason: reason.into() }
}
