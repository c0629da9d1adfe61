//! RFC 7644 §3.3 and §3.4.1: creating and retrieving.

use http::Method;
use scim2_core::schema::ResourceType;
use scim2_core::{Registry, SchemaUri};
use serde_json::{Value, json};

use crate::harness::{BASE, ENTERPRISE, GROUP, Server, USER, badges, raw};

#[test]
fn s_3_3_05_06_07_a_created_user_is_answered_with_its_location() {
    let server = Server::new();
    let created = server.post(
        "/Users",
        json!({ "schemas": [USER], "USERNAME": "ada", "id": "mine", "name": { "givenName": "Ada" } }),
    );
    assert_eq!(created.status, 201);
    assert_eq!(
        created.json,
        json!({
            "schemas": [USER],
            "id": "r-00001",
            "userName": "ada",
            "active": true,
            "name": { "givenName": "Ada" },
            "meta": {
                "resourceType": "User",
                "created": "2026-01-02T03:04:05.678Z",
                "lastModified": "2026-01-02T03:04:05.678Z",
                "location": "https://example.com/scim/v2/Users/r-00001",
                "version": "W/\"1\"",
            },
        })
    );
    assert_eq!(created.header("location"), created.json["meta"]["location"]);
    assert_eq!(created.header("etag"), created.json["meta"]["version"]);
    assert_eq!(created.header("content-type"), "application/scim+json");

    let retrieved = server.get("/Users/r-00001");
    assert_eq!(retrieved.status, 200);
    assert_eq!(retrieved.bytes, created.bytes);
}

#[test]
fn s_3_4_1_01_a_resource_is_no_list() {
    let server = Server::new();
    let id = server.user("ada");
    let user = server.get(&format!("/Users/{id}"));
    assert!(user.ok()["Resources"].is_null());
    assert_eq!(user.header("location"), user.json["meta"]["location"]);
}

#[test]
fn s_3_4_1_02_c_3_1_07_an_unknown_id_is_404() {
    let server = Server::new();
    let id = server.user("ada");
    for path in ["/Users/none", "/Users/%F0%9F%92%A9", "/Users/a%2Fb", "/Users/..", "/Groups/r-00001"] {
        server.get(path).refused(404, "");
    }
    server.get(&format!("/Users/{}", id.to_uppercase())).refused(404, "");
}

#[test]
fn c_3_1_01_c_3_1_12_s_3_3_01_what_the_server_assigns_is_ignored() {
    let server = Server::new();
    let created = server.post(
        "/Users",
        json!({
            "schemas": [USER], "userName": "ada", "id": "mine", "groups": [{ "value": "g" }],
            "meta": { "created": "1999-01-01T00:00:00Z", "resourceType": "Group", "version": "W/\"9\"" },
        }),
    );
    assert_eq!(created.status, 201);
    assert_eq!(created.json["id"], "r-00001");
    assert_eq!(created.json["meta"]["resourceType"], "User");
    assert_eq!(created.json["meta"]["created"], "2026-01-02T03:04:05.678Z");
    assert!(created.json["groups"].is_null());
}

#[test]
fn c_3_1_08_an_external_id_is_the_clients() {
    let server = Server::new();
    let id = server.user("ada");
    assert!(server.get(&format!("/Users/{id}")).json["externalId"].is_null());
    let created = server.post("/Users", json!({ "schemas": [USER], "userName": "bob", "externalId": "X-1" }));
    assert_eq!(created.json["externalId"], "X-1");
    let again = server.post("/Users", json!({ "schemas": [USER], "userName": "eve", "externalId": "X-1" }));
    assert_eq!(again.status, 201, "C-3.1-10: two resources may share an externalId");
    // C-3.1-11: it keeps its case, and its client may change it.
    let found = |value: &str| {
        let list = server.get(&format!("/Users?filter=externalId%20eq%20%22{value}%22"));
        list.ok()["totalResults"].clone()
    };
    assert_eq!([found("X-1"), found("x-1")], [json!(2), json!(0)]);
    let path = format!("/Users/{}", created.json["id"].as_str().expect("an id"));
    let patched = server.operations(&path, json!([{ "op": "replace", "path": "externalId", "value": "Y" }]));
    assert_eq!(patched.ok()["externalId"], "Y");
    let cleared = server.put(&path, json!({ "schemas": [USER], "userName": "bob" }));
    assert!(cleared.ok()["externalId"].is_null());
    assert_eq!(found("X-1"), 1);
}

#[test]
fn c_3_1_02_what_a_schema_says_of_a_common_attribute_changes_nothing() {
    let schema = json!({
        "id": "urn:example:schemas:1.0:Old", "name": "Old",
        "attributes": [
            { "name": "id", "mutability": "readWrite", "returned": "request" },
            { "name": "externalId", "caseExact": false },
            { "name": "meta", "type": "complex", "mutability": "readWrite", "subAttributes": [{ "name": "created" }] },
            { "name": "colour" },
        ],
    });
    let uri = SchemaUri::parse("urn:example:schemas:1.0:Old").expect("a URI");
    let types = vec![ResourceType::new("Old", "/Olds", uri)];
    let schemas = vec![serde_json::from_value(schema).expect("a schema")];
    let registry = Registry::with(schemas, types).expect("schemas that compile");
    let server = Server::with(|builder| builder.registry(registry));
    let created = server.post(
        "/Olds",
        json!({
            "schemas": ["urn:example:schemas:1.0:Old"], "id": "mine", "externalId": "X", "colour": "red",
            "meta": { "created": "1999-01-01T00:00:00Z" },
        }),
    );
    assert_eq!(created.json["id"], "r-00001");
    assert_eq!(created.json["externalId"], "X", "C-3-03");
    assert_eq!(created.json["meta"]["created"], "2026-01-02T03:04:05.678Z");
    assert_eq!(created.json["meta"]["resourceType"], "Old");
    assert_eq!(server.get("/Olds?attributes=colour").resources()[0]["id"], "r-00001");
    assert_eq!(server.get("/Olds?filter=externalId%20eq%20%22x%22").ok()["totalResults"], 0);
    for path in ["id", "meta.created"] {
        let operation = json!([{ "op": "replace", "path": path, "value": "1999-01-01T00:00:00Z" }]);
        server.operations("/Olds/r-00001", operation).refused(400, "mutability");
    }
}

#[test]
fn c_3_1_03_06_ids_are_unique_over_all_types() {
    let server = Server::with(|builder| builder.ids(scim2_server::UuidSource));
    let mut ids: Vec<String> = (0..200)
        .map(|n| if n % 2 == 0 { server.user(&format!("u{n}")) } else { server.group(&format!("g{n}"), &[]) })
        .collect();
    assert!(ids.iter().all(|id| !id.is_empty() && !id.to_lowercase().contains("bulkid")));
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 200);
    let mut listed: Vec<String> = server
        .get("/?count=200")
        .resources()
        .iter()
        .map(|it| it["id"].as_str().expect("an id").to_owned())
        .collect();
    listed.sort();
    assert_eq!(listed, ids);
}

#[test]
fn c_3_04_extension_attributes_stand_under_their_urn() {
    let server = Server::new();
    let created = server.post(
        "/Users",
        json!({
            "schemas": [USER, ENTERPRISE], "userName": "ada",
            ENTERPRISE: { "employeeNumber": "7", "manager": { "value": "r-9", "displayName": "Boss" } },
        }),
    );
    assert_eq!(created.json["schemas"], json!([USER, ENTERPRISE]));
    assert_eq!(created.json[ENTERPRISE]["employeeNumber"], "7");
    assert_eq!(
        created.json[ENTERPRISE]["manager"],
        json!({ "value": "r-9", "$ref": format!("{BASE}/Users/r-9") }),
        "C-4.3-03: displayName is readOnly"
    );
}

#[test]
fn s_3_3_08_c_4_1_1_01_a_taken_user_name_is_409_whatever_its_case_or_state() {
    let server = Server::new();
    server.created("/Users", json!({ "schemas": [USER], "userName": "BJensen", "active": false }));
    for name in ["BJensen", "bjensen", "ｂjensen"] {
        let refused = server.post("/Users", json!({ "schemas": [USER], "userName": name }));
        refused.refused(409, "uniqueness");
        assert!(refused.detail().contains("userName"), "{}", refused.detail());
    }
    for name in [json!(""), json!(null), json!(7)] {
        server.post("/Users", json!({ "schemas": [USER], "userName": name })).refused(400, "invalidValue");
    }
    server.post("/Users", json!({ "schemas": [USER] })).refused(400, "invalidValue");
}

#[test]
fn q_group_display_unique_a_group_name_is_taken_in_default_mode() {
    let server = Server::new();
    server.group("Tour", &[]);
    server.post("/Groups", json!({ "schemas": [GROUP], "displayName": "TOUR" })).refused(409, "uniqueness");
}

#[test]
fn s_3_3_02_04_active_has_a_default_that_null_clears() {
    let server = Server::new();
    let create = |active: Value, name: &str| {
        server.post("/Users", json!({ "schemas": [USER], "userName": name, "active": active })).json["active"]
            .clone()
    };
    assert_eq!(create(json!(false), "a"), json!(false));
    assert_eq!(create(json!(null), "b"), json!(null));
}

#[test]
fn s_3_3_1_01_the_resource_type_follows_the_endpoint() {
    let server = Server::new();
    let group = server.group("Tour", &[]);
    assert_eq!(server.get(&format!("/Groups/{group}")).json["meta"]["resourceType"], "Group");
}

#[test]
fn c_4_1_1_09_c_9_2_01_a_password_is_stored_as_a_hash_and_never_answered() {
    use futures_util::FutureExt;
    use scim2_server::{Context, ResourceStore, store::Include};

    let server = Server::new();
    let secret = "correct horse \u{3000}battery";
    let created = server.post("/Users", json!({ "schemas": [USER], "userName": "ada", "password": secret }));
    assert_eq!(created.status, 201);
    let id = created.json["id"].as_str().expect("an id").to_owned();
    for answer in [
        created,
        server.get(&format!("/Users/{id}?attributes=password,userName")),
        server.get("/Users"),
        server.operations(
            &format!("/Users/{id}"),
            json!([{ "op": "replace", "path": "password", "value": "2nd" }]),
        ),
        server.put(
            &format!("/Users/{id}"),
            json!({ "schemas": [USER], "userName": "ada", "password": secret }),
        ),
        server.get("/Users?filter=password%20eq%20%22correct%22"),
        server.get("/Users?sortBy=password"),
    ] {
        let text = String::from_utf8(answer.bytes.to_vec()).expect("UTF-8");
        for leak in ["correct", "horse", "2nd", "reversed"] {
            assert!(!text.contains(leak), "{text}");
        }
        assert!(answer.json["password"].is_null());
    }
    let cx = Context::new(
        server.provider.registry().clone(),
        scim2_server::TenantId::default(),
        "test",
        chrono::DateTime::UNIX_EPOCH,
    );
    let user = cx.registry.resource_type("User").expect("a standard type");
    let include = Include { never_returned: true, ..Include::default() };
    let stored =
        server.provider.store().retrieve(&cx, user, &id, include).now_or_never().expect("no waiting");
    let stored = stored.expect("no error").expect("a user");
    let hash =
        stored.never_returned.expect("never-returned attributes").get_str("password").map(str::to_owned);
    // S-5-02: OpaqueString makes the ideographic space an ordinary one, and keeps letter case.
    assert_eq!(hash.as_deref(), Some("$reversed$yrettab  esroh tcerroc"));
}

#[test]
fn s_5_01_a_password_that_the_profile_refuses_is_400() {
    let server = Server::new();
    for password in ["", "bell\u{7}"] {
        let refused =
            server.post("/Users", json!({ "schemas": [USER], "userName": "ada", "password": password }));
        refused.refused(400, "invalidValue");
        assert!(refused.detail().contains("password") && !refused.detail().contains("bell"));
    }
}

#[test]
fn without_a_hasher_a_password_is_501() {
    let clock = Server::new();
    drop(clock);
    let provider = scim2_server::ServiceProvider::builder(scim2_server::MemoryStore::new()).build();
    assert!(!provider.service_provider_config().change_password.supported);
}

#[test]
fn c_2_1_01_names_are_stored_as_the_schema_spells_them() {
    let server = Server::new();
    let created = server.post(
        "/Users",
        json!({ "SCHEMAS": [USER], "UserName": "ada", "NAME": { "GIVENNAME": "Ada" }, "EMAILS": [{ "VALUE": "a@example.com" }] }),
    );
    assert_eq!(created.json["name"]["givenName"], "Ada");
    assert_eq!(created.json["emails"][0]["value"], "a@example.com");
}

#[test]
fn c_2_5_01_03_unassigned_attributes_are_left_out() {
    let server = Server::new();
    let created = server.post(
        "/Users",
        json!({ "schemas": [USER], "userName": "ada", "title": null, "emails": [], "name": { "givenName": null } }),
    );
    let text = String::from_utf8(created.bytes.to_vec()).expect("UTF-8");
    assert_eq!(created.status, 201);
    assert!(!text.contains("null") && !text.contains("[]") && !text.contains("{}"), "{text}");
}

#[test]
fn s_3_1_05_a_response_equals_a_later_get() {
    let server = Server::new();
    let user = server.user("ada");
    let group = server.post(
        "/Groups",
        json!({ "schemas": [GROUP], "displayName": "Tour", "members": [{ "value": user, "display": "A" }] }),
    );
    let id = group.json["id"].as_str().expect("an id");
    assert_eq!(server.get(&format!("/Groups/{id}")).bytes, group.bytes);
    let path = format!("/Users/{user}");
    let patched = server.operations(&path, json!([{ "op": "add", "path": "title", "value": "Dr" }]));
    assert_eq!(server.get(&path).bytes, patched.bytes);
}

#[test]
fn c_2_3_3_01_a_number_keeps_its_digits_and_its_size() {
    let server = Server::with(|builder| builder.registry(badges()));
    let badge = |number: &str, weight: &str| {
        let body = format!(
            r#"{{"schemas":["urn:example:schemas:1.0:Badge"],"number":"{number}","weight":{weight}}}"#
        );
        server.send(raw(Method::POST, "/Badges", body))
    };
    let long = "7".repeat(400);
    for (number, weight) in ["1e400", "-2.5E+999", "0.12345678901234567890", long.as_str()].iter().enumerate()
    {
        let created = badge(&number.to_string(), weight);
        assert_eq!(created.status, 201, "{}", created.json);
        let text = String::from_utf8_lossy(&created.bytes);
        assert!(text.contains(&format!(r#""weight":{weight}"#)), "{text}");
    }
    let found = server.get("/Badges?filter=weight%20gt%201e399&sortBy=weight");
    assert_eq!(found.column("number"), ["3", "0"]);
    badge("x", "01e400").refused(400, "invalidSyntax");
}
