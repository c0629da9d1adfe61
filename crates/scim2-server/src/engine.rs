//! The rules of the protocol between messages and the store
//! ([RFC 7644 §3](https://www.rfc-editor.org/rfc/rfc7644#section-3)).

use http::StatusCode;
use scim2_core::work::{RESOURCE, WorkExceeded};
use scim2_core::{AttributeId, CompiledType, Quirk, ScimType, Version};
use scim2_protocol::{ErrorResponse, Projection};

use crate::context::Context;
use crate::projection::{Plan, write_located};
use crate::provider::ServiceProvider;
use crate::store::{ResourceStore, StoreError, StoreErrorKind, StoredResource, Want};

mod bulk;
mod create;
mod delete;
mod discovery;
mod incoming;
mod members;
mod password;
mod patch;
mod pieces;
mod query;
mod replace;
mod retrieve;

pub(crate) use pieces::Body;
pub(crate) use query::Walks;

/// What an operation comes to.
pub(crate) type Answer<T = Reply> = Result<T, ErrorResponse>;

/// The answer to a successful operation, before it is HTTP.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) version: Option<Version>,
    pub(crate) location: Option<String>,
    /// JSON; empty if the answer has no body.
    pub(crate) body: Body,
}

impl Reply {
    /// 200 with a body.
    pub(crate) fn ok(body: Vec<u8>) -> Self {
        Self { status: StatusCode::OK, version: None, location: None, body: body.into() }
    }

    /// 204 without a body.
    pub(crate) fn no_content() -> Self {
        Self { status: StatusCode::NO_CONTENT, version: None, location: None, body: Vec::new().into() }
    }
}

impl<S: ResourceStore> ServiceProvider<S> {
    /// What the answer to a request on one resource type holds; `written` are the attributes that
    /// it sets.
    fn plan(
        &self,
        cx: &Context,
        type_: &CompiledType,
        projection: &Projection,
        written: &[AttributeId],
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
        Ok(Reply { status, version: Some(stored.version), location: Some(location), body: body.into() })
    }

    /// Asks for the groups of a resource if its store leaves that to us.
    async fn complete(&self, cx: &Context, stored: &mut StoredResource, plan: &Plan) -> Answer<()> {
        self.complete_groups(cx, stored, plan.want()).await
    }

    /// Spends what it takes to change a resource that was read: to parse, change, compare and write it.
    fn spend_on_change(&self, cx: &Context, current: &StoredResource) -> Answer<()> {
        /// The price of a byte of members that were read: they are rows, and only some are written.
        const MEMBERS: u64 = 2;
        let body = current.body.size() as u64;
        let members = current.size().saturating_sub(body);
        let bytes = body.saturating_mul(RESOURCE).saturating_add(members.saturating_mul(MEMBERS));
        cx.work.spend(bytes).map_err(too_much_work)
    }

    /// Spends what it takes to compare the members of a group with those it is to have.
    fn spend_on_members(&self, cx: &Context, members: usize) -> Answer<()> {
        /// The price of finding one member and its resource.
        const MEMBER: u64 = 128;
        cx.work.spend(MEMBER.saturating_mul(members as u64)).map_err(too_much_work)
    }

    async fn complete_groups(&self, cx: &Context, stored: &mut StoredResource, want: Want) -> Answer<()> {
        if want.groups && stored.groups.is_none() {
            let groups = self.inner.store.groups_of(cx, &stored.id).await;
            stored.groups = Some(groups.map_err(|error| fault(cx, &error))?);
        }
        Ok(())
    }
}

/// 400: the request would cause more work than one request may.
pub(crate) fn too_much_work(exceeded: WorkExceeded) -> ErrorResponse {
    ErrorResponse::of_scim_type(ScimType::TooMany, exceeded.to_string())
}

/// Tells the log which quirks a request took, that an operator may see what a stricter mode would
/// refuse: names, never values.
fn tolerated(cx: &Context, resource_type: &str, quirks: &[Quirk]) {
    for quirk in quirks {
        tracing::info!(request = %cx.request_id, resource_type, %quirk, "tolerated");
    }
}

/// What a client is told when the store fails. What went wrong inside goes to the log alone.
pub(crate) fn fault(cx: &Context, error: &StoreError) -> ErrorResponse {
    match error.kind() {
        StoreErrorKind::Uniqueness(_) => ErrorResponse::of_scim_type(ScimType::Uniqueness, error.to_string()),
        StoreErrorKind::InvalidValue(path) => {
            ErrorResponse::of_scim_type(ScimType::InvalidValue, format!("`{path}`: {error}"))
        }
        StoreErrorKind::TooMany => ErrorResponse::of_scim_type(ScimType::TooMany, error.to_string()),
        StoreErrorKind::Unavailable => {
            tracing::warn!(request = %cx.request_id, %error, "the store is not available");
            ErrorResponse::service_unavailable(error.to_string())
        }
        StoreErrorKind::Internal => {
            let cause = std::error::Error::source(error).map(ToString::to_string).unwrap_or_default();
            tracing::error!(request = %cx.request_id, %error, cause, "the store failed");
            ErrorResponse::internal(format!(
                "the service provider failed; its log has more under {}",
                cx.request_id
            ))
        }
    }
}

/// There is no resource of that type and id.
pub(crate) fn not_found(type_: &CompiledType, id: &str) -> ErrorResponse {
    ErrorResponse::not_found(format!("there is no {} with the id `{}`", type_.name(), shorten(id)))
}

/// 412: the client named another version.
pub(crate) fn precondition_failed() -> ErrorResponse {
    ErrorResponse::precondition_failed("the resource has another version than the request expects")
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
