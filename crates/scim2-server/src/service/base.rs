use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use chrono::{DateTime, Utc};
use http::request::Parts;
use scim2_core::ScimType;
use scim2_protocol::{Detail, ErrorResponse};

use crate::forwarded::{is_host_port, outermost};
use crate::options::BaseUrl;

/// Makes the ids of requests in logs: the start of the service and a number.
#[derive(Debug)]
pub(super) struct RequestIds {
    start: i64,
    last: AtomicU64,
}

impl RequestIds {
    pub(super) fn new(start: DateTime<Utc>) -> Self {
        Self { start: start.timestamp(), last: AtomicU64::new(0) }
    }

    pub(super) fn next(&self) -> Arc<str> {
        let number = self.last.fetch_add(1, Ordering::Relaxed) + 1;
        format!("{:x}-{number:x}", self.start).into()
    }
}

/// The URI that locations in the answer to a request begin with.
///
/// # Errors
/// 400 if it is to come from the request and the request names no host, or something that is not a host (for example
/// one with user information, S-7.1-01). Locations at an invented host would be stored by clients.
pub(super) fn base_url(base: &BaseUrl, head: &Parts) -> Result<Arc<str>, ErrorResponse> {
    let (path, proxies) = match base {
        BaseUrl::Fixed(uri) => return Ok(Arc::clone(uri)),
        BaseUrl::FromRequest { path, trusted_proxies } => (path, *trusted_proxies),
    };
    let scheme = outermost(&head.headers, "x-forwarded-proto", proxies);
    let scheme = ["https", "http"]
        .into_iter()
        .find(|known| scheme.is_some_and(|scheme| scheme.eq_ignore_ascii_case(known)))
        .or(head.uri.scheme_str())
        .unwrap_or("http");
    // A target in absolute form overrides `Host`: https://www.rfc-editor.org/rfc/rfc9112#section-3.2.2
    let host = outermost(&head.headers, "x-forwarded-host", proxies)
        .map(|host| ("X-Forwarded-Host", host))
        .or_else(|| head.uri.authority().map(|authority| ("the request target", authority.as_str())))
        .or_else(|| Some(("Host", head.headers.get("host")?.to_str().unwrap_or("not ASCII"))));
    let refuse =
        |detail: String| Err(ErrorResponse::of_scim_type(ScimType::InvalidSyntax, Detail::of_names(detail)));
    match host {
        Some((_, host)) if is_host_port(host) => {
            Ok(format!("{scheme}://{host}{}", path.trim_end_matches('/')).into())
        }
        Some((place, _)) => refuse(format!("expected a host, or a host and a port, in {place}")),
        None => refuse("expected `Host` in the request: locations are built from it".to_owned()),
    }
}
