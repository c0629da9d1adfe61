//! Long evaluations. They take a turn of their credential, run where they hold no asynchronous thread, and let
//! other tasks run in between.

use scim2_core::CompiledType;
use scim2_core::validate::Purpose;
use scim2_protocol::ErrorResponse;

use super::request_body::{self, RequestBody};
use super::write_loop::ChangeRequest;
use super::{Answer, fault, internal, too_much_work};
use crate::context::Context;
use crate::ingest::Ingested;
use crate::provider::ServiceProvider;
use crate::store::{Include, ResourceStore, StoredResource, Stretch, yield_now};
use crate::turns::Turn;

/// The most work of a short evaluation, and the work that a long one does before other tasks run, in bytes that
/// are looked at. It takes some milliseconds.
const STRETCH: u64 = 4 << 20;

/// Says whether it takes long to parse a text of this size.
pub(super) fn is_long(size: usize) -> bool {
    request_body::cost(size) > STRETCH
}

/// The evaluation of one request. A short one only counts: it takes no lock and allocates nothing.
pub(super) struct Evaluation<'a, S> {
    provider: &'a ServiceProvider<S>,
    cx: &'a Context,
    stretch: Stretch,
    /// A long evaluation holds it until it ends.
    turn: Option<Turn>,
}

impl<'a, S: ResourceStore> Evaluation<'a, S> {
    pub(super) fn new(provider: &'a ServiceProvider<S>, cx: &'a Context) -> Self {
        Self { provider, cx, stretch: Stretch::of(STRETCH), turn: None }
    }

    /// How much work may be done before it must be counted.
    pub(super) fn left(&self) -> u64 {
        self.stretch.left()
    }

    /// Counts work that was done. At the end of each stretch other tasks run. After the first stretch the
    /// evaluation is long.
    pub(super) async fn spend(&mut self, work: u64) -> Answer<()> {
        if self.stretch.ends_with(work) {
            self.wait().await?;
            yield_now().await;
        }
        Ok(())
    }

    /// Runs a piece of work. A long evaluation runs it as [`LongWork`](crate::LongWork).
    pub(super) fn run<T>(&self, work: impl FnOnce() -> T) -> Answer<T> {
        if self.turn.is_none() {
            return Ok(work());
        }
        let (mut work, mut result) = (Some(work), None);
        self.provider.inner.long_work.run(&mut || {
            if let Some(work) = work.take() {
                result = Some(work());
            }
        });
        result.ok_or_else(|| {
            tracing::error!(request = %self.cx.request_id, "long work was not run");
            internal(&self.cx.request_id)
        })
    }

    /// Reads the resource that is to be changed, and spends the work of the change. A long evaluation waits for its
    /// turn here, and holds no resource while it waits.
    pub(super) async fn current(
        &mut self,
        request: &ChangeRequest<'_, S>,
        include: Include,
    ) -> Answer<StoredResource> {
        let current = request.current(include).await?;
        let cost = super::cost_of_change(&current);
        self.cx.work.spend(cost).map_err(too_much_work)?;
        if !self.stretch.ends_with(cost) {
            return Ok(current);
        }
        if self.turn.is_none() {
            self.turn = self.provider.inner.long_turns.try_take(&self.cx.credential());
        }
        if self.turn.is_some() {
            yield_now().await;
            return Ok(current);
        }
        drop(current);
        self.wait().await?;
        // While it waited, the resource may have changed.
        request.current(include).await
    }

    /// Brings the body of a request into canonical form.
    pub(super) async fn ingest(
        &mut self,
        type_: &CompiledType,
        body: &mut RequestBody<'_>,
        purpose: Purpose<'_>,
    ) -> Answer<Ingested> {
        self.spend(body.cost()).await?;
        let Self { provider, cx, .. } = *self;
        let ingested = self.run(|| {
            let object = body.take(provider)?;
            Ok::<_, ErrorResponse>(provider.reader().body(type_, object, purpose)?)
        })??;
        for ignored in &ingested.ignored {
            cx.notes.ignored(ignored.reason, type_.name(), &ignored.path);
        }
        for (quirk, attribute) in &ingested.leniencies {
            cx.notes.tolerated(*quirk, type_.name(), attribute);
        }
        Ok(ingested)
    }

    async fn wait(&mut self) -> Answer<()> {
        if self.turn.is_none() {
            let turn = self.provider.inner.long_turns.take(&self.cx.credential()).await;
            self.turn = Some(turn.map_err(|error| fault(self.cx, &error))?);
        }
        Ok(())
    }
}
