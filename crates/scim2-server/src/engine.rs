//! The rules of the protocol between messages and the store
//! ([RFC 7644 §3](https://www.rfc-editor.org/rfc/rfc7644#section-3)).

use http::StatusCode;
use scim2_core::work::{RESOURCE, WorkExceeded};
use scim2_core::{AttributeId, CompiledType, Quirk, ScimType, Version};
use scim2_protocol::{Detail, EntityTags, ErrorResponse, Preconditions, Projection};

use crate::context::Context;
use crate::ingest::Ingest;
use crate::projection::{Plan, write_located};
use crate::provider::ServiceProvider;
use crate::store::{Include, ResourceStore, StoreError, StoreErrorKind, StoredResource};

mod bulk;
mod commit;
mod conflict;
mod create;
mod delete;
mod discovery;
mod evaluation;
mod members;
mod password;
mod patch;
mod pieces;
mod query;
mod replace;
mod request_body;
mod retrieve;
mod write_loop;

#[cfg(fuzzing)]
pub use self::query::cursor_roundtrip;

pub(crate) use bulk::StillAllowed;
pub(crate) use pieces::Body;
pub(crate) use query::RecentPages;
pub(crate) use request_body::RequestBody;

/// The result of an operation.
pub(crate) type Answer<T = Reply> = Result<T, ErrorResponse>;

/// The answer to a successful operation, before it is HTTP.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) version: Option<Version>,
    pub(crate) location: Option<String>,
    /// JSON; empty if the answer has no body.
    pub(crate) body: Body,
    /// Whether it holds no personal data, so that caches may store it.
    pub(crate) is_public: bool,
}

impl Reply {
    /// 200 with a body.
    pub(crate) fn ok(body: Vec<u8>) -> Self {
        Self { status: StatusCode::OK, version: None, location: None, body: body.into(), is_public: false }
    }

    /// 204 without a body.
    pub(crate) fn no_content() -> Self {
        Self { status: StatusCode::NO_CONTENT, ..Self::ok(Vec::new()) }
    }
}

impl<S: ResourceStore> ServiceProvider<S> {
    /// Reads bodies as the options say.
    fn reader(&self) -> Ingest<'_> {
        Ingest::new(&self.inner.registry, &self.inner.options.compat)
    }

    /// The attributes in the answer to a request on one resource type. `written` are the attributes that the
    /// request sets.
    fn plan(
        &self,
        cx: &Context,
        type_: &CompiledType,
        projection: &Projection,
        written: &[&[AttributeId]],
    ) -> Plan {
        let plan = Plan::new(type_, projection, written, self.inner.options.compat);
        tolerated(cx, type_.name(), plan.leniencies());
        plan
    }

    /// A resource as the answer to an operation.
    async fn resource_reply(
        &self,
        cx: &Context,
        status: StatusCode,
        mut stored: StoredResource,
        plan: &Plan,
    ) -> Answer {
        self.complete(cx, &mut stored, plan).await?;
        let mut body = Vec::with_capacity(1024);
        let location = cx.location(&stored.resource_type, &stored.id);
        write_located(&mut body, cx, &stored, plan, &location).map_err(|error| fault(cx, &error))?;
        Ok(Reply { status, version: Some(stored.version), location: Some(location), ..Reply::ok(body) })
    }

    /// Reads the groups of a resource if its store did not.
    async fn complete(&self, cx: &Context, stored: &mut StoredResource, plan: &Plan) -> Answer<()> {
        self.complete_groups(cx, stored, plan.include()).await
    }

    /// Spends the work of comparing the members of a group with the members it is to have.
    fn spend_on_members(&self, cx: &Context, members: usize) -> Answer<()> {
        /// The price of finding one member and its resource.
        const MEMBER: u64 = 128;
        cx.work.spend(MEMBER.saturating_mul(members as u64)).map_err(too_much_work)
    }

    async fn complete_groups(
        &self,
        cx: &Context,
        stored: &mut StoredResource,
        include: Include,
    ) -> Answer<()> {
        if include.groups && stored.groups.is_none() {
            let groups = self.inner.store.groups_of(cx, &stored.id).await;
            stored.groups = Some(groups.map_err(|error| fault(cx, &error))?);
        }
        Ok(())
    }
}

/// The work of changing a resource that was read: to parse, change, compare and write it.
fn cost_of_change(current: &StoredResource) -> u64 {
    /// The price of a byte of members that were read: they are rows, and only some are written.
    const MEMBERS: u64 = 2;
    let body = current.body.size() as u64;
    let members = current.size().saturating_sub(body);
    body.saturating_mul(RESOURCE).saturating_add(members.saturating_mul(MEMBERS))
}

/// 400: the request would cause more work than one request may.
pub(crate) fn too_much_work(exceeded: WorkExceeded) -> ErrorResponse {
    ErrorResponse::of_scim_type(ScimType::TooMany, Detail::of_names(exceeded.to_string()))
}

/// Notes the quirks that a request needed, so that an operator sees what a stricter mode would refuse.
fn tolerated(cx: &Context, resource_type: &str, quirks: &[Quirk]) {
    for quirk in quirks {
        cx.notes.tolerated(*quirk, resource_type, "");
    }
}

/// The answer when the store fails. The cause is written only to the log.
pub(crate) fn fault(cx: &Context, error: &StoreError) -> ErrorResponse {
    match error.kind() {
        StoreErrorKind::Uniqueness(_) => ErrorResponse::of_scim_type(ScimType::Uniqueness, names(error)),
        StoreErrorKind::InvalidValue(path) => {
            let detail = Detail::of_names(format!("`{path}`: {error}"));
            ErrorResponse::of_scim_type(ScimType::InvalidValue, detail)
        }
        StoreErrorKind::TooMany => ErrorResponse::of_scim_type(ScimType::TooMany, names(error)),
        StoreErrorKind::Throttled => ErrorResponse::too_many_requests(names(error)),
        StoreErrorKind::Unavailable => {
            tracing::warn!(request = %cx.request_id, %error, "the store is not available");
            ErrorResponse::service_unavailable(names(error))
        }
        StoreErrorKind::Internal => {
            let cause = std::error::Error::source(error).map(ToString::to_string).unwrap_or_default();
            tracing::error!(request = %cx.request_id, %error, cause, "the store failed");
            internal(&cx.request_id)
        }
    }
}

/// 500, with where to look.
pub(crate) fn internal(request_id: &str) -> ErrorResponse {
    let detail = format!("the service provider failed; its log has more under {request_id}");
    ErrorResponse::internal(Detail::new(detail, "the service provider failed"))
}

/// The line of a store's error: it names attributes and limits, never values.
fn names(error: &StoreError) -> Detail {
    Detail::of_names(error.to_string())
}

/// There is no resource of that type and id.
pub(crate) fn not_found(type_: &CompiledType, id: &str) -> ErrorResponse {
    let name = type_.name();
    let detail = format!("there is no {name} with the id `{}`", shorten(id));
    ErrorResponse::not_found(Detail::new(detail, format!("there is no {name} with this id")))
}

/// 412: the conditions of the request do not hold for the resource, which exists.
pub(crate) fn precondition_failed(conditions: &Preconditions) -> ErrorResponse {
    let no_tag = |tags: &Option<EntityTags>| matches!(tags, Some(EntityTags::List(tags)) if tags.is_empty());
    let detail = if no_tag(&conditions.if_match) {
        "expected an entity tag in quotes in `If-Match`, such as W/\"3\", found none"
    } else if matches!(conditions.if_none_match, Some(EntityTags::Any)) {
        "`If-None-Match: *` asks that the resource does not exist, and it does"
    } else if conditions.if_none_match.is_some() {
        "the resource has a version that `If-None-Match` excludes"
    } else {
        "the resource has another version than the request expects"
    };
    ErrorResponse::precondition_failed(detail)
}

/// What an error line repeats of a peer's text: one line, cut short.
pub(crate) fn shorten(text: &str) -> String {
    /// The longest piece of a peer's text in an error line, in characters.
    const SHOWN: usize = 64;
    let mut short: String = text.chars().take(SHOWN).flat_map(char::escape_debug).collect();
    if text.chars().nth(SHOWN).is_some() {
        short.push('…');
    }
    short
}
