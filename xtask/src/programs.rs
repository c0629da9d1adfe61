//! Compares the programs that tests and chores call with a list of where each comes from. A program that is not in the
//! list would be missing on the next bare machine.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::workspace::Workspace;

/// Where each program comes from. For the programs of a minimal Debian this is the essential package.
const PROGRAMS: &[(&str, &str)] = &[
    ("/bin/sh", "dash, essential"),
    ("apt-get", "called only by root on Debian"),
    ("cargo", "Rust"),
    ("cp", "coreutils, essential"),
    ("curl", "the need `curl`"),
    ("debootstrap", "installed by the soak part bare"),
    ("git", "used by the soak part bare, which needs a clone; installed by the step deny"),
    ("id", "coreutils, essential"),
    ("mkfifo", "coreutils, essential"),
    ("pg_config", "optional: finds PostgreSQL outside of /usr/lib/postgresql"),
    ("python3", "python3 and python3-venv, installed by the step third-party"),
    ("rustc", "Rust"),
    ("rustup", "optional: without it the fuzz targets are not run"),
    ("sh", "dash, essential"),
    ("strace", "the need `strace`"),
    ("sync", "coreutils, essential; only used by a benchmark"),
    ("tar", "tar, essential"),
    ("umount", "the needs `mount` and `fuse`"),
    ("unshare", "the need `mount`"),
];

/// Fails if a test or chore calls a program that is not in the list.
pub(crate) fn check(workspace: &Workspace) -> Result<(), String> {
    let mut called = BTreeMap::new();
    for folder in ["crates", "benches", "xtask"] {
        collect(&workspace.root().join(folder), &mut called)?;
    }
    let unknown: Vec<String> = called
        .iter()
        .filter(|(program, _)| !PROGRAMS.iter().any(|(known, _)| known == program))
        .map(|(program, file)| format!("{file} calls `{program}`"))
        .collect();
    println!("{} programs are called", called.len());
    if unknown.is_empty() {
        return Ok(());
    }
    Err(format!(
        "{}: say in xtask/src/programs.rs where the program comes from, or make it a need of the tests",
        unknown.join(", ")
    ))
}

/// Finds the calls in all sources below a folder and keeps one file name for each program.
fn collect(folder: &Path, called: &mut BTreeMap<String, String>) -> Result<(), String> {
    let entries = fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    for entry in entries.flatten() {
        let path = entry.path();
        if path.is_dir() {
            if path.file_name().is_none_or(|name| name != "target") {
                collect(&path, called)?;
            }
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
            for program in programs(&text) {
                called.entry(program.to_owned()).or_insert_with(|| path.display().to_string());
            }
        }
    }
    Ok(())
}

/// The programs that a source calls by a name in a string literal.
fn programs(text: &str) -> impl Iterator<Item = &str> {
    let calls = ["Command::new(\"", "workspace.command(\""];
    calls.into_iter().flat_map(move |call| {
        text.match_indices(call).filter_map(move |(at, _)| text.get(at + call.len()..)?.split('"').next())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_found_in_a_source() {
        let text = r"let a = Command::new(QtarQ).arg(QxQ); workspace.command(QidQ); Command::new(binary)";
        let text = text.replace('Q', "\"");
        assert_eq!(programs(&text).collect::<Vec<_>>(), ["tar", "id"]);
    }
}
