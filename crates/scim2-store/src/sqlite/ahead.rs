//! The members of a large new group, written before it.
//!
//! A hundred thousand of them in one transaction would hold up all other writes for a second. So they
//! are written some at a time between other writes, under a number that no resource has: nobody sees them,
//! as nobody sees what a deleted group [leaves](super::sweep). The number stands in the same table, by which
//! no other resource gets it and the next start takes the rows away if this process ends. The last
//! transaction checks everything, writes the group with the last of its members, and takes the
//! number out of that table: from then on all are seen. Who is deleted meanwhile is taken out of these rows as
//! out of any group.

use std::sync::{Arc, Weak};
use std::thread;

use futures_channel::oneshot;
use scim2_server::store::{Member, MembersWrite};
use scim2_server::{StoreError, StoredResource};

use super::batch::Batch;
use super::fill::wait;
use super::write::{self, Prepared};
use super::writer::Fault;
use super::{Inner, sweep};

/// How many members come with their group in one transaction; more are written ahead.
pub(super) const AT_ONCE: usize = 2 * SOME;

/// How many are written at a time: a few milliseconds.
const SOME: usize = 1000;

/// Creates a group of more members than come [at once](AT_ONCE). It goes on when the future is
/// dropped, as any write does.
pub(super) async fn create(
    store: &Arc<Inner>,
    write: Prepared,
    members: &[Member],
) -> Result<StoredResource, StoreError> {
    let store = Arc::downgrade(store);
    let pieces = pieces(members);
    let (sender, receiver) = oneshot::channel();
    let run = move || {
        let tenant = write.tenant();
        let mut number = None;
        let created = in_pieces(&store, write, pieces, &mut number);
        let failed = created.is_err();
        let _ = sender.send(created);
        if let Some(number) = number.filter(|_| failed) {
            sweep::run(&store, (tenant, number));
        }
    };
    thread::Builder::new().name("scim2-members".to_owned()).spawn(run).map_err(StoreError::internal)?;
    receiver.await.unwrap_or_else(|_| Err(StoreError::internal("a write panicked")))
}

fn pieces(members: &[Member]) -> Vec<MembersWrite> {
    let piece = |add: &[Member]| MembersWrite::Change { remove: Vec::new(), add: add.to_vec() };
    members.chunks(SOME).map(piece).collect()
}

/// Writes the pieces, the last of them with the group. `number` is the one that was set aside.
fn in_pieces(
    store: &Weak<Inner>,
    write: Prepared,
    mut pieces: Vec<MembersWrite>,
    number: &mut Option<i64>,
) -> Result<StoredResource, StoreError> {
    let write = Arc::new(write);
    let last = pieces.pop().unwrap_or_default();
    for piece in pieces {
        let (write, under) = (Arc::clone(&write), *number);
        *number = Some(submit(store, under.is_some(), move |batch| {
            write::write_ahead(batch, &write, under, &piece)
        })?);
    }
    match *number {
        None => submit(store, false, move |batch| write::create(batch, &write)),
        Some(number) => submit(store, true, move |batch| write::create_behind(batch, &write, number, &last)),
    }
}

/// Has the writer run something and waits for it. What is `begun` also waits for room in the queue.
fn submit<T, F>(store: &Weak<Inner>, begun: bool, run: F) -> Result<T, StoreError>
where
    T: Send + 'static,
    F: FnMut(&mut Batch<'_>) -> Result<T, Fault> + Send + 'static,
{
    // Held for no longer than a piece takes: dropping the store is not delayed.
    match store.upgrade() {
        None => Err(StoreError::unavailable("the store is shutting down")),
        Some(store) if begun => wait(store.writer.submit_in_turn(run)),
        Some(store) => wait(store.writer.submit(run)),
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use chrono::DateTime;
    use futures_executor::block_on;
    use futures_util::FutureExt;
    use scim2_core::{Compat, Object, Registry, ResourceId};
    use scim2_filter::{FilterParser, Resolver};
    use scim2_server::store::{Include, Outcome, Query, Target, Write};
    use scim2_server::{Context, ResourceStore, StoreErrorKind, TenantId};

    use super::*;
    use crate::sqlite::{SqliteOptions, SqliteStore};
    use crate::{Admin, Report};

    struct Bench {
        folder: tempfile::TempDir,
        store: SqliteStore,
        cx: Context,
    }

    impl Bench {
        /// With that many users, `u0` and on.
        fn new(users: usize) -> Self {
            let folder = tempfile::tempdir().expect("a folder");
            let store =
                SqliteStore::open(&folder.path().join("scim2.db"), SqliteOptions::default()).expect("opens");
            let cx = Context::new(
                Arc::new(Registry::standard()),
                TenantId::default(),
                "test",
                DateTime::UNIX_EPOCH,
            );
            let bench = Self { folder, store, cx };
            let users = (0..users).map(|number| bench.user(number));
            let created = users.map(|user| bench.store.create(&bench.cx, user));
            for created in block_on(futures_util::future::join_all(created)) {
                created.expect("creates");
            }
            bench
        }

        fn write(&self, type_name: &str, id: &str, name: &str) -> Write {
            let mut body = Object::new();
            body.insert("id", id);
            body.insert(name, id);
            Write {
                resource_type: Arc::clone(self.cx.registry.resource_type(type_name).expect("built in")),
                id: ResourceId::parse(id).expect("an id"),
                body,
                never_returned: Object::new(),
                members: MembersWrite::Keep,
                changed: Vec::new(),
                include: Include { members: true, ..Include::default() },
            }
        }

        fn user(&self, number: usize) -> Write {
            self.write("User", &format!("u{number}"), "userName")
        }

        fn group(&self, members: &[Member]) -> Write {
            Write { members: MembersWrite::Set(members.to_vec()), ..self.write("Group", "g", "displayName") }
        }

        fn prepared(&self) -> Prepared {
            let inner = &self.store.inner;
            let write = self.group(&[]);
            let tenant = block_on(self.store.tenant(&self.cx.tenant)).expect("a number");
            let index = block_on(self.store.index(&write.resource_type)).expect("an index");
            Prepared::new(&self.cx, &inner.names, index, tenant, write).expect("prepares")
        }

        /// Writes some members of the group ahead.
        fn ahead(&self, number: Option<i64>, members: &[usize]) -> i64 {
            let (write, members) = (self.prepared(), change(&these(members)));
            let run = move |batch: &mut Batch<'_>| write::write_ahead(batch, &write, number, &members);
            block_on(self.store.inner.writer.submit(run)).expect("writes")
        }

        /// Writes the group itself, with the last members.
        fn behind(&self, number: i64, members: &[usize]) -> Result<StoredResource, StoreError> {
            let (write, members) = (self.prepared(), change(&these(members)));
            let run = move |batch: &mut Batch<'_>| write::create_behind(batch, &write, number, &members);
            block_on(self.store.inner.writer.submit(run))
        }

        fn total(&self, type_name: &str, filter: &str) -> u64 {
            let resource_type = Arc::clone(self.cx.registry.resource_type(type_name).expect("built in"));
            let parsed = FilterParser::new().parse(filter).expect("a filter");
            let filter = Resolver::new(&resource_type, Compat::default()).filter(&parsed).expect("resolves");
            let query = Query::new(vec![Target { resource_type, filter: Some(filter), sort: None }], 10);
            block_on(self.store.query(&self.cx, &query)).expect("answers").total
        }

        fn groups_of(&self, user: &str) -> usize {
            let users = self.cx.registry.resource_type("User").expect("built in");
            let include = Include { groups: true, ..Include::default() };
            let user =
                block_on(self.store.retrieve(&self.cx, users, user, include)).expect("reads").expect("there");
            user.groups.expect("asked for").len()
        }

        fn rows(&self) -> (i64, i64) {
            let connection = self.store.inner.pool.take_now().expect("a connection");
            let sql = "SELECT (SELECT count(*) FROM member), (SELECT count(*) FROM gone)";
            connection.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?))).expect("counts")
        }

        /// Waits until rows are left as `expected`, which takes as long as the disk does.
        fn wait_for(&self, expected: (i64, i64)) {
            let begun = Instant::now();
            while self.rows() != expected {
                assert!(begun.elapsed() < Duration::from_secs(60), "{:?}", self.rows());
                thread::yield_now();
            }
        }

        fn fsck(&self) -> Report {
            let admin = Admin::open(&self.folder.path().join("scim2.db")).expect("opens");
            admin.fsck(&self.cx.registry).expect("checks")
        }

        fn members(&self) -> Option<Vec<String>> {
            let groups = self.cx.registry.resource_type("Group").expect("built in");
            let include = Include { members: true, ..Include::default() };
            let group = block_on(self.store.retrieve(&self.cx, groups, "g", include)).expect("reads")?;
            let members = group.members.expect("asked for");
            Some(members.into_iter().map(|member| member.value.as_str().to_owned()).collect())
        }
    }

    fn these(users: &[usize]) -> Vec<Member> {
        let member = |number| Member {
            value: ResourceId::parse(&format!("u{number}")).expect("an id"),
            resource_type: "User".into(),
            display: None,
        };
        users.iter().map(member).collect()
    }

    fn change(members: &[Member]) -> MembersWrite {
        MembersWrite::Change { remove: Vec::new(), add: members.to_vec() }
    }

    #[test]
    fn nobody_sees_what_is_written_ahead_until_the_group_comes() {
        let bench = Bench::new(5);
        let number = bench.ahead(None, &[3, 1]);
        assert_eq!(bench.ahead(Some(number), &[2]), number);
        let unseen = |bench: &Bench| {
            assert_eq!(bench.members(), None);
            assert_eq!(bench.groups_of("u1"), 0);
            let filters =
                [("User", "groups pr"), ("Group", r#"members.value eq "u1""#), ("Group", "displayName pr")];
            for (type_name, filter) in filters {
                assert_eq!(bench.total(type_name, filter), 0, "{filter}");
            }
            assert!(bench.fsck().is_clean(), "{}", bench.fsck());
        };
        unseen(&bench);
        // Others come and go meanwhile, and one more group is on its way.
        block_on(bench.store.create(&bench.cx, bench.user(5))).expect("creates");
        assert_ne!(bench.ahead(None, &[1]), number);
        let users = bench.cx.registry.resource_type("User").expect("built in");
        let deleted = block_on(bench.store.delete(&bench.cx, users, "u2", None)).expect("answers");
        assert!(matches!(deleted, Outcome::Done(())));
        unseen(&bench);
        let created = bench.behind(number, &[4, 2]).expect("creates");
        assert_eq!(created.members.map(|members| members.len()), Some(3));
        assert_eq!(bench.members().expect("there"), ["u3", "u1", "u4"]);
        assert_eq!(bench.groups_of("u1"), 1);
        assert_eq!(bench.total("Group", r#"members.value eq "u1""#), 1);
        assert!(bench.fsck().is_clean(), "{}", bench.fsck());
        // Its number was given up with it: nothing sweeps it.
        assert!(sweep::run(&Arc::downgrade(&bench.store.inner), (1, number)));
        assert_eq!(bench.members().map(|members| members.len()), Some(3));
        bench.behind(number, &[]).expect_err("it is there");
    }

    #[test]
    fn what_a_crash_leaves_ahead_is_taken_away_by_the_next_start() {
        let bench = Bench::new(3);
        bench.ahead(None, &[0, 1, 2]);
        let Bench { folder, store, cx } = bench;
        drop(store);
        let store =
            SqliteStore::open(&folder.path().join("scim2.db"), SqliteOptions::default()).expect("opens");
        let bench = Bench { folder, store, cx };
        bench.wait_for((0, 0));
        assert_eq!(bench.members(), None);
        assert!(bench.fsck().is_clean(), "{}", bench.fsck());
    }

    #[test]
    fn what_is_refused_in_the_end_leaves_nothing() {
        let bench = Bench::new(3);
        let number = bench.ahead(None, &[0, 1]);
        block_on(bench.store.create(&bench.cx, bench.group(&these(&[2])))).expect("creates");
        let error = bench.behind(number, &[2]).expect_err("the id is taken");
        assert!(matches!(error.kind(), StoreErrorKind::Uniqueness(_)), "{error}");
        assert!(sweep::run(&Arc::downgrade(&bench.store.inner), (1, number)));
        assert_eq!(
            (bench.rows(), bench.members().expect("there").as_slice()),
            ((1, 0), ["u2".to_owned()].as_slice())
        );
    }

    #[test]
    fn a_group_of_many_comes_as_a_whole_also_when_nobody_waits() {
        let bench = Bench::new(AT_ONCE + 1);
        // The type has its number: creating begins with the first piece.
        drop(bench.prepared());
        let mut members = these(&(0..=AT_ONCE).rev().collect::<Vec<_>>());
        // Twice the same, far from each other, and one who is not there.
        members.push(members[0].clone());
        members.extend(these(&[AT_ONCE + 7]));
        assert!(bench.store.create(&bench.cx, bench.group(&members)).now_or_never().is_none());
        bench.wait_for((AT_ONCE as i64 + 1, 0));
        let expected: Vec<String> = (0..=AT_ONCE).rev().map(|number| format!("u{number}")).collect();
        assert_eq!(bench.members(), Some(expected));
        assert_eq!(bench.groups_of("u7"), 1);
        // The same once more is refused, and leaves nothing.
        let error =
            block_on(bench.store.create(&bench.cx, bench.group(&members))).expect_err("the id is taken");
        assert!(matches!(error.kind(), StoreErrorKind::Uniqueness(_)), "{error}");
        bench.wait_for((AT_ONCE as i64 + 1, 0));
        assert!(bench.fsck().is_clean(), "{}", bench.fsck());
    }
}
