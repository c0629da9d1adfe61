//! How a restore treats the tokens of the database that it replaces.

use std::collections::{BTreeMap, HashSet};
use std::path::Path;

use chrono::{DateTime, Utc};
use rusqlite::{Connection, OpenFlags, TransactionBehavior, params};
use scim2_server::{StoreError, TenantId};

use super::CopyError;
use crate::audit::{self, AuditHead, AuditKeys, Entry, Keyring, NextKey};
use crate::error::{OpenError, OpenErrorKind, store_error};
use crate::session::Row;
use crate::sql::Sql;
use crate::sqlite::session::select;
use crate::sqlite::{connection, ids, layout};
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
    /// When tokens ended that an earlier restore found ended and had no row for.
    ended: BTreeMap<(String, String), DateTime<Utc>>,
    heads: Vec<AuditHead>,
}

/// What a restore finds in the place of the database.
pub(super) enum Before {
    /// Nothing was there.
    Nothing,
    /// Something that cannot be read, and its tokens may become valid again.
    Unreadable,
    Known(Replaced),
}

impl Before {
    pub(super) fn known(&self) -> Option<&Replaced> {
        match self {
            Self::Known(replaced) => Some(replaced),
            Self::Nothing | Self::Unreadable => None,
        }
    }

    /// What the audit log says of the tokens.
    fn told(&self, options: &RestoreOptions) -> &'static str {
        match self {
            Self::Nothing => "as in the backup: there was no store before",
            Self::Unreadable => "as in the backup: the store before could not be read",
            Self::Known(_) if options.revive_tokens => "revived",
            Self::Known(_) => "carried over",
        }
    }
}

/// How `store.restore` names a token that has ended and of which the database has no row: `ended=TIME ID`, in
/// milliseconds since 1970.
const ENDED: &str = "ended=";

impl Replaced {
    /// Reads what is there. An empty file tells nothing of the tokens it had, as one that is damaged.
    pub(super) fn read(path: &Path, options: &RestoreOptions) -> Result<Before, CopyError> {
        if std::fs::metadata(path).is_err_and(|error| error.kind() == std::io::ErrorKind::NotFound) {
            return Ok(Before::Nothing);
        }
        match Self::read_from(path) {
            Ok(replaced) => Ok(Before::Known(replaced)),
            Err(_) if options.revive_tokens => Ok(Before::Unreadable),
            Err(error) => Err(CopyError::tokens(error)),
        }
    }

    fn read_from(path: &Path) -> Result<Self, OpenError> {
        let connection = connection::readable(path)?;
        let version = layout::version(&connection)?;
        if version == 0 {
            return Err(OpenError::new(OpenErrorKind::Empty));
        }
        let created = connection
            .prepare(
                "SELECT n.name, a.resource_id FROM audit a JOIN tenant n ON n.number = a.tenant \
                 WHERE a.action = 'token.create'",
            )?
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect::<rusqlite::Result<_>>()?;
        // An older layout has no table of keys.
        let heads =
            if version == layout::NEWEST { heads(&connection).map_err(OpenError::io)? } else { Vec::new() };
        let ended = ended(&connection)?;
        Ok(Self { tokens: tokens(&connection).map_err(OpenError::io)?, created, ended, heads })
    }

    /// The tokens that have ended, with their tenants and when: revoked, deleted (`now`), or ended before an earlier
    /// restore.
    fn all_ended(&self, now: DateTime<Utc>) -> BTreeMap<(String, String), DateTime<Utc>> {
        let mut ended = self.ended.clone();
        for name in &self.created {
            ended.entry(name.clone()).or_insert(now);
        }
        for (token, _) in &self.tokens {
            let name = (token.tenant.as_str().to_owned(), token.id.clone());
            match token.revoked {
                Some(revoked) => ended.insert(name, revoked),
                // Somebody let it become valid again.
                None => ended.remove(&name),
            };
        }
        ended
    }

    /// When the token was revoked in the replaced database; `now` if it was deleted there, else `None`.
    fn end_of(&self, token: &Token, hash: &TokenHash, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let is_same = |other: &Token| other.tenant == token.tenant && other.id == token.id;
        match self.tokens.iter().find(|(other, of)| is_same(other) || of == hash) {
            Some((other, _)) => other.revoked,
            None => {
                let name = (token.tenant.as_str().to_owned(), token.id.clone());
                self.ended.get(&name).copied().or_else(|| self.created.contains(&name).then_some(now))
            }
        }
    }

    fn has(&self, hash: &TokenHash) -> bool {
        self.tokens.iter().any(|(_, of)| of == hash)
    }
}

fn tokens(connection: &Connection) -> Result<Vec<(Token, TokenHash)>, StoreError> {
    let sql = format!(
        "SELECT {}, t.hash FROM token t JOIN tenant n ON n.number = t.tenant ORDER BY t.created, t.id",
        token::COLUMNS
    );
    let read = |row: &Row<'_>| {
        let hash = row.bytes(8)?.try_into().map_err(StoreError::internal)?;
        Ok((Token::from_row(row)?, hash))
    };
    Ok(select(connection, &Sql::new(sql, []), read)?)
}

fn heads(connection: &Connection) -> Result<Vec<AuditHead>, StoreError> {
    let heads = select(connection, &Sql::new(audit::HEADS, []), audit::read_head)?;
    Ok(heads.into_iter().flatten().collect())
}

/// What earlier restores knew of tokens without rows.
fn ended(connection: &Connection) -> rusqlite::Result<BTreeMap<(String, String), DateTime<Utc>>> {
    let mut statement = connection.prepare(
        "SELECT n.name, a.changed FROM audit a JOIN tenant n ON n.number = a.tenant \
         WHERE a.action = 'store.restore' ORDER BY a.tenant, a.seq",
    )?;
    let mut rows = statement.query([])?;
    let mut ended = BTreeMap::new();
    while let Some(row) = rows.next()? {
        let (tenant, changed): (String, String) = (row.get(0)?, row.get(1)?);
        for line in changed.lines().filter_map(|line| line.strip_prefix(ENDED)) {
            let Some((at, id)) = line.split_once(' ') else { continue };
            let Some(at) = at.parse().ok().and_then(DateTime::from_timestamp_millis) else { continue };
            ended.insert((tenant.clone(), id.to_owned()), at);
        }
    }
    Ok(ended)
}

/// Carries over to a copy of the backup what the replaced database knows, and writes that to its audit log.
pub(super) fn carry_over(
    part: &Path,
    before: &Before,
    options: &RestoreOptions,
) -> Result<Vec<RestoredToken>, CopyError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut copy = Connection::open_with_flags(part, flags).map_err(CopyError::io)?;
    layout::migrate(&mut copy).map_err(CopyError::open)?;
    let keys = &audit::keyring(&copy, &options.audit_keys).map_err(CopyError::io)?;
    let transaction =
        copy.transaction_with_behavior(TransactionBehavior::Immediate).map_err(CopyError::io)?;
    match audit::check_keys(&transaction, keys) {
        // A backup that is hashed with the database's own key stays so: only an operator adopts another one.
        Err(error) if error.kind() == OpenErrorKind::AuditKeyNotAdopted => {}
        checked => checked.map_err(CopyError::open)?,
    }
    let database_keys = &audit::keyring(&transaction, &AuditKeys::default()).map_err(CopyError::io)?;
    let copied = Copied { connection: &transaction, keys, database_keys, options };
    let logged = copied.log_restore(before);
    let changed = logged.and_then(|()| copied.carry_tokens(before.known())).map_err(CopyError::io)?;
    transaction.commit().map_err(CopyError::io)?;
    copy.close().map_err(|(_, error)| CopyError::io(error))?;
    std::fs::File::open(part).and_then(|file| file.sync_all()).map_err(CopyError::io)?;
    Ok(changed)
}

/// The copy of the backup, in a transaction.
struct Copied<'a> {
    connection: &'a Connection,
    keys: &'a Keyring,
    /// Without the keys that lie outside of the database.
    database_keys: &'a Keyring,
    options: &'a RestoreOptions,
}

impl Copied<'_> {
    /// Writes `store.restore` to each tenant's log, with the heads of both databases and the tokens that have ended
    /// and are not in the backup: a backup that has them may be restored later.
    fn log_restore(&self, before: &Before) -> Result<(), StoreError> {
        let replaced = before.known();
        let mut ended = replaced.map(|replaced| replaced.all_ended(self.options.now)).unwrap_or_default();
        for (token, _) in tokens(self.connection)? {
            ended.remove(&(token.tenant.as_str().to_owned(), token.id));
        }
        let heads = heads(self.connection)?;
        let mut tenants: Vec<TenantId> = heads.iter().map(|head| head.tenant().clone()).collect();
        let of_ended = ended.keys().filter_map(|(tenant, _)| TenantId::parse(tenant));
        for tenant in of_ended {
            if !tenants.contains(&tenant) {
                tenants.push(tenant);
            }
        }
        // A backup without any tenant has a log from here on.
        if tenants.is_empty() {
            tenants.push(TenantId::default());
        }
        let head_of = |heads: &[AuditHead], tenant: &TenantId| {
            let head = heads.iter().find(|head| head.tenant() == tenant)?;
            Some(format!("{}:{}", head.rows(), head.hash()))
        };
        for tenant in &tenants {
            let mut lines = vec![format!("tokens={}", before.told(self.options))];
            lines.extend(head_of(&heads, tenant).map(|head| format!("backup={head}")));
            let replaced = replaced.and_then(|replaced| head_of(&replaced.heads, tenant));
            lines.extend(replaced.map(|head| format!("replaced={head}")));
            let of_tenant = ended.iter().filter(|((name, _), _)| name == tenant.as_str());
            lines.extend(of_tenant.map(|((_, id), at)| format!("{ENDED}{} {id}", at.timestamp_millis())));
            self.log(tenant, "store.restore", "Store", "", &lines.join("\n"))?;
        }
        Ok(())
    }

    /// Revokes what was revoked in the replaced database, and says for which tokens anything changes.
    fn carry_tokens(&self, replaced: Option<&Replaced>) -> Result<Vec<RestoredToken>, StoreError> {
        let now = self.options.now;
        let mut changed = Vec::new();
        let mut hashes = HashSet::new();
        for (mut token, hash) in tokens(self.connection)? {
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
        let number = ids::tenant(self.connection, tenant).map_err(store_error)?;
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
        let last = audit::last(self.connection, number).map_err(store_error)?;
        let keys = match self.keys.next(last.seq, last.key) {
            NextKey::NotAdopted => self.database_keys,
            _ => self.keys,
        };
        audit::append(self.connection, keys, number, last, &entry).map(drop)
    }
}
