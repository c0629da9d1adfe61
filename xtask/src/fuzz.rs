//! Builds and runs the fuzz targets, each for a given time.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::steps::Verdict;
use crate::tools;
use crate::workspace::{Workspace, run as run_command};

/// How long `cargo xtask test` runs each target.
pub(crate) const SHORT_RUN: Duration = Duration::from_secs(5);

/// Runs every target of `fuzz/` for this time. Skipped if no nightly toolchain is installed.
pub(crate) fn run(workspace: &Workspace, each: Duration) -> Result<Verdict, String> {
    let folder = workspace.root().join("fuzz");
    let manifest = folder.join("Cargo.toml");
    let text = fs::read_to_string(&manifest).map_err(|error| format!("{}: {error}", manifest.display()))?;
    let targets = targets(&text);
    if targets.is_empty() {
        return Err("fuzz/Cargo.toml has no targets".to_owned());
    }
    let Some(nightly) = tools::nightly(workspace) else {
        return Ok(Verdict::Skipped(format!(
            "no nightly toolchain is installed (some 600 MB): rustup toolchain install {} --profile minimal",
            tools::NIGHTLY
        )));
    };
    println!("fuzzing with {nightly}");
    tools::cxx(workspace)?;
    let fuzz = Fuzz { workspace, program: tools::cargo_fuzz(workspace)?, nightly, folder };
    run_command(fuzz.command("build").arg("--sanitizer=none"))?;
    let logs = workspace.target().join("fuzz-logs");
    fs::create_dir_all(&logs).map_err(|error| format!("{}: {error}", logs.display()))?;
    for target in targets {
        fuzz.run(target, each, &logs.join(format!("{target}.log")))?;
    }
    Ok(Verdict::Passed)
}

/// cargo-fuzz, with the toolchain and folders that it uses.
struct Fuzz<'w> {
    workspace: &'w Workspace,
    program: PathBuf,
    nightly: String,
    folder: PathBuf,
}

impl Fuzz<'_> {
    fn command(&self, subcommand: &str) -> Command {
        let mut command = self.workspace.command(&self.program);
        command.env("RUSTUP_TOOLCHAIN", &self.nightly).env_remove("CARGO").env_remove("RUSTC");
        command.env("CARGO_TARGET_DIR", self.workspace.target().join("fuzz"));
        // Our code forbids `unsafe`. Without a sanitizer the build is faster and a target makes more runs per second.
        command.args(["fuzz", subcommand]);
        command
    }

    /// Runs one target and prints one line about it. The output of libFuzzer goes into a log, because it lists
    /// thousands of words that it recommends for the dictionary.
    fn run(&self, target: &str, each: Duration, log: &Path) -> Result<(), String> {
        let mut command = self.command("run");
        command.args(["--sanitizer", "none", target]);
        // libFuzzer writes new inputs into the first folder and only reads the second.
        let corpus = self.folder.join("corpus").join(target);
        fs::create_dir_all(&corpus).map_err(|error| format!("{}: {error}", corpus.display()))?;
        command.arg(corpus);
        command.args(Some(self.folder.join("seeds").join(target)).filter(|seeds| seeds.is_dir()));
        command.arg("--");
        let dictionary = self.folder.join("scim.dict");
        if dictionary.is_file() {
            command.arg(format!("-dict={}", dictionary.display()));
        }
        let seconds = format!("-max_total_time={}", each.as_secs());
        command.args([seconds.as_str(), "-print_final_stats=0", "-verbosity=1"]);
        let output = command.output().map_err(|error| format!("cargo fuzz: {error}"))?;
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        fs::write(log, &text).map_err(|error| format!("{}: {error}", log.display()))?;
        if output.status.success() {
            println!("{target}: {}", runs(&text).unwrap_or("passed"));
            return Ok(());
        }
        let lines: Vec<&str> = text.lines().collect();
        for line in lines.iter().skip(lines.len().saturating_sub(MAX_LOG_LINES)) {
            println!("  | {line}");
        }
        Err(format!("{target} found a failure or could not run ({}); see {}", output.status, log.display()))
    }
}

/// How many lines of a failed target's log are printed.
const MAX_LOG_LINES: usize = 60;

/// libFuzzer's line `Done 123 runs in 5 second(s)`, without its first word.
fn runs(text: &str) -> Option<&str> {
    text.lines().find_map(|line| line.strip_prefix("Done "))
}

/// The names of the `[[bin]]` tables.
fn targets(manifest: &str) -> Vec<&str> {
    let mut in_bin = false;
    manifest
        .lines()
        .filter_map(|line| {
            if line.starts_with('[') {
                in_bin = line.trim() == "[[bin]]";
            }
            let name = line.strip_prefix("name = \"")?.strip_suffix('"')?;
            in_bin.then_some(name)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_the_bins() {
        let manifest =
            "[package]\nname = \"fuzz\"\n\n[[bin]]\nname = \"a\"\npath = \"a.rs\"\n\n[[bin]]\nname = \"b\"\n";
        assert_eq!(targets(manifest), ["a", "b"]);
    }
}
