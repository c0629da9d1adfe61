//! Why a database does not open, and what the store port reports about faults of the engine.

use std::fmt;

use rusqlite::ErrorCode;
use scim2_server::StoreError;

use crate::session::Fault;

/// Why a database could not be opened.
#[derive(Debug)]
pub struct OpenError {
    kind: OpenErrorKind,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// The reason why a database did not open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum OpenErrorKind {
    /// Another server has the database open.
    InUse,
    /// The database was written by a newer version of this program.
    Newer,
    /// The file is a database of another program, or no database at all.
    NotOurs,
    /// There is no such database.
    Missing,
    /// The file is there and nothing is in it.
    Empty,
    /// The file cannot be opened, read or written: a missing folder, no permission, a full disk. Or
    /// the database cannot be reached or does not let us in.
    Io,
    /// The address of the database cannot be read, or asks for what there is not.
    Address,
    /// The audit log is hashed with a key that was not given.
    AuditKey,
    /// The audit log is hashed with the database's own key, and a key outside of the database was given. An operator
    /// must change the log to that one: [`Admin::adopt_audit_key`](crate::Admin::adopt_audit_key).
    AuditKeyNotAdopted,
    /// An attribute that is named to be indexed or not cannot be; the message says why.
    Index,
}

impl OpenError {
    pub(crate) fn new(kind: OpenErrorKind) -> Self {
        Self { kind, source: None }
    }

    pub(crate) fn io(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self { kind: OpenErrorKind::Io, source: Some(source.into()) }
    }

    #[cfg(feature = "postgres")]
    pub(crate) fn address(reason: String) -> Self {
        Self { kind: OpenErrorKind::Address, source: Some(reason.into()) }
    }

    pub(crate) fn index(reason: String) -> Self {
        Self { kind: OpenErrorKind::Index, source: Some(reason.into()) }
    }

    /// Whether it may be that only nothing can be written there.
    pub(crate) fn is_of_writing(&self) -> bool {
        let source = self.source.as_ref().and_then(|source| source.downcast_ref::<rusqlite::Error>());
        let code = source.and_then(rusqlite::Error::sqlite_error_code);
        matches!(code, Some(ErrorCode::ReadOnly | ErrorCode::CannotOpen))
    }

    /// The reason.
    #[must_use]
    pub fn kind(&self) -> OpenErrorKind {
        self.kind
    }
}

impl From<Fault> for OpenError {
    fn from(fault: Fault) -> Self {
        Self::io(StoreError::from(fault))
    }
}

impl From<rusqlite::Error> for OpenError {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::NotADatabase) => {
                Self { kind: OpenErrorKind::NotOurs, source: Some(Box::new(error)) }
            }
            // SQLite's own words are those of any fault of a disk.
            _ if error.sqlite_extended_error_code() == Some(NO_ROOM_FOR_SHM) => {
                Self::io("no room for its companion `-shm`: the disk is full or fails")
            }
            _ => Self::io(error),
        }
    }
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.kind {
            OpenErrorKind::InUse => "another server has the database open",
            OpenErrorKind::Newer => "the database was written by a newer version of this program",
            OpenErrorKind::NotOurs => "the file is not a database of this program",
            OpenErrorKind::Missing => "there is no such database",
            OpenErrorKind::Empty => "the file is empty",
            OpenErrorKind::Io => "the database cannot be opened",
            OpenErrorKind::AuditKey => {
                "its audit log is hashed with a key that was not given; give the file that has it as `audit_key_file`"
            }
            OpenErrorKind::AuditKeyNotAdopted => {
                "its audit log is hashed with the database's own key, not with that of `audit_key_file`; compare its \
                 head with one that you kept (`scim2 audit --head`), then run `scim2 audit --adopt-key` once, with no \
                 server running"
            }
            OpenErrorKind::Address | OpenErrorKind::Index => match &self.source {
                Some(source) => return source.fmt(f),
                None => "the address of the database cannot be read",
            },
        })?;
        match &self.source {
            Some(source) if self.kind == OpenErrorKind::Io => write!(f, ": {source}"),
            _ => Ok(()),
        }
    }
}

impl std::error::Error for OpenError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_ref().map(|source| &**source as &(dyn std::error::Error + 'static))
    }
}

/// `SQLITE_IOERR_SHMSIZE`.
const NO_ROOM_FOR_SHM: i32 = 10 | (19 << 8);

/// The error of the store port for a fault of the database.
pub(crate) fn store_error(error: rusqlite::Error) -> StoreError {
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => StoreError::unavailable("the disk is full"),
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            StoreError::unavailable("the database is busy")
        }
        Some(ErrorCode::OperationInterrupted) => StoreError::unavailable("the query was canceled"),
        // The process can open no more files, or the file is gone.
        Some(ErrorCode::CannotOpen) => {
            tracing::error!(%error, "a file of the database cannot be opened");
            StoreError::unavailable("a file of the database cannot be opened")
        }
        Some(ErrorCode::ReadOnly) => StoreError::unavailable("the database cannot be written"),
        Some(ErrorCode::SystemIoFailure) => {
            // Its code tells a read from a write and from a flush, which clients need not know.
            tracing::error!(%error, "the disk fails");
            StoreError::unavailable("the disk cannot be read or written")
        }
        _ => StoreError::internal(error),
    }
}

/// `ENFILE` and `EMFILE`: the system, or the process, can open no more files.
const NO_MORE_FILES: [i32; 2] = [23, 24];

/// The error of the store port for a fault of a file that is not the database.
pub(crate) fn file_error(error: std::io::Error) -> StoreError {
    if error.kind() == std::io::ErrorKind::StorageFull {
        return StoreError::unavailable("the disk is full");
    }
    if error.raw_os_error().is_some_and(|code| NO_MORE_FILES.contains(&code)) {
        return StoreError::unavailable("the process can open no more files");
    }
    StoreError::internal(error)
}
