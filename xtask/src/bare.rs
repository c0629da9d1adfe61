//! The whole test command on a machine that has nothing: a minimal Debian in a folder, with a C compiler, the
//! stable Rust of this machine, and a clone of the last commit.
//!
//! A developer's machine hides what is missing on others. This needs root, Debian and its package archive.

use std::fs;
use std::path::{Path, PathBuf};

use crate::needs;
use crate::steps::Verdict;
use crate::tools;
use crate::workspace::{Workspace, output, run as run_command};

/// What the minimal system has beside itself.
const PACKAGES: &str = "--include=ca-certificates,gcc,libc6-dev";

/// Settings of this machine that say how the package archives and registries are reached.
const NETWORK: &[&str] = &[
    "/etc/resolv.conf",
    "/etc/hosts",
    "/etc/pip.conf",
    "/etc/ssl/certs/ca-certificates.crt",
    "/usr/local/share/ca-certificates",
];

/// Variables of the environment that say the same.
const VARIABLES: &[&str] = &[
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "PIP_CERT",
    "SSL_CERT_FILE",
];

/// Makes the system anew and runs `cargo xtask test` in it, with `CI=true`.
pub(crate) fn run(workspace: &Workspace) -> Result<Verdict, String> {
    if !tools::may_install(workspace) {
        return Ok(Verdict::Skipped("it needs root on a Debian system".to_owned()));
    }
    if needs::program("debootstrap").is_none() {
        tools::install(workspace, &["debootstrap"])?;
    }
    let root = workspace.target().join("bare");
    // What an earlier run left; nothing of this machine is mounted in it outside of a run.
    let _ = fs::remove_dir_all(&root);
    let suite = suite()?;
    run_command(workspace.command("debootstrap").args(["--variant=minbase", PACKAGES, &suite]).arg(&root))?;
    for path in NETWORK {
        copy(workspace, Path::new(path), &root)?;
    }
    run_command(
        workspace.command("git").args(["clone", "--quiet", "--no-hardlinks", "."]).arg(root.join("src")),
    )?;
    let rust = output(workspace.command("rustc").args(["+stable", "--print", "sysroot"]))
        .or_else(|| output(workspace.command("rustc").args(["--print", "sysroot"])))
        .map(|sysroot| PathBuf::from(sysroot.trim()))
        .ok_or("rustc does not say where it is")?;

    // The mounts are of a namespace that ends with the shell.
    let script = r#"set -eu
root=$1; rust=$2; shift 2
mkdir -p "$root/opt/rust"
mount --bind "$rust" "$root/opt/rust"
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
mount --rbind /sys "$root/sys"
exec chroot "$root" /usr/bin/env -i "$@" sh -c 'cd /src && exec cargo xtask test'"#;
    let mut shell = workspace.command("unshare");
    shell.args(["--mount", "sh", "-c", script, "sh"]).arg(&root).arg(rust);
    shell.args(["HOME=/root", "PATH=/opt/rust/bin:/usr/sbin:/usr/bin:/sbin:/bin", "CI=true"]);
    for name in VARIABLES {
        if let Ok(value) = std::env::var(name) {
            shell.arg(format!("{name}={value}"));
        }
    }
    run_command(&mut shell)?;
    fs::remove_dir_all(&root).map_err(|error| format!("{}: {error}", root.display()))?;
    Ok(Verdict::Passed)
}

/// The name of the Debian that runs here.
fn suite() -> Result<String, String> {
    let text = fs::read_to_string("/etc/os-release").map_err(|error| format!("/etc/os-release: {error}"))?;
    let name = text.lines().find_map(|line| line.strip_prefix("VERSION_CODENAME="));
    name.map(|name| name.trim_matches('"').to_owned())
        .ok_or("/etc/os-release: no VERSION_CODENAME".to_owned())
}

/// Copies a file or folder to the same place below `root`, if it is there.
fn copy(workspace: &Workspace, path: &Path, root: &Path) -> Result<(), String> {
    let (true, Some(folder)) = (path.exists(), path.parent()) else { return Ok(()) };
    let inside = root.join(folder.strip_prefix("/").unwrap_or(folder));
    fs::create_dir_all(&inside).map_err(|error| format!("{}: {error}", inside.display()))?;
    run_command(workspace.command("cp").args(["--recursive", "--dereference"]).arg(path).arg(&inside))
}
