//! RFC 7643 §8.5 and §8.6, RFC 7644 §4: the discovery documents.

use serde_json::json;

use super::*;

#[test]
fn rfc7643_8_5_service_provider_config() {
    let service = Service::start();
    let config = service.get("/ServiceProviderConfig");
    assert_eq!(config["schemas"], json!(["urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"]));
    for feature in ["patch", "bulk", "filter", "changePassword", "sort", "etag"] {
        assert!(config[feature]["supported"].is_boolean(), "{feature}");
    }
    for (feature, limit) in [("bulk", "maxOperations"), ("bulk", "maxPayloadSize"), ("filter", "maxResults")]
    {
        assert!(config[feature][limit].is_u64(), "{feature}.{limit}");
    }
    for scheme in config["authenticationSchemes"].as_array().expect("schemes") {
        for key in ["name", "description", "type"] {
            assert!(scheme[key].is_string(), "{key} of {scheme}");
        }
    }
    assert_eq!(config["meta"]["location"], service.url("/ServiceProviderConfig"));
    assert_eq!(config["meta"]["resourceType"], "ServiceProviderConfig");
}

#[test]
fn rfc7644_4_resource_types() {
    let service = Service::start();
    let list = service.get("/ResourceTypes");
    has_shape_of("7644-4-resource-types-list-response", &list);
    let types = list["Resources"].as_array().expect("resource types");
    let names: Vec<_> = types.iter().filter_map(|it| it["name"].as_str()).collect();
    assert_eq!(names, ["User", "Group"]);
    for type_ in types {
        let name = type_["name"].as_str().expect("a name");
        assert_eq!(type_["meta"]["location"], service.url(&format!("/ResourceTypes/{name}")));
        assert_eq!(service.get(&format!("/ResourceTypes/{name}")), *type_);
        service.get(type_["endpoint"].as_str().expect("an endpoint"));
    }
    // The printed example as a bare array says the same of each.
    let printed = examples::json("7643-8.6-resource-types-array").expect("an example");
    for (printed, ours) in printed.as_array().expect("an array").iter().zip(types) {
        for key in ["id", "name", "endpoint", "schema"] {
            assert_eq!(printed[key], ours[key]);
        }
    }
}

#[test]
fn rfc7644_4_schemas() {
    let service = Service::start();
    let list = service.get("/Schemas");
    let schemas = list["Resources"].as_array().expect("schemas");
    assert_eq!(list["totalResults"], schemas.len());
    for uri in [USER, GROUP, ENTERPRISE] {
        let schema = schemas.iter().find(|it| it["id"] == uri).expect("a schema that is in use");
        assert_eq!(service.get(&format!("/Schemas/{uri}")), *schema);
        assert_eq!(schema["meta"]["location"], service.url(&format!("/Schemas/{uri}")));
    }
    service.expect(404, "GET", "/Schemas/urn:example:none", None);
}
