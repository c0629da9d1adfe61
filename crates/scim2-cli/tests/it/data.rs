//! Import, export, backup, restore and repair: what comes back, what is refused, and how they resume after an
//! interruption.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fmt::Write as _;
use std::path::Path;

use scim2_testkit::postgres::Database;
use scim2_testkit::process::{Launch, TOKEN};
use serde_json::{Value, json};

use crate::binary::{Server, done, expect, run, run_with_input};

const STORE: &[&str] = &["--store", "sqlite:a.db"];

/// Runs each of these functions, which are given stores, as a test of each engine.
macro_rules! on_each_engine {
    ($($test:ident,)*) => {
        mod on_sqlite {
            $(#[test]
            fn $test() {
                super::$test(&super::Stores::files());
            })*
        }

        mod on_postgres {
            $(#[test]
            fn $test() {
                if let Some(stores) = super::Stores::databases() {
                    super::$test(&stores);
                }
            })*
        }
    };
}

on_each_engine!(
    export_import_export_gives_the_same_bytes,
    resource_types_of_ones_own_come_back,
    what_is_refused_is_told_by_line_and_reason_and_keeps_nothing_back,
    what_is_there_and_differs_stays_unless_it_is_to_be_replaced,
    lines_without_ids_are_recognised_by_their_unique_values,
    a_group_of_many_members_goes_on_in_further_lines,
    a_dry_run_finds_out_and_stores_nothing,
);

/// Stores of one engine by their names, empty at first.
struct Stores(Option<RefCell<HashMap<String, Database>>>);

impl Stores {
    fn files() -> Self {
        Self(None)
    }

    /// `None` where there is no PostgreSQL.
    fn databases() -> Option<Self> {
        Database::create().expect("a database").map(|_| Self(Some(RefCell::default())))
    }

    fn are_files(&self) -> bool {
        self.0.is_none()
    }

    /// The address of the store of that name.
    fn url(&self, name: &str) -> String {
        let new = || Database::create().expect("a database").expect("there is a server");
        match &self.0 {
            None => format!("sqlite:{name}.db"),
            Some(databases) => databases.borrow_mut().entry(name.to_owned()).or_insert_with(new).url(),
        }
    }
}

fn with<'a>(arguments: &[&'a str], more: &[&'a str]) -> Vec<&'a str> {
    arguments.iter().chain(more).copied().collect()
}

#[track_caller]
fn import(folder: &Path, store: &str, file: &str, code: i32) -> Value {
    let ran = run(folder, &["import", "--json", "--store", store, file]);
    assert_eq!(ran.code, Some(code), "{}", ran.err);
    serde_json::from_str(&ran.out).expect("a summary")
}

#[track_caller]
fn export(folder: &Path, store: &str) -> String {
    done(folder, &["export", "--store", store, "-"])
}

#[track_caller]
fn is_sound(folder: &Path, store: &str) {
    assert!(done(folder, &["fsck", "--store", store]).contains("all agree"));
}

fn count(summary: &Value, key: &str) -> u64 {
    summary[key].as_u64().expect("a count")
}

fn user(number: usize) -> String {
    format!(
        r#"{{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"id":"u{number}","userName":"user{number}"}}"#
    )
}

/// A store as clients leave it: created, patched, replaced, with passwords and nested groups.
fn lived_in(folder: &Path) {
    let server = Server::start(folder, STORE, &[("SCIM2_BOOTSTRAP_TOKEN", TOKEN)]);
    let endpoint = server.endpoint(TOKEN);
    let id = |resource: &Value| resource["id"].as_str().expect("an id").to_owned();
    let mut ids = Vec::new();
    for number in 0..5 {
        let mut body = json!({
            "emails": [{"type": "work", "value": format!("u{number}@example.com"), "primary": true}],
            "userName": format!("u{number}"),
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {"employeeNumber": number.to_string()},
            "displayName": format!("User \u{e9} {number}"),
        });
        if number == 3 {
            body["password"] = json!("secret of Ada");
        }
        ids.push(id(&expect(&endpoint, 201, "POST", "/Users", Some(body))));
    }
    let patch = |target: &str, operations: Value| {
        let body =
            json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": operations});
        let answer = endpoint.call("PATCH", target, Some(&body)).expect("an answer");
        assert!(matches!(answer.status, 200 | 204), "{target}: {}", String::from_utf8_lossy(&answer.body));
    };
    // What is added later stands last, and `active` is gone: a create would bring it back.
    patch(
        &format!("/Users/{}", ids[1]),
        json!([{"op": "add", "path": "externalId", "value": "late"}, {"op": "add", "path": "name", "value": {"familyName": "B", "givenName": "A"}},
               {"op": "remove", "path": "active"}]),
    );
    let member = |id: &str| json!({"value": id});
    let inner = expect(
        &endpoint,
        201,
        "POST",
        "/Groups",
        Some(json!({"displayName": "inner", "members": [member(&ids[3]), member(&ids[0])]})),
    );
    let outer = expect(
        &endpoint,
        201,
        "POST",
        "/Groups",
        Some(
            json!({"displayName": "outer", "members": [member(&id(&inner)), {"value": ids[2], "display": "Own name"}]}),
        ),
    );
    // A circle, and members in another order than their ids.
    patch(
        &format!("/Groups/{}", id(&inner)),
        json!([{"op": "add", "path": "members", "value": [member(&id(&outer)), member(&ids[1])]}]),
    );
    patch(
        &format!("/Groups/{}", id(&inner)),
        json!([{"op": "remove", "path": format!("members[value eq \"{}\"]", ids[0])}]),
    );
}

fn export_import_export_gives_the_same_bytes(stores: &Stores) {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    lived_in(folder);
    let first = export(folder, "sqlite:a.db");
    assert_eq!(first.lines().count(), 7);
    assert_eq!(first.matches("$argon2id$").count(), 1, "hashes are kept");
    assert!(!first.contains("secret of"), "{first}");
    std::fs::write(folder.join("first.jsonl"), &first).unwrap();

    let summary = import(folder, &stores.url("b"), "first.jsonl", 0);
    assert_eq!((count(&summary, "created"), count(&summary, "refused")), (7, 0));
    assert_eq!(export(folder, &stores.url("b")), first);
    is_sound(folder, &stores.url("b"));

    // Again, as after an interruption: nothing changes, not even a version.
    let summary = import(folder, &stores.url("b"), "first.jsonl", 0);
    assert_eq!((count(&summary, "created"), count(&summary, "unchanged")), (0, 7));
    assert_eq!(export(folder, &stores.url("b")), first);

    // The order of lines does not matter: groups before their members, in a circle.
    let mut reversed: Vec<&str> = first.lines().collect();
    reversed.reverse();
    std::fs::write(folder.join("reversed.jsonl"), reversed.join("\n")).unwrap();
    assert_eq!(count(&import(folder, &stores.url("c"), "reversed.jsonl", 0), "created"), 7);
    assert_eq!(export(folder, &stores.url("c")), first);
    is_sound(folder, &stores.url("c"));

    let log = done(folder, &["audit", "--store", &stores.url("c")]);
    assert_eq!(log.matches("  create  ").count(), 7, "each has its row in the audit log: {log}");

    // Without secrets, what is there keeps its hash.
    let bare = done(folder, &["export", "--no-secrets", "--store", &stores.url("b")]);
    assert!(!bare.contains("argon2") && !bare.contains("Hidden"), "{bare}");
    std::fs::write(folder.join("bare.jsonl"), &bare).unwrap();
    assert_eq!(count(&import(folder, &stores.url("b"), "bare.jsonl", 0), "unchanged"), 7);
    assert_eq!(export(folder, &stores.url("b")), first);
}

fn resource_types_of_ones_own_come_back(stores: &Stores) {
    let other = stores.url("b");
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let schemas = concat!(env!("CARGO_MANIFEST_DIR"), "/schemas/rfc9944");
    let line = r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Device"],"displayName":"BLE heart monitor","active":false}"#;
    std::fs::write(folder.join("d.jsonl"), line).unwrap();
    let arguments = ["--schemas", schemas, "--store", "sqlite:a.db"];
    done(folder, &with(&["import", "d.jsonl"], &arguments));
    let first = done(folder, &with(&["export"], &arguments));
    assert!(first.contains(r#""resourceType":"Device""#), "{first}");
    std::fs::write(folder.join("first.jsonl"), &first).unwrap();
    let arguments = ["--schemas", schemas, "--store", &other];
    done(folder, &with(&["import", "first.jsonl"], &arguments));
    assert_eq!(done(folder, &with(&["export"], &arguments)), first);

    // Without their schemas they are missed, unless other types are asked for.
    std::fs::write(folder.join("f.jsonl"), user(1)).unwrap();
    done(folder, &["import", "f.jsonl", "--store", &other]);
    let store = ["--store", &other];
    for arguments in [&["export", "--quiet"][..], &["export", "--force", "users.jsonl"]] {
        let ran = run(folder, &with(arguments, &store));
        assert_eq!(ran.code, Some(3), "{}", ran.err);
        assert!(ran.err.contains("`Device` (1); give the `--schemas`"), "{}", ran.err);
    }
    assert_eq!(std::fs::read_to_string(folder.join("users.jsonl")).unwrap().lines().count(), 1);
    done(folder, &with(&["export", "--type", "User"], &store));
    let ran = run(folder, &with(&["fsck"], &store));
    assert_eq!(ran.code, Some(1));
    assert!(ran.out.contains("types that the registry does not have: `Device` (1)"), "{}", ran.out);
    assert!(ran.err.contains("`--schemas`"), "{}", ran.err);
}

fn what_is_refused_is_told_by_line_and_reason_and_keeps_nothing_back(stores: &Stores) {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let lines = [
        user(1),
        "{\"userName\":".to_owned(),
        String::new(),
        r#"{"userName":"who"}"#.to_owned(),
        user(1).replace("u1\"", "other\"").replace("\"user1\"", "\"USER1\""),
        r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"p","password":""}"#.to_owned(),
        r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"id":"h","userName":"h","urn:scim2:export:1.0:Hidden":{"password":"t1meMa$heen"}}"#.to_owned(),
        r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"id":"a/b","userName":"x"}"#.to_owned(),
        r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":7}"#.to_owned(),
        r#"{"meta":{"resourceType":"Robot"}}"#.to_owned(),
        r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"id":"g","displayName":"G","members":[{"value":"u2"},{"value":"nobody"},{"value":"u1"}]}"#.to_owned(),
        r#"{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"id":"none","meta":{"resourceType":"Group"},"Operations":[{"op":"add","path":"members","value":[{"value":"u1"}]}]}"#.to_owned(),
        user(2).replace("}", r#","shoeSize":38}"#),
    ];
    std::fs::write(folder.join("f.jsonl"), lines.join("\n")).unwrap();
    let ran =
        run(folder, &["import", "--json", "--report", "r.jsonl", "f.jsonl", "--store", &stores.url("a")]);
    assert_eq!(ran.code, Some(3), "{}", ran.err);
    let summary: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(count(&summary, "created"), 3);
    assert_eq!(count(&summary, "refused"), 9);
    assert_eq!(count(&summary, "membersLeftOut"), 1);
    assert_eq!(summary["unknownAttributes"], json!({"shoeSize": 1}));

    let report = std::fs::read_to_string(folder.join("r.jsonl")).unwrap();
    let mut reasons = String::new();
    for line in report.lines() {
        let entry: Value = serde_json::from_str(line).unwrap();
        writeln!(reasons, "{} {}", entry["line"], entry["reason"].as_str().unwrap()).unwrap();
    }
    // Both engines run this in one process where `cargo test` does.
    insta::allow_duplicates! {
        insta::assert_snapshot!(reasons, @r"
        2 it is not JSON: EOF while parsing a value, at column 12
        4 expected its resource type in `meta.resourceType` or `schemas`, or `--type`
        5 another resource has this value of `userName`, which is unique
        6 `password` is empty or holds characters that the PRECIS profile OpaqueString refuses
        7 `password` in `urn:scim2:export:1.0:Hidden`: expected a hash such as `$argon2id$…`
        8 `id`: an id holds no `/`
        9 expected a string for `userName`
        10 `meta.resourceType`: expected `User` or `Group`
        12 there is no such group
        11 member 2 of 3 does not exist here and was left out
        ");
    }
    for secret in ["t1me", "Ma$heen", "Robot", "nobody", "USER1", "a/b"] {
        assert!(!report.contains(secret) && !ran.err.contains(secret), "{}", ran.err);
    }
    is_sound(folder, &stores.url("a"));
    let group = done(folder, &["export", "--type", "Group", "--store", &stores.url("a")]);
    let group: Value = serde_json::from_str(&group).unwrap();
    assert_eq!(group["members"], json!([{"value": "u2", "type": "User"}, {"value": "u1", "type": "User"}]));
}

fn what_is_there_and_differs_stays_unless_it_is_to_be_replaced(stores: &Stores) {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let group = |members: &[&str], name: &str| {
        let members: Vec<Value> = members.iter().map(|id| json!({"value": id})).collect();
        json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "id": "g", "displayName": name, "members": members})
            .to_string()
    };
    let write = |lines: &[String]| std::fs::write(folder.join("f.jsonl"), lines.join("\n")).unwrap();
    write(&[user(1), user(2), user(3), group(&["u1", "u2"], "G")]);
    import(folder, &stores.url("a"), "f.jsonl", 0);
    let before = export(folder, &stores.url("a"));

    let title = |line: String| line.replace("}", r#","title":"Dr"}"#);
    write(&[title(user(1)), user(2), group(&["u3"], "H")]);
    let summary = import(folder, &stores.url("a"), "f.jsonl", 3);
    assert_eq!((count(&summary, "unchanged"), count(&summary, "refused")), (1, 2));
    assert_eq!(export(folder, &stores.url("a")), before);

    // A group that is there as it is gets the members that are missing, and loses none.
    write(&[group(&["u3"], "G")]);
    assert_eq!(count(&import(folder, &stores.url("a"), "f.jsonl", 0), "unchanged"), 1);
    let lines = export(folder, &stores.url("a"));
    let groups: Vec<Value> = lines.lines().skip(3).map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(groups[0]["members"].as_array().unwrap().len(), 3);
    assert_eq!(groups[0]["meta"]["version"], "W/\"2\"");

    write(&[title(user(1)), group(&["u3"], "H")]);
    done(folder, &["import", "--replace", "f.jsonl", "--store", &stores.url("a")]);
    let lines: Vec<Value> =
        export(folder, &stores.url("a")).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(
        (lines[0]["title"].as_str(), lines[0]["meta"]["version"].as_str()),
        (Some("Dr"), Some("W/\"2\""))
    );
    assert_eq!(lines[3]["displayName"], "H");
    assert_eq!(lines[3]["members"], json!([{"value": "u3", "type": "User"}]));
    is_sound(folder, &stores.url("a"));
}

fn lines_without_ids_are_recognised_by_their_unique_values(stores: &Stores) {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let lines = "{\"userName\":\"ada\",\"password\":\"t1meMa$heen\"}\n{\"userName\":\"bob\"}\n";
    let store = stores.url("a");
    let arguments = ["import", "--json", "--type", "User", "--store", &store, "-"];
    let ran = run_with_input(folder, &arguments, lines);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    let before = export(folder, &stores.url("a"));
    assert!(before.contains("$argon2id$") && !before.contains("t1me"), "{before}");
    assert!(before.lines().all(|line| line.contains(r#""active":true"#)), "new users are active: {before}");

    let ran = run_with_input(folder, &arguments, lines);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    assert_eq!(count(&serde_json::from_str(&ran.out).unwrap(), "unchanged"), 2);
    assert_eq!(export(folder, &stores.url("a")), before);
}

fn a_group_of_many_members_goes_on_in_further_lines(stores: &Stores) {
    const MANY: usize = 10_002;
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let mut lines = String::new();
    let members: Vec<Value> = (0..MANY).rev().map(|number| json!({"value": format!("u{number}")})).collect();
    writeln!(
        lines,
        "{}",
        json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "id": "g", "displayName": "all", "members": members})
    )
    .unwrap();
    (0..MANY).for_each(|number| writeln!(lines, "{}", user(number)).unwrap());
    std::fs::write(folder.join("f.jsonl"), &lines).unwrap();
    assert_eq!(count(&import(folder, &stores.url("a"), "f.jsonl", 0), "created"), MANY as u64 + 1);

    let first = export(folder, &stores.url("a"));
    let last: Value = serde_json::from_str(first.lines().last().unwrap()).unwrap();
    assert_eq!(last["Operations"][0]["value"].as_array().unwrap().len(), 2);
    assert_eq!(last["Operations"][0]["value"][1]["value"], "u0", "in the order they were added");
    std::fs::write(folder.join("first.jsonl"), &first).unwrap();
    import(folder, &stores.url("b"), "first.jsonl", 0);
    assert_eq!(export(folder, &stores.url("b")), first);

    // An export that was cut anywhere resumes there.
    let groups = first.find("\"all\"").unwrap();
    for cut in [1, 5_000, groups + 300_000, first.len() - 3] {
        std::fs::write(folder.join("e.jsonl.part"), &first[..cut]).unwrap();
        done(folder, &["export", "--quiet", "--force", "--resume", "e.jsonl", "--store", &stores.url("a")]);
        assert!(std::fs::read_to_string(folder.join("e.jsonl")).unwrap() == first, "cut at {cut}");
        assert!(!folder.join("e.jsonl.part").exists());
    }
}

fn a_dry_run_finds_out_and_stores_nothing(stores: &Stores) {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    std::fs::write(folder.join("f.jsonl"), [user(1), user(2), user(1).replace("u1", "u3")].join("\n"))
        .unwrap();
    if stores.are_files() {
        let ran = run(folder, &["import", "--dry-run", "f.jsonl", "--store", &stores.url("a")]);
        assert_eq!(ran.code, Some(3), "as into an empty store: {}", ran.err);
        assert!(ran.err.contains("there is no store `a.db`: compared with an empty one"), "{}", ran.err);
        assert!(ran.err.contains("2 would be created") && ran.err.contains("1 refused"), "{}", ran.err);
        assert_eq!(std::fs::read_dir(folder).unwrap().count(), 1, "no store is made");
    }
    done(folder, &["token", "create", "--store", &stores.url("a")]);
    let ran = run(folder, &["import", "--dry-run", "--json", "f.jsonl", "--store", &stores.url("a")]);
    assert_eq!(ran.code, Some(3), "{}", ran.err);
    let summary: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!((count(&summary, "created"), count(&summary, "refused")), (2, 1));
    assert_eq!(export(folder, &stores.url("a")), "");
    is_sound(folder, &stores.url("a"));
}

#[test]
fn a_store_that_is_served_can_be_exported_and_not_loaded() {
    let folder = tempfile::tempdir().unwrap();
    let server = Launch::new(env!("CARGO_BIN_EXE_scim2"), folder.path());
    let store = server.store_url().into_string().unwrap();
    let server = server.start().expect("the server starts");
    expect(server.endpoint(), 201, "POST", "/Users", Some(json!({"userName": "ada"})));
    assert!(done(folder.path(), &["export", "--store", &store]).contains("\"ada\""));
    std::fs::write(folder.path().join("f.jsonl"), user(1)).unwrap();
    let ran = run(folder.path(), &["import", "--store", &store, "f.jsonl"]);
    assert_eq!(ran.code, Some(2));
    assert!(ran.err.contains("another server has the database open"), "{}", ran.err);
}

#[test]
fn a_mistake_of_import_or_export_touches_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    for (arguments, said) in [
        (&["import", "none.jsonl"][..], "`none.jsonl` cannot be read: No such file"),
        (&["import", "."], "it is a folder"),
        (
            &["import", "--type", "Robot", "-"],
            "`--type`: there is no resource type `Robot`, only `User`, `Group`",
        ),
        (&["import", "--tenant", "a b", "-"], "`--tenant`: expected"),
        (&["import", "--report", "far/away", "-"], "`--report`: `far/away` cannot be written"),
        (&["export", "x.jsonl"], "there is no such database"),
        (&["export", "--type", "Robot"], "there is no resource type `Robot`"),
    ] {
        let ran = run(folder, &with(arguments, STORE));
        assert_eq!(ran.code, Some(2), "{arguments:?}: {}", ran.err);
        assert!(ran.err.contains(said), "{arguments:?}: {}", ran.err);
    }
    assert_eq!(std::fs::read_dir(folder).unwrap().count(), 0);
    done(folder, &with(&["token", "create"], STORE));
    std::fs::write(folder.join("x.jsonl"), "mine").unwrap();
    let ran = run(folder, &with(&["export", "x.jsonl"], STORE));
    assert_eq!(ran.code, Some(2));
    assert!(ran.err.contains("is there already; --force writes over it"), "{}", ran.err);
    assert_eq!(std::fs::read_to_string(folder.join("x.jsonl")).unwrap(), "mine");
}

/// The length limits of a request apply to a line too, and to values that are stored unchanged from the line.
#[test]
fn import_of_a_too_long_string_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let user = |id: &str, more: Value| {
        let mut user =
            json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "id": id, "userName": id});
        user.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        user.to_string()
    };
    let group = |id: &str, display: &str| {
        let member = json!({"value": "u1", "display": display});
        json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "id": id, "displayName": id, "members": [member]})
            .to_string()
    };
    let digits = "\u{660}".repeat(50_000);
    let lines = [
        user("u1", json!({})),
        user("u2", json!({"userName": digits})),
        user("u3", json!({"password": digits})),
        user("u4", json!({"title": "t".repeat(200_000)})),
        user("u5", json!({"urn:scim2:export:1.0:Hidden": {"password": format!("$x${digits}")}})),
        group("g1", &digits),
    ];
    std::fs::write(folder.join("f.jsonl"), lines.join("\n")).unwrap();
    let arguments = ["import", "--report", "r.jsonl", "f.jsonl", "--max-string", "64KiB"];
    let ran = run(folder, &with(&arguments, STORE));
    assert_eq!(ran.code, Some(3), "{}", ran.err);
    let mut reasons = String::new();
    for line in std::fs::read_to_string(folder.join("r.jsonl")).unwrap().lines() {
        let entry: Value = serde_json::from_str(line).unwrap();
        writeln!(reasons, "{} {}", entry["line"], entry["reason"].as_str().unwrap()).unwrap();
    }
    insta::assert_snapshot!(reasons, @r"
    2 expected at most 1024 bytes for `userName`, found 100000 bytes
    3 expected at most 4096 bytes for `password`, found 100000 bytes
    4 expected at most 65536 bytes for `title`, found 200000 bytes
    5 `urn:scim2:export:1.0:Hidden`: expected strings of at most 65536 bytes, found one of 100003
    6 `members`: expected strings of at most 65536 bytes, found one of 100000
    ");
}

#[test]
fn a_file_that_is_no_lines_of_json_is_one_sentence_and_no_store() {
    let folder = tempfile::tempdir().unwrap();
    let binary = std::fs::read(env!("CARGO_BIN_EXE_scim2")).unwrap();
    let list = serde_json::to_vec_pretty(&json!([{"userName": "ada"}])).unwrap();
    for (content, what) in [
        (&binary[..], "is not text"),
        (b"\x1f\x8b\x08\x00\x00", "is compressed; give `gzip -dc FILE | scim2 import -`"),
        (b"userName,title\nada,\n", "has no JSON object in its first lines"),
        (&list, "is a JSON array"),
    ] {
        std::fs::write(folder.path().join("f"), content).unwrap();
        let ran = run(folder.path(), &["import", "--store", "sqlite:a.db", "--report", "r", "f"]);
        assert_eq!((ran.code, ran.out.as_str(), ran.err.lines().count()), (Some(2), "", 1), "{}", ran.err);
        assert!(ran.err.starts_with("scim2: `f` ") && ran.err.contains(what), "{}", ran.err);
        assert!(!folder.path().join("a.db").exists() && !folder.path().join("r").exists());
    }
    let ran = run_with_input(folder.path(), &["import", "--store", "sqlite:a.db", "-"], "userName\nada\n");
    assert!(ran.code == Some(2) && ran.err.starts_with("scim2: `standard input` has no JSON"), "{}", ran.err);
}

#[test]
fn a_backup_of_a_served_store_is_restored_in_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let server = Server::start(folder, STORE, &[("SCIM2_BOOTSTRAP_TOKEN", TOKEN)]);
    let ada = expect(&server.endpoint(TOKEN), 201, "POST", "/Users", Some(json!({"userName": "ada"})));
    std::fs::create_dir(folder.join("backups")).unwrap();
    let made = done(folder, &with(&["backup", "backups"], STORE));
    assert!(made.starts_with("backups/scim2-2") && made.ends_with("Z.db\n"), "{made}");
    let made = made.trim_end().to_owned();
    is_sound(folder, &format!("sqlite:{made}"));
    expect(&server.endpoint(TOKEN), 201, "POST", "/Users", Some(json!({"userName": "bob"})));

    let ran = run(folder, &with(&["restore", "--force", &made], STORE));
    assert_eq!(ran.code, Some(2));
    assert!(ran.err.contains("another server has the database open"), "{}", ran.err);
    server.signal("TERM");
    assert_eq!(server.wait().0, Some(0));
    let ran = run(folder, &with(&["restore", &made], STORE));
    assert_eq!(ran.code, Some(2));
    assert!(ran.err.contains("`a.db` is there already; --force replaces it"), "{}", ran.err);
    assert_eq!(export(folder, "sqlite:a.db").lines().count(), 2);

    done(folder, &with(&["restore", "--force", &made], STORE));
    assert_eq!(export(folder, "sqlite:a.db").lines().count(), 1);
    is_sound(folder, "sqlite:a.db");
    // Tokens came with it, and versions are what clients remember.
    let server = Server::start(folder, STORE, &[]);
    let id = ada["id"].as_str().unwrap();
    let found = expect(&server.endpoint(TOKEN), 200, "GET", &format!("/Users/{id}"), None);
    assert_eq!(found["meta"]["version"], ada["meta"]["version"]);
    drop(server);

    std::fs::write(folder.join("mine"), "text").unwrap();
    let ran = run(folder, &with(&["backup", "mine"], STORE));
    assert_eq!((ran.code, std::fs::read_to_string(folder.join("mine")).unwrap().as_str()), (Some(2), "text"));
    let ran = run(folder, &["restore", "--store", "sqlite:new.db", "mine"]);
    assert_eq!(ran.code, Some(2));
    assert!(ran.err.contains("not a database of this program"), "{}", ran.err);
    assert!(!folder.join("new.db").exists());
}

#[test]
fn a_store_without_its_index_is_repaired() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    std::fs::write(folder.join("f.jsonl"), [user(1), user(2)].join("\n")).unwrap();
    done(folder, &with(&["import", "f.jsonl"], STORE));
    let before = export(folder, "sqlite:a.db");
    rusqlite::Connection::open(folder.join("a.db")).unwrap().execute_batch("DELETE FROM attribute").unwrap();
    let ran = run(folder, &with(&["fsck"], STORE));
    assert_eq!(ran.code, Some(1));
    assert!(ran.out.contains("User u1: no index row for `userName`"), "{}", ran.out);
    let said = done(folder, &with(&["fsck", "--repair"], STORE));
    assert!(said.starts_with("repaired: 2 resources whose index rows were made again\n"), "{said}");
    is_sound(folder, "sqlite:a.db");
    assert_eq!(export(folder, "sqlite:a.db"), before);
    let said = done(folder, &with(&["fsck", "--repair"], STORE));
    assert!(!said.contains("repaired"), "{said}");
}

/// A value that was stored before its schema made it returned `never` is in the stored body. It is left out too.
#[test]
fn without_secrets_nothing_is_exported_that_the_schemas_hide() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let schema = |more: Value| {
        let attribute = |name: &str, more: &Value| {
            let mut attribute = json!({"name": name, "type": "string", "multiValued": false, "required": false,
                "caseExact": true, "mutability": "readWrite", "returned": "default", "uniqueness": "none"});
            attribute.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            attribute
        };
        json!({"id": "urn:example:Door", "name": "Door",
            "attributes": [attribute("label", &json!({})), attribute("pin", &more)]})
    };
    let resource_type = json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:ResourceType"], "id": "Door",
        "name": "Door", "endpoint": "/Doors", "schema": "urn:example:Door"});
    let write = |name: &str, value: &Value| {
        std::fs::create_dir_all(folder.join("s")).unwrap();
        std::fs::write(folder.join("s").join(name), value.to_string()).unwrap();
    };
    write("type.json", &resource_type);
    write("schema.json", &schema(json!({})));
    let line = json!({"schemas": ["urn:example:Door"], "id": "d1", "label": "front", "pin": "of-the-door"});
    std::fs::write(folder.join("f.jsonl"), line.to_string()).unwrap();
    let arguments = ["--schemas", "s", "--store", "sqlite:a.db"];
    done(folder, &with(&["import", "f.jsonl"], &arguments));
    for hides in [json!({"mutability": "writeOnly", "returned": "never"}), json!({"returned": "never"})] {
        write("schema.json", &schema(hides));
        let lines = done(folder, &with(&["export", "--no-secrets"], &arguments));
        assert!(lines.contains("front") && !lines.contains("of-the-door"), "{lines}");
    }
}
