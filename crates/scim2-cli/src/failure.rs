//! Why a command ends without success: one line for a person, one number for a script.

use std::fmt;
use std::io::{self, Write as _};
use std::process::ExitCode;

use crate::terminal;

/// What ends the program with an exit code other than 0.
#[derive(Debug)]
pub(crate) struct Failure {
    code: u8,
    line: String,
}

/// What a command returns.
pub(crate) type Outcome = Result<ExitCode, Failure>;

impl Failure {
    /// The command line, the configuration or the environment is wrong: exit code 2. The same command fails again.
    pub(crate) fn usage(line: impl fmt::Display) -> Self {
        Self { code: 2, line: one_line(&line.to_string()) }
    }

    /// The command was understood and did not succeed: exit code 1.
    pub(crate) fn run(line: impl fmt::Display) -> Self {
        Self { code: 1, line: one_line(&line.to_string()) }
    }

    /// As [`usage`](Self::usage), with a drawing of several lines.
    pub(crate) fn drawn(drawing: impl fmt::Display) -> Self {
        Self { code: 2, line: drawing.to_string() }
    }

    /// Says it on standard error and gives the exit code.
    pub(crate) fn report(&self) -> ExitCode {
        say(format_args!("scim2: {}", self.line));
        ExitCode::from(self.code)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.line)
    }
}

/// Prints a line to standard error. A closed standard error is not a reason to fail or to panic.
pub(crate) fn say(text: impl fmt::Display) {
    let _ = writeln!(io::stderr().lock(), "{}", terminal::lines(&text.to_string()));
}

/// The text of a library in one line.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_one_line() {
        assert_eq!(Failure::usage("expected\n  this\nor that").to_string(), "expected this or that");
    }
}
