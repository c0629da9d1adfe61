//! HTTP before the engine: a [`tower_service::Service`] without a socket and without a runtime.

use std::convert::Infallible;
use std::fmt;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll};

use futures_util::FutureExt;
use http::header::{CONTENT_LENGTH, ETAG, HeaderValue, LOCATION, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{Method, Request, Response, StatusCode};
use http_body::Body;
use scim2_protocol::{ErrorResponse, MediaType, headers};

use crate::engine::Reply;
use crate::ports::{AuthError, Authenticator};
use crate::provider::ServiceProvider;
use crate::store::ResourceStore;

mod answer;
mod base;
mod body;
mod dispatch;
mod route;

pub use answer::ResponseBody;
use body::BoxError;
use dispatch::Refusal;
pub(crate) use route::unreserved;

/// A service provider as a [`tower_service::Service`]: requests in, responses out. Cloning is cheap.
///
/// The body of a request is of any type; that of a response is a [`ResponseBody`]. Every response of 400 and
/// above has a SCIM Error in its body, also those of routing, limits and panics.
pub struct ScimService<S, A> {
    inner: Arc<Inner<S, A>>,
}

struct Inner<S, A> {
    provider: ServiceProvider<S>,
    authenticator: A,
    request_ids: base::RequestIds,
}

impl<S: ResourceStore, A: Authenticator> ScimService<S, A> {
    pub(crate) fn new(provider: ServiceProvider<S>, authenticator: A) -> Self {
        let request_ids = base::RequestIds::new(provider.inner.clock.now());
        Self { inner: Arc::new(Inner { provider, authenticator, request_ids }) }
    }

    /// Answers one request.
    pub async fn handle<B>(&self, request: Request<B>) -> Response<ResponseBody>
    where
        B: Body + Send,
        B::Data: Send,
        B::Error: Into<BoxError>,
    {
        // The interoperability profile knows one type of bodies (I-6.2-01).
        let media_type = if self.inner.provider.options().compat.is_profile() {
            MediaType::ScimJson
        } else {
            MediaType::of_answer(request.headers())
        };
        let head = request.method() == Method::HEAD;
        let request_id: Arc<str> = self.inner.request_ids.next();
        // A panic leaves nothing half done: stores are atomic, and what one request holds goes with it.
        let answer = AssertUnwindSafe(self.dispatch(request, &request_id)).catch_unwind().await;
        let answer = answer.unwrap_or_else(|_| {
            tracing::error!(request = %request_id, "a request panicked");
            let detail = format!("the service provider failed; its log has more under {request_id}");
            Err(ErrorResponse::internal(detail).into())
        });
        let mut response = match answer {
            Ok(reply) => reply_response(reply, media_type),
            Err(refusal) => self.refusal_response(&refusal, media_type, &request_id),
        };
        // A 304 has no body in answer to GET either, whose length it would have to tell.
        if head && response.status() != StatusCode::NOT_MODIFIED {
            // That of a body in pieces nobody knows before its end.
            if let Some(length) = http_body::Body::size_hint(response.body()).exact() {
                response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(length));
            }
            *response.body_mut() = ResponseBody::default();
        }
        response
    }

    fn refusal_response(
        &self,
        refusal: &Refusal,
        media_type: MediaType,
        request_id: &str,
    ) -> Response<ResponseBody> {
        let Refusal { error, allow } = refusal;
        tracing::debug!(request = request_id, status = error.status.as_u16(), "refused");
        let mut response: Response<ResponseBody> = error.to_response(media_type);
        if let Some(allow) = allow {
            response.headers_mut().insert(http::header::ALLOW, HeaderValue::from_static(allow));
        }
        if error.status == StatusCode::UNAUTHORIZED
            && let Ok(challenge) = HeaderValue::from_str(self.inner.authenticator.challenge())
        {
            response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
        }
        if error.status == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static(SOON));
        }
        response
    }
}

/// The seconds after which a request that came at a bad time may come again: a full queue is empty
/// then, and who waits for more than that asks more than once.
const SOON: &str = "1";

fn reply_response(reply: Reply, media_type: MediaType) -> Response<ResponseBody> {
    let Reply { status, version, location, body } = reply;
    let body = ResponseBody::new(body);
    let has_body = !body.is_end_stream();
    let mut response = Response::new(body);
    *response.status_mut() = status;
    if has_body {
        response.headers_mut().insert(http::header::CONTENT_TYPE, media_type.to_header_value());
    }
    if let Some(version) = version {
        response.headers_mut().insert(ETAG, headers::etag(&version));
    }
    if let Some(location) = location.as_deref().and_then(headers::location) {
        response.headers_mut().insert(LOCATION, location);
    }
    response
}

fn auth_refusal(error: AuthError) -> ErrorResponse {
    match error {
        AuthError::Missing | AuthError::Invalid => ErrorResponse::unauthorized(error.to_string()),
        AuthError::Unavailable => ErrorResponse::service_unavailable(error.to_string()),
    }
}

impl<S, A> Clone for ScimService<S, A> {
    fn clone(&self) -> Self {
        Self { inner: Arc::clone(&self.inner) }
    }
}

impl<S, A> fmt::Debug for ScimService<S, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScimService").field("provider", &self.inner.provider).finish_non_exhaustive()
    }
}

impl<S, A, B> tower_service::Service<Request<B>> for ScimService<S, A>
where
    S: ResourceStore,
    A: Authenticator,
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<BoxError>,
{
    type Response = Response<ResponseBody>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut TaskContext<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let service = self.clone();
        Box::pin(async move { Ok(service.handle(request).await) })
    }
}
