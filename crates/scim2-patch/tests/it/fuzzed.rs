//! The laws that the fuzz targets try on any bytes; here they are tried on the seeds kept for them.

use std::sync::LazyLock;

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use scim2_core::json::JsonReader;
use scim2_core::validate::Purpose;
use scim2_core::work::Work;
use scim2_core::{Compat, CompiledType, Object, Quirk, Registry, Value};
use scim2_patch::{DiffOptions, Limits, MemberDelta, PatchErrorKind, PatchOp, apply, apply_within, diff};
use scim2_testkit::strategies::{self, PatchOperation};

use crate::model;

static REGISTRY: LazyLock<Registry> = LazyLock::new(Registry::standard);

/// A resource and operations on it.
type Drawn = BoxedStrategy<(Object, Vec<PatchOperation>)>;

thread_local! {
    // To make one takes many times as long as to draw from it.
    static USERS: Drawn = drawn("User");
    static GROUPS: Drawn = drawn("Group");
}

fn standard_type(name: &str) -> &'static CompiledType {
    REGISTRY.resource_type(name).expect("a standard type")
}

fn drawn(name: &str) -> Drawn {
    let type_ = standard_type(name);
    (strategies::resource(type_), prop::collection::vec(strategies::patch_operation(type_), 1..5)).boxed()
}

/// User names of the test kit are any text.
fn compat() -> Compat {
    Compat::default().with(Quirk::UsernameAny, true)
}

/// No PATCH panics; a refused one changes nothing; what is required stays; one that succeeds can be
/// led back to by a difference. The text is a PatchOp and a resource as JSON, a line each.
pub(crate) fn patch_never_panics(text: &str) {
    let (message, body) = text.split_once('\n').unwrap_or((text, r#"{"userName":"ada"}"#));
    let read = |text: &str| JsonReader::new().object(text.as_bytes());
    let (Ok(message), Ok(body)) = (read(message), read(body)) else { return };
    for type_ in REGISTRY.resource_types() {
        let canonical = type_.canonicalize(body.clone(), Purpose::Create, &Compat::default());
        let Ok(before) = canonical.map(|canonical| canonical.object) else { continue };
        for compat in [Compat::default(), Compat::strict(), Compat::profile()] {
            let Ok(op) = PatchOp::from_object(message.clone(), &compat, &Limits::DEFAULT) else { continue };
            check_patch(type_, &before, &op, &compat);
        }
    }
}

fn check_patch(type_: &CompiledType, before: &Object, op: &PatchOp, compat: &Compat) {
    let _ = MemberDelta::split(op, type_, compat);
    check_work(type_, before, op, compat);
    let mut after = before.clone();
    match apply(op, &mut after, type_, compat) {
        Ok(applied) => {
            assert!(applied.changed() || after == *before);
            type_.check_required(&after).expect("what is required stays");
        }
        Err(error) => {
            assert_eq!(after, *before);
            assert!(!error.to_string().contains('\n'));
        }
    }
    let purpose = Purpose::Replace { current: before };
    if let Ok(wanted) = type_.canonicalize(after, purpose, &Compat::default()) {
        let mut led = before.clone();
        let op = diff(before, &wanted.object, type_, &DiffOptions::DEFAULT);
        let _ = apply(&op, &mut led, type_, &Compat::default());
    }
}

/// A PATCH succeeds with exactly the work that it costs. With one byte less it is refused and changes nothing.
pub(crate) fn check_work(type_: &CompiledType, before: &Object, op: &PatchOp, compat: &Compat) {
    let within = |limit| {
        let (mut after, work) = (before.clone(), Work::with_limit(limit));
        let applied = apply_within(op, &mut after, type_, compat, &work);
        assert!(work.spent() <= limit);
        (applied, after, work.spent())
    };
    let whole = within(u64::MAX);
    let cost = whole.2;
    assert_eq!(within(cost), whole);
    if cost > 0 {
        let (refused, after, _) = within(cost - 1);
        assert_eq!(refused.expect_err("less than it costs").kind(), &PatchErrorKind::TooMuchWork);
        assert_eq!(after, *before);
    }
}

/// Operations do to a resource what the model says they do. The bytes are the lots that are drawn:
/// the first chooses the resource type, the next 32 all else.
pub(crate) fn patch_matches_model(bytes: &[u8]) {
    let (which, bytes) = bytes.split_first().unwrap_or((&0, &[]));
    let (drawn, type_) = if which % 4 == 0 { (&GROUPS, "Group") } else { (&USERS, "User") };
    let type_ = standard_type(type_);
    let mut seed = [0; 32];
    seed.iter_mut().zip(bytes).for_each(|(lot, byte)| *lot = *byte);
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &seed);
    let mut runner = TestRunner::new_with_rng(Config { failure_persistence: None, ..Config::default() }, rng);
    let Ok(tree) = drawn.with(|drawn| drawn.new_tree(&mut runner)) else { return };
    let (body, operations) = tree.current();
    let Ok(before) = type_.canonicalize(body, Purpose::Create, &compat()) else { return };
    check_model(type_, &before.object, &operations);
}

fn check_model(type_: &CompiledType, before: &Object, operations: &[PatchOperation]) {
    let message = Object::from_iter([
        ("schemas", Value::from(vec![PatchOp::SCHEMA])),
        ("Operations", operations.iter().map(PatchOperation::to_value).collect::<Vec<_>>().into()),
    ]);
    let op = PatchOp::from_object(message, &compat(), &Limits::DEFAULT).expect("operations of the test kit");
    let expected = model::apply_all(before, operations, type_);
    let mut after = before.clone();
    match (apply(&op, &mut after, type_, &compat()), expected) {
        (Ok(_), Some(expected)) => assert_eq!(after, expected),
        (Err(_), None) => assert_eq!(after, *before),
        (applied, expected) => panic!("{applied:?}, the model says {expected:?}"),
    }
}

/// What leads from one resource to another leads there, whatever the service provider understands.
/// The text is the two as JSON, a line each.
pub(crate) fn diff_applies(text: &str) {
    let (a, b) = text.split_once('\n').unwrap_or((text, "{}"));
    let read = |text: &str| JsonReader::new().object(text.as_bytes());
    let (Ok(a), Ok(b)) = (read(a), read(b)) else { return };
    for type_ in REGISTRY.resource_types() {
        let canonical = |body: &Object| type_.canonicalize(body.clone(), Purpose::Create, &compat());
        let (Ok(a), Ok(b)) = (canonical(&a), canonical(&b)) else { continue };
        for choice in 0..16_u8 {
            let mut options = DiffOptions::DEFAULT;
            options.value_paths = choice & 1 == 0;
            options.sub_attributes = choice & 2 == 0;
            options.without_path = choice & 4 != 0;
            options.max_members = if choice & 8 == 0 { 100 } else { 1 };
            check_diff(type_, &a.object, &b.object, &options);
        }
    }
}

fn check_diff(type_: &CompiledType, a: &Object, b: &Object, options: &DiffOptions) {
    let op = diff(a, b, type_, options);
    let mut after = a.clone();
    if !op.is_empty() {
        apply(&op, &mut after, type_, &compat())
            .unwrap_or_else(|error| panic!("{error} of {}", op.to_object()));
    }
    assert_eq!(sorted(&after, type_), sorted(b, type_), "{}", op.to_object());
    assert!(diff(b, b, type_, options).is_empty());
}

/// Memberships in any order are the same.
fn sorted(resource: &Object, type_: &CompiledType) -> Object {
    let mut resource = resource.clone();
    let members = type_.members().map(|id| type_.attribute(id).name());
    if let Some(Value::Array(members)) = members.and_then(|name| resource.get_mut(name)) {
        members.sort_by_key(ToString::to_string);
    }
    resource
}
