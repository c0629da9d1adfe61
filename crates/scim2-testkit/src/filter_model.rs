//! The meaning of a filter, by a slow, obvious model. It reads the filter's tree and the resource's JSON again for
//! every question.
#![expect(clippy::expect_used, clippy::panic, reason = "a model of what the compiler has let through")]

use std::cmp::Ordering;

use scim2_core::compare::Instant;
use scim2_core::schema::AttributeType;
use scim2_core::{AttributeDef, Compat, CompiledType, Object, Value};
use scim2_filter::{AttrExp, AttrPath, CompValue, CompareOp, Filter, Resolver, Target};

/// Says whether a resource satisfies a filter that compiles for its type without any leniency.
///
/// # Panics
/// If the filter does not compile.
#[must_use]
pub fn matches(filter: &Filter, type_: &CompiledType, resource: &Object) -> bool {
    Model { type_, resource }.matches(filter)
}

/// The value of `primary` in an element that does not mention it (RFC 7643 §2.4).
const UNSAID: Value = Value::Bool(false);

/// The value of a sub-attribute in an element: as a comparison sees it, or as it is written.
fn in_element<'o>(
    type_: &CompiledType,
    def: &AttributeDef,
    element: &'o Value,
    compared: bool,
) -> Option<&'o Value> {
    let listed = def.parent().is_some_and(|parent| type_.attribute(parent).multi_valued());
    let written = element.as_object()?.get(def.name());
    if compared && listed && def.name() == "primary" { written.or(Some(&UNSAID)) } else { written }
}

/// Every value of an attribute in a resource, lists flattened.
fn values<'o>(
    type_: &CompiledType,
    def: &AttributeDef,
    resource: &'o Object,
    compared: bool,
) -> Vec<&'o Value> {
    let found: Vec<&Value> = match def.parent() {
        None => type_
            .owner_object(resource, def.owner())
            .and_then(|owner| owner.get(def.name()))
            .into_iter()
            .collect(),
        Some(parent) => values(type_, type_.attribute(parent), resource, compared)
            .into_iter()
            .filter_map(|element| in_element(type_, def, element, compared))
            .collect(),
    };
    found.into_iter().flat_map(flatten).collect()
}

fn flatten(value: &Value) -> Vec<&Value> {
    match value {
        Value::Null => vec![],
        Value::Array(values) => values.iter().collect(),
        other => vec![other],
    }
}

fn present(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::String(text) => !text.is_empty(),
        Value::Bool(_) | Value::Number(_) => true,
        Value::Array(values) => values.iter().any(present),
        Value::Object(object) => object.iter().any(|(_, value)| present(value)),
    }
}

/// The comparison of a value with a literal: their order, if they have one, and their texts.
fn one(def: &AttributeDef, op: CompareOp, value: &Value, literal: &CompValue) -> bool {
    let rule = def.string_rule();
    let ordering = match (value, literal) {
        (Value::String(text), CompValue::String(literal))
            if def.attribute_type() == AttributeType::DateTime =>
        {
            let (Ok(a), Ok(b)) = (text.parse::<Instant>(), literal.parse::<Instant>()) else { return false };
            a.cmp(&b)
        }
        (Value::String(text), CompValue::String(literal)) => {
            let (a, b) = (rule.key(text).into_owned(), rule.key(literal).into_owned());
            match op {
                CompareOp::Co => return a.contains(&b),
                CompareOp::Sw => return a.starts_with(&b),
                CompareOp::Ew => return a.ends_with(&b),
                _ => a.cmp(&b),
            }
        }
        (Value::Number(number), CompValue::Number(literal)) => {
            let literal: scim2_core::Number = literal.to_string().parse().expect("a filter that compiles");
            number.cmp(&literal)
        }
        (Value::Bool(a), CompValue::Bool(b)) => a.cmp(b),
        _ => return op == CompareOp::Ne,
    };
    match op {
        CompareOp::Eq => ordering == Ordering::Equal,
        CompareOp::Ne => ordering != Ordering::Equal,
        CompareOp::Gt => ordering == Ordering::Greater,
        CompareOp::Lt => ordering == Ordering::Less,
        CompareOp::Ge => ordering != Ordering::Less,
        CompareOp::Le => ordering != Ordering::Greater,
        CompareOp::Co | CompareOp::Sw | CompareOp::Ew => panic!("for strings only"),
    }
}

fn test(
    type_: &CompiledType,
    def: &AttributeDef,
    exp: &AttrExp,
    of: &dyn Fn(&AttributeDef, bool) -> Vec<Value>,
) -> bool {
    let any_present = || of(def, false).iter().any(present);
    match exp {
        AttrExp::Present { .. } => any_present(),
        AttrExp::Compare { op: CompareOp::Eq, value: CompValue::Null, .. } => !any_present(),
        AttrExp::Compare { op: CompareOp::Ne, value: CompValue::Null, .. } => any_present(),
        AttrExp::Compare { op, value, .. } => {
            let def = match type_.find_sub(def.id(), "value") {
                Some(value) => type_.attribute(value),
                None => def,
            };
            let values = of(def, true);
            values.iter().any(|found| one(def, *op, found, value))
                || (*op == CompareOp::Ne && values.is_empty())
        }
    }
}

/// A resource and its type.
struct Model<'a> {
    type_: &'a CompiledType,
    resource: &'a Object,
}

impl Model<'_> {
    fn matches(&self, filter: &Filter) -> bool {
        match filter {
            Filter::And(operands) => operands.iter().all(|operand| self.matches(operand)),
            Filter::Or(operands) => operands.iter().any(|operand| self.matches(operand)),
            Filter::Not(negation) => !self.matches(negation.filter()),
            Filter::Attr(exp) => {
                let def = match self.target(exp.path()) {
                    Target::Extension(id) => {
                        return self
                            .resource
                            .get(self.type_.extension(id).uri().as_str())
                            .is_some_and(present);
                    }
                    Target::Attribute(id) => self.type_.attribute(id),
                    Target::Resource => panic!("a whole resource has no value"),
                };
                test(self.type_, def, exp, &|def, compared| {
                    values(self.type_, def, self.resource, compared).into_iter().cloned().collect()
                })
            }
            Filter::ValuePath(value_path) => {
                let def = self.find(value_path.attr());
                let elements = values(self.type_, def, self.resource, false);
                elements.into_iter().any(|element| self.element(value_path.filter(), def, element))
            }
        }
    }

    fn element(&self, filter: &Filter, parent: &AttributeDef, element: &Value) -> bool {
        match filter {
            Filter::And(operands) => operands.iter().all(|operand| self.element(operand, parent, element)),
            Filter::Or(operands) => operands.iter().any(|operand| self.element(operand, parent, element)),
            Filter::Not(negation) => !self.element(negation.filter(), parent, element),
            Filter::Attr(exp) => {
                let name = exp.path().sub_attribute().unwrap_or(exp.path().name());
                let def = match self.type_.find_sub(parent.id(), name) {
                    Some(sub) => self.type_.attribute(sub),
                    None => parent,
                };
                test(self.type_, def, exp, &|def, compared| {
                    // A simple attribute or sub-attribute: the element is the value.
                    if def.id() == parent.id() {
                        return flatten(element).into_iter().cloned().collect();
                    }
                    let found = in_element(self.type_, def, element, compared);
                    found.map(flatten).unwrap_or_default().into_iter().cloned().collect()
                })
            }
            Filter::ValuePath(_) => panic!("no value path in a value path"),
        }
    }

    fn find(&self, path: &AttrPath) -> &AttributeDef {
        match self.target(path) {
            Target::Attribute(id) => self.type_.attribute(id),
            other => panic!("{path} is {other:?}"),
        }
    }

    fn target(&self, path: &AttrPath) -> Target {
        Resolver::new(self.type_, Compat::strict()).attribute(path).expect("a filter that compiles")
    }
}
