use core::cmp::Ordering;

use scim2_core::compare::Instant;
use scim2_core::work::{VISIT, Work, WorkExceeded, text_cost};
use scim2_core::{Object, Value};

use super::condition::{Comparison, CompiledFilter, Condition, ElementFilter, Operand, Place, Subject};
use super::prepared::PreparedKeys;
use crate::CompareOp;

impl CompiledFilter {
    /// Says whether a resource of the type matches.
    ///
    /// A long string is normalized once, however many terms test it.
    #[must_use]
    pub fn matches(&self, resource: &Object) -> bool {
        // INVARIANT: without a limit no work is refused.
        self.matches_within(resource, &Work::unlimited()).unwrap_or(false)
    }

    /// Says whether a resource of the type matches, and spends the bytes that it reads.
    ///
    /// # Errors
    /// If too few bytes are left. Whether the resource matches is then unknown.
    pub fn matches_within(&self, resource: &Object, work: &Work<'_>) -> Result<bool, WorkExceeded> {
        Evaluation::new(work).holds(&self.condition, Scope::Resource(resource))
    }
}

impl ElementFilter {
    /// Says whether an element of the attribute matches.
    ///
    /// A long string is normalized once, however many terms test it.
    #[must_use]
    pub fn matches(&self, element: &Value) -> bool {
        // INVARIANT: without a limit no work is refused.
        self.matches_within(element, &Work::unlimited()).unwrap_or(false)
    }

    /// Says whether an element of the attribute matches, and spends the bytes that it reads.
    ///
    /// # Errors
    /// If too few bytes are left. Whether the element matches is then unknown.
    pub fn matches_within(&self, element: &Value, work: &Work<'_>) -> Result<bool, WorkExceeded> {
        Evaluation::new(work).holds(&self.condition, Scope::Element(element))
    }
}

/// The value that a condition is tested on.
#[derive(Clone, Copy)]
enum Scope<'o> {
    Resource(&'o Object),
    Element(&'o Value),
}

/// The evaluation of one filter on one resource or element.
struct Evaluation<'o, 'w> {
    work: &'w Work<'w>,
    keys: PreparedKeys<'o>,
}

impl<'o, 'w> Evaluation<'o, 'w> {
    fn new(work: &'w Work<'_>) -> Self {
        Self { work, keys: PreparedKeys::new() }
    }

    fn holds(&mut self, condition: &Condition, scope: Scope<'o>) -> Result<bool, WorkExceeded> {
        match condition {
            Condition::Always => Ok(true),
            Condition::Never => Ok(false),
            Condition::And(conditions) => {
                for condition in conditions {
                    if !self.holds(condition, scope)? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            Condition::Or(conditions) => {
                for condition in conditions {
                    if self.holds(condition, scope)? {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
            Condition::Not(condition) => self.holds(condition, scope).map(|holds| !holds),
            Condition::Present(subject) => self.any(subject, scope, &mut |_, value| Ok(has_value(value))),
            Condition::HasExtension(subject) => match scope {
                Scope::Resource(resource) => {
                    self.work.spend(VISIT)?;
                    Ok(resource.get(&subject.uri).is_some_and(has_value))
                }
                Scope::Element(_) => Ok(false),
            },
            Condition::Compare(comparison) => self.compares(comparison, scope),
            Condition::Element { subject, condition } => {
                self.any(subject, scope, &mut |this, element| this.holds(condition, Scope::Element(element)))
            }
        }
    }

    fn compares(&mut self, comparison: &Comparison, scope: Scope<'o>) -> Result<bool, WorkExceeded> {
        let Comparison { subject, op, operand, value: _ } = comparison;
        if *op != CompareOp::Ne {
            return self.any(subject, scope, &mut |this, value| this.compares_one(*op, operand, value));
        }
        // `ne` also holds for an absent value.
        let mut seen = false;
        let differs = self.any(subject, scope, &mut |this, value| {
            seen = true;
            this.compares_one(CompareOp::Eq, operand, value).map(|equal| !equal)
        })?;
        Ok(differs || !seen)
    }

    /// Says whether `test` holds for any value of the subject.
    fn any(
        &mut self,
        subject: &Subject,
        scope: Scope<'o>,
        test: &mut impl FnMut(&mut Self, &'o Value) -> Result<bool, WorkExceeded>,
    ) -> Result<bool, WorkExceeded> {
        match (&subject.place, scope) {
            (Place::Resource { extension, name, sub }, Scope::Resource(resource)) => {
                let owner = match extension {
                    None => Some(resource),
                    Some(uri) => resource.get(uri).and_then(Value::as_object),
                };
                let value = owner.and_then(|owner| owner.get(name));
                match sub {
                    None => self.any_of(value, test),
                    Some(sub) => {
                        for element in value.into_iter().flat_map(Value::values) {
                            let value = element.as_object().and_then(|element| element.get(sub));
                            if self.any_of(value, test)? {
                                return Ok(true);
                            }
                        }
                        self.work.spend(VISIT)?;
                        Ok(false)
                    }
                }
            }
            (Place::Sub(name), Scope::Element(element)) => {
                self.any_of(element.as_object().and_then(|element| element.get(name)), test)
            }
            (Place::Element, Scope::Element(element)) => self.any_of(Some(element), test),
            // INVARIANT: a condition is built for its scope.
            (Place::Resource { .. }, Scope::Element(_))
            | (Place::Sub(_) | Place::Element, Scope::Resource(_)) => Ok(false),
        }
    }

    fn any_of(
        &mut self,
        value: Option<&'o Value>,
        test: &mut impl FnMut(&mut Self, &'o Value) -> Result<bool, WorkExceeded>,
    ) -> Result<bool, WorkExceeded> {
        let Some(value) = value else {
            self.work.spend(VISIT)?;
            return Ok(false);
        };
        for one in value.values() {
            self.work.spend(VISIT)?;
            if !matches!(one, Value::Null) && test(self, one)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Compares one value. A value of another type than the attribute's equals nothing.
    fn compares_one(
        &mut self,
        op: CompareOp,
        operand: &Operand,
        value: &'o Value,
    ) -> Result<bool, WorkExceeded> {
        Ok(match (operand, value) {
            (Operand::Text { key, rule }, Value::String(text)) => {
                if PreparedKeys::suits(text) {
                    let text = self.keys.key(*rule, text, self.work)?;
                    self.work.spend((if op == CompareOp::Co { text.len() } else { key.len() }) as u64)?;
                    return Ok(match op {
                        CompareOp::Eq => text == &**key,
                        CompareOp::Ne => text != &**key,
                        CompareOp::Co => text.contains(&**key),
                        CompareOp::Sw => text.starts_with(&**key),
                        CompareOp::Ew => text.ends_with(&**key),
                        CompareOp::Gt | CompareOp::Ge | CompareOp::Lt | CompareOp::Le => {
                            ordered(op, text.cmp(key))
                        }
                    });
                }
                self.work.spend(text_cost(text))?;
                match op {
                    CompareOp::Eq => rule.eq_key(text, key),
                    CompareOp::Ne => !rule.eq_key(text, key),
                    CompareOp::Co => rule.contains_key(text, key),
                    CompareOp::Sw => rule.starts_with_key(text, key),
                    CompareOp::Ew => rule.ends_with_key(text, key),
                    CompareOp::Gt | CompareOp::Ge | CompareOp::Lt | CompareOp::Le => {
                        ordered(op, rule.cmp_key(text, key))
                    }
                }
            }
            (Operand::Number(operand), Value::Number(number)) => ordered(op, number.cmp(operand)),
            (Operand::Bool(operand), Value::Bool(value)) => ordered(op, value.cmp(operand)),
            (Operand::Instant(operand), Value::String(text)) => {
                self.work.spend(text.len() as u64)?;
                text.parse::<Instant>().is_ok_and(|instant| ordered(op, instant.cmp(operand)))
            }
            _ => false,
        })
    }
}

/// Says whether a value is not empty. The JSON reader bounds the depth of the recursion.
fn has_value(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(_) | Value::Number(_) => true,
        Value::String(text) => !text.is_empty(),
        Value::Array(values) => values.iter().any(has_value),
        Value::Object(object) => object.iter().any(|(_, value)| has_value(value)),
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
