//! RFC 9944: devices, which come as a folder of schemas.

use serde_json::json;

use super::*;

const SCHEMAS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/schemas/rfc9944");

#[test]
fn rfc9944_3_a_device() {
    let service = Service::start_with(&["--schemas", SCHEMAS]);
    let body = json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Device"],
        "displayName": "Thermometer", "active": true,
    });
    let id = service.create("/Devices", &body);
    let device = service.get(&format!("/Devices/{id}"));
    has_shape_of("9944-3-device", &device);
    assert_eq!(device["meta"]["location"], service.url(&format!("/Devices/{id}")));
    assert_eq!(device["meta"]["resourceType"], "Device");
    assert_eq!((&device["displayName"], &device["active"]), (&json!("Thermometer"), &json!(true)));
}

#[test]
fn rfc9944_6_an_endpoint_app() {
    let service = Service::start_with(&["--schemas", SCHEMAS]);
    let mut body = json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:EndpointApp"],
        "applicationType": "telemetry", "applicationName": "Greenhouse",
        "certificateInfo": {"rootCA": "MIIBCgKCAQEA", "subjectName": "greenhouse.example.com"},
    });
    let id = service.create("/EndpointApps", &body);
    let app = service.get(&format!("/EndpointApps/{id}"));
    has_shape_of("9944-6-endpoint-app", &app);
    assert_eq!(app["meta"]["resourceType"], "EndpointApp");
    for name in ["applicationType", "applicationName", "certificateInfo"] {
        assert_eq!(app[name], body[name], "{name}");
    }
    body["applicationType"] = json!("deviceControl");
    let error = service.expect(400, "PUT", &format!("/EndpointApps/{id}"), Some(&body));
    assert_eq!(error["scimType"], "mutability", "the application type is immutable");
}
