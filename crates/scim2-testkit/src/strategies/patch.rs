//! PATCH operations that fit a resource type.

use proptest::prelude::*;
use proptest::strategy::Union;
use scim2_core::schema::Mutability;
use scim2_core::{AttributeDef, CompiledType, Object, Value};

use super::value::{literal, value};
use super::writable;

/// One operation of a PatchOp, in its wire form ([RFC 7644
/// §3.5.2](https://www.rfc-editor.org/rfc/rfc7644#section-3.5.2)).
#[derive(Clone, Debug, PartialEq)]
pub struct PatchOperation {
    /// `add`, `replace` or `remove`.
    pub op: &'static str,
    /// The path; an operation without one has an object as its value.
    pub path: Option<String>,
    /// The value. For a `remove` it is the list of values to remove, if there is one.
    pub value: Option<Value>,
}

impl PatchOperation {
    /// The operation as an element of `Operations`.
    pub fn to_value(&self) -> Value {
        let Self { op, path, value } = self;
        let mut operation = Object::new();
        operation.insert("op", *op);
        if let Some(path) = path {
            operation.insert("path", path.as_str());
        }
        if let Some(value) = value {
            operation.insert("value", value.clone());
        }
        Value::Object(operation)
    }
}

/// An operation on a writable attribute, on one sub-attribute, on the elements that a value filter matches, or
/// without a path.
///
/// Memberships and immutable attributes are left out: whether those succeed depends on what is stored. An operation
/// may still be refused if its filter matches nothing, or if it would remove a required attribute. Some have one of
/// the [`UNKNOWN_PATHS`].
pub fn patch_operation(type_: &CompiledType) -> BoxedStrategy<PatchOperation> {
    let targets: Vec<&AttributeDef> = type_
        .attributes()
        .iter()
        .filter(|def| writable(def) && def.mutability() != Mutability::Immutable)
        .filter(|def| def.name() != "schemas" && top(type_, def).is_none_or(writable))
        .filter(|def| {
            type_.members().is_none_or(|members| def.id() != members && def.parent() != Some(members))
        })
        .collect();
    let mut strategies: Vec<BoxedStrategy<PatchOperation>> = vec![on_unknown_path()];
    for def in &targets {
        let path = def.path().to_owned();
        strategies.push(on_path(path, value(type_, def)));
        if def.is_complex() && def.multi_valued() {
            strategies.extend(on_elements(type_, def));
        }
        if def.parent().is_none() && !def.path().contains(':') {
            let name = def.name().to_owned();
            let without_path = (prop_oneof![Just("add"), Just("replace")], value(type_, def)).prop_map(
                move |(op, value)| {
                    let object: Object = [(name.as_str(), value)].into_iter().collect();
                    PatchOperation { op, path: None, value: Some(Value::Object(object)) }
                },
            );
            strategies.push(without_path.boxed());
        }
    }
    Union::new(strategies).boxed()
}

/// Paths with a name that no resource type has.
pub const UNKNOWN_PATHS: [&str; 4] = [
    "shoeSize",
    "shoeSize.value",
    "shoeSize[value eq \"38\"].value",
    "urn:example:unknown:1.0:Thing:shoeSize",
];

fn on_unknown_path() -> BoxedStrategy<PatchOperation> {
    let value = Just(Some(Value::from("38")));
    let operation = (prop_oneof![Just("add"), Just("replace")], value).boxed();
    let removal = Just(("remove", None)).boxed();
    (prop::sample::select(&UNKNOWN_PATHS[..]), prop_oneof![2 => operation, 1 => removal])
        .prop_map(|(path, (op, value))| PatchOperation { op, path: Some(path.to_owned()), value })
        .boxed()
}

fn on_path(path: String, value: BoxedStrategy<Value>) -> BoxedStrategy<PatchOperation> {
    let (removed, reduced) = (path.clone(), path.clone());
    let listed = value.clone();
    prop_oneof![
        1 => Just(PatchOperation { op: "remove", path: Some(removed), value: None }),
        1 => listed.prop_map(move |value| {
            PatchOperation { op: "remove", path: Some(reduced.clone()), value: Some(value) }
        }),
        3 => (prop_oneof![Just("add"), Just("replace")], value)
            .prop_map(move |(op, value)| PatchOperation { op, path: Some(path.clone()), value: Some(value) }),
    ]
    .boxed()
}

/// `emails[type eq "work"]` and `emails[type eq "work"].value`.
fn on_elements(type_: &CompiledType, def: &AttributeDef) -> Option<BoxedStrategy<PatchOperation>> {
    let selector = type_.attribute(type_.find_sub(def.id(), "type")?);
    let target =
        type_.attribute(type_.find_sub(def.id(), "value").or_else(|| type_.find_sub(def.id(), "locality"))?);
    let (path, name) = (def.path().to_owned(), selector.name().to_owned());
    let found = literal(selector).prop_map(move |literal| format!("{path}[{name} eq {literal}]"));
    let sub = target.name().to_owned();
    let on_sub = (found.clone(), prop_oneof![Just("add"), Just("replace")], value(type_, target)).prop_map(
        move |(path, op, value)| PatchOperation {
            op,
            path: Some(format!("{path}.{sub}")),
            value: Some(value),
        },
    );
    let removal = found.prop_map(|path| PatchOperation { op: "remove", path: Some(path), value: None });
    Some(prop_oneof![on_sub, removal].boxed())
}

fn top<'t>(type_: &'t CompiledType, def: &AttributeDef) -> Option<&'t AttributeDef> {
    def.parent().map(|parent| type_.attribute(parent))
}
