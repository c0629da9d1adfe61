//! Entra ID, its validator and Microsoft's reference code.

use scim2_core::Compat;

use crate::support::{Becomes, Fails, Stays, check};

#[test]
fn users() {
    check(
        "User",
        &Compat::default(),
        &[
            (
                "primary chooses, several operations on one address",
                r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada@example.com","emails":[{"value":"a@x","type":"work","primary":true}],"phoneNumbers":[{"value":"1","type":"work","primary":true}],"addresses":[{"type":"work","formatted":"f","streetAddress":"s","locality":"l","primary":true}]}"#,
                r#"[{"op":"replace","path":"emails[primary eq true].value","value":"b@x"},{"op":"replace","path":"phoneNumbers[primary eq true].value","value":"2"},{"op":"replace","path":"addresses[primary eq true].formatted","value":"F"},{"op":"replace","path":"addresses[primary eq true].streetAddress","value":"S"},{"op":"replace","value":{"externalId":"e","name.formatted":"N","displayName":"D"}}]"#,
                Becomes(
                    r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada@example.com","emails":[{"value":"b@x","type":"work","primary":true}],"phoneNumbers":[{"value":"2","type":"work","primary":true}],"addresses":[{"type":"work","formatted":"F","streetAddress":"S","locality":"l","primary":true}],"externalId":"e","name":{"formatted":"N"},"displayName":"D"}"#,
                ),
            ),
            (
                "primary as a text, which nothing has yet",
                r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada@example.com"}"#,
                r#"[{"op":"Add","path":"roles[primary eq \"True\"].value","value":"reader"},{"op":"Add","path":"roles[primary eq \"True\"].display","value":"Reader"}]"#,
                Becomes(
                    r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada@example.com","roles":[{"primary":true,"value":"reader","display":"Reader"}]}"#,
                ),
            ),
            (
                "an element is made part by part",
                r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada@example.com"}"#,
                r#"[{"op":"Add","path":"addresses[type eq \"work\"].streetAddress","value":"s"},{"op":"Add","path":"addresses[type eq \"work\"].locality","value":"l"},{"op":"Replace","path":"addresses[type eq \"work\"].country","value":"SE"}]"#,
                Becomes(
                    r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada@example.com","addresses":[{"type":"work","streetAddress":"s","locality":"l","country":"SE"}]}"#,
                ),
            ),
            (
                "three kinds of telephone",
                r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada@example.com"}"#,
                r#"[{"op":"Add","path":"phoneNumbers[type eq \"work\"].value","value":"1"},{"op":"Add","path":"phoneNumbers[type eq \"mobile\"].value","value":"2"},{"op":"Replace","path":"phoneNumbers[type eq \"fax\"].value","value":"3"}]"#,
                Becomes(
                    r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada@example.com","phoneNumbers":[{"type":"work","value":"1"},{"type":"mobile","value":"2"},{"type":"fax","value":"3"}]}"#,
                ),
            ),
            (
                "switched off with a text",
                r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada@example.com","active":true}"#,
                r#"[{"op":"Replace","path":"active","value":"False"}]"#,
                Becomes(
                    r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada@example.com","active":false}"#,
                ),
            ),
            (
                "switched on under the full name",
                r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada@example.com","active":false}"#,
                r#"[{"op":"Replace","path":"urn:ietf:params:scim:schemas:core:2.0:User:active","value":"True"}]"#,
                Becomes(
                    r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada@example.com","active":true}"#,
                ),
            ),
            (
                "a manager as a text",
                r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada@example.com"}"#,
                r#"[{"op":"Add","path":"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager","value":"7"}]"#,
                Becomes(
                    r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"],"userName":"ada@example.com","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"manager":{"value":"7"}}}"#,
                ),
            ),
            (
                "a manager as a list of one with its reference",
                r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada@example.com"}"#,
                r#"[{"op":"Add","path":"manager","value":[{"$ref":"http://example.com/Users/7","value":"7"}]}]"#,
                Becomes(
                    r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"],"userName":"ada@example.com","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"manager":{"value":"7","$ref":"http://example.com/Users/7"}}}"#,
                ),
            ),
            (
                "another manager",
                r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"],"userName":"ada@example.com","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"manager":{"value":"7","$ref":"x"}}}"#,
                r#"[{"op":"Replace","path":"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager","value":"8"}]"#,
                Becomes(
                    r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"],"userName":"ada@example.com","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"manager":{"value":"8"}}}"#,
                ),
            ),
            (
                "no manager: an empty text",
                r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"],"userName":"ada@example.com","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"manager":{"value":"7"}}}"#,
                r#"[{"op":"Replace","path":"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager","value":""}]"#,
                Becomes(
                    r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada@example.com"}"#,
                ),
            ),
            (
                "no manager: removed",
                r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"],"userName":"ada@example.com","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"manager":{"value":"7"},"department":"x"}}"#,
                r#"[{"op":"Remove","path":"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager"}]"#,
                Becomes(
                    r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"],"userName":"ada@example.com","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"department":"x"}}"#,
                ),
            ),
            (
                "the manager's name is readOnly",
                r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"],"userName":"ada@example.com","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"manager":{"value":"7"}}}"#,
                r#"[{"op":"Replace","path":"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.displayName","value":"Bea"}]"#,
                Fails("mutability"),
            ),
            (
                "keys with an extension's URI",
                r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada@example.com"}"#,
                r#"[{"op":"Add","value":{"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:employeeNumber":"1","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department":"d","title":"t"}}]"#,
                Becomes(
                    r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"],"userName":"ada@example.com","title":"t","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"employeeNumber":"1","department":"d"}}"#,
                ),
            ),
            (
                "keys that are paths, lower case",
                r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada@example.com","name":{"givenName":"A"}}"#,
                r#"[{"op":"replace","value":{"name.givenName":"B","name.familyName":"C","emails[type eq \"work\"].value":"a@x"}}]"#,
                Becomes(
                    r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada@example.com","name":{"givenName":"B","familyName":"C"},"emails":[{"type":"work","value":"a@x"}]}"#,
                ),
            ),
            (
                "an extension's object without a path",
                r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"],"userName":"ada@example.com","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"department":"x"}}"#,
                r#"[{"op":"replace","value":{"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"employeeNumber":"1"}}}]"#,
                Becomes(
                    r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"],"userName":"ada@example.com","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"department":"x","employeeNumber":"1"}}"#,
                ),
            ),
            (
                "one attribute of several in a short name",
                r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada@example.com"}"#,
                r#"[{"op":"Add","path":"department","value":"d"}]"#,
                Becomes(
                    r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"],"userName":"ada@example.com","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"department":"d"}}"#,
                ),
            ),
            (
                "null unassigns",
                r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada@example.com","title":"t","nickName":"n"}"#,
                r#"[{"op":"Replace","path":"title","value":null},{"op":"Replace","value":{"nickName":null}}]"#,
                Becomes(
                    r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada@example.com"}"#,
                ),
            ),
            (
                "an attribute in other letter case",
                r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada@example.com"}"#,
                r#"[{"op":"Replace","path":"DisplayName","value":"D"},{"op":"Add","path":"NAME.GivenName","value":"G"}]"#,
                Becomes(
                    r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada@example.com","displayName":"D","name":{"givenName":"G"}}"#,
                ),
            ),
            (
                "roles as JSON text are kept verbatim",
                r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada@example.com"}"#,
                r#"[{"op":"Add","path":"roles","value":[{"value":"{\"id\":\"1\",\"value\":\"reader\"}"}]}]"#,
                Becomes(
                    r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada@example.com","roles":[{"value":"{\"id\":\"1\",\"value\":\"reader\"}"}]}"#,
                ),
            ),
            (
                "work address removed by its parts",
                r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada@example.com","addresses":[{"type":"work","locality":"l","formatted":"f"}]}"#,
                r#"[{"op":"Remove","path":"addresses[type eq \"work\"].formatted"},{"op":"Remove","path":"addresses[type eq \"work\"].locality"}]"#,
                Becomes(
                    r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada@example.com","addresses":[{"type":"work"}]}"#,
                ),
            ),
            (
                "work address removed",
                r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada@example.com","addresses":[{"type":"work","locality":"l"},{"type":"home","locality":"h"}]}"#,
                r#"[{"op":"Remove","path":"addresses[type eq \"work\"]"}]"#,
                Becomes(
                    r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada@example.com","addresses":[{"type":"home","locality":"h"}]}"#,
                ),
            ),
            (
                "the removal of what is not there",
                r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada@example.com"}"#,
                r#"[{"op":"Remove","path":"title"},{"op":"Remove","path":"emails[type eq \"work\"].value"},{"op":"Remove","path":"emails[type eq \"work\"]"}]"#,
                Stays,
            ),
            (
                "a value of another type spoils the whole request",
                r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada@example.com","title":"t"}"#,
                r#"[{"op":"Replace","path":"title","value":"x"},{"op":"Replace","path":"active","value":"maybe"}]"#,
                Fails("invalidValue"),
            ),
            (
                "an extension that nobody registered, by path",
                r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada@example.com"}"#,
                r#"[{"op":"Replace","path":"urn:ietf:params:scim:schemas:extension:spend:2.0:User:locale","value":"en"}]"#,
                Fails("invalidPath"),
            ),
            (
                "an extension that nobody registered, by key",
                r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada@example.com"}"#,
                r#"[{"op":"Replace","value":{"urn:ietf:params:scim:schemas:extension:spend:2.0:User":{"locale":"en"},"title":"t"}}]"#,
                Becomes(
                    r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada@example.com","title":"t"}"#,
                ),
            ),
        ],
    );
}

#[test]
fn groups() {
    check(
        "Group",
        &Compat::default(),
        &[
            (
                "members one by one, with null references",
                r#"{"displayName":"Tour","members":[{"value":"a"}]}"#,
                r#"[{"op":"Add","path":"members","value":[{"$ref":null,"value":"b"}]}]"#,
                Becomes(r#"{"displayName":"Tour","members":[{"value":"a"},{"value":"b"}]}"#),
            ),
            (
                "a member who is there",
                r#"{"displayName":"Tour","members":[{"value":"a"}]}"#,
                r#"[{"op":"Add","path":"members","value":[{"value":"a"}]}]"#,
                Stays,
            ),
            (
                "remove with a list",
                r#"{"displayName":"Tour","members":[{"value":"a"},{"value":"b"}]}"#,
                r#"[{"op":"Remove","path":"members","value":[{"$ref":null,"value":"a"}]}]"#,
                Becomes(r#"{"displayName":"Tour","members":[{"value":"b"}]}"#),
            ),
            (
                "remove with a filter",
                r#"{"displayName":"Tour","members":[{"value":"a"},{"value":"b"}]}"#,
                r#"[{"op":"remove","path":"members[value eq \"a\"]"}]"#,
                Becomes(r#"{"displayName":"Tour","members":[{"value":"b"}]}"#),
            ),
            (
                "two removals and an addition, in order",
                r#"{"displayName":"Tour","members":[{"value":"a"},{"value":"b"}]}"#,
                r#"[{"op":"Remove","path":"members[value eq \"a\"]"},{"op":"Add","path":"members","value":[{"value":"a","display":"A"}]},{"op":"Remove","path":"members[value eq \"b\"]"}]"#,
                Becomes(r#"{"displayName":"Tour","members":[{"value":"a","display":"A"}]}"#),
            ),
            (
                "rename",
                r#"{"displayName":"Tour","members":[{"value":"a"}]}"#,
                r#"[{"op":"Replace","path":"displayName","value":"World tour"}]"#,
                Becomes(r#"{"displayName":"World tour","members":[{"value":"a"}]}"#),
            ),
            (
                "rename without a path",
                r#"{"displayName":"Tour","members":[{"value":"a"}]}"#,
                r#"[{"op":"Replace","value":{"displayName":"World tour"}}]"#,
                Becomes(r#"{"displayName":"World tour","members":[{"value":"a"}]}"#),
            ),
            (
                "a name cannot go",
                r#"{"displayName":"Tour","members":[{"value":"a"}]}"#,
                r#"[{"op":"Remove","path":"displayName"}]"#,
                Fails("mutability"),
            ),
            (
                "everybody",
                r#"{"displayName":"Tour","members":[{"value":"a"},{"value":"b"}]}"#,
                r#"[{"op":"Remove","path":"members"}]"#,
                Becomes(r#"{"displayName":"Tour"}"#),
            ),
            (
                "a string as member",
                r#"{"displayName":"Tour"}"#,
                r#"[{"op":"Add","path":"members","value":"a"}]"#,
                Becomes(r#"{"displayName":"Tour","members":[{"value":"a"}]}"#),
            ),
            (
                "a number as member",
                r#"{"displayName":"Tour"}"#,
                r#"[{"op":"Add","path":"members","value":[7]}]"#,
                Fails("invalidValue"),
            ),
            (
                "a member without a value",
                r#"{"displayName":"Tour"}"#,
                r#"[{"op":"Add","path":"members","value":[{"display":"A"}]}]"#,
                Fails("invalidValue"),
            ),
        ],
    );
}
