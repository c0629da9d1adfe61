//! SCIM 2.0 resource store on SQLite: group commit, members as rows, filters in SQL

pub mod audit;
mod error;
mod index;
mod key;
mod sqlite;

pub use error::{OpenError, OpenErrorKind};
pub use sqlite::{SqliteOptions, SqliteStore};
