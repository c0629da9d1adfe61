//! A pgbouncer in transaction mode between a test and its database.

use std::fs;
use std::io::{self, BufRead, BufReader};
use std::path::Path;
use std::process::{ChildStdin, Stdio};

use super::Database;
use super::cluster::{self, User};
use crate::needs::{self, Need};

/// A running pooler. It ends when this is dropped, or when this process ends without dropping it.
#[derive(Debug)]
pub struct Pooler {
    port: u16,
    #[expect(dead_code, reason = "the guard waits for its end")]
    guard: ChildStdin,
}

impl Pooler {
    /// Starts a pooler in front of the server of a database. Returns `None` if pgbouncer is not installed and the
    /// person who runs the tests accepts that.
    ///
    /// # Errors
    /// If it does not start.
    ///
    /// # Panics
    /// If pgbouncer is missing and that was not accepted: see [`needs`].
    pub fn start(database: &Database) -> io::Result<Option<Self>> {
        if !needs::have(Need::Pgbouncer) {
            return Ok(None);
        }
        let program = needs::program("pgbouncer").ok_or_else(|| io::Error::other("pgbouncer is gone"))?;
        let (folder, port) = (cluster::folder()?, cluster::free_port()?);
        let user = User::other_than_root().map_err(io::Error::other)?;
        let server = database.server.url.trim_end_matches('/').rsplit(':').next().unwrap_or_default();
        fs::write(folder.join("users"), "\"postgres\" \"\"\n")?;
        fs::write(
            folder.join("pgbouncer.ini"),
            format!(
                "[databases]\n* = host=127.0.0.1 port={server}\n[pgbouncer]\nlisten_addr = 127.0.0.1\n\
                 listen_port = {port}\nunix_socket_dir =\nauth_type = trust\nauth_file = {}\n\
                 pool_mode = transaction\ndefault_pool_size = 8\nmax_client_conn = 500\n",
                folder.join("users").display()
            ),
        )?;
        user.own(&folder)?;
        // It ends when its standard input is closed, and this process holds the other end.
        let script = r#""$0" "$1/pgbouncer.ini" 2>&1 & cat > /dev/null; kill $!; rm -rf "$1""#;
        let mut shell = user.command(Path::new("/bin/sh"));
        shell.args(["-c", script]).arg(program).arg(&folder);
        let mut child = shell.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
        let (Some(guard), Some(said)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(io::Error::other("a shell without standard input and output"));
        };
        let mut said = BufReader::new(said);
        let mut heard = String::new();
        while !heard.contains("process up") {
            if said.read_line(&mut heard)? == 0 {
                return Err(io::Error::other(format!("pgbouncer did not start:\n{heard}")));
            }
        }
        // Read to the end, so that it never blocks on a full pipe.
        std::thread::spawn(move || io::copy(&mut said, &mut io::sink()));
        Ok(Some(Self { port, guard }))
    }

    /// The database behind the pooler, as the value of `--store`.
    #[must_use]
    pub fn url(&self, database: &Database) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{}", self.port, database.name)
    }
}
