//! What a resource must have ([RFC 7643 §2.2](https://www.rfc-editor.org/rfc/rfc7643#section-2.2)).

use super::body::{Mentioned, wanted};
use super::{ValidationError, ValidationErrorKind as Kind};
use crate::compiled::{AttributeDef, AttributeId, CompiledType, Owner, is_required_of_clients};
use crate::value::{Object, Value};

impl CompiledType {
    /// Checks that a resource in canonical form has all it must have: required attributes,
    /// required sub-attributes of the values that are there, required extensions and their
    /// required attributes, and the `value` of each [membership](Self::members). An empty string is
    /// no value here.
    ///
    /// Never-returned attributes (passwords) are kept apart from the body and not looked for.
    ///
    /// # Errors
    /// [`ValidationErrorKind::Required`](super::ValidationErrorKind::Required), naming the first
    /// attribute or extension that is missing.
    pub fn check_required(&self, object: &Object) -> Result<(), ValidationError> {
        check(self, object, Asked::Seen)
    }

    /// Checks that a complex value in canonical form has the sub-attributes that its schema
    /// requires, hidden ones too, and a [membership](Self::members) its `value`: who it is of. An
    /// empty string is no value here.
    ///
    /// # Errors
    /// As [`check_required`](Self::check_required), naming the first sub-attribute that is missing.
    ///
    /// # Panics
    /// If the number is another type's.
    pub fn check_element(&self, id: AttributeId, element: &Object) -> Result<(), ValidationError> {
        check_element(self, id, element, true)
    }
}

/// Of what is asked whether it is there.
#[derive(Clone, Copy)]
pub(super) enum Asked<'a> {
    /// All that is required.
    All,
    /// All but what is hidden.
    Seen,
    /// All of a body that a replace has completed. Of what is hidden that is asked for which the
    /// body mentions, or which nothing can be there of yet: the rest may be kept elsewhere. An
    /// extension of which only that is there which was kept because the client does not see it
    /// misses nothing else.
    Replaced { current: &'a Object, mentioned: &'a Mentioned },
}

impl Asked<'_> {
    /// Says whether an attribute of the top level is looked for in the object of its owner.
    fn looks_for(self, type_: &CompiledType, def: &AttributeDef, object: &Object) -> bool {
        match self {
            Self::All => true,
            Self::Seen => !def.is_never_returned(),
            Self::Replaced { current, mentioned } if def.is_never_returned() => {
                mentioned.has(def.id()) || type_.owner_object(current, def.owner()).is_none()
            }
            Self::Replaced { .. } => is_seen(type_, def.owner(), object),
        }
    }

    /// Says whether the never-returned parts of an attribute's values are looked for.
    fn looks_into(self, def: &AttributeDef) -> bool {
        match self {
            Self::All => true,
            Self::Seen => false,
            Self::Replaced { mentioned, .. } => mentioned.has(def.id()),
        }
    }
}

pub(super) fn check(type_: &CompiledType, object: &Object, asked: Asked<'_>) -> Result<(), ValidationError> {
    for (_, extension) in type_.extensions().filter(|(_, extension)| extension.required()) {
        if !object.contains(extension.uri().as_str()) {
            let uri = extension.uri().as_str();
            return Err(ValidationError::new(Kind::Required, uri, "an object of attributes", "nothing"));
        }
    }
    for id in type_.required() {
        let def = type_.attribute(*id);
        // An extension that is not there misses nothing.
        let owner = type_.owner_object(object, def.owner());
        if let Some(owner) = owner.filter(|owner| asked.looks_for(type_, def, owner)) {
            check_one(def, owner.get(def.name()))?;
        }
    }
    for id in type_.with_required() {
        let def = type_.attribute(*id);
        let Some(owner) = type_.owner_object(object, def.owner()) else { continue };
        for value in owner.get(def.name()).into_iter().flat_map(Value::values).filter_map(Value::as_object) {
            check_element(type_, *id, value, asked.looks_into(def))?;
        }
    }
    Ok(())
}

pub(super) fn check_element(
    type_: &CompiledType,
    id: AttributeId,
    element: &Object,
    never_returned: bool,
) -> Result<(), ValidationError> {
    let membership = type_.members() == Some(id);
    for sub in type_.sub_attributes(id) {
        // A membership that names nobody is none, whatever the schema says of its `value`.
        let asked = is_required_of_clients(sub) || (membership && sub.name().eq_ignore_ascii_case("value"));
        if asked && (never_returned || !sub.is_never_returned()) {
            check_one(sub, element.get(sub.name()))?;
        }
    }
    Ok(())
}

/// Says whether a resource or an extension has an attribute that clients see.
fn is_seen(type_: &CompiledType, owner: Owner, object: &Object) -> bool {
    let seen =
        |name| type_.find_in(owner, name).is_none_or(|id| !type_.attribute(id).is_not_returned_by_default());
    !matches!(owner, Owner::Extension(_)) || object.iter().any(|(name, _)| seen(name))
}

/// Empty strings are no value, nor is a list of nothing else.
fn check_one(def: &AttributeDef, value: Option<&Value>) -> Result<(), ValidationError> {
    let found = match value {
        Some(Value::String(text)) if text.is_empty() => "an empty string",
        Some(Value::Array(values)) if !values.is_empty() => {
            if values.iter().any(|value| value.as_str() != Some("")) {
                return Ok(());
            }
            "empty strings"
        }
        Some(value) if !value.is_unassigned() => return Ok(()),
        _ => "nothing",
    };
    Err(ValidationError::new(Kind::Required, def.path(), wanted(def), found))
}
