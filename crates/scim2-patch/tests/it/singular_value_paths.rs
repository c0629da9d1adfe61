//! A filter on a singular complex attribute, whose value is a list of one: `name[givenName eq "Ada"]`.

use scim2_core::{Compat, Quirk};

use crate::support::{Becomes, Fails, Stays, check};

const ADA: &str = r#"{"userName":"ada","name":{"givenName":"Ada","familyName":"Byron"}}"#;

#[test]
fn filter_on_singular_value_that_matches_applies() {
    for compat in [Compat::default(), Compat::strict()] {
        check(
            "User",
            &compat,
            &[
                (
                    "replace of a sub-attribute",
                    ADA,
                    r#"[{"op":"replace","path":"name[givenName eq \"ada\"].familyName","value":"King"}]"#,
                    Becomes(r#"{"userName":"ada","name":{"givenName":"Ada","familyName":"King"}}"#),
                ),
                (
                    "add of a sub-attribute",
                    ADA,
                    r#"[{"op":"add","path":"name[familyName pr].honorificPrefix","value":"Ms"}]"#,
                    Becomes(
                        r#"{"userName":"ada","name":{"givenName":"Ada","familyName":"Byron","honorificPrefix":"Ms"}}"#,
                    ),
                ),
                (
                    "A-03: replace of the value",
                    ADA,
                    r#"[{"op":"replace","path":"name[givenName sw \"A\"]","value":{"givenName":"Bea"}}]"#,
                    Becomes(r#"{"userName":"ada","name":{"givenName":"Bea"}}"#),
                ),
                (
                    "add of sub-attributes",
                    ADA,
                    r#"[{"op":"add","path":"name[givenName pr]","value":{"familyName":"King"}}]"#,
                    Becomes(r#"{"userName":"ada","name":{"givenName":"Ada","familyName":"King"}}"#),
                ),
                (
                    "replace by nothing",
                    ADA,
                    r#"[{"op":"replace","path":"name[givenName pr]","value":null}]"#,
                    Becomes(r#"{"userName":"ada"}"#),
                ),
                (
                    "remove",
                    ADA,
                    r#"[{"op":"remove","path":"name[givenName eq \"Ada\"]"}]"#,
                    Becomes(r#"{"userName":"ada"}"#),
                ),
                (
                    "remove of a sub-attribute, and of the last",
                    ADA,
                    r#"[{"op":"remove","path":"name[givenName pr].familyName"},{"op":"remove","path":"name[givenName pr].givenName"}]"#,
                    Becomes(r#"{"userName":"ada"}"#),
                ),
            ],
        );
    }
}

#[test]
fn filter_on_singular_value_without_match_creates_or_fails() {
    check(
        "User",
        &Compat::default(),
        &[
            (
                "there is a value, and no room for another",
                ADA,
                r#"[{"op":"replace","path":"name[givenName eq \"Bea\"].familyName","value":"King"}]"#,
                Fails("noTarget"),
            ),
            (
                "add likewise",
                ADA,
                r#"[{"op":"add","path":"name[givenName eq \"Bea\"]","value":{"familyName":"King"}}]"#,
                Fails("noTarget"),
            ),
            (
                "A-05: there is none",
                r#"{"userName":"ada"}"#,
                r#"[{"op":"add","path":"name[givenName eq \"Ada\"].familyName","value":"King"}]"#,
                Becomes(r#"{"userName":"ada","name":{"givenName":"Ada","familyName":"King"}}"#),
            ),
            (
                "Q-VALUEPATH-CREATE",
                r#"{"userName":"ada"}"#,
                r#"[{"op":"replace","path":"name[givenName eq \"Ada\"].familyName","value":"King"}]"#,
                Becomes(r#"{"userName":"ada","name":{"givenName":"Ada","familyName":"King"}}"#),
            ),
            (
                "A-07",
                ADA,
                r#"[{"op":"remove","path":"name[givenName eq \"Bea\"]"},{"op":"remove","path":"name[givenName eq \"Bea\"].familyName"}]"#,
                Stays,
            ),
        ],
    );
    check(
        "User",
        &Compat::default().with(Quirk::IdempotentRemove, false).with(Quirk::ValuepathCreate, false),
        &[
            ("A-07", ADA, r#"[{"op":"remove","path":"name[givenName eq \"Bea\"]"}]"#, Fails("noTarget")),
            (
                "A-04",
                r#"{"userName":"ada"}"#,
                r#"[{"op":"replace","path":"name[givenName eq \"Ada\"].familyName","value":"King"}]"#,
                Fails("noTarget"),
            ),
        ],
    );
}

#[test]
fn filter_on_singular_value_keeps_its_requirements() {
    for compat in [Compat::default(), Compat::strict()] {
        check(
            "Gadget",
            &compat,
            &[
                (
                    "a required sub-attribute stays",
                    r#"{"owners":["a"],"maker":{"name":"m","country":"c"}}"#,
                    r#"[{"op":"remove","path":"maker[country eq \"c\"].name"}]"#,
                    Fails("mutability"),
                ),
                (
                    "and cannot be replaced away",
                    r#"{"owners":["a"],"maker":{"name":"m","country":"c"}}"#,
                    r#"[{"op":"replace","path":"maker[country eq \"c\"]","value":{"country":"d"}}]"#,
                    Fails("invalidValue"),
                ),
                (
                    "a new value has what is required",
                    r#"{"owners":["a"]}"#,
                    r#"[{"op":"add","path":"maker[country eq \"c\"].founded","value":1843}]"#,
                    Fails("invalidValue"),
                ),
                (
                    "a simple value has no elements",
                    r#"{"owners":["a"],"serial":"7"}"#,
                    r#"[{"op":"add","path":"serial[value eq \"7\"]","value":"8"}]"#,
                    Fails("invalidPath"),
                ),
                (
                    "an unknown sub-attribute within the brackets",
                    r#"{"owners":["a"],"maker":{"name":"m"}}"#,
                    r#"[{"op":"remove","path":"maker[size eq 1]"}]"#,
                    Fails("invalidFilter"),
                ),
                (
                    "an unknown one behind them",
                    r#"{"owners":["a"],"maker":{"name":"m"}}"#,
                    r#"[{"op":"remove","path":"maker[name pr].size"}]"#,
                    Fails("invalidPath"),
                ),
            ],
        );
    }
}
