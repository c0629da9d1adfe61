//! Reading the audit log.

use chrono::{DateTime, Utc};
use scim2_server::TenantId;

use super::engine::AnySession;
use super::tenants;
use crate::audit::{AuditHead, AuditRecord, Entry, HEADS, hexadecimal, read_head};
use crate::session::{Fault, Session as _, Transaction};
use crate::sql::{Sql, integer};

/// Calls `each` with the rows of a tenant behind `after`, oldest first, until it returns `false`.
pub(super) async fn read(
    session: &mut AnySession,
    tenant: i64,
    after: u64,
    mut each: impl FnMut(AuditRecord) -> bool,
) -> Result<(), Fault> {
    let mut after = i64::try_from(after).unwrap_or(i64::MAX);
    loop {
        let next = Sql::new(
            "SELECT seq, at, actor, request, action, resource_type, resource_id, version, changed, hash FROM audit \
             WHERE tenant = ? AND seq > ? ORDER BY seq LIMIT 1000",
            [integer(tenant), integer(after)],
        );
        let page = session
            .page(next, |row| {
                Ok(AuditRecord {
                    seq: row.get::<i64>(0)?.unsigned_abs(),
                    at: DateTime::from_timestamp_millis(row.get(1)?).unwrap_or_default(),
                    actor: row.get(2)?,
                    request_id: row.get(3)?,
                    action: row.get(4)?,
                    resource_type: row.get(5)?,
                    resource_id: row.get(6)?,
                    version: row.get(7)?,
                    changed: row.text(8)?.lines().map(str::to_owned).collect(),
                    hash: hexadecimal(row.bytes(9)?),
                })
            })
            .await?;
        let Some(last) = page.last() else { return Ok(()) };
        after = i64::try_from(last.seq).unwrap_or(i64::MAX);
        if !page.into_iter().all(&mut each) {
            return Ok(());
        }
    }
}

/// The head of each tenant's log.
pub(super) async fn heads(session: &mut AnySession) -> Result<Vec<AuditHead>, Fault> {
    let heads = session.rows(Sql::new(HEADS, []), read_head).await?;
    Ok(heads.into_iter().flatten().collect())
}

/// Changes each log that is hashed with the database's own key to the key in use. Returns the heads from before.
pub(super) async fn adopt_key(
    session: &mut AnySession,
    actor: &str,
    request: &str,
    now: DateTime<Utc>,
) -> Result<Vec<AuditHead>, Fault> {
    session.begin(Transaction::Write).await?;
    let mut heads = Vec::new();
    for (tenant, name) in tenants::list(session).await? {
        let cause = Entry { at: now.timestamp_millis(), request, ..Entry::of_token("", "", actor) };
        let adopted = session.adopt_key(tenant, &cause).await?;
        if let (Some((rows, hash)), Some(name)) = (adopted, TenantId::parse(&name)) {
            heads.push(AuditHead::new(name, rows, &hash));
        }
    }
    session.commit().await?;
    Ok(heads)
}
