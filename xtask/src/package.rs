//! Checks that the packages which would be published compile.
//!
//! `cargo package` would build the dependencies of every package again. Here the packages are unpacked side by side and
//! checked as one workspace, in which each finds the others, with the dependencies that clippy has already checked. A
//! file that is missing from a package, or a dependency without a version, still fails.

use std::fs;
use std::path::Path;

use crate::workspace::{Crates, Workspace, run as run_command};

/// Packs every published crate and checks what was packed.
pub(crate) fn run(workspace: &Workspace) -> Result<(), String> {
    let names = workspace.crates(Crates::Published)?;
    let mut arguments = vec!["package", "--quiet", "--allow-dirty", "--no-verify"];
    for name in &names {
        arguments.extend(["--package", name]);
    }
    run_command(&mut workspace.cargo(arguments))?;

    let packages = workspace.target().join("package");
    let folder = packages.join("unpacked");
    // Left by an earlier run.
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let version = version(workspace)?;
    let mut patches = String::new();
    for name in &names {
        let package = packages.join(format!("{name}-{version}.crate"));
        // `-m` gives the files the current time. In a package all files have the same time, so that an older build
        // would seem up to date.
        run_command(workspace.command("tar").arg("-xmzf").arg(&package).arg("-C").arg(&folder))?;
        patches.push_str(&format!("{name} = {{ path = \"{name}-{version}\" }}\n"));
    }
    let manifest =
        format!("[workspace]\nresolver = \"3\"\nmembers = [\"*-{version}\"]\n\n[patch.crates-io]\n{patches}");
    write(&folder.join("Cargo.toml"), &manifest)?;
    let lock = workspace.root().join("Cargo.lock");
    fs::copy(&lock, folder.join("Cargo.lock")).map_err(|error| format!("{}: {error}", lock.display()))?;
    let mut check = workspace.cargo(["check", "--quiet", "--workspace", "--all-features"]);
    run_command(check.current_dir(&folder).env("CARGO_TARGET_DIR", workspace.target()))
}

/// The version all packages share.
fn version(workspace: &Workspace) -> Result<String, String> {
    let path = workspace.root().join("Cargo.toml");
    let text = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    let version = text.lines().find_map(|line| line.strip_prefix("version = \"")?.strip_suffix('"'));
    version.map(str::to_owned).ok_or(format!("{}: no version", path.display()))
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()))
}
