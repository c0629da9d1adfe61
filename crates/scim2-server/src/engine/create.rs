//! Creating a resource ([RFC 7644 §3.3](https://www.rfc-editor.org/rfc/rfc7644#section-3.3)).

use std::sync::Arc;

use http::StatusCode;
use scim2_core::validate::Purpose;
use scim2_core::{CompiledType, Object};
use scim2_protocol::Projection;

use super::Answer;
use super::conflict::Claims;
use super::incoming::{Incoming, with_id};
use super::password::Hashed;
use crate::context::Context;
use crate::provider::ServiceProvider;
use crate::store::{MembersWrite, ResourceStore, Write};

impl<S: ResourceStore> ServiceProvider<S> {
    pub(crate) async fn create(
        &self,
        cx: &Context,
        type_: &Arc<CompiledType>,
        body: Object,
        projection: &Projection,
    ) -> Answer {
        let incoming = self.incoming(cx, type_, body, Purpose::Create, &mut Hashed::default()).await?;
        let Incoming { body, never_returned, members, written, cleared: _, mentioned: _ } = incoming;
        let plan = self.plan(cx, type_, projection, &[&written]);
        let members = self.resolve_members(cx, members).await?;
        let id = self.inner.ids.resource_id();
        let claims = Claims::of(type_, &body);
        let write = Write {
            resource_type: Arc::clone(type_),
            body: with_id(body, &id),
            id,
            never_returned,
            members: if members.is_empty() { MembersWrite::Keep } else { MembersWrite::Set(members) },
            changed: Vec::new(),
            include: plan.include(),
        };
        let stored = match self.inner.store.create(cx, write).await {
            Ok(stored) => stored,
            // The resource has no id yet.
            Err(error) => return Err(self.write_fault(cx, type_, &claims, "", &error).await),
        };
        self.written_reply(cx, StatusCode::CREATED, stored, plan).await
    }
}
