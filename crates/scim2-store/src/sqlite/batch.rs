//! State and helpers that the jobs of one transaction share.

use std::collections::HashMap;

use rusqlite::{CachedStatement, Connection, OptionalExtension, params};
use scim2_server::StoreError;

use super::writer::Fault;
use crate::audit::{Entry, Keyring, Last};
use crate::model::index::{IndexRow, TypeIndex};

/// One transaction of the writing thread.
pub(crate) struct Batch<'c> {
    connection: &'c Connection,
    keys: &'c Keyring,
    /// The last audit row of each tenant that this transaction writes to.
    last: HashMap<i64, Last>,
}

impl<'c> Batch<'c> {
    pub(crate) fn new(connection: &'c Connection, keys: &'c Keyring) -> Self {
        Self { connection, keys, last: HashMap::new() }
    }

    pub(crate) fn connection(&self) -> &'c Connection {
        self.connection
    }

    pub(crate) fn prepare(&self, sql: &str) -> Result<CachedStatement<'c>, Fault> {
        Ok(self.connection.prepare_cached(sql)?)
    }

    /// Refuses rows with a unique value that a resource other than `own` has. Must run before anything is written.
    pub(crate) fn check_unique(
        &self,
        tenant: i64,
        index: &TypeIndex,
        rows: &[IndexRow],
        own: Option<i64>,
    ) -> Result<(), Fault> {
        let mut unique = rows.iter().filter(|row| row.unique).peekable();
        if unique.peek().is_none() {
            return Ok(());
        }
        let mut taken = self.prepare(
            "SELECT pk FROM attribute WHERE tenant = ?1 AND path = ?2 AND value = ?3 AND uniq = 1",
        )?;
        for row in unique {
            let holder: Option<i64> =
                taken.query_row(params![tenant, row.path, row.value], |row| row.get(0)).optional()?;
            if holder.is_some_and(|holder| Some(holder) != own) {
                return Err(Fault::Refused(StoreError::uniqueness(index.spelling(row.path))));
            }
        }
        Ok(())
    }

    pub(crate) fn add_rows(&self, tenant: i64, pk: i64, rows: &[IndexRow]) -> Result<(), Fault> {
        let mut add = self.prepare(
            "INSERT INTO attribute (tenant, path, value, pk, element, uniq) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?;
        for IndexRow { path, value, element, unique } in rows {
            add.execute(params![tenant, path, value, pk, element, unique.then_some(1)])?;
        }
        Ok(())
    }

    pub(crate) fn remove_rows(&self, tenant: i64, pk: i64, rows: &[IndexRow]) -> Result<(), Fault> {
        let mut remove = self.prepare(
            "DELETE FROM attribute WHERE tenant = ?1 AND path = ?2 AND value = ?3 AND pk = ?4 AND element = ?5",
        )?;
        for IndexRow { path, value, element, unique: _ } in rows {
            remove.execute(params![tenant, path, value, pk, element])?;
        }
        Ok(())
    }

    /// Adds a row to the tenant's audit log.
    pub(crate) fn audit(&mut self, tenant: i64, entry: &Entry<'_>) -> Result<(), Fault> {
        let last = match self.last.get(&tenant) {
            Some(last) => *last,
            None => crate::audit::last(self.connection, tenant)?,
        };
        let last =
            crate::audit::append(self.connection, self.keys, tenant, last, entry).map_err(Fault::Broken)?;
        self.last.insert(tenant, last);
        Ok(())
    }
}
