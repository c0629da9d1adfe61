//! Values of a request in the form in which a resource holds them.

use scim2_core::schema::{AttributeType, Mutability};
use scim2_core::{AttributeDef, Object, Quirk, Value};

use crate::context::Context;
use crate::error::PatchErrorKind;

/// The values of a multi-valued attribute: a single value stands for a list of one, `null`
/// for none.
pub(crate) fn list(
    def: &AttributeDef,
    value: Value,
    cx: &mut Context<'_>,
) -> Result<Vec<Value>, PatchErrorKind> {
    let mut canonical = Vec::new();
    match value {
        Value::Null => {}
        Value::Array(values) => {
            canonical.reserve(values.len());
            for value in values {
                canonical.extend(element(def, value, cx)?);
            }
        }
        single => canonical.extend(element(def, single, cx)?),
    }
    Ok(canonical)
}

/// One value of a multi-valued attribute; `None` for one that says nothing.
pub(crate) fn element(
    def: &AttributeDef,
    value: Value,
    cx: &mut Context<'_>,
) -> Result<Option<Value>, PatchErrorKind> {
    if !def.is_complex() {
        return simple(def, value, cx);
    }
    let Some(object) = object(def, value, Quirk::MemberString, cx)? else { return Ok(None) };
    let mut canonical = Object::with_capacity(object.len());
    for (name, value) in object {
        let Some(sub) = sub_attribute(def, &name, cx)? else { continue };
        let value = if sub.multi_valued() {
            Some(list(sub, value, cx)?).filter(|values| !values.is_empty()).map(Value::Array)
        } else {
            singular(sub, value, cx)?
        };
        if let Some(value) = value {
            canonical.insert(sub.name(), value);
        }
    }
    Ok((!canonical.is_empty()).then_some(Value::Object(canonical)))
}

/// The value of a singular simple attribute; `None` unassigns it.
pub(crate) fn singular(
    def: &AttributeDef,
    value: Value,
    cx: &mut Context<'_>,
) -> Result<Option<Value>, PatchErrorKind> {
    let value = unwrap_single(def, value, cx)?;
    simple(def, value, cx)
}

/// The sub-attributes given for a complex value; `None` unassigns it.
pub(crate) fn object(
    def: &AttributeDef,
    value: Value,
    string: Quirk,
    cx: &mut Context<'_>,
) -> Result<Option<Object>, PatchErrorKind> {
    match value {
        Value::Null => Ok(None),
        Value::Object(object) => Ok(Some(object)),
        Value::String(text) if cx.type_.find_sub(def.id(), "value").is_some() && cx.allows(string) => {
            Ok(Some(Object::from_iter([("value", text)])))
        }
        other => Err(mismatch(def, "an object", &other)),
    }
}

/// The sub-attribute of that name. Nothing if it is to be ignored: unknown, or readOnly.
pub(crate) fn sub_attribute<'t>(
    def: &AttributeDef,
    name: &str,
    cx: &mut Context<'t>,
) -> Result<Option<&'t AttributeDef>, PatchErrorKind> {
    let type_ = cx.type_;
    let Some(sub) = type_.find_sub(def.id(), name) else {
        if cx.allows(Quirk::UnknownAttribute) {
            cx.ignore(format!("{}.{}", def.path(), crate::error::cut(name)));
            return Ok(None);
        }
        return Err(invalid(def, format!("there is no sub-attribute `{}`", crate::error::cut(name))));
    };
    let sub = type_.attribute(sub);
    if sub.mutability() == Mutability::ReadOnly {
        if cx.allows(Quirk::ReadonlySent) {
            cx.ignore(sub.path());
            return Ok(None);
        }
        return Err(PatchErrorKind::ReadOnly(sub.path().into()));
    }
    Ok(Some(sub))
}

/// Q-WRAPPED-VALUE: `{"members": […]}` at the path `members`.
pub(crate) fn unwrap_named(def: &AttributeDef, value: Value, cx: &mut Context<'_>) -> Value {
    match value {
        Value::Object(object)
            if object.len() == 1
                && object.contains(def.name())
                && cx.type_.find_sub(def.id(), def.name()).is_none()
                && cx.allows(Quirk::WrappedValue) =>
        {
            object.into_iter().next().map(|(_, value)| value).unwrap_or_default()
        }
        value => value,
    }
}

/// An array of one stands for its value where [`Quirk::SingleAsArray`] is tolerated.
pub(crate) fn unwrap_single(
    def: &AttributeDef,
    value: Value,
    cx: &mut Context<'_>,
) -> Result<Value, PatchErrorKind> {
    let Value::Array(mut values) = value else { return Ok(value) };
    match values.len() {
        0 => Ok(Value::Null),
        1 if cx.allows(Quirk::SingleAsArray) => Ok(values.pop().unwrap_or_default()),
        count => Err(invalid(def, format!("expected one value, found an array of {count}"))),
    }
}

fn simple(def: &AttributeDef, value: Value, cx: &mut Context<'_>) -> Result<Option<Value>, PatchErrorKind> {
    let fits = match (def.attribute_type(), &value) {
        (_, Value::Null) => return Ok(None),
        (AttributeType::Boolean, Value::Bool(_)) => true,
        (AttributeType::Boolean, Value::String(text)) => {
            let boolean = ["false", "true"].iter().position(|word| text.eq_ignore_ascii_case(word));
            if let Some(at) = boolean
                && cx.allows(Quirk::StringBool)
            {
                return Ok(Some(Value::Bool(at == 1)));
            }
            false
        }
        (AttributeType::Integer, Value::Number(number)) => number.is_integer(),
        (AttributeType::Decimal, Value::Number(_)) => true,
        (
            AttributeType::String
            | AttributeType::DateTime
            | AttributeType::Binary
            | AttributeType::Reference,
            Value::String(_),
        ) => true,
        _ => false,
    };
    if !fits {
        return Err(mismatch(def, expected(def), &value));
    }
    if def.required() && value.as_str() == Some("") {
        return Err(invalid(def, "expected a text that is not empty".to_owned()));
    }
    Ok(Some(value))
}

fn expected(def: &AttributeDef) -> &'static str {
    match def.attribute_type() {
        AttributeType::Boolean => "`true` or `false`",
        AttributeType::Integer => "an integer",
        AttributeType::Decimal => "a number",
        AttributeType::DateTime => "a date and time such as `2026-01-31T09:00:00Z`",
        AttributeType::Binary => "text in base64",
        AttributeType::String | AttributeType::Reference => "a string",
        AttributeType::Complex => "an object",
    }
}

fn mismatch(def: &AttributeDef, expected: &str, found: &Value) -> PatchErrorKind {
    invalid(def, format!("expected {expected}, found {}", found.kind()))
}

pub(crate) fn invalid(def: &AttributeDef, reason: String) -> PatchErrorKind {
    PatchErrorKind::InvalidValue { attribute: def.path().into(), reason: reason.into() }
}
