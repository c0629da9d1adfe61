//! RFC 7644 §3.6: deleting.

use serde_json::json;

use crate::harness::{Server, USER};

#[test]
fn s_3_6_01_02_03_04_a_deleted_resource_is_gone() {
    let server = Server::new();
    let id = server.user("ada");
    let path = format!("/Users/{id}");
    let deleted = server.delete(&path);
    assert_eq!((deleted.status.as_u16(), deleted.bytes.len()), (204, 0));
    server.get(&path).refused(404, "");
    server.put(&path, json!({ "schemas": [USER], "userName": "ada" })).refused(404, "");
    server.operations(&path, json!([{ "op": "remove", "path": "title" }])).refused(404, "");
    server.delete(&path).refused(404, "");
    for list in ["/Users", "/", "/Users?filter=userName%20eq%20%22ada%22"] {
        assert_eq!(server.get(list).ok()["totalResults"], 0, "{list}");
    }
    assert_ne!(server.user("ada"), id, "C-3.1-04: an id is never used again");
}

#[test]
fn a_59_a_deleted_member_leaves_its_groups() {
    let server = Server::new();
    let (ada, bob) = (server.user("ada"), server.user("bob"));
    let group = server.group("Tour", &[&ada, &bob]);
    let before = server.get(&format!("/Groups/{group}"));
    assert_eq!(server.delete(&format!("/Users/{ada}")).status, 204);
    let after = server.get(&format!("/Groups/{group}"));
    assert_eq!(after.ok()["members"].as_array().map(Vec::len), Some(1));
    assert_ne!(after.header("etag"), before.header("etag"));
    assert_eq!(server.delete(&format!("/Groups/{group}")).status, 204);
    assert!(server.get(&format!("/Users/{bob}")).ok()["groups"].is_null());
}
