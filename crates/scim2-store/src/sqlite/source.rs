//! Rows of a SQLite snapshot for the query runner.

use std::cell::RefCell;
use std::collections::HashMap;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use rusqlite::{CachedStatement, Connection, Statement, params, params_from_iter};
use scim2_server::StoreError;
use scim2_server::store::{Include, StoredResource};

use super::budget::Budget;
use super::groups::Groups;
use super::read;
use crate::dialect::Dialect;
use crate::error::store_error;
use crate::model::index::TypeIndex;
use crate::model::key::OPAQUE;
use crate::model::row::Found;
use crate::query::{Hit, RowSource, Scan, TargetQuery, Visitor};
use crate::spool::MAX_INLINE_MEMBERS;
use crate::sql::Sql;

/// One snapshot, read by one connection within a budget. Each of its futures is ready when it is first polled.
pub(crate) struct SqliteRows<'c> {
    connection: &'c Connection,
    budget: &'c Budget,
    /// Groups that were read in this snapshot.
    groups: RefCell<Groups<'c>>,
}

/// The value of a future that waits for nothing.
pub(crate) fn now<T>(future: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(result) => result,
        Poll::Pending => Err(StoreError::internal("a read of SQLite waited for something")),
    }
}

impl<'c> SqliteRows<'c> {
    pub(crate) fn new(connection: &'c Connection, budget: &'c Budget, groups: Groups<'c>) -> Self {
        Self { connection, budget, groups: RefCell::new(groups) }
    }

    /// The groups that were read in this snapshot.
    pub(crate) fn into_groups(self) -> Groups<'c> {
        self.groups.into_inner()
    }

    fn prepare(&self, sql: &Sql) -> Result<Prepared<'c>, StoreError> {
        /// A longer statement is hardly ever asked twice, so it is not kept.
        const MAX_CACHED_LENGTH: usize = 4096;
        if sql.text.len() > MAX_CACHED_LENGTH {
            self.connection.prepare(&sql.text).map(Prepared::Once).map_err(store_error)
        } else {
            self.connection.prepare_cached(&sql.text).map(Prepared::Cached).map_err(store_error)
        }
    }

    fn stored(
        &self,
        found: Found,
        index: &TypeIndex,
        include: Include,
        max_members: usize,
    ) -> Result<StoredResource, StoreError> {
        /// Copying this many bytes of a body takes as long as evaluating one.
        const COPIED_PER_EVALUATED: u64 = 8;
        self.budget.spend_bytes(found.body.len() as u64 / COPIED_PER_EVALUATED)?;
        let mut groups = self.groups.try_borrow_mut().map_err(StoreError::internal)?;
        read::stored_up_to(found, self.connection, &mut groups, index, include, max_members)
            .map_err(store_error)
    }
}

impl RowSource for SqliteRows<'_> {
    type Error = StoreError;
    type Page = ();

    const DIALECT: Dialect = Dialect::Sqlite;
    const INLINE_SNAPSHOT: bool = true;
    // Counting so many takes some milliseconds.
    const MAX_COMPARED: u64 = 100_000;
    const MAX_SKIPPED_WITH_ROWS: Option<u64> = None;
    const MAX_KEPT_BODY: usize = 64 << 10;

    fn has_opaque(&self, path: i64) -> Result<Option<bool>, StoreError> {
        let tenant = self.groups.try_borrow().map_err(StoreError::internal)?.tenant;
        self.connection
            .prepare_cached("SELECT 1 FROM attribute WHERE tenant = ?1 AND path = ?2 AND value >= ?3 LIMIT 1")
            .and_then(|mut statement| statement.exists(params![tenant, path, [OPAQUE]]))
            .map(Some)
            .map_err(store_error)
    }

    async fn opaque_paths(&self, paths: Vec<i64>) -> Result<HashMap<i64, bool>, StoreError> {
        paths.into_iter().map(|path| Ok((path, self.has_opaque(path)?.unwrap_or(true)))).collect()
    }

    async fn smallest(&self, sql: &Sql) -> Result<(u64, usize), StoreError> {
        let mut statement = self.prepare(sql)?;
        let statement = statement.as_mut();
        let columns = statement.column_count();
        statement
            .query_row(params_from_iter(&sql.params), |row| {
                let mut smallest = (u64::MAX, 0);
                for column in 0..columns {
                    smallest = smallest.min((row.get::<_, i64>(column)?.unsigned_abs(), column));
                }
                Ok(smallest)
            })
            .map_err(store_error)
    }

    async fn each_row(&self, sql: &Sql, scan: Scan, visitor: &mut impl Visitor) -> Result<bool, StoreError> {
        let mut statement = self.prepare(sql)?;
        let mut rows = statement.as_mut().query(params_from_iter(&sql.params)).map_err(store_error)?;
        let mut count = 0;
        while let Some(row) = rows.next().map_err(store_error)? {
            count += 1;
            if scan.max_rows.is_some_and(|most| count > most) {
                return Ok(false);
            }
            let found = read::found(row).map_err(store_error)?;
            self.budget.spend_bytes(visitor.work(&found))?;
            visitor.row(found, |found, index, include| self.stored(found, index, include, usize::MAX))?;
        }
        Ok(true)
    }

    async fn each_id(&self, sql: &Sql, visitor: &mut impl Visitor) -> Result<(), StoreError> {
        let mut statement = self.prepare(sql)?;
        let mut rows = statement.as_mut().query(params_from_iter(&sql.params)).map_err(store_error)?;
        while let Some(row) = rows.next().map_err(store_error)? {
            let id = read::id(row, 1).map_err(store_error)?;
            visitor.id(row.get(0).map_err(store_error)?, id)?;
        }
        Ok(())
    }

    async fn hits(&self, sql: Sql, _: bool, _: Option<u64>) -> Result<Vec<Hit>, StoreError> {
        let mut statement = self.prepare(&sql)?;
        let rows = statement.as_mut().query_map(params_from_iter(&sql.params), |row| {
            Ok(Hit { pk: row.get(0)?, target: 0, found: None })
        });
        rows.and_then(Iterator::collect).map_err(store_error)
    }

    async fn begin_page<H: AsRef<Hit>>(
        &self,
        _: &[H],
        _: &[TargetQuery<'_, '_, Self>],
    ) -> Result<(), StoreError> {
        // Each resource is read when its turn comes, and only as long as the page has room.
        Ok(())
    }

    fn resource(
        &self,
        (): &mut (),
        hit: &mut Hit,
        target: &TargetQuery<'_, '_, Self>,
    ) -> Result<Option<StoredResource>, StoreError> {
        let found = match hit.found.take() {
            Some(found) => Some(*found),
            None => read::by_pk(self.connection, hit.pk).map_err(store_error)?,
        };
        found.map(|found| self.stored(found, target.index, target.include(), MAX_INLINE_MEMBERS)).transpose()
    }
}

/// A statement that is kept or not.
enum Prepared<'c> {
    Cached(CachedStatement<'c>),
    Once(Statement<'c>),
}

impl<'c> Prepared<'c> {
    fn as_mut(&mut self) -> &mut Statement<'c> {
        match self {
            Self::Cached(statement) => statement,
            Self::Once(statement) => statement,
        }
    }
}
