//! Copies of a whole database: made while a server has it open, and put back in its place.

use std::ffi::OsString;
use std::fmt;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OpenFlags};

use crate::admin::Admin;
use crate::error::{OpenError, OpenErrorKind};
use crate::sqlite::connection::{self, ServerLock};
use crate::sqlite::layout;

/// Why a copy was not made. What was there before is still there.
#[derive(Debug)]
pub struct CopyError {
    kind: CopyErrorKind,
    source: Box<dyn std::error::Error + Send + Sync>,
}

/// What stands in the way of a copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum CopyErrorKind {
    /// The database to be copied, or the one in whose place the copy goes, cannot be opened.
    Open,
    /// The copy is not sound, and so the original is not.
    Damaged,
    /// The copy cannot be written: a missing folder, no permission, a full disk.
    Io,
}

impl CopyError {
    /// What stands in the way.
    #[must_use]
    pub fn kind(&self) -> CopyErrorKind {
        self.kind
    }

    fn open(source: impl Into<OpenError>) -> Self {
        Self { kind: CopyErrorKind::Open, source: Box::new(source.into()) }
    }

    fn damaged(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self { kind: CopyErrorKind::Damaged, source: source.into() }
    }

    fn io(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self { kind: CopyErrorKind::Io, source: source.into() }
    }
}

impl fmt::Display for CopyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, source } = self;
        match kind {
            CopyErrorKind::Open => write!(f, "{source}"),
            CopyErrorKind::Damaged => write!(f, "the database is damaged: {source}"),
            CopyErrorKind::Io => write!(f, "the copy cannot be written: {source}"),
        }
    }
}

impl std::error::Error for CopyError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&*self.source)
    }
}

/// Pages copied between two calls of the progress: 4 MiB.
const STEP: i32 = 1024;

impl Admin {
    /// Copies the database as it is at one moment into a file, also while a server writes to it, and
    /// checks the copy. The file appears under its name when it is whole and on the disk; what was
    /// there under that name before is there until then. `progress` is told how many of how many
    /// pages are copied. Returns the size in bytes.
    ///
    /// The copy is one file without companions, and a database that can be served as it is.
    ///
    /// # Errors
    /// See [`CopyErrorKind`].
    pub fn backup(&self, to: &Path, mut progress: impl FnMut(u64, u64)) -> Result<u64, CopyError> {
        copy(self.connection(), to, &mut progress)
    }

    /// Puts a backup in the place of a database that no server has open, or where none is. The backup
    /// is copied and the copy checked, so that the backup stays what it is.
    ///
    /// # Errors
    /// See [`CopyErrorKind`]; `Open` also if a server has the database open.
    pub fn restore(backup: &Path, to: &Path, mut progress: impl FnMut(u64, u64)) -> Result<u64, CopyError> {
        let lock = ServerLock::take(to).map_err(CopyError::open)?;
        let source = connection::unchanged(backup).map_err(CopyError::open)?;
        // A database of another program, or none, is refused here, before anything is touched.
        if layout::version(&source).map_err(CopyError::open)? == 0 {
            return Err(CopyError::open(OpenError::new(OpenErrorKind::Empty)));
        }
        // What the write-ahead log of the old database holds must not be taken for the new one's.
        let make_way = || {
            if let Ok(old) = connection::existing(to) {
                let _ = old.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
            }
            ["-wal", "-shm"].iter().try_for_each(|suffix| remove(&beside(to, suffix)))
        };
        let part = copy_beside(&source, to, &mut progress)?;
        let size = make_way().and_then(|()| put(&part, to)).map_err(CopyError::io)?;
        drop(lock);
        Ok(size)
    }
}

fn copy(source: &Connection, to: &Path, progress: &mut dyn FnMut(u64, u64)) -> Result<u64, CopyError> {
    let part = copy_beside(source, to, progress)?;
    put(&part, to).map_err(CopyError::io)
}

/// Makes a checked copy under the name with `.part` behind; if it fails, there is none.
fn copy_beside(
    source: &Connection,
    to: &Path,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<PathBuf, CopyError> {
    let part = beside(to, ".part");
    let made = copy_into(source, &part, progress).and_then(|()| check(&part));
    if made.is_err() {
        let _ = remove(&part);
    }
    made.map(|()| part)
}

fn copy_into(source: &Connection, part: &Path, progress: &mut dyn FnMut(u64, u64)) -> Result<(), CopyError> {
    remove(part).map_err(CopyError::io)?;
    connection::owners_own().create_new(true).open(part).map_err(CopyError::io)?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut copy = Connection::open_with_flags(part, flags).map_err(CopyError::io)?;
    // Nobody sees the file before it is whole and synced.
    copy.execute_batch("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF").map_err(CopyError::io)?;
    // One moment: while a reader holds it, what a server writes does not begin the copy anew.
    let moment = source.unchecked_transaction().map_err(|error| CopyError::open(OpenError::from(error)))?;
    moment
        .query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))
        .map_err(|error| CopyError::open(OpenError::from(error)))?;
    {
        let backup = Backup::new(&moment, &mut copy).map_err(CopyError::io)?;
        loop {
            let step = backup.step(STEP).map_err(CopyError::io)?;
            let pages = backup.progress();
            let (left, all) = (pages.remaining.unsigned_abs(), pages.pagecount.unsigned_abs());
            progress(u64::from(all - left), u64::from(all));
            match step {
                StepResult::Done => break,
                StepResult::More => {}
                _ => std::thread::sleep(Duration::from_millis(10)),
            }
        }
    }
    // One file, that needs no companions until it is served.
    copy.query_row("PRAGMA journal_mode = DELETE", [], |_| Ok(())).map_err(CopyError::io)?;
    copy.close().map_err(|(_, error)| CopyError::io(error))?;
    File::open(part).and_then(|file| file.sync_all()).map_err(CopyError::io)
}

fn check(part: &Path) -> Result<(), CopyError> {
    let copy = connection::unchanged(part).map_err(CopyError::damaged)?;
    layout::version(&copy).map_err(CopyError::damaged)?;
    let found: String =
        copy.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0)).map_err(CopyError::damaged)?;
    if found == "ok" { Ok(()) } else { Err(CopyError::damaged(found)) }
}

/// Gives the copy its name, safe from a crash of the machine; its size.
fn put(part: &Path, to: &Path) -> io::Result<u64> {
    std::fs::rename(part, to)?;
    let folder = to.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // Where a folder cannot be opened (Windows), names are safe without.
    if let Ok(folder) = File::open(folder) {
        folder.sync_all()?;
    }
    Ok(std::fs::metadata(to)?.len())
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    PathBuf::from(name)
}

fn remove(path: &Path) -> io::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
