use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use chrono::{DateTime, Utc};
use http::request::Parts;

use crate::options::BaseUrl;

/// Tells requests apart in logs: the start of the service and a number.
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
pub(super) fn base_url(base: &BaseUrl, head: &Parts) -> Arc<str> {
    match base {
        BaseUrl::Fixed(uri) => Arc::clone(uri),
        BaseUrl::FromRequest { path } => {
            let header = |name: &str| {
                let value = head.headers.get(name)?.to_str().ok()?;
                // Of several proxies the first one saw the client.
                let first = value.split(',').next().unwrap_or_default().trim();
                (!first.is_empty()).then_some(first)
            };
            let scheme = header("x-forwarded-proto").filter(|scheme| matches!(*scheme, "http" | "https"));
            let scheme = scheme.or(head.uri.scheme_str()).unwrap_or("http");
            let host = header("x-forwarded-host").or_else(|| header("host"));
            let host = host.or(head.uri.authority().map(http::uri::Authority::as_str));
            // What is no authority, or has user information (S-7.1-01), never gets into a URI of ours.
            let host =
                host.filter(|host| !host.contains('@') && host.parse::<http::uri::Authority>().is_ok());
            format!("{scheme}://{}{}", host.unwrap_or("localhost"), path.trim_end_matches('/')).into()
        }
    }
}
