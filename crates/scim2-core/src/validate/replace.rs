//! The parts of the current resource that a replace keeps, and those it must not change ([RFC 7644
//! §3.5.1](https://www.rfc-editor.org/rfc/rfc7644#section-3.5.1)).

use std::collections::HashSet;

use super::body::Mentioned;
use super::not_returned_by_default;
use super::{Report, ValidationError, ValidationErrorKind as Kind};
use crate::compare::Instant;
use crate::compat::{Compat, Quirk};
use crate::compiled::{AttributeDef, AttributeId, CompiledType, Owner};
use crate::schema::{AttributeType, Mutability};
use crate::value::{Object, Value};

pub(super) fn carry_over(
    type_: &CompiledType,
    object: &mut Object,
    current: &Object,
    mentioned: &Mentioned,
    compat: &Compat,
    report: &mut Report,
) -> Result<(), ValidationError> {
    // Stored readOnly attributes stay. The caller sets `id` and the computed ones.
    for id in type_.kept() {
        if type_.attribute(*id).owner() != Owner::Common
            && let Some(value) = type_.get(current, *id)
        {
            type_.put(object, *id, value.clone());
        }
    }
    if compat.allows(Quirk::PutPreservesAbsent) {
        let absent = type_.attributes().iter().filter(|def| {
            def.parent().is_none() && def.mutability() != Mutability::ReadOnly && !mentioned.has(def.id())
        });
        for def in absent.filter(|def| def.name() != "schemas" || def.owner() != Owner::Common) {
            if let Some(value) = type_.get(current, def.id()) {
                // Attributes that no answer shows, and immutable ones, stay even without the quirk.
                if !def.is_not_returned_by_default() && def.mutability() != Mutability::Immutable {
                    report.lenient(Quirk::PutPreservesAbsent, def.path());
                }
                type_.put(object, def.id(), value.clone());
            }
        }
    }
    for id in type_.not_returned_by_default() {
        not_returned_by_default::keep(type_, object, current, type_.attribute(*id), mentioned.has(*id));
    }
    for id in type_.immutable() {
        keep_immutable(type_, object, current, type_.attribute(*id), mentioned)?;
    }
    Ok(())
}

impl CompiledType {
    /// Says whether two values of an attribute are equal by its comparison rule, those of a list in any order.
    /// An immutable value may be sent again in another spelling.
    ///
    /// # Panics
    /// If the number is another type's.
    #[must_use]
    pub fn same_value(&self, id: AttributeId, a: &Value, b: &Value) -> bool {
        same(self, self.attribute(id), a, b)
    }
}

/// An immutable value that is set stays; one that is not set takes the new value.
fn keep_immutable(
    type_: &CompiledType,
    object: &mut Object,
    current: &Object,
    def: &AttributeDef,
    mentioned: &Mentioned,
) -> Result<(), ValidationError> {
    let Some(old) = type_.get(current, def.id()).filter(|old| !old.is_unassigned()) else { return Ok(()) };
    let is_touched = |def: &AttributeDef| def.is_never_returned() && mentioned.has(def.id());
    match type_.get(object, def.id()) {
        // Accepting the right value again would tell it from a wrong one.
        Some(_) if is_touched(def) || type_.sub_attributes(def.id()).iter().any(is_touched) => {
            let expected = "it left out, since it has a value that is never returned";
            return Err(ValidationError::new(Kind::Mutability, def.path(), expected, "a value"));
        }
        Some(new) if !same(type_, def, old, new) => {
            let found = if def.is_never_returned() || new.as_str().is_none() {
                "another value".to_owned()
            } else {
                format!("`{}`", super::error::cut(new.as_str().unwrap_or_default()).escape_debug())
            };
            return Err(ValidationError::new(Kind::Mutability, def.path(), "the value it has", found));
        }
        _ => {}
    }
    match def.parent() {
        None => type_.put(object, def.id(), old.clone()),
        // An immutable part of a singular value stays even if the value is removed, because it could come back
        // with another value otherwise. The parts that the schema requires with it stay too.
        Some(parent) => {
            let parent = type_.attribute(parent);
            match type_.get_mut(object, parent) {
                Some(Value::Object(value)) => drop(value.insert(def.name(), old.clone())),
                _ => {
                    let old = type_.get(current, parent.id()).and_then(Value::as_object);
                    let stays = type_.sub_attributes(parent.id()).iter().filter(|sub| {
                        sub.id() == def.id() || sub.required() || sub.mutability() == Mutability::Immutable
                    });
                    let kept: Object =
                        stays.filter_map(|sub| Some((sub.name(), old?.get(sub.name())?.clone()))).collect();
                    type_.put(object, parent.id(), Value::Object(kept));
                }
            }
        }
    }
    Ok(())
}

/// Longer lists are compared by keys, so that no body of a peer costs quadratic time. Objects then only count
/// as equal if their members have the same order.
const MAX_COMPARED_VALUES: usize = 32;

fn key(def: &AttributeDef, value: &Value) -> String {
    match value {
        Value::String(text) => def.string_rule().key(text).into_owned(),
        other => other.to_string(),
    }
}

fn same_instant(a: &str, b: &str) -> bool {
    matches!((a.parse::<Instant>(), b.parse::<Instant>()), (Ok(a), Ok(b)) if a == b)
}

/// Says whether two values of an attribute are equal by its comparison rule; lists in any order.
fn same(type_: &CompiledType, def: &AttributeDef, a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len()
                && (a.iter().zip(b).all(|(a, b)| same(type_, def, a, b))
                    || if a.len() <= MAX_COMPARED_VALUES {
                        a.iter().all(|a| b.iter().any(|b| same(type_, def, a, b)))
                            && b.iter().all(|b| a.iter().any(|a| same(type_, def, a, b)))
                    } else {
                        let keys = |values: &[Value]| -> HashSet<String> {
                            values.iter().map(|value| key(def, value)).collect()
                        };
                        keys(a) == keys(b)
                    })
        }
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len()
                && a.iter().all(|(name, a)| {
                    b.get(name).is_some_and(|b| match type_.find_sub(def.id(), name) {
                        Some(id) => same(type_, type_.attribute(id), a, b),
                        None => a == b,
                    })
                })
        }
        (Value::String(a), Value::String(b)) => {
            let rule = def.string_rule();
            rule.eq(a, b) || def.attribute_type() == AttributeType::DateTime && same_instant(a, b)
        }
        _ => a == b,
    }
}
