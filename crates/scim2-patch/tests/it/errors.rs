//! Error lines, as a stranger reads them.

use std::error::Error;

use scim2_core::Compat;
use scim2_patch::PatchErrorKind;

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
        user(r#"[{"op":"remove","path":"title[value eq \"x\"]"}]"#),
        user(r#"[{"op":"remove","path":"urn:ietf:params:scim:schemas:core:2.0:User"}]"#),
        user(r#"[{"op":"remove","path":"schemas"}]"#),
        user(r#"[{"op":"add","path":"schemas","value":["urn:example:x"]}]"#),
        strict(r#"[{"op":"remove","path":"title","value":"x"}]"#),
        strict(r#"[{"op":"add","value":{"shoeSize":38}}]"#),
        line(
            "Gadget",
            Compat::default(),
            r#"{"serial":"7"}"#,
            r#"[{"op":"replace","path":"serial","value":"8"}]"#,
        ),
        line("User", Compat::profile(), "{}", r#"[{"op":"add","value":{}}]"#),
    ];
    insta::assert_snapshot!(lines.join("\n"), @r#"
    expected `Operations` to be an array of at least one operation
    operation 1: expected `op` to be `add`, `remove` or `replace`
    operation 2 (remove): expected `path`: `remove` needs one
    operation 1 (remove userName): the required attribute `userName` cannot be removed
    operation 1 (replace id): the readOnly attribute `id` cannot be changed
    operation 1 (add shoeSize): resource type User has no attribute `shoeSize`
    operation 1 (add title): expected `value`
    operation 1 (add title): expected a string for `title`, found an object
    operation 1 (replace password): expected a string for `password`, found an array of 2 values
    operation 1 (add): expected `value` to be an object of attributes
    operation 1 (replace emails[type sw "w"].value): the filter matches no value
    operation 1 (remove emails[size eq 1]): resource type User has no attribute `emails.size`
    operation 1 (remove emails[type eq]): expected `pr`, `eq`, `ne`, `co`, `sw`, `ew`, `gt`, `ge`, `lt` or `le`, found `eq` at byte 12
    operation 1 (remove title[value eq "x"]): `title` has at most one simple value, so its path cannot have a filter
    operation 1 (remove urn:ietf:params:scim:schemas:core:2.0:User): expected an attribute, found the resource itself, which `urn:ietf:params:scim:schemas:core:2.0:User` names
    operation 1 (remove schemas): the base schema cannot be removed from `schemas`
    operation 1 (add schemas): the resource type has no schema `urn:example:x`
    operation 1 (remove title): expected no `value`: `remove` names its target by `path`
    operation 1 (add): the resource type has no attribute `shoeSize`
    operation 1 (replace serial): the immutable attribute `serial` has another value already
    operation 1 (add): expected `path`: this service provider needs one
    "#);
}

#[test]
fn error_line_is_short_and_has_no_line_break() {
    let path = format!("a{}", "\\n".repeat(5000));
    let error = line("User", Compat::default(), "{}", &format!(r#"[{{"op":"remove","path":"{path}"}}]"#));
    assert!(error.len() < 700 && !error.contains('\n'), "{error}");
}

#[test]
fn error_names_operation_path_and_kind() {
    let failure = |operations: &str| {
        let mut user = object(r#"{"userName":"ada"}"#);
        run(operations, &mut user, &resource_type("User"), &Compat::default()).expect_err("an error")
    };
    let error = failure(r#"[{"op":"add","path":"title","value":"x"},{"op":"remove","path":"id"}]"#);
    assert_eq!((error.operation(), error.operation_path()), (Some(2), Some("id")));
    assert!(matches!(error.kind(), PatchErrorKind::ReadOnly(path) if &**path == "id"), "{error:?}");
    assert!(error.source().is_none());
    // What filters and validation say stands behind it.
    for operations in [
        r#"[{"op":"remove","path":"emails[type eq]"}]"#,
        r#"[{"op":"remove","path":"shoeSize"}]"#,
        r#"[{"op":"add","path":"title","value":{}}]"#,
    ] {
        let error = failure(operations);
        assert!(
            error.source().is_some_and(|source| error.to_string().ends_with(&source.to_string())),
            "{error}"
        );
    }
    assert_eq!(failure("[]").operation(), None);
}
