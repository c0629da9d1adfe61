//! Values that fit an attribute, as JSON and as a literal of a filter.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use scim2_core::schema::{AttributeType, Mutability};
use scim2_core::{AttributeDef, CompiledType, Object, Value};

/// Words with variants that some rule treats as equal: letter case, composed and decomposed forms, a common
/// beginning.
const WORDS: &[&str] = &[
    "ada",
    "Ada",
    "adam",
    "grace hopper",
    "Straße",
    "STRASSE",
    "caf\u{e9}",
    "cafe\u{301}",
    "o'neil",
    "50%_",
    "\"q\"\\",
    "東京",
];

/// Instants. Two of them are equal, with another offset or precision.
const INSTANTS: &[&str] = &[
    "2024-02-29T12:00:00Z",
    "2024-02-29T14:00:00+02:00",
    "2024-02-29T12:00:00.000Z",
    "2011-05-13T04:42:34Z",
    "2030-01-01T00:00:00.5Z",
];

const BINARIES: &[&str] = &["AAEC", "aaec", "/+8=", "c2NpbQ=="];

const REFERENCES: &[&str] =
    &["https://example.com/a", "https://example.com/A", "https://example.org/photo.png"];

const INTEGERS: &[i64] = &[0, 1, -1, 42, 9_007_199_254_740_993];

const DECIMALS: &[f64] = &[0.5, -2.25, 1.0, 1e9];

/// A value that a client may write to the attribute: a list if it is multi-valued, with at most one primary element.
pub fn value(type_: &CompiledType, def: &AttributeDef) -> BoxedStrategy<Value> {
    if !def.multi_valued() {
        let rule = def.string_rule();
        return single(type_, def)
            .prop_filter("a user name is prepared by PRECIS", move |value| {
                value.as_str().is_none_or(|text| rule.admits(text))
            })
            .boxed();
    }
    vec(single(type_, def), 1..=3)
        .prop_map(|mut elements| {
            let mut seen_primary = false;
            for element in &mut elements {
                if let Some(Value::Bool(primary)) =
                    element.as_object_mut().and_then(|it| it.get_mut("primary"))
                {
                    *primary &= !seen_primary;
                    seen_primary |= *primary;
                }
            }
            let mut distinct: Vec<Value> = Vec::new();
            for element in elements {
                if !distinct.contains(&element) {
                    distinct.push(element);
                }
            }
            Value::Array(distinct)
        })
        .boxed()
}

/// A literal of [RFC 7644 §3.4.2.2](https://www.rfc-editor.org/rfc/rfc7644#section-3.4.2.2) that fits the attribute,
/// from the same pool as its values. A complex attribute has none.
pub fn literal(def: &AttributeDef) -> BoxedStrategy<String> {
    simple(def).prop_map(|value| serde_json::Value::from(value).to_string()).boxed()
}

/// One value or one element.
fn single(type_: &CompiledType, def: &AttributeDef) -> BoxedStrategy<Value> {
    if !def.is_complex() {
        return simple(def);
    }
    let members: Vec<_> = type_
        .sub_attributes(def.id())
        .iter()
        .filter(|sub| sub.mutability() != Mutability::ReadOnly)
        .map(|sub| {
            let name = sub.name().to_owned();
            let member = value(type_, sub).prop_map(move |value| (name.clone(), value));
            // A filter cannot find an element without a value.
            let always = sub.required() || sub.name() == "value";
            if always { member.prop_map(Some).boxed() } else { option::weighted(0.5, member).boxed() }
        })
        .collect();
    members
        .prop_filter("a complex value has a member", |members| members.iter().any(Option::is_some))
        .prop_map(|members| Value::Object(members.into_iter().flatten().collect::<Object>()))
        .boxed()
}

fn simple(def: &AttributeDef) -> BoxedStrategy<Value> {
    let canonical: Vec<_> = def.canonical_values().to_vec();
    match def.attribute_type() {
        AttributeType::String if !canonical.is_empty() => select(canonical).prop_map(Value::from).boxed(),
        AttributeType::String | AttributeType::Complex => select(WORDS).prop_map(Value::from).boxed(),
        AttributeType::Boolean => any::<bool>().prop_map(Value::from).boxed(),
        AttributeType::Integer => select(INTEGERS).prop_map(Value::from).boxed(),
        AttributeType::Decimal => select(DECIMALS)
            .prop_map(|it| scim2_core::Number::from_f64(it).map_or(Value::Null, Value::from))
            .boxed(),
        AttributeType::DateTime => select(INSTANTS).prop_map(Value::from).boxed(),
        AttributeType::Binary => select(BINARIES).prop_map(Value::from).boxed(),
        AttributeType::Reference => select(REFERENCES).prop_map(Value::from).boxed(),
    }
}
