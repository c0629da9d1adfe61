//! Filters, sorts and pages: this store answers what the model in memory answers.

use std::time::Duration;

use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use scim2_core::work::WorkBudget;
use scim2_core::{Compat, Object, Registry, ResourceId};
use scim2_filter::{FilterParser, Resolver};
use scim2_server::store::{Include, Query, QueryPage, Start, Target, Write};
use scim2_server::{Context, MemoryStore, ResourceStore, StoreErrorKind, TenantId};
use scim2_testkit::strategies::{self, Page, Sort};

use crate::common::{block_on, context, group, id, member, on_each_engine, time, type_of, user, write};

on_each_engine!(
    each_kind_of_plan_answers_as_the_model_does,
    a_jump_to_any_place_answers_as_the_model_does,
    a_query_looks_at_no_more_than_it_may,
    a_query_beyond_its_time_is_refused,
    a_scan_spends_from_the_budget_of_the_request,
    conditions_on_one_element_answer_as_the_model_does,
    a_filter_of_a_thousand_terms_is_answered,
    a_tenant_finds_only_its_own,
    a_value_path_on_a_sub_attribute_answers_as_the_model_does,
);

/// One generated query.
#[derive(Debug, Clone)]
struct Asked {
    filter: Option<String>,
    sort: Option<Sort>,
    page: Page,
}

/// The query on these types; `None` if the filter or the sort is refused for one of them.
fn query(cx: &Context, types: &[&str], asked: &Asked) -> Option<Query> {
    let mut targets = Vec::new();
    for name in types {
        let resource_type = type_of(cx, name);
        let resolver = Resolver::new(&resource_type, Compat::default());
        let resolver = if types.len() > 1 { resolver.unknown_is_absent() } else { resolver };
        let filter = match &asked.filter {
            None => None,
            Some(text) => {
                let parser = FilterParser::new().max_length(1 << 20);
                let filter = parser.parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
                Some(resolver.filter(&filter).ok()?)
            }
        };
        let sort = match &asked.sort {
            None => None,
            Some(sort) => {
                let key = resolver.sort_key(&sort.by.parse().expect("a path")).ok()?;
                key.map(|key| key.attribute())
            }
        };
        targets.push(Target { resource_type, filter, sort });
    }
    Some(Query {
        descending: asked.sort.as_ref().is_some_and(|sort| sort.descending),
        start: Start::Index(asked.page.start_index.max(1).unsigned_abs()),
        include: Include { members: true, groups: true, never_returned: false },
        ..Query::new(targets, asked.page.count.unwrap_or(100).max(0).unsigned_abs())
    })
}

fn ids(page: &QueryPage) -> (u64, Vec<&str>) {
    (page.total, page.resources.iter().map(|resource| resource.id.as_str()).collect())
}

/// Asks both and compares, also what each resource looks like.
#[track_caller]
fn compare(store: &impl ResourceStore, memory: &MemoryStore, cx: &Context, types: &[&str], asked: &Asked) {
    // Versions are opaque, and each store has its own.
    if format!("{asked:?}").to_lowercase().contains("meta.version") {
        return;
    }
    let Some(query) = query(cx, types, asked) else { return };
    let ours = block_on(store.query(cx, &query)).unwrap_or_else(|error| panic!("{asked:?}: {error:?}"));
    let model = block_on(memory.query(cx, &query)).expect("the model answers");
    assert_eq!(ids(&ours), ids(&model), "{types:?} {asked:?}");
    assert_eq!((&ours.previous, &ours.next), (&model.previous, &model.next), "{types:?} {asked:?}");
    for start in [model.next.clone().map(Start::After), model.previous.clone().map(Start::Before)] {
        let Some(start) = start else { continue };
        let query = Query { start, ..query.clone() };
        let ours = block_on(store.query(cx, &query)).unwrap_or_else(|error| panic!("{query:?}: {error:?}"));
        let model = block_on(memory.query(cx, &query)).expect("the model answers");
        assert_eq!(ids(&ours), ids(&model), "{types:?} {query:?}");
        assert_eq!((&ours.previous, &ours.next), (&model.previous, &model.next), "{types:?} {query:?}");
    }
    for (our, its) in ours.resources.iter().zip(&model.resources) {
        let mut our = our.representation(cx).expect("readable");
        let mut its = its.representation(cx).expect("readable");
        for object in [&mut our, &mut its] {
            // Opaque, and each store has its own.
            if let Some(meta) = object.get_mut("meta").and_then(|meta| meta.as_object_mut()) {
                meta.remove("version");
            }
        }
        assert_eq!(our, its, "{types:?} {asked:?}");
    }
}

async fn create(store: &impl ResourceStore, memory: &MemoryStore, cx: &Context, write: Write) {
    memory.create(cx, write.clone()).await.expect("the model creates");
    store.create(cx, write).await.expect("creates");
}

fn asked(type_name: &'static str) -> impl Strategy<Value = Asked> {
    let cx = context();
    let resource_type = type_of(&cx, type_name);
    (
        prop::option::weighted(0.9, strategies::filter(&resource_type)),
        prop::option::of(strategies::sort(&resource_type)),
        strategies::page(),
    )
        .prop_map(|(filter, sort, page)| Asked { filter, sort, page })
}

fn bodies(type_name: &'static str) -> impl Strategy<Value = Vec<Object>> {
    strategies::resources(&type_of(&context(), type_name), 10)
}

#[test]
fn the_store_answers_every_generated_query_as_the_model_does() {
    every_generated_query_is_answered_as_the_model_does(&crate::common::fixture().store);
}

#[cfg(feature = "postgres")]
#[test]
fn the_store_on_postgres_answers_every_generated_query_as_the_model_does() {
    if let Some(fixture) = crate::common::postgres::fixture() {
        every_generated_query_is_answered_as_the_model_does(&fixture.store);
    }
}

fn every_generated_query_is_answered_as_the_model_does(store: &impl ResourceStore) {
    let memory = MemoryStore::new();
    let mut runner =
        TestRunner::new(ProptestConfig { cases: 128, failure_persistence: None, ..Default::default() });
    let case = std::cell::Cell::new(0);
    let strategy = (
        bodies("User"),
        bodies("Group"),
        prop::collection::vec(asked("User"), 1..12),
        prop::collection::vec(asked("Group"), 1..6),
    );
    let result = runner.run(&strategy, |(users, groups, of_users, of_groups)| {
        case.set(case.get() + 1);
        let tenant = TenantId::parse(&format!("case{}", case.get())).expect("a name");
        let mut cx = Context { tenant, ..context() };
        block_on(async {
            for (type_name, letter, bodies) in [("User", "u", &users), ("Group", "g", &groups)] {
                for (n, body) in bodies.iter().enumerate() {
                    cx.now = time(n as i64 * 7);
                    // Not in the order they are created in.
                    let name = format!("{letter}{}", (n * 7) % 10);
                    let mut body = body.clone();
                    body.insert("id", name.as_str());
                    let base = write(&cx, type_name, &name, "{}");
                    create(store, &memory, &cx, Write { body, ..base }).await;
                }
            }
        });
        for asked in &of_users {
            compare(store, &memory, &cx, &["User"], asked);
            compare(store, &memory, &cx, &["User", "Group"], asked);
        }
        for asked in &of_groups {
            compare(store, &memory, &cx, &["Group"], asked);
        }
        Ok(())
    });
    result.unwrap_or_else(|error| panic!("{error}"));
}

/// Users u0 to u199 and groups: more than are looked at at once.
async fn populate(store: &impl ResourceStore, memory: &MemoryStore, cx: &mut Context) {
    for n in 0..200_usize {
        cx.now = time(n as i64);
        let name = format!("u{n:03}");
        let mut write = user(cx, &name, &format!("{}{n}", ["ada", "Bob", "çelik", "x"][n % 4]));
        write.body.insert("active", n % 3 != 0);
        write.body.insert("externalId", format!("e{}", n / 50));
        // Each of more than are looked at at once.
        let mut full_name = Object::new();
        full_name.insert("familyName", format!("F{}", n / 100));
        full_name.insert("givenName", format!("G{}", n % 2));
        write.body.insert("name", full_name);
        if n % 50 == 7 {
            // Too long for the index.
            write.body.insert("displayName", "long ".repeat(100 + n));
        }
        create(store, memory, cx, write).await;
    }
    create(store, memory, cx, group(cx, "g1", &["u001", "u002", "u003"])).await;
    let mut outer = group(cx, "g2", &["u150"]);
    outer.members =
        scim2_server::store::MembersWrite::Set(vec![member("Group", "g1"), member("User", "u150")]);
    create(store, memory, cx, outer).await;
}

fn each_kind_of_plan_answers_as_the_model_does(store: &impl ResourceStore) {
    let memory = MemoryStore::new();
    let mut cx = context();
    block_on(populate(store, &memory, &mut cx));
    let filters = [
        "userName eq \"ADA0\"",
        "userName eq \"nobody\"",
        "id eq \"u007\"",
        "id gt \"u190\"",
        "externalId eq \"e1\"",
        "externalId eq \"E1\"",
        "externalId eq \"e1\" and active eq true",
        "externalId eq \"e1\" and userName co \"a\"",
        "externalId eq \"e1\" or externalId eq \"e3\"",
        "externalId eq \"e1\" or userName eq \"ada0\" or externalId eq \"e3\" or externalId eq \"e1\"",
        "emails.value eq \"ada0@example.com\" or emails.value eq \"ada9@example.com\" or title pr",
        "(externalId eq \"e1\" or externalId eq \"e3\") and not (userName eq \"ada0\" or userName eq \"ada1\")",
        "externalId eq \"e1\" or title pr",
        "not (externalId eq \"e1\")",
        "not (externalId eq \"e1\" and nickName eq \"x\")",
        "externalId ne \"e1\" and active ne false",
        "name.familyName eq \"f1\" and name.givenName eq \"g0\"",
        "name.familyName eq \"f1\" and name.givenName eq \"g0\" and active eq true",
        "name.givenName eq \"g1\" and (name.familyName eq \"f0\" or externalId eq \"e3\")",
        "name.givenName eq \"g1\" and externalId eq \"e1\"",
        "name.givenName eq \"g1\" and userName sw \"ada1\"",
        "name.givenName eq \"g1\" and name.familyName eq \"f1\" and meta.created gt \"2023-11-14T22:16:00Z\"",
        "name.givenName eq \"g1\" and name.familyName eq \"f1\" and id gt \"u150\"",
        "name.givenName eq \"g0\" and groups.value eq \"g2\"",
        "name.givenName eq \"g1\" and name.familyName eq \"f1\" and title ne \"x\"",
        "name.givenName eq \"g1\" and not (name.familyName eq \"f1\")",
        "name.givenName eq \"g0\" and emails[type eq \"work\" and value sw \"ada\"]",
        "name.givenName eq \"g0\" and name.givenName eq \"g1\"",
        "userName sw \"ç\"",
        "userName sw \"AD\"",
        "userName ew \"9\"",
        "userName co \"\"",
        "userName gt \"bob\" and userName le \"x3\"",
        "displayName co \"long\"",
        "displayName ew \" \"",
        "displayName sw \"d a\" or displayName gt \"zzz\"",
        "displayName pr and not (displayName co \"LONG\")",
        "active eq true",
        "active pr",
        "emails[type eq \"work\" and value ew \"9@example.com\"]",
        "emails[type eq \"WORK\" and value eq \"ada0@example.com\"]",
        "emails[type eq \"home\" and value eq \"ada0@example.com\"]",
        "emails[value eq \"ada0@example.com\" and display pr]",
        "emails[type ne \"work\"]",
        "emails.value ne \"ada0@example.com\"",
        "emails co \"ada1\"",
        "groups.value eq \"g1\"",
        "groups.value eq \"g2\"",
        "groups[value eq \"g2\" and type eq \"indirect\"]",
        "groups pr",
        "meta.created gt \"2023-11-14T22:14:00Z\"",
        "meta.created eq \"2023-11-14T22:14:00.0001Z\"",
        "meta.lastModified le \"2023-11-14T23:14:30.000+01:00\"",
        "meta.resourceType eq \"User\" and userName sw \"x\"",
        "schemas eq \"urn:ietf:params:scim:schemas:core:2.0:User\"",
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department eq \"x\"",
    ];
    let sorts = [
        None,
        Some("userName"),
        Some("externalId"),
        Some("displayName"),
        Some("emails.value"),
        Some("id"),
        Some("meta.created"),
        Some("title"),
    ];
    // Every filter with every sort; the windows and directions go round.
    let windows = [(1, Some(5)), (48, Some(9)), (190, None), (1, Some(0)), (1000, None)];
    let mut round = windows.iter().cycle().zip([false, true, true].iter().cycle());
    for filter in filters.iter().map(|filter| Some(*filter)).chain([None]) {
        for by in sorts {
            let Some(((start_index, count), descending)) = round.next() else { continue };
            let asked = Asked {
                filter: filter.map(str::to_owned),
                sort: by.map(|by| Sort { by: by.to_owned(), descending: *descending }),
                page: Page { start_index: *start_index, count: *count },
            };
            compare(store, &memory, &cx, &["User"], &asked);
        }
    }
    for filter in [
        "members.value eq \"u002\"",
        "members eq \"g1\"",
        "members[value eq \"u150\"]",
        "members[value eq \"u150\" and type eq \"Group\"]",
        "not (members.value eq \"u002\")",
        "members pr",
        "displayName sw \"G g\" and members.value eq \"g1\"",
    ] {
        let asked =
            Asked { filter: Some(filter.to_owned()), sort: None, page: Page { start_index: 1, count: None } };
        compare(store, &memory, &cx, &["Group"], &asked);
        compare(store, &memory, &cx, &["User", "Group"], &asked);
    }
}

fn a_jump_to_any_place_answers_as_the_model_does(store: &impl ResourceStore) {
    let memory = MemoryStore::new();
    let mut cx = context();
    block_on(populate(store, &memory, &mut cx));
    // Some without a value to sort by, and places that nobody is at any more.
    block_on(async {
        for n in (0..180).step_by(3) {
            cx.now = time(1000 + n);
            let mut write = user(&cx, &format!("v{n:03}"), &format!("v{:03}", (n * 7) % 180));
            if n % 2 == 0 {
                write.body.insert("displayName", format!("D{}", n % 11));
            }
            create(store, &memory, &cx, write).await;
        }
        for n in [0, 7, 100, 199] {
            let (id, type_) = (format!("u{n:03}"), type_of(&cx, "User"));
            memory.delete(&cx, &type_, &id, None).await.expect("the model deletes");
            store.delete(&cx, &type_, &id, None).await.expect("deletes");
        }
    });
    let filters = [None, Some("active eq true")];
    let sorts = [None, Some("id"), Some("userName"), Some("externalId"), Some("meta.created")];
    for (filter, by) in filters.iter().flat_map(|filter| sorts.iter().map(move |by| (*filter, *by))) {
        for descending in [false, true] {
            let ask = |start_index: i64, count| {
                let asked = Asked {
                    filter: filter.map(str::to_owned),
                    sort: by.map(|by| Sort { by: by.to_owned(), descending }),
                    page: Page { start_index, count: Some(count) },
                };
                compare(store, &memory, &cx, &["User"], &asked);
                // A page that has no room for all begins where it should.
                let cut = Query { max_bytes: Some(1200), ..query(&cx, &["User"], &asked).expect("resolves") };
                let ours = block_on(store.query(&cx, &cut)).expect("answers");
                let model = block_on(memory.query(&cx, &Query { max_bytes: None, ..cut })).expect("answers");
                let (total, expected) = ids(&model);
                let (ours_total, ours) = ids(&ours);
                assert_eq!(ours_total, total, "{asked:?}");
                assert_eq!(ours.is_empty(), expected.is_empty(), "{asked:?}");
                assert!(expected.starts_with(&ours), "{asked:?}: {ours:?} of {expected:?}");
                total
            };
            let total = i64::try_from(ask(1, 3)).expect("few");
            let places = [total / 2 - 2, total / 2 + 1, total - 9, total - 4, total, total + 1, total + 100];
            for start_index in places {
                for count in [0, 5] {
                    ask(start_index, count);
                }
            }
        }
    }
}

fn a_query_looks_at_no_more_than_it_may(store: &impl ResourceStore) {
    let memory = MemoryStore::new();
    let mut cx = context();
    block_on(populate(store, &memory, &mut cx));
    let ask = |filter: &str, limit| {
        let asked =
            Asked { filter: Some(filter.to_owned()), sort: None, page: Page { start_index: 1, count: None } };
        let query = query(&cx, &["User"], &asked).expect("resolves");
        block_on(store.query(&cx, &Query { scan_limit: Some(limit), ..query }))
    };
    assert_eq!(ask("userName eq \"ada0\"", 1).expect("by the index").total, 1);
    assert_eq!(ask("title eq \"none\"", 200).expect("at the bound").total, 0);
    let error = ask("title eq \"none\"", 199).expect_err("past the bound");
    assert_eq!(*error.kind(), StoreErrorKind::TooMany);
    let error = ask("active eq true", 20).expect_err("too many match");
    assert_eq!(*error.kind(), StoreErrorKind::TooMany);
    // Resources of several types are counted together, in memory too.
    for filter in [None, Some("meta.created pr".to_owned())] {
        let asked = Asked { filter, sort: None, page: Page { start_index: 1, count: None } };
        let both = query(&cx, &["User", "Group"], &asked).expect("resolves");
        let all = block_on(store.query(&cx, &both)).expect("answers").total;
        let limited = |limit| Query { scan_limit: Some(limit), ..both.clone() };
        for limit in [all, all - 1, 200, 1] {
            let answers =
                [block_on(store.query(&cx, &limited(limit))), block_on(memory.query(&cx, &limited(limit)))];
            for answer in answers {
                match answer {
                    Ok(page) => assert_eq!((page.total, limit), (all, all)),
                    Err(error) => assert_eq!((error.kind(), limit < all), (&StoreErrorKind::TooMany, true)),
                }
            }
        }
    }
}

fn a_query_beyond_its_time_is_refused(store: &impl ResourceStore) {
    let memory = MemoryStore::new();
    let mut cx = context();
    block_on(populate(store, &memory, &mut cx));
    let ask = |filter: &str, sort: Option<&str>, time_limit| {
        let asked = Asked {
            filter: Some(filter.to_owned()),
            sort: sort.map(|by| Sort { by: by.to_owned(), descending: false }),
            page: Page { start_index: 1, count: None },
        };
        let query = query(&cx, &["User"], &asked).expect("resolves");
        block_on(store.query(&cx, &Query { time_limit: Some(time_limit), ..query }))
    };
    // Evaluated, sorted by what is not indexed, counted and paged.
    for (filter, sort) in [
        ("title eq \"none\"", None),
        ("userName pr", Some("nickName")),
        ("userName co \"a\" or name.familyName sw \"F\"", Some("userName")),
    ] {
        let error = ask(filter, sort, Duration::ZERO).expect_err("no time");
        assert_eq!(*error.kind(), StoreErrorKind::TooMany, "{filter} {sort:?}: {error}");
        ask(filter, sort, Duration::from_secs(3600)).expect("time enough");
    }
}

fn a_scan_spends_from_the_budget_of_the_request(store: &impl ResourceStore) {
    let memory = MemoryStore::new();
    let mut cx = context();
    block_on(populate(store, &memory, &mut cx));
    let asked = Asked {
        filter: Some("title eq \"none\" or nickName co \"x\"".to_owned()),
        sort: None,
        page: Page { start_index: 1, count: None },
    };
    let query = query(&cx, &["User"], &asked).expect("resolves");
    cx.work = WorkBudget::new(1 << 30);
    block_on(store.query(&cx, &query)).expect("work enough");
    let spent = cx.work.spent();
    assert!(spent > 200, "each of 200 users is looked at: {spent}");
    cx.work = WorkBudget::new(spent / 2);
    let error = block_on(store.query(&cx, &query)).expect_err("too much work");
    assert_eq!(*error.kind(), StoreErrorKind::TooMany);
}

fn conditions_on_one_element_answer_as_the_model_does(store: &impl ResourceStore) {
    let memory = MemoryStore::new();
    let cx = context();
    for n in 0..100_usize {
        let name = format!("u{n:03}");
        let mut write = user(&cx, &name, &name);
        let long = if n % 9 == 0 { "x".repeat(300) } else { String::new() };
        let emails = format!(
            r#"[{{"value":"a{}{long}@example.com","type":"work"}},{{"value":"b{n}@example.org","type":"home"}}]"#,
            n % 4
        );
        write.body.insert("emails", serde_json::from_str::<scim2_core::Value>(&emails).expect("JSON"));
        block_on(create(store, &memory, &cx, write));
    }
    for filter in [
        r#"emails[value eq "a1@example.com" and value ew "com" and value co "example"]"#,
        r#"emails[value eq "a1@example.com" and value ew "org"]"#,
        r#"emails[value eq "a1@example.com" and value eq "b1@example.org"]"#,
        r#"emails[value eq "b1@example.org" and type sw "h" and type ew "e"]"#,
        r#"emails[value eq "b1@example.org" and type sw "w"]"#,
        r#"emails[value sw "b" and value ew "org" and type sw "h" and type co "om"]"#,
        r#"emails[value sw "a" and type ew "me"]"#,
        r#"emails[type eq "work" and value ew "com" and value co "a2" and value gt "a"]"#,
        r#"emails[type pr and value pr and value co "xxx"]"#,
        r#"emails[value ew "com" and type ew "k" and value co "xxx" and not (type eq "home")]"#,
        r#"emails[value eq "b1@example.org" and type sw "h"] and userName sw "u""#,
        r#"not (emails[value sw "b" and value ew "9@example.org"])"#,
    ] {
        let asked = Asked {
            filter: Some(filter.to_owned()),
            sort: None,
            page: Page { start_index: 1, count: Some(30) },
        };
        compare(store, &memory, &cx, &["User"], &asked);
    }
}

fn a_filter_of_a_thousand_terms_is_answered(store: &impl ResourceStore) {
    let cx = context();
    block_on(store.create(&cx, user(&cx, "u1", "n700"))).expect("creates");
    let paths = ["userName", "externalId", "emails.value", "groups.value", "groups", "id"];
    let ops = ["eq", "ne", "co"];
    let all = paths.iter().flat_map(|path| ops.iter().map(move |op| (path, op)));
    for (path, op) in all {
        for word in [" or ", " and "] {
            let terms: Vec<_> = (0..1000).map(|n| format!("{path} {op} \"n{n}\"")).collect();
            let asked = Asked {
                filter: Some(terms.join(word)),
                sort: None,
                page: Page { start_index: 1, count: None },
            };
            let query = query(&cx, &["User"], &asked).expect("resolves");
            let matches =
                query.targets[0].filter.as_ref().expect("there").matches(&user(&cx, "u1", "n700").body);
            let page = block_on(store.query(&cx, &query)).expect("answers");
            assert_eq!(page.total, u64::from(matches), "{path} {op}{word}");
        }
    }
}

fn a_tenant_finds_only_its_own(store: &impl ResourceStore) {
    let cx = context();
    let other = Context { tenant: TenantId::parse("other").expect("a name"), ..cx.clone() };
    let theirs: ResourceId = id("theirs");
    block_on(store.create(&other, user(&other, theirs.as_str(), "ada"))).expect("creates");
    for filter in [
        None,
        Some("userName eq \"ada\""),
        Some("not (userName eq \"bob\")"),
        Some("title eq null"),
        Some("id eq \"theirs\""),
    ] {
        let asked = Asked {
            filter: filter.map(str::to_owned),
            sort: None,
            page: Page { start_index: 1, count: None },
        };
        let query = query(&cx, &["User"], &asked).expect("resolves");
        assert_eq!(block_on(store.query(&cx, &query)).expect("answers").total, 0, "{filter:?}");
        assert_eq!(block_on(store.query(&other, &query)).expect("answers").total, 1, "{filter:?}");
    }
}

/// The index rows of a multi-valued sub-attribute count the elements of its parent, not its own values. A
/// unique attribute is always indexed.
fn a_value_path_on_a_sub_attribute_answers_as_the_model_does(store: &impl ResourceStore) {
    let schema = r#"{"id":"urn:example:2.0:Org","attributes":[
        {"name":"org","type":"complex","subAttributes":[{"name":"floors","multiValued":true,"uniqueness":"server"}]},
        {"name":"grants","type":"complex","multiValued":true,"subAttributes":[
            {"name":"scopes","multiValued":true,"uniqueness":"server"},{"name":"notes","multiValued":true}]}]}"#;
    let org = r#"{"name":"Org","endpoint":"/Orgs","schema":"urn:example:2.0:Org"}"#;
    let (mut schemas, mut types) = Registry::standard_documents(&Compat::default());
    schemas.push(serde_json::from_str(schema).expect("a schema"));
    types.push(serde_json::from_str(org).expect("a resource type"));
    let registry = Registry::with(schemas, types).expect("compiles");
    let cx = Context { registry: std::sync::Arc::new(registry), ..context() };
    let memory = MemoryStore::new();
    let bodies = [
        r#"{"org":{"floors":["1","2a"]},"grants":[{"scopes":["ab","cd"],"notes":["x"]},{"scopes":["ad"]}]}"#,
        r#"{"org":{"floors":["1a"]},"grants":[{"scopes":["a","d"]}]}"#,
        r#"{"org":{"floors":["3"]},"grants":[{"notes":["x","y"]}]}"#,
        "{}",
    ];
    for (n, body) in bodies.iter().enumerate() {
        block_on(create(store, &memory, &cx, write(&cx, "Org", &format!("o{n}"), body)));
    }
    let found = |filter: &str| {
        let asked =
            Asked { filter: Some(filter.to_owned()), sort: None, page: Page { start_index: 1, count: None } };
        compare(store, &memory, &cx, &["Org"], &asked);
        let query = query(&cx, &["Org"], &asked).unwrap_or_else(|| panic!("{filter} is refused"));
        let page = block_on(store.query(&cx, &query)).expect("answers");
        page.resources.iter().map(|resource| resource.id.as_str().to_owned()).collect::<Vec<_>>().join(" ")
    };
    for (filter, expected) in [
        (r#"org.floors[value eq "1"]"#, "o0"),
        (r#"org.floors[value sw "1" and value ew "a"]"#, "o1"),
        (r#"not (org.floors[value sw "1" and value ew "a"])"#, "o0 o2 o3"),
        (r#"grants.scopes[value sw "a" and value ew "d"]"#, "o0"),
        (r#"grants.scopes[value eq "a" and value eq "d"]"#, ""),
        (r#"grants.scopes[value eq "a" or value eq "cd"]"#, "o0 o1"),
        (r#"grants.scopes[value ne "a"]"#, "o0 o1"),
        (r#"not (grants.scopes[value pr])"#, "o2 o3"),
        (r#"grants.notes[value eq "x"] and org.floors[value pr]"#, "o0 o2"),
    ] {
        assert_eq!(found(filter), expected, "{filter}");
    }
    let org = type_of(&cx, "Org");
    for n in 0..bodies.len() {
        block_on(store.delete(&cx, &org, &format!("o{n}"), None)).expect("deletes");
    }
}
