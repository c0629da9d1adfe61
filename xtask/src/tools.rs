//! What the steps need beside the toolchain. Installed into `target/`, pinned, said aloud.

use std::path::{Path, PathBuf};

use crate::cluster::{self, Cluster};
use crate::workspace::{Workspace, output, run};

/// The versions that were tried.
const CARGO_DENY: &str = "0.20.2";
const CARGO_FUZZ: &str = "0.13.2";
const CARGO_LLVM_COV: &str = "0.9.1";

/// Whether `cargo nextest` is there.
pub(crate) fn has_nextest(workspace: &Workspace) -> bool {
    output(&mut workspace.cargo(["nextest", "--version"])).is_some()
}

/// cargo-deny, installed where it is missing.
pub(crate) fn cargo_deny(workspace: &Workspace) -> Result<PathBuf, String> {
    cargo_tool(workspace, "cargo-deny", CARGO_DENY)
}

/// cargo-fuzz, installed where it is missing.
pub(crate) fn cargo_fuzz(workspace: &Workspace) -> Result<PathBuf, String> {
    cargo_tool(workspace, "cargo-fuzz", CARGO_FUZZ)
}

/// cargo-llvm-cov, installed where it is missing, with the component of the toolchain that it runs.
pub(crate) fn cargo_llvm_cov(workspace: &Workspace) -> Result<PathBuf, String> {
    if output(&mut workspace.cargo(["llvm-cov", "--version"])).is_some() {
        return Ok(PathBuf::from("cargo-llvm-cov"));
    }
    run(workspace.command("rustup").args(["component", "add", "llvm-tools"]))?;
    cargo_tool(workspace, "cargo-llvm-cov", CARGO_LLVM_COV)
}

/// Whether rustup has a nightly toolchain.
pub(crate) fn has_nightly(workspace: &Workspace) -> bool {
    output(&mut workspace.cargo(["+nightly", "--version"])).is_some()
}

fn cargo_tool(workspace: &Workspace, name: &str, version: &str) -> Result<PathBuf, String> {
    if output(workspace.command(name).arg("--version")).is_some() {
        return Ok(PathBuf::from(name));
    }
    let root = workspace.target().join("tools");
    let program = root.join("bin").join(name);
    if !program.is_file() {
        println!("installing {name} {version} into {} (a few minutes, once)", root.display());
        let mut command = workspace.cargo([
            "install",
            "--quiet",
            "--locked",
            "--debug",
            name,
            "--version",
            version,
            "--root",
        ]);
        // Built without optimisation: that takes half the time and they do little.
        // One target folder for all tools, apart from ours: they share nothing with it.
        run(command.arg(&root).env("CARGO_TARGET_DIR", root.join("build")))?;
        // Nothing in it is needed again.
        let _ = std::fs::remove_dir_all(root.join("build"));
    }
    Ok(program)
}

/// A virtual environment below `target/venv` with these packages from PyPI.
pub(crate) fn python(workspace: &Workspace, name: &str, packages: &[&str]) -> Result<PathBuf, String> {
    let folder = workspace.target().join("venv").join(name);
    let done = folder.join("installed.txt");
    let wanted = packages.join("\n");
    if std::fs::read_to_string(&done).is_ok_and(|installed| installed == wanted) {
        return Ok(folder);
    }
    println!("installing {} into {}", packages.join(" "), folder.display());
    if create_venv(workspace, &folder).is_err() {
        install_python(workspace)?;
        create_venv(workspace, &folder)?;
    }
    let mut pip = workspace.command(folder.join("bin").join("python"));
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]).args(packages);
    run(&mut pip)?;
    std::fs::write(&done, wanted).map_err(|error| format!("{}: {error}", done.display()))?;
    Ok(folder)
}

fn create_venv(workspace: &Workspace, folder: &Path) -> Result<(), String> {
    run(workspace.command("python3").args(["-m", "venv", "--clear"]).arg(folder))
}

/// Debian splits `venv` off its Python; it can be had where we may install packages.
fn install_python(workspace: &Workspace) -> Result<(), String> {
    if !may_install(workspace) {
        return Err("python3 with venv is needed: install the packages python3 and python3-venv".to_owned());
    }
    install(workspace, &["python3", "python3-venv"])
}

/// A PostgreSQL for the whole run, installed where it is missing and we may; `None` where there is none.
pub(crate) fn postgres(workspace: &Workspace) -> Result<Option<Cluster>, String> {
    if cluster::program("initdb").is_none() && may_install(workspace) {
        install(workspace, &["postgresql", "pgbouncer"])?;
    }
    let cluster = Cluster::start()?;
    if cluster.is_none() {
        if std::env::var("CI").is_ok_and(|ci| ci == "true") {
            return Err("CI=true, and PostgreSQL is not installed".to_owned());
        }
        println!("PostgreSQL is not installed (the package postgresql): the tests that need it are not run");
    }
    Ok(cluster)
}

/// Says what is not run where no file system can be mounted that forgets what was not synced.
pub(crate) fn say_without_fuse() {
    // No failure, also in CI: the device is the host's to give, and no package brings it.
    if let Err(error) = std::fs::File::options().read(true).write(true).open("/dev/fuse") {
        println!("FUSE is missing (/dev/fuse: {error}): THE TESTS THAT CUT THE POWER ARE NOT RUN");
    }
}

/// Whether we are root on a system with Debian packages.
fn may_install(workspace: &Workspace) -> bool {
    let is_root = output(workspace.command("id").arg("-u")).is_some_and(|id| id.trim() == "0");
    is_root && output(workspace.command("apt-get").arg("--version")).is_some()
}

fn install(workspace: &Workspace, packages: &[&str]) -> Result<(), String> {
    println!("installing the Debian packages {}", packages.join(" and "));
    run(workspace.command("apt-get").args(["update", "--quiet"]))?;
    let mut install = workspace.command("apt-get");
    install.args(["install", "--quiet", "--yes", "--no-install-recommends"]).args(packages);
    run(install.env("DEBIAN_FRONTEND", "noninteractive"))
}
