//! RFC 7644 §4: discovery.

use http::Method;
use scim2_core::{Compat, Registry};
use scim2_server::{Authenticator, MemoryStore, ServiceProvider};
use serde_json::{Value, json};

use crate::harness::{BASE, ENTERPRISE, GROUP, Server, USER, request, with_token};

#[test]
fn s_4_01_c_5_the_configuration_is_one_object() {
    let server = Server::new();
    let config = server.get("/ServiceProviderConfig");
    insta::assert_json_snapshot!("service_provider_config", config.ok());
}

#[test]
fn s_4_02_c_7_01_schemas_are_listed_and_found_by_their_urn() {
    let server = Server::new();
    let list = server.get("/Schemas");
    let ids = list.column("id");
    for uri in [USER, GROUP, ENTERPRISE] {
        assert!(ids.contains(&uri), "{ids:?}");
    }
    assert!(!ids.iter().any(|id| id.contains(":api:messages:")), "S-3.1-03");
    assert_eq!(list.ok()["totalResults"], json!(ids.len()));
    for path in [USER.to_owned(), USER.to_uppercase(), USER.replace(':', "%3A")] {
        let schema = server.get(&format!("/Schemas/{path}"));
        assert_eq!(schema.ok()["id"], USER);
        assert_eq!(schema.json["meta"]["location"], format!("{BASE}/Schemas/{USER}"));
        assert_eq!(schema.json["schemas"], json!(["urn:ietf:params:scim:schemas:core:2.0:Schema"]));
    }
    server.get("/Schemas/urn:example:none").refused(404, "");
    server.get("/Schemas/User").refused(404, "");
}

#[test]
fn s_4_03_c_6_01_resource_types_agree_with_the_schemas() {
    let server = Server::new();
    let schemas = server.get("/Schemas");
    let list = server.get("/ResourceTypes");
    assert_eq!(list.column("name"), ["User", "Group"]);
    for type_ in list.resources() {
        assert!(schemas.column("id").contains(&type_["schema"].as_str().expect("a URI")));
        for extension in type_["schemaExtensions"].as_array().into_iter().flatten() {
            assert!(schemas.column("id").contains(&extension["schema"].as_str().expect("a URI")));
            assert_eq!(extension["required"], false, "A-61");
        }
        let name = type_["name"].as_str().expect("a name");
        assert_eq!(server.get(&format!("/ResourceTypes/{name}")).ok(), type_);
        assert_eq!(server.get(type_["endpoint"].as_str().expect("a path")).status, 200);
    }
    server.get("/ResourceTypes/user").refused(404, "");
}

#[test]
fn s_4_04_parameters_are_ignored() {
    let server = Server::new();
    for path in ["/Schemas", "/ResourceTypes"] {
        let plain = server.get(path);
        assert_eq!(server.get(&format!("{path}?sortBy=x&startIndex=2&count=1")).bytes, plain.bytes);
    }
}

#[test]
fn s_4_05_a_filter_is_403() {
    let server = Server::new();
    for path in ["/Schemas", "/ResourceTypes", "/ServiceProviderConfig"] {
        server.get(&format!("{path}?filter=id%20pr")).refused(403, "");
    }
}

#[test]
fn s_4_06_c_5_02_only_get_is_offered() {
    let server = Server::new();
    for path in ["/Schemas", "/ResourceTypes", "/ServiceProviderConfig", &format!("/Schemas/{USER}")] {
        for method in [Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
            let refused = server.send(request(method, path));
            refused.refused(405, "");
            assert_eq!(refused.header("allow"), "GET, HEAD");
        }
    }
}

#[test]
fn c_5_04_discovery_may_be_read_anonymously_if_so_configured() {
    let server = Server::new();
    server.send(with_token(Method::GET, "/Schemas", "")).refused(401, "");
    let open = Server::with(|builder| builder.options(|options| options.anonymous_discovery = true));
    for path in ["/Schemas", "/ResourceTypes", "/ServiceProviderConfig"] {
        assert_eq!(open.send(with_token(Method::GET, path, "")).status, 200);
        open.send(with_token(Method::DELETE, path, "")).refused(405, "");
    }
    open.send(with_token(Method::GET, "/Users", "")).refused(401, "");
}

#[test]
fn group_display_name_says_that_it_is_unique() {
    let uniqueness = |server: &Server| {
        let schema = server.get(&format!("/Schemas/{GROUP}"));
        let attributes = schema.ok()["attributes"].as_array().expect("attributes").clone();
        let name = attributes.into_iter().find(|attribute| attribute["name"] == "displayName");
        name.map(|name| name["uniqueness"].clone()).unwrap_or(Value::Null)
    };
    assert_eq!(uniqueness(&Server::new()), "server");
    let strict =
        Server::with(|builder| builder.options(|options| options.compat = scim2_core::Compat::strict()));
    assert_eq!(uniqueness(&strict), "none");
}

#[test]
fn c_3_2_01_a_custom_resource_type_is_listed_and_served() {
    let server = Server::with(|builder| builder.registry(crate::harness::badges()));
    assert_eq!(server.get("/ResourceTypes").column("name"), ["User", "Group", "Badge"]);
    let badge = "urn:example:schemas:1.0:Badge";
    assert_eq!(server.get(&format!("/Schemas/{badge}")).ok()["name"], "Badge");
    let id = server.created("/Badges", json!({ "schemas": [badge], "number": "7", "colour": "red" }));
    assert_eq!(server.get(&format!("/Badges/{id}")).ok()["meta"]["resourceType"], "Badge");
    assert_eq!(server.get("/Badges?filter=colour%20eq%20%22RED%22").ok()["totalResults"], 1);
    server.post("/Badges", json!({ "schemas": [badge], "number": "7" })).refused(409, "uniqueness");
    let group = server.group("Tour", &[&id]);
    assert_eq!(server.get(&format!("/Groups/{group}")).json["members"][0]["type"], "Badge", "D-4-01");
    let patched = server.operations(&format!("/Badges/{id}"), json!([{ "op": "remove", "path": "colour" }]));
    assert!(patched.ok()["colour"].is_null());
    assert_eq!(server.delete(&format!("/Badges/{id}")).status, 204);
}

#[test]
fn a_provider_without_options_serves_the_standard_types() {
    let provider = ServiceProvider::builder(MemoryStore::new()).build();
    assert_eq!(provider.registry().resource_types().len(), Registry::standard().resource_types().len());
    assert!(crate::harness::Tokens.challenge().starts_with("Bearer"));
}

#[test]
fn s_3_9_01_discovery_is_projected_like_resources() {
    let server = Server::new();
    let keys =
        |value: &Value| -> Vec<String> { value.as_object().expect("an object").keys().cloned().collect() };
    for (path, expected) in [
        (format!("/Schemas/{USER}?attributes=name"), &["id", "name", "schemas"][..]),
        (format!("/Schemas/{USER}?attributes=NAME,meta.location"), &["id", "meta", "name", "schemas"]),
        (
            format!("/Schemas/{USER}?excludedAttributes=attributes,id"),
            &["description", "id", "meta", "name", "schemas"],
        ),
        (
            format!("/Schemas/{USER}?attributes=urn:ietf:params:scim:schemas:core:2.0:Schema:name"),
            &["id", "name", "schemas"],
        ),
        (format!("/Schemas/{USER}?attributes={USER}:name"), &["id", "schemas"]),
        ("/ResourceTypes/User?attributes=endpoint".to_owned(), &["endpoint", "id", "schemas"]),
        ("/ResourceTypes/User?attributes=nothing".to_owned(), &["id", "schemas"]),
        ("/ServiceProviderConfig?attributes=patch,sort".to_owned(), &["patch", "schemas", "sort"]),
    ] {
        let answer = server.get(&path);
        let mut found = keys(answer.ok());
        found.sort_unstable();
        assert_eq!(found, expected, "{path}");
    }
    let names = server.get(&format!("/Schemas/{USER}?attributes=attributes.name"));
    let first = &names.ok()["attributes"][0];
    assert_eq!(keys(first), ["name"]);
    let rest = server.get(&format!("/Schemas/{USER}?excludedAttributes=attributes.description"));
    assert!(
        rest.ok()["attributes"][0]["description"].is_null() && !rest.json["attributes"][0]["name"].is_null()
    );
    assert_eq!(
        server.get("/Schemas").json["totalResults"],
        server.get("/Schemas?attributes=id").json["totalResults"]
    );
    for type_ in server.get("/ResourceTypes?attributes=schema").resources() {
        assert_eq!(keys(type_).len(), 3, "{type_}");
    }
}

#[test]
fn the_served_configuration_has_no_attribute_that_its_schema_lacks() {
    for compat in [Compat::default(), Compat::strict(), Compat::profile()] {
        let server = Server::with(|builder| builder.options(|options| options.compat = compat));
        let schema = server.get("/Schemas/urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig");
        let known: Vec<&str> = schema.ok()["attributes"]
            .as_array()
            .expect("a list")
            .iter()
            .filter_map(|attribute| attribute["name"].as_str())
            .collect();
        let config = server.get("/ServiceProviderConfig");
        for name in config.ok().as_object().expect("an object").keys() {
            let common = ["schemas", "id", "meta"].contains(&name.as_str());
            assert!(common || known.contains(&name.as_str()), "{name} in {compat:?}");
        }
    }
}
