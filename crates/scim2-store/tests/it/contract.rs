//! The contract of the port, by its own suite.

use scim2_server::contract;
use scim2_store::{SqliteOptions, SqliteStore};

use crate::common::block_on;

#[test]
fn the_store_keeps_the_contract() {
    let folder = tempfile::tempdir().expect("a folder");
    let count = std::cell::Cell::new(0);
    let failures = block_on(contract::run(|| {
        count.set(count.get() + 1);
        let path = folder.path().join(format!("{}.db", count.get()));
        async move { SqliteStore::open(&path, SqliteOptions::default()).expect("opens") }
    }));
    assert!(failures.is_empty(), "{failures:#?}");
    assert_eq!(count.get(), contract::CHECKS.len());
}

#[cfg(feature = "postgres")]
#[test]
fn the_store_on_postgres_keeps_the_contract() {
    use scim2_store::PostgresStore;
    use scim2_testkit::postgres::Database;

    let count = std::cell::Cell::new(0);
    let databases = std::cell::RefCell::new(Vec::new());
    if Database::create().expect("a database").is_none() {
        return;
    }
    let failures = block_on(contract::run(|| {
        count.set(count.get() + 1);
        let database = Database::create().expect("a database").expect("there is a server");
        let options = crate::common::postgres::options(&database);
        databases.borrow_mut().push(database);
        async move { PostgresStore::open(&options).await.expect("opens") }
    }));
    assert!(failures.is_empty(), "{failures:#?}");
    assert_eq!(count.get(), contract::CHECKS.len());
}
