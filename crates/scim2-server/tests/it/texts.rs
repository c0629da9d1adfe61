//! Error lines that say what to do.

use bytes::Bytes;
use http::{Method, Request};
use http_body_util::Full;
use serde_json::json;

use crate::harness::{Answer, Server, USER};

fn send(server: &Server, method: Method, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
    let uri = format!("https://example.com/scim/v2{path}");
    let mut request = Request::builder().method(method).uri(uri).header("authorization", "Bearer write");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    server.send(request.body(Full::new(Bytes::from(body.to_owned()))).expect("a request"))
}

#[track_caller]
fn says(answer: &Answer, part: &str) {
    let detail = answer.json["detail"].as_str().expect("a detail");
    assert!(detail.contains(part), "{detail}");
}

#[test]
fn empty_body_and_byte_order_mark_are_named() {
    let server = Server::new();
    for path in ["/Users", "/Users/.search", "/Bulk"] {
        says(send(&server, Method::POST, path, &[], "").refused(400, "invalidSyntax"), "the body is empty");
        let marked = send(&server, Method::POST, path, &[], "\u{feff}{}");
        says(marked.refused(400, "invalidSyntax"), "begins with a byte order mark");
    }
}

#[test]
fn filter_that_a_uri_cut_off_gets_a_hint() {
    let server = Server::new();
    for query in ["filter=title%20eq%20%22a&b%22", "filter=emails%5Btype%20eq%20%22a%22", "filter=title%20eq"]
    {
        says(
            server.get(&format!("/Users?{query}")).refused(400, "invalidFilter"),
            "is written `%26` in a URI",
        );
    }
    let search = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"], "filter": "title eq \"a"
    });
    let answer = server.post("/Users/.search", search);
    assert!(!answer.refused(400, "invalidFilter").json["detail"].as_str().unwrap().contains("%26"));
}

/// RFC 9110 §13.1: which condition does not hold, and why.
#[test]
fn failed_precondition_says_which_one() {
    let server = Server::new();
    let path = format!("/Users/{}", server.user("ada"));
    let body = json!({"schemas": [USER], "userName": "ada"}).to_string();
    for (headers, part) in [
        ([("if-match", "1")], "expected an entity tag in quotes in `If-Match`"),
        ([("if-match", "W/1, 2")], "expected an entity tag in quotes in `If-Match`"),
        ([("if-match", "W/\"99\"")], "another version than the request expects"),
        ([("if-none-match", "*")], "`If-None-Match: *` asks that the resource does not exist"),
    ] {
        for method in [Method::PUT, Method::DELETE] {
            says(send(&server, method, &path, &headers, &body).refused(412, ""), part);
        }
    }
}

#[test]
fn refused_media_type_names_those_there_are() {
    let server = Server::new();
    let path = format!("/Users/{}", server.user("ada"));
    for (method, path, name) in [
        (Method::POST, "/Users", "accept-post"),
        (Method::POST, "/Users/.search", "accept-post"),
        (Method::POST, "/Bulk", "accept-post"),
        (Method::PATCH, path.as_str(), "accept-patch"),
        (Method::PUT, path.as_str(), "accept"),
    ] {
        let answer = send(&server, method, path, &[("content-type", "text/plain")], "{}");
        answer.refused(415, "");
        assert_eq!(answer.header(name), "application/scim+json, application/json", "{path}");
    }
}

#[test]
fn long_filter_is_for_search() {
    let server = Server::new();
    server.user("ada");
    let filter = format!("userName eq \"ada\" or title eq \"{}\"", "x".repeat(20_000));
    let uri = format!("/Users?filter={}", filter.replace(' ', "%20").replace('"', "%22"));
    let answer = server.get(&uri);
    says(answer.refused(400, "invalidFilter"), "; POST to `/.search` takes up to 262144");
    let search = |filter: &str| {
        let schemas = ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"];
        server.post("/Users/.search", json!({"schemas": schemas, "filter": filter}))
    };
    assert_eq!(search(&filter).json["totalResults"], 1);
    let at_limit = format!("title eq \"{}\"", "x".repeat((256 << 10) - 11));
    assert_eq!((at_limit.len(), search(&at_limit).status.as_u16()), (256 << 10, 200));
    search(&format!("{at_limit} ")).refused(400, "invalidFilter");
}

#[test]
fn user_name_that_precis_refuses_names_the_switch() {
    let server = Server::new();
    let answer = server.post("/Users", json!({"schemas": [USER], "userName": "a b"}));
    says(answer.refused(400, "invalidValue"), "the switch `username_any`");
}

#[test]
fn conflict_names_attribute_and_resource_in_every_operation() {
    let server = Server::new();
    let (ada, bob) = (server.user("ada"), server.user("bob"));
    let taken = format!("`userName`, which is unique: the User with the id `{ada}` has it");
    let body = json!({"schemas": [USER], "userName": "ADA"});
    says(server.post("/Users", body.clone()).refused(409, "uniqueness"), &taken);
    says(server.put(&format!("/Users/{bob}"), body.clone()).refused(409, "uniqueness"), &taken);
    let operation = json!([{"op": "replace", "path": "userName", "value": "Ada"}]);
    says(server.operations(&format!("/Users/{bob}"), operation).refused(409, "uniqueness"), &taken);
    let bulk = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],
        "Operations": [{"method": "POST", "path": "/Users", "bulkId": "1", "data": body}]
    });
    let answer = server.post("/Bulk", bulk);
    let detail = answer.json["Operations"][0]["response"]["detail"].as_str().unwrap();
    assert!(detail.contains(&taken), "{detail}");
    // A value may hold what ends a string.
    let odd =
        json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": "a \"b\" \\ c"});
    let group = server.created("/Groups", odd.clone());
    says(
        server.post("/Groups", odd).refused(409, "uniqueness"),
        &format!("the Group with the id `{group}` has it"),
    );
}
