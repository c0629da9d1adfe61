//! What holds for any resource and any operations.

use std::collections::BTreeSet;

use proptest::prelude::*;
use scim2_core::schema::Mutability;
use scim2_core::validate::Purpose;
use scim2_core::{Compat, Object, Owner, Quirk, Value};
use scim2_patch::{DiffOptions, Limits, MemberDelta, PatchOp, apply, diff};
use scim2_testkit::strategies::{self, PatchOperation};

use crate::generated::{Type, any_type};
use crate::model;
use crate::support::resource_type;

/// User names of the test kit are any text.
fn compat() -> Compat {
    Compat::default().with(Quirk::UsernameAny, true)
}

fn message(operations: impl IntoIterator<Item = Value>) -> Object {
    Object::from_iter([
        ("schemas", Value::from(vec![PatchOp::SCHEMA])),
        ("Operations", Value::Array(operations.into_iter().collect())),
    ])
}

fn read(operations: &[PatchOperation]) -> PatchOp {
    let message = message(operations.iter().map(PatchOperation::to_value));
    PatchOp::from_object(message, &compat(), &Limits::DEFAULT).expect("operations of the test kit")
}

/// A stored resource: what a create makes of a body.
fn stored(type_: &Type) -> BoxedStrategy<Object> {
    let type_ = type_.clone();
    strategies::resource(&type_)
        .prop_map(move |body| {
            type_.canonicalize(body, Purpose::Create, &compat()).expect("a valid body").object
        })
        .boxed()
}

fn any_case() -> impl Strategy<Value = (Type, Object, Vec<PatchOperation>)> {
    any_type().prop_filter("there is something to patch", is_writable).prop_flat_map(|type_| {
        let operations = prop::collection::vec(strategies::patch_operation(&type_), 1..5);
        (Just(type_.clone()), stored(&type_), operations)
    })
}

/// Says whether an operation is about a never-returned attribute, which always counts as a change.
fn touches_never_returned(type_: &Type, operations: &[PatchOperation]) -> bool {
    let text = format!("{operations:?}");
    type_.never_returned_attributes().iter().any(|id| text.contains(type_.attribute(*id).name()))
}

/// Says whether there is an attribute for operations to change.
fn is_writable(type_: &Type) -> bool {
    type_.attributes().iter().any(|def| {
        def.parent().is_none()
            && def.owner() != Owner::Common
            && matches!(def.mutability(), Mutability::ReadWrite | Mutability::WriteOnly)
    })
}

proptest! {
        #[test]
    fn apply_agrees_with_the_model((type_, before, operations) in any_case()) {
        let expected = model::apply_all(&before, &operations, &type_);
        let mut after = before.clone();
        let applied = apply(&read(&operations), &mut after, &type_, &compat());
        match (&applied, expected) {
            (Ok(applied), Some(expected)) => {
                prop_assert_eq!(&after, &expected);
                prop_assert_eq!(applied.changed(), touches_never_returned(&type_, &operations) || after != before);
                for change in applied.changes() {
                    let def = type_.attribute(change.attribute());
                    if !def.is_never_returned() {
                        let was = change.before(&after, &type_);
                        prop_assert_eq!(was.as_ref(), type_.get(&before, def.id()));
                        prop_assert_eq!(change.after(&after, &type_), type_.get(&after, def.id()));
                    }
                }
            }
            (Err(_), None) => prop_assert_eq!(&after, &before),
            (applied, expected) => prop_assert!(false, "{:?}, the model says {:?}", applied, expected),
        }
    }

    #[test]
    fn canonical_resource_stays_canonical((type_, before, operations) in any_case()) {
        let mut after = before;
        if apply(&read(&operations), &mut after, &type_, &compat()).is_ok() {
            let again = type_.canonicalize(after.clone(), Purpose::Replace { current: &after }, &compat());
            prop_assert_eq!(again.map(|canonical| canonical.object), Ok(after));
        }
    }

    #[test]
    fn failed_last_operation_undoes_everything((type_, before, operations) in any_case()) {
        let op = read(&operations).remove("id").expect("a good path");
        let mut after = before.clone();
        prop_assert!(apply(&op, &mut after, &type_, &compat()).is_err());
        prop_assert_eq!(after, before);
    }

    #[test]
    fn repeated_operation_changes_nothing((type_, before, operation) in any_case()) {
        let op = read(&operation[..1]);
        // What a filter chose may no longer be there to choose, and passwords always count.
        let path = operation[0].path.clone().unwrap_or_default();
        prop_assume!(!path.contains('[') && !touches_never_returned(&type_, &operation[..1]));
        let mut once = before;
        if apply(&op, &mut once, &type_, &compat()).is_ok() {
            let mut twice = once.clone();
            let applied = apply(&op, &mut twice, &type_, &compat()).expect("it did before");
            prop_assert_eq!(twice, once);
            prop_assert!(!applied.changed());
        }
    }

    #[test]
    fn any_json_never_panics(
        operations in prop::collection::vec(any_operation(), 1..4),
        before in stored(&Type::named("User")),
    ) {
        let type_ = resource_type("User");
        for compat in [compat(), Compat::strict(), Compat::profile()] {
            if let Ok(op) = PatchOp::from_object(message(operations.clone()), &compat, &Limits::DEFAULT) {
                let mut after = before.clone();
                match apply(&op, &mut after, &type_, &compat) {
                    Ok(_) => prop_assert!(type_.check_required(&after).is_ok(), "{}", after),
                    Err(error) => {
                        prop_assert_eq!(&after, &before);
                        prop_assert!(!error.to_string().contains('\n'));
                    }
                }
            }
        }
    }

    #[test]
    fn diff_turns_one_resource_into_the_other(
        (type_, a, b) in two(),
        value_paths in any::<bool>(),
        sub_attributes in any::<bool>(),
        without_path in any::<bool>(),
    ) {
        let mut options = DiffOptions::DEFAULT;
        (options.value_paths, options.sub_attributes) = (value_paths, sub_attributes);
        options.without_path = without_path;
        let op = diff(&a, &b, &type_, &options);
        let mut after = a.clone();
        if !op.is_empty() {
            let applied = apply(&op, &mut after, &type_, &compat());
            prop_assert!(applied.is_ok(), "{:?} of {}", applied, op.to_object());
        }
        prop_assert_eq!(&after, &b, "{}", op.to_object());
        prop_assert!(diff(&b, &b, &type_, &options).is_empty());
        prop_assert!(!op.to_object().to_string().contains("groups"));
    }

    #[test]
    fn diff_of_members_turns_one_group_into_the_other(
        a in prop::collection::btree_map(0..9_u8, prop::option::of("[xy]"), 0..9),
        b in prop::collection::btree_map(0..9_u8, prop::option::of("[xy]"), 0..9),
        value_paths in any::<bool>(),
        max_members in 0..4_usize,
        without_path in any::<bool>(),
    ) {
        let type_ = resource_type("Group");
        let group = |members: &std::collections::BTreeMap<u8, Option<String>>| {
            let mut group = Object::from_iter([("displayName", "Tour")]);
            if !members.is_empty() {
                let members = members.iter().map(|(id, display)| member(*id, display.as_deref()));
                group.insert("members", members.collect::<Vec<_>>());
            }
            group
        };
        let (a, b) = (group(&a), group(&b));
        let mut options = DiffOptions::DEFAULT;
        (options.value_paths, options.max_members) = (value_paths, max_members);
        options.without_path = without_path;
        let op = diff(&a, &b, &type_, &options);
        let mut after = a.clone();
        apply(&op, &mut after, &type_, &Compat::strict()).expect("it applies");
        prop_assert!(op.operations().iter().all(|operation| operation.path().is_none() == without_path));
        prop_assert_eq!(sorted(&after), sorted(&b), "{}", op.to_object());
        for operation in op.operations() {
            let value = operation.value();
            let list = value.and_then(Value::as_object).map_or(value, |value| value.get("members"));
            let count = list.and_then(Value::as_array).map_or(0, <[Value]>::len);
            prop_assert!(count <= max_members.max(1));
        }
    }

    #[test]
    fn delta_agrees_with_apply(
        members in prop::collection::vec(0..6_u8, 0..6),
        operations in prop::collection::vec(member_operation(), 1..6),
    ) {
        let type_ = resource_type("Group");
        let mut group = Object::from_iter([("displayName", "Tour")]);
        let present: BTreeSet<u8> = members.into_iter().collect();
        if !present.is_empty() {
            group.insert("members", present.iter().map(|id| member(*id, None)).collect::<Vec<_>>());
        }
        for compat in [Compat::default(), Compat::strict()] {
            let Ok(op) = PatchOp::from_object(message(operations.clone()), &compat, &Limits::DEFAULT) else { continue };
            let Some((delta, rest)) = MemberDelta::split(&op, &type_, &compat) else { continue };
            let mut expected = group.clone();
            let ordinary = apply(&op, &mut expected, &type_, &compat);
            let mut other = group.clone();
            other.remove("members");
            let divided = apply(&rest, &mut other, &type_, &compat);
            prop_assert_eq!(ordinary.is_ok(), divided.is_ok(), "{:?} and {:?}", ordinary, divided);
            if ordinary.is_ok() {
                put_members(&mut other, &group, &delta);
                prop_assert_eq!(sorted(&other), sorted(&expected), "{:?}", delta);
            }
        }
    }
}

fn two() -> impl Strategy<Value = (Type, Object, Object)> {
    let unrelated = any_type().prop_flat_map(|type_| {
        (Just(type_.clone()), stored(&type_), stored(&type_)).prop_map(|(type_, a, mut b)| {
            keep_immutable(&type_, &a, &mut b);
            // Without its other attributes, an extension with immutable ones lacks those it requires.
            let b = if type_.check_required(&b).is_ok() { b } else { a.clone() };
            (type_, a, b)
        })
    });
    // A resource and what a few operations made of it: most differences are small.
    let related = any_case().prop_map(|(type_, before, operations)| {
        let mut after = before.clone();
        // A refused request leaves the two equal, which is a case as well.
        let _refused = apply(&read(&operations), &mut after, &type_, &compat()).is_err();
        (type_, before, after)
    });
    prop_oneof![unrelated, related]
}

/// No PATCH leads to another value of an immutable attribute.
fn keep_immutable(type_: &Type, a: &Object, b: &mut Object) {
    for def in type_.attributes() {
        if def.parent().is_some() || def.mutability() != Mutability::Immutable {
            continue;
        }
        if let Some(value) = type_.get(a, def.id()) {
            match def.owner() {
                Owner::Extension(id) => {
                    b.object_entry(type_.extension(id).uri().as_str()).insert(def.name(), value.clone());
                }
                Owner::Common | Owner::Core => {
                    b.insert(def.name(), value.clone());
                }
            }
        }
    }
    type_.recompute_schemas(b);
}

/// What a store does with a delta.
fn put_members(group: &mut Object, before: &Object, delta: &MemberDelta) {
    let mut members: Vec<Value> = match before.get("members") {
        Some(members) if !delta.replace_all() => members.values().cloned().collect(),
        _ => Vec::new(),
    };
    let id = |value: &Value| value.as_object().and_then(|it| it.get_str("value")).map(str::to_owned);
    members.retain(|value| !delta.remove().iter().any(|gone| id(value).as_deref() == Some(&**gone)));
    for member in delta.add() {
        let member = Value::Object(member.clone());
        if !members.iter().any(|there| id(there) == id(&member)) {
            members.push(member);
        }
    }
    if !members.is_empty() {
        group.insert("members", members);
    }
}

/// Memberships in the order of their ids: it means nothing.
fn sorted(group: &Object) -> Object {
    let mut group = group.clone();
    if let Some(Value::Array(members)) = group.get_mut("members") {
        members.sort_by_key(ToString::to_string);
    }
    group
}

fn member(id: u8, display: Option<&str>) -> Value {
    let mut member = Object::from_iter([("value", format!("m{id}"))]);
    if let Some(display) = display {
        member.insert("display", display);
    }
    Value::Object(member)
}

fn member_operation() -> BoxedStrategy<Value> {
    let list = prop::collection::vec((0..6_u8, prop::option::of("[xy]")), 0..4).prop_map(|list| {
        list.iter().map(|(id, display)| member(*id, display.as_deref())).collect::<Vec<_>>()
    });
    let ids = prop::collection::vec(0..6_u8, 1..4);
    prop_oneof![
        (prop_oneof![Just("add"), Just("Replace")], list.clone())
            .prop_map(|(op, list)| serde_json::json!({"op": op, "path": "members", "value": json(list)})),
        (prop_oneof![Just("add"), Just("replace")], list.clone()).prop_map(
            |(op, list)| serde_json::json!({"op": op, "value": {"members": json(list), "displayName": "x"}})
        ),
        list.prop_map(|list| serde_json::json!({"op": "remove", "path": "members", "value": json(list)})),
        ids.clone().prop_map(|ids| {
            let terms: Vec<_> = ids.iter().map(|id| format!("value eq \"m{id}\"")).collect();
            serde_json::json!({"op": "remove", "path": format!("members[{}]", terms.join(" or "))})
        }),
        Just(serde_json::json!({"op": "remove", "path": "members"})),
        Just(serde_json::json!({"op": "replace", "path": "members", "value": []})),
        Just(serde_json::json!({"op": "replace", "path": "members", "value": {"members": ["m1", "m2"]}})),
        Just(serde_json::json!({"op": "replace", "path": "displayName", "value": "World tour"})),
        Just(serde_json::json!({"op": "remove", "path": "members[display pr]"})),
        Just(serde_json::json!({"op": "replace", "value": {"urn:ietf:params:scim:schemas:core:2.0:Group": {"members": ["m1"]}}})),
        Just(serde_json::json!({"op": "add", "value": {"urn:ietf:params:scim:schemas:core:2.0:Group:members": ["m2"]}})),
    ]
    .prop_map(Value::from)
    .boxed()
}

fn json(list: Vec<Value>) -> serde_json::Value {
    Value::Array(list).into()
}

/// Operations that may mean anything: right and wrong paths, values of every shape.
fn any_operation() -> BoxedStrategy<Value> {
    let type_ = resource_type("User");
    let paths: Vec<String> = type_
        .attributes()
        .iter()
        .map(|def| def.path().to_owned())
        .chain(type_.extensions().map(|(_, extension)| extension.uri().to_string()))
        .chain(
            [
                "emails[type eq \"work\"]",
                "emails[type eq \"work\"].value",
                "emails[not (primary eq true) or value pr].type",
                "addresses[type ne null].locality",
                "schemas[value pr]",
                "name[givenName pr]",
                "manager",
                "urn:ietf:params:scim:schemas:core:2.0:User",
                "x509Certificates[value sw \"A\"]",
                "nope",
                "",
                "a[",
            ]
            .map(str::to_owned),
        )
        .collect();
    let key = prop_oneof![
        4 => prop::sample::select(paths.clone()),
        1 => "[a-zA-Z.:\\[\\]$ ]{0,8}",
        2 => prop::sample::select(vec!["value", "type", "primary", "display", "givenName", "$ref", "schemas", "id"])
            .prop_map(str::to_owned),
    ];
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(serde_json::Value::from),
        any::<i64>().prop_map(serde_json::Value::from),
        prop::sample::select(vec![
            "",
            "True",
            "work",
            "a@example.org",
            "7",
            "urn:x:y",
            "2026-01-01T00:00:00Z"
        ])
        .prop_map(serde_json::Value::from),
    ];
    let value = leaf.prop_recursive(4, 24, 4, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(serde_json::Value::from),
            prop::collection::btree_map(key.clone(), inner, 0..4)
                .prop_map(|object| serde_json::Value::Object(distinct(object))),
        ]
    });
    let op = prop::sample::select(vec!["add", "Replace", "remove", "REMOVE", "move"]);
    (op, prop::option::of(prop::sample::select(paths)), prop::option::of(value))
        .prop_map(|(op, path, value)| {
            let mut operation = serde_json::json!({ "op": op });
            if let Some(path) = path {
                operation["path"] = path.into();
            }
            if let Some(value) = value {
                operation["value"] = value;
            }
            operation.into()
        })
        .boxed()
}

/// Names that differ in more than letter case, as the reader of a body makes sure.
fn distinct(
    object: std::collections::BTreeMap<String, serde_json::Value>,
) -> serde_json::Map<String, serde_json::Value> {
    let mut seen = BTreeSet::new();
    object.into_iter().filter(|(name, _)| seen.insert(name.to_ascii_lowercase())).collect()
}
