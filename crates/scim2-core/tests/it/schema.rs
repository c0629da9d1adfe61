//! Schema documents: which ones load, and what the lint finds.

use scim2_core::compiled::CompileErrorKind;
use scim2_core::schema::{AttributeType, Mutability, ResourceType, Returned, Schema, Uniqueness};
use scim2_core::{Compat, Registry};

fn schema(attributes: &str) -> Result<Schema, serde_json::Error> {
    serde_json::from_str(&format!(r#"{{"id":"urn:example:1.0:Thing","attributes":{attributes}}}"#))
}

#[track_caller]
fn findings(attributes: &str) -> Vec<String> {
    let schema = schema(attributes).expect("loads");
    schema.lint().iter().map(|it| it.to_string().replace(" of `urn:example:1.0:Thing`", "")).collect()
}

#[test]
fn c_2_1_02_attribute_names() {
    for name in ["a-b", "a_b", "a$b", "$ref"] {
        assert!(schema(&format!(r#"[{{"name":"{name}"}}]"#)).is_ok(), "{name}");
    }
    for name in ["1a", "a.b", "a b", ""] {
        assert!(schema(&format!(r#"[{{"name":"{name}"}}]"#)).is_err(), "{name}");
    }
}

#[test]
fn c_2_2_01_defaults_of_characteristics() {
    let schema = schema(r#"[{"name":"a"}]"#).expect("loads");
    let a = &schema.attributes[0];
    assert_eq!(
        (a.type_, a.multi_valued, a.required, a.case_exact),
        (AttributeType::String, false, false, false)
    );
    assert_eq!(
        (a.mutability, a.returned, a.uniqueness),
        (Mutability::ReadWrite, Returned::Default, Uniqueness::None)
    );
    assert!(a.canonical_values.is_empty());
}

#[test]
fn c_2_3_01_no_new_data_types() {
    assert!(schema(r#"[{"name":"a","type":"uuid"}]"#).is_err());
}

#[test]
fn the_built_in_schemas_have_no_fault() {
    for compat in [Compat::default(), Compat::strict()] {
        let registry = Registry::standard_for(&compat);
        assert_eq!(registry.lint(), []);
        for schema in registry.discovery_schemas() {
            assert_eq!(schema.lint(), []);
        }
    }
}

#[test]
fn lint_of_one_schema() {
    for (attributes, expected) in [
        // C-1.2-01
        (
            r#"[{"name":"a","subAttributes":[{"name":"b"}]}]"#,
            "error: `a`: sub-attributes belong to complex attributes, this is a string",
        ),
        // C-2.3.8-02
        (
            r#"[{"name":"a","type":"complex","subAttributes":[{"name":"b","type":"complex"}]}]"#,
            "error: `a.b`: complex inside a complex attribute",
        ),
        // C-2.4-01
        (
            r#"[{"name":"a","type":"complex","multiValued":true,"subAttributes":[{"name":"primary"}]}]"#,
            "error: `a.primary`: expected the predefined singular boolean, found a string",
        ),
        // C-7-03
        (r#"[{"name":"a","type":"complex"}]"#, "warning: `a`: a complex attribute without sub-attributes"),
        // C-7-15
        (
            r#"[{"name":"a","type":"integer","referenceTypes":["uri"]}]"#,
            "error: `a`: referenceTypes belong to references, this is an integer",
        ),
        // C-3.1-02
        (
            r#"[{"name":"ID"}]"#,
            "warning: `ID`: a common attribute is the same for all resources and cannot be redefined",
        ),
        // C-7-08
        (
            r#"[{"name":"a","mutability":"writeOnly"}]"#,
            "warning: `a`: a writeOnly attribute is never returned, whatever `returned` says",
        ),
        // C-2.3.5-02, C-2.3.6-03
        (
            r#"[{"name":"a","type":"dateTime","uniqueness":"server"}]"#,
            "error: `a`: a dateTime cannot be unique",
        ),
        (r#"[{"name":"a","type":"binary","uniqueness":"server"}]"#, "error: `a`: a binary cannot be unique"),
        (r#"[{"name":"a"},{"name":"A"}]"#, "error: `A`: defined twice"),
    ] {
        assert_eq!(findings(attributes), [expected], "{attributes}");
    }
    assert_eq!(findings(r#"[{"name":"a","type":"reference","referenceTypes":["external"]}]"#), [""; 0]);
}

fn registry(schemas: &[&str], types: &[&str]) -> Result<Registry, CompileErrorKind> {
    let schemas = schemas.iter().map(|json| serde_json::from_str(json).expect("a schema"));
    let types = types.iter().map(|json| serde_json::from_str::<ResourceType>(json).expect("a type"));
    Registry::with(schemas.collect(), types.collect()).map_err(|error| error.kind())
}

const CORE: &str = r#"{"id":"urn:example:1.0:Thing","attributes":[{"name":"a"}]}"#;
const EXTENSION: &str = r#"{"id":"urn:example:1.0:Ext","attributes":[{"name":"A"},
    {"name":"r","type":"reference","referenceTypes":["Nothing"]}]}"#;
const THING: &str = r#"{"name":"Thing","endpoint":"/Things","schema":"urn:example:1.0:Thing",
    "schemaExtensions":[{"schema":"urn:example:1.0:Ext"}]}"#;

#[test]
fn c_3_3_03_c_7_15_lint_across_schemas() {
    let registry = registry(&[CORE, EXTENSION], &[THING]).expect("compiles");
    let findings: Vec<_> = registry.lint().iter().map(ToString::to_string).collect();
    assert_eq!(
        findings,
        [
            "error: `r` of `urn:example:1.0:Ext`: expected a resource type, `external` or `uri` in referenceTypes, found `Nothing`",
            "warning: `A` of `urn:example:1.0:Ext`: the core schema of resource type `Thing` has that name too",
        ]
    );
    // C-3.3-02: the extension hides nothing.
    let thing = registry.resource_type("Thing").expect("there");
    assert_eq!(thing.find(None, "a", None).map(|id| thing.attribute(id).path()), Some("a"));
}

#[test]
fn c_6_01_i_6_1_01_resource_types_fit_together() {
    let other = |name: &str, endpoint: &str| {
        let json = format!(r#"{{"name":"{name}","endpoint":"{endpoint}","schema":"urn:example:1.0:Thing"}}"#);
        registry(&[CORE, EXTENSION], &[THING, &json]).map(|registry| registry.resource_types().len())
    };
    assert_eq!(other("Other", "/Others"), Ok(2));
    assert_eq!(other("Thing", "/Others"), Err(CompileErrorKind::RepeatedType));
    assert_eq!(other("Other", "/things"), Err(CompileErrorKind::RepeatedType));
    for endpoint in ["Others", "/", "/a/b", "/Bulk", "/schemas", "/.search", "/a?b"] {
        assert_eq!(other("Other", endpoint), Err(CompileErrorKind::Endpoint), "{endpoint}");
    }
    assert_eq!(registry(&[CORE], &[THING]).map(|_| ()), Err(CompileErrorKind::UnknownSchema));
}

#[test]
fn never_returned_attribute_cannot_be_unique() {
    let schema = |attribute: &str| {
        format!(r#"{{"id":"urn:example:Thing","name":"Thing","attributes":[{attribute}]}}"#)
    };
    for (attribute, refused) in [
        (r#"{"name":"a","returned":"never","uniqueness":"server"}"#, Some("a")),
        (r#"{"name":"a","mutability":"writeOnly","returned":"never","uniqueness":"global"}"#, Some("a")),
        (
            r#"{"name":"a","type":"complex","subAttributes":[{"name":"b","returned":"never","uniqueness":"server"}]}"#,
            Some("a.b"),
        ),
        (
            r#"{"name":"a","type":"complex","returned":"never","subAttributes":[{"name":"b","uniqueness":"server"}]}"#,
            Some("a.b"),
        ),
        (r#"{"name":"a","returned":"request","uniqueness":"server"}"#, None),
        (r#"{"name":"a","returned":"never"}"#, None),
    ] {
        let schema: Schema = serde_json::from_str(&schema(attribute)).unwrap();
        let type_: ResourceType =
            serde_json::from_str(r#"{"name":"Thing","endpoint":"/Things","schema":"urn:example:Thing"}"#)
                .unwrap();
        let error = Registry::with(vec![schema], vec![type_]).err();
        assert_eq!(
            error.as_ref().map(|error| error.kind()),
            refused.map(|_| CompileErrorKind::NeverReturnedUnique),
            "{attribute}"
        );
        if let (Some(error), Some(path)) = (error, refused) {
            assert_eq!(
                error.to_string(),
                format!(
                    "`{path}` of `urn:example:Thing` is never returned: expected the `uniqueness` `none` of it, found another one"
                )
            );
        }
    }
}

#[test]
fn c_7_15_reference_types_are_of_references() {
    for (attribute, refused) in [
        (r#"{"name":"a","referenceTypes":["uri"]}"#, Some("a")),
        (r#"{"name":"a","type":"integer","referenceTypes":["uri"]}"#, Some("a")),
        (
            r#"{"name":"a","type":"complex","subAttributes":[{"name":"b","referenceTypes":["User"]}]}"#,
            Some("a.b"),
        ),
        (
            r#"{"name":"a","type":"complex","referenceTypes":["User"],"subAttributes":[{"name":"b"}]}"#,
            Some("a"),
        ),
        (r#"{"name":"a","type":"reference","referenceTypes":["uri"]}"#, None),
        (r#"{"name":"a","referenceTypes":[]}"#, None),
    ] {
        let schema = schema(&format!("[{attribute}]")).unwrap();
        let type_: ResourceType =
            serde_json::from_str(r#"{"name":"Thing","endpoint":"/Things","schema":"urn:example:1.0:Thing"}"#)
                .unwrap();
        let error = Registry::with(vec![schema], vec![type_]).err().map(|error| error.to_string());
        let line = |path| {
            format!(
                "`{path}` of `urn:example:1.0:Thing` has `referenceTypes`: expected the type `reference` of it, found another one"
            )
        };
        assert_eq!(error, refused.map(line), "{attribute}");
    }
}
