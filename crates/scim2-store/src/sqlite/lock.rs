//! The lock file beside a database. The process that serves the database holds its lock.

use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use super::connection::owners_own;
use crate::error::{OpenError, OpenErrorKind};

/// Opens the lock file of a database, which is named as the database is with `.lock` behind it. Creates it if there is
/// none.
///
/// The file is empty. A symbolic link is not followed, and a file that holds anything is left alone: it is not ours.
fn open(database: &Path) -> io::Result<File> {
    let mut name = database.as_os_str().to_owned();
    name.push(".lock");
    let path = PathBuf::from(name);
    let mut options = owners_own();
    options.read(true).append(true).create(true);
    let file = options.open(&path).map_err(|error| refused(&path, error))?;
    if is_ours(&file)? {
        return Ok(file);
    }
    let reason =
        "holds something else or has another name too; choose another name for the store, or move it away";
    Err(io::Error::new(io::ErrorKind::InvalidData, format!("the lock file `{}` {reason}", path.display())))
}

fn is_ours(file: &File) -> io::Result<bool> {
    let metadata = file.metadata()?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt as _;
        if metadata.nlink() != 1 {
            return Ok(false);
        }
    }
    Ok(metadata.is_file() && metadata.len() == 0)
}

fn refused(path: &Path, error: io::Error) -> io::Error {
    if path.is_symlink() {
        let shown = path.display();
        let message = format!("the lock file `{shown}` is a symbolic link, which is not followed; remove it");
        return io::Error::new(io::ErrorKind::InvalidData, message);
    }
    // The caller names the database, so a missing folder needs no other path.
    if error.kind() == io::ErrorKind::NotFound {
        return error;
    }
    let hint = if path.is_dir() { "; remove it, or choose another name for the store" } else { "" };
    let message = format!("the lock file `{}`: {error}{hint}", path.display());
    io::Error::new(error.kind(), message)
}

/// Held while a server has the database open. The operating system releases it when the process ends, however
/// that happens.
#[derive(Debug)]
pub(crate) struct ServerLock(#[expect(dead_code, reason = "holds the lock until it is dropped")] File);

impl ServerLock {
    /// Takes the lock beside a database file.
    pub(crate) fn take(path: &Path) -> Result<Self, OpenError> {
        let file = open(path).map_err(OpenError::io)?;
        match file.try_lock() {
            Ok(()) => Ok(Self(file)),
            Err(TryLockError::WouldBlock) => Err(OpenError::new(OpenErrorKind::InUse)),
            Err(TryLockError::Error(error)) => Err(OpenError::io(error)),
        }
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_not_a_lock_file_is_left_as_it_is() {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name);
        std::fs::write(at("precious"), "text").expect("writes");
        std::os::unix::fs::symlink("precious", at("a.lock")).expect("a link");
        std::os::unix::fs::symlink("new", at("b.lock")).expect("a link");
        std::fs::hard_link(at("precious"), at("c.lock")).expect("a link");
        std::fs::write(at("d.lock"), "[package]").expect("writes");
        for (name, why) in
            [("a", "symbolic link"), ("b", "symbolic link"), ("c", "another name"), ("d", "something else")]
        {
            let error = ServerLock::take(&at(name)).expect_err("not ours");
            assert!(error.to_string().contains(why), "{error}");
        }
        let read = |name: &str| std::fs::read_to_string(at(name)).expect("reads");
        assert_eq!((read("precious").as_str(), read("d.lock").as_str()), ("text", "[package]"));
        assert!(!at("new").exists());
    }
}
