//! Who makes a request: bearer tokens ([RFC 6750](https://www.rfc-editor.org/rfc/rfc6750)), known by
//! their SHA-256.
//!
//! The store remembers the tokens in use for a second, so a request costs no look-up and a revoked
//! token lives no longer than that.

mod guard;

use std::future::Future;

use chrono::{DateTime, Utc};
use scim2_server::{AuthError, Authenticator, ClientAddress, Principal, bearer_token};

use self::guard::Guard;
use crate::secret;

/// Where tokens are looked up.
pub(crate) trait TokenSource: Send + Sync + 'static {
    /// The principal of the token with that SHA-256, if it may be used at `now`.
    fn find(
        &self,
        hash: [u8; 32],
        now: DateTime<Utc>,
    ) -> impl Future<Output = Result<Principal, AuthError>> + Send;
}

/// Authenticates by the `Authorization` header.
///
/// The store is asked for the hash of what the client sent. How long that takes says something about
/// hashes, which an attacker cannot choose, and nothing about tokens; so no comparison here needs to
/// take constant time.
pub(crate) struct BearerTokens<T> {
    source: T,
    guard: Guard,
    /// Whether a token may come without the word `Bearer` (Q-AUTH-NO-SCHEME).
    without_scheme: bool,
}

impl<T: TokenSource> BearerTokens<T> {
    pub(crate) fn new(source: T, without_scheme: bool) -> Self {
        Self { source, guard: Guard::new(), without_scheme }
    }
}

impl<T: TokenSource> Authenticator for BearerTokens<T> {
    async fn authenticate(&self, head: &http::request::Parts) -> Result<Principal, AuthError> {
        let token = bearer_token(&head.headers, self.without_scheme)?;
        let found = self.source.find(secret::hash(token), Utc::now()).await;
        match found {
            Err(error) if is_not_valid(&error) => match head.extensions.get::<ClientAddress>() {
                Some(address) => Err(self.guard.failed(address.client, error).await),
                None => Err(error),
            },
            found => found,
        }
    }

    fn advice(&self) -> Option<&'static str> {
        Some("`scim2 token create` makes a new token and `scim2 token list` shows those there are")
    }
}

/// Whether a token came that might have been guessed.
fn is_not_valid(error: &AuthError) -> bool {
    matches!(error, AuthError::Invalid | AuthError::Expired(_) | AuthError::Revoked(_))
}

#[cfg(test)]
mod tests {
    use http::header::AUTHORIZATION;
    use scim2_server::{Access, TenantId};

    use super::*;

    const TOKEN: &str = "unit-test-token-0001";

    struct One;

    impl TokenSource for One {
        async fn find(&self, hash: [u8; 32], _: DateTime<Utc>) -> Result<Principal, AuthError> {
            let principal = Principal {
                tenant: TenantId::default(),
                actor: "test".into(),
                access: Access::Write,
                resource: None,
            };
            if hash == secret::hash(TOKEN) { Ok(principal) } else { Err(AuthError::Invalid) }
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
            assert!(asked(&tokens, field).await.is_err(), "{field}");
        }
        let lenient = BearerTokens::new(One, true);
        assert_eq!(asked(&lenient, TOKEN).await, Ok(()));
    }
}
