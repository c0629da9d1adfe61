//! Replays dialect exchanges against a running service, over a socket.
//!
//! Before an exchange the service holds exactly the resources of its `given`: what is there and not given is
//! deleted, what is given and not there is created. Exchanges of one conversation run in order on what the
//! earlier ones left: a given resource that is already there keeps its id and is replaced only where it differs.
//!
//! ```no_run
//! use scim2_testkit::{dialects, http::Endpoint, replay::Runner};
//!
//! let service = Endpoint::new("http://127.0.0.1:8080/scim/v2", "a-bearer-token")?;
//! let report = Runner::new(service).run(&dialects::client_exchanges());
//! assert_eq!(report.failed().count(), 0, "{report}");
//! # Ok::<(), std::io::Error>(())
//! ```

mod report;
pub mod subset;
pub mod template;

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::dialects::Exchange;
use crate::http::{Answer, Endpoint, encode};

pub use self::report::{Outcome, Report};
use self::subset::{Arrays, differences};
use self::template::Names;

/// Replays exchanges against one service.
#[derive(Clone, Debug)]
pub struct Runner {
    service: Endpoint,
    basic: String,
}

impl Runner {
    /// A runner against this service. `{basic}` is credentials nobody has, until [`Runner::basic`] gives better.
    pub fn new(service: Endpoint) -> Self {
        Self { service, basic: "bm9ib2R5Om5vdGhpbmc=".to_owned() }
    }

    /// Sets what `{basic}` stands for: base64 of `user:password`.
    #[must_use]
    pub fn basic(mut self, credentials: &str) -> Self {
        credentials.clone_into(&mut self.basic);
        self
    }

    /// Replays the exchanges: each that stands alone on a fresh state, each conversation in its order.
    pub fn run(&self, exchanges: &[Exchange]) -> Report {
        let mut conversations: BTreeMap<&str, Vec<(u32, &Exchange)>> = BTreeMap::new();
        let mut report = Report::default();
        for exchange in exchanges {
            match exchange.conversation() {
                Some((name, place)) => conversations.entry(name).or_default().push((place, exchange)),
                None => report.outcomes.push(self.alone(exchange)),
            }
        }
        for mut steps in conversations.into_values() {
            steps.sort_by_key(|(place, _)| *place);
            for (index, (_, exchange)) in steps.into_iter().enumerate() {
                report
                    .outcomes
                    .push(self.exchange(exchange, if index == 0 { State::Fresh } else { State::Shared }));
            }
        }
        report
    }

    /// Replays one exchange on a fresh state, also where it is a step of a conversation.
    pub fn alone(&self, exchange: &Exchange) -> Outcome {
        self.exchange(exchange, State::Fresh)
    }

    fn exchange(&self, exchange: &Exchange, state: State) -> Outcome {
        let mut outcome = Outcome::of(exchange);
        if let Err(reason) = self.try_exchange(exchange, state, &mut outcome) {
            outcome.failures.push(reason);
        }
        outcome
    }

    fn try_exchange(&self, exchange: &Exchange, state: State, outcome: &mut Outcome) -> Result<(), String> {
        let mut names = Names::default();
        names.declare("token", self.service.token());
        names.declare("basic", &self.basic);
        let given = self.seed(exchange, state, &mut names)?;

        let request = &exchange.request;
        let path = names.fill(&request.path);
        let target = match (&request.raw_query, &request.query) {
            (Some(raw), _) => format!("{path}?{}", names.fill(raw)),
            (None, Some(query)) if !query.is_empty() => {
                let pairs: Vec<_> = query
                    .iter()
                    .map(|(key, value)| format!("{}={}", encode(key), encode(&names.fill(value))))
                    .collect();
                format!("{path}?{}", pairs.join("&"))
            }
            _ => path.clone(),
        };
        let headers: Vec<_> =
            request.headers.iter().flatten().map(|(name, value)| (name.clone(), names.fill(value))).collect();
        let body = request
            .body
            .as_ref()
            .filter(|body| !body.is_null())
            .map(|body| names.fill_json(body).to_string());
        let answer = self
            .service
            .send(&request.method, &target, &headers, body.as_deref().map(str::as_bytes))
            .map_err(|error| format!("no answer: {error}"))?;

        outcome.status = Some(answer.status);
        outcome.scim_type =
            answer.json().and_then(|body| body.get("scimType").and_then(Value::as_str).map(str::to_owned));
        outcome.failures.extend(check_answer(exchange, &names, &answer));
        if outcome.passed() {
            outcome.failures.extend(self.check_state(exchange, &names, &given, &path, &answer)?);
        }
        Ok(())
    }

    /// Brings the service to the state of `given` and declares the handles. Returns the resources by path.
    fn seed(
        &self,
        exchange: &Exchange,
        state: State,
        names: &mut Names,
    ) -> Result<BTreeMap<String, Value>, String> {
        let mut there = Vec::new();
        for collection in ["/Groups", "/Users"] {
            for resource in self.list(collection)? {
                there.push((collection, resource));
            }
        }
        let mut seeded = BTreeMap::new();
        let mut kept = Vec::new();
        let mut wanted = Vec::new();
        for given in &exchange.given {
            let (handle, collection, body) = take_apart(given)?;
            let key = natural_key(collection);
            let twin = there.iter().find(|(of, resource)| {
                state == State::Shared && *of == collection && resource.get(key) == body.get(key)
            });
            let id = twin.and_then(|(_, resource)| resource.get("id")).and_then(Value::as_str);
            if let Some(id) = id {
                names.declare(handle, id);
                kept.push(id.to_owned());
            }
            wanted.push((handle, collection, body, id.map(str::to_owned)));
        }
        for (collection, resource) in &there {
            let id = resource.get("id").and_then(Value::as_str).unwrap_or_default();
            if !kept.iter().any(|kept| kept == id) {
                self.succeed("DELETE", &format!("{collection}/{id}"), None)?;
            }
        }
        for (handle, collection, body, id) in wanted {
            let body = names.fill_json(&Value::Object(body));
            let path = match id {
                Some(id) => {
                    let path = format!("{collection}/{id}");
                    let now = self.succeed("GET", &path, None)?.json().unwrap_or_default();
                    if !differences(&visible(&body), &now, Arrays::Exact).is_empty() {
                        self.succeed("PUT", &path, Some(&body))?;
                    }
                    path
                }
                None => {
                    let created = self.succeed("POST", collection, Some(&body))?.json().unwrap_or_default();
                    let id =
                        created.get("id").and_then(Value::as_str).ok_or("a created resource has no id")?;
                    names.declare(handle, id);
                    format!("{collection}/{id}")
                }
            };
            seeded.insert(path, body);
        }
        Ok(seeded)
    }

    /// Holds the stored state against what is expected after success, or against `given` after a refusal.
    fn check_state(
        &self,
        exchange: &Exchange,
        names: &Names,
        given: &BTreeMap<String, Value>,
        path: &str,
        answer: &Answer,
    ) -> Result<Vec<String>, String> {
        let expected = exchange.expect.resulting_state.as_ref().map(|state| names.fill_json(state));
        let refusal_is_certain =
            matches!(exchange.expect.status.as_slice(), [only] if (400..500).contains(only));
        if let (Some(expected), true) = (&expected, answer.is_success() || refusal_is_certain) {
            let target = if exchange.request.method == "POST" && answer.is_success() {
                let id =
                    answer.json().and_then(|body| body.get("id").and_then(Value::as_str).map(str::to_owned));
                format!("{}/{}", path.trim_end_matches('/'), id.ok_or("a created resource has no id")?)
            } else {
                path.to_owned()
            };
            let now = self.service.call("GET", &target, None).map_err(|error| error.to_string())?;
            if expected.get("$absent").is_some() {
                return Ok(match now.status {
                    404 => Vec::new(),
                    status => vec![format!("state: expected {target} to be gone, got {status}")],
                });
            }
            let found = differences(expected, &now.json().unwrap_or_default(), Arrays::Exact);
            return Ok(found.into_iter().map(|line| format!("state: {line}")).collect());
        }
        if answer.is_success() {
            return Ok(Vec::new());
        }
        let mut found = Vec::new();
        for (path, body) in given {
            let now = self.succeed("GET", path, None)?.json().unwrap_or_default();
            let changed = differences(&visible(body), &now, Arrays::Exact);
            found.extend(changed.into_iter().map(|line| format!("state after the refusal: {line}")));
        }
        let count = self.list("/Users")?.len() + self.list("/Groups")?.len();
        if count != given.len() {
            found.push(format!(
                "state after the refusal: {} resources were given, {count} are there",
                given.len()
            ));
        }
        Ok(found)
    }

    fn list(&self, collection: &str) -> Result<Vec<Value>, String> {
        let body = self.succeed("GET", &format!("{collection}?count=200"), None)?.json().unwrap_or_default();
        Ok(body.get("Resources").and_then(Value::as_array).cloned().unwrap_or_default())
    }

    fn succeed(&self, method: &str, target: &str, body: Option<&Value>) -> Result<Answer, String> {
        let answer = self
            .service
            .call(method, target, body)
            .map_err(|error| format!("seeding: {method} {target}: {error}"))?;
        if answer.is_success() {
            Ok(answer)
        } else {
            let said = String::from_utf8_lossy(&answer.body).into_owned();
            Err(format!("seeding: {method} {target}: {} {said}", answer.status))
        }
    }
}

/// Whether earlier steps of a conversation count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Fresh,
    Shared,
}

fn check_answer(exchange: &Exchange, names: &Names, answer: &Answer) -> Vec<String> {
    let expect = &exchange.expect;
    let mut found = Vec::new();
    let body = answer.json();
    if !expect.status.contains(&answer.status) {
        let said = String::from_utf8_lossy(&answer.body).into_owned();
        found.push(format!("status: expected one of {:?}, got {}: {said}", expect.status, answer.status));
        return found;
    }
    if let Some(expected) = &expect.response_body {
        let actual = body.clone().unwrap_or_default();
        let lines = differences(&names.fill_json(expected), &actual, Arrays::Contains);
        found.extend(lines.into_iter().map(|line| format!("body: {line}")));
    }
    for (name, expected) in expect.response_headers.iter().flatten() {
        // A media type may carry parameters.
        let actual = answer.header(name).map(|value| value.split(';').next().unwrap_or(value).trim());
        if actual.is_none_or(|actual| !actual.eq_ignore_ascii_case(&names.fill(expected))) {
            found.push(format!("header {name}: expected `{expected}`, got {actual:?}"));
        }
    }
    // Q-ERROR-SHAPE: every refusal is a SCIM error whose status is a string.
    if answer.status >= 400 {
        let shape = json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:Error"],
            "status": answer.status.to_string(),
        });
        let lines = differences(&shape, &body.unwrap_or_default(), Arrays::Contains);
        found.extend(lines.into_iter().map(|line| format!("error body: {line}")));
    }
    found
}

/// Splits a given resource into handle, collection and body.
fn take_apart(given: &Value) -> Result<(&str, &'static str, Map<String, Value>), String> {
    let text = |key| given.get(key).and_then(Value::as_str).ok_or(format!("a given resource has no `{key}`"));
    let collection = match text("$type")? {
        "User" => "/Users",
        "Group" => "/Groups",
        other => return Err(format!("a given resource has the unknown type `{other}`")),
    };
    let mut body = given.as_object().cloned().unwrap_or_default();
    body.retain(|key, _| !key.starts_with('$'));
    Ok((text("$handle")?, collection, body))
}

/// The attribute by which a resource of an earlier step is known again.
fn natural_key(collection: &str) -> &'static str {
    if collection == "/Users" { "userName" } else { "displayName" }
}

/// A stored resource without what a GET does not show or the service computes.
fn visible(body: &Value) -> Value {
    let mut body = body.clone();
    if let Some(members) = body.as_object_mut() {
        members.retain(|key, _| !matches!(key.as_str(), "password" | "id" | "meta" | "groups" | "schemas"));
    }
    body
}
