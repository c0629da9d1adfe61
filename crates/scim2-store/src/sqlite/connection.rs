//! Opens connections, all with the settings that durability and isolation depend on.

use std::fs::OpenOptions;
use std::path::Path;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use crate::error::{OpenError, OpenErrorKind};

/// How long a connection waits while another process writes: `scim2 token` beside `scim2 serve`.
const BUSY: Duration = Duration::from_secs(10);

/// The number of prepared statements that a connection keeps. There are some forty fixed ones; the others come from
/// filters.
const STATEMENTS: usize = 128;

/// Page cache of a connection that writes, in KiB. It halves the reads of the index pages that the names and
/// addresses of new users belong to.
const WRITER_CACHE: i64 = 16 << 10;

/// Page cache of a connection that only reads, in KiB.
///
/// A look-up walks one or two trees from the root to a leaf. The inner pages of these trees are read again and again,
/// a leaf hardly ever. With a million users, the table of resources, its index by id, and the index rows of the three
/// attributes that clients look users up by have about 1 400 inner pages of 4 KiB. The cache holds them and as many
/// recent leaves beside them, so a look-up reads two pages from the file. SQLite's default of 2 MiB holds a third of
/// the inner pages. Memory is taken only for pages that were read, and there are as many connections as threads that
/// read at once.
const READER_CACHE: i64 = 8 << 10;

/// Page caches of all connections for inline reads together, in KiB. There are about as many as the machine has
/// processors, and each gets its share. On a machine with two processors a database of some ten thousand users fits,
/// and look-ups read nothing from the file.
const INLINE_CACHES: i64 = 64 << 10;

/// The number of log pages after which a commit runs a checkpoint, on connections other than the server's: 16 MiB.
const CHECKPOINT: i64 = 4096;

/// A connection that reads and writes, and creates the file if there is none.
pub(crate) fn writer(path: &Path) -> Result<Connection, OpenError> {
    // SQLite gives the companion files the mode of this file. If it cannot be created, opening it reports why.
    let _ = owners_own().create_new(true).open(path);
    let connection = open(path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE)?;
    connection.pragma_update(None, "cache_size", -WRITER_CACHE)?;
    Ok(connection)
}

/// A connection to a database that exists.
pub(crate) fn existing(path: &Path) -> Result<Connection, OpenError> {
    there(path)?;
    let connection = open(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    connection.pragma_update(None, "cache_size", -WRITER_CACHE)?;
    Ok(connection)
}

/// A connection to a database that exists, even if nothing can be written: on a read-only file system, or in
/// another user's folder.
pub(crate) fn readable(path: &Path) -> Result<Connection, OpenError> {
    match existing(path) {
        Err(error) if error.is_of_writing() => {
            let mut log = path.as_os_str().to_owned();
            log.push("-wal");
            if std::fs::metadata(log).is_ok_and(|log| log.len() > 0) {
                return Err(OpenError::io(
                    "its write-ahead log cannot be read where nothing can be written; copy it with its `-wal` to \
                     a folder that can",
                ));
            }
            // Without a log the file holds everything. A process that could write to the file would have created a
            // log.
            let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI;
            let connection =
                Connection::open_with_flags(immutable(path), flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
            connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
            connection.set_prepared_statement_cache_capacity(STATEMENTS);
            connection.pragma_update(None, "cache_size", -WRITER_CACHE)?;
            connection.pragma_update(None, "temp_store", "memory")?;
            Ok(connection)
        }
        opened => opened,
    }
}

/// The URI of a file that nobody changes while it is read.
fn immutable(path: &Path) -> String {
    let mut address = String::from("file:");
    for byte in path.as_os_str().as_encoded_bytes() {
        if byte.is_ascii_alphanumeric() || b"/._-".contains(byte) {
            address.push(char::from(*byte));
        } else {
            address.push_str(&format!("%{byte:02x}"));
        }
    }
    address + "?immutable=1"
}

/// A connection that only reads.
pub(crate) fn reader(path: &Path) -> Result<Connection, OpenError> {
    let connection = open(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    connection.pragma_update(None, "query_only", true)?;
    connection.pragma_update(None, "cache_size", -READER_CACHE)?;
    Ok(connection)
}

/// A connection that only reads, for inline reads.
pub(crate) fn inline_reader(path: &Path) -> Result<Connection, OpenError> {
    let connection = reader(path)?;
    connection.pragma_update(None, "cache_size", -inline_cache())?;
    Ok(connection)
}

/// The page cache of one connection for inline reads, in KiB.
fn inline_cache() -> i64 {
    let processors = std::thread::available_parallelism().map_or(1, |processors| processors.get());
    let share = i64::try_from(processors).map_or(0, |processors| INLINE_CACHES / processors);
    share.max(READER_CACHE)
}

/// A connection that reads the file alone, without its companions, and does not change it.
pub(crate) fn unchanged(path: &Path) -> Result<Connection, OpenError> {
    there(path)?;
    Ok(Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX)?)
}

/// Checks that the file exists and is not empty. Opening an empty file would make it a database.
fn there(path: &Path) -> Result<(), OpenError> {
    match std::fs::metadata(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            Err(OpenError::new(OpenErrorKind::Missing))
        }
        Err(error) => Err(OpenError::io(error)),
        Ok(file) if file.is_file() && file.len() == 0 => Err(OpenError::new(OpenErrorKind::Empty)),
        Ok(_) => Ok(()),
    }
}

fn open(path: &Path, flags: OpenFlags) -> Result<Connection, OpenError> {
    let connection = Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    // Plans do not depend on the bound values. Otherwise SQLite could prepare a statement again at each execution.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.busy_timeout(BUSY)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    connection.pragma_update(None, "journal_mode", "wal")?;
    // FULL: a commit is on the disk when it returns.
    connection.pragma_update(None, "synchronous", "full")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "wal_autocheckpoint", CHECKPOINT)?;
    connection.pragma_update(None, "temp_store", "memory")?;
    // Never memory-map the file: a page that the disk cannot read would end the process with SIGBUS instead of
    // being an error of one request.
    connection.pragma_update(None, "mmap_size", 0)?;
    // Overwrite deleted values with zeros, even on pages that are not used any more.
    connection.pragma_update(None, "secure_delete", true)?;
    Ok(connection)
}

/// Options for files that hold names, addresses and hashes: only the owner may read them, and a symbolic link is
/// not followed.
pub(crate) fn owners_own() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600).custom_flags(rustix::fs::OFlags::NOFOLLOW.bits().cast_signed());
    }
    options
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pragma(connection: &Connection, name: &str) -> String {
        let sql = format!("SELECT CAST({name} AS TEXT) FROM pragma_{name}");
        connection.query_row(&sql, [], |row| row.get(0)).expect(name)
    }

    #[test]
    fn the_address_of_a_file_has_no_signs_but_its_own() {
        assert_eq!(immutable(Path::new("/a b/c?d#e%.db")), "file:/a%20b/c%3fd%23e%25.db?immutable=1");
    }

    #[test]
    fn every_connection_has_the_settings_the_promises_rest_on() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("scim2.db");
        let writer = writer(&path).expect("opens");
        let existing = existing(&path).expect("opens");
        let reader = reader(&path).expect("opens");
        for connection in [&writer, &existing, &reader] {
            assert_eq!(pragma(connection, "journal_mode"), "wal");
            assert_eq!(pragma(connection, "synchronous"), "2", "FULL");
            assert_eq!(pragma(connection, "foreign_keys"), "1");
            assert_eq!(pragma(connection, "secure_delete"), "1", "ON");
            let mapped: i64 =
                connection.query_row("PRAGMA mmap_size", [], |row| row.get(0)).expect("answers");
            assert_eq!(mapped, 0, "a disk error must be an error, not a signal");
            assert!(connection.db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG).expect("answers"));
        }
        assert_eq!(pragma(&reader, "query_only"), "1");
        assert_eq!(pragma(&reader, "cache_size"), (-READER_CACHE).to_string());
        let inline = inline_reader(&path).expect("opens");
        assert_eq!(pragma(&inline, "cache_size"), (-inline_cache()).to_string());
        assert!((READER_CACHE..=INLINE_CACHES).contains(&inline_cache()));
        assert_eq!(pragma(&writer, "cache_size"), (-WRITER_CACHE).to_string());
        reader.execute_batch("CREATE TABLE t (n)").expect_err("a reader does not write");
    }
}
