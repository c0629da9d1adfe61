//! Long requests let others run in between, and end at a time limit.

use futures_util::FutureExt;
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
