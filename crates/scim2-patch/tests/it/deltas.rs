//! Which PATCH is a delta of members, and which one: nobody looks at the group.

use scim2_core::schema::{ResourceType, Schema};
use scim2_core::{Compat, CompiledType, Quirk};
use scim2_patch::{MemberDelta, PatchOp, apply};

use crate::support::{ignored_paths, object, resource_type};

fn op(operations: &str) -> PatchOp {
    serde_json::from_str(&format!(r#"{{"schemas":["{}"],"Operations":{operations}}}"#, PatchOp::SCHEMA))
        .expect("a PatchOp")
}

/// `* -a -b +{"value":"c"} | rest`, where `*` is everybody; `none` if it takes the group to know.
fn delta(operations: &str, type_: &CompiledType, compat: &Compat) -> String {
    let op = op(operations);
    let Some((delta, rest)) = MemberDelta::split(&op, type_, compat) else {
        assert!(MemberDelta::of(&op, type_, compat).is_none());
        return "none".to_owned();
    };
    assert_eq!(MemberDelta::of(&op, type_, compat).is_some(), rest.is_empty(), "{operations}");
    let mut words: Vec<String> = Vec::new();
    words.extend(delta.replace_all().then(|| "*".to_owned()));
    words.extend(delta.remove().iter().map(|id| format!("-{id}")));
    words.extend(delta.add().iter().map(|member| format!("+{member}")));
    assert_eq!(delta.is_empty(), words.is_empty(), "{operations}");
    words.extend(ignored_paths(delta.ignored()).iter().map(|path| format!("({path})")));
    words.extend((!rest.is_empty()).then(|| format!("| {rest:?}")));
    words.join(" ")
}

#[track_caller]
fn check(type_: &CompiledType, compat: &Compat, cases: &[(&str, &str)]) {
    for (operations, expected) in cases {
        assert_eq!(delta(operations, type_, compat), *expected, "{operations}");
    }
}

#[test]
fn member_operations_become_a_delta() {
    let group = resource_type("Group");
    check(
        &group,
        &Compat::default(),
        &[
            (r#"[{"op":"add","path":"members","value":[{"value":"a"}]}]"#, r#"+{"value":"a"}"#),
            (r#"[{"op":"add","path":"members","value":[]}]"#, ""),
            (
                r#"[{"op":"add","path":"members","value":[{"value":"a","display":"x"},{"value":"a"}]}]"#,
                r#"+{"value":"a","display":"x"}"#,
            ),
            (r#"[{"op":"replace","path":"members","value":[{"value":"a"}]}]"#, r#"* +{"value":"a"}"#),
            (r#"[{"op":"replace","path":"members","value":[]}]"#, "*"),
            (r#"[{"op":"remove","path":"members"}]"#, "*"),
            (r#"[{"op":"remove","path":"members","value":[]}]"#, ""),
            (r#"[{"op":"remove","path":"members","value":[{"value":"a"},{"$ref":"../Users/b"}]}]"#, "-a -b"),
            (r#"[{"op":"remove","path":"members[value eq \"a\"]"}]"#, "-a"),
            (r#"[{"op":"remove","path":"members[Value eq \"a\" or value eq b]"}]"#, "-a -b"),
            (
                r#"[{"op":"remove","path":"members[value eq \"a\"]"},{"op":"remove","path":"members[value eq \"a\"]"}]"#,
                "-a",
            ),
            // In order: who leaves and joins again, who joins and leaves again.
            (
                r#"[{"op":"remove","path":"members[value eq \"a\"]"},{"op":"add","path":"members","value":{"value":"a"}}]"#,
                r#"-a +{"value":"a"}"#,
            ),
            (
                r#"[{"op":"add","path":"members","value":{"value":"a"}},{"op":"remove","path":"members[value eq \"a\"]"}]"#,
                "-a",
            ),
            (
                r#"[{"op":"replace","path":"members","value":{"value":"a"}},{"op":"remove","path":"members[value eq \"a\"]"}]"#,
                "*",
            ),
            (
                r#"[{"op":"add","path":"members","value":{"value":"a"}},{"op":"remove","path":"members"}]"#,
                "*",
            ),
            // Without a path, with other attributes beside.
            (r#"[{"op":"add","value":{"members":[{"value":"a"}]}}]"#, r#"+{"value":"a"}"#),
            (r#"[{"op":"replace","value":{"MEMBERS":[{"value":"a"}]}}]"#, r#"* +{"value":"a"}"#),
            (
                r#"[{"op":"add","value":{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"members":"a","displayName":"G"}}]"#,
                r#"+{"value":"a"} | [add (an object)]"#,
            ),
            (r#"[{"op":"add","value":{"schemas":[]}}]"#, ""),
            (
                r#"[{"op":"replace","path":"displayName","value":"G"},{"op":"remove","path":"members[value eq \"a\"]"}]"#,
                "-a | [replace displayName (a string)]",
            ),
            (
                r#"[{"op":"add","path":"members","value":{"value":"a","shoeSize":38}}]"#,
                r#"+{"value":"a"} (members.shoeSize)"#,
            ),
        ],
    );
}

/// Where the group must be seen, or something is wrong, there is none.
#[test]
fn operations_that_need_the_group_have_no_delta() {
    let group = resource_type("Group");
    let none = |compat: &Compat, operations: &[&str]| {
        for operations in operations {
            assert_eq!(delta(operations, &group, compat), "none", "{operations}");
        }
    };
    none(
        &Compat::default(),
        &[
            r#"[{"op":"remove","path":"members","value":null}]"#,
            r#"[{"op":"remove","path":"members[type eq \"User\"]"}]"#,
            r#"[{"op":"remove","path":"members[display eq \"a\"]"}]"#,
            r#"[{"op":"remove","path":"members[value sw \"a\"]"}]"#,
            r#"[{"op":"remove","path":"members[value eq \"a\" and type eq \"User\"]"}]"#,
            r#"[{"op":"remove","path":"members[value eq null]"}]"#,
            r#"[{"op":"remove","path":"members[value eq 1]"}]"#,
            r#"[{"op":"remove","path":"members.display"}]"#,
            r#"[{"op":"replace","path":"members.display","value":"x"}]"#,
            r#"[{"op":"remove","path":"members[value eq \"a\"].display"}]"#,
            r#"[{"op":"replace","path":"members[value eq \"a\"]","value":{"value":"b"}}]"#,
            r#"[{"op":"add","path":"members[value eq \"a\"]","value":{"display":"b"}}]"#,
            r#"[{"op":"add","path":"members"}]"#,
            r#"[{"op":"add","path":"members","value":7}]"#,
            r#"[{"op":"add","path":"members","value":[{"display":"x"}]}]"#,
            r#"[{"op":"add","value":7}]"#,
            r#"[{"op":"remove","value":{"members":[{"value":"a"}]}}]"#,
            r#"[{"op":"add","value":{"members[value eq \"a\"].display":"x"}}]"#,
            r#"[{"op":"add","value":{"urn:ietf:params:scim:schemas:core:2.0:Group:members":[{"value":"a"}]}}]"#,
            r#"[{"op":"add","value":{"urn:ietf:params:scim:schemas:core:2.0:Group":{"members":[{"value":"a"}]}}}]"#,
            r#"[{"op":"add","value":{"urn:example:unknown":{"x":1}}}]"#,
        ],
    );
    let strict = Compat::strict();
    none(
        &strict,
        &[
            r#"[{"op":"remove","path":"members","value":[{"value":"a"}]}]"#,
            r#"[{"op":"add","path":"shoeSize","value":7}]"#,
        ],
    );
    check(&group, &strict, &[(r#"[{"op":"remove","path":"members[value eq \"a\"]"}]"#, "-a")]);
    let profile = Compat::profile();
    none(
        &profile,
        &[
            r#"[{"op":"remove","path":"members[value eq \"a\"]"}]"#,
            r#"[{"op":"add","value":{"members":[{"value":"a"}]}}]"#,
        ],
    );
    check(
        &group,
        &profile,
        &[(r#"[{"op":"add","path":"members","value":[{"value":"a"}]}]"#, r#"+{"value":"a"}"#)],
    );
    let wrapped = Compat::default().with(Quirk::WrappedValue, false);
    none(&wrapped, &[r#"[{"op":"remove","path":"members","value":{"members":[{"value":"a"}]}}]"#]);
    // A type without members has none either.
    assert_eq!(
        delta(r#"[{"op":"add","path":"title","value":"x"}]"#, &resource_type("User"), &Compat::default()),
        "none"
    );
}

/// Whether anybody is left of members who must be is seen in the group alone.
#[test]
fn required_members_have_no_delta() {
    let schema: Schema = serde_json::from_str(
        r#"{"id":"urn:example:Team","attributes":[{"name":"members","type":"complex","multiValued":true,
            "required":true,"subAttributes":[{"name":"value"},{"name":"$ref","type":"reference"}]}]}"#,
    )
    .expect("a schema");
    let type_: ResourceType =
        serde_json::from_str(r#"{"name":"Team","endpoint":"/Teams","schema":"urn:example:Team"}"#)
            .expect("a resource type");
    let team = CompiledType::compile(type_, |uri| (schema.id == *uri).then_some(&schema)).expect("compiles");
    assert!(team.members().is_some());
    assert_eq!(delta(r#"[{"op":"remove","path":"members"}]"#, &team, &Compat::default()), "none");
}

/// A membership that loses its member is refused or gone, where a schema lets it.
#[test]
fn writable_value_of_a_member_never_becomes_empty() {
    let schema: Schema = serde_json::from_str(
        r#"{"id":"urn:example:Team","attributes":[{"name":"members","type":"complex","multiValued":true,
            "subAttributes":[{"name":"value"},{"name":"$ref","type":"reference"},{"name":"role"}]}]}"#,
    )
    .expect("a schema");
    let type_: ResourceType =
        serde_json::from_str(r#"{"name":"Team","endpoint":"/Teams","schema":"urn:example:Team"}"#)
            .expect("a resource type");
    let team = CompiledType::compile(type_, |uri| (schema.id == *uri).then_some(&schema)).expect("compiles");
    for (before, operations, after) in [
        (
            r#"{"members":[{"value":"a"},{"value":"b"}]}"#,
            r#"[{"op":"replace","path":"members[value eq \"a\"].value","value":"c"}]"#,
            Some(r#"{"members":[{"value":"c"},{"value":"b"}]}"#),
        ),
        (
            r#"{"members":[{"value":"a"},{"value":"b"}]}"#,
            r#"[{"op":"replace","path":"members[value eq \"a\"].value","value":""}]"#,
            None,
        ),
        (
            r#"{"members":[{"value":"a","role":"x"}]}"#,
            r#"[{"op":"replace","path":"members[value eq \"a\"].value","value":null}]"#,
            None,
        ),
        (
            r#"{"members":[{"value":"a"},{"value":"b"}]}"#,
            r#"[{"op":"replace","path":"members[value eq \"a\"].value","value":null}]"#,
            Some(r#"{"members":[{"value":"b"}]}"#),
        ),
        (
            r#"{"members":[{"value":"a","role":"x"}]}"#,
            r#"[{"op":"replace","path":"members.value","value":""}]"#,
            None,
        ),
        (r#"{"members":[{"value":"a","role":"x"}]}"#, r#"[{"op":"remove","path":"members.value"}]"#, None),
        (
            r#"{"members":[{"value":"a","role":"x"}]}"#,
            r#"[{"op":"remove","path":"members[value eq \"a\"].value"}]"#,
            None,
        ),
    ] {
        let mut resource = object(before);
        let applied = apply(&op(operations), &mut resource, &team, &Compat::default());
        assert_eq!(applied.is_ok(), after.is_some(), "{operations}");
        assert_eq!(resource, object(after.unwrap_or(before)), "{operations}");
    }
}

/// Two messages are equal if their operations are, in order, whatever their place and leniencies.
#[test]
fn equality_compares_operations_only() {
    let one = op(r#"[{"op":"Add","path":"TITLE","value":"x"}]"#);
    assert_eq!(one, PatchOp::new().add("title", "x").expect("a path"));
    assert_ne!(one, PatchOp::new().add("title", "y").expect("a path"));
    assert_ne!(one, PatchOp::new().replace("title", "x").expect("a path"));
    assert_ne!(one, PatchOp::new().add("nickName", "x").expect("a path"));
    assert_ne!(one, PatchOp::new());
    let two = PatchOp::new().remove("nickName").and_then(|op| op.add("title", "x")).expect("paths");
    assert_eq!(two.operations()[1], one.operations()[0]);
    assert_eq!(two.operations().iter().map(scim2_patch::Operation::number).collect::<Vec<_>>(), [1, 2]);
    let bad = PatchOp::new().remove("nickName").and_then(|op| op.add("emails[", "x"));
    assert!(bad.unwrap_err().to_string().starts_with("operation 2 "));
    assert_eq!(two.to_object(), object(&serde_json::to_string(&two).expect("a message")));
}
