//! A service provider over the memory store, and requests to it.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use bytes::Bytes;
use chrono::{DateTime, TimeDelta, Utc};
use futures_util::FutureExt;
use http::request::Parts;
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use scim2_core::schema::{ResourceType, Schema};
use scim2_core::{Registry, ResourceId};
use scim2_server::{
    Access, AuthError, Authenticator, Builder, Clock, HashError, IdSource, MemoryStore, PasswordHasher,
    Principal, ScimService, ServiceProvider, TenantId, bearer_token,
};
use serde_json::Value;

pub(crate) const BASE: &str = "https://example.com/scim/v2";
pub(crate) const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
pub(crate) const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
pub(crate) const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

/// A service provider under test.
#[derive(Clone)]
pub(crate) struct Server {
    pub(crate) service: ScimService<MemoryStore, Tokens>,
    pub(crate) provider: ServiceProvider<MemoryStore>,
    clock: TestClock,
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) bytes: Bytes,
    /// The body, `null` if there is none.
    pub(crate) json: Value,
}

impl Server {
    /// With the default options.
    pub(crate) fn new() -> Self {
        Self::with(|builder| builder)
    }

    /// With other options.
    pub(crate) fn with(change: impl FnOnce(Builder<MemoryStore>) -> Builder<MemoryStore>) -> Self {
        let clock = TestClock::default();
        let builder = ServiceProvider::builder(MemoryStore::new())
            .options(|options| options.base_url = scim2_server::BaseUrl::fixed(BASE))
            .clock(clock.clone())
            .ids(Numbers::default())
            .password_hasher(Reversing);
        let provider = change(builder).build();
        Self { service: provider.service(Tokens), provider, clock }
    }

    /// Lets time pass.
    pub(crate) fn sleep(&self, seconds: i64) {
        self.clock.0.fetch_add(seconds, Ordering::Relaxed);
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        self.send(request(Method::GET, path))
    }

    pub(crate) fn delete(&self, path: &str) -> Answer {
        self.send(request(Method::DELETE, path))
    }

    pub(crate) fn post(&self, path: &str, body: impl Into<Value>) -> Answer {
        self.send(with_body(Method::POST, path, body))
    }

    pub(crate) fn put(&self, path: &str, body: impl Into<Value>) -> Answer {
        self.send(with_body(Method::PUT, path, body))
    }

    pub(crate) fn patch(&self, path: &str, body: impl Into<Value>) -> Answer {
        self.send(with_body(Method::PATCH, path, body))
    }

    /// PATCH with these operations.
    #[track_caller]
    pub(crate) fn operations(&self, path: &str, operations: Value) -> Answer {
        self.patch(
            path,
            serde_json::json!({
                "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
                "Operations": operations,
            }),
        )
    }

    /// Creates a User and returns its id.
    #[track_caller]
    pub(crate) fn user(&self, user_name: &str) -> String {
        self.created("/Users", serde_json::json!({ "schemas": [USER], "userName": user_name }))
    }

    /// Creates a Group and returns its id.
    #[track_caller]
    pub(crate) fn group(&self, name: &str, members: &[&str]) -> String {
        let members: Vec<Value> = members.iter().map(|id| serde_json::json!({ "value": id })).collect();
        self.created(
            "/Groups",
            serde_json::json!({ "schemas": [GROUP], "displayName": name, "members": members }),
        )
    }

    #[track_caller]
    pub(crate) fn created(&self, path: &str, body: Value) -> String {
        let answer = self.post(path, body);
        assert_eq!(answer.status, 201, "{}", answer.json);
        answer.json["id"].as_str().expect("an id").to_owned()
    }

    pub(crate) fn send(&self, request: Request<Full<Bytes>>) -> Answer {
        let response = finish(self.service.handle(request));
        let (head, body) = response.into_parts();
        let bytes = body.collect().now_or_never().expect("a whole body").expect("no error").to_bytes();
        // Read by our own reader, which knows numbers that serde does not.
        let text = std::str::from_utf8(&bytes).expect("UTF-8");
        let json = if text.is_empty() { scim2_core::Value::Null } else { text.parse().expect("JSON") }.into();
        Answer { status: head.status, headers: head.headers, bytes, json }
    }
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("text"))
    }

    /// Asserts an error and its keyword, `""` for none.
    #[track_caller]
    pub(crate) fn refused(&self, status: u16, scim_type: &str) -> &Self {
        assert_eq!(self.status, status, "{}", self.json);
        assert_eq!(self.json["status"], status.to_string(), "{}", self.json);
        assert_eq!(self.json["schemas"][0], "urn:ietf:params:scim:api:messages:2.0:Error");
        assert_eq!(self.json["scimType"].as_str().unwrap_or_default(), scim_type, "{}", self.json);
        self
    }

    #[track_caller]
    pub(crate) fn ok(&self) -> &Value {
        assert_eq!(self.status, 200, "{}", self.json);
        &self.json
    }

    /// The detail of an error.
    pub(crate) fn detail(&self) -> &str {
        self.json["detail"].as_str().unwrap_or_default()
    }

    pub(crate) fn resources(&self) -> &Vec<Value> {
        self.json["Resources"].as_array().expect("Resources")
    }

    /// One string of each resource of a list.
    pub(crate) fn column(&self, name: &str) -> Vec<&str> {
        self.resources().iter().map(|resource| resource[name].as_str().unwrap_or("-")).collect()
    }
}

/// A request to a path below the base, with a credential.
/// The result of a future that may let others run, but waits for nothing.
pub(crate) fn finish<F: Future>(future: F) -> F::Output {
    turns(future).1
}

/// How often a future lets others run before it is ready, and its result.
pub(crate) fn turns<F: Future>(future: F) -> (usize, F::Output) {
    let mut future = Box::pin(future);
    let mut turns = 0;
    loop {
        match future.as_mut().now_or_never() {
            Some(output) => return (turns, output),
            None => turns += 1,
        }
    }
}

pub(crate) fn request(method: Method, path: &str) -> Request<Full<Bytes>> {
    with_token(method, path, "Bearer write")
}

pub(crate) fn with_token(method: Method, path: &str, token: &str) -> Request<Full<Bytes>> {
    Request::builder()
        .method(method)
        .uri(format!("{BASE}{path}"))
        .header("authorization", token)
        .body(Full::default())
        .expect("a request")
}

pub(crate) fn with_body(method: Method, path: &str, body: impl Into<Value>) -> Request<Full<Bytes>> {
    raw(method, path, body.into().to_string())
}

pub(crate) fn raw(method: Method, path: &str, body: impl Into<Bytes>) -> Request<Full<Bytes>> {
    let mut request = request(method, path);
    request.headers_mut().insert("content-type", "application/scim+json".parse().expect("a value"));
    *request.body_mut() = Full::new(body.into());
    request
}

/// `Bearer write`, `Bearer read`, `Bearer other` (another tenant) and `Bearer me:Type:id`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tokens;

impl Authenticator for Tokens {
    async fn authenticate(&self, head: &Parts) -> Result<Principal, AuthError> {
        let token = bearer_token(&head.headers, false)?;
        let principal = |tenant: &str, access| Principal {
            tenant: TenantId::parse(tenant).expect("a name"),
            actor: "test".into(),
            access,
            resource: None,
        };
        match token {
            "write" => Ok(principal("default", Access::Write)),
            "read" => Ok(principal("default", Access::Read)),
            "other" => Ok(principal("other", Access::Write)),
            "down" => Err(AuthError::Unavailable),
            token => {
                let mut parts = token.split(':');
                if parts.next() != Some("me") {
                    return Err(AuthError::Invalid);
                }
                let type_ = parts.next().ok_or(AuthError::Invalid)?;
                let id = parts.next().and_then(|id| ResourceId::parse(id).ok()).ok_or(AuthError::Invalid)?;
                let resource = Some((Arc::from(type_), id));
                Ok(Principal { resource, ..principal("default", Access::Write) })
            }
        }
    }
}

/// Starts in 2026 and moves when told.
#[derive(Debug, Clone, Default)]
struct TestClock(Arc<AtomicI64>);

impl Clock for TestClock {
    fn now(&self) -> DateTime<Utc> {
        let start: DateTime<Utc> = "2026-01-02T03:04:05.678Z".parse().expect("a time");
        start + TimeDelta::seconds(self.0.load(Ordering::Relaxed))
    }
}

/// `r-00001` and on.
#[derive(Debug, Default)]
struct Numbers(AtomicU64);

impl IdSource for Numbers {
    fn resource_id(&self) -> ResourceId {
        let number = self.0.fetch_add(1, Ordering::Relaxed) + 1;
        ResourceId::parse(&format!("r-{number:05}")).expect("an id")
    }
}

/// Not a real hash, but one that a test can recognize.
#[derive(Debug)]
pub(crate) struct Reversing;

impl PasswordHasher for Reversing {
    async fn hash(&self, password: String) -> Result<String, HashError> {
        Ok(format!("$reversed${}", password.chars().rev().collect::<String>()))
    }
}

/// The standard registry and a resource type with every kind of `returned` and `mutability`.
pub(crate) fn badges() -> Registry {
    let badge = serde_json::json!({
        "id": "urn:example:schemas:1.0:Badge",
        "name": "Badge",
        "attributes": [
            { "name": "number", "required": true, "returned": "always", "uniqueness": "server" },
            { "name": "serial", "mutability": "immutable" },
            { "name": "colour" },
            { "name": "uses", "type": "integer" },
            { "name": "weight", "type": "decimal" },
            { "name": "seen", "type": "dateTime" },
            { "name": "note", "returned": "request" },
            { "name": "pin", "returned": "never" },
            { "name": "holder", "type": "complex", "subAttributes": [
                { "name": "name" },
                { "name": "code", "returned": "always" },
                { "name": "memo", "returned": "request" },
            ] },
        ],
    });
    let type_ = serde_json::json!({
        "name": "Badge", "endpoint": "/Badges", "schema": "urn:example:schemas:1.0:Badge",
    });
    registry_with([badge], [type_])
}

/// The standard registry, and these schemas and resource types.
pub(crate) fn registry_with<const S: usize, const T: usize>(
    schemas: [Value; S],
    types: [Value; T],
) -> Registry {
    let standard = Registry::standard();
    let schema = |schema| serde_json::from_value::<Schema>(schema).expect("a schema");
    let type_ = |type_| serde_json::from_value::<ResourceType>(type_).expect("a resource type");
    let schemas = standard.schemas().cloned().chain(schemas.map(schema));
    let types = standard.resource_types().map(|type_| type_.resource_type().clone()).chain(types.map(type_));
    Registry::with(schemas.collect::<Vec<_>>(), types.collect::<Vec<_>>()).expect("schemas that compile")
}
