//! Canonical form: requirements C-2.*, C-3.*, S-3.3-*, S-3.5.1-* and the quirks of bodies.

use scim2_core::schema::{ResourceType, Schema};
use scim2_core::validate::{Canonical, IgnoredReason, Purpose, ValidationError, ValidationErrorKind as Kind};
use scim2_core::{Compat, CompiledType, Object, Quirk, Registry, ScimType};
use std::sync::Arc;

use crate::object;

const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

fn type_of(name: &str) -> Arc<CompiledType> {
    Registry::standard().resource_type(name).expect("built in").clone()
}

fn create(name: &str, json: &str, compat: &Compat) -> Result<Canonical, ValidationError> {
    type_of(name).canonicalize(object(json), Purpose::Create, compat)
}

/// Creates a User whose members besides `userName` and `schemas` are these, in both modes; the
/// canonical form without those two and without the default of `active`, or the error's kind.
fn user(members: &str, compat: &Compat) -> Result<String, Kind> {
    let mut schemas = vec![USER];
    if members.contains(ENTERPRISE) {
        schemas.push(ENTERPRISE);
    }
    let json = format!(r#"{{"schemas":{schemas:?},"userName":"ada",{members}}}"#);
    create("User", &json, compat)
        .map(|canonical| {
            let mut object = canonical.object;
            object.remove("schemas");
            object.remove("userName");
            if !members.to_ascii_lowercase().contains("active") {
                object.remove("active");
            }
            object.to_string()
        })
        .map_err(|error| error.kind())
}

/// What `default` and `strict` make of the members of a User.
#[track_caller]
fn check(members: &str, default: Result<&str, Kind>, strict: Result<&str, Kind>) {
    let expected = |result: Result<&str, Kind>| result.map(str::to_owned);
    assert_eq!(user(members, &Compat::default()), expected(default), "default: {members}");
    assert_eq!(user(members, &Compat::strict()), expected(strict), "strict: {members}");
}

/// The same in both modes.
#[track_caller]
fn both(members: &str, expected: Result<&str, Kind>) {
    check(members, expected, expected);
}

#[test]
fn c_2_1_01_names_without_case_and_spelled_as_the_schema_does() {
    both(
        r#""NAME":{"GIVENNAME":"Ada"},"EMAILS":[{"VALUE":"a@x"}]"#,
        Ok(r#"{"name":{"givenName":"Ada"},"emails":[{"value":"a@x"}]}"#),
    );
    let key = format!(r#""{}":{{"DEPARTMENT":"R"}}"#, ENTERPRISE.to_uppercase());
    check(&key, Ok(&format!(r#"{{"{ENTERPRISE}":{{"department":"R"}}}}"#)), Err(Kind::SchemaNotListed));
}

#[test]
fn c_2_3_1_strings() {
    both(r#""title":"T""#, Ok(r#"{"title":"T"}"#));
    both(r#""title":"""#, Ok(r#"{"title":""}"#)); // Q-EMPTY-STRING
    both(r#""title":7"#, Err(Kind::Type));
    both(r#""title":true"#, Err(Kind::Type));
    both(r#""title":{}"#, Err(Kind::Type));
    both(
        r#""userType":"whatever","emails":[{"value":"a@x","type":"WORK"}]"#,
        Ok(r#"{"userType":"whatever","emails":[{"value":"a@x","type":"WORK"}]}"#),
    );
}

#[test]
fn c_2_3_2_01_booleans_and_q_string_bool() {
    both(r#""active":false"#, Ok(r#"{"active":false}"#));
    check(r#""active":"False""#, Ok(r#"{"active":false}"#), Err(Kind::Type));
    check(r#""active":"TRUE""#, Ok(r#"{"active":true}"#), Err(Kind::Type));
    both(r#""active":"yes""#, Err(Kind::Type));
    both(r#""active":1"#, Err(Kind::Type));
    check(
        r#""emails":[{"value":"a@x","primary":"True"}]"#,
        Ok(r#"{"emails":[{"value":"a@x","primary":true}]}"#),
        Err(Kind::Type),
    );
}

#[test]
fn c_2_3_6_binary_is_base64() {
    check(
        r#""x509Certificates":[{"value":"MAIwAA=="},{"value":"MAMwAQA"}]"#,
        Ok(r#"{"x509Certificates":[{"value":"MAIwAA=="},{"value":"MAMwAQA"}]}"#),
        Ok(r#"{"x509Certificates":[{"value":"MAIwAA=="},{"value":"MAMwAQA"}]}"#),
    );
    // C-2.3.6-02 and C-2.4-07: with and without padding it is the same value.
    both(
        r#""x509Certificates":[{"value":"MAIwAA=="},{"value":"MAIwAA"}]"#,
        Ok(r#"{"x509Certificates":[{"value":"MAIwAA=="}]}"#),
    );
    for value in ["MAIwA", "MA-_", "M A=", "-----BEGIN CERTIFICATE-----", "MAIwAA=", "===="] {
        both(&format!(r#""x509Certificates":[{{"value":"{value}"}}]"#), Err(Kind::Format));
    }
    // Random bytes are base64 but not a certificate: C-4.1.2-09.
    // Cut short, or two in a row.
    for value in ["MAMwAA==", "MAIwADACMAA="] {
        both(&format!(r#""x509Certificates":[{{"value":"{value}"}}]"#), Err(Kind::Format));
    }
    check(
        r#""x509Certificates":[{"value":"AAECAwQF"}]"#,
        Ok(r#"{"x509Certificates":[{"value":"AAECAwQF"}]}"#),
        Err(Kind::Format),
    );
}

#[test]
fn c_2_3_7_01_references_are_uris() {
    for uri in ["https://example.com/a?b=c#d", "urn:uuid:1", "Users/1", "../Users/1", "bulkId:x", ""] {
        both(&format!(r#""profileUrl":"{uri}""#), Ok(&format!(r#"{{"profileUrl":"{uri}"}}"#)));
    }
    for uri in [
        "http://[::1]:80/a",
        "http://me@example.com:/",
        "//[::1]",
        "a/b:c",
        "?a:b",
        "data:image/png;base64,AA==",
    ] {
        both(&format!(r#""profileUrl":"{uri}""#), Ok(&format!(r#"{{"profileUrl":"{uri}"}}"#)));
    }
    for text in [
        "http://[::1",
        "http://::1]",
        "http://[]",
        "http://[::1]x",
        "http://a:b/",
        "1http://x",
        "a b:c",
        "é:c",
        ":c",
    ] {
        both(&format!(r#""profileUrl":"{text}""#), Err(Kind::Format));
    }
    // Not URIs to the letter, but found in real ones.
    for uri in ["https://example.com/?a[]=1", "https://example.com/#/a#b", "a[1]", "//[::1]/[x]?[#]#[#"] {
        let text = format!(r#""profileUrl":"{uri}""#);
        check(&text, Ok(&format!(r#"{{"profileUrl":"{uri}"}}"#)), Err(Kind::Format));
    }
    for text in ["http://[x]/", "http://[::1]]/[", "http://a@b@c/", "http://[/]", "a b[", "\u{e000}"] {
        both(&format!(r#""profileUrl":"{text}""#), Err(Kind::Format));
    }
    for text in ["not a uri %%", "https://example.com/%zz", "a\\\"b", "<x>"] {
        both(&format!(r#""profileUrl":"{text}""#), Err(Kind::Format));
    }
    check(
        r#""profileUrl":"https://exämple.de""#,
        Ok(r#"{"profileUrl":"https://exämple.de"}"#),
        Err(Kind::Format),
    );
}

#[test]
fn c_2_4_02_at_most_one_primary_and_q_primary() {
    check(
        r#""emails":[{"value":"a@x"},{"value":"b@x","primary":true},{"value":"c@x","primary":true}]"#,
        Ok(r#"{"emails":[{"value":"a@x"},{"value":"b@x","primary":true},{"value":"c@x","primary":false}]}"#),
        Err(Kind::Primary),
    );
    both(
        r#""emails":[{"value":"a@x","primary":false},{"value":"b@x","primary":false}]"#,
        Ok(r#"{"emails":[{"value":"a@x","primary":false},{"value":"b@x","primary":false}]}"#),
    );
}

#[test]
fn c_2_4_06_07_same_value_with_another_type_stays_same_pair_goes() {
    both(
        r#""emails":[{"value":"a@x","type":"work"},{"value":"A@X","type":"home"},{"value":"A@x","type":"Work"},{"value":"b@x","type":"work"}]"#,
        Ok(
            r#"{"emails":[{"value":"a@x","type":"work"},{"value":"A@X","type":"home"},{"value":"b@x","type":"work"}]}"#,
        ),
    );
}

#[test]
fn c_2_5_01_absent_null_and_empty_are_one_state() {
    both(r#""title":null"#, Ok("{}"));
    both(r#""emails":[]"#, Ok("{}"));
    both(r#""emails":null"#, Ok("{}"));
    both(r#""emails":[{},{"value":null,"type":null}]"#, Ok("{}"));
    // Null unassigns an attribute and cannot be one of its values.
    both(r#""emails":[null]"#, Err(Kind::Type));
    both(r#""emails":[{"value":"a@x"},null]"#, Err(Kind::Type));
    both(r#""title":[null]"#, Err(Kind::Type));
    both(r#""name":{}"#, Ok("{}"));
    both(r#""name":{"givenName":null}"#, Ok("{}"));
    both(r#""name":[]"#, Ok("{}"));
    both(&format!(r#""{ENTERPRISE}":{{}}"#), Ok("{}")); // Q-SCHEMA-LISTED-NO-DATA
    both(&format!(r#""{ENTERPRISE}":null"#), Ok("{}"));
    both(&format!(r#""{ENTERPRISE}":{{"manager":{{"value":null}}}}"#), Ok("{}"));
}

#[test]
fn c_3_01_schemas_are_distinct_uris_in_any_order() {
    let body = |schemas: &str| format!(r#"{{"schemas":{schemas},"userName":"ada"}}"#);
    let kind = |schemas: &str, compat: &Compat| {
        create("User", &body(schemas), compat)
            .map(|it| it.object.get("schemas").map(ToString::to_string))
            .map_err(|error| (error.kind(), error.scim_type()))
    };
    let fine = Ok(Some(format!(r#"["{USER}"]"#)));
    let cases: [(String, Option<Kind>); 8] = [
        (format!(r#"["{USER}"]"#), None),
        (format!(r#"["{ENTERPRISE}","{USER}"]"#), None),
        (format!(r#""{USER}""#), Some(Kind::SchemasMalformed)),
        ("null".to_owned(), Some(Kind::SchemasMissing)),
        ("[]".to_owned(), Some(Kind::SchemasMissing)),
        (format!(r#"["{ENTERPRISE}"]"#), Some(Kind::SchemasMissing)), // C-3.3-01
        (format!(r#"["{USER}","urn:example:other"]"#), Some(Kind::UnknownSchema)), // C-3-02
        (r#"["urn:scim:schemas:core:1.0"]"#.to_owned(), Some(Kind::UnknownSchema)),
    ];
    for (schemas, strict) in cases {
        assert_eq!(kind(&schemas, &Compat::default()), fine, "default: {schemas}");
        let strict = strict.map_or(fine.clone(), |kind| Err((kind, ScimType::InvalidSyntax)));
        assert_eq!(kind(&schemas, &Compat::strict()), strict, "strict: {schemas}");
    }
    for schemas in ["[7]", "{}", "true"] {
        for compat in [Compat::default(), Compat::strict()] {
            assert_eq!(
                kind(schemas, &compat),
                Err((Kind::SchemasMalformed, ScimType::InvalidSyntax)),
                "{schemas}"
            );
        }
    }
}

#[test]
fn c_3_02_a_body_that_says_it_is_something_else_is_refused() {
    const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
    let registry = Registry::standard();
    for (type_, uris, refused) in [
        ("User", vec![GROUP], true),
        ("User", vec![USER, GROUP], true),
        ("User", vec!["URN:IETF:PARAMS:SCIM:SCHEMAS:CORE:2.0:GROUP"], true),
        ("User", vec!["urn:ietf:params:scim:schemas:core:2.0:Schema"], true),
        ("User", vec!["urn:ietf:params:scim:api:messages:2.0:PatchOp"], true),
        ("Group", vec![GROUP, ENTERPRISE], true),
        // An unknown URI may be an extension, and the endpoint decides the core schema.
        ("User", vec!["urn:example:schemas:1.0:Shoes"], false),
        ("User", vec![ENTERPRISE], false),
        ("Group", vec!["http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group"], false),
    ] {
        let body: Object = serde_json::from_value(serde_json::json!({
            "schemas": uris, "userName": "ada", "displayName": "Ada",
        }))
        .expect("an object");
        let type_ = registry.resource_type(type_).expect("built in");
        let canonical = type_.canonicalize(body, Purpose::Create, &Compat::default());
        match canonical {
            Ok(_) => assert!(!refused, "{uris:?}"),
            Err(error) => {
                assert!(refused, "{uris:?}: {error}");
                assert_eq!(error.scim_type(), ScimType::InvalidSyntax);
            }
        }
    }
}

#[test]
fn a_52_q_schemas_incomplete() {
    let json = format!(r#"{{"schemas":["{USER}"],"userName":"ada","{ENTERPRISE}":{{"department":"R"}}}}"#);
    let canonical = create("User", &json, &Compat::default()).expect("tolerated");
    assert_eq!(
        canonical.object.to_string(),
        format!(
            r#"{{"schemas":["{USER}","{ENTERPRISE}"],"userName":"ada","active":true,"{ENTERPRISE}":{{"department":"R"}}}}"#
        ),
    );
    assert_eq!(canonical.leniencies, [(Quirk::SchemasIncomplete, ENTERPRISE.to_owned())]);
    assert_eq!(create("User", &json, &Compat::strict()).unwrap_err().kind(), Kind::SchemaNotListed);
}

#[test]
fn a_51_i_5_3_01_unknown_attributes() {
    for members in
        [r#""shoeSize":38"#, r#""name":{"nick":"A"}"#, &format!(r#""{ENTERPRISE}":{{"shoeSize":38}}"#)]
    {
        check(members, Ok("{}"), Err(Kind::UnknownAttribute));
        assert_eq!(user(members, &Compat::profile()), Err(Kind::UnknownAttribute));
    }
    check(r#""urn:example:ext:1.0:User":{"a":1}"#, Ok("{}"), Err(Kind::UnknownSchema)); // Q-UNKNOWN-EXT
    let error = create(
        "User",
        &format!(r#"{{"schemas":["{USER}"],"userName":"a","shoeSize":38}}"#),
        &Compat::strict(),
    )
    .unwrap_err();
    assert_eq!(error.scim_type(), ScimType::InvalidSyntax);
    assert_eq!(error.to_string(), "expected an attribute of resource type `User`, found `shoeSize`");
}

#[test]
fn s_3_3_01_read_only_attributes_are_ignored() {
    let json = format!(
        r#"{{"schemas":["{USER}","{ENTERPRISE}"],"id":"7","meta":{{"created":"1999"}},"userName":"ada","groups":[{{"value":"g"}}],
            "{ENTERPRISE}":{{"manager":{{"value":"1","displayName":"Bob"}}}}}}"#
    );
    for compat in [Compat::default(), Compat::strict(), Compat::profile()] {
        let canonical = create("User", &json, &compat).expect("ignored");
        let names: Vec<_> = canonical.object.iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["schemas", "userName", "active", ENTERPRISE]);
        let manager = canonical.object.get(ENTERPRISE).and_then(|it| it.as_object()?.get("manager"));
        assert_eq!(manager.map(ToString::to_string).as_deref(), Some(r#"{"value":"1"}"#)); // C-4.3-03
        let ignored: Vec<_> = canonical.ignored.iter().map(|it| (&*it.path, it.reason)).collect();
        let manager = format!("{ENTERPRISE}:manager.displayName");
        assert_eq!(
            ignored,
            [
                ("id", IgnoredReason::ReadOnly),
                ("meta", IgnoredReason::ReadOnly),
                ("groups", IgnoredReason::ReadOnly),
                (manager.as_str(), IgnoredReason::ReadOnly),
            ]
        );
    }
}

#[test]
fn s_3_3_02_04_default_of_active() {
    let active = |members: &str| {
        let json = format!(r#"{{"userName":"ada"{members}}}"#);
        create("User", &json, &Compat::default())
            .expect("valid")
            .object
            .get("active")
            .map(ToString::to_string)
    };
    assert_eq!(active("").as_deref(), Some("true"));
    assert_eq!(active(r#","active":false"#).as_deref(), Some("false")); // Q-ACTIVE-ON-CREATE
    assert_eq!(active(r#","ACTIVE":null"#), None);
    let group = create("Group", r#"{"displayName":"G"}"#, &Compat::default()).expect("valid").object;
    assert!(!group.contains("active"));
}

#[test]
fn c_4_1_1_01_user_name_is_required_and_prepared() {
    for compat in [Compat::default(), Compat::strict()] {
        for (member, found) in
            [("", "nothing"), (r#","userName":"""#, "an empty string"), (r#","userName":null"#, "nothing")]
        {
            let error = create("User", &format!(r#"{{"schemas":["{USER}"]{member}}}"#), &compat).unwrap_err();
            assert_eq!(
                error.to_string(),
                format!("`userName` is required, expected a string, found {found}")
            );
            assert_eq!(error.scim_type(), ScimType::InvalidValue);
        }
        for name in ["al ice", "al\\u0007ice", "alice\u{1F600}", "a\\u007fb"] {
            let json = format!(r#"{{"schemas":["{USER}"],"userName":"{name}"}}"#);
            assert_eq!(create("User", &json, &compat).unwrap_err().kind(), Kind::Format, "{name:?}");
        }
    }
    let any = Compat::default().with(Quirk::UsernameAny, true);
    assert!(create("User", r#"{"userName":"al ice"}"#, &any).is_ok());
    assert!(create("User", r#"{"userName":"al\u0007ice"}"#, &any).is_err());
}

#[test]
fn c_4_1_strict_forms() {
    for (member, good, bad) in [
        ("preferredLanguage", "en-US, en;q=0.8", "english (US)"),
        ("locale", "en_US", "english (US)"),
        ("timezone", "America/Los_Angeles", "PST8 maybe"),
    ] {
        both(&format!(r#""{member}":"{good}""#), Ok(&format!(r#"{{"{member}":"{good}"}}"#)));
        check(
            &format!(r#""{member}":"{bad}""#),
            Ok(&format!(r#"{{"{member}":"{bad}"}}"#)),
            Err(Kind::Format),
        );
    }
    for (list, sub, good, bad) in [
        ("emails", "value", "a@example.com", "nobody"),
        ("phoneNumbers", "value", "tel:+1-201-555-0123", "call me"),
        ("addresses", "country", "US", "USA"),
    ] {
        let member = |value: &str| format!(r#""{list}":[{{"{sub}":"{value}"}}]"#);
        both(&member(good), Ok(&format!("{{{}}}", member(good))));
        check(&member(bad), Ok(&format!("{{{}}}", member(bad))), Err(Kind::Format));
    }
}

#[test]
fn i_5_4_01_the_profile_takes_canonical_values_only() {
    assert_eq!(
        user(r#""emails":[{"value":"a@x","type":"beach"}]"#, &Compat::profile()),
        Err(Kind::NotCanonical)
    );
    assert!(user(r#""emails":[{"value":"a@x","type":"work"}]"#, &Compat::profile()).is_ok());
}

#[test]
fn c_4_2_01_group_display_name_is_required() {
    let error = create("Group", r#"{"members":[]}"#, &Compat::default()).unwrap_err();
    assert_eq!((error.kind(), error.path()), (Kind::Required, "displayName"));
}

/// A membership names its member in `value`, or at the end of `$ref`.
#[test]
fn c_4_2_03_a_membership_names_a_member() {
    let members = |json: &str, compat: &Compat| {
        let body = format!(
            r#"{{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"displayName":"G","members":{json}}}"#
        );
        create("Group", &body, compat)
            .map(|canonical| canonical.object.get("members").map(ToString::to_string))
            .map_err(|error| (error.kind(), error.path().to_owned(), error.scim_type()))
    };
    for compat in [Compat::default(), Compat::strict()] {
        for (given, kept) in [
            (r#"[{"value":"a","display":"x"}]"#, Some(r#"[{"value":"a","display":"x"}]"#)),
            (
                r#"[{"display":"x","$ref":"https://example.com/v2/Users/a"}]"#,
                Some(r#"[{"value":"a","display":"x","$ref":"https://example.com/v2/Users/a"}]"#),
            ),
            (r#"[{"$ref":"../Users/a","Value":""}]"#, Some(r#"[{"value":"a","$ref":"../Users/a"}]"#)),
            (r#"[{"value":"b","$ref":"../Users/a"}]"#, Some(r#"[{"value":"b","$ref":"../Users/a"}]"#)),
            (r#"[{"value":"a"},{"$ref":"../Users/a"}]"#, Some(r#"[{"value":"a"}]"#)),
            ("[]", None),
        ] {
            assert_eq!(members(given, &compat), Ok(kept.map(str::to_owned)), "{given}");
        }
        for nobody in [
            r#"[{"value":"a"},{"value":""}]"#,
            r#"[{"display":"x"}]"#,
            r#"[{"$ref":"../Users/"}]"#,
            r#"[{"$ref":"","value":""}]"#,
            r#"[{"$ref":null,"value":null}]"#,
            "[{}]",
            "{}",
        ] {
            let error = (Kind::Required, "members.value".to_owned(), ScimType::InvalidValue);
            assert_eq!(members(nobody, &compat), Err(error), "{nobody}");
        }
    }
    assert!(members(r#"[{"members":[{"value":"a"}]}]"#, &Compat::default()).is_err());
    for bare in ["[\"\"]", "\"\""] {
        let error = members(bare, &Compat::default()).expect_err(bare);
        assert_eq!((error.0, error.2), (Kind::Required, ScimType::InvalidValue), "{bare}");
    }
    let group = type_of("Group");
    let stored = object(r#"{"displayName":"G","members":[{"value":""}]}"#);
    assert!(group.check_required(&stored).is_err());
}

/// Q-EMPTY-STRING: an empty string does not satisfy `required`, at any place.
#[test]
fn q_empty_string_of_what_is_required() {
    let schema: Schema = serde_json::from_str(
        r#"{"id":"urn:example:Box","attributes":[
            {"name":"labels","multiValued":true,"required":true},
            {"name":"owner","type":"complex","subAttributes":[{"name":"value","required":true}]}]}"#,
    )
    .expect("a schema");
    let type_: ResourceType =
        serde_json::from_str(r#"{"name":"Box","endpoint":"/Boxes","schema":"urn:example:Box"}"#)
            .expect("a resource type");
    let type_ = CompiledType::compile(type_, |uri| (schema.id == *uri).then_some(&schema)).expect("compiles");
    for (body, expected) in [
        (r#"{"labels":["","x"],"owner":{"value":"x"}}"#, None),
        (r#"{"labels":[]}"#, Some("`labels` is required, expected at least one value, found nothing")),
        (
            r#"{"labels":[""]}"#,
            Some("`labels` is required, expected at least one value, found empty strings"),
        ),
        (
            r#"{"labels":["x"],"owner":{"value":""}}"#,
            Some("`owner.value` is required, expected a string, found an empty string"),
        ),
    ] {
        let found = type_.canonicalize(object(body), Purpose::Create, &Compat::default());
        assert_eq!(found.err().map(|error| error.to_string()).as_deref(), expected, "{body}");
    }
}

#[test]
fn a_12_a_70_values_in_other_shapes() {
    both(r#""emails":{"value":"a@x"}"#, Ok(r#"{"emails":[{"value":"a@x"}]}"#)); // A-12
    check(r#""title":["T"]"#, Ok(r#"{"title":"T"}"#), Err(Kind::Type)); // Q-SINGLE-AS-ARRAY
    both(r#""title":["T","U"]"#, Err(Kind::TooManyValues));
    check(
        &format!(r#""{ENTERPRISE}":{{"manager":"26118915"}}"#), // Q-MANAGER-STRING
        Ok(&format!(r#"{{"{ENTERPRISE}":{{"manager":{{"value":"26118915"}}}}}}"#)),
        Err(Kind::Type),
    );
    check(&format!(r#""{ENTERPRISE}":{{"manager":""}}"#), Ok("{}"), Err(Kind::Type));
    check(r#""emails":["a@x"]"#, Ok(r#"{"emails":[{"value":"a@x"}]}"#), Err(Kind::Type)); // Q-MEMBER-STRING
    both(r#""emails":[["a@x"]]"#, Err(Kind::Type));
    both(r#""emails":7"#, Err(Kind::Type));
    both(r#""name":"Ada""#, Err(Kind::Type)); // no `value` to put it in
    both(&format!(r#""{ENTERPRISE}":"x""#), Err(Kind::Type));
}

#[test]
fn q_ext_short_name() {
    check(
        r#""department":"R","manager":"1""#,
        Ok(&format!(r#"{{"{ENTERPRISE}":{{"department":"R","manager":{{"value":"1"}}}}}}"#)),
        Err(Kind::UnknownAttribute),
    );
    assert_eq!(
        user(&format!(r#""department":"R","{ENTERPRISE}":{{"department":"S"}}"#), &Compat::default()),
        Err(Kind::Repeated)
    );
}

#[test]
fn q_urn_wrong_before_an_attribute() {
    for (uri, path) in [
        ("urn:ietf:params:scim:schemas:core:2.0:Users", "title"),
        ("ietf:params:scim:schemas:core:2.0:User", "title"),
        ("urn:scim:schemas:core:1.0", "title"),
        ("urn:ietf:params:scim:schemas:core:2.0User", "externalId"),
    ] {
        let json = format!(r#"{{"schemas":["{USER}"],"userName":"ada","{uri}:{path}":"T"}}"#);
        let canonical = create("User", &json, &Compat::default()).expect("understood");
        assert_eq!(canonical.object.get_str(path), Some("T"), "{uri}");
        assert_eq!(canonical.leniencies, [(Quirk::UrnWrong, format!("{uri}:{path}"))]);
        assert_eq!(
            create("User", &json, &Compat::strict()).unwrap_err().scim_type(),
            ScimType::InvalidSyntax
        );
    }
    for uri in
        ["urn:ietf:params:scim:schemas:core:2.0:Groups", "urn:ietf:params:scim:schemas:core:2.0:Userss"]
    {
        let json = format!(r#"{{"schemas":["{USER}"],"userName":"ada","{uri}:title":"T"}}"#);
        let canonical = create("User", &json, &Compat::default()).expect("ignored");
        assert!(!canonical.object.contains("title"), "{uri}");
    }
}

#[test]
fn q_urn_wrong() {
    for uri in [
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0User",
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0.User",
        "urn:ietf:params:scim:schemas:extension:enterprise:1.0:User",
        "urn:scim:schemas:extension:enterprise:1.0",
        "urn:scim:schemas:extension:enterprise:2.0:User",
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:Users",
        "ietf:params:scim:schemas:extension:enterprise:2.0:User",
    ] {
        let json =
            format!(r#"{{"schemas":["{USER}","{uri}"],"userName":"ada","{uri}":{{"department":"R"}}}}"#);
        let canonical = create("User", &json, &Compat::default()).expect("understood");
        assert!(canonical.object.contains(ENTERPRISE), "{uri}");
        assert!(canonical.leniencies.contains(&(Quirk::UrnWrong, uri.to_owned())), "{uri}");
        assert_eq!(
            create("User", &json, &Compat::strict()).unwrap_err().scim_type(),
            ScimType::InvalidSyntax
        );
    }
    check(
        &format!(r#""{ENTERPRISE}:department":"R","{USER}:title":"T""#),
        Ok(&format!(r#"{{"title":"T","{ENTERPRISE}":{{"department":"R"}}}}"#)),
        Err(Kind::UnknownSchema),
    );
}

const BADGE: &str = "urn:example:schemas:1.0:Badge";

fn badge() -> CompiledType {
    let schema: Schema = serde_json::from_str(
        r#"{"id":"urn:example:schemas:1.0:Badge","attributes":[
            {"name":"serial","mutability":"immutable"},
            {"name":"issued","mutability":"readOnly","type":"dateTime"},
            {"name":"keys","mutability":"immutable","multiValued":true},
            {"name":"seen","type":"dateTime"},
            {"name":"floor","type":"integer"},
            {"name":"weight","type":"decimal"},
            {"name":"secret","mutability":"writeOnly","returned":"never","required":true},
            {"name":"hint","mutability":"writeOnly","returned":"never"},
            {"name":"owner","type":"complex","subAttributes":[
                {"name":"value","required":true,"mutability":"immutable"},{"name":"note"},{"name":"pin","returned":"never"}]},
            {"name":"doors","type":"complex","multiValued":true,"subAttributes":[
                {"name":"value","mutability":"immutable"},{"name":"code","returned":"never"}]},
            {"name":"tags","multiValued":true,"uniqueness":"server"}]}"#,
    )
    .expect("a schema");
    let extension: Schema = serde_json::from_str(
        r#"{"id":"urn:example:ext:1.0:Badge","attributes":[{"name":"level","type":"integer","required":true}]}"#,
    )
    .expect("a schema");
    let type_: ResourceType = serde_json::from_str(
        r#"{"name":"Badge","endpoint":"/Badges","schema":"urn:example:schemas:1.0:Badge",
            "schemaExtensions":[{"schema":"urn:example:ext:1.0:Badge","required":true}]}"#,
    )
    .expect("a resource type");
    CompiledType::compile(type_, |uri| [&schema, &extension].into_iter().find(|it| it.id == *uri))
        .expect("compiles")
}

fn badge_with(members: &str) -> Object {
    object(&format!(
        r#"{{"schemas":["{BADGE}","urn:example:ext:1.0:Badge"],"secret":"s","urn:example:ext:1.0:Badge":{{"level":1}}{members}}}"#
    ))
}

fn create_badge(members: &str) -> Result<Canonical, ValidationError> {
    badge().canonicalize(badge_with(members), Purpose::Create, &Compat::strict())
}

#[test]
fn c_6_03_required_extension() {
    let json = object(&format!(r#"{{"schemas":["{BADGE}"],"secret":"s"}}"#));
    let error = badge().canonicalize(json, Purpose::Create, &Compat::strict()).unwrap_err();
    assert_eq!((error.kind(), error.path()), (Kind::Required, "urn:example:ext:1.0:Badge"));
    assert_eq!(create_badge(r#","owner":{"note":"x"}"#).map(|_| ()).unwrap_err().path(), "owner.value");
}

#[test]
fn c_2_3_3_to_5_numbers_and_dates() {
    for (member, fits) in [
        (r#""floor":1000"#, true),
        (r#""floor":-3"#, true),
        (r#""floor":1.5"#, false),
        (r#""floor":1e3"#, false),
        (r#""floor":"1""#, false),
        (r#""weight":0.5"#, true),
        (r#""weight":10.0"#, true),
        (r#""weight":3"#, true),
        (r#""weight":"1.5""#, false),
        (r#""seen":"2008-01-23T04:56:22Z""#, true),
        (r#""seen":"2008-01-23T04:56:22.123+02:00""#, true),
        (r#""seen":"2008-01-23T04:56:22""#, true),
        (r#""seen":"2008-01-23""#, false),
        (r#""seen":"2008-02-30T04:56:22Z""#, false),
        (r#""seen":"2008-01-23T25:56:22Z""#, false),
        (r#""seen":"2008-01-23 04:56:22Z""#, false),
        (r#""seen":"2008-01-23T24:00:00Z""#, true),
        (r#""seen":"2016-12-31T23:59:60Z""#, false),
        (r#""seen":"2016-12-31T23:59:00+14:01""#, false),
        (r#""seen":"2008-01-23T04:56:22.Z""#, false),
        (r#""seen":"2008-01-23T04:56:22+2""#, false),
        (r#""seen":"é008-01-23T04:56:22é02:00""#, false),
        (r#""seen":1201064182"#, false),
    ] {
        let result = create_badge(&format!(",{member}"));
        assert_eq!(result.is_ok(), fits, "{member}: {result:?}");
        if fits {
            assert!(result.expect("fits").object.to_string().contains(member), "{member}");
        }
    }
}

#[test]
fn s_3_5_1_06_to_08_replace_and_mutability() {
    let badge = badge();
    let current = badge_with(
        r#","id":"b1","serial":"S1","issued":"2020-01-01T00:00:00Z","owner":{"value":"o","note":"n"},"doors":[{"value":"d"}]"#,
    );
    let replace = |members: &str| {
        badge.canonicalize(badge_with(members), Purpose::Replace { current: &current }, &Compat::strict())
    };
    let kept = replace(r#","issued":"2024-01-01T00:00:00Z","owner":{"value":"o"}"#).expect("valid").object;
    assert_eq!(kept.get_str("id"), Some("b1"));
    assert_eq!(kept.get_str("serial"), Some("S1")); // not mentioned
    assert_eq!(kept.get_str("issued"), Some("2020-01-01T00:00:00Z")); // S-3.5.1-08
    assert_eq!(kept.get("owner").map(ToString::to_string).as_deref(), Some(r#"{"value":"o"}"#));
    assert!(!kept.contains("doors")); // S-3.5.1-03, and a whole element may go
    let error = replace(r#","serial":"S2""#).unwrap_err();
    assert_eq!(error.scim_type(), ScimType::Mutability);
    assert_eq!(error.to_string(), "`serial` is immutable, expected the value it has, found `S2`");
    assert_eq!(replace(r#","owner":{"value":"p"}"#).unwrap_err().path(), "owner.value");
    // An immutable part of a singular value stays after the value is removed: otherwise it could come back with another value.
    for members in ["", r#","owner":null"#] {
        let kept = replace(members).expect("valid").object;
        assert_eq!(kept.get("owner").map(ToString::to_string).as_deref(), Some(r#"{"value":"o"}"#));
    }
    assert!(replace(r#","serial":"s1","doors":[{"value":"e"}]"#).is_ok()); // Q-MEMBER-IMMUTABLE
    // Lists compare as sets, short and long ones.
    for count in [3, 20_000] {
        let list = |reverse: bool| {
            let mut keys: Vec<_> = (0..count).map(|n| format!(r#""k{n}""#)).collect();
            if reverse {
                keys.reverse();
            }
            keys.join(",")
        };
        let current = badge_with(&format!(r#","keys":[{}]"#, list(false)));
        let purpose = Purpose::Replace { current: &current };
        let replace = |keys: &str| {
            let body = badge_with(&format!(r#","keys":[{keys}]"#));
            badge.canonicalize(body, purpose, &Compat::strict()).map(|_| ()).map_err(|error| error.kind())
        };
        assert_eq!(replace(&list(true)), Ok(()), "{count}");
        assert_eq!(replace(&list(true).replace("k1\"", "other\"")), Err(Kind::Mutability), "{count}");
    }
    let unset = badge_with("");
    let set = badge
        .canonicalize(
            badge_with(r#","serial":"S9""#),
            Purpose::Replace { current: &unset },
            &Compat::strict(),
        )
        .expect("S-3.5.1-07");
    assert_eq!(set.object.get_str("serial"), Some("S9"));
}

#[test]
fn q_put_preserves_absent() {
    let type_ = type_of("User");
    let current = object(&format!(
        r#"{{"schemas":["{USER}"],"externalId":"e","userName":"ada","title":"T","nickName":"N","{ENTERPRISE}":{{"division":"D"}}}}"#
    ));
    let body = || object(&format!(r#"{{"schemas":["{USER}"],"userName":"ada","title":null}}"#));
    let purpose = Purpose::Replace { current: &current };
    let cleared = type_.canonicalize(body(), purpose, &Compat::default()).expect("valid").object;
    assert_eq!(cleared, object(&format!(r#"{{"schemas":["{USER}"],"userName":"ada"}}"#)));
    let preserving = Compat::default().with(Quirk::PutPreservesAbsent, true);
    let kept = type_.canonicalize(body(), purpose, &preserving).expect("valid").object;
    let mut expected = current.clone();
    expected.remove("title");
    expected.insert("schemas", vec![USER, ENTERPRISE]);
    assert_eq!(kept, expected);
}

#[test]
fn c_4_1_1_09_never_returned_attributes_are_taken_out_and_kept_on_replace() {
    let badge = badge();
    let mut object =
        create_badge(r#","owner":{"value":"o","pin":"1"},"doors":[{"value":"d","code":"2"},{"value":"e"}]"#)
            .expect("valid")
            .object;
    let mut never_returned = badge.take_never_returned(&mut object);
    assert_eq!(never_returned.to_string(), r#"{"secret":"s","owner":{"pin":"1"},"doors":[{"code":"2"},{}]}"#);
    assert!(!object.to_string().contains("pin") && !object.to_string().contains("code"));
    assert!(badge.check_required(&object).is_ok(), "a hidden attribute is not looked for");

    let current = std::mem::take(&mut never_returned);
    let mut body = badge_with("");
    body.remove("secret");
    let purpose = Purpose::Replace { current: &object };
    let replaced =
        badge.canonicalize(body.clone(), purpose, &Compat::strict()).expect("kept, so not missing");
    badge.keep_never_returned(&mut never_returned, &current, &replaced.cleared);
    assert_eq!(never_returned.to_string(), r#"{"secret":"s"}"#);
    let mut hinted = current.clone();
    hinted.insert("hint", "h");
    body.insert("hint", scim2_core::Value::Null);
    let replaced = badge.canonicalize(body.clone(), purpose, &Compat::strict()).expect("unassigned");
    let mut never_returned = Object::new();
    badge.keep_never_returned(&mut never_returned, &hinted, &replaced.cleared);
    assert_eq!(never_returned.to_string(), r#"{"secret":"s"}"#);
    body.insert("secret", scim2_core::Value::Null);
    let error = badge.canonicalize(body, purpose, &Compat::strict()).unwrap_err();
    assert_eq!((error.kind(), error.path()), (Kind::Required, "secret"));
    let mut body = badge_with("");
    body.insert("secret", 12_i64);
    let error = badge.canonicalize(body, Purpose::Create, &Compat::strict()).unwrap_err();
    assert_eq!(error.to_string(), "expected a string for `secret`, found a number");
}

#[test]
fn unique_keys_of_lists_and_of_group_display_name() {
    let badge = badge();
    let object = create_badge(r#","tags":["A","b",""]"#).expect("valid").object;
    let keys: Vec<_> = badge.unique_keys(&object).map(|(_, key)| key.into_owned()).collect();
    assert_eq!(keys, ["a", "b"]);
    let group = crate::object(r#"{"displayName":"Group One"}"#);
    let count = |compat: &Compat| {
        let registry = Registry::standard_for(compat);
        let type_ = registry.resource_type("Group").expect("built in");
        type_.unique_keys(&group).count()
    };
    assert_eq!((count(&Compat::default()), count(&Compat::strict())), (1, 0));
}

#[test]
fn canonical_value_accepts_what_canonicalize_accepts() {
    let type_ = type_of("User");
    let mut report = scim2_core::validate::Report::new();
    let mut value = |path: (&str, Option<&str>), json: &str| {
        let id = type_.find(None, path.0, path.1).expect("an attribute");
        let value = serde_json::from_str(json).expect("JSON");
        type_
            .canonical_value(id, value, &Compat::default(), &mut report)
            .map(|value| value.map(|value| value.to_string()))
            .map_err(|error| error.kind())
    };
    assert_eq!(value(("emails", None), r#"{"VALUE":"a@x"}"#), Ok(Some(r#"[{"value":"a@x"}]"#.to_owned())));
    assert_eq!(value(("emails", Some("primary")), r#""True""#), Ok(Some("true".to_owned())));
    assert_eq!(value(("emails", None), "[]"), Ok(None));
    assert_eq!(value(("title", None), "null"), Ok(None));
    assert_eq!(value(("active", None), r#""maybe""#), Err(Kind::Type));
    assert_eq!(report.leniencies.len(), 1);
    let (enterprise, _) = type_.extensions().next().expect("one");
    let given = object(&format!(
        r#"{{"schemas":["{ENTERPRISE}"],"EmployeeNumber":"7","manager":{{"value":"1","$ref":"Users/1"}}}}"#
    ));
    let extension = type_
        .canonical_extension(enterprise, given.into(), &Compat::strict(), &mut report)
        .expect("valid")
        .expect("something");
    assert_eq!(extension.to_string(), r#"{"employeeNumber":"7","manager":{"value":"1","$ref":"Users/1"}}"#);
}

#[test]
fn members_with_one_value_are_one_member() {
    let group = create(
        "Group",
        r#"{"displayName":"G","members":[{"value":"a"},{"value":"a","type":"User"},{"value":"A","$ref":null},"b"]}"#,
        &Compat::default(),
    )
    .expect("valid");
    assert_eq!(
        group.object.get("members").map(ToString::to_string).as_deref(),
        Some(r#"[{"value":"a"},{"value":"A"},{"value":"b"}]"#)
    );
}

#[test]
fn c_2_4_07_a_long_list_is_cleaned_like_a_short_one() {
    for count in [10_usize, 16, 17, 5000] {
        let members: Vec<_> = (0..count).map(|n| format!(r#"{{"value":"m{}"}}"#, n / 2)).collect();
        let json = format!(r#"{{"displayName":"G","members":[{}]}}"#, members.join(","));
        let object = create("Group", &json, &Compat::default()).expect("valid").object;
        let left: Vec<_> = object.get("members").into_iter().flat_map(|it| it.values()).collect();
        assert_eq!(left.len(), count.div_ceil(2), "{count}");
        assert_eq!(left[1].to_string(), r#"{"value":"m1"}"#);
    }
}

#[test]
fn c_3_01_schemas_is_a_list_of_distinct_uris() {
    let body = |schemas: &str| {
        format!(r#"{{"schemas":{schemas},"userName":"ada","{ENTERPRISE}":{{"department":"R"}}}}"#)
    };
    let twice = [
        format!(r#"["{USER}","{USER}","{ENTERPRISE}"]"#),
        format!(r#"["{USER}","{ENTERPRISE}","{}"]"#, USER.to_uppercase()),
        format!(r#"["{ENTERPRISE}","{USER}","{ENTERPRISE}"]"#),
        r#"["urn:example:unknown","urn:example:unknown"]"#.to_owned(),
    ];
    for compat in [Compat::default(), Compat::strict(), Compat::profile()] {
        for schemas in &twice {
            let error = create("User", &body(schemas), &compat).expect_err(schemas);
            assert_eq!(error.scim_type(), ScimType::InvalidSyntax, "{schemas}: {error}");
        }
        let shuffled = body(&format!(r#"["{ENTERPRISE}","{USER}"]"#));
        assert!(create("User", &shuffled, &compat).is_ok());
        let string = format!(r#"{{"schemas":"{USER}","userName":"ada"}}"#);
        assert_eq!(create("User", &string, &compat).is_ok(), compat.mode() == Compat::default().mode());
    }
}
