//! Injects a full disk and a file that cannot be written. Checks what the store answers, and that it recovers.

use futures_executor::block_on;
use scim2_core::{Registry, ResourceId};
use scim2_server::StoreErrorKind;

use super::*;
use crate::admin::Admin;

fn context() -> Context {
    Context::new(Arc::new(Registry::standard()), TenantId::default(), "test", DateTime::UNIX_EPOCH)
}

fn user(cx: &Context, number: usize) -> Write {
    let mut body = scim2_core::Object::new();
    let id = format!("u{number}");
    body.insert("id", id.as_str());
    body.insert("userName", format!("user{number}"));
    body.insert("title", "x".repeat(2000));
    Write {
        resource_type: Arc::clone(cx.registry.resource_type("User").expect("built in")),
        id: ResourceId::parse(&id).expect("an id"),
        body,
        never_returned: scim2_core::Object::new(),
        members: MembersWrite::Keep,
        changed: Vec::new(),
        include: Include::default(),
    }
}

/// Runs a pragma on the connection that writes.
fn pragma(store: &SqliteStore, pragma: &'static str) {
    let run = store.inner.writer.submit(move |batch| {
        let mut statement = batch.connection().prepare(pragma)?;
        let mut rows = statement.query([])?;
        while rows.next()?.is_some() {}
        Ok(())
    });
    block_on(run).expect(pragma);
}

#[test]
fn a_full_disk_refuses_writes_until_there_is_room() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("scim2.db");
    let store = SqliteStore::open(&path, SqliteOptions::default()).expect("opens");
    let cx = context();
    let create = |number| block_on(store.create(&cx, user(&cx, number)));
    create(0).expect("creates");
    pragma(&store, "PRAGMA max_page_count = 200");
    let (refused, error) = (1..10_000)
        .find_map(|number| create(number).err().map(|error| (number, error)))
        .expect("it ends somewhere");
    assert_eq!(*error.kind(), StoreErrorKind::Unavailable, "{error}");
    assert_eq!(error.to_string(), "the disk is full");
    let there = |number: usize| {
        let id = format!("u{number}");
        let user = cx.registry.resource_type("User").expect("built in");
        block_on(store.retrieve(&cx, user, &id, Include::default())).expect("answers").is_some()
    };
    assert!((0..refused).all(there), "what was answered is there");
    assert!(!there(refused), "what was refused is not");
    pragma(&store, "PRAGMA max_page_count = 1000000");
    create(refused).expect("it recovers by itself");
    store.close().expect("closes");
    let admin = Admin::open(&path).expect("opens");
    let report = block_on(admin.fsck(&cx.registry)).expect("checks");
    assert!(report.is_clean() && report.resources == refused as u64 + 1, "{report}");
}

#[test]
fn a_file_that_cannot_be_written_is_read_on() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("scim2.db");
    let store = SqliteStore::open(&path, SqliteOptions::default()).expect("opens");
    let cx = context();
    block_on(store.create(&cx, user(&cx, 0))).expect("creates");
    pragma(&store, "PRAGMA query_only = true");
    let error = block_on(store.create(&cx, user(&cx, 1))).expect_err("refused");
    assert_eq!(*error.kind(), StoreErrorKind::Unavailable);
    assert_eq!(error.to_string(), "the database cannot be written");
    let type_ = cx.registry.resource_type("User").expect("built in");
    let find = |id: &str| block_on(store.retrieve(&cx, type_, id, Include::default())).expect("answers");
    assert!(find("u0").is_some() && find("u1").is_none());
}
