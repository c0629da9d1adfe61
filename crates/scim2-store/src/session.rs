//! Statements, transactions and rows of either engine, for code that exists once.

use scim2_server::StoreError;

use crate::dialect::Dialect;
use crate::sql::{Param, Sql};

/// One connection to a database, used by one operation at a time.
///
/// Statements have a `?` for each parameter. A session that is dropped within a transaction rolls it back.
///
/// Rows are read by functions that own what they capture, because an engine may run them on another thread.
pub(crate) trait Session: Send {
    /// Which SQL the engine understands.
    fn dialect(&self) -> Dialect;

    /// Begins a transaction.
    fn begin(&mut self, transaction: Transaction) -> impl Future<Output = Result<(), Fault>> + Send;

    /// Commits the transaction.
    fn commit(&mut self) -> impl Future<Output = Result<(), Fault>> + Send;

    /// Returns all rows of a statement.
    fn rows<T, F>(&mut self, sql: Sql, read: F) -> impl Future<Output = Result<Vec<T>, Fault>> + Send
    where
        T: Send + 'static,
        F: Fn(&Row<'_>) -> Result<T, StoreError> + Send + 'static;

    /// Returns the first rows of a statement: as many as have [`PAGE_BYTES`] together, at least one. To go on, the
    /// caller asks for the rows behind the last one. After an empty page there are no more rows.
    fn page<T, F>(&mut self, sql: Sql, read: F) -> impl Future<Output = Result<Vec<T>, Fault>> + Send
    where
        T: Send + 'static,
        F: Fn(&Row<'_>) -> Result<T, StoreError> + Send + 'static;

    /// Runs one statement with each of these parameters. Returns the first row of each run, if it has one.
    fn each<T, F>(
        &mut self,
        text: &str,
        runs: Vec<Vec<Param>>,
        read: F,
    ) -> impl Future<Output = Result<Vec<Option<T>>, Fault>> + Send
    where
        T: Send + 'static,
        F: Fn(&Row<'_>) -> Result<T, StoreError> + Send + 'static;

    /// Returns the first row of a statement, if it has one.
    fn first<T, F>(&mut self, sql: Sql, read: F) -> impl Future<Output = Result<Option<T>, Fault>> + Send
    where
        T: Send + 'static,
        F: Fn(&Row<'_>) -> Result<T, StoreError> + Send + 'static,
    {
        async { Ok(self.rows(sql, read).await?.into_iter().next()) }
    }

    /// Runs a statement whose rows do not matter.
    fn execute(&mut self, sql: Sql) -> impl Future<Output = Result<(), Fault>> + Send {
        async { self.rows(sql, |_| Ok(())).await.map(drop) }
    }

    /// Returns the number that a statement counts.
    fn count(&mut self, sql: Sql) -> impl Future<Output = Result<u64, Fault>> + Send {
        async { Ok(self.first(sql, |row| row.get::<i64>(0)).await?.unwrap_or_default().unsigned_abs()) }
    }
}

/// How many bytes the rows of a [page](Session::page) have before it ends.
pub(crate) const PAGE_BYTES: usize = 4 << 20;

/// What a transaction may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Transaction {
    /// It reads one snapshot and writes nothing.
    Snapshot,
    /// It reads and writes.
    Write,
}

/// Why a statement did not succeed, as far as an operation must know.
#[derive(Debug)]
pub(crate) enum Fault {
    /// The transaction lost against another one. The same operation may succeed if it is run again.
    #[cfg_attr(
        not(feature = "postgres"),
        expect(dead_code, reason = "writers of a SQLite file wait for each other")
    )]
    Conflict(StoreError),
    /// A page of the database is damaged.
    Damaged(String),
    /// Anything else.
    Failed(StoreError),
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        Self::Failed(error)
    }
}

impl From<Fault> for StoreError {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Conflict(error) | Fault::Failed(error) => error,
            Fault::Damaged(reason) => Self::internal(reason),
        }
    }
}

/// A type that both engines read from a column.
#[cfg(not(feature = "postgres"))]
pub(crate) trait Column: rusqlite::types::FromSql {}
#[cfg(not(feature = "postgres"))]
impl<T: rusqlite::types::FromSql> Column for T {}

/// A type that both engines read from a column.
#[cfg(feature = "postgres")]
pub(crate) trait Column:
    rusqlite::types::FromSql + for<'a> tokio_postgres::types::FromSql<'a>
{
}
#[cfg(feature = "postgres")]
impl<T: rusqlite::types::FromSql + for<'a> tokio_postgres::types::FromSql<'a>> Column for T {}

/// A row that a statement found. Columns are numbered from 0.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Row<'r> {
    Sqlite(&'r rusqlite::Row<'r>),
    #[cfg(feature = "postgres")]
    Postgres(&'r tokio_postgres::Row),
}

impl<'r> Row<'r> {
    /// The value of a column.
    pub(crate) fn get<T: Column>(&self, at: usize) -> Result<T, StoreError> {
        match self {
            Self::Sqlite(row) => row.get(at).map_err(StoreError::internal),
            #[cfg(feature = "postgres")]
            Self::Postgres(row) => row.try_get(at).map_err(StoreError::internal),
        }
    }

    /// The text of a column.
    pub(crate) fn text(&self, at: usize) -> Result<&'r str, StoreError> {
        match self {
            Self::Sqlite(row) => {
                let value = row.get_ref(at).map_err(StoreError::internal)?;
                value.as_str().map_err(StoreError::internal)
            }
            #[cfg(feature = "postgres")]
            Self::Postgres(row) => row.try_get(at).map_err(StoreError::internal),
        }
    }

    /// The bytes of a column.
    pub(crate) fn bytes(&self, at: usize) -> Result<&'r [u8], StoreError> {
        match self {
            Self::Sqlite(row) => {
                let value = row.get_ref(at).map_err(StoreError::internal)?;
                value.as_blob().map_err(StoreError::internal)
            }
            #[cfg(feature = "postgres")]
            Self::Postgres(row) => row.try_get(at).map_err(StoreError::internal),
        }
    }

    /// The bytes of the text of a column, which may not be UTF-8 in a damaged file.
    pub(crate) fn text_bytes(&self, at: usize) -> Result<&'r [u8], StoreError> {
        match self {
            Self::Sqlite(row) => {
                let value = row.get_ref(at).map_err(StoreError::internal)?;
                value.as_bytes().map_err(StoreError::internal)
            }
            #[cfg(feature = "postgres")]
            Self::Postgres(_) => self.text(at).map(str::as_bytes),
        }
    }

    /// A display name. PostgreSQL stores it as bytes, because its texts cannot hold a NUL.
    pub(crate) fn display(&self, at: usize) -> Result<Option<Box<str>>, StoreError> {
        match self {
            Self::Sqlite(row) => row.get(at).map_err(StoreError::internal),
            #[cfg(feature = "postgres")]
            Self::Postgres(row) => {
                let bytes: Option<&[u8]> = row.try_get(at).map_err(StoreError::internal)?;
                let text = bytes.map(std::str::from_utf8).transpose().map_err(StoreError::internal)?;
                Ok(text.map(Into::into))
            }
        }
    }
}
