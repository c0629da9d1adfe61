//! What a resource must have ([RFC 7643 §2.2](https://www.rfc-editor.org/rfc/rfc7643#section-2.2)).

use super::body::wanted;
use super::{ValidationError, ValidationErrorKind as Kind};
use crate::compiled::{AttributeDef, CompiledType};
use crate::schema::Mutability;
use crate::value::{Object, Value};

impl CompiledType {
    /// Checks that a resource in canonical form has all it must have: required attributes,
    /// required sub-attributes of the values that are there, required extensions and their
    /// required attributes. An empty string is no value here.
    ///
    /// Hidden attributes (passwords) are kept apart from the body and not looked for.
    ///
    /// # Errors
    /// [`ValidationErrorKind::Required`](super::ValidationErrorKind::Required), naming the first
    /// attribute or extension that is missing.
    pub fn check_required(&self, object: &Object) -> Result<(), ValidationError> {
        check(self, object, false)
    }
}

pub(super) fn check(type_: &CompiledType, object: &Object, hidden: bool) -> Result<(), ValidationError> {
    for (_, extension) in type_.extensions().filter(|(_, extension)| extension.required()) {
        if !object.contains(extension.uri().as_str()) {
            let uri = extension.uri().as_str();
            return Err(ValidationError::new(Kind::Required, uri, "an object of attributes", "nothing"));
        }
    }
    for id in type_.required() {
        let def = type_.attribute(*id);
        if !hidden && def.is_hidden() {
            continue;
        }
        // An extension that is not there misses nothing.
        if let Some(owner) = type_.owner_object(object, def.owner()) {
            check_one(def, owner.get(def.name()))?;
        }
    }
    for id in type_.with_required() {
        let def = type_.attribute(*id);
        let Some(owner) = type_.owner_object(object, def.owner()) else { continue };
        for value in owner.get(def.name()).into_iter().flat_map(Value::values).filter_map(Value::as_object) {
            for sub in type_.sub_attributes(*id) {
                let asked = sub.required() && sub.mutability() != Mutability::ReadOnly;
                if asked && (hidden || !sub.is_hidden()) {
                    check_one(sub, value.get(sub.name()))?;
                }
            }
        }
    }
    Ok(())
}

fn check_one(def: &AttributeDef, value: Option<&Value>) -> Result<(), ValidationError> {
    let found = match value {
        Some(Value::String(text)) if text.is_empty() => "an empty string",
        Some(value) if !value.is_unassigned() => return Ok(()),
        _ => "nothing",
    };
    Err(ValidationError::new(Kind::Required, def.path(), wanted(def), found))
}
