use std::error::Error as _;

use scim2_client::{ClientError, ClientErrorKind, TransportErrorKind};
use scim2_core::{Object, ScimType};
use scim2_protocol::QueryParameters;

use crate::script::{Script, answer, run, with_header};

#[track_caller]
fn fails(status: u16, body: &str) -> ClientError {
    let script = Script::new([with_header(answer(status, body), "content-type", "text/html")]);
    let client = script.client();
    run(client.endpoint::<Object>("/Users").query(&QueryParameters::default())).unwrap_err()
}

#[test]
fn s_wrong_ct_a_body_is_read_whatever_its_type() {
    let script =
        Script::new([with_header(answer(200, r#"{"totalResults":0}"#), "content-type", "text/plain")]);
    let client = script.client();
    run(client.endpoint::<Object>("/Users").query(&QueryParameters::default())).unwrap();
}

#[test]
fn s_error_nonstandard_lines() {
    for (status, body, line) in [
        (
            400,
            r#"{"schemas":["urn:ietf:params:scim:api:messages:2.0:Error"],"status":400,"scimType":"invalidFilter","detail":"at column 3"}"#,
            "the service provider answered 400 invalidFilter: at column 3",
        ),
        (
            429,
            r#"{"code":429,"message":"slow down"}"#,
            "the service provider answered 429 without a SCIM error",
        ),
        (502, "<html>\nBad gateway", "the service provider answered 502 without a SCIM error"),
        (500, "", "the service provider answered 500 without a SCIM error"),
        (
            403,
            r#"{"detail":"no","status":"401"}"#,
            "the service provider answered 403, and 401: no in the body",
        ),
        (
            200,
            "<html>Sign in",
            "expected a ListResponse in the answer 200: expected value at line 1 column 1",
        ),
        (200, r#"{"detail":"no"}"#, "expected a ListResponse in the answer 200"),
        (204, "", "the service provider answered 204 without a SCIM error"),
    ] {
        assert_eq!(fails(status, body).to_string(), line);
    }
    assert_eq!(fails(409, r#"{"scimType":"uniqueness"}"#).scim_type(), Some(&ScimType::Uniqueness));
    assert_eq!(fails(200, "{}").kind(), ClientErrorKind::UnexpectedBody);
}

#[test]
fn s_7_4_01_repeated_token_is_redacted_and_long_body_is_cut() {
    let error = fails(500, &format!("token s3cret refused {}", "é".repeat(100_000)));
    let body = error.body().unwrap();
    assert!(body.starts_with("token [redacted] refused é"), "{body}");
    assert!(body.len() <= ClientError::MAX_BODY_BYTES && body.len() > ClientError::MAX_BODY_BYTES - 4);
    assert!(!format!("{error:?}").contains("s3cret"));
    let error = fails(401, r#"{"detail":"token s3cret refused"}"#);
    assert_eq!(error.to_string(), "the service provider answered 401: token [redacted] refused");
    assert!(!format!("{error:?}").contains("s3cret"));
}

#[test]
fn a_transport_error_keeps_its_cause() {
    let script = Script::new([]);
    let error = run(script.client().service_provider_config::<Object>()).unwrap_err();
    assert_eq!(error.kind(), ClientErrorKind::Transport);
    assert_eq!(error.to_string(), "no connection to the service provider");
    assert!(error.source().is_none() && error.status().is_none() && error.body().is_none());
    let caused = scim2_client::TransportError::with_source(TransportErrorKind::Timeout, "60 s");
    assert_eq!(ClientError::from(caused).source().unwrap().to_string(), "60 s");
}
