use std::fmt;

use http::HeaderValue;

/// The token that a client presents
/// ([RFC 6750 §2.1](https://www.rfc-editor.org/rfc/rfc6750#section-2.1)).
///
/// It is never shown by `Debug` or in an error. Its header is marked as
/// sensitive, so that transports keep it out of their logs.
///
/// ```
/// use scim2_client::BearerToken;
///
/// assert_eq!(format!("{:?}", BearerToken::new("s3cret")?), "BearerToken(redacted)");
/// assert!(BearerToken::new("two words").is_err());
/// # Ok::<(), scim2_client::BearerTokenError>(())
/// ```
#[derive(Clone)]
pub struct BearerToken(HeaderValue);

impl BearerToken {
    /// Checks a token: at least one visible ASCII character, and no others.
    ///
    /// # Errors
    /// If it is anything else.
    pub fn new(token: impl AsRef<str>) -> Result<Self, BearerTokenError> {
        let token = token.as_ref();
        if token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(BearerTokenError(()));
        }
        let mut header =
            HeaderValue::from_str(&format!("Bearer {token}")).map_err(|_| BearerTokenError(()))?;
        header.set_sensitive(true);
        Ok(Self(header))
    }

    pub(crate) const fn authorization(&self) -> &HeaderValue {
        &self.0
    }

    /// Removes the token from a text of the service provider, which may repeat it.
    pub(crate) fn redact(&self, text: &str) -> String {
        let token =
            self.0.to_str().ok().and_then(|header| header.strip_prefix("Bearer ")).unwrap_or_default();
        text.replace(token, "[redacted]")
    }
}

impl fmt::Debug for BearerToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BearerToken(redacted)")
    }
}

/// The error of a text that is not a bearer token. The line does not repeat the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BearerTokenError(());

impl fmt::Display for BearerTokenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("expected a token of visible ASCII characters")
    }
}

impl std::error::Error for BearerTokenError {}
