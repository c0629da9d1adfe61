//! References to resources, such as a `manager`: `value` is stored, `$ref` follows from it
//! ([RFC 7643 §2.4](https://www.rfc-editor.org/rfc/rfc7643#section-2.4)).
//!
//! It is not checked whether the resource exists: a manager may be provisioned after the users that report to
//! them. Where it cannot be told what type a value refers to, its `$ref` is kept as it was sent.

use memchr::memmem;
use percent_encoding::percent_decode_str;
use scim2_core::{AttributeDef, CompiledType, Object, Owner, References, Registry, Value};

use crate::context::Context;

/// Puts a `$ref` beside each `value` that refers to a resource.
pub(crate) fn compute(cx: &Context, type_: &CompiledType, object: &mut Object) {
    for references in type_.references() {
        for value in values_mut(type_, object, type_.attribute(references.attribute())) {
            let Some(id) = id(value) else { continue };
            let Some(target) = target(&cx.registry, references, value) else { continue };
            let mut uri = String::with_capacity(cx.base_url.len() + target.endpoint().len() + 40);
            cx.write_location(&mut uri, target.endpoint(), id);
            value.insert(References::REFERENCE, uri);
        }
    }
}

/// Says whether the text of a body may hold values that refer to resources.
pub(crate) fn may_be_in(type_: &CompiledType, json: &[u8]) -> bool {
    type_.references().iter().any(|references| {
        let name = type_.attribute(references.attribute()).name();
        memmem::find(json, name.as_bytes()).is_some()
    })
}

/// Takes away each `$ref` that follows from a `value`, whatever the client says there. If the client sends only
/// a `$ref`, the end of that URI is the value.
pub(crate) fn settle(registry: &Registry, type_: &CompiledType, object: &mut Object) {
    for references in type_.references() {
        for value in values_mut(type_, object, type_.attribute(references.attribute())) {
            if id(value).is_none()
                && let Some(id) = id_of_uri(registry, references, value)
            {
                value.insert_first(References::VALUE, id);
            }
            if id(value).is_some() && target(registry, references, value).is_some() {
                value.remove(References::REFERENCE);
            }
        }
    }
}

/// The complex values of an attribute of the top level.
fn values_mut<'o>(
    type_: &CompiledType,
    object: &'o mut Object,
    def: &AttributeDef,
) -> impl Iterator<Item = &'o mut Object> {
    let value = owner_mut(type_, object, def).and_then(|owner| owner.get_mut(def.name()));
    let values = match value {
        Some(Value::Array(values)) => values.as_mut_slice(),
        Some(value) => std::slice::from_mut(value),
        None => &mut [],
    };
    values.iter_mut().filter_map(Value::as_object_mut)
}

/// The object that contains an attribute of the top level.
fn owner_mut<'o>(type_: &CompiledType, object: &'o mut Object, def: &AttributeDef) -> Option<&'o mut Object> {
    match def.owner() {
        Owner::Common | Owner::Core => Some(object),
        Owner::Extension(id) => {
            object.get_mut(type_.extension(id).uri().as_str()).and_then(Value::as_object_mut)
        }
    }
}

fn id(value: &Object) -> Option<&str> {
    value.get_str(References::VALUE).filter(|id| !id.is_empty())
}

fn target<'r>(registry: &'r Registry, references: &References, value: &Object) -> Option<&'r CompiledType> {
    let name = references.target(value.get_str(References::TYPE))?;
    registry.resource_type(name).map(AsRef::as_ref)
}

/// The id at the end of the URI of a resource of one of the types that may be meant.
fn id_of_uri(registry: &Registry, references: &References, value: &Object) -> Option<String> {
    let (endpoint, id) = value.get_str(References::REFERENCE)?.rsplit_once('/')?;
    let endpoint = endpoint.rsplit('/').next()?;
    let mut types = references.types().filter_map(|name| registry.resource_type(name));
    types.find(|type_| type_.endpoint().strip_prefix('/') == Some(endpoint))?;
    let id = percent_decode_str(id).decode_utf8().ok()?;
    (!id.is_empty()).then(|| id.into_owned())
}
