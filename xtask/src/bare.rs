//! The commands of the README on a machine that has nothing: a minimal Debian in a folder, with a C compiler, the
//! stable Rust of this machine, and a clone of the last commit.
//!
//! A developer's machine hides what other machines lack. This part needs root, Debian and its package archive.

use std::fs;
use std::path::{Path, PathBuf};

use crate::needs;
use crate::steps::Verdict;
use crate::tools;
use crate::workspace::{Workspace, output, run as run_command};

/// The packages that are added to the minimal system.
const PACKAGES: &str = "--include=ca-certificates,gcc,libc6-dev";

/// Files of this machine that configure access to the package archives and registries.
const NETWORK: &[&str] = &[
    "/etc/resolv.conf",
    "/etc/hosts",
    "/etc/pip.conf",
    "/etc/ssl/certs/ca-certificates.crt",
    "/usr/local/share/ca-certificates",
];

/// Environment variables that configure the same access.
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

/// What runs inside: the test command, then the command that starts the server, which is stopped as soon as it says
/// that it listens. `cargo run` becomes the server, so `$!` is the server's process.
const INSIDE: &str = r#"set -eu
cd /src
cargo xtask test
mkfifo /tmp/serve.log
cargo run --release -- serve --listen 127.0.0.1:0 2>/tmp/serve.log &
server=$!
while read -r line; do
    echo "$line"
    case $line in *"listening on"*) kill $server ;; esac
done </tmp/serve.log
wait $server"#;

/// Makes the minimal system the root of a new mount namespace and enters it. The mounts end with the shell. A `chroot`
/// would not do: in one, no process may create a user namespace, which the tests of full disks need.
const ENTER: &str = r#"set -eu
root=$1; rust=$2; inside=$3; shift 3
mount --make-rprivate /
mount --bind "$root" "$root"
mkdir -p "$root/opt/rust" "$root/old"
mount --bind "$rust" "$root/opt/rust"
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
mount --rbind /sys "$root/sys"
cd "$root"
pivot_root . old
umount -l /old
exec /usr/bin/env -i "$@" sh -c "$inside""#;

/// Creates the system and runs the two commands of the README in it, with `CI=true`.
pub(crate) fn run(workspace: &Workspace) -> Result<Verdict, String> {
    if !tools::may_install(workspace) {
        return Ok(Verdict::Skipped("it needs root on a Debian system".to_owned()));
    }
    if needs::program("debootstrap").is_none() {
        tools::install(workspace, &["debootstrap"])?;
    }
    let root = workspace.target().join("bare");
    // An earlier run that failed leaves its system. Nothing is mounted in it after its shell has ended.
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
        .ok_or("`rustc --print sysroot` failed: is Rust installed?")?;

    let mut shell = workspace.command("unshare");
    shell.args(["--mount", "sh", "-c", ENTER, "sh"]).arg(&root).arg(rust).arg(INSIDE);
    shell.args(["HOME=/root", "PATH=/opt/rust/bin:/usr/sbin:/usr/bin:/sbin:/bin", "CI=true"]);
    // Everything is built once, so incremental compilation would only fill the disk.
    shell.arg("CARGO_INCREMENTAL=0");
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
