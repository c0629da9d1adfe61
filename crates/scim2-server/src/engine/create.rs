//! Creating a resource ([RFC 7644 §3.3](https://www.rfc-editor.org/rfc/rfc7644#section-3.3)).

use std::sync::Arc;

use http::StatusCode;
use scim2_core::CompiledType;
use scim2_core::validate::Purpose;
use scim2_protocol::Projection;

use super::Answer;
use super::conflict::Claims;
use super::evaluation::Evaluation;
use super::password::HashedPassword;
use super::request_body::RequestBody;
use crate::context::Context;
use crate::ingest::{Ingested, with_id};
use crate::provider::ServiceProvider;
use crate::store::{Include, MembersWrite, ResourceStore, StoreErrorKind, Write};

impl<S: ResourceStore> ServiceProvider<S> {
    pub(crate) async fn create(
        &self,
        cx: &Context,
        type_: &Arc<CompiledType>,
        mut body: RequestBody<'_>,
        projection: &Projection,
    ) -> Answer {
        let mut evaluation = Evaluation::new(self, cx);
        let ingested = evaluation.ingest(type_, &mut body, Purpose::Create).await?;
        let Ingested { body: attributes, mut never_returned, password, members, written, .. } = ingested;
        self.hash_password(password, &mut never_returned, &mut HashedPassword::default()).await?;
        let plan = self.plan(cx, type_, projection, &[&written]);
        let members = self.resolve_members(cx, members).await?;
        let id = self.inner.ids.resource_id();
        let write = Write {
            resource_type: Arc::clone(type_),
            body: with_id(attributes, &id),
            id,
            never_returned,
            members: if members.is_empty() { MembersWrite::Keep } else { MembersWrite::Set(members) },
            changed: Vec::new(),
            include: Include { groups: false, ..plan.include() },
        };
        let mut stored = match self.inner.store.create(cx, write).await {
            Ok(stored) => stored,
            Err(error) => {
                let claims = match error.kind() {
                    StoreErrorKind::Uniqueness(_) => self.claims_of(type_, &mut body),
                    _ => Claims::default(),
                };
                // The resource has no id yet.
                return Err(self.write_fault(cx, type_, &claims, "", &error).await);
            }
        };
        // Nobody knew its id, so it is in no group.
        stored.groups.get_or_insert_default();
        self.written_reply(cx, StatusCode::CREATED, stored, plan).await
    }

    /// The unique values in the body of a POST that the store refused.
    fn claims_of(&self, type_: &CompiledType, body: &mut RequestBody<'_>) -> Claims {
        let ingested = body.take(self).map(|body| self.reader().body(type_, body, Purpose::Create));
        match ingested {
            Ok(Ok(ingested)) => Claims::of(type_, &ingested.body),
            _ => Claims::default(),
        }
    }
}
