//! A store in a database that goes away.

use scim2_core::Registry;
use scim2_store::{PostgresOptions, PostgresStore};
use scim2_testkit::postgres::Database;

use super::block_on;

pub(crate) struct Fixture {
    pub(crate) store: PostgresStore,
    // Behind the store, so that its connections are closed before.
    pub(crate) database: Database,
}

/// `None` where there is no PostgreSQL.
pub(crate) fn fixture() -> Option<Fixture> {
    let database = Database::create().expect("a database")?;
    let store = block_on(PostgresStore::open(&options(&database))).expect("opens");
    Some(Fixture { store, database })
}

pub(crate) fn options(database: &Database) -> PostgresOptions {
    PostgresOptions::new(&database.url()).expect("an address")
}

impl Drop for Fixture {
    /// Whatever a test did, what it leaves behind agrees.
    fn drop(&mut self) {
        if !std::thread::panicking() {
            let report = block_on(self.store.admin().fsck(&Registry::standard())).expect("checks");
            assert!(report.is_clean(), "{report}");
        }
        self.store.close();
    }
}
