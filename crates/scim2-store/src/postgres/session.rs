//! A connection to PostgreSQL as a [`Session`].

use scim2_server::StoreError;

use super::connection::Connection;
use super::fault::{self, reason};
use crate::dialect::Dialect;
use crate::session::{Fault, Row, Session, Transaction};
use crate::sql::{Param, Sql};

impl Session for Connection {
    fn dialect(&self) -> Dialect {
        Dialect::Postgres
    }

    async fn begin(&mut self, transaction: Transaction) -> Result<(), Fault> {
        match transaction {
            Transaction::Snapshot => self.begin_snapshot().await?,
            Transaction::Write => Connection::begin(self).await?,
        }
        Ok(())
    }

    async fn commit(&mut self) -> Result<(), Fault> {
        Ok(Connection::commit(self).await?)
    }

    async fn rows<T, F>(&mut self, sql: Sql, read: F) -> Result<Vec<T>, Fault>
    where
        T: Send + 'static,
        F: Fn(&Row<'_>) -> Result<T, StoreError> + Send + 'static,
    {
        let rows = self.select(&sql).await?;
        rows.iter().map(|row| Ok(read(&Row::Postgres(row))?)).collect()
    }

    async fn page<T, F>(&mut self, sql: Sql, read: F) -> Result<Vec<T>, Fault>
    where
        T: Send + 'static,
        F: Fn(&Row<'_>) -> Result<T, StoreError> + Send + 'static,
    {
        // The database sends all rows that the statement asks for.
        self.rows(sql, read).await
    }

    async fn each<T, F>(
        &mut self,
        text: &str,
        runs: Vec<Vec<Param>>,
        read: F,
    ) -> Result<Vec<Option<T>>, Fault>
    where
        T: Send + 'static,
        F: Fn(&Row<'_>) -> Result<T, StoreError> + Send + 'static,
    {
        let found = self.select_each(text, &runs).await?;
        let first = |rows: &Vec<_>| Ok(rows.first().map(|row| read(&Row::Postgres(row))).transpose()?);
        found.iter().map(first).collect()
    }
}

impl From<fault::Fault> for Fault {
    fn from(fault: fault::Fault) -> Self {
        match fault {
            fault if fault.is_passing() => Self::Conflict(fault.into()),
            // Class XX: a page is not what was written, or the server is broken.
            fault::Fault::Database(error)
                if error.code().is_some_and(|code| code.code().starts_with("XX")) =>
            {
                Self::Damaged(reason(&error))
            }
            fault => Self::Failed(fault.into()),
        }
    }
}
