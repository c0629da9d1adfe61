//! The binary as a process: started on a free port with its own store, and killed when the test is done.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use crate::http::Endpoint;

/// The token a [`ServerProcess`] starts with.
pub const TOKEN: &str = "testkit-bootstrap-token-0001";

/// How long the server may take until it prints where it listens. A busy machine may delay it for a minute or two.
const START_PATIENCE: Duration = Duration::from_secs(300);

/// The number of lines of standard error that are kept for the failure message.
const KEPT_LINES: usize = 200;

/// The command of a [`ServerProcess`]: the binary, the store and the arguments. It is kept for restarts.
///
/// ```no_run
/// # fn main() -> std::io::Result<()> {
/// use scim2_testkit::process::Launch;
///
/// let folder = std::env::temp_dir().join("scim2-example");
/// let server = Launch::new("target/debug/scim2", &folder).arg("--compat").arg("strict").start()?;
/// assert_eq!(server.endpoint().call("GET", "/Users", None)?.status, 200);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Launch {
    binary: PathBuf,
    folder: PathBuf,
    store: Option<OsString>,
    arguments: Vec<OsString>,
    environment: Vec<(OsString, OsString)>,
    token: String,
}

impl Launch {
    /// `scim2 serve` of this binary (a test of the binary's crate says `env!("CARGO_BIN_EXE_scim2")`) with a SQLite
    /// store in `folder`, on a free port of the loopback.
    pub fn new(binary: impl AsRef<Path>, folder: impl AsRef<Path>) -> Self {
        Self {
            binary: binary.as_ref().to_owned(),
            folder: folder.as_ref().to_owned(),
            store: None,
            arguments: Vec::new(),
            environment: Vec::new(),
            token: TOKEN.to_owned(),
        }
    }

    /// Uses this store instead of one in the folder: the value of `--store`.
    #[must_use]
    pub fn store_at(mut self, url: impl Into<OsString>) -> Self {
        self.store = Some(url.into());
        self
    }

    /// Adds an argument after `serve --listen … --store …`.
    #[must_use]
    pub fn arg(mut self, argument: impl Into<OsString>) -> Self {
        self.arguments.push(argument.into());
        self
    }

    /// Sets a variable of the process's environment.
    #[must_use]
    pub fn env(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.environment.push((name.into(), value.into()));
        self
    }

    /// The database file.
    pub fn store(&self) -> PathBuf {
        self.folder.join("scim2.db")
    }

    /// The database as the value of `--store`.
    pub fn store_url(&self) -> OsString {
        if let Some(url) = &self.store {
            return url.clone();
        }
        let mut url = OsString::from("sqlite:");
        url.push(self.store());
        url
    }

    /// Starts the server and waits for the line that names its base URL.
    ///
    /// # Errors
    /// If it cannot be started, ends, or prints no base URL in time. The message contains its output.
    pub fn start(&self) -> io::Result<ServerProcess> {
        std::fs::create_dir_all(&self.folder)?;
        let mut child = Command::new(&self.binary)
            .args(["serve", "--listen", "127.0.0.1:0", "--store"])
            .arg(self.store_url())
            .args(&self.arguments)
            .env("SCIM2_BOOTSTRAP_TOKEN", &self.token)
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .current_dir(&self.folder)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()?;
        let said = Arc::new(Said::default());
        let Some(stderr) = child.stderr.take() else {
            return Err(io::Error::other("the server has no standard error"));
        };
        let found = follow(BufReader::new(stderr), Arc::clone(&said));
        let base_url = match found.recv_timeout(START_PATIENCE) {
            Ok(base_url) => base_url,
            Err(_) => {
                let _ = child.kill();
                let status = child.wait()?;
                let said = said.joined();
                return Err(io::Error::other(format!(
                    "the server named no base URL ({status}); it said:\n{said}"
                )));
            }
        };
        let endpoint = Endpoint::new(&base_url, &self.token)?;
        Ok(ServerProcess { launch: self.clone(), child, endpoint, said })
    }
}

/// A running server. It is killed with SIGKILL when this is dropped.
#[derive(Debug)]
pub struct ServerProcess {
    launch: Launch,
    child: Child,
    endpoint: Endpoint,
    said: Arc<Said>,
}

impl ServerProcess {
    /// Its address, with the token that it was started with.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// How it was started.
    pub fn launch(&self) -> &Launch {
        &self.launch
    }

    /// The process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// The last lines of its standard error.
    pub fn said(&self) -> String {
        self.said.joined()
    }

    /// The last lines of its standard error, once one of them fulfills a condition. A line that a server writes
    /// before it answers may be read after the answer.
    ///
    /// # Errors
    /// If there is no such line in time. The error contains the output.
    pub fn said_once(&self, condition: impl Fn(&str) -> bool) -> io::Result<String> {
        let said = &self.said;
        let lines = said.lines.lock().unwrap_or_else(PoisonError::into_inner);
        let lacks = |lines: &mut VecDeque<String>| !lines.iter().any(|line| condition(line));
        let waited = said.grew.wait_timeout_while(lines, START_PATIENCE, lacks);
        let (lines, timeout) = waited.unwrap_or_else(PoisonError::into_inner);
        let text: String = lines.iter().map(String::as_str).collect();
        if timeout.timed_out() {
            return Err(io::Error::other(format!("the server did not say what was awaited, but:\n{text}")));
        }
        Ok(text)
    }

    /// Kills it with SIGKILL, like a crash, and waits until it has ended.
    ///
    /// # Errors
    /// If the operating system refuses.
    pub fn kill9(&mut self) -> io::Result<ExitStatus> {
        self.child.kill()?;
        self.child.wait()
    }

    /// Asks it to stop with SIGTERM and waits until it has.
    ///
    /// # Errors
    /// When the signal cannot be sent.
    pub fn terminate(mut self) -> io::Result<ExitStatus> {
        // The `kill` of the shell: a bare machine may not have the program.
        let kill = format!("kill -TERM {}", self.child.id());
        let sent = Command::new("sh").args(["-c", &kill]).status()?;
        if !sent.success() {
            return Err(io::Error::other("the signal could not be sent"));
        }
        self.child.wait()
    }

    /// Starts it again on the same store, with another port. Kills it first if it still runs.
    ///
    /// # Errors
    /// As [`Launch::start`].
    pub fn restart(mut self) -> io::Result<ServerProcess> {
        self.kill9()?;
        self.launch.start()
    }
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        // Both fail if it has already ended, which is fine.
        let _ = self.kill9();
    }
}

/// The output of a server, and a condition to wait for more.
#[derive(Debug, Default)]
struct Said {
    lines: Mutex<VecDeque<String>>,
    grew: Condvar,
}

impl Said {
    fn push(&self, line: String) {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.len() == KEPT_LINES {
            lines.pop_front();
        }
        lines.push_back(line);
        self.grew.notify_all();
    }

    fn joined(&self) -> String {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).iter().map(String::as_str).collect()
    }
}

/// Reads lines to the end on a separate thread, so that the server never blocks on a full pipe. Sends the first base
/// URL.
fn follow(mut lines: impl BufRead + Send + 'static, said: Arc<Said>) -> Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        let mut sender = Some(sender);
        let mut line = String::new();
        while matches!(lines.read_line(&mut line), Ok(read) if read > 0) {
            if let Some(base_url) = base_url(&line)
                && let Some(sender) = sender.take()
            {
                // The receiver may have given up.
                let _ = sender.send(base_url.to_owned());
            }
            said.push(std::mem::take(&mut line));
        }
    });
    receiver
}

/// The first `http://` URL with a port and a path in a line, without the text after it.
fn base_url(line: &str) -> Option<&str> {
    let url = line.get(line.find("http://")?..)?;
    let end = url.find(|c: char| c.is_whitespace() || "\"'`,;)\u{1b}".contains(c)).unwrap_or(url.len());
    let url = url.get(..end)?;
    let (authority, _) = url.strip_prefix("http://")?.split_once('/')?;
    let (_, port) = authority.rsplit_once(':')?;
    port.parse::<u16>().is_ok().then_some(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_base_url_is_found_in_a_line() {
        let line = "base URL  http://127.0.0.1:41413/scim/v2\n";
        assert_eq!(base_url(line), Some("http://127.0.0.1:41413/scim/v2"));
        assert_eq!(base_url("see http://example.com for more"), None);
        let json = r#"{"message":"listening","url":"http://127.0.0.1:1/scim/v2","x":1}"#;
        assert_eq!(base_url(json), Some("http://127.0.0.1:1/scim/v2"));
    }

    #[test]
    fn a_program_that_says_nothing_is_an_error() {
        let folder = std::env::temp_dir().join(format!("scim2-testkit-{}", std::process::id()));
        let error = Launch::new("/bin/false", &folder).start().expect_err("no server");
        assert!(error.to_string().contains("named no base URL"), "{error}");
        std::fs::remove_dir_all(folder).expect("the folder is ours");
    }
}
