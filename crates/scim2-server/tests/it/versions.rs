//! RFC 7644 §3.14: entity tags and conditional requests.

use http::Method;
use serde_json::json;

use crate::harness::{Answer, Server, USER, request, with_body};

struct Fixture {
    server: Server,
    path: String,
}

fn fixture() -> Fixture {
    let server = Server::new();
    let id = server.user("ada");
    Fixture { server, path: format!("/Users/{id}") }
}

impl Fixture {
    fn send(&self, method: Method, header: &'static str, tag: &str) -> Answer {
        let body = match method {
            Method::PUT => json!({ "schemas": [USER], "userName": "ada", "title": tag }),
            Method::PATCH => json!({
                "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
                "Operations": [{ "op": "replace", "path": "title", "value": tag }],
            }),
            _ => json!(null),
        };
        let mut request = match method {
            Method::GET | Method::DELETE => request(method, &self.path),
            method => with_body(method, &self.path, body),
        };
        request.headers_mut().insert(header, tag.parse().expect("a value"));
        self.server.send(request)
    }
}

#[test]
fn s_3_14_02_03_c_3_1_16_17_the_etag_is_weak_and_in_meta() {
    let Fixture { server, path } = fixture();
    let user = server.get(&path);
    assert_eq!(user.header("etag"), user.json["meta"]["version"]);
    assert!(user.header("etag").starts_with("W/\""));
}

#[test]
fn s_3_14_04_if_none_match_gives_304_without_a_body() {
    let fixture = fixture();
    for tag in ["W/\"1\"", "\"1\"", "*", "W/\"7\", W/\"1\""] {
        let answer = fixture.send(Method::GET, "if-none-match", tag);
        assert_eq!((answer.status.as_u16(), answer.bytes.len()), (304, 0), "{tag}");
        assert_eq!(answer.header("etag"), "W/\"1\"");
    }
    for tag in ["W/\"2\"", "nonsense"] {
        assert_eq!(fixture.send(Method::GET, "if-none-match", tag).status, 200, "{tag}");
    }
}

#[test]
fn s_3_14_05_s_3_12_09_a_20_a_24_if_match_guards_changes() {
    let fixture = fixture();
    for method in [Method::PUT, Method::PATCH, Method::DELETE, Method::GET] {
        for tag in ["W/\"9\"", "\"x\", \"y\"", "nonsense"] {
            fixture.send(method.clone(), "if-match", tag).refused(412, "");
        }
    }
    assert!(fixture.server.get(&fixture.path).ok()["title"].is_null());
    let put = fixture.send(Method::PUT, "if-match", "W/\"1\"");
    assert_eq!(put.status, 200);
    fixture.send(Method::PATCH, "if-match", "W/\"1\"").refused(412, "");
    let patched = fixture.send(Method::PATCH, "if-match", put.header("etag"));
    assert_eq!(patched.status, 200);
    assert_eq!(fixture.send(Method::PUT, "if-match", "*").status, 200);
    let tag = fixture.server.get(&fixture.path).header("etag").to_owned();
    assert_eq!(fixture.send(Method::DELETE, "if-match", &format!("\"old\", {tag}")).status, 204);
    fixture.send(Method::DELETE, "if-match", "*").refused(404, "");
}

#[test]
fn if_match_guards_the_members_of_a_group() {
    let server = Server::new();
    let user = server.user("ada");
    let group = server.group("Tour", &[]);
    let path = format!("/Groups/{group}");
    let tag = server.get(&path).header("etag").to_owned();
    let add = || {
        let mut request = with_body(
            Method::PATCH,
            &path,
            json!({
                "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
                "Operations": [{ "op": "add", "path": "members", "value": [{ "value": user }] }],
            }),
        );
        request.headers_mut().insert("if-match", tag.parse().expect("a value"));
        server.send(request)
    };
    assert_eq!(add().status, 204);
    add().refused(412, "");
}

#[test]
fn s_3_14_06_each_change_moves_the_version() {
    let Fixture { server, path } = fixture();
    let mut seen = vec![server.get(&path).header("etag").to_owned()];
    for title in ["a", "b", "a"] {
        let patched = server.operations(&path, json!([{ "op": "replace", "path": "title", "value": title }]));
        assert!(!seen.contains(&patched.header("etag").to_owned()));
        seen.push(patched.header("etag").to_owned());
    }
}

/// Membership moves no version of the member, so the tag alone does not tell whether the groups that
/// a client has read are those of now.
#[test]
fn s_3_14_06_what_is_not_modified_shows_no_groups_of_before() {
    let server = Server::new();
    let id = server.user("ada");
    let path = format!("/Users/{id}");
    let tag = server.get(&path).header("etag").to_owned();
    let ask = |path: &str| {
        let mut request = request(Method::GET, path);
        request.headers_mut().insert("if-none-match", tag.parse().expect("a value"));
        server.send(request)
    };
    assert_eq!(ask(&path).status, 304);
    let group = server.group("Tour", &[&id]);
    let asked = ask(&path);
    assert_eq!(asked.ok()["groups"][0]["value"], group);
    assert_eq!(asked.header("etag"), tag, "the version is the same, and good for If-Match");
    assert_eq!(ask(&format!("{path}?excludedAttributes=groups")).status, 304);
    assert_eq!(ask(&format!("{path}?attributes=userName")).status, 304);
    let mut put = with_body(Method::PUT, &path, asked.json.clone());
    put.headers_mut().insert("if-match", tag.parse().expect("a value"));
    assert_eq!(server.send(put).status, 200);
    assert_eq!(server.delete(&format!("/Groups/{group}")).status, 204);
    assert_eq!(ask(&path).status, 304);
}

/// A member's new name moves no version of the group, but the answer shows it.
#[test]
fn s_3_14_06_what_is_not_modified_shows_no_member_names_of_before() {
    let server = Server::new();
    let (ada, bob) = (server.user("ada"), server.user("bob"));
    let group = server.group("Tour", &[&ada, &bob]);
    let path = format!("/Groups/{group}");
    let tag = server.get(&path).header("etag").to_owned();
    let ask = |path: &str, tag: &str| {
        let mut request = request(Method::GET, path);
        request.headers_mut().insert("if-none-match", tag.parse().expect("a value"));
        server.send(request)
    };
    let name = json!([{ "op": "add", "path": "displayName", "value": "Ada" }]);
    assert_eq!(server.operations(&format!("/Users/{ada}"), name).status, 200);
    let asked = ask(&path, &tag);
    assert_eq!(asked.ok()["members"][0]["display"], "Ada");
    assert_eq!(asked.header("etag"), tag, "the version is the same, and good for If-Match");
    assert_eq!(ask(&path, "*").status, 304);
    // What shows no name of a member can be told from the version alone.
    for query in [
        "excludedAttributes=members",
        "excludedAttributes=members.display",
        "attributes=displayName",
        "attributes=members.value",
    ] {
        assert_eq!(ask(&format!("{path}?{query}"), &tag).status, 304, "{query}");
    }
    for query in ["attributes=members", "attributes=members.display", "excludedAttributes=externalId"] {
        assert_eq!(ask(&format!("{path}?{query}"), &tag).status, 200, "{query}");
    }
    // A member that is deleted moves the version; a group without members is not modified.
    assert_eq!(server.delete(&format!("/Users/{ada}")).status, 204);
    assert_eq!(ask(&format!("{path}?attributes=members.value"), &tag).status, 200);
    assert_eq!(server.delete(&format!("/Users/{bob}")).status, 204);
    let empty = server.get(&path).header("etag").to_owned();
    assert_eq!(ask(&path, &tag).status, 200);
    assert_eq!(ask(&path, &empty).status, 304);
}
