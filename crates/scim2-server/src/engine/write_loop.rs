//! The one loop that changes resources. It attempts a change, and attempts it again if another write came in between.

use std::future::Future;
use std::sync::Arc;

use scim2_core::{CompiledType, Version};
use scim2_protocol::{ErrorResponse, Precondition, Preconditions};

use super::evaluation::Evaluation;
use super::{Answer, fault, not_found, precondition_failed};
use crate::context::Context;
use crate::provider::ServiceProvider;
use crate::store::{CONTENTION_LIMIT, Include, Outcome, ResourceStore, StoredResource};

/// A request that changes a resource: PUT, PATCH or DELETE.
pub(super) struct ChangeRequest<'a, S> {
    pub(super) provider: &'a ServiceProvider<S>,
    pub(super) cx: &'a Context,
    pub(super) type_: &'a Arc<CompiledType>,
    /// The id in the URI, which need not be the id of a resource.
    pub(super) id: &'a str,
    pub(super) conditions: &'a Preconditions,
}

/// A change of one resource, which can be attempted several times.
pub(super) trait Change<S: ResourceStore> {
    /// What a successful attempt returns.
    type Done;

    /// Reads what the change needs, computes the write, and asks the store to do it if the resource still has the
    /// version that was read.
    fn attempt(
        &mut self,
        request: &ChangeRequest<'_, S>,
        evaluation: &mut Evaluation<'_, S>,
    ) -> impl Future<Output = Answer<Outcome<Self::Done>>> + Send;
}

impl<S: ResourceStore> ChangeRequest<'_, S> {
    /// Attempts the change until no other write comes in between, at most [`CONTENTION_LIMIT`] times.
    pub(super) async fn run<C: Change<S>>(&self, mut change: C) -> Answer<C::Done> {
        let mut evaluation = Evaluation::new(self.provider, self.cx);
        for _ in 0..CONTENTION_LIMIT {
            match change.attempt(self, &mut evaluation).await? {
                Outcome::Done(done) => return Ok(done),
                Outcome::NotFound => return Err(not_found(self.type_, self.id)),
                // The next attempt reads the resource, and checks the conditions, again.
                Outcome::Conflict(_) => {}
            }
        }
        Err(ErrorResponse::service_unavailable("the resource is changed by too many requests at once"))
    }

    /// Reads the resource and checks the conditions of the request.
    pub(super) async fn current(&self, include: Include) -> Answer<StoredResource> {
        let Self { provider, cx, type_, id, conditions } = *self;
        let stored = provider.inner.store.retrieve(cx, type_, id, include).await;
        let Some(stored) = stored.map_err(|error| fault(cx, &error))? else {
            return Err(not_found(type_, id));
        };
        match conditions.for_change(Some(&stored.version)) {
            Precondition::Proceed => Ok(stored),
            Precondition::NotModified | Precondition::Failed => Err(precondition_failed(conditions)),
        }
    }

    /// The version that a write must expect which computes nothing from the resource. Without conditions in the
    /// request it expects none, and nothing is read.
    pub(super) async fn expected_version(&self) -> Answer<Option<Version>> {
        if self.conditions.is_empty() {
            return Ok(None);
        }
        Ok(Some(self.current(Include::default()).await?.version))
    }
}
