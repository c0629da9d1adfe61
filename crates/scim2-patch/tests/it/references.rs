//! `$ref` beside `value`: it says where the resource is that `value` names, and is stale with another.

use scim2_core::Compat;

use crate::support::{Becomes, Case, Stays, check};

const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

#[track_caller]
fn check_manager(label: &'static str, manager: &str, operations: &str, after: Option<&str>) {
    let user = |manager: Option<&str>| -> &'static str {
        let core = "urn:ietf:params:scim:schemas:core:2.0:User";
        match manager {
            Some(manager) => format!(
                r#"{{"schemas":["{core}","{ENTERPRISE}"],"userName":"ada","{ENTERPRISE}":{{"manager":{manager}}}}}"#
            ),
            None => format!(r#"{{"schemas":["{core}"],"userName":"ada"}}"#),
        }
        .leak()
    };
    let operations = operations.replace("ENT", ENTERPRISE).leak();
    let then = if after == Some(manager) { Stays } else { Becomes(user(after)) };
    let case: Case = (label, user(Some(manager)), operations, then);
    for compat in [Compat::default(), Compat::strict()] {
        check("User", &compat, &[case]);
    }
}

#[test]
fn new_value_removes_its_reference() {
    const BEA: &str = r#"{"value":"7","$ref":"https://example.com/v2/Users/7","displayName":"Bea"}"#;
    check_manager("remove", BEA, r#"[{"op":"remove","path":"ENT:manager.value"}]"#, None);
    check_manager(
        "replace",
        BEA,
        r#"[{"op":"replace","path":"ENT:manager.value","value":"8"}]"#,
        Some(r#"{"value":"8"}"#),
    );
    check_manager(
        "add of some sub-attributes",
        BEA,
        r#"[{"op":"add","path":"ENT:manager","value":{"value":"8"}}]"#,
        Some(r#"{"value":"8"}"#),
    );
    check_manager(
        "without a path",
        BEA,
        r#"[{"op":"replace","value":{"ENT":{"manager":{"value":"8"}}}}]"#,
        Some(r#"{"value":"8"}"#),
    );
    check_manager(
        "the same value",
        BEA,
        r#"[{"op":"replace","path":"ENT:manager.value","value":"7"}]"#,
        Some(BEA),
    );
    check_manager(
        "together with its reference, whichever is said first",
        BEA,
        r#"[{"op":"replace","path":"ENT:manager","value":{"$ref":"../Users/8","value":"8"}}]"#,
        Some(r#"{"value":"8","$ref":"../Users/8"}"#),
    );
    check_manager(
        "Q-REF-NULL",
        BEA,
        r#"[{"op":"replace","path":"ENT:manager","value":{"value":"8","$ref":null}}]"#,
        Some(r#"{"value":"8"}"#),
    );
    check_manager(
        "the reference alone",
        r#"{"value":"7","$ref":"../Users/7"}"#,
        r#"[{"op":"remove","path":"ENT:manager.$ref"}]"#,
        Some(r#"{"value":"7"}"#),
    );
    check_manager(
        "a reference that stands alone",
        r#"{"$ref":"../Users/7"}"#,
        r#"[{"op":"remove","path":"ENT:manager.value"}]"#,
        Some(r#"{"$ref":"../Users/7"}"#),
    );
}
