//! Deletes the members of deleted groups in the background.
//!
//! Deleting the row of a group hides its members, because each query for members also looks for the group. If the
//! group has few members, they are deleted in the same transaction. Otherwise the node that deleted the group
//! deletes them in pieces. If that node stops, the next one that starts continues.

use std::sync::Weak;
use std::time::Duration;

use tokio_postgres::types::Type;

use super::Inner;
use super::connection::{Connection, Statement};
use super::fault::Fault;
use super::retry::retrying;

/// How long to wait after an error.
const PAUSE: Duration = Duration::from_secs(1);

/// Deletes the members of all deleted groups, unless another node does. Ends with the store.
pub(super) async fn sweep(store: Weak<Inner>) {
    while let Some(inner) = store.upgrade() {
        match retrying(|| async { some(&inner.pool.take().await?).await }).await {
            Ok(true) => {}
            Ok(false) => return,
            Err(fault) => {
                let error = scim2_server::StoreError::from(fault);
                tracing::warn!(%error, "members of a deleted group could not be deleted yet");
                if inner.pool.is_closed() {
                    return;
                }
                drop(inner);
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

/// Deletes one piece, in one transaction. `false` if nothing is left to do here.
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
