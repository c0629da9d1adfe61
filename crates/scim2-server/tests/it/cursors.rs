//! RFC 9865: pages by cursor.

use std::collections::BTreeSet;

use http::Method;
use scim2_core::Compat;
use scim2_core::discovery::PaginationMethod;
use serde_json::{Value, json};

use crate::harness::{Answer, GROUP, Server, USER, with_token};

const SEARCH: &str = "urn:ietf:params:scim:api:messages:2.0:SearchRequest";

/// Users `u00` to `u09`, whose titles repeat and of which some have none.
fn server() -> Server {
    let server = Server::new();
    fill(&server);
    server
}

fn fill(server: &Server) {
    for number in 0..10 {
        let mut user = json!({ "schemas": [USER], "userName": format!("u{number:02}") });
        if number % 4 != 3 {
            user["title"] = json!(format!("T{}", number % 3));
        }
        server.created("/Users", user);
    }
}

#[track_caller]
fn next(page: &Answer) -> &str {
    page.ok()["nextCursor"].as_str().unwrap_or_else(|| panic!("no next page: {}", page.json))
}

/// All pages of a query, from its first.
#[track_caller]
fn walk(server: &Server, query: &str) -> Vec<Answer> {
    let mut pages = vec![server.get(&format!("/Users?{query}&cursor="))];
    while let Some(cursor) = pages.last().and_then(|page| page.ok()["nextCursor"].as_str()) {
        let page = server.get(&format!("/Users?{query}&cursor={cursor}"));
        pages.push(page);
        assert!(pages.len() < 20, "the walk does not end");
    }
    pages
}

fn names(pages: &[Answer]) -> String {
    let pages: Vec<String> = pages.iter().map(|page| page.column("userName").join(" ")).collect();
    pages.join(" | ")
}

#[test]
fn p_2_01_02_05_a_walk_begins_empty_and_ends_without_next_cursor() {
    let server = server();
    for start in ["cursor", "cursor="] {
        let first = server.get(&format!("/Users?count=4&{start}"));
        assert_eq!(first.ok()["totalResults"], 10);
        assert_eq!(first.json["itemsPerPage"], 4);
        assert!(first.json["startIndex"].is_null(), "that is the other way");
        assert!(first.json["previousCursor"].is_null(), "P-2-06");
        let unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        assert!(next(&first).bytes().all(unreserved));
    }
    let pages = walk(&server, "count=4");
    assert_eq!(names(&pages), "u00 u01 u02 u03 | u04 u05 u06 u07 | u08 u09");
    let pages = walk(&server, "count=5");
    assert_eq!(names(&pages), "u00 u01 u02 u03 u04 | u05 u06 u07 u08 u09", "even when it divides evenly");
    assert_eq!(names(&walk(&server, "")), "u00 u01 u02 u03 u04 u05 u06 u07 u08 u09");
}

#[test]
fn p_2_06_previous_cursor_walks_back_to_the_first_page() {
    let server = server();
    for query in ["count=3", "count=3&sortBy=title", "count=3&sortBy=title&sortOrder=descending"] {
        let there = walk(&server, query);
        let mut back = vec![server.get(&format!("/Users?{query}&cursor={}", next(&there[2])))];
        while let Some(cursor) = back.last().and_then(|page| page.ok()["previousCursor"].as_str()) {
            let page = server.get(&format!("/Users?{query}&cursor={cursor}"));
            back.push(page);
            assert!(back.len() < 20, "the walk does not end");
        }
        back.reverse();
        assert_eq!(names(&back), names(&there), "{query}");
        assert!(back[0].json["previousCursor"].is_null() && !back[0].json["nextCursor"].is_null());
    }
}

/// A client that pages back to resources that were all deleted gets a cursor to the beginning.
#[test]
fn p_2_06_an_empty_page_before_all_others_leads_to_the_first() {
    for query in ["count=3", "count=3&sortBy=title&sortOrder=descending", "count=3&filter=userName%20pr"] {
        let server = server();
        let there = walk(&server, query);
        let back = there[1].json["previousCursor"].as_str().expect("a page before").to_owned();
        for gone in there[0].column("id") {
            server.delete(&format!("/Users/{gone}"));
        }
        let empty = server.get(&format!("/Users?{query}&cursor={back}"));
        assert!(empty.resources().is_empty() && empty.json["previousCursor"].is_null());
        assert_eq!(empty.ok()["totalResults"], 7);
        let mut again = vec![server.get(&format!("/Users?{query}&cursor={}", next(&empty)))];
        assert!(again[0].json["previousCursor"].is_null(), "it is the first page");
        while let Some(cursor) = again.last().and_then(|page| page.ok()["nextCursor"].as_str()) {
            let page = server.get(&format!("/Users?{query}&cursor={cursor}"));
            again.push(page);
            assert!(again.len() < 20, "the walk does not end");
        }
        assert_eq!(names(&again), names(&there[1..]), "{query}");
        // Where nothing is left at all, nothing follows.
        for gone in again.iter().flat_map(|page| page.column("id")) {
            server.delete(&format!("/Users/{gone}"));
        }
        let empty = server.get(&format!("/Users?{query}&cursor={back}"));
        assert!(empty.ok()["nextCursor"].is_null());
    }
}

#[test]
fn p_2_2_01_pages_are_in_sort_order_and_filtered() {
    let server = server();
    for (query, expected) in [
        ("count=4&sortBy=title", "u00 u06 u09 u01 | u04 u02 u05 u08 | u03 u07"),
        ("count=4&sortBy=title&sortOrder=descending", "u03 u07 u02 u05 | u08 u01 u04 u00 | u06 u09"),
        ("count=2&sortBy=userName&sortOrder=descending&filter=title%20eq%20%22t0%22", "u09 u06 | u00"),
        ("count=2&filter=not(title%20pr)", "u03 u07"),
        ("count=9&sortBy=meta.created&sortOrder=descending", "u00 u01 u02 u03 u04 u05 u06 u07 u08 | u09"),
        ("filter=title%20eq%20%22none%22", ""),
    ] {
        assert_eq!(names(&walk(&server, query)), expected, "{query}");
    }
}

#[test]
fn p_2_04_count_is_not_negative_and_zero_asks_for_the_total() {
    let server = server();
    for count in ["0", "-3"] {
        let page = server.get(&format!("/Users?count={count}&cursor="));
        assert_eq!(page.ok()["totalResults"], 10);
        assert!(page.resources().is_empty() && page.json["nextCursor"].is_null());
    }
}

#[test]
fn p_2_1_01_what_is_wrong_is_said() {
    let server = server();
    let query = "count=3&sortBy=title&filter=userName%20sw%20%22u%22";
    let first = server.get(&format!("/Users?{query}&cursor="));
    let cursor = next(&first).to_owned();
    let ask = |query: &str| server.get(&format!("/Users?{query}&cursor={cursor}"));
    assert_eq!(ask(query).status, 200);
    assert_eq!(
        ask("sortBy=TITLE&filter=(userName%20SW%20%20%22u%22)").status,
        200,
        "the same, without count"
    );
    // P-2-07: another query.
    for other in [
        "count=3&sortBy=title",
        "count=3&sortBy=userName&filter=userName%20sw%20%22u%22",
        "count=3&sortBy=title&filter=userName%20sw%20%22v%22",
        "count=3&sortBy=title&sortOrder=descending&filter=userName%20sw%20%22u%22",
    ] {
        ask(other).refused(400, "invalidCursor");
    }
    server.get(&format!("/Groups?count=3&cursor={cursor}")).refused(400, "invalidCursor");
    server.get(&format!("/?count=3&cursor={cursor}")).refused(400, "invalidCursor");
    // Made up, forged and cut.
    let last = cursor.chars().last().expect("a letter");
    let forged = format!("{}{}", &cursor[..cursor.len() - 1], if last == 'A' { 'Q' } else { 'A' });
    let long = "A".repeat(50_000);
    for wrong in ["x", "%00", "1", &cursor[..cursor.len() - 4], &forged, &long] {
        server.get(&format!("/Users?{query}&cursor={wrong}")).refused(400, "invalidCursor");
    }
    // Another count, and one that is too large.
    ask("count=4&sortBy=title&filter=userName%20sw%20%22u%22").refused(400, "invalidCount");
    server.get("/Users?count=201&cursor=").refused(400, "invalidCount");
    assert_eq!(server.get("/Users?count=200&cursor=").status, 200);
    assert_eq!(server.get("/Users?count=201").status, 200, "A-56: by index it is cut down");
    // A count that is not a number, or two counts. With `startIndex` this is an ordinary invalid value.
    for wrong in ["abc", "1.5", "10&count=20"] {
        for cursor in ["", &cursor] {
            server.get(&format!("/Users?count={wrong}&cursor={cursor}")).refused(400, "invalidCount");
        }
        server.get(&format!("/Users?count={wrong}")).refused(400, "invalidValue");
    }
    for wrong in [json!("abc"), json!(1.5)] {
        let mut search = json!({ "schemas": [SEARCH], "count": wrong, "cursor": "" });
        server.post("/Users/.search", search.clone()).refused(400, "invalidCount");
        search.as_object_mut().expect("an object").remove("cursor");
        server.post("/Users/.search", search).refused(400, "invalidValue");
    }
    // After its time.
    server.sleep(3600);
    assert_eq!(ask(query).status, 200);
    server.sleep(1);
    ask(query).refused(400, "expiredCursor");
}

#[test]
fn cursors_outlive_a_clock_that_goes_back() {
    let server = server();
    let first = server.get("/Users?count=4&cursor=");
    server.sleep(-100_000);
    let second = server.get(&format!("/Users?count=4&cursor={}", next(&first)));
    let third = server.get(&format!("/Users?count=4&cursor={}", next(&second)));
    let back = third.ok()["previousCursor"].as_str().expect("a page before").to_owned();
    assert_eq!(names(&[first, second, third]), "u00 u01 u02 u03 | u04 u05 u06 u07 | u08 u09");
    // A cursor made while the clock was wrong has expired once the clock is right. The client begins again.
    server.sleep(100_000);
    server.get(&format!("/Users?count=4&cursor={back}")).refused(400, "expiredCursor");
}

#[test]
fn p_5_01_04_a_cursor_grants_nothing() {
    let server = server();
    let cursor = next(&server.get("/Users?count=3&cursor=")).to_owned();
    let path = format!("/Users?count=3&cursor={cursor}");
    // A client may continue with another token that may read.
    assert_eq!(
        server.send(with_token(Method::GET, &path, "Bearer read")).column("userName"),
        ["u03", "u04", "u05"]
    );
    server.send(with_token(Method::GET, &path, "Bearer nobody")).refused(401, "");
    // For another tenant the cursor is invalid.
    let other = server.send(with_token(Method::GET, &path, "Bearer other"));
    let made_up = server.send(with_token(Method::GET, "/Users?count=3&cursor=x", "Bearer other"));
    assert_eq!(other.refused(400, "invalidCursor").json, made_up.json);
}

#[test]
fn p_3_01_search_takes_the_cursor_in_its_body() {
    let server = server();
    let ask = |cursor: &str| {
        server.post(
            "/Users/.search",
            json!({ "schemas": [SEARCH], "attributes": ["userName"], "count": 6, "cursor": cursor }),
        )
    };
    let first = ask("");
    let second = ask(next(&first));
    assert_eq!(names(&[first, second]), "u00 u01 u02 u03 u04 u05 | u06 u07 u08 u09");
    let of_all = server.post("/.search", json!({ "schemas": [SEARCH], "count": 9, "cursor": "" }));
    let cursor = next(&of_all);
    let rest = server.post("/.search", json!({ "schemas": [SEARCH], "count": 9, "cursor": cursor }));
    assert_eq!(rest.column("userName"), ["u09"]);
    let by_get = server.get(&format!("/?count=9&cursor={cursor}"));
    assert_eq!(by_get.json, rest.json, "a query is the same however it is sent");
}

#[test]
fn p_2_4_01_by_index_unless_the_options_say_otherwise() {
    let server = server();
    let page = server.get("/Users?count=4");
    assert_eq!(page.ok()["startIndex"], 1);
    assert!(page.json["nextCursor"].is_null());
    let config = server.get("/ServiceProviderConfig").json["pagination"].clone();
    let expected = json!({
        "cursor": true, "index": true, "defaultPaginationMethod": "index",
        "defaultPageSize": 100, "maxPageSize": 200, "cursorTimeout": 3600,
    });
    assert_eq!(config, expected, "P-4-01");

    let cursors = Server::with(|builder| {
        builder.options(|options| {
            options.default_pagination = PaginationMethod::Cursor;
            options.limits.default_page_size = 4;
        })
    });
    fill(&cursors);
    let page = cursors.get("/Users");
    assert!(page.ok()["startIndex"].is_null());
    let second = cursors.get(&format!("/Users?cursor={}", next(&page)));
    assert_eq!(second.column("userName"), ["u04", "u05", "u06", "u07"], "P-2.3-01");
    assert_eq!(cursors.get("/Users?startIndex=1").ok()["startIndex"], 1);
    assert_eq!(cursors.get("/ServiceProviderConfig").json["pagination"]["defaultPaginationMethod"], "cursor");
}

#[test]
fn a_cursor_counts_before_start_index_and_strict_refuses_both() {
    let server = server();
    let page = server.get("/Users?count=2&startIndex=5&cursor=");
    assert_eq!(page.column("userName"), ["u00", "u01"]);
    let strict = Server::with(|builder| builder.options(|options| options.compat = Compat::strict()));
    strict.get("/Users?startIndex=5&cursor=").refused(400, "invalidValue");
}

/// What came before a page and what will come after it may change; the resources that stay are seen
/// once each.
#[test]
fn cursors_lose_and_repeat_nothing_while_resources_come_and_go() {
    for query in ["count=3", "count=3&sortBy=userName&sortOrder=descending", "count=3&sortBy=title"] {
        let server = Server::new();
        let ids: Vec<String> = (0..30)
            .map(|number| {
                let title = format!("T{}", number % 4);
                let user = json!({ "schemas": [USER], "userName": format!("u{number:02}"), "title": title });
                server.created("/Users", user)
            })
            .collect();
        let mut seen: Vec<String> = Vec::new();
        let mut deleted = BTreeSet::new();
        let mut cursor = String::new();
        for step in 0.. {
            let page = server.get(&format!("/Users?{query}&cursor={cursor}"));
            page.ok();
            seen.extend(page.column("id").into_iter().map(str::to_owned));
            let Some(next) = page.json["nextCursor"].as_str() else { break };
            cursor = next.to_owned();
            // The last resource of the page goes, and so does one that may come or have been.
            for gone in [seen.last().expect("a page").clone(), ids[step * 7 % 30].clone()] {
                if deleted.insert(gone.clone()) {
                    server.delete(&format!("/Users/{gone}"));
                }
            }
            for side in ["a", "z"] {
                let title = format!("T{side}");
                let user =
                    json!({ "schemas": [USER], "userName": format!("{side}{step:02}"), "title": title });
                server.created("/Users", user);
            }
            assert!(step < 60, "the walk does not end");
        }
        let once: BTreeSet<&String> = seen.iter().collect();
        assert_eq!(once.len(), seen.len(), "{query}: repeated");
        for stayed in ids.iter().filter(|id| !deleted.contains(*id)) {
            assert!(once.contains(stayed), "{query}: lost {stayed}");
        }
    }
}

#[test]
fn a_walk_by_index_follows_what_was_served_and_a_jump_counts() {
    let server = server();
    let page =
        |start: usize| server.get(&format!("/Users?count=3&startIndex={start}")).column("userName").join(" ");
    assert_eq!(page(1), "u00 u01 u02");
    for seen in ["r-00001", "r-00003"] {
        server.delete(&format!("/Users/{seen}"));
    }
    assert_eq!(page(4), "u03 u04 u05", "nobody is lost by what went before");
    server.user("late");
    assert_eq!(page(7), "u06 u07 u08");
    let json = server.get("/Users?count=3&startIndex=7").json;
    assert_eq!((&json["startIndex"], &json["totalResults"]), (&json!(7), &json!(9)));
    assert_eq!(page(7), "u06 u07 u08", "the same again");
    // A client that did not page there gets the resources by counting, and so does another client or query.
    assert_eq!(page(3), "u04 u05 u06");
    let other = with_token(Method::GET, "/Users?count=3&startIndex=4&sortBy=userName", "Bearer write");
    assert_eq!(server.send(other).column("userName"), ["u04", "u05", "u06"]);
    assert_eq!(page(1), "u01 u03 u04");
    server.delete("/Users/r-00002");
    server.sleep(61);
    assert_eq!(page(4), "u06 u07 u08", "after a while it counts again");
}

/// Two nodes share what they serve, not what they remember, and walks end.
#[test]
fn what_an_older_walk_saw_means_nothing_to_a_page_that_does_not_follow_it() {
    let server = server();
    let page =
        |start: usize| server.get(&format!("/Users?count=3&startIndex={start}")).column("userName").join(" ");
    assert_eq!([page(1), page(4), page(7)], ["u00 u01 u02", "u03 u04 u05", "u06 u07 u08"]);
    for seen in ["r-00001", "r-00002"] {
        server.delete(&format!("/Users/{seen}"));
    }
    // As after the first page of another node.
    assert_eq!(page(4), "u05 u06 u07");
    assert_eq!(page(1), "u02 u03 u04");
    server.delete("/Users/r-00003");
    assert_eq!(page(3), "u05 u06 u07");
    assert_eq!(page(4), "u06 u07 u08", "the third did not end there");
    assert_eq!(page(90), "");
    assert_eq!(page(4), "u06 u07 u08");
}

/// Cursors are part of URIs, in which neither long nor sensitive values belong.
#[test]
fn a_long_or_sensitive_sort_key_does_not_stand_in_a_cursor() {
    let sensitive = Server::with(|builder| {
        builder.options(|options| options.sensitive_attributes = vec!["nickName".to_owned()])
    });
    for (server, nick) in [(sensitive, "short".to_owned()), (Server::new(), "long".repeat(1000))] {
        for name in ["a", "b", "c"] {
            let user = json!({ "schemas": [USER], "userName": name, "nickName": format!("{nick}-{name}") });
            server.created("/Users", user);
        }
        let pages = walk(&server, "count=1&sortBy=nickName");
        assert_eq!(names(&pages), "a | b | c");
        let cursor = next(&pages[0]);
        assert!(cursor.len() < 200, "{cursor}");
        // What it leads to is gone: rather an error than a page that leaves something out.
        server.delete("/Users/r-00001");
        server.get(&format!("/Users?count=1&sortBy=nickName&cursor={cursor}")).refused(400, "expiredCursor");
    }
}

#[test]
fn a_cursor_over_all_types_walks_them_all() {
    let server = server();
    server.created("/Groups", json!({ "schemas": [GROUP], "displayName": "Tour" }));
    let mut seen = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = server.get(&format!("/?count=4&sortBy=displayName&attributes=id&cursor={cursor}"));
        seen.extend(page.column("id").into_iter().map(str::to_owned));
        let Some(next) = page.ok()["nextCursor"].as_str() else { break };
        cursor = next.to_owned();
    }
    assert_eq!(seen.len(), 11);
    assert_eq!(seen.first().map(String::as_str), Some("r-00011"), "the only one with a name");
    assert_eq!(seen.iter().collect::<BTreeSet<_>>().len(), 11);
    let null = Value::Null;
    assert_ne!(server.get("/?count=4&cursor=").json["nextCursor"], null);
}
