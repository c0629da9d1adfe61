//! Whether what is written can be found again: the files are still those that were opened.

use std::io;
use std::path::{Path, PathBuf};

use scim2_server::StoreError;

/// A database and its write-ahead log as they were when they were opened.
///
/// Who removes, moves or replaces them under a server leaves it with files without names. What it
/// would write there is gone when it ends, so it does not.
#[derive(Debug)]
pub(crate) struct Files([(PathBuf, Identity); 2]);

impl Files {
    /// Remembers the files of a database that was read in WAL mode, and so has a log.
    pub(crate) fn of(database: &Path) -> io::Result<Self> {
        let mut log = database.as_os_str().to_owned();
        log.push("-wal");
        let known = |path: PathBuf| identity(&path).map(|identity| (path, identity));
        Ok(Self([known(database.to_owned())?, known(PathBuf::from(log))?]))
    }

    /// Refuses to go on without them.
    pub(crate) fn check(&self) -> Result<(), StoreError> {
        let Self(files) = self;
        for (path, known) in files {
            if identity(path).ok() != Some(*known) {
                tracing::error!(path = %path.display(), "this file was removed, moved or replaced under the server");
                return Err(StoreError::unavailable("the database is not where it was"));
            }
        }
        Ok(())
    }
}

/// What tells a file from another one of the same name.
#[cfg(unix)]
type Identity = (u64, u64);

#[cfg(unix)]
fn identity(path: &Path) -> io::Result<Identity> {
    use std::os::unix::fs::MetadataExt as _;
    std::fs::metadata(path).map(|metadata| (metadata.dev(), metadata.ino()))
}

/// Here an open file can be neither removed nor replaced.
#[cfg(not(unix))]
type Identity = ();

#[cfg(not(unix))]
fn identity(path: &Path) -> io::Result<Identity> {
    std::fs::metadata(path).map(drop)
}
