//! RFC 7644 §3.12: what bad input gets.

use std::sync::Arc;

use futures_util::FutureExt;
use http::{Method, Request};
use http_body_util::{BodyExt, Full};
use scim2_core::{CompiledType, ResourceId, Version};
use scim2_server::store::{Include, Outcome, Write};
use scim2_server::{Context, ResourceStore, ServiceProvider, StoreError, StoredResource};
use serde_json::json;

use crate::harness::{Answer, BASE, Server, Tokens, USER, raw, request, with_token};

/// Status, keyword and detail of an error, on one line.
fn line(answer: &Answer) -> String {
    let scim_type = answer.json["scimType"].as_str().map(|word| format!(" {word}")).unwrap_or_default();
    assert_eq!(answer.json["status"], answer.status.as_u16().to_string());
    assert_eq!(answer.header("content-type"), "application/scim+json");
    format!("{}{scim_type}: {}", answer.status.as_u16(), answer.detail())
}

#[test]
fn s_3_12_01_02_03_error_lines() {
    let server = Server::new();
    let id = server.user("ada");
    let post = |body: &str| line(&server.send(raw(Method::POST, "/Users", body.to_owned())));
    let lines = [
        line(&server.get("/Users/none")),
        line(&server.get("/Nope")),
        line(&server.send(request(Method::PUT, "/Users"))),
        line(&server.get("/Users?filter=userName%20foo%20%22x%22")),
        line(&server.get("/Users?filter=shoeSize%20eq%209")),
        line(&server.get("/Users?count=many")),
        line(&server.get("/Users?sortBy=shoeSize")),
        line(&server.get("/Me")),
        post("{"),
        post("[]"),
        post(r#"{"userName":"a","USERNAME":"b"}"#),
        post(r#"{"userName":"\u0000"}"#),
        post(r#"{"userName":"ADA"}"#),
        post(r#"{"userName":7}"#),
        post(r#"{"userName":"x","emails":7}"#),
        post(r#"{"userName":"x","schemas":7}"#),
        line(&server.send(with_token(Method::GET, "/Users", "Bearer wrong"))),
        line(&server.operations(&format!("/Users/{id}"), json!([{ "op": "remove", "path": "userName" }]))),
        line(
            &server.operations(&format!("/Users/{id}"), json!([{ "op": "add", "path": "a..b", "value": 1 }])),
        ),
        line(&server.send(raw(
            Method::POST,
            "/Groups",
            r#"{"displayName":"g","members":[{"value":"nobody"}]}"#,
        ))),
    ];
    insta::assert_snapshot!("error_lines", lines.join("\n"));
}

#[test]
fn s_3_12_05_what_is_no_json_object_is_400() {
    let server = Server::new();
    for body in ["", "{", "null", "[]", "\"x\"", "{} {}", "{\"a\":1,\"A\":2}", "{\"userName\":\"a\\u0000\"}"]
    {
        for (method, path) in [(Method::POST, "/Users"), (Method::POST, "/Bulk"), (Method::POST, "/.search")]
        {
            server.send(raw(method, path, body)).refused(400, "invalidSyntax");
        }
    }
    server
        .send(raw(Method::POST, "/Users", b"{\"userName\":\"\xff\"}".to_vec()))
        .refused(400, "invalidSyntax");
    let deep = format!("{}1{}", "{\"a\":".repeat(100_000), "}".repeat(100_000));
    server.send(raw(Method::POST, "/Users", deep)).refused(400, "invalidSyntax");
    assert_eq!(server.get("/Users").json["totalResults"], 0);
}

#[test]
fn a_body_above_the_limit_is_413_and_a_large_name_is_not_our_end() {
    let server = Server::new();
    let user = |size: usize| json!({ "schemas": [USER], "userName": "x".repeat(size) }).to_string();
    let too_large = server.send(raw(Method::POST, "/Users", user(10 << 20)));
    too_large.refused(413, "");
    assert!(too_large.detail().contains("8388608 bytes"), "{}", too_large.detail());
    // Without a declared length it is the bytes that count.
    let frames = futures_util::stream::iter((0..200).map(|_| {
        Ok::<_, std::convert::Infallible>(http_body::Frame::data(bytes::Bytes::from(vec![b' '; 1 << 16])))
    }));
    let request = Request::post(format!("{BASE}/Users"))
        .header("authorization", "Bearer write")
        .body(http_body_util::StreamBody::new(frames))
        .expect("a request");
    let response = futures_util::FutureExt::now_or_never(server.service.handle(request)).expect("no waiting");
    assert_eq!(response.status(), 413);
    assert_eq!(server.get("/Users").json["totalResults"], 0);
}

#[test]
fn a_body_that_breaks_off_is_400() {
    let server = Server::new();
    let frames =
        futures_util::stream::iter([Ok(http_body::Frame::data(bytes::Bytes::from("{"))), Err("reset")]);
    let request = Request::post(format!("{BASE}/Users"))
        .header("authorization", "Bearer write")
        .body(http_body_util::StreamBody::new(frames))
        .expect("a request");
    let response = futures_util::FutureExt::now_or_never(server.service.handle(request)).expect("no waiting");
    assert_eq!(response.status(), 400);
}

#[test]
fn a_body_in_pieces_is_one_body() {
    let server = Server::new();
    let text = json!({ "schemas": [USER], "userName": "ada" }).to_string();
    let frames: Vec<_> = text
        .bytes()
        .map(|byte| Ok::<_, std::convert::Infallible>(http_body::Frame::data(bytes::Bytes::from(vec![byte]))))
        .collect();
    let request = Request::post(format!("{BASE}/Users"))
        .header("authorization", "Bearer write")
        .body(http_body_util::StreamBody::new(futures_util::stream::iter(frames)))
        .expect("a request");
    let response = futures_util::FutureExt::now_or_never(server.service.handle(request)).expect("no waiting");
    assert_eq!(response.status(), 201);
}

#[test]
fn s_3_12_11_a_panic_is_500_and_says_nothing_of_the_inside() {
    use scim2_server::{Authenticator, MemoryStore, Principal};

    struct Panics;
    impl Authenticator for Panics {
        async fn authenticate(&self, _: &http::request::Parts) -> Result<Principal, scim2_server::AuthError> {
            panic!("the secret of the authenticator")
        }
    }
    let service = ServiceProvider::builder(MemoryStore::new()).build().service(Panics);
    let request = Request::get("http://localhost:8080/scim/v2/Users").body(Full::<bytes::Bytes>::default());
    let response = futures_util::FutureExt::now_or_never(service.handle(request.expect("a request")));
    let response = response.expect("no waiting");
    assert_eq!(response.status(), 500);
    let body = futures_util::FutureExt::now_or_never(http_body_util::BodyExt::collect(response.into_body()));
    let body = body.expect("no waiting").expect("no error").to_bytes();
    let text = std::str::from_utf8(&body).expect("UTF-8");
    assert!(text.contains("\"status\":\"500\"") && !text.contains("secret"), "{text}");
}

/// A store that fails whatever it is asked.
struct Broken(fn() -> StoreError);

impl ResourceStore for Broken {
    async fn create(&self, _: &Context, _: Write) -> Result<StoredResource, StoreError> {
        Err((self.0)())
    }

    async fn retrieve(
        &self,
        _: &Context,
        _: &Arc<CompiledType>,
        _: &str,
        _: Include,
    ) -> Result<Option<StoredResource>, StoreError> {
        Err((self.0)())
    }

    async fn replace(
        &self,
        _: &Context,
        _: &Version,
        _: Write,
    ) -> Result<Outcome<StoredResource>, StoreError> {
        Err((self.0)())
    }

    async fn delete(
        &self,
        _: &Context,
        _: &Arc<CompiledType>,
        _: &str,
        _: Option<&Version>,
    ) -> Result<Outcome<()>, StoreError> {
        Err((self.0)())
    }

    async fn list(
        &self,
        _: &Context,
        _: &Arc<CompiledType>,
        _: Option<&ResourceId>,
        _: usize,
        _: Include,
    ) -> Result<Vec<StoredResource>, StoreError> {
        Err((self.0)())
    }
}

#[test]
fn s_3_12_11_what_goes_wrong_inside_stays_inside() {
    let cases: [(fn() -> StoreError, u16); 2] = [
        (|| StoreError::internal("disk /var/secret.db is full"), 500),
        (|| StoreError::unavailable("the store is shutting down"), 503),
    ];
    for (error, status) in cases {
        let service = ServiceProvider::builder(Broken(error)).build().service(Tokens);
        let body = json!({ "schemas": [USER], "userName": "ada" }).to_string();
        for (method, path) in [
            (Method::GET, "/Users"),
            (Method::GET, "/Users/1"),
            (Method::POST, "/Users"),
            (Method::PUT, "/Users/1"),
            (Method::DELETE, "/Users/1"),
        ] {
            let request = Request::builder()
                .method(method)
                .uri(format!("/scim/v2{path}"))
                .header("authorization", "Bearer write")
                .body(Full::<bytes::Bytes>::from(body.clone()))
                .expect("a request");
            let response = service.handle(request).now_or_never().expect("no waiting");
            assert_eq!(response.status(), status, "{path}");
            assert_eq!(response.headers().contains_key("retry-after"), status == 503, "{path}");
            let body = response.into_body().collect().now_or_never().expect("no waiting").expect("no error");
            let body = body.to_bytes();
            let text = std::str::from_utf8(&body).expect("UTF-8");
            assert!(text.contains(&format!("\"status\":\"{status}\"")) && !text.contains("secret"), "{text}");
        }
    }
}
