//! `remove` ([RFC 7644 §3.5.2.2](https://www.rfc-editor.org/rfc/rfc7644#section-3.5.2.2)).

use scim2_core::Compat;

use crate::support::{Becomes, Fails, Stays, check};

const ADA: &str = r#"{"userName":"ada","title":"Countess","name":{"givenName":"Ada","familyName":"King"},
    "emails":[{"value":"a@x","type":"work","display":"A"},{"value":"b@x","type":"home"}]}"#;

#[test]
fn rfc7644_3_5_2_2_attributes() {
    for compat in [Compat::default(), Compat::strict()] {
        check(
            "User",
            &compat,
            &[
                ("S-3.5.2.2-01: no path", ADA, r#"[{"op":"remove"}]"#, Fails("noTarget")),
                (
                    "S-3.5.2.2-01: no path but a value",
                    ADA,
                    r#"[{"op":"remove","value":{"title":"Countess"}}]"#,
                    Fails("noTarget"),
                ),
                (
                    "S-3.5.2.2-02: a singular attribute",
                    r#"{"userName":"ada","title":"Countess"}"#,
                    r#"[{"op":"remove","path":"title"}]"#,
                    Becomes(r#"{"userName":"ada"}"#),
                ),
                (
                    "one that is not there",
                    r#"{"userName":"ada"}"#,
                    r#"[{"op":"remove","path":"title"}]"#,
                    Stays,
                ),
                (
                    "S-3.5.2.2-03: a multi-valued attribute",
                    r#"{"userName":"ada","emails":[{"value":"a@x"},{"value":"b@x"}]}"#,
                    r#"[{"op":"remove","path":"emails"}]"#,
                    Becomes(r#"{"userName":"ada"}"#),
                ),
                (
                    "a complex attribute",
                    r#"{"userName":"ada","name":{"givenName":"Ada"}}"#,
                    r#"[{"op":"remove","path":"name"}]"#,
                    Becomes(r#"{"userName":"ada"}"#),
                ),
                (
                    "a sub-attribute",
                    r#"{"userName":"ada","name":{"givenName":"Ada","familyName":"King"}}"#,
                    r#"[{"op":"remove","path":"name.familyName"}]"#,
                    Becomes(r#"{"userName":"ada","name":{"givenName":"Ada"}}"#),
                ),
                (
                    "the last sub-attribute takes the attribute with it",
                    r#"{"userName":"ada","name":{"givenName":"Ada"}}"#,
                    r#"[{"op":"remove","path":"name.givenName"}]"#,
                    Becomes(r#"{"userName":"ada"}"#),
                ),
                (
                    "a sub-attribute that is not there",
                    r#"{"userName":"ada"}"#,
                    r#"[{"op":"remove","path":"name.givenName"}]"#,
                    Stays,
                ),
                (
                    "a sub-attribute of all values",
                    r#"{"userName":"ada","emails":[{"value":"a@x","type":"work"},{"value":"b@x"}]}"#,
                    r#"[{"op":"remove","path":"emails.type"}]"#,
                    Becomes(r#"{"userName":"ada","emails":[{"value":"a@x"},{"value":"b@x"}]}"#),
                ),
                (
                    "S-3.5.2.2-06: a required attribute",
                    ADA,
                    r#"[{"op":"remove","path":"userName"}]"#,
                    Fails("mutability"),
                ),
                (
                    "S-3.5.2.2-06: a readOnly attribute",
                    ADA,
                    r#"[{"op":"remove","path":"meta"}]"#,
                    Fails("mutability"),
                ),
                ("S-3.5.2.2-06: id", ADA, r#"[{"op":"remove","path":"id"}]"#, Fails("mutability")),
                ("A-14: an unknown one", ADA, r#"[{"op":"remove","path":"shoeSize"}]"#, Fails("invalidPath")),
            ],
        );
    }
}

#[test]
fn rfc7644_3_5_2_2_values() {
    for compat in [Compat::default(), Compat::strict()] {
        check(
            "User",
            &compat,
            &[
                (
                    "S-3.5.2.2-04: the values that match",
                    r#"{"userName":"ada","emails":[{"value":"a@x","type":"work"},{"value":"b@x","type":"home"}]}"#,
                    r#"[{"op":"remove","path":"emails[type eq \"work\"]"}]"#,
                    Becomes(r#"{"userName":"ada","emails":[{"value":"b@x","type":"home"}]}"#),
                ),
                (
                    "S-3.5.2.2-04: the last value takes the attribute with it",
                    r#"{"userName":"ada","emails":[{"value":"a@x","type":"work"}]}"#,
                    r#"[{"op":"remove","path":"emails[type eq \"work\"]"}]"#,
                    Becomes(r#"{"userName":"ada"}"#),
                ),
                (
                    "RFC 7644 §3.5.2.2: and",
                    r#"{"userName":"ada","emails":[{"value":"a@example.com","type":"work"},{"value":"b@example.org","type":"work"}]}"#,
                    r#"[{"op":"remove","path":"emails[type eq \"work\" and value ew \"example.com\"]"}]"#,
                    Becomes(r#"{"userName":"ada","emails":[{"value":"b@example.org","type":"work"}]}"#),
                ),
                (
                    "or",
                    r#"{"userName":"ada","emails":[{"value":"a@x","type":"work"},{"value":"b@x","type":"home"},{"value":"c@x","type":"other"}]}"#,
                    r#"[{"op":"remove","path":"emails[type eq \"work\" or type eq \"home\"]"}]"#,
                    Becomes(r#"{"userName":"ada","emails":[{"value":"c@x","type":"other"}]}"#),
                ),
                (
                    "not",
                    r#"{"userName":"ada","emails":[{"value":"a@x","type":"work"},{"value":"b@x"}]}"#,
                    r#"[{"op":"remove","path":"emails[not (type eq \"work\")]"}]"#,
                    Becomes(r#"{"userName":"ada","emails":[{"value":"a@x","type":"work"}]}"#),
                ),
                (
                    "pr",
                    r#"{"userName":"ada","emails":[{"value":"a@x","type":"work"},{"value":"b@x"}]}"#,
                    r#"[{"op":"remove","path":"emails[type pr]"}]"#,
                    Becomes(r#"{"userName":"ada","emails":[{"value":"b@x"}]}"#),
                ),
                (
                    "a boolean",
                    r#"{"userName":"ada","emails":[{"value":"a@x","primary":true},{"value":"b@x"}]}"#,
                    r#"[{"op":"remove","path":"emails[primary eq true]"}]"#,
                    Becomes(r#"{"userName":"ada","emails":[{"value":"b@x"}]}"#),
                ),
                (
                    "S-3.5.2.2-05: a sub-attribute of the values that match",
                    r#"{"userName":"ada","emails":[{"value":"a@x","type":"work","display":"A"},{"value":"b@x","type":"home","display":"B"}]}"#,
                    r#"[{"op":"remove","path":"emails[type eq \"work\"].display"}]"#,
                    Becomes(
                        r#"{"userName":"ada","emails":[{"value":"a@x","type":"work"},{"value":"b@x","type":"home","display":"B"}]}"#,
                    ),
                ),
                (
                    "a value of which nothing is left goes",
                    r#"{"userName":"ada","emails":[{"type":"work"},{"value":"b@x"}]}"#,
                    r#"[{"op":"remove","path":"emails[type eq \"work\"].type"}]"#,
                    Becomes(r#"{"userName":"ada","emails":[{"value":"b@x"}]}"#),
                ),
                (
                    "a sub-attribute that the matches lack",
                    r#"{"userName":"ada","emails":[{"value":"b@x","type":"home"}]}"#,
                    r#"[{"op":"remove","path":"emails[type eq \"home\"].display"}]"#,
                    Stays,
                ),
                (
                    "A-13: an unknown name within the brackets",
                    ADA,
                    r#"[{"op":"remove","path":"emails[size eq 1]"}]"#,
                    Fails("invalidFilter"),
                ),
                (
                    "A-14: an unknown name behind them",
                    ADA,
                    r#"[{"op":"remove","path":"emails[type eq \"work\"].size"}]"#,
                    Fails("invalidPath"),
                ),
                (
                    "a filter on a singular simple attribute",
                    ADA,
                    r#"[{"op":"remove","path":"title[value eq \"Countess\"]"}]"#,
                    Fails("invalidPath"),
                ),
            ],
        );
    }
    let gone = (
        "Q-IDEMPOTENT-REMOVE: nothing matches",
        r#"{"userName":"ada","emails":[{"value":"a@x","type":"work"}]}"#,
        r#"[{"op":"remove","path":"emails[type eq \"home\"]"}]"#,
    );
    check("User", &Compat::default(), &[(gone.0, gone.1, gone.2, Stays)]);
    check("User", &Compat::strict(), &[(gone.0, gone.1, gone.2, Fails("noTarget"))]);
}

#[test]
fn rfc7644_3_5_2_2_members() {
    for compat in [Compat::default(), Compat::strict()] {
        check(
            "Group",
            &compat,
            &[
                (
                    "one member",
                    r#"{"displayName":"Tour","members":[{"value":"a"},{"value":"b"}]}"#,
                    r#"[{"op":"remove","path":"members[value eq \"a\"]"}]"#,
                    Becomes(r#"{"displayName":"Tour","members":[{"value":"b"}]}"#),
                ),
                (
                    "S-3.5.2.2-07: one who is not there",
                    r#"{"displayName":"Tour","members":[{"value":"a"}]}"#,
                    r#"[{"op":"remove","path":"members[value eq \"z\"]"}]"#,
                    Stays,
                ),
                (
                    "S-3.5.2.2-07: of none",
                    r#"{"displayName":"Tour"}"#,
                    r#"[{"op":"remove","path":"members[value eq \"z\"]"}]"#,
                    Stays,
                ),
                (
                    "several in one filter",
                    r#"{"displayName":"Tour","members":[{"value":"a"},{"value":"b"},{"value":"c"}]}"#,
                    r#"[{"op":"remove","path":"members[value eq \"a\" or value eq \"c\"]"}]"#,
                    Becomes(r#"{"displayName":"Tour","members":[{"value":"b"}]}"#),
                ),
                (
                    "by type",
                    r#"{"displayName":"Tour","members":[{"value":"a","type":"User"},{"value":"b","type":"Group"}]}"#,
                    r#"[{"op":"remove","path":"members[type eq \"group\"]"}]"#,
                    Becomes(r#"{"displayName":"Tour","members":[{"value":"a","type":"User"}]}"#),
                ),
                (
                    "Q-REMOVE-ALL",
                    r#"{"displayName":"Tour","members":[{"value":"a"},{"value":"b"}]}"#,
                    r#"[{"op":"remove","path":"members"}]"#,
                    Becomes(r#"{"displayName":"Tour"}"#),
                ),
                (
                    "A-06: null names nobody, and empties nothing",
                    r#"{"displayName":"Tour","members":[{"value":"a"},{"value":"b"}]}"#,
                    r#"[{"op":"remove","path":"members","value":null}]"#,
                    Fails("invalidValue"),
                ),
                (
                    "C-4.2-02: a member cannot lose its value",
                    r#"{"displayName":"Tour","members":[{"value":"a"}]}"#,
                    r#"[{"op":"remove","path":"members[value eq \"a\"].value"}]"#,
                    Fails("mutability"),
                ),
                (
                    "C-4.2-02: nor can all of them",
                    r#"{"displayName":"Tour","members":[{"value":"a"}]}"#,
                    r#"[{"op":"remove","path":"members.value"}]"#,
                    Fails("mutability"),
                ),
            ],
        );
    }
}

#[test]
fn rfc7644_3_5_2_2_required() {
    check(
        "Gadget",
        &Compat::default(),
        &[
            (
                "A-15: all values of a required attribute",
                r#"{"owners":["a"]}"#,
                r#"[{"op":"remove","path":"owners"}]"#,
                Fails("mutability"),
            ),
            (
                "A-15: its last value",
                r#"{"owners":["a"]}"#,
                r#"[{"op":"remove","path":"owners[value eq \"a\"]"}]"#,
                Fails("mutability"),
            ),
            (
                "A-15: its last value, listed",
                r#"{"owners":["a"]}"#,
                r#"[{"op":"remove","path":"owners","value":["a"]}]"#,
                Fails("mutability"),
            ),
            (
                "one of its values",
                r#"{"owners":["a","b"]}"#,
                r#"[{"op":"remove","path":"owners[value eq \"a\"]"}]"#,
                Becomes(r#"{"owners":["b"]}"#),
            ),
            (
                "a required sub-attribute",
                r#"{"owners":["a"],"maker":{"name":"Clement","country":"GB"}}"#,
                r#"[{"op":"remove","path":"maker.name"}]"#,
                Fails("mutability"),
            ),
            (
                "a required sub-attribute of a match",
                r#"{"owners":["a"],"parts":[{"value":"x","type":"y"}]}"#,
                r#"[{"op":"remove","path":"parts[type eq \"y\"].value"}]"#,
                Fails("mutability"),
            ),
            (
                "a required extension",
                r#"{"owners":["a"],"urn:example:2.0:Gadget:Warranty":{"code":"x"}}"#,
                r#"[{"op":"remove","path":"urn:example:2.0:Gadget:Warranty"}]"#,
                Fails("mutability"),
            ),
            (
                "a value of a simple multi-valued attribute, without case",
                r#"{"owners":["a"],"tags":["Red","blue"]}"#,
                r#"[{"op":"remove","path":"tags[value eq \"RED\"]"}]"#,
                Becomes(r#"{"owners":["a"],"tags":["blue"]}"#),
            ),
            (
                "a number",
                r#"{"owners":["a"],"sizes":[1,2,3]}"#,
                r#"[{"op":"remove","path":"sizes[value ge 2]"}]"#,
                Becomes(r#"{"owners":["a"],"sizes":[1]}"#),
            ),
        ],
    );
}
