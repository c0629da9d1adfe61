//! The audit log: one chain for each tenant, whichever node writes.

use tokio_postgres::Row;
use tokio_postgres::types::Type;

use super::connection::{Connection, Ready, Statement};
use super::fault::{Fault, wrong};
use crate::audit::{Entry, FIRST, Hash, KeyId, Keyring, NextKey};

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

/// Adds one row to a tenant's log.
pub(crate) async fn log(connection: &Connection, tenant: i64, entry: &Entry<'_>) -> Result<(), Fault> {
    Auditing::ready(connection).await?.log(connection, tenant, entry).await
}

/// How many rows are read at once.
const PAGE: usize = 1000;

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

/// Calls `each` with every row of a tenant that has no place in the log yet, in the order they were written.
pub(crate) async fn each_waiting(
    connection: &Connection,
    tenant: i64,
    mut each: impl FnMut(&Entry<'_>),
) -> Result<(), Fault> {
    const WAITING: Statement = Statement {
        text: "SELECT number, at, actor, request, action, resource_type, resource_id, version, changed \
               FROM audit_waiting WHERE tenant = $1 AND number > $2 ORDER BY number LIMIT 1000",
        types: &[Type::INT8, Type::INT8],
    };
    let mut last = i64::MIN;
    loop {
        let rows = connection.query(&WAITING, &[&tenant, &last]).await?;
        for row in &rows {
            last = row.try_get(0)?;
            each(&entry(row, 1)?);
        }
        if rows.len() < PAGE {
            return Ok(());
        }
    }
}

/// The place and hash of the last row of a tenant, as the table of last rows has them.
pub(crate) async fn last(connection: &Connection, tenant: i64) -> Result<(i64, Hash), Fault> {
    const LAST: Statement =
        Statement { text: "SELECT seq, hash FROM audit_last WHERE tenant = $1", types: &[Type::INT8] };
    match connection.query(&LAST, &[&tenant]).await?.first() {
        None => Ok((0, FIRST)),
        Some(row) => {
            let hash: &[u8] = row.try_get(1)?;
            Ok((row.try_get::<_, i64>(0)?, Hash::try_from(hash).map_err(wrong)?))
        }
    }
}

/// All keys of a process for this database.
pub(crate) async fn keyring(connection: &Connection) -> Result<Keyring, Fault> {
    const OWN: Statement = Statement { text: "SELECT value FROM secret WHERE name = 'audit'", types: &[] };
    let rows = connection.query(&OWN, &[]).await?;
    // Without it, rows made with it are found broken.
    let own: Option<&[u8]> = rows.first().map(|row| row.try_get(0)).transpose()?;
    Ok(Keyring::new(own.unwrap_or_default(), connection.audit_keys().clone()))
}

/// Refuses a node that does not have the key of a log: it could not add to it.
pub(crate) async fn check_keys(connection: &Connection) -> Result<(), Fault> {
    const LAST: Statement =
        Statement { text: "SELECT DISTINCT key FROM audit_last WHERE seq > 0", types: &[] };
    let keys = keyring(connection).await?;
    for row in connection.query(&LAST, &[]).await? {
        match keys.next(1, KeyId::from_bytes(row.try_get(0)?)) {
            NextKey::First(_) | NextKey::Same(_) | NextKey::Newer(_) => {}
            NextKey::NotAdopted => return Err(Fault::KeyNotAdopted),
            NextKey::NotGiven => return Err(Fault::UnknownKey),
        }
    }
    Ok(())
}
