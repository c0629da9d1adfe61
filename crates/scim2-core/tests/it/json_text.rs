//! Texts that are JSON (`Quirk::JsonText`): the whole value of an attribute is read, an element is not.

use scim2_core::schema::{ResourceType, Schema};
use scim2_core::validate::Purpose;
use scim2_core::{Compat, CompiledType};

use crate::object;

fn gadget() -> CompiledType {
    let schema: Schema = serde_json::from_str(
        r#"{"id":"urn:example:Gadget","attributes":[
            {"name":"tags","type":"string","multiValued":true},
            {"name":"org","type":"complex","subAttributes":[{"name":"floors","type":"string","multiValued":true}]},
            {"name":"roles","type":"complex","multiValued":true,"subAttributes":[
                {"name":"value","type":"string"},{"name":"scopes","type":"string","multiValued":true}]}]}"#,
    )
    .expect("a schema");
    let type_: ResourceType =
        serde_json::from_str(r#"{"name":"Gadget","endpoint":"/Gadgets","schema":"urn:example:Gadget"}"#)
            .expect("a resource type");
    CompiledType::compile(type_, |_| Some(&schema)).expect("it compiles")
}

#[test]
fn element_of_list_is_never_read_as_list_in_bodies() {
    let type_ = gadget();
    let current = object("{}");
    for (members, expected) in [
        (r#""tags":["[\"q\"]","[]","{}"]"#, r#""tags":["[\"q\"]","[]","{}"]"#),
        (r#""tags":"[\"[1]\",\"b\"]""#, r#""tags":["[1]","b"]"#),
        (r#""tags":[{"value":"[\"q\"]"}]"#, r#""tags":["[\"q\"]"]"#),
        (r#""org":{"floors":["[\"q\"]"]}"#, r#""org":{"floors":["[\"q\"]"]}"#),
        (r#""org":"{\"floors\":[\"[1]\"]}""#, r#""org":{"floors":["[1]"]}"#),
        (r#""roles":["[\"q\"]"]"#, r#""roles":[{"value":"[\"q\"]"}]"#),
        (r#""roles":["[{\"value\":\"a\"}]"]"#, r#""roles":[{"value":"[{\"value\":\"a\"}]"}]"#),
        (r#""roles":["{\"value\":\"a\"}"]"#, r#""roles":[{"value":"a"}]"#),
        (r#""roles":[{"value":"a","scopes":["[]"]}]"#, r#""roles":[{"value":"a","scopes":["[]"]}]"#),
    ] {
        let json = format!(r#"{{"schemas":["urn:example:Gadget"],{members}}}"#);
        for purpose in [Purpose::Create, Purpose::Replace { current: &current }] {
            let canonical = type_.canonicalize(object(&json), purpose, &Compat::default()).expect(members);
            let text = canonical.object.to_string();
            assert!(text.ends_with(&format!("{expected}}}")), "{members}: {text}");
            assert!(canonical.ignored.is_empty(), "{members}: {:?}", canonical.ignored);
        }
    }
}
