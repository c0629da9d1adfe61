//! Bearer tokens: stored as hashes, and so never shown again.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use scim2_server::{Access, StoreError, TenantId};
use sha2::{Digest as _, Sha256};

use crate::audit::hexadecimal;
use crate::session::Row;
use crate::sql::{Sql, blob, integer};

/// The SHA-256 hash of a token's text. 256 random bits need no stretching.
pub type TokenHash = [u8; 32];

/// A token, without what would let anybody use it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Token {
    /// Tells the token apart within its tenant; no secret.
    pub id: String,
    /// The tenant it gives access to.
    pub tenant: TenantId,
    /// What people call it; the actor in the audit log.
    pub name: Arc<str>,
    /// What it allows.
    pub access: Access,
    /// When it was made.
    pub created: DateTime<Utc>,
    /// From when on it is of no use.
    pub expires: Option<DateTime<Utc>>,
    /// When it was revoked.
    pub revoked: Option<DateTime<Utc>>,
    /// When it was used last, to the hour or so.
    pub last_used: Option<DateTime<Utc>>,
}

impl Token {
    /// Says whether the token may be used: it is neither revoked nor expired.
    #[must_use]
    pub fn is_valid(&self, now: DateTime<Utc>) -> bool {
        self.revoked.is_none() && self.expires.is_none_or(|expires| now < expires)
    }

    /// Reads the [`COLUMNS`].
    pub(crate) fn from_row(row: &Row<'_>) -> Result<Self, StoreError> {
        let time = |at: usize| -> Result<Option<DateTime<Utc>>, StoreError> {
            Ok(row.get::<Option<i64>>(at)?.and_then(DateTime::from_timestamp_millis))
        };
        Ok(Self {
            id: row.get(0)?,
            tenant: TenantId::parse(row.text(1)?).unwrap_or_default(),
            name: row.text(2)?.into(),
            access: if row.text(3)? == "write" { Access::Write } else { Access::Read },
            created: time(4)?.unwrap_or_default(),
            expires: time(5)?,
            revoked: time(6)?,
            last_used: time(7)?,
        })
    }
}

/// What a store knows about the token of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokenState {
    /// It may be used.
    Valid(Arc<Token>),
    /// It has expired.
    Expired(Arc<Token>),
    /// It was revoked.
    Revoked(Arc<Token>),
    /// There is none.
    Unknown,
}

impl TokenState {
    /// The token if it may be used.
    #[must_use]
    pub fn valid(self) -> Option<Arc<Token>> {
        match self {
            Self::Valid(token) => Some(token),
            Self::Expired(_) | Self::Revoked(_) | Self::Unknown => None,
        }
    }

    pub(crate) fn of(token: Arc<Token>, now: DateTime<Utc>) -> Self {
        match token.revoked {
            Some(_) => Self::Revoked(token),
            None if token.is_valid(now) => Self::Valid(token),
            None => Self::Expired(token),
        }
    }
}

/// A token to be stored.
#[derive(Debug, Clone)]
pub struct NewToken {
    /// Its id, made by the caller.
    pub id: String,
    /// The hash of its text.
    pub hash: TokenHash,
    /// The tenant it gives access to.
    pub tenant: TenantId,
    /// What people call it.
    pub name: String,
    /// What it allows.
    pub access: Access,
    /// From when on it is of no use.
    pub expires: Option<DateTime<Utc>>,
}

impl NewToken {
    /// The row of a token that is created at this time.
    pub(crate) fn row(&self, created: i64) -> TokenRow<'_> {
        let Self { id, hash, tenant: _, name, access, expires } = self;
        TokenRow {
            id,
            hash,
            name,
            access: access_name(*access),
            created,
            expires: expires.map(|expires| expires.timestamp_millis()),
            revoked: None,
        }
    }
}

/// The columns of a [`Token`], of `token` as `t` joined with `tenant` as `n`.
pub(crate) const COLUMNS: &str =
    "t.id, n.name, t.name, t.access, t.created, t.expires, t.revoked, t.last_used";

pub(crate) const fn access_name(access: Access) -> &'static str {
    match access {
        Access::Write => "write",
        _ => "read",
    }
}

/// A row of the table `token`, as far as its row in the audit log vouches for it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TokenRow<'a> {
    pub(crate) id: &'a str,
    pub(crate) hash: &'a [u8],
    pub(crate) name: &'a str,
    pub(crate) access: &'a str,
    pub(crate) created: i64,
    pub(crate) expires: Option<i64>,
    pub(crate) revoked: Option<i64>,
}

impl TokenRow<'_> {
    /// What the audit log says of a token that is created: what it allows, until when, and a checksum of all that
    /// never changes. The hash of the token is covered too, so nobody can put a secret of their own in its place.
    pub(crate) fn details(&self) -> String {
        let Self { id, hash, name, access, created, expires, revoked: _ } = self;
        let mut digest = Sha256::new();
        for part in [id.as_bytes(), hash, name.as_bytes(), access.as_bytes()] {
            digest.update((part.len() as u64).to_be_bytes());
            digest.update(part);
        }
        digest.update(created.to_be_bytes());
        digest.update([u8::from(expires.is_some())]);
        digest.update(expires.unwrap_or_default().to_be_bytes());
        let until = expires.map_or_else(|| "never".to_owned(), time_text);
        let checksum = hexadecimal(digest.finalize().get(..16).unwrap_or_default());
        format!("access={access}\nexpires={until}\nrow={checksum}")
    }
}

/// What the audit log says of a token that is revoked.
pub(crate) fn revocation(revoked: i64) -> String {
    format!("revoked={}", time_text(revoked))
}

fn time_text(millis: i64) -> String {
    let time = DateTime::from_timestamp_millis(millis).unwrap_or_default();
    time.to_rfc3339_opts(chrono::SecondsFormat::Millis, true)
}

/// The statement that finds the token with a hash.
pub(crate) fn find(hash: &TokenHash) -> Sql {
    let text = format!("SELECT {COLUMNS} FROM token t JOIN tenant n ON n.number = t.tenant WHERE t.hash = ?");
    Sql::new(text, [blob(hash.to_vec())])
}

/// The statement that notes when a token was used.
pub(crate) fn touch(hash: &TokenHash, now: DateTime<Utc>) -> Sql {
    Sql::new(
        "UPDATE token SET last_used = ? WHERE hash = ?",
        [integer(now.timestamp_millis()), blob(hash.to_vec())],
    )
}

/// The tokens in use, so that a request does not read its token from the database. As many as
/// there are valid tokens: what is unknown is not remembered.
#[derive(Debug, Default)]
pub(crate) struct TokenCache {
    known: Mutex<HashMap<TokenHash, Known>>,
}

#[derive(Debug)]
struct Known {
    token: Arc<Token>,
    read: DateTime<Utc>,
    touched: Option<DateTime<Utc>>,
}

impl TokenCache {
    /// How long a revocation by another process may go unseen.
    const FRESH: TimeDelta = TimeDelta::seconds(1);

    /// How coarse `last_used` is.
    const USED: TimeDelta = TimeDelta::hours(1);

    pub(crate) fn get(&self, hash: &TokenHash, now: DateTime<Utc>) -> Option<Arc<Token>> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        // A clock that goes back makes nothing fresh for long.
        known
            .get(hash)
            .filter(|known| (now - known.read).abs() < Self::FRESH)
            .map(|known| Arc::clone(&known.token))
    }

    pub(crate) fn put(&self, hash: TokenHash, token: Token, now: DateTime<Utc>) -> Arc<Token> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if !token.is_valid(now) {
            known.remove(&hash);
            return Arc::new(token);
        }
        let touched = known.get(&hash).and_then(|old| old.touched).or(token.last_used);
        let token = Arc::new(token);
        known.insert(hash, Known { token: Arc::clone(&token), read: now, touched });
        token
    }

    /// Says whether the time of last use is to be written, and then takes it for written.
    pub(crate) fn is_due(&self, hash: &TokenHash, now: DateTime<Utc>) -> bool {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(known) = known.get_mut(hash) else { return false };
        let due = known.touched.is_none_or(|touched| now - touched >= Self::USED);
        if due {
            known.touched = Some(now);
        }
        due
    }
}
