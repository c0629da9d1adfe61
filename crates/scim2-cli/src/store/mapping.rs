//! Whether the file of a store is mapped into memory: not after that has ended a server.
//!
//! Reading a mapped file is quicker. But what the disk cannot read of one is no error that could be answered: the
//! system ends the process with SIGBUS, and a supervisor that starts it again would see it end at the same page. So
//! the signal leaves a mark in the lock file on its way, and a start that finds one reads the file page by page,
//! where the request that comes to the page is refused and the others are not. A server that stops in order takes
//! the mark away, for the disk may have been looked after.

#[cfg(unix)]
use std::fs::File;
use std::fs::OpenOptions;
use std::path::{Path, PathBuf};

/// The mark of one store.
pub(crate) struct Mapping {
    lock: PathBuf,
    is_safe: bool,
}

impl Mapping {
    /// Looks for the mark.
    pub(crate) fn of(database: &Path) -> Self {
        let mut lock = database.as_os_str().to_owned();
        lock.push(".lock");
        let lock = PathBuf::from(lock);
        let is_marked = std::fs::metadata(&lock).is_ok_and(|file| file.len() > 0);
        if is_marked {
            tracing::warn!(
                store = %database.display(),
                "the disk failed when the last server read the store, and ended it; it is now read page by page, more slowly"
            );
        }
        Self { lock, is_safe: !is_marked }
    }

    /// Whether nothing is known against it.
    pub(crate) fn is_safe(&self) -> bool {
        self.is_safe
    }

    /// Has the mark made if this process ends with SIGBUS; says whether it will be, for which there must be a lock
    /// file.
    #[cfg(unix)]
    pub(crate) fn arm(&self) -> bool {
        OpenOptions::new().append(true).open(&self.lock).and_then(mark_at_sigbus).is_ok()
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
            let _ = OpenOptions::new().write(true).open(&self.lock).and_then(|lock| lock.set_len(0));
        }
    }
}

/// The handler of the signal writes a byte into the file; then the signal does what it does.
#[cfg(unix)]
fn mark_at_sigbus(lock: File) -> std::io::Result<()> {
    signal_hook::low_level::pipe::register(signal_hook::consts::SIGBUS, lock).map(drop)
}
