//! The folders of the workspace, and helpers that run commands in it.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::report::Report;

/// The workspace this program was built in.
pub(crate) struct Workspace {
    root: PathBuf,
    target: PathBuf,
    report: Report,
}

impl Workspace {
    /// Finds the workspace.
    pub(crate) fn locate() -> Result<Self, String> {
        let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
        let root = manifest.parent().ok_or("the xtask package has no folder above it")?.to_owned();
        let target = match std::env::var_os("CARGO_TARGET_DIR") {
            Some(folder) => root.join(folder),
            None => root.join("target"),
        };
        Ok(Self { root, target, report: Report::default() })
    }

    /// The folder of the workspace's `Cargo.toml`.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// The folder for everything that is built or installed.
    pub(crate) fn target(&self) -> &Path {
        &self.target
    }

    /// The report of what this run installs and what it cannot run.
    pub(crate) fn report(&self) -> &Report {
        &self.report
    }

    /// The names of the packages in `crates/`, in alphabetical order: all of them, or those that are published.
    pub(crate) fn crates(&self, which: Crates) -> Result<Vec<String>, String> {
        let folder = self.root.join("crates");
        let entries = fs::read_dir(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        let mut names = Vec::new();
        for entry in entries.flatten() {
            let Ok(manifest) = fs::read_to_string(entry.path().join("Cargo.toml")) else { continue };
            if which == Crates::All || !manifest.lines().any(|line| line.trim() == "publish = false") {
                names.push(entry.file_name().to_string_lossy().into_owned());
            }
        }
        names.sort();
        Ok(names)
    }

    /// A command in the workspace's folder, with an empty standard input.
    pub(crate) fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command.current_dir(&self.root).stdin(Stdio::null());
        command
    }

    /// `cargo` with these arguments.
    pub(crate) fn cargo<'a>(&self, arguments: impl IntoIterator<Item = &'a str>) -> Command {
        let mut command = self.command("cargo");
        command.args(arguments);
        // The cargo that runs this program sets these variables. They would override `cargo +nightly`.
        for variable in ["CARGO", "RUSTC", "RUSTUP_TOOLCHAIN", "RUSTDOC"] {
            command.env_remove(variable);
        }
        command
    }
}

/// Selects packages of the workspace.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Crates {
    /// Every package in `crates/`.
    All,
    /// Those that go to crates.io.
    Published,
}

/// Prints the command, runs it, and fails unless it succeeds.
pub(crate) fn run(command: &mut Command) -> Result<(), String> {
    println!("$ {}", line(command));
    let status = command.status().map_err(|error| format!("`{}` cannot be run: {error}", line(command)))?;
    if status.success() { Ok(()) } else { Err(format!("`{}`: {status}", line(command))) }
}

/// Prints the command and runs it without its output; fails with the last line that it wrote.
pub(crate) fn quiet(command: &mut Command) -> Result<String, String> {
    println!("$ {}", line(command));
    let output = command.output().map_err(|error| format!("`{}` cannot be run: {error}", line(command)))?;
    let mut text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.push_str(&String::from_utf8_lossy(&output.stderr));
    if output.status.success() {
        return Ok(text);
    }
    let last = text.lines().rfind(|line| !line.trim().is_empty()).unwrap_or("no output");
    Err(last.trim().to_owned())
}

/// Runs the command and returns its standard output, or `None` if it cannot be run or fails.
pub(crate) fn output(command: &mut Command) -> Option<String> {
    let output = command.stderr(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The command as one line, for printing.
pub(crate) fn line(command: &Command) -> String {
    let mut words = vec![command.get_program().to_string_lossy()];
    words.extend(command.get_args().map(OsStr::to_string_lossy));
    words.join(" ")
}
