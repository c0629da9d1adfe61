//! `scim2 import` dies at any moment; run again, it ends with what it would have ended with.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use scim2_testkit::postgres::Database;
use serde_json::{Value, json};

use super::{drawn, rounds_and_seed};
use crate::binary::{command, done};

/// How often it is killed, unless the environment says it.
const ROUNDS: u64 = 3;

const USERS: usize = 700;

/// Users, and groups before and behind their members, as an export has them: with the times they were made.
pub(super) fn lines() -> String {
    let meta = |kind: &str| json!({"resourceType": kind, "created": "2026-01-01T00:00:00Z"});
    let group = |id: &str, members: &dyn Fn(usize) -> bool| {
        let members: Vec<_> = (0..USERS)
            .filter(|number| members(*number))
            .map(|number| json!({"value": format!("u{number}")}))
            .collect();
        json!({"id": id, "displayName": id, "members": members, "meta": meta("Group")})
    };
    let mut lines = String::new();
    let mut add = |line| writeln!(lines, "{line}").expect("to memory");
    add(group("before", &|number| number.is_multiple_of(2)));
    for number in 0..USERS {
        let name = drawn(0, number as u64);
        add(
            json!({"id": format!("u{number}"), "userName": format!("{name:x}"), "displayName": "User", "meta": meta("User")}),
        );
    }
    add(group("behind", &|number| number.is_multiple_of(3)));
    lines
}

/// What an export says of each resource, except for when it was changed. A group that gets its
/// last members in a later run than the one that created it has a later time.
pub(super) fn content(export: &str) -> Vec<Value> {
    let line = |line: &str| {
        let mut resource: Value = serde_json::from_str(line).expect("JSON");
        let meta = resource["meta"].as_object_mut().expect("meta");
        meta.retain(|name, _| name != "version" && name != "lastModified");
        resource
    };
    export.lines().map(line).collect()
}

#[test]
fn an_import_that_is_killed_goes_on_where_it_was() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut count = 0;
    goes_on(folder.path(), &mut || {
        count += 1;
        Some(format!("sqlite:{count}.db"))
    });
}

#[test]
fn an_import_that_is_killed_goes_on_where_it_was_on_postgres() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut databases = Vec::new();
    goes_on(folder.path(), &mut || {
        let database = Database::create().expect("a database")?;
        let url = database.url();
        databases.push(database);
        Some(url)
    });
}

/// `store` makes another store; `None` where there is none.
fn goes_on(folder: &Path, store: &mut dyn FnMut() -> Option<String>) {
    let (rounds, seed) = rounds_and_seed(ROUNDS);
    std::fs::write(folder.join("f.jsonl"), lines()).expect("writes");
    let Some(whole) = store() else { return };
    let begun = Instant::now();
    done(folder, &["import", "--quiet", "--store", &whole, "f.jsonl"]);
    let took = begun.elapsed().as_micros();
    let expected = content(&done(folder, &["export", "--store", &whole]));
    let mut kills = 0;
    for round in 0..rounds.min(20) {
        let Some(store) = store() else { return };
        let import = ["import", "--quiet", "--store", &store, "f.jsonl"];
        // Twice, so that a resumed import is interrupted too.
        for kill in 0..2 {
            let mut child = command(folder, &import)
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .expect("it runs");
            let moment = u128::from(drawn(seed, 2 * round + kill)) % took;
            thread::sleep(Duration::from_micros(u64::try_from(moment).expect("not for years")));
            child.kill().expect("killed");
            kills += u64::from(!child.wait().expect("it ends").success());
        }
        done(folder, &import);
        assert!(done(folder, &["fsck", "--store", &store]).contains("all agree"));
        let exported = content(&done(folder, &["export", "--store", &store]));
        assert!(exported == expected, "round {round}: it is another store");
    }
    assert!(kills > 0, "none was killed before its end");
}
