//! Binds parameters to SQLite statements.

use rusqlite::ToSql;
use rusqlite::types::{ToSqlOutput, ValueRef};

use crate::sql::Param;

impl ToSql for Param {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Integer(value) => ValueRef::Integer(*value),
            Self::MaybeInteger(value) => value.map_or(ValueRef::Null, ValueRef::Integer),
            Self::Blob(value) => ValueRef::Blob(value),
            Self::Text(value) => ValueRef::Text(value.as_bytes()),
            Self::Display(name) => name.as_deref().map_or(ValueRef::Null, ValueRef::Text),
        }))
    }
}
