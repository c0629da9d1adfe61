//! Programs under test as child processes.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::Result;

/// A child process that has printed its address. Dropping it kills the process.
pub(crate) struct Server {
    child: Child,
    /// Where it listens.
    pub(crate) address: SocketAddr,
    /// From the start of the process to the line that names the address.
    pub(crate) started_in: Duration,
}

impl Server {
    /// Starts a command and reads its standard error up to the line with an address.
    pub(crate) fn start(command: &mut Command) -> Result<Self> {
        let begun = Instant::now();
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn()?;
        let stderr = child.stderr.take().ok_or("the child has no standard error")?;
        let mut lines = BufReader::new(stderr).lines();
        let mut seen = String::new();
        for line in lines.by_ref() {
            let line = line?;
            let address = line.split("http://").nth(1).and_then(|rest| {
                rest.split(|c: char| c == '/' || c == ',' || c.is_whitespace()).next()?.parse().ok()
            });
            if let Some(address) = address {
                let started_in = begun.elapsed();
                // The rest of its output is read so that it does not fill the pipe.
                std::thread::spawn(move || lines.for_each(drop));
                return Ok(Self { child, address, started_in });
            }
            seen.push_str(&line);
            seen.push('\n');
        }
        let status = child.wait()?;
        Err(format!("the child ended with {status} before it listened:\n{seen}").into())
    }

    /// The anonymous memory of the process in bytes.
    pub(crate) fn anonymous_memory(&self) -> Result<u64> {
        status_line(self.child.id(), "RssAnon:")
    }

    /// The resident memory of the process in bytes, file pages included.
    pub(crate) fn resident_memory(&self) -> Result<u64> {
        status_line(self.child.id(), "VmRSS:")
    }
}

/// A size in bytes from `/proc/PID/status`.
pub(crate) fn status_line(pid: u32, key: &str) -> Result<u64> {
    let status = std::fs::read_to_string(Path::new("/proc").join(pid.to_string()).join("status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix(key)).ok_or("no such line")?;
    Ok(line.split_whitespace().next().unwrap_or_default().parse::<u64>()? * 1024)
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
