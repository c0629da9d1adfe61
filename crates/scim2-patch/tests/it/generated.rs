//! Resource types with any attributes: what holds for users and groups holds for every schema.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use proptest::prelude::*;
use scim2_core::schema::{ResourceType, Schema};
use scim2_core::{CompiledType, Registry};

use crate::support::resource_type;

/// A resource type that prints as its schemas.
#[derive(Clone)]
pub(crate) struct Type {
    compiled: Arc<CompiledType>,
    schemas: String,
}

impl Type {
    pub(crate) fn named(name: &'static str) -> Self {
        Self { compiled: resource_type(name), schemas: name.to_owned() }
    }
}

impl Deref for Type {
    type Target = CompiledType;

    fn deref(&self) -> &CompiledType {
        &self.compiled
    }
}

impl fmt::Debug for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.schemas)
    }
}

/// Users, groups, and types that nobody thought of.
pub(crate) fn any_type() -> impl Strategy<Value = Type> {
    prop_oneof![
        2 => Just(Type::named("User")),
        1 => Just(Type::named("Group")),
        3 => generated(),
    ]
}

/// A type with a few attributes of every kind, and with an extension.
pub(crate) fn generated() -> impl Strategy<Value = Type> {
    let attributes = |prefix: &'static str| {
        prop::collection::vec(attribute(), 1..5).prop_map(move |list| named(prefix, list))
    };
    (attributes("core"), attributes("more")).prop_map(|(core, more)| {
        let schemas = serde_json::json!([
            {"id": "urn:example:Thing", "name": "Thing", "attributes": core},
            {"id": "urn:example:More", "name": "More", "attributes": more},
        ]);
        let text = schemas.to_string();
        let schemas: Vec<Schema> = serde_json::from_value(schemas).expect("schemas");
        let type_: ResourceType = serde_json::from_str(
            r#"{"name":"Thing","endpoint":"/Things","schema":"urn:example:Thing",
                "schemaExtensions":[{"schema":"urn:example:More","required":false}]}"#,
        )
        .expect("a resource type");
        let registry = Registry::with(schemas, vec![type_]).expect("valid documents");
        let compiled = registry.resource_type("Thing").expect("the type").clone();
        Type { compiled, schemas: text }
    })
}

fn named(prefix: &str, attributes: Vec<serde_json::Value>) -> Vec<serde_json::Value> {
    let name = |(at, mut attribute): (usize, serde_json::Value)| {
        attribute["name"] = format!("{prefix}{at}").into();
        attribute
    };
    attributes.into_iter().enumerate().map(name).collect()
}

fn attribute() -> BoxedStrategy<serde_json::Value> {
    prop_oneof![2 => simple(), 3 => complex()].boxed()
}

fn simple() -> BoxedStrategy<serde_json::Value> {
    const KINDS: &[&str] = &["string", "boolean", "integer", "decimal", "dateTime", "binary", "reference"];
    let characteristics = prop::sample::select(vec![
        serde_json::json!({}),
        serde_json::json!({"caseExact": true}),
        serde_json::json!({"required": true}),
        serde_json::json!({"mutability": "readOnly"}),
        serde_json::json!({"mutability": "immutable"}),
        serde_json::json!({"mutability": "writeOnly", "returned": "never"}),
        serde_json::json!({"returned": "request"}),
    ]);
    (prop::sample::select(KINDS), any::<bool>(), characteristics)
        .prop_map(|(kind, multi_valued, mut attribute)| {
            attribute["type"] = (*kind).into();
            attribute["multiValued"] = multi_valued.into();
            attribute
        })
        .boxed()
}

/// A complex attribute with some of the sub-attributes that mean something to PATCH, and others.
fn complex() -> BoxedStrategy<serde_json::Value> {
    let known = prop::sample::subsequence(
        vec![
            serde_json::json!({"name": "value", "type": "string"}),
            serde_json::json!({"name": "type", "type": "string"}),
            serde_json::json!({"name": "display", "type": "string", "caseExact": true}),
            serde_json::json!({"name": "primary", "type": "boolean"}),
            serde_json::json!({"name": "$ref", "type": "reference", "referenceTypes": ["uri"]}),
            serde_json::json!({"name": "rank", "type": "integer"}),
            serde_json::json!({"name": "state", "type": "string", "mutability": "readOnly"}),
            serde_json::json!({"name": "words", "type": "string", "multiValued": true}),
        ],
        1..=8,
    );
    (known, any::<bool>(), prop::option::weighted(0.2, Just(())))
        .prop_filter("a client can write some of it", |(subs, ..)| {
            subs.iter().any(|sub| sub["name"] != "state")
        })
        .prop_map(|(mut subs, multi_valued, required)| {
            if required.is_some()
                && let Some(sub) = subs.iter_mut().find(|sub| sub["name"] != "state")
            {
                sub["required"] = true.into();
            }
            serde_json::json!({"type": "complex", "multiValued": multi_valued, "subAttributes": subs})
        })
        .boxed()
}
