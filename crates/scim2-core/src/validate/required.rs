//! The attributes that a resource must have ([RFC 7643
//! §2.2](https://www.rfc-editor.org/rfc/rfc7643#section-2.2)).

use super::body::{Mentioned, wanted};
use super::{ValidationError, ValidationErrorKind as Kind};
use crate::compiled::{AttributeDef, AttributeId, CompiledType, Owner, is_required_of_clients};
use crate::value::{Object, Value};

impl CompiledType {
    /// Checks that a resource in canonical form has everything it must have: required attributes, required
    /// sub-attributes of the values that are present, required extensions and their required attributes, and
    /// the `value` of each [membership](Self::members). An empty string counts as missing.
    ///
    /// Never-returned attributes (passwords) are stored apart from the body and are not checked.
    ///
    /// # Errors
    /// [`ValidationErrorKind::Required`](super::ValidationErrorKind::Required), naming the first
    /// attribute or extension that is missing.
    pub fn check_required(&self, object: &Object) -> Result<(), ValidationError> {
        check(self, object, Asked::Seen)
    }

    /// Checks that a complex value in canonical form has the sub-attributes that its schema requires, including
    /// never-returned ones, and that a [membership](Self::members) has its `value`. An empty string counts as
    /// missing.
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

/// The attributes whose presence is checked.
#[derive(Clone, Copy)]
pub(super) enum Asked<'a> {
    /// All required attributes.
    All,
    /// All required attributes except never-returned ones.
    Seen,
    /// All attributes of a body that a replace has completed. A never-returned attribute is only checked if the
    /// body mentions it, or if the value it belongs to is new: otherwise it may be stored apart. An extension
    /// that only holds kept attributes that the client cannot see is complete.
    Replaced { current: &'a Object, mentioned: &'a Mentioned },
}

impl Asked<'_> {
    /// Says whether a top-level attribute is checked in the object of its owner.
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

    /// Says whether the never-returned parts of the values of an attribute are checked.
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
        // An absent extension has no required attributes.
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
        // A membership needs a member, whatever the schema says about its `value`.
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

/// Checks one required attribute. An empty string counts as missing, and so does a list of empty strings.
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
