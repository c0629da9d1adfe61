//! The narrower rules of the interoperability profile draft.

use scim2_core::Compat;

use crate::support::{Becomes, Fails, check, check_one};

#[test]
fn profile_mode() {
    check(
        "User",
        &Compat::profile(),
        &[
            (
                "I-6.5-02: no path",
                r#"{"userName":"ada"}"#,
                r#"[{"op":"add","value":{"title":"x"}}]"#,
                Fails("invalidSyntax"),
            ),
            (
                "I-6.5-03: replace replaces a complex attribute whole",
                r#"{"userName":"ada","name":{"givenName":"Ada","familyName":"King"}}"#,
                r#"[{"op":"replace","path":"name","value":{"givenName":"Augusta"}}]"#,
                Becomes(r#"{"userName":"ada","name":{"givenName":"Augusta"}}"#),
            ),
            (
                "I-6.5-03: add merges",
                r#"{"userName":"ada","name":{"givenName":"Ada","familyName":"King"}}"#,
                r#"[{"op":"add","path":"name","value":{"givenName":"Augusta"}}]"#,
                Becomes(r#"{"userName":"ada","name":{"givenName":"Augusta","familyName":"King"}}"#),
            ),
            (
                "I-6.5-03: an extension too",
                r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"],
            "userName":"ada","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"department":"Maths","division":"X"}}"#,
                r#"[{"op":"replace","path":"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User","value":{"division":"Y"}}]"#,
                Becomes(
                    r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"],
            "userName":"ada","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"division":"Y"}}"#,
                ),
            ),
            (
                "I-6.5-04: a filter without a sub-attribute",
                r#"{"userName":"ada","emails":[{"value":"a@x","type":"work"}]}"#,
                r#"[{"op":"replace","path":"emails[type eq \"work\"]","value":{"value":"b@x"}}]"#,
                Fails("invalidPath"),
            ),
            (
                "I-6.5-04: removed",
                r#"{"userName":"ada","emails":[{"value":"a@x","type":"work"}]}"#,
                r#"[{"op":"remove","path":"emails[type eq \"work\"]"}]"#,
                Fails("invalidPath"),
            ),
            (
                "I-6.5-04: a filter with a sub-attribute",
                r#"{"userName":"ada","emails":[{"value":"a@x","type":"work"}]}"#,
                r#"[{"op":"replace","path":"emails[type eq \"work\"].value","value":"b@x"}]"#,
                Becomes(r#"{"userName":"ada","emails":[{"value":"b@x","type":"work"}]}"#),
            ),
        ],
    );
}

/// `replace` of an extension removes its other attributes, except readOnly ones (I-6.5-03).
#[test]
fn replace_of_extension_in_profile_replaces_it_whole() {
    check(
        "Gadget",
        &Compat::profile(),
        &[(
            "readOnly attributes stay",
            r#"{"schemas":["urn:example:2.0:Gadget","urn:example:2.0:Stand"],"owners":["a"],
                "urn:example:2.0:Stand":{"lot":"x","floor":3,"visits":7}}"#,
            r#"[{"op":"replace","path":"urn:example:2.0:Stand","value":{"lot":"y"}}]"#,
            Becomes(
                r#"{"schemas":["urn:example:2.0:Gadget","urn:example:2.0:Stand"],"owners":["a"],
                    "urn:example:2.0:Stand":{"lot":"y","visits":7}}"#,
            ),
        )],
    );
}

#[test]
fn c_7_07_replaced_value_keeps_its_immutable_parts() {
    let replace = |value: &str| format!(r#"[{{"op":"replace","path":"maker","value":{value}}}]"#);
    let maker = r#"{"maker":{"name":"A","founded":1900,"country":"x"}}"#;
    for (value, then) in [
        (r#"{"name":"B","founded":1901}"#, Fails("mutability")),
        (r#"{"name":"B"}"#, Fails("mutability")),
        (r#"{"name":"B","founded":1900}"#, Becomes(r#"{"maker":{"name":"B","founded":1900}}"#)),
    ] {
        check_one("Gadget", &Compat::profile(), ("C-7-07", maker, &replace(value).leak()[..], then));
    }
    check_one(
        "Gadget",
        &Compat::profile(),
        (
            "one that is not set takes what comes",
            r#"{"maker":{"name":"A","country":"x"}}"#,
            &replace(r#"{"name":"A","founded":1901}"#).leak()[..],
            Becomes(r#"{"maker":{"name":"A","founded":1901}}"#),
        ),
    );
}

#[test]
fn i_5_3_01_unknown_sub_attribute_in_a_value_returns_invalid_syntax() {
    let before = r#"{"userName":"ada","name":{"givenName":"Ada"},"emails":[{"value":"a@x","type":"work"}]}"#;
    for (path, value) in [
        ("name", r#"{"zork":1}"#),
        ("name", r#"{"givenName":"B","zork":1}"#),
        ("emails", r#"[{"value":"b@x","zork":1}]"#),
        ("emails", r#"{"zork":1}"#),
        ("urn:ietf:params:scim:schemas:extension:enterprise:2.0:User", r#"{"zork":1}"#),
    ] {
        for op in ["add", "replace"] {
            let operations = format!(r#"[{{"op":"{op}","path":"{path}","value":{value}}}]"#);
            let case = ("I-5.3-01", before, &operations.leak()[..], Fails("invalidSyntax"));
            check_one("User", &Compat::profile(), case);
        }
    }
}
