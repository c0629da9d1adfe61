//! What a request passes before it reaches the service provider, as a [`tower_service::Service`].

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use http::header::{ALLOW, RETRY_AFTER};
use http::{Request, Response};
use http_body::Body;
use scim2_server::{Authenticator, ResourceStore, ResponseBody, ScimService, ServiceProvider};
use tower_service::Service;

use super::base_path::BasePath;
use super::connections::Place;
use super::deadline::BoxError;
use super::health::{self, Probe};
use super::{host, overload};

/// The longest method in a log line. It is longer than any method of a standard.
const MAX_METHOD_CHARS: usize = 24;

/// The longest path in a log line, as in the lines of refused requests.
const MAX_PATH_CHARS: usize = 256;

/// Refuses requests without one `Host`, answers health checks, refuses requests on connections of the reserve, and
/// rewrites the path before it hands a request to the service provider. Cloning is cheap.
pub(super) struct Gate<S, A>(Arc<Shared<S, A>>);

struct Shared<S, A> {
    service: ScimService<S, A>,
    provider: ServiceProvider<S>,
    base_path: BasePath,
}

impl<S: ResourceStore, A: Authenticator> Gate<S, A> {
    pub(super) fn new(service: ScimService<S, A>, provider: ServiceProvider<S>, base_path: BasePath) -> Self {
        Self(Arc::new(Shared { service, provider, base_path }))
    }
}

impl<S: ResourceStore, A: Authenticator> Shared<S, A> {
    async fn answer<B>(&self, mut request: Request<B>) -> Response<ResponseBody>
    where
        B: Body<Data: Send, Error: Into<BoxError>> + Send,
    {
        if let Some(error) = host::refuse(request.version(), request.headers()) {
            return self.service.refuse(&request, error);
        }
        if let Some(probe) = Probe::of(request.uri().path()) {
            if let Some(error) = health::refuse(request.method()) {
                let mut refused = self.service.refuse(&request, error);
                refused.headers_mut().insert(ALLOW, health::ALLOW);
                return refused;
            }
            let is_well = probe == Probe::Health || health::is_ready(&self.provider).await;
            return health::answer(is_well).map(ResponseBody::from);
        }
        if let Some(limit) = request.extensions().get().and_then(|place: &Place| place.limit()) {
            let mut refused = self.service.refuse(&request, overload::refuse(limit));
            refused.headers_mut().insert(RETRY_AFTER, overload::RETRY_AFTER);
            return refused;
        }
        if let Some(uri) = self.base_path.rewrite(request.uri()) {
            *request.uri_mut() = uri;
        }
        if tracing::enabled!(tracing::Level::DEBUG) {
            self.answer_and_log(request).await
        } else {
            self.service.handle(request).await
        }
    }

    /// Logs the request in one line. The query stays out of it, because filters hold names and addresses of people.
    async fn answer_and_log<B>(&self, request: Request<B>) -> Response<ResponseBody>
    where
        B: Body<Data: Send, Error: Into<BoxError>> + Send,
    {
        let method = cut(request.method().as_str(), MAX_METHOD_CHARS).to_owned();
        let path = cut(request.uri().path(), MAX_PATH_CHARS).to_owned();
        let start = Instant::now();
        let response = self.service.handle(request).await;
        let (status, elapsed) = (response.status().as_u16(), start.elapsed());
        tracing::debug!(method, path, status, ?elapsed, "request");
        response
    }
}

/// The text, or its start if it is longer than so many characters.
fn cut(text: &str, max_chars: usize) -> &str {
    let end = text.char_indices().nth(max_chars).map_or(text.len(), |(end, _)| end);
    text.get(..end).unwrap_or_default()
}

impl<S, A, B> Service<Request<B>> for Gate<S, A>
where
    S: ResourceStore,
    A: Authenticator,
    B: Body<Data: Send, Error: Into<BoxError>> + Send + 'static,
{
    type Response = Response<ResponseBody>;
    type Error = Infallible;
    // Boxed once here, so that the layers around it and the HTTP library move a pointer instead of some kilobytes.
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let shared = Arc::clone(&self.0);
        Box::pin(async move { Ok(shared.answer(request).await) })
    }
}

impl<S, A> Clone for Gate<S, A> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}
