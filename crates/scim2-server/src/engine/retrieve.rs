//! Retrieving one resource ([RFC 7644 §3.4.1](https://www.rfc-editor.org/rfc/rfc7644#section-3.4.1)).

use std::sync::Arc;

use http::StatusCode;
use scim2_core::CompiledType;
use scim2_protocol::{Precondition, Preconditions, Projection};

use super::{Answer, Reply, fault, not_found, precondition_failed};
use crate::context::Context;
use crate::projection::Plan;
use crate::provider::ServiceProvider;
use crate::store::ResourceStore;

impl<S: ResourceStore> ServiceProvider<S> {
    pub(crate) async fn retrieve(
        &self,
        cx: &Context,
        type_: &Arc<CompiledType>,
        id: &str,
        projection: &Projection,
        conditions: &Preconditions,
    ) -> Answer {
        let plan = Plan::new(type_, projection, &[]);
        let stored = self.inner.store.retrieve(cx, type_, id, plan.want()).await;
        let Some(stored) = stored.map_err(|error| fault(cx, &error))? else {
            return Err(not_found(type_, id));
        };
        match conditions.for_retrieval(Some(&stored.version)) {
            Precondition::Proceed => self.resource_reply(cx, StatusCode::OK, stored, &plan).await,
            Precondition::NotModified => Ok(Reply {
                status: StatusCode::NOT_MODIFIED,
                location: None,
                version: Some(stored.version),
                body: Vec::new(),
            }),
            Precondition::Failed => Err(precondition_failed()),
        }
    }
}
