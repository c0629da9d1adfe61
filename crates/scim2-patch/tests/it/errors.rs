//! Error lines, as a stranger reads them.

use scim2_core::Compat;

use crate::support::{object, resource_type, run};

#[track_caller]
fn line(type_name: &str, compat: Compat, before: &str, operations: &str) -> String {
    let mut resource = object(before);
    run(operations, &mut resource, &resource_type(type_name), &compat).expect_err("an error").to_string()
}

#[test]
fn lines() {
    let user = |operations: &str| line("User", Compat::default(), r#"{"userName":"ada"}"#, operations);
    let strict = |operations: &str| line("User", Compat::strict(), r#"{"userName":"ada"}"#, operations);
    let lines = [
        user(r#"[]"#),
        user(r#"[{"op":"move"}]"#),
        user(r#"[{"op":"add","path":"title","value":"x"},{"op":"remove"}]"#),
        user(r#"[{"op":"remove","path":"userName"}]"#),
        user(r#"[{"op":"replace","path":"id","value":"2"}]"#),
        user(r#"[{"op":"add","path":"shoeSize","value":38}]"#),
        user(r#"[{"op":"add","path":"title"}]"#),
        user(r#"[{"op":"add","path":"title","value":{"a":1}}]"#),
        user(r#"[{"op":"replace","path":"password","value":["hunter2","x"]}]"#),
        user(r#"[{"op":"add","value":"x"}]"#),
        user(r#"[{"op":"replace","path":"emails[type sw \"w\"].value","value":"x"}]"#),
        user(r#"[{"op":"remove","path":"emails[size eq 1]"}]"#),
        user(r#"[{"op":"remove","path":"emails[type eq]"}]"#),
        user(r#"[{"op":"remove","path":"name[givenName eq \"x\"]"}]"#),
        user(r#"[{"op":"remove","path":"schemas"}]"#),
        user(r#"[{"op":"add","path":"schemas","value":["urn:example:x"]}]"#),
        strict(r#"[{"op":"remove","path":"title","value":"x"}]"#),
        strict(r#"[{"op":"add","value":{"shoeSize":38}}]"#),
        line("Gadget", Compat::default(), r#"{"serial":"7"}"#, r#"[{"op":"replace","path":"serial","value":"8"}]"#),
        line("User", Compat::profile(), "{}", r#"[{"op":"add","value":{}}]"#),
    ];
    insta::assert_snapshot!(lines.join("\n"), @"");
}

#[test]
fn a_line_is_short_and_one_line() {
    let path = format!("a{}", "\\n".repeat(5000));
    let error = line("User", Compat::default(), "{}", &format!(r#"[{{"op":"remove","path":"{path}"}}]"#));
    assert!(error.len() < 700 && !error.contains('\n'), "{error}");
}
