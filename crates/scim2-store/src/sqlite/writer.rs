//! The only thread that writes: it takes the queued jobs, commits them together, and answers all of them.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::thread::JoinHandle;

use futures_channel::oneshot;
use rusqlite::Connection;
use scim2_server::StoreError;

use super::batch::Batch;
use super::checkpoint::Checkpoints;
use super::files::Files;
use crate::audit::Keyring;
use crate::error::{OpenError, store_error};

/// A handle to the writing thread.
#[derive(Debug)]
pub(crate) struct Writer {
    queue: RwLock<Option<SyncSender<Box<dyn Job>>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Writer {
    /// Starts the thread. At most `queue` jobs wait, and at most `batch` are committed together. `committed` is
    /// called after each commit and before its answers. The thread refuses to write if the `files` are missing. It
    /// hashes audit rows with the `keys`.
    pub(crate) fn start(
        mut connection: Connection,
        files: Arc<Files>,
        keys: Keyring,
        queue: usize,
        batch: usize,
        committed: impl Fn() + Send + 'static,
    ) -> Result<Self, OpenError> {
        let (sender, receiver) = sync_channel(queue.max(1));
        let checkpoints = Checkpoints::start(&mut connection)?;
        let thread = std::thread::Builder::new()
            .name("scim2-writer".to_owned())
            .spawn(move || {
                write(&connection, &files, &keys, &receiver, batch.max(1), &committed, checkpoints)
            })
            .map_err(OpenError::io)?;
        Ok(Self { queue: RwLock::new(Some(sender)), thread: Mutex::new(Some(thread)) })
    }

    /// Runs `run` in a transaction of the writing thread, and returns its result when the commit is on the disk.
    ///
    /// `run` may be called again after a rollback. It must refuse before it writes: see [`Fault`].
    ///
    /// This call queues the job. The future only waits; dropping it does not cancel the job.
    pub(crate) fn submit<T, F>(
        &self,
        run: F,
    ) -> impl Future<Output = Result<T, StoreError>> + Send + use<T, F>
    where
        T: Send + 'static,
        F: FnMut(&mut Batch<'_>) -> Result<T, Fault> + Send + 'static,
    {
        let (job, answer) = task(run);
        let queued = self.queue(job);
        async move {
            queued?;
            answer.await
        }
    }

    fn queue(&self, job: Box<dyn Job>) -> Result<(), StoreError> {
        match &*self.queue.read().unwrap_or_else(PoisonError::into_inner) {
            None => Err(closing()),
            Some(queue) => queue.try_send(job).map_err(|error| match error {
                TrySendError::Full(_) => StoreError::unavailable("too many writes are waiting"),
                TrySendError::Disconnected(_) => closing(),
            }),
        }
    }

    /// Whether it accepts no more jobs.
    pub(crate) fn is_closed(&self) -> bool {
        self.queue.read().unwrap_or_else(PoisonError::into_inner).is_none()
    }

    /// Accepts no more jobs, and returns when the queued ones are done.
    pub(crate) fn close(&self) {
        drop(self.queue.write().unwrap_or_else(PoisonError::into_inner).take());
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread
            && thread.join().is_err()
        {
            tracing::error!("the writing thread panicked");
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.close();
    }
}

fn closing() -> StoreError {
    StoreError::unavailable("the store is shutting down")
}

/// Why a job failed.
#[derive(Debug)]
pub(crate) enum Fault {
    /// The job was refused before it wrote anything: the other jobs of the transaction are committed.
    Refused(StoreError),
    /// The job may have written something: the transaction is rolled back.
    Broken(StoreError),
}

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Self {
        Self::Broken(store_error(error))
    }
}

/// A closure, its result, and the channel to its caller.
trait Job: Send {
    fn run(&mut self, batch: &mut Batch<'_>) -> Result<(), Fault>;
    fn answer(self: Box<Self>, committed: Result<(), StoreError>);
}

/// A job, and the future of its answer.
fn task<T, F>(run: F) -> (Box<dyn Job>, impl Future<Output = Result<T, StoreError>> + Send + use<T, F>)
where
    T: Send + 'static,
    F: FnMut(&mut Batch<'_>) -> Result<T, Fault> + Send + 'static,
{
    let (sender, receiver) = oneshot::channel();
    let answer = async move { receiver.await.unwrap_or_else(|_| Err(closing())) };
    (Box::new(Task { run, answer: None, sender }), answer)
}

struct Task<T, F> {
    run: F,
    answer: Option<T>,
    sender: oneshot::Sender<Result<T, StoreError>>,
}

impl<T, F> Job for Task<T, F>
where
    T: Send,
    F: FnMut(&mut Batch<'_>) -> Result<T, Fault> + Send,
{
    fn run(&mut self, batch: &mut Batch<'_>) -> Result<(), Fault> {
        self.answer = Some((self.run)(batch)?);
        Ok(())
    }

    fn answer(self: Box<Self>, committed: Result<(), StoreError>) {
        let Self { answer, sender, .. } = *self;
        let answer = committed.and_then(|()| answer.ok_or_else(closing));
        // If the caller dropped its future, sending fails. The write is committed anyway.
        let _ = sender.send(answer);
    }
}

fn write(
    connection: &Connection,
    files: &Files,
    keys: &Keyring,
    queue: &Receiver<Box<dyn Job>>,
    most: usize,
    committed: &dyn Fn(),
    mut checkpoints: Checkpoints,
) {
    let mut jobs = Vec::with_capacity(most);
    while let Ok(first) = queue.recv() {
        jobs.push(first);
        jobs.extend(queue.try_iter().take(most - 1));
        match files.check().and_then(|()| attempt(connection, keys, &mut jobs)) {
            Ok(results) => {
                committed();
                jobs.drain(..).zip(results).for_each(|(job, result)| job.answer(result));
            }
            // One job failed, so all were rolled back. Each job now runs in a transaction of its own.
            Err(_) if jobs.len() > 1 => {
                for job in jobs.drain(..) {
                    let mut alone = [job];
                    let attempted = files.check().and_then(|()| attempt(connection, keys, &mut alone));
                    let result = attempted.inspect(|_| committed());
                    let [job] = alone;
                    job.answer(result.and_then(|results| results.into_iter().collect()));
                }
            }
            Err(error) => {
                // At most one job is left.
                jobs.drain(..).take(1).zip([error]).for_each(|(job, error)| job.answer(Err(error)));
            }
        }
        checkpoints.after_commits(connection);
    }
}

/// Runs the jobs in one transaction. On `Err` all of them were rolled back.
fn attempt(
    connection: &Connection,
    keys: &Keyring,
    jobs: &mut [Box<dyn Job>],
) -> Result<Vec<Result<(), StoreError>>, StoreError> {
    let result = run_all(connection, keys, jobs);
    if result.is_err() && !connection.is_autocommit() {
        // SQLite rolls back at the latest when the connection is closed.
        if let Err(error) = connection.execute_batch("ROLLBACK") {
            tracing::error!(%error, "a batch could not be rolled back");
        }
    }
    result
}

fn run_all(
    connection: &Connection,
    keys: &Keyring,
    jobs: &mut [Box<dyn Job>],
) -> Result<Vec<Result<(), StoreError>>, StoreError> {
    connection
        .prepare_cached("BEGIN IMMEDIATE")
        .and_then(|mut begin| begin.execute([]))
        .map_err(store_error)?;
    let mut batch = Batch::new(connection, keys);
    let mut results = Vec::with_capacity(jobs.len());
    for job in jobs {
        match catch_unwind(AssertUnwindSafe(|| job.run(&mut batch))) {
            Ok(Ok(())) => results.push(Ok(())),
            Ok(Err(Fault::Refused(error))) => results.push(Err(error)),
            Ok(Err(Fault::Broken(error))) => return Err(error),
            Err(_) => return Err(StoreError::internal("a write panicked")),
        }
    }
    connection.prepare_cached("COMMIT").and_then(|mut commit| commit.execute([])).map_err(store_error)?;
    Ok(results)
}

#[cfg(test)]
mod tests {
    use futures_executor::block_on;
    use futures_util::future::{join, join_all};

    use super::*;

    fn writer(queue: usize) -> (tempfile::TempDir, Writer, std::path::PathBuf) {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("scim2.db");
        let connection = super::super::connection::writer(&path).expect("opens");
        connection.execute_batch("CREATE TABLE t (n INTEGER PRIMARY KEY)").expect("a table");
        let files = Arc::new(Files::of(&path).expect("they are there"));
        let keys = Keyring::new(b"own", crate::AuditKeys::default());
        (folder, Writer::start(connection, files, keys, queue, 64, || {}).expect("starts"), path)
    }

    fn insert(n: i64) -> impl FnMut(&mut Batch<'_>) -> Result<i64, Fault> + Send + 'static {
        move |batch| {
            batch.connection().execute("INSERT INTO t VALUES (?1)", [n])?;
            assert_ne!(n % 10, 3, "the third of ten panics");
            if n % 10 == 5 {
                // Written, then broken.
                batch.connection().execute("INSERT INTO t VALUES (?1)", [n])?;
            }
            Ok(n)
        }
    }

    /// Queues `jobs` while the writing thread is busy, and returns their answers.
    fn behind_another<F: Future>(writer: &Writer, jobs: impl FnOnce() -> F) -> F::Output {
        let (started, has_started) = sync_channel::<()>(1);
        let (release, released) = sync_channel::<()>(1);
        let blocking = writer.submit(move |_| {
            let waited = started.send(()).is_ok() && released.recv().is_ok();
            if waited { Ok(()) } else { Err(Fault::Refused(closing())) }
        });
        has_started.recv().expect("the writer runs the first job");
        let jobs = jobs();
        release.send(()).expect("the writer waits");
        let (blocked, answers) = block_on(join(blocking, jobs));
        blocked.expect("released");
        answers
    }

    #[test]
    fn a_job_that_panics_or_breaks_harms_no_neighbour() {
        let (_folder, writer, path) = writer(64);
        let answers = behind_another(&writer, || join_all((0..40).map(|n| writer.submit(insert(n)))));
        for (n, answer) in (0..).zip(answers) {
            assert_eq!(answer.is_ok(), !matches!(n % 10, 3 | 5), "{n}: {answer:?}");
        }
        writer.close();
        let count: i64 = Connection::open(path)
            .expect("opens")
            .query_row("SELECT count(*) FROM t", [], |row| row.get(0))
            .expect("counts");
        assert_eq!(count, 32);
    }

    #[test]
    fn a_full_queue_and_a_closed_one_are_unavailable() {
        let (_folder, writer, _path) = writer(2);
        let answers = behind_another(&writer, || join_all([0, 1, 2, 4].map(|n| writer.submit(insert(n)))));
        assert_eq!(answers.iter().map(Result::is_ok).collect::<Vec<_>>(), [true, true, false, false]);
        writer.close();
        let error = block_on(writer.submit(insert(7))).expect_err("closed");
        assert_eq!(*error.kind(), scim2_server::StoreErrorKind::Unavailable);
    }
}
