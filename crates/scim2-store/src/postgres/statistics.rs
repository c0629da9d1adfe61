//! Keeps the statistics of the tables, which the planner needs.
//!
//! A new or restored database has no statistics until autovacuum runs. A plan for empty tables reads all of a full
//! table. So each node regularly checks whether a table has more than doubled since it was analyzed, and analyzes
//! it again.

use std::sync::Weak;
use std::time::Duration;

use super::Inner;
use super::connection::{Connection, Statement};
use super::fault::Fault;
use super::lock::Lock;

/// How often a node checks whether the tables have grown.
const LOOK: Duration = Duration::from_secs(10);

/// Keeps the statistics, unless another node does. Ends with the store.
pub(super) async fn keep(store: Weak<Inner>) {
    while let Some(inner) = store.upgrade() {
        let renewed = async { renew(&inner.pool.take().await?.patient()).await };
        match renewed.await {
            Ok(tables) if tables.is_empty() => {}
            Ok(tables) => tracing::debug!(?tables, "grown tables were analyzed"),
            Err(_) if inner.pool.is_closed() => return,
            Err(fault) => {
                let error = scim2_server::StoreError::from(fault);
                tracing::warn!(%error, "grown tables could not be analyzed");
            }
        }
        drop(inner);
        tokio::time::sleep(LOOK).await;
    }
}

/// Analyzes the tables that [have grown](grown), in one transaction, and returns their names.
async fn renew(connection: &Connection) -> Result<Vec<String>, Fault> {
    // Usually there is nothing to do, and a read-only database must not be asked to write.
    if grown(connection).await?.is_empty() {
        return Ok(Vec::new());
    }
    connection.begin().await?;
    let tables =
        if Lock::Statistics.attempt(connection).await? { grown(connection).await? } else { Vec::new() };
    for table in &tables {
        // Safe to interpolate: `grown` returns four fixed table names. SKIP_LOCKED leaves locked tables for the
        // next pass.
        connection.simple(&format!("ANALYZE (SKIP_LOCKED) {table}")).await?;
    }
    connection.commit().await?;
    Ok(tables)
}

/// The tables with more inserted or changed rows since the last ANALYZE than rows at that time. Small tables need
/// no statistics, except `type`: the planner must know that there are few types. Otherwise it prefers reading all
/// resources to looking an id up in each type.
async fn grown(connection: &Connection) -> Result<Vec<String>, Fault> {
    // `reltuples` is -1 before the first ANALYZE.
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
