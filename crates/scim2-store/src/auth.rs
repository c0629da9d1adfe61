//! The stores as sources of tokens for the authenticator of `scim2-auth`.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use scim2_auth::{TokenHash, TokenSource};
use scim2_server::{AuthError, Principal, StoreError};

use crate::{SqliteStore, TokenState};

impl TokenSource for SqliteStore {
    async fn find(&self, hash: &TokenHash, now: DateTime<Utc>) -> Result<Principal, AuthError> {
        principal(self.token_state(hash.as_bytes(), now))
    }
}

#[cfg(feature = "postgres")]
impl TokenSource for crate::PostgresStore {
    async fn find(&self, hash: &TokenHash, now: DateTime<Utc>) -> Result<Principal, AuthError> {
        principal(self.token_state(hash.as_bytes(), now).await)
    }
}

/// The principal of a token that may be used, or why there is none.
fn principal(state: Result<TokenState, StoreError>) -> Result<Principal, AuthError> {
    match state {
        Ok(TokenState::Valid(token)) => Ok(Principal {
            tenant: token.tenant.clone(),
            actor: Arc::clone(&token.name),
            access: token.access,
            resource: None,
        }),
        Ok(TokenState::Expired(token)) => Err(AuthError::Expired(Arc::clone(&token.name))),
        Ok(TokenState::Revoked(token)) => Err(AuthError::Revoked(Arc::clone(&token.name))),
        Ok(TokenState::Unknown) => Err(AuthError::Invalid),
        Err(error) => {
            tracing::error!(%error, "the store cannot look up tokens");
            Err(AuthError::Unavailable)
        }
    }
}
