//! Walks page by page while other clients create and delete.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};

use scim2_filter::{AttrPath, CompiledFilter, Resolver};
use scim2_server::store::{Query, ResourceStore, Start, Target};
use scim2_server::{Context, MemoryStore};

use crate::common::{block_on, context, on_each_engine, type_of, user};

on_each_engine!(walks_lose_and_repeat_nothing_while_others_create_and_delete);

#[test]
fn in_memory() {
    walks_lose_and_repeat_nothing_while_others_create_and_delete(&MemoryStore::new());
}

/// How many Users are there from the beginning to the end.
const STABLE: usize = 120;

pub(crate) fn query(cx: &Context, filter: &str, sort: &str, descending: bool) -> Query {
    let resource_type = type_of(cx, "User");
    let resolver = Resolver::new(&resource_type, scim2_core::Compat::strict());
    let key = |path: &str| {
        let path: AttrPath = path.parse().expect("a path");
        resolver.sort_key(&path).expect("resolves").expect("an attribute").attribute()
    };
    let sort = (!sort.is_empty()).then(|| key(sort));
    let filter = (!filter.is_empty()).then(|| {
        let filter = filter.parse().expect("a filter");
        CompiledFilter::new(&filter, &resource_type, scim2_core::Compat::strict()).expect("compiles")
    });
    Query { descending, ..Query::new(vec![Target { resource_type, filter, sort }], 7) }
}

/// The ids on all pages, from the first to the last or back.
fn walk(store: &impl ResourceStore, cx: &Context, query: &Query, backwards: bool) -> Vec<String> {
    let ask = |start: Start| {
        let query = Query { start, ..query.clone() };
        block_on(store.query(cx, &query)).expect("answers")
    };
    let mut page = if backwards {
        // Behind the last resource there is nothing, before it there is everything.
        let mut page = ask(Start::Index(1));
        while let Some(next) = page.next {
            page = ask(Start::After(next));
        }
        page
    } else {
        ask(Start::Index(1))
    };
    let mut seen = Vec::new();
    loop {
        let ids = page.resources.iter().map(|resource| resource.id.as_str().to_owned());
        if backwards {
            seen.extend(ids.rev())
        } else {
            seen.extend(ids)
        }
        let start = if backwards { page.previous.map(Start::Before) } else { page.next.map(Start::After) };
        match start {
            Some(start) => page = ask(start),
            None => return seen,
        }
    }
}

fn walks_lose_and_repeat_nothing_while_others_create_and_delete(store: &impl ResourceStore) {
    let cx = context();
    for number in 0..STABLE {
        let mut write = user(&cx, &format!("s{number:03}"), &format!("stable{number:03}"));
        if number % 3 > 0 {
            write.body.insert("title", format!("T{}", number % 5));
        }
        block_on(store.create(&cx, write)).expect("creates");
    }
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for churn in 0..2 {
            let (cx, done) = (&cx, &done);
            scope.spawn(move || {
                let type_ = type_of(cx, "User");
                for round in 0.. {
                    if done.load(Ordering::Relaxed) {
                        break;
                    }
                    // Before, between and behind the stable ones, in every order of the walks.
                    for (prefix, place) in [("a", "a"), ("s", "stable"), ("z", "z")] {
                        let number = (round * 37 + churn * 11) % STABLE;
                        let id = format!("{prefix}{number:03}x{churn}");
                        let name = format!("{place}{number:03}x{churn}");
                        block_on(store.create(cx, user(cx, &id, &name))).expect("creates");
                        block_on(store.delete(cx, &type_, &id, None)).expect("deletes");
                    }
                }
            });
        }
        for (filter, sort, descending) in [
            ("", "", false),
            ("", "userName", false),
            ("", "userName", true),
            ("", "title", false),
            ("", "title", true),
            ("", "meta.created", true),
            ("", "id", true),
            // No resource has a value: what is indexed, and what is not.
            ("", "name.familyName", true),
            ("", "nickName", false),
            (r#"userName co "able""#, "userName", true),
        ] {
            for backwards in [false, true] {
                let seen = walk(store, &cx, &query(&cx, filter, sort, descending), backwards);
                let what = format!("`{filter}` by `{sort}`, {descending} {backwards}");
                let once: HashSet<&String> = seen.iter().collect();
                assert_eq!(once.len(), seen.len(), "{what}: repeated");
                for number in 0..STABLE {
                    assert!(once.contains(&format!("s{number:03}")), "{what}: lost s{number:03}");
                }
            }
        }
        done.store(true, Ordering::Relaxed);
    });
}
