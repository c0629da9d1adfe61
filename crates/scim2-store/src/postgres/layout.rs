//! The tables, and how a database with an older layout is migrated.

use super::connection::{Connection, Statement};
use super::fault::Fault;
use super::lock::Lock;
use crate::error::{OpenError, OpenErrorKind};

/// The steps from one layout to the next. A released step never changes.
const STEPS: &[&str] = &[
    include_str!("layout/1.sql"),
    include_str!("layout/2.sql"),
    include_str!("layout/3.sql"),
    include_str!("layout/4.sql"),
    include_str!("layout/5.sql"),
];

/// Creates the triggers of the layout, or creates them again.
pub(crate) const TRIGGERS: &str = include_str!("layout/triggers.sql");

/// The newest layout, the only one that this program reads and writes.
pub(crate) const NEWEST: i64 = STEPS.len() as i64;

/// Creates the tables, or migrates those of an older layout, in one transaction.
pub(crate) async fn migrate(connection: &Connection) -> Result<(), OpenError> {
    if version(connection).await? == NEWEST {
        return Ok(());
    }
    // If many nodes come here at once, one migrates and the others find nothing to do.
    connection
        .begin_with(&format!("BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; {}", Lock::Layout.alone()))
        .await?;
    let from = version(connection).await?;
    for (number, step) in (1_i64..).zip(STEPS).filter(|(number, _)| *number > from) {
        if number == 1 {
            connection
                .simple("CREATE TABLE schema_version (version bigint PRIMARY KEY, applied bigint NOT NULL)")
                .await?;
        }
        connection.simple(step).await?;
        connection
            .simple(&format!(
                "INSERT INTO schema_version (version, applied) VALUES ({number}, extract(epoch FROM now()))"
            ))
            .await?;
    }
    connection.simple(TRIGGERS).await?;
    connection.commit().await?;
    Ok(())
}

/// The layout of a database; 0 if it has none of our tables.
async fn version(connection: &Connection) -> Result<i64, OpenError> {
    // Refuse a database whose tables of these names are not ours. The names are looked up in the catalog: a session
    // caches that a table does not exist, even while it waits for the node that creates it.
    const TABLES: Statement = Statement {
        text: "SELECT count(*) FILTER (WHERE c.relname = 'schema_version'), \
                count(*) FILTER (WHERE c.relname <> 'schema_version') \
               FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
               WHERE n.nspname = ANY (current_schemas(FALSE)) AND c.relname IN ('schema_version', 'tenant', \
                'type', 'path', 'resource', 'attribute', 'member', 'token', 'audit')",
        types: &[],
    };
    const VERSION: Statement = Statement { text: "SELECT max(version) FROM schema_version", types: &[] };
    let rows = connection.query(&TABLES, &[]).await?;
    let Some(row) = rows.first() else { return Ok(0) };
    let tables = (row.try_get::<_, i64>(0), row.try_get::<_, i64>(1));
    let (Ok(versioned), Ok(tables)) = tables else {
        return Err(OpenError::new(OpenErrorKind::NotOurs));
    };
    match (versioned, tables) {
        (0, 0) => return Ok(0),
        (1, 8) => {}
        _ => return Err(OpenError::new(OpenErrorKind::NotOurs)),
    }
    let rows = connection.query(&VERSION, &[]).await?;
    let version: Option<i64> = match rows.first().map(|row| row.try_get(0)) {
        Some(Ok(version)) => version,
        _ => return Err(OpenError::new(OpenErrorKind::NotOurs)),
    };
    match version {
        Some(version) if version > NEWEST => Err(OpenError::new(OpenErrorKind::Newer)),
        Some(version) => Ok(version),
        None => Err(Fault::from(scim2_server::StoreError::unavailable("the layout is being made")).into()),
    }
}
