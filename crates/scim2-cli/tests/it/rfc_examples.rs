//! Every message shape printed in RFC 7643 and RFC 7644, and those of RFC 9865, RFC 9944 and RFC 9967 that a
//! service provider without events has, over a socket, with values of our own.
//!
//! The printed example says which keys are there and of which JSON type (`has_shape_of`); the values and
//! what must come of them are written out in the test.

mod bulk;
mod cursor;
mod devices;
mod discovery;
mod errors;
mod events;
mod modify;
mod query;
mod resources;

use scim2_testkit::examples;
use scim2_testkit::http::Answer;
use scim2_testkit::process::ServerProcess;
use serde_json::{Value, json};
use tempfile::TempDir;

const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

/// A running service.
struct Service {
    server: ServerProcess,
    _folder: TempDir,
}

impl Service {
    fn start() -> Self {
        Self::start_with(&[])
    }

    fn start_with(arguments: &[&str]) -> Self {
        let (server, folder) = crate::harness::serve(arguments);
        Self { server, _folder: folder }
    }

    /// The absolute URL of a path below the base URL.
    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.server.endpoint().base_url())
    }

    fn send(&self, method: &str, target: &str, body: Option<&Value>) -> Answer {
        self.server.endpoint().call(method, target, body).expect("an answer")
    }

    /// Sends with header fields besides the token and the media type.
    fn send_with(
        &self,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        body: Option<&Value>,
    ) -> Answer {
        let mut all = vec![
            ("Authorization".to_owned(), format!("Bearer {}", self.server.endpoint().token())),
            ("Content-Type".to_owned(), "application/scim+json".to_owned()),
        ];
        all.extend(headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        let body = body.map(Value::to_string);
        self.server
            .endpoint()
            .send(method, target, &all, body.as_deref().map(str::as_bytes))
            .expect("an answer")
    }

    /// The JSON body of an answer that must have this status.
    #[track_caller]
    fn expect(&self, status: u16, method: &str, target: &str, body: Option<&Value>) -> Value {
        let answer = self.send(method, target, body);
        let said = String::from_utf8_lossy(&answer.body);
        assert_eq!(answer.status, status, "{method} {target}: {said}");
        answer.json().unwrap_or_default()
    }

    #[track_caller]
    fn get(&self, target: &str) -> Value {
        self.expect(200, "GET", target, None)
    }

    /// Creates a user and returns the id.
    #[track_caller]
    fn user(&self, user_name: &str) -> String {
        self.create("/Users", &json!({"schemas": [USER], "userName": user_name}))
    }

    /// Creates a group with these members and returns the id.
    #[track_caller]
    fn group(&self, display_name: &str, members: &[&str]) -> String {
        let members: Vec<_> = members.iter().map(|id| json!({ "value": id })).collect();
        self.create("/Groups", &json!({"schemas": [GROUP], "displayName": display_name, "members": members}))
    }

    #[track_caller]
    fn create(&self, endpoint: &str, body: &Value) -> String {
        id_of(&self.expect(201, "POST", endpoint, Some(body)))
    }

    /// Applies operations, asks for nothing back, and returns the resource as a GET shows it.
    #[track_caller]
    fn patch(&self, path: &str, operations: Value) -> Value {
        let body =
            json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": operations});
        let answer = self.send("PATCH", path, Some(&body));
        let said = String::from_utf8_lossy(&answer.body);
        assert!(answer.is_success(), "PATCH {path}: {} {said}", answer.status);
        self.get(path)
    }
}

#[track_caller]
fn id_of(resource: &Value) -> String {
    resource["id"].as_str().expect("a resource has an id").to_owned()
}

/// The last segment of a URL.
#[track_caller]
fn last_segment(url: &Value) -> String {
    url.as_str().and_then(|url| url.rsplit('/').next()).expect("a URL").to_owned()
}

/// The `value`s of a multi-valued attribute, sorted.
fn values_of(attribute: &Value) -> Vec<&str> {
    let mut values: Vec<_> =
        attribute.as_array().into_iter().flatten().filter_map(|it| it["value"].as_str()).collect();
    values.sort_unstable();
    values
}

/// Asserts that every key of the printed example is there with the same JSON type, at any depth; of an array, in
/// every element the keys that all printed elements share.
#[track_caller]
fn has_shape_of(example: &str, ours: &Value) {
    let printed = examples::json(example).expect("an example of this name");
    let mut missing = Vec::new();
    compare_shape("", &printed, ours, &mut missing);
    assert!(missing.is_empty(), "{example}: {missing:?} in {ours:#}");
}

fn compare_shape(place: &str, printed: &Value, ours: &Value, missing: &mut Vec<String>) {
    match (printed, ours) {
        (Value::Object(printed), Value::Object(ours)) => {
            for (key, value) in printed {
                match ours.get(key) {
                    Some(ours) => compare_shape(&format!("{place}.{key}"), value, ours, missing),
                    None => missing.push(format!("{place}.{key}")),
                }
            }
        }
        (Value::Array(printed), Value::Array(ours)) => {
            let Some((first, others)) = printed.split_first() else { return };
            let shared = others.iter().fold(first.clone(), shared_keys);
            for element in ours {
                compare_shape(&format!("{place}[]"), &shared, element, missing);
            }
        }
        (printed, ours) => {
            if std::mem::discriminant(printed) != std::mem::discriminant(ours) {
                missing.push(format!("{place}: {ours} is of another type than {printed}"));
            }
        }
    }
}

/// The keys of `one` that `other` has too, at any depth of objects.
fn shared_keys(one: Value, other: &Value) -> Value {
    match (one, other) {
        (Value::Object(one), Value::Object(other)) => one
            .into_iter()
            .filter_map(|(key, value)| other.get(&key).map(|other| (key, shared_keys(value, other))))
            .collect(),
        (one, _) => one,
    }
}
