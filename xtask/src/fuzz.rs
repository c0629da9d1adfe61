//! The fuzz targets: a few seconds of each, or as long as one likes.

use std::fs;
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
    if !tools::has_nightly(workspace) {
        return Ok(Verdict::Skipped("no nightly toolchain is installed".to_owned()));
    }
    let fuzz = tools::cargo_fuzz(workspace)?;
    for target in targets {
        let seconds = format!("-max_total_time={}", each.as_secs());
        let mut command = workspace.command(&fuzz);
        command.env("RUSTUP_TOOLCHAIN", "nightly").env_remove("CARGO").env_remove("RUSTC");
        command.env("CARGO_TARGET_DIR", workspace.target().join("fuzz"));
        // No code of ours is unsafe; without a sanitizer the build is quicker and the target does more.
        command.args(["fuzz", "run", "--sanitizer", "none", target]);
        // The first folder takes what is found; the seeds are read only.
        let corpus = folder.join("corpus").join(target);
        fs::create_dir_all(&corpus).map_err(|error| format!("{}: {error}", corpus.display()))?;
        command.arg(corpus);
        command.args(Some(folder.join("seeds").join(target)).filter(|seeds| seeds.is_dir()));
        command.arg("--");
        let dictionary = folder.join("scim.dict");
        if dictionary.is_file() {
            command.arg(format!("-dict={}", dictionary.display()));
        }
        run_command(command.args([seconds.as_str(), "-print_final_stats=0", "-verbosity=0"]))?;
    }
    Ok(Verdict::Passed)
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
