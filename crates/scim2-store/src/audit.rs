//! The audit log: append-only rows, each bound to the one before it by a hash.

use chrono::{DateTime, Utc};
use rusqlite::{Connection, OptionalExtension, params};
use scim2_server::Context;
use sha2::{Digest, Sha256};

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
    /// Who did it.
    pub actor: String,
    /// The request it was done in.
    pub request_id: String,
    /// What was done: `create`, `modify`, `delete`, `token.create`, `token.revoke`.
    pub action: String,
    /// The name of the resource type; `Token` for a token.
    pub resource_type: String,
    /// The id of the resource or token.
    pub resource_id: String,
    /// The version the resource has since, empty where there is none.
    pub version: String,
    /// The paths of the attributes that were changed. Values are never logged.
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

    /// The hash of this row behind the one with the hash `before`.
    pub(crate) fn hash(&self, before: &Hash, seq: i64) -> Hash {
        let mut digest = Sha256::new();
        digest.update(before);
        digest.update(seq.to_be_bytes());
        digest.update(self.bytes());
        digest.finalize().into()
    }

    /// What is hashed of the row itself: every part with its length in front, so that no two rows
    /// are hashed from the same bytes.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let Self { at, actor, request, action, resource_type, resource_id, version, changed } = self;
        let parts = [actor, request, action, resource_type, resource_id, version, changed];
        let mut bytes = Vec::with_capacity(8 + parts.iter().map(|part| 8 + part.len()).sum::<usize>());
        bytes.extend(at.to_be_bytes());
        for part in parts {
            bytes.extend((part.len() as u64).to_be_bytes());
            bytes.extend(part.as_bytes());
        }
        bytes
    }
}

/// The place and hash of the last row of a tenant.
pub(crate) fn head(connection: &Connection, tenant: i64) -> rusqlite::Result<(i64, Hash)> {
    let last = connection
        .prepare_cached("SELECT seq, hash FROM audit WHERE tenant = ?1 ORDER BY seq DESC LIMIT 1")?
        .query_row([tenant], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    Ok(last.unwrap_or((0, FIRST)))
}

/// Writes a row behind `head` and returns the new head.
pub(crate) fn append(
    connection: &Connection,
    tenant: i64,
    head: (i64, Hash),
    entry: &Entry<'_>,
) -> rusqlite::Result<(i64, Hash)> {
    let seq = head.0 + 1;
    let hash = entry.hash(&head.1, seq);
    let Entry { at, actor, request, action, resource_type, resource_id, version, changed } = entry;
    connection
        .prepare_cached(
            "INSERT INTO audit (tenant, seq, at, actor, request, action, resource_type, resource_id, version, \
             changed, hash) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
        )?
        .execute(params![
            tenant, seq, at, actor, request, action, resource_type, resource_id, version, changed, hash
        ])?;
    Ok((seq, hash))
}

/// Calls `each` with the rows of a tenant behind `after`, oldest first, until it says no.
pub(crate) fn read(
    connection: &Connection,
    tenant: i64,
    after: u64,
    mut each: impl FnMut(AuditRecord) -> bool,
) -> rusqlite::Result<()> {
    let mut statement = connection.prepare_cached(
        "SELECT seq, at, actor, request, action, resource_type, resource_id, version, changed, hash FROM audit \
         WHERE tenant = ?1 AND seq > ?2 ORDER BY seq",
    )?;
    let mut rows = statement.query(params![tenant, i64::try_from(after).unwrap_or(i64::MAX)])?;
    while let Some(row) = rows.next()? {
        let hash: Hash = row.get(9)?;
        let changed: String = row.get(8)?;
        let record = AuditRecord {
            seq: row.get::<_, i64>(0)?.unsigned_abs(),
            at: DateTime::from_timestamp_millis(row.get(1)?).unwrap_or_default(),
            actor: row.get(2)?,
            request_id: row.get(3)?,
            action: row.get(4)?,
            resource_type: row.get(5)?,
            resource_id: row.get(6)?,
            version: row.get(7)?,
            changed: changed.lines().map(str::to_owned).collect(),
            hash: hash.iter().map(|byte| format!("{byte:02x}")).collect(),
        };
        if !each(record) {
            break;
        }
    }
    Ok(())
}

/// The place of the first row of a tenant that does not follow from the one before it: a row was
/// changed, removed or put in.
pub(crate) fn first_broken(connection: &Connection, tenant: i64) -> rusqlite::Result<Option<u64>> {
    let mut statement = connection.prepare_cached(
        "SELECT seq, at, actor, request, action, resource_type, resource_id, version, changed, hash FROM audit \
         WHERE tenant = ?1 ORDER BY seq",
    )?;
    let mut rows = statement.query([tenant])?;
    let (mut last, mut before) = (0, FIRST);
    while let Some(row) = rows.next()? {
        let seq: i64 = row.get(0)?;
        let text = |at: usize| row.get_ref(at)?.as_str().map_err(rusqlite::Error::from);
        let entry = Entry {
            at: row.get(1)?,
            actor: text(2)?,
            request: text(3)?,
            action: text(4)?,
            resource_type: text(5)?,
            resource_id: text(6)?,
            version: text(7)?,
            changed: text(8)?,
        };
        let hash: Hash = row.get(9)?;
        if seq != last + 1 || hash != entry.hash(&before, seq) {
            return Ok(Some((last + 1).unsigned_abs()));
        }
        (last, before) = (seq, hash);
    }
    Ok(None)
}
