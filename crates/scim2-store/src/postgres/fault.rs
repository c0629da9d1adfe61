//! Errors of PostgreSQL, and how they become errors of the port.

use scim2_server::StoreError;
use tokio_postgres::error::SqlState;

use crate::error::{OpenError, OpenErrorKind};

/// Why a statement or a transaction failed.
#[derive(Debug)]
pub(crate) enum Fault {
    /// The database reported an error, or cannot be reached.
    Database(tokio_postgres::Error),
    /// Another node changed what this one had read. The same attempt may succeed again.
    Overtaken,
    /// The database exceeded the time limit.
    TooLong,
    /// The audit log is hashed with a key that this node does not have.
    UnknownKey,
    /// The audit log is hashed with the database's own key, and a key outside of it was given.
    KeyNotAdopted,
    /// The store refuses.
    Refused(StoreError),
}

impl Fault {
    /// Whether the same transaction may succeed if it is run again, because it lost against another one.
    pub(crate) fn is_passing(&self) -> bool {
        match self {
            Self::Overtaken => true,
            Self::Database(error) => matches!(
                error.code(),
                Some(&SqlState::T_R_SERIALIZATION_FAILURE | &SqlState::T_R_DEADLOCK_DETECTED)
            ),
            Self::TooLong | Self::UnknownKey | Self::KeyNotAdopted | Self::Refused(_) => false,
        }
    }
}

impl From<tokio_postgres::Error> for Fault {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Database(error)
    }
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        Self::Refused(error)
    }
}

impl From<Fault> for StoreError {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Refused(error) => error,
            Fault::UnknownKey => crate::audit::unknown_key(),
            Fault::KeyNotAdopted => crate::audit::not_adopted(),
            Fault::TooLong => Self::unavailable("the database took too long"),
            Fault::Overtaken => Self::unavailable("other writes came between too often"),
            Fault::Database(error) => store_error(error),
        }
    }
}

impl From<Fault> for OpenError {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Database(error) => Self::io(reason(&error)),
            Fault::UnknownKey => Self::new(OpenErrorKind::AuditKey),
            Fault::KeyNotAdopted => Self::new(OpenErrorKind::AuditKeyNotAdopted),
            other => Self::io(StoreError::from(other)),
        }
    }
}

fn store_error(error: tokio_postgres::Error) -> StoreError {
    let Some(code) = error.code() else {
        // No SQLSTATE means a connection error: the connection was lost or never opened.
        tracing::warn!(error = reason(&error), "the database cannot be reached");
        return StoreError::unavailable("the database cannot be reached");
    };
    let passing = match *code {
        SqlState::QUERY_CANCELED => "the database took too long",
        SqlState::DISK_FULL => "the disk is full",
        // A standby answers `BEGIN READ WRITE` with this code. We use no other feature that a server might not
        // support.
        SqlState::READ_ONLY_SQL_TRANSACTION | SqlState::FEATURE_NOT_SUPPORTED => {
            "the database cannot be written"
        }
        SqlState::T_R_SERIALIZATION_FAILURE | SqlState::T_R_DEADLOCK_DETECTED => {
            "other writes came between too often"
        }
        // The server shuts down, starts, has crashed, or has too many connections.
        _ if ["08", "53", "57P"].iter().any(|class| code.code().starts_with(class)) => {
            "the database cannot be reached"
        }
        _ => return StoreError::internal(error),
    };
    tracing::warn!(error = reason(&error), "{passing}");
    StoreError::unavailable(passing)
}

/// The error and its source in one line, because a `tokio_postgres::Error` itself says little.
pub(crate) fn reason(error: &tokio_postgres::Error) -> String {
    match error.as_db_error() {
        Some(error) => error.message().to_owned(),
        None => match std::error::Error::source(error) {
            Some(source) => format!("{error}: {source}"),
            None => error.to_string(),
        },
    }
}

/// The error for stored data that cannot be read back.
pub(crate) fn wrong(error: impl std::error::Error + Send + Sync + 'static) -> Fault {
    Fault::Refused(StoreError::internal(error))
}
