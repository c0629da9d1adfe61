//! An operation whose path holds an unknown name is skipped, so that it does not lose the others
//! ([`Quirk::UnknownPath`]). If nothing else is understood, the PATCH is refused.

use scim2_core::validate::log_path;
use scim2_core::{Compat, Quirk};
use scim2_patch::{MemberDelta, PatchOp};

use crate::support::{Becomes, Fails, Stays, check, check_one, object, resource_type, run};

const UNKNOWN: [&str; 7] = [
    "shoeSize",
    "shoeSize.value",
    "name.shoeSize",
    "title.shoeSize",
    r#"shoeSize[value eq \"38\"].value"#,
    r#"emails[type eq \"work\"].shoeSize"#,
    "urn:example:unknown:1.0:User:shoeSize",
];
const UNKNOWN_IN_EXTENSION: [&str; 3] = [
    "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:shoeSize",
    "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.shoeSize",
    "urn:ietf:params:scim:schemas:core:2.0:User:shoeSize",
];

fn operations(path: &str) -> [String; 3] {
    [
        format!(r#"{{"op":"add","path":"{path}","value":"38"}}"#),
        format!(r#"{{"op":"replace","path":"{path}","value":{{"a":["b"]}}}}"#),
        format!(r#"{{"op":"remove","path":"{path}"}}"#),
    ]
}

#[test]
fn operation_with_unknown_path_is_skipped_beside_others() {
    let type_ = resource_type("User");
    let off = Compat::default().with(Quirk::UnknownPath, false);
    for path in UNKNOWN.iter().chain(&UNKNOWN_IN_EXTENSION) {
        for operation in operations(path) {
            let before = object(r#"{"userName":"ada","active":true}"#);
            let deactivation = r#"{"op":"replace","path":"active","value":false}"#;
            for message in [format!("[{operation},{deactivation}]"), format!("[{deactivation},{operation}]")]
            {
                let mut user = before.clone();
                let applied = run(&message, &mut user, &type_, &Compat::default()).expect(&message);
                assert_eq!(user, object(r#"{"userName":"ada","active":false}"#), "{message}");
                assert!(applied.leniencies().contains(&Quirk::UnknownPath), "{message}");
                assert_eq!(*applied.ignored(), [log_path(path).into_boxed_str()], "{message}");
                for compat in [Compat::strict(), off] {
                    let mut user = before.clone();
                    let error = run(&message, &mut user, &type_, &compat).expect_err(&message);
                    assert_eq!(error.scim_type().as_str(), "invalidPath", "{message}");
                    assert_eq!(user, before, "{message}");
                }
            }
            // Nothing at all was understood.
            for message in [format!("[{operation}]"), format!("[{operation},{operation}]")] {
                let mut user = before.clone();
                let error = run(&message, &mut user, &type_, &Compat::default()).expect_err(&message);
                assert_eq!(error.scim_type().as_str(), "invalidPath", "{message}");
                assert_eq!(error.operation(), Some(1), "{message}");
            }
        }
    }
}

#[test]
fn unknown_name_in_filter_skips_the_operation() {
    check(
        "User",
        &Compat::default(),
        &[
            (
                "beside another",
                r#"{"userName":"ada","active":true}"#,
                r#"[{"op":"replace","path":"emails[shoeSize eq \"38\"].value","value":"a@x"},{"op":"replace","path":"active","value":false}]"#,
                Becomes(r#"{"userName":"ada","active":false}"#),
            ),
            (
                "alone",
                r#"{"userName":"ada"}"#,
                r#"[{"op":"replace","path":"emails[shoeSize eq \"38\"].value","value":"a@x"}]"#,
                Fails("invalidFilter"),
            ),
        ],
    );
}

/// What is known and wrong is refused all the same.
#[test]
fn known_path_that_is_wrong_is_not_skipped() {
    for (operation, scim_type) in [
        (r#"{"op":"replace","path":"id","value":"x"}"#, "mutability"),
        (r#"{"op":"remove","path":"userName"}"#, "mutability"),
        (r#"{"op":"replace","path":"title[value eq \"x\"]","value":"x"}"#, "invalidPath"),
        (
            r#"{"op":"replace","path":"urn:ietf:params:scim:schemas:core:2.0:User","value":"x"}"#,
            "invalidPath",
        ),
        (r#"{"op":"replace","path":"emails[primary eq 7]","value":"x"}"#, "invalidFilter"),
        (r#"{"op":"replace","path":"title","value":7}"#, "invalidValue"),
    ] {
        let operations = format!(r#"[{{"op":"add","path":"nickName","value":"A"}},{operation}]"#);
        let (type_, mut user) = (resource_type("User"), object(r#"{"userName":"ada"}"#));
        let error = run(&operations, &mut user, &type_, &Compat::default()).expect_err(operation);
        assert_eq!(error.scim_type().as_str(), scim_type, "{operation}");
        assert_eq!(user, object(r#"{"userName":"ada"}"#), "{operation}");
    }
}

#[test]
fn value_without_path_counts_if_one_of_its_keys_is_known() {
    check(
        "User",
        &Compat::default(),
        &[
            (
                "a known key",
                r#"{"userName":"ada"}"#,
                r#"[{"op":"add","path":"shoeSize","value":38},{"op":"add","value":{"shoeSize":38,"title":"Dr"}}]"#,
                Becomes(r#"{"userName":"ada","title":"Dr"}"#),
            ),
            (
                "unknown keys only",
                r#"{"userName":"ada"}"#,
                r#"[{"op":"add","path":"shoeSize","value":38},{"op":"add","value":{"shoeSize":38}}]"#,
                Fails("invalidPath"),
            ),
        ],
    );
    let alone = ("A-14", r#"{"userName":"ada"}"#, r#"[{"op":"add","value":{"shoeSize":38}}]"#, Stays);
    check_one("User", &Compat::default(), alone);
}

/// The delta of members skips what `apply` skips, and without loading the group.
#[test]
fn delta_skips_operation_with_unknown_path() {
    let group = resource_type("Group");
    let read = |operations: &str| -> PatchOp {
        serde_json::from_str(&format!(r#"{{"schemas":["{}"],"Operations":{operations}}}"#, PatchOp::SCHEMA))
            .expect("a PatchOp")
    };
    let unknown = r#"{"op":"replace","path":"urn:example:unknown:1.0:Group:tag","value":"x"}"#;
    let op = read(&format!(r#"[{unknown},{{"op":"add","path":"members","value":[{{"value":"a"}}]}}]"#));
    let delta = MemberDelta::of(&op, &group, &Compat::default()).expect("members alone");
    assert_eq!(delta.add().len(), 1);
    assert_eq!(delta.leniencies(), [Quirk::UnknownPath]);
    assert_eq!(*delta.ignored(), ["urn:example:unknown:1.0:Group:tag".into()]);
    assert!(MemberDelta::split(&op, &group, &Compat::strict()).is_none());

    // With no word about members, `apply` says whether anything was understood.
    for (operations, left) in [
        (format!("[{unknown}]"), 1),
        (format!(r#"[{unknown},{{"op":"add","path":"displayName","value":"G"}}]"#), 2),
    ] {
        let (delta, rest) =
            MemberDelta::split(&read(&operations), &group, &Compat::default()).expect("no members");
        assert!(delta.is_empty());
        assert_eq!(rest.operations().len(), left);
    }
}
