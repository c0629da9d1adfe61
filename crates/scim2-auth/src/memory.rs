//! Tokens in memory.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use chrono::{DateTime, Utc};
use scim2_server::{AuthError, Principal};

use crate::{TokenHash, TokenSource};

/// Tokens in memory: for tests, for a service provider that forgets everything when it ends, and for an
/// application that reads its tokens from a secret at each start. Clones share the tokens.
#[derive(Debug, Clone, Default)]
pub struct MemoryTokens {
    tokens: Arc<RwLock<HashMap<TokenHash, Known>>>,
}

#[derive(Debug, Clone)]
struct Known {
    principal: Principal,
    expires: Option<DateTime<Utc>>,
}

impl MemoryTokens {
    /// Without any token.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a token, or replaces the one with this hash. At `expires` and later it is refused.
    pub fn insert(&self, hash: TokenHash, principal: Principal, expires: Option<DateTime<Utc>>) {
        let mut tokens = self.tokens.write().unwrap_or_else(PoisonError::into_inner);
        tokens.insert(hash, Known { principal, expires });
    }

    /// Removes a token. Returns whether it was there.
    pub fn remove(&self, hash: &TokenHash) -> bool {
        self.tokens.write().unwrap_or_else(PoisonError::into_inner).remove(hash).is_some()
    }

    /// Whether there is no token. An expired token counts as one.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.tokens.read().unwrap_or_else(PoisonError::into_inner).is_empty()
    }
}

impl TokenSource for MemoryTokens {
    async fn find(&self, hash: &TokenHash, now: DateTime<Utc>) -> Result<Principal, AuthError> {
        let tokens = self.tokens.read().unwrap_or_else(PoisonError::into_inner);
        let Known { principal, expires } = tokens.get(hash).ok_or(AuthError::Invalid)?;
        if expires.is_some_and(|expires| expires <= now) {
            return Err(AuthError::Expired(Arc::clone(&principal.actor)));
        }
        Ok(principal.clone())
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use scim2_server::{Access, TenantId};

    use super::*;

    #[tokio::test]
    async fn token_is_found_until_it_expires_or_is_removed() {
        let (tokens, now) = (MemoryTokens::new(), DateTime::UNIX_EPOCH);
        let principal = |actor: &str| Principal {
            tenant: TenantId::default(),
            actor: actor.into(),
            access: Access::Read,
            resource: None,
        };
        let (short, long) = (TokenHash::of("short-lived-token"), TokenHash::of("long-lived-token"));
        assert!(tokens.is_empty());
        tokens.insert(short, principal("short"), Some(now + TimeDelta::seconds(1)));
        tokens.insert(long, principal("long"), None);
        assert_eq!(&*tokens.find(&short, now).await.unwrap().actor, "short");
        let later = now + TimeDelta::seconds(1);
        assert_eq!(tokens.find(&short, later).await.unwrap_err(), AuthError::Expired("short".into()));
        assert_eq!(&*tokens.clone().find(&long, later).await.unwrap().actor, "long");
        assert!(tokens.remove(&long) && !tokens.remove(&long));
        assert_eq!(tokens.find(&long, later).await.unwrap_err(), AuthError::Invalid);
    }
}
