//! Reads the rows of a statement in batches.

use tokio_postgres::Row;

use super::connection::{Connection, Ready};
use super::fault::Fault;
use crate::sql::Sql;

/// How many rows are fetched at once.
pub(crate) const FETCHED: usize = 500;

/// A cursor, in a transaction that has no other one. It is closed at its end, or with the transaction.
#[derive(Debug)]
pub(crate) struct Cursor<'c> {
    connection: &'c Connection,
    at_end: bool,
}

impl<'c> Cursor<'c> {
    pub(crate) async fn open(connection: &'c Connection, sql: &Sql) -> Result<Self, Fault> {
        connection.declare("found", sql).await?;
        Ok(Self { connection, at_end: false })
    }

    /// The next rows; `None` at the end.
    pub(crate) async fn fetch(&mut self) -> Result<Option<Vec<Row>>, Fault> {
        self.fetch_some(FETCHED).await
    }

    /// The next rows, `count` at most; `None` at the end.
    pub(crate) async fn fetch_some(&mut self, count: usize) -> Result<Option<Vec<Row>>, Fault> {
        if !self.at_end {
            // Not prepared: the name is the same for cursors with different columns.
            let fetch = format!("FETCH {count} FROM found");
            let rows = self.connection.send(&Ready::Unnamed(&fetch, &[]), &[]).await?;
            self.at_end = rows.len() < count;
            if !rows.is_empty() {
                return Ok(Some(rows));
            }
        }
        self.connection.simple("CLOSE found").await?;
        Ok(None)
    }
}
