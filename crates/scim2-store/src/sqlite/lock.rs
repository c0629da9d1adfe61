//! The lock file beside a database: held by the one process that serves it.

use std::fs::{File, TryLockError};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use super::connection::owners_own;
use crate::error::{OpenError, OpenErrorKind};

/// The file beside a database whose lock keeps other servers out, named as the database is with `.lock` behind.
///
/// It is empty, or holds marks: single bytes that say that the disk failed under a server. A symbolic link is not
/// followed, and a file that holds anything else is left alone, since it is somebody else's.
#[derive(Debug)]
pub struct LockFile(File);

impl LockFile {
    /// The byte that is a mark.
    pub const MARK: u8 = b'X';

    /// The most marks that are read. A server makes one.
    const MAX_MARKS: u64 = 4096;

    /// Opens the lock file of a database, made new if there is none.
    ///
    /// # Errors
    /// If it is not a lock file of this program, such as a symbolic link, or cannot be opened.
    pub fn open(database: &Path) -> io::Result<Self> {
        let path = Self::path(database);
        let mut options = owners_own();
        options.read(true).append(true).create(true);
        let file = options.open(&path).map_err(|error| Self::refused(&path, error))?;
        let lock = Self(file);
        if lock.is_ours()? {
            return Ok(lock);
        }
        let reason = "holds something else or has another name too; choose another name for the store, or move it away";
        Err(io::Error::new(
            io::ErrorKind::InvalidData,
            format!("the lock file `{}` {reason}", path.display()),
        ))
    }

    /// Where the lock file of a database is.
    #[must_use]
    pub fn path(database: &Path) -> PathBuf {
        let mut name = database.as_os_str().to_owned();
        name.push(".lock");
        PathBuf::from(name)
    }

    /// Whether it holds a mark.
    #[must_use]
    pub fn is_marked(&self) -> bool {
        self.0.metadata().is_ok_and(|file| file.len() > 0)
    }

    /// Takes the marks away.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn clear(&self) -> io::Result<()> {
        self.0.set_len(0)
    }

    /// The file itself, to which marks are appended.
    #[must_use]
    pub fn into_file(self) -> File {
        self.0
    }

    fn is_ours(&self) -> io::Result<bool> {
        let metadata = self.0.metadata()?;
        #[cfg(unix)]
        {
            use std::os::unix::fs::MetadataExt as _;
            if metadata.nlink() != 1 {
                return Ok(false);
            }
        }
        if !metadata.is_file() || metadata.len() > Self::MAX_MARKS {
            return Ok(false);
        }
        let mut marks = Vec::new();
        (&self.0).take(Self::MAX_MARKS).read_to_end(&mut marks)?;
        Ok(marks.iter().all(|byte| *byte == Self::MARK))
    }

    fn refused(path: &Path, error: io::Error) -> io::Error {
        if path.is_symlink() {
            let shown = path.display();
            let message =
                format!("the lock file `{shown}` is a symbolic link, which is not followed; remove it");
            return io::Error::new(io::ErrorKind::InvalidData, message);
        }
        // A folder that is missing is told with the path of the database.
        if error.kind() == io::ErrorKind::NotFound {
            return error;
        }
        let hint = if path.is_dir() { "; remove it, or choose another name for the store" } else { "" };
        let message = format!("the lock file `{}` cannot be opened: {error}{hint}", path.display());
        io::Error::new(error.kind(), message)
    }
}

/// Held while a server has the database open. The operating system lets go of it with the
/// process, however that ends.
#[derive(Debug)]
pub(crate) struct ServerLock(#[expect(dead_code, reason = "holds the lock until it is dropped")] File);

impl ServerLock {
    /// Takes the lock beside a database file.
    pub(crate) fn take(path: &Path) -> Result<Self, OpenError> {
        let file = LockFile::open(path).map_err(OpenError::io)?.into_file();
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

        std::fs::write(at("e.lock"), "XX").expect("writes");
        let lock = LockFile::open(&at("e")).expect("ours");
        assert!(lock.is_marked());
        lock.clear().expect("clears");
        assert!(!LockFile::open(&at("e")).expect("ours").is_marked());
    }
}
