//! A throw-away PostgreSQL cluster in a temporary folder, on a free port of the loopback.
//!
//! This file needs only the standard library, because `xtask` compiles it, too.

use std::fs;
use std::io;
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, Command, Stdio};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::needs::postgres_program;

/// A running cluster without passwords. When this is dropped, or this process ends without dropping it, the cluster
/// stops and its folder is removed.
#[derive(Debug)]
pub(crate) struct Cluster {
    pg_ctl: PathBuf,
    user: User,
    folder: PathBuf,
    port: u16,
    /// Whether it syncs its writes to disk.
    is_durable: bool,
    // It waits until this pipe is closed.
    guard: Option<ChildStdin>,
}

impl Cluster {
    /// Starts a cluster that does not sync. Returns `None` if PostgreSQL is not installed.
    ///
    /// # Errors
    /// The output of the program that failed.
    pub(crate) fn start() -> Result<Option<Self>, String> {
        let folder = folder().map_err(|error| format!("a temporary folder: {error}"))?;
        Self::start_in(folder, false)
    }

    /// Starts a cluster in an existing empty folder, which belongs to the cluster from now on.
    pub(super) fn start_in(folder: PathBuf, is_durable: bool) -> Result<Option<Self>, String> {
        let (Some(initdb), Some(pg_ctl)) = (postgres_program("initdb"), postgres_program("pg_ctl")) else {
            return Ok(None);
        };
        let user = User::other_than_root()?;
        user.own(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        let data = folder.join("data");
        let mut init = user.command(&initdb);
        init.args(["--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C"]);
        if !is_durable {
            init.arg("--no-sync");
        }
        run(init.arg("--pgdata").arg(&data))?;
        // Another process may take the port before the server does. Then the next port is tried.
        let mut last = String::new();
        let mut cluster = Self { pg_ctl, user, folder, port: 0, is_durable, guard: None };
        for _ in 0..5 {
            cluster.port = free_port().map_err(|error| format!("a free port: {error}"))?;
            match cluster.boot() {
                Ok(()) => {
                    let Self { pg_ctl, user, folder, .. } = &cluster;
                    let guard = user.guard(pg_ctl, &data, folder).map_err(|error| error.to_string())?;
                    cluster.guard = Some(guard);
                    return Ok(Some(cluster));
                }
                Err(reason) => last = reason,
            }
        }
        let log = fs::read_to_string(cluster.folder.join("log")).unwrap_or_default();
        Err(format!("{last}\n{log}"))
    }

    /// Starts the server on its port and waits until it answers.
    pub(super) fn boot(&self) -> Result<(), String> {
        let options = format!(
            "-c listen_addresses=127.0.0.1 -c port={} -c unix_socket_directories= -c fsync={} \
             -c max_connections=300 -c log_min_messages=fatal",
            self.port, self.is_durable
        );
        let mut start = self.user.command(&self.pg_ctl);
        start.args(["start", "--wait", "--silent", "--options", &options]);
        start.arg("--log").arg(self.folder.join("log")).arg("--pgdata").arg(self.data());
        run(&mut start)
    }

    /// The folder of the data.
    pub(super) fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// The URL without a database: `postgres://postgres@127.0.0.1:PORT`.
    pub(crate) fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}", self.port)
    }
}

/// The user that runs the server, because PostgreSQL refuses to run as root.
#[derive(Debug)]
pub(super) struct User(Option<(u32, u32)>);

impl User {
    pub(super) fn other_than_root() -> Result<Self, String> {
        let number = |arguments: &[&str]| {
            let output = Command::new("id").args(arguments).output().ok().filter(|it| it.status.success())?;
            String::from_utf8_lossy(&output.stdout).trim().parse::<u32>().ok()
        };
        if number(&["-u"]) != Some(0) {
            return Ok(Self(None));
        }
        match (number(&["-u", "postgres"]), number(&["-g", "postgres"])) {
            (Some(user), Some(group)) => Ok(Self(Some((user, group)))),
            _ => Err("there is no user `postgres`, and root may not run PostgreSQL".to_owned()),
        }
    }

    pub(super) fn own(&self, folder: &Path) -> io::Result<()> {
        if let Self(Some((user, group))) = self {
            chown(folder, Some(*user), Some(*group))?;
        }
        fs::set_permissions(folder, fs::Permissions::from_mode(0o700))
    }

    pub(super) fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        if let Self(Some((user, group))) = self {
            command.uid(*user).gid(*group);
        }
        // The working directory must be one that the user may read.
        command.current_dir("/").stdin(Stdio::null());
        command
    }

    /// A shell that waits until this process has ended, and then stops the server and removes its folder.
    fn guard(&self, pg_ctl: &Path, data: &Path, folder: &Path) -> io::Result<ChildStdin> {
        let script = r#"cat; "$0" stop --mode=immediate --silent --pgdata "$1"; rm -rf "$2""#;
        let mut shell = self.command(Path::new("/bin/sh"));
        shell.args(["-c", script]).arg(pg_ctl).arg(data).arg(folder);
        // In its own process group, so that Ctrl-C during a test run does not end it.
        shell.process_group(0).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = shell.spawn()?;
        child.stdin.take().ok_or_else(|| io::Error::other("a shell without standard input"))
    }
}

pub(super) fn folder() -> io::Result<PathBuf> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos());
    let folder = std::env::temp_dir().join(format!("scim2-postgres-{}-{now}", std::process::id()));
    fs::create_dir(&folder)?;
    Ok(folder)
}

pub(super) fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}

fn run(command: &mut Command) -> Result<(), String> {
    // The server keeps its standard output open: with a pipe we would wait until the server ends.
    let errors = command.stdout(Stdio::null()).stderr(Stdio::null());
    match errors.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("{}: {status}", command.get_program().display())),
        Err(error) => Err(format!("{}: {error}", command.get_program().display())),
    }
}
