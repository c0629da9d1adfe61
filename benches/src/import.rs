//! `scim2 import` as a child process: its rate and its peak memory.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::Result;
use crate::server::status_line;

/// How often the memory is read.
const LOOK: Duration = Duration::from_millis(20);

/// The time and the memory that an import took.
pub(crate) struct Imported {
    pub(crate) elapsed: Duration,
    /// The peak of resident memory in bytes, including file pages.
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
        // The line in /proc disappears as soon as the process ends.
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
