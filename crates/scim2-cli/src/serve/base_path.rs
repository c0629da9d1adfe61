//! The path that requests arrive under.

use http::Uri;
use http::uri::PathAndQuery;

/// The path that requests arrive under and the path of the base URL. They differ if a proxy maps one to the other. The
/// service provider knows only its base URL.
pub(super) struct BasePath {
    arriving: String,
    base: String,
}

impl BasePath {
    pub(super) fn new(arriving: &str, base: &str) -> Self {
        Self { arriving: arriving.to_owned(), base: base.to_owned() }
    }

    /// The URI as the service provider knows it, if it differs. A path that is not below the one that requests arrive
    /// under must lead nowhere. Otherwise the path of the base URL would be a second path to every resource.
    pub(super) fn rewrite(&self, uri: &Uri) -> Option<Uri> {
        if self.arriving == self.base {
            return None;
        }
        let path = uri.path();
        let below = path.strip_prefix(&self.arriving).filter(|rest| rest.is_empty() || rest.starts_with('/'));
        // No endpoint begins with two slashes.
        let outside = || format!("/{path}");
        let rest = below.map_or_else(outside, str::to_owned);
        let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
        let slash = if self.base.is_empty() && rest.is_empty() { "/" } else { "" };
        let path = format!("{}{rest}{slash}{query}", self.base);
        let mut parts = uri.clone().into_parts();
        parts.path_and_query = Some(PathAndQuery::try_from(path).ok()?);
        Uri::from_parts(parts).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn rewritten(arriving: &str, base: &str, uri: &str) -> Option<String> {
        BasePath::new(arriving, base).rewrite(&uri.parse().unwrap()).map(|uri| uri.to_string())
    }

    #[test]
    fn path_that_arrives_becomes_the_path_of_the_base_url() {
        assert_eq!(rewritten("/scim/v2", "/scim/v2", "/scim/v2/Users"), None);
        assert_eq!(rewritten("/scim/v2", "/id", "/scim/v2/Users?a=b").as_deref(), Some("/id/Users?a=b"));
        assert_eq!(rewritten("/scim/v2", "", "/scim/v2").as_deref(), Some("/"));
        assert_eq!(rewritten("/scim/v2", "", "/scim/v2/Users/1").as_deref(), Some("/Users/1"));
        assert_eq!(rewritten("/scim/v2", "/id", "/scim/v20/Users").as_deref(), Some("/id//scim/v20/Users"));
        assert_eq!(rewritten("/scim/v2", "/id", "/id/Users").as_deref(), Some("/id//id/Users"));
        assert_eq!(rewritten("/scim/v2", "", "/Users").as_deref(), Some("//Users"));
        assert_eq!(rewritten("", "/id", "/Users").as_deref(), Some("/id/Users"));
    }
}
