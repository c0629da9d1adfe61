//! Statistics of the tables, without which the database plans blindly.
//!
//! A database that requests fill has none until autovacuum comes by, and a restored one neither. What
//! was planned for empty tables reads all of a full one. So each node looks now and then whether a
//! table has more than doubled since it was looked at, and has it looked at again.

use std::sync::Weak;
use std::time::Duration;

use super::Inner;
use super::connection::{Connection, Statement};
use super::fault::Fault;
use super::lock::Lock;

/// How often a node looks whether the tables have grown.
const LOOK: Duration = Duration::from_secs(10);

/// Keeps the statistics, unless another node is at it. Ends with the store.
pub(super) async fn keep(store: Weak<Inner>) {
    while let Some(inner) = store.upgrade() {
        let renewed = async { renew(&inner.pool.take().await?.patient()).await };
        match renewed.await {
            Ok(tables) if tables.is_empty() => {}
            Ok(tables) => tracing::debug!(?tables, "tables that have grown were analysed"),
            Err(_) if inner.pool.is_closed() => return,
            Err(fault) => {
                let error = scim2_server::StoreError::from(fault);
                tracing::warn!(%error, "tables that may have grown were not analysed");
            }
        }
        drop(inner);
        tokio::time::sleep(LOOK).await;
    }
}

/// Analyses the tables that [have grown](grown), in one transaction; their names.
async fn renew(connection: &Connection) -> Result<Vec<String>, Fault> {
    // Mostly there is nothing to do, and a database that only reads must not be asked to write.
    if grown(connection).await?.is_empty() {
        return Ok(Vec::new());
    }
    connection.begin().await?;
    let tables =
        if Lock::Statistics.attempt(connection).await? { grown(connection).await? } else { Vec::new() };
    for table in &tables {
        // Their names are four that need no quoting. One that is being changed otherwise comes later.
        connection.simple(&format!("ANALYZE (SKIP_LOCKED) {table}")).await?;
    }
    connection.commit().await?;
    Ok(tables)
}

/// The names of the tables of which more rows came or changed since the last time than there were then.
/// A small one is read as quickly without statistics; but that there are few types must be known, since
/// otherwise a look-up of one id in each of them seems to cost more than reading all resources.
async fn grown(connection: &Connection) -> Result<Vec<String>, Fault> {
    // How many rows a table has is -1 before the first time.
    const GROWN: Statement = Statement {
        text: "SELECT c.relname::text FROM pg_catalog.pg_class c \
               JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
               WHERE n.nspname = ANY (current_schemas(FALSE)) \
                AND (c.relname IN ('resource', 'attribute', 'member') \
                  AND pg_catalog.pg_stat_get_mod_since_analyze(c.oid) > 1000 + greatest(c.reltuples, 0) \
                 OR c.relname = 'type' AND c.reltuples < 0)",
        types: &[],
    };
    connection.query(&GROWN, &[]).await?.iter().map(|row| Ok(row.try_get(0)?)).collect()
}
