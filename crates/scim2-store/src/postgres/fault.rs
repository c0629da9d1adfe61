//! What goes wrong between us and the database, and how it is told to the port.

use scim2_server::StoreError;
use tokio_postgres::error::SqlState;

use crate::error::{OpenError, OpenErrorKind};

/// Why a statement, or what consists of statements, was not done.
#[derive(Debug)]
pub(crate) enum Fault {
    /// The database says so, or is not there.
    Database(tokio_postgres::Error),
    /// Another node wrote what this one had read: the same again may succeed.
    Overtaken,
    /// The database took longer than it may.
    TooLong,
    /// The audit log is hashed with a key that was not given.
    UnknownKey,
    /// The audit log is hashed with the database's own key, and a key outside of it was given.
    KeyNotAdopted,
    /// The store says so.
    Refused(StoreError),
}

impl Fault {
    /// Says whether the same transaction, begun anew, may succeed at once: it lost against another.
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
        // Not the database spoke, but what is between: the connection is gone, or none came about.
        tracing::warn!(error = reason(&error), "the database cannot be reached");
        return StoreError::unavailable("the database cannot be reached");
    };
    let passing = match *code {
        SqlState::QUERY_CANCELED => "the database took too long",
        SqlState::DISK_FULL => "the disk is full",
        // A standby says of `BEGIN READ WRITE` that it does not support it: we ask for nothing else
        // that it might not.
        SqlState::READ_ONLY_SQL_TRANSACTION | SqlState::FEATURE_NOT_SUPPORTED => {
            "the database cannot be written"
        }
        SqlState::T_R_SERIALIZATION_FAILURE | SqlState::T_R_DEADLOCK_DETECTED => {
            "other writes came between too often"
        }
        // Shutting down, starting, crashed, or too many connections.
        _ if ["08", "53", "57P"].iter().any(|class| code.code().starts_with(class)) => {
            "the database cannot be reached"
        }
        _ => return StoreError::internal(error),
    };
    tracing::warn!(error = reason(&error), "{passing}");
    StoreError::unavailable(passing)
}

/// The error and what it comes from, in one line: a `tokio_postgres::Error` itself says little.
pub(crate) fn reason(error: &tokio_postgres::Error) -> String {
    match error.as_db_error() {
        Some(error) => error.message().to_owned(),
        None => match std::error::Error::source(error) {
            Some(source) => format!("{error}: {source}"),
            None => error.to_string(),
        },
    }
}

/// A row that is not what was written.
pub(crate) fn wrong(error: impl std::error::Error + Send + Sync + 'static) -> Fault {
    Fault::Refused(StoreError::internal(error))
}
