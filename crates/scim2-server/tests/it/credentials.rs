//! Credentials that end during a request, and the counters.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::FutureExt;
use http::request::Parts;
use http_body_util::{BodyExt, Full};
use scim2_core::Quirk;
use scim2_server::{
    Access, AuthError, Authenticator, Clock, MemoryStore, Principal, ServiceProvider, TenantId,
};
use serde_json::{Value, json};

use crate::harness::{Server, USER, finish};

/// Accepts a credential a given number of times, and counts how often it was asked.
#[derive(Clone)]
struct Times {
    accepted: u32,
    asked: Arc<AtomicU32>,
}

impl Authenticator for Times {
    async fn authenticate(&self, _: &Parts) -> Result<Principal, AuthError> {
        if self.asked.fetch_add(1, Ordering::Relaxed) >= self.accepted {
            return Err(AuthError::Revoked("okta".into()));
        }
        let (tenant, actor) = (TenantId::default(), "okta".into());
        Ok(Principal { tenant, actor, access: Access::Write, resource: None })
    }
}

/// A clock that advances by 100 ms at each reading.
struct Steps(AtomicI64);

impl Clock for Steps {
    fn now(&self) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::milliseconds(self.0.fetch_add(100, Ordering::Relaxed))
    }
}

/// The statuses of 40 operations, and how often the authenticator was asked.
fn bulk(accepted: u32) -> (Vec<String>, u32) {
    let times = Times { accepted, asked: Arc::default() };
    let provider = ServiceProvider::builder(MemoryStore::new()).clock(Steps(AtomicI64::new(0))).build();
    let operations: Vec<Value> = (0..40)
        .map(|number| {
            let data = json!({"schemas": [USER], "userName": format!("user{number}")});
            json!({"method": "POST", "path": "/Users", "bulkId": number.to_string(), "data": data})
        })
        .collect();
    let schemas = ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"];
    let body = json!({"schemas": schemas, "Operations": operations}).to_string();
    let request = http::Request::post("/scim/v2/Bulk").body(Full::new(bytes::Bytes::from(body))).unwrap();
    let service = provider.service(times.clone());
    let response = finish(service.handle(request));
    assert_eq!(response.status(), 200);
    let body = response.into_body().collect().now_or_never().unwrap().unwrap().to_bytes();
    let body: Value = serde_json::from_slice(&body).unwrap();
    let statuses = body["Operations"].as_array().unwrap().iter();
    let statuses = statuses.map(|operation| operation["status"].as_str().unwrap().to_owned());
    (statuses.collect(), times.asked.load(Ordering::Relaxed))
}

#[test]
fn bulk_with_revoked_credential_stops() {
    let (statuses, asked) = bulk(1);
    assert_eq!(asked, 2, "a refusal is final");
    let created = statuses.iter().take_while(|status| *status == "201").count();
    assert!((1..15).contains(&created), "{statuses:?}");
    assert!(statuses[created..].iter().all(|status| status == "401"), "{statuses:?}");
}

#[test]
fn bulk_asks_for_its_credential_once_a_second() {
    let (statuses, asked) = bulk(u32::MAX);
    assert!(statuses.iter().all(|status| status == "201"), "{statuses:?}");
    assert!((3..=10).contains(&asked), "{asked} times in 4 seconds or more");
}

#[test]
fn leniencies_and_refusals_are_counted() {
    let server = Server::new();
    server.post(
        "/Users",
        json!({"schemas": [USER], "userName": "a", "active": "True", "shoeSize": 1, "id": "x"}),
    );
    server.post("/Users", json!({"schemas": [USER], "userName": "a"})).refused(409, "uniqueness");
    server.get("/Users/none").refused(404, "");
    server.get("/Users/none").refused(404, "");
    let counts = server.provider.counts();
    assert_eq!(counts.tolerated, [(Quirk::StringBool, 1), (Quirk::UnknownAttribute, 1)]);
    assert_eq!(counts.ignored, 1);
    let refused = [(404, String::new(), 2), (409, "uniqueness".to_owned(), 1)];
    assert_eq!(counts.refused, refused);
}
