//! How long does it take to parse a filter, and to evaluate it on a user?
//!
//! ```sh
//! cargo bench -p scim2-benches --bench filter
//! ```
//!
//! Other crates that can do the same are measured in the same run. `cream` is not: it parses filters only within its
//! server, and its parser cannot be called.

mod ratios;

use std::hint::black_box;

use criterion::Criterion;
use ratios::{Bar, OURS};
use scim2_core::{Compat, Object, Registry};
use scim2_filter::{CompiledFilter, Filter};

const EQUALITY: &str = r#"userName eq "bjensen""#;
const VALUE_PATHS: &str =
    r#"emails[type eq "work" and value co "@example.com"] or ims[type eq "xmpp" and value co "@foo.com"]"#;

const BARS: &[Bar] = &[
    Bar { group: "parse an equality", nanoseconds: 100.0, ratio: Some(("scim_proto", 0.7)) },
    Bar { group: "parse two value paths", nanoseconds: 500.0, ratio: Some(("scim_proto", 0.7)) },
    Bar { group: "parse 50 clauses", nanoseconds: 6000.0, ratio: Some(("scim_proto", 0.7)) },
    Bar { group: "evaluate an equality", nanoseconds: 60.0, ratio: None },
    Bar { group: "evaluate a value path", nanoseconds: 250.0, ratio: None },
];

fn main() {
    let mut criterion = ratios::criterion();
    parse(&mut criterion, "parse an equality", EQUALITY);
    parse(&mut criterion, "parse two value paths", VALUE_PATHS);
    let clauses: Vec<String> = (0..50).map(|n| format!(r#"userName eq "user{n}""#)).collect();
    parse(&mut criterion, "parse 50 clauses", &clauses.join(" or "));
    evaluate(&mut criterion, "evaluate an equality", r#"userName eq "bjensen@example.com""#);
    evaluate(&mut criterion, "evaluate a value path", VALUE_PATHS);
    criterion.final_summary();
    ratios::print(BARS);
}

/// Parses a filter and drops it. A crate that cannot parse a filter is left out for that filter.
fn parse(criterion: &mut Criterion, name: &str, text: &str) {
    let mut group = criterion.benchmark_group(name);
    group.bench_function(OURS, |bencher| bencher.iter(|| black_box(text).parse::<Filter>().is_ok()));
    if text.parse::<scim_proto::filter::ScimFilter>().is_ok() {
        group.bench_function("scim_proto", |bencher| {
            bencher.iter(|| black_box(text).parse::<scim_proto::filter::ScimFilter>().is_ok())
        });
    }
    if text.parse::<scim_v2::filter::Filter>().is_ok() {
        group.bench_function("scim_v2", |bencher| {
            bencher.iter(|| black_box(text).parse::<scim_v2::filter::Filter>().is_ok())
        });
    }
    if scim_filter::parser::filter(text).is_ok_and(|(rest, _)| rest.is_empty()) {
        group.bench_function("scim-filter", |bencher| {
            bencher.iter(|| scim_filter::parser::filter(black_box(text)).is_ok())
        });
    }
    group.finish();
}

/// Evaluates a compiled filter on a user of 1.5 kB.
#[expect(clippy::expect_used, reason = "a benchmark that cannot begin ends")]
fn evaluate(criterion: &mut Criterion, name: &str, text: &str) {
    let registry = Registry::standard();
    let type_ = registry.resource_type("User").expect("built in");
    let filter: Filter = text.parse().expect("a filter");
    let filter = CompiledFilter::new(&filter, type_, Compat::strict()).expect("for users");
    let user: Object = USER.parse().expect("a user");
    let mut group = criterion.benchmark_group(name);
    group.bench_function(OURS, |bencher| bencher.iter(|| filter.matches(black_box(&user))));
    group.finish();
}

/// A user of some 1.5 kB, as a server would return it to an identity provider.
const USER: &str = include_str!("user.json");
