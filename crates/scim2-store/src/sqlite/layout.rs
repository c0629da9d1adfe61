//! The tables, and how a database with an older layout is migrated.

use std::collections::BTreeMap;

use rusqlite::{Connection, TransactionBehavior};

use crate::error::{OpenError, OpenErrorKind};

/// The `application_id` that marks a SQLite file as ours: `SCIM`.
pub(crate) const APPLICATION_ID: i32 = 0x5343_494d;

/// The steps from one layout to the next. A released step never changes.
const STEPS: &[&str] = &[
    include_str!("layout/1.sql"),
    include_str!("layout/2.sql"),
    include_str!("layout/3.sql"),
    include_str!("layout/4.sql"),
];

/// The newest layout, the only one that this program reads and writes.
pub(crate) const NEWEST: i64 = STEPS.len() as i64;

/// Creates the tables, or migrates those of an older layout, in one transaction.
pub(crate) fn migrate(connection: &mut Connection) -> Result<(), OpenError> {
    if version(connection)? == NEWEST {
        return Ok(());
    }
    // If two processes come here at once, the second one waits and finds nothing to do.
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let from = version(&transaction)?;
    for (number, step) in (1_i64..).zip(STEPS).filter(|(number, _)| *number > from) {
        transaction.execute_batch(step)?;
        transaction
            .execute("INSERT INTO schema_version (version, applied) VALUES (?1, unixepoch())", [number])?;
    }
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    transaction.pragma_update(None, "user_version", NEWEST)?;
    transaction.commit()?;
    Ok(())
}

/// The layout of a database; 0 if the database is new and empty.
pub(crate) fn version(connection: &Connection) -> Result<i64, OpenError> {
    let number = |pragma: &str| connection.pragma_query_value(None, pragma, |row| row.get::<_, i64>(0));
    let (application, version) = (number("application_id")?, number("user_version")?);
    let tables: i64 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    match (application, version) {
        (0, 0) if tables == 0 => Ok(0),
        (id, _) if id != i64::from(APPLICATION_ID) => Err(OpenError::new(OpenErrorKind::NotOurs)),
        (_, version) if version > NEWEST => Err(OpenError::new(OpenErrorKind::Newer)),
        (_, version) => Ok(version),
    }
}

/// What guards the tables: a trigger or an index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Guard {
    Index,
    Trigger,
}

impl Guard {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Index => "index",
            Self::Trigger => "trigger",
        }
    }
}

/// The triggers and indexes of the newest layout: their names and the statements that make them.
pub(crate) fn guards() -> rusqlite::Result<BTreeMap<(Guard, String), String>> {
    let connection = Connection::open_in_memory()?;
    STEPS.iter().try_for_each(|step| connection.execute_batch(step))?;
    guards_of(&connection)
}

/// The triggers and indexes of a database, except the indexes that SQLite makes for primary keys.
pub(crate) fn guards_of(connection: &Connection) -> rusqlite::Result<BTreeMap<(Guard, String), String>> {
    connection
        .prepare(
            "SELECT type = 'trigger', name, sql FROM sqlite_schema \
             WHERE type IN ('index', 'trigger') AND sql IS NOT NULL",
        )?
        .query_map([], |row| {
            let guard = if row.get(0)? { Guard::Trigger } else { Guard::Index };
            Ok(((guard, row.get(1)?), row.get(2)?))
        })?
        .collect()
}

/// The layout as the table `schema_version` has it, which says more than `user_version`: every step that was taken.
pub(crate) fn steps_taken(connection: &Connection) -> rusqlite::Result<Vec<i64>> {
    connection
        .prepare("SELECT version FROM schema_version ORDER BY version")?
        .query_map([], |row| row.get(0))?
        .collect()
}
