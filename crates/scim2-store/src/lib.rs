//! SCIM 2.0 resource store on SQLite: group commit, members as rows, filters in SQL

mod admin;
mod audit;
mod error;
mod fsck;
mod index;
mod key;
mod plan;
mod sql;
mod sqlite;
mod token;

pub use admin::Admin;
pub use audit::AuditRecord;
pub use error::{OpenError, OpenErrorKind};
pub use fsck::Report;
pub use sqlite::{SqliteOptions, SqliteStore};
pub use token::{NewToken, Token, TokenHash};
