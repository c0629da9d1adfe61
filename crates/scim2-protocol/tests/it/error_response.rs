use http::StatusCode;
use scim2_core::ScimType;
use scim2_core::json::JsonReader;
use scim2_protocol::{ErrorResponse, MediaType, status_of};

use crate::helper::object;

#[test]
fn rfc7644_3_12_every_printed_error() {
    let mut seen = 0;
    for (name, text) in scim2_testkit::examples::all() {
        if !name.starts_with("7644") || !text.contains("messages:2.0:Error") || text.contains("\"response\"")
        {
            continue;
        }
        let read = object(text);
        seen += 1;
        let error: ErrorResponse = serde_json::from_str(text).expect(name);
        assert_eq!(error.to_object(), read, "{name}");
        assert_eq!(serde_json::to_string(&error).expect("writes"), error.to_json(), "{name}");
    }
    assert!(seen >= 4, "{seen} errors");
}

#[test]
fn s_3_12_02_status_is_a_string_and_that_of_the_response() {
    let error = ErrorResponse::of_scim_type(ScimType::InvalidFilter, "at column 3");
    let response: http::Response<Vec<u8>> = error.to_response(MediaType::ScimJson);
    assert_eq!(response.status(), 400);
    assert_eq!(response.headers()["content-type"], "application/scim+json");
    assert_eq!(
        String::from_utf8_lossy(response.body()),
        r#"{"schemas":["urn:ietf:params:scim:api:messages:2.0:Error"],"status":"400","scimType":"invalidFilter","detail":"at column 3"}"#
    );
    assert_eq!(error.to_string(), "400 invalidFilter: at column 3");
}

#[test]
fn s_3_12_13_to_22_the_status_of_each_keyword() {
    for (keyword, status) in [
        ("invalidFilter", 400),
        ("tooMany", 400),
        ("uniqueness", 409),
        ("mutability", 400),
        ("invalidSyntax", 400),
        ("invalidPath", 400),
        ("noTarget", 400),
        ("invalidValue", 400),
        ("invalidVers", 400),
        ("sensitive", 403),
        ("invalidCursor", 400),
        ("expiredCursor", 400),
        ("invalidCount", 400),
        ("quotaExceeded", 400),
    ] {
        assert_eq!(status_of(&ScimType::from(keyword)), status, "{keyword}");
    }
}

#[test]
fn s_error_nonstandard_errors_of_real_providers() {
    let status = StatusCode::CONFLICT;
    for (json, expected) in [
        (r#"{"schemas": ["urn:ietf:params:scim:api:messages:2.0:Error"], "status": 404}"#, Some(404)),
        (r#"{"schemas": "urn:ietf:params:scim:api:messages:2.0:Error", "status": "x"}"#, Some(409)),
        (r#"{"detail": "no", "status": {"code": {"code": "1"}}}"#, Some(409)),
        (r#"{"scimType": "uniqueness", "status": 70000}"#, Some(409)),
        (r#"{"error": "no"}"#, None),
        (r#"{"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "status": "404"}"#, None),
    ] {
        let read = ErrorResponse::from_object(&object(json), status);
        assert_eq!(read.map(|error| error.status.as_u16()), expected, "{json}");
    }
}

#[test]
fn a_detail_is_shown_in_one_line_and_cut() {
    let detail = format!("no \"such\"\nthing {}", "é".repeat(100_000));
    let line = ErrorResponse::not_found(detail).to_string();
    assert!(line.starts_with("404: no \"such\"\\nthing é"), "{line}");
    // The status before it, the line break as two characters, the ellipsis after it.
    assert_eq!(line.chars().count(), "404: ".len() + ErrorResponse::MAX_DETAIL_CHARS + 1 + 1);
}

#[test]
fn s_3_12_05_broken_json() {
    let error = JsonReader::new().object(b"{\"a\":1,\"A\":2}").expect_err("repeated");
    assert_eq!(
        ErrorResponse::from(error).to_string(),
        "400 invalidSyntax: the name `A` occurs twice in one object, at line 1 column 10"
    );
}

#[test]
fn s_3_12_13_and_18_filters_and_paths() {
    let filter = "userName regex \"x\"".parse::<scim2_filter::Filter>().expect_err("no operator");
    assert_eq!(ErrorResponse::from(filter).scim_type, Some(ScimType::InvalidFilter));
    let path = "a..b".parse::<scim2_filter::PatchPath>().expect_err("no path");
    let error = ErrorResponse::from(path);
    assert_eq!((error.status, error.scim_type), (StatusCode::BAD_REQUEST, Some(ScimType::InvalidPath)));
}
