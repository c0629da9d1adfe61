//! The memory store keeps the contract of `ResourceStore`.

use futures_util::FutureExt;
use scim2_server::{MemoryStore, contract};

#[test]
fn the_memory_store_conforms() {
    let failures = contract::run(|| async { MemoryStore::new() }).now_or_never().expect("no waiting");
    assert!(failures.is_empty(), "{failures:#?}");
    assert!(contract::CHECKS.len() > 30);
}
