use scim2_core::{Compat, Quirk};
use scim2_protocol::{MessageErrorKind, Projection, QueryParameters, SearchRequest, SortOrder};

use crate::helper::object;

const URN: &str = "urn:ietf:params:scim:api:messages:2.0:SearchRequest";

fn read(json: &str, compat: &Compat) -> Result<QueryParameters, (MessageErrorKind, String)> {
    SearchRequest::from_object(object(json), compat)
        .map(|request| request.0)
        .map_err(|error| (error.kind(), error.to_string()))
}

#[test]
fn rfc7644_3_4_3_search_request() {
    let text = scim2_testkit::examples::get("7644-3.4.3-search-request").expect("a fixture");
    let query = read(text, &Compat::strict()).expect("valid");
    assert_eq!(
        query,
        QueryParameters {
            projection: Projection::Attributes(vec![
                "displayName".parse().expect("a path"),
                "userName".parse().expect("a path")
            ]),
            filter: Some(r#"displayName sw "smith""#.to_owned()),
            start_index: Some(1),
            count: Some(10),
            ..QueryParameters::default()
        }
    );
    let written = serde_json::to_string(&SearchRequest(query.clone())).expect("writes");
    assert_eq!(read(&written, &Compat::strict()), Ok(query));
}

#[test]
fn rfc9865_3_cursor_in_the_body() {
    let text = scim2_testkit::examples::get("9865-3-search-request").expect("a fixture");
    assert_eq!(read(text, &Compat::strict()).expect("valid").cursor.as_deref(), Some(""));
}

#[test]
fn s_3_4_3_02_schemas() {
    let strict = Compat::strict();
    let (kind, line) = read("{}", &strict).expect_err("no schemas");
    assert_eq!(kind, MessageErrorKind::Schemas);
    assert_eq!(line, format!("expected `{URN}` in `schemas` of a SearchRequest, found no `schemas`"));
    assert!(read("{}", &strict.with(Quirk::PatchNoSchemas, true)).is_ok());
    for schemas in [r#"["urn:other"]"#, r#""urn:other""#, "7", r#"[7]"#] {
        let json = format!(r#"{{"schemas": {schemas}}}"#);
        assert_eq!(read(&json, &Compat::default()).expect_err(schemas).0, MessageErrorKind::Schemas);
    }
    assert!(read(&format!(r#"{{"SCHEMAS": ["{}"]}}"#, URN.to_uppercase()), &strict).is_ok());
}

#[test]
fn a_09_member_names_without_case_and_unknown_ones() {
    let json = r#"{"SORTBY": "userName", "sortorder": "descending", "Name": "x"}"#;
    let query = read(json, &Compat::default()).expect("valid");
    assert_eq!(
        (query.sort_by.map(|path| path.to_string()), query.sort_order),
        (Some("userName".into()), SortOrder::Descending)
    );
    let compat = Compat::default().with(Quirk::UnknownKeys, false);
    let (kind, line) = read(json, &compat).expect_err("unknown");
    assert_eq!(
        (kind, line.as_str()),
        (MessageErrorKind::UnknownMember, "expected a member of a SearchRequest, found `Name`")
    );
}

#[test]
fn s_3_4_3_03_types_and_ranges() {
    use MessageErrorKind::{InvalidFilter, InvalidValue, WrongType};
    for (json, kind, line) in [
        (r#"{"filter": 7}"#, WrongType, "expected a string in `filter` of a SearchRequest, found a number"),
        (r#"{"filter": " "}"#, InvalidFilter, "expected an expression in `filter`, found nothing"),
        (
            r#"{"count": "10"}"#,
            InvalidValue,
            "expected an integer in `count` of a SearchRequest, found a string",
        ),
        (r#"{"count": 1.5}"#, InvalidValue, "expected an integer in `count`, found `1.5`"),
        (
            r#"{"attributes": [7]}"#,
            WrongType,
            "expected strings in `attributes` of a SearchRequest, found a number",
        ),
        (
            r#"{"sortOrder": "up"}"#,
            InvalidValue,
            "expected `ascending` or `descending` in `sortOrder`, found `up`",
        ),
    ] {
        assert_eq!(read(json, &Compat::default()), Err((kind, line.to_owned())), "{json}");
    }
    for json in [
        r#"{"startIndex": -3, "count": -3}"#,
        r#"{"startIndex": -99999999999999999999, "count": -9223372036854775809}"#,
        r#"{"startIndex": 0, "count": 0, "filter": null, "attributes": [], "sortBy": ""}"#,
    ] {
        let expected = QueryParameters { start_index: Some(1), count: Some(0), ..QueryParameters::default() };
        assert_eq!(read(json, &Compat::default()), Ok(expected), "{json}");
    }
}

#[test]
fn s_3_4_3_04_the_same_as_by_get() {
    let by_get = QueryParameters::from_query_str(
        "excludedAttributes=members,meta&filter=title+pr&sortBy=title&count=5",
        &Compat::default(),
    );
    let by_post = read(
        r#"{"excludedAttributes": ["members", "meta"], "filter": "title pr", "sortBy": "title", "count": 5}"#,
        &Compat::default(),
    );
    assert_eq!(by_get.map_err(|error| (error.kind(), error.to_string())), by_post);
}
