//! Checks that the database files are still the ones that were opened.

use std::io;
use std::path::{Path, PathBuf};

use scim2_server::StoreError;

/// A database and its write-ahead log as they were when they were opened.
///
/// If a database file is removed, moved or replaced, the server still has the old file open. Data written there
/// would be lost with the process, so the store refuses to write.
#[derive(Debug)]
pub(crate) struct Files([(PathBuf, Identity); 2]);

impl Files {
    /// Records the files of an open database. Its log exists, because the database was read in WAL mode.
    pub(crate) fn of(database: &Path) -> io::Result<Self> {
        let mut log = database.as_os_str().to_owned();
        log.push("-wal");
        let known = |path: PathBuf| identity(&path).map(|identity| (path, identity));
        Ok(Self([known(database.to_owned())?, known(PathBuf::from(log))?]))
    }

    /// An error if one of the files is missing or another one.
    pub(crate) fn check(&self) -> Result<(), StoreError> {
        let Self(files) = self;
        for (path, known) in files {
            if identity(path).ok() != Some(*known) {
                tracing::error!(path = %path.display(), "this file was removed, moved or replaced under the server");
                return Err(StoreError::unavailable(
                    "the database file was moved, replaced or deleted while the server was running",
                ));
            }
        }
        Ok(())
    }
}

/// Identifies a file whatever its name is.
#[cfg(unix)]
type Identity = (u64, u64);

#[cfg(unix)]
fn identity(path: &Path) -> io::Result<Identity> {
    use std::os::unix::fs::MetadataExt as _;
    std::fs::metadata(path).map(|metadata| (metadata.dev(), metadata.ino()))
}

/// On this system an open file can be neither removed nor replaced.
#[cfg(not(unix))]
type Identity = ();

#[cfg(not(unix))]
fn identity(path: &Path) -> io::Result<Identity> {
    std::fs::metadata(path).map(drop)
}
