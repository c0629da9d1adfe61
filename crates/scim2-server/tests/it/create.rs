//! RFC 7644 §3.3 and §3.4.1: creating and retrieving.

use serde_json::json;

use crate::harness::{Server, USER};

#[test]
fn s_3_3_05_07_a_created_user_is_answered_with_its_location() {
    let server = Server::new();
    let created = server.post(
        "/Users",
        json!({ "schemas": [USER], "USERNAME": "ada", "id": "mine", "name": { "givenName": "Ada" } }),
    );
    assert_eq!(created.status, 201);
    assert_eq!(
        created.json,
        json!({
            "schemas": [USER],
            "id": "r-00001",
            "userName": "ada",
            "active": true,
            "name": { "givenName": "Ada" },
            "meta": {
                "resourceType": "User",
                "created": "2026-01-02T03:04:05.678Z",
                "lastModified": "2026-01-02T03:04:05.678Z",
                "location": "https://example.com/scim/v2/Users/r-00001",
                "version": "W/\"1\"",
            },
        })
    );
    assert_eq!(created.header("location"), created.json["meta"]["location"]);
    assert_eq!(created.header("etag"), created.json["meta"]["version"]);
    assert_eq!(created.header("content-type"), "application/scim+json");

    let retrieved = server.get(&format!("/Users/{}", created.json["id"].as_str().expect("an id")));
    assert_eq!(retrieved.status, 200);
    assert_eq!(retrieved.bytes, created.bytes);
}
