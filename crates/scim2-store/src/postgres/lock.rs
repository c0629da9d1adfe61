//! The advisory locks that the nodes of one database share. All their numbers are defined here.

use super::connection::{Connection, Statement};
use super::fault::Fault;
use tokio_postgres::types::Type;

/// The first number of locks that exclude writes: `SCIM`.
const OF_RESOURCES: i32 = 0x5343_494d;

/// The first number of locks for background work.
const OF_CHORES: i32 = OF_RESOURCES + 1;

/// An advisory lock. A transaction holds it until its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lock {
    /// Creating and migrating tables.
    Layout,
    /// The resources of the type with this number. Writes share it; a change of the indexed paths holds it
    /// exclusively.
    Resources(i64),
    /// Backfill and cleanup of the index of the type with this number, by one node.
    Backfill(i64),
    /// Creating a token, because no two tokens may have the same hash.
    Tokens,
    /// Analyzing the tables, by one node.
    Statistics,
}

impl Lock {
    /// The two numbers of the lock. Those of [`Layout`](Self::Layout), [`Resources`](Self::Resources) and
    /// [`Backfill`](Self::Backfill) must never change, because nodes of two versions share them during an upgrade.
    fn numbers(self) -> (i32, i32) {
        // There are few types, numbered from 1.
        let small = |number: i64| i32::try_from(number).unwrap_or(i32::MAX);
        match self {
            Self::Layout => (OF_RESOURCES, 0),
            Self::Resources(number) => (OF_RESOURCES, small(number)),
            Self::Backfill(number) => (OF_RESOURCES, -small(number)),
            Self::Tokens => (OF_CHORES, 1),
            Self::Statistics => (OF_CHORES, 2),
        }
    }

    /// The statement that waits for the lock and holds it exclusively.
    pub(crate) fn alone(self) -> String {
        let (kind, number) = self.numbers();
        format!("SELECT pg_advisory_xact_lock({kind}, {number})")
    }

    /// The statement that waits for the lock and shares it.
    pub(crate) fn shared(self) -> String {
        let (kind, number) = self.numbers();
        format!("SELECT pg_advisory_xact_lock_shared({kind}, {number})")
    }

    /// Takes the lock for the current transaction if it is free. `false` if it is not.
    pub(crate) async fn attempt(self, connection: &Connection) -> Result<bool, Fault> {
        const ATTEMPT: Statement =
            Statement { text: "SELECT pg_try_advisory_xact_lock($1, $2)", types: &[Type::INT4, Type::INT4] };
        let (kind, number) = self.numbers();
        let rows = connection.query(&ATTEMPT, &[&kind, &number]).await?;
        Ok(rows.first().map_or(Ok(false), |row| row.try_get(0))?)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn no_two_locks_have_the_same_numbers() {
        let mut locks = vec![Lock::Layout, Lock::Tokens, Lock::Statistics];
        for number in [1, 2, 3, 100, i64::from(i32::MAX) - 1] {
            locks.extend([Lock::Resources(number), Lock::Backfill(number)]);
        }
        let numbers: HashSet<(i32, i32)> = locks.iter().map(|lock| lock.numbers()).collect();
        assert_eq!(numbers.len(), locks.len(), "{locks:?}");
    }
}
