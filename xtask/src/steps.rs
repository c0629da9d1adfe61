//! The steps of `cargo xtask test`. Fast steps come first, so that most failures show early.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use crate::workspace::{Crates, Workspace, quiet, run as run_command};
use crate::{coverage, fuzz, links, package, programs, prose, test_run, third_party, tools};

/// One step.
pub(crate) struct Step {
    /// The name on the command line.
    pub(crate) name: &'static str,
    /// One line of help.
    pub(crate) about: &'static str,
    /// Runs the step.
    action: fn(&Workspace) -> Result<Verdict, String>,
}

/// The result of a step that did not fail.
pub(crate) enum Verdict {
    /// Every check passed.
    Passed,
    /// The step could not run, with the reason.
    Skipped(String),
}

/// Every step.
pub(crate) const STEPS: &[Step] = &[
    Step { name: "fmt", about: "formatting", action: fmt },
    Step { name: "coverage", about: "docs/coverage.md names tests that exist", action: coverage },
    Step {
        name: "needs",
        about: "every program that tests and chores call is listed with its origin",
        action: needs,
    },
    Step { name: "prose", about: "comments, docs and messages avoid a list of expressions", action: prose },
    Step { name: "links", about: "Markdown files name existing files", action: links },
    Step { name: "clippy", about: "lints, warnings are errors", action: clippy },
    Step { name: "doc", about: "rustdoc of every crate, warnings are errors", action: doc },
    Step { name: "nextest", about: "unit and integration tests, with cargo-nextest", action: nextest },
    Step { name: "doctest", about: "the examples in the documentation and the README", action: doctest },
    Step {
        name: "third-party",
        about: "scim2-tester and scim-sanity against the binary",
        action: third_party,
    },
    Step {
        name: "features",
        about: "each crate alone, with its default features and without features",
        action: features,
    },
    Step { name: "package", about: "the packages that would be published compile", action: package },
    Step {
        name: "deny",
        about: "licenses, sources of dependencies, known vulnerabilities (if their database can be fetched)",
        action: deny,
    },
    Step {
        name: "fuzz",
        about: "a few seconds of every fuzz target, if a nightly toolchain is installed",
        action: fuzz,
    },
];

/// The steps with these names, or all steps.
pub(crate) fn select(names: &[&str]) -> Result<Vec<&'static Step>, String> {
    if names.is_empty() {
        return Ok(STEPS.iter().collect());
    }
    names
        .iter()
        .map(|name| {
            STEPS.iter().find(|step| step.name == *name).ok_or_else(|| {
                let known: Vec<_> = STEPS.iter().map(|step| step.name).collect();
                format!("expected one of {}, got `{name}`", known.join(", "))
            })
        })
        .collect()
}

/// Runs all the steps, even after one has failed, and prints a table of the results.
pub(crate) fn run(workspace: &Workspace, steps: &[&Step]) -> ExitCode {
    let mut results = Vec::new();
    for step in steps {
        println!("\n== {}: {}", step.name, step.about);
        let start = Instant::now();
        let result = (step.action)(workspace);
        if let Err(reason) = &result {
            println!("{}: {reason}", step.name);
        }
        results.push((step, result, start.elapsed()));
    }
    for (step, result, _) in &results {
        if let Ok(Verdict::Skipped(reason)) = result {
            workspace.report().not_run(step.name, reason.as_str());
        }
    }
    workspace.report().print();
    println!("\n== summary");
    let mut failed = false;
    for (step, result, took) in &results {
        let verdict = match result {
            Ok(Verdict::Passed) => "passed".to_owned(),
            Ok(Verdict::Skipped(reason)) => format!("not run: {reason}"),
            Err(reason) => {
                failed = true;
                format!("FAILED: {}", reason.lines().next().unwrap_or_default())
            }
        };
        println!("{:<12} {:>8}  {verdict}", step.name, minutes(*took));
    }
    let total = results.iter().map(|(_, _, took)| *took).sum();
    println!("{:<12} {:>8}  {}", "all", minutes(total), if failed { "FAILED" } else { "passed" });
    if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

fn minutes(took: Duration) -> String {
    format!("{}:{:04.1}", took.as_secs() / 60, took.as_secs_f64() % 60.0)
}

fn fmt(workspace: &Workspace) -> Result<Verdict, String> {
    run_command(&mut workspace.cargo(["fmt", "--all", "--check"]))?;
    Ok(Verdict::Passed)
}

fn coverage(workspace: &Workspace) -> Result<Verdict, String> {
    coverage::check(workspace)?;
    Ok(Verdict::Passed)
}

fn clippy(workspace: &Workspace) -> Result<Verdict, String> {
    let arguments = ["clippy", "--workspace", "--all-targets", "--all-features", "--", "-D", "warnings"];
    run_command(&mut workspace.cargo(arguments))?;
    Ok(Verdict::Passed)
}

fn doc(workspace: &Workspace) -> Result<Verdict, String> {
    let mut command = workspace.cargo(["doc", "--workspace", "--all-features", "--no-deps"]);
    run_command(command.env("RUSTDOCFLAGS", "-D warnings"))?;
    Ok(Verdict::Passed)
}

fn needs(workspace: &Workspace) -> Result<Verdict, String> {
    programs::check(workspace)?;
    Ok(Verdict::Passed)
}

fn prose(workspace: &Workspace) -> Result<Verdict, String> {
    prose::check(workspace)?;
    Ok(Verdict::Passed)
}

fn links(workspace: &Workspace) -> Result<Verdict, String> {
    links::check(workspace)?;
    Ok(Verdict::Passed)
}

fn nextest(workspace: &Workspace) -> Result<Verdict, String> {
    test_run::nextest(workspace)?;
    Ok(Verdict::Passed)
}

fn doctest(workspace: &Workspace) -> Result<Verdict, String> {
    run_command(&mut workspace.cargo(["test", "--workspace", "--all-features", "--doc", "--no-fail-fast"]))?;
    Ok(Verdict::Passed)
}

fn third_party(workspace: &Workspace) -> Result<Verdict, String> {
    third_party::run(workspace)?;
    Ok(Verdict::Passed)
}

fn features(workspace: &Workspace) -> Result<Verdict, String> {
    for name in workspace.crates(Crates::All)? {
        run_command(&mut workspace.cargo(["check", "--quiet", "--package", &name]))?;
        run_command(&mut workspace.cargo(["check", "--quiet", "--package", &name, "--no-default-features"]))?;
    }
    Ok(Verdict::Passed)
}

fn package(workspace: &Workspace) -> Result<Verdict, String> {
    package::run(workspace)?;
    Ok(Verdict::Passed)
}

fn deny(workspace: &Workspace) -> Result<Verdict, String> {
    let deny = tools::cargo_deny(workspace)?;
    let mut command = workspace.command(&deny);
    run_command(command.args(["--workspace", "--all-features", "check", "licenses", "bans", "sources"]))?;
    // The advisory database is a git repository, and some build machines cannot reach it.
    tools::git(workspace)?;
    let mut fetch = workspace.command(&deny);
    if let Err(reason) = quiet(fetch.args(["--workspace", "--all-features", "fetch", "db"])) {
        let what = "cargo deny check advisories";
        workspace.report().not_run(what, format!("the advisory database cannot be fetched ({reason})"));
        return Ok(Verdict::Passed);
    }
    run_command(workspace.command(&deny).args(["--workspace", "--all-features", "check", "advisories"]))?;
    Ok(Verdict::Passed)
}

fn fuzz(workspace: &Workspace) -> Result<Verdict, String> {
    fuzz::run(workspace, fuzz::SHORT_RUN)
}
