//! Runs checkpoints of the write-ahead log on a thread beside the writing thread.
//!
//! SQLite's own checkpoint runs within a commit: it copies thousands of pages and waits for the disk twice, and all
//! queued writes wait with it. Here a separate thread copies most pages while writes continue. SQLite restarts the
//! log only after all of it was copied, so the writing thread copies the few pages that were written meanwhile.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU8, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::Instant;

use rusqlite::Connection;

use super::connection;
use crate::error::OpenError;

/// The number of log pages after which a checkpoint starts: 32 MiB. With a longer log, a page that is written often
/// is copied less often, but a start after a crash takes longer.
const LONG: i64 = 8192;

/// No checkpoint is running.
const IDLE: u8 = 0;
/// The thread runs a checkpoint.
const MOVING: u8 = 1;
/// The thread has copied most of the log.
const MOVED: u8 = 2;
/// The thread's checkpoint failed.
const FAILED: u8 = 3;

/// The writing thread's side, which decides when a checkpoint starts.
#[derive(Debug)]
pub(super) struct Checkpoints {
    log: Arc<Log>,
    /// The number of log pages at which the next checkpoint starts.
    long: i64,
    requests: Option<SyncSender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// State shared by the writing thread and the checkpoint thread.
#[derive(Debug, Default)]
struct Log {
    /// Pages in the log after the last commit.
    pages: AtomicI64,
    state: AtomicU8,
}

impl Checkpoints {
    /// Replaces SQLite's own checkpoints of the log of `writer`.
    pub(super) fn start(writer: &mut Connection) -> Result<Self, OpenError> {
        let log = Arc::new(Log::default());
        // The hook also switches SQLite's own checkpoints off.
        let counted = Arc::clone(&log);
        writer.wal_hook(Some(move |_: &mut _, pages| {
            counted.pages.store(i64::from(pages), Ordering::Relaxed);
            Ok(())
        }))?;
        let (requests, requested) = sync_channel(1);
        let path = PathBuf::from(writer.path().unwrap_or_default());
        let served = Arc::clone(&log);
        let thread = std::thread::Builder::new()
            .name("scim2-checkpoint".to_owned())
            .spawn(move || serve(&path, &requested, &served))
            .map_err(OpenError::io)?;
        Ok(Self { log, long: LONG, requests: Some(requests), thread: Some(thread) })
    }

    /// Starts or finishes a checkpoint if it is time. Called after the commits were answered.
    pub(super) fn after_commits(&mut self, writer: &Connection) {
        let pages = self.log.pages.load(Ordering::Relaxed);
        match self.log.state.load(Ordering::Acquire) {
            IDLE if pages >= self.long => {
                self.log.state.store(MOVING, Ordering::Release);
                let asked = self.requests.as_ref().is_some_and(|requests| requests.try_send(()).is_ok());
                if !asked {
                    // The thread is gone: copy all pages here.
                    self.finish(writer);
                }
            }
            MOVED => self.finish(writer),
            FAILED => self.rest(None),
            _ => {}
        }
    }

    /// Copies the pages that the thread has left, so that the next write restarts the log.
    fn finish(&mut self, writer: &Connection) {
        self.rest(checkpoint(writer));
    }

    /// Waits until the log has grown again.
    fn rest(&mut self, moved: Option<Moved>) {
        // If a long read or a full disk holds the checkpoint up, do not try again after each commit.
        self.long = match moved {
            Some(Moved { pages, moved }) if moved == pages => LONG,
            Some(Moved { pages, .. }) => pages + LONG,
            None => self.log.pages.load(Ordering::Relaxed) + LONG,
        };
        self.log.state.store(IDLE, Ordering::Release);
    }
}

impl Drop for Checkpoints {
    fn drop(&mut self) {
        drop(self.requests.take());
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the thread for checkpoints panicked");
        }
    }
}

fn serve(path: &Path, requested: &Receiver<()>, log: &Log) {
    let mut connection = None;
    while requested.recv().is_ok() {
        if connection.is_none() {
            connection = connection::existing(path)
                .inspect_err(|error| tracing::warn!(%error, "no connection for checkpoints"))
                .ok();
        }
        let moved = connection.as_ref().and_then(checkpoint);
        log.state.store(if moved.is_some() { MOVED } else { FAILED }, Ordering::Release);
    }
}

/// How many pages the log had, and how many of them are copied.
#[derive(Debug, Clone, Copy)]
struct Moved {
    pages: i64,
    moved: i64,
}

/// Copies the pages that no reader needs in the log. `None` if that fails.
fn checkpoint(connection: &Connection) -> Option<Moved> {
    let begun = Instant::now();
    let done = connection
        .prepare_cached("PRAGMA wal_checkpoint(PASSIVE)")
        .and_then(|mut checkpoint| checkpoint.query_row([], |row| Ok((row.get(1)?, row.get(2)?))));
    match done {
        Ok((pages, moved)) => {
            tracing::debug!(pages, moved, took = ?begun.elapsed(), "checkpoint");
            Some(Moved { pages, moved })
        }
        // Nothing is lost: the log holds all commits.
        Err(error) => {
            tracing::warn!(%error, "the write-ahead log could not be moved into the database");
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A database with a long log, and its checkpoints.
    fn long_log() -> (tempfile::TempDir, Connection, Checkpoints) {
        let folder = tempfile::tempdir().expect("a folder");
        let mut writer = connection::writer(&folder.path().join("scim2.db")).expect("opens");
        writer.execute_batch("CREATE TABLE t (n INTEGER PRIMARY KEY, b BLOB)").expect("a table");
        let checkpoints = Checkpoints::start(&mut writer).expect("starts");
        writer
            .execute("INSERT INTO t (b) VALUES (zeroblob(?1))", [(LONG + 1) * 4096])
            .expect("as large as the log may be");
        assert!(pages(&checkpoints) > LONG);
        (folder, writer, checkpoints)
    }

    fn pages(checkpoints: &Checkpoints) -> i64 {
        checkpoints.log.pages.load(Ordering::Relaxed)
    }

    /// Writes until `done`, and returns the number of commits.
    fn write_until(
        writer: &Connection,
        checkpoints: &mut Checkpoints,
        done: impl Fn(&Checkpoints) -> bool,
    ) -> i64 {
        let commit = |_: &i64| {
            checkpoints.after_commits(writer);
            writer.execute("INSERT INTO t (b) VALUES (zeroblob(8))", []).expect("inserts");
            done(checkpoints)
        };
        (0..100_000).find(commit).expect("is done some time")
    }

    #[test]
    fn a_log_that_has_grown_long_starts_anew_while_writing_goes_on() {
        let (folder, writer, mut checkpoints) = long_log();
        let commits = write_until(&writer, &mut checkpoints, |checkpoints| pages(checkpoints) < LONG);
        drop(checkpoints);
        drop(writer);
        let reader = connection::reader(&folder.path().join("scim2.db")).expect("opens");
        let count: i64 = reader.query_row("SELECT count(*) FROM t", [], |row| row.get(0)).expect("counts");
        assert_eq!(count, commits + 2);
    }

    #[test]
    fn a_log_that_a_reader_holds_back_is_tried_again_when_it_is_twice_as_long_and_moved_later() {
        let (folder, writer, mut checkpoints) = long_log();
        writer.execute_batch("DELETE FROM t").expect("so that the reader has not seen the last commit");
        let reader = connection::reader(&folder.path().join("scim2.db")).expect("opens");
        reader.execute_batch("BEGIN").expect("begins");
        let count = || reader.query_row("SELECT count(*) FROM t", [], |row| row.get::<_, i64>(0));
        assert_eq!(count(), Ok(0));
        write_until(&writer, &mut checkpoints, |checkpoints| checkpoints.long > LONG);
        assert!(pages(&checkpoints) > LONG);
        assert_eq!(count(), Ok(0), "the old snapshot");
        reader.execute_batch("COMMIT").expect("ends");
        writer.execute("INSERT INTO t (b) VALUES (zeroblob(?1))", [LONG * 4096]).expect("long again");
        write_until(&writer, &mut checkpoints, |checkpoints| pages(checkpoints) < LONG);
    }
}
