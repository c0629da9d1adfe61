//! Which database, and how patiently it is waited for.

use std::fmt;
use std::time::Duration;

use tokio_postgres::Config;
use tokio_postgres::config::SslMode;

use crate::error::OpenError;

/// The address of a database and the bounds of a [`PostgresStore`](super::PostgresStore).
///
/// ```
/// use scim2_store::PostgresOptions;
///
/// let options = PostgresOptions::new("postgres://scim2:secret@db.example.com:5433/scim2")?;
/// assert_eq!(options.to_string(), "postgres://scim2@db.example.com:5433/scim2", "no password is shown");
///
/// let error = PostgresOptions::new("postgres://db.example.com/scim2?sslmode=require").expect_err("no TLS");
/// assert_eq!(error.to_string(), "`sslmode=require`: connections with TLS are not supported; expected `disable` \
///     or `prefer`");
/// # Ok::<(), scim2_store::OpenError>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PostgresOptions {
    config: Config,
    /// How many connections are kept at most.
    pub connections: usize,
    /// How many requests may wait for a connection; one more is refused with
    /// [`StoreErrorKind::Unavailable`](scim2_server::StoreErrorKind::Unavailable).
    pub waiting: usize,
    /// How long a request waits for a connection before it is refused in the same way.
    pub pool_timeout: Duration,
    /// How long one statement may take before it is stopped and the request refused in the same way.
    pub statement_timeout: Duration,
    /// Whether statements are prepared once for each connection. Behind a pooler that hands
    /// connections out for a transaction and does not follow prepared statements (pgbouncer before
    /// 1.21) they must not be.
    pub prepared_statements: bool,
}

impl PostgresOptions {
    /// The database of a URL, `postgres://USER:PASSWORD@HOST:PORT/DATABASE`, or of `key=value`
    /// pairs, both as libpq reads them. What they leave out has libpq's default; the variables of
    /// the environment that libpq reads are not read.
    ///
    /// # Errors
    /// [`OpenErrorKind::Address`](crate::OpenErrorKind::Address) if it is not such a text, or asks for TLS.
    pub fn new(url: &str) -> Result<Self, OpenError> {
        if let Some(mode) = tls_mode(url) {
            return Err(OpenError::address(format!(
                "`sslmode={mode}`: connections with TLS are not supported; expected `disable` or `prefer`"
            )));
        }
        let mut config: Config = url.parse().map_err(|error: tokio_postgres::Error| {
            // Its source names the option or the place; neither holds the password.
            let source = std::error::Error::source(&error).map(ToString::to_string);
            OpenError::address(source.unwrap_or_else(|| "expected a URL of PostgreSQL".to_owned()))
        })?;
        if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
            return Err(OpenError::address("expected a host".to_owned()));
        }
        config.ssl_mode(SslMode::Disable);
        if config.get_application_name().is_none() {
            config.application_name("scim2");
        }
        Ok(Self {
            config,
            connections: 16,
            waiting: 4096,
            pool_timeout: Duration::from_secs(5),
            statement_timeout: Duration::from_secs(30),
            prepared_statements: true,
        })
    }

    pub(super) fn config(&self) -> Config {
        let mut config = self.config.clone();
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(self.pool_timeout);
        }
        config
    }
}

/// The `sslmode` that asks for TLS, if there is one.
fn tls_mode(url: &str) -> Option<&str> {
    let (_, mode) = url.rsplit_once("sslmode")?;
    let mode = mode.trim_start().strip_prefix('=')?.trim_start().trim_start_matches('\'');
    let end = mode.find(|c: char| !c.is_ascii_alphanumeric() && c != '-').unwrap_or(mode.len());
    let mode = mode.get(..end)?;
    (!matches!(mode, "disable" | "prefer" | "allow")).then_some(mode)
}

/// The address without the password.
impl fmt::Display for PostgresOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use tokio_postgres::config::Host;

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
        let Self { config: _, connections, waiting, pool_timeout, statement_timeout, prepared_statements } =
            self;
        f.debug_struct("PostgresOptions")
            .field("address", &self.to_string())
            .field("connections", connections)
            .field("waiting", waiting)
            .field("pool_timeout", pool_timeout)
            .field("statement_timeout", statement_timeout)
            .field("prepared_statements", prepared_statements)
            .finish()
    }
}
