//! Opening connections, all with the settings that the promises rest on.

use std::fs::OpenOptions;
use std::path::Path;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use crate::error::{OpenError, OpenErrorKind};

/// How long a connection waits for another process's write: `scim2 token` beside `scim2 serve`.
const BUSY: Duration = Duration::from_secs(10);

/// Statements a connection keeps prepared. The fixed ones are some forty; the others come from
/// filters.
const STATEMENTS: usize = 128;

/// The most that is mapped into memory; SQLite caps it a little below.
const MAPPED: i64 = 1 << 31;

/// What a writing connection keeps of the database, in KiB: half of the reads are saved to the
/// pages that names and addresses of new users come to.
const CACHE: i64 = 16 << 10;

/// Pages of the write-ahead log after which a commit moves them into the database: 16 MiB.
const CHECKPOINT: i64 = 4096;

/// A connection that reads and writes, and creates the file if there is none.
pub(crate) fn writer(path: &Path) -> Result<Connection, OpenError> {
    // SQLite gives its companions the mode of the file. What cannot be made is told by opening it.
    let _ = owners_own().create_new(true).open(path);
    let connection = open(path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE)?;
    map(&connection, true)?;
    connection.pragma_update(None, "cache_size", -CACHE)?;
    Ok(connection)
}

/// A connection to a database that is there. Nothing is mapped: what the disk cannot read is to be
/// told, and not to end the program.
pub(crate) fn existing(path: &Path) -> Result<Connection, OpenError> {
    there(path)?;
    let connection = open(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    connection.pragma_update(None, "cache_size", -CACHE)?;
    Ok(connection)
}

/// A connection to a database that is there, also where nothing can be written: on a read-only file
/// system, or in a folder that is another user's.
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
            // Without a log all is in the file, and who could write to it would have one.
            let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI;
            let connection =
                Connection::open_with_flags(immutable(path), flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
            connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
            connection.set_prepared_statement_cache_capacity(STATEMENTS);
            connection.pragma_update(None, "cache_size", -CACHE)?;
            connection.pragma_update(None, "temp_store", "memory")?;
            Ok(connection)
        }
        opened => opened,
    }
}

/// The address of a file that nobody changes.
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

/// A connection that only reads, and has nothing mapped into memory.
pub(crate) fn reader(path: &Path) -> Result<Connection, OpenError> {
    let connection = open(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    connection.pragma_update(None, "query_only", true)?;
    Ok(connection)
}

/// Reads the file where it is mapped into memory, or page by page.
pub(crate) fn map(connection: &Connection, mapped: bool) -> rusqlite::Result<()> {
    connection.pragma_update(None, "mmap_size", if mapped { MAPPED } else { 0 })
}

/// A connection that reads a database without its companions and leaves it as it is.
pub(crate) fn unchanged(path: &Path) -> Result<Connection, OpenError> {
    there(path)?;
    Ok(Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX)?)
}

/// Something is there. An empty file would become a database by being opened.
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
    // Plans do not depend on the values bound. Otherwise a statement over the index, which has a
    // partial index, is prepared anew at each execution.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.busy_timeout(BUSY)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    connection.pragma_update(None, "journal_mode", "wal")?;
    // FULL: a commit is on the disk before it is answered.
    connection.pragma_update(None, "synchronous", "full")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "wal_autocheckpoint", CHECKPOINT)?;
    connection.pragma_update(None, "temp_store", "memory")?;
    // Deleted values are overwritten with zeros, also on pages that are not used any more.
    connection.pragma_update(None, "secure_delete", true)?;
    Ok(connection)
}

/// How files are made that only their owner may read: they hold names, addresses and hashes. A symbolic link in their
/// place is not followed.
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
            assert!(connection.db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG).expect("answers"));
        }
        assert_eq!(pragma(&reader, "query_only"), "1");
        reader.execute_batch("CREATE TABLE t (n)").expect_err("a reader does not write");
    }
}
