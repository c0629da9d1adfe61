use scim2_core::{Compat, Object, Quirk, Version};
use scim2_protocol::{BulkMethod, BulkOperation, BulkRequest, BulkResponse, BulkTarget, MessageErrorKind};

use crate::helper::object;

fn read(json: &str, compat: &Compat) -> Result<BulkRequest, (MessageErrorKind, String)> {
    BulkRequest::from_object(object(json), compat).map_err(|error| (error.kind(), error.to_string()))
}

#[test]
fn rfc7644_3_7_every_printed_request() {
    let mut seen = 0;
    for (name, text) in scim2_testkit::examples::all() {
        if !text.contains("messages:2.0:BulkRequest") {
            continue;
        }
        seen += 1;
        let request = read(text, &Compat::strict()).expect(name);
        let written = serde_json::to_string(&request).expect("writes");
        assert_eq!(object(&written), object(text), "{name}");
        assert!(request.operations.iter().all(|operation| operation.target().is_some()), "{name}");
    }
    assert!(seen >= 3, "{seen} requests");
}

#[test]
fn a_17_rfc7644_3_7_every_printed_response() {
    let mut seen = 0;
    for (name, text) in scim2_testkit::examples::all() {
        if !name.starts_with("7644") || !text.contains("messages:2.0:BulkResponse") {
            continue;
        }
        seen += 1;
        let response: BulkResponse = serde_json::from_str(text).expect(name);
        let written = serde_json::to_string(&response).expect("writes");
        assert!(!written.contains("\"code\""), "{name}");
        assert_eq!(serde_json::from_str::<BulkResponse>(&written).expect(name), response, "{name}");
        for operation in &response.operations {
            let error = operation.error();
            assert_eq!(error.is_some(), operation.status.as_u16() >= 400, "{name}");
            assert!(error.is_none_or(|error| error.detail.is_some()), "{name}");
        }
    }
    assert!(seen >= 4, "{seen} responses");
}

#[test]
fn s_3_7_ambiguous_bulk_request_is_refused() {
    use MessageErrorKind::{InvalidValue, MissingMember, UnknownMethod, WrongType};
    for (json, kind, line) in [
        ("{}", MissingMember, "expected `Operations` in a BulkRequest, found none"),
        (r#"{"Operations": []}"#, MissingMember, "expected `Operations` in a BulkRequest, found none"),
        (
            r#"{"Operations": {}}"#,
            WrongType,
            "expected an array in `Operations` of a BulkRequest, found an object",
        ),
        (r#"{"Operations": [7]}"#, WrongType, "expected a bulk operation as an object, found a number"),
        (
            r#"{"Operations": [{"path": "/Users"}]}"#,
            MissingMember,
            "expected `method` in a bulk operation, found none",
        ),
        (
            r#"{"Operations": [{"method": "PUT"}]}"#,
            MissingMember,
            "expected `path` in a bulk operation, found none",
        ),
        (
            r#"{"Operations": [{"method": "GET", "path": "/Users"}]}"#,
            UnknownMethod,
            "expected `POST`, `PUT`, `PATCH` or `DELETE` in `method`, found `GET`",
        ),
        (
            r#"{"Operations": [{"method": "POST", "path": "/Users", "data": {}}]}"#,
            MissingMember,
            "expected `bulkId` in a bulk operation, found none",
        ),
        (
            r#"{"Operations": [{"method": "POST", "path": "/Users", "bulkId": "a"}, {"method": "POST", "path": "/Users", "bulkId": "a"}]}"#,
            InvalidValue,
            "expected a name of its own for each operation in `bulkId`, found `a`",
        ),
        (
            r#"{"failOnErrors": 0, "Operations": []}"#,
            InvalidValue,
            "expected an integer above 0 in `failOnErrors`, found `0`",
        ),
    ] {
        assert_eq!(read(json, &Compat::default()), Err((kind, line.to_owned())), "{json}");
    }
}

#[test]
fn s_3_7_mistake_in_one_operation_does_not_refuse_the_request() {
    let json = r#"{"operations": [{"METHOD": "post", "Path": "/Nope/1", "bulkid": "a"}], "x": 1}"#;
    let request = read(json, &Compat::default()).expect("valid");
    let operation = &request.operations[0];
    assert_eq!((operation.method, &operation.data), (BulkMethod::Post, &None));
    assert_eq!(operation.target(), Some(BulkTarget { endpoint: "/Nope", id: Some("1") }));
    let (kind, _) = read(json, &Compat::default().with(Quirk::UnknownKeys, false)).expect_err("unknown");
    assert_eq!(kind, MessageErrorKind::UnknownMember);
}

#[test]
fn s_3_7_05_targets() {
    for (path, expected) in [
        ("/Users", Some(("/Users", None))),
        ("/Users/1", Some(("/Users", Some("1")))),
        ("/Users/bulkId:a", Some(("/Users", Some("bulkId:a")))),
        ("/Users/", None),
        ("/", None),
        ("", None),
        ("Users/1", None),
        ("//1", None),
        ("/Users/1/2", None),
        ("https://example.com/Users/1", None),
    ] {
        let operation = BulkOperation::delete(path);
        assert_eq!(operation.target().map(|target| (target.endpoint, target.id)), expected, "{path:?}");
    }
}

#[test]
fn s_3_7_2_01_what_a_client_builds() {
    let manager = Object::from_iter([("value", BulkOperation::reference("boss"))]);
    let request = BulkRequest::new(vec![
        BulkOperation::create("/Users", "boss", Object::from_iter([("userName", "b")])),
        BulkOperation::replace("/Users/1", Object::from_iter([("manager", manager)]))
            .if_match(&Version::from(3)),
        BulkOperation::delete("/Users/2"),
    ])
    .fail_on_errors(0);
    insta::assert_snapshot!(serde_json::to_string_pretty(&request).expect("writes"), @r#"
    {
      "schemas": [
        "urn:ietf:params:scim:api:messages:2.0:BulkRequest"
      ],
      "failOnErrors": 1,
      "Operations": [
        {
          "method": "POST",
          "path": "/Users",
          "bulkId": "boss",
          "data": {
            "userName": "b"
          }
        },
        {
          "method": "PUT",
          "path": "/Users/1",
          "version": "W/\"3\"",
          "data": {
            "manager": {
              "value": "bulkId:boss"
            }
          }
        },
        {
          "method": "DELETE",
          "path": "/Users/2"
        }
      ]
    }
    "#);
}

#[test]
fn s_error_nonstandard_bulk_responses_of_real_providers() {
    let read = |json: &str| serde_json::from_str::<BulkResponse>(json).map_err(|error| error.to_string());
    let json = r#"{"schemas": ["urn:scim:api:messages:1.0:BulkResponse"], "operations": [{"method": "delete", "status": 204, "x": 1}]}"#;
    assert_eq!(read(json).expect("read").operations[0].status, 204);
    assert!(read(r#"{"Operations": []}"#).expect("read").operations.is_empty());
    for (json, line) in [
        ("{}", "expected `Operations` in a BulkResponse, found none"),
        (r#"{"detail": "no"}"#, "expected `Operations` in a BulkResponse, found none"),
        (
            r#"{"Operations": [{"method": "PUT"}]}"#,
            "expected `status` in the result of a bulk operation, found none",
        ),
        (
            r#"{"Operations": [{"method": "PUT", "status": "fine"}]}"#,
            "expected an HTTP status in `status`, found a string",
        ),
    ] {
        assert_eq!(read(json).expect_err(json), line);
    }
}
