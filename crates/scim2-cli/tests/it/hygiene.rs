//! What commands print of others' text, which files they touch, and with which modes.

#![cfg(unix)]

use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;

use rusqlite::Connection;
use serde_json::{Value, json};

use crate::binary::{Server, done, run};

const STORE: &[&str] = &["--store", "sqlite:a.db"];
const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
/// What a terminal or a reader would act upon: title, bell, carriage return, C1, bidirectional marks, a line end.
const EVIL: &str = "x\u{1b}]0;t\u{7}\rc\u{9b}31m\u{202e}gpj\u{2066}\u{200b}\u{85}";

fn with<'a>(arguments: &[&'a str]) -> Vec<&'a str> {
    [arguments, STORE].concat()
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).expect("it is there").permissions().mode() & 0o777
}

#[track_caller]
fn is_harmless(text: &str) {
    // `…` takes the place of what is cut or not shown.
    let is_harmless = |c: char| c == '\n' || c == '…' || (' '..='~').contains(&c);
    assert!(text.chars().all(is_harmless), "{text:?}");
}

#[track_caller]
fn refused(folder: &Path, arguments: &[&str], said: &str) {
    let ran = run(folder, arguments);
    assert_eq!((ran.code, ran.err.lines().count()), (Some(2), 1), "{arguments:?}: {}", ran.err);
    assert!(ran.err.contains(said), "{arguments:?}: {}", ran.err);
}

#[test]
fn import_prints_no_values_and_nothing_that_a_terminal_acts_upon() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let lines = [
        json!({"schemas": [USER], "userName": "a", "active": "PRIVATE-VALUE"}),
        json!({"schemas": [USER], "userName": "b", "emails": "PRIVATE-VALUE"}),
        json!({"schemas": [USER], "userName": "c", "profileUrl": {"value": "PRIVATE-VALUE", "x": 1}}),
        json!({"schemas": [USER], "userName": {"PRIVATE-VALUE": 1}}),
        json!({"schemas": [USER], "userName": "d", "x509Certificates": [{"value": "PRIVATE-VALUE \u{7}"}]}),
        json!({"schemas": [USER], "userName": "e", EVIL: 1, "active": true}),
        json!({"schemas": [USER], "userName": "f", "active": EVIL}),
        json!({"meta": {"resourceType": EVIL}, "userName": "g"}),
    ];
    let text = lines.iter().map(Value::to_string).collect::<Vec<_>>().join("\n");
    std::fs::write(folder.join("f"), text).unwrap();
    let ran = run(folder, &with(&["import", "--json", "--report", "r", "f"]));
    assert_eq!(ran.code, Some(3), "{}", ran.err);
    let report = std::fs::read_to_string(folder.join("r")).unwrap();
    for printed in [&ran.out, &ran.err, &report] {
        assert!(!printed.contains("PRIVATE"), "{printed}");
        is_harmless(printed);
    }
    assert!(ran.err.contains("line 1: expected a boolean for `active`\n"), "{}", ran.err);
    assert_eq!(mode(&folder.join("r")), 0o600);
    for line in report.lines().chain(ran.out.lines()) {
        serde_json::from_str::<Value>(line).expect("JSON");
    }
    // Text from the command line is escaped in the same way.
    let ran = run(folder, &with(&["token", "revoke", "\u{202e}\u{1b}[31m"]));
    is_harmless(&ran.err);
}

#[test]
fn token_names_are_escaped_in_output() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    refused(folder, &with(&["token", "create", "--name", "a\u{202e}b"]), "`--name`: expected");
    done(folder, &with(&["token", "create", "--name", "plain"]));
    let store = Connection::open(folder.join("a.db")).unwrap();
    let name = format!("{EVIL}\nforged");
    store.execute("UPDATE token SET name = ?1", [&name]).unwrap();
    store
        .execute(
            "INSERT INTO audit SELECT tenant, seq + 1, at, ?1, ?1, 'modify', ?1, ?1, '', ?1, hash FROM audit",
            [&name],
        )
        .unwrap();
    for (arguments, lines) in [(["token", "list"], 2), (["audit", "--limit=9"], 2)] {
        let text = done(folder, &with(&arguments));
        is_harmless(&text);
        assert_eq!(text.lines().count(), lines, "{text}");
        let text =
            done(folder, &with(&[arguments[0], if arguments[0] == "audit" { "--json" } else { "list" }]));
        is_harmless(&text);
    }
    let text = done(folder, &with(&["token", "list", "--json"]));
    is_harmless(&text);
    assert_eq!(serde_json::from_str::<Value>(&text).unwrap()["name"], json!(name));
    let report = run(folder, &with(&["fsck"]));
    is_harmless(&report.out);
    assert_eq!(report.code, Some(1));
}

#[test]
fn answers_of_servers_are_read_on_one_line_and_on_many() {
    let list = |total: u64| {
        json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"], "totalResults": total,
            "Resources": [
                {"schemas": [USER], "userName": "ada"},
                {"schemas": [USER], "userName": "bob", "active": "PRIVATE-VALUE"},
                {"schemas": [USER], "userName": "eve"},
            ],
        })
    };
    for text in [list(3).to_string(), serde_json::to_string_pretty(&list(3)).unwrap()] {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        std::fs::write(folder.join("f"), text).unwrap();
        let ran = run(folder, &with(&["import", "f"]));
        assert_eq!(ran.code, Some(3), "{}", ran.err);
        assert!(ran.err.contains("f: 2 created, 0 replaced, 0 unchanged, 1 refused"), "{}", ran.err);
        assert!(
            ran.err.contains("line 1: resource 2 of the list: expected a boolean for `active`\n"),
            "{}",
            ran.err
        );
        done(folder, &with(&["fsck"]));
        std::fs::write(folder.join("f"), list(250).to_string()).unwrap();
        let ran = run(folder, &with(&["import", "f"]));
        assert!(ran.err.contains("the list has 3 of 250 resources"), "{}", ran.err);
    }
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let other = json!({"@odata.context": "x", "value": [{"displayName": "PRIVATE-VALUE"}]});
    for text in [other.to_string(), serde_json::to_string_pretty(&other).unwrap()] {
        std::fs::write(folder.join("f"), text).unwrap();
        let ran = run(folder, &with(&["import", "--type", "User", "f"]));
        assert_eq!(ran.code, Some(3));
        assert!(ran.err.contains("`jq -c '.value[]' FILE | scim2 import --type User -`"), "{}", ran.err);
        assert!(!ran.err.contains("PRIVATE"), "{}", ran.err);
    }
}

#[test]
fn a_line_is_as_large_as_a_server_takes_it_without_its_members() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let group = "urn:ietf:params:scim:schemas:core:2.0:Group";
    let user = |id: &str, title: usize| json!({"schemas": [USER], "id": id, "userName": id, "title": "t".repeat(title)});
    // Exactly as large as allowed, one byte more, and much more.
    let rest = user("u1", 0).to_string().len();
    let members: Vec<Value> = (0..200).map(|_| json!({"value": "u1"})).collect();
    let lines = [
        user("u1", 1024 - rest),
        user("u2", 1025 - rest),
        user("u3", 100_000),
        json!({"schemas": [group], "id": "g1", "displayName": "g", "members": members}),
    ];
    std::fs::write(folder.join("f"), lines.map(|line| line.to_string()).join("\n")).unwrap();
    let ran = run(folder, &with(&["import", "--max-body", "1024", "f"]));
    assert_eq!(ran.code, Some(3), "{}", ran.err);
    let told: Vec<_> = ran.err.lines().filter(|line| line.starts_with("line ")).collect();
    assert_eq!(
        told[0], "line 2: the resource has 1025 bytes without its members; `max_body` allows 1024",
        "{}",
        ran.err
    );
    assert!(told.len() == 2 && told[1].starts_with("line 3: "), "{}", ran.err);
    assert!(ran.err.contains("f: 2 created"), "{}", ran.err);
}

#[test]
fn a_path_that_ends_with_a_separator_means_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    std::fs::write(folder.join("f"), json!({"schemas": [USER], "userName": "ada"}).to_string()).unwrap();
    done(folder, &with(&["import", "f"]));
    let made = done(folder, &with(&["backup", "backups/"]));
    assert!(made.starts_with("backups/scim2-") && made.ends_with(".db\n"), "{made}");
    assert_eq!(mode(&folder.join("backups")), 0o700);
    assert_eq!(mode(&folder.join(made.trim())), 0o600);
    refused(folder, &with(&["backup", "far/away/"]), "the folder `far` is not there; make it first");
    refused(folder, &with(&["backup", "f/"]), "the folder `f/` cannot be used");
    refused(folder, &with(&["export", "ex/"]), "`ex/` is a folder; expected the name of a file");
    refused(folder, &with(&["export", "ex/."]), "`ex/.` is a folder; expected the name of a file");
    refused(folder, &with(&["import", "--report", "r/", "f"]), "`--report`: `r/` is a folder");
    refused(
        folder,
        &["token", "create", "--store", "sqlite:x/"],
        "expected the name of a file, found the folder `x/`",
    );
    for name in ["far", "ex", "r", "x"] {
        assert!(!folder.join(name).exists(), "{name}");
    }
}

#[test]
fn a_folder_that_cannot_be_made_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    std::fs::write(folder.join("file"), "text").unwrap();
    for command in
        [&["token", "create"][..], &["serve", "--listen", "127.0.0.1:0"], &["import", "file.jsonl"]]
    {
        std::fs::write(folder.join("file.jsonl"), "{}").unwrap();
        let store = |path: &str| {
            [command, &["--store", path]].concat().into_iter().map(str::to_owned).collect::<Vec<_>>()
        };
        for (path, said) in [
            ("sqlite:file/x.db", "`file` is not a folder"),
            ("sqlite:file/sub/x.db", "the folder `file/sub` cannot be used: Not a directory"),
            ("sqlite:none/sub/x.db", "the folder `none` is not there; make it first"),
            ("sqlite:/scim2-none/x.db", "the folder `/scim2-none` is not there; make it first"),
        ] {
            let arguments = store(path);
            refused(folder, &arguments.iter().map(String::as_str).collect::<Vec<_>>(), said);
        }
    }
}

#[test]
fn a_lock_file_that_leads_elsewhere_is_refused_and_what_it_leads_to_stays() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    done(folder, &with(&["token", "create"]));
    std::fs::write(folder.join("precious"), "text").unwrap();
    std::fs::remove_file(folder.join("a.db.lock")).unwrap_or_default();
    symlink("precious", folder.join("a.db.lock")).unwrap();
    std::fs::write(folder.join("f"), "{}").unwrap();
    for command in [&["serve", "--listen", "127.0.0.1:0"][..], &["import", "f"], &["fsck", "--repair"]] {
        let ran = run(folder, &with(command));
        assert_eq!(ran.code, Some(2), "{}", ran.err);
        assert!(ran.err.contains("the lock file `a.db.lock` is a symbolic link"), "{}", ran.err);
        assert_eq!(std::fs::read_to_string(folder.join("precious")).unwrap(), "text");
    }
    // A file of somebody else that is only named so.
    std::fs::remove_file(folder.join("a.db.lock")).unwrap();
    std::fs::write(folder.join("a.db.lock"), "[package]").unwrap();
    let ran = run(folder, &with(&["serve", "--listen", "127.0.0.1:0"]));
    assert!(ran.code == Some(2) && ran.err.contains("holds something else"), "{}", ran.err);
    assert_eq!(std::fs::read_to_string(folder.join("a.db.lock")).unwrap(), "[package]");
}

#[test]
fn an_export_follows_no_link_in_the_place_of_its_part() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    done(folder, &with(&["token", "create"]));
    std::fs::write(folder.join("precious"), "text").unwrap();
    symlink("precious", folder.join("x.jsonl.part")).unwrap();
    refused(folder, &with(&["export", "--resume", "x.jsonl"]), "`x.jsonl` cannot be written");
    done(folder, &with(&["export", "x.jsonl"]));
    assert_eq!(std::fs::read_to_string(folder.join("precious")).unwrap(), "text");
    assert_eq!(mode(&folder.join("x.jsonl")), 0o600);
}

#[test]
fn secret_in_a_world_readable_file_gets_a_warning() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let (config, key) = (folder.join("scim2.toml"), folder.join("key"));
    std::fs::write(&config, "store = \"postgres://scim2:PRIVATE@127.0.0.1:1/none\"\n").unwrap();
    std::fs::write(&key, "k".repeat(64)).unwrap();
    let open =
        |path: &Path, mode| std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    let warned = |arguments: &[&str]| {
        let ran = run(folder, arguments);
        assert!(!ran.err.contains("PRIVATE"), "{}", ran.err);
        ran.err.contains("every user of this machine can read it")
    };
    for (bits, expected) in [(0o644, true), (0o604, true), (0o640, false), (0o600, false)] {
        open(&config, bits);
        open(&key, bits);
        assert_eq!(warned(&["audit", "--config", "scim2.toml"]), expected, "{bits:o}");
        assert_eq!(warned(&with(&["audit", "--audit-key-file", "key"])), expected, "{bits:o}");
    }
    // Without a password there is nothing to hide.
    std::fs::write(&config, "store = \"sqlite:a.db\"\n").unwrap();
    open(&config, 0o644);
    assert!(!warned(&["audit", "--config", "scim2.toml"]));
}

#[test]
fn revoked_tokens_stay_revoked_after_a_restore_without_revive_tokens() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    for name in ["stays", "revoked"] {
        done(folder, &with(&["token", "create", "--name", name]));
    }
    done(folder, &with(&["backup", "b.db"]));
    done(folder, &with(&["token", "revoke", "revoked"]));
    done(folder, &with(&["token", "create", "--name", "later"]));
    let states = || -> Vec<String> {
        let listed = done(folder, &with(&["token", "list", "--json"]));
        let tokens = listed.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        tokens
            .map(|token| format!("{} {}", token["name"].as_str().unwrap(), token["state"].as_str().unwrap()))
            .collect()
    };
    let ran = run(folder, &with(&["restore", "--force", "--quiet", "b.db"]));
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    assert!(ran.err.contains("`revoked` is valid in the backup and stays revoked"), "{}", ran.err);
    assert!(ran.err.contains("`later` is not valid any more: it was made after the backup"), "{}", ran.err);
    assert!(!ran.err.contains("`stays`"), "{}", ran.err);
    assert_eq!(states(), ["stays valid", "revoked revoked"]);
    let log = done(folder, &with(&["audit"]));
    assert!(log.contains("store.restore"), "{log}");

    let ran = run(folder, &with(&["restore", "--force", "--revive-tokens", "b.db"]));
    assert!(ran.err.contains("`revoked` becomes valid again"), "{}", ran.err);
    assert_eq!(states(), ["stays valid", "revoked valid"]);
    done(folder, &with(&["fsck"]));

    std::fs::write(folder.join("a.db"), "no database").unwrap();
    refused(folder, &with(&["restore", "--force", "b.db"]), "--revive-tokens restores all the same");
    done(folder, &with(&["restore", "--force", "--revive-tokens", "b.db"]));
}

#[test]
fn heads_of_the_audit_log_tell_what_was_removed_from_its_end() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let server = Server::start(folder, STORE, &[]);
    let greeting = server.greeting.clone();
    done(folder, &with(&["token", "create", "--name", "okta"]));
    server.signal("TERM");
    let (code, said) = server.wait();
    assert_eq!(code, Some(0));
    let head = done(folder, &with(&["audit", "--head"]));
    let head = head.trim();
    assert!(head.starts_with("2:") && head.len() == 66, "{head}");
    // At the start and at the end, at the default level.
    let logged: Vec<_> = said.lines().filter(|line| line.contains("scim2::audit_head")).collect();
    assert!(logged.len() == 1 && logged[0].contains(head), "{said}");
    let at_start = greeting.lines().find(|line| line.contains("scim2::audit_head"));
    assert!(at_start.is_some_and(|line| line.contains("head=1:")), "{greeting}");

    done(folder, &with(&["fsck", "--head", head]));
    refused(folder, &with(&["fsck", "--head", "2:12"]), "expected COUNT:HASH");
    let other = format!("1:{}", &head[2..]);
    let ran = run(folder, &with(&["fsck", "--head", &other]));
    assert!(ran.code == Some(1) && ran.out.contains("was rewritten"), "{}", ran.out);
    // The token goes together with its row: nothing in the store tells.
    Connection::open(folder.join("a.db"))
        .unwrap()
        .execute_batch(
            "CREATE TEMP TABLE t AS SELECT sql FROM sqlite_schema WHERE name = 'audit_loses_no_rows'; \
             DROP TRIGGER audit_loses_no_rows; DELETE FROM audit WHERE seq = 2; DELETE FROM token WHERE name = 'okta'; \
             CREATE TRIGGER audit_loses_no_rows BEFORE DELETE ON audit\n\
             BEGIN SELECT raise(ABORT, 'the audit log is append-only'); END",
        )
        .unwrap();
    done(folder, &with(&["fsck"]));
    let ran = run(folder, &with(&["fsck", "--head", head]));
    assert!(ran.code == Some(1) && ran.out.contains("rows were removed"), "{}", ran.out);

    let server = Server::start(folder, &with(&["--audit-head-interval", "0"]), &[]);
    server.signal("TERM");
    let (_, said) = server.wait();
    assert!(!said.contains("audit_head"), "{said}");
}

#[test]
fn a_key_outside_of_the_store_is_needed_once_it_is_used() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    std::fs::write(folder.join("key"), "k".repeat(64)).unwrap();
    std::fs::set_permissions(folder.join("key"), std::fs::Permissions::from_mode(0o600)).unwrap();
    std::fs::write(folder.join("short"), "k").unwrap();
    std::fs::set_permissions(folder.join("short"), std::fs::Permissions::from_mode(0o600)).unwrap();
    let keyed = |arguments: &[&'static str]| [arguments, STORE, &["--audit-key-file", "key"]].concat();
    refused(
        folder,
        &with(&["fsck", "--audit-key-file", "short"]),
        "`--audit-key-file`: the key file `short`: line 1: expected a key of 32 or more characters",
    );
    done(folder, &keyed(&["token", "create"]));
    done(folder, &keyed(&["fsck"]));
    let ran = run(folder, &with(&["fsck"]));
    assert!(ran.code == Some(1) && ran.out.contains("with a key that was not given"), "{}", ran.out);
    refused(
        folder,
        &with(&["serve", "--listen", "127.0.0.1:0"]),
        "give the file that has it as `audit_key_file`",
    );
    let ran = run(folder, &with(&["token", "create"]));
    assert_eq!(ran.code, Some(1), "{}", ran.err);
    done(folder, &keyed(&["backup", "b.db"]));
    refused(
        folder,
        &["restore", "--store", "sqlite:new.db", "b.db"],
        "the backup `b.db`: its audit log is hashed",
    );
    done(folder, &["restore", "--store", "sqlite:new.db", "--audit-key-file", "key", "b.db"]);
    done(folder, &["fsck", "--store", "sqlite:new.db", "--audit-key-file", "key"]);
}

#[test]
fn key_file_for_a_store_that_was_used_without_one_must_be_adopted() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    std::fs::write(folder.join("key"), "k".repeat(64)).unwrap();
    std::fs::set_permissions(folder.join("key"), std::fs::Permissions::from_mode(0o600)).unwrap();
    fn keyed<'a>(arguments: &[&'a str]) -> Vec<&'a str> {
        [arguments, STORE, &["--audit-key-file", "key"]].concat()
    }
    done(folder, &with(&["token", "create"]));
    let head = done(folder, &with(&["audit", "--head"]));
    for command in
        [&["serve", "--listen", "127.0.0.1:0"][..], &["import", "/dev/null"], &["fsck", "--repair"]]
    {
        refused(folder, &keyed(command), "run `scim2 audit --adopt-key` once, with no server running");
    }
    assert_eq!(run(folder, &keyed(&["token", "create"])).code, Some(1));
    assert_eq!(run(folder, &keyed(&["fsck"])).code, Some(1));
    refused(folder, &with(&["audit", "--adopt-key"]), "there is no key to adopt");

    assert_eq!(done(folder, &keyed(&["audit", "--adopt-key"])), head);
    let report = done(folder, &keyed(&["fsck"]));
    assert!(report.contains("2 audit rows (1 hashed with the database's own key)"), "{report}");
    assert_eq!(done(folder, &keyed(&["audit", "--adopt-key"])), "", "there is nothing left to do");
    done(folder, &keyed(&["token", "create"]));
    let log = done(folder, &keyed(&["audit", "--filter", "operation eq \"audit.key\""]));
    assert!(log.contains("from=database, before=1:"), "{log}");
    done(folder, &keyed(&["fsck", "--head", head.trim()]));
}
