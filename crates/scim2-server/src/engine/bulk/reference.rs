//! `bulkId:` references within the data of an operation
//! ([RFC 7644 §3.7.2](https://www.rfc-editor.org/rfc/rfc7644#section-3.7.2)).
//!
//! Only what refers to resources by its schema can hold one: the `value` of members, of a manager
//! and the like, and attributes of type reference. A display name that begins with `bulkId:` is a
//! display name.

use scim2_core::schema::AttributeType;
use scim2_core::{AttributeDef, AttributeId, CompiledType, Object, Owner, References, Value};
use scim2_filter::{AttrExp, CompValue, Folded, PatchPath};
use scim2_protocol::{BulkMethod, BulkOperation};

/// The `bulkId` that a text refers to.
pub(super) fn of(text: &str) -> Option<&str> {
    text.strip_prefix(BulkOperation::REFERENCE).filter(|bulk_id| !bulk_id.is_empty())
}

/// The `bulkId`s that an operation refers to, in its path and in its data, filters of PATCH paths included.
pub(super) fn all(type_: Option<&CompiledType>, operation: &BulkOperation) -> Vec<String> {
    let mut found = Vec::new();
    found.extend(operation.path.rsplit('/').next().and_then(of).map(str::to_owned));
    if let (Some(type_), Some(Value::Object(data))) = (type_, &operation.data) {
        found.extend(bulk_ids(|visit| data_texts(type_, operation.method, &mut data.clone(), visit)));
    }
    found
}

/// Puts ids in place of references, where they are known.
pub(super) fn resolve<'i>(
    type_: &CompiledType,
    method: BulkMethod,
    data: &mut Object,
    id: &impl Fn(&str) -> Option<&'i str>,
) {
    data_texts(type_, method, data, &mut |text| {
        if let Some(id) = of(text).and_then(id) {
            *text = id.to_owned();
        }
    });
}

/// The attributes of a resource that hold references: the URI of their extension, if it is one's,
/// and their name.
pub(super) fn paths<'d>(type_: &CompiledType, data: &'d Object) -> Vec<(Option<&'d str>, &'d str)> {
    let mut paths = Vec::new();
    for (name, value) in data.iter() {
        match (type_.find_extension(name), value) {
            (Some(extension), Value::Object(attributes)) => {
                let owner = Owner::Extension(extension);
                let holding = attributes.iter().filter(|(attribute, value)| {
                    type_.find_in(owner, attribute).is_some_and(|id| refers(type_, id, value))
                });
                paths.extend(holding.map(|(attribute, _)| (Some(name), attribute)));
            }
            _ if find(type_, name).is_some_and(|id| refers(type_, id, value)) => paths.push((None, name)),
            _ => {}
        }
    }
    paths
}

/// Says whether a resource cannot be created without one of the references it holds.
pub(super) fn are_required(type_: &CompiledType, data: &Object) -> bool {
    paths(type_, data).into_iter().any(|(extension, name)| {
        let id = match extension {
            None => find(type_, name),
            Some(uri) => type_.find_extension(uri).and_then(|id| type_.find_in(Owner::Extension(id), name)),
        };
        id.is_some_and(|id| type_.attribute(id).required())
    })
}

/// Takes out the values of a resource that still hold references. Says whether there were any.
pub(super) fn strip(
    type_: &CompiledType,
    resource: &mut Object,
    is_reference: &impl Fn(&str) -> bool,
) -> bool {
    let mut stripped = false;
    let mut stays = |id: AttributeId, value: &mut Value| {
        let mut stays = |value: &mut Value| {
            let refers = bulk_ids(|visit| attribute_texts(type_, id, value, visit))
                .iter()
                .any(|bulk_id| is_reference(bulk_id));
            stripped |= refers;
            !refers
        };
        match value {
            Value::Array(values) => {
                values.retain_mut(stays);
                true
            }
            value => stays(value),
        }
    };
    resource.retain(|name, value| match (type_.find_extension(name), value) {
        (Some(extension), Value::Object(attributes)) => {
            let owner = Owner::Extension(extension);
            attributes.retain(|name, value| type_.find_in(owner, name).is_none_or(|id| stays(id, value)));
            true
        }
        (_, value) => find(type_, name).is_none_or(|id| stays(id, value)),
    });
    stripped
}

fn refers(type_: &CompiledType, id: AttributeId, value: &Value) -> bool {
    !bulk_ids(|visit| attribute_texts(type_, id, &mut value.clone(), visit)).is_empty()
}

/// The `bulkId`s among the texts that are visited.
fn bulk_ids(walk: impl FnOnce(&mut dyn FnMut(&mut String))) -> Vec<String> {
    let mut found = Vec::new();
    walk(&mut |text| found.extend(of(text).map(str::to_owned)));
    found
}

/// Visits each text in the data of an operation that may be a reference.
fn data_texts(
    type_: &CompiledType,
    method: BulkMethod,
    data: &mut Object,
    visit: &mut dyn FnMut(&mut String),
) {
    if method != BulkMethod::Patch {
        return resource_texts(type_, data, visit);
    }
    let operations = data.iter_mut().filter(|(name, _)| name.eq_ignore_ascii_case("Operations"));
    let operations = operations.filter_map(|(_, operations)| operations.as_array_mut()).flatten();
    for operation in operations.filter_map(Value::as_object_mut) {
        if let Some(Value::String(path)) = operation.get_mut("path") {
            filter_texts(type_, path, visit);
        }
        let path = operation.get_str("path").filter(|path| !path.is_empty()).map(str::to_owned);
        let Some(value) = operation.get_mut("value") else { continue };
        match (path, value) {
            (None, Value::Object(attributes)) => resource_texts(type_, attributes, visit),
            (None, _) => {}
            (Some(path), value) => match (type_.find_extension(&path), value) {
                (Some(id), Value::Object(attributes)) => {
                    extension_texts(type_, Owner::Extension(id), attributes, visit);
                }
                (_, value) => {
                    let path = path.parse::<PatchPath>().ok();
                    if let Some(id) = path.and_then(|path| find_path(type_, &path)) {
                        attribute_texts(type_, id, value, visit);
                    }
                }
            },
        }
    }
}

/// Visits what may be a reference in the filter of a PATCH path: `members[value eq "bulkId:u"]`.
fn filter_texts(type_: &CompiledType, path: &mut String, visit: &mut dyn FnMut(&mut String)) {
    if !path.contains(BulkOperation::REFERENCE) {
        return;
    }
    let Ok(PatchPath::Value { value_path, .. }) = path.parse() else { return };
    let Some(id) = find(type_, value_path.attr().as_str()) else { return };
    let mut texts = Vec::new();
    value_path.filter().fold(&mut |node| {
        if let Folded::Attr(AttrExp::Compare { path, value: CompValue::String(text), .. }) = node
            && let Some(sub) = type_.find_sub(id, path.as_str())
            && may_refer(type_, type_.attribute(sub))
        {
            texts.push(text.to_string());
        }
    });
    for text in texts {
        let quoted = Value::from(text.as_str()).to_string();
        let mut meant = text;
        visit(&mut meant);
        *path = path.replace(&quoted, &Value::from(meant).to_string());
    }
}

/// The attribute that a PATCH path ends in.
fn find_path(type_: &CompiledType, path: &PatchPath) -> Option<AttributeId> {
    let id = find(type_, path.attr().as_str())?;
    match path {
        PatchPath::Value { sub_attribute: Some(sub), .. } => type_.find_sub(id, sub.as_str()),
        _ => Some(id),
    }
}

fn resource_texts(type_: &CompiledType, resource: &mut Object, visit: &mut dyn FnMut(&mut String)) {
    for (name, value) in resource.iter_mut() {
        match (type_.find_extension(name), value) {
            (Some(id), Value::Object(attributes)) => {
                extension_texts(type_, Owner::Extension(id), attributes, visit);
            }
            (_, value) => {
                if let Some(id) = find(type_, name) {
                    attribute_texts(type_, id, value, visit);
                }
            }
        }
    }
}

fn extension_texts(
    type_: &CompiledType,
    owner: Owner,
    attributes: &mut Object,
    visit: &mut dyn FnMut(&mut String),
) {
    for (name, value) in attributes.iter_mut() {
        if let Some(id) = type_.find_in(owner, name) {
            attribute_texts(type_, id, value, visit);
        } else if let (Some((Some(id), "")), Value::Object(within)) = (type_.split_schema(name), value) {
            extension_texts(type_, Owner::Extension(id), within, visit);
        }
    }
}

/// Visits the texts in the values of an attribute that may be references. A text in place of a
/// complex value stands for its `value`, as it does where that is tolerated.
fn attribute_texts(
    type_: &CompiledType,
    id: AttributeId,
    value: &mut Value,
    visit: &mut dyn FnMut(&mut String),
) {
    let values = match value {
        Value::Array(values) => values.as_mut_slice(),
        value => std::slice::from_mut(value),
    };
    let def = type_.attribute(id);
    let is_reference = match (type_.find_sub(id, References::VALUE), def.is_complex()) {
        (Some(sub), true) => may_refer(type_, type_.attribute(sub)),
        (None, true) => false,
        (_, false) => may_refer(type_, def),
    };
    for value in values {
        match value {
            Value::String(text) if is_reference => visit(text),
            Value::Object(object) if def.is_complex() => {
                for (name, value) in object.iter_mut() {
                    let sub = type_.find_sub(id, name).map(|sub| type_.attribute(sub));
                    if let (Value::String(text), Some(sub)) = (value, sub)
                        && may_refer(type_, sub)
                    {
                        visit(text);
                    }
                }
            }
            _ => {}
        }
    }
}

/// Says whether the values of a simple attribute refer to resources.
fn may_refer(type_: &CompiledType, def: &AttributeDef) -> bool {
    if def.attribute_type() == AttributeType::Reference {
        let elsewhere = |name: &String| matches!(name.as_str(), "external" | "uri");
        return def.reference_types().is_empty() || !def.reference_types().iter().all(elsewhere);
    }
    def.name() == References::VALUE
        && def.parent().is_some_and(|parent| {
            type_.members() == Some(parent)
                || type_.references().iter().any(|references| references.attribute() == parent)
        })
}

/// The attribute that a key of a resource means: also with the URI of its schema before it, with
/// dots, or, of an extension, without its URI.
fn find(type_: &CompiledType, name: &str) -> Option<AttributeId> {
    let (owner, path) = match type_.split_schema(name) {
        Some((extension, rest)) => (extension.map_or(Owner::Core, Owner::Extension), rest.get(1..)?),
        None => (Owner::Core, name),
    };
    let (attribute, sub) = path.split_once('.').map_or((path, None), |(name, sub)| (name, Some(sub)));
    let short = || type_.extensions().find_map(|(id, _)| type_.find_in(Owner::Extension(id), attribute));
    let found = type_.find_in(owner, attribute).or_else(|| (owner == Owner::Core).then(short).flatten())?;
    sub.map_or(Some(found), |sub| type_.find_sub(found, sub))
}
