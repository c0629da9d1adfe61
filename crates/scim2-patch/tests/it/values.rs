//! Values of every type, at the bounds of what fits.

use scim2_core::Compat;
use scim2_core::work::Work;

use crate::support::{Becomes, Fails, Stays, check, check_one, object, resource_type, run, run_within};

#[test]
fn types() {
    for compat in [Compat::default(), Compat::strict()] {
        check(
            "Gadget",
            &compat,
            &[
                (
                    "an integer",
                    r#"{"owners":["a"]}"#,
                    r#"[{"op":"add","path":"ports","value":4}]"#,
                    Becomes(r#"{"owners":["a"],"ports":4}"#),
                ),
                (
                    "a decimal for an integer",
                    r#"{"owners":["a"]}"#,
                    r#"[{"op":"add","path":"ports","value":4.5}]"#,
                    Fails("invalidValue"),
                ),
                (
                    "a text for an integer",
                    r#"{"owners":["a"]}"#,
                    r#"[{"op":"add","path":"ports","value":"4"}]"#,
                    Fails("invalidValue"),
                ),
                (
                    "an integer for a decimal",
                    r#"{"owners":["a"]}"#,
                    r#"[{"op":"add","path":"weight","value":4}]"#,
                    Becomes(r#"{"owners":["a"],"weight":4}"#),
                ),
                (
                    "a number for a boolean",
                    r#"{"owners":["a"]}"#,
                    r#"[{"op":"add","path":"on","value":1}]"#,
                    Fails("invalidValue"),
                ),
                (
                    "another text for a boolean",
                    r#"{"owners":["a"]}"#,
                    r#"[{"op":"add","path":"on","value":"yes"}]"#,
                    Fails("invalidValue"),
                ),
                (
                    "a boolean for a text",
                    r#"{"owners":["a"]}"#,
                    r#"[{"op":"add","path":"serial","value":true}]"#,
                    Fails("invalidValue"),
                ),
                (
                    "a date",
                    r#"{"owners":["a"]}"#,
                    r#"[{"op":"add","path":"serviced","value":"2026-01-31T09:00:00Z"}]"#,
                    Becomes(r#"{"owners":["a"],"serviced":"2026-01-31T09:00:00Z"}"#),
                ),
                (
                    "no date",
                    r#"{"owners":["a"]}"#,
                    r#"[{"op":"add","path":"serviced","value":"soon"}]"#,
                    Fails("invalidValue"),
                ),
                (
                    "no base64",
                    r#"{"owners":["a"]}"#,
                    r#"[{"op":"add","path":"picture","value":"%%%"}]"#,
                    Fails("invalidValue"),
                ),
                (
                    "a value of a simple multi-valued attribute",
                    r#"{"owners":["a"],"tags":["red"]}"#,
                    r#"[{"op":"add","path":"tags","value":"blue"}]"#,
                    Becomes(r#"{"owners":["a"],"tags":["red","blue"]}"#),
                ),
                (
                    "several, one of them present",
                    r#"{"owners":["a"],"sizes":[1,2]}"#,
                    r#"[{"op":"add","path":"sizes","value":[2,3,3]}]"#,
                    Becomes(r#"{"owners":["a"],"sizes":[1,2,3]}"#),
                ),
                (
                    "an object for a simple value",
                    r#"{"owners":["a"]}"#,
                    r#"[{"op":"add","path":"tags","value":[{"text":"x"}]}]"#,
                    Fails("invalidValue"),
                ),
                (
                    "C-2.5-02: null is not a value of a list",
                    r#"{"owners":["a"]}"#,
                    r#"[{"op":"add","path":"tags","value":[null,"x",null]}]"#,
                    Fails("invalidValue"),
                ),
                (
                    "nothing but nulls",
                    r#"{"owners":["a"]}"#,
                    r#"[{"op":"add","path":"tags","value":[null]}]"#,
                    Fails("invalidValue"),
                ),
                (
                    "empty values of a complex attribute",
                    r#"{"owners":["a"]}"#,
                    r#"[{"op":"add","path":"parts","value":[{},{"type":null}]}]"#,
                    Stays,
                ),
                (
                    "a complex value without what its schema requires",
                    r#"{"owners":["a"]}"#,
                    r#"[{"op":"add","path":"parts","value":[{"type":"x"}]}]"#,
                    Fails("invalidValue"),
                ),
                (
                    "a value path that cannot make one",
                    r#"{"owners":["a"]}"#,
                    r#"[{"op":"add","path":"parts[type eq \"x\"].count","value":2}]"#,
                    Fails("invalidValue"),
                ),
                (
                    "a complex attribute without what its schema requires",
                    r#"{"owners":["a"]}"#,
                    r#"[{"op":"add","path":"maker.country","value":"GB"}]"#,
                    Fails("invalidValue"),
                ),
                (
                    "a multi-valued sub-attribute grows",
                    r#"{"owners":["a"],"maker":{"name":"Clement","brands":["x"]}}"#,
                    r#"[{"op":"add","path":"maker.brands","value":["x","y"]}]"#,
                    Becomes(r#"{"owners":["a"],"maker":{"name":"Clement","brands":["x","y"]}}"#),
                ),
                (
                    "and is replaced",
                    r#"{"owners":["a"],"maker":{"name":"Clement","brands":["x"]}}"#,
                    r#"[{"op":"replace","path":"maker.brands","value":["y"]}]"#,
                    Becomes(r#"{"owners":["a"],"maker":{"name":"Clement","brands":["y"]}}"#),
                ),
                (
                    "in the values that match",
                    r#"{"owners":["a"],"parts":[{"value":"x","colours":["red"]},{"value":"y"}]}"#,
                    r#"[{"op":"add","path":"parts[value eq \"x\"].colours","value":"blue"}]"#,
                    Becomes(
                        r#"{"owners":["a"],"parts":[{"value":"x","colours":["red","blue"]},{"value":"y"}]}"#,
                    ),
                ),
                (
                    "a required multi-valued attribute keeps a value",
                    r#"{"owners":["a"]}"#,
                    r#"[{"op":"replace","path":"owners","value":[]}]"#,
                    Fails("mutability"),
                ),
            ],
        );
    }
}

/// Q-EMPTY-STRING, C-4.2-03: what PATCH refuses is what a create refuses.
#[test]
fn empty_string_for_required_attribute_returns_invalid_value() {
    for compat in [Compat::default(), Compat::strict()] {
        check(
            "Gadget",
            &compat,
            &[
                (
                    "a required sub-attribute of a new value",
                    r#"{"owners":["a"]}"#,
                    r#"[{"op":"add","path":"parts","value":[{"value":"","count":1}]}]"#,
                    Fails("invalidValue"),
                ),
                (
                    "of all values, in place of those there",
                    r#"{"owners":["a"],"parts":[{"value":"x"}]}"#,
                    r#"[{"op":"replace","path":"parts","value":[{"value":""}]}]"#,
                    Fails("invalidValue"),
                ),
                (
                    "of values that are there",
                    r#"{"owners":["a"],"parts":[{"value":"x"}]}"#,
                    r#"[{"op":"replace","path":"parts.value","value":""}]"#,
                    Fails("invalidValue"),
                ),
                (
                    "of one value",
                    r#"{"owners":["a"],"parts":[{"value":"x"}]}"#,
                    r#"[{"op":"replace","path":"parts[value eq \"x\"]","value":{"value":""}}]"#,
                    Fails("invalidValue"),
                ),
                (
                    "of a singular value",
                    r#"{"owners":["a"]}"#,
                    r#"[{"op":"add","path":"maker","value":{"name":"","country":"GB"}}]"#,
                    Fails("invalidValue"),
                ),
                (
                    "a list",
                    r#"{"owners":["a"]}"#,
                    r#"[{"op":"replace","path":"owners","value":[""]}]"#,
                    Fails("invalidValue"),
                ),
                (
                    "a list that holds more",
                    r#"{"owners":["a"]}"#,
                    r#"[{"op":"replace","path":"owners","value":["","b"]}]"#,
                    Becomes(r#"{"owners":["","b"]}"#),
                ),
                (
                    "a list of which no more is left",
                    r#"{"owners":["","b"]}"#,
                    r#"[{"op":"remove","path":"owners[value eq \"b\"]"}]"#,
                    Fails("mutability"),
                ),
                (
                    "an optional sub-attribute",
                    r#"{"owners":["a"],"parts":[{"value":"x","type":"y"}]}"#,
                    r#"[{"op":"replace","path":"parts.type","value":""}]"#,
                    Becomes(r#"{"owners":["a"],"parts":[{"value":"x","type":""}]}"#),
                ),
            ],
        );
        check(
            "Group",
            &compat,
            &[
                (
                    "a membership of nobody",
                    r#"{"displayName":"G"}"#,
                    r#"[{"op":"add","path":"members","value":[{"value":""}]}]"#,
                    Fails("invalidValue"),
                ),
                (
                    "one that says less",
                    r#"{"displayName":"G","members":[{"value":"a"}]}"#,
                    r#"[{"op":"add","path":"members","value":[{"display":"x"}]}]"#,
                    Fails("invalidValue"),
                ),
                (
                    "one that says where its member is",
                    r#"{"displayName":"G","members":[{"value":"a"}]}"#,
                    r#"[{"op":"add","path":"members","value":[{"$ref":"../Users/b"},{"$ref":"../Users/a"}]}]"#,
                    Becomes(
                        r#"{"displayName":"G","members":[{"value":"a"},{"value":"b","$ref":"../Users/b"}]}"#,
                    ),
                ),
                (
                    "made by a sub-attribute",
                    r#"{"displayName":"G"}"#,
                    r#"[{"op":"add","path":"members.display","value":"x"}]"#,
                    Fails("invalidValue"),
                ),
            ],
        );
    }
}

/// The work of a few megabytes of operations is bounded, whatever the operations are.
#[test]
fn work_of_a_message_is_bounded() {
    let user = resource_type("User");
    let emails = |count: usize| {
        let values: Vec<_> = (0..count).map(|n| format!(r#"{{"value":"e{n}@x","type":"work"}}"#)).collect();
        object(&format!(r#"{{"userName":"ada","emails":[{}]}}"#, values.join(",")))
    };
    let long = "x".repeat(100_000);
    for (label, count, operations, fits) in [
        (
            "one text in many values",
            500,
            format!(r#"[{{"op":"replace","path":"emails[type eq \"work\"].display","value":"{long}"}}]"#),
            false,
        ),
        (
            "a shorter one",
            500,
            format!(
                r#"[{{"op":"replace","path":"emails[type eq \"work\"].display","value":"{}"}}]"#,
                "x".repeat(4000)
            ),
            true,
        ),
        (
            "a shorter one in an object",
            500,
            format!(
                r#"[{{"op":"add","path":"emails[type eq \"work\"]","value":{{"display":"{}"}}}}]"#,
                "x".repeat(4000)
            ),
            true,
        ),
        (
            "the same without a filter",
            500,
            format!(r#"[{{"op":"add","path":"emails.display","value":"{long}"}}]"#),
            false,
        ),
        (
            "the same in one value",
            500,
            format!(r#"[{{"op":"replace","path":"emails[value eq \"e7@x\"].display","value":"{long}"}}]"#),
            true,
        ),
        (
            "as many looks as there may be",
            10_000,
            format!("[{}]", vec![r#"{"op":"add","path":"emails","value":[]}"#; 800].join(",")),
            true,
        ),
        (
            "one attribute, over and over",
            10_000,
            format!("[{}]", vec![r#"{"op":"add","path":"emails","value":[]}"#; 940].join(",")),
            false,
        ),
        (
            "lists of what is to go",
            3000,
            format!(
                r#"[{{"op":"remove","path":"emails","value":[{}]}}]"#,
                (0..3000).map(|n| format!(r#"{{"value":"n{n}@x"}}"#)).collect::<Vec<_>>().join(",")
            ),
            false,
        ),
    ] {
        let before = emails(count);
        let mut resource = before.clone();
        let applied = run(&operations, &mut resource, &user, &Compat::default());
        match applied {
            Ok(_) => assert!(fits, "{label}"),
            Err(error) => {
                assert!(!fits, "{label}: {error}");
                assert_eq!(error.scim_type().as_str(), "tooMany", "{label}: {error}");
                assert_eq!(resource, before, "{label}");
            }
        }
    }
}

/// A filter spends what it reads: each term of each value it comes to, and a long text as a key once.
#[test]
fn filters_of_paths_spend_what_they_read() {
    const LIMIT: u64 = 1 << 24;
    let user = resource_type("User");
    let emails = |count: usize| {
        let values: Vec<_> = (0..count).map(|n| format!(r#"{{"value":"e{n}@x","type":"work"}}"#)).collect();
        object(&format!(r#"{{"userName":"ada","emails":[{}]}}"#, values.join(",")))
    };
    let joined = |terms: usize, word: &str| vec![r#"value eq \"nobody@x\""#; terms].join(word);
    let remove = |filter: &str| format!(r#"{{"op":"remove","path":"emails[{filter}]"}}"#);
    let key = |n: usize| format!(r#""emails[{} or value eq \"e{n}@x\"].display":"x""#, joined(100, " or "));
    let keys = (0..10).map(key).collect::<Vec<_>>().join(",");
    let keys = format!(r#"[{{"op":"replace","value":{{{keys}}}}}]"#);
    for (label, count, operations, fits) in [
        ("a filter", 4000, format!("[{}]", remove(&joined(100, " or "))), true),
        ("many filters", 4000, format!("[{}]", vec![remove(&joined(100, " or ")); 2].join(",")), false),
        // The first term decides, and the others are not looked at.
        (
            "many filters of one look",
            4000,
            format!("[{}]", vec![remove(&joined(100, " and ")); 2].join(",")),
            true,
        ),
        ("keys that are paths", 2000, keys.clone(), false),
        ("keys that are paths, on few values", 100, keys, true),
    ] {
        let before = emails(count);
        let mut resource = before.clone();
        let work = Work::with_limit(LIMIT);
        match run_within(&operations, &mut resource, &user, &Compat::default(), &work) {
            Ok(_) => assert!(fits, "{label}: {}", work.spent()),
            Err(error) => {
                assert!(!fits, "{label}: {error}");
                assert_eq!(error.scim_type().as_str(), "tooMany", "{label}: {error}");
                assert_eq!(resource, before, "{label}");
            }
        }
        assert!(work.spent() <= LIMIT, "{label}");
    }
}

/// A5: `remove emails[100 × value co …]` normalized a text of 2 MB 100 times.
#[test]
fn hundred_terms_over_one_long_text_normalize_it_once() {
    let user = resource_type("User");
    let text = "\u{e9}".repeat(1 << 16);
    let before = object(&format!(r#"{{"userName":"ada","emails":[{{"value":"{text}"}}]}}"#));
    let spent = |terms: usize| {
        let terms: Vec<_> = (0..terms).map(|n| format!(r#"value co \"{n:03}\""#)).collect();
        let operations = format!(r#"[{{"op":"remove","path":"emails[{}]"}}]"#, terms.join(" or "));
        let work = Work::unlimited();
        let mut resource = before.clone();
        run_within(&operations, &mut resource, &user, &Compat::default(), &work).expect("it succeeds");
        assert_eq!(resource, before);
        work.spent()
    };
    assert!(spent(100) - spent(1) < 99 * 2 * text.len() as u64);
}

#[test]
fn never_returned_attributes_always_count_as_changed() {
    let gadget = resource_type("Gadget");
    let secret = gadget.find(None, "secret", None).expect("an attribute");
    let mut resource = object(r#"{"owners":["a"]}"#);
    let applied =
        run(r#"[{"op":"replace","path":"secret","value":"x"}]"#, &mut resource, &gadget, &Compat::default());
    assert_eq!(applied.expect("it succeeds").attributes(), [secret]);
    assert_eq!(resource, object(r#"{"owners":["a"],"secret":"x"}"#));

    let mut resource = object(r#"{"owners":["a"]}"#);
    let applied = run(r#"[{"op":"remove","path":"secret"}]"#, &mut resource, &gadget, &Compat::default());
    assert_eq!(applied.expect("it succeeds").attributes(), [secret]);
}

#[test]
fn changes_that_cancel_out_are_not_reported() {
    let user = resource_type("User");
    let title = user.find(None, "title", None).expect("an attribute");
    let mut resource = object(r#"{"userName":"ada","nickName":"A"}"#);
    let applied = run(
        r#"[{"op":"add","path":"title","value":"x"},{"op":"remove","path":"nickName"},
            {"op":"add","path":"nickName","value":"A"},{"op":"replace","path":"title","value":"y"}]"#,
        &mut resource,
        &user,
        &Compat::default(),
    );
    assert_eq!(applied.expect("it succeeds").attributes(), [title]);
}

/// To take thousands out of a group costs no look at each for each.
#[test]
fn filter_with_many_members_removes_them() {
    let group = resource_type("Group");
    let list: Vec<_> = (0..4000).map(|n| format!(r#"{{"value":"m{n}"}}"#)).collect();
    let mut tour =
        object(&format!(r#"{{"displayName":"Tour","members":[{},{{"value":"x"}}]}}"#, list.join(",")));
    let remove = format!(r#"[{{"op":"remove","path":"members","value":[{}]}}]"#, list.join(","));
    run(&remove, &mut tour, &group, &Compat::default()).expect("it is little work");
    assert_eq!(tour, object(r#"{"displayName":"Tour","members":[{"value":"x"}]}"#));
}

/// Values of which nothing is left are gone, in whatever way it went.
#[test]
fn attribute_with_nothing_left_is_unassigned() {
    check(
        "User",
        &Compat::default(),
        &[
            (
                "of a singular value, by null",
                r#"{"userName":"ada","name":{"givenName":"Ada"}}"#,
                r#"[{"op":"replace","path":"name.givenName","value":null}]"#,
                Becomes(r#"{"userName":"ada"}"#),
            ),
            (
                "of it, within it",
                r#"{"userName":"ada","name":{"givenName":"Ada"}}"#,
                r#"[{"op":"replace","path":"name","value":{"givenName":null}}]"#,
                Becomes(r#"{"userName":"ada"}"#),
            ),
            (
                "of the value that a filter chooses",
                r#"{"userName":"ada","emails":[{"type":"work"},{"value":"a@x"}]}"#,
                r#"[{"op":"replace","path":"emails[type eq \"work\"].type","value":null}]"#,
                Becomes(r#"{"userName":"ada","emails":[{"value":"a@x"}]}"#),
            ),
            (
                "add of nothing changes nothing",
                r#"{"userName":"ada","emails":[{"type":"work"}]}"#,
                r#"[{"op":"add","path":"emails[type eq \"work\"]","value":null}]"#,
                Stays,
            ),
            (
                "replace by an object of nothing",
                r#"{"userName":"ada","emails":[{"type":"work"},{"value":"a@x"}]}"#,
                r#"[{"op":"replace","path":"emails[type eq \"work\"]","value":{"value":null}}]"#,
                Becomes(r#"{"userName":"ada","emails":[{"value":"a@x"}]}"#),
            ),
            (
                "by a list of empty strings where objects are wanted",
                r#"{"userName":"ada","emails":[{"type":"work"}]}"#,
                r#"[{"op":"replace","path":"emails","value":[""]}]"#,
                Becomes(r#"{"userName":"ada"}"#),
            ),
        ],
    );
}

#[test]
fn a_03_c_7_07_element_replaced_by_itself_keeps_its_immutable_parts() {
    let before = r#"{"plates":[{"value":"a","lot":"I","count":1},{"value":"b"}]}"#;
    let filter = r#"plates[value eq \"a\"]"#;
    for (value, then) in [
        (r#"{"value":"a","lot":"J"}"#, Fails("mutability")),
        (r#"{"value":"A"}"#, Fails("mutability")),
        (r#"{"lot":"J"}"#, Fails("mutability")),
        (r#"{"value":"a","lot":"I"}"#, Becomes(r#"{"plates":[{"value":"a","lot":"I"},{"value":"b"}]}"#)),
        // Another value in its place.
        (r#"{"value":"c","lot":"J"}"#, Becomes(r#"{"plates":[{"value":"c","lot":"J"},{"value":"b"}]}"#)),
    ] {
        let operations = format!(r#"[{{"op":"replace","path":"{filter}","value":{value}}}]"#);
        check_one("Gadget", &Compat::default(), ("A-03", before, &operations.leak()[..], then));
    }
}

#[test]
fn c_2_3_5_02_s_3_5_2_1_07_add_of_the_same_instant_changes_nothing() {
    let before = r#"{"shifts":["2020-01-01T00:00:00Z"]}"#;
    for (value, then) in [
        (r#"["2020-01-01T02:00:00+02:00"]"#, Stays),
        (r#"["2020-01-01T00:00:00.000Z","2019-12-31T23:00:00-01:00"]"#, Stays),
        (
            r#"["2020-01-01T02:00:00Z"]"#,
            Becomes(r#"{"shifts":["2020-01-01T00:00:00Z","2020-01-01T02:00:00Z"]}"#),
        ),
    ] {
        let operations = format!(r#"[{{"op":"add","path":"shifts","value":{value}}}]"#);
        check_one("Gadget", &Compat::default(), ("C-2.3.5-02", before, &operations.leak()[..], then));
    }
    let remove = r#"[{"op":"remove","path":"shifts","value":["2020-01-01T01:00:00+01:00"]}]"#;
    check_one("Gadget", &Compat::default(), ("C-2.3.5-02", before, remove, Becomes("{}")));
}

#[test]
fn a_05_created_value_matches_its_filter() {
    let before = r#"{"userName":"ada"}"#;
    for filter in [
        r#"type eq \"work\" and type eq \"home\""#,
        r#"type eq \"work\" and not (type eq \"WORK\")"#,
        r#"type eq \"work\" and type eq null"#,
    ] {
        let operations = format!(r#"[{{"op":"add","path":"emails[{filter}].value","value":"a@x"}}]"#);
        check_one("User", &Compat::default(), ("A-05", before, &operations.leak()[..], Fails("noTarget")));
    }
    let twice =
        r#"[{"op":"add","path":"emails[type eq \"work\" and type eq \"WORK\"].value","value":"a@x"}]"#;
    check_one(
        "User",
        &Compat::default(),
        ("A-05", before, twice, Becomes(r#"{"userName":"ada","emails":[{"type":"WORK","value":"a@x"}]}"#)),
    );
}

#[test]
fn a_06_value_without_a_member_never_empties_a_group() {
    let before = r#"{"displayName":"T","members":[{"value":"a"}]}"#;
    for compat in [Compat::default(), Compat::strict(), Compat::profile()] {
        let fails = |op: &str, value: &str, scim_type: &'static str| {
            let operations = format!(r#"[{{"op":"{op}","path":"members","value":{value}}}]"#);
            check_one("Group", &compat, ("A-06", before, &operations.leak()[..], Fails(scim_type)));
        };
        fails("remove", "null", "invalidValue");
        for value in [r#""""#, "{}", "[{}]", r#"[""]"#, r#"[{"value":null}]"#, r#"[{"value":""}]"#] {
            fails("replace", value, "invalidValue");
        }
        for value in ["null", "[]"] {
            let operations = format!(r#"[{{"op":"replace","path":"members","value":{value}}}]"#);
            let case = ("A-16", before, &operations.leak()[..], Becomes(r#"{"displayName":"T"}"#));
            check_one("Group", &compat, case);
        }
    }
    for (value, then) in [
        (r#"[{"$ref":"https://example.com/Users/a"}]"#, Becomes(r#"{"displayName":"T"}"#)),
        ("[]", Stays),
        ("[{}]", Fails("invalidValue")),
    ] {
        let operations = format!(r#"[{{"op":"remove","path":"members","value":{value}}}]"#);
        check_one("Group", &Compat::default(), ("A-06", before, &operations.leak()[..], then));
    }
    // For other attributes than members, `null` counts as no `value`.
    check_one(
        "User",
        &Compat::strict(),
        (
            "S-3.5.2.2-02",
            r#"{"userName":"ada","title":"T"}"#,
            r#"[{"op":"remove","path":"title","value":null}]"#,
            Becomes(r#"{"userName":"ada"}"#),
        ),
    );
}
