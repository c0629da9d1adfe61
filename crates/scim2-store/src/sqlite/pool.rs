//! A pool of reading connections.

use std::ops::Deref;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rusqlite::Connection;
use scim2_server::StoreError;

use super::budget::{Budget, INLINE_STEPS};
use super::connection;
use super::files::Files;
use super::groups::Known;
use crate::error::store_error;

/// The most idle connections. A connection that is returned beyond them is closed.
const IDLE: usize = 32;

/// The longest time that a snapshot is reused. Writes of another process (`scim2 token`) are visible after this
/// time at the latest, writes of this process at once.
const FRESH: Duration = Duration::from_millis(100);

/// The most groups that a connection keeps for the next reader of its snapshot.
const KNOWN: usize = 512;

/// A stack of idle connections. Taking one never waits: if none is idle, another is opened.
///
/// Beginning and ending a read transaction takes as long as a look-up. So an idle connection keeps its snapshot
/// until the writing thread commits, and the next reader uses the same snapshot.
#[derive(Debug)]
pub(crate) struct Pool {
    path: PathBuf,
    files: Arc<Files>,
    /// The number of commits so far.
    commits: AtomicU64,
    /// `None` once the pool is closed.
    idle: Mutex<Option<Vec<Open>>>,
}

#[derive(Debug)]
struct Open {
    connection: Connection,
    /// The budget of the read that runs on the connection.
    budget: Budget,
    snapshot: Option<Snapshot>,
    /// Groups that were read in this snapshot.
    known: Known,
}

/// Which snapshot a connection reads: it has at least the first `commits` commits, and began at `begun`.
#[derive(Debug, Clone, Copy)]
struct Snapshot {
    commits: u64,
    begun: Instant,
}

impl Pool {
    pub(crate) fn new(path: PathBuf, files: Arc<Files>) -> Self {
        Self { path, files, commits: AtomicU64::new(0), idle: Mutex::new(Some(Vec::new())) }
    }

    /// Reads on the thread that asks, and sees all answered writes. `None` if that takes more than a few
    /// milliseconds: then the caller must use a scan thread.
    pub(crate) fn inline<T>(
        &self,
        read: impl FnOnce(&mut Reader<'_>, &Budget) -> Result<T, StoreError>,
    ) -> Result<Option<T>, StoreError> {
        let mut reader = self.take()?;
        // Dropping the reader lifts the limit.
        let budget = reader.budget();
        budget.limit(INLINE_STEPS);
        match read(&mut reader, &budget) {
            Err(_) if budget.is_spent() => Ok(None),
            result => result.map(Some),
        }
    }

    /// A connection with one snapshot that has all answered writes. Only for reads that are known to be small.
    pub(crate) fn take(&self) -> Result<Reader<'_>, StoreError> {
        self.take_within(FRESH)
    }

    /// The same, with the writes of other processes.
    pub(crate) fn take_now(&self) -> Result<Reader<'_>, StoreError> {
        self.take_within(Duration::ZERO)
    }

    fn take_within(&self, age: Duration) -> Result<Reader<'_>, StoreError> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).as_mut().map(Vec::pop);
        let mut open = match idle {
            Some(Some(open)) => open,
            idle => {
                // A new file of the same name would be another database. (After `close`, the last connection
                // removes the log, so there is nothing to compare.)
                if idle.is_some() {
                    self.files.check()?;
                }
                self.open()?
            }
        };
        // Read the count before the transaction begins, so that the snapshot is never older than the count says.
        let commits = self.commits.load(Ordering::Acquire);
        let now = Instant::now();
        let current = open
            .snapshot
            .is_some_and(|snapshot| snapshot.commits == commits && now.duration_since(snapshot.begun) < age);
        if !current {
            if open.begin_anew().is_err() {
                // The previous reader met a damaged page. Its connection must not fail this read.
                open = self.open()?;
                open.begin_anew().map_err(store_error)?;
            }
            open.snapshot = Some(Snapshot { commits, begun: now });
        }
        Ok(Reader { pool: self, open: Some(open) })
    }

    fn open(&self) -> Result<Open, StoreError> {
        let mut connection = connection::inline_reader(&self.path).map_err(StoreError::internal)?;
        let budget = Budget::new(None);
        budget.govern(&mut connection).map_err(StoreError::internal)?;
        Ok(Open { connection, budget, snapshot: None, known: Known::default() })
    }

    /// Must be called after a commit and before its answer. Later readers see the commit, and no idle connection
    /// holds back a checkpoint.
    pub(crate) fn committed(&self) {
        self.commits.fetch_add(1, Ordering::Release);
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        // Drop connections that cannot end their snapshot.
        idle.iter_mut().for_each(|idle| idle.retain_mut(|open| open.end().is_ok()));
    }

    /// Closes idle connections, and the others when they are returned. Later reads open new connections.
    pub(crate) fn close(&self) {
        drop(self.idle.lock().unwrap_or_else(PoisonError::into_inner).take());
    }
}

impl Open {
    /// Ends the current snapshot, if there is one, and begins another.
    fn begin_anew(&mut self) -> rusqlite::Result<()> {
        self.end()?;
        run(&self.connection, "BEGIN")?;
        Ok(())
    }

    fn end(&mut self) -> rusqlite::Result<()> {
        self.known.clear();
        // An error may have ended the transaction already.
        if self.snapshot.take().is_some() && !self.connection.is_autocommit() {
            run(&self.connection, "COMMIT")?;
        }
        Ok(())
    }
}

fn run(connection: &Connection, sql: &str) -> rusqlite::Result<usize> {
    connection.prepare_cached(sql)?.execute([])
}

/// A connection with a snapshot. It returns to the pool when this is dropped.
pub(crate) struct Reader<'p> {
    pool: &'p Pool,
    // INVARIANT: there until the drop.
    open: Option<Open>,
}

impl Reader<'_> {
    /// The budget of the reads on it.
    fn budget(&self) -> Budget {
        match &self.open {
            Some(open) => open.budget.clone(),
            None => unreachable!("the connection is there until the drop"),
        }
    }

    /// Takes the cached groups of the snapshot. `keep` returns them.
    pub(crate) fn known(&mut self) -> Known {
        self.open.as_mut().map(|open| std::mem::take(&mut open.known)).unwrap_or_default()
    }

    /// Leaves cached groups to the next reader of the snapshot.
    pub(crate) fn keep(&mut self, known: Known) {
        if let Some(open) = self.open.as_mut().filter(|_| known.len() <= KNOWN) {
            open.known = known;
        }
    }
}

impl Deref for Reader<'_> {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        match &self.open {
            Some(open) => &open.connection,
            None => unreachable!("the connection is there until the drop"),
        }
    }
}

impl Drop for Reader<'_> {
    fn drop(&mut self) {
        // Do not reuse a connection after a panic.
        if std::thread::panicking() {
            return;
        }
        if let Some(open) = &self.open {
            // The statement that ends the snapshot must not be interrupted.
            open.budget.lift();
        }
        let mut idle = self.pool.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((idle, mut open)) = idle.as_mut().zip(self.open.take())
            && idle.len() < IDLE
        {
            // The writing thread has committed since, so nobody would use this snapshot again.
            let passed = open
                .snapshot
                .is_some_and(|snapshot| snapshot.commits != self.pool.commits.load(Ordering::Acquire));
            if !passed || open.end().is_ok() {
                idle.push(open);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pool() -> (tempfile::TempDir, Connection, Pool) {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("scim2.db");
        let writer = connection::writer(&path).expect("opens");
        writer.execute_batch("CREATE TABLE t (n INTEGER)").expect("a table");
        let files = Arc::new(Files::of(&path).expect("they are there"));
        (folder, writer, Pool::new(path, files))
    }

    fn count(reader: &Connection) -> i64 {
        reader.query_row("SELECT count(*) FROM t", [], |row| row.get(0)).expect("counts")
    }

    fn insert(writer: &Connection) {
        writer.execute("INSERT INTO t VALUES (1)", []).expect("inserts");
    }

    /// Whether a checkpoint copied the whole log.
    fn checkpoint(writer: &Connection) -> bool {
        let (log, moved): (i64, i64) = writer
            .query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |row| Ok((row.get(1)?, row.get(2)?)))
            .expect("answers");
        log == moved
    }

    #[test]
    fn a_reader_sees_what_was_committed_before_it_was_taken_and_nothing_later() {
        let (_folder, writer, pool) = pool();
        assert_eq!(count(&pool.take().expect("a reader")), 0);
        insert(&writer);
        pool.committed();
        let reader = pool.take().expect("a reader");
        assert_eq!(count(&reader), 1);
        insert(&writer);
        pool.committed();
        assert_eq!(count(&reader), 1, "the old snapshot");
        assert_eq!(count(&pool.take().expect("another")), 2);
        drop(reader);
        assert_eq!(count(&pool.take().expect("a reader")), 2);
    }

    #[test]
    fn what_other_processes_wrote_is_seen_now_if_asked() {
        let (_folder, writer, pool) = pool();
        assert_eq!(count(&pool.take().expect("a reader")), 0);
        insert(&writer);
        assert_eq!(count(&pool.take_now().expect("a reader")), 1);
    }

    #[test]
    fn who_met_a_damaged_page_is_in_nobodys_way() {
        let (folder, writer, pool) = pool();
        let fill = "CREATE TABLE pages (n INTEGER PRIMARY KEY, b BLOB); \
             WITH RECURSIVE c (n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM c WHERE n < 100) \
             INSERT INTO pages SELECT n, zeroblob(1000) FROM c; PRAGMA wal_checkpoint(TRUNCATE)";
        writer.execute_batch(fill).expect("fills");
        pool.committed();
        let path = folder.path().join("scim2.db");
        let mut bytes = std::fs::read(&path).expect("reads");
        let last = bytes.len() - 5 * 4096;
        bytes[last..last + 4096].fill(0xa5);
        std::fs::write(&path, bytes).expect("writes");
        let read = |reader: &Connection, n: i64| {
            reader
                .prepare_cached("SELECT n FROM pages WHERE n = ?1 AND length(b) = 1000")
                .and_then(|mut statement| statement.query_row([n], |row| row.get::<_, i64>(0)))
        };
        let lost = {
            let reader = pool.take().expect("a reader");
            (1..100).find(|n| read(&reader, *n).is_err()).expect("one is on it")
        };
        for _ in 0..3 {
            let reader = pool.take_now().expect("the next one");
            assert_eq!(read(&reader, 1), Ok(1));
            read(&reader, lost).expect_err("its page is gone");
        }
    }

    #[test]
    fn idle_readers_hold_no_log_back() {
        let (_folder, writer, pool) = pool();
        insert(&writer);
        let (one, two) = (pool.take().expect("a reader"), pool.take().expect("another"));
        assert_eq!((count(&one), count(&two)), (1, 1));
        drop(one);
        insert(&writer);
        pool.committed();
        assert!(!checkpoint(&writer), "one is in use");
        drop(two);
        assert!(checkpoint(&writer), "none is");
        assert_eq!(count(&pool.take().expect("a reader")), 2);
        pool.close();
        insert(&writer);
        assert!(checkpoint(&writer), "closed");
        assert_eq!(count(&pool.take().expect("the pool still works")), 3);
    }

    #[test]
    fn what_a_panic_leaves_does_not_come_back() {
        let (_folder, _writer, pool) = pool();
        let panicked = std::thread::scope(|scope| {
            scope
                .spawn(|| {
                    let _reader = pool.take().expect("a reader");
                    panic!("with a reader");
                })
                .join()
        });
        panicked.expect_err("it panicked");
        let idle = pool.idle.lock().unwrap_or_else(PoisonError::into_inner);
        assert_eq!(idle.as_ref().map(Vec::len), Some(0));
    }
}
