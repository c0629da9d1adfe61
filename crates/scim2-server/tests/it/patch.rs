//! RFC 7644 §3.5.2: modifying. scim2-patch tests what each operation means. These tests are about the answers
//! of the service provider.

use serde_json::json;

use crate::harness::{ENTERPRISE, Server, USER};

#[test]
fn s_3_5_2_12_15_operations_run_in_order_and_the_resource_is_answered() {
    let server = Server::new();
    let id = server.user("ada");
    server.sleep(60);
    let patched = server.operations(
        &format!("/Users/{id}"),
        json!([
            { "op": "add", "value": { "title": "Dr", "nickName": "A" } },
            { "op": "remove", "path": "nickName" },
            { "op": "Replace", "path": "title", "value": "Sir" },
            { "op": "add", "path": "emails", "value": [{ "value": "a@example.com", "type": "work" }] },
            { "op": "replace", "path": "emails[type eq \"work\"].value", "value": "b@example.com" },
        ]),
    );
    let json = patched.ok();
    assert_eq!((&json["title"], &json["nickName"]), (&json!("Sir"), &json!(null)));
    assert_eq!(json["emails"], json!([{ "value": "b@example.com", "type": "work" }]));
    assert_eq!(json["meta"]["lastModified"], "2026-01-02T03:05:05.678Z");
    assert_eq!(patched.header("etag"), json["meta"]["version"]);
    assert_eq!(patched.header("location"), json["meta"]["location"]);
    assert_eq!(server.get(&format!("/Users/{id}")).bytes, patched.bytes);
}

#[test]
fn s_3_5_2_14_a_patch_that_fails_changes_nothing() {
    let server = Server::new();
    let id = server.user("ada");
    let before = server.get(&format!("/Users/{id}")).bytes;
    server.sleep(60);
    for (operation, scim_type) in [
        (json!({ "op": "remove" }), "noTarget"),
        (json!({ "op": "remove", "path": "userName" }), "mutability"),
        (json!({ "op": "replace", "path": "id", "value": "x" }), "mutability"),
        (json!({ "op": "replace", "path": "meta.created", "value": "x" }), "mutability"),
        (json!({ "op": "add", "path": "groups", "value": [{ "value": "g" }] }), "mutability"),
        (json!({ "op": "replace", "path": "active", "value": "maybe" }), "invalidValue"),
        (json!({ "op": "add", "path": USER, "value": 9 }), "invalidPath"),
        (json!({ "op": "add", "path": "emails..x", "value": 9 }), "invalidPath"),
        (json!({ "op": "add", "path": "emails[type foo \"x\"].value", "value": "x" }), "invalidFilter"),
        (json!({ "op": "add", "path": "emails[0]", "value": { "value": "x" } }), "invalidPath"),
        (json!({ "op": "replace", "path": "emails[type eq \"work\"].value", "value": 7 }), "invalidValue"),
        (json!({ "op": "move", "path": "title", "from": "nickName" }), "invalidSyntax"),
        (json!({ "op": "copy", "path": "title", "from": "nickName" }), "invalidSyntax"),
        (json!({ "op": "test", "path": "title", "value": "Dr" }), "invalidSyntax"),
    ] {
        let operations = json!([{ "op": "add", "path": "title", "value": "Dr" }, operation]);
        let refused = server.operations(&format!("/Users/{id}"), operations.clone());
        refused.refused(400, scim_type);
        assert_eq!(server.get(&format!("/Users/{id}")).bytes, before, "{operations}");
    }
}

/// One unknown name must not lose a deactivation beside it.
#[test]
fn patch_with_unknown_path_does_the_rest() {
    let server = Server::new();
    let id = server.user("ada");
    let path = format!("/Users/{id}");
    let unknown = json!({ "op": "replace", "path": "urn:example:none:1.0:User:shoeSize", "value": 9 });
    let deactivate = json!({ "op": "replace", "path": "active", "value": false });
    assert_eq!(server.operations(&path, json!([unknown, deactivate])).ok()["active"], false);
    server.operations(&path, json!([unknown])).refused(400, "invalidPath");
    let pathless = json!({ "op": "replace", "value": { "accountEnabled": false } });
    let sub_attribute = json!({ "op": "replace", "path": "name", "value": { "nope": 1 } });
    server.operations(&path, json!([pathless])).refused(400, "invalidPath");
    server.operations(&path, json!([sub_attribute, pathless])).refused(400, "invalidPath");
    assert_eq!(server.operations(&path, json!([pathless, sub_attribute, deactivate])).status, 200);

    let group = format!("/Groups/{}", server.group("Tour", &[]));
    let join = json!({ "op": "add", "path": "members", "value": [{ "value": id }] });
    assert_eq!(server.operations(&group, json!([unknown, join])).status, 204);
    assert_eq!(server.get(&group).ok()["members"][0]["value"], *id);

    let reactivate = json!({ "op": "replace", "path": "active", "value": true });
    let operation = |operations: serde_json::Value| {
        json!({ "method": "PATCH", "path": path, "data": {
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": operations,
        } })
    };
    let bulk = server.post(
        "/Bulk",
        json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],
            "Operations": [
                operation(json!([unknown, reactivate])),
                operation(json!([unknown])),
                operation(json!([pathless])),
                operation(json!([sub_attribute])),
            ],
        }),
    );
    let results = &bulk.ok()["Operations"];
    let status = |index: usize| results[index]["status"].as_str();
    assert_eq!([0, 1, 2, 3].map(status), ["200", "400", "400", "400"].map(Some), "{results}");
    assert_eq!(server.get(&path).ok()["active"], true);
}

/// What a `remove` does not list stays, in bodies and among members, in Bulk too.
#[test]
fn remove_with_value_loses_only_what_it_lists() {
    let server = Server::new();
    let id = server.created(
        "/Users",
        json!({
            "schemas": [USER, ENTERPRISE], "userName": "ada", "name": { "givenName": "Ann", "familyName": "Lee" },
            ENTERPRISE: { "department": "D", "division": "V", "costCenter": "C" },
        }),
    );
    let path = format!("/Users/{id}");
    let remove =
        |path: &str, value: serde_json::Value| json!([{ "op": "remove", "path": path, "value": value }]);
    let after = server.operations(&path, remove("name", json!({ "givenName": "Ann" })));
    assert_eq!(after.ok()["name"], json!({ "familyName": "Lee" }));
    let after =
        server.operations(&path, remove(ENTERPRISE, json!({ "department": "D", "division": "other" })));
    assert_eq!(after.ok()[ENTERPRISE], json!({ "division": "V", "costCenter": "C" }));
    let version = after.header("etag").to_owned();
    let after = server.operations(&path, remove("name.familyName", json!("other")));
    assert_eq!(after.header("etag"), version);

    let (a, b) = (server.user("a"), server.user("b"));
    let group = format!("/Groups/{}", server.group("Tour", &[&a, &b]));
    let both = format!(r#"members[value eq "{a}" or value eq "{b}"]"#);
    assert_eq!(server.operations(&group, remove(&both, json!([{ "value": "c" }]))).status, 204);
    assert_eq!(server.get(&group).ok()["members"].as_array().map(Vec::len), Some(2));
    assert_eq!(server.operations(&group, remove(&both, json!([{ "value": a }]))).status, 204);
    assert_eq!(server.get(&group).ok()["members"][0]["value"], *b);
    assert_eq!(server.get(&group).ok()["members"].as_array().map(Vec::len), Some(1));

    let strict =
        Server::with(|builder| builder.options(|options| options.compat = scim2_core::Compat::strict()));
    let a = strict.user("a");
    let group = format!("/Groups/{}", strict.group("Tour", &[&a]));
    let one = format!(r#"members[value eq "{a}"]"#);
    strict.operations(&group, remove(&one, json!([{ "value": a }]))).refused(400, "invalidSyntax");
    assert_eq!(strict.get(&group).ok()["members"].as_array().map(Vec::len), Some(1));
}

/// The error says what is wrong, and not what would be wrong with somebody else's membership.
#[test]
fn error_of_member_path_says_the_reason() {
    let server = Server::new();
    let member = server.user("a");
    let group = format!("/Groups/{}", server.group("Tour", &[&member]));
    let nobody = json!({ "op": "replace", "path": "members[value eq \"bogus\"]", "value": { "value": "x" } });
    let answer = server.operations(&group, json!([nobody]));
    assert!(answer.refused(400, "noTarget").detail().contains("matches no value"), "{}", answer.detail());
    let nobody = json!({ "op": "replace", "path": "members[value eq \"bogus\"].value", "value": "x" });
    server.operations(&group, json!([nobody])).refused(400, "noTarget");
    let path = format!("members[value eq \"{member}\"].value");
    let answer = server.operations(&group, json!([{ "op": "remove", "path": path }]));
    assert!(answer.refused(400, "mutability").detail().contains("cannot be removed"), "{}", answer.detail());
}

/// `value-object` and `json-text`, wherever a client can write.
#[test]
fn wrapped_values_and_json_text_are_read_in_every_write() {
    let server = Server::new();
    let emails = r#"[{"value":"a@example.com","type":"work"}]"#;
    let body = |title: &str| {
        json!({
            "schemas": [USER], "userName": [{ "value": "ada" }], "active": [{ "value": "False" }],
            "title": [{ "$ref": null, "value": title }], "emails": emails,
            "roles": [{ "value": "{\"id\":\"7\"}" }],
        })
    };
    let check = |answer: serde_json::Value, title: &str| {
        assert_eq!((&answer["userName"], &answer["active"]), (&json!("ada"), &json!(false)), "{answer}");
        assert_eq!(
            (&answer["title"], &answer["emails"][0]["type"]),
            (&json!(title), &json!("work")),
            "{answer}"
        );
        assert_eq!(answer["roles"][0]["value"], r#"{"id":"7"}"#, "{answer}");
    };
    let made = server.post("/Users", body("Dr"));
    check(made.json.clone(), "Dr");
    let path = format!("/Users/{}", made.json["id"].as_str().expect("an id"));
    check(server.put(&path, body("Prof")).ok().clone(), "Prof");
    let patch = json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:PatchOp"],
        "Operations": [{ "op": "replace", "path": "title", "value": [{ "value": "Sir" }] }],
    });
    let bulk = json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:BulkRequest"],
        "Operations": [
            { "method": "PUT", "path": path, "data": body("Mx") },
            { "method": "PATCH", "path": path, "data": patch },
        ],
    });
    let results = server.post("/Bulk", bulk);
    let statuses: Vec<_> = results.ok()["Operations"].as_array().expect("a list").iter().collect();
    assert!(statuses.iter().all(|result| result["status"] == "200"), "{statuses:?}");
    check(server.get(&path).ok().clone(), "Sir");
    let counted = server.provider.counts().tolerated;
    for quirk in [scim2_core::Quirk::ValueObject, scim2_core::Quirk::JsonText, scim2_core::Quirk::UrnWrong] {
        assert!(counted.iter().any(|(known, _)| *known == quirk), "{quirk}: {counted:?}");
    }
    let strict =
        Server::with(|builder| builder.options(|options| options.compat = scim2_core::Compat::strict()));
    strict
        .post("/Users", json!({ "schemas": [USER], "userName": "bob", "title": { "value": "Dr" } }))
        .refused(400, "invalidValue");
    strict
        .post("/Users", json!({ "schemas": [USER], "userName": "bob", "emails": emails }))
        .refused(400, "invalidValue");
}

#[test]
fn s_3_5_2_02_03_the_message_is_checked() {
    let server = Server::new();
    let id = server.user("ada");
    let path = format!("/Users/{id}");
    let schemas = json!(["urn:ietf:params:scim:api:messages:2.0:PatchOp"]);
    server.patch(&path, json!({ "schemas": schemas, "Operations": [] })).refused(400, "invalidSyntax");
    server.patch(&path, json!({ "schemas": schemas, "Operations": "x" })).refused(400, "invalidSyntax");
    server.patch(&path, json!({ "schemas": schemas })).refused(400, "invalidSyntax");
    server
        .patch(&path, json!({ "schemas": [USER], "Operations": [{ "op": "remove", "path": "title" }] }))
        .refused(400, "invalidSyntax");
    let many: Vec<_> = (0..1001).map(|_| json!({ "op": "remove", "path": "title" })).collect();
    server.operations(&path, json!(many)).refused(413, "");
    server.operations("/Users/none", json!([{ "op": "remove", "path": "title" }])).refused(404, "");
}

#[test]
fn a_resource_grows_no_larger_than_a_body_may_be() {
    let server = Server::with(|builder| builder.options(|options| options.limits.max_body = 2000));
    let id = server.user("ada");
    let path = format!("/Users/{id}");
    let add = |n: usize| {
        let roles: Vec<_> = (0..20).map(|m| json!({ "value": format!("role {n} {m}") })).collect();
        server.operations(&path, json!([{ "op": "add", "path": "roles", "value": roles }]))
    };
    let fitting = (0..100).take_while(|n| add(*n).status == 200).count();
    assert!((2..10).contains(&fitting), "{fitting}");
    let before = server.get(&path);
    assert!(before.bytes.len() < 2500, "{}", before.bytes.len());
    let refused = add(100);
    refused.refused(413, "");
    assert!(refused.detail().contains("2000 bytes"), "{}", refused.detail());
    assert_eq!(server.get(&path).bytes, before.bytes);
    server.operations(&path, json!([{ "op": "remove", "path": "roles" }])).ok();
    assert_eq!(add(0).status, 200);
}

#[test]
fn s_3_5_2_1_08_s_3_14_06_a_patch_that_changes_nothing_keeps_the_version() {
    let server = Server::new();
    let id = server.created("/Users", json!({ "schemas": [USER], "userName": "ada", "title": "Dr" }));
    let before = server.get(&format!("/Users/{id}")).bytes;
    server.sleep(60);
    for operation in [
        json!({ "op": "add", "path": "title", "value": "Dr" }),
        json!({ "op": "replace", "value": { "title": "Dr", "id": id, "schemas": [USER] } }),
        json!({ "op": "remove", "path": "nickName" }),
        json!({ "op": "remove", "path": "emails[type eq \"work\"]" }),
        json!({ "op": "remove", "path": "password" }),
        json!({ "op": "replace", "value": { "password": null } }),
    ] {
        let patched = server.operations(&format!("/Users/{id}"), json!([operation.clone()]));
        assert_eq!(patched.status, 200, "{}", patched.json);
        assert_eq!(patched.bytes, before, "{operation}");
    }
}

#[test]
fn c_4_1_1_08_an_inactive_user_is_still_there() {
    let server = Server::new();
    let id = server.user("ada");
    let group = server.group("Tour", &[&id]);
    let path = format!("/Users/{id}");
    let patched = server.operations(&path, json!([{ "op": "replace", "path": "active", "value": false }]));
    assert_eq!(patched.ok()["active"], false);
    assert_eq!(server.get(&path).ok()["userName"], "ada");
    assert_eq!(server.get("/Users?filter=active%20eq%20false").ok()["totalResults"], 1);
    assert_eq!(server.get(&format!("/Groups/{group}")).ok()["members"][0]["value"], json!(id));
    let patched = server.operations(&path, json!([{ "op": "replace", "value": { "active": true } }]));
    assert_eq!(patched.ok()["active"], true);
}

#[test]
fn s_3_5_2_10_11_an_extension_comes_and_goes_with_its_urn() {
    let server = Server::new();
    let id = server.user("ada");
    let path = format!("/Users/{id}");
    let number = format!("{ENTERPRISE}:employeeNumber");
    let added = server.operations(&path, json!([{ "op": "add", "path": number, "value": "7" }]));
    assert_eq!(added.ok()["schemas"], json!([USER, ENTERPRISE]));
    assert_eq!(added.json[ENTERPRISE], json!({ "employeeNumber": "7" }));
    let removed = server.operations(&path, json!([{ "op": "remove", "path": number }]));
    assert_eq!(removed.ok()["schemas"], json!([USER]));
    assert!(removed.json[ENTERPRISE].is_null());
}

#[test]
fn s_3_12_15_a_patch_to_a_taken_name_is_409() {
    let server = Server::new();
    let id = server.user("ada");
    server.user("bob");
    let to = |name: &str| {
        server.operations(
            &format!("/Users/{id}"),
            json!([{ "op": "replace", "path": "userName", "value": name }]),
        )
    };
    to("BOB").refused(409, "uniqueness");
    assert_eq!(to("Ada").ok()["userName"], "Ada");
}

#[test]
fn s_3_5_2_16_no_content_servers_answer_a_body_when_attributes_are_named() {
    use scim2_server::PatchResponse;
    let server =
        Server::with(|builder| builder.options(|options| options.patch_response = PatchResponse::NoContent));
    let id = server.user("ada");
    let path = format!("/Users/{id}");
    let operations = json!([{ "op": "replace", "path": "title", "value": "Dr" }]);
    let patched = server.operations(&path, operations.clone());
    assert_eq!((patched.status.as_u16(), patched.bytes.len()), (204, 0));
    assert_eq!(patched.header("etag"), server.get(&path).header("etag"));
    assert!(patched.headers.get("content-type").is_none());
    let named = server.operations(&format!("{path}?attributes=title"), operations);
    assert_eq!(named.ok()["title"], "Dr");
}

#[test]
fn s_3_5_2_01_patch_that_is_switched_off_is_501() {
    let server = Server::with(|builder| builder.options(|options| options.features.patch = false));
    let id = server.user("ada");
    server.operations(&format!("/Users/{id}"), json!([{ "op": "remove", "path": "title" }])).refused(501, "");
    assert_eq!(server.get("/ServiceProviderConfig").json["patch"]["supported"], false);
}
