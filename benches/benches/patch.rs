//! How long does a PATCH take, and one of a large group?
//!
//! ```sh
//! cargo bench -p scim2-benches --bench patch
//! ```
//!
//! No other published crate applies a PATCH to a resource of any schema. `scim_v2` reads the message, so reading is
//! compared; `cream` hands the operations to its user, and the others have no PATCH. The cost of a PATCH of a large group
//! is compared with the cost of cloning that group.

mod ratios;

use std::hint::black_box;

use criterion::{BatchSize, Criterion, SamplingMode};
use ratios::{Bar, OURS};
use scim2_core::json::JsonReader;
use scim2_core::{Compat, CompiledType, Object, Registry, Value};
use scim2_patch::{DiffOptions, Limits, MemberDelta, PatchOp, apply, diff};

const BARS: &[Bar] = &[
    Bar { group: "replace active", nanoseconds: 1500.0, ratio: None },
    Bar { group: "read replace active", nanoseconds: f64::INFINITY, ratio: Some(("scim_v2", 1.0)) },
    Bar { group: "read and replace active", nanoseconds: 3000.0, ratio: None },
    Bar { group: "add 1 to 10 000", nanoseconds: f64::INFINITY, ratio: Some(("clone", 0.2)) },
    Bar { group: "clone and add 1 to 10 000", nanoseconds: f64::INFINITY, ratio: Some(("clone", 1.2)) },
    Bar { group: "add 1 000 to 10 000", nanoseconds: f64::INFINITY, ratio: Some(("clone", 3.0)) },
    Bar { group: "1 member as a delta", nanoseconds: 2000.0, ratio: None },
    Bar { group: "diff of two users", nanoseconds: f64::INFINITY, ratio: None },
];

/// How many members the large group has.
const MEMBERS: usize = 10_000;

fn main() {
    let mut criterion = ratios::criterion();
    replace_active(&mut criterion);
    members(&mut criterion);
    difference(&mut criterion);
    criterion.final_summary();
    ratios::print(BARS);
}

fn replace_active(criterion: &mut Criterion) {
    let registry = Registry::standard();
    let type_ = resource_type(&registry, "User");
    let compat = Compat::default();
    let mut user = user();
    let bodies = [false, true]
        .map(|active| message(&format!(r#"{{"op":"replace","path":"active","value":{active}}}"#)));
    let operations = bodies.each_ref().map(|body| read(body));

    // Each call finds the value that the call before has set, and changes it back.
    let mut turn = 0;
    criterion.benchmark_group("replace active").bench_function(OURS, |bencher| {
        bencher.iter(|| {
            turn ^= 1;
            operations.get(turn).map(|op| apply(black_box(op), &mut user, type_, &compat).is_ok())
        })
    });
    criterion.benchmark_group("read and replace active").bench_function(OURS, |bencher| {
        bencher.iter(|| {
            turn ^= 1;
            let op = bodies.get(turn).map(|body| read(black_box(body)));
            op.map(|op| apply(&op, &mut user, type_, &compat).is_ok())
        })
    });
    let [body, _] = &bodies;
    let mut reading = criterion.benchmark_group("read replace active");
    reading.bench_function(OURS, |bencher| bencher.iter(|| read(black_box(body))));
    reading.bench_function("scim_v2", |bencher| {
        bencher.iter(|| serde_json::from_str::<scim_v2::models::others::PatchOp>(black_box(body)).is_ok())
    });
    reading.finish();
}

fn members(criterion: &mut Criterion) {
    let registry = Registry::standard();
    let type_ = resource_type(&registry, "Group");
    let compat = Compat::default();
    let mut group = Object::new();
    group.insert("displayName", "Tour Guides");
    group.insert("members", (0..MEMBERS).map(member).collect::<Vec<_>>());
    let adding = |from: usize, count: usize| {
        let members: Value = (from..from + count).map(member).collect::<Vec<_>>().into();
        read(&message(&format!(r#"{{"op":"add","path":"members","value":{members}}}"#)))
    };
    let one = adding(MEMBERS, 1);
    let thousand = adding(MEMBERS, 1000);
    for (name, op) in [("add 1 to 10 000", &one), ("add 1 000 to 10 000", &thousand)] {
        let mut compared = criterion.benchmark_group(name);
        compared.sample_size(60).sampling_mode(SamplingMode::Flat);
        compared.bench_function(OURS, |bencher| {
            bencher.iter_batched_ref(
                || group.clone(),
                |group| apply(black_box(op), group, type_, &compat).is_ok(),
                BatchSize::LargeInput,
            )
        });
        compared
            .bench_function("clone", |bencher| bencher.iter_with_large_drop(|| black_box(&group).clone()));
        compared.finish();
    }
    let mut compared = criterion.benchmark_group("clone and add 1 to 10 000");
    compared.sample_size(60).sampling_mode(SamplingMode::Flat);
    compared.bench_function(OURS, |bencher| {
        bencher.iter_with_large_drop(|| {
            let mut group = black_box(&group).clone();
            let done = apply(&one, &mut group, type_, &compat).is_ok();
            (group, done)
        })
    });
    compared.bench_function("clone", |bencher| bencher.iter_with_large_drop(|| black_box(&group).clone()));
    compared.finish();
    criterion.benchmark_group("1 member as a delta").bench_function(OURS, |bencher| {
        bencher.iter(|| MemberDelta::of(black_box(&one), type_, &compat).map(|delta| delta.add().len()))
    });
}

fn difference(criterion: &mut Criterion) {
    let registry = Registry::standard();
    let type_ = resource_type(&registry, "User");
    let before = user();
    let mut after = before.clone();
    after.insert("title", "Guide");
    after.insert("active", false);
    criterion.benchmark_group("diff of two users").bench_function(OURS, |bencher| {
        bencher.iter(|| diff(black_box(&before), &after, type_, &DiffOptions::DEFAULT))
    });
}

fn member(n: usize) -> Value {
    let id = format!("0193a1b2-6f1e-7cc0-9d7a-{n:012x}");
    Value::from(Object::from_iter([("value", id.as_str()), ("type", "User")]))
}

#[expect(clippy::expect_used, reason = "a benchmark that cannot begin ends")]
fn resource_type<'r>(registry: &'r Registry, name: &str) -> &'r CompiledType {
    registry.resource_type(name).expect("built in")
}

#[expect(clippy::expect_used, reason = "a benchmark that cannot begin ends")]
fn user() -> Object {
    include_str!("user.json").parse().expect("a user")
}

/// A PatchOp with one operation.
fn message(operation: &str) -> String {
    format!(r#"{{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{operation}]}}"#)
}

#[expect(clippy::expect_used, reason = "a benchmark that cannot begin ends")]
fn read(body: &str) -> PatchOp {
    let message = JsonReader::new().object(body.as_bytes()).expect("an object");
    PatchOp::from_object(message, &Compat::default(), &Limits::DEFAULT).expect("a PatchOp")
}
