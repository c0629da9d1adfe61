//! Many operations in one request
//! ([RFC 7644 §3.7](https://www.rfc-editor.org/rfc/rfc7644#section-3.7)).
//!
//! Operations run in the order they came. If an operation refers to a resource that a later operation creates,
//! the later one runs first. If two new resources refer to each other, one is created without the reference,
//! which is added when both exist.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use http::StatusCode;
use scim2_core::{CompiledType, Object, Quirk, ScimType, Value, Version};
use scim2_protocol::{
    BulkMethod, BulkOperation, BulkOperationResponse, BulkRequest, BulkResponse, Detail, EntityTags,
    ErrorResponse, Preconditions, Projection,
};

use super::evaluation::is_long;
use super::{Answer, Reply, RequestBody, fault, shorten, too_much_work};
use crate::context::Context;
use crate::provider::ServiceProvider;
use crate::refusals::Refused;
use crate::service::unreserved;
use crate::store::{ResourceStore, json_size, yield_now};

mod forms;
mod reference;

impl<S: ResourceStore> ServiceProvider<S> {
    /// Answers a bulk request. `credential` is checked again about once a second.
    pub(crate) async fn bulk(
        &self,
        cx: &Context,
        message: RequestBody<'_>,
        credential: &impl StillAllowed,
    ) -> Answer {
        let options = &self.inner.options;
        let size = message.size();
        let mut note = |quirk, member: &str| cx.notes.tolerated(quirk, "BulkRequest", member);
        let mut request = BulkRequest::from_object_noting(message.into_object(), &options.compat, &mut note)?;
        if request.operations.len() > options.limits.bulk_operations {
            return Err(self.bulk_too_large());
        }
        forms::normalize(cx, &mut request.operations, |quirk| options.compat.allows(quirk));
        let turn = self.inner.bulk_turns.take(&cx.credential()).await;
        let _turn = turn.map_err(|error| fault(cx, &error))?;
        let mut job = Job::new(self, cx, &request.operations, size, credential);
        let most = request.fail_on_errors.unwrap_or(u64::MAX);
        for at in 0..request.operations.len() {
            if job.errors >= most {
                break;
            }
            job.run(at, most).await;
            // Operations that find everything in memory never wait, so they would block other requests.
            yield_now().await;
        }
        job.complete().await;
        let response = BulkResponse::new(job.results.into_iter().flatten().collect());
        match serde_json::to_vec(&response) {
            Ok(json) => Ok(Reply::ok(json)),
            Err(_) => Err(ErrorResponse::internal("the answer could not be written")),
        }
    }

    /// 413, naming both limits as
    /// [RFC 7644 §3.7.4](https://www.rfc-editor.org/rfc/rfc7644#section-3.7.4) demands.
    pub(crate) fn bulk_too_large(&self) -> ErrorResponse {
        let limits = &self.inner.options.limits;
        ErrorResponse::payload_too_large(Detail::of_names(format!(
            "a bulk request has at most {} operations (maxOperations) and {} bytes (maxPayloadSize)",
            limits.bulk_operations, limits.bulk_payload
        )))
    }
}

/// Checks whether a long request may continue.
pub(crate) trait StillAllowed: Sync {
    /// Refuses if the credential was revoked, or has expired, since the request began.
    fn still_allowed(&self) -> impl Future<Output = Answer<()>> + Send;
}

/// How long a bulk request runs before its credential is checked again. Single requests see a revocation as late.
const RECHECK: TimeDelta = TimeDelta::seconds(1);

/// A bulk request under way.
struct Job<'a, S, C> {
    credential: &'a C,
    /// When the credential is checked again.
    recheck: DateTime<Utc>,
    /// Why the credential is no longer accepted.
    stopped: Option<ErrorResponse>,
    provider: &'a ServiceProvider<S>,
    cx: &'a Context,
    operations: &'a [BulkOperation],
    /// The bytes of the whole request.
    size: usize,
    /// The index of the operation that creates the resource of each `bulkId`.
    creators: HashMap<&'a str, usize>,
    /// The `bulkId`s that each operation refers to.
    references: Vec<Vec<String>>,
    created: HashMap<&'a str, Created>,
    results: Vec<Option<BulkOperationResponse>>,
    /// Operations whose resource still lacks references.
    incomplete: Vec<usize>,
    errors: u64,
    /// The time after which no more operations begin.
    deadline: DateTime<Utc>,
}

/// The resource that an operation created.
#[derive(Debug, Clone)]
struct Created {
    id: String,
}

impl<'a, S: ResourceStore, C: StillAllowed> Job<'a, S, C> {
    fn new(
        provider: &'a ServiceProvider<S>,
        cx: &'a Context,
        operations: &'a [BulkOperation],
        size: usize,
        credential: &'a C,
    ) -> Self {
        let creators = operations.iter().enumerate().filter_map(|(at, operation)| {
            let bulk_id = operation.bulk_id.as_deref()?;
            (operation.method == BulkMethod::Post).then_some((bulk_id, at))
        });
        let references = operations.iter().map(|operation| {
            let type_ = endpoint(provider, cx, &operation.path).map(|(type_, _)| type_);
            reference::all(type_.as_deref(), operation)
        });
        let timeout = provider.inner.options.limits.bulk_timeout;
        let now = provider.inner.clock.now();
        Self {
            credential,
            recheck: now + RECHECK,
            stopped: None,
            provider,
            cx,
            operations,
            size,
            creators: creators.collect(),
            references: references.collect(),
            created: HashMap::new(),
            results: vec![None; operations.len()],
            incomplete: Vec::new(),
            errors: 0,
            deadline: now + TimeDelta::seconds(timeout.into()),
        }
    }

    /// Runs an operation, after the operations that create the resources it refers to.
    async fn run(&mut self, at: usize, most: u64) {
        // A stack replaces recursion. Each operation is on it at most once.
        let mut stack = vec![at];
        while let Some(&top) = stack.last() {
            if self.results.get(top).is_none_or(Option::is_some) || self.errors >= most {
                stack.pop();
                continue;
            }
            let waits_for = self.references.get(top).into_iter().flatten().find_map(|bulk_id| {
                let creator = *self.creators.get(bulk_id.as_str())?;
                let done = self.results.get(creator).is_some_and(Option::is_some);
                (!done && !stack.contains(&creator)).then_some(creator)
            });
            match waits_for {
                Some(creator) => stack.push(creator),
                None => {
                    stack.pop();
                    self.execute(top).await;
                }
            }
        }
    }

    async fn execute(&mut self, at: usize) {
        let Some(operation) = self.operations.get(at) else { return };
        let outcome = self.attempt(at, operation).await;
        let mut result = match &outcome {
            Ok(reply) => BulkOperationResponse::new(operation.method, reply.status),
            Err(error) => {
                self.errors += 1;
                self.log_refusal(at, operation, error);
                BulkOperationResponse::failed(operation.method, error)
            }
        };
        result.bulk_id.clone_from(&operation.bulk_id);
        result.location = match (&outcome, operation.method) {
            (Ok(Reply { location: Some(location), .. }), _) => Some(location.clone()),
            (_, BulkMethod::Post) => None,
            _ => {
                let path = self.resolved_path(&operation.path);
                // A resource that was never created has no location.
                let nowhere = path.rsplit('/').next().is_some_and(|id| reference::of(id).is_some());
                (!nowhere).then(|| format!("{}{path}", self.cx.base_url))
            }
        };
        result.version = outcome.ok().and_then(|reply| reply.version).map(|version| version.to_etag());
        if let Some(slot) = self.results.get_mut(at) {
            *slot = Some(result);
        }
    }

    async fn attempt(&mut self, at: usize, operation: &'a BulkOperation) -> Answer {
        self.check_time().await?;
        let spent_before = self.cx.work.spent();
        let outcome = match self.cx.work.spend(OPERATION_COST) {
            Ok(()) => self.perform(at, operation).await,
            Err(exceeded) => Err(too_much_work(exceeded)),
        };
        // In a separate request the operation would have the whole budget, and may fit.
        outcome.map_err(
            |error| {
                if spent_before > 0 && is_out_of_work(&error) { out_of_work() } else { error }
            },
        )
    }

    async fn perform(&mut self, at: usize, operation: &'a BulkOperation) -> Answer {
        self.check_references(at)?;
        let path = self.resolved_path(&operation.path);
        let (type_, id) = self.target(&path)?;
        let conditions = conditions(operation);
        let projection = Projection::Default;
        let cx = self.cx;
        match (operation.method, id) {
            (BulkMethod::Post, None) => self.create(at, &type_, operation).await,
            (BulkMethod::Put, Some(id)) => {
                let read = || self.data(&type_, operation);
                let body = self.body(read()?, &read);
                self.provider.replace(cx, &type_, &id, body, &projection, &conditions).await
            }
            (BulkMethod::Patch, Some(id)) => {
                self.provider.offers_patch()?;
                let read = || self.data(&type_, operation);
                let message = self.body(read()?, &read);
                self.provider.patch(cx, &type_, &id, message, &projection, &conditions).await
            }
            (BulkMethod::Delete, Some(id)) => self.provider.delete(cx, &type_, &id, &conditions).await,
            (BulkMethod::Post, Some(_)) => {
                Err(syntax("expected the path of a POST to be an endpoint such as `/Users`"))
            }
            (_, None) => Err(syntax("expected the path of the operation to end in the id of a resource")),
        }
    }

    async fn create(&mut self, at: usize, type_: &Arc<CompiledType>, operation: &'a BulkOperation) -> Answer {
        // A reference that is still unknown is a circle: its resource waits for this operation.
        let strip =
            |body: &mut _| reference::strip(type_, body, &|bulk_id| self.creators.contains_key(bulk_id));
        let mut body = self.data(type_, operation)?;
        let circular = strip(&mut body);
        let read = || {
            let mut body = self.data(type_, operation)?;
            strip(&mut body);
            Ok(body)
        };
        let body = self.body(body, &read);
        let reply = self.provider.create(self.cx, type_, body, &Projection::Default).await;
        let reply = reply.map_err(|error| {
            let data = operation.data.as_ref().and_then(Value::as_object);
            let needed = circular && data.is_some_and(|data| reference::are_required(type_, data));
            if needed { circle(&error) } else { error }
        })?;
        if let (Some(bulk_id), Some(location)) = (operation.bulk_id.as_deref(), &reply.location) {
            let id = location.rsplit('/').next().unwrap_or_default();
            let id = percent_encoding::percent_decode_str(id).decode_utf8_lossy().into_owned();
            self.created.insert(bulk_id, Created { id });
            if circular {
                self.incomplete.push(at);
            }
        }
        Ok(reply)
    }

    /// An operation that fails is a refused request of its own.
    fn log_refusal(&self, at: usize, operation: &BulkOperation, error: &ErrorResponse) {
        self.provider.inner.note_refusal(&Refused {
            request_id: &self.cx.request_id,
            method: Some(operation.method.as_str()),
            path: Some(&operation.path),
            operation: Some(at + 1),
            credential: Some(&self.cx.actor),
            reason: None,
            address: None,
            error,
        });
    }

    /// Adds the references that were left out when circles were created.
    async fn complete(&mut self) {
        let mut refused = Vec::new();
        for at in std::mem::take(&mut self.incomplete) {
            let Some(operation) = self.operations.get(at) else { continue };
            let Some(created) = operation.bulk_id.as_deref().and_then(|id| self.created.get(id)).cloned()
            else {
                continue;
            };
            let Ok((type_, _)) = self.target(&operation.path) else { continue };
            let missing = self.check_references(at).and_then(|()| self.missing(&type_, operation));
            let outcome = match missing {
                Ok(message) => {
                    let (id, default) = (&created.id, Projection::Default);
                    let read = || Ok(message.clone());
                    let message = self.body(message.clone(), &read);
                    self.provider
                        .patch(self.cx, &type_, id, message, &default, &Preconditions::default())
                        .await
                }
                Err(error) => Err(error),
            };
            let Some(Some(result)) = self.results.get_mut(at) else { continue };
            match outcome {
                Ok(reply) => result.version = reply.version.map(|version| version.to_etag()),
                Err(error) => {
                    // A failed operation must not leave a resource behind.
                    let undone =
                        self.provider.delete(self.cx, &type_, &created.id, &Preconditions::default()).await;
                    if let Err(error) = undone {
                        tracing::warn!(request = %self.cx.request_id, %error, "a circle could not be undone");
                    }
                    let error = if is_out_of_work(&error) { out_of_work() } else { error };
                    self.errors += 1;
                    refused.push((at, error.clone()));
                    *result = BulkOperationResponse::failed(operation.method, &error);
                    result.bulk_id.clone_from(&operation.bulk_id);
                }
            }
        }
        for (at, error) in refused {
            if let Some(operation) = self.operations.get(at) {
                self.log_refusal(at, operation, &error);
            }
        }
    }

    /// Each operation is bounded, but a thousand of the heaviest keep a processor busy for minutes. In that time
    /// the credential may have been revoked.
    async fn check_time(&mut self) -> Answer<()> {
        let now = self.provider.inner.clock.now();
        if now >= self.deadline {
            return Err(ErrorResponse::service_unavailable(Detail::of_names(format!(
                "the operation was not begun: those before it took {} seconds, the limit for a bulk request; \
                 send it again in another",
                self.provider.inner.options.limits.bulk_timeout
            ))));
        }
        if self.stopped.is_none() && now >= self.recheck {
            self.recheck = now + RECHECK;
            self.stopped = match self.credential.still_allowed().await {
                // The credential cannot be checked now; the store would refuse a write, too.
                Err(error) if error.status == StatusCode::SERVICE_UNAVAILABLE => return Err(error),
                checked => checked.err(),
            };
        }
        self.stopped.clone().map_or(Ok(()), Err)
    }

    /// S-3.7.2-04: an operation fails if it refers to a resource that no operation creates, or whose creation
    /// failed.
    fn check_references(&self, at: usize) -> Answer<()> {
        for bulk_id in self.references.get(at).into_iter().flatten() {
            match self.creators.get(bulk_id.as_str()) {
                None => {
                    let line = "no operation of this request has the bulkId";
                    let detail = Detail::new(format!("{line} `{}`", shorten(bulk_id)), line);
                    return Err(ErrorResponse::of_scim_type(ScimType::InvalidValue, detail));
                }
                Some(creator) => {
                    let done = self.results.get(*creator).is_some_and(Option::is_some);
                    if done && !self.created.contains_key(bulk_id.as_str()) {
                        let detail =
                            format!("the operation with the bulkId `{}` has failed", shorten(bulk_id));
                        let detail = Detail::new(detail, "the operation of a bulkId has failed");
                        return Err(ErrorResponse::conflict(detail));
                    }
                }
            }
        }
        Ok(())
    }

    /// The PatchOp that adds the attributes which hold references.
    fn missing(&self, type_: &CompiledType, operation: &BulkOperation) -> Answer<Object> {
        let data = operation.data.as_ref().and_then(Value::as_object);
        let paths = data.map(|data| reference::paths(type_, data)).unwrap_or_default();
        let data = self.data(type_, operation)?;
        let operations: Vec<Object> = paths
            .into_iter()
            .filter_map(|(extension, name)| {
                let owner = extension.map_or(Some(&data), |uri| data.get(uri)?.as_object())?;
                let path = extension.map_or_else(|| name.to_owned(), |uri| format!("{uri}:{name}"));
                let value = owner.get(name)?.clone();
                Some(Object::from_iter([("op", Value::from("add")), ("path", path.into()), ("value", value)]))
            })
            .collect();
        Ok(Object::from_iter([
            ("schemas", Value::from(vec![scim2_protocol::urn::PATCH_OP])),
            ("Operations", Value::from(operations)),
        ]))
    }

    /// The data of an operation as the body of a request.
    fn body<'d>(&self, data: Object, read: &'d (dyn Fn() -> Answer<Object> + Sync)) -> RequestBody<'d> {
        // In a small request every operation is small.
        let size = if is_long(self.size) { json_size(&data) } else { 0 };
        RequestBody::of_bulk(data, size, read)
    }

    fn data(&self, type_: &CompiledType, operation: &BulkOperation) -> Answer<Object> {
        match &operation.data {
            Some(Value::Object(data)) => {
                let mut data = data.clone();
                reference::resolve(type_, operation.method, &mut data, &|bulk_id| {
                    self.created.get(bulk_id).map(|created| created.id.as_str())
                });
                Ok(data)
            }
            Some(other) => {
                Err(syntax(Detail::of_names(format!("expected an object in `data`, found {}", other.kind()))))
            }
            None => {
                Err(syntax(Detail::of_names(format!("expected `data`, which a {} needs", operation.method))))
            }
        }
    }

    /// a path may name a new resource by its `bulkId`.
    fn resolved_path(&self, path: &str) -> String {
        let Some((endpoint, id)) = path.rsplit_once('/') else { return path.to_owned() };
        let created = reference::of(id).and_then(|bulk_id| self.created.get(bulk_id));
        created.map_or_else(|| path.to_owned(), |created| format!("{endpoint}/{}", created.id))
    }

    fn target(&self, path: &str) -> Answer<(Arc<CompiledType>, Option<String>)> {
        if path.contains('?') {
            // A `?` that is a part of an id is written `%3F`, as in every URI.
            let detail = "a path of a Bulk operation has no query: leave out `?` and what follows it";
            return Err(ErrorResponse::of_scim_type(ScimType::InvalidPath, Detail::from(detail)));
        }
        let nowhere = || {
            let detail = format!("there is no endpoint `{}`", shorten(path));
            ErrorResponse::not_found(Detail::new(detail, "there is no such endpoint"))
        };
        endpoint(self.provider, self.cx, path).ok_or_else(nowhere)
    }
}

/// The resource type whose endpoint a path begins with, and the id behind it.
fn endpoint<S: ResourceStore>(
    provider: &ServiceProvider<S>,
    cx: &Context,
    path: &str,
) -> Option<(Arc<CompiledType>, Option<String>)> {
    let compat = &provider.inner.options.compat;
    let plain = &*unreserved(path);
    if plain != path && !compat.allows(Quirk::PathVariants) {
        return None;
    }
    let path = plain;
    // Some clients send the whole URI, some with the slash that the quirk is about.
    let below = path.strip_prefix(&*cx.base_url).unwrap_or(path);
    let slash = compat.allows(Quirk::TrailingSlash);
    let below = if slash { below.strip_suffix('/').unwrap_or(below) } else { below };
    let rest = below.strip_prefix('/')?;
    let (endpoint, id) = rest.split_once('/').map_or((rest, None), |(endpoint, id)| (endpoint, Some(id)));
    let type_ = cx.registry.resource_types().find(|type_| type_.endpoint().get(1..) == Some(endpoint))?;
    let id = id.map(|id| percent_encoding::percent_decode_str(id).decode_utf8_lossy().into_owned());
    Some((Arc::clone(type_), id))
}

/// The price of an operation, whatever it does: its transaction and its answer.
const OPERATION_COST: u64 = 64 << 10;

fn is_out_of_work(error: &ErrorResponse) -> bool {
    error.scim_type == Some(ScimType::TooMany)
}

/// 503: the operations before took the work that one bulk request may cause.
fn out_of_work() -> ErrorResponse {
    ErrorResponse::service_unavailable(
        "the operation was not done: together with those before it, it would cause more work than one bulk \
         request may; send it again in another",
    )
}

fn conditions(operation: &BulkOperation) -> Preconditions {
    match operation.version.as_deref() {
        None | Some("") => Preconditions::default(),
        Some(tag) if tag.contains('"') || tag == "*" => {
            Preconditions { if_match: Some(EntityTags::parse(tag)), if_none_match: None }
        }
        // A version without quotes is accepted. Text that cannot be a version matches no version.
        Some(version) => Preconditions {
            if_match: Some(EntityTags::List(Version::parse(version).into_iter().collect())),
            if_none_match: None,
        },
    }
}

fn syntax(detail: impl Into<Detail>) -> ErrorResponse {
    ErrorResponse::of_scim_type(ScimType::InvalidSyntax, detail)
}

/// 409 for circles that cannot be resolved.
fn circle(error: &ErrorResponse) -> ErrorResponse {
    debug_assert!(error.status != StatusCode::OK);
    const LINE: &str = "a circular reference cannot be resolved: ";
    let why =
        |line: Option<&str>| line.unwrap_or("the resource needs the reference when it is created").to_owned();
    let detail = why(error.detail.as_deref());
    ErrorResponse::conflict(Detail::new(
        LINE.to_owned() + &detail,
        LINE.to_owned() + &why(error.log_line.as_deref()),
    ))
}
