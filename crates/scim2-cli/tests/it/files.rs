//! Which files commands write, and which they leave alone.

#![cfg(unix)]

use std::io::Read as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;

use scim2_testkit::process::TOKEN;

use crate::binary::{Server, done, run};

const STORE: &str = "sqlite:a.db";

fn user(number: usize) -> String {
    format!(
        r#"{{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"id":"u{number}","userName":"user{number}"}}"#
    )
}

/// A folder with a file `f.jsonl` of two users, which are in the store `a.db`.
fn loaded() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("f.jsonl"), [user(1), user(2)].join("\n")).unwrap();
    done(folder.path(), &["import", "--store", STORE, "f.jsonl"]);
    folder
}

fn read(folder: &Path, name: &str) -> String {
    std::fs::read_to_string(folder.join(name)).unwrap()
}

#[track_caller]
fn refused(folder: &Path, arguments: &[&str], said: &str) {
    let ran = run(folder, arguments);
    assert_eq!(ran.code, Some(2), "{arguments:?}: {}", ran.err);
    assert!(ran.err.contains(said), "{arguments:?}: {}", ran.err);
    assert_eq!(ran.err.lines().count(), 1, "{arguments:?}: {}", ran.err);
}

#[test]
fn a_report_is_written_over_nothing_that_it_was_not_told_to() {
    let folder = loaded();
    let folder = folder.path();
    symlink("f.jsonl", folder.join("link.jsonl")).unwrap();
    std::fs::write(folder.join("mine"), "text").unwrap();
    let lines = read(folder, "f.jsonl");
    let users = done(folder, &["export", "--store", STORE]);
    let import =
        |report: &'static str| ["import", "--store", STORE, "--report", report, "--force", "f.jsonl"];

    refused(
        folder,
        &["import", "--store", STORE, "--report", "mine", "f.jsonl"],
        "is there already; --force",
    );
    for report in ["f.jsonl", "./f.jsonl", "link.jsonl"] {
        refused(folder, &import(report), "is the file that is read");
    }
    for report in ["a.db", "./a.db", "a.db-wal", "a.db-shm", "a.db.lock"] {
        refused(folder, &import(report), "belongs to the store");
    }
    assert_eq!((read(folder, "mine").as_str(), read(folder, "f.jsonl")), ("text", lines));
    assert_eq!(done(folder, &["export", "--store", STORE]), users);

    std::fs::set_permissions(folder.join("mine"), std::fs::Permissions::from_mode(0o644)).unwrap();
    done(folder, &import("mine"));
    assert_eq!(read(folder, "mine"), "");
    let mode = folder.join("mine").metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "its owner alone reads it, whoever did before");
    done(folder, &["import", "--store", STORE, "--report", "new", "f.jsonl"]);
    assert_eq!(read(folder, "new"), "");

    // What could not begin leaves no report.
    let server = Server::start(folder, &["--store", STORE], &[("SCIM2_BOOTSTRAP_TOKEN", TOKEN)]);
    let arguments = ["import", "--store", STORE, "--report", "other", "f.jsonl"];
    refused(folder, &arguments, "another server has the database open");
    assert!(!folder.join("other").exists());
    drop(server);
}

#[test]
fn the_store_is_written_over_by_no_copy_of_itself() {
    let folder = loaded();
    let folder = folder.path();
    symlink("a.db", folder.join("link.db")).unwrap();
    std::fs::hard_link(folder.join("a.db"), folder.join("hard.db")).unwrap();
    let users = done(folder, &["export", "--store", STORE]);
    let server = Server::start(folder, &["--store", STORE], &[("SCIM2_BOOTSTRAP_TOKEN", TOKEN)]);
    for command in ["export", "backup"] {
        for file in ["a.db", "./a.db", "a.db-wal", "a.db-shm", "a.db.lock", "link.db", "hard.db"] {
            refused(folder, &[command, "--force", "--store", STORE, file], "belongs to the store");
        }
        refused(
            folder,
            &[command, "--force", "--store", "sqlite:link.db", "a.db-wal"],
            "belongs to the store",
        );
    }
    refused(folder, &["restore", "--force", "--store", STORE, "a.db"], "`a.db` is the store itself");
    drop(server);
    assert_eq!(done(folder, &["export", "--store", STORE]), users);
    done(folder, &["fsck", "--store", STORE]);
}

#[test]
fn a_pipe_is_written_to_and_a_link_stays_one() {
    let folder = loaded();
    let folder = folder.path();
    let users = done(folder, &["export", "--store", STORE]);
    let made = std::process::Command::new("mkfifo").arg(folder.join("pipe")).status();
    assert!(made.is_ok_and(|made| made.success()));
    refused(folder, &["backup", "--force", "--store", STORE, "pipe"], "`pipe` is not a file");
    refused(
        folder,
        &["export", "--resume", "--store", STORE, "pipe"],
        "`--resume` needs a file; it cannot be used with `pipe`",
    );
    let pipe = folder.join("pipe");
    let reader = std::thread::spawn(move || {
        let mut text = String::new();
        std::fs::File::open(pipe).and_then(|mut pipe| pipe.read_to_string(&mut text)).map(|_| text)
    });
    done(folder, &["export", "--store", STORE, "pipe"]);
    assert_eq!(reader.join().unwrap().unwrap(), users);
    assert!(!folder.join("pipe.part").exists());

    std::fs::create_dir(folder.join("away")).unwrap();
    std::fs::write(folder.join("away/old"), "text").unwrap();
    for (link, to) in [("there", "away/old"), ("dangling", "away/new")] {
        symlink(to, folder.join(link)).unwrap();
        done(folder, &["export", "--force", "--store", STORE, link]);
        assert!(folder.join(link).is_symlink());
        assert_eq!(read(folder, to), users);
        done(folder, &["backup", "--force", "--store", STORE, link]);
        assert!(folder.join(link).is_symlink());
        assert_eq!(done(folder, &["export", "--store", &format!("sqlite:{to}")]), users);
        std::fs::remove_file(folder.join(format!("{to}-shm"))).unwrap_or_default();
        std::fs::remove_file(folder.join(format!("{to}-wal"))).unwrap_or_default();
    }
}

#[test]
fn an_empty_file_is_no_store() {
    let folder = loaded();
    let folder = folder.path();
    std::fs::write(folder.join("empty.db"), "").unwrap();
    let users = done(folder, &["export", "--store", STORE]);
    for arguments in [
        &["fsck"][..],
        &["fsck", "--repair"],
        &["export"],
        &["backup", "copy.db"],
        &["token", "list"],
        &["token", "revoke", "x"],
        &["audit"],
        &["import", "--dry-run", "f.jsonl"],
    ] {
        let arguments: Vec<&str> = arguments.iter().copied().chain(["--store", "sqlite:empty.db"]).collect();
        refused(folder, &arguments, "the store `empty.db`: the file is empty");
        assert_eq!(read(folder, "empty.db"), "", "{arguments:?}");
    }
    refused(
        folder,
        &["restore", "--force", "--store", STORE, "empty.db"],
        "the backup `empty.db`: the file is empty",
    );
    assert_eq!(done(folder, &["export", "--store", STORE]), users);
    rusqlite::Connection::open(folder.join("bare.db"))
        .and_then(|bare| bare.execute_batch("CREATE TABLE t (n); DROP TABLE t; VACUUM"))
        .unwrap();
    refused(folder, &["fsck", "--store", "sqlite:bare.db"], "the file is empty");
    refused(folder, &["restore", "--force", "--store", STORE, "bare.db"], "the file is empty");
    assert_eq!(done(folder, &["export", "--store", STORE]), users);

    done(folder, &["import", "--store", "sqlite:empty.db", "f.jsonl"]);
    done(folder, &["fsck", "--store", "sqlite:empty.db"]);
}

#[test]
fn a_store_is_its_owners_alone() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let server = Server::start(folder, &[], &[("SCIM2_BOOTSTRAP_TOKEN", TOKEN)]);
    let mode = |name: &str| std::fs::metadata(folder.join(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode("scim2-data"), 0o700);
    for file in ["scim2.db", "scim2.db-wal", "scim2.db-shm", "scim2.db.lock"] {
        assert_eq!(mode(&format!("scim2-data/{file}")), 0o600, "{file}");
    }
    drop(server);
    // What the operator opened to others stays open.
    let path = folder.join("scim2-data/scim2.db");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
    done(folder, &["token", "create"]);
    assert_eq!(mode("scim2-data/scim2.db"), 0o640);
}

#[test]
fn a_path_that_cannot_be_used_is_named() {
    let folder = loaded();
    let folder = folder.path();
    refused(folder, &["backup", "--store", STORE, "-"], "cannot go to standard output");
    assert!(!folder.join("-").exists());
    std::fs::create_dir(folder.join("a")).unwrap();
    refused(folder, &["restore", "--store", "sqlite:new.db", "a"], "`a` is a folder");
    done(folder, &["backup", "--store", STORE, "b.db"]);
    refused(folder, &["restore", "--force", "--store", "sqlite:a", "b.db"], "the store `a` is a folder");
    std::fs::create_dir(folder.join("new.db.lock")).unwrap();
    refused(folder, &["restore", "--store", "sqlite:new.db", "b.db"], "the lock file `new.db.lock`: ");
}

#[test]
fn backup_into_a_missing_folder_names_the_folder() {
    let folder = loaded();
    let folder = folder.path();
    refused(folder, &["backup", "--store", STORE, "a/b/c/"], "the folder `a` is not there; make it first");
    refused(folder, &["backup", "--store", STORE, "a/x.db"], "the folder `a` is not there; make it first");
    std::fs::create_dir(folder.join("a")).unwrap();
    refused(folder, &["backup", "--store", STORE, "a/b/c/"], "the folder `a/b` is not there; make it first");
}
