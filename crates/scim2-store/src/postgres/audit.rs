//! The audit log: one chain for each tenant, whichever node writes.

use chrono::DateTime;
use tokio_postgres::Row;
use tokio_postgres::types::Type;

use super::connection::{Connection, Ready, Statement};
use super::fault::{Fault, wrong};
use crate::audit::{AuditRecord, Entry, FIRST, Hash};

/// The statement that adds a row, ready.
#[derive(Debug)]
pub(crate) struct Auditing(Ready<'static>);

impl Auditing {
    pub(crate) async fn ready(connection: &Connection) -> Result<Self, Fault> {
        const LOG: Statement = Statement {
            text: "INSERT INTO audit_waiting (tenant, type, resources, at, actor, request, action, resource_type, \
                    resource_id, version, changed) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
            types: &[
                Type::INT8,
                Type::INT8,
                Type::INT8,
                Type::INT8,
                Type::TEXT,
                Type::TEXT,
                Type::TEXT,
                Type::TEXT,
                Type::TEXT,
                Type::TEXT,
                Type::TEXT,
            ],
        };
        Ok(Self(connection.ready(&LOG).await?))
    }

    /// Adds a row to the tenant's log, to be [given its place](super::chain) behind the commit; sent
    /// when first polled.
    pub(crate) async fn log(
        &self,
        connection: &Connection,
        tenant: i64,
        entry: &Entry<'_>,
    ) -> Result<(), Fault> {
        self.add(connection, tenant, (None, 0), entry).await
    }

    /// The same for a write since which there are so many more resources of a type.
    pub(crate) async fn log_count(
        &self,
        connection: &Connection,
        tenant: i64,
        (type_number, more): (i64, i64),
        entry: &Entry<'_>,
    ) -> Result<(), Fault> {
        self.add(connection, tenant, (Some(type_number), more), entry).await
    }

    async fn add(
        &self,
        connection: &Connection,
        tenant: i64,
        (type_number, more): (Option<i64>, i64),
        entry: &Entry<'_>,
    ) -> Result<(), Fault> {
        // No text of PostgreSQL holds a NUL; the row is to be hashed as it is stored.
        let clean = |text: &str| text.replace('\0', "\u{fffd}");
        let [actor, request, id, changed] =
            [entry.actor, entry.request, entry.resource_id, entry.changed].map(clean);
        let Entry { at, action, resource_type, version, .. } = entry;
        connection
            .send(
                &self.0,
                &[
                    &tenant,
                    &type_number,
                    &more,
                    at,
                    &actor,
                    &request,
                    action,
                    resource_type,
                    &id,
                    version,
                    &changed,
                ],
            )
            .await?;
        Ok(())
    }
}

/// How many rows are read at once.
const PAGE: usize = 1000;

const READ: Statement = Statement {
    text: "SELECT seq, at, actor, request, action, resource_type, resource_id, version, changed, hash FROM audit \
           WHERE tenant = $1 AND seq > $2 ORDER BY seq LIMIT 1000",
    types: &[Type::INT8, Type::INT8],
};

/// Calls `each` with the rows of a tenant behind `after`, oldest first, until it says no.
pub(crate) async fn read(
    connection: &Connection,
    tenant: i64,
    after: u64,
    mut each: impl FnMut(AuditRecord) -> bool,
) -> Result<(), Fault> {
    let mut after = i64::try_from(after).unwrap_or(i64::MAX);
    loop {
        let rows = connection.query(&READ, &[&tenant, &after]).await?;
        for row in &rows {
            after = row.try_get(0)?;
            if !each(record(row)?) {
                return Ok(());
            }
        }
        if rows.len() < PAGE {
            return Ok(());
        }
    }
}

/// The columns that a hash covers, from the one with that number on.
pub(super) fn entry(row: &Row, first: usize) -> Result<Entry<'_>, Fault> {
    Ok(Entry {
        at: row.try_get(first)?,
        actor: row.try_get(first + 1)?,
        request: row.try_get(first + 2)?,
        action: row.try_get(first + 3)?,
        resource_type: row.try_get(first + 4)?,
        resource_id: row.try_get(first + 5)?,
        version: row.try_get(first + 6)?,
        changed: row.try_get(first + 7)?,
    })
}

fn record(row: &Row) -> Result<AuditRecord, Fault> {
    let changed: &str = row.try_get(8)?;
    let hash: &[u8] = row.try_get(9)?;
    Ok(AuditRecord {
        seq: row.try_get::<_, i64>(0)?.unsigned_abs(),
        at: DateTime::from_timestamp_millis(row.try_get(1)?).unwrap_or_default(),
        actor: row.try_get(2)?,
        request_id: row.try_get(3)?,
        action: row.try_get(4)?,
        resource_type: row.try_get(5)?,
        resource_id: row.try_get(6)?,
        version: row.try_get(7)?,
        changed: changed.lines().map(str::to_owned).collect(),
        hash: hash.iter().map(|byte| format!("{byte:02x}")).collect(),
    })
}

/// The place of the first row of a tenant that does not follow from the one before it: a row was
/// changed, removed or put in.
pub(crate) async fn first_broken(connection: &Connection, tenant: i64) -> Result<Option<u64>, Fault> {
    const HEAD: Statement =
        Statement { text: "SELECT seq, hash FROM audit_end WHERE tenant = $1", types: &[Type::INT8] };
    let (mut last, mut before) = (0_i64, FIRST);
    loop {
        let rows = connection.query(&READ, &[&tenant, &last]).await?;
        for row in &rows {
            let seq: i64 = row.try_get(0)?;
            let entry = entry(row, 1)?;
            let hash = entry.hash(&before, seq);
            if seq != last + 1 || row.try_get::<_, &[u8]>(9)? != hash {
                return Ok(Some((last + 1).unsigned_abs()));
            }
            (last, before) = (seq, hash);
        }
        if rows.len() < PAGE {
            break;
        }
    }
    // Rows that are missing at the end are missed by the head.
    let head = match connection.query(&HEAD, &[&tenant]).await?.first() {
        None => (0, FIRST),
        Some(row) => {
            let hash: &[u8] = row.try_get(1)?;
            (row.try_get::<_, i64>(0)?, Hash::try_from(hash).map_err(wrong)?)
        }
    };
    Ok((head != (last, before)).then_some((last + 1).unsigned_abs()))
}
