//! `/healthz` and `/readyz`: whether the process runs, and whether its store answers. Neither needs a token, and
//! neither says anything about the data.

use std::sync::Arc;

use bytes::Bytes;
use chrono::Utc;
use http::header::{self, HeaderValue};
use http::{Method, Response, StatusCode};
use http_body_util::Full;
use scim2_protocol::ErrorResponse;
use scim2_server::store::Include;
use scim2_server::{Context, ResourceStore, ServiceProvider, TenantId};

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

/// 405 for a method other than GET and HEAD.
pub(super) fn refuse(method: &Method) -> Option<ErrorResponse> {
    let allowed = matches!(*method, Method::GET | Method::HEAD);
    (!allowed).then(|| ErrorResponse::method_not_allowed("expected GET or HEAD"))
}

/// The methods that [`refuse`] does not refuse.
pub(super) const ALLOW: HeaderValue = HeaderValue::from_static("GET, HEAD");

/// The answer to a probe.
pub(super) fn answer(is_well: bool) -> Response<Full<Bytes>> {
    let (status, text) =
        if is_well { (StatusCode::OK, "ok\n") } else { (StatusCode::SERVICE_UNAVAILABLE, "not ready\n") };
    let mut response = Response::new(Full::new(Bytes::from_static(text.as_bytes())));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

/// The context of a query that no request asks for.
pub(super) fn probe_context<S: ResourceStore>(provider: &ServiceProvider<S>) -> Context {
    Context::new(Arc::clone(provider.registry()), TenantId::default(), "readyz", Utc::now())
}

/// Whether the store answers a query that it can always answer.
pub(super) async fn is_ready<S: ResourceStore>(provider: &ServiceProvider<S>) -> bool {
    let Some(resource_type) = provider.registry().resource_types().next() else { return true };
    let cx = probe_context(provider);
    match provider.store().retrieve(&cx, resource_type, "readyz", Include::default()).await {
        Ok(_) => true,
        Err(error) => {
            tracing::warn!(%error, "not ready");
            false
        }
    }
}
