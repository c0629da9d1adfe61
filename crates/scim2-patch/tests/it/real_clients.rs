//! PATCH as real clients and the test suites of other libraries send it, by whom. What is to the
//! letter and what is tolerated stand side by side here; the quirks one by one are in `quirks`.

use scim2_core::Compat;

use crate::support::{Becomes, Fails, Stays, check};

/// Entra ID, its validator and Microsoft's reference code.
#[test]
fn entra_id() {
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

/// Groups of Entra ID.
#[test]
fn entra_id_groups() {
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

/// Okta.
#[test]
fn okta() {
    check(
        "User",
        &Compat::default(),
        &[
            (
                "deactivation",
                r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada@example.com","active":true}"#,
                r#"[{"op":"replace","value":{"active":false}}]"#,
                Becomes(
                    r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada@example.com","active":false}"#,
                ),
            ),
            (
                "a password alone changes",
                r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada@example.com"}"#,
                r#"[{"op":"replace","value":{"password":"x"}}]"#,
                Becomes(
                    r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada@example.com","password":"x"}"#,
                ),
            ),
            (
                "what it read comes back",
                r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada@example.com","title":"t","id":"1","meta":{"resourceType":"User"}}"#,
                r#"[{"op":"replace","value":{"id":"1","meta":{"resourceType":"User"},"groups":[],"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"title":"t"}}]"#,
                Stays,
            ),
            (
                "an empty text for an optional attribute is a value",
                r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada@example.com","name":{"middleName":"M","givenName":"G"}}"#,
                r#"[{"op":"replace","path":"name.middleName","value":""}]"#,
                Becomes(
                    r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada@example.com","name":{"middleName":"","givenName":"G"}}"#,
                ),
            ),
            (
                "an empty text for a required one is none",
                r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada@example.com"}"#,
                r#"[{"op":"replace","path":"userName","value":""}]"#,
                Fails("invalidValue"),
            ),
        ],
    );
}

/// Group push of Okta.
#[test]
fn okta_groups() {
    check(
        "Group",
        &Compat::default(),
        &[
            (
                "rename with the own id",
                r#"{"displayName":"Tour","members":[{"value":"a"}],"id":"1"}"#,
                r#"[{"op":"replace","value":{"id":"1","displayName":"World tour"}}]"#,
                Becomes(r#"{"displayName":"World tour","members":[{"value":"a"}],"id":"1"}"#),
            ),
            (
                "the list as a whole",
                r#"{"displayName":"Tour","members":[{"value":"a"},{"value":"b"}]}"#,
                r#"[{"op":"replace","path":"members","value":[{"value":"b","display":"B"},{"value":"c","display":"C"}]}]"#,
                Becomes(
                    r#"{"displayName":"Tour","members":[{"value":"b","display":"B"},{"value":"c","display":"C"}]}"#,
                ),
            ),
            (
                "an empty list",
                r#"{"displayName":"Tour","members":[{"value":"a"}]}"#,
                r#"[{"op":"replace","path":"members","value":[]}]"#,
                Becomes(r#"{"displayName":"Tour"}"#),
            ),
            (
                "members come and go in one request",
                r#"{"displayName":"Tour","members":[{"value":"a"},{"value":"b"}]}"#,
                r#"[{"op":"remove","path":"members[value eq \"a\"]"},{"op":"add","path":"members","value":[{"value":"c","display":"C"},{"value":"d","display":"D"}]}]"#,
                Becomes(
                    r#"{"displayName":"Tour","members":[{"value":"b"},{"value":"c","display":"C"},{"value":"d","display":"D"}]}"#,
                ),
            ),
            (
                "a member who has gone",
                r#"{"displayName":"Tour","members":[{"value":"b"}]}"#,
                r#"[{"op":"remove","path":"members[value eq \"a\"]"}]"#,
                Stays,
            ),
        ],
    );
}

/// What the test suites of client and server libraries ask.
#[test]
fn libraries() {
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
                r#"[{"op":"replace","path":"title","value":{"value":"a"}}]"#,
                Fails("invalidValue"),
            ),
            (
                "move is no operation",
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
                "a path-less value that is no object",
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
                "what is removed and added anew",
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
