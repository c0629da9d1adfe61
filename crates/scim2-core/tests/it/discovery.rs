//! The discovery resources as they go over the wire.

use scim2_core::discovery::{
    self, AuthenticationScheme, BulkSupport, FilterSupport, ServiceProviderConfig, Supported,
};
use scim2_core::{Compat, Object, Registry, Value};

const BASE: &str = "https://example.com/scim/v2";

fn pretty(objects: &[Object]) -> String {
    serde_json::to_string_pretty(objects).expect("JSON")
}

#[test]
fn c_5_01_service_provider_config() {
    let mut config = ServiceProviderConfig::new();
    config.patch = Supported::YES;
    config.bulk = BulkSupport { supported: true, max_operations: 1000, max_payload_size: 8_388_608 };
    config.filter = FilterSupport { supported: true, max_results: 200 };
    config.change_password = Supported::YES;
    config.sort = Supported::YES;
    config.etag = Supported::YES;
    config.authentication_schemes.push(AuthenticationScheme::bearer_token());
    let resource = config.to_resource(BASE);
    insta::assert_snapshot!("service_provider_config", pretty(std::slice::from_ref(&resource)));
    let read: ServiceProviderConfig =
        serde_json::from_str(&resource.to_string()).expect("reads what it writes");
    assert_eq!(read.to_resource(BASE), resource);
    assert_eq!(read.other.len(), 2, "`schemas` and `meta` are kept");
}

#[test]
fn c_6_01_resource_types() {
    insta::assert_snapshot!(
        "resource_types",
        pretty(&discovery::resource_types(&Registry::standard(), BASE))
    );
}

#[test]
fn c_7_01_schemas() {
    let registry = Registry::standard();
    let schemas = discovery::schemas(&registry, BASE);
    insta::assert_snapshot!("schemas", pretty(&schemas));
    for resource in schemas.iter().chain(&discovery::resource_types(&registry, BASE)) {
        let uris = resource.get("schemas").and_then(Value::as_array).unwrap_or_default();
        assert!(uris.iter().all(|uri| uri.as_str().is_some_and(|uri| registry.schema(uri).is_some())));
    }
}

#[test]
fn every_attribute_is_described_and_spelled_out() {
    fn visit(attribute: &Value, visited: &mut usize) {
        let attribute = attribute.as_object().expect("an object");
        *visited += 1;
        for name in [
            "name",
            "type",
            "multiValued",
            "description",
            "required",
            "caseExact",
            "mutability",
            "returned",
            "uniqueness",
        ] {
            assert!(attribute.contains(name), "{name} of {attribute}");
        }
        let complex = attribute.get_str("type") == Some("complex");
        assert_eq!(attribute.contains("subAttributes"), complex, "{attribute}");
        for sub in attribute.get("subAttributes").into_iter().flat_map(Value::values) {
            visit(sub, visited);
        }
    }
    let mut visited = 0;
    for schema in discovery::schemas(&Registry::standard(), BASE) {
        for attribute in schema.get("attributes").into_iter().flat_map(Value::values) {
            visit(attribute, &mut visited);
        }
    }
    assert!(visited > 120, "{visited}");
}

#[test]
fn served_schemas_read_back_as_the_documents_they_are() {
    for compat in [Compat::default(), Compat::strict()] {
        let registry = Registry::standard_for(&compat);
        for schema in registry.schemas().chain(registry.discovery_schemas()) {
            let served = discovery::schema(schema, BASE).to_string();
            let read: scim2_core::schema::Schema = serde_json::from_str(&served).expect("a schema");
            assert_eq!(read.id, schema.id);
            assert_eq!(discovery::schema(&read, BASE).to_string(), served);
        }
    }
}
