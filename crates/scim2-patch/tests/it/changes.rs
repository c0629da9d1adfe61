//! What a PATCH reports: which attributes changed, from what, to what.

use scim2_core::Compat;
use scim2_patch::Applied;

use crate::support::{object, resource_type, run};

/// Applies operations and gives the report as lines, `path: before -> after`.
#[track_caller]
fn report(type_name: &str, before: &str, operations: &str) -> (Applied, Vec<String>) {
    let type_ = resource_type(type_name);
    let original = object(before);
    let mut resource = original.clone();
    let applied = run(operations, &mut resource, &type_, &Compat::default()).expect("it succeeds");
    let lines = applied.changes().iter().map(|change| {
        let def = type_.attribute(change.attribute());
        let (old, new) = (change.before(&resource, &type_), change.after(&resource, &type_));
        if !def.is_never_returned() {
            assert_eq!(old.as_ref(), type_.get(&original, def.id()), "{}", def.path());
            assert_eq!(new, type_.get(&resource, def.id()), "{}", def.path());
        }
        let text = |value: Option<String>| value.unwrap_or_else(|| "-".to_owned());
        format!(
            "{}: {} -> {}",
            def.path(),
            text(old.map(|it| it.to_string())),
            text(new.map(ToString::to_string))
        )
    });
    let lines = lines.collect();
    (applied, lines)
}

#[test]
fn change_report_holds_values_before_and_after() {
    let (applied, lines) = report(
        "User",
        r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada","title":"Miss",
            "name":{"givenName":"Ada"},"nickName":"A"}"#,
        r#"[{"op":"replace","path":"title","value":"Countess"},{"op":"add","path":"name.familyName","value":"King"},
            {"op":"remove","path":"nickName"},{"op":"add","path":"active","value":true},
            {"op":"add","path":"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department","value":"X"}]"#,
    );
    assert!(applied.changed());
    insta::assert_snapshot!(lines.join("\n"), @r#"
    title: "Miss" -> "Countess"
    name: {"givenName":"Ada"} -> {"givenName":"Ada","familyName":"King"}
    nickName: "A" -> -
    active: - -> true
    urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department: - -> "X"
    schemas: ["urn:ietf:params:scim:schemas:core:2.0:User"] -> ["urn:ietf:params:scim:schemas:core:2.0:User","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"]
    "#);
}

#[test]
fn grown_list_is_not_copied() {
    let (applied, lines) = report(
        "Group",
        r#"{"displayName":"Tour","members":[{"value":"a"}]}"#,
        r#"[{"op":"add","path":"members","value":[{"value":"a"},{"value":"b"}]},
            {"op":"add","path":"members","value":{"value":"c"}}]"#,
    );
    assert_eq!(applied.changes()[0].grew_from(), Some(1));
    insta::assert_snapshot!(lines.join("\n"), @r#"members: [{"value":"a"}] -> [{"value":"a"},{"value":"b"},{"value":"c"}]"#);

    // With a removal in between there is a copy, whichever comes first.
    for operations in [
        r#"[{"op":"add","path":"members","value":[{"value":"b"}]},{"op":"remove","path":"members[value eq \"a\"]"}]"#,
        r#"[{"op":"remove","path":"members[value eq \"a\"]"},{"op":"add","path":"members","value":[{"value":"b"}]}]"#,
    ] {
        let (applied, lines) =
            report("Group", r#"{"displayName":"Tour","members":[{"value":"a"}]}"#, operations);
        assert_eq!(applied.changes()[0].grew_from(), None);
        assert_eq!(lines, [r#"members: [{"value":"a"}] -> [{"value":"b"}]"#]);
    }
}

#[test]
fn change_report_lists_attributes_of_extensions() {
    let (_, lines) = report(
        "Gadget",
        r#"{"owners":["a"],"urn:example:2.0:Label":{"code":"x","words":["w"]}}"#,
        r#"[{"op":"remove","path":"urn:example:2.0:Label:code"},{"op":"add","path":"urn:example:2.0:Label:words","value":"v"},
            {"op":"add","path":"urn:example:2.0:Label:printed","value":true}]"#,
    );
    insta::assert_snapshot!(lines.join("\n"), @r#"
    urn:example:2.0:Label:code: "x" -> -
    urn:example:2.0:Label:printed: - -> true
    urn:example:2.0:Label:words: ["w"] -> ["w","v"]
    schemas: - -> ["urn:example:2.0:Gadget","urn:example:2.0:Label"]
    "#);
}

#[test]
fn secret_values_are_not_reported() {
    let (applied, lines) = report(
        "User",
        r#"{"userName":"ada","password":"old secret"}"#,
        r#"[{"op":"replace","path":"password","value":"new secret"}]"#,
    );
    assert_eq!(lines, ["password: - -> -"]);
    assert!(!format!("{applied:?}").contains("secret"), "{applied:?}");
    assert_eq!(applied.changes()[0].grew_from(), None);
}

#[test]
fn debug_output_shows_no_values() {
    let (applied, _) = report(
        "User",
        r#"{"userName":"ada","title":"Miss","emails":[{"value":"a@x"}]}"#,
        r#"[{"op":"remove","path":"title"},{"op":"add","path":"emails","value":{"value":"b@x"}},
            {"op":"add","path":"nickName","value":"A"}]"#,
    );
    let text = format!("{:?}", applied.changes());
    assert!(!text.contains("Miss") && !text.contains("@x"), "{text}");
    assert!(text.contains("string") && text.contains("unassigned"), "{text}");
}
