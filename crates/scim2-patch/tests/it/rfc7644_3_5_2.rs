//! What holds for all operations: their order, and all or none
//! ([RFC 7644 §3.5.2](https://www.rfc-editor.org/rfc/rfc7644#section-3.5.2)).

use scim2_core::Compat;

use crate::support::{Becomes, Fails, Stays, check};

#[test]
fn s_3_5_2_12_operations_run_in_order() {
    for compat in [Compat::default(), Compat::strict()] {
        check(
            "User",
            &compat,
            &[
                (
                    "add, then remove",
                    r#"{"userName":"ada"}"#,
                    r#"[{"op":"add","path":"title","value":"x"},{"op":"remove","path":"title"}]"#,
                    Stays,
                ),
                (
                    "remove, then add",
                    r#"{"userName":"ada","title":"y"}"#,
                    r#"[{"op":"remove","path":"title"},{"op":"add","path":"title","value":"x"}]"#,
                    Becomes(r#"{"userName":"ada","title":"x"}"#),
                ),
                (
                    "Q-SEQUENTIAL: each on what the one before left",
                    r#"{"userName":"ada","emails":[{"value":"a@x","type":"work"}]}"#,
                    r#"[{"op":"add","path":"emails","value":[{"value":"b@x","type":"home"}]},
                    {"op":"replace","path":"emails[type eq \"work\"].type","value":"other"},
                    {"op":"remove","path":"emails[type eq \"home\"]"},
                    {"op":"add","path":"emails","value":[{"value":"c@x","type":"home"}]}]"#,
                    Becomes(
                        r#"{"userName":"ada","emails":[{"value":"a@x","type":"other"},{"value":"c@x","type":"home"}]}"#,
                    ),
                ),
            ],
        );
    }
}

#[test]
fn s_3_5_2_14_all_or_none() {
    for compat in [Compat::default(), Compat::strict()] {
        check(
            "User",
            &compat,
            &[
                (
                    "after every kind of change",
                    r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"],
                "userName":"ada","title":"x","name":{"givenName":"Ada"},"emails":[{"value":"a@x","primary":true}],
                "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"department":"Maths"}}"#,
                    r#"[{"op":"add","path":"emails","value":[{"value":"b@x"}]},
                    {"op":"add","path":"emails","value":[{"value":"c@x","primary":true}]},
                    {"op":"remove","path":"emails[value eq \"a@x\"]"},
                    {"op":"remove","path":"title"},
                    {"op":"add","path":"nickName","value":"A"},
                    {"op":"replace","path":"name.familyName","value":"King"},
                    {"op":"remove","path":"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"},
                    {"op":"replace","value":{"userName":"bo"}},
                    {"op":"remove","path":"userName"}]"#,
                    Fails("mutability"),
                ),
                (
                    "after a value was appended",
                    r#"{"userName":"ada","emails":[{"value":"a@x"}]}"#,
                    r#"[{"op":"add","path":"emails","value":[{"value":"b@x"}]},{"op":"remove"}]"#,
                    Fails("noTarget"),
                ),
                (
                    "within one operation",
                    r#"{"userName":"ada"}"#,
                    r#"[{"op":"add","value":{"title":"x","nickName":"A","userName":7}}]"#,
                    Fails("invalidValue"),
                ),
                (
                    "within one list",
                    r#"{"userName":"ada","emails":[{"value":"a@x"}]}"#,
                    r#"[{"op":"add","path":"emails","value":[{"value":"b@x"},{"value":7}]}]"#,
                    Fails("invalidValue"),
                ),
            ],
        );
    }
}
