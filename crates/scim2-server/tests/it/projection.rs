//! RFC 7644 §3.9: `attributes` and `excludedAttributes`.

use scim2_core::{Compat, Quirk, Registry};
use serde_json::{Value, json};

use crate::harness::{Answer, ENTERPRISE, Server, USER};

fn ada(server: &Server) -> String {
    server.created(
        "/Users",
        json!({
            "schemas": [USER, ENTERPRISE], "userName": "ada", "title": "Dr", "active": true,
            "name": { "givenName": "Ada", "familyName": "King" },
            "emails": [{ "value": "a@example.com", "type": "work" }, { "value": "b@example.com" }],
            ENTERPRISE: { "employeeNumber": "7", "department": "Engines" },
        }),
    )
}

/// What a GET with these parameters answers, without `schemas` and `id`, which are always there.
#[track_caller]
fn check(query: &str, expected: Value) {
    let server = Server::new();
    let id = ada(&server);
    let mut found = server.get(&format!("/Users/{id}?{query}")).ok().clone();
    let object = found.as_object_mut().expect("an object");
    assert_eq!(object.remove("id"), Some(json!(id)), "{query}");
    assert!(object.remove("schemas").is_some(), "{query}");
    assert_eq!(found, expected, "{query}");
}

#[test]
fn s_3_9_02_attributes_names_what_is_returned() {
    check("attributes=userName", json!({ "userName": "ada" }));
    check("attributes=USERNAME", json!({ "userName": "ada" }));
    check("attributes=userName,%20title", json!({ "userName": "ada", "title": "Dr" }));
    check("attributes=name.givenName", json!({ "name": { "givenName": "Ada" } }));
    check("attributes=emails.type", json!({ "emails": [{ "type": "work" }] }));
    check("attributes=meta.resourceType", json!({ "meta": { "resourceType": "User" } }));
    check("attributes=name.middleName", json!({}));
    check(&format!("attributes={USER}:title"), json!({ "title": "Dr" }));
    check(&format!("attributes={ENTERPRISE}:department"), json!({ ENTERPRISE: { "department": "Engines" } }));
}

#[test]
fn a_28_whole_attributes_extensions_and_unknown_names() {
    check("attributes=name", json!({ "name": { "givenName": "Ada", "familyName": "King" } }));
    let extension = json!({ ENTERPRISE: { "employeeNumber": "7", "department": "Engines" } });
    check(&format!("attributes={ENTERPRISE}"), extension.clone());
    check(&format!("attributes={}", ENTERPRISE.to_uppercase()), extension);
    check("attributes=shoeSize,userName", json!({ "userName": "ada" }));
    check("attributes=shoeSize", json!({}));
}

#[test]
fn a_name_means_in_a_projection_what_it_means_in_a_filter() {
    let department = json!({ ENTERPRISE: { "department": "Engines" } });
    for query in [
        "attributes=department".to_owned(),
        "attributes=DEPARTMENT,manager.value".to_owned(),
        // With a dot where the colon should be, and under the URN of an early draft.
        format!("attributes={ENTERPRISE}.department"),
        "attributes=urn:scim:schemas:extension:enterprise:1.0:department".to_owned(),
        "attributes=urn:scim:schemas:core:1.0:id,department".to_owned(),
    ] {
        check(&query, department.clone());
    }
    let server = Server::new();
    let id = ada(&server);
    for (name, quirk) in [
        ("department".to_owned(), Quirk::ExtShortName),
        (format!("{ENTERPRISE}.department"), Quirk::UrnWrong),
    ] {
        let without = server.get(&format!("/Users/{id}?excludedAttributes={name}")).ok().clone();
        assert_eq!(without[ENTERPRISE], json!({ "employeeNumber": "7" }), "{name}");
        let listed = server.get(&format!("/Users?attributes={name}&sortBy={name}"));
        assert_eq!(listed.resources()[0][ENTERPRISE], json!({ "department": "Engines" }), "{name}");
        let search = json!({ "attributes": [name], "filter": format!("{name} eq \"engines\"") });
        let found = server.post("/Users/.search", search);
        assert_eq!(found.resources()[0][ENTERPRISE], json!({ "department": "Engines" }), "{name}");

        // Without the tolerance it names nothing, as it does in a filter.
        let compat = Compat::default().with(quirk, false);
        let strict = Server::with(|builder| builder.options(|options| options.compat = compat));
        let id = ada(&strict);
        let found = strict.get(&format!("/Users/{id}?attributes={name}")).ok().clone();
        assert_eq!(found.get(ENTERPRISE), None, "{name}");
    }
    let strict = Server::with(|builder| builder.options(|options| options.compat = Compat::strict()));
    strict.get("/Users?filter=department%20pr").refused(400, "invalidFilter");
}

#[test]
fn c_7_10_what_is_never_returned_is_not_returned_when_named() {
    check("attributes=password,title", json!({ "title": "Dr" }));
}

#[test]
fn s_3_9_03_s_3_4_2_5_03_excluded_attributes_are_left_out() {
    let server = Server::new();
    let id = ada(&server);
    let get = |query: &str| server.get(&format!("/Users/{id}?{query}")).ok().clone();
    let whole = get("");
    let without = |names: &[&str]| {
        let mut object = whole.clone();
        for name in names {
            object.as_object_mut().expect("an object").remove(*name);
        }
        object
    };
    assert_eq!(get("excludedAttributes=title,name"), without(&["title", "name"]));
    assert_eq!(get("excludedAttributes=id,schemas"), whole);
    assert_eq!(get("excludedAttributes=groups"), whole);
    assert_eq!(get("excludedAttributes=meta"), without(&["meta"]));
    assert_eq!(get("excludedAttributes=shoeSize"), whole);
    assert_eq!(get(&format!("excludedAttributes={ENTERPRISE}")), without(&[ENTERPRISE]));
    let partly = get(&format!("excludedAttributes={ENTERPRISE}:department,emails.type"));
    assert_eq!(partly[ENTERPRISE], json!({ "employeeNumber": "7" }));
    assert_eq!(partly["emails"], json!([{ "value": "a@example.com" }, { "value": "b@example.com" }]));
}

#[test]
fn a_27_attributes_wins_over_excluded_attributes() {
    check("attributes=title&excludedAttributes=title", json!({ "title": "Dr" }));
}

#[test]
fn s_3_9_01_every_operation_that_returns_a_resource_projects() {
    let server = Server::new();
    let id = ada(&server);
    let keys = |value: &Value| {
        let mut keys: Vec<_> = value.as_object().expect("an object").keys().cloned().collect();
        keys.sort();
        keys.join(" ")
    };
    let body = json!({ "schemas": [USER], "userName": "ada", "title": "Sir" });
    assert_eq!(keys(&server.put(&format!("/Users/{id}?attributes=title"), body).json), "id schemas title");
    let operations = json!([{ "op": "replace", "path": "title", "value": "Dr" }]);
    assert_eq!(
        keys(&server.operations(&format!("/Users/{id}?attributes=title"), operations).json),
        "id schemas title"
    );
    let created = server.post("/Users?attributes=userName", json!({ "schemas": [USER], "userName": "bob" }));
    assert_eq!(keys(&created.json), "id schemas userName");
    assert!(created.header("location").ends_with("/Users/r-00002"));
    for resource in server.get("/Users?attributes=userName").resources() {
        assert_eq!(keys(resource), "id schemas userName");
    }
    let search = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"], "attributes": ["userName"],
    });
    for path in ["/Users/.search", "/.search"] {
        for resource in server.post(path, search.clone()).resources() {
            assert_eq!(keys(resource), "id schemas userName");
        }
    }
}

#[test]
fn a_29_excluded_members_are_not_asked_of_the_store() {
    let server = Server::new();
    let user = server.user("ada");
    let group = server.group("Tour", &[&user]);
    let whole = server.get(&format!("/Groups/{group}")).ok().clone();
    let mut without = server.get(&format!("/Groups/{group}?excludedAttributes=members")).ok().clone();
    assert!(without["members"].is_null());
    without["members"] = whole["members"].clone();
    assert_eq!(without, whole);
    let listed = server.get("/Groups?excludedAttributes=members");
    assert!(listed.resources()[0]["members"].is_null());
    let named = server.get(&format!("/Groups/{group}?attributes=members.value"));
    assert_eq!(named.json["members"], json!([{ "value": user }]));
}

#[test]
fn c_7_09_12_returned_always_request_and_never_of_a_custom_type() {
    let server = Server::with(|builder| builder.registry(crate::harness::badges()));
    let id = server.created(
        "/Badges",
        json!({
            "schemas": ["urn:example:schemas:1.0:Badge"], "number": "7", "colour": "red", "note": "quiet",
            "pin": "secret", "holder": { "name": "Ada", "code": "c", "memo": "m" },
        }),
    );
    let get = |query: &str| server.get(&format!("/Badges/{id}{query}")).ok().clone();
    let plain = get("");
    assert_eq!(plain["number"], "7");
    assert!(plain["note"].is_null() && plain["pin"].is_null());
    assert_eq!(plain["holder"], json!({ "name": "Ada", "code": "c" }));
    let named = get("?attributes=note");
    assert_eq!(
        (&named["note"], &named["number"], &named["colour"]),
        (&json!("quiet"), &json!("7"), &json!(null))
    );
    assert_eq!(
        get("?attributes=holder.memo")["holder"],
        json!({ "code": "c", "memo": "m" }),
        "always comes along"
    );
    assert_eq!(get("?excludedAttributes=number,colour")["number"], "7");
    // C-7-12: after a write, what the client set is shown.
    let path = format!("/Badges/{id}");
    let patched = server.operations(&path, json!([{ "op": "replace", "path": "note", "value": "loud" }]));
    assert_eq!(patched.ok()["note"], "loud");
    let patched = server.operations(&path, json!([{ "op": "replace", "path": "colour", "value": "blue" }]));
    assert!(patched.ok()["note"].is_null());
    assert!(server.get("/Badges").resources()[0]["note"].is_null());
}

/// C-7-12: a sub-attribute returned on request is in the answer to the write that gave it, and in no other.
#[test]
fn sub_attribute_returned_on_request_is_answered_after_the_write_that_gave_it() {
    const BADGE: &str = "urn:example:schemas:1.0:Badge";
    let server = Server::with(|builder| builder.registry(crate::harness::badges()));
    let badge = |holder: serde_json::Value| json!({ "schemas": [BADGE], "number": "7", "holder": holder });
    let created = server.post("/Badges", badge(json!({ "name": "Ada", "memo": "m" })));
    assert_eq!(created.json["holder"], json!({ "name": "Ada", "memo": "m" }));
    let path = format!("/Badges/{}", created.json["id"].as_str().expect("an id"));
    let shown = |answer: Answer| answer.ok()["holder"]["memo"].clone();
    assert_eq!(shown(server.get(&path)), json!(null));

    // A PUT keeps what it does not give, and does not show it.
    assert_eq!(shown(server.put(&path, badge(json!({ "name": "Bea" })))), json!(null));
    assert_eq!(shown(server.put(&path, badge(json!({ "name": "Bea", "memo": "m" })))), json!("m"));
    for (operation, memo) in [
        (json!({ "op": "replace", "path": "holder.memo", "value": "n" }), json!("n")),
        (json!({ "op": "replace", "path": "holder.memo", "value": "n" }), json!("n")),
        (json!({ "op": "add", "path": "holder", "value": { "memo": "o" } }), json!("o")),
        (json!({ "op": "add", "value": { "holder": { "memo": "p" } } }), json!("p")),
        (json!({ "op": "add", "value": { "holder.memo": "q" } }), json!("q")),
        (json!({ "op": "replace", "path": "holder.name", "value": "Cy" }), json!(null)),
        (json!({ "op": "remove", "path": "holder.memo" }), json!(null)),
    ] {
        assert_eq!(shown(server.operations(&path, json!([operation]))), memo, "{operation}");
    }
}

/// C-7-07, S-3.5.2-09: an immutable sub-attribute cannot be changed by removing its parent and adding it again.
#[test]
fn immutable_sub_attribute_outlives_its_parent() {
    const TOOL: &str = "urn:example:schemas:1.0:Tool";
    let schema = json!({
        "id": TOOL, "name": "Tool", "attributes": [
            { "name": "label" },
            { "name": "maker", "type": "complex", "subAttributes": [
                { "name": "name", "required": true },
                { "name": "country" },
                { "name": "founded", "type": "integer", "mutability": "immutable" },
            ] },
        ],
    });
    let type_ = json!({ "name": "Tool", "endpoint": "/Tools", "schema": TOOL });
    let registry = || {
        let schemas = vec![serde_json::from_value(schema.clone()).expect("a schema")];
        let types = vec![serde_json::from_value(type_.clone()).expect("a resource type")];
        Registry::with(schemas, types).expect("valid documents")
    };
    for compat in [Compat::default(), Compat::strict()] {
        let server =
            Server::with(|builder| builder.registry(registry()).options(|options| options.compat = compat));
        let tool = |maker: serde_json::Value| json!({ "schemas": [TOOL], "label": "t", "maker": maker });
        let maker = json!({ "name": "Clement", "country": "GB", "founded": 1805 });
        let path = format!("/Tools/{}", server.created("/Tools", tool(maker.clone())));

        let remove = json!({ "op": "remove", "path": "maker" });
        let add = json!({ "op": "add", "path": "maker", "value": { "name": "Clement", "founded": 1806 } });
        for operations in [
            json!([remove]),
            json!([remove, add]),
            json!([add]),
            json!([{ "op": "remove", "path": "maker.founded" }]),
            json!([{ "op": "remove", "path": "maker[founded eq 1805]" }]),
            json!([{ "op": "replace", "path": "maker", "value": null }]),
            json!([{ "op": "replace", "path": "maker[founded eq 1805]", "value": null }]),
            json!([{ "op": "replace", "path": "maker[founded eq 1805]", "value": { "name": "X", "founded": 1 } }]),
            json!([{ "op": "replace", "value": { "maker": null } }]),
        ] {
            server.operations(&path, operations.clone()).refused(400, "mutability");
            assert_eq!(server.get(&path).ok()["maker"], maker, "{operations}");
        }
        for without in [json!({ "schemas": [TOOL], "label": "u" }), tool(json!(null))] {
            let kept = server.put(&path, without);
            assert_eq!(kept.ok()["maker"], json!({ "name": "Clement", "founded": 1805 }));
        }
        server.put(&path, tool(json!({ "name": "Clement", "founded": 1806 }))).refused(400, "mutability");
        let put = server.put(&path, tool(json!({ "name": "Holtz", "country": "FR" })));
        assert_eq!(put.ok()["maker"], json!({ "name": "Holtz", "country": "FR", "founded": 1805 }));
        // What has no value yet takes one, once.
        let path = format!("/Tools/{}", server.created("/Tools", tool(json!({ "name": "Holtz" }))));
        server.operations(&path, json!([remove])).ok();
        let first = json!({ "op": "add", "path": "maker", "value": { "name": "Holtz", "founded": 1806 } });
        assert_eq!(server.operations(&path, json!([first])).ok()["maker"]["founded"], 1806);
        server.operations(&path, json!([remove])).refused(400, "mutability");
    }
}

/// Q-EXT-SHORT-NAME: a name that several extensions have is none of them, and the error names each.
#[test]
fn a_short_name_of_two_extensions_is_ambiguous_everywhere() {
    const OTHER: &str = "urn:example:2.0:Other";
    let (mut schemas, mut types) = Registry::standard_documents(&Compat::default());
    let other = json!({"id": OTHER, "attributes": [{"name": "department"}, {"name": "desk"}]});
    schemas.push(serde_json::from_value(other).unwrap());
    let extension = json!({"schema": OTHER, "required": false});
    types[0].schema_extensions.push(serde_json::from_value(extension).unwrap());
    let registry = Registry::with(schemas, types).unwrap();
    let server = Server::with(|builder| builder.registry(registry.clone()));
    let id = server.created(
        "/Users",
        json!({
            "schemas": [USER, ENTERPRISE, OTHER], "userName": "ada",
            ENTERPRISE: { "department": "Engines" }, OTHER: { "department": "Looms", "desk": "7" },
        }),
    );
    let refused = |answer: &Answer, scim_type: &str| {
        answer.refused(400, scim_type);
        for uri in [ENTERPRISE, OTHER] {
            assert!(answer.detail().contains(&format!("`{uri}:department")), "{}", answer.detail());
        }
    };
    refused(&server.get("/Users?filter=department%20eq%20%22x%22"), "invalidFilter");
    refused(&server.get("/Users?filter=department%5Btype%20pr%5D"), "invalidFilter");
    refused(&server.get("/?filter=not%20(department%20pr)"), "invalidFilter");
    refused(&server.get("/Users?sortBy=department"), "invalidValue");
    for parameter in ["attributes", "excludedAttributes"] {
        let query = format!("{parameter}=userName,DEPARTMENT");
        for path in [format!("/Users/{id}"), "/Users".to_owned(), "/".to_owned()] {
            refused(&server.get(&format!("{path}?{query}")), "invalidValue");
        }
        let search = json!({ parameter: ["department"] });
        refused(&server.post("/Users/.search", search), "invalidValue");
        // Nothing is written before the answer is known to be possible.
        let body = json!({ "schemas": [USER], "userName": "bob" });
        refused(&server.post(&format!("/Users?{query}"), body.clone()), "invalidValue");
        refused(&server.put(&format!("/Users/{id}?{query}"), body), "invalidValue");
        let title = json!([{ "op": "add", "path": "title", "value": "Dr" }]);
        refused(&server.operations(&format!("/Users/{id}?{query}"), title), "invalidValue");
    }
    let department = json!([{ "op": "add", "path": "department", "value": "Dr" }]);
    refused(&server.operations(&format!("/Users/{id}"), department), "invalidPath");
    let kept = server.get(&format!("/Users/{id}"));
    assert_eq!((&kept.json["title"], &kept.json["userName"]), (&json!(null), &json!("ada")));
    // A name that one extension has is understood in all of these places.
    assert_eq!(server.get("/Users?filter=desk%20eq%20%227%22&sortBy=desk").ok()["totalResults"], 1);
    let desk = server.get(&format!("/Users/{id}?attributes=desk"));
    assert_eq!(desk.ok()[OTHER], json!({ "desk": "7" }));
    // In strict mode a short name is a core attribute's or nobody's.
    let strict = Server::with(|builder| {
        builder.registry(registry).options(|options| options.compat = Compat::strict())
    });
    strict.get("/Users?attributes=department").ok();
    strict.get("/Users?filter=department%20pr").refused(400, "invalidFilter");
}

/// A filter in `attributes` chooses no values; the attribute is answered whole in default.
#[test]
fn a_value_path_in_attributes_stands_for_its_attribute() {
    let emails = json!([{ "value": "a@example.com", "type": "work" }, { "value": "b@example.com" }]);
    check("attributes=emails%5Btype%20eq%20%22work%22%5D.value", json!({ "emails": emails }));
    check("attributes=nope,title", json!({ "title": "Dr" }));
    let strict = Server::with(|builder| builder.options(|options| options.compat = Compat::strict()));
    let id = ada(&strict);
    let found = strict.get(&format!("/Users/{id}?attributes=emails%5Btype%20eq%20%22work%22%5D"));
    assert_eq!(found.ok().get("emails"), None);
}
