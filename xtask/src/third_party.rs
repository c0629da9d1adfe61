//! Runs scim2-tester and scim-sanity against the binary, over a socket.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use crate::tools;
use crate::workspace::{Workspace, line, run as run_command};

/// scim2-tester and its dependencies, in the versions that are known to work together.
const TESTER: &[&str] =
    &["scim2-cli==0.6.0", "scim2-tester==0.5.2", "scim2-client==0.13.2", "scim2-models==0.12.3"];

/// scim-sanity. Its dependencies conflict with those of scim2-tester, so it has its own environment.
const SANITY: &[&str] = &["scim-sanity==0.7.4"];

/// The bootstrap token of the server. Its store exists only for these suites.
const TOKEN: &str = "third-party-bootstrap-token";

/// How long the server may take until it prints its base URL.
const START_TIMEOUT: Duration = Duration::from_secs(60);

/// Runs both suites, each without and with a custom resource type.
pub(crate) fn run(workspace: &Workspace) -> Result<(), String> {
    let tester = tools::python(workspace, "scim2-tester", TESTER)?;
    let sanity = tools::python(workspace, "scim-sanity", SANITY)?;
    // With the features of the test step, so that no crate is built twice.
    run_command(&mut workspace.cargo(["build", "--workspace", "--all-features", "--bin", "scim2"]))?;
    let binary = workspace.target().join("debug").join("scim2");
    // scim2-tester writes a UUID into every decimal and dateTime, and so fails on types with such attributes.
    let schemas = workspace.root().join("crates").join("scim2-cli").join("schemas").join("example-desk");
    let custom = schemas.to_string_lossy();

    let folder = workspace.target().join("third-party");
    // Left by an earlier run.
    let _ = fs::remove_dir_all(&folder);
    let suites: &[(&str, &[&str])] = &[("plain", &[]), ("custom", &["--schemas", &custom])];
    let mut failures = Vec::new();
    for (name, schemas) in suites {
        let server = Server::start(&binary, &folder.join(format!("tester-{name}")), schemas)?;
        // The command of scim2-tester has the same name as ours, so it is called by its path.
        let mut command = workspace.command(tester.join("bin").join("scim2"));
        command.args(["-u", &server.base_url, "-h", &format!("Authorization: Bearer {TOKEN}"), "test"]);
        let output = capture(&mut command, &folder.join(format!("tester-{name}.log")))?;
        let passed = output.text.lines().filter(|line| line.starts_with("SUCCESS")).count();
        let error = output.text.lines().any(|line| line.starts_with("ERROR") || line.starts_with("CRITICAL"));
        println!("scim2-tester ({name}): {passed} checks passed");
        if !output.success || error || passed == 0 {
            failures.push(format!("scim2-tester ({name}) failed"));
            print_failures(&output.text, |line| {
                line.starts_with(|c: char| c.is_ascii_uppercase()) && !line.starts_with("SUCCESS")
            });
        }

        let mut arguments = vec!["--patch-response", "body", "--unknown-member", "drop"];
        arguments.extend(*schemas);
        let server = Server::start(&binary, &folder.join(format!("sanity-{name}")), &arguments)?;
        let mut command = workspace.command(sanity.join("bin").join("scim-sanity"));
        command.args(["probe", &server.base_url, "--token", TOKEN, "--strict", "--i-accept-side-effects"]);
        let output = capture(&mut command, &folder.join(format!("sanity-{name}.log")))?;
        let passed = output.text.lines().filter(|line| line.contains("[PASS]")).count();
        println!("scim-sanity ({name}): {passed} checks passed");
        if !output.success || passed == 0 {
            failures.push(format!("scim-sanity ({name}) failed"));
            print_failures(&output.text, |line| line.contains("[FAIL]") || line.contains("[ERROR]"));
        }
    }
    if failures.is_empty() { Ok(()) } else { Err(failures.join(", ")) }
}

/// A running `scim2 serve`; killed when dropped.
struct Server {
    child: Child,
    base_url: String,
}

impl Server {
    /// Starts the server on a free port with a store in `folder` and waits until it has printed its base URL.
    fn start(binary: &Path, folder: &Path, arguments: &[&str]) -> Result<Self, String> {
        fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        let mut command = Command::new(binary);
        command
            .args(["serve", "--listen", "127.0.0.1:0", "--store"])
            .arg(format!("sqlite:{}", folder.join("scim2.db").display()))
            .args(arguments)
            .env("SCIM2_BOOTSTRAP_TOKEN", TOKEN)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        println!("$ {}", line(&command));
        let mut child = command.spawn().map_err(|error| format!("{}: {error}", binary.display()))?;
        let (sender, receiver) = mpsc::channel();
        let stderr = child.stderr.take().ok_or("the server has no standard error")?;
        let log = folder.join("server.log");
        std::thread::spawn(move || {
            // Read to the end, so that the server never blocks on a full pipe.
            let mut said = String::new();
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                if let Some(base_url) = base_url(&line) {
                    // Only the first is received; sending the others fails.
                    let _ = sender.send(base_url.to_owned());
                }
                said.push_str(&line);
                said.push('\n');
                // The log is for people. The output of the suites decides, so a failure to write is ignored.
                let _ = fs::write(&log, &said);
            }
        });
        match receiver.recv_timeout(START_TIMEOUT) {
            Ok(base_url) => Ok(Self { child, base_url }),
            Err(_) => {
                let _ = child.kill();
                let _ = child.wait();
                Err(format!(
                    "the server printed no base URL within {} seconds; see {}",
                    START_TIMEOUT.as_secs(),
                    folder.join("server.log").display()
                ))
            }
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Both fail if the server has already ended, which is fine.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The first `http://` URL with a path in a line.
fn base_url(line: &str) -> Option<&str> {
    let url = line.get(line.find("http://")?..)?;
    let end = url.find(|c: char| c.is_whitespace() || "\"'`,;)\u{1b}".contains(c)).unwrap_or(url.len());
    let url = url.get(..end)?;
    url.strip_prefix("http://")?.contains('/').then_some(url)
}

/// The output of a suite, and whether it exited with success.
struct SuiteOutput {
    success: bool,
    text: String,
}

fn capture(command: &mut Command, log: &PathBuf) -> Result<SuiteOutput, String> {
    println!("$ {}", line(command).replace(TOKEN, "…"));
    let output =
        command.env("NO_COLOR", "1").output().map_err(|error| format!("`{}`: {error}", line(command)))?;
    let mut text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.push_str(&String::from_utf8_lossy(&output.stderr));
    fs::write(log, &text).map_err(|error| format!("{}: {error}", log.display()))?;
    Ok(SuiteOutput { success: output.status.success(), text })
}

/// Prints the lines for which `is_failure` holds, each with the five lines after it.
fn print_failures(text: &str, is_failure: impl Fn(&str) -> bool) {
    let mut printing = 0;
    for line in text.lines() {
        if is_failure(line) {
            printing = 6;
        }
        if printing > 0 {
            println!("  | {line}");
            printing -= 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_base_url_is_found_in_a_line() {
        assert_eq!(
            base_url("base URL: http://127.0.0.1:1/scim/v2, enjoy"),
            Some("http://127.0.0.1:1/scim/v2")
        );
        assert_eq!(base_url("listening on 127.0.0.1"), None);
    }
}
