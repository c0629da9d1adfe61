//! The audit log: append-only rows, each bound to the one before it by a hash.

use chrono::{DateTime, Utc};
use rusqlite::{Connection, OptionalExtension, params};
use scim2_server::{Context, StoreError, TenantId};

use crate::error::{OpenError, OpenErrorKind, store_error};
use crate::session::Row;

pub(crate) mod check;
mod head;
mod key;

pub use head::{AuditHead, AuditHeadError};
pub use key::{AuditKeyError, AuditKeys};
pub(crate) use key::{KeyId, Keyring, NextKey};

/// What binds a row to the one before it.
pub(crate) type Hash = [u8; 32];

/// The hash before the first row.
pub(crate) const FIRST: Hash = [0; 32];

/// One row of the audit log.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct AuditRecord {
    /// Its place in the tenant's log, counted from 1 without gaps.
    pub seq: u64,
    /// When it happened, to the millisecond.
    pub at: DateTime<Utc>,
    /// The name of the token or operator that did it.
    pub actor: String,
    /// The request it was done in.
    pub request_id: String,
    /// What was done: `create`, `modify`, `delete`, `token.create`, `token.revoke`, `store.restore`, `audit.key`.
    pub action: String,
    /// The name of the resource type; `Token` for a token, `Store` for the whole store.
    pub resource_type: String,
    /// The id of the resource or token.
    pub resource_id: String,
    /// The version the resource has since, empty where there is none.
    pub version: String,
    /// The paths of the attributes that were changed. Values of resources are never logged. For a token: its access,
    /// when it expires, and a checksum of its row.
    pub changed: Vec<String>,
    /// The hash over this row and the hash of the row before, in hexadecimal digits.
    pub hash: String,
}

/// What happened, before it has its place in the log.
pub(crate) struct Entry<'a> {
    pub(crate) at: i64,
    pub(crate) actor: &'a str,
    pub(crate) request: &'a str,
    pub(crate) action: &'a str,
    pub(crate) resource_type: &'a str,
    pub(crate) resource_id: &'a str,
    pub(crate) version: &'a str,
    pub(crate) changed: &'a str,
}

impl<'a> Entry<'a> {
    pub(crate) fn new(
        cx: &'a Context,
        action: &'a str,
        resource_type: &'a str,
        resource_id: &'a str,
    ) -> Self {
        Self {
            at: cx.now.timestamp_millis(),
            actor: &cx.actor,
            request: &cx.request_id,
            action,
            resource_type,
            resource_id,
            version: "",
            changed: "",
        }
    }

    /// An entry about a token, at no time yet.
    pub(crate) fn of_token(action: &'a str, id: &'a str, actor: &'a str) -> Self {
        Self {
            at: 0,
            actor,
            request: "",
            action,
            resource_type: "Token",
            resource_id: id,
            version: "",
            changed: "",
        }
    }

    /// The row `audit.key`, written at the same time and in the same name as `cause`.
    pub(crate) fn of_key_change(cause: &Self, change: &'a str) -> Self {
        let Self { at, actor, request, .. } = *cause;
        let (action, resource_type) = (KeyChange::ACTION, "Store");
        Self { at, actor, request, action, resource_type, resource_id: "", version: "", changed: change }
    }

    /// A copy that owns its texts.
    pub(crate) fn to_owned(&self) -> OwnedEntry {
        let Self { at, actor, request, action, resource_type, resource_id, version, changed } = *self;
        let texts = [actor, request, action, resource_type, resource_id, version, changed];
        OwnedEntry { at, texts: texts.map(str::to_owned) }
    }

    /// Hands over all that the hash of this row covers. Every part has its length in front, so that no two rows are
    /// hashed from the same bytes.
    pub(crate) fn feed(&self, before: &Hash, seq: i64, mut to: impl FnMut(&[u8])) {
        let Self { at, actor, request, action, resource_type, resource_id, version, changed } = self;
        to(before);
        to(&seq.to_be_bytes());
        to(&at.to_be_bytes());
        for part in [actor, request, action, resource_type, resource_id, version, changed] {
            to(&(part.len() as u64).to_be_bytes());
            to(part.as_bytes());
        }
    }
}

/// What a row `audit.key` says: which key the log had before, and its head then. It is the first row that is hashed
/// with the new key, which whoever can only write the database does not have.
#[derive(Debug, Clone, Copy)]
pub(crate) struct KeyChange {
    pub(crate) from: KeyId,
    pub(crate) rows: i64,
    pub(crate) hash: Hash,
}

impl KeyChange {
    pub(crate) const ACTION: &str = "audit.key";
}

impl std::fmt::Display for KeyChange {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let from = match self.from {
            KeyId::Plain | KeyId::Own => "database",
            KeyId::External(_) | KeyId::Unknown => "file",
        };
        write!(f, "from={from}\nbefore={}:{}", self.rows, hexadecimal(&self.hash))
    }
}

/// An [`Entry`] that owns its texts.
#[derive(Debug, Clone)]
pub(crate) struct OwnedEntry {
    at: i64,
    texts: [String; 7],
}

impl OwnedEntry {
    /// Reads the columns that a hash covers, from column number `first` on.
    pub(crate) fn from_row(row: &Row<'_>, first: usize) -> Result<Self, StoreError> {
        let mut texts: [String; 7] = Default::default();
        for (column, text) in (first + 1..).zip(&mut texts) {
            *text = row.get(column)?;
        }
        Ok(Self { at: row.get(first)?, texts })
    }

    pub(crate) fn borrow(&self) -> Entry<'_> {
        let [actor, request, action, resource_type, resource_id, version, changed] = &self.texts;
        Entry { at: self.at, actor, request, action, resource_type, resource_id, version, changed }
    }
}

/// The last row of a tenant's log.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Last {
    pub(crate) seq: i64,
    pub(crate) hash: Hash,
    /// The key it was hashed with.
    pub(crate) key: KeyId,
}

impl Last {
    /// What the first row of a log is bound to.
    pub(crate) const NONE: Self = Self { seq: 0, hash: FIRST, key: KeyId::Own };
}

/// The last row of a tenant.
pub(crate) fn last(connection: &Connection, tenant: i64) -> rusqlite::Result<Last> {
    let last = connection
        .prepare_cached(
            "SELECT seq, hash, (SELECT id FROM audit_key WHERE tenant = ?1 ORDER BY seq DESC LIMIT 1) FROM audit \
             WHERE tenant = ?1 ORDER BY seq DESC LIMIT 1",
        )?
        .query_row([tenant], |row| {
            let key = row.get_ref(2)?.as_blob_or_null()?.map_or(KeyId::Own, KeyId::from_bytes);
            Ok(Last { seq: row.get(0)?, hash: row.get(1)?, key })
        })
        .optional()?;
    Ok(last.unwrap_or(Last::NONE))
}

/// All keys of a process for this database.
pub(crate) fn keyring(connection: &Connection, external: &AuditKeys) -> rusqlite::Result<Keyring> {
    let own: Option<Vec<u8>> = connection
        .query_row("SELECT value FROM secret WHERE name = 'audit'", [], |row| row.get(0))
        .optional()?;
    // Without it, rows made with it are found broken.
    Ok(Keyring::new(&own.unwrap_or_default(), external.clone()))
}

/// Refuses a process that cannot write to one of the logs.
///
/// # Errors
/// [`OpenErrorKind::AuditKey`] or [`OpenErrorKind::AuditKeyNotAdopted`].
pub(crate) fn check_keys(connection: &Connection, keys: &Keyring) -> Result<(), OpenError> {
    let tenants: Vec<i64> = connection
        .prepare("SELECT number FROM tenant")?
        .query_map([], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    for tenant in tenants {
        let last = last(connection, tenant)?;
        match keys.next(last.seq, last.key) {
            NextKey::First(_) | NextKey::Same(_) | NextKey::Newer(_) => {}
            NextKey::NotAdopted => return Err(OpenError::new(OpenErrorKind::AuditKeyNotAdopted)),
            NextKey::NotGiven => return Err(OpenError::new(OpenErrorKind::AuditKey)),
        }
    }
    Ok(())
}

fn set_key(connection: &Connection, tenant: i64, seq: i64, key: KeyId) -> rusqlite::Result<()> {
    connection
        .prepare_cached("INSERT OR REPLACE INTO audit_key (tenant, seq, id) VALUES (?1, ?2, ?3)")?
        .execute(params![tenant, seq, key.as_bytes()])?;
    Ok(())
}

/// Writes a row behind `last` and returns it as the new last one.
pub(crate) fn append(
    connection: &Connection,
    keys: &Keyring,
    tenant: i64,
    last: Last,
    entry: &Entry<'_>,
) -> Result<Last, StoreError> {
    match keys.next(last.seq, last.key) {
        NextKey::Same(key) => append_with(connection, keys, key, tenant, last, entry),
        NextKey::First(key) => {
            if key != KeyId::Own {
                set_key(connection, tenant, 1, key).map_err(store_error)?;
            }
            append_with(connection, keys, key, tenant, last, entry)
        }
        NextKey::Newer(key) => {
            let last = change_key(connection, keys, key, tenant, last, entry)?;
            append_with(connection, keys, key, tenant, last, entry)
        }
        NextKey::NotAdopted => Err(not_adopted()),
        NextKey::NotGiven => Err(unknown_key()),
    }
}

/// Begins to use another key, with a row that says so: see [`KeyChange`]. `cause` says who did it and when.
fn change_key(
    connection: &Connection,
    keys: &Keyring,
    key: KeyId,
    tenant: i64,
    last: Last,
    cause: &Entry<'_>,
) -> Result<Last, StoreError> {
    set_key(connection, tenant, last.seq + 1, key).map_err(store_error)?;
    let change = KeyChange { from: last.key, rows: last.seq, hash: last.hash }.to_string();
    append_with(connection, keys, key, tenant, last, &Entry::of_key_change(cause, &change))
}

fn append_with(
    connection: &Connection,
    keys: &Keyring,
    key: KeyId,
    tenant: i64,
    last: Last,
    entry: &Entry<'_>,
) -> Result<Last, StoreError> {
    let seq = last.seq + 1;
    let link = keys.find(key).ok_or_else(unknown_key)?;
    let hash = link.hash(&last.hash, seq, entry);
    insert(connection, tenant, seq, entry, &hash).map_err(store_error)?;
    Ok(Last { seq, hash, key })
}

/// Changes the log of a tenant to the key in use if it is hashed with the database's own key. Returns the head
/// that it had before, or `None` if there is nothing to do.
pub(crate) fn adopt_key(
    connection: &Connection,
    keys: &Keyring,
    tenant: i64,
    cause: &Entry<'_>,
) -> Result<Option<(i64, Hash)>, StoreError> {
    let last = last(connection, tenant).map_err(store_error)?;
    match keys.next(last.seq, last.key) {
        NextKey::NotAdopted => {
            change_key(connection, keys, keys.in_use(), tenant, last, cause)?;
            Ok(Some((last.seq, last.hash)))
        }
        NextKey::NotGiven => Err(unknown_key()),
        NextKey::First(_) | NextKey::Same(_) | NextKey::Newer(_) => Ok(None),
    }
}

/// The refusal of a write to a log that is not hashed with the key of this process yet.
pub(crate) fn not_adopted() -> StoreError {
    tracing::error!(
        "the audit log is hashed with the database's own key and not with that of `audit_key_file`: compare its head \
         with one that you kept, and run `scim2 audit --adopt-key`"
    );
    StoreError::unavailable("the audit log is not hashed with the key of this process")
}

/// The refusal of a write whose audit row cannot be hashed.
pub(crate) fn unknown_key() -> StoreError {
    tracing::error!(
        "the audit log is hashed with a key that was not given: set `audit_key_file` to the file that has it"
    );
    StoreError::unavailable("the audit log is hashed with a key that this process does not have")
}

fn insert(
    connection: &Connection,
    tenant: i64,
    seq: i64,
    entry: &Entry<'_>,
    hash: &Hash,
) -> rusqlite::Result<()> {
    let Entry { at, actor, request, action, resource_type, resource_id, version, changed } = entry;
    connection
        .prepare_cached(
            "INSERT INTO audit (tenant, seq, at, actor, request, action, resource_type, resource_id, version, \
             changed, hash) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
        )?
        .execute(params![
            tenant, seq, at, actor, request, action, resource_type, resource_id, version, changed, hash
        ])?;
    Ok(())
}

/// Writes a row behind the last one, outside of the writing thread.
pub(crate) fn log(
    connection: &Connection,
    keys: &Keyring,
    tenant: i64,
    entry: &Entry<'_>,
) -> Result<(), StoreError> {
    let last = last(connection, tenant).map_err(store_error)?;
    append(connection, keys, tenant, last, entry).map(|_| ())
}

/// The statement that finds the [head](read_head) of each tenant's log.
pub(crate) const HEADS: &str = "SELECT n.name, a.seq, a.hash FROM tenant n LEFT JOIN audit a \
    ON a.tenant = n.number AND a.seq = (SELECT max(l.seq) FROM audit l WHERE l.tenant = n.number) \
    ORDER BY n.number";

/// Reads a row of [`HEADS`]. `None` if the name of the tenant cannot be one.
pub(crate) fn read_head(row: &Row<'_>) -> Result<Option<AuditHead>, StoreError> {
    let Some(tenant) = TenantId::parse(row.text(0)?) else { return Ok(None) };
    let hash: Option<Vec<u8>> = row.get(2)?;
    let hash = hash.and_then(|hash| hash.try_into().ok()).unwrap_or(FIRST);
    Ok(Some(AuditHead::new(tenant, row.get::<Option<i64>>(1)?.unwrap_or_default(), &hash)))
}

pub(crate) fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
