//! Copies of a whole database: made while a server has it open, and put back in its place.

use std::ffi::OsString;
use std::fmt;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::time::Duration;

use rusqlite::{Connection, ErrorCode};

use crate::admin::Admin;
use crate::error::{OpenError, OpenErrorKind};
use crate::sqlite::connection;
use crate::sqlite::layout;
use crate::sqlite::lock::ServerLock;

mod restore;

use restore::Replaced;
pub use restore::{RestoreOptions, Restored, RestoredToken, TokenFate};

/// Why a copy was not made. The target is unchanged.
#[derive(Debug)]
pub struct CopyError {
    kind: CopyErrorKind,
    source: Box<dyn std::error::Error + Send + Sync>,
}

/// The reason why a copy was not made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum CopyErrorKind {
    /// The database to be copied, or the one in whose place the copy goes, cannot be opened.
    Open,
    /// The copy is not sound, and so the original is not.
    Damaged,
    /// The copy cannot be written: a missing folder, no permission, a full disk.
    Io,
    /// The tokens of the database that is replaced cannot be read, so nobody knows which of them were revoked.
    /// [`RestoreOptions::revive_tokens`] restores without them.
    Tokens,
}

impl CopyError {
    /// The reason.
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

    fn tokens(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self { kind: CopyErrorKind::Tokens, source: source.into() }
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
            CopyErrorKind::Tokens => write!(f, "which tokens were revoked cannot be read: {source}"),
        }
    }
}

impl std::error::Error for CopyError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&*self.source)
    }
}

/// How often the progress of a copy is reported.
const TELL: Duration = Duration::from_millis(100);

impl Admin {
    /// Copies a snapshot of a SQLite file into another file, also while a server writes to it, and checks the copy.
    /// The copy replaces a file of that name when it is complete and on the disk. `progress` is called with the
    /// number of copied pages and of all pages. Returns the size in bytes.
    ///
    /// The copy is one file without companions, and a database that can be served as it is. It is written row by
    /// row: nothing of what was deleted is in it, even if the database itself still has it on unused pages.
    ///
    /// # Errors
    /// See [`CopyErrorKind`].
    pub fn backup(path: &Path, to: &Path, mut progress: impl FnMut(u64, u64)) -> Result<u64, CopyError> {
        let source = connection::readable(path).map_err(CopyError::open)?;
        if layout::version(&source).map_err(CopyError::open)? == 0 {
            return Err(CopyError::open(OpenError::new(OpenErrorKind::Empty)));
        }
        let part = copy_beside(source, to, &mut progress)?;
        put(&part, to).map_err(CopyError::io)
    }

    /// Puts a backup in the place of a database that no server has open, or where none is. The backup
    /// is copied and the copy checked, so that the backup stays what it is.
    ///
    /// Tokens that were revoked or deleted in the database that is replaced stay so, unless
    /// [`RestoreOptions::revive_tokens`] says otherwise. Every tenant's audit log gets a row `store.restore`.
    ///
    /// # Errors
    /// See [`CopyErrorKind`]; this includes `Open` if a server has the database open.
    pub fn restore(
        backup: &Path,
        to: &Path,
        options: &RestoreOptions,
        mut progress: impl FnMut(u64, u64),
    ) -> Result<Restored, CopyError> {
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
        let before = Replaced::read(to, options)?;
        let part = copy_beside(source, to, &mut progress)?;
        let restored = restore::carry_over(&part, &before, options).and_then(|tokens| {
            let size = make_way().and_then(|()| put(&part, to)).map_err(CopyError::io)?;
            Ok(Restored { size, tokens })
        });
        if restored.is_err() {
            let _ = remove(&part);
        }
        drop(lock);
        restored
    }
}

/// Makes a checked copy under the name with `.part` behind; if it fails, there is none.
fn copy_beside(
    source: Connection,
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

fn copy_into(source: Connection, part: &Path, progress: &mut dyn FnMut(u64, u64)) -> Result<(), CopyError> {
    remove(part).map_err(CopyError::io)?;
    connection::owners_own().create_new(true).open(part).map_err(CopyError::io)?;
    // Absolute, so that no name is taken for a URI.
    let absolute = std::path::absolute(part).map_err(CopyError::io)?;
    let name = absolute.to_str().ok_or_else(|| CopyError::io("its path is not UTF-8"))?.to_owned();
    let number = |pragma: &str| source.pragma_query_value(None, pragma, |row| row.get::<_, i64>(0));
    let pages = || Ok((number("page_count")? - number("freelist_count")?, number("page_size")?));
    let (pages, page_size) = pages().map_err(copying)?;
    let (pages, page_size) = (pages.unsigned_abs(), page_size.unsigned_abs().max(1));
    std::thread::scope(|scope| {
        let (done, is_done) = sync_channel(1);
        let copying_thread = scope.spawn(move || {
            let copied = source.execute("VACUUM INTO ?1", [name]);
            drop(done);
            copied
        });
        // Ends when the thread drops its end.
        while is_done.recv_timeout(TELL) == Err::<(), _>(RecvTimeoutError::Timeout) {
            let written = std::fs::metadata(part).map_or(0, |part| part.len()) / page_size;
            progress(written.min(pages), pages);
        }
        copying_thread.join().unwrap_or(Err(rusqlite::Error::UnwindingPanic)).map_err(copying)
    })?;
    progress(pages, pages);
    File::open(part).and_then(|file| file.sync_all()).map_err(CopyError::io)
}

/// Classifies an error of the copy: damaged source, locked source, or failed write.
fn copying(error: rusqlite::Error) -> CopyError {
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => CopyError::damaged(error),
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => CopyError::open(OpenError::from(error)),
        _ => CopyError::io(error),
    }
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
