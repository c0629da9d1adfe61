//! What finds more the longer it runs, and is no part of the tests.

use std::time::Duration;

use crate::steps::Verdict;
use crate::test_run::Surroundings;
use crate::workspace::Workspace;
use crate::{bare, fuzz, tools};

/// One thing that can run for long.
pub(crate) struct Part {
    /// How it is asked for.
    pub(crate) name: &'static str,
    /// What it does, in a line.
    pub(crate) about: &'static str,
    /// Does it.
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

/// How often the server is killed on each engine.
const KILLS: &str = "200";

/// How long each fuzz target runs.
const FUZZ: Duration = Duration::from_secs(20 * 60);

/// Runs the parts of these names, or all, until one fails.
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

/// The tests that kill the server or cut its power, with more rounds.
fn crash_for_long(workspace: &Workspace) -> Result<Verdict, String> {
    let surroundings = Surroundings::prepare(workspace)?;
    // A process for each test: one that serves its own FUSE disk must not share its memory map with others.
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
        .env("SCIM2_CRASH_ROUNDS", KILLS);
    surroundings.run(workspace, &mut command)?;
    Ok(if surroundings.has_postgres() {
        Verdict::Passed
    } else {
        Verdict::Skipped("PostgreSQL is not installed; SQLite passed".to_owned())
    })
}

fn fuzz_for_long(workspace: &Workspace) -> Result<Verdict, String> {
    fuzz::run(workspace, FUZZ)
}
