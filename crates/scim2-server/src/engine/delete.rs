//! Deleting a resource ([RFC 7644 §3.6](https://www.rfc-editor.org/rfc/rfc7644#section-3.6)).

use std::sync::Arc;

use scim2_core::CompiledType;
use scim2_protocol::Preconditions;

use super::replace::contention;
use super::{Answer, Reply, fault, not_found};
use crate::context::Context;
use crate::provider::ServiceProvider;
use crate::store::{CONTENTION_LIMIT, Include, Outcome, ResourceStore};

impl<S: ResourceStore> ServiceProvider<S> {
    pub(crate) async fn delete(
        &self,
        cx: &Context,
        type_: &Arc<CompiledType>,
        id: &str,
        conditions: &Preconditions,
    ) -> Answer {
        for _ in 0..CONTENTION_LIMIT {
            let expected = if conditions.is_empty() {
                None
            } else {
                Some(self.current(cx, type_, id, Include::default(), conditions).await?.version)
            };
            let outcome = self.inner.store.delete(cx, type_, id, expected.as_ref()).await;
            match outcome.map_err(|error| fault(cx, &error))? {
                Outcome::Done(()) => return Ok(Reply::no_content()),
                Outcome::NotFound => return Err(not_found(type_, id)),
                Outcome::Conflict(_) => {}
            }
        }
        Err(contention())
    }
}
