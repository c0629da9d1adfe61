//! The PatchOp message: what is read, what is refused, what is written.

use scim2_core::{Compat, Quirk};
use scim2_patch::{Limits, Op, PatchErrorKind, PatchOp};

use crate::support::object;

#[track_caller]
fn read(message: &str, compat: &Compat) -> Result<PatchOp, String> {
    PatchOp::from_object(object(message), compat, &Limits::DEFAULT)
        .map_err(|error| error.scim_type().to_string())
}

/// A message, and how many operations are read by default and in strict mode, or the `scimType`.
type MessageCase = (&'static str, &'static str, Result<usize, &'static str>, Result<usize, &'static str>);

#[track_caller]
fn check(label: &str, message: &str, default: Result<usize, &str>, strict: Result<usize, &str>) {
    for (compat, expected) in [(Compat::default(), default), (Compat::strict(), strict)] {
        let count = read(message, &compat).map(|op| op.operations().len());
        assert_eq!(count, expected.map_err(str::to_owned), "{label} in {:?}", compat.mode());
    }
}

#[test]
fn rfc7644_3_5_2_messages() {
    const FAULT: Result<usize, &str> = Err("invalidSyntax");
    let table: &[MessageCase] = &[
        (
            "as in the RFC",
            r#"{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{"op":"add","path":"a","value":1}]}"#,
            Ok(1),
            Ok(1),
        ),
        (
            "A-08, A-09: in other letter cases",
            r#"{"SCHEMAS":["urn:ietf:params:scim:api:messages:2.0:patchop"],"operations":[{"OP":"Add","Path":"a","VALUE":1},{"op":"REMOVE","path":"a"}]}"#,
            Ok(2),
            Ok(2),
        ),
        ("S-3.5.2-02, Q-PATCH-NO-SCHEMAS", r#"{"Operations":[{"op":"remove","path":"a"}]}"#, Ok(1), FAULT),
        (
            "no schemas but null",
            r#"{"schemas":null,"Operations":[{"op":"remove","path":"a"}]}"#,
            Ok(1),
            FAULT,
        ),
        (
            "S-3.5.2-02: another schema",
            r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"Operations":[{"op":"remove","path":"a"}]}"#,
            FAULT,
            FAULT,
        ),
        (
            "S-3.5.2-03: no operations",
            r#"{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"]}"#,
            FAULT,
            FAULT,
        ),
        (
            "S-3.5.2-03: an empty array",
            r#"{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[]}"#,
            FAULT,
            FAULT,
        ),
        (
            "S-3.5.2-03: no array",
            r#"{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":{"op":"remove","path":"a"}}"#,
            FAULT,
            FAULT,
        ),
        (
            "an operation that is none",
            r#"{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":["remove"]}"#,
            FAULT,
            FAULT,
        ),
        (
            "S-3.5.2-04: another op",
            r#"{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{"op":"move","path":"a"}]}"#,
            FAULT,
            FAULT,
        ),
        (
            "S-3.5.2-04: no op",
            r#"{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{"path":"a","value":1}]}"#,
            FAULT,
            FAULT,
        ),
        (
            "S-3.5.2-04: an op that is not a string",
            r#"{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{"op":1,"path":"a"}]}"#,
            FAULT,
            FAULT,
        ),
        (
            "a path that is not a string",
            r#"{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{"op":"remove","path":["a"]}]}"#,
            FAULT,
            FAULT,
        ),
        (
            "a path that is null is none",
            r#"{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{"op":"add","path":null,"value":{}}]}"#,
            Ok(1),
            Ok(1),
        ),
        (
            "Q-UNKNOWN-KEYS",
            r#"{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"id":"1","Operations":[{"op":"add","name":"x","path":"a","value":1}]}"#,
            Ok(1),
            FAULT,
        ),
    ];
    for (label, message, default, strict) in table {
        check(label, message, *default, *strict);
    }
}

#[test]
fn a_13_malformed_paths() {
    let table = [
        ("", "invalidPath"),
        ("emails[0]", "invalidPath"),
        ("emails[-1].value", "invalidPath"),
        ("emails[type eq \"work\"", "invalidPath"),
        ("emails]", "invalidPath"),
        ("emails[type eq \"work\"].value.x", "invalidPath"),
        ("emails[type eq \"work\"]value", "invalidPath"),
        ("emails[]", "invalidFilter"),
        ("emails[type xx \"work\"]", "invalidFilter"),
        ("emails[type eq work\"]", "invalidFilter"),
        ("name..givenName", "invalidPath"),
        ("name.givenName.x", "invalidPath"),
        (".name", "invalidPath"),
        ("1name", "invalidPath"),
        ("na me", "invalidPath"),
        ("/name/givenName", "invalidPath"),
        ("emails[type eq \"a\" and addresses[type eq \"b\"]]", "invalidFilter"),
    ];
    for (path, scim_type) in table {
        let message = format!(
            r#"{{"schemas":["{}"],"Operations":[{{"op":"remove","path":{}}}]}}"#,
            PatchOp::SCHEMA,
            serde_json::to_string(path).expect("a text")
        );
        assert_eq!(read(&message, &Compat::strict()), Err(scim_type.to_owned()), "{path}");
    }
}

#[test]
fn limits_hold_at_the_bound_and_far_beyond() {
    let message = |count: usize| {
        let operations = vec![r#"{"op":"remove","path":"title"}"#; count].join(",");
        object(&format!(r#"{{"schemas":["{}"],"Operations":[{operations}]}}"#, PatchOp::SCHEMA))
    };
    let read = |count| PatchOp::from_object(message(count), &Compat::default(), &Limits::DEFAULT);
    assert_eq!(read(1000).expect("at the bound").operations().len(), 1000);
    for count in [1001, 100_000] {
        assert_eq!(*read(count).expect_err("too many").kind(), PatchErrorKind::TooManyOperations(1000));
    }
    let mut limits = Limits::DEFAULT;
    limits.max_path_length = 10;
    limits.max_operations = 2;
    assert!(PatchOp::from_object(message(2), &Compat::default(), &limits).is_ok());
    assert!(PatchOp::from_object(message(3), &Compat::default(), &limits).is_err());
    let long = object(r#"{"Operations":[{"op":"remove","path":"titletitletitle"}]}"#);
    let error = PatchOp::from_object(long, &Compat::default(), &limits).expect_err("too long");
    assert!(matches!(error.kind(), PatchErrorKind::Path { .. }), "{error}");
}

#[test]
fn written_message_reads_back_equal() {
    let op = PatchOp::new()
        .add("emails", serde_json::json!([{"value": "a@example.org"}]))
        .and_then(|op| op.replace(r#"emails[type eq "work"].value"#, "b@example.org"))
        .and_then(|op| op.remove("urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager"))
        .expect("good paths")
        .with(Op::Replace, None, Some(serde_json::json!({"active": false}).into()));
    let json = serde_json::to_string(&op).expect("JSON");
    assert_eq!(serde_json::from_str::<PatchOp>(&json).expect("a PatchOp"), op);
    insta::assert_snapshot!(json, @r#"{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{"op":"add","path":"emails","value":[{"value":"a@example.org"}]},{"op":"replace","path":"emails[type eq \"work\"].value","value":"b@example.org"},{"op":"remove","path":"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager"},{"op":"replace","value":{"active":false}}]}"#);
    let strict = PatchOp::from_object(op.to_object(), &Compat::strict(), &Limits::DEFAULT);
    assert_eq!(strict, Ok(op));
}

#[test]
fn debug_shows_no_values() {
    let op = PatchOp::new().replace("password", "hunter2").expect("a good path");
    assert_eq!(format!("{op:?}"), "[replace password (a string)]");
}

#[test]
fn each_leniency_of_the_message_is_a_switch() {
    let no_schemas = r#"{"Operations":[{"op":"remove","path":"a"}]}"#;
    assert!(read(no_schemas, &Compat::default().with(Quirk::PatchNoSchemas, false)).is_err());
    let unknown = format!(
        r#"{{"schemas":["{}"],"id":1,"Operations":[{{"op":"remove","path":"a"}}]}}"#,
        PatchOp::SCHEMA
    );
    assert!(read(&unknown, &Compat::default().with(Quirk::UnknownKeys, false)).is_err());
    assert!(read(&unknown, &Compat::strict().with(Quirk::UnknownKeys, true)).is_ok());
    let within = format!(
        r#"{{"schemas":["{}"],"Operations":[{{"op":"remove","path":"a","name":"x"}}]}}"#,
        PatchOp::SCHEMA
    );
    assert!(read(&within, &Compat::default().with(Quirk::UnknownKeys, false)).is_err());
    assert_eq!(
        read(&within, &Compat::default()).expect("it is tolerated").leniencies(),
        [Quirk::UnknownKeys]
    );
}

#[cfg(feature = "schemars")]
#[test]
fn json_schema_has_the_name_of_the_message() {
    assert_eq!(<PatchOp as schemars::JsonSchema>::schema_name(), "PatchOp");
}
