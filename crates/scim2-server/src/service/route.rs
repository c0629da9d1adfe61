use http::Method;
use std::borrow::Cow;

use percent_encoding::percent_decode_str;

/// The endpoint that the path of a request names, below the base URL.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Route<'a> {
    /// The base itself.
    Root,
    /// `/.search`
    RootSearch,
    /// `/Bulk`
    Bulk,
    /// `/Me`
    Me,
    /// `/ServiceProviderConfig`
    ServiceProviderConfig,
    /// `/Schemas`, or one of them.
    Schemas(Option<Cow<'a, str>>),
    /// `/ResourceTypes`, or one of them.
    ResourceTypes(Option<Cow<'a, str>>),
    /// `/Users`
    Endpoint(&'a str),
    /// `/Users/.search`
    Search(&'a str),
    /// `/Users/2819c223`
    Resource(&'a str, Cow<'a, str>),
    /// Another version of the protocol.
    OtherVersion,
    /// Another way to write the path of an endpoint.
    Variant,
    /// No endpoint.
    Nowhere,
}

impl Route<'_> {
    /// Says whether the route is a discovery endpoint.
    pub(super) fn is_discovery(&self) -> bool {
        matches!(self, Self::ServiceProviderConfig | Self::Schemas(_) | Self::ResourceTypes(_))
    }

    /// The route of a path that is not canonical, in a mode that accepts canonical paths only.
    pub(super) fn of_variant(self) -> Self {
        match self {
            Self::OtherVersion | Self::Nowhere => self,
            _ => Self::Variant,
        }
    }

    /// Says whether a request with this method changes nothing here.
    pub(super) fn is_read_by(&self, method: &Method) -> bool {
        matches!(*method, Method::GET | Method::HEAD) || matches!(self, Self::Search(_) | Self::RootSearch)
    }
}

/// Finds the route of a path; `base` has no slash at its end.
///
/// Below the base a path may begin with the version of the protocol. If the base ends in the version, a path
/// may leave it out. A path with another version has no endpoint ([RFC 7644
/// §3.13](https://www.rfc-editor.org/rfc/rfc7644#section-3.13)).
pub(super) fn route<'a>(path: &'a str, base: &str, trailing_slash: bool) -> Route<'a> {
    let Some(rest) = below(path, base).or_else(|| below(path, without_version(base)?)) else {
        return Route::Nowhere;
    };
    let rest = after_version(rest);
    let rest = if trailing_slash || rest == "/" { rest.strip_suffix('/').unwrap_or(rest) } else { rest };
    if rest.is_empty() {
        return Route::Root;
    }
    let Some(below) = rest.get(1..) else { return Route::Nowhere };
    match below.split_once('/') {
        None => match below {
            ".search" => Route::RootSearch,
            "Bulk" => Route::Bulk,
            "Me" => Route::Me,
            "ServiceProviderConfig" => Route::ServiceProviderConfig,
            "Schemas" => Route::Schemas(None),
            "ResourceTypes" => Route::ResourceTypes(None),
            _ if version(below).is_some() => Route::OtherVersion,
            _ => Route::Endpoint(rest),
        },
        Some((endpoint, id)) => {
            // INVARIANT: `rest` is a slash, the endpoint, a slash and the id.
            let endpoint = rest.get(..=endpoint.len()).unwrap_or_default();
            if id.is_empty() || id.contains('/') {
                return if version(below).is_some() { Route::OtherVersion } else { Route::Nowhere };
            }
            let Some(decoded) = decoded(id) else { return Route::Nowhere };
            match endpoint {
                "/Schemas" => Route::Schemas(Some(decoded)),
                "/ResourceTypes" => Route::ResourceTypes(Some(decoded)),
                _ if id == ".search" => Route::Search(endpoint),
                _ if version(below).is_some() => Route::OtherVersion,
                _ => Route::Resource(endpoint, decoded),
            }
        }
    }
}

/// Says whether a path is the canonical path of its endpoint (except for the slash of
/// [`Quirk::TrailingSlash`](scim2_core::Quirk::TrailingSlash)): the base, the endpoint, and perhaps an id, with
/// nothing percent-encoded without need. `unreserved` is the path as [`unreserved`] returns it. If only
/// canonical paths are accepted, a proxy rule for `/scim/v2/Bulk` covers the endpoint completely. [`route`]
/// also accepts other forms, which are equivalent by RFC 7644 §3.13 and RFC 3986 §6.2.2.2.
pub(super) fn is_canonical(path: &str, unreserved: &str, base: &str) -> bool {
    let without_version = || below(path, base).is_some_and(|rest| below(rest, "/v2").is_none());
    without_version() && unreserved == path
}

/// A segment with everything percent-decoded, unless that is not UTF-8.
fn decoded(segment: &str) -> Option<Cow<'_, str>> {
    if segment.contains('%') { percent_decode_str(segment).decode_utf8().ok() } else { Some(segment.into()) }
}

/// A path without needless percent-encoding: `/%55sers` is `/Users` ([RFC 3986
/// §6.2.2.2](https://www.rfc-editor.org/rfc/rfc3986#section-6.2.2.2)).
pub(crate) fn unreserved(path: &str) -> Cow<'_, str> {
    if !path.contains('%') {
        return Cow::Borrowed(path);
    }
    let mut plain = String::with_capacity(path.len());
    let mut rest = path;
    while let Some((before, encoded)) = rest.split_once('%') {
        plain.push_str(before);
        let byte = encoded.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match byte.filter(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(byte)) {
            Some(byte) => {
                plain.push(char::from(byte));
                rest = encoded.get(2..).unwrap_or_default();
            }
            None => {
                plain.push('%');
                rest = encoded;
            }
        }
    }
    plain.push_str(rest);
    Cow::Owned(plain)
}

/// The part of a path below a base, with the slash between them.
fn below<'a>(path: &'a str, base: &str) -> Option<&'a str> {
    path.strip_prefix(base).filter(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// A base without the version of the protocol that it ends in.
fn without_version(base: &str) -> Option<&str> {
    let (stem, last) = base.rsplit_once('/')?;
    version(last).map(|_| stem)
}

/// The rest of the path after the supported version, if it begins with it.
fn after_version(path: &str) -> &str {
    below(path, "/v2").unwrap_or(path)
}

/// The version that a path begins with: `v9`.
fn version(path: &str) -> Option<&str> {
    let segment = path.split('/').next()?;
    let digits = segment.strip_prefix('v')?;
    (!digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())).then_some(segment)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(path: &str, expected: &Route<'_>) {
        assert_eq!(route(path, "/scim/v2", true), *expected, "{path}");
    }

    #[test]
    fn paths_lead_where_they_say() {
        check("/scim/v2", &Route::Root);
        check("/scim/v2/", &Route::Root);
        check("/scim/v2/.search", &Route::RootSearch);
        check("/scim/v2/Users", &Route::Endpoint("/Users"));
        check("/scim/v2/Users/", &Route::Endpoint("/Users"));
        check("/scim/v2/Users/.search", &Route::Search("/Users"));
        check("/scim/v2/Users/a.b%20c", &Route::Resource("/Users", "a b".replace("a b", "a.b c").into()));
        check("/scim/v2/Users/1/2", &Route::Nowhere);
        check("/scim/v2Users", &Route::Endpoint("/v2Users"));
        check("/other", &Route::Nowhere);
        check("/scim/v2/Schemas/urn:a", &Route::Schemas(Some("urn:a".into())));
        check("/scim/v2/Schemas/urn%3Aa", &Route::Schemas(Some("urn:a".into())));
    }

    #[test]
    fn s_3_13_02_another_version_is_told_apart() {
        check("/scim/v9/Users", &Route::OtherVersion);
        check("/scim/v1", &Route::OtherVersion);
        check("/scim/v2/v1", &Route::OtherVersion);
        check("/scim/v2/v1/Users", &Route::OtherVersion);
        assert_eq!(route("/v9/Users", "", true), Route::OtherVersion);
    }

    #[test]
    fn s_3_13_01_the_version_may_stand_below_any_base() {
        for base in ["/foo", "", "/scim/v2"] {
            let path = |rest: &str| format!("{base}{rest}");
            assert_eq!(route(&path("/v2/Users"), base, true), Route::Endpoint("/Users"), "{base}");
            assert_eq!(
                route(&path("/v2/Users/1"), base, true),
                Route::Resource("/Users", "1".into()),
                "{base}"
            );
            assert_eq!(route(&path("/v2"), base, true), Route::Root, "{base}");
            assert_eq!(route(&path("/v3/Users"), base, true), Route::OtherVersion, "{base}");
        }
    }

    #[test]
    fn s_3_13_03_without_a_version_the_path_is_of_ours() {
        check("/scim/Users", &Route::Endpoint("/Users"));
        check("/scim/Users/1", &Route::Resource("/Users", "1".into()));
        check("/scim/Bulk", &Route::Bulk);
        check("/scim", &Route::Root);
        assert_eq!(route("/Users", "/v2", true), Route::Endpoint("/Users"));
        // Only a version may be left out.
        assert_eq!(route("/Users", "/scim", true), Route::Nowhere);
        assert_eq!(route("/scim/Users", "/scim/app", true), Route::Nowhere);
        check("/scimUsers", &Route::Nowhere);
    }

    #[test]
    fn rfc3986_6_2_2_2_what_need_not_be_encoded_is_the_same() {
        for (path, plain) in [
            ("/%55sers", "/Users"),
            ("/%55%73ers/%2Esearch", "/Users/.search"),
            ("/Users/a%2fb%20%7e", "/Users/a%2fb%20~"),
            ("/Users/%2555", "/Users/%2555"),
            ("/%", "/%"),
            ("/%5", "/%5"),
            ("/%+5é", "/%+5é"),
        ] {
            assert_eq!(unreserved(path), plain);
        }
    }

    #[test]
    fn canonical_path_is_the_base_and_the_endpoint() {
        for (path, base, canonical) in [
            ("/scim/v2/Bulk", "/scim/v2", true),
            ("/scim/v2/Users/a%20b", "/scim/v2", true),
            ("/scim/v2", "/scim/v2", true),
            ("/Users", "", true),
            ("/v2Users", "", true),
            ("/scim/Bulk", "/scim/v2", false),
            ("/scim/v2/v2/Bulk", "/scim/v2", false),
            ("/scim/v2/v2", "/scim/v2", false),
            ("/v2/Bulk", "", false),
            ("/scim/v2/%42ulk", "/scim/v2", false),
            ("/scim/v2/Users/%61", "/scim/v2", false),
            ("/%73cim/v2/Bulk", "/scim/v2", false),
            ("/SCIM/v2/Bulk", "/scim/v2", false),
        ] {
            assert_eq!(is_canonical(path, &unreserved(path), base), canonical, "{path}");
        }
    }

    #[test]
    fn a_trailing_slash_is_a_quirk() {
        assert_eq!(route("/scim/v2/Users/", "/scim/v2", false), Route::Nowhere);
        assert_eq!(route("/scim/v2/", "/scim/v2", false), Route::Root);
    }
}
