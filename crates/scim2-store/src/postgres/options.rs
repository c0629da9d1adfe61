//! The address of a database, and the limits of its connections.

use std::fmt;
use std::time::Duration;

use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode};

use super::tls::{Connector, Tls};
use crate::audit::AuditKeys;
use crate::error::OpenError;
use crate::model::indexing::Indexing;

/// The address of a database and the limits of a [`PostgresStore`](super::PostgresStore).
///
/// ```
/// use scim2_store::PostgresOptions;
///
/// let options = PostgresOptions::new("postgres://scim2:secret@db.example.com:5433/scim2")?;
/// assert_eq!(options.to_string(), "postgres://scim2@db.example.com:5433/scim2", "no password is shown");
///
/// let error = PostgresOptions::new("postgres://db.example.com/scim2?sslmode=always").expect_err("no mode");
/// assert_eq!(error.to_string(), "`sslmode=always`: expected `disable`, `prefer`, `require`, `verify-ca` or \
///     `verify-full`");
/// # Ok::<(), scim2_store::OpenError>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PostgresOptions {
    config: Config,
    tls: Tls,
    /// The most connections.
    pub connections: usize,
    /// How many connections the requests of one credential may use at once. By default three quarters of them, and
    /// never all unless there is only one. Further requests of the credential wait.
    pub share: Option<usize>,
    /// How many requests may wait for a connection. Further ones are refused with
    /// [`StoreErrorKind::Unavailable`](scim2_server::StoreErrorKind::Unavailable).
    pub waiting: usize,
    /// How long a request waits for a connection before it is refused in the same way.
    pub pool_timeout: Duration,
    /// How long one statement may take before it is canceled and the request refused in the same way.
    pub statement_timeout: Duration,
    /// Whether connections keep prepared statements. Switch it off behind a pooler in transaction mode that does
    /// not support them (pgbouncer before 1.21).
    pub prepared_statements: bool,
    /// Which attributes are indexed; the same on all nodes. Existing resources are indexed in the background; until
    /// that is done, queries do not use the new index rows.
    pub indexing: Indexing,
    /// Keys for the audit log that are stored outside of the database; the same on all nodes.
    pub audit_keys: AuditKeys,
}

impl PostgresOptions {
    /// Parses a URL, `postgres://USER:PASSWORD@HOST:PORT/DATABASE`, or `key=value` pairs, both as libpq does.
    /// Missing parts have libpq's defaults. The environment variables of libpq are not read.
    ///
    /// # TLS
    /// `sslmode` has libpq's values: `disable`; `prefer`, the default, which encrypts if the server can (`allow` is
    /// the same here); `require`, which always encrypts; `verify-ca`, for a server whose certificate is signed by
    /// an authority in `sslrootcert`; `verify-full`, whose certificate must also be for the name of the host. From
    /// `require` on nothing is sent in plain text. `sslrootcert` is a file of certificates, or `system`, the
    /// default, for those that the machine trusts; with a file, `require` means `verify-ca`. `sslcert` and `sslkey`
    /// are the files of a client certificate. All files are PEM. A connection through a Unix socket stays on the
    /// machine and is not encrypted.
    ///
    /// # Errors
    /// [`OpenErrorKind::Address`](crate::OpenErrorKind::Address) if the text is neither.
    pub fn new(url: &str) -> Result<Self, OpenError> {
        if is_ambiguous(url) {
            return Err(OpenError::address(
                "`@`, `/` and `?` in a user name or password are written `%40`, `%2F` and `%3F`".to_owned(),
            ));
        }
        let mut tls = Tls::default();
        let url = &without_tls(url, &mut tls)?;
        let mut config: Config = url.parse().map_err(|error: tokio_postgres::Error| {
            // The source names the option or the place in the text, never the password.
            let source = std::error::Error::source(&error).map(ToString::to_string);
            OpenError::address(source.unwrap_or_else(|| "expected a URL of PostgreSQL".to_owned()))
        })?;
        if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
            return Err(OpenError::address("expected a host".to_owned()));
        }
        let is_local = |host: &Host| matches!(host, Host::Unix(_));
        let local = config.get_hostaddrs().is_empty() && config.get_hosts().iter().all(is_local);
        config.ssl_mode(if local { SslMode::Disable } else { tls.mode() });
        if config.get_application_name().is_none() {
            config.application_name("scim2");
        }
        Ok(Self {
            config,
            tls,
            connections: 16,
            share: None,
            waiting: 4096,
            pool_timeout: Duration::from_secs(5),
            statement_timeout: Duration::from_secs(30),
            prepared_statements: true,
            indexing: Indexing::default(),
            audit_keys: AuditKeys::default(),
        })
    }

    /// Whether the address holds a password.
    #[must_use]
    pub fn has_password(&self) -> bool {
        self.config.get_password().is_some()
    }

    /// The connector for TLS.
    pub(super) fn connector(&self) -> Result<Connector, OpenError> {
        self.tls.connector()
    }

    pub(super) fn config(&self) -> Config {
        let mut config = self.config.clone();
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(self.pool_timeout);
        }
        config
    }
}

/// Whether a part of the password would be parsed as the host, the database or a parameter, and so appear in an
/// error.
fn is_ambiguous(url: &str) -> bool {
    let Some(rest) = url.strip_prefix("postgres://").or_else(|| url.strip_prefix("postgresql://")) else {
        return false;
    };
    let (address, query) = rest.split_once('?').unwrap_or((rest, ""));
    match address.rsplit_once('@') {
        Some((credentials, _)) => credentials.contains(['@', '/']) || cuts_password(query),
        None => cuts_password(query),
    }
}

/// Whether the text behind the `?` has an `@` outside of the value of a parameter.
fn cuts_password(query: &str) -> bool {
    query.split('&').any(|parameter| parameter.split('=').next().is_some_and(|name| name.contains('@')))
}

/// The text without the TLS parameters, because the driver knows only some of them.
fn without_tls(text: &str, tls: &mut Tls) -> Result<String, OpenError> {
    let is_url = text.starts_with("postgres://") || text.starts_with("postgresql://");
    let mut kept = Vec::new();
    if is_url {
        let Some((address, query)) = text.split_once('?') else { return Ok(text.to_owned()) };
        for parameter in query.split('&') {
            let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
            let value = percent_encoding::percent_decode_str(value).decode_utf8_lossy();
            if !tls.set(name, &value)? {
                kept.push(parameter);
            }
        }
        return Ok(if kept.is_empty() {
            address.to_owned()
        } else {
            format!("{address}?{}", kept.join("&"))
        });
    }
    for pair in text.split_ascii_whitespace() {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        if !tls.set(name, value.trim_matches('\''))? {
            kept.push(pair);
        }
    }
    Ok(kept.join(" "))
}

/// The address without the password.
impl fmt::Display for PostgresOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("postgres://")?;
        if let Some(user) = self.config.get_user() {
            write!(f, "{user}@")?;
        }
        for (at, host) in self.config.get_hosts().iter().enumerate() {
            let comma = if at > 0 { "," } else { "" };
            match host {
                Host::Tcp(name) => write!(f, "{comma}{name}")?,
                Host::Unix(path) => write!(f, "{comma}{}", path.display())?,
            }
            if let Some(port) = self.config.get_ports().get(at).or(self.config.get_ports().first()) {
                write!(f, ":{port}")?;
            }
        }
        match self.config.get_dbname() {
            Some(name) => write!(f, "/{name}"),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for PostgresOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            config: _,
            tls: _,
            connections,
            share,
            waiting,
            pool_timeout,
            statement_timeout,
            prepared_statements,
            indexing,
            audit_keys,
        } = self;
        f.debug_struct("PostgresOptions")
            .field("address", &self.to_string())
            .field("connections", connections)
            .field("share", share)
            .field("waiting", waiting)
            .field("pool_timeout", pool_timeout)
            .field("statement_timeout", statement_timeout)
            .field("prepared_statements", prepared_statements)
            .field("indexing", indexing)
            .field("audit_keys", audit_keys)
            .finish()
    }
}
