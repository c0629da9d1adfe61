//! Evaluation against a slow, obvious model that reads the filter's tree and the resource's JSON anew
//! for every question, over generated resources and filters that fit them.

use std::cmp::Ordering;
use std::collections::HashSet;

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use scim2_core::compare::Instant;
use scim2_core::schema::AttributeType;
use scim2_core::{AttributeDef, Compat, CompiledType, Object, Registry, Value};
use scim2_filter::{
    AttrExp, AttrPath, CompValue, CompareOp, CompiledFilter, Filter, Resolver, SortKey, Target,
};
use scim2_testkit::strategies;

/// What an element of a list says of `primary` by not mentioning it (RFC 7643 §2.4).
const UNSAID: Value = Value::Bool(false);

/// The value of a sub-attribute in an element, as a comparison sees it or as it is written.
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

/// What a value has to say to a literal: their order, if they have one, and their texts.
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
            let literal: scim2_core::Number = literal.to_string().parse().unwrap();
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
                let def = self.find(exp.path());
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
                let sub = self.type_.find_sub(parent.id(), exp.path().name()).unwrap();
                test(self.type_, self.type_.attribute(sub), exp, &|def, compared| {
                    let found = in_element(self.type_, def, element, compared);
                    found.map(flatten).unwrap_or_default().into_iter().cloned().collect()
                })
            }
            Filter::ValuePath(_) => panic!("no value path in a value path"),
        }
    }

    fn find(&self, path: &AttrPath) -> &AttributeDef {
        match Resolver::new(self.type_, Compat::strict()).attribute(path).unwrap() {
            Target::Attribute(id) => self.type_.attribute(id),
            other => panic!("{path} is {other:?}"),
        }
    }
}

fn agrees(name: &str) {
    let registry = Registry::standard();
    let type_ = registry.resource_type(name).unwrap();
    let strategy = (strategies::resource(type_), strategies::filter(type_));
    let mut runner =
        TestRunner::new(ProptestConfig { cases: 600, failure_persistence: None, ..Default::default() });
    let matched = std::cell::Cell::new(0);
    runner
        .run(&strategy, |(resource, text)| {
            let filter: Filter = text.parse().unwrap();
            let expected = Model { type_, resource: &resource }.matches(&filter);
            let compiled = CompiledFilter::new(&filter, type_, Compat::strict()).unwrap();
            prop_assert_eq!(compiled.matches(&resource), expected, "{} over {}", text, resource);
            let default = CompiledFilter::new(&filter, type_, Compat::default()).unwrap();
            prop_assert_eq!(&default, &compiled, "{}", text);
            matched.set(matched.get() + u32::from(expected));
            Ok(())
        })
        .unwrap_or_else(|error| panic!("{error}"));
    assert!((50..550).contains(&matched.get()), "both answers are tried: {}", matched.get());
}

#[test]
fn users_match_as_the_model_says() {
    agrees("User");
}

#[test]
fn groups_match_as_the_model_says() {
    agrees("Group");
}

#[test]
fn every_attribute_of_the_schema_resolves_by_its_own_path() {
    let registry = Registry::standard();
    for type_ in registry.resource_types() {
        let mut seen = HashSet::new();
        for def in type_.attributes() {
            let path: AttrPath = def.path().to_ascii_uppercase().parse().unwrap();
            let target = Resolver::new(type_, Compat::strict()).attribute(&path).unwrap();
            assert_eq!(target, Target::Attribute(def.id()), "{path}");
            assert!(seen.insert(def.path().to_owned()));
        }
    }
}

#[test]
fn sorting_agrees_with_the_order_operators() {
    let registry = Registry::standard();
    let type_ = registry.resource_type("User").unwrap();
    let key = SortKey::new(type_, type_.find(None, "displayName", None).unwrap());
    let mut runner = TestRunner::deterministic();
    for _ in 0..200 {
        let pair = (strategies::resource(type_), strategies::resource(type_)).new_tree(&mut runner).unwrap();
        let (a, b) = pair.current();
        let Some(name) = b.get_str("displayName") else { continue };
        let below = Filter::attr("displayName").unwrap().lt(name);
        let below = CompiledFilter::new(&below, type_, Compat::strict()).unwrap().matches(&a);
        assert_eq!(below, key.value(&a) < key.value(&b));
    }
}
