//! Creating a resource ([RFC 7644 §3.3](https://www.rfc-editor.org/rfc/rfc7644#section-3.3)).

use std::sync::Arc;

use http::StatusCode;
use scim2_core::{CompiledType, Object};
use scim2_protocol::Projection;

use super::{Answer, fault};
use crate::context::Context;
use crate::projection::Plan;
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
        let incoming = self.incoming(cx, type_, body)?;
        let plan = Plan::new(type_, projection, &incoming.written(type_));
        let id = self.inner.ids.resource_id();
        let write = Write {
            resource_type: Arc::clone(type_),
            body: incoming.body_with_id(&id),
            id,
            hidden: Object::new(),
            members: MembersWrite::Keep,
            changed: Vec::new(),
            want: plan.want(),
        };
        let stored = self.inner.store.create(cx, write).await.map_err(|error| fault(cx, &error))?;
        self.resource_reply(cx, StatusCode::CREATED, stored, &plan).await
    }
}
