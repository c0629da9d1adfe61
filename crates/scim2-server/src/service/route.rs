use std::borrow::Cow;

use percent_encoding::percent_decode_str;

/// What the path of a request leads to, below the base URL.
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
    /// Nothing.
    Nowhere,
}

impl Route<'_> {
    /// Says whether the route leads to what the service provider says of itself.
    pub(super) fn is_discovery(&self) -> bool {
        matches!(self, Self::ServiceProviderConfig | Self::Schemas(_) | Self::ResourceTypes(_))
    }
}

/// Finds the route of a path; `base` has no slash at its end.
pub(super) fn route<'a>(path: &'a str, base: &str, trailing_slash: bool) -> Route<'a> {
    let Some(rest) = path.strip_prefix(base).filter(|rest| rest.is_empty() || rest.starts_with('/')) else {
        return if other_version(path, base) { Route::OtherVersion } else { Route::Nowhere };
    };
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
            _ => Route::Endpoint(rest),
        },
        Some((endpoint, id)) => {
            // INVARIANT: `rest` is a slash, the endpoint, a slash and the id.
            let endpoint = rest.get(..=endpoint.len()).unwrap_or_default();
            if id.is_empty() || id.contains('/') {
                return if version(below).is_some() { Route::OtherVersion } else { Route::Nowhere };
            }
            let Ok(decoded) = percent_decode_str(id).decode_utf8() else { return Route::Nowhere };
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

/// Says whether a path is one of ours but for the version of the protocol
/// ([RFC 7644 §3.13](https://www.rfc-editor.org/rfc/rfc7644#section-3.13)).
fn other_version(path: &str, base: &str) -> bool {
    let Some((stem, last)) = base.rsplit_once('/') else { return false };
    version(last).is_some()
        && path
            .strip_prefix(stem)
            .and_then(|rest| rest.strip_prefix('/'))
            .is_some_and(|rest| version(rest).is_some())
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
        check("/scim/v2Users", &Route::Nowhere);
        check("/other", &Route::Nowhere);
        check("/scim/v2/Schemas/urn:a", &Route::Schemas(Some("urn:a".into())));
        check("/scim/v2/Schemas/urn%3Aa", &Route::Schemas(Some("urn:a".into())));
    }

    #[test]
    fn s_3_13_02_another_version_is_told_apart() {
        check("/scim/v9/Users", &Route::OtherVersion);
        check("/scim/v2/v1/Users", &Route::OtherVersion);
        assert_eq!(route("/v9/Users", "", true), Route::OtherVersion);
    }

    #[test]
    fn a_trailing_slash_is_a_quirk() {
        assert_eq!(route("/scim/v2/Users/", "/scim/v2", false), Route::Nowhere);
        assert_eq!(route("/scim/v2/", "/scim/v2", false), Route::Root);
    }
}
