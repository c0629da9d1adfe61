//! Retrieving one resource ([RFC 7644 §3.4.1](https://www.rfc-editor.org/rfc/rfc7644#section-3.4.1)).

use std::sync::Arc;

use http::StatusCode;
use scim2_core::CompiledType;
use scim2_protocol::{EntityTags, Precondition, Preconditions, Projection};

use super::{Answer, Reply, fault, not_found, precondition_failed};
use crate::context::Context;
use crate::projection::Plan;
use crate::provider::ServiceProvider;
use crate::store::{ResourceStore, StreamedResource};

impl<S: ResourceStore> ServiceProvider<S> {
    pub(crate) async fn retrieve(
        &self,
        cx: &Context,
        type_: &Arc<CompiledType>,
        id: &str,
        projection: &Projection,
        conditions: &Preconditions,
    ) -> Answer {
        let plan = self.plan(cx, type_, projection, &[]);
        let found = self.inner.store.retrieve_streamed(cx, type_, id, plan.include()).await;
        let Some(found) = found.map_err(|error| fault(cx, &error))? else {
            return Err(not_found(type_, id));
        };
        match conditions.for_retrieval(Some(&found.resource.version)) {
            Precondition::Proceed => self.reply_streamed(cx, StatusCode::OK, found, plan).await,
            Precondition::NotModified => self.not_modified(cx, found, conditions, plan).await,
            Precondition::Failed => Err(precondition_failed(conditions)),
        }
    }

    /// 304, unless the answer would show data of other resources: the groups of a user, or the names of a group's
    /// members. A change of these does not move the version, so after a 304 a client would keep old groups and names.
    async fn not_modified(
        &self,
        cx: &Context,
        mut found: StreamedResource,
        conditions: &Preconditions,
        plan: Plan,
    ) -> Answer {
        let stored = &mut found.resource;
        self.complete(cx, stored, &plan).await?;
        let any = matches!(conditions.if_none_match, Some(EntityTags::Any));
        let in_groups = stored.groups.as_ref().is_some_and(|groups| !groups.is_empty());
        // Members that are still to be read are many.
        let has_members =
            found.members.is_some() || stored.members.as_ref().is_some_and(|members| !members.is_empty());
        let names_members = has_members && plan.names_members(&stored.resource_type);
        if !any && (in_groups || names_members) {
            return self.reply_streamed(cx, StatusCode::OK, found, plan).await;
        }
        Ok(Reply {
            status: StatusCode::NOT_MODIFIED,
            version: Some(found.resource.version),
            ..Reply::no_content()
        })
    }
}
