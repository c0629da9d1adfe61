//! Reads the credential of a request, and says why it is refused.

use std::fmt;
use std::sync::Arc;

use http::HeaderMap;
use http::header::AUTHORIZATION;

/// Why a request has no principal. No reason tells the client anything new about a token: an unknown, expired
/// or revoked token gets the same answer. The log has the exact reason.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum AuthError {
    /// There is no credential.
    Missing,
    /// The credential is malformed. The answer says how to write it.
    Malformed(MalformedCredential),
    /// The credential is unknown. An authenticator that does not distinguish reasons uses it for all of them.
    Invalid,
    /// The credential, of this name in the log, has expired.
    Expired(Arc<str>),
    /// The credential, of this name in the log, was revoked.
    Revoked(Arc<str>),
    /// Too many credentials from the client's address were refused: 429, to come again after these seconds.
    TooManyFailures(u32),
    /// The credential cannot be checked now.
    Unavailable,
}

/// How an `Authorization` header differs from `Bearer TOKEN` ([RFC 6750
/// §2.1](https://www.rfc-editor.org/rfc/rfc6750#section-2.1)).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum MalformedCredential {
    /// The scheme is Basic.
    Basic,
    /// The scheme is another one.
    OtherScheme,
    /// There is a token without a scheme.
    NoScheme,
    /// The scheme is there twice: `Bearer Bearer x`.
    SchemeTwice,
    /// There are quotes or a colon around the scheme or the token.
    Punctuation,
    /// There is a tab or a space in the token, or a tab before it.
    Whitespace,
    /// No token follows the scheme.
    NoToken,
    /// The header has characters other than visible ASCII.
    NotAscii,
    /// There are several `Authorization` headers.
    SeveralHeaders,
}

/// The bearer token of a request, for an [`Authenticator`](crate::Authenticator). `without_scheme` also accepts
/// a token without the word `Bearer`.
///
/// ```
/// use http::{HeaderMap, HeaderValue, header::AUTHORIZATION};
/// use scim2_server::{AuthError, MalformedCredential, bearer_token};
///
/// let mut headers = HeaderMap::new();
/// assert_eq!(bearer_token(&headers, false), Err(AuthError::Missing));
/// headers.insert(AUTHORIZATION, HeaderValue::from_static("bearer c2NpbTI"));
/// assert_eq!(bearer_token(&headers, false), Ok("c2NpbTI"));
/// headers.insert(AUTHORIZATION, HeaderValue::from_static("Basic YTpi"));
/// assert_eq!(bearer_token(&headers, false), Err(AuthError::Malformed(MalformedCredential::Basic)));
/// ```
///
/// # Errors
/// [`AuthError::Missing`] and [`AuthError::Malformed`].
pub fn bearer_token(headers: &HeaderMap, without_scheme: bool) -> Result<&str, AuthError> {
    let mut fields = headers.get_all(AUTHORIZATION).iter();
    let field = fields.next().ok_or(AuthError::Missing)?;
    if fields.next().is_some() {
        return Err(MalformedCredential::SeveralHeaders.into());
    }
    let field = field.to_str().map_err(|_| MalformedCredential::NotAscii)?.trim();
    Ok(token(field, without_scheme)?)
}

fn token(field: &str, without_scheme: bool) -> Result<&str, MalformedCredential> {
    let is_bearer = |text: &str| text.eq_ignore_ascii_case("bearer");
    // Almost every request is authenticated, so the right form is recognized before all wrong ones.
    if let Some((scheme, token)) = field.split_at_checked(6)
        && let Some(token) = token.strip_prefix(' ')
        && is_bearer(scheme)
        && is_b64token(token)
        && !is_bearer(token)
    {
        return Ok(token);
    }
    let is_sign = |c: char| matches!(c, '"' | '\'' | '`' | ':' | '<' | '>');
    let Some((scheme, rest)) = field.split_once([' ', '\t']) else {
        return match field {
            "" => Err(MalformedCredential::NoToken),
            _ if is_bearer(field.trim_matches(is_sign)) => Err(MalformedCredential::NoToken),
            token if without_scheme => Ok(token),
            _ => Err(MalformedCredential::NoScheme),
        };
    };
    if !is_bearer(scheme) {
        return Err(match scheme {
            _ if is_bearer(scheme.trim_matches(is_sign)) => MalformedCredential::Punctuation,
            _ if scheme.eq_ignore_ascii_case("basic") => MalformedCredential::Basic,
            _ => MalformedCredential::OtherScheme,
        });
    }
    let token = rest.trim_matches(' ');
    let first = token.split([' ', '\t']).next().unwrap_or_default();
    if is_bearer(first.trim_matches(is_sign)) {
        Err(MalformedCredential::SchemeTwice)
    } else if field.contains('\t') || token.contains(' ') {
        Err(MalformedCredential::Whitespace)
    } else if token.starts_with(is_sign) || token.ends_with(is_sign) {
        Err(MalformedCredential::Punctuation)
    } else {
        Ok(token)
    }
}

/// Whether a text is a `b64token`, the form of a bearer token
/// ([RFC 6750 §2.1](https://www.rfc-editor.org/rfc/rfc6750#section-2.1)), with `=` at any place.
fn is_b64token(text: &str) -> bool {
    // This loop never ends early, so the compiler checks many bytes at a time.
    let is_allowed = |byte| matches!(byte, b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'+' | b'/' | b'=');
    !text.is_empty() && text.bytes().fold(true, |all, byte| all & is_allowed(byte))
}

impl AuthError {
    /// The reason as a code, for logs and counters.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Missing => "no-header",
            Self::Malformed(malformed) => malformed.code(),
            Self::Invalid => "unknown",
            Self::Expired(_) => "expired",
            Self::Revoked(_) => "revoked",
            Self::TooManyFailures(_) => "too-many-failures",
            Self::Unavailable => "unavailable",
        }
    }

    /// The name of the credential in the log, where it is known.
    #[must_use]
    pub fn credential(&self) -> Option<&Arc<str>> {
        match self {
            Self::Expired(name) | Self::Revoked(name) => Some(name),
            _ => None,
        }
    }

    /// The line for the client. It is the same for all well-formed credentials that are not valid.
    #[must_use]
    pub const fn detail(&self) -> &'static str {
        match self {
            Self::Missing => "expected `Authorization: Bearer TOKEN`, found no `Authorization` header",
            Self::Malformed(malformed) => malformed.detail(),
            Self::Invalid | Self::Expired(_) | Self::Revoked(_) => {
                "the bearer token is not valid: it is unknown, expired or revoked"
            }
            Self::TooManyFailures(_) => {
                "too many credentials from this address were refused; come again later"
            }
            Self::Unavailable => "the credential cannot be checked now",
        }
    }

    /// Whether the client presented a bearer token, so that the challenge says `invalid_token`
    /// ([RFC 6750 §3.1](https://www.rfc-editor.org/rfc/rfc6750#section-3.1)).
    #[must_use]
    pub const fn is_invalid_token(&self) -> bool {
        match self {
            Self::Invalid | Self::Expired(_) | Self::Revoked(_) => true,
            Self::Malformed(malformed) => !matches!(
                malformed,
                MalformedCredential::Basic | MalformedCredential::OtherScheme | MalformedCredential::NoScheme
            ),
            Self::Missing | Self::TooManyFailures(_) | Self::Unavailable => false,
        }
    }
}

impl MalformedCredential {
    const fn code(self) -> &'static str {
        match self {
            Self::Basic => "basic",
            Self::OtherScheme => "other-scheme",
            Self::NoScheme => "no-scheme",
            Self::SchemeTwice => "scheme-twice",
            Self::Punctuation => "quotes",
            Self::Whitespace => "whitespace",
            Self::NoToken => "no-token",
            Self::NotAscii => "not-ascii",
            Self::SeveralHeaders => "several-headers",
        }
    }

    const fn detail(self) -> &'static str {
        match self {
            Self::Basic => "expected `Authorization: Bearer TOKEN`, found the scheme Basic",
            Self::OtherScheme => "expected `Authorization: Bearer TOKEN`, found another scheme than Bearer",
            Self::NoScheme => {
                "expected `Authorization: Bearer TOKEN`, found no word `Bearer` before the token"
            }
            Self::SchemeTwice => "expected `Authorization: Bearer TOKEN`, found the word `Bearer` twice",
            Self::Punctuation => {
                "expected `Authorization: Bearer TOKEN`, found quotes or other signs around the scheme or the token"
            }
            Self::Whitespace => {
                "expected `Authorization: Bearer TOKEN` with one space, found a tab, or a space within the token"
            }
            Self::NoToken => "expected `Authorization: Bearer TOKEN`, found no token",
            Self::NotAscii => "expected visible ASCII in the `Authorization` header",
            Self::SeveralHeaders => "expected one `Authorization` header, found several",
        }
    }
}

impl From<MalformedCredential> for AuthError {
    fn from(malformed: MalformedCredential) -> Self {
        Self::Malformed(malformed)
    }
}

impl fmt::Display for AuthError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.detail())
    }
}

impl std::error::Error for AuthError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn header_is_read_or_the_reason_is_named() {
        use MalformedCredential::{
            Basic, NoScheme, NoToken, OtherScheme, Punctuation, SchemeTwice, Whitespace,
        };
        for (field, expected) in [
            ("Bearer a", Ok("a")),
            ("bEARER  a ", Ok("a")),
            ("Bearer a=", Ok("a=")),
            ("Bearer a~b-c._+/9", Ok("a~b-c._+/9")),
            ("Bearer a,b", Ok("a,b")),
            ("Bearer Bearer a", Err(SchemeTwice)),
            ("Bearer bearer", Err(SchemeTwice)),
            ("Bearer \"a\"", Err(Punctuation)),
            ("\"Bearer a\"", Err(Punctuation)),
            ("Bearer: a", Err(Punctuation)),
            ("Bearer\ta", Err(Whitespace)),
            ("Bearer a b", Err(Whitespace)),
            ("Bearer", Err(NoToken)),
            ("", Err(NoToken)),
            ("Basic YTpi", Err(Basic)),
            ("basic YTpi", Err(Basic)),
            ("Digest a=b", Err(OtherScheme)),
            ("a", Err(NoScheme)),
        ] {
            assert_eq!(token(field, false), expected, "{field:?}");
        }
        assert_eq!(token("a", true), Ok("a"));
        assert_eq!(token("Bearer", true), Err(NoToken));
    }
}
