//! Checks of filters, order and pages.

use std::sync::Arc;

use scim2_core::Compat;
use scim2_filter::{AttrPath, Filter, Resolver};

use super::{Bench, Check, MEMBERS, member, same, store_error};
use crate::context::Context;
use crate::store::{MembersWrite, Query, QueryPage, ResourceStore, Start, StoreErrorKind, Target};

/// Users `u1` to `u5` and the group `g1`, in which `u1` is.
async fn set_up<S: ResourceStore>(bench: &Bench<S>) -> Check {
    let users = [
        ("u3", "carol", r#","title":"b","active":true"#),
        (
            "u1",
            "Ada",
            r#","title":"C","active":true,"emails":[{"value":"z@example.com"},{"value":"a@example.com","primary":true}]"#,
        ),
        ("u5", "eve", r#","active":false"#),
        ("u2", "bob", r#","title":"ä","emails":[{"value":"m@example.com","type":"work"}]"#),
        ("u4", "dan", r#","title":"B""#),
    ];
    for (id, name, attributes) in users {
        bench.create(bench.user(id, name, attributes)?).await?;
    }
    bench.create(bench.group("g1", "Group 1")?).await?;
    bench.change_members("g1", MembersWrite::Set(vec![member("u1", "User")?])).await?;
    Ok(())
}

/// The query of a check, over Users by default.
struct Ask<'a> {
    types: &'a [&'a str],
    filter: &'a str,
    sort: &'a str,
    descending: bool,
    start_index: u64,
    count: u64,
}

const ALL: Ask<'static> =
    Ask { types: &["User"], filter: "", sort: "", descending: false, start_index: 1, count: 100 };

async fn ask<S: ResourceStore>(bench: &Bench<S>, ask: Ask<'_>) -> Result<(u64, String), String> {
    ask_as(bench, &bench.cx(), ask).await
}

/// How many match, and the ids of the page.
async fn ask_as<S: ResourceStore>(
    bench: &Bench<S>,
    cx: &Context,
    ask: Ask<'_>,
) -> Result<(u64, String), String> {
    let query = query(bench, ask)?;
    let page = bench.store.query(cx, &query).await.map_err(store_error)?;
    let ids: Vec<&str> = page.resources.iter().map(|stored| stored.id.as_str()).collect();
    Ok((page.total, ids.join(" ")))
}

fn query<S: ResourceStore>(bench: &Bench<S>, ask: Ask<'_>) -> Result<Query, String> {
    let Ask { types, filter, sort, descending, start_index, count } = ask;
    let mut targets = Vec::new();
    for name in types {
        let resource_type = Arc::clone(bench.type_(name)?);
        let resolver = Resolver::new(&resource_type, Compat::strict()).unknown_is_absent();
        let filter = match filter {
            "" => None,
            filter => {
                let filter: Filter = filter.parse().map_err(|error| format!("{error}"))?;
                Some(resolver.filter(&filter).map_err(|error| error.to_string())?)
            }
        };
        let sort = match sort {
            "" => None,
            path => {
                let path: AttrPath = path.parse().map_err(|error| format!("{error}"))?;
                let key = resolver.sort_key(&path).map_err(|error| error.to_string())?;
                key.map(|key| key.attribute())
            }
        };
        targets.push(Target { resource_type, filter, sort });
    }
    let start = Start::Index(start_index);
    Ok(Query { descending, start, ..Query::new(targets, count) })
}

fn page(total: u64, ids: &str) -> (u64, String) {
    (total, ids.to_owned())
}

pub(super) async fn a_query_pages_in_order_of_id<S: ResourceStore>(bench: &Bench<S>) -> Check {
    set_up(bench).await?;
    same("all users", ask(bench, ALL).await?, page(5, "u1 u2 u3 u4 u5"))?;
    same("the first page", ask(bench, Ask { count: 2, ..ALL }).await?, page(5, "u1 u2"))?;
    let second = Ask { start_index: 3, count: 2, ..ALL };
    same("the second page", ask(bench, second).await?, page(5, "u3 u4"))?;
    let last = Ask { start_index: 5, count: 2, ..ALL };
    same("the last page", ask(bench, last).await?, page(5, "u5"))?;
    let beyond = Ask { start_index: 6, ..ALL };
    same("a page beyond the end", ask(bench, beyond).await?, page(5, ""))?;
    let far = Ask { start_index: u64::MAX, count: u64::MAX, ..ALL };
    same("a page far beyond the end", ask(bench, far).await?, page(5, ""))
}

pub(super) async fn a_query_counts_without_a_page<S: ResourceStore>(bench: &Bench<S>) -> Check {
    set_up(bench).await?;
    same("the total", ask(bench, Ask { count: 0, ..ALL }).await?, page(5, ""))?;
    let filtered = Ask { count: 0, filter: "active eq true", ..ALL };
    same("the total of a filter", ask(bench, filtered).await?, page(2, ""))
}

pub(super) async fn a_query_filters<S: ResourceStore>(bench: &Bench<S>) -> Check {
    set_up(bench).await?;
    for (filter, expected) in [
        (r#"userName eq "ADA""#, "u1"),
        (r#"id eq "u2""#, "u2"),
        (r#"id eq "U2""#, ""),
        (r#"userName sw "e""#, "u5"),
        (r#"userName co "a""#, "u1 u3 u4"),
        (r#"userName ew "b" or active eq false"#, "u2 u5"),
        ("title pr", "u1 u2 u3 u4"),
        ("not (title pr)", "u5"),
        (r#"title ge "b" and not (userName eq "bob")"#, "u1 u3 u4"),
        (r#"title ne "b""#, "u1 u2 u5"),
        (r#"emails eq "m@example.com""#, "u2"),
        (r#"emails[type eq "work" and value sw "m"]"#, "u2"),
        (r#"emails[primary eq true and value sw "z"]"#, ""),
        (r#"emails.value sw "z" and emails.value sw "a""#, "u1"),
        ("active eq null", "u2 u4"),
    ] {
        let count = expected.split_whitespace().count() as u64;
        same(filter, ask(bench, Ask { filter, ..ALL }).await?, page(count, expected))?;
    }
    let paged = Ask { filter: "title pr", start_index: 2, count: 2, ..ALL };
    same("a page of a filter", ask(bench, paged).await?, page(4, "u2 u3"))
}

pub(super) async fn a_query_filters_by_what_is_computed<S: ResourceStore>(bench: &Bench<S>) -> Check {
    set_up(bench).await?;
    let groups = Ask { types: &["Group"], ..ALL };
    for filter in [
        r#"members eq "u1""#,
        r#"members.value eq "u1""#,
        r#"members[value eq "u1" and type eq "User"]"#,
        r#"id eq "g1" and members eq "u1""#,
        r#"members.$ref ew "/Users/u1""#,
        "members pr",
    ] {
        same(filter, ask(bench, Ask { filter, ..groups }).await?, page(1, "g1"))?;
    }
    let filter = r#"members eq "u2""#;
    same(filter, ask(bench, Ask { filter, ..groups }).await?, page(0, ""))?;
    for (filter, expected) in [
        (r#"groups.value eq "g1""#, page(1, "u1")),
        (r#"meta.resourceType eq "User" and userName eq "bob""#, page(1, "u2")),
        (r#"meta.created ge "2026-01-01T00:00:00Z""#, page(5, "u1 u2 u3 u4 u5")),
        (r#"meta.lastModified gt "2026-01-01T00:00:00Z""#, page(0, "")),
        (r#"meta.location ew "/Users/u3""#, page(1, "u3")),
        (r#"schemas eq "urn:ietf:params:scim:schemas:core:2.0:User" and title eq "ä""#, page(1, "u2")),
    ] {
        same(filter, ask(bench, Ask { filter, ..ALL }).await?, expected)?;
    }
    let stored = bench.retrieve("Group", "g1", MEMBERS).await?;
    same("the members", stored.members.map(|members| members.len()), Some(1))
}

pub(super) async fn a_query_sorts_with_missing_values_at_the_end<S: ResourceStore>(
    bench: &Bench<S>,
) -> Check {
    set_up(bench).await?;
    // `title` ignores case: u3 and u4 have the same one and are in order of their ids.
    same("sorted by title", ask(bench, Ask { sort: "title", ..ALL }).await?, page(5, "u3 u4 u1 u2 u5"))?;
    same(
        "sorted by user name",
        ask(bench, Ask { sort: "userName", ..ALL }).await?,
        page(5, "u1 u2 u3 u4 u5"),
    )?;
    same("sorted by active", ask(bench, Ask { sort: "active", ..ALL }).await?, page(5, "u5 u1 u3 u2 u4"))?;
    let paged = Ask { sort: "title", start_index: 2, count: 2, ..ALL };
    same("a page sorted by title", ask(bench, paged).await?, page(5, "u4 u1"))
}

pub(super) async fn a_query_sorts_descending_with_missing_values_first<S: ResourceStore>(
    bench: &Bench<S>,
) -> Check {
    set_up(bench).await?;
    let by_title = Ask { sort: "title", descending: true, ..ALL };
    same("sorted by title, descending", ask(bench, by_title).await?, page(5, "u5 u2 u1 u3 u4"))?;
    let by_id = Ask { sort: "id", descending: true, ..ALL };
    same("sorted by id, descending", ask(bench, by_id).await?, page(5, "u5 u4 u3 u2 u1"))
}

pub(super) async fn a_query_sorts_by_the_primary_value<S: ResourceStore>(bench: &Bench<S>) -> Check {
    set_up(bench).await?;
    // u1 by its primary address, which begins with `a`, not by its first, which begins with `z`.
    let by_email = Ask { sort: "emails", ..ALL };
    same("sorted by e-mail", ask(bench, by_email).await?, page(5, "u1 u2 u3 u4 u5"))?;
    let descending = Ask { sort: "emails.value", descending: true, ..ALL };
    same("sorted by e-mail, descending", ask(bench, descending).await?, page(5, "u3 u4 u5 u2 u1"))
}

/// Pages of two, from the first to the last and back.
pub(super) async fn a_query_walks_by_position<S: ResourceStore>(bench: &Bench<S>) -> Check {
    set_up(bench).await?;
    let users = &["User"][..];
    for (types, filter, sort, descending, expected) in [
        (users, "", "", false, "u1 u2 | u3 u4 | u5"),
        (users, "title pr", "", false, "u1 u2 | u3 u4"),
        (users, "", "userName", true, "u5 u4 | u3 u2 | u1"),
        (users, "", "title", false, "u3 u4 | u1 u2 | u5"),
        (users, "", "title", true, "u5 u2 | u1 u3 | u4"),
        (users, "", "active", false, "u5 u1 | u3 u2 | u4"),
        (users, "", "meta.created", false, "u1 u2 | u3 u4 | u5"),
        (users, "", "emails", true, "u3 u4 | u5 u2 | u1"),
        (users, r#"userName eq "bob" or userName sw "d""#, "userName", true, "u4 u2"),
        (users, r#"userName eq "nobody""#, "", false, ""),
        (&["User", "Group"], "", "displayName", false, "g1 u1 | u2 u3 | u4 u5"),
    ] {
        let what = format!("{types:?} by `{sort}` where `{filter}`");
        let query = query(bench, Ask { types, filter, sort, descending, start_index: 1, count: 2 })?;
        let mut page = bench.store.query(&bench.cx(), &query).await.map_err(store_error)?;
        same(&format!("{what}: before the first page"), &page.previous, &None)?;
        let mut there = vec![column(&page)];
        while let Some(position) = page.next {
            let next = Query { start: Start::After(position), ..query.clone() };
            page = bench.store.query(&bench.cx(), &next).await.map_err(store_error)?;
            there.push(column(&page));
            if there.len() > 9 {
                return Err(format!("{what}: the walk does not end"));
            }
        }
        same(&what, there.join(" | ").as_str(), expected)?;
        let mut back = vec![column(&page)];
        while let Some(position) = page.previous {
            let previous = Query { start: Start::Before(position), ..query.clone() };
            page = bench.store.query(&bench.cx(), &previous).await.map_err(store_error)?;
            back.push(column(&page));
            if back.len() > 9 {
                return Err(format!("{what}: the walk back does not end"));
            }
        }
        back.reverse();
        same(&format!("{what}, backwards"), back.join(" | ").as_str(), expected)?;
    }
    Ok(())
}

/// Pages that hold three resources by number and one by size: nothing is lost at their early ends.
pub(super) async fn a_page_ends_when_it_is_full<S: ResourceStore>(bench: &Bench<S>) -> Check {
    set_up(bench).await?;
    let users = &["User"][..];
    for (types, filter, sort, expected) in [
        (users, "", "", "u1 u2 u3 u4 u5"),
        (users, "title pr", "", "u1 u2 u3 u4"),
        (users, "", "title", "u3 u4 u1 u2 u5"),
        (users, "", "emails", "u1 u2 u3 u4 u5"),
        (users, r#"userName eq "bob" or userName sw "d""#, "userName", "u2 u4"),
        (&["User", "Group"], "", "displayName", "g1 u1 u2 u3 u4 u5"),
    ] {
        let what = format!("{types:?} by `{sort}` where `{filter}`, one by one");
        let query = query(bench, Ask { types, filter, sort, descending: false, start_index: 1, count: 3 })?;
        let small = Query { max_bytes: Some(1), ..query.clone() };
        let large = Query { max_bytes: Some(1 << 20), ..query };
        let page = bench.store.query(&bench.cx(), &large).await.map_err(store_error)?;
        same(&what, page.resources.len() as u64, page.total.min(3))?;
        let mut there = Vec::new();
        let mut page = bench.store.query(&bench.cx(), &small).await.map_err(store_error)?;
        for place in 2.. {
            same(&format!("{what}: the resources of a page"), page.resources.len(), 1)?;
            there.push(column(&page));
            let Some(position) = page.next else { break };
            let by_index = Query { start: Start::Index(place), ..small.clone() };
            let by_index = bench.store.query(&bench.cx(), &by_index).await.map_err(store_error)?;
            let after = Query { start: Start::After(position), ..small.clone() };
            page = bench.store.query(&bench.cx(), &after).await.map_err(store_error)?;
            same(&format!("{what}: the same by index"), column(&by_index), column(&page))?;
            if there.len() > 9 {
                return Err(format!("{what}: the walk does not end"));
            }
        }
        same(&what, there.join(" ").as_str(), expected)?;
        let mut back = vec![column(&page)];
        while let Some(position) = page.previous {
            let previous = Query { start: Start::Before(position), ..small.clone() };
            page = bench.store.query(&bench.cx(), &previous).await.map_err(store_error)?;
            back.push(column(&page));
            if back.len() > 9 {
                return Err(format!("{what}: the walk back does not end"));
            }
        }
        back.reverse();
        same(&format!("{what}, backwards"), back.join(" ").as_str(), expected)?;
    }
    Ok(())
}

/// Resources created or deleted while a client pages appear only if they come later in the order. They shift
/// nothing else.
pub(super) async fn a_walk_loses_and_repeats_nothing<S: ResourceStore>(bench: &Bench<S>) -> Check {
    set_up(bench).await?;
    let query = query(bench, Ask { sort: "userName", count: 2, ..ALL })?;
    let first = bench.store.query(&bench.cx(), &query).await.map_err(store_error)?;
    same("the first page", column(&first).as_str(), "u1 u2")?;
    let position = first.next.ok_or("expected more pages")?;
    // The resource at the position is deleted, one is created before it and one after it.
    let type_ = bench.type_("User")?;
    bench.store.delete(&bench.cx(), type_, "u2", None).await.map_err(store_error)?;
    bench.create(bench.user("u6", "aaron", "")?).await?;
    bench.create(bench.user("u7", "cecil", "")?).await?;
    let after = Query { start: Start::After(position.clone()), ..query.clone() };
    let second = bench.store.query(&bench.cx(), &after).await.map_err(store_error)?;
    same("the second page", column(&second).as_str(), "u3 u7")?;
    same("how many match", second.total, 6)?;
    let before = Query { start: Start::Before(position), ..query };
    let back = bench.store.query(&bench.cx(), &before).await.map_err(store_error)?;
    same("the page before", column(&back).as_str(), "u6 u1")?;
    same("before it", &back.previous, &None)
}

fn column(page: &QueryPage) -> String {
    let ids: Vec<&str> = page.resources.iter().map(|stored| stored.id.as_str()).collect();
    ids.join(" ")
}

pub(super) async fn a_query_covers_several_types<S: ResourceStore>(bench: &Bench<S>) -> Check {
    set_up(bench).await?;
    let all = Ask { types: &["User", "Group"], ..ALL };
    same("everything", ask(bench, all).await?, page(6, "g1 u1 u2 u3 u4 u5"))?;
    let all = Ask { types: &["User", "Group"], start_index: 2, count: 1, ..ALL };
    same("one page of everything", ask(bench, all).await?, page(6, "u1"))?;
    let filter = r#"userName eq "ada" or displayName eq "group 1""#;
    let both = Ask { types: &["User", "Group"], filter, ..ALL };
    same(filter, ask(bench, both).await?, page(2, "g1 u1"))?;
    let sorted = Ask { types: &["User", "Group"], sort: "displayName", count: 2, ..ALL };
    same("everything sorted by name", ask(bench, sorted).await?, page(6, "g1 u1"))
}

pub(super) async fn a_query_sees_its_tenant_alone<S: ResourceStore>(bench: &Bench<S>) -> Check {
    set_up(bench).await?;
    let other = bench.cx_of("other", 0);
    same("another tenant's query", ask_as(bench, &other, ALL).await?, page(0, ""))?;
    let filter = r#"userName eq "ada""#;
    same("another tenant's filter", ask_as(bench, &other, Ask { filter, ..ALL }).await?, page(0, ""))
}

pub(super) async fn a_query_stops_at_the_scan_limit<S: ResourceStore>(bench: &Bench<S>) -> Check {
    set_up(bench).await?;
    let limited = |limit| Ok::<_, String>(Query { scan_limit: Some(limit), ..query(bench, ALL)? });
    let page = bench.store.query(&bench.cx(), &limited(5)?).await.map_err(store_error)?;
    same("the total at the limit", page.total, 5)?;
    match bench.store.query(&bench.cx(), &limited(4)?).await {
        Err(error) => same("the error", error.kind(), &StoreErrorKind::TooMany),
        Ok(page) => Err(format!("expected too many results, found {}", page.total)),
    }
}
