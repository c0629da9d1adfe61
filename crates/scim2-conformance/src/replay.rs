//! Replays exchanges against a service provider.
//!
//! Before an exchange the service provider is brought to the state of `given`: other users and groups are deleted, and
//! missing ones are created. The exchanges of one conversation run in order, each on what the earlier ones left: a given
//! resource that exists already keeps its `id`, and is replaced only if it differs.

mod differences;
mod placeholders;
mod report;
mod transport;

use std::collections::BTreeMap;
use std::fmt;

use bytes::Bytes;
use http::header::AUTHORIZATION;
use http::{HeaderName, HeaderValue, Method, Request, Response};
use scim2_client::Transport;
use serde_json::{Map, Value, json};

use self::differences::{Arrays, differences};
use self::placeholders::Placeholders;
pub use self::report::{Outcome, Report};
use self::transport::uri;
pub use self::transport::{ExactTarget, ServiceTransport};
use crate::exchange::Exchange;

/// Replays exchanges against one service provider.
#[derive(Clone)]
pub struct Runner<T> {
    transport: T,
    /// Without a trailing slash.
    base_url: String,
    token: String,
    basic: String,
}

impl<T> fmt::Debug for Runner<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Runner").field("base_url", &self.base_url).finish_non_exhaustive()
    }
}

impl<T: Transport> Runner<T> {
    /// A runner for the service provider at `base_url`, which holds nothing of value: **before each exchange every user and
    /// group is deleted** that the exchange does not need. `token` is a bearer token that may read and write.
    ///
    /// `{basic}` stands for credentials that nobody has, until [`basic`](Self::basic) sets other ones.
    pub fn for_disposable_service(transport: T, base_url: &str, token: &str) -> Self {
        Self {
            transport,
            base_url: base_url.trim_end_matches('/').to_owned(),
            token: token.to_owned(),
            basic: "bm9ib2R5Om5vdGhpbmc=".to_owned(),
        }
    }

    /// Sets what `{basic}` stands for: base64 of `user:password`.
    #[must_use]
    pub fn basic(mut self, credentials: &str) -> Self {
        credentials.clone_into(&mut self.basic);
        self
    }

    /// Replays exchanges: first each that stands alone, then each conversation in the order of its steps. Each
    /// exchange has an outcome, even if the service provider does not respond.
    pub async fn run(&self, exchanges: &[Exchange]) -> Report {
        let mut conversations: BTreeMap<&str, Vec<(u32, &Exchange)>> = BTreeMap::new();
        let mut report = Report::default();
        for exchange in exchanges {
            match exchange.conversation() {
                Some((name, number)) => conversations.entry(name).or_default().push((number, exchange)),
                None => report.outcomes.push(self.run_alone(exchange).await),
            }
        }
        for mut steps in conversations.into_values() {
            steps.sort_by_key(|(number, _)| *number);
            for (index, (_, exchange)) in steps.into_iter().enumerate() {
                let state = if index == 0 { State::Fresh } else { State::Shared };
                report.outcomes.push(self.replay(exchange, state).await);
            }
        }
        report
    }

    /// Replays one exchange on a fresh state, even if it is a step of a conversation.
    pub async fn run_alone(&self, exchange: &Exchange) -> Outcome {
        self.replay(exchange, State::Fresh).await
    }

    async fn replay(&self, exchange: &Exchange, state: State) -> Outcome {
        let mut outcome = Outcome::of(exchange);
        if let Err(reason) = self.try_replay(exchange, state, &mut outcome).await {
            outcome.failures.push(reason);
        }
        outcome
    }

    async fn try_replay(
        &self,
        exchange: &Exchange,
        state: State,
        outcome: &mut Outcome,
    ) -> Result<(), String> {
        let mut names = Placeholders::default();
        names.declare("token", &self.token);
        names.declare("basic", &self.basic);
        let given = self.seed(exchange, state, &mut names).await?;

        let path = names.fill(&exchange.request.path);
        let answer = self.send(self.request(exchange, &names, &path)?).await?;
        outcome.status = Some(answer.status());
        outcome.scim_type =
            answer.json().and_then(|body| body.get("scimType").and_then(Value::as_str).map(str::to_owned));
        outcome.failures.extend(check_answer(exchange, &names, &answer));
        if outcome.passed() {
            outcome.failures.extend(self.check_state(exchange, &names, &given, &path, &answer).await?);
        }
        Ok(())
    }

    /// The request of an exchange, with all placeholders filled in.
    fn request(
        &self,
        exchange: &Exchange,
        names: &Placeholders,
        path: &str,
    ) -> Result<Request<Bytes>, String> {
        let request = &exchange.request;
        let target = match (&request.raw_query, &request.query) {
            (Some(raw), _) => format!("{path}?{}", names.fill(raw)),
            (None, Some(query)) if !query.is_empty() => {
                let pairs: Vec<_> = query
                    .iter()
                    .map(|(key, value)| {
                        let (key, value) =
                            (transport::encode_value(key), transport::encode_value(&names.fill(value)));
                        format!("{key}={value}")
                    })
                    .collect();
                format!("{path}?{}", pairs.join("&"))
            }
            _ => path.to_owned(),
        };
        let body = request.body.as_ref().filter(|body| !body.is_null());
        let body = body.map(|body| Bytes::from(names.fill_json(body).to_string())).unwrap_or_default();
        let method =
            Method::from_bytes(request.method.as_bytes()).map_err(|_| "the method is not a token")?;
        let mut filled = self.build(method, &target, body)?;
        for (name, value) in request.headers.iter().flatten() {
            let name: HeaderName = name.parse().map_err(|_| format!("`{name}` is not a header name"))?;
            let value = HeaderValue::from_str(&names.fill(value))
                .map_err(|_| format!("the value of header {name} has characters that no header may have"))?;
            filled.headers_mut().insert(name, value);
        }
        Ok(filled)
    }

    /// Brings the service provider to the state of `given` and declares the handles. Returns the given resources by path.
    async fn seed(
        &self,
        exchange: &Exchange,
        state: State,
        names: &mut Placeholders,
    ) -> Result<BTreeMap<String, Value>, String> {
        let mut existing = Vec::new();
        for collection in ["/Groups", "/Users"] {
            for resource in self.list(collection).await? {
                existing.push((collection, resource));
            }
        }
        let mut seeded = BTreeMap::new();
        let mut kept = Vec::new();
        let mut wanted = Vec::new();
        for given in &exchange.given {
            let (handle, collection, body) = take_apart(given)?;
            let key = natural_key(collection);
            let same = existing.iter().find(|(of, resource)| {
                state == State::Shared && *of == collection && resource.get(key) == body.get(key)
            });
            let id = same.and_then(|(_, resource)| resource.get("id")).and_then(Value::as_str);
            if let Some(id) = id {
                names.declare(handle, id);
                kept.push(id.to_owned());
            }
            wanted.push((handle, collection, body, id.map(str::to_owned)));
        }
        for (collection, resource) in &existing {
            let id = resource.get("id").and_then(Value::as_str).unwrap_or_default();
            if !kept.iter().any(|kept| kept == id) {
                self.succeed(Method::DELETE, &format!("{collection}/{id}"), None).await?;
            }
        }
        for (handle, collection, body, id) in wanted {
            let body = names.fill_json(&Value::Object(body));
            let path = match id {
                Some(id) => {
                    let path = format!("{collection}/{id}");
                    let now = self.succeed(Method::GET, &path, None).await?.json().unwrap_or_default();
                    if !differences(&visible(&body), &now, Arrays::Exact).is_empty() {
                        self.succeed(Method::PUT, &path, Some(&body)).await?;
                    }
                    path
                }
                None => {
                    let created = self.succeed(Method::POST, collection, Some(&body)).await?;
                    let created = created.json().unwrap_or_default();
                    let id =
                        created.get("id").and_then(Value::as_str).ok_or("a created resource has no `id`")?;
                    names.declare(handle, id);
                    format!("{collection}/{id}")
                }
            };
            seeded.insert(path, body);
        }
        Ok(seeded)
    }

    /// Compares the stored state with the expected one after a success, and with `given` after a refusal.
    async fn check_state(
        &self,
        exchange: &Exchange,
        names: &Placeholders,
        given: &BTreeMap<String, Value>,
        path: &str,
        answer: &Answer,
    ) -> Result<Vec<String>, String> {
        let expected = exchange.expect.resulting_state.as_ref().map(|state| names.fill_json(state));
        let is_refusal_certain =
            matches!(exchange.expect.status.as_slice(), [only] if (400..500).contains(only));
        if let (Some(expected), true) = (&expected, answer.is_success() || is_refusal_certain) {
            let target = if exchange.request.method == "POST" && answer.is_success() {
                let id =
                    answer.json().and_then(|body| body.get("id").and_then(Value::as_str).map(str::to_owned));
                format!("{}/{}", path.trim_end_matches('/'), id.ok_or("a created resource has no `id`")?)
            } else {
                path.to_owned()
            };
            let now = self.call(Method::GET, &target, None).await?;
            if expected.get("$absent").is_some() {
                return Ok(match now.status() {
                    404 => Vec::new(),
                    status => vec![format!("state: expected {target} to be absent, got {status}")],
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
            let now = self.succeed(Method::GET, path, None).await?.json().unwrap_or_default();
            let changed = differences(&visible(body), &now, Arrays::Exact);
            found.extend(changed.into_iter().map(|line| format!("state after the refusal: {line}")));
        }
        let count = self.list("/Users").await?.len() + self.list("/Groups").await?.len();
        if count != given.len() {
            let given = given.len();
            found.push(format!("state after the refusal: expected the {given} given resources, got {count}"));
        }
        Ok(found)
    }

    async fn list(&self, collection: &str) -> Result<Vec<Value>, String> {
        let answer = self.succeed(Method::GET, &format!("{collection}?count=200"), None).await?;
        let body = answer.json().unwrap_or_default();
        Ok(body.get("Resources").and_then(Value::as_array).cloned().unwrap_or_default())
    }

    async fn succeed(&self, method: Method, target: &str, body: Option<&Value>) -> Result<Answer, String> {
        let name = method.clone();
        let answer = self
            .call(method, target, body)
            .await
            .map_err(|error| format!("seeding: {name} {target}: {error}"))?;
        if answer.is_success() {
            Ok(answer)
        } else {
            Err(format!("seeding: {name} {target}: {} {}", answer.status(), answer.text()))
        }
    }

    /// Sends a request of the runner itself, with the bearer token.
    async fn call(&self, method: Method, target: &str, body: Option<&Value>) -> Result<Answer, String> {
        let bytes = body.map(|body| Bytes::from(body.to_string())).unwrap_or_default();
        let mut request = self.build(method, target, bytes)?;
        let authorization = HeaderValue::from_str(&format!("Bearer {}", self.token))
            .map_err(|_| "the token has characters that no header may have")?;
        request.headers_mut().insert(AUTHORIZATION, authorization);
        if body.is_some() {
            let media_type = HeaderValue::from_static("application/scim+json");
            request.headers_mut().insert(http::header::CONTENT_TYPE, media_type);
        }
        self.send(request).await
    }

    fn build(&self, method: Method, target: &str, body: Bytes) -> Result<Request<Bytes>, String> {
        let mut request = Request::new(body);
        *request.method_mut() = method;
        *request.uri_mut() = uri(&self.base_url, target)?;
        request.extensions_mut().insert(ExactTarget(target.to_owned()));
        Ok(request)
    }

    async fn send(&self, request: Request<Bytes>) -> Result<Answer, String> {
        self.transport.send(request).await.map(Answer).map_err(|error| error.to_string())
    }
}

/// A response.
struct Answer(Response<Bytes>);

impl Answer {
    fn status(&self) -> u16 {
        self.0.status().as_u16()
    }

    fn is_success(&self) -> bool {
        self.0.status().is_success()
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.0.headers().get(name)?.to_str().ok()
    }

    /// The body as JSON, or `None` if it is not JSON.
    fn json(&self) -> Option<Value> {
        serde_json::from_slice(self.0.body()).ok()
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(self.0.body()).into_owned()
    }
}

/// Whether earlier steps of a conversation count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Fresh,
    Shared,
}

fn check_answer(exchange: &Exchange, names: &Placeholders, answer: &Answer) -> Vec<String> {
    let expect = &exchange.expect;
    let status = answer.status();
    if !expect.status.contains(&status) {
        return vec![format!("status: expected one of {:?}, got {status}: {}", expect.status, answer.text())];
    }
    let mut found = Vec::new();
    let body = answer.json();
    if let Some(expected) = &expect.response_body {
        let actual = body.clone().unwrap_or_default();
        let lines = differences(&names.fill_json(expected), &actual, Arrays::Contains);
        found.extend(lines.into_iter().map(|line| format!("body: {line}")));
    }
    for (name, expected) in expect.response_headers.iter().flatten() {
        // A media type may have parameters.
        let actual = answer.header(name).map(|value| value.split(';').next().unwrap_or(value).trim());
        if actual.is_none_or(|actual| !actual.eq_ignore_ascii_case(&names.fill(expected))) {
            found.push(format!("header {name}: expected `{expected}`, got {actual:?}"));
        }
    }
    // Q-ERROR-SHAPE: every refusal is a SCIM error whose status is a string.
    if status >= 400 {
        let shape = json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:Error"],
            "status": status.to_string(),
        });
        let lines = differences(&shape, &body.unwrap_or_default(), Arrays::Contains);
        found.extend(lines.into_iter().map(|line| format!("error body: {line}")));
    }
    found
}

/// Splits a given resource into its handle, collection and body.
fn take_apart(given: &Value) -> Result<(&str, &'static str, Map<String, Value>), String> {
    let text = |key| given.get(key).and_then(Value::as_str).ok_or(format!("a given resource has no `{key}`"));
    let collection = match text("$type")? {
        "User" => "/Users",
        "Group" => "/Groups",
        other => return Err(format!("expected `$type` to be `User` or `Group`, got `{other}`")),
    };
    let mut body = given.as_object().cloned().unwrap_or_default();
    body.retain(|key, _| !key.starts_with('$'));
    Ok((text("$handle")?, collection, body))
}

/// The attribute that identifies a resource of an earlier step.
fn natural_key(collection: &str) -> &'static str {
    if collection == "/Users" { "userName" } else { "displayName" }
}

/// A given resource without the attributes that a GET does not show or that the service provider sets.
fn visible(body: &Value) -> Value {
    let mut body = body.clone();
    if let Some(attributes) = body.as_object_mut() {
        attributes
            .retain(|key, _| !matches!(key.as_str(), "password" | "id" | "meta" | "groups" | "schemas"));
    }
    body
}
