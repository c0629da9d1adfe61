//! Unique attributes of every kind: this store refuses what the model in memory refuses.

use std::sync::Arc;

use scim2_core::{Compat, Registry};
use scim2_server::store::Outcome;
use scim2_server::{Context, MemoryStore, ResourceStore, StoreError, StoreErrorKind, TenantId};

use crate::common::{block_on, context, on_each_engine, type_of, write};

on_each_engine!(unique_values_of_every_kind_are_refused_as_by_the_model,);

/// An attribute of each kind, and values of which some are equal.
const KINDS: &[(&str, &[&str])] = &[
    (
        r#"{"name":"exact","type":"string","caseExact":true,"uniqueness":"server"}"#,
        &[
            r#""""#,
            r#"" ""#,
            r#""  ""#,
            r#""a""#,
            r#""A""#,
            r#""a ""#,
            r#""\u00e5""#,
            r#""a\u030a""#,
            "null",
            "[]",
        ],
    ),
    (
        r#"{"name":"folded","type":"string","caseExact":false,"uniqueness":"server"}"#,
        &[r#""""#, r#"" ""#, r#""\t""#, r#""a""#, r#""A""#, r#""\u00df""#, r#""SS""#, r#""\u00ad""#],
    ),
    (
        r#"{"name":"everywhere","type":"string","uniqueness":"global"}"#,
        &[r#""""#, r#"" ""#, r#""a""#, r#""A""#],
    ),
    (
        r#"{"name":"link","type":"reference","referenceTypes":["external"],"uniqueness":"server"}"#,
        &[
            r#""""#,
            r#"" ""#,
            r#""https://example.com/a""#,
            r#""https://example.com/A""#,
            r#""HTTPS://example.com/a""#,
        ],
    ),
    (
        r#"{"name":"whole","type":"integer","uniqueness":"server"}"#,
        &["0", "1", "1.0", "-0", "10", "1e1", "null"],
    ),
    (r#"{"name":"fraction","type":"decimal","uniqueness":"server"}"#, &["0.5", "0.50", "5e-1", "0", "0.0"]),
    (r#"{"name":"flag","type":"boolean","uniqueness":"server"}"#, &["true", "false"]),
    (
        r#"{"name":"moment","type":"dateTime","uniqueness":"server"}"#,
        &[
            r#""""#,
            r#""2020-01-01T00:00:00Z""#,
            r#""2020-01-01T00:00:00.000Z""#,
            r#""2020-01-01T01:00:00+01:00""#,
            r#""2020-01-01T00:00:00.1Z""#,
        ],
    ),
    (
        r#"{"name":"bytes","type":"binary","caseExact":true,"uniqueness":"server"}"#,
        &[r#""""#, r#""AAAA""#, r#""aaaa""#, r#""AA==""#],
    ),
    (
        r#"{"name":"list","type":"string","multiValued":true,"uniqueness":"server"}"#,
        &["[]", r#"[""]"#, r#"["",""]"#, r#"["a"]"#, r#"["b","A"]"#, r#"["c","c"]"#, r#"["c"," "]"#],
    ),
    (
        r#"{"name":"part","type":"complex","subAttributes":[{"name":"code","uniqueness":"server"},{"name":"note"}]}"#,
        &[r#"{"code":""}"#, r#"{"code":"a"}"#, r#"{"code":"A","note":"x"}"#, r#"{"note":"x"}"#, "{}"],
    ),
    (
        r#"{"name":"parts","type":"complex","multiValued":true,"uniqueness":"server",
            "subAttributes":[{"name":"value"},{"name":"note"}]}"#,
        &[
            r#"[{"value":""},{"value":""}]"#,
            r#"[{"value":"a","note":"x"}]"#,
            r#"[{"value":"b"},{"value":"A"}]"#,
            r#"[{"note":"x"}]"#,
        ],
    ),
    (
        r#"{"name":"given","type":"string","mutability":"readOnly","uniqueness":"server"}"#,
        &[r#""""#, r#""a""#],
    ),
];

/// The result of a write.
fn outcome<T>(result: Result<T, StoreError>) -> Option<StoreErrorKind> {
    result.err().map(|error| error.kind().clone())
}

/// Two values of each kind: either both are created, or the second one is refused. The same holds for a replacement.
fn unique_values_of_every_kind_are_refused_as_by_the_model(store: &impl ResourceStore) {
    let attributes: Vec<&str> = KINDS.iter().map(|(attribute, _)| *attribute).collect();
    let schema = format!(r#"{{"id":"urn:example:2.0:Thing","attributes":[{}]}}"#, attributes.join(","));
    let thing = r#"{"name":"Thing","endpoint":"/Things","schema":"urn:example:2.0:Thing"}"#;
    let (mut schemas, mut types) = Registry::standard_documents(&Compat::default());
    schemas.push(serde_json::from_str(&schema).expect("a schema"));
    types.push(serde_json::from_str(thing).expect("a resource type"));
    let registry = Arc::new(Registry::with(schemas, types).expect("compiles"));
    let memory = MemoryStore::new();
    let mut number = 0;
    for (attribute, values) in KINDS {
        let attribute: serde_json::Value = serde_json::from_str(attribute).expect("JSON");
        let name = attribute["name"].as_str().expect("a name");
        let mut refused = 0;
        for first in *values {
            for second in *values {
                number += 1;
                let tenant = TenantId::parse(&format!("pair{number}")).expect("a name");
                let cx = Context { tenant, registry: Arc::clone(&registry), ..context() };
                let body = |value: &str| format!(r#"{{"{name}":{value}}}"#);
                let create = |id: &str, value: &str| write(&cx, "Thing", id, &body(value));
                let pair = format!("{name}: {first} and {second}");
                for (id, value) in [("t1", *first), ("t2", *second)] {
                    let ours = outcome(block_on(store.create(&cx, create(id, value))));
                    let model = outcome(block_on(memory.create(&cx, create(id, value))));
                    assert_eq!(ours, model, "{pair}");
                    refused += usize::from(ours.is_some());
                }
                for id in ["t1", "t3"] {
                    // The first one again, and another that takes the second value.
                    if id == "t3" {
                        for created in [
                            outcome(block_on(store.create(&cx, write(&cx, "Thing", id, "{}")))),
                            outcome(block_on(memory.create(&cx, write(&cx, "Thing", id, "{}")))),
                        ] {
                            assert_eq!(created, None, "{pair}");
                        }
                    }
                    let ours = block_on(replace(store, &cx, id, &body(second)));
                    let model = block_on(replace(&memory, &cx, id, &body(second)));
                    assert_eq!(ours, model, "{pair}: replaced");
                }
            }
        }
        // A test that refuses nothing would show nothing.
        assert_eq!(refused > 0, name != "given", "{name}");
    }
    // The check at the end of the fixture uses the standard resource types, which do not have these.
    for at in 1..=number {
        let tenant = TenantId::parse(&format!("pair{at}")).expect("a name");
        let cx = Context { tenant, registry: Arc::clone(&registry), ..context() };
        let thing = type_of(&cx, "Thing");
        for id in ["t1", "t2", "t3"] {
            block_on(store.delete(&cx, &thing, id, None)).expect("deletes");
        }
    }
}

async fn replace(store: &impl ResourceStore, cx: &Context, id: &str, body: &str) -> Option<StoreErrorKind> {
    let thing = type_of(cx, "Thing");
    let stored = store.retrieve(cx, &thing, id, Default::default()).await.expect("answers").expect("there");
    match store.replace(cx, &stored.version, write(cx, "Thing", id, body)).await {
        Ok(Outcome::Done(_)) => None,
        Ok(other) => panic!("nobody else writes: {other:?}"),
        Err(error) => Some(error.kind().clone()),
    }
}
