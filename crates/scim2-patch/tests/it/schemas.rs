//! `schemas` and extensions under PATCH (A-69).

use scim2_core::Compat;

use crate::support::{Becomes, Fails, Stays, check};

const CORE: &str = r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada"}"#;
const BOTH: &str = r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"],
    "userName":"ada","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"department":"Maths"}}"#;
const LISTED: &str = r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"],
    "userName":"ada"}"#;
const NUMBERED: &str = r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"],
    "userName":"ada","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"department":"Maths","employeeNumber":"7"}}"#;

#[test]
fn a_69_schemas_follows_the_data() {
    for compat in [Compat::default(), Compat::strict()] {
        check(
            "User",
            &compat,
            &[
                (
                    "S-3.5.2-11: the URI comes with the first attribute",
                    CORE,
                    r#"[{"op":"add","path":"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department","value":"Maths"}]"#,
                    Becomes(BOTH),
                ),
                (
                    "Q-URN-PATH: in another letter case",
                    CORE,
                    r#"[{"op":"add","path":"URN:ietf:params:scim:schemas:extension:ENTERPRISE:2.0:user:Department","value":"Maths"}]"#,
                    Becomes(BOTH),
                ),
                (
                    "and goes with the last",
                    BOTH,
                    r#"[{"op":"remove","path":"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department"}]"#,
                    Becomes(CORE),
                ),
                (
                    "but not before",
                    NUMBERED,
                    r#"[{"op":"remove","path":"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:employeeNumber"}]"#,
                    Becomes(BOTH),
                ),
                (
                    "an object at the URI is merged",
                    BOTH,
                    r#"[{"op":"add","path":"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User","value":{"employeeNumber":"7"}}]"#,
                    Becomes(NUMBERED),
                ),
                (
                    "by replace too",
                    BOTH,
                    r#"[{"op":"replace","path":"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User","value":{"employeeNumber":"7"}}]"#,
                    Becomes(NUMBERED),
                ),
                (
                    "the URI alone is removed with all it has",
                    NUMBERED,
                    r#"[{"op":"remove","path":"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"}]"#,
                    Becomes(CORE),
                ),
                (
                    "or set to null",
                    NUMBERED,
                    r#"[{"op":"replace","value":{"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":null}}]"#,
                    Becomes(CORE),
                ),
                (
                    "of an extension without data nothing is removed",
                    CORE,
                    r#"[{"op":"remove","path":"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"}]"#,
                    Stays,
                ),
                (
                    "nor of one attribute",
                    CORE,
                    r#"[{"op":"remove","path":"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department"}]"#,
                    Stays,
                ),
                (
                    "an attribute that is null adds no URI",
                    CORE,
                    r#"[{"op":"replace","path":"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department","value":null}]"#,
                    Stays,
                ),
                (
                    "an extension is an object",
                    CORE,
                    r#"[{"op":"add","path":"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User","value":"x"}]"#,
                    Fails("invalidValue"),
                ),
                (
                    "an attribute that the extension lacks",
                    CORE,
                    r#"[{"op":"add","path":"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:userName","value":"x"}]"#,
                    Fails("invalidPath"),
                ),
                (
                    "the sub-attribute of an extension's attribute",
                    BOTH,
                    r#"[{"op":"add","path":"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value","value":"7"},
                    {"op":"remove","path":"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value"}]"#,
                    Stays,
                ),
                (
                    "the core URI alone is the resource and no attribute",
                    CORE,
                    r#"[{"op":"add","path":"urn:ietf:params:scim:schemas:core:2.0:User","value":{"userName":"bo"}}]"#,
                    Fails("invalidPath"),
                ),
                (
                    "and cannot be removed",
                    CORE,
                    r#"[{"op":"remove","path":"urn:ietf:params:scim:schemas:core:2.0:User"}]"#,
                    Fails("invalidPath"),
                ),
            ],
        );
    }
}

#[test]
fn a_69_schemas_itself() {
    for compat in [Compat::default(), Compat::strict()] {
        check(
            "User",
            &compat,
            &[
                (
                    "S-3.5.2-10: a declared extension may be listed",
                    CORE,
                    r#"[{"op":"add","path":"schemas","value":["urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"]}]"#,
                    Becomes(LISTED),
                ),
                (
                    "S-3.5.2-10: and used by the next operation",
                    CORE,
                    r#"[{"op":"add","path":"schemas","value":["urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"]},
                    {"op":"add","path":"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department","value":"Maths"}]"#,
                    Becomes(BOTH),
                ),
                (
                    "what is listed is listed once",
                    BOTH,
                    r#"[{"op":"add","path":"schemas","value":["URN:ietf:params:scim:schemas:extension:enterprise:2.0:user"]}]"#,
                    Stays,
                ),
                (
                    "replace with what is there",
                    BOTH,
                    r#"[{"op":"replace","path":"schemas","value":["urn:ietf:params:scim:schemas:extension:enterprise:2.0:User",
                    "urn:ietf:params:scim:schemas:core:2.0:User"]}]"#,
                    Stays,
                ),
                (
                    "what is taken from the list takes its attributes along",
                    BOTH,
                    r#"[{"op":"replace","path":"schemas","value":["urn:ietf:params:scim:schemas:core:2.0:User"]}]"#,
                    Becomes(CORE),
                ),
                (
                    "by a filter",
                    BOTH,
                    r#"[{"op":"remove","path":"schemas[value eq \"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User\"]"}]"#,
                    Becomes(CORE),
                ),
                (
                    "C-3.3-01: the base schema stays",
                    BOTH,
                    r#"[{"op":"replace","path":"schemas","value":["urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"]}]"#,
                    Fails("mutability"),
                ),
                ("C-3.3-01: all of it", BOTH, r#"[{"op":"remove","path":"schemas"}]"#, Fails("mutability")),
                (
                    "C-3.3-01: by a filter",
                    BOTH,
                    r#"[{"op":"remove","path":"schemas[value co \"core\"]"}]"#,
                    Fails("mutability"),
                ),
                (
                    "C-3.3-01: by null",
                    BOTH,
                    r#"[{"op":"replace","path":"schemas","value":null}]"#,
                    Fails("mutability"),
                ),
                (
                    "a foreign URI",
                    CORE,
                    r#"[{"op":"add","path":"schemas","value":["urn:example:2.0:Shoes"]}]"#,
                    Fails("invalidValue"),
                ),
                ("no URI", CORE, r#"[{"op":"add","path":"schemas","value":[7]}]"#, Fails("invalidValue")),
            ],
        );
    }
}

#[test]
fn attributes_of_several_extensions() {
    check(
        "Gadget",
        &Compat::default(),
        &[
            (
                "A-48: the longest URI first",
                r#"{"schemas":["urn:example:2.0:Gadget"],"owners":["a"]}"#,
                r#"[{"op":"add","path":"urn:example:2.0:Gadget:Warranty:code","value":"x"}]"#,
                Becomes(
                    r#"{"schemas":["urn:example:2.0:Gadget","urn:example:2.0:Gadget:Warranty"],"owners":["a"],
                "urn:example:2.0:Gadget:Warranty":{"code":"x"}}"#,
                ),
            ),
            (
                "Q-EXT-SHORT-NAME: only if one extension has it",
                r#"{"schemas":["urn:example:2.0:Gadget"],"owners":["a"]}"#,
                r#"[{"op":"add","path":"code","value":"x"}]"#,
                Fails("invalidPath"),
            ),
            (
                "values of an extension's attribute",
                r#"{"schemas":["urn:example:2.0:Gadget","urn:example:2.0:Label"],"owners":["a"],
                "urn:example:2.0:Label":{"words":["x"]}}"#,
                r#"[{"op":"add","path":"urn:example:2.0:Label:words","value":["x","y"]},
                {"op":"remove","path":"urn:example:2.0:Label:words[value eq \"x\"]"}]"#,
                Becomes(
                    r#"{"schemas":["urn:example:2.0:Gadget","urn:example:2.0:Label"],"owners":["a"],
                "urn:example:2.0:Label":{"words":["y"]}}"#,
                ),
            ),
            (
                "a value path into an extension makes its object",
                r#"{"schemas":["urn:example:2.0:Gadget"],"owners":["a"]}"#,
                r#"[{"op":"add","path":"urn:example:2.0:Label:notes[type eq \"t\"].value","value":"n"}]"#,
                Becomes(
                    r#"{"schemas":["urn:example:2.0:Gadget","urn:example:2.0:Label"],"owners":["a"],
                "urn:example:2.0:Label":{"notes":[{"type":"t","value":"n"}]}}"#,
                ),
            ),
        ],
    );
}

const STOOD: &str = r#"{"schemas":["urn:example:2.0:Gadget","urn:example:2.0:Stand"],"owners":["ada"],
    "urn:example:2.0:Stand":{"lot":"A","floor":2}}"#;
const UNSTOOD: &str = r#"{"schemas":["urn:example:2.0:Gadget"],"owners":["ada"]}"#;
const VISITED: &str = r#"{"schemas":["urn:example:2.0:Gadget","urn:example:2.0:Stand"],"owners":["ada"],
    "urn:example:2.0:Stand":{"lot":"A","visits":7}}"#;
const INSTALLED: &str = r#"{"schemas":["urn:example:2.0:Gadget","urn:example:2.0:Stand"],"owners":["ada"],
    "urn:example:2.0:Stand":{"lot":"A","installed":"May"}}"#;

#[test]
fn a_69_removed_extension_loses_its_required_attributes() {
    for compat in [Compat::default(), Compat::strict()] {
        check(
            "Gadget",
            &compat,
            &[
                (
                    "by its URI",
                    STOOD,
                    r#"[{"op":"remove","path":"urn:example:2.0:Stand"}]"#,
                    Becomes(UNSTOOD),
                ),
                (
                    "by null",
                    STOOD,
                    r#"[{"op":"replace","value":{"urn:example:2.0:Stand":null}}]"#,
                    Becomes(UNSTOOD),
                ),
                (
                    "by null at its URI",
                    STOOD,
                    r#"[{"op":"replace","path":"urn:example:2.0:Stand","value":null}]"#,
                    Becomes(UNSTOOD),
                ),
                (
                    "out of `schemas`",
                    STOOD,
                    r#"[{"op":"remove","path":"schemas[value eq \"urn:example:2.0:Stand\"]"}]"#,
                    Becomes(UNSTOOD),
                ),
                (
                    "by the `schemas` that are to be",
                    STOOD,
                    r#"[{"op":"replace","path":"schemas","value":["urn:example:2.0:Gadget"]}]"#,
                    Becomes(UNSTOOD),
                ),
                (
                    "but not alone",
                    STOOD,
                    r#"[{"op":"remove","path":"urn:example:2.0:Stand:lot"}]"#,
                    Fails("mutability"),
                ),
                (
                    "nor while the extension stays for what is readOnly",
                    VISITED,
                    r#"[{"op":"remove","path":"urn:example:2.0:Stand"}]"#,
                    Fails("mutability"),
                ),
                (
                    "and what is immutable keeps it",
                    INSTALLED,
                    r#"[{"op":"remove","path":"urn:example:2.0:Stand"}]"#,
                    Fails("mutability"),
                ),
            ],
        );
    }
}

#[test]
fn new_extension_without_required_attribute_is_refused() {
    for compat in [Compat::default(), Compat::strict()] {
        check(
            "Gadget",
            &compat,
            &[
                (
                    "without it",
                    r#"{"owners":["a"]}"#,
                    r#"[{"op":"add","path":"urn:example:2.0:Stand:floor","value":3}]"#,
                    Fails("invalidValue"),
                ),
                (
                    "it comes later",
                    r#"{"schemas":["urn:example:2.0:Gadget"],"owners":["a"]}"#,
                    r#"[{"op":"add","path":"urn:example:2.0:Stand:floor","value":3},{"op":"add","path":"urn:example:2.0:Stand:lot","value":"x"}]"#,
                    Becomes(
                        r#"{"schemas":["urn:example:2.0:Gadget","urn:example:2.0:Stand"],"owners":["a"],"urn:example:2.0:Stand":{"floor":3,"lot":"x"}}"#,
                    ),
                ),
                (
                    "the extension goes again",
                    r#"{"schemas":["urn:example:2.0:Gadget"],"owners":["a"]}"#,
                    r#"[{"op":"add","path":"urn:example:2.0:Stand:floor","value":3},{"op":"remove","path":"urn:example:2.0:Stand:floor"}]"#,
                    Stays,
                ),
                (
                    "one that lacked it already is not held up",
                    r#"{"schemas":["urn:example:2.0:Gadget","urn:example:2.0:Stand"],"owners":["a"],"urn:example:2.0:Stand":{"floor":3}}"#,
                    r#"[{"op":"replace","path":"urn:example:2.0:Stand:floor","value":4}]"#,
                    Becomes(
                        r#"{"schemas":["urn:example:2.0:Gadget","urn:example:2.0:Stand"],"owners":["a"],"urn:example:2.0:Stand":{"floor":4}}"#,
                    ),
                ),
            ],
        );
    }
}

/// An extension may be listed without data, and have data without being listed.
#[test]
fn removed_schema_loses_its_data_listed_or_not() {
    const DATA: &str = r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada",
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"department":"Maths"}}"#;
    check(
        "User",
        &Compat::default(),
        &[
            (
                "one that is listed alone goes by name",
                LISTED,
                r#"[{"op":"remove","path":"schemas[value eq \"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User\"]"}]"#,
                Becomes(CORE),
            ),
            (
                "or where others are put in its place",
                LISTED,
                r#"[{"op":"replace","path":"schemas","value":["urn:ietf:params:scim:schemas:core:2.0:User"]}]"#,
                Becomes(CORE),
            ),
            (
                "so does data that is not listed",
                DATA,
                r#"[{"op":"replace","path":"schemas","value":["urn:ietf:params:scim:schemas:core:2.0:User"]}]"#,
                Becomes(CORE),
            ),
            (
                "no filter chooses from an extension",
                BOTH,
                r#"[{"op":"remove","path":"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User[department eq \"Maths\"]"}]"#,
                Fails("invalidPath"),
            ),
        ],
    );
    check(
        "Gadget",
        &Compat::default(),
        &[(
            "one more is listed beside the others",
            r#"{"schemas":["urn:example:2.0:Gadget","urn:example:2.0:Label"],"owners":["a"],"urn:example:2.0:Label":{"code":"x"}}"#,
            r#"[{"op":"add","path":"urn:example:2.0:Stand","value":{"lot":"x"}}]"#,
            Becomes(
                r#"{"schemas":["urn:example:2.0:Gadget","urn:example:2.0:Label","urn:example:2.0:Stand"],"owners":["a"],
                    "urn:example:2.0:Label":{"code":"x"},"urn:example:2.0:Stand":{"lot":"x"}}"#,
            ),
        )],
    );
}
