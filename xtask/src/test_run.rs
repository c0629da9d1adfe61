//! Runs the tests of the workspace and reports which of them could not run.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use crate::cluster::Cluster;
use crate::needs::{self, Need};
use crate::tools;
use crate::workspace::{Workspace, run as run_command};

/// What the tests run with: one PostgreSQL for all of them, and the needs that this machine does not meet.
pub(crate) struct Surroundings {
    cluster: Option<Cluster>,
    missing: Vec<(Need, String)>,
}

impl Surroundings {
    /// Installs what is missing and may be installed, and starts PostgreSQL.
    pub(crate) fn prepare(workspace: &Workspace) -> Result<Self, String> {
        let missing = tools::prepare_needs(workspace)?;
        Ok(Self { cluster: Cluster::start()?, missing })
    }

    /// Whether PostgreSQL is installed and was started.
    pub(crate) fn has_postgres(&self) -> bool {
        self.cluster.is_some()
    }

    /// Excludes the tests that have this need, too.
    fn go_without(&mut self, need: Need, reason: &str) {
        if self.missing.iter().all(|(missing, _)| *missing != need) {
            self.missing.push((need, reason.to_owned()));
        }
    }

    /// Runs a command that runs tests, and reports the tests that could not run.
    pub(crate) fn run(&self, workspace: &Workspace, command: &mut Command) -> Result<(), String> {
        let list = workspace.target().join("tests-not-run.txt");
        fs::write(&list, "").map_err(|error| format!("{}: {error}", list.display()))?;
        let names: Vec<&str> = self.missing.iter().map(|(need, _)| need.name()).collect();
        command.env(needs::WITHOUT, names.join(",")).env(needs::NOT_RUN, &list);
        if let Some(cluster) = &self.cluster {
            // All tests share the cluster; each test creates its own database in it.
            command.env("SCIM2_TEST_POSTGRES", cluster.url());
        }
        let result = run_command(command);
        self.report(workspace, &list)?;
        result
    }

    fn report(&self, workspace: &Workspace, list: &Path) -> Result<(), String> {
        let text = fs::read_to_string(list).map_err(|error| format!("{}: {error}", list.display()))?;
        let tests = by_need(&text);
        for (need, reason) in &self.missing {
            let Some(names) = tests.get(need.name()) else { continue };
            let what = format!("{} tests of {}", names.len(), need.purpose());
            workspace
                .report()
                .not_run(what, format!("{reason}; they count as passed above: {}", names.join(", ")));
        }
        Ok(())
    }
}

/// The names of the tests that could not run for each need, without repetitions.
fn by_need(list: &str) -> BTreeMap<&str, Vec<&str>> {
    let mut tests: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (need, test) in list.lines().filter_map(|line| line.split_once('\t')) {
        let names = tests.entry(need).or_default();
        if !names.contains(&test) {
            names.push(test);
        }
    }
    tests
}

/// Runs every unit and integration test with cargo-nextest, which gives each test its own process; with `cargo test`
/// if cargo-nextest cannot be installed.
pub(crate) fn nextest(workspace: &Workspace) -> Result<(), String> {
    let mut surroundings = Surroundings::prepare(workspace)?;
    let mut command = match tools::cargo_nextest(workspace) {
        Ok(nextest) => {
            let mut command = workspace.command(nextest);
            command.args(["nextest", "run", "--workspace", "--all-features", "--no-fail-fast"]);
            command
        }
        Err(reason) => {
            workspace.report().not_run("cargo-nextest; cargo test ran instead", reason);
            surroundings.go_without(Need::Fuse, "cargo test runs many tests in one process");
            workspace.cargo([
                "test",
                "--workspace",
                "--all-features",
                "--lib",
                "--bins",
                "--tests",
                "--no-fail-fast",
            ])
        }
    };
    surroundings.run(workspace, &mut command)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tests_that_did_not_run_are_listed_once_under_their_need() {
        let list = "fuse\tcrash::a\nstrace\tcrash::b\nfuse\tcrash::c\nfuse\tcrash::a\n";
        let tests = by_need(list);
        assert_eq!(tests["fuse"], ["crash::a", "crash::c"]);
        assert_eq!(tests["strace"], ["crash::b"]);
    }
}
