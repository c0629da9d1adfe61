//! Where resources are stored, and how a database is used.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use schemars::JsonSchema;
use scim2_store::PostgresOptions;
use serde::Deserialize;

use super::kinds::{As, Count, Flag, Time};
use super::layers;

/// Where resources are stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum StoreUrl {
    /// A SQLite database in this file.
    Sqlite(PathBuf),
    /// A PostgreSQL database.
    Postgres(Box<PostgresOptions>),
    /// In memory, lost when the program ends.
    Memory,
}

impl StoreUrl {
    /// The address with an absolute path, so that it means the same in every folder.
    pub(crate) fn absolute(&self) -> String {
        match self {
            Self::Sqlite(path) => match std::path::absolute(path) {
                Ok(path) => Self::Sqlite(path).to_string(),
                Err(_) => self.to_string(),
            },
            Self::Postgres(_) | Self::Memory => self.to_string(),
        }
    }
}

/// Without the password.
impl fmt::Display for StoreUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "sqlite:{}", path.display()),
            Self::Postgres(address) => address.fmt(f),
            Self::Memory => f.write_str("memory"),
        }
    }
}

/// How a PostgreSQL database is used.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
pub(crate) struct Postgres {
    /// The largest number of connections to the database
    #[serde(rename = "database_connections", with = "As::<Count>")]
    #[schemars(extend("default" = 16, "x-heading" = "PostgreSQL"))]
    connections: usize,

    /// How long a request waits for a database connection before it is answered 503
    #[serde(rename = "database_wait", with = "As::<Time>")]
    #[schemars(extend("default" = 5))]
    wait: Duration,

    /// How long one statement of a write or of a read by id may take before it is stopped and the request is answered 503. A
    /// query as a whole is limited by `query_timeout`
    #[serde(rename = "database_timeout", with = "As::<Time>")]
    #[schemars(extend("default" = 30))]
    timeout: Duration,

    /// Whether statements are prepared once for each connection. Use `false` behind a transaction pooler that does not
    /// support prepared statements, such as pgbouncer before 1.21
    #[serde(rename = "database_prepare", with = "As::<Flag>")]
    #[schemars(extend("default" = true))]
    prepare: bool,
}

impl Postgres {
    /// The options for this address.
    pub(crate) fn apply(&self, address: &PostgresOptions, share: Option<usize>) -> PostgresOptions {
        let mut options = address.clone();
        options.connections = self.connections;
        options.share = share;
        options.pool_timeout = self.wait;
        options.statement_timeout = self.timeout;
        options.prepared_statements = self.prepare;
        options
    }
}

impl Default for Postgres {
    fn default() -> Self {
        layers::default_section()
    }
}
