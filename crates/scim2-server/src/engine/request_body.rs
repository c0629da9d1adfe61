//! The JSON body of a request.

use bytes::Bytes;
use scim2_core::Object;
use scim2_core::work::RESOURCE;

use super::Answer;
use super::evaluation::Evaluation;
use crate::context::Context;
use crate::provider::ServiceProvider;
use crate::store::ResourceStore;

/// The JSON body of a request, which is parsed once. It is parsed again only if a write is attempted again, or if a
/// unique value in it is taken: nothing of it is copied for these rare cases.
pub(crate) struct RequestBody<'a> {
    parsed: Option<Object>,
    source: Source<'a>,
    size: usize,
}

enum Source<'a> {
    Json(Bytes),
    /// The `data` of a bulk operation.
    Data(&'a (dyn Fn() -> Answer<Object> + Sync)),
}

impl<'a> RequestBody<'a> {
    /// The `data` of a bulk operation, which takes `size` bytes as JSON. `read` makes it again.
    pub(crate) fn of_bulk(data: Object, size: usize, read: &'a (dyn Fn() -> Answer<Object> + Sync)) -> Self {
        Self { parsed: Some(data), source: Source::Data(read), size }
    }

    /// The body, unless it was taken.
    pub(crate) fn parsed(&self) -> Option<&Object> {
        self.parsed.as_ref()
    }

    /// The body of a message that is read once.
    pub(crate) fn into_object(self) -> Object {
        self.parsed.unwrap_or_default()
    }

    /// The bytes of the body as JSON.
    pub(super) fn size(&self) -> usize {
        self.size
    }

    /// Takes the body, and parses it if it was taken before.
    pub(super) fn take<S: ResourceStore>(&mut self, provider: &ServiceProvider<S>) -> Answer<Object> {
        match (self.parsed.take(), &self.source) {
            (Some(object), _) => Ok(object),
            (None, Source::Json(json)) => Ok(provider.inner.json.object(json)?),
            (None, Source::Data(read)) => read(),
        }
    }

    /// The work of bringing the body into canonical form, or of applying it.
    pub(super) fn cost(&self) -> u64 {
        cost(self.size)
    }
}

/// The work of parsing a text, or of bringing what was parsed into canonical form.
pub(super) fn cost(size: usize) -> u64 {
    RESOURCE.saturating_mul(size as u64)
}

impl<S: ResourceStore> ServiceProvider<S> {
    /// Parses the body of a request. A large one takes a turn of its credential and holds no asynchronous thread.
    pub(crate) async fn parse(&self, cx: &Context, json: Bytes) -> Answer<RequestBody<'static>> {
        let mut evaluation = Evaluation::new(self, cx);
        evaluation.spend(cost(json.len())).await?;
        let parsed = evaluation.run(|| self.inner.json.object(&json))??;
        Ok(RequestBody { parsed: Some(parsed), size: json.len(), source: Source::Json(json) })
    }
}
