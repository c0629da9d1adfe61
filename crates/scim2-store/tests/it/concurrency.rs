//! Concurrent writes: one of them wins, no update is lost, and no other write is affected.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};

use scim2_server::store::{Include, MembersWrite, Outcome};
use scim2_server::{ResourceStore, StoreErrorKind};

use crate::common::{block_on, context, group, id, member, on_each_engine, type_of, user};

on_each_engine!(
    of_equal_user_names_one_wins_and_others_are_created_beside_them,
    of_replacements_of_one_version_one_wins,
    updates_from_the_version_that_was_read_are_one_history,
    members_added_by_many_are_all_there_and_none_conflicts,
    changes_of_members_are_one_history,
);

const THREADS: usize = 64;

/// What each of 64 threads gets, in the order of their numbers.
fn in_threads<T: Send>(work: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let barrier = std::sync::Barrier::new(THREADS);
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS)
            .map(|n| {
                let (barrier, work) = (&barrier, &work);
                scope.spawn(move || {
                    barrier.wait();
                    work(n)
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().expect("no panic")).collect()
    })
}

fn of_equal_user_names_one_wins_and_others_are_created_beside_them(store: &impl ResourceStore) {
    let cx = context();
    let results = in_threads(|n| {
        let name = if n % 2 == 0 { "Ada".to_owned() } else { format!("user{n}") };
        block_on(store.create(&cx, user(&cx, &format!("id{n:02}"), &name)))
    });
    let winners = results.iter().step_by(2).filter(|result| result.is_ok()).count();
    assert_eq!(winners, 1);
    for (n, result) in results.iter().enumerate() {
        match result {
            Ok(_) => {}
            Err(error) => {
                assert_eq!(n % 2, 0, "{error}");
                assert_eq!(*error.kind(), StoreErrorKind::Uniqueness("userName".into()));
            }
        }
    }
    let listed = block_on(store.list(&cx, &type_of(&cx, "User"), None, 100, Include::default()));
    assert_eq!(listed.expect("lists").len(), 1 + THREADS / 2);
}

fn of_replacements_of_one_version_one_wins(store: &impl ResourceStore) {
    let cx = context();
    let first = block_on(store.create(&cx, user(&cx, "u1", "ada"))).expect("creates");
    let results = in_threads(|n| {
        block_on(store.replace(&cx, &first.version, user(&cx, "u1", &format!("ada{n}")))).expect("answers")
    });
    let winners: Vec<_> = results
        .iter()
        .filter_map(|outcome| if let Outcome::Done(resource) = outcome { Some(resource) } else { None })
        .collect();
    assert_eq!(winners.len(), 1);
    for outcome in &results {
        if let Outcome::Conflict(version) = outcome {
            assert_eq!(*version, winners[0].version);
        }
    }
}

/// Each of 64 clients adds one to a number, from what it read and with the version it read, until that is
/// still so. Then there is one order of all that was answered in which every update follows from the
/// one before it, and every read saw the update that was last: nothing is lost and nothing done twice.
fn updates_from_the_version_that_was_read_are_one_history(store: &impl ResourceStore) {
    let cx = context();
    let users = type_of(&cx, "User");
    let counted = |number: usize| {
        let mut write = user(&cx, "u1", "ada");
        write.body.insert("title", number.to_string());
        write
    };
    let first = block_on(store.create(&cx, counted(0))).expect("creates");
    let read = || {
        let stored = block_on(store.retrieve(&cx, &users, "u1", Include::default())).expect("reads");
        let stored = stored.expect("there");
        let body = stored.representation(&cx).expect("readable");
        let number: usize = body.get_str("title").expect("a number").parse().expect("a number");
        (stored.version, number)
    };
    let updates = in_threads(|_| {
        let mut seen = Vec::new();
        loop {
            let (version, number) = read();
            seen.push((version.as_str().to_owned(), number));
            let outcome = block_on(store.replace(&cx, &version, counted(number + 1))).expect("answers");
            match outcome {
                Outcome::Done(stored) => return (seen, number + 1, stored.version.as_str().to_owned()),
                Outcome::Conflict(now) => assert_ne!(now, version, "it conflicts with another"),
                Outcome::NotFound => panic!("it is there"),
            }
        }
    });
    let mut history = vec![first.version.as_str().to_owned(); THREADS + 1];
    let mut written: Vec<usize> = updates.iter().map(|(_, number, _)| *number).collect();
    written.sort_unstable();
    assert_eq!(written, (1..=THREADS).collect::<Vec<_>>(), "each number was written once");
    for (_, number, version) in &updates {
        history[*number].clone_from(version);
    }
    for (seen, _, _) in &updates {
        let numbers: Vec<usize> = seen.iter().map(|(_, number)| *number).collect();
        assert!(numbers.is_sorted(), "time advances: {numbers:?}");
        for (version, number) in seen {
            assert_eq!(*version, history[*number], "a version is one content");
        }
    }
    assert_eq!(read(), (scim2_core::Version::parse(&history[THREADS]).expect("a version"), THREADS));
}

fn members_added_by_many_are_all_there_and_none_conflicts(store: &impl ResourceStore) {
    let cx = context();
    let groups = type_of(&cx, "Group");
    for n in 0..THREADS {
        block_on(store.create(&cx, user(&cx, &format!("u{n:02}"), &format!("user{n}")))).expect("creates");
    }
    block_on(store.create(&cx, group(&cx, "g1", &[]))).expect("creates");
    let write = |members| {
        block_on(store.write_members(&cx, &groups, "g1", None, members, Include::default())).expect("answers")
    };
    let added = in_threads(|n| {
        let add = vec![member("User", &format!("u{n:02}"))];
        write(MembersWrite::Change { remove: Vec::new(), add })
    });
    let mut versions: Vec<_> = added
        .into_iter()
        .map(|outcome| match outcome {
            Outcome::Done(group) => group.version.as_str().to_owned(),
            other => panic!("{other:?}"),
        })
        .collect();
    versions.sort();
    versions.dedup();
    assert_eq!(versions.len(), THREADS, "each write has a version of its own");
    in_threads(|n| {
        let remove = if n % 2 == 0 { vec![id(&format!("u{n:02}"))] } else { Vec::new() };
        write(MembersWrite::Change { remove, add: Vec::new() })
    });
    let include = Include { members: true, ..Include::default() };
    let read = block_on(store.retrieve(&cx, &groups, "g1", include)).expect("reads").expect("there");
    let mut left: Vec<_> =
        read.members.expect("asked for").into_iter().map(|m| m.value.as_str().to_owned()).collect();
    left.sort();
    let odd: Vec<_> = (1..THREADS).step_by(2).map(|n| format!("u{n:02}")).collect();
    assert_eq!(left, odd);
}

/// What a client was answered, and between which moments.
#[derive(Debug, Clone)]
struct Event {
    asked: u64,
    answered: u64,
    version: u64,
    what: What,
}

#[derive(Debug, Clone)]
enum What {
    Added(usize),
    Removed(usize),
    /// The group had another version than was expected, this one.
    Refused,
    Saw(BTreeSet<usize>),
}

impl What {
    /// What it makes of the members; `None` if it changes nothing.
    fn change(&self, members: &BTreeSet<usize>) -> Option<BTreeSet<usize>> {
        let mut members = members.clone();
        let changed = match self {
            Self::Added(member) => members.insert(*member),
            Self::Removed(member) => members.remove(member),
            Self::Refused | Self::Saw(_) => false,
        };
        changed.then_some(members)
    }
}

/// Each of 64 clients adds and removes some of few members, half of them only at the version that they saw
/// last, and looks at the group in between. Then there is one order of all that was answered, that of the
/// versions, in which each version is made by one change of what was there before it, all who were answered
/// it saw just that, and who asked after another was answered comes no earlier.
fn changes_of_members_are_one_history(store: &impl ResourceStore) {
    const MEMBERS: usize = 5;
    const ROUNDS: usize = 6;
    let cx = context();
    let groups = type_of(&cx, "Group");
    for n in 0..MEMBERS {
        block_on(store.create(&cx, user(&cx, &format!("u{n}"), &format!("user{n}")))).expect("creates");
    }
    block_on(store.create(&cx, group(&cx, "g1", &[]))).expect("creates");
    let clock = AtomicU64::new(0);
    let tick = || clock.fetch_add(1, Ordering::SeqCst);
    let number = |version: &scim2_core::Version| -> u64 { version.as_str().parse().expect("a number") };
    let look = || {
        let include = Include { members: true, ..Include::default() };
        let asked = tick();
        let found = block_on(store.retrieve(&cx, &groups, "g1", include)).expect("reads").expect("there");
        let members = found.members.expect("asked for");
        let members = members.iter().map(|member| member.value.as_str()[1..].parse().expect("a number"));
        let what = What::Saw(members.collect());
        let event = Event { asked, answered: tick(), version: number(&found.version), what };
        (event, found.version)
    };
    let events = in_threads(|client| {
        let mut events = Vec::new();
        for round in 0..ROUNDS {
            let (event, version) = look();
            events.push(event);
            let who = (client * 7 + round * 3) % MEMBERS;
            let adds = (client + round) % 2 == 0;
            let one = format!("u{who}");
            let change = if adds {
                MembersWrite::Change { remove: Vec::new(), add: vec![member("User", &one)] }
            } else {
                MembersWrite::Change { remove: vec![id(&one)], add: Vec::new() }
            };
            let expected = (client % 4 < 2).then_some(&version);
            let asked = tick();
            let outcome =
                block_on(store.write_members(&cx, &groups, "g1", expected, change, Include::default()));
            let (version, what) = match outcome.expect("answers") {
                Outcome::Done(stored) => {
                    (stored.version, if adds { What::Added(who) } else { What::Removed(who) })
                }
                Outcome::Conflict(version) => {
                    assert!(expected.is_some(), "changes of members do not conflict");
                    (version, What::Refused)
                }
                Outcome::NotFound => panic!("it is there"),
            };
            events.push(Event { asked, answered: tick(), version: number(&version), what });
        }
        events
    });
    let mut events: Vec<Event> = events.into_iter().flatten().collect();
    events.push(look().0);
    events.sort_by_key(|event| event.version);
    let mut members = BTreeSet::new();
    for at_once in events.chunk_by(|a, b| a.version == b.version) {
        // The group was made with the first version, without members.
        if at_once[0].version > 1 {
            let made: Vec<_> = at_once.iter().filter_map(|event| event.what.change(&members)).collect();
            members = made.first().cloned().unwrap_or_else(|| panic!("nobody made {at_once:?}"));
        }
        for event in at_once {
            assert_eq!(event.what.change(&members), None, "{event:?} of {members:?}");
            if let What::Saw(seen) = &event.what {
                assert_eq!(seen, &members, "{event:?}");
            }
        }
    }
    let versions: BTreeSet<u64> = events.iter().map(|event| event.version).collect();
    assert_eq!(versions.len() as u64, events.last().map_or(0, |last| last.version), "none is left out");
    for event in &events {
        let mut later = events.iter().filter(|other| other.version > event.version);
        let overtaken = later.find(|later| later.answered < event.asked);
        assert!(overtaken.is_none(), "{event:?} was asked after {overtaken:?} was answered");
    }
}
