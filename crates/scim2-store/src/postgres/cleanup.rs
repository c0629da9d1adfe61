//! Taking away what a deleted group leaves, beside everything else.
//!
//! The group is gone with its row: what finds members looks for that too. Of its members as many go
//! with it as take no time; the others go some at a time, by the node that deleted the group or, if
//! that stops, by the next one that starts.

use std::sync::Weak;
use std::time::Duration;

use tokio_postgres::types::Type;

use super::Inner;
use super::connection::{Connection, Statement};
use super::fault::Fault;
use super::retry::retrying;

/// How long to wait after the database has refused.
const PAUSE: Duration = Duration::from_secs(1);

/// Takes away the members of all groups that are gone, unless another node is at it. Ends with the
/// store.
pub(super) async fn sweep(store: Weak<Inner>) {
    while let Some(inner) = store.upgrade() {
        match retrying(|| async { some(&inner.pool.take().await?).await }).await {
            Ok(true) => {}
            Ok(false) => return,
            Err(fault) => {
                let error = scim2_server::StoreError::from(fault);
                tracing::warn!(%error, "the members of a deleted group are not all taken away yet");
                if inner.pool.is_closed() {
                    return;
                }
                drop(inner);
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

/// Takes some members away, in one transaction; `false` if there is nothing left to do here.
async fn some(connection: &Connection) -> Result<bool, Fault> {
    const NEXT: Statement = Statement {
        text: "SELECT tenant, pk FROM pending_deletion ORDER BY tenant, pk LIMIT 1 FOR UPDATE SKIP LOCKED",
        types: &[],
    };
    const TAKE: Statement = Statement {
        text: "WITH some AS ( \
                DELETE FROM member WHERE tenant = $1 AND group_pk = $2 AND (added, member_pk) IN \
                 (SELECT added, member_pk FROM member WHERE tenant = $1 AND group_pk = $2 \
                  ORDER BY added, member_pk LIMIT 1000) RETURNING 1 \
               ) SELECT count(*) FROM some",
        types: &[Type::INT8, Type::INT8],
    };
    const DONE: Statement = Statement {
        text: "DELETE FROM pending_deletion WHERE tenant = $1 AND pk = $2",
        types: &[Type::INT8, Type::INT8],
    };
    connection.begin().await?;
    let next = connection.query(&NEXT, &[]).await?;
    if let Some(row) = next.first() {
        let (tenant, pk): (i64, i64) = (row.try_get(0)?, row.try_get(1)?);
        let taken = connection.query(&TAKE, &[&tenant, &pk]).await?;
        let taken: i64 = taken.first().map_or(Ok(0), |row| row.try_get(0))?;
        if taken == 0 {
            connection.query(&DONE, &[&tenant, &pk]).await?;
        }
    }
    connection.commit().await?;
    Ok(!next.is_empty())
}
