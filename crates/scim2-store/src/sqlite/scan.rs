//! Threads for long reads, so that no asynchronous worker blocks.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use futures_channel::oneshot;
use rusqlite::Connection;
use scim2_server::StoreError;
use scim2_server::turns::{Credential, Turn, TurnLimits, Turns};

use super::budget::Budget;
use super::connection;

/// The most reads that may wait for a thread.
const WAITING: usize = 1024;

/// The most reads of one credential that may wait for a thread.
const WAITING_SHARE: usize = 256;

/// Some threads, started when they are first needed. Each has a connection.
#[derive(Debug)]
pub(crate) struct Scans {
    path: PathBuf,
    threads: usize,
    /// One turn for each thread, so that a job with a turn never waits.
    turns: Turns,
    queue: OnceLock<Sender<Job>>,
}

type Job = Box<dyn FnOnce(Result<&mut Connection, StoreError>) + Send>;

/// Cancels a read when the future that waits for it is dropped.
#[derive(Debug)]
pub(crate) struct Waiting(Budget);

impl Waiting {
    /// For a read with a time limit, which starts when the read does.
    pub(crate) fn new(time_limit: Option<Duration>) -> Self {
        Self(Budget::new(time_limit))
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.give_up();
    }
}

impl Scans {
    pub(crate) fn new(path: &Path, threads: usize, share: Option<usize>) -> Self {
        let threads = threads.max(1);
        let turns = Turns::new(TurnLimits {
            at_once: threads,
            share: share.unwrap_or(TurnLimits::usual_share(threads)),
            waiting: WAITING,
            waiting_share: WAITING_SHARE,
        });
        Self { path: path.to_owned(), threads, turns, queue: OnceLock::new() }
    }

    /// Waits for a turn of a credential.
    pub(crate) async fn turn(&self, credential: &Credential) -> Result<Turn, StoreError> {
        self.turns.take(credential).await
    }

    /// Runs `read` on one of the threads. It is stopped soon after the future is dropped, and refused if it exceeds
    /// the time limit.
    pub(crate) async fn run<T, F>(
        &self,
        credential: &Credential,
        time_limit: Option<Duration>,
        read: F,
    ) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection, &Budget) -> Result<T, StoreError> + Send + 'static,
    {
        let turn = self.turn(credential).await?;
        let (sender, receiver) = oneshot::channel();
        let waiting = Waiting::new(time_limit);
        let job = move |connection: Result<&Connection, StoreError>, budget: &Budget| {
            let result = connection.and_then(|connection| read(connection, budget));
            let _ = sender.send(budget.result(result));
        };
        self.start(turn, &waiting, job)?;
        receiver.await.unwrap_or_else(|_| Err(StoreError::internal("a query panicked")))
    }

    /// Starts `read` on one of the threads. It is stopped soon after `waiting` is dropped.
    pub(crate) fn start<F>(&self, turn: Turn, waiting: &Waiting, read: F) -> Result<(), StoreError>
    where
        F: FnOnce(Result<&Connection, StoreError>, &Budget) + Send + 'static,
    {
        let budget = waiting.0.clone();
        let job: Job = Box::new(move |connection| {
            let connection = connection.and_then(|connection| {
                budget.spend(0)?;
                budget.begin();
                budget.govern(connection).map_err(StoreError::internal)?;
                Ok(&*connection)
            });
            read(connection, &budget);
            // Now the thread is free. A canceled read keeps its turn until it has really ended.
            drop(turn);
        });
        self.queue().send(job).map_err(|_| StoreError::unavailable("the store is shutting down"))
    }

    fn queue(&self) -> &Sender<Job> {
        self.queue.get_or_init(|| {
            let (sender, receiver) = channel();
            let receiver = Arc::new(Mutex::new(receiver));
            for _ in 0..self.threads {
                let (receiver, path) = (Arc::clone(&receiver), self.path.clone());
                let started = std::thread::Builder::new()
                    .name("scim2-scan".to_owned())
                    .spawn(move || work(&path, &receiver));
                if let Err(error) = started {
                    tracing::error!(%error, "a thread for queries could not be started");
                }
            }
            sender
        })
    }
}

/// Ends when the store is dropped, which closes the queue.
fn work(path: &Path, queue: &Mutex<Receiver<Job>>) {
    let mut connection: Option<Connection> = None;
    loop {
        let job = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(job) = job else { return };
        if connection.is_none() {
            match connection::reader(path) {
                Ok(opened) => connection = Some(opened),
                Err(error) => {
                    job(Err(StoreError::internal(error)));
                    continue;
                }
            }
        }
        let Some(open) = &mut connection else { continue };
        let ran = catch_unwind(AssertUnwindSafe(|| job(Ok(open))));
        // Close the connection after a panic or inside a transaction.
        if ran.is_err() || !open.is_autocommit() {
            connection = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_executor::block_on;
    use futures_util::FutureExt;

    use super::*;

    fn scans() -> (tempfile::TempDir, Scans) {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("scim2.db");
        drop(connection::writer(&path).expect("opens"));
        (folder, Scans::new(&path, 1, None))
    }

    fn credential(name: &str) -> Credential {
        Credential::new(scim2_server::TenantId::default(), name.into())
    }

    #[test]
    fn reads_of_one_credential_do_not_keep_those_of_another_waiting() {
        let (folder, _) = scans();
        let scans = Scans::new(&folder.path().join("scim2.db"), 2, None);
        let (a, b) = (credential("a"), credential("b"));
        let (end, ended) = channel::<()>();
        let ended = Arc::new(Mutex::new(ended));
        let mut reads = Vec::new();
        for _ in 0..20 {
            let ended = Arc::clone(&ended);
            let read = scans.run(&a, None, move |_, _| {
                ended.lock().unwrap_or_else(PoisonError::into_inner).recv().map_err(StoreError::internal)
            });
            reads.push(Box::pin(read));
        }
        // One read runs and the others wait, until the channel lets them end.
        assert!(reads.iter_mut().all(|read| read.as_mut().now_or_never().is_none()));
        for number in 0..10 {
            let read = scans.run(&b, None, move |_, _| Ok(number));
            assert_eq!(block_on(read).expect("the other thread reads"), number);
        }
        (0..20).for_each(|_| end.send(()).expect("somebody waits"));
        for read in reads {
            block_on(read).expect("reads");
        }
    }

    #[test]
    fn a_read_that_is_given_up_ends() {
        let (_folder, scans) = scans();
        let (ended, has_ended) = channel();
        let endless = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n";
        let owner = credential("a");
        let read = scans.run(&owner, None, move |connection, _| {
            let result = connection.query_row(endless, [], |row| row.get::<_, i64>(0));
            ended.send(result.is_err()).map_err(StoreError::internal)
        });
        // Polled once, which queues it, and then dropped.
        assert!(read.now_or_never().is_none());
        assert!(has_ended.recv().unwrap_or(true), "given up before or while it ran");
        let one = scans.run(&owner, None, |connection, _| {
            connection.query_row("SELECT 1", [], |row| row.get::<_, i64>(0)).map_err(StoreError::internal)
        });
        assert_eq!(block_on(one).expect("the thread still works"), 1);
    }

    #[test]
    fn a_read_that_panics_harms_no_other() {
        let (_folder, scans) = scans();
        let owner = credential("a");
        let panics = scans.run(&owner, None, |connection, _| -> Result<(), StoreError> {
            connection.execute_batch("BEGIN").expect("begins");
            panic!("within a transaction");
        });
        block_on(panics).expect_err("it panicked");
        let idle = scans.run(&owner, None, |connection, _| Ok(connection.is_autocommit()));
        assert!(block_on(idle).expect("the thread still works"));
    }
}
