//! `bulkId:` references within the data of an operation
//! ([RFC 7644 §3.7.2](https://www.rfc-editor.org/rfc/rfc7644#section-3.7.2)).
//!
//! The recursion here goes as deep as the JSON of a request may nest.

use scim2_core::{Object, Value};
use scim2_protocol::BulkOperation;

/// The `bulkId` that a text refers to.
pub(super) fn of(text: &str) -> Option<&str> {
    text.strip_prefix(BulkOperation::REFERENCE).filter(|bulk_id| !bulk_id.is_empty())
}

/// The `bulkId`s that an operation refers to, in its path and in its data.
pub(super) fn all(operation: &BulkOperation) -> Vec<&str> {
    let mut found = Vec::new();
    found.extend(operation.path.rsplit('/').next().and_then(of));
    if let Some(data) = &operation.data {
        collect(data, &mut found);
    }
    found
}

fn collect<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
    match value {
        Value::String(text) => found.extend(of(text)),
        Value::Array(values) => values.iter().for_each(|value| collect(value, found)),
        Value::Object(object) => object.iter().for_each(|(_, value)| collect(value, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// The attributes of a resource that hold references: the URI of their extension, if they are one's,
/// and their name.
pub(super) fn paths(data: &Object) -> Vec<(Option<&str>, &str)> {
    let refers = |value: &Value| {
        let mut found = Vec::new();
        collect(value, &mut found);
        !found.is_empty()
    };
    let mut paths = Vec::new();
    for (name, value) in data.iter().filter(|(_, value)| refers(value)) {
        match value {
            Value::Object(extension) if name.contains(':') => {
                let attributes = extension.iter().filter(|(_, value)| refers(value));
                paths.extend(attributes.map(|(attribute, _)| (Some(name), attribute)));
            }
            _ => paths.push((None, name)),
        }
    }
    paths
}

/// Puts ids in place of references, where they are known.
pub(super) fn resolve<'i>(object: &mut Object, id: &impl Fn(&str) -> Option<&'i str>) {
    object.iter_mut().for_each(|(_, value)| resolve_value(value, id));
}

fn resolve_value<'i>(value: &mut Value, id: &impl Fn(&str) -> Option<&'i str>) {
    match value {
        Value::String(text) => {
            if let Some(id) = of(text).and_then(id) {
                *text = id.to_owned();
            }
        }
        Value::Array(values) => values.iter_mut().for_each(|value| resolve_value(value, id)),
        Value::Object(object) => resolve(object, id),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Takes out the values that still hold references, each with the complex value it is part of.
/// Says whether there were any.
pub(super) fn strip(object: &mut Object, is_reference: &impl Fn(&str) -> bool) -> bool {
    let mut stripped = false;
    object.retain(|_, value| strip_value(value, is_reference, &mut stripped));
    stripped
}

/// Says whether the value stays.
fn strip_value(value: &mut Value, is_reference: &impl Fn(&str) -> bool, stripped: &mut bool) -> bool {
    match value {
        Value::String(text) => {
            let refers = of(text).is_some_and(is_reference);
            *stripped |= refers;
            !refers
        }
        Value::Array(values) => {
            values.retain_mut(|value| strip_value(value, is_reference, stripped));
            true
        }
        Value::Object(object) => {
            // What holds the reference itself means nothing without it; what only holds such
            // values, an extension, does.
            let refers = |value: &Value| value.as_str().and_then(of).is_some_and(is_reference);
            if object.iter().any(|(_, value)| refers(value)) {
                *stripped = true;
                return false;
            }
            object.retain(|_, value| strip_value(value, is_reference, stripped));
            true
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => true,
    }
}
