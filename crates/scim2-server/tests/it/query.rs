//! RFC 7644 §3.4.2 and §3.4.3: queries by GET and by `/.search`.

use http::Method;
use scim2_core::Compat;
use serde_json::{Value, json};

use crate::harness::{GROUP, Server, USER, request};

const SEARCH: &str = "urn:ietf:params:scim:api:messages:2.0:SearchRequest";

fn server() -> Server {
    let server = Server::new();
    for (name, family, age) in [("carol", "Xu", 3), ("ada", "King", 1), ("bob", "king", 2)] {
        server.created(
            "/Users",
            json!({
                "schemas": [USER], "userName": name, "name": { "familyName": family },
                "externalId": format!("E-{age}"), "emails": [{ "value": format!("{name}@example.com"), "type": "work" }],
            }),
        );
    }
    server.group("Tour", &["r-00001"]);
    server
}

fn encode(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}

#[track_caller]
fn users(query: &str) -> String {
    let list = server().get(&format!("/Users?{query}"));
    list.ok();
    list.column("userName").join(" ")
}

#[track_caller]
fn filtered(filter: &str) -> String {
    users(&format!("filter={}", encode(filter)))
}

#[test]
fn s_3_4_2_03_04_06_a_page_says_what_it_is() {
    let list = server().get("/Users?startIndex=2&count=1");
    let json = list.ok();
    assert_eq!(json["schemas"], json!(["urn:ietf:params:scim:api:messages:2.0:ListResponse"]));
    assert_eq!(
        [&json["totalResults"], &json["startIndex"], &json["itemsPerPage"]],
        [&json!(3), &json!(2), &json!(1)]
    );
    assert_eq!(list.column("userName"), ["ada"]);
    assert_eq!(list.header("content-type"), "application/scim+json");
}

#[test]
fn s_3_4_2_4_pages_are_counted_from_one() {
    let check = |query: &str, names: &str| assert_eq!(users(query), names, "{query}");
    check("", "carol ada bob");
    check("startIndex=0", "carol ada bob");
    check("startIndex=-5&count=2", "carol ada");
    check("count=-1", "");
    check("count=0", "");
    check("startIndex=3&count=10", "bob");
    check("startIndex=1000", "");
    check("startIndex=99999999999999999999", "");
    check("foo=bar&&", "carol ada bob");
}

#[test]
fn s_3_4_2_4_03_07_totals_stay_true_without_a_page() {
    for query in ["count=0", "startIndex=1000"] {
        let list = server().get(&format!("/Users?{query}"));
        assert_eq!(list.ok()["totalResults"], 3);
        assert_eq!(list.json["Resources"], json!([]));
        assert_eq!(list.json["itemsPerPage"], 0);
    }
}

#[test]
fn a_56_a_count_above_the_maximum_is_cut_and_the_default_page_holds() {
    let server = Server::with(|builder| {
        builder.options(|options| {
            options.limits.max_results = 2;
            options.limits.default_page_size = 1;
        })
    });
    for name in ["a", "b", "c"] {
        server.user(name);
    }
    assert_eq!(server.get("/Users?count=1000").json["itemsPerPage"], 2);
    assert_eq!(server.get("/Users").json["itemsPerPage"], 1);
}

#[test]
fn a_57_numbers_are_numbers() {
    for query in ["startIndex=x", "count=1.5", "sortOrder=up"] {
        server().get(&format!("/Users?{query}")).refused(400, "invalidValue");
    }
}

#[test]
fn s_3_4_2_07_no_match_is_200() {
    let list = server().get(&format!("/Users?filter={}", encode(r#"userName eq "nobody""#)));
    assert_eq!(list.ok()["totalResults"], 0);
    assert_eq!(list.json["Resources"], json!([]));
}

#[test]
fn s_3_4_2_2_filters_find_what_matches() {
    let check = |filter: &str, names: &str| assert_eq!(filtered(filter), names, "{filter}");
    check(r#"userName Eq "ADA""#, "ada");
    check(r#"name.familyName eq "king""#, "ada bob");
    check(r#"externalId eq "e-1""#, "");
    check(r#"externalId eq "E-1" or id eq "r-00001""#, "carol ada");
    check(r#"emails[type eq "work" and value sw "b"]"#, "bob");
    check(r#"emails[type eq "work"].value eq "bob@example.com""#, "bob");
    check(r#"not (userName sw "c") and active eq true"#, "ada bob");
    check(r#"meta.resourceType eq "User" and meta.created gt "2020-01-01T00:00:00Z""#, "carol ada bob");
    check(r#"meta.resourceType eq "user""#, "");
    check(&format!(r#"schemas eq "{USER}""#), "carol ada bob");
    check(&format!(r#"{}:userName eq "ada""#, USER.to_uppercase()), "ada");
    check(r#"groups.value eq "r-00004""#, "carol");
}

#[test]
fn s_3_4_2_2_17_a_default_is_found_by_the_value_the_client_was_given() {
    let server = Server::new();
    let found = |filter: &str| {
        let list = server.get(&format!("/Users?filter={}", encode(filter)));
        list.ok();
        list.column("userName").join(" ")
    };
    let given = server.post("/Users", json!({ "schemas": [USER], "userName": "given" }));
    assert_eq!(given.json["active"], true, "what the client was given");
    for (name, active) in [("said", json!(true)), ("not", json!(false)), ("cleared", json!(null))] {
        server.created("/Users", json!({ "schemas": [USER], "userName": name, "active": active }));
    }
    assert_eq!(found("active eq true"), "given said");
    assert_eq!(found("active eq false"), "not");
    assert_eq!(found("active pr"), "given said not");
    assert_eq!(found("not (active eq true)"), "not cleared");
    assert_eq!(server.get("/Users?sortBy=active").column("userName"), ["not", "given", "said", "cleared"]);
}

#[test]
fn s_3_4_2_2_18_a_bad_filter_is_400_and_points_at_the_column() {
    for filter in
        ["", "userName", r#"userName regex "x""#, "active gt true", "name eq \"x\"", r#"shoeSize eq "9""#]
    {
        let answer = server().get(&format!("/Users?filter={}", encode(filter)));
        answer.refused(400, "invalidFilter");
        assert!(!answer.detail().is_empty());
    }
    server().get("/Users?filter=id%20pr&filter=id%20pr").refused(400, "invalidFilter");
    let long = format!("userName eq \"{}\"", "x".repeat(20_000));
    server()
        .get(&format!("/Users?filter={long}").replace(' ', "+").replace('"', "%22"))
        .refused(400, "invalidFilter");
    let deep = format!("{}id pr{}", "(".repeat(100), ")".repeat(100));
    server().get(&format!("/Users?filter={}", encode(&deep))).refused(400, "invalidFilter");
}

#[test]
fn s_3_4_2_3_results_are_sorted() {
    let check = |query: &str, names: &str| assert_eq!(users(query), names, "{query}");
    check("sortBy=userName", "ada bob carol");
    check("sortBy=userName&sortOrder=descending", "carol bob ada");
    check("sortBy=name.familyName", "ada bob carol");
    check("sortBy=emails.value&sortOrder=ascending", "ada bob carol");
    check("sortBy=externalId&count=1&startIndex=2", "bob");
    check("sortBy=title", "carol ada bob");
    server().get("/Users?sortBy=name").refused(400, "invalidValue");
    server().get("/Users?sortBy=shoeSize").refused(400, "invalidValue");
}

#[test]
fn s_3_4_2_3_04_06_missing_values_and_letter_case() {
    let server = Server::new();
    for (name, title) in
        [("a", json!("b")), ("b", json!(null)), ("c", json!("A")), ("d", json!("É")), ("e", json!("z"))]
    {
        server.created("/Users", json!({ "schemas": [USER], "userName": name, "title": title }));
    }
    let names = |query: &str| server.get(query).column("userName").join("");
    assert_eq!(names("/Users?sortBy=title"), "caedb");
    assert_eq!(names("/Users?sortBy=title&sortOrder=descending"), "bdeac");
}

#[test]
fn s_3_4_2_3_06_numbers_and_dates_are_sorted_by_what_they_are() {
    let server = Server::with(|builder| builder.registry(crate::harness::badges()));
    for (number, uses, weight, seen) in [
        ("a", json!(10), json!(1.5), json!("2026-01-01T12:00:00+02:00")),
        ("b", json!(9), json!(12), json!("2026-01-01T11:00:00Z")),
        ("c", json!(-1), json!(1.25), json!(null)),
        ("d", json!(null), json!(2), json!("2025-12-31T23:59:59.5-12:00")),
    ] {
        let badge = json!({ "number": number, "uses": uses, "weight": weight, "seen": seen });
        server.created("/Badges", badge);
    }
    for (by, ascending) in [("uses", "cbad"), ("weight", "cadb"), ("seen", "abdc")] {
        let names = |order: &str| {
            server.get(&format!("/Badges?sortBy={by}&sortOrder={order}")).column("number").join("")
        };
        assert_eq!(names("ascending"), ascending, "{by}");
        assert_eq!(names("descending"), ascending.chars().rev().collect::<String>(), "{by}");
    }
}

#[test]
fn s_3_4_2_3_01_sorting_that_is_switched_off_is_ignored() {
    let server = Server::with(|builder| builder.options(|options| options.features.sort = false));
    for name in ["b", "a"] {
        server.user(name);
    }
    assert_eq!(server.get("/Users?sortBy=userName").column("userName"), ["b", "a"]);
    assert_eq!(server.get("/ServiceProviderConfig").json["sort"], json!({ "supported": false }));
}

#[test]
fn s_3_4_2_2_01_filters_that_are_switched_off_are_501() {
    let server = Server::with(|builder| builder.options(|options| options.features.filter = false));
    server.get("/Users?filter=id%20pr").refused(501, "");
    assert_eq!(server.get("/ServiceProviderConfig").json["filter"]["supported"], false);
}

#[test]
fn s_3_4_2_1_01_03_a_query_on_the_root_covers_all_types() {
    let server = server();
    let list = server.get("/");
    assert_eq!(list.ok()["totalResults"], 4);
    let list = server.get(&format!("/?filter={}", encode(r#"userName eq "ada" or displayName eq "tour""#)));
    assert_eq!(list.ok()["totalResults"], 2);
    assert_eq!(list.column("displayName"), ["-", "Tour"]);
    let groups = server.get(&format!("?filter={}", encode(r#"meta.resourceType eq "Group""#)));
    assert_eq!(groups.column("displayName"), ["Tour"]);
    // An attribute that no resource type has is unknown, and not one without a value.
    server.get(&format!("/?filter={}", encode(r#"shoeSize eq "9""#))).refused(400, "invalidFilter");
    let paged = server.get("/?startIndex=4&count=5&attributes=displayName");
    assert_eq!(paged.ok()["totalResults"], 4);
    assert_eq!(paged.resources()[0], json!({ "schemas": [GROUP], "id": "r-00004", "displayName": "Tour" }));
    server.send(request(Method::DELETE, "/")).refused(405, "");
}

#[test]
fn filter_on_a_name_that_no_resource_type_has_is_refused() {
    const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
    let names = [
        "urn:example:none:1.0:User:code",
        "urn:ietf:params:scim:schemas:extension:enterprize:2.0:User:department",
        "urn:ietf:params:scim:schemas:core:2.0:Usr:title",
        "foo:bar:x",
        "https://example.com/scim/user:code",
        "shoeSize",
        &format!("{ENTERPRISE}:shoeSize"),
        "name.nope",
    ];
    let strict = Server::with(|builder| builder.options(|options| options.compat = Compat::strict()));
    for server in [server(), strict] {
        for name in names {
            let tests = [
                format!(r#"{name} eq "1""#),
                format!(r#"{name} ne "1""#),
                format!(r#"not ({name} eq "1")"#),
                format!("{name} pr"),
                format!(r#"userName eq "ada" or {name} eq "1""#),
                format!(r#"userName eq "ada" and not ({name} pr)"#),
            ];
            for filter in tests {
                for path in ["/Users", "/"] {
                    let answer = server.get(&format!("{path}?filter={}", encode(&filter)));
                    answer.refused(400, "invalidFilter");
                    let body = json!({ "schemas": [SEARCH], "filter": filter });
                    let slash = if path == "/" { "" } else { path };
                    server.post(&format!("{slash}/.search"), body).refused(400, "invalidFilter");
                }
            }
            for path in ["/Users", "/"] {
                server.get(&format!("{path}?sortBy={}", encode(name))).refused(400, "invalidValue");
            }
            // RFC 7644 §3.9 names no error for `attributes`: an unknown name is ignored (A-28).
            server.get(&format!("/Users?attributes={}", encode(name))).ok();
        }
        let bracketed = server.get(&format!("/?filter={}", encode("emails[nope pr]")));
        bracketed.refused(400, "invalidFilter");
    }
    // One resource type has each of these.
    let server = server();
    for (filter, total) in [
        (r#"userName eq "ada""#, 1),
        (r#"userName ne "ada""#, 3),
        (r#"members[value pr] or emails[type eq "work"]"#, 4),
        (&format!("{ENTERPRISE}:department pr"), 0),
    ] {
        assert_eq!(
            server.get(&format!("/?filter={}", encode(filter))).ok()["totalResults"],
            total,
            "{filter}"
        );
    }
    assert_eq!(server.get("/?sortBy=userName").ok()["totalResults"], 4);
}

/// Q-FILTER-UNQUOTED: a literal without quotes is text where the attribute is a string.
#[test]
fn literals_without_quotes_are_decided_by_the_type_of_the_attribute() {
    const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
    let dora = json!({
        "schemas": [USER, ENTERPRISE], "userName": "dora", "externalId": "701984", "active": true,
        "name": { "familyName": "True", "givenName": "O'Dora" },
        "phoneNumbers": [{ "value": "+49301234567" }, { "value": "123456" }],
        ENTERPRISE: { "employeeNumber": "0042" },
    });
    let strict = Server::with(|builder| builder.options(|options| options.compat = Compat::strict()));
    let lenient = server();
    lenient.created("/Users", dora.clone());
    strict.created("/Users", dora);
    for filter in [
        "externalId eq 701984",
        &format!("{ENTERPRISE}:employeeNumber eq 0042"),
        "phoneNumbers.value eq 123456",
        "phoneNumbers[value eq +49301234567]",
        "name.givenName eq O'Dora",
        "name.familyName eq True and active eq True",
    ] {
        let path = format!("/Users?filter={}", encode(filter));
        assert_eq!(lenient.get(&path).column("userName"), ["dora"], "{filter}");
        let body = json!({ "schemas": [SEARCH], "filter": filter });
        assert_eq!(lenient.post("/.search", body).ok()["totalResults"], 1, "{filter}");
        strict.get(&path).refused(400, "invalidFilter");
    }
    for value in
        ["%22x%22", "&quot;x&quot;", "`x`", "<x>", "x;", "?", "undefined", "$1", "'x'", "*", "{0}", "“x”"]
    {
        let answer = lenient.get(&format!("/Users?filter=userName%20eq%20{}", encode(value)));
        answer.refused(400, "invalidFilter");
        assert!(answer.detail().contains('('), "no hint: {}", answer.detail());
    }
    let target = format!("/Users/{}", lenient.get("/Users?filter=userName%20eq%20dora").column("id")[0]);
    let operation =
        json!([{ "op": "replace", "path": "phoneNumbers[value eq 123456].type", "value": "work" }]);
    assert_eq!(lenient.operations(&target, operation.clone()).json["phoneNumbers"][1]["type"], "work");
    let target = format!("/Users/{}", strict.get("/Users").column("id")[0]);
    strict.operations(&target, operation).refused(400, "invalidFilter");
}

#[test]
fn s_3_4_2_1_02_too_many_resources_are_400() {
    let server = Server::with(|builder| builder.options(|options| options.limits.scan_limit = Some(1)));
    server.user("a");
    assert_eq!(server.get("/Users").status, 200);
    server.user("b");
    server.get("/Users").refused(400, "tooMany");
}

#[test]
fn s_3_4_3_a_search_is_a_query_and_creates_nothing() {
    let server = server();
    let body = json!({
        "schemas": [SEARCH], "attributes": ["userName"], "filter": r#"name.familyName eq "king""#,
        "sortBy": "userName", "sortOrder": "descending", "startIndex": 1, "count": 1,
    });
    let query = "attributes=userName&filter=name.familyName%20eq%20%22king%22&sortBy=userName&sortOrder=descending&startIndex=1&count=1";
    let searched = server.post("/Users/.search", body);
    assert_eq!(searched.ok(), server.get(&format!("/Users?{query}")).ok());
    assert_eq!(searched.column("userName"), ["bob"]);
    assert_eq!(server.post("/.search", json!({ "schemas": [SEARCH] })).ok()["totalResults"], 4);
    assert_eq!(server.get("/Users").json["totalResults"], 3);
    server.post("/Users/.search", json!({ "schemas": [USER] })).refused(400, "invalidSyntax");
    server.post("/Users/.search", json!({ "schemas": [SEARCH], "filter": "" })).refused(400, "invalidFilter");
    server.get("/Users/.search").refused(405, "");
    assert_eq!(server.get("/Users/.search").header("allow"), "POST");
    server.post("/Nothing/.search", json!({ "schemas": [SEARCH] })).refused(404, "");
}

#[test]
fn q_resource_schemas_each_listed_resource_has_its_schemas() {
    let server = server();
    for resource in server.get("/?attributes=userName").resources() {
        assert!(resource["schemas"].as_array().is_some_and(|schemas| !schemas.is_empty()));
        assert!(resource["id"].is_string());
    }
}

#[test]
fn q_query_plus_and_dangling_separators() {
    let server = server();
    let list = server.get("/Users?filter=userName+eq+%22ada%22&");
    assert_eq!(list.column("userName"), ["ada"]);
    assert_eq!(server.get("/Users?").ok()["totalResults"], 3);
    let value: Value = server.get("/Users?aadOptscim062020").json;
    assert_eq!(value["totalResults"], 3);
}

#[test]
fn s_7_5_2_02_s_3_12_22_sensitive_attributes_are_not_filtered_in_a_uri() {
    let server = Server::with(|builder| {
        builder.options(|options| {
            options.sensitive_attributes = vec!["phoneNumbers".to_owned(), "emails.value".to_owned()];
        })
    });
    server.user("ada");
    for filter in [
        r#"phoneNumbers.value eq "1""#,
        r#"userName pr and PHONENUMBERS[type eq "work"]"#,
        r#"emails eq "a@example.com""#,
        r#"emails[value sw "a"]"#,
    ] {
        let filter_in_uri = format!("filter={}", encode(filter));
        server.get(&format!("/Users?{filter_in_uri}")).refused(403, "sensitive");
        server.get(&format!("/?{filter_in_uri}")).refused(403, "sensitive");
        let searched = server.post("/Users/.search", json!({ "schemas": [SEARCH], "filter": filter }));
        assert_eq!(searched.ok()["totalResults"], 0);
    }
    assert_eq!(server.get(&format!("/Users?filter={}", encode(r#"emails.type eq "work""#))).status, 200);
}

/// A page that ends early says so, and a client that continues where it ended misses nothing.
#[test]
fn s_3_4_2_4_a_page_of_large_resources_ends_early() {
    let server = Server::with(|builder| builder.options(|options| options.limits.page_bytes = 10_000));
    let title = "x".repeat(4_000);
    for name in ["a", "b", "c", "d", "e"] {
        server.created("/Users", json!({ "schemas": [USER], "userName": name, "title": title }));
    }
    let (mut seen, mut sizes) = (Vec::new(), Vec::new());
    while seen.len() < 5 {
        let page = server.get(&format!("/Users?startIndex={}&count=4", seen.len() + 1));
        assert_eq!(page.ok()["totalResults"], 5);
        assert_eq!(page.json["itemsPerPage"], page.resources().len());
        sizes.push(page.resources().len());
        seen.extend(page.column("userName").iter().map(ToString::to_string));
    }
    assert_eq!((seen.concat().as_str(), sizes), ("abcde", vec![2, 2, 1]));

    let (mut seen, mut cursor) = (String::new(), String::new());
    loop {
        let page =
            server.get(&format!("/Users?cursor={cursor}&count=4&sortBy=userName&sortOrder=descending"));
        seen.extend(page.column("userName"));
        let Some(next) = page.ok()["nextCursor"].as_str() else { break };
        next.clone_into(&mut cursor);
    }
    assert_eq!(seen, "edcba");
    // One that is too large alone is a page of its own; what is not shown counts too.
    let title = "x".repeat(20_000);
    server.created("/Users", json!({ "schemas": [USER], "userName": "f", "title": title }));
    let page = server.get("/Users?startIndex=6&attributes=userName");
    assert_eq!(page.column("userName"), ["f"]);
}

#[test]
fn query_that_would_cause_more_work_than_allowed_returns_400_too_many() {
    let server = Server::with(|builder| builder.options(|options| options.limits.max_work = 20_000));
    for name in ["ada", "grace"] {
        let title = "é".repeat(320);
        server.created("/Users", json!({"schemas": [USER], "userName": name, "title": title}));
    }
    assert_eq!(server.get("/Users?filter=title%20pr").ok()["totalResults"], 2);
    let refused = server.get("/Users?filter=title%20co%20%22x%22%20or%20title%20co%20%22y%22");
    let detail = refused.refused(400, "tooMany").json["detail"].as_str().expect("a detail");
    assert!(detail.contains("split it, or ask for less at once"), "{detail}");
    server.get("/Users?sortBy=title").refused(400, "tooMany");
}
