//! RFC 7644 §6: a tenant sees only itself.

use http::Method;
use serde_json::json;

use crate::harness::{Server, USER, with_body, with_token};

#[test]
fn s_6_1_02_c_7_13_c_3_1_09_tenants_are_apart() {
    let server = Server::new();
    let ada = server.created("/Users", json!({ "schemas": [USER], "userName": "ada", "externalId": "E" }));
    let group = server.group("Tour", &[&ada]);
    let as_other = |method: Method, path: &str, body: serde_json::Value| {
        let mut request = with_body(method, path, body);
        request.headers_mut().insert("authorization", "Bearer other".parse().expect("a value"));
        server.send(request)
    };
    let get = |path: &str| server.send(with_token(Method::GET, path, "Bearer other"));
    get(&format!("/Users/{ada}")).refused(404, "");
    for list in ["/Users", "/", "/Groups", "/Users?filter=externalId%20eq%20%22E%22"] {
        assert_eq!(get(list).ok()["totalResults"], 0, "{list}");
    }
    let body = json!({ "schemas": [USER], "userName": "ada", "externalId": "E" });
    as_other(Method::PUT, &format!("/Users/{ada}"), body.clone()).refused(404, "");
    server.send(with_token(Method::DELETE, &format!("/Users/{ada}"), "Bearer other")).refused(404, "");
    assert_eq!(as_other(Method::POST, "/Users", body).status, 201, "the same name is free there");
    let thief = json!({ "displayName": "Thief", "members": [{ "value": ada }] });
    as_other(Method::POST, "/Groups", thief).refused(400, "invalidValue");
    assert_eq!(server.get(&format!("/Groups/{group}")).ok()["members"].as_array().map(Vec::len), Some(1));
}
