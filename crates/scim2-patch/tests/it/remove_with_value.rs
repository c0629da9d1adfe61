//! A `remove` with a `value` takes only what that lists (A-06, Q-REMOVE-WITH-VALUE), wherever its path leads.

use scim2_core::Compat;
use scim2_core::schema::{ResourceType, Schema};
use scim2_core::{CompiledType, Quirk};
use scim2_patch::{MemberDelta, PatchOp};

use crate::support::{Becomes, Case, Fails, Stays, Then, check, object, resource_type, run};

const ADA: &str = r#"{"userName":"ada","title":"Countess","active":true,"name":{"givenName":"Ada","familyName":"King"},
    "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"department":"D","division":"V","manager":{"value":"7","displayName":"Boss"}}}"#;
const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

/// Each case in default mode; strict mode refuses the `value` whatever it says.
#[track_caller]
fn check_both(type_name: &str, cases: &[(&'static str, &'static str, &'static str, Then)]) {
    check(type_name, &Compat::default(), cases);
    let strict: Vec<Case> =
        cases.iter().map(|(label, before, ops, _)| (*label, *before, *ops, Fails("invalidSyntax"))).collect();
    check(type_name, &Compat::strict(), &strict);
    check(type_name, &Compat::default().with(Quirk::RemoveWithValue, false), &strict);
}

#[test]
fn remove_with_value_at_singular_complex_attribute_removes_listed_parts() {
    check_both(
        "User",
        &[
            (
                "one listed part",
                r#"{"userName":"ada","name":{"givenName":"Ada","familyName":"King"}}"#,
                r#"[{"op":"remove","path":"name","value":{"givenName":"ada"}}]"#,
                Becomes(r#"{"userName":"ada","name":{"familyName":"King"}}"#),
            ),
            (
                "another value of a part",
                ADA,
                r#"[{"op":"remove","path":"name","value":{"givenName":"Bea"}}]"#,
                Stays,
            ),
            (
                "one of two matches",
                r#"{"userName":"ada","name":{"givenName":"Ada","familyName":"King"}}"#,
                r#"[{"op":"remove","path":"name","value":{"givenName":"Bea","familyName":"King"}}]"#,
                Becomes(r#"{"userName":"ada","name":{"givenName":"Ada"}}"#),
            ),
            (
                "all parts",
                r#"{"userName":"ada","name":{"givenName":"Ada","familyName":"King"}}"#,
                r#"[{"op":"remove","path":"name","value":[{"familyName":"King","givenName":"Ada"}]}]"#,
                Becomes(r#"{"userName":"ada"}"#),
            ),
            ("no part", ADA, r#"[{"op":"remove","path":"name","value":{}}]"#, Stays),
            (
                "parts that are null",
                ADA,
                r#"[{"op":"remove","path":"name","value":{"givenName":null}}]"#,
                Stays,
            ),
            ("an empty list", ADA, r#"[{"op":"remove","path":"name","value":[]}]"#, Stays),
            (
                "behind a filter",
                r#"{"userName":"ada","name":{"givenName":"Ada","familyName":"King"}}"#,
                r#"[{"op":"remove","path":"name[familyName eq \"King\"]","value":{"givenName":"Ada"}}]"#,
                Becomes(r#"{"userName":"ada","name":{"familyName":"King"}}"#),
            ),
            (
                "a sub-attribute behind a filter",
                ADA,
                r#"[{"op":"remove","path":"name[familyName eq \"King\"].givenName","value":"Bea"}]"#,
                Stays,
            ),
        ],
    );
    check_both(
        "Gadget",
        &[
            (
                "of a list below a singular attribute the listed values",
                r#"{"owners":["a"],"maker":{"name":"C","brands":["x","y","z"]}}"#,
                r#"[{"op":"remove","path":"maker","value":{"brands":["Y"]}}]"#,
                Becomes(r#"{"owners":["a"],"maker":{"name":"C","brands":["x","z"]}}"#),
            ),
            (
                "by the path of the list",
                r#"{"owners":["a"],"maker":{"name":"C","brands":["x","y","z"]}}"#,
                r#"[{"op":"remove","path":"maker.brands","value":["y","w"]}]"#,
                Becomes(r#"{"owners":["a"],"maker":{"name":"C","brands":["x","z"]}}"#),
            ),
            (
                "by the path of the list, nothing",
                r#"{"owners":["a"],"maker":{"name":"C","brands":["x","y"]}}"#,
                r#"[{"op":"remove","path":"maker.brands","value":[]}]"#,
                Stays,
            ),
            (
                "a required part alone",
                r#"{"owners":["a"],"maker":{"name":"C","country":"GB"}}"#,
                r#"[{"op":"remove","path":"maker","value":{"name":"D"}}]"#,
                Stays,
            ),
            (
                "a required part with all others",
                r#"{"owners":["a"],"maker":{"name":"C","country":"GB"}}"#,
                r#"[{"op":"remove","path":"maker","value":{"name":"C","country":"GB"}}]"#,
                Becomes(r#"{"owners":["a"]}"#),
            ),
        ],
    );
    check(
        "Gadget",
        &Compat::default(),
        &[
            (
                "a required part that is left behind",
                r#"{"owners":["a"],"maker":{"name":"C","country":"GB"}}"#,
                r#"[{"op":"remove","path":"maker","value":{"name":"C"}}]"#,
                Fails("mutability"),
            ),
            (
                "an immutable part",
                r#"{"owners":["a"],"maker":{"name":"C","founded":1805}}"#,
                r#"[{"op":"remove","path":"maker","value":{"founded":1805}}]"#,
                Fails("mutability"),
            ),
        ],
    );
}

#[test]
fn remove_with_value_at_singular_simple_attribute_compares() {
    check_both(
        "User",
        &[
            (
                "the listed value, without case",
                r#"{"userName":"ada","title":"Countess"}"#,
                r#"[{"op":"remove","path":"title","value":"COUNTESS"}]"#,
                Becomes(r#"{"userName":"ada"}"#),
            ),
            (
                "in an array",
                r#"{"userName":"ada","title":"Countess"}"#,
                r#"[{"op":"remove","path":"title","value":["Countess"]}]"#,
                Becomes(r#"{"userName":"ada"}"#),
            ),
            ("another value", ADA, r#"[{"op":"remove","path":"title","value":"Lady"}]"#, Stays),
            ("another boolean", ADA, r#"[{"op":"remove","path":"active","value":false}]"#, Stays),
            ("an empty list", ADA, r#"[{"op":"remove","path":"title","value":[]}]"#, Stays),
            (
                "an empty text stands for no value where one value at most is named",
                r#"{"userName":"ada","title":"Countess"}"#,
                r#"[{"op":"remove","path":"title","value":""}]"#,
                Becomes(r#"{"userName":"ada"}"#),
            ),
            (
                "an empty text at a sub-attribute behind a filter",
                r#"{"userName":"ada","emails":[{"value":"a@x","display":"A"},{"value":"b@x","display":"B"}]}"#,
                r#"[{"op":"remove","path":"emails[value eq \"a@x\"].display","value":""}]"#,
                Becomes(r#"{"userName":"ada","emails":[{"value":"a@x"},{"value":"b@x","display":"B"}]}"#),
            ),
            (
                "an empty text at a sub-attribute of all values names none of them",
                r#"{"userName":"ada","emails":[{"value":"a@x","display":"A"},{"value":"b@x","display":"B"}]}"#,
                r#"[{"op":"remove","path":"emails.display","value":""}]"#,
                Stays,
            ),
            (
                "an empty text at a list names none of its values",
                r#"{"userName":"ada","emails":[{"value":"a@x"}]}"#,
                r#"[{"op":"remove","path":"emails","value":""}]"#,
                Stays,
            ),
        ],
    );
}

#[test]
fn remove_with_value_at_extension_removes_listed_attributes() {
    let ops = |value: &str| format!(r#"[{{"op":"remove","path":"{ENTERPRISE}","value":{value}}}]"#);
    let left = |attributes: &str| {
        format!(
            r#"{{"userName":"ada","{ENTERPRISE}":{attributes},"schemas":["urn:ietf:params:scim:schemas:core:2.0:User","{ENTERPRISE}"]}}"#
        )
    };
    let before = left(r#"{"department":"D","division":"V","manager":{"value":"7","displayName":"Boss"}}"#);
    for (value, after) in [
        (r#"{"department":"d"}"#, r#"{"division":"V","manager":{"value":"7","displayName":"Boss"}}"#),
        (r#"[{"department":"D"}]"#, r#"{"division":"V","manager":{"value":"7","displayName":"Boss"}}"#),
        (r#"{"manager":{"value":"7"}}"#, r#"{"department":"D","division":"V"}"#),
        (r#"{"manager":"7","division":"W"}"#, r#"{"department":"D","division":"V"}"#),
        (r#"{"manager.value":"7"}"#, r#"{"department":"D","division":"V"}"#),
    ] {
        let (type_, mut user) = (resource_type("User"), object(&before));
        run(&ops(value), &mut user, &type_, &Compat::default()).expect(value);
        assert_eq!(user, object(&left(after)), "{value}");
        let strict = run(&ops(value), &mut user, &type_, &Compat::strict()).expect_err(value);
        assert_eq!(strict.scim_type().as_str(), "invalidSyntax", "{value}");
    }
    for value in [r#"{"department":"E"}"#, "{}", "[]", r#"{"department":null}"#] {
        let (type_, mut user) = (resource_type("User"), object(&before));
        let applied = run(&ops(value), &mut user, &type_, &Compat::default()).expect(value);
        assert!(!applied.changed(), "{value}");
        assert_eq!(user, object(&before), "{value}");
    }
    let (type_, mut user) = (resource_type("User"), object(&before));
    let all = r#"{"department":"D","division":"V","manager":{"value":"7"}}"#;
    run(&ops(all), &mut user, &type_, &Compat::default()).expect("it succeeds");
    assert_eq!(
        user,
        object(r#"{"userName":"ada","schemas":["urn:ietf:params:scim:schemas:core:2.0:User"]}"#)
    );
    // Some serializers write `null` or an empty text for an absent value.
    for value in ["null", r#""""#] {
        let (type_, mut user) = (resource_type("User"), object(&before));
        run(&ops(value), &mut user, &type_, &Compat::default()).expect(value);
        assert!(!user.contains(ENTERPRISE), "{value}");
    }
    let (type_, mut user) = (resource_type("User"), object(&before));
    let strict = run(&ops(r#""""#), &mut user, &type_, &Compat::strict()).expect_err("a value");
    assert_eq!(strict.scim_type().as_str(), "invalidSyntax");
}

#[test]
fn remove_of_schemas_with_filter_and_value_needs_both() {
    check(
        "Gadget",
        &Compat::default(),
        &[(
            "another extension is listed",
            r#"{"schemas":["urn:example:2.0:Gadget","urn:example:2.0:Label"],"owners":["a"],"urn:example:2.0:Label":{"code":"x"}}"#,
            r#"[{"op":"remove","path":"schemas[value eq \"urn:example:2.0:Label\"]","value":["urn:example:2.0:Stand"]}]"#,
            Stays,
        )],
    );
}

/// A filter that selects A and B with the value C removes neither, and strict mode refuses the value.
#[test]
fn remove_of_members_with_filter_and_value_needs_both() {
    let group = resource_type("Group");
    let read = |operations: &str| -> PatchOp {
        serde_json::from_str(&format!(r#"{{"schemas":["{}"],"Operations":{operations}}}"#, PatchOp::SCHEMA))
            .expect("a PatchOp")
    };
    for (value, gone) in [
        (r#"[{"value":"c"}]"#, &[][..]),
        (r#"[{"value":"b"},{"value":"c"}]"#, &["b"][..]),
        (r#"{"value":"a"}"#, &["a"][..]),
        (r#""a""#, &["a"][..]),
        ("[]", &[][..]),
        ("null", &["a", "b"][..]),
    ] {
        let operations = format!(
            r#"[{{"op":"remove","path":"members[value eq \"a\" or value eq \"b\"]","value":{value}}}]"#
        );
        let op = read(&operations);
        let delta = MemberDelta::of(&op, &group, &Compat::default()).expect("members alone");
        assert!(!delta.replace_all(), "{value}");
        assert_eq!(delta.remove().iter().map(|id| &**id).collect::<Vec<_>>(), gone, "{value}");

        let mut tour =
            object(r#"{"displayName":"Tour","members":[{"value":"a"},{"value":"b"},{"value":"c"}]}"#);
        run(&operations, &mut tour, &group, &Compat::default()).expect(value);
        let left: Vec<&str> = ["a", "b", "c"].into_iter().filter(|id| !gone.contains(id)).collect();
        let members = tour.get("members").and_then(|members| members.as_array()).expect("members");
        let ids: Vec<_> = members.iter().filter_map(|member| member.as_object()?.get_str("value")).collect();
        assert_eq!(ids, left, "{value}");

        if value != "null" {
            assert!(MemberDelta::of(&op, &group, &Compat::strict()).is_none(), "{value}");
            let error = run(&operations, &mut tour, &group, &Compat::strict()).expect_err(value);
            assert_eq!(error.scim_type().as_str(), "invalidSyntax", "{value}");
        }
    }
}

/// A never-returned value is not compared with a listed one: the outcome would tell a right guess from a wrong one.
#[test]
fn remove_of_never_returned_value_with_value_confirms_no_guess() {
    for guess in [r#""right""#, r#""wrong""#] {
        let (type_, mut gadget) = (resource_type("Gadget"), object(r#"{"owners":["a"],"secret":"right"}"#));
        let operations = format!(r#"[{{"op":"remove","path":"secret","value":{guess}}}]"#);
        let applied = run(&operations, &mut gadget, &type_, &Compat::default()).expect("it succeeds");
        assert!(applied.changed());
        assert_eq!(gadget, object(r#"{"owners":["a"],"secret":"right"}"#));
    }
    let safe = safe();
    for guess in ["1", "2"] {
        let mut resource = object(r#"{"key":{"value":"a","pin":"1"}}"#);
        let operations = format!(r#"[{{"op":"remove","path":"key","value":{{"pin":"{guess}"}}}}]"#);
        run(&operations, &mut resource, &safe, &Compat::default()).expect("it succeeds");
        assert_eq!(resource, object(r#"{"key":{"value":"a","pin":"1"}}"#));
    }
}

fn safe() -> CompiledType {
    let schemas: Vec<Schema> = serde_json::from_str(
        r#"[{"id":"urn:example:Safe","attributes":[{"name":"key","type":"complex","subAttributes":[
            {"name":"value"},{"name":"pin","returned":"never","mutability":"writeOnly"}]}]}]"#,
    )
    .expect("schemas");
    let type_: ResourceType =
        serde_json::from_str(r#"{"name":"Safe","endpoint":"/Safes","schema":"urn:example:Safe"}"#)
            .expect("a resource type");
    CompiledType::compile(type_, |uri| schemas.iter().find(|schema| schema.id == *uri)).expect("it compiles")
}
