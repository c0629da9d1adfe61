//! Installs what the steps need in addition to the Rust toolchain. Rust tools and Python packages are pinned and go into
//! `target/`. System programs are Debian packages, installed if this program runs as root on Debian. The summary lists
//! all of them.

use std::path::{Path, PathBuf};

use crate::needs::{self, Need};
use crate::workspace::{Workspace, output, run};

/// The versions that are known to work.
const CARGO_DENY: &str = "0.20.2";
const CARGO_FUZZ: &str = "0.13.2";
const CARGO_LLVM_COV: &str = "0.9.1";
const CARGO_NEXTEST: &str = "0.9.143";

/// The nightly toolchain that is known to build the fuzz targets.
pub(crate) const NIGHTLY: &str = "nightly-2026-05-20";

/// Whether `CI=true` is set. Then a missing package is a failure, because a package can be installed.
pub(crate) fn is_ci() -> bool {
    std::env::var("CI").is_ok_and(|ci| ci == "true")
}

/// cargo-nextest; installs it if it is missing.
pub(crate) fn cargo_nextest(workspace: &Workspace) -> Result<PathBuf, String> {
    cargo_tool(workspace, "cargo-nextest", CARGO_NEXTEST)
}

/// cargo-deny; installs it if it is missing.
pub(crate) fn cargo_deny(workspace: &Workspace) -> Result<PathBuf, String> {
    cargo_tool(workspace, "cargo-deny", CARGO_DENY)
}

/// cargo-fuzz; installs it if it is missing.
pub(crate) fn cargo_fuzz(workspace: &Workspace) -> Result<PathBuf, String> {
    cargo_tool(workspace, "cargo-fuzz", CARGO_FUZZ)
}

/// cargo-llvm-cov; installs it if it is missing, with the toolchain component that it runs.
pub(crate) fn cargo_llvm_cov(workspace: &Workspace) -> Result<PathBuf, String> {
    if output(&mut workspace.cargo(["llvm-cov", "--version"])).is_some() {
        return Ok(PathBuf::from("cargo-llvm-cov"));
    }
    run(workspace.command("rustup").args(["component", "add", "llvm-tools"]))?;
    cargo_tool(workspace, "cargo-llvm-cov", CARGO_LLVM_COV)
}

/// The nightly toolchain to fuzz with: the pinned one, or else the newest installed one. Never installs one, because
/// that would download more than a gigabyte into the user's home.
pub(crate) fn nightly(workspace: &Workspace) -> Option<String> {
    // Only lists the toolchains: `cargo +nightly` would install a missing one.
    let list = output(workspace.command("rustup").args(["toolchain", "list"]))?;
    choose_nightly(&list)
}

fn choose_nightly(list: &str) -> Option<String> {
    let installed = list.lines().filter_map(|line| line.split_whitespace().next());
    let mut nightlies: Vec<&str> = installed.filter(|name| name.starts_with("nightly")).collect();
    nightlies.sort_by_key(|name| (name.starts_with(NIGHTLY), *name));
    nightlies.last().map(|name| (*name).to_owned())
}

/// Makes sure that there is a C++ compiler, which libFuzzer is built with.
pub(crate) fn cxx(workspace: &Workspace) -> Result<(), String> {
    if needs::program("c++").is_none() && may_install(workspace) {
        install(workspace, &["g++"])?;
    }
    match needs::program("c++") {
        Some(_) => Ok(()),
        None => Err("libFuzzer needs a C++ compiler: install the package g++".to_owned()),
    }
}

/// Makes sure that there is git, if it may be installed. cargo-deny fetches the advisory database with it.
pub(crate) fn git(workspace: &Workspace) -> Result<(), String> {
    if needs::program("git").is_none() && may_install(workspace) {
        install(workspace, &["git"])?;
    }
    Ok(())
}

fn cargo_tool(workspace: &Workspace, name: &str, version: &str) -> Result<PathBuf, String> {
    if let Some(program) = needs::program(name) {
        return Ok(program);
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
        // Without optimization the build takes half the time, and the tools do little work. All tools share one target
        // folder, which is not ours: they have no artifact in common with the workspace.
        run(command.arg(&root).env("CARGO_TARGET_DIR", root.join("build")))?;
        // Only the program is needed, not its build folder. If it cannot be removed, it only takes up space.
        let _ = std::fs::remove_dir_all(root.join("build"));
        workspace.report().installed(format!("{name} {version}"), root.display().to_string());
    }
    Ok(program)
}

/// The folder of a virtual environment below `target/venv` with these packages from PyPI; creates it if necessary.
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
    workspace.report().installed(packages.join(" "), folder.display().to_string());
    Ok(folder)
}

fn create_venv(workspace: &Workspace, folder: &Path) -> Result<(), String> {
    run(workspace.command("python3").args(["-m", "venv", "--clear"]).arg(folder))
}

/// Installs Python with `venv`, which is a package of its own on Debian.
fn install_python(workspace: &Workspace) -> Result<(), String> {
    if !may_install(workspace) {
        return Err("python3 with venv is needed: install the packages python3 and python3-venv".to_owned());
    }
    install(workspace, &["python3", "python3-venv"])
}

/// Installs the packages of every need that is not met, if this program may do so, and returns the needs that are still
/// missing.
///
/// # Errors
/// With `CI=true`, if a need is missing that only takes a package.
pub(crate) fn prepare_needs(workspace: &Workspace) -> Result<Vec<(Need, String)>, String> {
    let unmet = || Need::ALL.iter().filter_map(|need| Some((*need, need.missing()?)));
    let packages: Vec<&str> = unmet().flat_map(|(need, _)| need.packages()).copied().collect();
    if !packages.is_empty() && may_install(workspace) {
        // Some needs are also rights, such as mounting. They can still be missing afterwards.
        install(workspace, &packages)?;
    }
    let missing: Vec<(Need, String)> = unmet().collect();
    for (need, reason) in &missing {
        println!("{reason}: the tests of {} are not run (`{}`)", need.purpose(), need.name());
    }
    match missing.iter().find(|(need, _)| need.is_a_package()) {
        Some((_, reason)) if is_ci() => Err(format!("CI=true, and {reason}")),
        _ => Ok(missing),
    }
}

/// Whether this program runs as root on a system with Debian packages.
pub(crate) fn may_install(workspace: &Workspace) -> bool {
    let is_root = output(workspace.command("id").arg("-u")).is_some_and(|id| id.trim() == "0");
    is_root && needs::program("apt-get").is_some()
}

/// Installs Debian packages.
pub(crate) fn install(workspace: &Workspace, packages: &[&str]) -> Result<(), String> {
    println!("installing the Debian packages {}", packages.join(" "));
    run(workspace.command("apt-get").args(["update", "--quiet"]))?;
    let mut install = workspace.command("apt-get");
    install.args(["install", "--quiet", "--yes", "--no-install-recommends"]).args(packages);
    run(install.env("DEBIAN_FRONTEND", "noninteractive"))?;
    workspace.report().installed(packages.join(" "), "this system (Debian packages)");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nightly_is_the_pinned_one_or_the_newest_that_is_installed() {
        let list = "stable-x86_64-unknown-linux-gnu (active, default)\nnightly-2026-01-01-x86_64\n";
        assert_eq!(choose_nightly(list).as_deref(), Some("nightly-2026-01-01-x86_64"));
        let pinned = format!("{NIGHTLY}-x86_64\nnightly-2026-09-01-x86_64 (default)\n");
        assert_eq!(choose_nightly(&pinned), Some(format!("{NIGHTLY}-x86_64")));
        assert_eq!(choose_nightly("stable-x86_64\n"), None);
        assert_eq!(choose_nightly("no installed toolchains\n"), None);
    }
}
