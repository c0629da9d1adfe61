//! What the test suites of client and server libraries ask.

use scim2_core::Compat;

use crate::support::{Becomes, Fails, Stays, check};

#[test]
fn users() {
    check(
        "User",
        &Compat::default(),
        &[
            (
                "a filter on a text's end",
                r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada@example.com","emails":[{"value":"a@x","type":"work"},{"value":"b@x","type":"home","primary":true}]}"#,
                r#"[{"op":"remove","path":"emails[value ew \"@x\" and type eq \"work\"]"}]"#,
                Becomes(
                    r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada@example.com","emails":[{"value":"b@x","type":"home","primary":true}]}"#,
                ),
            ),
            (
                "all that match",
                r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada@example.com","emails":[{"value":"a@x","type":"work"},{"value":"b@x","type":"home","primary":true}]}"#,
                r#"[{"op":"remove","path":"emails[value co \"@\"]"}]"#,
                Becomes(
                    r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada@example.com"}"#,
                ),
            ),
            (
                "not",
                r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada@example.com","emails":[{"value":"a@x","type":"work"},{"value":"b@x","type":"home","primary":true}]}"#,
                r#"[{"op":"remove","path":"emails[not (type eq \"work\")]"}]"#,
                Becomes(
                    r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada@example.com","emails":[{"value":"a@x","type":"work"}]}"#,
                ),
            ),
            (
                "or",
                r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada@example.com","emails":[{"value":"a@x","type":"work"},{"value":"b@x","type":"home","primary":true}]}"#,
                r#"[{"op":"replace","path":"emails[type eq \"work\" or type eq \"home\"].display","value":"x"}]"#,
                Becomes(
                    r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada@example.com","emails":[{"value":"a@x","type":"work","display":"x"},{"value":"b@x","type":"home","primary":true,"display":"x"}]}"#,
                ),
            ),
            (
                "presence",
                r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada@example.com","emails":[{"value":"a@x","type":"work"},{"value":"b@x","type":"home","primary":true}]}"#,
                r#"[{"op":"remove","path":"emails[primary pr]"}]"#,
                Becomes(
                    r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada@example.com","emails":[{"value":"a@x","type":"work"}]}"#,
                ),
            ),
            (
                "what says nothing of primary is not it",
                r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada@example.com","emails":[{"value":"a@x","type":"work"},{"value":"b@x","type":"home","primary":true}]}"#,
                r#"[{"op":"replace","path":"emails[primary eq false].display","value":"x"}]"#,
                Becomes(
                    r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada@example.com","emails":[{"value":"a@x","type":"work","display":"x"},{"value":"b@x","type":"home","primary":true}]}"#,
                ),
            ),
            (
                "primary moves to the new value",
                r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada@example.com","emails":[{"value":"a@x","type":"work"},{"value":"b@x","type":"home","primary":true}]}"#,
                r#"[{"op":"add","path":"emails","value":{"value":"c@x","primary":true}}]"#,
                Becomes(
                    r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada@example.com","emails":[{"value":"a@x","type":"work"},{"value":"b@x","type":"home","primary":false},{"value":"c@x","primary":true}]}"#,
                ),
            ),
            (
                "primary moves within",
                r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada@example.com","emails":[{"value":"a@x","type":"work"},{"value":"b@x","type":"home","primary":true}]}"#,
                r#"[{"op":"replace","path":"emails[type eq \"work\"].primary","value":true}]"#,
                Becomes(
                    r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada@example.com","emails":[{"value":"a@x","type":"work","primary":true},{"value":"b@x","type":"home","primary":false}]}"#,
                ),
            ),
            (
                "nobody is primary",
                r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada@example.com","emails":[{"value":"a@x","type":"work"},{"value":"b@x","type":"home","primary":true}]}"#,
                r#"[{"op":"replace","path":"emails[type eq \"home\"].primary","value":false}]"#,
                Becomes(
                    r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada@example.com","emails":[{"value":"a@x","type":"work"},{"value":"b@x","type":"home","primary":false}]}"#,
                ),
            ),
            (
                "a filter that matches two terms is made of both",
                r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada@example.com"}"#,
                r#"[{"op":"replace","path":"emails[type eq \"new\" and primary eq true].value","value":"n@x"}]"#,
                Becomes(
                    r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada@example.com","emails":[{"type":"new","primary":true,"value":"n@x"}]}"#,
                ),
            ),
            (
                "a filter that says what it is not makes nothing",
                r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada@example.com"}"#,
                r#"[{"op":"add","path":"emails[type ne \"work\"].value","value":"n@x"}]"#,
                Fails("noTarget"),
            ),
            (
                "nor one with or",
                r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada@example.com"}"#,
                r#"[{"op":"add","path":"emails[type eq \"a\" or type eq \"b\"].value","value":"n@x"}]"#,
                Fails("noTarget"),
            ),
            (
                "a value for a match of several",
                r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada@example.com","emails":[{"value":"a@x","type":"work"},{"value":"b@x","type":"home","primary":true}]}"#,
                r#"[{"op":"replace","path":"emails[type eq \"work\"]","value":{"value":"c@x","type":"other"}}]"#,
                Becomes(
                    r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada@example.com","emails":[{"value":"c@x","type":"other"},{"value":"b@x","type":"home","primary":true}]}"#,
                ),
            ),
            (
                "add merges into the match",
                r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada@example.com","emails":[{"value":"a@x","type":"work"},{"value":"b@x","type":"home","primary":true}]}"#,
                r#"[{"op":"add","path":"emails[type eq \"work\"]","value":{"display":"x"}}]"#,
                Becomes(
                    r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada@example.com","emails":[{"value":"a@x","type":"work","display":"x"},{"value":"b@x","type":"home","primary":true}]}"#,
                ),
            ),
            (
                "add of a list of one value that is there with more",
                r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada@example.com","emails":[{"value":"a@x","type":"work"},{"value":"b@x","type":"home","primary":true}]}"#,
                r#"[{"op":"add","path":"emails","value":[{"value":"a@x","type":"work","display":"x"}]}]"#,
                Becomes(
                    r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada@example.com","emails":[{"value":"a@x","type":"work","display":"x"},{"value":"b@x","type":"home","primary":true}]}"#,
                ),
            ),
            (
                "a single object for a list",
                r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada@example.com"}"#,
                r#"[{"op":"replace","path":"emails","value":{"value":"a@x"}}]"#,
                Becomes(
                    r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada@example.com","emails":[{"value":"a@x"}]}"#,
                ),
            ),
            (
                "a text for a list of complex values",
                r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada@example.com"}"#,
                r#"[{"op":"add","path":"emails","value":"a@x"}]"#,
                Becomes(
                    r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada@example.com","emails":[{"value":"a@x"}]}"#,
                ),
            ),
            (
                "a sub-attribute of what is not there",
                r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada@example.com"}"#,
                r#"[{"op":"replace","path":"name.familyName","value":"K"}]"#,
                Becomes(
                    r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada@example.com","name":{"familyName":"K"}}"#,
                ),
            ),
            (
                "the last sub-attribute goes with the whole",
                r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada@example.com","name":{"familyName":"K"}}"#,
                r#"[{"op":"remove","path":"name.familyName"}]"#,
                Becomes(
                    r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada@example.com"}"#,
                ),
            ),
            (
                "an attribute within a sub-attribute",
                r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada@example.com"}"#,
                r#"[{"op":"add","path":"name.familyName.first","value":"K"}]"#,
                Fails("invalidPath"),
            ),
            (
                "an unknown attribute",
                r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada@example.com"}"#,
                r#"[{"op":"add","path":"surname","value":"K"}]"#,
                Fails("invalidPath"),
            ),
            (
                "an unknown sub-attribute",
                r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada@example.com"}"#,
                r#"[{"op":"add","path":"name.surname","value":"K"}]"#,
                Fails("invalidPath"),
            ),
            (
                "an unknown sub-attribute in a value is ignored",
                r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada@example.com"}"#,
                r#"[{"op":"add","path":"name","value":{"surname":"K","familyName":"K"}}]"#,
                Becomes(
                    r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada@example.com","name":{"familyName":"K"}}"#,
                ),
            ),
            (
                "an unknown sub-attribute in a filter",
                r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada@example.com","emails":[{"value":"a@x","type":"work"},{"value":"b@x","type":"home","primary":true}]}"#,
                r#"[{"op":"remove","path":"emails[kind eq \"work\"]"}]"#,
                Fails("invalidFilter"),
            ),
            (
                "an index",
                r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada@example.com","emails":[{"value":"a@x","type":"work"},{"value":"b@x","type":"home","primary":true}]}"#,
                r#"[{"op":"remove","path":"emails[0]"}]"#,
                Fails("invalidPath"),
            ),
            (
                "an index of a sub-attribute",
                r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada@example.com","emails":[{"value":"a@x","type":"work"},{"value":"b@x","type":"home","primary":true}]}"#,
                r#"[{"op":"replace","path":"emails[0].value","value":"x"}]"#,
                Fails("invalidPath"),
            ),
            (
                "a JSON pointer",
                r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada@example.com"}"#,
                r#"[{"op":"add","path":"/title","value":"x"}]"#,
                Fails("invalidPath"),
            ),
            (
                "an empty path",
                r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada@example.com"}"#,
                r#"[{"op":"add","path":"","value":"x"}]"#,
                Fails("invalidPath"),
            ),
            (
                "a path that ends in a dot",
                r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada@example.com"}"#,
                r#"[{"op":"add","path":"name.","value":"x"}]"#,
                Fails("invalidPath"),
            ),
            (
                "a bracket that never closes",
                r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada@example.com","emails":[{"value":"a@x","type":"work"},{"value":"b@x","type":"home","primary":true}]}"#,
                r#"[{"op":"remove","path":"emails[type eq \"work\""}]"#,
                Fails("invalidPath"),
            ),
            (
                "brackets with nothing in them",
                r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada@example.com","emails":[{"value":"a@x","type":"work"},{"value":"b@x","type":"home","primary":true}]}"#,
                r#"[{"op":"remove","path":"emails[]"}]"#,
                Fails("invalidFilter"),
            ),
            (
                "a filter with one equals sign",
                r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada@example.com","emails":[{"value":"a@x","type":"work"},{"value":"b@x","type":"home","primary":true}]}"#,
                r#"[{"op":"remove","path":"emails[type = \"work\"]"}]"#,
                Fails("invalidFilter"),
            ),
            (
                "two filters",
                r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada@example.com","emails":[{"value":"a@x","type":"work"},{"value":"b@x","type":"home","primary":true}]}"#,
                r#"[{"op":"remove","path":"emails[type eq \"work\"][value pr]"}]"#,
                Fails("invalidPath"),
            ),
            (
                "a text for a complex attribute without a value",
                r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada@example.com"}"#,
                r#"[{"op":"replace","path":"name","value":"Ada King"}]"#,
                Fails("invalidValue"),
            ),
            (
                "a list of two for a singular attribute",
                r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada@example.com"}"#,
                r#"[{"op":"replace","path":"title","value":["a","b"]}]"#,
                Fails("invalidValue"),
            ),
            (
                "an object for a simple attribute",
                r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada@example.com"}"#,
                r#"[{"op":"replace","path":"title","value":{"display":"a"}}]"#,
                Fails("invalidValue"),
            ),
            (
                "move is not an operation",
                r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada@example.com"}"#,
                r#"[{"op":"move","path":"title","value":"nickName"}]"#,
                Fails("invalidSyntax"),
            ),
            (
                "add without a value",
                r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada@example.com"}"#,
                r#"[{"op":"add","path":"title"}]"#,
                Fails("invalidValue"),
            ),
            (
                "replace without a value",
                r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada@example.com"}"#,
                r#"[{"op":"replace","path":"title"}]"#,
                Fails("invalidValue"),
            ),
            (
                "remove without a path",
                r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada@example.com"}"#,
                r#"[{"op":"remove"}]"#,
                Fails("noTarget"),
            ),
            (
                "remove of all with an empty path",
                r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada@example.com"}"#,
                r#"[{"op":"remove","value":{"title":"x"}}]"#,
                Fails("noTarget"),
            ),
            (
                "a value without path that is not an object",
                r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada@example.com"}"#,
                r#"[{"op":"add","value":"x"}]"#,
                Fails("invalidValue"),
            ),
            (
                "the id",
                r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada@example.com","id":"1"}"#,
                r#"[{"op":"replace","path":"id","value":"2"}]"#,
                Fails("mutability"),
            ),
            (
                "a part of meta",
                r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada@example.com"}"#,
                r#"[{"op":"replace","path":"meta.version","value":"x"}]"#,
                Fails("mutability"),
            ),
            (
                "groups of a user",
                r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada@example.com"}"#,
                r#"[{"op":"add","path":"groups","value":[{"value":"g"}]}]"#,
                Fails("mutability"),
            ),
            (
                "what is added and removed was never there",
                r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada@example.com"}"#,
                r#"[{"op":"add","path":"title","value":"x"},{"op":"remove","path":"title"}]"#,
                Stays,
            ),
            (
                "a value that is removed and added again",
                r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada@example.com","title":"x"}"#,
                r#"[{"op":"remove","path":"title"},{"op":"add","path":"title","value":"x"}]"#,
                Stays,
            ),
            (
                "an order that means something",
                r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada@example.com","emails":[{"value":"a@x","type":"work"},{"value":"b@x","type":"home","primary":true}]}"#,
                r#"[{"op":"remove","path":"emails"},{"op":"add","path":"emails","value":[{"value":"c@x"}]}]"#,
                Becomes(
                    r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada@example.com","emails":[{"value":"c@x"}]}"#,
                ),
            ),
            (
                "the other order",
                r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada@example.com","emails":[{"value":"a@x","type":"work"},{"value":"b@x","type":"home","primary":true}]}"#,
                r#"[{"op":"add","path":"emails","value":[{"value":"c@x"}]},{"op":"remove","path":"emails"}]"#,
                Becomes(
                    r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada@example.com"}"#,
                ),
            ),
            (
                "a later failure undoes an earlier removal",
                r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada@example.com","emails":[{"value":"a@x","type":"work"},{"value":"b@x","type":"home","primary":true}],"title":"t"}"#,
                r#"[{"op":"remove","path":"emails"},{"op":"remove","path":"userName"}]"#,
                Fails("mutability"),
            ),
            (
                "an extension under its URI",
                r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"],"userName":"ada@example.com","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"department":"x"}}"#,
                r#"[{"op":"add","path":"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User","value":{"employeeNumber":"1"}}]"#,
                Becomes(
                    r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"],"userName":"ada@example.com","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"department":"x","employeeNumber":"1"}}"#,
                ),
            ),
            (
                "an extension goes",
                r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"],"userName":"ada@example.com","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"department":"x"}}"#,
                r#"[{"op":"remove","path":"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"}]"#,
                Becomes(
                    r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada@example.com"}"#,
                ),
            ),
            (
                "an extension goes by its last attribute",
                r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"],"userName":"ada@example.com","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"department":"x"}}"#,
                r#"[{"op":"remove","path":"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department"}]"#,
                Becomes(
                    r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada@example.com"}"#,
                ),
            ),
            (
                "an extension goes with its URI in schemas",
                r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"],"userName":"ada@example.com","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"department":"x"}}"#,
                r#"[{"op":"remove","path":"schemas[value eq \"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User\"]"}]"#,
                Becomes(
                    r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada@example.com"}"#,
                ),
            ),
            (
                "text is not trimmed",
                r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada@example.com"}"#,
                r#"[{"op":"add","path":"title","value":"  x "}]"#,
                Becomes(
                    r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada@example.com","title":"  x "}"#,
                ),
            ),
            (
                "text beyond ASCII",
                r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada@example.com"}"#,
                r#"[{"op":"add","path":"displayName","value":"Åsa 東京 🦀"},{"op":"add","path":"emails[display eq \"Åsa\"].value","value":"a@x"}]"#,
                Becomes(
                    r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada@example.com","displayName":"Åsa 東京 🦀","emails":[{"display":"Åsa","value":"a@x"}]}"#,
                ),
            ),
            (
                "quotes within a filter",
                r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada@example.com","roles":[{"value":"a\"b\\c"}]}"#,
                r#"[{"op":"remove","path":"roles[value eq \"a\\\"b\\\\c\"]"}]"#,
                Becomes(
                    r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada@example.com"}"#,
                ),
            ),
            (
                "letter case of a value that is not caseExact",
                r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada@example.com","emails":[{"value":"a@x","type":"work"},{"value":"b@x","type":"home","primary":true}]}"#,
                r#"[{"op":"remove","path":"emails[value eq \"A@X\"]"}]"#,
                Becomes(
                    r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada@example.com","emails":[{"value":"b@x","type":"home","primary":true}]}"#,
                ),
            ),
        ],
    );
}
