//! Stores damaged in each way there is, and what a repair makes of them.

use futures_executor::block_on;
use rusqlite::Connection;
use scim2_server::ResourceStore as _;
use scim2_server::store::Include;
use scim2_store::{Admin, OpenErrorKind, SqliteOptions, SqliteStore};

use crate::common::{Wait as _, context, fixture, group, time, type_of, user};

/// A store of three users and two groups, damaged by these statements.
fn damaged(sql: &str) -> (tempfile::TempDir, std::path::PathBuf) {
    let fixture = fixture();
    let (path, cx) = (fixture.path.clone(), context());
    for (id, name) in [("u1", "ada"), ("u2", "bob"), ("u3", "eve")] {
        block_on(fixture.store.create(&cx, user(&cx, id, name))).expect("creates");
    }
    block_on(fixture.store.create(&cx, group(&cx, "g1", &["u1", "u2"]))).expect("creates");
    block_on(fixture.store.create(&cx, group(&cx, "g2", &["u3"]))).expect("creates");
    let folder = fixture.close();
    Connection::open(&path).and_then(|connection| connection.execute_batch(sql)).expect(sql);
    (folder, path)
}

#[test]
fn what_is_derived_is_made_again() {
    for (sql, done) in [
        ("DELETE FROM attribute", "5 resources whose index rows were made again"),
        ("DELETE FROM attribute WHERE pk = 1", "index rows"),
        ("UPDATE attribute SET value = x'00' WHERE pk = 2 AND uniq = 1", "index rows"),
        ("UPDATE attribute SET uniq = NULL", "index rows"),
        // Two resources have a value that only one may have.
        (
            "UPDATE resource SET body = json_set(body, '$.userName', 'ada') WHERE id = 'u2'; \
             UPDATE attribute SET value = (SELECT value FROM attribute WHERE pk = 1 AND uniq = 1) \
             WHERE pk = 2 AND uniq = 1",
            "index rows",
        ),
        (
            "UPDATE attribute SET uniq = 1 WHERE pk = 3 AND path = (SELECT number FROM path WHERE path = 'emails.value')",
            "index rows",
        ),
        ("INSERT INTO attribute SELECT tenant, path, x'00', pk, element, NULL FROM attribute", "index rows"),
        ("INSERT INTO attribute VALUES (1, 99, x'00', 1, 0, NULL)", "index rows"),
        (
            "UPDATE resource SET display = 'x' WHERE id = 'u1'; UPDATE resource SET display = NULL WHERE id = 'u2'",
            "2 display names",
        ),
        ("UPDATE resource_count SET resources = 7", "2 counts"),
        ("DELETE FROM resource_count", "2 counts"),
        ("DROP TRIGGER resource_count_down", "1 part of the layout"),
        ("CREATE TRIGGER other AFTER DELETE ON token BEGIN SELECT 1; END", "1 part of the layout"),
        ("INSERT INTO member VALUES (1, 4, 0, 99, NULL)", "1 membership "),
        ("INSERT INTO member VALUES (1, 99, 0, 1, NULL)", "1 membership "),
        ("INSERT INTO member VALUES (2, 4, 0, 1, NULL)", "1 membership "),
    ] {
        let (_folder, path) = damaged(sql);
        let mut cx = context();
        cx.now = time(60);
        let repair = Admin::open(&path).expect("opens").repair(&cx).wait().expect("repairs");
        assert!(!repair.before.is_clean(), "{sql}");
        assert!(repair.done.iter().any(|line| line.contains(done)), "{sql}: {repair}");
        assert!(repair.after.is_clean(), "{sql}: {repair}");
        let again = Admin::open(&path).expect("opens").repair(&cx).wait().expect("repairs");
        assert!(again.before.is_clean() && again.done.is_empty(), "{sql}: {again}");

        // The store is what it was: found by its index, unique, members and all.
        let store = SqliteStore::open(&path, SqliteOptions::default()).expect("opens");
        let error = block_on(store.create(&cx, user(&cx, "u9", "Ada"))).expect_err("taken");
        assert!(error.to_string().contains("unique"), "{sql}: {error}");
        let include = Include { members: true, ..Include::default() };
        let found = block_on(store.retrieve(&cx, &type_of(&cx, "Group"), "g1", include)).expect("answers");
        assert_eq!(found.expect("there").members.map(|members| members.len()), Some(2), "{sql}");
        store.close().expect("closes");
    }
}

#[test]
fn a_group_that_loses_what_was_no_member_moves_its_version_and_says_so() {
    let (_folder, path) = damaged("INSERT INTO member VALUES (1, 4, 0, 99, NULL)");
    let mut cx = context();
    cx.now = time(60);
    Admin::open(&path).expect("opens").repair(&cx).wait().expect("repairs");
    let mut last = None;
    let admin = Admin::open(&path).expect("opens");
    admin
        .audit(&cx.tenant, 0, |record| {
            last = Some(record);
            true
        })
        .wait()
        .expect("reads");
    let last = last.expect("rows");
    assert_eq!(
        (last.action.as_str(), last.resource_id.as_str(), last.version.as_str()),
        ("modify", "g1", "2")
    );
    assert_eq!(last.changed, ["members"]);
}

#[test]
fn what_nothing_else_tells_is_left_and_told() {
    for (sql, fault) in [
        ("UPDATE resource SET body = '[]' WHERE id = 'u1'", "User u1: the body is not a JSON object"),
        (
            "UPDATE resource SET body = json_set(body, '$.id', 'x') WHERE id = 'u1'",
            "User u1: the body has another id",
        ),
        ("DROP TRIGGER audit_keeps_rows; UPDATE audit SET actor = 'x' WHERE seq = 2", "row 2"),
        // The audit log has no row that deletes it.
        (
            "DROP TRIGGER resource_count_down; DELETE FROM resource WHERE id = 'u3'",
            "User u3 is in the audit log and not there",
        ),
    ] {
        let (_folder, path) = damaged(sql);
        let repair = Admin::open(&path).expect("opens").repair(&context()).wait().expect("repairs");
        assert_eq!(repair.after.faults.len(), 1, "{sql}: {repair}");
        assert!(repair.after.faults.iter().all(|line| line.contains(fault)), "{sql}: {repair}");
    }
}

#[test]
fn rows_of_types_that_nobody_knows_stay() {
    let (_folder, path) = damaged("UPDATE type SET name = 'Badge' WHERE name = 'User'");
    let rows = |path: &std::path::Path| -> i64 {
        Connection::open(path)
            .and_then(|connection| {
                connection.query_row("SELECT count(*) FROM attribute", [], |row| row.get(0))
            })
            .expect("counts")
    };
    let before = rows(&path);
    let repair = Admin::open(&path).expect("opens").repair(&context()).wait().expect("repairs");
    assert!(
        repair.after.faults.iter().any(|line| line.contains("types that the registry does not have")),
        "{repair}"
    );
    assert_eq!(rows(&path), before);
}

#[test]
fn a_store_that_is_served_is_not_repaired() {
    let fixture = fixture();
    let error = Admin::open(&fixture.path).expect("opens").repair(&context()).wait().expect_err("in use");
    assert_eq!(error.kind(), OpenErrorKind::InUse);
}
