//! RFC 7644 §3.12: the printed errors.

use serde_json::json;

use super::*;

#[test]
fn rfc7644_3_12_not_found() {
    let service = Service::start();
    let answer = service.send("GET", "/Users/2819c223-7f76-453a-919d-413861904646", None);
    assert_eq!(answer.status, 404);
    let error = answer.json().expect("a body");
    has_shape_of("7644-3.12-not-found-404-response", &error);
    assert_eq!(error["schemas"], json!(["urn:ietf:params:scim:api:messages:2.0:Error"]));
    assert_eq!(
        answer.header("content-type").map(|it| it.split(';').next()),
        Some(Some("application/scim+json"))
    );
}

#[test]
fn rfc7644_3_12_mutability() {
    let service = Service::start();
    let id = service.user("ada");
    let body = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
        "Operations": [{"op": "replace", "path": "id", "value": "other"}],
    });
    let error = service.expect(400, "PATCH", &format!("/Users/{id}"), Some(&body));
    has_shape_of("7644-3.12-mutability-400-response", &error);
    assert_eq!((&error["status"], &error["scimType"]), (&json!("400"), &json!("mutability")));
    assert!(error["detail"].as_str().is_some_and(|detail| detail.contains("id")), "{error}");
    service.get(&format!("/Users/{id}"));
}

/// Erratum 6893: the status is 403.
#[test]
fn rfc7644_7_5_2_a_sensitive_filter_in_a_uri() {
    let service = Service::start_with(&["--sensitive-attributes", "name"]);
    service.user("ada");
    let filter = "name.familyName%20eq%20%22King%22";
    let error = service.expect(403, "GET", &format!("/Users?filter={filter}"), None);
    has_shape_of("7644-7.5.2-sensitive-403-response", &error);
    assert_eq!((&error["status"], &error["scimType"]), (&json!("403"), &json!("sensitive")));
    let search = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"],
        "filter": "name.familyName eq \"King\"",
    });
    assert_eq!(service.expect(200, "POST", "/Users/.search", Some(&search))["totalResults"], 0);
}
