//! A PostgreSQL server for one test, which may kill it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::cluster::Cluster;
use super::psql;

/// A running server that no other test uses. It ends when this is dropped.
#[derive(Debug)]
pub struct OwnServer(Cluster);

impl OwnServer {
    /// Starts a server. Returns `None` if there is no PostgreSQL and that is accepted, as in
    /// [`Database::create`](super::Database::create).
    ///
    /// # Errors
    /// If it does not start.
    pub fn start() -> io::Result<Option<Self>> {
        Cluster::start().map(|cluster| cluster.map(Self)).map_err(io::Error::other)
    }

    /// Starts a server that syncs its writes, in an empty folder that its user can access.
    ///
    /// # Errors
    /// When it does not start.
    pub fn start_in(folder: &Path) -> io::Result<Option<Self>> {
        let started = Cluster::start_in(folder.to_owned(), true);
        started.map(|cluster| cluster.map(Self)).map_err(io::Error::other)
    }

    /// Creates a database and returns its URL, the value of `--store`.
    ///
    /// # Errors
    /// If the server refuses.
    pub fn database(&self, name: &str) -> io::Result<String> {
        let url = self.0.url();
        psql(&format!("{url}/postgres"), &format!("CREATE DATABASE {name}"))?;
        Ok(format!("{url}/{name}"))
    }

    /// The output of `psql` for these statements in a database of this server.
    ///
    /// # Errors
    /// If one of them fails.
    pub fn sql(&self, database: &str, statements: &str) -> io::Result<String> {
        psql(database, statements)
    }

    /// The folder of the data.
    #[must_use]
    pub fn data(&self) -> PathBuf {
        self.0.data()
    }

    /// Kills all processes of the server with SIGKILL, like a crash.
    ///
    /// # Errors
    /// If its processes cannot be found.
    pub fn kill9(&self) -> io::Result<()> {
        let file = fs::read_to_string(self.0.data().join("postmaster.pid"))?;
        let first = file.lines().next().unwrap_or_default().trim().to_owned();
        // The parent comes last, because it would see its children die and start others.
        let stopped = kill().args(["-STOP", &first]).status()?;
        let children = children(&first)?;
        let killed = kill().arg("-KILL").args(children).arg(&first).status()?;
        if stopped.success() && killed.success() {
            Ok(())
        } else {
            Err(io::Error::other("a process of PostgreSQL could not be killed"))
        }
    }

    /// Starts it again after a crash, on the same port, with the same databases.
    ///
    /// # Errors
    /// The output of the program that failed.
    pub fn start_again(&self) -> io::Result<()> {
        let mut last = String::new();
        // The killed processes may not have released their shared memory yet.
        for _ in 0..50 {
            match self.0.boot() {
                Ok(()) => return Ok(()),
                Err(reason) => last = reason,
            }
        }
        Err(io::Error::other(last))
    }
}

/// The `kill` of the shell, because a minimal system does not have the package with the program `kill`.
fn kill() -> Command {
    let mut shell = Command::new("/bin/sh");
    shell.args(["-c", "kill \"$@\"", "kill"]);
    shell
}

/// The processes with this parent.
fn children(parent: &str) -> io::Result<Vec<String>> {
    let mut children = Vec::new();
    for entry in fs::read_dir("/proc")? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if !name.bytes().all(|byte| byte.is_ascii_digit()) {
            continue;
        }
        // A process that has ended meanwhile has no file.
        let Ok(stat) = fs::read_to_string(format!("/proc/{name}/stat")) else { continue };
        let behind_name = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
        if behind_name.split_ascii_whitespace().nth(1) == Some(parent) {
            children.push(name);
        }
    }
    Ok(children)
}
