//! A client that may write and not see does not learn from an answer, a version or a resource whether it
//! guessed the value of a never-returned sub-attribute.

use scim2_core::{Compat, Registry};
use serde_json::{Value, json};

use crate::harness::{Server, registry_with};

const SAFE: &str = "urn:example:schemas:1.0:Safe";
const LOCK: &str = "urn:example:schemas:1.0:Lock";
const PATCH_OP: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";
const GUESS: &str = "GUESS";
const KNOWN: &str = "KNOWN";

/// Never-returned parts of singular and multi-valued attributes: beside what tells elements apart, and in its
/// place; required, immutable and multi-valued ones.
fn safes() -> Registry {
    let never = |name: &str| json!({ "name": name, "returned": "never" });
    let safe = json!({ "id": SAFE, "name": "Safe", "attributes": [
        { "name": "label" },
        { "name": "seal", "mutability": "immutable", "returned": "never" },
        { "name": "codes", "multiValued": true, "returned": "never" },
        { "name": "badge", "mutability": "readOnly", "returned": "never" },
        { "name": "box", "type": "complex", "subAttributes": [
            never("code"),
            { "name": "serial", "mutability": "immutable", "returned": "never" },
            { "name": "codes", "multiValued": true, "returned": "never" },
            { "name": "size" },
        ] },
        { "name": "plate", "type": "complex", "mutability": "immutable", "subAttributes": [
            never("code"), { "name": "size" },
        ] },
        { "name": "keys", "type": "complex", "multiValued": true, "subAttributes": [
            { "name": "value" }, { "name": "type" }, never("secret"),
            { "name": "serial", "mutability": "immutable", "returned": "never" },
        ] },
        { "name": "slots", "type": "complex", "multiValued": true, "subAttributes": [
            { "name": "place" }, never("secret"),
        ] },
        { "name": "cards", "type": "complex", "multiValued": true, "subAttributes": [
            never("value"), { "name": "type" },
            { "name": "$ref", "type": "reference", "referenceTypes": ["Safe"] },
        ] },
        { "name": "notes", "type": "complex", "multiValued": true, "subAttributes": [
            { "name": "value" }, never("type"),
        ] },
    ] });
    let lock = json!({ "id": LOCK, "name": "Lock", "attributes": [
        { "name": "maker" },
        { "name": "bolt", "type": "complex", "subAttributes": [never("code"), { "name": "size" }] },
    ] });
    let type_ = json!({
        "name": "Safe", "endpoint": "/Safes", "schema": SAFE, "schemaExtensions": [{ "schema": LOCK }],
    });
    registry_with([safe, lock], [type_])
}

/// A resource in which secrets are [`KNOWN`], and others beside it.
fn safe() -> Value {
    json!({
        "schemas": [SAFE, LOCK], "label": "A", "seal": KNOWN, "codes": [KNOWN, "OTHER"],
        "box": { "code": KNOWN, "serial": KNOWN, "codes": [KNOWN, "OTHER"], "size": "L" },
        "plate": { "code": KNOWN, "size": "L" },
        "keys": [
            { "value": "a", "type": "x", "secret": KNOWN, "serial": KNOWN }, { "value": "b", "type": "x", "secret": "OTHER" },
        ],
        "slots": [{ "place": "up", "secret": KNOWN }, { "place": "up", "secret": "OTHER" }],
        "cards": [{ "value": KNOWN, "type": "x", "$ref": "https://example.com/scim/v2/Safes/1" }],
        "notes": [{ "value": "n", "type": KNOWN }],
        LOCK: { "maker": "M", "bolt": { "code": KNOWN, "size": "L" } },
    })
}

/// What a client sees of a write: the status and error, whether the version moved, and the resource.
fn observed(compat: Compat, request: &Request, guess: &str) -> Value {
    let server = Server::with(|builder| builder.registry(safes()).options(|options| options.compat = compat));
    let id = server.created("/Safes", safe());
    let path = format!("/Safes/{id}");
    let before = server.get(&path);
    let mut text = request.body.to_string().replace(GUESS, guess);
    if request.method == "PUT" {
        let mut body = before.json.clone();
        let given: Value = serde_json::from_str(&text).expect("JSON");
        merge(&mut body, given);
        text = body.to_string();
    }
    let body: Value = serde_json::from_str(&text).expect("JSON");
    server.sleep(1);
    let (status, answer) = if request.bulk {
        let operation = json!({ "method": request.method, "path": path, "data": body });
        let schema = "urn:ietf:params:scim:api:messages:2.0:BulkRequest";
        let answer = server.post("/Bulk", json!({ "schemas": [schema], "Operations": [operation] }));
        let result = answer.ok()["Operations"][0].clone();
        (result["status"].clone(), result["response"].clone())
    } else {
        let answer = match request.method {
            "PUT" => server.put(&path, body),
            _ => server.patch(&path, body),
        };
        let status = json!(answer.status.as_u16());
        (status, if answer.status.is_success() { Value::Null } else { answer.json.clone() })
    };
    let after = server.get(&path);
    let moved = before.header("etag") != after.header("etag");
    let mut shown = after.json.clone();
    shown.as_object_mut().expect("an object").remove("meta");
    assert!(!shown.to_string().contains(KNOWN), "{shown}");
    let text = json!({ "status": status, "answer": answer, "moved": moved, "shown": shown }).to_string();
    serde_json::from_str(&text.replace(guess, GUESS)).expect("JSON")
}

/// Adds what is given to a body, element by element.
fn merge(body: &mut Value, given: Value) {
    match (body, given) {
        (Value::Object(body), Value::Object(given)) => {
            for (name, value) in given {
                merge(body.entry(name).or_insert(Value::Null), value);
            }
        }
        (Value::Array(body), Value::Array(given)) => {
            for (at, value) in given.into_iter().enumerate() {
                match body.get_mut(at) {
                    Some(there) => merge(there, value),
                    None => body.push(value),
                }
            }
        }
        (body, given) => *body = given,
    }
}

struct Request {
    method: &'static str,
    body: Value,
    bulk: bool,
}

fn requests() -> Vec<Request> {
    let mut requests = Vec::new();
    let mut bodies: Vec<(&str, Value)> = Vec::new();
    for given in [
        json!({ "seal": GUESS }),
        json!({ "codes": [GUESS, "OTHER"] }),
        json!({ "box": { "code": GUESS } }),
        json!({ "box": { "serial": GUESS } }),
        json!({ "box": { "codes": [GUESS, "OTHER"] } }),
        json!({ "plate": { "code": GUESS } }),
        json!({ "keys": [{ "secret": GUESS }] }),
        json!({ "keys": [{ "serial": GUESS }] }),
        json!({ "keys": [{}, {}, { "value": "a", "type": "x", "secret": GUESS }] }),
        json!({ "slots": [{ "secret": GUESS }] }),
        json!({ "slots": [{}, {}, { "place": "up", "secret": GUESS }] }),
        json!({ "cards": [{ "value": GUESS }] }),
        json!({ "notes": [{ "type": GUESS }] }),
        json!({ LOCK: { "bolt": { "code": GUESS } } }),
        json!({ "badge": GUESS }),
    ] {
        bodies.push(("PUT", given.clone()));
        for op in ["add", "replace"] {
            bodies.push(("PATCH", json!([{ "op": op, "value": given }])));
        }
    }
    for (path, value) in [
        ("seal", json!(GUESS)),
        ("codes", json!([GUESS])),
        ("box", json!({ "code": GUESS })),
        ("box", json!({ "serial": GUESS })),
        ("box.code", json!(GUESS)),
        ("box.serial", json!(GUESS)),
        ("box.codes", json!([GUESS])),
        ("plate", json!({ "code": GUESS, "size": "L" })),
        ("plate.code", json!(GUESS)),
        ("keys", json!([{ "value": "a", "type": "x", "secret": GUESS }])),
        ("keys", json!([{ "secret": GUESS }])),
        ("keys", json!([{ "value": "a", "type": "x", "serial": GUESS }])),
        ("keys.secret", json!(GUESS)),
        (r#"keys[value eq "a"]"#, json!({ "value": "a", "type": "x", "secret": GUESS })),
        (r#"keys[value eq "a"]"#, json!({ "value": "a", "serial": GUESS })),
        (r#"keys[value eq "a"]"#, json!([{ "secret": GUESS }])),
        (r#"keys[value eq "a"].secret"#, json!(GUESS)),
        (r#"keys[value eq "a"].serial"#, json!(GUESS)),
        (r#"keys[secret eq "GUESS"].type"#, json!("y")),
        (r#"keys[value eq "a" and secret sw "GUESS"]"#, json!({ "type": "y" })),
        ("slots", json!([{ "place": "up", "secret": GUESS }])),
        ("slots", json!([{ "secret": GUESS }])),
        (r#"slots[place eq "up"].secret"#, json!(GUESS)),
        ("cards", json!([{ "value": GUESS, "type": "x" }])),
        ("cards", json!([{ "value": GUESS }])),
        ("cards.value", json!(GUESS)),
        (r#"cards[type eq "x"].value"#, json!(GUESS)),
        (r#"cards[type eq "x"]"#, json!({ "value": GUESS, "type": "x" })),
        (r#"cards[value eq "GUESS"].type"#, json!("y")),
        ("notes", json!([{ "value": "n", "type": GUESS }])),
        ("notes", json!([{ "type": GUESS }])),
        (r#"notes[value eq "n"].type"#, json!(GUESS)),
        ("urn:example:schemas:1.0:Lock:bolt", json!({ "code": GUESS })),
        ("urn:example:schemas:1.0:Lock:bolt.code", json!(GUESS)),
        ("urn:example:schemas:1.0:Lock", json!({ "bolt": { "code": GUESS } })),
    ] {
        for op in ["add", "replace", "remove"] {
            bodies.push(("PATCH", json!([{ "op": op, "path": path, "value": value }])));
            // Twice in one message: what the first one did must not show in the second.
            let operation = json!({ "op": op, "path": path, "value": value });
            bodies.push(("PATCH", json!([operation, operation])));
        }
    }
    for (method, body) in bodies {
        for bulk in [false, true] {
            let body = match method {
                "PATCH" => json!({ "schemas": [PATCH_OP], "Operations": body }),
                _ => body.clone(),
            };
            requests.push(Request { method, body, bulk });
        }
    }
    requests
}

#[test]
fn right_guess_of_a_never_returned_sub_attribute_is_answered_like_a_wrong_one() {
    for request in requests() {
        let modes = [Compat::default(), Compat::strict()];
        for compat in modes.into_iter().take(if request.bulk { 1 } else { 2 }) {
            let [right, wrong] = [KNOWN, "WRONG"].map(|guess| observed(compat, &request, guess));
            assert_eq!(right, wrong, "{} {}", request.method, request.body);
        }
    }
}

#[test]
fn write_that_names_a_never_returned_sub_attribute_is_a_change() {
    for (method, body) in [
        ("PUT", json!({ "box": { "code": KNOWN } })),
        ("PUT", json!({ "keys": [{ "secret": KNOWN }] })),
        ("PATCH", json!([{ "op": "replace", "path": "box.code", "value": KNOWN }])),
        (
            "PATCH",
            json!([{ "op": "add", "path": "keys", "value": [{ "value": "a", "type": "x", "secret": KNOWN }] }]),
        ),
    ] {
        let body =
            if method == "PATCH" { json!({ "schemas": [PATCH_OP], "Operations": body }) } else { body };
        let label = format!("{method} {body}");
        let seen = observed(Compat::default(), &Request { method, body, bulk: false }, KNOWN);
        assert_eq!((&seen["status"], &seen["moved"]), (&json!(200), &json!(true)), "{label} {seen}");
    }
    // What a client only sends back as it saw it is none.
    let seen = observed(Compat::default(), &Request { method: "PUT", body: json!({}), bulk: false }, KNOWN);
    assert_eq!((&seen["status"], &seen["moved"]), (&json!(200), &json!(false)), "{seen}");
}
