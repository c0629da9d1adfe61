//! Programs and rights that some tests need, and what happens to a test if they are missing.
//!
//! A test asks [`have`] before it starts. If the need is met, the test runs. If it is not, the test fails and names
//! the package to install. The person who runs the tests can accept that some needs are missing:
//! `SCIM2_TEST_WITHOUT=fuse,strace`. Then the test returns at once, and its name is appended to the file that
//! `SCIM2_TEST_NOT_RUN` names. `cargo xtask test` sets both variables and does not count those tests as passed.
//!
//! This file needs only the standard library: `xtask` compiles it too.

use std::fs::{self, File};
use std::io::Write as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The variable that lists the needs that may be missing, by [`Need::name`], with commas between them.
pub const WITHOUT: &str = "SCIM2_TEST_WITHOUT";

/// The variable that names the file to which the tests that could not run are appended.
pub const NOT_RUN: &str = "SCIM2_TEST_NOT_RUN";

/// Something that a test needs in addition to Rust.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Need {
    /// A PostgreSQL server that a test may start.
    Postgres,
    /// The connection pooler pgbouncer.
    Pgbouncer,
    /// The program strace, and the right to trace processes.
    Strace,
    /// The right to mount a small file system in a new namespace.
    Mount,
    /// The right to mount a FUSE file system.
    Fuse,
    /// The command `curl`, which the README uses.
    Curl,
    /// The proxy nginx.
    Nginx,
    /// The proxy HAProxy.
    Haproxy,
}

impl Need {
    /// All needs, in the order in which they are reported.
    pub const ALL: &'static [Self] = &[
        Self::Postgres,
        Self::Pgbouncer,
        Self::Strace,
        Self::Mount,
        Self::Fuse,
        Self::Curl,
        Self::Nginx,
        Self::Haproxy,
    ];

    /// The name in [`WITHOUT`] and in reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Postgres => "postgres",
            Self::Pgbouncer => "pgbouncer",
            Self::Strace => "strace",
            Self::Mount => "mount",
            Self::Fuse => "fuse",
            Self::Curl => "curl",
            Self::Nginx => "nginx",
            Self::Haproxy => "haproxy",
        }
    }

    /// A few words about the tests that need it.
    #[must_use]
    pub fn purpose(self) -> &'static str {
        match self {
            Self::Postgres => "the store on PostgreSQL",
            Self::Pgbouncer => "the store behind a connection pooler",
            Self::Strace => "the order of syncs and answers",
            Self::Mount => "full and read-only disks",
            Self::Fuse => "power cuts and failing disks",
            Self::Curl => "the tour of the README",
            Self::Nginx => "the server behind nginx",
            Self::Haproxy => "the server behind HAProxy",
        }
    }

    /// The Debian packages that bring it.
    #[must_use]
    pub fn packages(self) -> &'static [&'static str] {
        match self {
            Self::Postgres => &["postgresql"],
            Self::Pgbouncer => &["pgbouncer"],
            Self::Strace => &["strace"],
            Self::Mount => &["util-linux", "mount"],
            Self::Fuse => &["fuse3"],
            Self::Curl => &["curl", "ca-certificates"],
            Self::Nginx => &["nginx-light"],
            Self::Haproxy => &["haproxy"],
        }
    }

    /// Whether installing a package is enough. Tracing and mounting also need rights, which a container may lack.
    #[must_use]
    pub fn is_a_package(self) -> bool {
        matches!(self, Self::Postgres | Self::Pgbouncer | Self::Curl | Self::Nginx | Self::Haproxy)
    }

    /// Why the need is not met on this machine, or `None` if it is.
    #[must_use]
    pub fn missing(self) -> Option<String> {
        match self {
            Self::Postgres => {
                let found = postgres_program("initdb").is_some() && postgres_program("psql").is_some();
                (!found).then(|| "PostgreSQL is not installed".to_owned())
            }
            Self::Pgbouncer => {
                program("pgbouncer").is_none().then(|| "pgbouncer is not installed".to_owned())
            }
            Self::Strace => {
                if program("strace").is_none() {
                    return Some("strace is not installed".to_owned());
                }
                let traces = succeeds(Command::new("strace").args(["-o", "/dev/null", "true"]));
                (!traces).then(|| "strace may trace nothing here".to_owned())
            }
            Self::Mount => {
                let script = "mount -t tmpfs -o size=1m none /tmp";
                let mut mount = Command::new("unshare");
                let mounts = succeeds(mount.args(["--map-root-user", "--mount", "sh", "-c", script]));
                (!mounts).then(|| "no file system may be mounted in a namespace (unshare --mount)".to_owned())
            }
            Self::Fuse => {
                if let Err(error) = File::options().read(true).write(true).open("/dev/fuse") {
                    return Some(format!("/dev/fuse cannot be opened: {error}"));
                }
                // Root mounts without the helper.
                let is_root = fs::metadata("/proc/self").is_ok_and(|it| it.uid() == 0);
                (!is_root && program("fusermount3").is_none())
                    .then(|| "fusermount3 is not installed".to_owned())
            }
            Self::Curl => program("curl").is_none().then(|| "curl is not installed".to_owned()),
            Self::Nginx => program("nginx").is_none().then(|| "nginx is not installed".to_owned()),
            Self::Haproxy => program("haproxy").is_none().then(|| "HAProxy is not installed".to_owned()),
        }
    }
}

/// Says whether the need is met, so that the test can run. Returns `false` only if it is missing and
/// [`WITHOUT`] accepts that; the test is then recorded as not run.
///
/// # Panics
/// If the need is missing and that was not accepted.
#[must_use]
pub fn have(need: Need) -> bool {
    // A process that serves its own FUSE disk can deadlock if another of its threads changes the memory map.
    // cargo-nextest runs each test in its own process, and sets this variable.
    let shares = need == Need::Fuse && std::env::var_os("NEXTEST").is_none();
    let reason = match need.missing() {
        None if shares => {
            Some("a FUSE disk needs a process for each test: use `cargo nextest run`".to_owned())
        }
        reason => reason,
    };
    reason.is_none_or(|reason| !accept_missing(need, &reason))
}

/// Handles a need that turned out to be missing during a test: records the test as not run if [`WITHOUT`] accepts
/// that.
///
/// # Panics
/// If that was not accepted.
#[expect(clippy::panic, reason = "a test that cannot run has not passed")]
pub fn accept_missing(need: Need, reason: &str) -> bool {
    let without = std::env::var(WITHOUT).unwrap_or_default();
    if !without.split(',').any(|name| name.trim() == need.name()) {
        let packages = need.packages().join(" ");
        panic!(
            "{reason}. This test needs `{name}` (Debian: {packages}); `cargo xtask test` installs it. To leave \
             such tests out, set {WITHOUT}={name}",
            name = need.name(),
        );
    }
    let thread = std::thread::current();
    let line = format!("{}\t{}\n", need.name(), thread.name().unwrap_or("a test"));
    if let Some(path) = std::env::var_os(NOT_RUN).map(PathBuf::from) {
        // One write of a short line: the processes of several tests append to the file.
        let appended = File::options().append(true).create(true).open(&path);
        if let Err(error) = appended.and_then(|mut file| file.write_all(line.as_bytes())) {
            panic!("{}: {error}", path.display());
        }
    }
    true
}

/// A program of the newest installed PostgreSQL. On Debian these programs are not in the search path.
#[must_use]
pub fn postgres_program(name: &str) -> Option<PathBuf> {
    let asked = Command::new("pg_config").arg("--bindir").stderr(Stdio::null()).output().ok();
    let named = asked.filter(|output| output.status.success());
    let named = named.map(|output| PathBuf::from(String::from_utf8_lossy(&output.stdout).trim()));
    let mut versions: Vec<PathBuf> = fs::read_dir("/usr/lib/postgresql")
        .map(|entries| entries.filter_map(|entry| Some(entry.ok()?.path().join("bin"))).collect())
        .unwrap_or_default();
    versions.sort();
    let folders = named.into_iter().chain(versions.into_iter().rev());
    let found = folders.map(|folder| folder.join(name)).find(|program| program.is_file());
    found.or_else(|| program(name))
}

/// A program in the search path, or in the folders for administrators.
#[must_use]
pub fn program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders =
        std::env::split_paths(&path).chain(["/usr/sbin", "/sbin"].map(|it| Path::new(it).to_owned()));
    folders.map(|folder| folder.join(name)).find(|program| program.is_file())
}

fn succeeds(command: &mut Command) -> bool {
    let silent = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    silent.status().is_ok_and(|status| status.success())
}
