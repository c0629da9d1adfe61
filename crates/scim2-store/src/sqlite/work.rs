//! Tests how much work queries do and on which thread, counted in steps of SQLite's virtual machine.

use futures_executor::block_on;
use futures_util::future::join_all;
use scim2_core::{Compat, Registry};
use scim2_filter::{FilterParser, Resolver};
use scim2_server::store::Target;

use super::budget::INLINE_STEPS;
use super::*;

/// The number of users. Each has an address of its own, with the same domain.
const USERS: usize = 4000;

struct Fixture {
    store: SqliteStore,
    cx: Context,
    _folder: tempfile::TempDir,
}

fn fixture() -> Fixture {
    let folder = tempfile::tempdir().expect("a folder");
    let store = SqliteStore::open(&folder.path().join("scim2.db"), SqliteOptions::default()).expect("opens");
    let cx = Context::new(Arc::new(Registry::standard()), TenantId::default(), "test", DateTime::UNIX_EPOCH);
    let create = |number: usize| {
        let id = format!("u{number:05}");
        let body = format!(
            r#"{{"id":"{id}","userName":"user{number}","nickName":"nick{number}",
                "emails":[{{"value":"user{number}@example.com","type":"work"}}]}}"#
        );
        let write = Write {
            resource_type: Arc::clone(cx.registry.resource_type("User").expect("built in")),
            id: ResourceId::parse(&id).expect("an id"),
            body: serde_json::from_str(&body).expect("an object"),
            never_returned: scim2_core::Object::new(),
            members: MembersWrite::Keep,
            changed: Vec::new(),
            include: Include::default(),
        };
        store.create(&cx, write)
    };
    for first in (0..USERS).step_by(1000) {
        let created = block_on(join_all((first..first + 1000).map(create)));
        created.into_iter().for_each(|created| drop(created.expect("creates")));
    }
    Fixture { store, cx, _folder: folder }
}

impl Fixture {
    fn query(&self, filter: &str) -> Query {
        let resource_type = Arc::clone(self.cx.registry.resource_type("User").expect("built in"));
        let parsed = FilterParser::new().max_length(1 << 20).parse(filter).expect("a filter");
        let filter = Resolver::new(&resource_type, Compat::default()).filter(&parsed).expect("resolves");
        Query {
            include: Include { members: true, groups: true, never_returned: false },
            ..Query::new(vec![Target { resource_type, filter: Some(filter), sort: None }], 10)
        }
    }

    fn total(&self, filter: &str) -> u64 {
        block_on(self.store.query(&self.cx, &self.query(filter))).expect("answers").total
    }

    /// The number of steps of an inline query, and whether it was answered.
    fn inline(&self, filter: &str) -> (u64, bool) {
        let (inner, query) = (&self.store.inner, self.query(filter));
        let tenant = block_on(self.store.tenant(&self.cx.tenant)).expect("a number");
        let indexes = [block_on(self.store.index(&query.targets[0].resource_type)).expect("an index")];
        let mut done = 0;
        let page = inner.pool.inline(|connection, budget| {
            let before = budget.done();
            let groups = Groups::new(&inner.ids, tenant);
            let page = now(Search {
                cx: &self.cx,
                tenant,
                query: &query,
                indexes: &indexes,
                source: SqliteRows::new(connection, budget, groups),
            }
            .at_once());
            done = budget.done() - before;
            page
        });
        (done, page.expect("reads").flatten().is_some())
    }

    /// The number of steps of a query on a scan thread.
    fn apart(&self, filter: &str) -> u64 {
        let query = self.query(filter);
        let tenant = block_on(self.store.tenant(&self.cx.tenant)).expect("a number");
        let index = block_on(self.store.index(&query.targets[0].resource_type)).expect("an index");
        let (cx, ids) = (self.cx.clone(), Arc::clone(&self.store.inner.ids));
        let search = move |connection: &Connection, budget: &Budget| {
            let source = SqliteRows::new(connection, budget, Groups::new(&ids, tenant));
            read::snapshot(connection, |_| {
                now(Search { cx: &cx, tenant, query: &query, indexes: &[index], source }.run())
            })?;
            Ok(budget.done())
        };
        block_on(self.store.inner.scans.run(&self.cx.credential(), None, search)).expect("answers")
    }
}

/// This number of comparisons, which all addresses satisfy.
fn terms(count: usize) -> String {
    let terms: Vec<_> = (0..count).map(|_| r#"value ew "@example.com""#).collect();
    terms.join(" and ")
}

#[test]
fn conditions_on_one_element_are_tested_on_the_rows_found() {
    let fixture = fixture();
    for count in [1, 30, 840] {
        let filter = format!(r#"emails[value eq "user7@example.com" and {}]"#, terms(count));
        assert_eq!(fixture.total(&filter), 1, "{count}");
        let (steps, answered) = fixture.inline(&filter);
        assert!(answered && steps < 100 * count as u64 + 20_000, "{count} terms: {steps} steps");
        let other = format!(r#"emails[value eq "user7@example.com" and type sw "w" and {}]"#, terms(count));
        assert_eq!(fixture.total(&other), 1, "{count}");
        let (steps, answered) = fixture.inline(&other);
        assert!(answered && steps < 100 * count as u64 + 20_000, "{count} terms: {steps} steps");
        // A range of addresses, each tested once.
        let range = format!(r#"emails[value sw "user" and {}]"#, terms(count));
        assert_eq!(fixture.total(&range), USERS as u64, "{count}");
        let steps = fixture.apart(&range);
        assert!(steps < (40 + 20 * count as u64) * USERS as u64, "{count} terms: {steps} steps");
        // Ranges of two sub-attributes: the second range is read once.
        let two = format!(r#"emails[type sw "w" and {}]"#, terms(count));
        assert_eq!(fixture.total(&two), USERS as u64, "{count}");
        let steps = fixture.apart(&two);
        assert!(steps < (80 + 20 * count as u64) * USERS as u64, "{count} terms: {steps} steps");
    }
}

#[test]
fn a_query_of_much_work_leaves_the_thread_that_asks_and_is_answered() {
    let fixture = fixture();
    let nobody = format!(r#"emails[value sw "user" and type co "zz" and {}]"#, terms(30));
    for (filter, total) in [
        (format!(r#"{nobody} and userName sw "user""#), 0),
        (format!(r#"{nobody} or userName eq "user1" or id eq "u00002""#), 2),
        (format!(r#"userName eq "user3" and {nobody}"#), 0),
    ] {
        let (steps, _) = fixture.inline(&filter);
        assert!(steps < INLINE_STEPS + 20_000, "{steps} steps: {filter}");
        assert_eq!(fixture.total(&filter), total, "{filter}");
    }
}

#[test]
fn reads_of_much_work_leave_the_thread_that_asks_and_are_answered() {
    let fixture = fixture();
    let (store, cx) = (&fixture.store, &fixture.cx);
    let ids: Vec<ResourceId> =
        (0..USERS).map(|number| ResourceId::parse(&format!("u{number:05}")).expect("an id")).collect();
    let mut asked = ids.clone();
    for _ in 0..4 {
        asked.extend(ids.iter().cloned());
    }
    let targets = block_on(store.resolve_members(cx, &asked)).expect("answers");
    assert!(targets.len() == asked.len() && targets.iter().all(Option::is_some));
    let users = cx.registry.resource_type("User").expect("built in");
    let include = Include { members: true, groups: true, never_returned: true };
    assert_eq!(block_on(store.list(cx, users, None, USERS, include)).expect("answers").len(), USERS);
}
