//! Many at once: one winner, nothing lost, no neighbour harmed.

use scim2_server::store::{MembersWrite, Outcome, Want};
use scim2_server::{ResourceStore, StoreErrorKind};

use crate::common::{block_on, context, group, id, member, on_each_engine, type_of, user};

on_each_engine!(
    of_equal_user_names_one_wins_and_others_are_created_beside_them,
    of_replacements_of_one_version_one_wins,
    updates_from_the_version_that_was_read_are_one_history,
    members_added_by_many_are_all_there_and_none_conflicts,
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
    let listed = block_on(store.list(&cx, &type_of(&cx, "User"), None, 100, Want::default()));
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
        let stored = block_on(store.retrieve(&cx, &users, "u1", Want::default())).expect("reads");
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
        assert!(numbers.is_sorted(), "time goes on: {numbers:?}");
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
        block_on(store.write_members(&cx, &groups, "g1", None, members, Want::default())).expect("answers")
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
    let want = Want { members: true, ..Want::default() };
    let read = block_on(store.retrieve(&cx, &groups, "g1", want)).expect("reads").expect("there");
    let mut left: Vec<_> =
        read.members.expect("asked for").into_iter().map(|m| m.value.as_str().to_owned()).collect();
    left.sort();
    let odd: Vec<_> = (1..THREADS).step_by(2).map(|n| format!("u{n:02}")).collect();
    assert_eq!(left, odd);
}
