//! A session on a SQLite file: a thread of its own runs its statements, so that whoever awaits them does not wait for
//! the disk.

use std::path::Path;
use std::sync::mpsc::{Sender, channel};
use std::thread::JoinHandle;

use futures_channel::oneshot;
use rusqlite::{Connection, ErrorCode, InterruptHandle, params_from_iter};
use scim2_server::StoreError;

use super::{connection, writer};
use crate::dialect::Dialect;
use crate::error::{OpenError, store_error};
use crate::session::{Fault, PAGE_BYTES, Row, Session, Transaction};
use crate::sql::{Param, Sql};

/// Work for the thread of a session.
type Job = Box<dyn FnOnce(&Connection) + Send>;

/// A connection on a thread of its own. Dropping it stops a statement that still runs, and closes the connection.
pub(crate) struct SqliteSession {
    // INVARIANT: both are there until the drop.
    jobs: Option<Sender<Job>>,
    thread: Option<JoinHandle<()>>,
    interrupt: InterruptHandle,
}

impl SqliteSession {
    /// Opens a file that exists, for reading only where it cannot be written.
    pub(crate) async fn open(path: &Path) -> Result<Self, OpenError> {
        Self::open_with(path, connection::readable).await
    }

    /// Opens a file that exists and can be written.
    pub(crate) async fn open_writable(path: &Path) -> Result<Self, OpenError> {
        Self::open_with(path, connection::existing).await
    }

    async fn open_with(
        path: &Path,
        open: fn(&Path) -> Result<Connection, OpenError>,
    ) -> Result<Self, OpenError> {
        let path = path.to_owned();
        let (jobs, queue) = channel::<Job>();
        let (answer, opened) = oneshot::channel();
        let run = move || match open(&path) {
            Ok(connection) => {
                if answer.send(Ok(connection.get_interrupt_handle())).is_ok() {
                    queue.into_iter().for_each(|job| job(&connection));
                }
            }
            Err(error) => {
                let _ = answer.send(Err(error));
            }
        };
        let thread = std::thread::Builder::new().name("scim2-admin".to_owned()).spawn(run);
        let thread = thread.map_err(OpenError::io)?;
        let interrupt = opened.await.map_err(OpenError::io)??;
        Ok(Self { jobs: Some(jobs), thread: Some(thread), interrupt })
    }

    /// Runs `work` on the thread.
    pub(crate) async fn run<T: Send + 'static>(
        &mut self,
        work: impl FnOnce(&Connection) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, Fault> {
        let (answer, done) = oneshot::channel();
        let job: Job = Box::new(move |connection| {
            // If the caller dropped its future, sending fails. Nobody needs the answer then.
            let _ = answer.send(work(connection));
        });
        let sent = self.jobs.as_ref().is_some_and(|jobs| jobs.send(job).is_ok());
        match done.await {
            Ok(done) if sent => done,
            _ => Err(StoreError::internal("the thread of the session panicked").into()),
        }
    }

    async fn batch(&mut self, sql: &'static str) -> Result<(), Fault> {
        self.run(move |connection| Ok(connection.execute_batch(sql)?)).await
    }
}

impl Drop for SqliteSession {
    fn drop(&mut self) {
        drop(self.jobs.take());
        self.interrupt.interrupt();
        if let Some(thread) = self.thread.take() {
            // It panics only if a job did, which was told to the caller.
            let _ = thread.join();
        }
    }
}

impl std::fmt::Debug for SqliteSession {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SqliteSession").finish_non_exhaustive()
    }
}

impl Session for SqliteSession {
    fn dialect(&self) -> Dialect {
        Dialect::Sqlite
    }

    async fn begin(&mut self, transaction: Transaction) -> Result<(), Fault> {
        self.batch(match transaction {
            Transaction::Snapshot => "BEGIN",
            Transaction::Write => "BEGIN IMMEDIATE",
        })
        .await
    }

    async fn commit(&mut self) -> Result<(), Fault> {
        self.batch("COMMIT").await
    }

    async fn rows<T, F>(&mut self, sql: Sql, read: F) -> Result<Vec<T>, Fault>
    where
        T: Send + 'static,
        F: Fn(&Row<'_>) -> Result<T, StoreError> + Send + 'static,
    {
        self.run(move |connection| select(connection, &sql, read)).await
    }

    async fn page<T, F>(&mut self, sql: Sql, read: F) -> Result<Vec<T>, Fault>
    where
        T: Send + 'static,
        F: Fn(&Row<'_>) -> Result<T, StoreError> + Send + 'static,
    {
        self.run(move |connection| select_up_to(connection, &sql, PAGE_BYTES, read)).await
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
        let text = text.to_owned();
        self.run(move |connection| {
            let mut statement = connection.prepare_cached(&text)?;
            let mut found = Vec::with_capacity(runs.len());
            for params in runs {
                let mut rows = statement.query(params_from_iter(params))?;
                let row = rows.next()?;
                found.push(row.map(|row| read(&Row::Sqlite(row))).transpose()?);
            }
            Ok(found)
        })
        .await
    }
}

/// Reads all rows of a statement.
pub(crate) fn select<T>(
    connection: &Connection,
    sql: &Sql,
    read: impl Fn(&Row<'_>) -> Result<T, StoreError>,
) -> Result<Vec<T>, Fault> {
    select_up_to(connection, sql, usize::MAX, read)
}

/// Reads the rows of a statement until they have `most` bytes.
fn select_up_to<T>(
    connection: &Connection,
    sql: &Sql,
    most: usize,
    read: impl Fn(&Row<'_>) -> Result<T, StoreError>,
) -> Result<Vec<T>, Fault> {
    let mut statement = connection.prepare_cached(&sql.text)?;
    let columns = statement.column_count();
    let mut rows = statement.query(params_from_iter(&sql.params))?;
    let (mut found, mut size) = (Vec::new(), 0);
    while let Some(row) = rows.next()? {
        found.push(read(&Row::Sqlite(row))?);
        if most < usize::MAX {
            for column in 0..columns {
                // Texts and blobs have bytes; a number has none worth counting.
                size += row.get_ref(column)?.as_bytes().map_or(0, <[u8]>::len);
            }
            if size >= most {
                break;
            }
        }
    }
    Ok(found)
}

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseCorrupt) => Self::Damaged(error.to_string()),
            _ => Self::Failed(store_error(error)),
        }
    }
}

impl From<writer::Fault> for Fault {
    fn from(fault: writer::Fault) -> Self {
        match fault {
            writer::Fault::Refused(error) | writer::Fault::Broken(error) => Self::Failed(error),
        }
    }
}
