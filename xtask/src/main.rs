//! Chores of the workspace.
//!
//! - `cargo xtask test` is the test command: it installs what it needs, mostly into `target/`, runs every step, and
//!   lists what it installed. `cargo xtask test fmt clippy` runs only those.
//! - `cargo xtask soak` runs the fuzz and crash tests for a long time, and the commands of the README on a bare system.
//! - `cargo xtask coverage` checks that docs/coverage.md names existing tests.
//! - `cargo xtask prose` lists expressions in comments, docs and messages that readers have to read twice.
//! - `cargo xtask lines` prints which lines of the filter and PATCH crates are run by their tests.
//!
//! It depends on the standard library only, so that the first step starts immediately.

mod bare;
// Shared with the tests that start their own cluster.
#[path = "../../crates/scim2-testkit/src/postgres/cluster.rs"]
mod cluster;
mod coverage;
mod fuzz;
mod lines;
mod links;
// Shared with the tests, which ask it whether they can run.
#[path = "../../crates/scim2-testkit/src/needs.rs"]
#[expect(dead_code, unreachable_pub, reason = "written for the tests, which use the other items")]
mod needs;
mod package;
mod programs;
mod prose;
mod report;
mod soak;
mod steps;
mod test_run;
mod third_party;
mod tools;
mod workspace;

use std::process::ExitCode;

use crate::steps::STEPS;
use crate::workspace::Workspace;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let workspace = match Workspace::locate() {
        Ok(workspace) => workspace,
        Err(reason) => return fail(&reason),
    };
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["test", names @ ..] => match steps::select(names) {
            Ok(chosen) => steps::run(&workspace, &chosen),
            Err(reason) => fail(&reason),
        },
        ["soak", names @ ..] => match soak::run(&workspace, names) {
            Ok(()) => ExitCode::SUCCESS,
            Err(reason) => fail(&reason),
        },
        ["coverage"] => match coverage::check(&workspace) {
            Ok(()) => ExitCode::SUCCESS,
            Err(reason) => fail(&reason),
        },
        ["prose", places @ ..] => match prose::list(&workspace, places) {
            Ok(()) => ExitCode::SUCCESS,
            Err(reason) => fail(&reason),
        },
        ["lines", names @ ..] => match lines::check(&workspace, names) {
            Ok(()) => ExitCode::SUCCESS,
            Err(reason) => fail(&reason),
        },
        [] | ["help" | "--help" | "-h", ..] => {
            print!("{}", help());
            ExitCode::SUCCESS
        }
        other => fail(&format!(
            "expected `test`, `soak`, `coverage`, `prose` or `lines`, got `{}`",
            other.join(" ")
        )),
    }
}

fn help() -> String {
    let mut help = "cargo xtask test [STEP…]   runs every step, or those named\n".to_owned();
    for step in STEPS {
        help.push_str(&format!("  {:<12} {}\n", step.name, step.about));
    }
    help.push_str("cargo xtask soak [PART…]   runs every part, or those named, for a long time\n");
    for part in soak::PARTS {
        help.push_str(&format!("  {:<12} {}\n", part.name, part.about));
    }
    help.push_str("cargo xtask coverage       checks that docs/coverage.md names existing tests\n");
    help.push_str(
        "cargo xtask prose [PATH…]  lists expressions that read badly, in all files or below these paths\n",
    );
    help.push_str("cargo xtask lines [CRATE]  prints which lines of scim2-filter and scim2-patch their tests run; fails below 95 %\n");
    help
}

fn fail(reason: &str) -> ExitCode {
    eprintln!("xtask: {reason}");
    ExitCode::from(2)
}
