//! How a restore treats the tokens of the database that it replaces.

use std::collections::HashSet;
use std::path::Path;

use chrono::{DateTime, Utc};
use rusqlite::{Connection, OpenFlags, TransactionBehavior, params};
use scim2_server::{StoreError, TenantId};

use super::CopyError;
use crate::audit::{self, AuditHead, AuditKeys, Entry, Keyring};
use crate::error::{OpenError, store_error};
use crate::sqlite::{connection, layout, names};
use crate::token::{self, Token, TokenHash, revocation};

/// How a backup is put in the place of a database, and in whose name.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RestoreOptions {
    /// Whether tokens become valid again that were revoked or deleted after the backup.
    pub revive_tokens: bool,
    /// Keys for the audit log that lie outside of the file.
    pub audit_keys: AuditKeys,
    /// Whom the audit log names.
    pub actor: String,
    /// The request that the audit log names.
    pub request_id: String,
    /// When it happens.
    pub now: DateTime<Utc>,
}

impl RestoreOptions {
    /// In the name of `actor`, with tokens that stay revoked.
    #[must_use]
    pub fn new(actor: &str, request_id: &str, now: DateTime<Utc>) -> Self {
        Self {
            revive_tokens: false,
            audit_keys: AuditKeys::default(),
            actor: actor.to_owned(),
            request_id: request_id.to_owned(),
            now,
        }
    }
}

/// What a restore did.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Restored {
    /// The size of the database in bytes.
    pub size: u64,
    /// The tokens for which something changes, oldest first.
    pub tokens: Vec<RestoredToken>,
}

/// A token for which a restore changes something.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RestoredToken {
    /// The token, as it is after the restore; for one that is lost, as it was before.
    pub token: Token,
    /// What became of it.
    pub fate: TokenFate,
}

/// What a restore does to a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum TokenFate {
    /// It is valid in the backup, was revoked or deleted later, and stays revoked.
    StaysRevoked,
    /// It was revoked or deleted after the backup, and is valid again.
    Revived,
    /// It is valid, and the replaced database never knew it.
    New,
    /// The backup does not have it: it is not valid any more.
    Lost,
}

/// What is to be known of the database that is replaced.
pub(super) struct Replaced {
    tokens: Vec<(Token, TokenHash)>,
    /// Ids that its audit log has, with their tenants.
    created: HashSet<(String, String)>,
    heads: Vec<AuditHead>,
}

impl Replaced {
    /// `None` if there is no database, or what is there cannot be read and need not be.
    pub(super) fn read(path: &Path, options: &RestoreOptions) -> Result<Option<Self>, CopyError> {
        if !std::fs::metadata(path).is_ok_and(|file| file.len() > 0) {
            return Ok(None);
        }
        match Self::read_from(path) {
            Ok(replaced) => Ok(replaced),
            Err(_) if options.revive_tokens => Ok(None),
            Err(error) => Err(CopyError::tokens(error)),
        }
    }

    fn read_from(path: &Path) -> Result<Option<Self>, OpenError> {
        let connection = connection::readable(path)?;
        let version = layout::version(&connection)?;
        if version == 0 {
            return Ok(None);
        }
        let created = connection
            .prepare(
                "SELECT n.name, a.resource_id FROM audit a JOIN tenant n ON n.number = a.tenant \
                 WHERE a.action = 'token.create'",
            )?
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect::<rusqlite::Result<_>>()?;
        // An older layout has no table of keys.
        let heads = if version == layout::NEWEST { audit::heads(&connection)? } else { Vec::new() };
        Ok(Some(Self { tokens: tokens(&connection)?, created, heads }))
    }

    /// When the token was revoked in the replaced database; `now` if it was deleted there, else `None`.
    fn end_of(&self, token: &Token, hash: &TokenHash, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let is_same = |other: &Token| other.tenant == token.tenant && other.id == token.id;
        match self.tokens.iter().find(|(other, of)| is_same(other) || of == hash) {
            Some((other, _)) => other.revoked,
            None => {
                let name = (token.tenant.as_str().to_owned(), token.id.clone());
                self.created.contains(&name).then_some(now)
            }
        }
    }

    fn has(&self, hash: &TokenHash) -> bool {
        self.tokens.iter().any(|(_, of)| of == hash)
    }
}

fn tokens(connection: &Connection) -> rusqlite::Result<Vec<(Token, TokenHash)>> {
    let sql = format!(
        "SELECT {}, t.hash FROM token t JOIN tenant n ON n.number = t.tenant ORDER BY t.created, t.id",
        token::COLUMNS
    );
    connection.prepare(&sql)?.query_map([], |row| Ok((Token::from_row(row)?, row.get(8)?)))?.collect()
}

/// Carries over to a copy of the backup what the replaced database knows, and writes that to its audit log.
pub(super) fn carry_over(
    part: &Path,
    replaced: Option<&Replaced>,
    options: &RestoreOptions,
) -> Result<Vec<RestoredToken>, CopyError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut copy = Connection::open_with_flags(part, flags).map_err(CopyError::io)?;
    layout::migrate(&mut copy).map_err(CopyError::open)?;
    let keys = &audit::keyring(&copy, &options.audit_keys).map_err(CopyError::io)?;
    let transaction =
        copy.transaction_with_behavior(TransactionBehavior::Immediate).map_err(CopyError::io)?;
    audit::settle(&transaction, keys).map_err(CopyError::open)?;
    let copied = Copied { connection: &transaction, keys, options };
    let logged = copied.log_restore(replaced);
    let changed = logged.and_then(|()| copied.carry_tokens(replaced)).map_err(CopyError::io)?;
    transaction.commit().map_err(CopyError::io)?;
    copy.close().map_err(|(_, error)| CopyError::io(error))?;
    std::fs::File::open(part).and_then(|file| file.sync_all()).map_err(CopyError::io)?;
    Ok(changed)
}

/// The copy of the backup, in a transaction.
struct Copied<'a> {
    connection: &'a Connection,
    keys: &'a Keyring,
    options: &'a RestoreOptions,
}

impl Copied<'_> {
    /// Writes `store.restore` to each tenant's log, with the heads of both databases.
    fn log_restore(&self, replaced: Option<&Replaced>) -> Result<(), StoreError> {
        let heads = audit::heads(self.connection).map_err(store_error)?;
        // A backup without any tenant has a log from here on.
        let first = TenantId::default();
        let tenants =
            if heads.is_empty() { vec![&first] } else { heads.iter().map(AuditHead::tenant).collect() };
        let head_of = |heads: &[AuditHead], tenant: &TenantId| {
            let head = heads.iter().find(|head| head.tenant() == tenant)?;
            Some(format!("{}:{}", head.rows(), head.hash()))
        };
        for tenant in tenants {
            let how = if self.options.revive_tokens { "revived" } else { "carried over" };
            let mut lines = vec![format!("tokens={how}")];
            lines.extend(head_of(&heads, tenant).map(|head| format!("backup={head}")));
            let replaced = replaced.and_then(|replaced| head_of(&replaced.heads, tenant));
            lines.extend(replaced.map(|head| format!("replaced={head}")));
            self.log(tenant, "store.restore", "Store", "", &lines.join("\n"))?;
        }
        Ok(())
    }

    /// Revokes what was revoked in the replaced database, and says for which tokens anything changes.
    fn carry_tokens(&self, replaced: Option<&Replaced>) -> Result<Vec<RestoredToken>, StoreError> {
        let now = self.options.now;
        let mut changed = Vec::new();
        let mut hashes = HashSet::new();
        for (mut token, hash) in tokens(self.connection).map_err(store_error)? {
            hashes.insert(hash);
            if token.revoked.is_some() {
                continue;
            }
            let end = replaced.and_then(|replaced| replaced.end_of(&token, &hash, now));
            let fate = match end {
                None if replaced.is_some_and(|replaced| replaced.has(&hash)) => continue,
                None => TokenFate::New,
                Some(_) if self.options.revive_tokens => TokenFate::Revived,
                Some(revoked) => {
                    token.revoked = Some(revoked);
                    self.revoke(&token, &hash, revoked)?;
                    TokenFate::StaysRevoked
                }
            };
            // Whether an expired token is revoked changes nothing for anybody.
            if token.expires.is_none_or(|expires| now < expires) {
                changed.push(RestoredToken { token, fate });
            }
        }
        let lost = replaced.into_iter().flat_map(|replaced| &replaced.tokens);
        let lost = lost.filter(|(token, hash)| !hashes.contains(hash) && token.is_valid(now));
        changed.extend(lost.map(|(token, _)| RestoredToken { token: token.clone(), fate: TokenFate::Lost }));
        Ok(changed)
    }

    fn revoke(&self, token: &Token, hash: &TokenHash, revoked: DateTime<Utc>) -> Result<(), StoreError> {
        let at = revoked.timestamp_millis();
        self.connection
            .execute("UPDATE token SET revoked = ?2 WHERE hash = ?1", params![hash, at])
            .map_err(store_error)?;
        self.log(&token.tenant, "token.revoke", "Token", &token.id, &revocation(at))
    }

    fn log(
        &self,
        tenant: &TenantId,
        action: &str,
        resource_type: &str,
        id: &str,
        changed: &str,
    ) -> Result<(), StoreError> {
        let number = names::tenant(self.connection, tenant).map_err(store_error)?;
        let entry = Entry {
            at: self.options.now.timestamp_millis(),
            actor: &self.options.actor,
            request: &self.options.request_id,
            action,
            resource_type,
            resource_id: id,
            version: "",
            changed,
        };
        audit::log(self.connection, self.keys, number, &entry)
    }
}
