//! The advisory locks of this engine, which nodes of one database share: all of their numbers stand here.

use super::connection::{Connection, Statement};
use super::fault::Fault;
use tokio_postgres::types::Type;

/// The first number of locks that exclude writers: `SCIM`.
const OF_RESOURCES: i32 = 0x5343_494d;

/// The first number of locks that exclude nothing but their own kind of work.
const OF_CHORES: i32 = OF_RESOURCES + 1;

/// An advisory lock, which a transaction holds until its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lock {
    /// The tables are made or changed.
    Layout,
    /// The resources of the type with this number: shared by those that write them, alone for who changes
    /// how they are indexed.
    Resources(i64),
    /// The index of the type with this number is backfilled or cleaned up, by one node.
    Backfill(i64),
    /// A token is created: no two have the same hash.
    Tokens,
    /// The tables are analyzed, by one node.
    Statistics,
}

impl Lock {
    /// Its two numbers, which no other lock has. Those of [`Layout`](Self::Layout), [`Resources`](Self::Resources)
    /// and [`Backfill`](Self::Backfill) never change: during an upgrade, nodes of two versions share them.
    fn numbers(self) -> (i32, i32) {
        // Types are few: their numbers are small, and begin at 1.
        let small = |number: i64| i32::try_from(number).unwrap_or(i32::MAX);
        match self {
            Self::Layout => (OF_RESOURCES, 0),
            Self::Resources(number) => (OF_RESOURCES, small(number)),
            Self::Backfill(number) => (OF_RESOURCES, -small(number)),
            Self::Tokens => (OF_CHORES, 1),
            Self::Statistics => (OF_CHORES, 2),
        }
    }

    /// The statement that waits for it and holds it alone.
    pub(crate) fn alone(self) -> String {
        let (kind, number) = self.numbers();
        format!("SELECT pg_advisory_xact_lock({kind}, {number})")
    }

    /// The statement that waits for it and shares it with others that do.
    pub(crate) fn shared(self) -> String {
        let (kind, number) = self.numbers();
        format!("SELECT pg_advisory_xact_lock_shared({kind}, {number})")
    }

    /// Takes it for the transaction under way if nobody holds it, and says whether it did.
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
