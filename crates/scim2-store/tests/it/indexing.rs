//! Changing which attributes are indexed, and the backfill in the background.

use std::sync::atomic::{AtomicBool, Ordering};

use scim2_core::Compat;
use scim2_filter::CompiledFilter;
use scim2_server::store::{Include, Query, ResourceStore, Target};
use scim2_server::{Context, StoreErrorKind};
use scim2_store::{Admin, Indexing, OpenErrorKind, SqliteOptions, SqliteStore};

use crate::common::{Wait as _, block_on, context, type_of, user};

/// More than the background takes at a time, several times over.
const USERS: usize = 900;

/// How many of them have each title.
const EACH: u64 = 10;

fn titled(cx: &Context, number: usize) -> scim2_server::store::Write {
    let mut write = user(cx, &format!("u{number:04}"), &format!("user{number}"));
    write.body.insert("title", format!("Title {}", number % (USERS / EACH as usize)));
    write
}

/// How many have a title, looking at no more than so many resources; `None` if that is not enough.
fn find(store: &impl ResourceStore, cx: &Context, title: &str, scan_limit: u64) -> Option<u64> {
    let resource_type = type_of(cx, "User");
    let filter = format!("title eq \"{title}\"").parse().expect("a filter");
    let filter = CompiledFilter::new(&filter, &resource_type, Compat::default()).expect("compiles");
    let query = Query {
        scan_limit: Some(scan_limit),
        ..Query::new(vec![Target { resource_type, filter: Some(filter), sort: None }], 0)
    };
    match block_on(store.query(cx, &query)) {
        Ok(page) => Some(page.total),
        Err(error) => {
            assert_eq!(*error.kind(), StoreErrorKind::TooMany, "{error}");
            None
        }
    }
}

/// Asks until the index answers, while somebody writes. Every answer is right.
fn is_filled_while_others_write(store: &impl ResourceStore, cx: &Context) {
    let users = type_of(cx, "User");
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            // Before and behind where the background is, again and again.
            for round in 0.. {
                if done.load(Ordering::Relaxed) {
                    break;
                }
                let number = round * 37 % USERS;
                let id = format!("u{number:04}");
                let stored = block_on(store.retrieve(cx, &users, &id, Include::default())).expect("reads");
                let version = stored.expect("there").version;
                let mut changed = titled(cx, number);
                changed.body.insert("nickName", format!("round {round}"));
                block_on(store.replace(cx, &version, changed)).expect("replaces");
                let mut new = titled(cx, USERS + round);
                new.body.insert("title", "Somebody new");
                block_on(store.create(cx, new)).expect("creates");
                block_on(store.delete(cx, &users, &format!("u{:04}", USERS + round), None)).expect("deletes");
            }
        });
        let mut answer = None;
        while answer.is_none() {
            assert_eq!(find(store, cx, "title 7", 100_000), Some(EACH), "right also without the index");
            answer = find(store, cx, "title 7", 64);
        }
        done.store(true, Ordering::Relaxed);
        assert_eq!(answer, Some(EACH));
    });
    for number in 0..USERS / EACH as usize {
        assert_eq!(find(store, cx, &format!("Title {number}"), 64), Some(EACH));
    }
}

fn by_title(cx: &Context) -> Indexing {
    Indexing::new(&cx.registry, &["user:TITLE".to_owned()], &["User:active".to_owned()]).expect("attributes")
}

#[test]
fn what_is_added_is_filled_in_the_background_and_goes_again() {
    let cx = context();
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("scim2.db");
    let store = SqliteStore::open(&path, SqliteOptions::default()).expect("opens");
    for number in 0..USERS {
        block_on(store.create(&cx, titled(&cx, number))).expect("creates");
    }
    assert_eq!(find(&store, &cx, "title 7", 64), None, "there is no index yet");
    drop(store);

    let mut options = SqliteOptions::default();
    options.indexing = by_title(&cx);
    let store = SqliteStore::open(&path, options).expect("opens");
    block_on(store.prepare(&cx.registry)).expect("prepares");
    // A command beside the server uses the existing paths.
    let check = || Admin::open(&path).expect("opens").fsck(&cx.registry).wait().expect("checks");
    assert!(check().is_clean(), "{}", check());
    is_filled_while_others_write(&store, &cx);
    assert!(check().is_clean(), "{}", check());
    store.close().expect("closes");
    drop(store);

    let store = SqliteStore::open(&path, SqliteOptions::default()).expect("opens");
    block_on(store.prepare(&cx.registry)).expect("prepares");
    assert_eq!(find(&store, &cx, "title 7", 64), None, "and it is gone again");
    assert_eq!(find(&store, &cx, "title 7", 10_000), Some(EACH));
    // Its rows go in the background, some at a time.
    let rows = || {
        let sql = "SELECT (SELECT count(*) FROM path WHERE kind = 'gone'), count(*) FROM attribute \
                   WHERE path NOT IN (SELECT number FROM path)";
        let file = rusqlite::Connection::open(&path).expect("opens");
        file.query_row(sql, [], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?))).expect("counts")
    };
    while rows() != (0, 0) {
        assert!(check().is_clean(), "{}", check());
        std::thread::yield_now();
    }
}

#[cfg(feature = "postgres")]
#[test]
fn what_is_added_on_postgres_is_filled_by_one_node_and_found_by_all() {
    use scim2_store::PostgresStore;

    let Some(fixture) = crate::common::postgres::fixture() else { return };
    let cx = context();
    for number in 0..USERS {
        block_on(fixture.store.create(&cx, titled(&cx, number))).expect("creates");
    }
    let mut options = crate::common::postgres::options(&fixture.database);
    options.indexing = by_title(&cx);
    let nodes: Vec<PostgresStore> = (0..2)
        .map(|_| {
            let node = block_on(PostgresStore::open(&options)).expect("opens");
            block_on(node.prepare(&cx.registry)).expect("prepares");
            node
        })
        .collect();
    for node in &nodes {
        is_filled_while_others_write(node, &cx);
    }
    // A node that was started without is refused, as one with older schemas is.
    let error = block_on(fixture.store.create(&cx, titled(&cx, 9999))).expect_err("it would write no rows");
    assert_eq!(*error.kind(), StoreErrorKind::Unavailable);
    nodes.iter().for_each(PostgresStore::close);

    // Two nodes without it again: its rows go in the background, some at a time.
    let options = crate::common::postgres::options(&fixture.database);
    let nodes = [(); 2].map(|()| block_on(PostgresStore::open(&options)).expect("opens"));
    nodes.iter().for_each(|node| block_on(node.prepare(&cx.registry)).expect("prepares"));
    assert_eq!(find(&nodes[0], &cx, "title 7", 64), None, "it is gone at once");
    let rows = "SELECT (SELECT count(*) FROM path WHERE kind = 'gone'), \
                (SELECT count(*) FROM attribute WHERE path NOT IN (SELECT number FROM path))";
    while fixture.database.sql(rows).expect("counts").trim() != "0|0" {
        let report = block_on(nodes[1].admin().fsck(&cx.registry)).expect("checks");
        assert!(report.is_clean(), "{report}");
    }
    nodes.iter().for_each(PostgresStore::close);
}

#[test]
fn what_cannot_be_indexed_or_must_be_is_named() {
    let registry = context().registry;
    for (indexed, unindexed, said) in [
        (Some("title"), None, "expected `TYPE:PATH` such as `User:title`, found `title`"),
        (Some("Robot:title"), None, "`Robot:title`: there is no such resource type"),
        (
            Some("User:emails"),
            None,
            "`User:emails` cannot be indexed: it is complex, computed, or never returned",
        ),
        (
            Some("User:password"),
            None,
            "`User:password` cannot be indexed: it is complex, computed, or never returned",
        ),
        (
            Some("User:groups.value"),
            None,
            "`User:groups.value` cannot be indexed: it is complex, computed, or never returned",
        ),
        (None, Some("User:userName"), "`User:userName` must be indexed: its values are unique"),
    ] {
        let list = |name: Option<&str>| name.map(str::to_owned).into_iter().collect::<Vec<_>>();
        let error = Indexing::new(&registry, &list(indexed), &list(unindexed)).expect_err(said);
        assert_eq!((error.kind(), error.to_string().as_str()), (OpenErrorKind::Index, said));
    }
}
