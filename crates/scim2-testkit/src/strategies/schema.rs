//! Random schemas, with every combination of characteristics.
#![expect(clippy::indexing_slicing, reason = "what is indexed by name is an object written here")]

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use scim2_core::schema::{ResourceType, Schema};
use serde_json::{Value, json};

/// The schema documents of a resource type `Thing` at `/Things`, and its own: a core schema and an extension of a
/// few attributes each, of every data type, mutability, `returned` and uniqueness, on attributes and sub-attributes.
///
/// Schemas that no registry accepts are left out: never-returned attributes are not unique, and a client can write
/// some part of each complex attribute. `value` and `type`, which identify elements, are returned: a client cannot
/// distinguish elements that differ only in attributes that it does not see.
pub fn thing() -> BoxedStrategy<(Vec<Schema>, ResourceType)> {
    let attributes = |prefix: &'static str| {
        vec(attribute(), 1..5).prop_map(move |attributes| -> Vec<Value> {
            let named = |(at, mut attribute): (usize, Value)| {
                attribute["name"] = format!("{prefix}{at}").into();
                attribute
            };
            attributes.into_iter().enumerate().map(named).collect()
        })
    };
    (attributes("core"), attributes("more"))
        .prop_map(|(core, more)| {
            let schemas = json!([
                { "id": "urn:example:Thing", "name": "Thing", "attributes": core },
                { "id": "urn:example:More", "name": "More", "attributes": more },
            ]);
            let type_ = json!({
                "name": "Thing", "endpoint": "/Things", "schema": "urn:example:Thing",
                "schemaExtensions": [{ "schema": "urn:example:More", "required": false }],
            });
            (document(schemas), document(type_))
        })
        .boxed()
}

#[expect(clippy::expect_used, reason = "the documents are written above")]
fn document<T: serde::de::DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).expect("a document")
}

fn attribute() -> BoxedStrategy<Value> {
    prop_oneof![2 => simple(), 3 => complex()].boxed()
}

fn simple() -> BoxedStrategy<Value> {
    const TYPES: &[&str] =
        &["string", "string", "string", "boolean", "integer", "decimal", "dateTime", "binary", "reference"];
    (select(TYPES), characteristics())
        .prop_map(|(type_, mut attribute)| {
            attribute["type"] = type_.into();
            if type_ == "reference" {
                attribute["referenceTypes"] = json!(["uri"]);
            }
            attribute
        })
        .boxed()
}

fn complex() -> BoxedStrategy<Value> {
    let known = select(vec!["value", "type", "display"]).prop_map(|name| vec![name]);
    let known = prop_oneof![1 => Just(Vec::new()), 2 => known, 3 => Just(vec!["value", "type"])];
    (characteristics(), known, vec(characteristics(), 3), vec(simple(), 1..3), any::<bool>())
        .prop_map(|(mut attribute, known, predefined, others, primary)| {
            let mut subs: Vec<Value> = Vec::new();
            for (name, mut sub) in known.into_iter().zip(predefined) {
                sub["name"] = name.into();
                sub["type"] = "string".into();
                sub["multiValued"] = false.into();
                if name != "display" {
                    sub["returned"] = "default".into();
                    if sub["mutability"] == "writeOnly" {
                        sub["mutability"] = "readWrite".into();
                    }
                }
                subs.push(sub);
            }
            if primary {
                subs.push(json!({ "name": "primary", "type": "boolean" }));
            }
            for (at, mut sub) in others.into_iter().enumerate() {
                sub["name"] = format!("sub{at}").into();
                subs.push(sub);
            }
            // A client can write a part of it.
            if let Some(last) = subs.last_mut().filter(|last| last["mutability"] == "readOnly") {
                last["mutability"] = "readWrite".into();
            }
            attribute["type"] = "complex".into();
            attribute["uniqueness"] = "none".into();
            attribute["subAttributes"] = subs.into();
            let never_returned = attribute["mutability"] == "writeOnly" || attribute["returned"] == "never";
            if let Some(subs) = attribute["subAttributes"].as_array_mut().filter(|_| never_returned) {
                subs.iter_mut().for_each(|sub| sub["uniqueness"] = "none".into());
            }
            attribute
        })
        .boxed()
}

/// All characteristics except name and type.
fn characteristics() -> BoxedStrategy<Value> {
    const MUTABILITIES: &[&str] =
        &["readWrite", "readWrite", "readWrite", "immutable", "immutable", "writeOnly", "readOnly"];
    const RETURNED: &[&str] = &["default", "default", "default", "always", "never", "never", "request"];
    let flags = (any::<bool>(), any::<bool>(), prop::bool::weighted(0.3));
    (select(MUTABILITIES), select(RETURNED), prop::bool::weighted(0.2), flags)
        .prop_map(|(mutability, returned, unique, (multi_valued, case_exact, required))| {
            let never_returned = mutability == "writeOnly" || returned == "never";
            json!({
                "mutability": mutability,
                "returned": returned,
                "uniqueness": if unique && !never_returned { "server" } else { "none" },
                "multiValued": multi_valued,
                "caseExact": case_exact,
                "required": required,
            })
        })
        .boxed()
}
