//! Configuration: one table of keys, each with a flag, a name in the environment and a name in the file.
//!
//! A key `patch_response` is the flag `--patch-response`, the variable `SCIM2_PATCH_RESPONSE` and
//! the line `patch_response = …` of the TOML file. The flag counts before the variable, the
//! variable before the file, the file before the default. A value is read by the same rule
//! wherever it stands.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use scim2_core::compiled::StringLimits;
use scim2_core::discovery::PaginationMethod;
use scim2_core::{Compat, Mode, Quirk};
use scim2_store::{AuditKeys, PostgresOptions};
use url::Url;

use crate::failure::Failure;

mod environment;
mod file;
mod flags;
mod keys;
mod layers;
mod read;
mod spelling;

pub(crate) use environment::BOOTSTRAP_TOKEN;
pub(crate) use flags::{Checking, Filtering, Loading, Scope, Serving, Settings, Storing};

/// Everything that can be configured, with its defaults.
#[derive(Debug, Clone)]
pub(crate) struct Config {
    pub(crate) listen: SocketAddr,
    pub(crate) store: StoreUrl,
    pub(crate) postgres: Postgres,
    pub(crate) base_url: Option<Url>,
    pub(crate) base_path: String,
    pub(crate) schemas: Vec<PathBuf>,
    pub(crate) indexed: Vec<String>,
    pub(crate) unindexed: Vec<String>,
    /// `None` if nobody named one.
    pub(crate) mode: Option<Mode>,
    quirks: Vec<(Quirk, bool)>,
    pub(crate) patch_response: PatchResponse,
    pub(crate) unknown_member: UnknownMember,
    pub(crate) max_results: usize,
    pub(crate) default_page_size: usize,
    pub(crate) default_pagination: PaginationMethod,
    /// In seconds.
    pub(crate) cursor_timeout: usize,
    pub(crate) scan_limit: Option<usize>,
    pub(crate) limits: Limits,
    pub(crate) trust_host: bool,
    pub(crate) trust_forwarded: bool,
    forwarded_hops: usize,
    pub(crate) anonymous_discovery: bool,
    pub(crate) sensitive_attributes: Vec<String>,
    pub(crate) documentation_uri: Option<Url>,
    pub(crate) worker_threads: usize,
    pub(crate) max_connections: usize,
    /// `None` if nobody named one.
    pub(crate) max_connections_per_address: Option<usize>,
    pub(crate) request_timeout: Duration,
    pub(crate) send_timeout: Duration,
    pub(crate) shutdown_timeout: Duration,
    pub(crate) log: String,
    pub(crate) log_format: LogFormat,
    pub(crate) explain_queries: bool,
    /// What is odd about the environment, to be logged.
    pub(crate) warnings: Vec<String>,
    /// Keys for the audit log that lie outside of the store.
    pub(crate) audit_keys: AuditKeys,
    /// How often the head of the audit log is logged; zero for never.
    pub(crate) audit_head_interval: Duration,
}

impl Config {
    /// The configuration made of the file, the environment and these flags.
    ///
    /// # Errors
    /// Names the key, where it stands and what was expected.
    pub(crate) fn load(settings: &Settings<impl Scope>) -> Result<Self, Failure> {
        let mut config =
            layers::load(settings.given(), |name| std::env::var_os(name)).map_err(Failure::usage)?;
        let names = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
        config.warnings = environment::unknown(names);
        Ok(config)
    }

    /// How many connections one address may have. If nobody named a number, half of them, and all of them behind a
    /// proxy, whose address all connections come from.
    pub(crate) fn connections_per_address(&self) -> usize {
        let share =
            if self.trusted_proxies() > 0 { self.max_connections } else { self.max_connections.div_ceil(2) };
        self.max_connections_per_address.unwrap_or(share).min(self.max_connections)
    }

    /// The mode, or `default` if nobody named one, with its switches.
    pub(crate) fn compat(&self) -> Compat {
        self.compat_or(Mode::Default)
    }

    /// How many proxies are trusted to say where a request came from.
    pub(crate) fn trusted_proxies(&self) -> usize {
        if self.trust_forwarded { self.forwarded_hops } else { 0 }
    }

    /// The mode, or this one if nobody named one, with its switches.
    pub(crate) fn compat_or(&self, mode: Mode) -> Compat {
        let compat = Compat::from(self.mode.unwrap_or(mode));
        self.quirks.iter().fold(compat, |compat, (quirk, on)| compat.with(*quirk, *on))
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            store: StoreUrl::Sqlite(PathBuf::from("./scim2-data/scim2.db")),
            postgres: Postgres::default(),
            base_url: None,
            base_path: "/scim/v2".to_owned(),
            schemas: Vec::new(),
            indexed: Vec::new(),
            unindexed: Vec::new(),
            mode: None,
            quirks: Vec::new(),
            patch_response: PatchResponse::Auto,
            unknown_member: UnknownMember::Refuse,
            max_results: 200,
            default_page_size: 100,
            default_pagination: PaginationMethod::Index,
            cursor_timeout: 3600,
            scan_limit: None,
            limits: Limits::default(),
            trust_host: false,
            trust_forwarded: false,
            forwarded_hops: 1,
            anonymous_discovery: false,
            sensitive_attributes: Vec::new(),
            documentation_uri: None,
            worker_threads: std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
            max_connections: 4096,
            max_connections_per_address: None,
            request_timeout: Duration::from_secs(60),
            send_timeout: Duration::from_secs(60),
            shutdown_timeout: Duration::from_secs(30),
            log: "warn".to_owned(),
            log_format: LogFormat::Text,
            explain_queries: false,
            warnings: Vec::new(),
            audit_keys: AuditKeys::default(),
            audit_head_interval: Duration::from_secs(3600),
        }
    }
}

/// What a peer may send, in bytes or in number.
#[derive(Debug, Clone)]
pub(crate) struct Limits {
    pub(crate) max_body: usize,
    pub(crate) max_depth: usize,
    pub(crate) max_string: usize,
    pub(crate) max_user_name: usize,
    pub(crate) max_password: usize,
    pub(crate) max_filter_length: usize,
    pub(crate) max_search_filter_length: usize,
    pub(crate) max_filter_depth: usize,
    pub(crate) max_filter_terms: usize,
    pub(crate) max_patch_operations: usize,
    pub(crate) bulk_max_operations: usize,
    pub(crate) bulk_max_payload: usize,
    pub(crate) bulk_timeout: Duration,
    pub(crate) bulk_concurrent: usize,
    pub(crate) max_work: usize,
    pub(crate) max_page_bytes: usize,
    pub(crate) query_timeout: Duration,
    pub(crate) max_bytes_in_flight: usize,
    pub(crate) max_bytes_in_flight_per_credential: usize,
    pub(crate) credential_share: Option<usize>,
}

impl Limits {
    /// How long the strings of resources may be.
    pub(crate) fn strings(&self) -> StringLimits {
        let mut limits = StringLimits::default();
        limits.max_string = self.max_string;
        limits.max_user_name = self.max_user_name;
        limits.max_password = self.max_password;
        limits
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_body: 8 << 20,
            max_depth: 32,
            max_string: 1 << 20,
            max_user_name: 1 << 10,
            max_password: 4 << 10,
            max_filter_length: 16 << 10,
            max_search_filter_length: 256 << 10,
            max_filter_depth: 64,
            max_filter_terms: 1024,
            max_patch_operations: 1000,
            bulk_max_operations: 1000,
            bulk_max_payload: 8 << 20,
            bulk_timeout: Duration::from_secs(60),
            bulk_concurrent: 4,
            max_work: 1 << 30,
            max_page_bytes: 64 << 20,
            query_timeout: Duration::from_secs(30),
            credential_share: None,
            max_bytes_in_flight: 512 << 20,
            max_bytes_in_flight_per_credential: 128 << 20,
        }
    }
}

/// Where resources are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum StoreUrl {
    /// A SQLite database in this file.
    Sqlite(PathBuf),
    /// A PostgreSQL database.
    Postgres(Box<PostgresOptions>),
    /// In memory, gone when the program ends.
    Memory,
}

impl StoreUrl {
    /// The same with the path of a file from the root, as it is wherever a command is run.
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
#[derive(Debug, Clone)]
pub(crate) struct Postgres {
    pub(crate) connections: usize,
    pub(crate) wait: Duration,
    pub(crate) timeout: Duration,
    pub(crate) prepare: bool,
}

impl Postgres {
    /// The address with this use of it.
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
        Self {
            connections: 16,
            wait: Duration::from_secs(5),
            timeout: Duration::from_secs(30),
            prepare: true,
        }
    }
}

/// What a successful PATCH is answered with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PatchResponse {
    /// 200 with the resource, 204 for groups.
    Auto,
    /// 200 with the resource.
    Body,
    /// 204.
    NoContent,
}

/// What becomes of a member that does not exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum UnknownMember {
    /// 400 invalidValue.
    Refuse,
    /// Left out.
    Drop,
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LogFormat {
    /// For people.
    Text,
    /// A JSON object a line.
    Json,
}
