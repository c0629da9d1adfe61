//! The fuzz targets: a few seconds of each, or as long as one likes.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::steps::Verdict;
use crate::tools;
use crate::workspace::{Workspace, run as run_command};

/// How long each target runs among the other steps.
pub(crate) const A_MOMENT: Duration = Duration::from_secs(5);

/// Runs every target of `fuzz/` for so long, where a nightly toolchain is installed.
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

/// The fuzzer and where it finds things.
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
        // No code of ours is unsafe; without a sanitizer the build is quicker and the target does more.
        command.args(["fuzz", subcommand]);
        command
    }

    /// Runs one target and prints a line about it. What libFuzzer says, thousands of words that it recommends for
    /// the dictionary among it, goes into a log.
    fn run(&self, target: &str, each: Duration, log: &Path) -> Result<(), String> {
        let mut command = self.command("run");
        command.args(["--sanitizer", "none", target]);
        // The first folder takes what is found; the seeds are read only.
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
        for line in lines.iter().skip(lines.len().saturating_sub(LAST_LINES)) {
            println!("  | {line}");
        }
        Err(format!("{target} found something or did not run: {}; see {}", output.status, log.display()))
    }
}

/// How many lines of a failed target are shown.
const LAST_LINES: usize = 60;

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
