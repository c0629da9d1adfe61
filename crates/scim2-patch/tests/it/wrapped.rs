//! Simple values in objects ([`Quirk::ValueObject`]) and values as JSON text ([`Quirk::JsonText`]).

use scim2_core::{Compat, Quirk};

use crate::support::{Becomes, Case, Fails, Stays, Then, check, check_one};

/// A resource, an operation, and what becomes of the resource.
type Tolerated = (&'static str, &'static str, Then);

#[track_caller]
fn check_quirk(quirk: Quirk, type_name: &str, refused: &'static str, cases: &[Tolerated]) {
    // Without the switch alone other leniencies may still make something of the value.
    let off = Compat::strict().with(Quirk::SingleAsArray, true);
    for (before, operations, then) in cases {
        let case: Case = (operations, before, operations, *then);
        let applied = check_one(type_name, &Compat::default(), case).expect("it is tolerated");
        assert!(applied.leniencies().contains(&quirk), "{operations}: {:?}", applied.leniencies());
        check(type_name, &Compat::strict(), &[(operations, before, operations, Fails(refused))]);
        check(type_name, &off, &[(operations, before, operations, Fails(refused))]);
    }
}

#[test]
fn simple_value_in_object_is_read() {
    check_quirk(
        Quirk::ValueObject,
        "User",
        "invalidValue",
        &[
            (
                r#"{"userName":"ada"}"#,
                r#"[{"op":"add","path":"title","value":{"value":"Dr"}}]"#,
                Becomes(r#"{"userName":"ada","title":"Dr"}"#),
            ),
            (
                r#"{"userName":"ada"}"#,
                r#"[{"op":"replace","path":"title","value":[{"$ref":null,"value":"Dr"}]}]"#,
                Becomes(r#"{"userName":"ada","title":"Dr"}"#),
            ),
            (
                r#"{"userName":"ada","active":true}"#,
                r#"[{"op":"replace","path":"active","value":[{"value":"False"}]}]"#,
                Becomes(r#"{"userName":"ada","active":false}"#),
            ),
            (
                r#"{"userName":"ada","active":true}"#,
                r#"[{"op":"replace","value":{"active":{"value":false},"title":{"VALUE":"Dr"}}}]"#,
                Becomes(r#"{"userName":"ada","active":false,"title":"Dr"}"#),
            ),
            (
                r#"{"userName":"ada","emails":[{"value":"a@x","type":"work"}]}"#,
                r#"[{"op":"replace","path":"emails[type eq \"work\"].value","value":[{"$ref":null,"value":"b@x"}]}]"#,
                Becomes(r#"{"userName":"ada","emails":[{"value":"b@x","type":"work"}]}"#),
            ),
            (
                r#"{"userName":"ada","emails":[{"value":"a@x","type":"work"}]}"#,
                r#"[{"op":"replace","path":"emails[type eq \"work\"].value","value":{"value":"b@x"}}]"#,
                Becomes(r#"{"userName":"ada","emails":[{"value":"b@x","type":"work"}]}"#),
            ),
            (
                r#"{"userName":"ada"}"#,
                r#"[{"op":"add","path":"name","value":{"givenName":{"value":"Ada"}}}]"#,
                Becomes(r#"{"userName":"ada","name":{"givenName":"Ada"}}"#),
            ),
            (
                r#"{"userName":"ada","title":"Dr"}"#,
                r#"[{"op":"replace","path":"title","value":{"value":null}}]"#,
                Becomes(r#"{"userName":"ada"}"#),
            ),
        ],
    );
    check_quirk(
        Quirk::ValueObject,
        "Gadget",
        "invalidValue",
        &[
            (
                r#"{"owners":["a"],"tags":["x"]}"#,
                r#"[{"op":"add","path":"tags","value":[{"value":"b"},"c"]}]"#,
                Becomes(r#"{"owners":["a"],"tags":["x","b","c"]}"#),
            ),
            (
                r#"{"owners":["a"],"tags":["x","y"]}"#,
                r#"[{"op":"replace","path":"tags[value eq \"x\"]","value":{"value":"b"}}]"#,
                Becomes(r#"{"owners":["a"],"tags":["b","y"]}"#),
            ),
        ],
    );
    check(
        "Gadget",
        &Compat::default(),
        &[
            (
                "listed in a remove",
                r#"{"owners":["a"],"tags":["x","y"]}"#,
                r#"[{"op":"remove","path":"tags","value":[{"value":"x"}]}]"#,
                Becomes(r#"{"owners":["a"],"tags":["y"]}"#),
            ),
            (
                "without a value",
                r#"{"owners":["a"]}"#,
                r#"[{"op":"add","path":"tags","value":[{"display":"b"}]}]"#,
                Fails("invalidValue"),
            ),
            (
                "more than one level",
                r#"{"owners":["a"]}"#,
                r#"[{"op":"add","path":"tags","value":[{"value":{"value":"b"}}]}]"#,
                Fails("invalidValue"),
            ),
            (
                "several for one",
                r#"{"owners":["a"]}"#,
                r#"[{"op":"add","path":"on","value":[{"value":true},{"value":false}]}]"#,
                Fails("invalidValue"),
            ),
        ],
    );
}

#[test]
fn json_text_of_complex_or_multi_valued_attribute_is_read() {
    check_quirk(
        Quirk::JsonText,
        "User",
        "invalidValue",
        &[
            (
                r#"{"userName":"ada"}"#,
                r#"[{"op":"replace","path":"emails","value":"[{\"value\":\"a@x\"},{\"value\":\"b@x\"}]"}]"#,
                Becomes(r#"{"userName":"ada","emails":[{"value":"a@x"},{"value":"b@x"}]}"#),
            ),
            (
                r#"{"userName":"ada"}"#,
                r#"[{"op":"add","path":"emails","value":[" {\"value\":\"a@x\"}"]}]"#,
                Becomes(r#"{"userName":"ada","emails":[{"value":"a@x"}]}"#),
            ),
            (
                r#"{"userName":"ada"}"#,
                r#"[{"op":"add","value":{"emails":"{\"value\":\"a@x\"}"}}]"#,
                Becomes(r#"{"userName":"ada","emails":[{"value":"a@x"}]}"#),
            ),
            (
                r#"{"userName":"ada","active":true}"#,
                r#"[{"op":"replace","value":"{\"active\":false}"}]"#,
                Becomes(r#"{"userName":"ada","active":false}"#),
            ),
            (
                r#"{"userName":"ada","emails":[{"value":"a@x","type":"work"}]}"#,
                r#"[{"op":"replace","path":"emails[type eq \"work\"]","value":"{\"value\":\"b@x\"}"}]"#,
                Becomes(r#"{"userName":"ada","emails":[{"value":"b@x"}]}"#),
            ),
            (
                r#"{"userName":"ada","name":{"familyName":"King"}}"#,
                r#"[{"op":"replace","path":"name","value":"{\"givenName\":\"Ada\"}"}]"#,
                Becomes(r#"{"userName":"ada","name":{"familyName":"King","givenName":"Ada"}}"#),
            ),
        ],
    );
    check(
        "User",
        &Compat::default(),
        &[
            (
                "Q-ROLES-JSON: JSON within a simple value stays as it is",
                r#"{"userName":"ada"}"#,
                r#"[{"op":"add","path":"roles","value":[{"value":"{\"id\":\"7\",\"value\":\"User\"}"}]}]"#,
                Becomes(r#"{"userName":"ada","roles":[{"value":"{\"id\":\"7\",\"value\":\"User\"}"}]}"#),
            ),
            (
                "by its path too",
                r#"{"userName":"ada","roles":[{"value":"x","type":"t"}]}"#,
                r#"[{"op":"replace","path":"roles[type eq \"t\"].value","value":"{\"value\":\"User\"}"}]"#,
                Becomes(r#"{"userName":"ada","roles":[{"value":"{\"value\":\"User\"}","type":"t"}]}"#),
            ),
            (
                "and in a singular simple attribute",
                r#"{"userName":"ada"}"#,
                r#"[{"op":"add","path":"title","value":"[1]"}]"#,
                Becomes(r#"{"userName":"ada","title":"[1]"}"#),
            ),
            (
                "an empty list unassigns",
                r#"{"userName":"ada","emails":[{"value":"a@x"}]}"#,
                r#"[{"op":"replace","path":"emails","value":"[]"}]"#,
                Becomes(r#"{"userName":"ada"}"#),
            ),
            (
                "and removes nothing",
                r#"{"userName":"ada","emails":[{"value":"a@x"}]}"#,
                r#"[{"op":"remove","path":"emails","value":"[]"}]"#,
                Stays,
            ),
            (
                "what is not JSON is a text",
                r#"{"userName":"ada"}"#,
                r#"[{"op":"add","path":"roles","value":["[Dept] Admins"]}]"#,
                Becomes(r#"{"userName":"ada","roles":[{"value":"[Dept] Admins"}]}"#),
            ),
            (
                "a name that stands twice",
                r#"{"userName":"ada"}"#,
                r#"[{"op":"add","path":"emails","value":"[{\"value\":\"a@x\",\"VALUE\":\"b@x\"}]"}]"#,
                Fails("invalidValue"),
            ),
        ],
    );
    check(
        "Gadget",
        &Compat::default(),
        &[(
            "a list of simple values",
            r#"{"owners":["a"]}"#,
            r#"[{"op":"add","path":"tags","value":"[\"x\",\"{}\"]"}]"#,
            Becomes(r#"{"owners":["a"],"tags":["x","{}"]}"#),
        )],
    );
    let deep = format!(r#"[{{"op":"add","path":"emails","value":"{}{}"}}]"#, "[".repeat(40), "]".repeat(40));
    let deep: &'static str = deep.leak();
    check("User", &Compat::default(), &[("deep", r#"{"userName":"ada"}"#, deep, Fails("invalidValue"))]);
}

#[test]
fn element_of_list_is_never_read_as_list() {
    let (empty, one) = (r#"{"owners":["a"]}"#, r#"{"owners":["a"],"tags":["x"]}"#);
    let kept = Becomes(r#"{"owners":["a"],"tags":["x","[\"q\"]","[]"]}"#);
    check(
        "Gadget",
        &Compat::default(),
        &[
            ("add", one, r#"[{"op":"add","path":"tags","value":["[\"q\"]","[]"]}]"#, kept),
            ("pathless", one, r#"[{"op":"add","value":{"tags":["[\"q\"]","[]"]}}]"#, kept),
            ("wrapped", one, r#"[{"op":"add","path":"tags","value":{"tags":["[\"q\"]","[]"]}}]"#, kept),
            ("as value", one, r#"[{"op":"add","path":"tags","value":[{"value":"[\"q\"]"},"[]"]}]"#, kept),
            (
                "replace",
                empty,
                r#"[{"op":"replace","path":"tags","value":["[\"q\"]","b"]}]"#,
                Becomes(r#"{"owners":["a"],"tags":["[\"q\"]","b"]}"#),
            ),
            (
                "a list within the text of the whole value",
                empty,
                r#"[{"op":"replace","path":"tags","value":"[\"[1]\",\"b\"]"}]"#,
                Becomes(r#"{"owners":["a"],"tags":["[1]","b"]}"#),
            ),
            (
                "a value that a filter chooses",
                one,
                r#"[{"op":"replace","path":"tags[value eq \"x\"]","value":"[\"q\"]"}]"#,
                Becomes(r#"{"owners":["a"],"tags":["[\"q\"]"]}"#),
            ),
            (
                "a listed value",
                r#"{"owners":["a"],"tags":["q","[\"q\"]"]}"#,
                r#"[{"op":"remove","path":"tags","value":["[\"q\"]"]}]"#,
                Becomes(r#"{"owners":["a"],"tags":["q"]}"#),
            ),
        ],
    );
    check(
        "User",
        &Compat::default(),
        &[
            (
                "an element of a complex list",
                r#"{"userName":"ada"}"#,
                r#"[{"op":"add","path":"roles","value":["[\"q\"]"]}]"#,
                Becomes(r#"{"userName":"ada","roles":[{"value":"[\"q\"]"}]}"#),
            ),
            (
                "without a path",
                r#"{"userName":"ada"}"#,
                r#"[{"op":"replace","value":{"roles":["[\"q\"]"]}}]"#,
                Becomes(r#"{"userName":"ada","roles":[{"value":"[\"q\"]"}]}"#),
            ),
        ],
    );
}
