//! Deleting a resource ([RFC 7644 §3.6](https://www.rfc-editor.org/rfc/rfc7644#section-3.6)).

use std::sync::Arc;

use scim2_core::CompiledType;
use scim2_protocol::Preconditions;

use super::evaluation::Evaluation;
use super::write_loop::{Change, ChangeRequest};
use super::{Answer, Reply, fault};
use crate::context::Context;
use crate::provider::ServiceProvider;
use crate::store::{Outcome, ResourceStore};

impl<S: ResourceStore> ServiceProvider<S> {
    pub(crate) async fn delete(
        &self,
        cx: &Context,
        type_: &Arc<CompiledType>,
        id: &str,
        conditions: &Preconditions,
    ) -> Answer {
        ChangeRequest { provider: self, cx, type_, id, conditions }.run(Deletion).await?;
        Ok(Reply::no_content())
    }
}

struct Deletion;

impl<S: ResourceStore> Change<S> for Deletion {
    type Done = ();

    async fn attempt(
        &mut self,
        request: &ChangeRequest<'_, S>,
        _: &mut Evaluation<'_, S>,
    ) -> Answer<Outcome<()>> {
        let ChangeRequest { provider, cx, type_, id, .. } = *request;
        let expected = request.expected_version().await?;
        let outcome = provider.inner.store.delete(cx, type_, id, expected.as_ref()).await;
        outcome.map_err(|error| fault(cx, &error))
    }
}
