//! The options of a service provider.

use std::sync::Arc;

use scim2_core::Compat;
use scim2_core::compiled::StringLimits;
use scim2_core::discovery::{AuthenticationScheme, PaginationMethod};
use scim2_core::work::WorkBudget;

/// The settings of a service provider. The defaults suit production.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Options {
    /// The deviations of clients that are tolerated.
    pub compat: Compat,
    /// The bounds of what a request may ask.
    pub limits: Limits,
    /// The URI below which the endpoints stand.
    pub base_url: BaseUrl,
    /// The answer to a successful PATCH.
    pub patch_response: PatchResponse,
    /// What happens to a member that does not exist.
    pub unknown_member: UnknownMember,
    /// The optional features that are offered.
    pub features: Features,
    /// How pages are divided if a request names neither `cursor` nor `startIndex` ([RFC 9865
    /// §2.4](https://www.rfc-editor.org/rfc/rfc9865#section-2.4)); by index, because every client supports it.
    pub default_pagination: PaginationMethod,
    /// Whether discovery may be read without a credential
    /// ([RFC 7644 §4](https://www.rfc-editor.org/rfc/rfc7644#section-4)).
    pub anonymous_discovery: bool,
    /// The paths of attributes that a filter in a URI must not name: 403 `sensitive`, while a
    /// filter in the body of `/.search` may
    /// ([RFC 7644 §7.5.2](https://www.rfc-editor.org/rfc/rfc7644#section-7.5.2)). A complex
    /// attribute stands for its sub-attributes too. None by default.
    pub sensitive_attributes: Vec<String>,
    /// The documentation of this service provider, for people.
    pub documentation_uri: Option<String>,
    /// How clients authenticate, for `/ServiceProviderConfig`; a bearer token by default.
    pub authentication_schemes: Vec<AuthenticationScheme>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            compat: Compat::default(),
            limits: Limits::default(),
            base_url: BaseUrl::default(),
            patch_response: PatchResponse::default(),
            unknown_member: UnknownMember::default(),
            features: Features::default(),
            default_pagination: PaginationMethod::Index,
            anonymous_discovery: false,
            sensitive_attributes: Vec::new(),
            documentation_uri: None,
            authentication_schemes: vec![AuthenticationScheme::bearer_token()],
        }
    }
}

/// Bounds of what one request may ask. Sizes are in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// The largest body, except of bulk requests, and the largest resource without its members that a PATCH may
    /// make: 8 MiB. Above it: 413.
    pub max_body: usize,
    /// How many bytes the strings that clients send may have. Above it: 400 invalidValue.
    pub strings: StringLimits,
    /// How deep arrays and objects may nest: 32.
    pub json_depth: usize,
    /// The longest filter in a URI, and the longest path of a PATCH operation: 16 KiB.
    pub filter_length: usize,
    /// The longest filter in the body of a request to `/.search`: 256 KiB, and at least
    /// [`filter_length`](Self::filter_length).
    pub search_filter_length: usize,
    /// How deep a filter may nest: 64.
    pub filter_depth: usize,
    /// How many comparisons a filter may have: 1024.
    pub filter_terms: usize,
    /// How many operations a PATCH may have: 1000.
    pub patch_operations: usize,
    /// How many operations a bulk request may have: 1000.
    pub bulk_operations: usize,
    /// The largest bulk request: 8 MiB.
    pub bulk_payload: usize,
    /// How many bulk requests of one credential run at once, and how many of its writes with large bodies or
    /// large resources: 4 of each. Others wait; if 64 wait already, the next one is answered 429.
    pub bulk_concurrent: usize,
    /// The largest page; a larger `count` is cut down to it: 200.
    pub max_results: u64,
    /// The page without `count`: 100.
    pub default_page_size: u64,
    /// How many bytes the stored resources of a page may have, with members and groups: 64 MiB. A page ends
    /// before the resource that would exceed it, unless that is its first, and its `itemsPerPage` is then below
    /// `count`.
    pub page_bytes: u64,
    /// How many resources one query may read or match, if that is limited. Above it: 400 tooMany.
    pub scan_limit: Option<u64>,
    /// How long the store may work on one query, in seconds: 30. Above it: 400 tooMany.
    pub query_timeout: u32,
    /// How long a cursor is valid after its page, in seconds: 3600.
    pub cursor_timeout: u32,
    /// How long the operations of a bulk request may take, in seconds: 60. An operation that has not begun by
    /// then is answered 503.
    pub bulk_timeout: u32,
    /// How much work one request may cause, in bytes that are looked at: 1 GiB, about a second of one
    /// processor. See [`scim2_core::work`] for what costs how much. Above it: 400 tooMany; the following
    /// operations of a bulk request are answered 503 and can be sent again.
    pub max_work: u64,
    /// How many bytes of request bodies and of answers may be held at a time: 512 MiB. Beyond it: 503. See
    /// [`in_flight`](crate::in_flight).
    pub bytes_in_flight: u64,
    /// How many of them one credential may hold: 128 MiB. Beyond it: 429.
    pub bytes_in_flight_per_credential: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_body: 8 << 20,
            strings: StringLimits::default(),
            json_depth: scim2_core::json::JsonReader::DEFAULT_MAX_DEPTH,
            filter_length: 16 << 10,
            search_filter_length: 256 << 10,
            filter_depth: 64,
            filter_terms: 1024,
            patch_operations: 1000,
            bulk_operations: 1000,
            bulk_payload: 8 << 20,
            bulk_concurrent: 4,
            max_results: 200,
            default_page_size: 100,
            page_bytes: 64 << 20,
            scan_limit: None,
            query_timeout: 30,
            cursor_timeout: 3600,
            bulk_timeout: 60,
            max_work: WorkBudget::DEFAULT_LIMIT,
            bytes_in_flight: 512 << 20,
            bytes_in_flight_per_credential: 128 << 20,
        }
    }
}

/// The URI below which the endpoints stand, without a slash at its end.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum BaseUrl {
    /// A fixed URI, whatever the request says: `https://example.com/scim/v2`.
    Fixed(Arc<str>),
    /// The host of the request and this path, or `X-Forwarded-Host` and `X-Forwarded-Proto` if proxies are
    /// trusted. A client that can choose these values chooses the host in `$ref` and `Location`. A request that
    /// names no host, or something that is not a host, is answered 400.
    FromRequest {
        /// The path, without a slash at its end: `/scim/v2`.
        path: Arc<str>,
        /// The number of proxies in front that each append to the `X-Forwarded-…` fields, or set them. Values are
        /// counted from the right: the leftmost ones come from the client. With 0 the fields are ignored.
        trusted_proxies: usize,
    },
}

impl BaseUrl {
    /// A fixed URI; slashes at its end are cut off.
    #[must_use]
    pub fn fixed(uri: &str) -> Self {
        Self::Fixed(uri.trim_end_matches('/').into())
    }

    /// The path of the URI, without a slash at its end: empty, or `/scim/v2`.
    #[must_use]
    pub fn path(&self) -> &str {
        match self {
            Self::Fixed(uri) => {
                let without_scheme = || uri.split_once("://").map_or(&**uri, |(_, rest)| rest);
                let https = || uri.strip_prefix("https://");
                let host = uri.strip_prefix("http://").or_else(https).unwrap_or_else(without_scheme);
                // This runs for every request. For a short text, building a searcher would cost more.
                let path = host.bytes().position(|byte| byte == b'/');
                path.and_then(|path| host.get(path..)).unwrap_or_default()
            }
            Self::FromRequest { path, .. } => path.trim_end_matches('/'),
        }
    }
}

impl Default for BaseUrl {
    /// `http://localhost:8080/scim/v2`.
    fn default() -> Self {
        Self::fixed("http://localhost:8080/scim/v2")
    }
}

/// The answer to a successful PATCH. Whatever the setting, a request with `attributes` gets a body ([RFC 7644
/// §3.5.2](https://www.rfc-editor.org/rfc/rfc7644#section-3.5.2)).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum PatchResponse {
    /// The resource. For resource types with members nothing, unless the request has `attributes` or
    /// `excludedAttributes`, because a group can be large.
    #[default]
    Auto,
    /// Always the resource.
    Body,
    /// Nothing, 204.
    NoContent,
}

/// What happens to a member that does not exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum UnknownMember {
    /// The request is refused: 400 invalidValue, naming the id.
    #[default]
    Refuse,
    /// The member is left out and logged.
    Drop,
}

/// Optional features; one that is switched off is answered 501.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Features {
    /// PATCH.
    pub patch: bool,
    /// `/Bulk`.
    pub bulk: bool,
    /// Filters.
    pub filter: bool,
    /// Sorting; switched off, `sortBy` is ignored.
    pub sort: bool,
}

impl Default for Features {
    fn default() -> Self {
        Self { patch: true, bulk: true, filter: true, sort: true }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_of_a_base_url_has_no_slash_at_its_end() {
        for (uri, path) in [
            ("https://example.com/scim/v2/", "/scim/v2"),
            ("https://example.com", ""),
            ("https://example.com:8443/", ""),
            ("/scim", "/scim"),
        ] {
            assert_eq!(BaseUrl::fixed(uri).path(), path, "{uri}");
        }
        assert_eq!(BaseUrl::FromRequest { path: "/scim/v2/".into(), trusted_proxies: 0 }.path(), "/scim/v2");
    }
}
