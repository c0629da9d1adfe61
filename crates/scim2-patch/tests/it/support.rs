//! One `check` for every table.

use std::sync::{Arc, LazyLock};

use scim2_core::schema::{ResourceType, Schema};
use scim2_core::validate::Ignored;
use scim2_core::work::Work;
use scim2_core::{Compat, CompiledType, Object, Registry};
use scim2_patch::{Applied, Limits, PatchError, PatchOp, apply, apply_within};

/// What becomes of a resource: the new one, the same, or an error with this `scimType`.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Then {
    /// It changes to this.
    Becomes(&'static str),
    /// It stays, and that is a success.
    Stays,
    /// It stays, and that is an error.
    Fails(&'static str),
}

pub(crate) use Then::{Becomes, Fails, Stays};

/// A requirement or quirk, a resource, operations, and what becomes of the resource.
pub(crate) type Case = (&'static str, &'static str, &'static str, Then);

/// Checks a table of cases on one resource type.
#[track_caller]
pub(crate) fn check(type_name: &str, compat: &Compat, cases: &[Case]) {
    for case in cases {
        check_one(type_name, compat, *case);
    }
}

#[track_caller]
pub(crate) fn check_one(
    type_name: &str,
    compat: &Compat,
    (label, before, operations, then): Case,
) -> Option<Applied> {
    let type_ = resource_type(type_name);
    let before = object(before);
    let mut resource = before.clone();
    let applied = run(operations, &mut resource, &type_, compat);
    match then {
        Becomes(after) => {
            let applied = applied.unwrap_or_else(|error| panic!("{label}: {error}"));
            assert_eq!(resource, object(after), "{label}: the resource");
            assert!(applied.changed(), "{label}: it reports no change");
            Some(applied)
        }
        Stays => {
            let applied = applied.unwrap_or_else(|error| panic!("{label}: {error}"));
            assert_eq!(resource, before, "{label}: the resource");
            assert!(!applied.changed(), "{label}: it reports a change of {:?}", applied.attributes());
            Some(applied)
        }
        Fails(scim_type) => {
            let error = applied.map(|_| resource.clone()).expect_err(label);
            assert_eq!(error.scim_type().as_str(), scim_type, "{label}: {error}");
            assert_eq!(resource, before, "{label}: something was kept");
            None
        }
    }
}

/// Reads and applies operations, given as the array alone.
pub(crate) fn run(
    operations: &str,
    resource: &mut Object,
    type_: &CompiledType,
    compat: &Compat,
) -> Result<Applied, PatchError> {
    apply(&read(operations, compat)?, resource, type_, compat)
}

/// As [`run`], with the work that the operations may cause.
pub(crate) fn run_within(
    operations: &str,
    resource: &mut Object,
    type_: &CompiledType,
    compat: &Compat,
    work: &Work<'_>,
) -> Result<Applied, PatchError> {
    apply_within(&read(operations, compat)?, resource, type_, compat, work)
}

/// The paths that a report of ignored names lists.
pub(crate) fn ignored_paths(ignored: &[Ignored]) -> Vec<&str> {
    ignored.iter().map(|ignored| &*ignored.path).collect()
}

fn read(operations: &str, compat: &Compat) -> Result<PatchOp, PatchError> {
    let message = object(&format!(r#"{{"schemas":["{}"],"Operations":{operations}}}"#, PatchOp::SCHEMA));
    PatchOp::from_object(message, compat, &Limits::DEFAULT)
}

#[track_caller]
pub(crate) fn object(json: &str) -> Object {
    serde_json::from_str(json).unwrap_or_else(|error| panic!("{error} in {json}"))
}

/// `User`, `Group`, or `Gadget`: a type with every characteristic the standard ones lack.
pub(crate) fn resource_type(name: &str) -> Arc<CompiledType> {
    static REGISTRY: LazyLock<Registry> = LazyLock::new(|| {
        let standard = Registry::standard();
        let mut schemas: Vec<Schema> = standard.schemas().cloned().collect();
        schemas.extend(serde_json::from_str::<Vec<Schema>>(include_str!("gadget.json")).expect("schemas"));
        let mut types: Vec<ResourceType> =
            standard.resource_types().map(|type_| type_.resource_type().clone()).collect();
        types.push(
            serde_json::from_str(
                r#"{"name":"Gadget","endpoint":"/Gadgets","schema":"urn:example:2.0:Gadget",
                    "schemaExtensions":[{"schema":"urn:example:2.0:Gadget:Warranty","required":true},
                                        {"schema":"urn:example:2.0:Label","required":false},
                                        {"schema":"urn:example:2.0:Stand","required":false}]}"#,
            )
            .expect("a resource type"),
        );
        Registry::with(schemas, types).expect("valid documents")
    });
    REGISTRY.resource_type(name).expect("a known type").clone()
}
