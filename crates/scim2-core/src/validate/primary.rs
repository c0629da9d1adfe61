//! At most one value of a list is primary
//! ([RFC 7643 §2.4](https://www.rfc-editor.org/rfc/rfc7643#section-2.4)).

use super::{Report, ValidationError, ValidationErrorKind as Kind};
use crate::compat::{Compat, Quirk};
use crate::compiled::{AttributeDef, AttributeId, CompiledType};
use crate::schema::AttributeType;
use crate::value::Value;

impl CompiledType {
    /// Leaves at most one primary element in the values of a multi-valued attribute: `winner`, if it is
    /// primary, otherwise the first primary one. The others become `"primary": false`, as [RFC 7644
    /// §3.5.2](https://www.rfc-editor.org/rfc/rfc7644#section-3.5.2) requires of PATCH.
    ///
    /// Returns whether anything changed. Attributes without a boolean sub-attribute `primary` stay as they are.
    pub fn normalise_primary(&self, id: AttributeId, values: &mut [Value], winner: Option<usize>) -> bool {
        if !has_primary(self, self.attribute(id)) {
            return false;
        }
        let winner = winner
            .filter(|at| values.get(*at).is_some_and(is_primary))
            .or_else(|| values.iter().position(is_primary));
        let mut changed = false;
        for (at, value) in values.iter_mut().enumerate() {
            if Some(at) != winner
                && is_primary(value)
                && let Some(object) = value.as_object_mut()
            {
                object.insert("primary", false);
                changed = true;
            }
        }
        changed
    }
}

/// Applies the rule to a whole list: the first primary value wins, or more than one is refused.
pub(super) fn first_wins(
    type_: &CompiledType,
    def: &AttributeDef,
    values: &mut [Value],
    compat: &Compat,
    report: &mut Report,
) -> Result<(), ValidationError> {
    if values.iter().filter(|value| is_primary(value)).count() < 2 || !has_primary(type_, def) {
        return Ok(());
    }
    if !compat.allows(Quirk::Primary) {
        return Err(ValidationError::new(
            Kind::Primary,
            def.path(),
            "at most one primary value",
            "several of them",
        ));
    }
    type_.normalise_primary(def.id(), values, None);
    report.lenient(Quirk::Primary, def.path());
    Ok(())
}

pub(super) fn has_primary(type_: &CompiledType, def: &AttributeDef) -> bool {
    type_
        .find_sub(def.id(), "primary")
        .is_some_and(|id| type_.attribute(id).attribute_type() == AttributeType::Boolean)
}

pub(super) fn is_primary(value: &Value) -> bool {
    value.as_object().and_then(|object| object.get("primary")).and_then(Value::as_bool) == Some(true)
}
