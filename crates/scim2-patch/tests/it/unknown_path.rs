//! An operation whose path holds an unknown name is skipped, so that it does not lose the others
//! ([`Quirk::UnknownPath`]). If nothing else is understood, the PATCH is refused.

use scim2_core::schema::{ResourceType, Schema};
use scim2_core::validate::{IgnoredReason, log_path};
use scim2_core::{Compat, CompiledType, Quirk};
use scim2_patch::{MemberDelta, PatchOp, apply};

use crate::support::{Becomes, Fails, Stays, check, check_one, ignored_paths, object, resource_type, run};

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
                assert_eq!(ignored_paths(applied.ignored()), [log_path(path)], "{message}");
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
}

const ADA: &str = r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"],"id":"1","userName":"ada","active":true,"name":{"givenName":"Ada"},"emails":[{"value":"a@x"}],
    "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"department":"D"}}"#;

/// Forms that name nothing that the resource type has: paths, keys, and keys inside complex values.
const NOTHING_UNDERSTOOD: [&str; 20] = [
    r#"{"op":"replace","path":"shoeSize","value":38}"#,
    r#"{"op":"replace","value":{"accountEnabled":false}}"#,
    r#"{"op":"replace","value":{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"accountEnabled":false}}"#,
    r#"{"op":"add","value":{"urn:example:unknown:1.0:User":{"active":false}}}"#,
    r#"{"op":"add","value":{"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"nope":1}}}"#,
    r#"{"op":"add","value":{"urn:ietf:params:scim:schemas:core:2.0:User":{"nope":1}}}"#,
    r#"{"op":"add","value":{"name.nope":1}}"#,
    r#"{"op":"add","value":{"emails[nope eq \"x\"].value":"x"}}"#,
    r#"{"op":"replace","value":{"name":{"nope":1}}}"#,
    r#"{"op":"replace","path":"name","value":{"nope":1}}"#,
    r#"{"op":"add","path":"name","value":{"nope":1}}"#,
    r#"{"op":"add","path":"emails","value":[{"nope":1},{"nope":2}]}"#,
    r#"{"op":"add","path":"emails[value eq \"a@x\"]","value":{"nope":1}}"#,
    r#"{"op":"replace","path":"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User","value":{"nope":1}}"#,
    r#"{"op":"remove","path":"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User","value":{"nope":1}}"#,
    r#"{"op":"remove","path":"emails","value":[{"nope":1}]}"#,
    r#"{"op":"remove","path":"emails[nope eq 1]","value":"a@x"}"#,
    r#"{"op":"remove","path":"emails[nope eq 1]","value":[{"value":"a@x"}]}"#,
    r#"{"op":"replace","path":"emails[nope eq 1]","value":{"value":"b@x"}}"#,
    r#"{"op":"add","path":"emails[nope eq 1].value","value":"b@x"}"#,
];

/// One rule for paths, keys and keys inside complex values.
#[test]
fn patch_of_which_nothing_is_understood_returns_400() {
    let (type_, before) = (resource_type("User"), object(ADA));
    let deactivate = r#"{"op":"replace","path":"active","value":false}"#;
    for operation in NOTHING_UNDERSTOOD {
        for message in [format!("[{operation}]"), format!("[{operation},{operation}]")] {
            for compat in [Compat::default(), Compat::strict()] {
                let mut user = before.clone();
                run(&message, &mut user, &type_, &compat).expect_err(&message);
                assert_eq!(user, before, "{message}");
            }
            let error = run(&message, &mut before.clone(), &type_, &Compat::default()).expect_err(&message);
            let expected = if message.contains("emails[nope") { "invalidFilter" } else { "invalidPath" };
            assert_eq!(error.scim_type().as_str(), expected, "{message}: {error}");
            assert_eq!(error.operation(), Some(1), "{message}");
        }
        for message in [format!("[{operation},{deactivate}]"), format!("[{deactivate},{operation}]")] {
            let mut user = before.clone();
            let applied = run(&message, &mut user, &type_, &Compat::default()).expect(&message);
            assert_eq!(user.get("active"), Some(&false.into()), "{message}");
            assert_eq!(applied.changes().len(), 1, "{message}");
            assert_eq!(applied.ignored().len(), 1, "{message}");
        }
    }
}

/// What is known counts, even if it is readOnly, unassigned, or what the resource has already.
#[test]
fn unknown_names_beside_known_ones_are_ignored() {
    let cases = [
        r#"[{"op":"replace","value":{"id":"1","accountEnabled":false}}]"#,
        r#"[{"op":"replace","value":{"active":true,"accountEnabled":false}}]"#,
        r#"[{"op":"replace","value":{"title":null,"accountEnabled":false}}]"#,
        r#"[{"op":"add","path":"name","value":{"givenName":"Ada","nope":1}}]"#,
        r#"[{"op":"add","path":"emails","value":[{"value":"a@x","nope":1}]}]"#,
        r#"[{"op":"add","path":"emails","value":[{"nope":1},{"value":"a@x"}]}]"#,
        r#"[{"op":"add","value":{"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"department":"D","nope":1}}}]"#,
        r#"[{"op":"remove","path":"name","value":{"givenName":"Bea","nope":1}}]"#,
        r#"[{"op":"replace","value":{}}]"#,
        r#"[{"op":"add","path":"emails","value":[]}]"#,
    ];
    for operations in cases {
        check_one("User", &Compat::default(), ("known beside unknown", ADA, operations, Stays));
    }
}

/// A short name that two extensions have is not unknown: the report and the error name both.
#[test]
fn ambiguous_key_is_reported_as_ambiguous() {
    let type_ = desk();
    for key in ["code", "code.part"] {
        let value = format!(r#"{{"op":"add","value":{{"{key}":"x"}}}}"#);
        let mut desk = object(r#"{"title":"D"}"#);
        let beside = format!(r#"[{value},{{"op":"add","path":"title","value":"E"}}]"#);
        let applied = run(&beside, &mut desk, &type_, &Compat::default()).expect(key);
        let ignored: Vec<_> = applied.ignored().iter().map(|it| (&*it.path, it.reason)).collect();
        let both = [
            ("urn:example:A:code", IgnoredReason::Ambiguous),
            ("urn:example:B:code", IgnoredReason::Ambiguous),
        ];
        assert_eq!(ignored, both, "{key}");
        let alone = run(&format!("[{value}]"), &mut desk, &type_, &Compat::default()).expect_err(key);
        let line = alone.to_string();
        assert!(line.contains("`urn:example:A:code` or `urn:example:B:code`"), "{line}");
        assert_eq!(alone.scim_type().as_str(), "invalidPath");
        run(&format!("[{value}]"), &mut desk, &type_, &Compat::strict())
            .expect_err("a core attribute in strict mode");
    }
    // By a path.
    let by_path = r#"[{"op":"add","path":"code","value":"x"},{"op":"add","path":"title","value":"F"}]"#;
    let applied = run(by_path, &mut object("{}"), &type_, &Compat::default()).expect("one is understood");
    assert_eq!(ignored_paths(applied.ignored()), ["urn:example:A:code", "urn:example:B:code"]);
}

fn desk() -> CompiledType {
    let schemas: Vec<Schema> = serde_json::from_str(
        r#"[{"id":"urn:example:Desk","attributes":[{"name":"title"}]},
            {"id":"urn:example:A","attributes":[{"name":"code"}]},
            {"id":"urn:example:B","attributes":[{"name":"code"}]}]"#,
    )
    .expect("schemas");
    let type_: ResourceType = serde_json::from_str(
        r#"{"name":"Desk","endpoint":"/Desks","schema":"urn:example:Desk","schemaExtensions":[
            {"schema":"urn:example:A","required":false},{"schema":"urn:example:B","required":false}]}"#,
    )
    .expect("a resource type");
    CompiledType::compile(type_, |uri| schemas.iter().find(|schema| schema.id == *uri)).expect("it compiles")
}

/// Unknown keys beside `members` do not refuse the members.
#[test]
fn unknown_key_beside_members_is_ignored() {
    let group = resource_type("Group");
    let operations = r#"[{"op":"add","value":{"members":[{"value":"a"}],"accountEnabled":false}}]"#;
    let op: PatchOp =
        serde_json::from_str(&format!(r#"{{"schemas":["{}"],"Operations":{operations}}}"#, PatchOp::SCHEMA))
            .expect("a PatchOp");
    let (delta, rest) = MemberDelta::split(&op, &group, &Compat::default()).expect("members by id");
    assert_eq!((delta.add().len(), rest.operations().len()), (1, 1));
    let applied = apply(&rest, &mut object(r#"{"displayName":"T"}"#), &group, &Compat::default());
    assert_eq!(ignored_paths(applied.expect("members were understood").ignored()), ["accountEnabled"]);
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
    assert_eq!(ignored_paths(delta.ignored()), ["urn:example:unknown:1.0:Group:tag"]);
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
