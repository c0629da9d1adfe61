//! Bearer tokens ([RFC 6750](https://www.rfc-editor.org/rfc/rfc6750)) that are looked up by their SHA-256 hash.

use std::future::Future;

use chrono::{DateTime, Utc};
use scim2_server::{AuthError, Authenticator, ClientAddress, Clock, Principal, SystemClock, bearer_token};

use crate::TokenHash;
use crate::guard::Guard;

/// Where tokens are looked up: a table with a row for each hash.
///
/// ```
/// use chrono::{DateTime, Utc};
/// use scim2_auth::{TokenHash, TokenSource};
/// use scim2_server::{Access, AuthError, Principal, TenantId};
///
/// /// `SELECT name, expires FROM scim_token WHERE hash = ?`
/// struct Table;
///
/// impl TokenSource for Table {
///     async fn find(&self, hash: &TokenHash, now: DateTime<Utc>) -> Result<Principal, AuthError> {
///         let row: Option<(String, DateTime<Utc>)> = None; // the row with `hash.as_bytes()`
///         let (name, expires) = row.ok_or(AuthError::Invalid)?;
///         if expires <= now {
///             return Err(AuthError::Expired(name.into()));
///         }
///         Ok(Principal { tenant: TenantId::default(), actor: name.into(), access: Access::Write, resource: None })
///     }
/// }
/// ```
pub trait TokenSource: Send + Sync + 'static {
    /// The principal of the token with this hash, if it may be used at `now`.
    ///
    /// It runs for each request, and about once a second while a bulk request runs. A source that remembers
    /// what it found should forget it after a second or so: a revoked token is accepted that long.
    ///
    /// # Errors
    /// [`AuthError::Invalid`], [`AuthError::Expired`] or [`AuthError::Revoked`] if there is no such token,
    /// [`AuthError::Unavailable`] if the source cannot tell now.
    fn find(
        &self,
        hash: &TokenHash,
        now: DateTime<Utc>,
    ) -> impl Future<Output = Result<Principal, AuthError>> + Send;
}

/// Authenticates requests by the bearer token in their `Authorization` header.
///
/// Tokens that are not valid are counted by client address. From the eleventh on, the answer is delayed, by 50
/// milliseconds at first and at most 2 seconds; half of the count is forgotten each minute. If more than 4 answers
/// to one address, or 64 in all, are delayed already, the answer is 429 at once. A valid token is never delayed,
/// so nobody is locked out by what others send from the same address. The table of addresses has a fixed size.
#[derive(Debug)]
pub struct BearerTokens<T, C = SystemClock> {
    source: T,
    clock: C,
    guard: Guard,
    without_scheme: bool,
    advice: Option<&'static str>,
}

impl<T: TokenSource> BearerTokens<T> {
    /// Looks tokens up in `source`.
    #[must_use]
    pub fn new(source: T) -> Self {
        Self { source, clock: SystemClock, guard: Guard::new(), without_scheme: false, advice: None }
    }
}

impl<T: TokenSource, C: Clock> BearerTokens<T, C> {
    /// Decides whether a token may come without the word `Bearer` before it, as some identity providers send it.
    #[must_use]
    pub fn without_scheme(self, without_scheme: bool) -> Self {
        Self { without_scheme, ..self }
    }

    /// What the operator can do about a token that is not valid. It is logged with the refusal.
    #[must_use]
    pub fn with_advice(self, advice: &'static str) -> Self {
        Self { advice: Some(advice), ..self }
    }

    /// Takes the time, at which tokens expire, from another clock than the machine's.
    #[must_use]
    pub fn with_clock<D: Clock>(self, clock: D) -> BearerTokens<T, D> {
        let Self { source, clock: _, guard, without_scheme, advice } = self;
        BearerTokens { source, clock, guard, without_scheme, advice }
    }
}

impl<T: TokenSource, C: Clock> Authenticator for BearerTokens<T, C> {
    async fn authenticate(&self, head: &http::request::Parts) -> Result<Principal, AuthError> {
        let token = bearer_token(&head.headers, self.without_scheme)?;
        let found = self.source.find(&TokenHash::of(token), self.clock.now()).await;
        match found {
            Err(error) if may_be_guessed(&error) => match head.extensions.get::<ClientAddress>() {
                Some(address) => Err(self.guard.failed(address.client, error).await),
                None => Err(error),
            },
            found => found,
        }
    }

    fn advice(&self) -> Option<&'static str> {
        self.advice
    }
}

/// Whether a token came that might have been guessed.
fn may_be_guessed(error: &AuthError) -> bool {
    matches!(error, AuthError::Invalid | AuthError::Expired(_) | AuthError::Revoked(_))
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use http::header::AUTHORIZATION;
    use scim2_server::{Access, TenantId};

    use super::*;
    use crate::MemoryTokens;

    const TOKEN: &str = "unit-test-token-0001";

    /// A source with one token, and when it expires.
    fn source(expires: Option<DateTime<Utc>>) -> MemoryTokens {
        let tokens = MemoryTokens::new();
        let principal = Principal {
            tenant: TenantId::default(),
            actor: "test".into(),
            access: Access::Write,
            resource: None,
        };
        tokens.insert(TokenHash::of(TOKEN), principal, expires);
        tokens
    }

    async fn answer<C: Clock>(tokens: &BearerTokens<MemoryTokens, C>, field: &str) -> Result<(), AuthError> {
        let request = http::Request::builder().header(AUTHORIZATION, field).body(()).unwrap();
        tokens.authenticate(&request.into_parts().0).await.map(|_| ())
    }

    #[tokio::test]
    async fn scheme_is_read_in_any_letter_case_and_token_in_its_own() {
        let tokens = BearerTokens::new(source(None));
        for field in
            ["Bearer unit-test-token-0001", "bearer unit-test-token-0001", "BEARER  unit-test-token-0001 "]
        {
            assert_eq!(answer(&tokens, field).await, Ok(()), "{field}");
        }
        for field in [
            "Bearer Unit-test-token-0001",
            "Basic unit-test-token-0001",
            "unit-test-token-0001",
            "Bearer",
            "",
        ] {
            assert!(answer(&tokens, field).await.is_err(), "{field}");
        }
        let lenient = BearerTokens::new(source(None)).without_scheme(true);
        assert_eq!(answer(&lenient, TOKEN).await, Ok(()));
    }

    struct Fixed(DateTime<Utc>);

    impl Clock for Fixed {
        fn now(&self) -> DateTime<Utc> {
            self.0
        }
    }

    #[tokio::test]
    async fn token_expires_by_the_given_clock() {
        let expires = DateTime::UNIX_EPOCH + TimeDelta::hours(1);
        for (now, expected) in [
            (expires - TimeDelta::milliseconds(1), Ok(())),
            (expires, Err(AuthError::Expired("test".into()))),
        ] {
            let tokens = BearerTokens::new(source(Some(expires))).with_clock(Fixed(now));
            assert_eq!(answer(&tokens, "Bearer unit-test-token-0001").await, expected);
        }
    }
}
