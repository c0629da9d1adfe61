//! Reading what a statement finds some rows at a time.

use tokio_postgres::Row;

use super::connection::{Connection, Ready};
use super::fault::Fault;
use crate::sql::Sql;

/// How many rows are read at once.
pub(crate) const FETCHED: usize = 500;

/// A cursor over what a statement finds, in a transaction that has no other one. It is closed at its
/// end, or with the transaction.
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
            // Never prepared: what a cursor of that name returns is not the same twice.
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
