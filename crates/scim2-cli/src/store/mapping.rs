//! Whether the file of a store is mapped into memory: not after that has ended a server.
//!
//! Reading a mapped file is quicker. But what the disk cannot read of one is no error that could be answered: the
//! system ends the process with SIGBUS, and a supervisor that starts it again would see it end at the same page. So
//! the signal leaves a mark in the lock file on its way, and a start that finds one reads the file page by page,
//! where the request that comes to the page is refused and the others are not. A server that stops in order takes
//! the mark away, for the disk may have been looked after.

#[cfg(unix)]
use std::fs::File;
use std::path::{Path, PathBuf};

use scim2_store::LockFile;

/// The mark of one store.
pub(crate) struct Mapping {
    database: PathBuf,
    is_safe: bool,
}

impl Mapping {
    /// Looks for the mark.
    pub(crate) fn of(database: &Path) -> Self {
        // One that is not there yet has no mark; one that is not ours is refused when the store is opened.
        let is_there = LockFile::path(database).symlink_metadata().is_ok();
        let is_marked = is_there && LockFile::open(database).is_ok_and(|lock| lock.is_marked());
        if is_marked {
            tracing::warn!(
                store = %database.display(),
                "the disk failed when the last server read the store, and ended it; it is now read page by page, more slowly"
            );
        }
        Self { database: database.to_owned(), is_safe: !is_marked }
    }

    /// Whether nothing is known against it.
    pub(crate) fn is_safe(&self) -> bool {
        self.is_safe
    }

    /// Has the mark made if this process ends with SIGBUS; says whether it will be.
    #[cfg(unix)]
    pub(crate) fn arm(&self) -> bool {
        LockFile::open(&self.database).and_then(|lock| mark_at_sigbus(lock.into_file())).is_ok()
    }

    /// There is no such signal.
    #[cfg(not(unix))]
    pub(crate) fn arm(&self) -> bool {
        true
    }

    /// Takes the mark away.
    pub(crate) fn forgive(self) {
        if !self.is_safe {
            // It is there, or nothing is lost.
            let _ = LockFile::open(&self.database).and_then(|lock| lock.clear());
        }
    }
}

/// The handler of the signal writes a byte into the file; then the signal does what it does.
#[cfg(unix)]
fn mark_at_sigbus(lock: File) -> std::io::Result<()> {
    signal_hook::low_level::pipe::register(signal_hook::consts::SIGBUS, lock).map(drop)
}
