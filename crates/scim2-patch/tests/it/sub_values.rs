//! Paths that choose values of a multi-valued sub-attribute: `grants.scopes[value eq "read"]`.

use scim2_core::{Compat, Registry};
use scim2_patch::{Limits, PatchOp, apply};

use crate::support::object;

const SCHEMA: &str = r#"{"id":"urn:example:2.0:Org","attributes":[
    {"name":"org","type":"complex","subAttributes":[
        {"name":"floors","multiValued":true},{"name":"name"},
        {"name":"fixed","multiValued":true,"mutability":"immutable"},
        {"name":"computed","multiValued":true,"mutability":"readOnly"}]},
    {"name":"grants","type":"complex","multiValued":true,"subAttributes":[
        {"name":"value"},{"name":"scopes","multiValued":true}]}]}"#;

/// What becomes of `before`, or the keyword of the error.
fn patched(before: &str, operations: &str, compat: &Compat) -> Result<String, String> {
    let thing = r#"{"name":"Org","endpoint":"/Orgs","schema":"urn:example:2.0:Org"}"#;
    let (Ok(schema), Ok(thing)) = (serde_json::from_str(SCHEMA), serde_json::from_str(thing)) else {
        panic!("a schema and its resource type")
    };
    let registry = Registry::with(vec![schema], vec![thing]).unwrap_or_else(|error| panic!("{error}"));
    let Some(type_) = registry.resource_type("Org") else { panic!("a resource type") };
    let message = object(&format!(r#"{{"schemas":["{}"],"Operations":[{operations}]}}"#, PatchOp::SCHEMA));
    let mut resource = object(before);
    let applied = PatchOp::from_object(message, compat, &Limits::DEFAULT)
        .and_then(|op| apply(&op, &mut resource, type_, compat));
    applied.map(|_| resource.to_string()).map_err(|error| error.scim_type().as_str().to_owned())
}

#[track_caller]
fn check(before: &str, operation: &str, after: &str) {
    for compat in [Compat::default(), Compat::strict()] {
        let found = patched(before, operation, &compat);
        assert_eq!(found.as_deref(), Ok(object(after).to_string().as_str()), "{operation}");
    }
}

const ORG: &str = r#"{"org":{"floors":["1","2"],"name":"Tower"}}"#;
const GRANTS: &str =
    r#"{"grants":[{"value":"a","scopes":["read","write"]},{"value":"b","scopes":["read"]},{"value":"c"}]}"#;

#[test]
fn remove_of_chosen_sub_values_removes_them() {
    check(
        ORG,
        r#"{"op":"remove","path":"org.floors[value eq \"1\"]"}"#,
        r#"{"org":{"floors":["2"],"name":"Tower"}}"#,
    );
    check(
        ORG,
        r#"{"op":"remove","path":"urn:example:2.0:Org:org.floors[value pr]"}"#,
        r#"{"org":{"name":"Tower"}}"#,
    );
    check(r#"{"org":{"floors":["1"]}}"#, r#"{"op":"remove","path":"org.floors[value pr]"}"#, "{}");
    check(
        GRANTS,
        r#"{"op":"remove","path":"grants.scopes[value eq \"read\"]"}"#,
        r#"{"grants":[{"value":"a","scopes":["write"]},{"value":"b"},{"value":"c"}]}"#,
    );
    let gone = r#"{"op":"remove","path":"org.floors[value eq \"9\"]"}"#;
    assert_eq!(patched(ORG, gone, &Compat::default()).as_deref(), Ok(ORG));
    assert_eq!(patched(ORG, gone, &Compat::strict()), Err("noTarget".to_owned()));
    let listed = r#"{"op":"remove","path":"org.floors[value pr]","value":["2","3"]}"#;
    let left = r#"{"org":{"floors":["1"],"name":"Tower"}}"#;
    assert_eq!(patched(ORG, listed, &Compat::default()).as_deref(), Ok(left));
}

#[test]
fn replace_of_chosen_sub_values_sets_them() {
    check(
        ORG,
        r#"{"op":"replace","path":"org.floors[value eq \"1\"]","value":"3"}"#,
        r#"{"org":{"floors":["3","2"],"name":"Tower"}}"#,
    );
    check(
        GRANTS,
        r#"{"op":"replace","path":"grants.scopes[value eq \"read\"]","value":"write"}"#,
        r#"{"grants":[{"value":"a","scopes":["write"]},{"value":"b","scopes":["write"]},{"value":"c"}]}"#,
    );
    check(
        ORG,
        r#"{"op":"replace","path":"org.floors[value eq \"1\"]","value":null}"#,
        r#"{"org":{"floors":["2"],"name":"Tower"}}"#,
    );
    let nobody = r#"{"op":"replace","path":"org.floors[value eq \"9\"]","value":"8"}"#;
    let more = r#"{"org":{"floors":["1","2","8"],"name":"Tower"}}"#;
    assert_eq!(patched(ORG, nobody, &Compat::default()).as_deref(), Ok(more));
    assert_eq!(patched(ORG, nobody, &Compat::strict()), Err("noTarget".to_owned()));
}

#[test]
fn add_of_sub_value_without_match_creates_it() {
    check(
        ORG,
        r#"{"op":"add","path":"org.floors[value eq \"9\"]","value":"9"}"#,
        r#"{"org":{"floors":["1","2","9"],"name":"Tower"}}"#,
    );
    check(
        "{}",
        r#"{"op":"add","path":"org.floors[value eq \"9\"]","value":"9"}"#,
        r#"{"org":{"floors":["9"]}}"#,
    );
    let vague = r#"{"op":"add","path":"org.floors[value sw \"9\"]","value":"9"}"#;
    assert_eq!(patched(ORG, vague, &Compat::default()), Err("noTarget".to_owned()));
}

#[test]
fn unresolvable_or_readonly_sub_values_are_refused() {
    let before = r#"{"org":{"fixed":["x","y"],"computed":["z"],"name":"Tower"}}"#;
    for (operation, expected) in [
        (r#"{"op":"remove","path":"org.fixed[value eq \"x\"]"}"#, "mutability"),
        (r#"{"op":"replace","path":"org.fixed[value eq \"x\"]","value":"w"}"#, "mutability"),
        (r#"{"op":"replace","path":"org.computed[value eq \"z\"]","value":"w"}"#, "mutability"),
        (r#"{"op":"remove","path":"org.name[value eq \"Tower\"]"}"#, "invalidPath"),
        (r#"{"op":"remove","path":"org.fixed[type eq \"x\"]"}"#, "invalidFilter"),
        (r#"{"op":"remove","path":"org.fixed[value eq \"x\"].value"}"#, "invalidPath"),
    ] {
        for compat in [Compat::default(), Compat::strict()] {
            assert_eq!(patched(before, operation, &compat), Err(expected.to_owned()), "{operation}");
        }
    }
}
