//! Values that would stand twice in a list
//! ([RFC 7643 §2.4](https://www.rfc-editor.org/rfc/rfc7643#section-2.4), C-2.4-06, C-2.4-07).

use scim2_core::Compat;

use crate::support::{Becomes, Fails, Stays, check, object, resource_type, run};

const TWO: &str =
    r#"{"userName":"ada","emails":[{"value":"a@x","type":"work"},{"value":"a@x","type":"home"}]}"#;

#[test]
fn c_2_4_07_pair_of_type_and_value_occurs_once() {
    for compat in [Compat::default(), Compat::strict()] {
        check(
            "User",
            &compat,
            &[
                (
                    "a sub-attribute of all values makes two of them one pair",
                    TWO,
                    r#"[{"op":"replace","path":"emails.type","value":"work"}]"#,
                    Becomes(r#"{"userName":"ada","emails":[{"value":"a@x","type":"work"}]}"#),
                ),
                (
                    "a sub-attribute of the values that a filter chooses",
                    TWO,
                    r#"[{"op":"replace","path":"emails[type eq \"home\"].type","value":"Work"}]"#,
                    Becomes(r#"{"userName":"ada","emails":[{"value":"a@x","type":"work"}]}"#),
                ),
                (
                    "a sub-attribute that goes",
                    TWO,
                    r#"[{"op":"remove","path":"emails.type"}]"#,
                    Becomes(r#"{"userName":"ada","emails":[{"value":"a@x"}]}"#),
                ),
                (
                    "what goes leaves its primacy",
                    r#"{"userName":"ada","emails":[{"value":"a@x","type":"work"},{"value":"a@x","type":"home","primary":true}]}"#,
                    r#"[{"op":"replace","path":"emails.type","value":"work"}]"#,
                    Becomes(r#"{"userName":"ada","emails":[{"value":"a@x","type":"work","primary":true}]}"#),
                ),
                (
                    "values put in place of those that a filter chooses",
                    TWO,
                    r#"[{"op":"replace","path":"emails[value eq \"a@x\"]","value":{"value":"b@x","type":"work"}}]"#,
                    Becomes(r#"{"userName":"ada","emails":[{"value":"b@x","type":"work"}]}"#),
                ),
                (
                    "a list as a whole: the first is kept, as in a create",
                    TWO,
                    r#"[{"op":"replace","path":"emails","value":[{"value":"b@x","type":"work","display":"B"},
                        {"value":"B@X","type":"WORK","display":"C"},{"value":"b@x"}]}]"#,
                    Becomes(
                        r#"{"userName":"ada","emails":[{"value":"b@x","type":"work","display":"B"},{"value":"b@x"}]}"#,
                    ),
                ),
                (
                    "C-2.4-06: the same value with another type",
                    r#"{"userName":"ada","emails":[{"value":"a@x","type":"work"}]}"#,
                    r#"[{"op":"add","path":"emails","value":[{"value":"a@x","type":"home"}]}]"#,
                    Becomes(TWO),
                ),
                (
                    "of two that are primary and the same one is left, which is primary",
                    r#"{"userName":"ada"}"#,
                    r#"[{"op":"replace","path":"emails","value":[{"value":"a@x","primary":true},{"value":"a@x","primary":true}]}]"#,
                    Becomes(r#"{"userName":"ada","emails":[{"value":"a@x","primary":true}]}"#),
                ),
            ],
        );
    }
}

#[test]
fn values_without_type_and_value_may_occur_twice() {
    for compat in [Compat::default(), Compat::strict()] {
        check(
            "User",
            &compat,
            &[
                (
                    "two equal ones are put there",
                    r#"{"userName":"ada"}"#,
                    r#"[{"op":"replace","path":"photos","value":[{"type":"photo"},{"type":"photo"}]}]"#,
                    Becomes(r#"{"userName":"ada","photos":[{"type":"photo"},{"type":"photo"}]}"#),
                ),
                (
                    "two equal ones are added",
                    r#"{"userName":"ada"}"#,
                    r#"[{"op":"add","path":"addresses","value":[{"locality":"x"},{"locality":"x"}]}]"#,
                    Becomes(r#"{"userName":"ada","addresses":[{"locality":"x"},{"locality":"x"}]}"#),
                ),
                (
                    "S-3.5.2.1-07: but not where one is",
                    r#"{"userName":"ada","addresses":[{"locality":"x","primary":false}]}"#,
                    r#"[{"op":"add","path":"addresses","value":[{"locality":"x","primary":false},{"locality":"x"}]}]"#,
                    Stays,
                ),
                (
                    "of those that differ in primary the one that is meant",
                    r#"{"userName":"ada","addresses":[{"locality":"x","primary":true},{"locality":"x","primary":false}]}"#,
                    r#"[{"op":"add","path":"addresses","value":[{"locality":"x","primary":true},{"locality":"x","primary":false}]}]"#,
                    Stays,
                ),
                (
                    "S-3.5.2.3-05: two addresses become the same",
                    r#"{"userName":"ada","addresses":[{"type":"work","locality":"x"},{"type":"work","locality":"y"}]}"#,
                    r#"[{"op":"replace","path":"addresses[type eq \"work\"].locality","value":"z"}]"#,
                    Becomes(
                        r#"{"userName":"ada","addresses":[{"type":"work","locality":"z"},{"type":"work","locality":"z"}]}"#,
                    ),
                ),
            ],
        );
    }
}

#[test]
fn simple_values_occur_once() {
    let long = |more: &str| {
        let tags: Vec<String> = (0..20).map(|at| format!("\"t{at}\"")).collect();
        format!(r#"{{"owners":["a"],"tags":[{}{more}]}}"#, tags.join(","))
    };
    let (long, longer): (&str, &str) = (long("").leak(), long(",\"u\"").leak());
    let many: Vec<String> = (10..20).map(|at| format!("\"T{at}\"")).collect();
    let many: &str = format!(r#"[{{"op":"add","path":"tags","value":[{},"u","U"]}}]"#, many.join(",")).leak();
    check(
        "Gadget",
        &Compat::default(),
        &[
            (
                "in other letter case",
                r#"{"owners":["a"],"tags":["x"]}"#,
                r#"[{"op":"add","path":"tags","value":["X","y","Y"]}]"#,
                Becomes(r#"{"owners":["a"],"tags":["x","y"]}"#),
            ),
            (
                "put there as a list",
                r#"{"owners":["a"]}"#,
                r#"[{"op":"replace","path":"tags","value":["x","X","y"]},{"op":"replace","path":"sizes","value":[1,1,2]}]"#,
                Becomes(r#"{"owners":["a"],"tags":["x","y"],"sizes":[1,2]}"#),
            ),
            ("many are added to many", long, many, Becomes(longer)),
            (
                "in the sub-attribute of a value",
                r#"{"owners":["a"],"maker":{"name":"m","brands":["b"]}}"#,
                r#"[{"op":"add","path":"maker.brands","value":["B","c"]}]"#,
                Becomes(r#"{"owners":["a"],"maker":{"name":"m","brands":["b","c"]}}"#),
            ),
            (
                "a required list stays one",
                r#"{"owners":["a","b"]}"#,
                r#"[{"op":"replace","path":"owners","value":[]}]"#,
                Fails("mutability"),
            ),
        ],
    );
}

/// Ten values that come at once are looked up by hash, two one by one: the outcome is the same.
#[test]
fn few_and_many_new_values_have_the_same_result() {
    let addresses = |count: usize| {
        let list: Vec<_> = (0..count).map(|n| format!(r#"{{"locality":"Town {}"}}"#, n / 2)).collect();
        list.join(",")
    };
    let emails = |count: usize| {
        let list: Vec<_> =
            (0..count).map(|n| format!(r#"{{"value":"e{}@x","type":"work"}}"#, n / 2)).collect();
        list.join(",")
    };
    for count in [2, 8, 10, 20] {
        let type_ = resource_type("User");
        let mut user = object(r#"{"userName":"ada","addresses":[{"locality":"Town 0","region":"x"}]}"#);
        let add = format!(
            r#"[{{"op":"add","path":"addresses","value":[{}]}},{{"op":"add","path":"emails","value":[{}]}}]"#,
            addresses(count),
            emails(count)
        );
        let applied = run(&add, &mut user, &type_, &Compat::default()).expect("it succeeds");
        assert!(applied.changed());
        let expected = format!(
            r#"{{"userName":"ada","addresses":[{{"locality":"Town 0","region":"x"}},{}],"emails":[{}]}}"#,
            addresses(count), // two equal addresses that come together stay two
            emails(count)
                .split(',')
                .collect::<Vec<_>>()
                .chunks(4)
                .map(|pair| pair[..2].join(","))
                .collect::<Vec<_>>()
                .join(",")
        );
        assert_eq!(user, object(&expected), "{count}");
        let again = run(&add, &mut user, &type_, &Compat::default()).expect("it succeeds");
        assert!(!again.changed(), "{count}: they are there already");
    }
}

#[test]
fn present_value_keeps_spelling_and_gets_new_sub_attributes() {
    check(
        "User",
        &Compat::default(),
        &[
            (
                "in other letter case",
                r#"{"userName":"ada","emails":[{"value":"a@x","type":"work"}]}"#,
                r#"[{"op":"add","path":"emails","value":[{"value":"A@X","type":"Work","display":"A"}]}]"#,
                Becomes(r#"{"userName":"ada","emails":[{"value":"a@x","type":"work","display":"A"}]}"#),
            ),
            (
                "the same once more",
                r#"{"userName":"ada","emails":[{"value":"a@x","type":"work","display":"A"}]}"#,
                r#"[{"op":"add","path":"emails","value":[{"value":"A@X","type":"Work"}]}]"#,
                Stays,
            ),
        ],
    );
}
