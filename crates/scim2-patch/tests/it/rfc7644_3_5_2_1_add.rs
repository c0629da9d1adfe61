//! `add` ([RFC 7644 §3.5.2.1](https://www.rfc-editor.org/rfc/rfc7644#section-3.5.2.1)).

use scim2_core::Compat;

use crate::support::{Becomes, Fails, Stays, check};

const ADA: &str = r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"id":"1","userName":"ada",
    "name":{"givenName":"Ada","familyName":"King"},
    "emails":[{"value":"ada@example.com","type":"work","primary":true}]}"#;

#[test]
fn rfc7644_3_5_2_1_singular() {
    for compat in [Compat::default(), Compat::strict()] {
        check(
            "User",
            &compat,
            &[
                (
                    "S-3.5.2.1-03: an absent attribute is created",
                    r#"{"userName":"ada"}"#,
                    r#"[{"op":"add","path":"title","value":"Countess"}]"#,
                    Becomes(r#"{"userName":"ada","title":"Countess"}"#),
                ),
                (
                    "S-3.5.2.1-06: a present one is replaced",
                    r#"{"userName":"ada","title":"Countess"}"#,
                    r#"[{"op":"add","path":"title","value":"Lady"}]"#,
                    Becomes(r#"{"userName":"ada","title":"Lady"}"#),
                ),
                (
                    "S-3.5.2.1-08: the same value is not a change",
                    r#"{"userName":"ada","title":"Countess"}"#,
                    r#"[{"op":"add","path":"title","value":"Countess"}]"#,
                    Stays,
                ),
                (
                    "a path in another letter case, a value in the schema's spelling",
                    r#"{"userName":"ada"}"#,
                    r#"[{"op":"add","path":"TITLE","value":"Countess"}]"#,
                    Becomes(r#"{"userName":"ada","title":"Countess"}"#),
                ),
                (
                    "S-3.5.2.1-04, A-01: a complex attribute is merged",
                    r#"{"userName":"ada","name":{"givenName":"Ada"}}"#,
                    r#"[{"op":"add","path":"name","value":{"familyName":"King"}}]"#,
                    Becomes(r#"{"userName":"ada","name":{"givenName":"Ada","familyName":"King"}}"#),
                ),
                (
                    "a sub-attribute of an absent complex attribute",
                    r#"{"userName":"ada"}"#,
                    r#"[{"op":"add","path":"name.familyName","value":"King"}]"#,
                    Becomes(r#"{"userName":"ada","name":{"familyName":"King"}}"#),
                ),
                (
                    "the path with the core URI in front",
                    r#"{"userName":"ada"}"#,
                    r#"[{"op":"add","path":"urn:ietf:params:scim:schemas:core:2.0:User:name.familyName","value":"King"}]"#,
                    Becomes(r#"{"userName":"ada","name":{"familyName":"King"}}"#),
                ),
                (
                    "A-16: null adds nothing",
                    r#"{"userName":"ada","title":"Countess"}"#,
                    r#"[{"op":"add","path":"title","value":null}]"#,
                    Stays,
                ),
                ("S-3.5.2.1-01: no value", ADA, r#"[{"op":"add","path":"title"}]"#, Fails("invalidValue")),
                ("S-3.5.2.1-01: no value and no path", ADA, r#"[{"op":"add"}]"#, Fails("invalidValue")),
                (
                    "S-3.5.2-08: readOnly",
                    ADA,
                    r#"[{"op":"add","path":"id","value":"2"}]"#,
                    Fails("mutability"),
                ),
                (
                    "S-3.5.2-08: a sub-attribute of a readOnly one",
                    ADA,
                    r#"[{"op":"add","path":"meta.version","value":"2"}]"#,
                    Fails("mutability"),
                ),
                (
                    "C-4.1.2-06: groups is readOnly",
                    ADA,
                    r#"[{"op":"add","path":"groups","value":[{"value":"g"}]}]"#,
                    Fails("mutability"),
                ),
                (
                    "A-14: an unknown attribute",
                    ADA,
                    r#"[{"op":"add","path":"shoeSize","value":1}]"#,
                    Fails("invalidPath"),
                ),
                (
                    "A-14: an unknown sub-attribute",
                    ADA,
                    r#"[{"op":"add","path":"name.nickName","value":"A"}]"#,
                    Fails("invalidPath"),
                ),
                (
                    "A-49: a core URI of another type",
                    ADA,
                    r#"[{"op":"add","path":"urn:ietf:params:scim:schemas:core:2.0:Group:displayName","value":"x"}]"#,
                    Fails("invalidPath"),
                ),
            ],
        );
    }
}

#[test]
fn rfc7644_3_5_2_1_multi_valued() {
    for compat in [Compat::default(), Compat::strict()] {
        check(
            "User",
            &compat,
            &[
                (
                    "S-3.5.2.1-05: an array is appended",
                    ADA,
                    r#"[{"op":"add","path":"emails","value":[{"value":"a@example.org","type":"home"}]}]"#,
                    Becomes(
                        r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"id":"1","userName":"ada",
                    "name":{"givenName":"Ada","familyName":"King"},
                    "emails":[{"value":"ada@example.com","type":"work","primary":true},
                              {"value":"a@example.org","type":"home"}]}"#,
                    ),
                ),
                (
                    "S-3.5.2.1-05, A-12: and so is one object",
                    r#"{"userName":"ada"}"#,
                    r#"[{"op":"add","path":"emails","value":{"value":"a@example.org"}}]"#,
                    Becomes(r#"{"userName":"ada","emails":[{"value":"a@example.org"}]}"#),
                ),
                (
                    "S-3.5.2.1-07: what is there is not there twice",
                    ADA,
                    r#"[{"op":"add","path":"emails","value":[{"type":"work","value":"ada@example.com","primary":true}]}]"#,
                    Stays,
                ),
                (
                    "nor is what comes twice",
                    r#"{"userName":"ada"}"#,
                    r#"[{"op":"add","path":"emails","value":[{"value":"a@example.org"},{"value":"a@example.org"}]}]"#,
                    Becomes(r#"{"userName":"ada","emails":[{"value":"a@example.org"}]}"#),
                ),
                (
                    "S-3.5.2-13: the new primary value takes over",
                    ADA,
                    r#"[{"op":"add","path":"emails","value":[{"value":"a@example.org","primary":true}]}]"#,
                    Becomes(
                        r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"id":"1","userName":"ada",
                    "name":{"givenName":"Ada","familyName":"King"},
                    "emails":[{"value":"ada@example.com","type":"work","primary":false},
                              {"value":"a@example.org","primary":true}]}"#,
                    ),
                ),
                (
                    "S-3.5.2-13: a value that is there becomes primary",
                    r#"{"userName":"ada","emails":[{"value":"a@x","primary":true},{"value":"b@x"}]}"#,
                    r#"[{"op":"add","path":"emails","value":[{"value":"b@x","primary":true}]}]"#,
                    Becomes(
                        r#"{"userName":"ada","emails":[{"value":"a@x","primary":false},{"value":"b@x","primary":true}]}"#,
                    ),
                ),
                ("an empty array adds nothing", ADA, r#"[{"op":"add","path":"emails","value":[]}]"#, Stays),
                (
                    "S-3.5.2-08: a value of the wrong type",
                    ADA,
                    r#"[{"op":"add","path":"emails","value":[7]}]"#,
                    Fails("invalidValue"),
                ),
                (
                    "a value path: merged into the match",
                    ADA,
                    r#"[{"op":"add","path":"emails[type eq \"work\"]","value":{"display":"office"}}]"#,
                    Becomes(
                        r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"id":"1","userName":"ada",
                    "name":{"givenName":"Ada","familyName":"King"},
                    "emails":[{"value":"ada@example.com","type":"work","primary":true,"display":"office"}]}"#,
                    ),
                ),
                (
                    "a value path with a sub-attribute",
                    ADA,
                    r#"[{"op":"add","path":"emails[type eq \"WORK\"].display","value":"office"}]"#,
                    Becomes(
                        r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"id":"1","userName":"ada",
                    "name":{"givenName":"Ada","familyName":"King"},
                    "emails":[{"value":"ada@example.com","type":"work","primary":true,"display":"office"}]}"#,
                    ),
                ),
                (
                    "A-05: a value path without match makes the value",
                    r#"{"userName":"ada"}"#,
                    r#"[{"op":"add","path":"emails[type eq \"work\"].value","value":"a@example.org"}]"#,
                    Becomes(r#"{"userName":"ada","emails":[{"type":"work","value":"a@example.org"}]}"#),
                ),
                (
                    "A-05: from all eq terms",
                    r#"{"userName":"ada"}"#,
                    r#"[{"op":"add","path":"addresses[type eq \"work\" and primary eq true].locality","value":"Ockham"}]"#,
                    Becomes(
                        r#"{"userName":"ada","addresses":[{"type":"work","primary":true,"locality":"Ockham"}]}"#,
                    ),
                ),
                (
                    "A-05: from nothing but eq terms",
                    r#"{"userName":"ada"}"#,
                    r#"[{"op":"add","path":"emails[type sw \"work\"].value","value":"a@example.org"}]"#,
                    Fails("noTarget"),
                ),
                (
                    "A-05: nor from an or",
                    r#"{"userName":"ada"}"#,
                    r#"[{"op":"add","path":"emails[type eq \"work\" or type eq \"home\"].value","value":"a@x"}]"#,
                    Fails("noTarget"),
                ),
                (
                    "a made value that is primary takes over",
                    r#"{"userName":"ada","emails":[{"value":"a@x","type":"home","primary":true}]}"#,
                    r#"[{"op":"add","path":"emails[type eq \"work\" and primary eq true].value","value":"b@x"}]"#,
                    Becomes(
                        r#"{"userName":"ada","emails":[{"value":"a@x","type":"home","primary":false},
                    {"type":"work","primary":true,"value":"b@x"}]}"#,
                    ),
                ),
                (
                    "a sub-attribute of all values",
                    r#"{"userName":"ada","emails":[{"value":"a@x"},{"value":"b@x"}]}"#,
                    r#"[{"op":"add","path":"emails.type","value":"work"}]"#,
                    Becomes(
                        r#"{"userName":"ada","emails":[{"value":"a@x","type":"work"},{"value":"b@x","type":"work"}]}"#,
                    ),
                ),
                (
                    "a sub-attribute of no value makes one",
                    r#"{"userName":"ada"}"#,
                    r#"[{"op":"add","path":"emails.value","value":"a@x"}]"#,
                    Becomes(r#"{"userName":"ada","emails":[{"value":"a@x"}]}"#),
                ),
            ],
        );
    }
}

#[test]
fn rfc7644_3_5_2_1_members() {
    for compat in [Compat::default(), Compat::strict()] {
        check(
            "Group",
            &compat,
            &[
                (
                    "S-3.5.2.1-07, Q-DUP-MEMBER: a member is there once",
                    r#"{"displayName":"Tour","members":[{"value":"a","display":"Ada"}]}"#,
                    r#"[{"op":"add","path":"members","value":[{"value":"a"},{"value":"b"},{"value":"b","display":"B"}]}]"#,
                    Becomes(
                        r#"{"displayName":"Tour","members":[{"value":"a","display":"Ada"},{"value":"b"}]}"#,
                    ),
                ),
                (
                    "and adding it again, with another display, is not a change",
                    r#"{"displayName":"Tour","members":[{"value":"a","display":"Ada"}]}"#,
                    r#"[{"op":"add","path":"members","value":[{"value":"a","display":"Countess"}]}]"#,
                    Stays,
                ),
                (
                    "ids are compared with case",
                    r#"{"displayName":"Tour","members":[{"value":"a"}]}"#,
                    r#"[{"op":"add","path":"members","value":[{"value":"A"}]}]"#,
                    Becomes(r#"{"displayName":"Tour","members":[{"value":"a"},{"value":"A"}]}"#),
                ),
                (
                    "A-05: a member made from the filter",
                    r#"{"displayName":"Tour"}"#,
                    r#"[{"op":"add","path":"members[value eq \"a\"].display","value":"Ada"}]"#,
                    Becomes(r#"{"displayName":"Tour","members":[{"value":"a","display":"Ada"}]}"#),
                ),
                (
                    "C-4.2-02: what a member has is immutable",
                    r#"{"displayName":"Tour","members":[{"value":"a","display":"Ada"}]}"#,
                    r#"[{"op":"add","path":"members[value eq \"a\"].display","value":"Countess"}]"#,
                    Fails("mutability"),
                ),
                (
                    "S-3.5.2-09: what it has not may be added",
                    r#"{"displayName":"Tour","members":[{"value":"a"}]}"#,
                    r#"[{"op":"add","path":"members[value eq \"a\"].display","value":"Ada"}]"#,
                    Becomes(r#"{"displayName":"Tour","members":[{"value":"a","display":"Ada"}]}"#),
                ),
                (
                    "a member is nobody without a value",
                    r#"{"displayName":"Tour"}"#,
                    r#"[{"op":"add","path":"members","value":[{"display":"Ada"}]}]"#,
                    Fails("invalidValue"),
                ),
            ],
        );
    }
}

#[test]
fn rfc7644_3_5_2_1_without_path() {
    for compat in [Compat::default(), Compat::strict()] {
        check(
            "User",
            &compat,
            &[
                (
                    "S-3.5.2.1-02: attributes are merged into the resource",
                    r#"{"userName":"ada","emails":[{"value":"a@x"}],"name":{"givenName":"Ada"}}"#,
                    r#"[{"op":"add","value":{"nickName":"A","emails":[{"value":"b@x"}],"NAME":{"familyName":"King"}}}]"#,
                    Becomes(
                        r#"{"userName":"ada","nickName":"A","emails":[{"value":"a@x"},{"value":"b@x"}],
                    "name":{"givenName":"Ada","familyName":"King"}}"#,
                    ),
                ),
                ("the value is not an object", ADA, r#"[{"op":"add","value":"x"}]"#, Fails("invalidValue")),
                ("the value is null", ADA, r#"[{"op":"add","value":null}]"#, Fails("invalidValue")),
                ("an empty object", ADA, r#"[{"op":"add","value":{}}]"#, Stays),
                ("the own id", ADA, r#"[{"op":"add","value":{"id":"1"}}]"#, Stays),
                (
                    "schemas is not set here",
                    ADA,
                    r#"[{"op":"add","value":{"schemas":["urn:example:whatever"],"userName":"ada"}}]"#,
                    Stays,
                ),
                (
                    "an extension under its URI",
                    r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada"}"#,
                    r#"[{"op":"add","value":{"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"department":"Maths"}}}]"#,
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
fn s_3_5_2_09_immutable_attributes_are_set_once() {
    check(
        "Gadget",
        &Compat::default(),
        &[
            (
                "S-3.5.2-09: once",
                r#"{"owners":["a"]}"#,
                r#"[{"op":"add","path":"serial","value":"7"}]"#,
                Becomes(r#"{"owners":["a"],"serial":"7"}"#),
            ),
            (
                "the same again",
                r#"{"owners":["a"],"serial":"7"}"#,
                r#"[{"op":"add","path":"serial","value":"7"}]"#,
                Stays,
            ),
            (
                "another",
                r#"{"owners":["a"],"serial":"7"}"#,
                r#"[{"op":"add","path":"serial","value":"8"}]"#,
                Fails("mutability"),
            ),
            (
                "another, by replace",
                r#"{"owners":["a"],"serial":"7"}"#,
                r#"[{"op":"replace","path":"serial","value":"8"}]"#,
                Fails("mutability"),
            ),
            (
                "another, without a path",
                r#"{"owners":["a"],"serial":"7"}"#,
                r#"[{"op":"replace","value":{"serial":"8"}}]"#,
                Fails("mutability"),
            ),
            (
                "none",
                r#"{"owners":["a"],"serial":"7"}"#,
                r#"[{"op":"remove","path":"serial"}]"#,
                Fails("mutability"),
            ),
            (
                "null",
                r#"{"owners":["a"],"serial":"7"}"#,
                r#"[{"op":"replace","path":"serial","value":null}]"#,
                Fails("mutability"),
            ),
            (
                "one more value of an immutable multi-valued attribute",
                r#"{"owners":["a"],"codes":["x"]}"#,
                r#"[{"op":"add","path":"codes","value":["x","y"]}]"#,
                Fails("mutability"),
            ),
            (
                "the values it has",
                r#"{"owners":["a"],"codes":["x","y"]}"#,
                r#"[{"op":"add","path":"codes","value":["y"]}]"#,
                Stays,
            ),
            (
                "an immutable sub-attribute is set",
                r#"{"owners":["a"],"maker":{"name":"Clement"}}"#,
                r#"[{"op":"add","path":"maker","value":{"founded":1822}}]"#,
                Becomes(r#"{"owners":["a"],"maker":{"name":"Clement","founded":1822}}"#),
            ),
            (
                "and not changed",
                r#"{"owners":["a"],"maker":{"name":"Clement","founded":1822}}"#,
                r#"[{"op":"add","path":"maker.founded","value":1823}]"#,
                Fails("mutability"),
            ),
        ],
    );
}

/// A-05: which filters describe a value, and which one.
#[test]
fn a_05_add_without_match_creates_the_described_value() {
    check(
        "User",
        &Compat::default(),
        &[
            (
                "what it has, and what it has not",
                r#"{"userName":"ada"}"#,
                r#"[{"op":"add","path":"emails[type eq \"work\" and display eq null].value","value":"a@x"}]"#,
                Becomes(r#"{"userName":"ada","emails":[{"type":"work","value":"a@x"}]}"#),
            ),
            (
                "what it is not describes nothing",
                r#"{"userName":"ada"}"#,
                r#"[{"op":"add","path":"emails[type eq \"work\" and not (display eq \"x\")].value","value":"a@x"}]"#,
                Fails("noTarget"),
            ),
            (
                "nor does a choice",
                r#"{"userName":"ada"}"#,
                r#"[{"op":"add","path":"emails[type eq \"work\" or type eq \"home\"].value","value":"a@x"}]"#,
                Fails("noTarget"),
            ),
            (
                "nor a beginning",
                r#"{"userName":"ada"}"#,
                r#"[{"op":"add","path":"emails[type sw \"work\"].value","value":"a@x"}]"#,
                Fails("noTarget"),
            ),
        ],
    );
}

/// A value that a filter chooses is one value, and `add` replaces one value (S-3.5.2.1-06).
#[test]
fn add_at_filter_on_simple_values_replaces_the_chosen_values() {
    for compat in [Compat::default(), Compat::strict()] {
        check(
            "Gadget",
            &compat,
            &[
                (
                    "one of two",
                    r#"{"owners":["a"],"tags":["a","b"]}"#,
                    r#"[{"op":"add","path":"tags[value eq \"a\"]","value":"z"}]"#,
                    Becomes(r#"{"owners":["a"],"tags":["z","b"]}"#),
                ),
                (
                    "by the value of another",
                    r#"{"owners":["a"],"tags":["a","b"]}"#,
                    r#"[{"op":"add","path":"tags[value eq \"a\"]","value":"b"}]"#,
                    Becomes(r#"{"owners":["a"],"tags":["b"]}"#),
                ),
                (
                    "no match appends the value",
                    r#"{"owners":["a"],"tags":["b"]}"#,
                    r#"[{"op":"add","path":"tags[value eq \"a\"]","value":"z"}]"#,
                    Becomes(r#"{"owners":["a"],"tags":["b","z"]}"#),
                ),
            ],
        );
    }
}
