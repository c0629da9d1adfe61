//! No answer leaves before what it answers is on the disk: seen from outside, by the system calls.
//!
//! Needs `strace` and the right to trace.

use std::collections::HashMap;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;

use scim2_testkit::needs::{self, Need};
use scim2_testkit::process::TOKEN;
use serde_json::json;

use crate::binary::{Server, expect};

const CLIENTS: usize = 8;
const USERS: usize = 12;

#[test]
fn each_answer_leaves_after_the_sync_of_what_it_answers() {
    let folder = tempfile::tempdir().expect("a folder");
    let trace = folder.path().join("trace");
    if !needs::have(Need::Strace) {
        return;
    }
    // Behind `-D` the process that is started is the server, which `Server` can end.
    let mut command = Command::new("strace");
    command.args([
        "-D",
        "-f",
        "-y",
        "-s",
        "20000",
        "-e",
        "trace=pwrite64,fdatasync,fsync,write,writev,sendto",
    ]);
    command.arg("-o").arg(&trace).arg(env!("CARGO_BIN_EXE_scim2"));
    command.args(["serve", "--listen", "127.0.0.1:0", "--store", "sqlite:scim2.db"]);
    command.current_dir(folder.path()).env("SCIM2_BOOTSTRAP_TOKEN", TOKEN).stdin(Stdio::null());
    let server = Server::spawn(command);
    let endpoint = server.endpoint(TOKEN);
    let name = |client: usize, user: usize| format!("user-{client:03}-{user:03}@example.com");
    thread::scope(|scope| {
        for client in 0..CLIENTS {
            let endpoint = &endpoint;
            scope.spawn(move || {
                for user in 0..USERS {
                    expect(endpoint, 201, "POST", "/Users", Some(json!({"userName": name(client, user)})));
                }
            });
        }
    });
    server.signal("TERM");
    assert_eq!(server.wait().0, Some(0));

    let names = (0..CLIENTS).flat_map(|client| (0..USERS).map(move |user| name(client, user)));
    let trace = Trace::read(&trace);
    assert!(!trace.syncs.is_empty(), "the log is synced");
    for name in names {
        let written = *trace.written.get(&name).unwrap_or_else(|| panic!("{name} was written to the log"));
        let answered = *trace.answered.get(&name).unwrap_or_else(|| panic!("{name} was answered"));
        let is_synced = trace.syncs.iter().any(|(begun, ended)| *begun > written && *ended < answered);
        assert!(is_synced, "{name}: written at line {written}, answered at {answered}: {:?}", trace.syncs);
    }
}

/// What was seen, by the numbers of lines, which are in the order of time.
#[derive(Default)]
struct Trace {
    /// When a page of the log that holds a name was first written.
    written: HashMap<String, usize>,
    /// When syncs of the log began and ended.
    syncs: Vec<(usize, usize)>,
    /// When the answer that holds a name began to leave.
    answered: HashMap<String, usize>,
}

impl Trace {
    fn read(path: &Path) -> Self {
        // The tracer ends shortly after the server.
        let lines = loop {
            let text = String::from_utf8_lossy(&std::fs::read(path).expect("a trace")).into_owned();
            if text.contains("+++ exited with 0 +++") && text.ends_with('\n') {
                break text;
            }
            thread::yield_now();
        };
        let mut trace = Self::default();
        let mut begun: HashMap<&str, usize> = HashMap::new();
        for (number, line) in lines.lines().enumerate() {
            let Some((thread, call)) = line.split_once(' ') else { continue };
            let call = call.trim_start();
            if call.starts_with("pwrite64(") && call.contains("-wal>") {
                for name in names(call) {
                    trace.written.entry(name).or_insert(number);
                }
            } else if call.starts_with("fdatasync(") || call.starts_with("fsync(") {
                if !call.contains("-wal>") {
                    continue;
                }
                if call.ends_with("= 0") {
                    trace.syncs.push((number, number));
                } else {
                    begun.insert(thread, number);
                }
            } else if call.contains("sync resumed>") {
                if let Some(begun) = begun.remove(thread)
                    && call.ends_with("= 0")
                {
                    trace.syncs.push((begun, number));
                }
            } else if call.contains("201 Created") {
                for name in names(call) {
                    trace.answered.entry(name).or_insert(number);
                }
            }
        }
        trace
    }
}

/// The names of our users in a line.
fn names(line: &str) -> impl Iterator<Item = String> + '_ {
    let found =
        line.match_indices("user-").filter_map(|(at, _)| line.get(at..at + "user-000-000@example.com".len()));
    found.filter(|name| name.ends_with("@example.com")).map(str::to_owned)
}
