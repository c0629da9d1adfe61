//! Filters that fit a resource type, as text.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use scim2_core::schema::AttributeType;
use scim2_core::{AttributeDef, CompiledType};

use super::spellings;
use super::value::literal;

/// A filter of [RFC 7644 §3.4.2.2](https://www.rfc-editor.org/rfc/rfc7644#section-3.4.2.2) over the attributes of a
/// resource type: every operator fits the attribute's type, every literal comes from the pool of its values.
///
/// At most two levels of `and`, `or` and `not` around comparisons and value paths.
pub fn filter(type_: &CompiledType) -> BoxedStrategy<String> {
    let visible = || type_.attributes().iter().filter(|def| !def.is_never_returned());
    let mut leaves: Vec<BoxedStrategy<String>> =
        visible().filter(|def| !def.is_complex()).map(|def| expression(spellings(type_, def), def)).collect();
    // `pr` on anything; the `value` shorthand on complex attributes that have one.
    leaves.extend(visible().filter(|def| def.is_complex()).map(|def| {
        let paths = spellings(type_, def);
        let presence = select(paths.clone()).prop_map(|path| format!("{path} pr"));
        match type_.find_sub(def.id(), "value") {
            Some(value) if def.multi_valued() => {
                prop_oneof![presence, expression(paths, type_.attribute(value))].boxed()
            }
            _ => presence.boxed(),
        }
    }));
    leaves.extend(visible().filter(|def| def.is_complex() && def.multi_valued()).map(|def| {
        let inside: Vec<_> = type_
            .sub_attributes(def.id())
            .iter()
            .filter(|sub| !sub.is_never_returned())
            .map(|sub| expression(vec![sub.name().to_owned()], sub))
            .collect();
        (select(spellings(type_, def)), combined(one_of(inside), 1))
            .prop_map(|(path, inside)| format!("{path}[{inside}]"))
            .boxed()
    }));
    combined(one_of(leaves), 2)
}

/// A comparison or a presence test of one simple attribute under one of these paths.
fn expression(paths: Vec<String>, def: &AttributeDef) -> BoxedStrategy<String> {
    const EQUALITY: &[&str] = &["eq", "ne"];
    const ORDER: &[&str] = &["eq", "ne", "gt", "ge", "lt", "le"];
    const TEXT: &[&str] = &["eq", "Eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le"];
    let operators = match def.attribute_type() {
        AttributeType::String | AttributeType::Reference | AttributeType::Complex => TEXT,
        AttributeType::Integer | AttributeType::Decimal | AttributeType::DateTime => ORDER,
        AttributeType::Boolean | AttributeType::Binary => EQUALITY,
    };
    let path = select(paths);
    prop_oneof![
        6 => (path.clone(), select(operators), literal(def)).prop_map(|(path, op, literal)| format!("{path} {op} {literal}")),
        1 => (path.clone(), select(EQUALITY)).prop_map(|(path, op)| format!("{path} {op} null")),
        2 => path.prop_map(|path| format!("{path} pr")),
    ]
    .boxed()
}

/// Leaves, combined by up to `depth` levels of operators.
fn combined(leaf: BoxedStrategy<String>, depth: u32) -> BoxedStrategy<String> {
    leaf.prop_recursive(depth, 8, 3, |inner| {
        prop_oneof![
            vec(inner.clone(), 2..=3).prop_map(|operands| group(&operands, "and")),
            vec(inner.clone(), 2..=3).prop_map(|operands| group(&operands, "or")),
            inner.prop_map(|operand| format!("not ({operand})")),
        ]
    })
    .boxed()
}

fn group(operands: &[String], word: &str) -> String {
    operands.iter().map(|operand| format!("({operand})")).collect::<Vec<_>>().join(&format!(" {word} "))
}

/// One of these. The first ones are simpler.
fn one_of(leaves: Vec<BoxedStrategy<String>>) -> BoxedStrategy<String> {
    proptest::strategy::Union::new(leaves).boxed()
}
