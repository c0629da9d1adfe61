//! `replace` ([RFC 7644 §3.5.2.3](https://www.rfc-editor.org/rfc/rfc7644#section-3.5.2.3)).

use scim2_core::Compat;

use crate::support::{Becomes, Fails, Stays, check};

#[test]
fn rfc7644_3_5_2_3_attributes() {
    for compat in [Compat::default(), Compat::strict()] {
        check(
            "User",
            &compat,
            &[
                (
                    "S-3.5.2.3-02: a singular attribute",
                    r#"{"userName":"ada","title":"Countess"}"#,
                    r#"[{"op":"replace","path":"title","value":"Lady"}]"#,
                    Becomes(r#"{"userName":"ada","title":"Lady"}"#),
                ),
                (
                    "S-3.5.2.3-03: an absent one",
                    r#"{"userName":"ada"}"#,
                    r#"[{"op":"replace","path":"title","value":"Lady"}]"#,
                    Becomes(r#"{"userName":"ada","title":"Lady"}"#),
                ),
                (
                    "a boolean",
                    r#"{"userName":"ada","active":true}"#,
                    r#"[{"op":"replace","path":"active","value":false}]"#,
                    Becomes(r#"{"userName":"ada","active":false}"#),
                ),
                (
                    "the same value",
                    r#"{"userName":"ada","active":false}"#,
                    r#"[{"op":"replace","path":"active","value":false}]"#,
                    Stays,
                ),
                (
                    "S-3.5.2.3-02: all values of a multi-valued one",
                    r#"{"userName":"ada","emails":[{"value":"a@x"},{"value":"b@x"}]}"#,
                    r#"[{"op":"replace","path":"emails","value":[{"value":"c@x"}]}]"#,
                    Becomes(r#"{"userName":"ada","emails":[{"value":"c@x"}]}"#),
                ),
                (
                    "A-12: by one object",
                    r#"{"userName":"ada","emails":[{"value":"a@x"},{"value":"b@x"}]}"#,
                    r#"[{"op":"replace","path":"emails","value":{"value":"c@x"}}]"#,
                    Becomes(r#"{"userName":"ada","emails":[{"value":"c@x"}]}"#),
                ),
                (
                    "S-3.5.2.3-04, A-02: a complex attribute keeps what is not given",
                    r#"{"userName":"ada","name":{"givenName":"Ada","familyName":"Byron"}}"#,
                    r#"[{"op":"replace","path":"name","value":{"familyName":"King"}}]"#,
                    Becomes(r#"{"userName":"ada","name":{"givenName":"Ada","familyName":"King"}}"#),
                ),
                (
                    "Q-COMPLEX-MERGE: null clears one sub-attribute",
                    r#"{"userName":"ada","name":{"givenName":"Ada","familyName":"Byron"}}"#,
                    r#"[{"op":"replace","path":"name","value":{"familyName":null}}]"#,
                    Becomes(r#"{"userName":"ada","name":{"givenName":"Ada"}}"#),
                ),
                (
                    "A-16: null unassigns",
                    r#"{"userName":"ada","title":"Countess"}"#,
                    r#"[{"op":"replace","path":"title","value":null}]"#,
                    Becomes(r#"{"userName":"ada"}"#),
                ),
                (
                    "A-16: and so does an empty array",
                    r#"{"userName":"ada","emails":[{"value":"a@x"}]}"#,
                    r#"[{"op":"replace","path":"emails","value":[]}]"#,
                    Becomes(r#"{"userName":"ada"}"#),
                ),
                (
                    "A-16: and null for a complex attribute",
                    r#"{"userName":"ada","name":{"givenName":"Ada"}}"#,
                    r#"[{"op":"replace","path":"name","value":null}]"#,
                    Becomes(r#"{"userName":"ada"}"#),
                ),
                (
                    "A-16: null for nothing",
                    r#"{"userName":"ada"}"#,
                    r#"[{"op":"replace","path":"title","value":null}]"#,
                    Stays,
                ),
                (
                    "A-15: a required attribute by null",
                    r#"{"userName":"ada"}"#,
                    r#"[{"op":"replace","path":"userName","value":null}]"#,
                    Fails("mutability"),
                ),
                (
                    "A-15: and without a path",
                    r#"{"userName":"ada"}"#,
                    r#"[{"op":"replace","value":{"userName":null}}]"#,
                    Fails("mutability"),
                ),
                (
                    "Q-EMPTY-STRING: a required attribute by an empty text",
                    r#"{"userName":"ada"}"#,
                    r#"[{"op":"replace","path":"userName","value":""}]"#,
                    Fails("invalidValue"),
                ),
                (
                    "Q-EMPTY-STRING: an optional one",
                    r#"{"userName":"ada","title":"Countess"}"#,
                    r#"[{"op":"replace","path":"title","value":""}]"#,
                    Becomes(r#"{"userName":"ada","title":""}"#),
                ),
                (
                    "no value",
                    r#"{"userName":"ada"}"#,
                    r#"[{"op":"replace","path":"title"}]"#,
                    Fails("invalidValue"),
                ),
                (
                    "readOnly",
                    r#"{"userName":"ada","id":"1"}"#,
                    r#"[{"op":"replace","path":"id","value":"2"}]"#,
                    Fails("mutability"),
                ),
                (
                    "a sub-attribute",
                    r#"{"userName":"ada","name":{"givenName":"Ada"}}"#,
                    r#"[{"op":"replace","path":"name.givenName","value":"Augusta"}]"#,
                    Becomes(r#"{"userName":"ada","name":{"givenName":"Augusta"}}"#),
                ),
                (
                    "a sub-attribute of all values",
                    r#"{"userName":"ada","emails":[{"value":"a@x","type":"work"},{"value":"b@x"}]}"#,
                    r#"[{"op":"replace","path":"emails.type","value":"home"}]"#,
                    Becomes(
                        r#"{"userName":"ada","emails":[{"value":"a@x","type":"home"},{"value":"b@x","type":"home"}]}"#,
                    ),
                ),
                (
                    "a text for a number of things",
                    r#"{"userName":"ada"}"#,
                    r#"[{"op":"replace","path":"name","value":["x","y"]}]"#,
                    Fails("invalidValue"),
                ),
                (
                    "a number for a text",
                    r#"{"userName":"ada"}"#,
                    r#"[{"op":"replace","path":"title","value":7}]"#,
                    Fails("invalidValue"),
                ),
                (
                    "an object for a text",
                    r#"{"userName":"ada"}"#,
                    r#"[{"op":"replace","path":"title","value":{"a":1}}]"#,
                    Fails("invalidValue"),
                ),
                (
                    "an attribute of an extension",
                    r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada"}"#,
                    r#"[{"op":"replace","path":"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department","value":"Maths"}]"#,
                    Becomes(
                        r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User",
                        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"],"userName":"ada",
                    "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"department":"Maths"}}"#,
                    ),
                ),
            ],
        );
    }
}

#[test]
fn rfc7644_3_5_2_3_values() {
    for compat in [Compat::default(), Compat::strict()] {
        check(
            "User",
            &compat,
            &[
                (
                    "S-3.5.2.3-05, A-03: each match becomes the new value",
                    r#"{"userName":"ada","addresses":[{"type":"work","locality":"a","region":"x"},{"type":"home","locality":"b"},
                    {"type":"work","locality":"c"}]}"#,
                    r#"[{"op":"replace","path":"addresses[type eq \"work\"]","value":{"type":"work","locality":"d"}}]"#,
                    Becomes(
                        r#"{"userName":"ada","addresses":[{"type":"work","locality":"d"},{"type":"home","locality":"b"},
                    {"type":"work","locality":"d"}]}"#,
                    ),
                ),
                (
                    "S-3.5.2.3-06: a sub-attribute in all matches",
                    r#"{"userName":"ada","addresses":[{"type":"work","locality":"a"},{"type":"home","locality":"b"},
                    {"type":"work","locality":"c"}]}"#,
                    r#"[{"op":"replace","path":"addresses[type eq \"work\"].locality","value":"d"}]"#,
                    Becomes(
                        r#"{"userName":"ada","addresses":[{"type":"work","locality":"d"},{"type":"home","locality":"b"},
                    {"type":"work","locality":"d"}]}"#,
                    ),
                ),
                (
                    "the sub-attribute of the filter itself",
                    r#"{"userName":"ada","emails":[{"type":"work","value":"a@x"}]}"#,
                    r#"[{"op":"replace","path":"emails[type eq \"work\"].type","value":"home"}]"#,
                    Becomes(r#"{"userName":"ada","emails":[{"type":"home","value":"a@x"}]}"#),
                ),
                (
                    "null takes the matches away",
                    r#"{"userName":"ada","emails":[{"type":"work","value":"a@x"},{"value":"b@x"}]}"#,
                    r#"[{"op":"replace","path":"emails[type eq \"work\"]","value":null}]"#,
                    Becomes(r#"{"userName":"ada","emails":[{"value":"b@x"}]}"#),
                ),
                (
                    "null takes a sub-attribute of the matches away",
                    r#"{"userName":"ada","emails":[{"type":"work","value":"a@x"},{"value":"b@x"}]}"#,
                    r#"[{"op":"replace","path":"emails[type eq \"work\"].value","value":null}]"#,
                    Becomes(r#"{"userName":"ada","emails":[{"type":"work"},{"value":"b@x"}]}"#),
                ),
                (
                    "S-3.5.2-13: primary by value path",
                    r#"{"userName":"ada","emails":[{"type":"work","value":"a@x","primary":true},{"type":"home","value":"b@x"}]}"#,
                    r#"[{"op":"replace","path":"emails[type eq \"home\"].primary","value":true}]"#,
                    Becomes(
                        r#"{"userName":"ada","emails":[{"type":"work","value":"a@x","primary":false},
                    {"type":"home","value":"b@x","primary":true}]}"#,
                    ),
                ),
                (
                    "primary false moves nothing",
                    r#"{"userName":"ada","emails":[{"type":"work","value":"a@x","primary":true},{"type":"home","value":"b@x","primary":true}]}"#,
                    r#"[{"op":"replace","path":"emails[type eq \"home\"].primary","value":false}]"#,
                    Becomes(
                        r#"{"userName":"ada","emails":[{"type":"work","value":"a@x","primary":true},
                    {"type":"home","value":"b@x","primary":false}]}"#,
                    ),
                ),
            ],
        );
        check(
            "Group",
            &compat,
            &[
                (
                    "C-4.2-02: a member does not become another",
                    r#"{"displayName":"Tour","members":[{"value":"a"}]}"#,
                    r#"[{"op":"replace","path":"members[value eq \"a\"].value","value":"b"}]"#,
                    Fails("mutability"),
                ),
                (
                    "but it may stay what it is",
                    r#"{"displayName":"Tour","members":[{"value":"a"}]}"#,
                    r#"[{"op":"replace","path":"members[value eq \"a\"].value","value":"a"}]"#,
                    Stays,
                ),
                (
                    "Q-MEMBER-IMMUTABLE: the set may become another",
                    r#"{"displayName":"Tour","members":[{"value":"a","display":"Ada"},{"value":"b"}]}"#,
                    r#"[{"op":"replace","path":"members","value":[{"value":"a","display":"Countess"},{"value":"c"}]}]"#,
                    Becomes(
                        r#"{"displayName":"Tour","members":[{"value":"a","display":"Countess"},{"value":"c"}]}"#,
                    ),
                ),
                (
                    "Q-MEMBERS-REPLACE: by nothing",
                    r#"{"displayName":"Tour","members":[{"value":"a"}]}"#,
                    r#"[{"op":"replace","path":"members","value":[]}]"#,
                    Becomes(r#"{"displayName":"Tour"}"#),
                ),
                (
                    "Q-MEMBERS-REPLACE: each once",
                    r#"{"displayName":"Tour"}"#,
                    r#"[{"op":"replace","path":"members","value":[{"value":"a"},{"value":"b"},{"value":"a"}]}]"#,
                    Becomes(r#"{"displayName":"Tour","members":[{"value":"a"},{"value":"b"}]}"#),
                ),
            ],
        );
    }
    let none = (
        "S-3.5.2.3-07: nothing matches",
        r#"{"userName":"ada","emails":[{"value":"b@x","type":"home"}]}"#,
        r#"[{"op":"replace","path":"emails[type eq \"work\"].value","value":"a@x"}]"#,
    );
    check("User", &Compat::strict(), &[(none.0, none.1, none.2, Fails("noTarget"))]);
    check(
        "User",
        &Compat::default(),
        &[(
            none.0,
            none.1,
            none.2,
            Becomes(
                r#"{"userName":"ada","emails":[{"value":"b@x","type":"home"},{"type":"work","value":"a@x"}]}"#,
            ),
        )],
    );
}

#[test]
fn rfc7644_3_5_2_3_without_path() {
    for compat in [Compat::default(), Compat::strict()] {
        check(
            "User",
            &compat,
            &[(
                "S-3.5.2.3-01: each attribute named is replaced",
                r#"{"userName":"ada","nickName":"A","emails":[{"value":"a@x"},{"value":"b@x"}]}"#,
                r#"[{"op":"replace","value":{"emails":[{"value":"c@x","primary":true}],"nickName":"Countess"}}]"#,
                Becomes(
                    r#"{"userName":"ada","nickName":"Countess","emails":[{"value":"c@x","primary":true}]}"#,
                ),
            )],
        );
        check(
            "User",
            &compat,
            &[(
                "null and [] unassign",
                r#"{"userName":"ada","nickName":"A","emails":[{"value":"a@x"}],"active":true}"#,
                r#"[{"op":"replace","value":{"emails":[],"nickName":null,"active":false}}]"#,
                Becomes(r#"{"userName":"ada","active":false}"#),
            )],
        );
    }
}
