//! How long does a PATCH take, and one of a large group?
//!
//! ```sh
//! cargo bench -p scim2-benches --bench patch
//! ```
//!
//! No other crate that is published applies a PATCH to a resource that any schema may describe; what
//! large groups cost is compared with the clone of the group.

mod ratios;

use std::hint::black_box;

use criterion::{BatchSize, Criterion};
use ratios::{Bar, OURS};
use scim2_core::json::JsonReader;
use scim2_core::{Compat, Object, Registry, Value};
use scim2_patch::{Limits, MemberDelta, PatchOp, apply};

const BARS: &[Bar] = &[
    Bar { group: "replace active", nanoseconds: 1500.0, ratio: None },
    Bar { group: "read and replace active", nanoseconds: 3000.0, ratio: None },
    Bar { group: "add one member to 10 000", nanoseconds: 1e9, ratio: Some(("clone", 1.2)) },
    Bar { group: "one member as a delta", nanoseconds: 2000.0, ratio: None },
];

/// How many members the large group has.
const MEMBERS: usize = 10_000;

fn main() {
    let mut criterion = ratios::criterion();
    replace_active(&mut criterion);
    add_member(&mut criterion);
    criterion.final_summary();
    ratios::print(BARS);
}

#[expect(clippy::expect_used, reason = "a benchmark that cannot begin ends")]
fn replace_active(criterion: &mut Criterion) {
    let registry = Registry::standard();
    let type_ = registry.resource_type("User").expect("built in");
    let compat = Compat::default();
    let mut user: Object = include_str!("user.json").parse().expect("a user");
    let bodies = [false, true].map(|active| {
        let operation = format!(r#"{{"op":"replace","path":"active","value":{active}}}"#);
        message(&operation)
    });
    let operations = bodies.each_ref().map(|body| read(body));

    // Each call finds the other value and changes it.
    let mut turns = operations.iter().cycle();
    criterion.benchmark_group("replace active").bench_function(OURS, |bencher| {
        bencher.iter(|| {
            let op = turns.next().expect("without end");
            apply(black_box(op), &mut user, type_, &compat).is_ok()
        })
    });
    let mut turns = bodies.iter().cycle();
    criterion.benchmark_group("read and replace active").bench_function(OURS, |bencher| {
        bencher.iter(|| {
            let op = read(black_box(turns.next().expect("without end")));
            apply(&op, &mut user, type_, &compat).is_ok()
        })
    });
}

#[expect(clippy::expect_used, reason = "a benchmark that cannot begin ends")]
fn add_member(criterion: &mut Criterion) {
    let registry = Registry::standard();
    let type_ = registry.resource_type("Group").expect("built in");
    let compat = Compat::default();
    let member = |n: usize| {
        let id = format!("0193a1b2-6f1e-7cc0-9d7a-{n:012x}");
        Value::from(Object::from_iter([("value", id.as_str()), ("type", "User")]))
    };
    let mut group = Object::new();
    group.insert("displayName", "Tour Guides");
    group.insert("members", (0..MEMBERS).map(member).collect::<Vec<_>>());
    let op = read(&message(&format!(r#"{{"op":"add","path":"members","value":[{}]}}"#, member(MEMBERS))));

    let mut of_group = criterion.benchmark_group("add one member to 10 000");
    of_group.bench_function(OURS, |bencher| {
        bencher.iter_batched_ref(
            || group.clone(),
            |group| apply(black_box(&op), group, type_, &compat).is_ok(),
            BatchSize::LargeInput,
        )
    });
    of_group.bench_function("clone", |bencher| bencher.iter_with_large_drop(|| black_box(&group).clone()));
    of_group.finish();
    criterion.benchmark_group("one member as a delta").bench_function(OURS, |bencher| {
        bencher.iter(|| MemberDelta::of(black_box(&op), type_, &compat).expect("members only").add().len())
    });
}

/// The message of one operation.
fn message(operation: &str) -> String {
    format!(r#"{{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{operation}]}}"#)
}

#[expect(clippy::expect_used, reason = "a benchmark that cannot begin ends")]
fn read(body: &str) -> PatchOp {
    let message = JsonReader::new().object(body.as_bytes()).expect("an object");
    PatchOp::from_object(message, &Compat::default(), &Limits::DEFAULT).expect("a PatchOp")
}
