//! The modes `strict` and `profile`, as far as the service provider as a whole shows them.

use scim2_core::Compat;
use serde_json::json;

use crate::harness::{GROUP, Server, USER};

fn strict() -> Server {
    Server::with(|builder| builder.options(|options| options.compat = Compat::strict()))
}

fn profile() -> Server {
    Server::with(|builder| builder.options(|options| options.compat = Compat::profile()))
}

#[test]
fn strict_refuses_what_default_forgives() {
    let (strict, default) = (strict(), Server::new());
    for body in [
        json!({ "userName": "ada" }),
        json!({ "schemas": [USER], "userName": "ada", "active": "True" }),
        json!({ "schemas": [USER], "userName": "ada", "shoeSize": 9 }),
        json!({ "schemas": [USER], "userName": "ada", "manager": "x" }),
    ] {
        assert_eq!(strict.post("/Users", body.clone()).status, 400, "{body}");
        let created = default.post("/Users", body.clone());
        assert_eq!(created.status, 201, "{body}: {}", created.json);
        default.delete(&format!("/Users/{}", created.json["id"].as_str().expect("an id")));
    }
    strict.get("/Users/").refused(404, "");
    assert_eq!(default.get("/Users/").status, 200);
    strict.get("/Users?attributes=id&excludedAttributes=name").refused(400, "invalidValue");
    strict.get("/Users?filter=active%20eq%20TRUE").refused(400, "invalidFilter");
    assert_eq!(default.get("/Users?filter=active%20eq%20TRUE").status, 200);
    strict.group("Tour", &[]);
    assert_eq!(strict.post("/Groups", json!({ "schemas": [GROUP], "displayName": "Tour" })).status, 201);
}

#[test]
fn i_4_01_the_profile_says_that_it_conforms() {
    assert_eq!(profile().get("/ServiceProviderConfig").ok()["interopProfileConformant"], true);
    assert!(Server::new().get("/ServiceProviderConfig").ok()["interopProfileConformant"].is_null());
}

#[test]
fn i_5_3_01_the_profile_refuses_unknown_attributes_and_schemas() {
    let server = profile();
    let shoe = json!({ "schemas": [USER], "userName": "ada", "shoeSize": 9 });
    server.post("/Users", shoe).refused(400, "invalidSyntax");
    let schema = json!({ "schemas": [USER, "urn:example:other"], "userName": "ada" });
    server.post("/Users", schema).refused(400, "invalidSyntax");
}

#[test]
fn i_6_3_02_the_profile_refuses_filters_on_unknown_attributes() {
    profile().get("/Users?filter=shoeSize%20eq%20%229%22").refused(400, "invalidFilter");
}

#[test]
fn i_6_5_02_03_04_the_profile_narrows_patch() {
    let server = profile();
    let id = server.created(
        "/Users",
        json!({
            "schemas": [USER], "userName": "ada", "name": { "givenName": "Ada", "familyName": "King" },
            "emails": [{ "value": "a@example.com", "type": "work" }],
        }),
    );
    let path = format!("/Users/{id}");
    server
        .operations(&path, json!([{ "op": "add", "value": { "title": "Dr" } }]))
        .refused(400, "invalidSyntax");
    let element = json!([{ "op": "remove", "path": "emails[type eq \"work\"]" }]);
    server.operations(&path, element).refused(400, "invalidPath");
    let whole = json!([{ "op": "replace", "path": "name", "value": { "givenName": "Augusta" } }]);
    assert_eq!(server.operations(&path, whole).ok()["name"], json!({ "givenName": "Augusta" }));
    let merged = json!([{ "op": "add", "path": "name", "value": { "familyName": "Byron" } }]);
    let name = json!({ "givenName": "Augusta", "familyName": "Byron" });
    assert_eq!(server.operations(&path, merged).ok()["name"], name);
}

#[test]
fn i_6_4_01_i_6_6_01_i_6_9_01_pages_deletion_and_uniqueness_hold_in_the_profile() {
    let server = profile();
    for n in 0..101 {
        server.user(&format!("user-{n}"));
    }
    assert_eq!(server.get("/Users?count=100").ok()["itemsPerPage"], 100);
    server.post("/Users", json!({ "schemas": [USER], "userName": "USER-1" })).refused(409, "uniqueness");
    assert_eq!(server.delete("/Users/r-00002").status, 204);
    server.user("user-1");
}

#[test]
fn i_6_7_01_the_profile_asks_for_no_conditional_headers_and_honours_them() {
    let server = profile();
    let id = server.user("ada");
    let path = format!("/Users/{id}");
    let title = json!([{ "op": "add", "path": "title", "value": "Dr" }]);
    let patched = server.operations(&path, title.clone());
    assert_eq!(patched.ok()["title"], "Dr");
    // A client that sends one all the same wants the write to be protected.
    let mut stale = crate::harness::with_body(
        http::Method::PATCH,
        &path,
        json!({ "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": title }),
    );
    stale.headers_mut().insert("if-match", "W/\"stale\"".parse().expect("a value"));
    server.send(stale).refused(412, "");
    assert_eq!(server.delete(&path).status, 204);
}

#[test]
fn i_5_3_01_i_6_5_01_the_profile_replaces_whole_what_put_and_patch_name() {
    let server = profile();
    let id = server.user("ada");
    let path = format!("/Users/{id}");
    let shoe = json!([{ "op": "add", "path": "shoeSize", "value": 9 }]);
    server.operations(&path, shoe).refused(400, "invalidPath");
    let unknown = json!({ "schemas": [USER], "userName": "ada", "shoeSize": 9 });
    server.put(&path, unknown).refused(400, "invalidSyntax");
    let emails = |value: &str| json!([{ "op": "replace", "path": "emails", "value": [{ "value": value }] }]);
    server.operations(&path, emails("a@example.com")).ok();
    let patched = server.operations(&path, emails("b@example.com"));
    assert_eq!(patched.ok()["emails"], json!([{ "value": "b@example.com" }]));
}

#[test]
fn i_5_1_01_i_6_1_01_discovery_of_the_profile_is_exact() {
    let server = profile();
    let schemas = server.get("/Schemas");
    for type_ in server.get("/ResourceTypes").resources() {
        assert_eq!(type_["id"], type_["name"]);
        assert!(schemas.column("id").contains(&type_["schema"].as_str().expect("a URI")));
        let endpoint = type_["endpoint"].as_str().expect("a path");
        assert_eq!(server.get(endpoint).status, 200);
    }
    let config = server.get("/ServiceProviderConfig");
    let supported = |feature: &str| config.ok()[feature]["supported"].clone();
    assert_eq!(
        ["patch", "filter", "bulk", "sort", "etag"].map(supported),
        [true; 5].map(serde_json::Value::from)
    );
    // A resource has one address: its id.
    server.user("ada");
    server.get("/Users/ada").refused(404, "");
}

#[test]
fn i_5_2_01_filters_and_uniqueness_of_the_profile_agree_on_case() {
    let server = profile();
    let user =
        |name: &str, external: &str| json!({ "schemas": [USER], "userName": name, "externalId": external });
    let id = server.created("/Users", user("Ada", "Ext-1"));
    server.post("/Users", user("ADA", "Ext-2")).refused(409, "uniqueness");
    server.created("/Users", user("bob", "EXT-1"));
    for (filter, found) in [
        ("userName eq \"aDA\"".to_owned(), 1),
        ("externalId eq \"Ext-1\"".to_owned(), 1),
        ("externalId eq \"ext-1\"".to_owned(), 0),
        (format!("id eq \"{id}\""), 1),
        (format!("id eq \"{}\"", id.to_uppercase()), 0),
    ] {
        let query = percent_encoding::utf8_percent_encode(&filter, percent_encoding::NON_ALPHANUMERIC);
        assert_eq!(server.get(&format!("/Users?filter={query}")).ok()["totalResults"], found, "{filter}");
    }
}

#[test]
fn i_6_2_01_i_6_3_01_i_6_5_01_bodies_filters_and_patch_of_the_profile() {
    let server = profile();
    let id = server.user("ada");
    let path = format!("/Users/{id}");
    let title = json!([{ "op": "replace", "path": "title", "value": "Dr" }]);
    assert_eq!(server.operations(&path, title).ok()["title"], "Dr");
    let both = "/Users?filter=userName%20eq%20%22ada%22%20and%20title%20eq%20%22dr%22";
    assert_eq!(server.get(both).ok()["totalResults"], 1);
    for answer in [
        server.get(&path),
        server.get("/Users"),
        server.get("/Schemas"),
        server.get("/Users/none"),
        server.post("/Users", json!({ "schemas": [USER] })),
    ] {
        assert_eq!(answer.header("content-type"), "application/scim+json", "{}", answer.json);
    }
}
