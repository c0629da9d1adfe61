//! Who makes a request: bearer tokens ([RFC 6750](https://www.rfc-editor.org/rfc/rfc6750)), known by
//! their SHA-256.
//!
//! The store remembers the tokens in use for a second, so a request costs no look-up and a revoked
//! token lives no longer than that.

use std::future::Future;

use chrono::{DateTime, Utc};
use http::header::AUTHORIZATION;
use scim2_server::{AuthError, Authenticator, Principal};

use crate::secret;

/// Where tokens are looked up.
pub(crate) trait TokenSource: Send + Sync + 'static {
    /// The principal of the token with that SHA-256, if it may be used at `now`.
    fn find(
        &self,
        hash: [u8; 32],
        now: DateTime<Utc>,
    ) -> impl Future<Output = Result<Option<Principal>, AuthError>> + Send;
}

/// Authenticates by the `Authorization` header.
///
/// The store is asked for the hash of what the client sent. How long that takes says something about
/// hashes, which an attacker cannot choose, and nothing about tokens; so no comparison here needs to
/// take constant time.
pub(crate) struct BearerTokens<T> {
    source: T,
    /// Whether a token may come without the word `Bearer` (Q-AUTH-NO-SCHEME).
    without_scheme: bool,
}

impl<T: TokenSource> BearerTokens<T> {
    pub(crate) fn new(source: T, without_scheme: bool) -> Self {
        Self { source, without_scheme }
    }
}

impl<T: TokenSource> Authenticator for BearerTokens<T> {
    async fn authenticate(&self, head: &http::request::Parts) -> Result<Principal, AuthError> {
        let token = bearer(&head.headers, self.without_scheme)?;
        let now = Utc::now();
        match self.source.find(secret::hash(token), now).await? {
            Some(principal) => Ok(principal),
            None => Err(AuthError::Invalid),
        }
    }
}

/// The token of a request. Two `Authorization` fields are as good as none.
fn bearer(headers: &http::HeaderMap, without_scheme: bool) -> Result<&str, AuthError> {
    let mut fields = headers.get_all(AUTHORIZATION).iter();
    let field = fields.next().ok_or(AuthError::Missing)?;
    if fields.next().is_some() {
        return Err(AuthError::Invalid);
    }
    let field = field.to_str().map_err(|_| AuthError::Invalid)?.trim();
    match field.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => Ok(token.trim()),
        None if without_scheme => Ok(field),
        _ => Err(AuthError::Invalid),
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderMap;
    use scim2_server::{Access, TenantId};

    use super::*;

    const TOKEN: &str = "unit-test-token-0001";

    struct One;

    impl TokenSource for One {
        async fn find(&self, hash: [u8; 32], _: DateTime<Utc>) -> Result<Option<Principal>, AuthError> {
            let principal = Principal {
                tenant: TenantId::default(),
                actor: "test".into(),
                access: Access::Write,
                resource: None,
            };
            Ok((hash == secret::hash(TOKEN)).then_some(principal))
        }
    }

    async fn asked(tokens: &BearerTokens<One>, field: &str) -> Result<(), AuthError> {
        let request = http::Request::builder().header(AUTHORIZATION, field).body(()).unwrap();
        tokens.authenticate(&request.into_parts().0).await.map(|_| ())
    }

    #[tokio::test]
    async fn the_scheme_is_read_in_any_case_and_the_token_in_its_own() {
        let tokens = BearerTokens::new(One, false);
        for field in
            ["Bearer unit-test-token-0001", "bearer unit-test-token-0001", "BEARER  unit-test-token-0001 "]
        {
            assert_eq!(asked(&tokens, field).await, Ok(()), "{field}");
        }
        for field in [
            "Bearer Unit-test-token-0001",
            "Basic unit-test-token-0001",
            "unit-test-token-0001",
            "Bearer",
            "",
        ] {
            assert_eq!(asked(&tokens, field).await, Err(AuthError::Invalid), "{field}");
        }
        let lenient = BearerTokens::new(One, true);
        assert_eq!(asked(&lenient, TOKEN).await, Ok(()));
    }

    #[test]
    fn no_field_is_a_missing_credential_and_two_are_an_invalid_one() {
        let mut headers = HeaderMap::new();
        assert_eq!(bearer(&headers, false), Err(AuthError::Missing));
        headers.append(AUTHORIZATION, "Bearer a".parse().unwrap());
        assert_eq!(bearer(&headers, false), Ok("a"));
        headers.append(AUTHORIZATION, "Bearer b".parse().unwrap());
        assert_eq!(bearer(&headers, false), Err(AuthError::Invalid));
    }
}
