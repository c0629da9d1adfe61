//! Chores of the workspace.
//!
//! - `cargo xtask test` is the test command: it installs what it needs into `target/`, says what, and runs every
//!   step. `cargo xtask test fmt clippy` runs only those.
//! - `cargo xtask soak` is the long form of what the tests do for a moment.
//! - `cargo xtask coverage` holds docs/coverage.md against the tests there are.
//! - `cargo xtask lines` says which lines of the filter and PATCH crates their tests run.
//!
//! No dependency but the standard library, so that the first step starts at once.

mod bare;
// The tests that start a cluster of their own have the same file.
#[path = "../../crates/scim2-testkit/src/postgres/cluster.rs"]
mod cluster;
mod coverage;
mod fuzz;
mod lines;
// The tests ask the same file whether they can run.
#[path = "../../crates/scim2-testkit/src/needs.rs"]
#[expect(dead_code, unreachable_pub, reason = "written for the tests, which call the rest")]
mod needs;
mod package;
mod programs;
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
        ["lines", names @ ..] => match lines::check(&workspace, names) {
            Ok(()) => ExitCode::SUCCESS,
            Err(reason) => fail(&reason),
        },
        [] | ["help" | "--help" | "-h", ..] => {
            print!("{}", help());
            ExitCode::SUCCESS
        }
        other => fail(&format!("expected `test`, `soak`, `coverage` or `lines`, got `{}`", other.join(" "))),
    }
}

fn help() -> String {
    let mut help = "cargo xtask test [STEP…]   runs every step, or those named\n".to_owned();
    for step in STEPS {
        help.push_str(&format!("  {:<12} {}\n", step.name, step.about));
    }
    help.push_str("cargo xtask soak [PART…]   runs for long, which finds more: every part, or those named\n");
    for part in soak::PARTS {
        help.push_str(&format!("  {:<12} {}\n", part.name, part.about));
    }
    help.push_str("cargo xtask coverage       holds docs/coverage.md against the tests there are\n");
    help.push_str("cargo xtask lines [CRATE]  which lines of scim2-filter and scim2-patch their tests run: 95 % at least\n");
    help
}

fn fail(reason: &str) -> ExitCode {
    eprintln!("xtask: {reason}");
    ExitCode::from(2)
}
