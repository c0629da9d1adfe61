//! A PostgreSQL of one's own, which may be killed.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::cluster::Cluster;
use super::psql;

/// A running server that no other test has anything to do with; gone when this is dropped.
#[derive(Debug)]
pub struct OwnServer(Cluster);

impl OwnServer {
    /// Starts one; `None` where there is no PostgreSQL, which [`Database::create`](super::Database::create)
    /// says or refuses.
    ///
    /// # Errors
    /// When it does not start.
    pub fn start() -> io::Result<Option<Self>> {
        Cluster::start().map(|cluster| cluster.map(Self)).map_err(io::Error::other)
    }

    /// Starts one that syncs what it writes, in an empty folder that its user can reach.
    ///
    /// # Errors
    /// When it does not start.
    pub fn start_in(folder: &Path) -> io::Result<Option<Self>> {
        let started = Cluster::start_in(folder.to_owned(), true);
        started.map(|cluster| cluster.map(Self)).map_err(io::Error::other)
    }

    /// Makes a database and returns it as the value of `--store`.
    ///
    /// # Errors
    /// If the server refuses.
    pub fn database(&self, name: &str) -> io::Result<String> {
        let url = self.0.url();
        psql(&format!("{url}/postgres"), &format!("CREATE DATABASE {name}"))?;
        Ok(format!("{url}/{name}"))
    }

    /// What `psql` prints for these statements in a database of this server.
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

    /// Ends it with SIGKILL, all of its processes, as a crash would.
    ///
    /// # Errors
    /// If its processes cannot be found.
    pub fn kill9(&self) -> io::Result<()> {
        let file = fs::read_to_string(self.0.data().join("postmaster.pid"))?;
        let first = file.lines().next().unwrap_or_default().trim().to_owned();
        // The first one last: it would see its children die and start others.
        let stopped = kill().args(["-STOP", &first]).status()?;
        let children = children(&first)?;
        let killed = kill().arg("-KILL").args(children).arg(&first).status()?;
        if stopped.success() && killed.success() {
            Ok(())
        } else {
            Err(io::Error::other("a process of PostgreSQL could not be killed"))
        }
    }

    /// Starts it again after a crash, on the same port with the same databases.
    ///
    /// # Errors
    /// What the program that failed said.
    pub fn start_again(&self) -> io::Result<()> {
        let mut last = String::new();
        // What was killed may hold its memory for a moment longer.
        for _ in 0..50 {
            match self.0.boot() {
                Ok(()) => return Ok(()),
                Err(reason) => last = reason,
            }
        }
        Err(io::Error::other(last))
    }
}

/// The `kill` of the shell: the program of that name is in a package that a minimal system lacks.
fn kill() -> Command {
    let mut shell = Command::new("/bin/sh");
    shell.args(["-c", "kill \"$@\"", "kill"]);
    shell
}

/// The processes whose parent this is.
fn children(parent: &str) -> io::Result<Vec<String>> {
    let mut children = Vec::new();
    for entry in fs::read_dir("/proc")? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if !name.bytes().all(|byte| byte.is_ascii_digit()) {
            continue;
        }
        // One that has ended meanwhile is nobody's child.
        let Ok(stat) = fs::read_to_string(format!("/proc/{name}/stat")) else { continue };
        let behind_name = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
        if behind_name.split_ascii_whitespace().nth(1) == Some(parent) {
            children.push(name);
        }
    }
    Ok(children)
}
