//! Faults of clocks and disks.

use scim2_core::Registry;
use scim2_server::store::{Include, Member, MembersWrite, Outcome, Query, Start};
use scim2_server::{Context, ResourceStore, StoreErrorKind};
use scim2_store::{Admin, OpenErrorKind, SqliteOptions, SqliteStore};

use crate::common::{
    Wait as _, block_on, context, fixture, group, member, on_each_engine, time, type_of, user,
};
use crate::walks::query;

on_each_engine!(
    a_clock_that_goes_back_loses_no_order,
    a_walk_over_which_the_clock_goes_back_loses_and_repeats_nothing,
);

/// The audit log, whose rows follow one another whatever their times are, is checked at the end of each test.
fn a_clock_that_goes_back_loses_no_order(store: &impl ResourceStore) {
    let mut cx = context();
    let add = |cx: &Context, id: &str| {
        let add: Vec<Member> = vec![member("User", id)];
        let members = MembersWrite::Change { remove: Vec::new(), add };
        let include = Include { members: true, ..Include::default() };
        let group = type_of(cx, "Group");
        match block_on(store.write_members(cx, &group, "g1", None, members, include)).expect("writes") {
            Outcome::Done(stored) => stored,
            other => panic!("{other:?}"),
        }
    };
    cx.now = time(1000);
    for (id, name) in [("u1", "ada"), ("u2", "bob"), ("u3", "eve")] {
        block_on(store.create(&cx, user(&cx, id, name))).expect("creates");
    }
    let created = block_on(store.create(&cx, group(&cx, "g1", &["u3"]))).expect("creates");
    cx.now = time(500);
    let second = add(&cx, "u2");
    cx.now = time(-500);
    let third = add(&cx, "u1");

    let versions = [&created.version, &second.version, &third.version];
    let numbers = versions.map(|version| version.as_str().parse::<u64>().expect("a number"));
    assert!(numbers.is_sorted_by(|before, after| before < after), "{versions:?}");
    // A client that asks for changes since time(999) misses nothing.
    assert_eq!((second.last_modified, third.last_modified), (time(1000), time(1000)));
    let members = third.members.expect("asked for");
    let ids: Vec<&str> = members.iter().map(|member| member.value.as_str()).collect();
    assert_eq!(ids, ["u3", "u2", "u1"], "in the order they were added");
    let ada = block_on(store.retrieve(&cx, &type_of(&cx, "User"), "u1", Include::default()));
    let version = ada.expect("answers").expect("there").version;
    let Outcome::Done(renamed) =
        block_on(store.replace(&cx, &version, user(&cx, "u1", "ida"))).expect("writes")
    else {
        panic!("nobody else writes")
    };
    assert_eq!(renamed.last_modified, time(1000));
    // The version that was read at a later time is not older.
    let late = block_on(store.replace(&cx, &version, user(&cx, "u1", "eva"))).expect("answers");
    assert!(matches!(late, Outcome::Conflict(now) if now == renamed.version));
}

fn a_walk_over_which_the_clock_goes_back_loses_and_repeats_nothing(store: &impl ResourceStore) {
    for (round, (sort, descending)) in
        [("", false), ("meta.created", false), ("meta.lastModified", true)].into_iter().enumerate()
    {
        let mut cx = context();
        let stable: Vec<String> = (0..10).map(|number| format!("r{round}s{number}")).collect();
        for (id, second) in stable.iter().zip(0..) {
            cx.now = time(1000 + second % 4);
            block_on(store.create(&cx, user(&cx, id, id))).expect("creates");
        }
        let only_ours = format!("userName sw \"r{round}s\"");
        let mut query = Query { count: 3, ..query(&cx, &only_ours, sort, descending) };
        let mut seen = Vec::new();
        for page in 0.. {
            let found = block_on(store.query(&cx, &query)).expect("answers");
            seen.extend(found.resources.iter().map(|user| user.id.as_str().to_owned()));
            let Some(next) = found.next else { break };
            query.start = Start::After(next);
            cx.now = time(-1000 * page);
            let other = format!("r{round}x{page}");
            block_on(store.create(&cx, user(&cx, &other, &other))).expect("creates");
        }
        seen.sort();
        assert_eq!(seen, stable, "by `{sort}`");
    }
}

#[test]
fn a_page_that_was_written_over_harms_only_who_needs_it() {
    let fixture = fixture();
    let cx = context();
    for number in 0..400 {
        let (id, name) = (format!("u{number}"), format!("n{number}"));
        block_on(fixture.store.create(&cx, user(&cx, &id, &name))).expect("creates");
    }
    fixture.store.close().expect("closes");
    let path = fixture.path.clone();
    let _folder = fixture.close();
    let mut bytes = std::fs::read(&path).expect("reads");
    let page = last_page_with(&bytes, b"\"userName\":\"n399\"");
    bytes[page * 4096..page * 4096 + 4096].fill(0xa5);
    std::fs::write(&path, &bytes).expect("writes");

    let store = SqliteStore::open(&path, SqliteOptions::default()).expect("opens");
    let find = |id: &str| block_on(store.retrieve(&cx, &type_of(&cx, "User"), id, Include::default()));
    let error = find("u399").expect_err("its page is gone");
    assert_eq!(*error.kind(), StoreErrorKind::Internal);
    assert!(!error.to_string().contains("malformed"), "the inside stays inside: {error}");
    assert!(find("u0").expect("its page is there").is_some());
    store.close().expect("closes");
    let report = Admin::open(&path).expect("opens").fsck(&Registry::standard()).wait().expect("checks");
    let said = report.to_string();
    assert!(said.contains("(`resource`)") && said.contains("User u399 cannot be read"), "{said}");
}

/// The number, from 0, of the last page that holds this.
fn last_page_with(bytes: &[u8], text: &[u8]) -> usize {
    let holds = |page: &[u8]| page.windows(text.len()).any(|window| window == text);
    bytes.chunks_exact(4096).rposition(holds).expect("a page")
}

#[test]
fn a_second_server_a_text_and_a_newer_store_are_refused_by_name() {
    let fixture = fixture();
    let open = |path: &std::path::Path| {
        SqliteStore::open(path, SqliteOptions::default()).expect_err("refused").kind()
    };
    assert_eq!(open(&fixture.path), OpenErrorKind::InUse);
    let text = fixture.path.with_file_name("text");
    std::fs::write(&text, "this is not a database, even if the file is as long as one".repeat(100))
        .expect("writes");
    assert_eq!(open(&text), OpenErrorKind::NotOurs);
    let newer = fixture.path.with_file_name("newer.db");
    Admin::create(&newer).expect("makes");
    rusqlite::Connection::open(&newer)
        .and_then(|connection| connection.pragma_update(None, "user_version", 1000))
        .expect("writes");
    assert_eq!(open(&newer), OpenErrorKind::Newer);
}
