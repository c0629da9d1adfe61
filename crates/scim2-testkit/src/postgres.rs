//! A real PostgreSQL for tests: a throw-away cluster, and a database for each test.
//!
//! `cargo xtask test` starts one cluster for the whole run and names it in [`VARIABLE`]. Without that variable, each
//! test process starts its own cluster, which ends with the process, even if the process is killed. If PostgreSQL is
//! not installed, the tests that need it cannot run: see [`needs`].
//!
//! ```
//! use scim2_testkit::postgres::Database;
//!
//! if let Some(database) = Database::create()? {
//!     assert!(database.url().starts_with("postgres://"));
//!     assert_eq!(database.sql("SELECT 1 + 1")?.trim(), "2");
//! }
//! # Ok::<(), std::io::Error>(())
//! ```

use std::io;
use std::process::Command;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

mod cluster;
mod own;
pub mod pooler;

use crate::needs::{self, Need};
use cluster::Cluster;
pub use own::OwnServer;

/// The variable with the URL of a running cluster, without a database.
pub const VARIABLE: &str = "SCIM2_TEST_POSTGRES";

/// An empty database, which is dropped together with this value.
#[derive(Debug)]
pub struct Database {
    server: &'static Server,
    name: String,
}

#[derive(Debug)]
struct Server {
    /// Ends in a slash.
    url: String,
    #[expect(dead_code, reason = "held until the process ends")]
    cluster: Option<Cluster>,
}

impl Database {
    /// Creates a database. Returns `None` if there is no PostgreSQL and the person who runs the tests accepts that.
    ///
    /// # Errors
    /// If PostgreSQL does not start.
    ///
    /// # Panics
    /// If there is no PostgreSQL and that was not accepted: see [`needs`].
    pub fn create() -> io::Result<Option<Self>> {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        if std::env::var_os(VARIABLE).is_none() && !needs::have(Need::Postgres) {
            return Ok(None);
        }
        let Some(server) = server()? else { return Ok(None) };
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("scim2_test_{}_{count}", std::process::id());
        psql(&format!("{}postgres", server.url), &format!("CREATE DATABASE {name}"))?;
        Ok(Some(Self { server, name }))
    }

    /// The database as the value of `--store`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("{}{}", self.server.url, self.name)
    }

    /// The output of `psql` for these statements: a line for each row, with `|` between columns.
    ///
    /// # Errors
    /// If one of them fails.
    pub fn sql(&self, statements: &str) -> io::Result<String> {
        psql(&self.url(), statements)
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        // The server may still have connections of a killed node. A database that stays is removed with the cluster.
        let drop = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name);
        let _ = command(&format!("{}postgres", self.server.url), &drop).output();
    }
}

fn server() -> io::Result<Option<&'static Server>> {
    static SERVER: OnceLock<Result<Option<Server>, String>> = OnceLock::new();
    match SERVER.get_or_init(start) {
        Ok(server) => Ok(server.as_ref()),
        Err(reason) => Err(io::Error::other(reason.as_str())),
    }
}

fn start() -> Result<Option<Server>, String> {
    if let Ok(url) = std::env::var(VARIABLE) {
        return Ok(Some(Server { url: format!("{}/", url.trim_end_matches('/')), cluster: None }));
    }
    let cluster = Cluster::start()?;
    Ok(cluster.map(|cluster| Server { url: format!("{}/", cluster.url()), cluster: Some(cluster) }))
}

fn psql(url: &str, statements: &str) -> io::Result<String> {
    let output = command(url, statements).output()?;
    if !output.status.success() {
        let error = String::from_utf8_lossy(&output.stderr);
        return Err(io::Error::other(format!("{statements}: {error}")));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

fn command(url: &str, statements: &str) -> Command {
    let mut command = Command::new(needs::postgres_program("psql").unwrap_or_else(|| "psql".into()));
    command.args(["--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "-v", "ON_ERROR_STOP=1"]);
    command.args(["--dbname", url, "--command", statements]);
    command
}
