//! `/healthz` and `/readyz`: is the process there, and can it answer. Neither asks for a token nor
//! says anything about the data.

use bytes::Bytes;
use http::header::{self, HeaderValue};
use http::{Method, Response, StatusCode};
use http_body_util::Full;
use scim2_protocol::ErrorResponse;

/// Which of the two a path asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Probe {
    /// The process runs.
    Health,
    /// The store answers.
    Ready,
}

impl Probe {
    pub(super) fn of(path: &str) -> Option<Self> {
        match path {
            "/healthz" => Some(Self::Health),
            "/readyz" => Some(Self::Ready),
            _ => None,
        }
    }
}

/// 405 for a method that asks for more than whether all is well.
pub(super) fn refuse(method: &Method) -> Option<ErrorResponse> {
    let allowed = matches!(*method, Method::GET | Method::HEAD);
    (!allowed).then(|| ErrorResponse::method_not_allowed("expected GET or HEAD"))
}

/// The methods that [`refuse`] does not refuse.
pub(super) const ALLOW: HeaderValue = HeaderValue::from_static("GET, HEAD");

/// The answer to a probe.
pub(super) fn answer(well: bool) -> Response<Full<Bytes>> {
    let (status, text) =
        if well { (StatusCode::OK, "ok\n") } else { (StatusCode::SERVICE_UNAVAILABLE, "not ready\n") };
    let mut response = Response::new(Full::new(Bytes::from_static(text.as_bytes())));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}
