//! Bytes that requests hold are counted until they are written, and refused beyond the budget.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use futures_util::FutureExt;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, RETRY_AFTER};
use http::request::Parts;
use http::{Method, Request, Response, StatusCode};
use http_body::{Body, Frame};
use http_body_util::{BodyExt, Full};
use scim2_server::{
    Access, AuthError, Authenticator, BaseUrl, ClientAddress, MemoryStore, Principal, ResponseBody,
    ScimService, ServiceProvider, TenantId,
};
use serde_json::{Value, json};

use crate::harness::{BASE, USER, finish, request, with_body};

/// How long the title of each user is: a page of fifty of them is a large one.
const TITLE: usize = 20_000;

/// Takes the token for the name of the credential.
struct Names;

impl Authenticator for Names {
    async fn authenticate(&self, head: &Parts) -> Result<Principal, AuthError> {
        let name = head.headers.get("authorization").and_then(|value| value.to_str().ok()).unwrap_or("ada");
        Ok(Principal {
            tenant: TenantId::default(),
            actor: name.into(),
            access: Access::Write,
            resource: None,
        })
    }
}

struct Server {
    provider: ServiceProvider<MemoryStore>,
    service: ScimService<MemoryStore, Names>,
}

impl Server {
    /// With these limits and fifty users with long titles.
    fn new(limit: u64, share: u64) -> Self {
        let provider = ServiceProvider::builder(MemoryStore::new())
            .options(|options| {
                options.base_url = BaseUrl::fixed(BASE);
                options.limits.bytes_in_flight = limit;
                options.limits.bytes_in_flight_per_credential = share;
                options.anonymous_discovery = true;
            })
            .build();
        let service = provider.service(Names);
        let this = Self { provider, service };
        for number in 0..50 {
            let user =
                json!({"schemas": [USER], "userName": format!("u{number}"), "title": "x".repeat(TITLE)});
            assert_eq!(this.send(with_body(Method::POST, "/Users", user)).status(), 201);
        }
        assert_eq!(this.provider.bytes_in_flight(), 0);
        this
    }

    /// Sends a request with the credential of that name.
    fn send_as(&self, name: &'static str, mut request: Request<Full<Bytes>>) -> Response<ResponseBody> {
        request.headers_mut().insert("authorization", http::HeaderValue::from_static(name));
        self.send(request)
    }

    fn send(&self, request: Request<Full<Bytes>>) -> Response<ResponseBody> {
        finish(self.service.handle(request))
    }

    fn get(&self, name: &'static str, target: &str) -> Response<ResponseBody> {
        self.send_as(name, request(Method::GET, target))
    }
}

fn read(response: Response<ResponseBody>) -> Value {
    let bytes = response.into_body().collect().now_or_never().expect("does not wait").expect("no error");
    serde_json::from_slice(&bytes.to_bytes()).expect("JSON")
}

#[track_caller]
fn refused(response: Response<ResponseBody>, status: u16) {
    assert_eq!(response.status(), status);
    assert!(response.headers().contains_key(RETRY_AFTER));
    assert_eq!(read(response)["status"], status.to_string());
}

#[test]
fn unread_pages_are_counted_until_they_are_dropped() {
    let server = Server::new(10 << 20, 2 << 20);
    let first = server.get("ada", "/Users?count=50");
    assert_eq!(first.status(), 200);
    let one = server.provider.bytes_in_flight();
    assert!((50 * TITLE as u64..60 * TITLE as u64).contains(&one), "{one}");
    let second = server.get("ada", "/Users?count=50");
    assert_eq!(server.provider.bytes_in_flight(), 2 * one);
    // The share of one credential is not that of another.
    refused(server.get("ada", "/Users?count=50"), 429);
    let search = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"], "count": 50});
    refused(server.send_as("ada", with_body(Method::POST, "/Users/.search", search)), 429);
    assert_eq!(server.get("ben", "/Users?count=50").status(), 200);
    assert_eq!(server.provider.bytes_in_flight(), 2 * one);
    drop((first, second));
    assert_eq!(server.provider.bytes_in_flight(), 0);
    assert_eq!(server.get("ada", "/Users?count=50").status(), 200);
}

#[test]
fn budget_of_all_is_refused_with_503() {
    let server = Server::new(3 << 20, 2 << 20);
    let unread = [server.get("ada", "/Users?count=50"), server.get("ben", "/Users?count=50")];
    let third = server.get("eve", "/Users?count=50");
    refused(server.get("joe", "/Users?count=50"), 503);
    drop((unread, third));
    assert_eq!(server.get("joe", "/Users?count=50").status(), 200);
}

#[test]
fn large_page_comes_in_pieces_with_the_bytes_of_a_whole_one() {
    let server = Server::new(1 << 30, 1 << 30);
    let mut expected = Vec::new();
    for start in 1..=50 {
        let page = read(server.get("ada", &format!("/Users?startIndex={start}&count=1")));
        expected.push(page["Resources"][0].clone());
    }
    let response = server.get("ada", "/Users?count=50");
    assert!(!response.headers().contains_key(CONTENT_LENGTH));
    assert_eq!(response.body().size_hint().exact(), None);
    let mut body = response.into_body();
    let (mut json, mut frames, mut held) = (Vec::new(), 0, server.provider.bytes_in_flight());
    while let Some(frame) = body.frame().now_or_never().expect("does not wait") {
        let data = frame.expect("no error").into_data().expect("data");
        // The first piece is what was written before the page was known to be large.
        assert!(data.len() < if frames == 0 { 300_000 } else { 64 << 10 } + 2 * TITLE, "{}", data.len());
        json.extend_from_slice(&data);
        drop(data);
        let left = server.provider.bytes_in_flight();
        assert!(left <= held, "{left} after {held}");
        (frames, held) = (frames + 1, left);
    }
    assert!(frames > 5);
    assert_eq!(server.provider.bytes_in_flight(), 0);
    let page: Value = serde_json::from_slice(&json).expect("JSON");
    assert_eq!((&page["totalResults"], &page["itemsPerPage"]), (&json!(50), &json!(50)));
    assert_eq!(page["Resources"].as_array().expect("an array"), &expected);
}

#[test]
fn piece_is_counted_until_it_is_written() {
    let server = Server::new(1 << 30, 1 << 30);
    let mut body = server.get("ada", "/Users?count=50").into_body();
    let before = server.provider.bytes_in_flight();
    let first = body.frame().now_or_never().expect("does not wait").expect("a frame").expect("no error");
    assert_eq!(server.provider.bytes_in_flight(), before);
    drop(first);
    assert!(server.provider.bytes_in_flight() < before - 200_000);
}

#[test]
fn small_page_is_one_buffer_that_is_not_counted() {
    let server = Server::new(1, 1);
    let response = server.get("ada", "/Users?count=2");
    assert_eq!(server.provider.bytes_in_flight(), 0);
    assert!(response.body().size_hint().exact().is_some_and(|size| size > 2 * TITLE as u64));
    let mut body = response.into_body();
    assert!(body.frame().now_or_never().expect("does not wait").is_some());
    assert!(body.is_end_stream());
}

#[test]
fn large_resource_is_counted_and_answers_to_writes_are_not_refused() {
    let server = Server::new(1 << 20, 300_000);
    let user = |name: &str| json!({"schemas": [USER], "userName": name, "title": "x".repeat(200_000)});
    let created = server.send_as("ada", with_body(Method::POST, "/Users", user("large")));
    assert_eq!(created.status(), StatusCode::CREATED);
    assert!(server.provider.bytes_in_flight() > 200_000);
    let location = created.headers()["location"].to_str().expect("text").to_owned();
    let target = location.strip_prefix(BASE).expect("below the base").to_owned();
    // The answer that is not read takes most of the share; a body that is small still comes, and what it does is answered.
    let patch = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
        "Operations": [{"op": "replace", "path": "nickName", "value": "L"}],
    });
    let patched = server.send_as("ada", with_body(Method::PATCH, &target, patch));
    assert_eq!(patched.status(), 200);
    refused(server.get("ada", &target), 429);
    // A large body beside them is refused before it is worked on.
    refused(server.send_as("ada", with_body(Method::POST, "/Users", user("other"))), 429);
    drop((created, patched));
    assert_eq!(server.get("ada", &target).status(), 200);
    assert_eq!(read(server.get("ada", "/Users?filter=userName%20eq%20%22other%22"))["totalResults"], 0);
}

#[test]
fn anonymous_discovery_is_counted_by_address() {
    let server = Server::new(1 << 30, 60_000);
    let from = |address: [u8; 4]| {
        let mut request = request(Method::GET, "/Schemas");
        let peer = (address, 1234).into();
        request.extensions_mut().insert(ClientAddress::new(peer, &http::HeaderMap::new(), 0));
        server.send(request)
    };
    let answers: Vec<_> = (0..4).map(|_| from([192, 0, 2, 1])).collect();
    let size = answers[0].body().size_hint().exact().expect("whole");
    if size < 64 << 10 {
        // Small answers are not counted.
        assert_eq!(server.provider.bytes_in_flight(), 0);
    } else {
        assert_eq!(answers[1].status(), 429);
        assert_eq!(from([192, 0, 2, 2]).status(), 200);
    }
}

/// A body whose end does not come before it is let go.
#[derive(Clone, Default)]
struct HalfSent(Arc<Half>);

#[derive(Default)]
struct Half {
    frames: Mutex<VecDeque<Bytes>>,
    ends: AtomicBool,
}

impl Body for HalfSent {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        match self.0.frames.lock().expect("no panic").pop_front() {
            Some(data) => Poll::Ready(Some(Ok(Frame::data(data)))),
            None if self.0.ends.load(Ordering::Relaxed) => Poll::Ready(None),
            None => Poll::Pending,
        }
    }
}

#[test]
fn half_sent_bodies_are_counted_while_they_are_read() {
    let server = Server::new(64 << 20, 5 << 20);
    let cx = &mut Context::from_waker(Waker::noop());
    let body = HalfSent::default();
    let post = |body: HalfSent| {
        let request = Request::post(format!("{BASE}/Users"))
            .header(CONTENT_TYPE, "application/scim+json")
            .body(body)
            .expect("a request");
        Box::pin(server.service.handle(request))
    };
    let mut first = post(body.clone());
    for megabytes in 1..=4 {
        body.0.frames.lock().expect("no panic").push_back(Bytes::from(vec![b' '; 1 << 20]));
        assert!(first.as_mut().poll(cx).is_pending());
        assert_eq!(server.provider.bytes_in_flight(), megabytes << 20);
    }
    let other = HalfSent::default();
    other.0.frames.lock().expect("no panic").push_back(Bytes::from(vec![b' '; 2 << 20]));
    refused(finish(post(other)), 429);
    assert_eq!(server.provider.bytes_in_flight(), 4 << 20);
    body.0.ends.store(true, Ordering::Relaxed);
    assert_eq!(finish(first).status(), 400);
    assert_eq!(server.provider.bytes_in_flight(), 0);
    // A client that goes away takes its bytes along.
    let body = HalfSent::default();
    body.0.frames.lock().expect("no panic").push_back(Bytes::from(vec![b' '; 1 << 20]));
    let mut gone = post(body);
    assert!(gone.as_mut().poll(cx).is_pending());
    assert_eq!(server.provider.bytes_in_flight(), 1 << 20);
    drop(gone);
    assert_eq!(server.provider.bytes_in_flight(), 0);
}
