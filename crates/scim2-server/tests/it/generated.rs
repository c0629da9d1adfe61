//! Laws for every schema: no data is lost, no never-returned value is shown, and a write that changes nothing
//! keeps the version.

use std::fmt;

use proptest::prelude::*;
use scim2_core::schema::Mutability;
use scim2_core::{AttributeDef, Compat, CompiledType, Object, Owner, Registry};
use scim2_testkit::strategies;
use serde_json::{Value, json};

use crate::harness::{Answer, Server};

const MORE: &str = "urn:example:More";
/// The prefix of every never-returned text.
const SECRET: &str = "S3cret";

/// A registry with a type `Thing`, and a body for one.
#[derive(Clone)]
struct Case {
    registry: Registry,
    body: Value,
    documents: String,
}

impl fmt::Debug for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\n{}", self.documents, self.body)
    }
}

fn case() -> impl Strategy<Value = Case> {
    strategies::thing().prop_flat_map(|(schemas, type_)| {
        let documents = serde_json::to_string(&schemas).expect("JSON");
        let registry = Registry::with(schemas, vec![type_]).expect("documents that compile");
        let thing = registry.resource_type("Thing").expect("the type").clone();
        strategies::resource(&thing).prop_map(move |mut body| {
            mark(&thing, &mut body);
            let body = serde_json::to_value(body).expect("JSON");
            Case { registry: registry.clone(), body, documents: documents.clone() }
        })
    })
}

/// Gives the never-returned texts of a body a prefix, so that the test can find them.
fn mark(type_: &CompiledType, body: &mut Object) {
    fn walk(value: &mut scim2_core::Value, count: &mut usize) {
        match value {
            scim2_core::Value::String(text) => {
                *text = format!("{SECRET}-{count}");
                *count += 1;
            }
            scim2_core::Value::Array(values) => values.iter_mut().for_each(|value| walk(value, count)),
            scim2_core::Value::Object(object) => {
                object.retain(|_, value| {
                    walk(value, count);
                    true
                });
            }
            _ => {}
        }
    }
    let texts = |def: &AttributeDef| {
        def.is_never_returned() && matches!(def.attribute_type(), scim2_core::schema::AttributeType::String)
    };
    let mut count = 0;
    for def in type_.attributes().iter().filter(|def| texts(def)) {
        let owner = match def.owner() {
            Owner::Extension(_) => body.get_mut(MORE).and_then(scim2_core::Value::as_object_mut),
            Owner::Common | Owner::Core => Some(&mut *body),
        };
        let top = def.parent().map_or(def, |parent| type_.attribute(parent));
        let Some(value) = owner.and_then(|owner| owner.get_mut(top.name())) else { continue };
        if def.parent().is_none() {
            walk(value, &mut count);
            continue;
        }
        let elements: Vec<&mut scim2_core::Value> = match value {
            scim2_core::Value::Array(values) => values.iter_mut().collect(),
            single => vec![single],
        };
        for element in elements {
            if let Some(part) = element.as_object_mut().and_then(|element| element.get_mut(def.name())) {
                walk(part, &mut count);
            }
        }
    }
}

fn never_returned_values(server: &Server, id: &str) -> Vec<String> {
    fn walk(value: &Value, found: &mut Vec<String>) {
        match value {
            Value::String(text) if text.starts_with(SECRET) => found.push(text.clone()),
            Value::Array(values) => values.iter().for_each(|value| walk(value, found)),
            Value::Object(members) => members.values().for_each(|value| walk(value, found)),
            _ => {}
        }
    }
    let mut found = Vec::new();
    walk(&crate::never_returned::whole(server, "Thing", id), &mut found);
    found.sort_unstable();
    found
}

/// Says whether elements of a list look the same to a client, who then cannot say which is meant.
fn has_twins(shown: &Value) -> bool {
    match shown {
        Value::Array(values) => {
            let mut earlier = values.iter().enumerate();
            earlier.any(|(at, value)| values.iter().take(at).any(|other| other == value) || has_twins(value))
        }
        Value::Object(members) => members.values().any(has_twins),
        _ => false,
    }
}

#[track_caller]
fn tells_nothing(answer: &Answer) {
    let text = String::from_utf8_lossy(&answer.bytes);
    assert!(!text.contains(SECRET), "{text}");
    assert!(answer.status.as_u16() < 500, "{text}");
}

/// The attributes an answer shows and a client may write: the path and the value.
fn writable(type_: &CompiledType, shown: &Value) -> Vec<(String, Value)> {
    let top = |def: &&AttributeDef| {
        def.parent().is_none() && def.owner() != Owner::Common && def.mutability() != Mutability::ReadOnly
    };
    let value = |def: &AttributeDef| match def.owner() {
        Owner::Extension(_) => shown[MORE][def.name()].clone(),
        Owner::Common | Owner::Core => shown[def.name()].clone(),
    };
    type_
        .attributes()
        .iter()
        .filter(top)
        .map(|def| (def.path().to_owned(), value(def)))
        .filter(|(_, value)| !value.is_null())
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn q_roundtrip_what_is_given_back_changes_nothing(
        case in case(),
        compat in prop::sample::select(vec![Compat::default(), Compat::strict(), Compat::profile()]),
    ) {
        let server = Server::with(|builder| {
            builder.registry(case.registry.clone()).options(|options| options.compat = compat)
        });
        let created = server.post("/Things", case.body.clone());
        prop_assert_eq!(created.status.as_u16(), 201, "{}", created.json);
        let id = created.json["id"].as_str().expect("an id");
        let path = format!("/Things/{id}");
        let shown = server.get(&path);
        prop_assume!(!has_twins(&shown.json));
        let stored = crate::never_returned::whole(&server, "Thing", id);
        tells_nothing(&created);
        tells_nothing(&shown);
        let unchanged = |answer: &Answer, what: &str| {
            assert_eq!(answer.ok(), &shown.json, "{what}");
            assert_eq!(answer.header("etag"), shown.header("etag"), "{what}");
            assert_eq!(crate::never_returned::whole(&server, "Thing", id), stored, "{what}");
            tells_nothing(answer);
        };
        server.sleep(1);

        unchanged(&server.put(&path, shown.json.clone()), "put");
        let type_ = server.provider.registry().resource_type("Thing").expect("the type").clone();
        for (attribute, value) in writable(&type_, &shown.json) {
            for op in ["replace", "add"] {
                // To add two equal values is to have them twice.
                let operation = json!([{ "op": op, "path": attribute, "value": value }]);
                unchanged(&server.operations(&path, operation), &format!("{op} {attribute}"));
            }
        }
        if !shown.json[MORE].is_null() {
            let operation = json!([{ "op": "replace", "path": MORE, "value": shown.json[MORE] }]);
            unchanged(&server.operations(&path, operation), "replace the extension");
        }
        if compat == Compat::default() {
            let operation = json!([{ "op": "replace", "value": shown.json }]);
            unchanged(&server.operations(&path, operation), "replace everything");
        }

        // No answer shows a never-returned value.
        for def in type_.attributes().iter().filter(|def| def.owner() != Owner::Common) {
            let name = def.path();
            for query in [
                format!("filter={name}%20eq%20%22{SECRET}-0%22"),
                format!("filter={name}%20pr"),
                format!("sortBy={name}"),
                format!("sortBy={name}&count=1&cursor="),
                format!("attributes={name}"),
                format!("excludedAttributes={name}"),
            ] {
                let answer = server.get(&format!("/Things?{query}"));
                let text = String::from_utf8_lossy(&answer.bytes).replace(&format!("{SECRET}-0`"), "");
                let echoed = text.contains(SECRET) && answer.status == 200;
                prop_assert!(!echoed, "{query}: {text}");
                prop_assert!(answer.status.as_u16() < 500, "{query}: {text}");
            }
        }
    }

    #[test]
    fn a_23_a_put_with_one_change_loses_nothing_that_is_hidden(
        case in case(),
        compat in prop::sample::select(vec![Compat::default(), Compat::strict(), Compat::profile()]),
    ) {
        let server = Server::with(|builder| {
            builder.registry(case.registry.clone()).options(|options| options.compat = compat)
        });
        let id = server.created("/Things", case.body.clone());
        let path = format!("/Things/{id}");
        let shown = server.get(&path).json;
        prop_assume!(!has_twins(&shown));
        let never_returned = never_returned_values(&server, &id);
        let type_ = server.provider.registry().resource_type("Thing").expect("the type").clone();
        for (attribute, value) in writable(&type_, &shown) {
            let name = attribute.rsplit(':').next().expect("a name");
            let uri = attribute.contains(':').then_some(MORE);
            let top = type_.attribute(type_.find(uri, name, None).expect("an attribute"));
            // Immutable attributes are not changed.
            if top.mutability() == Mutability::Immutable {
                continue;
            }
            for sub in type_.sub_attributes(top.id()) {
                let text = sub.attribute_type() == scim2_core::schema::AttributeType::String;
                if !text || sub.is_never_returned() || sub.multi_valued() || sub.name() == "value" || sub.mutability() != Mutability::ReadWrite {
                    continue;
                }
                let count = value.as_array().map_or(1, Vec::len);
                for at in 0..count {
                    let mut body = shown.clone();
                    let place = match uri {
                        Some(uri) => &mut body[uri][name],
                        None => &mut body[name],
                    };
                    let element = if place.is_array() { &mut place[at] } else { place };
                    element[sub.name()] = "changed".into();
                    let answer = server.put(&path, body);
                    tells_nothing(&answer);
                    // An immutable attribute stays as it is.
                    if answer.status == 200 {
                        prop_assert_eq!(&never_returned_values(&server, &id), &never_returned, "{}.{}", attribute, sub.name());
                    } else {
                        prop_assert_eq!(answer.json["scimType"].as_str(), Some("mutability"), "{}", answer.json);
                    }
                    server.put(&path, shown.clone()).ok();
                }
            }
        }
    }
}
