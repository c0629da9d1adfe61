//! Forms that real clients send: what `default` makes of them, and what `strict` does.

use scim2_core::{Compat, Quirk, Value};
use scim2_patch::{Limits, MemberDelta, Op, PatchOp, apply};

use crate::support::{
    Becomes, Case, Fails, Stays, Then, check, check_one, ignored_paths, object, resource_type, run,
};

/// A quirk with a switch: tolerated by default and reported, refused (or read to the letter) without.
type QuirkCase = (Quirk, &'static str, &'static str, &'static str, Then, Then);

#[track_caller]
fn check_quirks(type_name: &str, cases: &[QuirkCase]) {
    for (quirk, label, before, operations, default, strict) in cases {
        let case = |then| -> Case { (label, before, operations, then) };
        let applied = check_one(type_name, &Compat::default(), case(*default));
        if let Some(applied) = applied {
            assert!(applied.leniencies().contains(quirk), "{label}: reports {:?}", applied.leniencies());
        }
        check_one(type_name, &Compat::strict(), case(*strict));
        // The switch alone makes the difference, whatever else is tolerated.
        check_one(type_name, &Compat::default().with(*quirk, false), case(*strict));
    }
}

const ADA: &str = r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"id":"1","userName":"ada"}"#;
const TOUR: &str = r#"{"displayName":"Tour","members":[{"value":"a"},{"value":"b"}]}"#;

#[test]
fn quirks_of_users() {
    check_quirks(
        "User",
        &[
            (
                Quirk::StringBool,
                "Q-STRING-BOOL, A-54",
                r#"{"userName":"ada","active":true}"#,
                r#"[{"op":"Replace","path":"active","value":"False"}]"#,
                Becomes(r#"{"userName":"ada","active":false}"#),
                Fails("invalidValue"),
            ),
            (
                Quirk::StringBool,
                "Q-STRING-BOOL: without a path",
                r#"{"userName":"ada","active":false}"#,
                r#"[{"op":"replace","value":{"active":"TRUE"}}]"#,
                Becomes(r#"{"userName":"ada","active":true}"#),
                Fails("invalidValue"),
            ),
            (
                Quirk::StringBool,
                "Q-STRING-BOOL: within a value",
                r#"{"userName":"ada"}"#,
                r#"[{"op":"add","path":"emails","value":[{"value":"a@example.org","primary":"True"}]}]"#,
                Becomes(r#"{"userName":"ada","emails":[{"value":"a@example.org","primary":true}]}"#),
                Fails("invalidValue"),
            ),
            (
                Quirk::SingleAsArray,
                "Q-SINGLE-AS-ARRAY",
                r#"{"userName":"ada"}"#,
                r#"[{"op":"add","path":"title","value":["Countess"]}]"#,
                Becomes(r#"{"userName":"ada","title":"Countess"}"#),
                Fails("invalidValue"),
            ),
            (
                Quirk::SingleAsArray,
                "Q-SINGLE-AS-ARRAY: a complex value",
                r#"{"userName":"ada"}"#,
                r#"[{"op":"add","path":"name","value":[{"givenName":"Ada"}]}]"#,
                Becomes(r#"{"userName":"ada","name":{"givenName":"Ada"}}"#),
                Fails("invalidValue"),
            ),
            (
                Quirk::ReadonlySent,
                "Q-READONLY-SENT, A-10",
                ADA,
                r#"[{"op":"replace","value":{"id":"2","title":"Countess","meta":{"version":"3"},"groups":[]}}]"#,
                Becomes(
                    r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"id":"1","userName":"ada","title":"Countess"}"#,
                ),
                Fails("mutability"),
            ),
        ],
    );
    // Without the switch a key that is a path is an unknown attribute: ignored, or refused in strict.
    let dotted = (
        "Q-DOTTED-KEYS, A-11",
        r#"{"userName":"ada","name":{"familyName":"King"}}"#,
        r#"[{"op":"replace","value":{"name.givenName":"Ada"}}]"#,
    );
    let case = |then| -> Case { (dotted.0, dotted.1, dotted.2, then) };
    let applied = check_one(
        "User",
        &Compat::default(),
        case(Becomes(r#"{"userName":"ada","name":{"familyName":"King","givenName":"Ada"}}"#)),
    );
    assert_eq!(applied.expect("it succeeds").leniencies(), [Quirk::DottedKeys]);
    check_one("User", &Compat::strict(), case(Fails("invalidPath")));
    let off = Compat::default().with(Quirk::DottedKeys, false);
    check_one("User", &off, case(Fails("invalidPath")));
    let beside = r#"[{"op":"replace","value":{"name.givenName":"Ada","userName":"ADA"}}]"#;
    let applied = check_one(
        "User",
        &off,
        (dotted.0, dotted.1, beside, Becomes(r#"{"userName":"ADA","name":{"familyName":"King"}}"#)),
    );
    assert_eq!(ignored_paths(applied.expect("it succeeds").ignored()), ["name.givenName"]);
}

#[test]
fn quirks_of_keys() {
    check(
        "User",
        &Compat::default(),
        &[
            (
                "Q-DOTTED-KEYS: a value path, twice the same value",
                r#"{"userName":"ada"}"#,
                r#"[{"op":"replace","value":{"emails[type eq \"work\"].value":"a@example.org","emails[type eq \"work\"].primary":"True"}}]"#,
                Becomes(
                    r#"{"userName":"ada","emails":[{"type":"work","value":"a@example.org","primary":true}]}"#,
                ),
            ),
            (
                "Q-DOTTED-KEYS: with a URI",
                ADA,
                r#"[{"op":"replace","value":{"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department":"Maths"}}]"#,
                Becomes(
                    r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"],
                "id":"1","userName":"ada","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"department":"Maths"}}"#,
                ),
            ),
            (
                "Q-DOTTED-KEYS: with the core URI",
                r#"{"userName":"ada"}"#,
                r#"[{"op":"add","value":{"urn:ietf:params:scim:schemas:core:2.0:User:title":"Countess"}}]"#,
                Becomes(r#"{"userName":"ada","title":"Countess"}"#),
            ),
            (
                "Q-DOTTED-KEYS: the core attributes under their URI",
                r#"{"userName":"ada"}"#,
                r#"[{"op":"add","value":{"urn:ietf:params:scim:schemas:core:2.0:User":{"title":"Countess"}}}]"#,
                Becomes(r#"{"userName":"ada","title":"Countess"}"#),
            ),
            (
                "Q-DOTTED-KEYS: but not within each other",
                r#"{"userName":"ada"}"#,
                r#"[{"op":"add","value":{"urn:ietf:params:scim:schemas:core:2.0:User":
                {"urn:ietf:params:scim:schemas:core:2.0:User":{"title":"Countess"}}}}]"#,
                Fails("invalidPath"),
            ),
            (
                "Q-URN-WRONG: an old URI of the extension",
                r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada"}"#,
                r#"[{"op":"add","value":{"urn:scim:schemas:extension:enterprise:1.0":{"department":"Maths"}}}]"#,
                Becomes(
                    r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"],
                "userName":"ada","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"department":"Maths"}}"#,
                ),
            ),
            (
                "Q-URN-WRONG: a colon is missing",
                r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada"}"#,
                r#"[{"op":"add","value":{"urn:ietf:params:scim:schemas:extension:enterprise:2.0User":{"department":"Maths"}}}]"#,
                Becomes(
                    r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"],
                "userName":"ada","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"department":"Maths"}}"#,
                ),
            ),
            (
                "Q-URN-WRONG: a colon is missing in a path",
                r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada"}"#,
                r#"[{"op":"add","path":"urn:ietf:params:scim:schemas:extension:enterprise:2.0User:department","value":"Maths"}]"#,
                Becomes(
                    r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"],
                "userName":"ada","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"department":"Maths"}}"#,
                ),
            ),
            (
                "Q-DOTTED-KEYS: to a readOnly attribute",
                r#"{"userName":"ada"}"#,
                r#"[{"op":"add","value":{"meta.version":"1"}}]"#,
                Stays,
            ),
            (
                "an unknown attribute is ignored, the others are not",
                r#"{"userName":"ada"}"#,
                r#"[{"op":"add","value":{"shoeSize":38,"title":"Countess"}}]"#,
                Becomes(r#"{"userName":"ada","title":"Countess"}"#),
            ),
            (
                "an unknown sub-attribute is ignored",
                r#"{"userName":"ada"}"#,
                r#"[{"op":"add","path":"name","value":{"nick":"A","givenName":"Ada"}}]"#,
                Becomes(r#"{"userName":"ada","name":{"givenName":"Ada"}}"#),
            ),
            (
                "Q-UNKNOWN-EXT",
                r#"{"userName":"ada"}"#,
                r#"[{"op":"add","value":{"urn:example:2.0:Shoes":{"size":38},"title":"Countess"}}]"#,
                Becomes(r#"{"userName":"ada","title":"Countess"}"#),
            ),
            (
                "keys that are not paths",
                r#"{"userName":"ada"}"#,
                r#"[{"op":"add","value":{"emails[":1,"a.b.c":2,"":3,"userName":"ada"}}]"#,
                Stays,
            ),
        ],
    );
    check(
        "User",
        &Compat::strict(),
        &[
            ("an unknown attribute", ADA, r#"[{"op":"add","value":{"shoeSize":38}}]"#, Fails("invalidPath")),
            (
                "an unknown extension",
                ADA,
                r#"[{"op":"add","value":{"urn:example:2.0:Shoes":{}}}]"#,
                Fails("invalidPath"),
            ),
            (
                "a key with the core URI",
                ADA,
                r#"[{"op":"add","value":{"urn:ietf:params:scim:schemas:core:2.0:User:title":"x"}}]"#,
                Fails("invalidPath"),
            ),
        ],
    );
}

#[test]
fn quirks_of_extensions() {
    check_quirks(
        "User",
        &[
            (
                Quirk::ExtShortName,
                "Q-EXT-SHORT-NAME",
                r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada"}"#,
                r#"[{"op":"Add","path":"department","value":"Maths"}]"#,
                Becomes(
                    r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"],
                "userName":"ada","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"department":"Maths"}}"#,
                ),
                Fails("invalidPath"),
            ),
            (
                Quirk::ManagerString,
                "Q-MANAGER-STRING, A-70",
                r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada"}"#,
                r#"[{"op":"Add","path":"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager","value":"7"}]"#,
                Becomes(
                    r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"],
                "userName":"ada","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"manager":{"value":"7"}}}"#,
                ),
                Fails("invalidValue"),
            ),
            (
                Quirk::UrnWrong,
                "Q-URN-WRONG: the plural",
                r#"{"userName":"ada"}"#,
                r#"[{"op":"add","path":"urn:ietf:params:scim:schemas:core:2.0:Users:title","value":"Countess"}]"#,
                Becomes(r#"{"userName":"ada","title":"Countess"}"#),
                Fails("invalidPath"),
            ),
            (
                Quirk::UrnWrong,
                "Q-URN-WRONG: no urn",
                r#"{"userName":"ada"}"#,
                r#"[{"op":"add","path":"ietf:params:scim:schemas:core:2.0:User:name.givenName","value":"Ada"}]"#,
                Becomes(r#"{"userName":"ada","name":{"givenName":"Ada"}}"#),
                Fails("invalidPath"),
            ),
            (
                Quirk::UrnWrong,
                "Q-URN-WRONG: a dot for the colon",
                r#"{"userName":"ada"}"#,
                r#"[{"op":"Add","path":"urn:ietf:params:scim:schemas:core:2.0:User.title","value":"Countess"}]"#,
                Becomes(r#"{"userName":"ada","title":"Countess"}"#),
                Fails("invalidPath"),
            ),
        ],
    );
    const MANAGED: &str = r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"],
        "userName":"ada","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"manager":{"value":"7","displayName":"Bo"}}}"#;
    const UNMANAGED: &str = r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada"}"#;
    check(
        "User",
        &Compat::default(),
        &[
            (
                "Q-EMPTY-STRING-REMOVE",
                MANAGED,
                r#"[{"op":"Replace","path":"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager","value":""}]"#,
                Becomes(UNMANAGED),
            ),
            (
                "Q-EMPTY-STRING-REMOVE: without a path, without the URI",
                MANAGED,
                r#"[{"op":"Replace","value":{"manager":""}}]"#,
                Becomes(UNMANAGED),
            ),
            (
                "Q-EMPTY-STRING-REMOVE: add removes nothing",
                MANAGED,
                r#"[{"op":"Add","path":"manager","value":""}]"#,
                Stays,
            ),
            (
                "a new manager",
                r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"],
            "userName":"ada","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"manager":{"value":"7"}}}"#,
                r#"[{"op":"Replace","path":"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager","value":"8"}]"#,
                Becomes(
                    r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"],
            "userName":"ada","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"manager":{"value":"8"}}}"#,
                ),
            ),
            (
                "a manager with a readOnly displayName",
                UNMANAGED,
                r#"[{"op":"Add","path":"manager","value":{"value":"7","displayName":"Bo"}}]"#,
                Becomes(
                    r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"],
            "userName":"ada","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"manager":{"value":"7"}}}"#,
                ),
            ),
            (
                "but not as a path",
                MANAGED,
                r#"[{"op":"replace","path":"manager.displayName","value":"Cy"}]"#,
                Fails("mutability"),
            ),
            (
                "the manager goes",
                MANAGED,
                r#"[{"op":"Remove","path":"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager"}]"#,
                Becomes(UNMANAGED),
            ),
            (
                "the manager goes, named by value",
                MANAGED,
                r#"[{"op":"Remove","path":"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager","value":"7"}]"#,
                Becomes(UNMANAGED),
            ),
        ],
    );
    check(
        "User",
        &Compat::strict(),
        &[(
            "an empty string is not a manager",
            MANAGED,
            r#"[{"op":"replace","path":"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager","value":""}]"#,
            Fails("invalidValue"),
        )],
    );
}

#[test]
fn q_valuepath_create() {
    check(
        "User",
        &Compat::default(),
        &[
            (
                "Q-VALUEPATH-CREATE: later operations hit what the first made",
                r#"{"userName":"ada"}"#,
                r#"[{"op":"Replace","path":"addresses[type eq \"work\"].locality","value":"Ockham"},
                {"op":"Replace","path":"addresses[type eq \"work\"].country","value":"GB"},
                {"op":"Replace","path":"active","value":"False"}]"#,
                Becomes(
                    r#"{"userName":"ada","addresses":[{"type":"work","locality":"Ockham","country":"GB"}],"active":false}"#,
                ),
            ),
            (
                "Q-VALUEPATH-CREATE: a whole value",
                r#"{"userName":"ada","emails":[{"value":"b@x","type":"home"}]}"#,
                r#"[{"op":"Replace","path":"emails[type eq \"work\"]","value":{"value":"a@x"}}]"#,
                Becomes(
                    r#"{"userName":"ada","emails":[{"value":"b@x","type":"home"},{"type":"work","value":"a@x"}]}"#,
                ),
            ),
            (
                "Q-VALUEPATH-CREATE: a text",
                r#"{"userName":"ada"}"#,
                r#"[{"op":"Add","path":"emails[type eq \"work\"]","value":"a@x"}]"#,
                Becomes(r#"{"userName":"ada","emails":[{"type":"work","value":"a@x"}]}"#),
            ),
            (
                "a text for a match keeps what the filter says",
                r#"{"userName":"ada","emails":[{"value":"a@x","type":"work"}]}"#,
                r#"[{"op":"Replace","path":"emails[type eq \"work\"]","value":"b@x"}]"#,
                Becomes(r#"{"userName":"ada","emails":[{"value":"b@x","type":"work"}]}"#),
            ),
            (
                "Q-VALUEPATH-CREATE: not from a filter that describes no value",
                r#"{"userName":"ada"}"#,
                r#"[{"op":"Replace","path":"emails[type ne \"work\"].value","value":"a@x"}]"#,
                Fails("noTarget"),
            ),
            (
                "null makes nothing",
                r#"{"userName":"ada"}"#,
                r#"[{"op":"Replace","path":"emails[type eq \"work\"].value","value":null}]"#,
                Stays,
            ),
            (
                "a literal without a space before it (Q-FILTER-LOOSE)",
                r#"{"userName":"ada","emails":[{"value":"a@x","type":"work"}]}"#,
                r#"[{"op":"Replace","path":"emails[type eq\"work\"].value","value":"b@x"}]"#,
                Becomes(r#"{"userName":"ada","emails":[{"value":"b@x","type":"work"}]}"#),
            ),
        ],
    );
    check(
        "User",
        &Compat::strict(),
        &[
            (
                "A-04",
                r#"{"userName":"ada"}"#,
                r#"[{"op":"replace","path":"emails[type eq \"work\"]","value":{"value":"a@x"}}]"#,
                Fails("noTarget"),
            ),
            (
                "A-41",
                r#"{"userName":"ada","emails":[{"value":"a@x","type":"work"}]}"#,
                r#"[{"op":"Replace","path":"emails[type eq\"work\"].value","value":"b@x"}]"#,
                Fails("invalidFilter"),
            ),
        ],
    );
}

#[test]
fn q_remove_with_value_of_sub_attributes() {
    const ADA: &str = r#"{"userName":"ada","emails":[{"value":"a@x","type":"work","display":"A"},{"value":"b@x","type":"work","display":"B"}]}"#;
    const PARTS: &str = r#"{"owners":["a"],"parts":[{"value":"p","colours":["red","blue"]},{"value":"q"}]}"#;
    check_quirks(
        "User",
        &[
            (
                Quirk::RemoveWithValue,
                "only from the values of which it is named",
                ADA,
                r#"[{"op":"Remove","path":"emails[type eq \"work\"].display","value":"a"}]"#,
                Becomes(
                    r#"{"userName":"ada","emails":[{"value":"a@x","type":"work"},{"value":"b@x","type":"work","display":"B"}]}"#,
                ),
                Fails("invalidSyntax"),
            ),
            (
                Quirk::RemoveWithValue,
                "without a filter too",
                ADA,
                r#"[{"op":"Remove","path":"emails.display","value":["B","C"]}]"#,
                Becomes(
                    r#"{"userName":"ada","emails":[{"value":"a@x","type":"work","display":"A"},{"value":"b@x","type":"work"}]}"#,
                ),
                Fails("invalidSyntax"),
            ),
            (
                Quirk::RemoveWithValue,
                "a singular sub-attribute goes if it is the listed value",
                r#"{"userName":"ada","name":{"givenName":"Ada","familyName":"King"}}"#,
                r#"[{"op":"Remove","path":"name.familyName","value":"KING"}]"#,
                Becomes(r#"{"userName":"ada","name":{"givenName":"Ada"}}"#),
                Fails("invalidSyntax"),
            ),
        ],
    );
    check_quirks(
        "Gadget",
        &[
            (
                Quirk::RemoveWithValue,
                "of a sub-attribute with several values",
                PARTS,
                r#"[{"op":"Remove","path":"parts.colours","value":["Red"]}]"#,
                Becomes(r#"{"owners":["a"],"parts":[{"value":"p","colours":["blue"]},{"value":"q"}]}"#),
                Fails("invalidSyntax"),
            ),
            (
                Quirk::RemoveWithValue,
                "of a sub-attribute with several values, all of them",
                PARTS,
                r#"[{"op":"Remove","path":"parts[value pr].colours","value":["red","blue","green"]}]"#,
                Becomes(r#"{"owners":["a"],"parts":[{"value":"p"},{"value":"q"}]}"#),
                Fails("invalidSyntax"),
            ),
        ],
    );
}

#[test]
fn quirks_of_groups() {
    check_quirks(
        "Group",
        &[
            (
                Quirk::RemoveWithValue,
                "Q-REMOVE-WITH-VALUE, A-06",
                TOUR,
                r#"[{"op":"Remove","path":"members","value":[{"value":"a"}]}]"#,
                Becomes(r#"{"displayName":"Tour","members":[{"value":"b"}]}"#),
                Fails("invalidSyntax"),
            ),
            (
                Quirk::RemoveWithValue,
                "Q-REMOVE-WITH-VALUE: one object, with more than it needs",
                TOUR,
                r#"[{"op":"Remove","path":"members","value":{"value":"b","display":"Bo","$ref":null}}]"#,
                Becomes(r#"{"displayName":"Tour","members":[{"value":"a"}]}"#),
                Fails("invalidSyntax"),
            ),
            (
                Quirk::RemoveWithValue,
                "Q-REMOVE-WITH-VALUE: nothing listed, nothing removed",
                TOUR,
                r#"[{"op":"Remove","path":"members","value":[]}]"#,
                Stays,
                Fails("invalidSyntax"),
            ),
            (
                Quirk::RemoveWithValue,
                "Q-REMOVE-WITH-VALUE: nobody of that name",
                TOUR,
                r#"[{"op":"Remove","path":"members","value":[{"value":"z"},{"display":"a"}]}]"#,
                Stays,
                Fails("invalidSyntax"),
            ),
            (
                Quirk::RemoveWithValue,
                "Q-REMOVE-WITH-VALUE: everybody listed",
                TOUR,
                r#"[{"op":"Remove","path":"members","value":[{"value":"a"},{"value":"b"}]}]"#,
                Becomes(r#"{"displayName":"Tour"}"#),
                Fails("invalidSyntax"),
            ),
            (
                Quirk::RemoveWithValue,
                "Q-REMOVE-WITH-VALUE: behind a filter, which must match too",
                TOUR,
                r#"[{"op":"remove","path":"members[value eq \"a\" or value eq \"b\"]","value":[{"value":"a"},{"value":"c"}]}]"#,
                Becomes(r#"{"displayName":"Tour","members":[{"value":"b"}]}"#),
                Fails("invalidSyntax"),
            ),
            (
                Quirk::RemoveWithValue,
                "Q-REMOVE-WITH-VALUE: behind a filter, nothing listed",
                TOUR,
                r#"[{"op":"remove","path":"members[value eq \"a\"]","value":[]}]"#,
                Stays,
                Fails("invalidSyntax"),
            ),
            (
                Quirk::MemberString,
                "Q-MEMBER-STRING",
                TOUR,
                r#"[{"op":"Add","path":"members","value":["c","a"]}]"#,
                Becomes(r#"{"displayName":"Tour","members":[{"value":"a"},{"value":"b"},{"value":"c"}]}"#),
                Fails("invalidValue"),
            ),
        ],
    );
    check(
        "Group",
        &Compat::default(),
        &[
            (
                "Q-WRAPPED-VALUE",
                TOUR,
                r#"[{"op":"add","path":"members","value":{"members":[{"value":"c"}]}}]"#,
                Becomes(r#"{"displayName":"Tour","members":[{"value":"a"},{"value":"b"},{"value":"c"}]}"#),
            ),
            (
                "Q-WRAPPED-VALUE: remove",
                TOUR,
                r#"[{"op":"remove","path":"members","value":{"members":[{"value":"a"}]}}]"#,
                Becomes(r#"{"displayName":"Tour","members":[{"value":"b"}]}"#),
            ),
            (
                "Q-REMOVE-WITH-VALUE and Q-MEMBER-STRING",
                TOUR,
                r#"[{"op":"Remove","path":"members","value":["a"]}]"#,
                Becomes(r#"{"displayName":"Tour","members":[{"value":"b"}]}"#),
            ),
            (
                "Q-DOTTED-KEYS: members under the core URI",
                TOUR,
                r#"[{"op":"replace","value":{"urn:ietf:params:scim:schemas:core:2.0:Group":{"members":[{"value":"c"}]}}}]"#,
                Becomes(r#"{"displayName":"Tour","members":[{"value":"c"}]}"#),
            ),
            (
                "Q-PATHLESS: the form of Okta",
                r#"{"id":"9","displayName":"Tour","members":[{"value":"a"}]}"#,
                r#"[{"op":"replace","value":{"id":"9","displayName":"World tour"}}]"#,
                Becomes(r#"{"id":"9","displayName":"World tour","members":[{"value":"a"}]}"#),
            ),
            (
                "Q-REF-NULL",
                r#"{"displayName":"Tour"}"#,
                r#"[{"op":"Add","path":"members","value":[{"$ref":null,"value":"a"}]}]"#,
                Becomes(r#"{"displayName":"Tour","members":[{"value":"a"}]}"#),
            ),
            (
                "Q-SEQUENTIAL: add, then remove",
                TOUR,
                r#"[{"op":"Add","path":"members","value":[{"value":"c"}]},{"op":"Remove","path":"members[value eq \"c\"]"}]"#,
                Stays,
            ),
            (
                "Q-SEQUENTIAL: remove, then add",
                TOUR,
                r#"[{"op":"Remove","path":"members"},{"op":"Add","path":"members","value":[{"value":"c"}]}]"#,
                Becomes(r#"{"displayName":"Tour","members":[{"value":"c"}]}"#),
            ),
        ],
    );
}

/// Q-SINGLE-AS-ARRAY of a value that is an object of attributes.
#[test]
fn pathless_value_in_an_array_is_unwrapped() {
    for (label, operations, becomes) in [
        ("without a path", r#"[{"op":"add","value":[{"title":"x"}]}]"#, r#"{"userName":"ada","title":"x"}"#),
        (
            "of an extension",
            r#"[{"op":"replace","path":"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User","value":[{"department":"x"}]}]"#,
            r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"],
                "userName":"ada","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"department":"x"}}"#,
        ),
    ] {
        let case = |then| -> Case { (label, r#"{"userName":"ada"}"#, operations, then) };
        let applied = check_one("User", &Compat::default(), case(Becomes(becomes))).expect("a report");
        assert_eq!(applied.leniencies(), [Quirk::SingleAsArray], "{label}");
        check_one("User", &Compat::strict(), case(Fails("invalidValue")));
        check_one("User", &Compat::default().with(Quirk::SingleAsArray, false), case(Fails("invalidValue")));
    }
    check(
        "User",
        &Compat::default(),
        &[
            (
                "two objects",
                r#"{"userName":"ada"}"#,
                r#"[{"op":"add","value":[{"title":"x"},{"nickName":"y"}]}]"#,
                Fails("invalidValue"),
            ),
            (
                "no object",
                r#"{"userName":"ada"}"#,
                r#"[{"op":"add","value":["title"]}]"#,
                Fails("invalidValue"),
            ),
            ("none", r#"{"userName":"ada"}"#, r#"[{"op":"add","value":[]}]"#, Fails("invalidValue")),
        ],
    );
}

/// Q-DOTTED-KEYS in the value of an extension, beside a key that nobody knows.
#[test]
fn dotted_and_unknown_keys_of_an_extension_are_reported() {
    let case = |then| -> Case {
        (
            "paths and unknown keys",
            r#"{"userName":"ada"}"#,
            r#"[{"op":"add","path":"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User","value":{"manager.value":"7","shoeSize":38}}]"#,
            then,
        )
    };
    let applied = check_one(
        "User",
        &Compat::default(),
        case(Becomes(
            r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"],
                "userName":"ada","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"manager":{"value":"7"}}}"#,
        )),
    )
    .expect("a report");
    assert_eq!(applied.leniencies(), [Quirk::DottedKeys, Quirk::UnknownExt]);
    let ignored = ignored_paths(applied.ignored());
    assert_eq!(ignored, ["urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:shoeSize"]);
}

/// Each ignored name is listed once, and at most 32 are listed.
#[test]
fn ignored_keys_are_bounded() {
    let type_ = resource_type("User");
    let ignored = |operations: &str| {
        let mut user = object(ADA);
        let applied = run(operations, &mut user, &type_, &Compat::default()).expect("it succeeds");
        ignored_paths(applied.ignored()).into_iter().map(ToOwned::to_owned).collect::<Vec<_>>()
    };
    let key = r#"{"op":"add","value":{"shoeSize":1,"active":true}}"#;
    assert_eq!(ignored(&format!("[{key},{key}]")), ["shoeSize"]);
    for (count, listed) in [(31, 31), (32, 32), (33, 32), (500, 32)] {
        let keys: Vec<_> = (0..count).map(|n| format!(r#""unknown{n}":1"#)).collect();
        let found = ignored(&format!(r#"[{{"op":"add","value":{{"active":true,{}}}}}]"#, keys.join(",")));
        assert_eq!(found.len(), listed, "{count}");
    }
}

/// With the switch off the wrapped value is an error, never a success that does nothing, or worse.
#[test]
fn q_wrapped_value_switched_off() {
    let off = Compat::default().with(Quirk::WrappedValue, false);
    for compat in [off, Compat::strict(), Compat::profile()] {
        check(
            "Group",
            &compat,
            &[
                (
                    "add",
                    TOUR,
                    r#"[{"op":"add","path":"members","value":{"members":[{"value":"c"}]}}]"#,
                    Fails("invalidValue"),
                ),
                (
                    "replace",
                    TOUR,
                    r#"[{"op":"replace","path":"members","value":{"members":[{"value":"c"}]}}]"#,
                    Fails("invalidValue"),
                ),
            ],
        );
        check(
            "User",
            &compat,
            &[
                (
                    "of another list",
                    r#"{"userName":"ada","emails":[{"value":"a@x"}]}"#,
                    r#"[{"op":"replace","path":"emails","value":{"emails":[{"value":"b@x"}]}}]"#,
                    Fails("invalidValue"),
                ),
                (
                    "of a singular attribute",
                    r#"{"userName":"ada","name":{"givenName":"Ada"}}"#,
                    r#"[{"op":"replace","path":"name","value":{"name":{"givenName":"A"}}}]"#,
                    Fails("invalidValue"),
                ),
            ],
        );
    }
    let (group, wrapped) = (resource_type("Group"), r#"{"members":[{"value":"c"}]}"#.parse::<Value>());
    let op = PatchOp::new().add("members", wrapped.expect("a value")).expect("a path");
    assert!(MemberDelta::of(&op, &group, &off).is_none(), "the error is for `apply` to say");
    check(
        "Group",
        &off,
        &[(
            "remove",
            TOUR,
            r#"[{"op":"remove","path":"members","value":{"members":[{"value":"a"}]}}]"#,
            Fails("invalidValue"),
        )],
    );
}

/// Unknown sub-attributes are ignored. A value that holds nothing else changes nothing.
#[test]
fn value_with_unknown_sub_attributes_only_changes_nothing() {
    check(
        "User",
        &Compat::default(),
        &[
            (
                "all values",
                r#"{"userName":"ada","emails":[{"value":"a@x"}]}"#,
                r#"[{"op":"replace","path":"emails","value":[{"address":"b@x"}]}]"#,
                Fails("invalidPath"),
            ),
            (
                "one value",
                r#"{"userName":"ada","emails":[{"value":"a@x"}]}"#,
                r#"[{"op":"replace","path":"emails[value eq \"a@x\"]","value":{"address":"b@x"}}]"#,
                Fails("invalidPath"),
            ),
            (
                "beside what is known",
                r#"{"userName":"ada","emails":[{"value":"a@x"}]}"#,
                r#"[{"op":"replace","path":"emails","value":[{"address":"b@x","value":"c@x"}]}]"#,
                Becomes(r#"{"userName":"ada","emails":[{"value":"c@x"}]}"#),
            ),
            (
                "nothing, said with words",
                r#"{"userName":"ada","emails":[{"value":"a@x"}]}"#,
                r#"[{"op":"replace","path":"emails","value":[{"value":null},{}]}]"#,
                Becomes(r#"{"userName":"ada"}"#),
            ),
            (
                "an added value",
                r#"{"userName":"ada","emails":[{"value":"a@x"}]}"#,
                r#"[{"op":"add","path":"emails","value":[{"address":"b@x"}]}]"#,
                Fails("invalidPath"),
            ),
            (
                "beside another operation, all values",
                r#"{"userName":"ada","active":true,"emails":[{"value":"a@x"}]}"#,
                r#"[{"op":"replace","path":"emails","value":[{"address":"b@x"}]},{"op":"replace","path":"active","value":false}]"#,
                Becomes(r#"{"userName":"ada","active":false,"emails":[{"value":"a@x"}]}"#),
            ),
            (
                "beside another operation, one value",
                r#"{"userName":"ada","active":true,"emails":[{"value":"a@x"}]}"#,
                r#"[{"op":"replace","path":"emails[value eq \"a@x\"]","value":{"address":"b@x"}},{"op":"replace","path":"active","value":false}]"#,
                Becomes(r#"{"userName":"ada","active":false,"emails":[{"value":"a@x"}]}"#),
            ),
        ],
    );
    check(
        "Group",
        &Compat::default(),
        &[(
            "a membership",
            TOUR,
            r#"[{"op":"replace","path":"members","value":[{"id":"a"}]}]"#,
            Fails("invalidValue"),
        )],
    );
}

#[test]
fn remove_with_value_of_other_attributes() {
    check(
        "User",
        &Compat::default(),
        &[
            (
                "the values that have all that is listed",
                r#"{"userName":"ada","emails":[{"value":"a@example.org","type":"work"},{"value":"a@example.org","type":"home"}]}"#,
                r#"[{"op":"Remove","path":"emails","value":[{"type":"WORK","value":"A@example.org"}]}]"#,
                Becomes(r#"{"userName":"ada","emails":[{"value":"a@example.org","type":"home"}]}"#),
            ),
            (
                "an empty object names nothing",
                r#"{"userName":"ada","emails":[{"value":"a@example.org"}]}"#,
                r#"[{"op":"Remove","path":"emails","value":[{}]}]"#,
                Stays,
            ),
            (
                "a singular attribute stays if it is not the listed value",
                r#"{"userName":"ada","title":"Countess"}"#,
                r#"[{"op":"Remove","path":"title","value":"Lady"}]"#,
                Stays,
            ),
        ],
    );
    check(
        "Gadget",
        &Compat::default(),
        &[(
            "values of a simple attribute",
            r#"{"owners":["a"],"tags":["red","blue","green"]}"#,
            r#"[{"op":"Remove","path":"tags","value":["red","green","white"]}]"#,
            Becomes(r#"{"owners":["a"],"tags":["blue"]}"#),
        )],
    );
}

#[test]
fn q_primary() {
    let two = r#"[{"op":"replace","path":"emails","value":[{"value":"a@x","primary":true},{"value":"b@x","primary":true}]}]"#;
    check(
        "User",
        &Compat::default(),
        &[(
            "Q-PRIMARY: of two new ones the first",
            r#"{"userName":"ada"}"#,
            two,
            Becomes(
                r#"{"userName":"ada","emails":[{"value":"a@x","primary":true},{"value":"b@x","primary":false}]}"#,
            ),
        )],
    );
    check(
        "User",
        &Compat::strict(),
        &[("two primary values", r#"{"userName":"ada"}"#, two, Fails("invalidValue"))],
    );
}

#[test]
fn quirks_of_filters_in_paths() {
    const ROLES: &str = r#"{"userName":"ada","roles":[{"value":"x","type":"work","primary":true}]}"#;
    const CHANGED: Then =
        Becomes(r#"{"userName":"ada","roles":[{"value":"y","type":"work","primary":true}]}"#);
    check_quirks(
        "User",
        &[
            (
                Quirk::StringBoolFilter,
                "Q-STRING-BOOL-FILTER",
                ROLES,
                r#"[{"op":"replace","path":"roles[primary eq \"True\"].value","value":"y"}]"#,
                CHANGED,
                Fails("invalidFilter"),
            ),
            (
                Quirk::FilterUnquoted,
                "Q-FILTER-UNQUOTED",
                ROLES,
                r#"[{"op":"replace","path":"roles[type eq work].value","value":"y"}]"#,
                CHANGED,
                Fails("invalidFilter"),
            ),
            (
                Quirk::FilterLoose,
                "A-41: no space before the literal",
                ROLES,
                r#"[{"op":"replace","path":"roles[type eq\"work\"].value","value":"y"}]"#,
                CHANGED,
                Fails("invalidFilter"),
            ),
        ],
    );
    check(
        "User",
        &Compat::default(),
        &[(
            "a value made from it has the attribute's type",
            r#"{"userName":"ada"}"#,
            r#"[{"op":"replace","path":"roles[primary eq \"True\"].value","value":"y"}]"#,
            Becomes(r#"{"userName":"ada","roles":[{"primary":true,"value":"y"}]}"#),
        )],
    );
    let in_a_key = (
        "a key that is a path with a filter",
        ROLES,
        r#"[{"op":"replace","value":{"roles[primary eq TRUE].value":"y"}}]"#,
        CHANGED,
    );
    let applied = check_one("User", &Compat::default(), in_a_key).expect("it succeeds");
    assert_eq!(applied.leniencies(), [Quirk::FilterLoose, Quirk::DottedKeys]);
}

#[test]
fn leniencies_of_message_and_values_are_reported_together() {
    let type_ = resource_type("User");
    let mut user = object(r#"{"userName":"ada"}"#);
    let message = object(
        r#"{"id":"7","Operations":[{"name":"n","op":"add","path":"roles[type eq work].value","value":"x"},
            {"op":"add","path":"active","value":"True"}]}"#,
    );
    let op = PatchOp::from_object(message, &Compat::default(), &Limits::DEFAULT).expect("it is tolerated");
    let of_the_message = [Quirk::UnknownKeys, Quirk::PatchNoSchemas, Quirk::FilterUnquoted];
    assert_eq!(op.leniencies(), of_the_message);
    assert_eq!(
        op.clone(),
        PatchOp::new()
            .with(Op::Add, op.operations()[0].path().cloned(), Some("x".into()))
            .add("active", "True")
            .expect("a path")
    );
    let applied = apply(&op, &mut user, &type_, &Compat::default()).expect("it succeeds");
    assert_eq!(applied.leniencies(), [&of_the_message[..], &[Quirk::StringBool]].concat());

    // A message to the letter needs none.
    let op = PatchOp::new().add("title", "x").expect("a path");
    assert!(op.leniencies().is_empty());
    assert!(apply(&op, &mut user, &type_, &Compat::default()).expect("it succeeds").leniencies().is_empty());
}

/// Many values to remove are looked up by hash where they have one identity, and compared otherwise.
#[test]
fn q_remove_with_value_of_few_and_many() {
    for count in [1, 8, 9, 20] {
        for (type_name, name, value) in [
            ("User", "emails", r#"{"value":"%"}"#),
            ("Group", "members", r#"{"value":"%"}"#),
            ("Gadget", "tags", r#""%""#),
        ] {
            let type_ = resource_type(type_name);
            let list = |what: &str, from: usize, to: usize| {
                (from..to).map(|n| what.replace('%', &format!("v{n}"))).collect::<Vec<_>>().join(",")
            };
            let rest = r#""userName":"ada","displayName":"Tour","owners":["a"]"#;
            // The value alone names e-mail addresses that also have a type.
            let typed = value.replace('}', r#","type":"work"}"#);
            let mut resource = object(&format!(r#"{{{rest},"{name}":[{}]}}"#, list(&typed, 0, 2 * count)));
            let remove =
                format!(r#"[{{"op":"remove","path":"{name}","value":[{}]}}]"#, list(value, 1, count + 1));
            run(&remove, &mut resource, &type_, &Compat::default()).expect("it succeeds");
            let left: Vec<_> = [list(&typed, 0, 1), list(&typed, count + 1, 2 * count)]
                .into_iter()
                .filter(|list| !list.is_empty())
                .collect();
            let expected = object(&format!(r#"{{{rest},"{name}":[{}]}}"#, left.join(",")));
            assert_eq!(resource, expected, "{name} {count}");
        }
    }
    check(
        "User",
        &Compat::default(),
        &[
            (
                "by a value that is not a string",
                r#"{"userName":"ada","emails":[{"value":"a@x","primary":true},{"value":"b@x","primary":false},{"value":"c@x"}]}"#,
                r#"[{"op":"remove","path":"emails","value":[{"primary":true}]}]"#,
                Becomes(r#"{"userName":"ada","emails":[{"value":"b@x","primary":false},{"value":"c@x"}]}"#),
            ),
            (
                "by all that is said",
                r#"{"userName":"ada","emails":[{"value":"a@x","type":"work"},{"value":"a@x","type":"home"}]}"#,
                r#"[{"op":"remove","path":"emails","value":[{"value":"A@X","type":"HOME"}]}]"#,
                Becomes(r#"{"userName":"ada","emails":[{"value":"a@x","type":"work"}]}"#),
            ),
        ],
    );
}

#[test]
fn leniencies_of_a_delta() {
    let group = resource_type("Group");
    let message = object(
        r#"{"Operations":[{"op":"add","path":"urn:ietf:params:scim:schemas:core:2.0:Group.members","value":["a"]},
            {"op":"remove","path":"members[value eq b]"}]}"#,
    );
    let op = PatchOp::from_object(message, &Compat::default(), &Limits::DEFAULT).expect("it is tolerated");
    let delta = MemberDelta::of(&op, &group, &Compat::default()).expect("members alone");
    assert_eq!(
        delta.leniencies(),
        [Quirk::PatchNoSchemas, Quirk::FilterUnquoted, Quirk::UrnWrong, Quirk::MemberString]
    );
}
