//! Groups of more members than are answered at once.

use std::time::{Duration, Instant};

use futures_util::FutureExt as _;
use futures_util::future::join_all;
use scim2_core::Compat;
use scim2_filter::{FilterParser, Resolver};
use scim2_server::store::{Include, MembersWrite, Outcome, Query, StreamedResource, Target};
use scim2_server::{Context, ResourceStore, StoreErrorKind};
use scim2_store::{SqliteOptions, SqliteStore};

use crate::common::{block_on, context, fixture, group, id, member, on_each_engine, time, type_of, user};

on_each_engine!(
    many_members_come_in_pieces_and_few_at_once,
    pieces_are_of_one_moment,
    a_page_leaves_many_members_to_be_read_apart,
    a_deleted_group_of_many_is_gone_at_once,
    a_replacement_that_changes_one_of_many_moves_no_other,
    create_of_a_large_group_adds_all_members_or_nothing,
);

/// More than come at once.
const MANY: usize = 1001;

const MEMBERS: Include = Include { members: true, groups: false, never_returned: false };

/// Users `u0000` and on, and a group `g1` of all of them.
fn crowd(store: &impl ResourceStore, cx: &Context) -> Vec<String> {
    let ids: Vec<String> = (0..MANY).map(|n| format!("u{n:04}")).collect();
    // As many at once as there are connections.
    for some in ids.chunks(16) {
        let created = some.iter().map(|id| store.create(cx, user(cx, id, id)));
        block_on(join_all(created)).into_iter().for_each(|created| drop(created.expect("creates")));
    }
    let members: Vec<&str> = ids.iter().map(String::as_str).collect();
    block_on(store.create(cx, group(cx, "g1", &members))).expect("creates");
    ids
}

fn open(store: &impl ResourceStore, cx: &Context, group: &str) -> StreamedResource {
    let groups = type_of(cx, "Group");
    block_on(store.retrieve_streamed(cx, &groups, group, MEMBERS)).expect("reads").expect("there")
}

/// The ids of the members, to the last one.
fn read(found: StreamedResource) -> Vec<String> {
    let mut pieces = found.members.expect("in pieces");
    let mut ids = Vec::new();
    while let Some(piece) = block_on(pieces.next()) {
        ids.extend(piece.expect("another piece").into_iter().map(|member| member.value.as_str().to_owned()));
    }
    ids
}

fn write(store: &impl ResourceStore, cx: &Context, members: MembersWrite) {
    let groups = type_of(cx, "Group");
    let written = block_on(store.write_members(cx, &groups, "g1", None, members, Include::default()));
    assert!(matches!(written.expect("answers"), Outcome::Done(_)));
}

fn many_members_come_in_pieces_and_few_at_once(store: &impl ResourceStore) {
    let cx = context();
    let ids = crowd(store, &cx);
    let groups = type_of(&cx, "Group");
    let whole = block_on(store.retrieve(&cx, &groups, "g1", MEMBERS)).expect("reads").expect("there");
    let found = open(store, &cx, "g1");
    assert_eq!(found.resource.version, whole.version);
    assert_eq!(found.resource.members, None);
    assert_eq!(read(found), ids, "in the order in which they were added");
    let whole: Vec<_> =
        whole.members.expect("all").into_iter().map(|m| m.value.as_str().to_owned()).collect();
    assert_eq!(whole, ids);

    let unasked = block_on(store.retrieve_streamed(&cx, &groups, "g1", Include::default()));
    let unasked = unasked.expect("reads").expect("there");
    assert!(unasked.members.is_none() && unasked.resource.members.is_none());
    let nobody = block_on(store.retrieve_streamed(&cx, &groups, "nobody", MEMBERS)).expect("reads");
    assert!(nobody.is_none());
    write(store, &cx, MembersWrite::Change { remove: vec![id("u0000")], add: Vec::new() });
    let found = open(store, &cx, "g1");
    assert!(found.members.is_none());
    assert_eq!(found.resource.members.map(|members| members.len()), Some(MANY - 1));
}

fn pieces_are_of_one_moment(store: &impl ResourceStore) {
    let cx = context();
    let ids = crowd(store, &cx);
    let (one, given_up) = (open(store, &cx, "g1"), open(store, &cx, "g1"));
    drop(given_up);
    write(store, &cx, MembersWrite::Set(Vec::new()));
    assert_eq!(read(one), ids, "however late it is read");
    assert_eq!(open(store, &cx, "g1").resource.members, Some(Vec::new()));
}

/// How many resources of a type match.
fn query(cx: &Context, type_name: &str, filter: Option<&str>) -> Query {
    let resource_type = type_of(cx, type_name);
    let filter = filter.map(|text| {
        let filter = FilterParser::new().parse(text).expect("a filter");
        Resolver::new(&resource_type, Compat::default()).filter(&filter).expect("resolves")
    });
    Query { include: MEMBERS, ..Query::new(vec![Target { resource_type, filter, sort: None }], 10) }
}

fn a_page_leaves_many_members_to_be_read_apart(store: &impl ResourceStore) {
    let cx = context();
    crowd(store, &cx);
    block_on(store.create(&cx, group(&cx, "g2", &["u0000"]))).expect("creates");
    for filter in [
        None,
        Some(r#"displayName sw "G g""#),
        Some(r#"members.value eq "u0000""#),
        Some(r#"displayName co "g""#),
    ] {
        let page = block_on(store.query(&cx, &query(&cx, "Group", filter))).expect("answers");
        let members: Vec<_> =
            page.resources.iter().map(|group| group.members.as_ref().map(Vec::len)).collect();
        assert_eq!(members, [None, Some(1)], "{filter:?}");
    }
}

fn a_deleted_group_of_many_is_gone_at_once(store: &impl ResourceStore) {
    let cx = context();
    crowd(store, &cx);
    let (users, groups) = (type_of(&cx, "User"), type_of(&cx, "Group"));
    let deleted = block_on(store.delete(&cx, &groups, "g1", None)).expect("answers");
    assert!(matches!(deleted, Outcome::Done(())));
    // The next group has another primary key, and none of the members that are being deleted.
    block_on(store.create(&cx, group(&cx, "g2", &["u0001"]))).expect("creates");
    let next = open(store, &cx, "g2").resource.members.expect("few");
    assert_eq!(
        next,
        [scim2_server::store::Member { display: Some("D u0001".into()), ..member("User", "u0001") }]
    );
    let include = Include { groups: true, ..Include::default() };
    for (user, expected) in [("u0000", 0), ("u0001", 1)] {
        let found = block_on(store.retrieve(&cx, &users, user, include)).expect("reads").expect("there");
        let in_it = found.groups.expect("asked for");
        assert_eq!(in_it.len(), expected, "{user}: {in_it:?}");
        let groups = block_on(store.groups_of(&cx, &id(user))).expect("reads");
        assert_eq!(groups.len(), expected);
    }
    for (type_name, filter, expected) in [
        ("User", r#"groups.value eq "g1""#, 0),
        ("User", r#"groups.value eq "g2""#, 1),
        ("User", "groups pr", 1),
        ("User", r#"groups.display eq "G g1""#, 0),
        ("Group", r#"members.value eq "u0000""#, 0),
        ("Group", r#"members[value eq "u0001"]"#, 1),
        ("Group", "members pr", 1),
    ] {
        let page = block_on(store.query(&cx, &query(&cx, type_name, Some(filter)))).expect("answers");
        assert_eq!(page.total, expected, "{filter}");
    }
    // A member that is being removed can be deleted, and the id of the group can be used again.
    assert!(matches!(block_on(store.delete(&cx, &users, "u0500", None)), Ok(Outcome::Done(()))));
    block_on(store.create(&cx, group(&cx, "g1", &["u0002"]))).expect("creates");
    assert_eq!(open(store, &cx, "g1").resource.members.map(|members| members.len()), Some(1));
}

fn a_replacement_that_changes_one_of_many_moves_no_other(store: &impl ResourceStore) {
    let cx = context();
    let mut ids = crowd(store, &cx);
    let groups = type_of(&cx, "Group");
    let old =
        block_on(store.retrieve(&cx, &groups, "g1", Include::default())).expect("reads").expect("there");
    // Named in another order, and one is another.
    let gone = ids.remove(17);
    ids.reverse();
    let members: Vec<&str> = ids.iter().map(String::as_str).collect();
    block_on(store.create(&cx, user(&cx, "new", "new"))).expect("creates");
    let mut put = group(&cx, "g1", &members);
    if let MembersWrite::Set(members) = &mut put.members {
        members.push(member("User", "new"));
    }
    let replaced = block_on(store.replace(&cx, &old.version, put)).expect("answers");
    assert!(matches!(replaced, Outcome::Done(_)));
    ids.reverse();
    ids.push("new".to_owned());
    assert!(!ids.contains(&gone));
    assert_eq!(read(open(store, &cx, "g1")), ids, "who stays keeps the place");
}

/// The members of a new group that name each user once, one of them again, and somebody who does not exist.
fn many_and_more(ids: &[String]) -> Vec<&str> {
    let mut named: Vec<&str> = ids.iter().rev().map(String::as_str).collect();
    named.extend([ids[7].as_str(), "nobody"]);
    named
}

fn create_of_a_large_group_adds_all_members_or_nothing(store: &impl ResourceStore) {
    let cx = context();
    let mut ids = crowd(store, &cx);
    block_on(store.create(&cx, group(&cx, "g2", &many_and_more(&ids)))).expect("creates");
    let refused = block_on(store.create(&cx, group(&cx, "g2", &["u0001"]))).expect_err("the id is taken");
    assert!(matches!(refused.kind(), StoreErrorKind::Uniqueness(_)), "{refused}");
    assert_eq!(block_on(store.groups_of(&cx, &id("u0001"))).expect("reads").len(), 2);
    ids.reverse();
    assert_eq!(read(open(store, &cx, "g2")), ids, "in the order in which they were named first");
}

#[test]
fn create_of_a_large_group_goes_on_when_its_caller_stops_waiting() {
    let fixture = fixture();
    let (store, cx) = (&fixture.store, context());
    let mut ids = crowd(store, &cx);
    assert!(store.create(&cx, group(&cx, "g2", &many_and_more(&ids))).now_or_never().is_none());
    // Writes are done in their order: this one after the group.
    block_on(store.create(&cx, user(&cx, "next", "next"))).expect("creates");
    ids.reverse();
    assert_eq!(read(open(store, &cx, "g2")), ids);
}

/// Waits until the cleanup has deleted all members, which takes as long as the disk does.
fn swept(path: &std::path::Path) {
    let connection = rusqlite::Connection::open(path).expect("opens");
    let left = || -> (i64, i64) {
        let sql = "SELECT (SELECT count(*) FROM member), (SELECT count(*) FROM pending_deletion)";
        connection.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?))).expect("counts")
    };
    let begun = Instant::now();
    while left() != (0, 0) {
        assert!(begun.elapsed() < Duration::from_secs(60), "{:?} are left", left());
        std::thread::yield_now();
    }
}

#[test]
fn what_a_deleted_group_leaves_is_taken_away_also_after_a_restart() {
    let fixture = fixture();
    let cx = context();
    crowd(&fixture.store, &cx);
    let groups = type_of(&cx, "Group");
    assert!(matches!(block_on(fixture.store.delete(&cx, &groups, "g1", None)), Ok(Outcome::Done(()))));
    // At once, or some of it later.
    fixture.store.close().expect("closes");
    let path = fixture.path.clone();
    let _folder = fixture.close();
    let store = SqliteStore::open(&path, SqliteOptions::default()).expect("opens");
    swept(&path);
    let cx = Context { now: time(60), ..cx };
    block_on(store.create(&cx, group(&cx, "g1", &["u0003"]))).expect("creates");
    block_on(store.delete(&cx, &groups, "g1", None)).expect("answers");
    swept(&path);
}

#[test]
fn a_reader_that_takes_its_time_holds_no_log_back() {
    let fixture = fixture();
    let cx = context();
    let ids = crowd(&fixture.store, &cx);
    let one = open(&fixture.store, &cx, "g1");
    let connection = rusqlite::Connection::open(&fixture.path).expect("opens");
    let begun = Instant::now();
    // A checkpoint copies the whole log, although the pieces were not read yet.
    loop {
        write(&fixture.store, &cx, MembersWrite::Change { remove: vec![id("u0000")], add: Vec::new() });
        write(
            &fixture.store,
            &cx,
            MembersWrite::Change { remove: Vec::new(), add: vec![member("User", "u0000")] },
        );
        let (log, moved): (i64, i64) = connection
            .query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |row| Ok((row.get(1)?, row.get(2)?)))
            .expect("answers");
        if log == moved {
            break;
        }
        assert!(begun.elapsed() < Duration::from_secs(60), "{moved} of {log}");
    }
    assert_eq!(read(one), ids);
}
