//! The binary, run to its end or started in a folder of its own.

use std::io::{BufRead as _, BufReader, ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, ChildStderr, Command, Output, Stdio};

use scim2_testkit::http::{Answer, Endpoint};
use scim2_testkit::process::{Launch, ServerProcess};
use serde_json::Value;
use tempfile::TempDir;

/// The binary in `folder`, with nothing of the caller's environment that would configure it.
pub(crate) fn command(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_scim2"));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("SCIM2_") {
            command.env_remove(name);
        }
    }
    command.args(arguments).current_dir(folder).stdin(Stdio::null());
    command
}

/// How a run ended and what it said.
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            out: String::from_utf8(output.stdout).expect("UTF-8"),
            err: String::from_utf8(output.stderr).expect("UTF-8"),
        }
    }
}

/// Runs the binary to its end.
pub(crate) fn run(folder: &Path, arguments: &[&str]) -> Ran {
    command(folder, arguments).output().expect("the binary runs").into()
}

/// Runs the binary with this on its standard input.
pub(crate) fn run_with_input(folder: &Path, arguments: &[&str], input: &str) -> Ran {
    let mut child = command(folder, arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary runs");
    let mut stdin = child.stdin.take().expect("a pipe");
    match stdin.write_all(input.as_bytes()) {
        // It may end at an error in its arguments or its first lines, before it has read everything.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => {}
        written => written.expect("it reads"),
    }
    drop(stdin);
    child.wait_with_output().expect("it ends").into()
}

/// A run that succeeded; what it printed.
#[track_caller]
pub(crate) fn done(folder: &Path, arguments: &[&str]) -> String {
    let ran = run(folder, arguments);
    assert_eq!(ran.code, Some(0), "{arguments:?}: {}", ran.err);
    ran.out
}

/// A server started as an operator starts it; killed when dropped.
pub(crate) struct Server {
    pub(crate) child: Child,
    stderr: BufReader<ChildStderr>,
    /// What it said until it listened.
    pub(crate) greeting: String,
}

impl Server {
    /// Starts `scim2 serve` on a free port and waits until it listens.
    #[track_caller]
    pub(crate) fn start(folder: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> Self {
        let mut command = command(folder, &["serve", "--listen", "127.0.0.1:0"]);
        command.args(arguments).envs(variables.iter().copied());
        Self::spawn(command)
    }

    /// Starts a command that comes to be `scim2 serve`, and waits until it listens.
    #[track_caller]
    pub(crate) fn spawn(mut command: Command) -> Self {
        let mut child = command.stderr(Stdio::piped()).spawn().expect("the binary runs");
        let stderr = BufReader::new(child.stderr.take().expect("a pipe"));
        let mut server = Self { child, stderr, greeting: String::new() };
        let mut last = 0;
        while !server.greeting[last..].starts_with("scim2 listening on ") {
            last = server.greeting.len();
            let read = server.stderr.read_line(&mut server.greeting).expect("UTF-8");
            assert_ne!(read, 0, "it ended: {}", server.greeting);
        }
        server
    }

    /// The base URL of the line that says where it listens.
    pub(crate) fn base_url(&self) -> &str {
        let line = self.greeting.lines().last().expect("a line");
        line.strip_prefix("scim2 listening on ").and_then(|rest| rest.split(' ').next()).expect("a URL")
    }

    pub(crate) fn endpoint(&self, token: &str) -> Endpoint {
        Endpoint::new(self.base_url(), token).expect("an endpoint")
    }

    /// The endpoint without the base path and without a token.
    pub(crate) fn root(&self) -> Endpoint {
        Endpoint::new(&format!("http://{}", self.authority()), "").expect("an endpoint")
    }

    pub(crate) fn authority(&self) -> &str {
        let rest = self.base_url().strip_prefix("http://").expect("http");
        rest.split('/').next().expect("an authority")
    }

    /// Sends these bytes and reads until the server closes the connection.
    pub(crate) fn raw(&self, bytes: &[u8]) -> String {
        let mut stream = TcpStream::connect(self.authority()).expect("it listens");
        stream.write_all(bytes).expect("it reads");
        let mut answer = Vec::new();
        // A peer that closes with our bytes unread resets the connection; what it said came before.
        let _ = stream.read_to_end(&mut answer);
        String::from_utf8_lossy(&answer).into_owned()
    }

    pub(crate) fn signal(&self, name: &str) {
        // The shell's own `kill`: a bare machine may have no other.
        let kill = format!("kill -{name} {}", self.child.id());
        let sent = Command::new("sh").args(["-c", &kill]).status().expect("a shell runs");
        assert!(sent.success());
    }

    /// Waits for the end: the exit code and what was said since it listened.
    pub(crate) fn wait(mut self) -> (Option<i32>, String) {
        let mut rest = String::new();
        self.stderr.read_to_string(&mut rest).expect("UTF-8");
        (self.child.wait().expect("it ends").code(), rest)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A server with the testkit's token, a store of its own and these arguments.
pub(crate) fn served(arguments: &[&str]) -> (ServerProcess, TempDir) {
    let folder = tempfile::tempdir().expect("a folder");
    let launch = Launch::new(env!("CARGO_BIN_EXE_scim2"), folder.path());
    let launch = arguments.iter().fold(launch, |launch, argument| launch.arg(argument));
    (launch.start().expect("the server starts"), folder)
}

/// An answer of that status; its body.
#[track_caller]
pub(crate) fn expect(
    endpoint: &Endpoint,
    status: u16,
    method: &str,
    target: &str,
    body: Option<Value>,
) -> Value {
    let answer: Answer = endpoint.call(method, target, body.as_ref()).expect("an answer");
    let text = String::from_utf8_lossy(&answer.body);
    assert_eq!(answer.status, status, "{method} {target}: {text}");
    answer.json().unwrap_or(Value::Null)
}
