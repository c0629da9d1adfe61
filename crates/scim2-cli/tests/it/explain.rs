//! `scim2 serve --explain-queries`: what a query costs, for who asks.

use std::io::Write as _;
use std::net::TcpStream;

use scim2_testkit::http::encode;
use scim2_testkit::postgres::Database;
use scim2_testkit::process::Launch;
use serde_json::json;

use crate::harness::launch;

#[test]
fn queries_are_explained_without_what_they_look_for() {
    let folder = tempfile::tempdir().expect("a folder");
    explained(launch(&folder));
}

#[test]
fn queries_are_explained_on_postgres() {
    let folder = tempfile::tempdir().expect("a folder");
    if let Some(database) = Database::create().expect("a database") {
        explained(launch(&folder).store_at(database.url()));
    }
}

#[test]
fn a_query_that_runs_into_its_limit_is_explained() {
    let folder = tempfile::tempdir().expect("a folder");
    limited(launch(&folder));
}

#[test]
fn a_query_that_runs_into_its_limit_is_explained_on_postgres() {
    let folder = tempfile::tempdir().expect("a folder");
    if let Some(database) = Database::create().expect("a database") {
        limited(launch(&folder).store_at(database.url()));
    }
}

#[test]
fn a_query_whose_client_goes_away_reads_no_further() {
    let folder = tempfile::tempdir().expect("a folder");
    given_up(launch(&folder));
}

#[test]
fn a_query_whose_client_goes_away_reads_no_further_on_postgres() {
    let folder = tempfile::tempdir().expect("a folder");
    if let Some(database) = Database::create().expect("a database") {
        given_up(launch(&folder).store_at(database.url()));
    }
}

#[test]
fn an_attribute_can_be_indexed_and_what_cannot_be_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let plain = launch(&folder).start().expect("the server starts");
    let user = json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "ada", "nickName": "countess",
    });
    assert_eq!(plain.endpoint().call("POST", "/Users", Some(&user)).expect("an answer").status, 201);
    drop(plain);
    let indexed =
        ["--explain-queries", "--indexed", "User:nickName,User:title", "--unindexed", "User:active"];
    let server = indexed.iter().fold(launch(&folder), |launch, argument| launch.arg(argument));
    let server = server.start().expect("the server starts");
    let target = format!("/Users?filter={}", encode(r#"nickName eq "Countess""#));
    // The index is made in the background; the answer is right before and after.
    loop {
        let found = server.endpoint().call("GET", &target, None).expect("an answer").json().expect("a list");
        assert_eq!(found["totalResults"], 1);
        if server.said().contains("candidates of an index") {
            break;
        }
    }
    drop(server);
    let refused = launch(&folder).arg("--indexed").arg("User:shoeSize").start().expect_err("no attribute");
    assert!(
        refused.to_string().contains("scim2: `User:shoeSize` cannot be indexed: there is no such attribute"),
        "{refused}"
    );
}

fn explained(launch: Launch) {
    let server = launch.arg("--explain-queries").start().expect("the server starts");
    let endpoint = server.endpoint();
    for (name, nick) in [("ada", "first"), ("bob", "second"), ("eve", "third")] {
        let user = json!({
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": name, "nickName": nick,
        });
        assert_eq!(endpoint.call("POST", "/Users", Some(&user)).expect("an answer").status, 201);
    }
    for target in [
        format!("/Users?filter={}", encode(r#"userName eq "ada""#)),
        format!("/Users?filter={}", encode(r#"nickName co "secon""#)),
        format!("/Users?filter={}", encode(r#"nickName pr and id pr and meta.created pr"#)),
        "/Users?count=2".to_owned(),
        "/Users?startIndex=3&count=1".to_owned(),
        "/Users?sortBy=userName&startIndex=2&count=1".to_owned(),
        "/Users?count=1".to_owned(),
        // The last one: its line is waited for, and stands behind all others.
        format!("/Users?filter={}", encode("displayName pr")),
    ] {
        assert_eq!(endpoint.call("GET", &target, None).expect("an answer").status, 200, "{target}");
    }
    let said = server.said_once(|line| line.contains("indexed=\"displayName\"")).expect("the last line");
    let line = |way: &str| {
        let line = said.lines().find(|line| line.contains(way));
        line.unwrap_or_else(|| panic!("no `{way}`: {said}")).to_owned()
    };
    let found = line("candidates of an index");
    assert!(found.contains(r#"evaluator="nothing" rows=1 skipped=0 matches=1"#), "{found}");
    let scanned = line("way=\"scan\"");
    assert!(scanned.contains(r#"evaluator="the filter" rows=3 skipped=0 matches=1"#), "{scanned}");
    assert!(scanned.contains(r#"indexed="" not_indexed="nickName""#), "{scanned}");
    // A value in a column needs no index.
    line(r#"indexed="id" not_indexed="nickName""#);
    let paged = line("paged in SQL");
    assert!(paged.contains(r#"evaluator="nothing" rows=2 skipped=0 matches=3"#), "{paged}");
    // The last page is read from the end: nothing stands before it there.
    let lines = said.lines().filter(|line| line.contains("paged in SQL"));
    let one: Vec<&str> = lines.filter(|line| line.contains("rows=1 ")).collect();
    assert!(one.len() >= 2 && one.iter().any(|line| line.contains("rows=1 skipped=0 matches=3")), "{one:?}");
    let sorted = line(r#"indexed="userName" not_indexed="" sql"#);
    assert!(!sorted.contains("order"), "{sorted}");
    for line in said.lines().filter(|line| line.contains("way=")) {
        assert!(line.contains(r#"resource_type="User""#) && line.contains("tenant = ?"), "{line}");
        for value in ["ada", "secon"] {
            assert!(!line.contains(value), "{line}");
        }
    }
}

/// Each way of reaching the limit is logged once.
fn limited(launch: Launch) {
    let server =
        launch.arg("--explain-queries").arg("--scan-limit").arg("1").start().expect("the server starts");
    let endpoint = server.endpoint();
    for name in ["ada", "bob"] {
        let user = json!({ "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": name });
        assert_eq!(endpoint.call("POST", "/Users", Some(&user)).expect("an answer").status, 201);
    }
    for target in ["/Users?count=1".to_owned(), format!("/Users?filter={}", encode(r#"nickName co "x""#))] {
        let refused = endpoint.call("GET", &target, None).expect("an answer");
        assert_eq!(refused.json().expect("an error")["scimType"], "tooMany", "{target}");
    }
    let one = format!("/Users?filter={}", encode(r#"userName eq "ada""#));
    // The last one: its line is waited for, and stands behind all others.
    assert_eq!(endpoint.call("GET", &one, None).expect("an answer").status, 200);
    let said = server.said_once(|line| line.contains("candidates of an index")).expect("the last line");
    let given_up: Vec<&str> = said.lines().filter(|line| line.contains("given up or failed")).collect();
    let of = |way: &str| given_up.iter().filter(|line| line.contains(way)).count();
    assert_eq!((of("paged in SQL"), of("way=\"scan\"")), (1, 1), "{said}");
}

/// A scan reads all users if its client waits for the answer, and fewer if the client leaves.
fn given_up(launch: Launch) {
    const USERS: usize = 200;
    let server = launch.arg("--explain-queries").start().expect("the server starts");
    let endpoint = server.endpoint();
    let user = |number: usize| {
        json!({
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": format!("user{number}"),
            "nickName": "n".repeat(200),
        })
    };
    let posts = |first: usize| {
        json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],
            "Operations": (first..first + 50).map(|number| json!({
                "method": "POST", "path": "/Users", "bulkId": format!("b{number}"), "data": user(number),
            })).collect::<Vec<_>>(),
        })
    };
    for first in (0..USERS).step_by(50) {
        assert_eq!(endpoint.call("POST", "/Bulk", Some(&posts(first))).expect("an answer").status, 200);
    }
    let terms: Vec<String> = (0..30).map(|number| format!(r#"nickName co "x{number}""#)).collect();
    let search = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"], "filter": terms.join(" or "),
    });
    let waited = endpoint.call("POST", "/Users/.search", Some(&search)).expect("an answer");
    assert_eq!(waited.json().expect("a list")["totalResults"], 0);
    let base = endpoint.base_url();
    let (authority, path) = base.trim_start_matches("http://").split_once('/').expect("a path");
    let body = search.to_string();
    let request = format!(
        "POST /{path}/Users/.search HTTP/1.1\r\nHost: {authority}\r\nAuthorization: Bearer {}\r\n\
         Content-Type: application/scim+json\r\nContent-Length: {}\r\n\r\n{body}",
        endpoint.token(),
        body.len()
    );
    let mut rows = None;
    // A request may be gone before it has begun, which nobody tells of.
    for _ in 0..200 {
        let mut client = TcpStream::connect(authority).expect("connects");
        client.write_all(request.as_bytes()).expect("writes");
        // Meanwhile the query has begun.
        assert_eq!(endpoint.call("GET", "/Users?count=0", None).expect("an answer").status, 200);
        drop(client);
        assert_eq!(endpoint.call("GET", "/Users?count=0", None).expect("an answer").status, 200);
        let said = server.said();
        // One may be given up with its last row, too.
        let given_up = said.lines().filter(|line| line.contains("given up"));
        let read = |line: &str| line.split("rows=").nth(1)?.split(' ').next()?.parse::<usize>().ok();
        rows = given_up.filter_map(read).find(|rows| *rows < USERS);
        if rows.is_some() {
            break;
        }
    }
    assert!(rows.is_some(), "none was given up: {}", server.said());
    let all = format!("rows={USERS} skipped=0 matches=0");
    server.said_once(|line| line.contains(&all)).expect("the query that was waited for read all");
}
