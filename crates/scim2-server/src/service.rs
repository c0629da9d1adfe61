//! The HTTP layer above the engine: a [`tower_service::Service`] without a socket and without a runtime.

use std::convert::Infallible;
use std::fmt;
use std::net::IpAddr;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll};

use futures_util::FutureExt;
use http::header::{
    ALLOW, CACHE_CONTROL, CONTENT_LENGTH, ETAG, HeaderName, HeaderValue, LOCATION, RETRY_AFTER,
    WWW_AUTHENTICATE, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body::Body;
use scim2_protocol::{Detail, ErrorResponse, MediaType, headers};

use crate::engine::{self, Reply};
use crate::forwarded::ClientAddress;
use crate::in_flight::BytesExceeded;
use crate::ports::Authenticator;
use crate::provider::ServiceProvider;
use crate::refusals::Refused;
use crate::store::ResourceStore;

mod answer;
mod base;
mod body;
mod dispatch;
mod refusal;
mod route;

pub use answer::ResponseBody;
use body::BoxError;
use refusal::Refusal;
pub(crate) use route::unreserved;

/// A service provider as a [`tower_service::Service`]: requests in, responses out. Cloning is cheap.
///
/// The body of a request is of any type; that of a response is a [`ResponseBody`]. Every response of 400 and
/// above has a SCIM Error in its body, including those for routing, limits and panics.
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
        // A panic leaves no partial write, because stores are atomic. What the request holds is dropped.
        let answer = AssertUnwindSafe(self.dispatch(request, &request_id)).catch_unwind().await;
        let answer = answer.unwrap_or_else(|_| {
            tracing::error!(request = %request_id, "a request panicked");
            Err(engine::internal(&request_id).into())
        });
        let mut response = match answer {
            Ok(reply) => reply_response(reply, media_type),
            Err(refusal) => refusal_response(&refusal, media_type, &request_id),
        };
        // A 304 has no body for GET either, so it has no `Content-Length`.
        if head && response.status() != StatusCode::NOT_MODIFIED {
            // The length of a streamed body is not known in advance.
            if let Some(length) = http_body::Body::size_hint(response.body()).exact() {
                response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(length));
            }
            *response.body_mut() = ResponseBody::default();
        }
        response
    }

    /// Answers a request that the listener refused before it reached this service. The refusal is logged and
    /// counted like any other, and its id is in the answer.
    pub fn refuse<B>(&self, request: &Request<B>, error: ErrorResponse) -> Response<ResponseBody> {
        let request_id = self.inner.request_ids.next();
        let media_type = MediaType::of_answer(request.headers());
        let address = request.extensions().get().map(|address: &ClientAddress| address.client);
        let refusal = Refusal::from(error);
        self.log_refusal(&refusal, Some((request.method(), request.uri())), address, &request_id);
        refusal_response(&refusal, media_type, &request_id)
    }

    /// Answers bytes that never became a request. Their method and target are unknown, and what is in their
    /// place may be anything.
    pub fn refuse_unparsed<B: From<Vec<u8>>>(
        &self,
        headers: &HeaderMap,
        peer: IpAddr,
        error: ErrorResponse,
    ) -> Response<B> {
        let request_id = self.inner.request_ids.next();
        let refusal = Refusal::from(error);
        self.log_refusal(&refusal, None, Some(peer), &request_id);
        refusal_response(&refusal, MediaType::of_answer(headers), &request_id)
    }

    fn log_refusal(
        &self,
        refusal: &Refusal,
        request: Option<(&Method, &http::Uri)>,
        address: Option<IpAddr>,
        request_id: &str,
    ) {
        let Refusal { error, reason, credential, .. } = refusal;
        self.inner.provider.inner.note_refusal(&Refused {
            request_id,
            method: request.map(|(method, _)| method.as_str()),
            path: request.map(|(_, uri)| uri.path()),
            operation: None,
            credential: credential.as_deref(),
            reason: *reason,
            address,
            error,
        });
    }
}

fn refusal_response<B: From<Vec<u8>>>(
    refusal: &Refusal,
    media_type: MediaType,
    request_id: &str,
) -> Response<B> {
    let Refusal { error, allow, challenge, retry_after, accept, reason: _, credential: _ } = refusal;
    let mut response: Response<B> = error.to_response(media_type);
    let headers = response.headers_mut();
    if let Ok(id) = HeaderValue::from_str(request_id) {
        headers.insert(HeaderName::from_static("x-request-id"), id);
    }
    if let Some(allow) = allow {
        headers.insert(ALLOW, HeaderValue::from_static(allow));
    }
    if let Some(challenge) = challenge {
        headers.insert(WWW_AUTHENTICATE, HeaderValue::clone(challenge));
    }
    if let Some(name) = accept {
        headers.insert(
            HeaderName::from_static(name),
            HeaderValue::from_static("application/scim+json, application/json"),
        );
    }
    match (retry_after, error.status) {
        (Some(seconds), _) => drop(headers.insert(RETRY_AFTER, HeaderValue::from(*seconds))),
        (None, StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS) => {
            headers.insert(RETRY_AFTER, HeaderValue::from_static(SOON));
        }
        (None, _) => {}
    }
    protect(headers, false);
    response
}

/// Tells clients not to guess the media type, and not to cache personal data
/// ([RFC 7644 §7.5.3](https://www.rfc-editor.org/rfc/rfc7644#section-7.5.3)).
fn protect(headers: &mut HeaderMap, is_public: bool) {
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if !is_public {
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
}

/// The seconds after which a client may retry. A full queue is usually empty again by then; otherwise the
/// client retries once more.
const SOON: &str = "1";

fn reply_response(reply: Reply, media_type: MediaType) -> Response<ResponseBody> {
    let Reply { status, version, location, body, is_public } = reply;
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
    protect(response.headers_mut(), is_public);
    response
}

/// 429 where a credential has used up its share, 503 where the budget of all is used up.
fn over_budget(exceeded: BytesExceeded) -> ErrorResponse {
    match exceeded {
        BytesExceeded::Share => ErrorResponse::too_many_requests(Detail::of_names(exceeded.to_string())),
        BytesExceeded::Total => ErrorResponse::service_unavailable(Detail::of_names(exceeded.to_string())),
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
