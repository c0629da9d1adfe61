//! The settings the promises rest on, and what does not open.

use std::sync::Arc;

use rusqlite::Connection;
use scim2_core::schema::{Attribute, Uniqueness};
use scim2_core::{Compat, Registry};
use scim2_filter::{CompiledFilter, Filter};
use scim2_server::store::{Query, Target};
use scim2_server::{ResourceStore, StoreErrorKind};
use scim2_store::{Admin, OpenErrorKind, SqliteOptions, SqliteStore};

use crate::common::{Wait as _, context, fixture, type_of, user};

#[test]
fn the_file_is_a_database_of_ours_in_wal_mode() {
    let fixture = fixture();
    let connection = Connection::open(&fixture.path).expect("opens");
    let pragma = |name: &str| -> String {
        connection
            .query_row(&format!("SELECT CAST({name} AS TEXT) FROM pragma_{name}"), [], |row| row.get(0))
            .expect(name)
    };
    assert_eq!(pragma("journal_mode"), "wal");
    assert_eq!(pragma("application_id"), 0x5343_494d_i64.to_string());
    assert_eq!(pragma("user_version"), "4");
}

#[test]
fn a_second_server_is_refused_and_the_next_one_is_not() {
    let fixture = fixture();
    let error = SqliteStore::open(&fixture.path, SqliteOptions::default()).expect_err("in use");
    assert_eq!(error.kind(), OpenErrorKind::InUse);
    let path = fixture.path.clone();
    let folder = fixture.close();
    SqliteStore::open(&path, SqliteOptions::default()).expect("free again");
    drop(folder);
}

#[test]
fn other_databases_and_newer_ones_are_refused_untouched() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name);
    let kind = |name: &str| SqliteStore::open(&path(name), SqliteOptions::default()).expect_err(name).kind();

    std::fs::write(
        path("text"),
        "no database, though long enough to be looked at as if it were one".repeat(99),
    )
    .expect("writes");
    assert_eq!(kind("text"), OpenErrorKind::NotOurs);

    Connection::open(path("other"))
        .and_then(|other| other.execute_batch("CREATE TABLE t (n)"))
        .expect("writes");
    assert_eq!(kind("other"), OpenErrorKind::NotOurs);

    drop(SqliteStore::open(&path("newer"), SqliteOptions::default()).expect("opens"));
    Connection::open(path("newer"))
        .and_then(|newer| newer.pragma_update(None, "user_version", 1000))
        .expect("writes");
    assert_eq!(kind("newer"), OpenErrorKind::Newer);

    assert_eq!(kind("no such folder/scim2.db"), OpenErrorKind::Io);
}

#[test]
fn a_closed_store_has_an_empty_log_and_reads_on() {
    let fixture = fixture();
    let cx = context();
    futures_executor::block_on(async {
        fixture.store.create(&cx, user(&cx, "u1", "ada")).await.expect("creates");
        fixture.store.close().expect("closes");
        let log = fixture.path.with_extension("db-wal");
        assert_eq!(std::fs::metadata(log).map_or(0, |log| log.len()), 0);
        let user_type = type_of(&cx, "User");
        assert!(
            fixture.store.retrieve(&cx, &user_type, "u1", Default::default()).await.expect("reads").is_some()
        );
        fixture.store.create(&cx, user(&cx, "u2", "bob")).await.expect_err("closed");
    });
}

/// The standard registry with an attribute of User changed.
pub(crate) fn changed(name: &str, change: impl Fn(&mut Attribute)) -> Registry {
    let standard = Registry::standard();
    let mut schemas: Vec<_> = standard.schemas().cloned().collect();
    for attribute in schemas.iter_mut().flat_map(|schema| &mut schema.attributes) {
        if attribute.name.as_str() == name {
            change(attribute);
        }
    }
    let types = standard.resource_types().map(|type_| type_.resource_type().clone()).collect();
    Registry::with(schemas, types).expect("compiles")
}

#[test]
fn the_index_follows_the_schemas() {
    let fixture = fixture();
    let (store, cx) = (&fixture.store, context());
    let find = |cx: &scim2_server::Context, filter: &str| {
        let resource_type = type_of(cx, "User");
        let filter: Filter = filter.parse().expect("a filter");
        let filter = CompiledFilter::new(&filter, &resource_type, Compat::default()).expect("compiles");
        let target = Target { resource_type, filter: Some(filter), sort: None };
        let query = Query::new(vec![target], 10);
        futures_executor::block_on(store.query(cx, &query)).expect("answers").total
    };
    let create = |cx: &scim2_server::Context, id: &str, nick: &str| {
        let mut write = user(cx, id, id);
        write.body.insert("nickName", nick);
        futures_executor::block_on(store.create(cx, write))
    };
    create(&cx, "u1", "Ada").expect("not unique yet");
    create(&cx, "u2", "ada").expect("not unique yet");
    create(&cx, "u3", "bob").expect("not unique yet");
    assert_eq!(find(&cx, "nickName eq \"ADA\""), 2);

    let unique = changed("nickName", |nick| nick.uniqueness = Uniqueness::Server);
    let unique = scim2_server::Context { registry: Arc::new(unique), ..cx.clone() };
    assert_eq!(find(&unique, "nickName eq \"ADA\""), 2, "those that were alike before stay so");
    let error = create(&unique, "u4", "BOB").expect_err("unique now");
    assert_eq!(*error.kind(), StoreErrorKind::Uniqueness("nickName".into()));

    let exact = changed("nickName", |nick| {
        nick.uniqueness = Uniqueness::Server;
        nick.case_exact = true;
    });
    let exact = scim2_server::Context { registry: Arc::new(exact), ..cx.clone() };
    assert_eq!(find(&exact, "nickName eq \"ada\""), 1);
    create(&exact, "u5", "BOB").expect("another text now");
    let error = create(&exact, "u6", "bob").expect_err("the same text");
    assert_eq!(*error.kind(), StoreErrorKind::Uniqueness("nickName".into()));
    let report = Admin::open(&fixture.path).expect("opens").fsck(&exact.registry).wait().expect("checks");
    assert!(report.is_clean(), "{report}");

    assert_eq!(find(&cx, "userName sw \"u\""), 4, "and back again");
}
