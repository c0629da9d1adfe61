//! Configuration: structs whose fields are the keys of the file, the variables and the flags.
//!
//! A field `patch_response` is the flag `--patch-response`, the variable `SCIM2_PATCH_RESPONSE` and the line
//! `patch_response = …` of the TOML file. The flag wins over the variable, the variable over the file, and the file
//! over the default ([`layers`]). The doc comment of a field is its help text. Flags, docs/configuration.md and the
//! JSON Schema of the file are made from the structs ([`key`]).
//!
//! A list of things that have keys of their own, such as token issuers, is a field that is a `Vec` of a struct. In the
//! file it is an array of tables. See docs/decisions/0038-configuration-from-structs.md.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use schemars::JsonSchema;
use scim2_core::discovery::PaginationMethod;
use scim2_core::{Compat, Mode};
use scim2_store::AuditKeys;
use serde::Deserialize;
use url::Url;

use crate::failure::Failure;

mod environment;
mod file;
mod flags;
mod key;
mod kinds;
mod layers;
mod limits;
mod page;
mod read;
mod spelling;
mod store;
mod switches;

pub(crate) use environment::BOOTSTRAP_TOKEN;
pub(crate) use flags::{Checking, Filtering, Loading, Scope, Serving, Settings, Storing};
pub(crate) use layers::effective;
pub(crate) use limits::Limits;
pub(crate) use page::json_schema;
pub(crate) use store::{Postgres, StoreUrl};

use kinds::{
    Address, As, AttributePath, BaseUrl, CompatMode, Count, File, Flag, Folder, HttpUrl, KeyFile, LineFormat,
    List, LogLevels, LongSeconds, Maybe, MemberPolicy, Pagination, PatchAnswer, Store, Threads, Time,
    TimeOrNever, TypeAndPath, UrlPath,
};
use switches::Switches;

/// Everything that can be configured.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
pub(crate) struct Config {
    /// A TOML file with any of these keys
    #[serde(rename = "config", with = "As::<Maybe<File>>")]
    #[schemars(extend("x-heading" = "General"))]
    #[expect(dead_code, reason = "the layers read the file before there is a `Config`")]
    file: Option<PathBuf>,

    /// The address and port to listen on; port 0 takes a free one
    #[serde(with = "As::<Address>")]
    #[schemars(extend("default" = "127.0.0.1:8080"))]
    pub(crate) listen: SocketAddr,

    /// Where resources, tokens and the audit log are stored: `sqlite:PATH`, `postgres://USER:PASSWORD@HOST:PORT/DATABASE`,
    /// or `memory`, which is lost when the program ends. Put a password into the file or the environment: every user of
    /// the machine can see the flags of a process
    #[serde(with = "As::<Store>")]
    #[schemars(extend("default" = "sqlite:./scim2-data/scim2.db"))]
    pub(crate) store: StoreUrl,

    /// The URL at which clients reach this service provider; locations begin with it. Set it behind a proxy and when
    /// listening on all addresses
    #[serde(with = "As::<Maybe<BaseUrl>>")]
    #[schemars(extend("x-default" = "(the listen address with the base path)"))]
    pub(crate) base_url: Option<Url>,

    /// The path under which requests arrive here
    #[serde(with = "As::<UrlPath>")]
    #[schemars(extend("default" = "/scim/v2"))]
    pub(crate) base_path: String,

    /// Attributes to index in addition to the defaults, as `TYPE:PATH` such as `User:title`; separate several with commas,
    /// or give the option more than once. Existing resources are indexed in the background
    #[serde(with = "List::<TypeAndPath>")]
    #[schemars(extend("default" = []))]
    pub(crate) indexed: Vec<String>,

    /// Attributes not to index although they are by default, written as for `indexed`. Writes become faster, and queries
    /// that name these attributes read more resources
    #[serde(with = "List::<TypeAndPath>")]
    #[schemars(extend("default" = []))]
    pub(crate) unindexed: Vec<String>,

    /// A folder of JSON files with schemas and resource types (RFC 7643 §6 and §7), served like the built-in ones; may be
    /// given more than once
    #[serde(with = "List::<Folder>")]
    #[schemars(extend("default" = []))]
    pub(crate) schemas: Vec<PathBuf>,

    /// `default` tolerates what real identity providers send, `strict` follows the letter of the RFCs, `profile` follows
    /// the interoperability profile draft
    #[serde(rename = "compat", with = "As::<Maybe<CompatMode>>")]
    #[schemars(extend("x-default" = "default", "x-heading" = "Protocol"))]
    mode: Option<Mode>,

    /// The answer to a successful PATCH: `body` (200 with the resource), `no-content` (204), or `auto` (204 for groups, 200
    /// for all others). A request that names attributes always gets the resource
    #[serde(with = "As::<PatchAnswer>")]
    #[schemars(extend("default" = "auto"))]
    pub(crate) patch_response: PatchResponse,

    /// What to do with a group member that does not exist: `refuse` (400 invalidValue) or `drop`
    #[serde(with = "As::<MemberPolicy>")]
    #[schemars(extend("default" = "refuse"))]
    pub(crate) unknown_member: UnknownMember,

    /// The largest page; a larger `count` is reduced to it
    #[serde(with = "As::<Count>")]
    #[schemars(extend("default" = 200))]
    pub(crate) max_results: usize,

    /// The size of a page if the request has no `count`; at most `max_results`
    #[serde(with = "As::<Count>")]
    #[schemars(extend("default" = 100))]
    pub(crate) default_page_size: usize,

    /// The pagination of a request that has neither `startIndex` nor `cursor`: `index` or `cursor`
    #[serde(with = "As::<Pagination>")]
    #[schemars(extend("default" = "index"))]
    pub(crate) default_pagination: PaginationMethod,

    /// How long a client may use a cursor after the answer that contained it
    #[serde(with = "As::<LongSeconds>")]
    #[schemars(extend("default" = 3600))]
    pub(crate) cursor_timeout: usize,

    /// The number of resources that a query may read or match before it is refused with 400 tooMany. Resources that an
    /// index excludes are not read. The store `memory` has no index and reads all resources
    #[serde(with = "As::<Maybe<Count>>")]
    #[schemars(extend("x-default" = "(no limit)"))]
    pub(crate) scan_limit: Option<usize>,

    /// Whether locations are built from the Host header of the request
    #[serde(with = "As::<Flag>")]
    #[schemars(extend("default" = false))]
    pub(crate) trust_host: bool,

    /// Whether to trust the X-Forwarded headers of proxies in front of this server. Locations then begin with
    /// X-Forwarded-Proto and X-Forwarded-Host (with Host if they are missing), and the address of the client comes from
    /// X-Forwarded-For. Turn it on only behind proxies that set these headers or append to them
    #[serde(with = "As::<Flag>")]
    #[schemars(extend("default" = false))]
    pub(crate) trust_forwarded: bool,

    /// With `trust_forwarded`: the number of proxies in front that each set the X-Forwarded headers or append to them.
    /// Values are counted from the right; those further to the left come from the client and are ignored
    #[serde(with = "As::<Count>")]
    #[schemars(extend("default" = 1))]
    forwarded_hops: usize,

    /// Whether /ServiceProviderConfig, /ResourceTypes and /Schemas are answered without a token (RFC 7644 §4)
    #[serde(with = "As::<Flag>")]
    #[schemars(extend("default" = false))]
    pub(crate) anonymous_discovery: bool,

    /// Attributes that a filter in a URI must not name, because URIs end up in logs: 403 sensitive. A POST to /.search may
    /// name them (RFC 7644 §7.5.2). Write full paths such as `emails.value` or
    /// `urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:employeeNumber`; they apply to all resource types, and a
    /// complex attribute includes its sub-attributes. Separate several with commas, or give the option more than once
    #[serde(with = "List::<AttributePath>")]
    #[schemars(extend("default" = []))]
    pub(crate) sensitive_attributes: Vec<String>,

    /// The URL of documentation for people about this service provider, for /ServiceProviderConfig
    #[serde(with = "As::<Maybe<HttpUrl>>")]
    pub(crate) documentation_uri: Option<Url>,

    /// The number of threads that answer requests
    #[serde(with = "As::<Threads>")]
    #[schemars(extend("x-default" = "(one for each core)", "x-heading" = "Operation"))]
    pub(crate) worker_threads: usize,

    /// The number of connections served at a time. Beyond that a new connection replaces an idle one. If none is idle, the
    /// new connection gets answers to health checks, and 503 to everything else. The last quarter is reserved for addresses
    /// with few connections, unless `max_connections_per_address` is as large. If the process may not open enough files,
    /// fewer connections are served, and a line at the start says so
    #[serde(with = "As::<Count>")]
    #[schemars(extend("default" = 4096))]
    pub(crate) max_connections: usize,

    /// The number of connections that one client address may have (for IPv6, one /64 network); beyond that requests get
    /// 429. Behind a proxy all connections come from the address of the proxy: without `trust_forwarded` set this to
    /// `max_connections` there, and limit clients at the proxy
    #[serde(with = "As::<Maybe<Count>>")]
    #[schemars(extend("x-default" = "(half of `max_connections`, all of them with `trust_forwarded`)"))]
    max_connections_per_address: Option<usize>,

    /// How long the head of a request may take to arrive, and then its body
    #[serde(with = "As::<Time>")]
    #[schemars(extend("default" = 60))]
    pub(crate) request_timeout: Duration,

    /// How long a client may read nothing of an answer before its connection is closed. A client that reads slowly stays
    /// connected
    #[serde(with = "As::<Time>")]
    #[schemars(extend("default" = 60))]
    pub(crate) send_timeout: Duration,

    /// How long accepted requests may take to finish after SIGTERM or Ctrl-C
    #[serde(with = "As::<Time>")]
    #[schemars(extend("default" = 30))]
    pub(crate) shutdown_timeout: Duration,

    /// What is logged to standard error: `error`, `warn`, `info`, `debug`, `trace`, or a list such as `warn,scim2=debug`
    #[serde(with = "As::<LogLevels>")]
    #[schemars(extend("default" = "warn"))]
    pub(crate) log: String,

    /// The format of log lines: `text` or `json`
    #[serde(with = "As::<LineFormat>")]
    #[schemars(extend("default" = "text"))]
    pub(crate) log_format: LogFormat,

    /// A file with a key for the hashes of the audit log: 32 or more characters on a line, such as `openssl rand -hex 32`
    /// prints. Keep it where nobody who can write the store or its backups can read it. The last line is the key of new
    /// rows; the lines before it are earlier keys. Without this file the hashes use a key in the store
    #[serde(rename = "audit_key_file", with = "As::<KeyFile>")]
    pub(crate) audit_keys: AuditKeys,

    /// How often to log the length of the audit log and the hash of its last row, for `scim2 fsck --head`. They are also
    /// logged at start and stop, at any log level; 0 means never
    #[serde(with = "As::<TimeOrNever>")]
    #[schemars(extend("default" = 3600))]
    pub(crate) audit_head_interval: Duration,

    /// Whether to log each query with its plan: the SQL statement without the compared values, the part that is left to the
    /// evaluator, the number of rows that came back, and the number that matched
    #[serde(with = "As::<Flag>")]
    #[schemars(extend("default" = false))]
    pub(crate) explain_queries: bool,

    #[serde(skip)]
    pub(crate) limits: Limits,
    #[serde(skip)]
    pub(crate) postgres: Postgres,
    #[serde(skip)]
    switches: Switches,
    /// What is odd about the environment, to be logged.
    #[serde(skip)]
    pub(crate) warnings: Vec<String>,
}

impl Config {
    /// The configuration from the file, the environment and these flags.
    ///
    /// # Errors
    /// Names the key, where it was set and what was expected.
    pub(crate) fn load(settings: &Settings<impl Scope>) -> Result<Self, Failure> {
        effective(settings).map(|effective| effective.config)
    }

    /// How many connections one address may have. The default is half of them, and all of them behind trusted proxies,
    /// whose address all connections come from.
    pub(crate) fn connections_per_address(&self) -> usize {
        let default =
            if self.trusted_proxies() > 0 { self.max_connections } else { self.max_connections.div_ceil(2) };
        self.max_connections_per_address.unwrap_or(default).min(self.max_connections)
    }

    /// The mode, `default` if it is not set, with its switches.
    pub(crate) fn compat(&self) -> Compat {
        self.compat_or(Mode::Default)
    }

    /// How many proxies are trusted to say where a request came from.
    pub(crate) fn trusted_proxies(&self) -> usize {
        if self.trust_forwarded { self.forwarded_hops } else { 0 }
    }

    /// The mode, or this one if it is not set, with its switches.
    pub(crate) fn compat_or(&self, mode: Mode) -> Compat {
        let compat = Compat::from(self.mode.unwrap_or(mode));
        self.switches.0.iter().fold(compat, |compat, (quirk, on)| compat.with(*quirk, *on))
    }
}

impl Default for Config {
    fn default() -> Self {
        layers::default()
    }
}

/// The answer to a successful PATCH.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PatchResponse {
    /// 200 with the resource, 204 for groups.
    Auto,
    /// 200 with the resource.
    Body,
    /// 204.
    NoContent,
}

/// What to do with a member that does not exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum UnknownMember {
    /// 400 invalidValue.
    Refuse,
    /// Leave it out.
    Drop,
}

/// The format of log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LogFormat {
    /// For people.
    Text,
    /// A JSON object on each line.
    Json,
}
