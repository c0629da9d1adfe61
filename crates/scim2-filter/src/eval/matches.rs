use core::cmp::Ordering;

use scim2_core::compare::Instant;
use scim2_core::{Object, Value};

use super::condition::{Comparison, CompiledFilter, Condition, ElementFilter, Operand, Place, Subject};
use crate::CompareOp;

impl CompiledFilter {
    /// Says whether a resource of the type matches.
    #[must_use]
    pub fn matches(&self, resource: &Object) -> bool {
        holds(&self.condition, Scope::Resource(resource))
    }
}

impl ElementFilter {
    /// Says whether an element of the attribute matches.
    #[must_use]
    pub fn matches(&self, element: &Value) -> bool {
        holds(&self.condition, Scope::Element(element))
    }
}

/// What a condition is asked of.
#[derive(Clone, Copy)]
enum Scope<'o> {
    Resource(&'o Object),
    Element(&'o Value),
}

fn holds(condition: &Condition, scope: Scope<'_>) -> bool {
    match condition {
        Condition::Always => true,
        Condition::Never => false,
        Condition::And(conditions) => conditions.iter().all(|condition| holds(condition, scope)),
        Condition::Or(conditions) => conditions.iter().any(|condition| holds(condition, scope)),
        Condition::Not(condition) => !holds(condition, scope),
        Condition::Present(subject) => any(subject, scope, &mut has_value),
        Condition::HasExtension(subject) => match scope {
            Scope::Resource(resource) => resource.get(&subject.uri).is_some_and(has_value),
            Scope::Element(_) => false,
        },
        Condition::Compare(comparison) => compares(comparison, scope),
        Condition::Element { subject, condition } => {
            any(subject, scope, &mut |element| holds(condition, Scope::Element(element)))
        }
    }
}

fn compares(comparison: &Comparison, scope: Scope<'_>) -> bool {
    let Comparison { subject, op, operand, value: _ } = comparison;
    if *op != CompareOp::Ne {
        return any(subject, scope, &mut |value| compares_one(*op, operand, value));
    }
    // "Not equal" also of no value at all.
    let mut seen = false;
    let differs = any(subject, scope, &mut |value| {
        seen = true;
        !compares_one(CompareOp::Eq, operand, value)
    });
    differs || !seen
}

/// Says whether `test` holds for any value of the subject.
fn any(subject: &Subject, scope: Scope<'_>, test: &mut impl FnMut(&Value) -> bool) -> bool {
    let mut any_of = |value: &Value| value.values().any(|one| !matches!(one, Value::Null) && test(one));
    match (&subject.place, scope) {
        (Place::Resource { extension, name, sub }, Scope::Resource(resource)) => {
            let owner = match extension {
                None => Some(resource),
                Some(uri) => resource.get(uri).and_then(Value::as_object),
            };
            let Some(value) = owner.and_then(|owner| owner.get(name)) else { return false };
            match sub {
                None => any_of(value),
                Some(sub) => value.values().any(|element| {
                    element.as_object().and_then(|element| element.get(sub)).is_some_and(&mut any_of)
                }),
            }
        }
        (Place::Sub(name), Scope::Element(element)) => {
            element.as_object().and_then(|element| element.get(name)).is_some_and(any_of)
        }
        (Place::Element, Scope::Element(element)) => any_of(element),
        // INVARIANT: conditions are built for the scope they stand in.
        (Place::Resource { .. }, Scope::Element(_))
        | (Place::Sub(_) | Place::Element, Scope::Resource(_)) => false,
    }
}

/// Says whether there is something in a value: its depth is that of a JSON body, which is bounded.
fn has_value(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(_) | Value::Number(_) => true,
        Value::String(text) => !text.is_empty(),
        Value::Array(values) => values.iter().any(has_value),
        Value::Object(object) => object.iter().any(|(_, value)| has_value(value)),
    }
}

/// Compares one value; one of another type than the attribute's equals nothing.
fn compares_one(op: CompareOp, operand: &Operand, value: &Value) -> bool {
    match (operand, value) {
        (Operand::Text { key, rule }, Value::String(text)) => match op {
            CompareOp::Eq => rule.eq_key(text, key),
            CompareOp::Ne => !rule.eq_key(text, key),
            CompareOp::Co => rule.contains_key(text, key),
            CompareOp::Sw => rule.starts_with_key(text, key),
            CompareOp::Ew => rule.ends_with_key(text, key),
            CompareOp::Gt | CompareOp::Ge | CompareOp::Lt | CompareOp::Le => {
                ordered(op, rule.cmp_key(text, key))
            }
        },
        (Operand::Number(operand), Value::Number(number)) => ordered(op, number.cmp(operand)),
        (Operand::Bool(operand), Value::Bool(value)) => ordered(op, value.cmp(operand)),
        (Operand::Instant(operand), Value::String(text)) => {
            text.parse::<Instant>().is_ok_and(|instant| ordered(op, instant.cmp(operand)))
        }
        _ => false,
    }
}

fn ordered(op: CompareOp, ordering: Ordering) -> bool {
    match op {
        CompareOp::Eq => ordering.is_eq(),
        CompareOp::Ne => ordering.is_ne(),
        CompareOp::Gt => ordering.is_gt(),
        CompareOp::Ge => ordering.is_ge(),
        CompareOp::Lt => ordering.is_lt(),
        CompareOp::Le => ordering.is_le(),
        // INVARIANT: these apply to text only.
        CompareOp::Co | CompareOp::Sw | CompareOp::Ew => false,
    }
}
