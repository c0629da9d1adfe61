//! `scim2 import` as a child process: its rate and the most memory it held.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::Result;
use crate::server::status_line;

/// How often the memory is looked at.
const LOOK: Duration = Duration::from_millis(20);

/// What an import took.
pub(crate) struct Imported {
    pub(crate) elapsed: Duration,
    /// The most memory that was resident, in bytes, pages of files included.
    pub(crate) resident: u64,
}

/// Imports `lines` into `store` with the binary under test.
pub(crate) fn import(binary: &Path, store: &str, lines: &Path) -> Result<Imported> {
    let begun = Instant::now();
    let mut child = Command::new(binary)
        .args(["import", "--store", store])
        .arg(lines)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    let mut resident = 0;
    let status = loop {
        // The line is gone as soon as the process is.
        resident = status_line(child.id(), "VmHWM:").map_or(resident, |most| most.max(resident));
        match child.try_wait()? {
            Some(status) => break status,
            None => std::thread::sleep(LOOK),
        }
    };
    if !status.success() {
        return Err(format!("`scim2 import` ended with {status}").into());
    }
    Ok(Imported { elapsed: begun.elapsed(), resident })
}
