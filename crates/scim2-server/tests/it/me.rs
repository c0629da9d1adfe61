//! RFC 7644 §3.11: `/Me`.

use http::Method;
use serde_json::json;

use crate::harness::{Server, with_body, with_token};

#[test]
fn s_3_11_01_without_a_resource_me_is_501() {
    let server = Server::new();
    server.get("/Me").refused(501, "");
    server.post("/Me", json!({})).refused(501, "");
}

#[test]
fn s_3_11_03_05_me_is_processed_as_the_resource() {
    let server = Server::new();
    let id = server.user("ada");
    let token = format!("Bearer me:User:{id}");
    let me = server.send(with_token(Method::GET, "/Me?attributes=userName", &token));
    assert_eq!(me.ok()["userName"], "ada");
    assert_eq!(me.header("location"), format!("https://example.com/scim/v2/Users/{id}"));
    let mut request = with_body(
        Method::PATCH,
        "/Me",
        json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
            "Operations": [{ "op": "add", "path": "title", "value": "Dr" }],
        }),
    );
    request.headers_mut().insert("authorization", token.parse().expect("a value"));
    let patched = server.send(request);
    assert_eq!(patched.ok()["title"], "Dr");
    assert_eq!(patched.header("location"), me.header("location"));
    server.send(with_token(Method::GET, "/Me", "Bearer me:User:gone")).refused(404, "");
    let posted = server.send(with_token(Method::POST, "/Me", &token));
    posted.refused(405, "");
    assert_eq!(server.send(with_token(Method::DELETE, "/Me", &token)).status, 204);
    server.send(with_token(Method::GET, "/Me", &token)).refused(404, "");
}
