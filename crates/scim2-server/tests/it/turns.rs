//! Long requests let others run in between, and end at a time limit.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use futures_util::FutureExt;
use http_body_util::Full;
use scim2_server::LongWork;
use serde_json::{Value, json};

use crate::harness::{Server, USER, request, turns, with_body};

/// Users whose names together are some megabytes.
fn server() -> Server {
    let server = Server::with(|builder| builder.options(|options| options.limits.query_timeout = 0));
    for number in 0..200 {
        let name = format!("user{number}");
        let nick = "n".repeat(4000);
        server.created("/Users", json!({ "schemas": [USER], "userName": name, "nickName": nick }));
    }
    server
}

fn search(filter: &str, count: usize) -> Value {
    json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"], "filter": filter, "count": count,
    })
}

#[test]
fn a_long_query_in_memory_lets_others_run_and_ends_at_the_time_limit() {
    let server = server();
    let terms: Vec<String> = (0..200).map(|number| format!(r#"nickName co "x{number}""#)).collect();
    let ask = || with_body(http::Method::POST, "/Users/.search", search(&terms.join(" or "), 10));
    let (turns, response) = turns(server.service.handle(ask()));
    assert!(turns >= 1, "it holds its thread");
    assert_eq!(response.status(), 400);
    server.post("/Users/.search", search(&terms.join(" or "), 10)).refused(400, "tooMany");
    // A short one is over before the time is looked at.
    assert_eq!(server.get("/Users?count=1").ok()["totalResults"], 200);
}

#[test]
fn a_bulk_request_lets_others_run_after_each_operation() {
    let server = Server::new();
    let operations: Vec<Value> =
        (0..20).map(|_| json!({ "method": "DELETE", "path": "/Users/none" })).collect();
    let body = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"], "Operations": operations,
    });
    let (turns, response) = turns(server.service.handle(with_body(http::Method::POST, "/Bulk", body)));
    assert_eq!(response.status(), 200);
    assert!(turns >= 20, "{turns}");
    let (turns, _) = self::turns(server.service.handle(request(http::Method::GET, "/Users")));
    assert_eq!(turns, 0, "a short request is answered at once");
}

#[test]
fn too_many_bulk_requests_of_one_credential_are_throttled_and_others_are_answered() {
    let server = Server::with(|builder| builder.options(|options| options.limits.bulk_concurrent = 1));
    let body = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],
        "Operations": [{ "method": "DELETE", "path": "/Users/none" }],
    });
    let send = || Box::pin(server.service.handle(with_body(http::Method::POST, "/Bulk", body.clone())));
    // One is worked on and 64 wait.
    let mut under_way: Vec<_> = (0..65).map(|_| send()).collect();
    assert!(under_way.iter_mut().all(|answer| answer.as_mut().now_or_never().is_none()));
    let (_, refused) = turns(send());
    assert_eq!(refused.status(), 429);
    assert_eq!(refused.headers()["retry-after"], "1");
    assert_eq!(server.get("/Users").status, 200);
    while let Some(answer) = under_way.pop() {
        drop(answer);
    }
    assert_eq!(turns(send()).1.status(), 200);
}

/// How many e-mail addresses make a user whose change takes long.
const MANY: usize = 4000;

fn emails(count: usize) -> Vec<Value> {
    (0..count).map(|number| json!({ "value": format!("{number:040}@example.com") })).collect()
}

fn large_user(server: &Server) -> String {
    server.created("/Users", json!({ "schemas": [USER], "userName": "large", "emails": emails(MANY) }))
}

/// A PATCH that adds so many e-mail addresses in as many operations.
fn additions(id: &str, name: &str, count: usize, token: &str) -> http::Request<Full<Bytes>> {
    let operations: Vec<Value> = (0..count)
        .map(|number| json!({ "op": "add", "path": "emails", "value": [{ "value": format!("{name}{number}@x") }] }))
        .collect();
    let body = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": operations,
    });
    let mut request = with_body(http::Method::PATCH, &format!("/Users/{id}"), body);
    request.headers_mut().insert("authorization", token.parse().expect("a field"));
    request
}

/// Counts what it runs.
#[derive(Debug, Clone, Default)]
struct Runs(Arc<AtomicUsize>);

impl LongWork for Runs {
    fn run(&self, work: &mut dyn FnMut()) {
        self.0.fetch_add(1, Ordering::Relaxed);
        work();
    }
}

#[test]
fn parsing_and_canonicalizing_a_large_body_holds_no_asynchronous_thread() {
    let runs = Runs::default();
    let server = Server::with(|builder| {
        builder.long_work(runs.clone()).options(|options| options.limits.bulk_payload = 16 << 20)
    });
    let long = |method, path: &str, body: Value, status: u16| {
        let before = runs.0.load(Ordering::Relaxed);
        let (polls, response) = turns(server.service.handle(with_body(method, path, body)));
        assert_eq!(response.status(), status, "{path}");
        (polls, runs.0.load(Ordering::Relaxed) - before)
    };
    // Some 7 MiB of e-mail addresses, names and texts.
    let user = |name: &str| {
        let emails = (0..40_000).map(
            |number| json!({ "value": format!("{name}{number}@example.com"), "display": "n".repeat(100) }),
        );
        json!({ "schemas": [USER], "userName": name, "emails": emails.collect::<Vec<_>>() })
    };
    let small = |name: &str| json!({ "schemas": [USER], "userName": name });
    let id = server.user("replaced");
    // Parsing and canonicalizing: each gives the thread away first and runs apart.
    let (polls, runs_of_post) = long(http::Method::POST, "/Users", user("created"), 201);
    assert!(polls >= 2 && runs_of_post >= 2, "{polls}, {runs_of_post}");
    let (polls, runs_of_put) = long(http::Method::PUT, &format!("/Users/{id}"), user("replaced"), 200);
    assert!(polls >= 2 && runs_of_put >= 3, "{polls}, {runs_of_put}");
    let bulk = |data: Value| {
        json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],
            "Operations": [{ "method": "POST", "path": "/Users", "bulkId": "1", "data": data }],
        })
    };
    let (polls, runs_of_bulk) = long(http::Method::POST, "/Bulk", bulk(user("in bulk")), 200);
    assert!(polls >= 3 && runs_of_bulk >= 2, "{polls}, {runs_of_bulk}");
    // Small bodies are answered at once, on the thread of their request.
    assert_eq!(long(http::Method::POST, "/Users", small("small"), 201), (0, 0));
    assert_eq!(long(http::Method::POST, "/Bulk", bulk(small("in small bulk")), 200).1, 0);
}

#[test]
fn a_patch_of_a_large_resource_lets_others_run_between_its_operations() {
    let runs = Runs::default();
    let server = Server::with(|builder| builder.long_work(runs.clone()));
    let id = large_user(&server);
    let small = server.user("small");
    let created = runs.0.swap(0, Ordering::Relaxed);
    assert!(created > 0, "the POST of a large resource is long, too");
    let (few, response) = turns(server.service.handle(additions(&id, "few", 10, "Bearer write")));
    assert_eq!(response.status(), 200);
    let (many, response) = turns(server.service.handle(additions(&id, "many", 50, "Bearer write")));
    assert_eq!(response.status(), 200);
    assert!(few >= 2 && many >= few + 8, "it holds its thread: {few}, {many}");
    // Each stretch, and reading and comparing the resource, ran where it holds no asynchronous thread.
    assert!(runs.0.load(Ordering::Relaxed) >= few + many, "{runs:?}");
    assert_eq!(server.get(&format!("/Users/{id}")).ok()["emails"].as_array().map(Vec::len), Some(MANY + 60));
    // Replacing it is long as well.
    let body = json!({ "schemas": [USER], "userName": "large", "emails": emails(10) });
    let put = with_body(http::Method::PUT, &format!("/Users/{id}"), body);
    assert!(turns(server.service.handle(put)).0 >= 1);
    // What is small pays nothing.
    let before = runs.0.load(Ordering::Relaxed);
    let (turns, response) = turns(server.service.handle(additions(&small, "small", 10, "Bearer write")));
    assert_eq!((turns, response.status().as_u16()), (0, 200));
    assert_eq!(runs.0.load(Ordering::Relaxed), before);
}

#[test]
fn a_patch_that_is_refused_after_letting_others_run_changes_nothing() {
    let server = Server::new();
    let id = large_user(&server);
    let before = server.get(&format!("/Users/{id}")).bytes;
    let mut operations: Vec<Value> = (0..20)
        .map(|number| json!({ "op": "add", "path": "emails", "value": [{ "value": format!("{number}@x") }] }))
        .collect();
    operations.push(json!({ "op": "remove", "path": "userName" }));
    server.operations(&format!("/Users/{id}"), json!(operations)).refused(400, "mutability");
    assert_eq!(server.get(&format!("/Users/{id}")).bytes, before);
}

#[test]
fn one_credential_has_few_long_patches_at_once_and_others_are_answered_in_between() {
    let server = Server::with(|builder| builder.options(|options| options.limits.bulk_concurrent = 1));
    let (id, small) = (large_user(&server), server.user("small"));
    let body = json!({ "schemas": [USER], "userName": "large", "emails": emails(MANY) });
    let mut post = with_body(http::Method::POST, "/Users", body);
    post.headers_mut().insert("authorization", "Bearer other".parse().expect("a field"));
    let foreign = server.send(post).json["id"].as_str().expect("an id").to_owned();
    let send = |name: &str| Box::pin(server.service.handle(additions(&id, name, 1, "Bearer write")));
    // One is worked on and 64 wait.
    let mut under_way: Vec<_> = (0..65).map(|number| send(&format!("n{number}-"))).collect();
    assert!(under_way.iter_mut().all(|answer| answer.as_mut().now_or_never().is_none()));
    let (_, refused) = turns(send("refused"));
    assert_eq!(refused.status(), 429);
    assert_eq!(refused.headers()["retry-after"], "1");
    // Small ones of the same credential and large ones of another wait for none of them.
    let (waits, response) = turns(server.service.handle(additions(&small, "s", 1, "Bearer write")));
    assert_eq!((waits, response.status().as_u16()), (0, 200));
    let (_, response) = turns(server.service.handle(additions(&foreign, "other", 1, "Bearer other")));
    assert_eq!(response.status(), 200);
    // Those that waited change what is there when their turn comes.
    under_way.truncate(3);
    for answer in under_way {
        assert_eq!(turns(answer).1.status(), 200);
    }
    assert_eq!(server.get(&format!("/Users/{id}")).ok()["emails"].as_array().map(Vec::len), Some(MANY + 3));
}

#[test]
fn operations_of_bulk_requests_take_the_turns_of_long_patches_and_wait_for_no_other() {
    let server = Server::with(|builder| builder.options(|options| options.limits.bulk_concurrent = 1));
    let id = large_user(&server);
    let mut patch = Box::pin(server.service.handle(additions(&id, "patch", 1, "Bearer write")));
    assert!(patch.as_mut().now_or_never().is_none());
    let operation = json!({ "method": "PATCH", "path": format!("/Users/{id}"), "data": {
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
        "Operations": [{ "op": "add", "path": "emails", "value": [{ "value": "bulk@x" }] }],
    }});
    let body = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"], "Operations": [operation],
    });
    let mut bulk = Box::pin(server.service.handle(with_body(http::Method::POST, "/Bulk", body)));
    for _ in 0..10 {
        assert!(bulk.as_mut().now_or_never().is_none(), "it waits for the turn");
    }
    assert_eq!(turns(patch).1.status(), 200);
    assert_eq!(turns(bulk).1.status(), 200);
    assert_eq!(server.get(&format!("/Users/{id}")).ok()["emails"].as_array().map(Vec::len), Some(MANY + 2));
}
