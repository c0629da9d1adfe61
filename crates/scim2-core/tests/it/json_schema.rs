//! JSON Schemas of wire types and of any SCIM schema.

use scim2_core::discovery::ServiceProviderConfig;
use scim2_core::resource::{Group, Resource, User};
use scim2_core::schema::{ResourceType, Schema};
use scim2_core::{Registry, json_schema_for};

#[test]
fn every_wire_type_has_one() {
    for (schema, property) in [
        (schemars::schema_for!(User), "userName"),
        (schemars::schema_for!(Group), "displayName"),
        (schemars::schema_for!(Resource), "externalId"),
        (schemars::schema_for!(ServiceProviderConfig), "changePassword"),
        (schemars::schema_for!(ResourceType), "schemaExtensions"),
        (schemars::schema_for!(Schema), "attributes"),
    ] {
        let text = serde_json::to_string(&schema).expect("JSON");
        assert!(schema.as_object().expect("an object")["properties"].get(property).is_some(), "{text}");
    }
}

#[test]
fn of_any_resource_type() {
    let registry = Registry::standard();
    let group = json_schema_for(registry.resource_type("Group").expect("built in"));
    insta::assert_snapshot!("group", serde_json::to_string_pretty(&group).expect("JSON"));
    let user = json_schema_for(registry.resource_type("User").expect("built in"));
    let user = user.as_object().expect("an object");
    let properties = &user["properties"];
    assert_eq!(properties["password"]["writeOnly"], true);
    assert_eq!(properties["groups"]["readOnly"], true);
    assert_eq!(properties["urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"]["type"], "object");
    assert_eq!(properties["x509Certificates"]["items"]["properties"]["value"]["contentEncoding"], "base64");
    assert_eq!(user["required"], serde_json::json!(["schemas", "userName"]));
}
