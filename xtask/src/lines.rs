//! Line coverage of the two crates that are most often used alone, by their own tests.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::tools;
use crate::workspace::{Workspace, run as run_command};

/// The crates that are measured.
const CRATES: &[&str] = &["scim2-filter", "scim2-patch"];

/// The share of lines that the tests of each crate must run, in percent.
const MIN_PERCENT: f64 = 95.0;

/// Runs the tests of each crate with coverage counters and prints how many lines they reach and which they miss. Fails
/// if a crate is below [`MIN_PERCENT`]. The lines of the tests themselves do not count.
pub(crate) fn check(workspace: &Workspace, names: &[&str]) -> Result<(), String> {
    if let Some(unknown) = names.iter().find(|name| !CRATES.contains(name)) {
        return Err(format!("expected one of {}, got `{unknown}`", CRATES.join(", ")));
    }
    let mut short = Vec::new();
    for name in CRATES.iter().filter(|name| names.is_empty() || names.contains(name)) {
        let folder = workspace.root().join("crates").join(name).join("src");
        let files = measure(workspace, name)?;
        let mut all = Lines::default();
        println!("\n{:<44} {:>6} {:>6} {:>7}  not run", name, "lines", "run", "");
        for (file, counts) in &files {
            let Ok(file) = Path::new(file).strip_prefix(&folder) else { continue };
            let text = fs::read_to_string(folder.join(file)).map_err(|error| error.to_string())?;
            let lines = Lines::of(counts, first_line_of_tests(&text));
            let missed = lines.missed.join(" ");
            println!(
                "{:<44} {:>6} {:>6} {:>6.1}%  {missed}",
                file.display(),
                lines.all,
                lines.run,
                lines.percent()
            );
            all.all += lines.all;
            all.run += lines.run;
        }
        println!("{:<44} {:>6} {:>6} {:>6.1}%", "all", all.all, all.run, all.percent());
        if all.all == 0 || all.percent() < MIN_PERCENT {
            short.push(format!("{name}: {:.1} %", all.percent()));
        }
    }
    if short.is_empty() {
        Ok(())
    } else {
        Err(format!("expected at least {MIN_PERCENT} %: {}", short.join(", ")))
    }
}

/// The number of runs of each line of each file.
type Counts = BTreeMap<String, BTreeMap<u32, u64>>;

fn measure(workspace: &Workspace, name: &str) -> Result<Counts, String> {
    let report = workspace.target().join("lines").join(format!("{name}.lcov"));
    let folder = report.parent().ok_or("a report has a folder")?;
    fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut command = workspace.command(tools::cargo_llvm_cov(workspace)?);
    command.args(["llvm-cov", "--quiet", "--package", name, "--all-features", "--lib", "--tests", "--lcov"]);
    run_command(command.arg("--output-path").arg(&report))?;
    let text = fs::read_to_string(&report).map_err(|error| format!("{}: {error}", report.display()))?;
    Ok(read(&text))
}

/// Reads the tracefile format of lcov: `SF:` names a file, and `DA:` gives a line and its count.
fn read(report: &str) -> Counts {
    let mut files = Counts::new();
    let mut file = String::new();
    for line in report.lines() {
        if let Some(name) = line.strip_prefix("SF:") {
            name.clone_into(&mut file);
        } else if let Some((number, count)) = line.strip_prefix("DA:").and_then(|line| line.split_once(','))
            && let (Ok(number), Ok(count)) = (number.parse(), count.parse::<u64>())
        {
            *files.entry(file.clone()).or_default().entry(number).or_default() += count;
        }
    }
    files
}

/// Totals of one file, or of a crate.
#[derive(Default)]
struct Lines {
    all: usize,
    run: usize,
    missed: Vec<String>,
}

impl Lines {
    fn of(counts: &BTreeMap<u32, u64>, end: u32) -> Self {
        let mut lines = Self::default();
        for (number, count) in counts.range(..end) {
            lines.all += 1;
            if *count > 0 {
                lines.run += 1;
            } else {
                lines.missed.push(number.to_string());
            }
        }
        lines
    }

    fn percent(&self) -> f64 {
        100.0 * self.run as f64 / self.all.max(1) as f64
    }
}

/// The number of the line where the unit tests begin. They are at the end of a file.
fn first_line_of_tests(text: &str) -> u32 {
    let at = text.lines().position(|line| line == "#[cfg(test)]");
    at.and_then(|at| u32::try_from(at + 1).ok()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_before_the_tests_count_once() {
        let report = "TN:\nSF:/a.rs\nDA:1,2\nDA:2,0\nDA:9,0\nend_of_record\nSF:/a.rs\nDA:2,0\nDA:3,1\n";
        let files = read(report);
        let lines = Lines::of(&files["/a.rs"], first_line_of_tests("a\nb\nc\n#[cfg(test)]\nmod tests {}\n"));
        assert_eq!((lines.all, lines.run, lines.missed), (3, 2, vec!["2".to_owned()]));
        assert_eq!(first_line_of_tests("a\n"), u32::MAX);
    }
}
