//! Soak tests: they find more the longer they run, and are not part of `cargo xtask test`.

use std::time::Duration;

use crate::steps::Verdict;
use crate::test_run::Surroundings;
use crate::workspace::Workspace;
use crate::{bare, fuzz, tools};

/// One soak test.
pub(crate) struct Part {
    /// The name on the command line.
    pub(crate) name: &'static str,
    /// One line of help.
    pub(crate) about: &'static str,
    /// Runs the part.
    action: fn(&Workspace) -> Result<Verdict, String>,
}

/// Every part.
pub(crate) const PARTS: &[Part] = &[
    Part { name: "fuzz", about: "20 minutes of every fuzz target", action: fuzz_for_long },
    Part {
        name: "crash",
        about: "kill -9 of the server, 200 times on SQLite and 200 on PostgreSQL, and 200 power cuts under each",
        action: crash_for_long,
    },
    Part {
        name: "bare",
        about: "the commands of the README on a fresh minimal Debian with stable Rust and a C compiler (as root)",
        action: bare::run,
    },
];

/// How many times each crash test kills the server or cuts its power.
const CRASH_ROUNDS: &str = "200";

/// How long each fuzz target runs.
const FUZZ_DURATION: Duration = Duration::from_secs(20 * 60);

/// Runs the parts with these names, or all parts, until one fails.
pub(crate) fn run(workspace: &Workspace, names: &[&str]) -> Result<(), String> {
    if let Some(unknown) = names.iter().find(|name| !PARTS.iter().any(|part| part.name == **name)) {
        let known: Vec<_> = PARTS.iter().map(|part| part.name).collect();
        return Err(format!("expected one of {}, got `{unknown}`", known.join(", ")));
    }
    for part in PARTS.iter().filter(|part| names.is_empty() || names.contains(&part.name)) {
        println!("\n== {}: {}", part.name, part.about);
        match (part.action)(workspace)? {
            Verdict::Passed => println!("{}: passed", part.name),
            Verdict::Skipped(reason) => {
                println!("{}: not run: {reason}", part.name);
                workspace.report().not_run(part.name, reason);
            }
        }
    }
    workspace.report().print();
    Ok(())
}

/// Runs the tests that kill the server or cut its power, with more rounds than usual.
fn crash_for_long(workspace: &Workspace) -> Result<Verdict, String> {
    let surroundings = Surroundings::prepare(workspace)?;
    // nextest gives each test its own process: a test that serves its own FUSE disk can deadlock if it shares its
    // memory map with others.
    let mut command = workspace.command(tools::cargo_nextest(workspace)?);
    command
        .args([
            "nextest",
            "run",
            "--package",
            "scim2-cli",
            "--test",
            "it",
            "--test-threads=2",
            "--no-fail-fast",
        ])
        .args(["survives_kill_9", "power_cut", "that_is_killed"])
        .env("SCIM2_CRASH_ROUNDS", CRASH_ROUNDS);
    surroundings.run(workspace, &mut command)?;
    Ok(if surroundings.has_postgres() {
        Verdict::Passed
    } else {
        Verdict::Skipped("PostgreSQL is not installed; SQLite passed".to_owned())
    })
}

fn fuzz_for_long(workspace: &Workspace) -> Result<Verdict, String> {
    fuzz::run(workspace, FUZZ_DURATION)
}
