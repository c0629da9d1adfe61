//! Headers of SCIM responses whose values are not constant.

use std::fmt::Write as _;

use http::HeaderValue;
use scim2_core::Version;

/// The value of `ETag`, the same as `meta.version`
/// ([RFC 7644 §3.14](https://www.rfc-editor.org/rfc/rfc7644#section-3.14)).
///
/// ```
/// use scim2_core::Version;
///
/// assert_eq!(scim2_protocol::headers::etag(&Version::from(7)), r#"W/"7""#);
/// ```
#[must_use]
pub fn etag(version: &Version) -> HeaderValue {
    // INVARIANT: a version is printable ASCII, which a header value may hold.
    HeaderValue::from_str(&version.to_etag()).unwrap_or_else(|_| HeaderValue::from_static("W/\"\""))
}

/// The value of `Location`, the same as `meta.location`
/// ([RFC 7644 §3.1](https://www.rfc-editor.org/rfc/rfc7644#section-3.1)); `None` if the text
/// cannot be a header value.
#[must_use]
pub fn location(uri: &str) -> Option<HeaderValue> {
    uri.is_ascii().then(|| HeaderValue::from_str(uri).ok()).flatten()
}

/// The credentials that a client must present: the value of `WWW-Authenticate` in a 401
/// ([RFC 7644 §2](https://www.rfc-editor.org/rfc/rfc7644#section-2),
/// [RFC 6750 §3](https://www.rfc-editor.org/rfc/rfc6750#section-3)).
///
/// ```
/// use scim2_protocol::headers::Challenge;
///
/// assert_eq!(Challenge::bearer("scim").to_header_value(), r#"Bearer realm="scim""#);
/// assert_eq!(
///     Challenge::bearer("scim").invalid_token("the token has expired").to_header_value(),
///     r#"Bearer realm="scim", error="invalid_token", error_description="the token has expired""#,
/// );
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Challenge(String);

impl Challenge {
    /// A bearer token for `realm`.
    #[must_use]
    pub fn bearer(realm: &str) -> Self {
        Self::scheme("Bearer", realm)
    }

    /// A name and password for `realm`, in UTF-8.
    #[must_use]
    pub fn basic(realm: &str) -> Self {
        Self::scheme("Basic", realm).with("charset", "UTF-8")
    }

    /// Says that a token was presented and refused.
    #[must_use]
    pub fn invalid_token(self, description: &str) -> Self {
        self.with("error", "invalid_token").with("error_description", description)
    }

    /// Says which scope is missing, for a 403.
    #[must_use]
    pub fn insufficient_scope(self, scope: &str) -> Self {
        self.with("error", "insufficient_scope").with("scope", scope)
    }

    /// The value of the header. A response may have several headers, one for each scheme.
    #[must_use]
    pub fn to_header_value(&self) -> HeaderValue {
        // INVARIANT: `with` keeps only printable ASCII.
        HeaderValue::from_str(&self.0).unwrap_or_else(|_| HeaderValue::from_static("Bearer"))
    }

    fn scheme(name: &str, realm: &str) -> Self {
        Self(name.to_owned()).with("realm", realm)
    }

    fn with(mut self, name: &str, value: &str) -> Self {
        let separator = if self.0.contains(' ') { ", " } else { " " };
        let plain: String = value
            .chars()
            .map(|c| match c {
                '"' | '\\' => '\'',
                ' '..='~' => c,
                _ => '?',
            })
            .collect();
        // INVARIANT: writing to a `String` never fails.
        let _ = write!(self.0, "{separator}{name}=\"{plain}\"");
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn header_values_have_no_line_breaks() {
        assert_eq!(location("https://example.com/Users/1\r\nX: y"), None);
        assert_eq!(location("https://example.com/Users/ä"), None);
        assert_eq!(
            Challenge::bearer("a\"b\r\nX: ü").insufficient_scope("w").to_header_value(),
            r#"Bearer realm="a'b??X: ?", error="insufficient_scope", scope="w""#,
        );
        assert_eq!(Challenge::basic("x").to_header_value(), r#"Basic realm="x", charset="UTF-8""#);
    }
}
