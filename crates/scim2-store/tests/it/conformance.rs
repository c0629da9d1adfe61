//! The contract of the port, by its own suite.

use futures_executor::block_on;
use scim2_server::conformance;
use scim2_store::{SqliteOptions, SqliteStore};

#[test]
fn the_store_keeps_the_contract() {
    let folder = tempfile::tempdir().expect("a folder");
    let count = std::cell::Cell::new(0);
    let failures = block_on(conformance::run(|| {
        count.set(count.get() + 1);
        let path = folder.path().join(format!("{}.db", count.get()));
        async move { SqliteStore::open(&path, SqliteOptions::default()).expect("opens") }
    }));
    assert!(failures.is_empty(), "{failures:#?}");
    assert_eq!(count.get(), conformance::CHECKS.len());
}
