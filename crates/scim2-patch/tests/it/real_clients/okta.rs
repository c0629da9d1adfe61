//! Okta.

use scim2_core::Compat;

use crate::support::{Becomes, Fails, Stays, check};

#[test]
fn users() {
    check(
        "User",
        &Compat::default(),
        &[
            (
                "deactivation",
                r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada@example.com","active":true}"#,
                r#"[{"op":"replace","value":{"active":false}}]"#,
                Becomes(
                    r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada@example.com","active":false}"#,
                ),
            ),
            (
                "a password alone changes",
                r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada@example.com"}"#,
                r#"[{"op":"replace","value":{"password":"x"}}]"#,
                Becomes(
                    r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada@example.com","password":"x"}"#,
                ),
            ),
            (
                "what it read comes back",
                r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada@example.com","title":"t","id":"1","meta":{"resourceType":"User"}}"#,
                r#"[{"op":"replace","value":{"id":"1","meta":{"resourceType":"User"},"groups":[],"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"title":"t"}}]"#,
                Stays,
            ),
            (
                "an empty text for an optional attribute is a value",
                r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada@example.com","name":{"middleName":"M","givenName":"G"}}"#,
                r#"[{"op":"replace","path":"name.middleName","value":""}]"#,
                Becomes(
                    r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada@example.com","name":{"middleName":"","givenName":"G"}}"#,
                ),
            ),
            (
                "an empty text for a required one is none",
                r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada@example.com"}"#,
                r#"[{"op":"replace","path":"userName","value":""}]"#,
                Fails("invalidValue"),
            ),
        ],
    );
}

#[test]
fn groups() {
    check(
        "Group",
        &Compat::default(),
        &[
            (
                "rename with the own id",
                r#"{"displayName":"Tour","members":[{"value":"a"}],"id":"1"}"#,
                r#"[{"op":"replace","value":{"id":"1","displayName":"World tour"}}]"#,
                Becomes(r#"{"displayName":"World tour","members":[{"value":"a"}],"id":"1"}"#),
            ),
            (
                "the list as a whole",
                r#"{"displayName":"Tour","members":[{"value":"a"},{"value":"b"}]}"#,
                r#"[{"op":"replace","path":"members","value":[{"value":"b","display":"B"},{"value":"c","display":"C"}]}]"#,
                Becomes(
                    r#"{"displayName":"Tour","members":[{"value":"b","display":"B"},{"value":"c","display":"C"}]}"#,
                ),
            ),
            (
                "an empty list",
                r#"{"displayName":"Tour","members":[{"value":"a"}]}"#,
                r#"[{"op":"replace","path":"members","value":[]}]"#,
                Becomes(r#"{"displayName":"Tour"}"#),
            ),
            (
                "members come and go in one request",
                r#"{"displayName":"Tour","members":[{"value":"a"},{"value":"b"}]}"#,
                r#"[{"op":"remove","path":"members[value eq \"a\"]"},{"op":"add","path":"members","value":[{"value":"c","display":"C"},{"value":"d","display":"D"}]}]"#,
                Becomes(
                    r#"{"displayName":"Tour","members":[{"value":"b"},{"value":"c","display":"C"},{"value":"d","display":"D"}]}"#,
                ),
            ),
            (
                "a member who has gone",
                r#"{"displayName":"Tour","members":[{"value":"b"}]}"#,
                r#"[{"op":"remove","path":"members[value eq \"a\"]"}]"#,
                Stays,
            ),
        ],
    );
}
