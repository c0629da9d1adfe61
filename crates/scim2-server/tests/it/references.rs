//! `$ref` of what refers to resources is computed, whatever clients say (C-4.3-02).

use scim2_core::Registry;
use serde_json::{Value, json};

use crate::harness::{BASE, ENTERPRISE, Server, USER, registry_with};

fn employee(manager: impl Into<Value>) -> Value {
    let mut user = json!({ "schemas": [USER, ENTERPRISE], "userName": "ada" });
    user[ENTERPRISE] = json!({ "manager": manager.into() });
    user
}

/// What is answered of the manager with that id.
fn manager(id: &str) -> Value {
    json!({ "value": id, "$ref": format!("{BASE}/Users/{id}") })
}

#[track_caller]
fn same_everywhere(server: &Server, id: &str, expected: &Value) {
    let found = server.get(&format!("/Users/{id}"));
    assert_eq!(found.ok()[ENTERPRISE]["manager"], *expected);
    let listed = server.get("/Users?filter=userName%20eq%20%22ada%22");
    assert_eq!(listed.resources()[0][ENTERPRISE]["manager"], *expected);
    let projected = server.get(&format!("/Users/{id}?attributes={ENTERPRISE}:manager"));
    assert_eq!(projected.ok()[ENTERPRISE]["manager"], *expected);
}

#[test]
fn q_ref_client_the_reference_of_a_manager_is_computed() {
    for (sent, expected) in [
        (json!({ "value": "r-9" }), manager("r-9")),
        (json!("r-9"), manager("r-9")),
        (json!({ "value": "r-9", "$ref": "../Users/r-8" }), manager("r-9")),
        (json!({ "value": "r-9", "$ref": "https://elsewhere.example.org/Users/1" }), manager("r-9")),
        (json!({ "value": "r-9", "displayName": "Nobody" }), manager("r-9")),
        // If only the reference is sent, its end is the value.
        (json!({ "$ref": "https://example.com/scim/v2/Users/r-9" }), manager("r-9")),
        (json!({ "$ref": "../Users/r-9" }), manager("r-9")),
        // This one leads to no User.
        (json!({ "$ref": "../Groups/r-9" }), json!({ "$ref": "../Groups/r-9" })),
        (json!({ "value": "a b/c" }), json!({ "value": "a b/c", "$ref": format!("{BASE}/Users/a%20b%2Fc") })),
    ] {
        let server = Server::new();
        let created = server.post("/Users", employee(sent.clone()));
        assert_eq!(created.status, 201, "{sent}: {}", created.json);
        assert_eq!(created.json[ENTERPRISE]["manager"], expected, "{sent}");
        same_everywhere(&server, created.json["id"].as_str().expect("an id"), &expected);
    }
}

#[test]
fn a_put_of_what_was_read_changes_nothing() {
    let server = Server::new();
    let created = server.post("/Users", employee(json!({ "value": "r-9" })));
    let id = created.json["id"].as_str().expect("an id");
    let put = server.put(&format!("/Users/{id}"), created.json.clone());
    assert_eq!(put.ok(), &created.json, "also the version");
}

#[test]
fn q_ref_client_the_reference_follows_the_value_in_a_patch() {
    let path = format!("{ENTERPRISE}:manager");
    let (value, reference) = (format!("{path}.value"), format!("{path}.$ref"));
    for (operations, expected) in [
        (json!([{ "op": "replace", "path": path, "value": { "value": "r-9" } }]), manager("r-9")),
        (json!([{ "op": "add", "path": path, "value": "r-9" }]), manager("r-9")),
        (json!([{ "op": "replace", "path": value, "value": "r-9" }]), manager("r-9")),
        (
            json!([{ "op": "add", "value": { ENTERPRISE: { "manager": { "value": "r-9" } } } }]),
            manager("r-9"),
        ),
        (json!([{ "op": "replace", "path": path, "value": manager("r-9") }]), manager("r-9")),
        (
            json!([
                { "op": "replace", "path": value, "value": "r-9" },
                { "op": "replace", "path": reference, "value": "Users/r-7" },
            ]),
            manager("r-9"),
        ),
        (json!([{ "op": "replace", "path": path, "value": { "value": "r-8" } }]), manager("r-8")),
        (json!([{ "op": "replace", "path": reference, "value": "Users/r-7" }]), manager("r-8")),
        (json!([{ "op": "remove", "path": reference }]), manager("r-8")),
        (json!([{ "op": "add", "path": "title", "value": "Dr" }]), manager("r-8")),
        (json!([{ "op": "remove", "path": value }]), Value::Null),
        (json!([{ "op": "remove", "path": path }]), Value::Null),
        (json!([{ "op": "replace", "path": path, "value": "" }]), Value::Null),
    ] {
        let server = Server::new();
        let id = server.created("/Users", employee(json!({ "value": "r-8" })));
        let patched = server.operations(&format!("/Users/{id}"), operations.clone());
        assert_eq!(patched.ok()[ENTERPRISE]["manager"], expected, "{operations}");
        assert_eq!(server.get(&format!("/Users/{id}")).bytes, patched.bytes, "{operations}");
        let has_extension = patched.json["schemas"].as_array().expect("a list").len() == 2;
        assert_eq!(has_extension, !expected.is_null(), "{operations}");
    }
}

#[test]
fn a_computed_reference_is_filtered_like_a_stored_one() {
    let server = Server::new();
    server.created("/Users", employee(json!({ "value": "r-9" })));
    for (filter, expected) in [
        (format!("{ENTERPRISE}:manager.$ref ew \"/Users/r-9\""), 1),
        (format!("{ENTERPRISE}:manager.$ref eq \"{BASE}/Users/r-9\""), 1),
        (format!("{ENTERPRISE}:manager.$ref pr"), 1),
        (format!("{ENTERPRISE}:manager.$ref ew \"/Users/r-8\""), 0),
        (format!("{ENTERPRISE}:manager[value eq \"r-9\" and $ref ew \"/r-9\"]"), 1),
    ] {
        let query = percent_encoding::utf8_percent_encode(&filter, percent_encoding::NON_ALPHANUMERIC);
        assert_eq!(server.get(&format!("/Users?filter={query}")).ok()["totalResults"], expected, "{filter}");
    }
}

/// A type whose resources refer to Users, to Users or Groups, and elsewhere.
fn registry() -> Registry {
    let sub = |types: Value| {
        json!([
            { "name": "value" },
            { "name": "type" },
            { "name": "$ref", "type": "reference", "referenceTypes": types },
        ])
    };
    let schema = json!({
        "id": "urn:example:schemas:1.0:Room",
        "name": "Room",
        "attributes": [
            { "name": "name", "required": true },
            { "name": "owner", "type": "complex", "subAttributes": sub(json!(["User"])) },
            { "name": "guests", "type": "complex", "multiValued": true, "subAttributes": sub(json!(["User", "Group"])) },
            { "name": "site", "type": "complex", "subAttributes": sub(json!(["external"])) },
            { "name": "house", "type": "complex", "subAttributes": sub(json!(["House"])) },
        ],
    });
    let type_ = json!({ "name": "Room", "endpoint": "/Rooms", "schema": "urn:example:schemas:1.0:Room" });
    registry_with([schema], [type_])
}

#[test]
fn references_of_any_schema_are_computed_where_their_type_can_be_told() {
    let server = Server::with(|builder| builder.registry(registry()));
    let room = json!({
        "schemas": ["urn:example:schemas:1.0:Room"],
        "name": "Attic",
        "owner": { "value": "u-1", "$ref": "nonsense" },
        "guests": [
            { "value": "u-2", "type": "User" },
            { "value": "g-1", "type": "Group", "$ref": "/else/where" },
            { "value": "x-1", "$ref": "/kept/as/sent" },
            { "$ref": "../Groups/g-2" },
        ],
        "site": { "value": "s-1", "$ref": "https://sites.example.org/1" },
        "house": { "value": "h-1", "$ref": "/houses/1" },
    });
    let created = server.post("/Rooms", room);
    assert_eq!(created.status, 201, "{}", created.json);
    assert_eq!(created.json["owner"], manager("u-1"));
    assert_eq!(
        created.json["guests"],
        json!([
            { "value": "u-2", "type": "User", "$ref": format!("{BASE}/Users/u-2") },
            { "value": "g-1", "type": "Group", "$ref": format!("{BASE}/Groups/g-1") },
            { "value": "x-1", "$ref": "/kept/as/sent" },
            { "value": "g-2", "$ref": "../Groups/g-2" },
        ])
    );
    assert_eq!(created.json["site"], json!({ "value": "s-1", "$ref": "https://sites.example.org/1" }));
    assert_eq!(created.json["house"], json!({ "value": "h-1", "$ref": "/houses/1" }));
    let path = format!("/Rooms/{}", created.json["id"].as_str().expect("an id"));
    assert_eq!(server.get(&path).ok(), &created.json);
    let moved = json!([{ "op": "replace", "path": "owner.value", "value": "u-9" }]);
    assert_eq!(server.operations(&path, moved).ok()["owner"], manager("u-9"));
}
