//! The commands other than `serve`.

pub(crate) mod audit;
pub(crate) mod backup;
pub(crate) mod config;
pub(crate) mod export;
pub(crate) mod filter;
pub(crate) mod fsck;
pub(crate) mod import;
pub(crate) mod token;

mod never_returned;
mod output;
mod progress;

use std::io::{self, Write as _};
use std::path::Path;

use chrono::{DateTime, SecondsFormat, Utc};

use crate::args::DONE;
use crate::config::{Config, Scope, Settings};
use crate::failure::{Failure, Outcome};
use crate::{logs, store, terminal};

/// Runs a command that waits for a store, on this thread.
pub(crate) fn wait(command: impl Future<Output = Outcome>) -> Outcome {
    store::runtime()?.block_on(command)
}

/// The configuration of a command, which logs from here on as it says.
fn configured(settings: &Settings<impl Scope>) -> Result<Config, Failure> {
    let config = Config::load(settings)?;
    logs::start(&config);
    Ok(config)
}

/// Prints a line on standard output. Says `false` once the reader has gone away, which is its right.
fn print(line: impl std::fmt::Display) -> Result<bool, Failure> {
    put(&terminal::lines(&line.to_string()))
}

/// The same for JSON.
fn print_json(line: impl std::fmt::Display) -> Result<bool, Failure> {
    put(&terminal::json(&line.to_string()))
}

fn put(line: &str) -> Result<bool, Failure> {
    match writeln!(io::stdout().lock(), "{line}") {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(Failure::run(format!("standard output: {error}"))),
    }
}

/// `scim2 version`, the same as `scim2 --version`.
pub(crate) fn version() -> Outcome {
    print(format_args!("scim2 {}", env!("CARGO_PKG_VERSION")))?;
    DONE
}

/// A number of things: `1 resource`, `2 resources`.
pub(crate) fn counted(number: u64, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

/// An instant as RFC 7643 §2.3.5 writes it, to the millisecond.
fn time(instant: DateTime<Utc>) -> String {
    instant.to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// Makes the name of a file in its folder safe from a crash of the machine.
fn sync_folder(file: &Path) -> io::Result<()> {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // Where a folder cannot be opened (Windows), names are safe without.
    std::fs::File::open(folder).map_or(Ok(()), |folder| folder.sync_all())
}
