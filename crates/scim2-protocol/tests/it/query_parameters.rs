use proptest::prelude::*;
use scim2_core::{Compat, ScimType};
use scim2_filter::AttrPath;
use scim2_protocol::{MessageErrorKind, Projection, QueryParameters, SortOrder};

fn path(text: &str) -> AttrPath {
    text.parse().expect("a path")
}

#[track_caller]
fn check(query: &str, expected: QueryParameters) {
    assert_eq!(QueryParameters::from_query_str(query, &Compat::default()), Ok(expected), "{query:?}");
}

#[track_caller]
fn refused(query: &str, kind: MessageErrorKind, line: &str) {
    let error = QueryParameters::from_query_str(query, &Compat::default()).expect_err(query);
    assert_eq!((error.kind(), error.to_string().as_str()), (kind, line), "{query:?}");
}

fn filter(text: &str) -> QueryParameters {
    QueryParameters { filter: Some(text.to_owned()), ..QueryParameters::default() }
}

#[test]
fn s_3_4_2_each_parameter() {
    check(
        "filter=title%20pr&sortBy=urn%3Aa%3AUser%3Aname.familyName&sortOrder=descending&startIndex=11&count=10&cursor=x",
        QueryParameters {
            projection: Projection::Default,
            filter: Some("title pr".to_owned()),
            sort_by: Some(path("urn:a:User:name.familyName")),
            sort_order: SortOrder::Descending,
            start_index: Some(11),
            count: Some(10),
            cursor: Some("x".to_owned()),
        },
    );
}

#[test]
fn q_query_plus_and_raw_quotes() {
    check("filter=userName+eq+\"a%2Bb\"", filter(r#"userName eq "a+b""#));
    check("filter=userName eq \"ada\"", filter(r#"userName eq "ada""#));
    check("filter=userName%20eq%20%22100%\"", filter(r#"userName eq "100%""#));
    check("filter=a+eq+\"x=y\"", filter(r#"a eq "x=y""#));
}

#[test]
fn q_query_dangling_and_q_unknown_query() {
    for query in [
        "",
        "&",
        "&&=&",
        "aadOptscim062020",
        "foo=bar&baz",
        "count=&startIndex=&sortBy=&attributes=",
        "%FF=1",
    ] {
        check(query, QueryParameters::default());
    }
    check("filter=title pr&", filter("title pr"));
}

#[test]
fn c_2_1_01_names_without_case_after_exact_ones() {
    check("FILTER=title pr", filter("title pr"));
    check("startindex=3", QueryParameters { start_index: Some(3), ..QueryParameters::default() });
    check(
        "startIndex=3&STARTINDEX=4",
        QueryParameters { start_index: Some(3), ..QueryParameters::default() },
    );
}

#[test]
fn a_60_empty_or_repeated_filter() {
    use MessageErrorKind::InvalidFilter;
    for query in ["filter=", "filter", "filter=+", "filter=%20"] {
        refused(query, InvalidFilter, "expected an expression in `filter`, found nothing");
    }
    for query in ["filter=a pr&filter=a pr", "filter=a pr&Filter=b pr"] {
        refused(query, InvalidFilter, "expected one `filter`, found several");
    }
    let error = QueryParameters::from_query_str("filter=", &Compat::default()).expect_err("empty");
    assert_eq!(error.scim_type(), ScimType::InvalidFilter);
}

#[test]
fn s_3_4_2_4_02_and_03_numbers_below_their_range() {
    for (query, start_index, count) in [
        ("startIndex=0&count=0", 1, 0),
        ("startIndex=-5&count=-1", 1, 0),
        ("startIndex=+2&count=%2010%20", 2, 10),
        ("startIndex=99999999999999999999&count=99999999999999999999", i64::MAX as u64, i64::MAX as u64),
        ("startIndex=-99999999999999999999&count=-99999999999999999999", 1, 0),
    ] {
        check(
            query,
            QueryParameters {
                start_index: Some(start_index),
                count: Some(count),
                ..QueryParameters::default()
            },
        );
    }
}

#[test]
fn a_57_malformed_numbers_are_refused() {
    for (query, line) in [
        ("count=ten", "expected an integer in `count`, found `ten`"),
        ("startIndex=1.5", "expected an integer in `startIndex`, found `1.5`"),
        ("count=1e3", "expected an integer in `count`, found `1e3`"),
        ("count=-", "expected an integer in `count`, found `-`"),
        ("count=%FF", "expected UTF-8 in `count`, found other bytes"),
        ("count=1&count=1", "expected one `count`, found several"),
    ] {
        refused(query, MessageErrorKind::InvalidValue, line);
    }
}

#[test]
fn s_3_4_2_3_05_sort_order() {
    check("sortOrder=ascending", QueryParameters::default());
    check(
        "sortOrder=Descending",
        QueryParameters { sort_order: SortOrder::Descending, ..QueryParameters::default() },
    );
    refused(
        "sortOrder=up%0Aand%20down",
        MessageErrorKind::InvalidValue,
        "expected `ascending` or `descending` in `sortOrder`, found `up\\nand down`",
    );
    refused(
        &format!("sortBy={}", "[".repeat(100_000)),
        MessageErrorKind::InvalidValue,
        &format!("expected the path of an attribute in `sortBy`, found `{}…`", "[".repeat(64)),
    );
}

#[test]
fn s_3_9_05_lists_of_names() {
    let attributes = |names: &[&str]| QueryParameters {
        projection: Projection::Attributes(names.iter().map(|name| path(name)).collect()),
        ..QueryParameters::default()
    };
    check("attributes=userName,name.givenName", attributes(&["userName", "name.givenName"]));
    check("attributes=userName,%20emails+,", attributes(&["userName", "emails"]));
    check("attributes=userName&attributes=emails", attributes(&["userName", "emails"]));
    check("attributes=a..b,1st,urn:a:2.0:User", attributes(&["urn:a:2.0:User"]));
    check(
        "excludedAttributes=members",
        QueryParameters {
            projection: Projection::ExcludedAttributes(vec![path("members")]),
            ..QueryParameters::default()
        },
    );
}

#[test]
fn a_27_both_projections() {
    let query = "attributes=userName&excludedAttributes=emails";
    check(
        query,
        QueryParameters {
            projection: Projection::Attributes(vec![path("userName")]),
            ..QueryParameters::default()
        },
    );
    for compat in [Compat::strict(), Compat::profile()] {
        let error = QueryParameters::from_query_str(query, &compat).expect_err("both");
        assert_eq!(error.kind(), MessageErrorKind::InvalidValue);
        assert_eq!(Projection::from_query_str(query, &compat), Err(error));
    }
    // A request for one resource looks at nothing else.
    let query = "attributes=userName&count=ten&filter=";
    assert_eq!(
        Projection::from_query_str(query, &Compat::strict()),
        Ok(Projection::Attributes(vec![path("userName")]))
    );
}

#[test]
fn p_2_01_a_cursor_without_value_starts() {
    for query in ["cursor&count=10", "cursor=&count=10"] {
        check(
            query,
            QueryParameters { cursor: Some(String::new()), count: Some(10), ..QueryParameters::default() },
        );
    }
}

#[test]
fn s_1_2_01_what_a_client_writes_is_encoded() {
    let query = filter(r#"displayName eq "a+b & c#d=é%" and urn:a:2.0:User:x pr"#).to_query_string();
    assert_eq!(
        query,
        "filter=displayName%20eq%20%22a%2Bb%20%26%20c%23d%3D%C3%A9%25%22%20and%20urn:a:2.0:User:x%20pr"
    );
    assert_eq!(QueryParameters::default().to_query_string(), "");
}

prop_compose! {
    fn any_query()(
        names in prop::collection::vec("[a-z][a-zA-Z0-9]{0,8}(\\.[a-z]{1,5})?", 0..4),
        exclude: bool,
        filter in prop::option::of("[^ ].{0,20}"),
        sort_by in prop::option::of("[a-z]{1,8}"),
        descending: bool,
        start_index in prop::option::of(1..=i64::MAX as u64),
        count in prop::option::of(0..=i64::MAX as u64),
        cursor in prop::option::of(".{0,12}"),
    ) -> QueryParameters {
        let names: Vec<AttrPath> = names.iter().map(|name| path(name)).collect();
        QueryParameters {
            projection: match (names.is_empty(), exclude) {
                (true, _) => Projection::Default,
                (_, true) => Projection::ExcludedAttributes(names),
                (_, false) => Projection::Attributes(names),
            },
            filter: filter.filter(|filter| !filter.trim().is_empty()),
            sort_by: sort_by.as_deref().map(path),
            sort_order: if descending { SortOrder::Descending } else { SortOrder::Ascending },
            start_index,
            count,
            cursor,
        }
    }
}

proptest! {
    #[test]
    fn written_parameters_read_back(query in any_query()) {
        let text = query.to_query_string();
        prop_assert!(text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#' && byte != b'"'));
        prop_assert_eq!(QueryParameters::from_query_str(&text, &Compat::strict()), Ok(query));
    }

    #[test]
    fn no_query_string_crashes(text in ".{0,200}") {
        let lenient = QueryParameters::from_query_str(&text, &Compat::default());
        if let Err(error) = lenient {
            prop_assert!(!error.to_string().contains('\n'));
        }
    }
}
