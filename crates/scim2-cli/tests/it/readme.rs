//! The tour of the README, as a person pastes it into a shell.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use scim2_testkit::needs::{self, Need};

/// The mark before the block that is run.
const MARK: &str = "<!-- tour -->\n```sh\n";

#[test]
fn readme_tour_runs_as_printed() {
    if !needs::have(Need::Curl) {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    // What the block before it does: the command is on the search path.
    let binary = Path::new(env!("CARGO_BIN_EXE_scim2")).parent().expect("a folder");
    let path = std::env::var_os("PATH").unwrap_or_default();
    let paths: Vec<PathBuf> = [binary.to_owned()].into_iter().chain(std::env::split_paths(&path)).collect();
    let mut shell = Command::new("sh");
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("SCIM2_")) {
        shell.env_remove(name);
    }
    shell
        .args(["-eu", "-c", &tour()])
        .env("TMPDIR", folder.path())
        .env("PATH", std::env::join_paths(paths).expect("paths"));
    let ran = shell.current_dir(&folder).stdin(Stdio::null()).output().expect("a shell runs");

    let (said, log) = (String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
    assert!(ran.status.success(), "{}\n{said}\n{log}", ran.status);
    for expected in [
        "\"userName\":\"ada@example.com\"",
        "\"totalResults\":1",
        "\"active\":false",
        "token.create",
        "all agree",
    ] {
        assert!(said.contains(expected), "`{expected}` is missing:\n{said}\n{log}");
    }
    assert!(said.lines().any(|line| line.contains("modify") && line.ends_with("active")), "{said}");
    let made = std::fs::read_dir(&folder).expect("a folder").next().expect("the folder of the tour");
    let made = made.expect("an entry").path();
    for file in ["users.jsonl", "backup.db", "copy.db"] {
        assert!(made.join(file).is_file(), "{file}");
    }
}

#[test]
fn readme_names_the_versions_of_the_workspace() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let readme = std::fs::read_to_string(root.join("README.md")).expect("a README");
    let manifest = std::fs::read_to_string(root.join("Cargo.toml")).expect("a manifest");
    let block = readme.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next()).expect("a block");
    let block: toml::Table = block.parse().expect("TOML");
    let manifest: toml::Table = manifest.parse().expect("TOML");
    let used = manifest["workspace"]["dependencies"].as_table().expect("a table");
    let version = |value: &toml::Value| {
        let version = value.get("version").unwrap_or(value);
        version.as_str().map(str::to_owned)
    };
    let shown = block["dependencies"].as_table().expect("a table");
    let foreign: Vec<_> = shown.iter().filter(|(_, value)| value.get("path").is_none()).collect();
    assert!(!foreign.is_empty());
    for (name, value) in foreign {
        assert_eq!(version(value), version(&used[name]), "{name}");
    }
    let rust = manifest["workspace"]["package"]["rust-version"].as_str().expect("a version");
    assert!(readme.contains(&format!("Rust {rust} or newer")), "Rust {rust}");
}

fn tour() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../README.md");
    let readme = std::fs::read_to_string(path).expect("a README");
    let rest = readme.split(MARK).nth(1).expect("a tour");
    rest.split("```").next().expect("its end").to_owned()
}
