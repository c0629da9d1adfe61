//! Evaluation against a slow, obvious model, over generated resources and filters that fit them.

use std::collections::HashSet;

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use scim2_core::{Compat, Registry};
use scim2_filter::{AttrPath, CompiledFilter, Filter, Resolver, SortKey, Target};
use scim2_testkit::{filter_model, strategies};

fn agrees(name: &str) {
    let registry = Registry::standard();
    let type_ = registry.resource_type(name).unwrap();
    let strategy = (strategies::resource(type_), strategies::filter(type_));
    let mut runner =
        TestRunner::new(ProptestConfig { cases: 600, failure_persistence: None, ..Default::default() });
    let matched = std::cell::Cell::new(0);
    runner
        .run(&strategy, |(resource, text)| {
            let filter: Filter = text.parse().unwrap();
            let expected = filter_model::matches(&filter, type_, &resource);
            let compiled = CompiledFilter::new(&filter, type_, Compat::strict()).unwrap();
            prop_assert_eq!(compiled.matches(&resource), expected, "{} over {}", text, resource);
            let default = CompiledFilter::new(&filter, type_, Compat::default()).unwrap();
            prop_assert_eq!(&default, &compiled, "{}", text);
            let simple = CompiledFilter::new(&filter.clone().simplify(), type_, Compat::strict()).unwrap();
            prop_assert_eq!(simple.matches(&resource), expected, "{} simplified, over {}", text, resource);
            matched.set(matched.get() + u32::from(expected));
            Ok(())
        })
        .unwrap_or_else(|error| panic!("{error}"));
    assert!((50..550).contains(&matched.get()), "both answers are tried: {}", matched.get());
}

#[test]
fn users_match_as_the_model_says() {
    agrees("User");
}

#[test]
fn groups_match_as_the_model_says() {
    agrees("Group");
}

#[test]
fn every_attribute_of_the_schema_resolves_by_its_own_path() {
    let registry = Registry::standard();
    for type_ in registry.resource_types() {
        let mut seen = HashSet::new();
        for def in type_.attributes() {
            let path: AttrPath = def.path().to_ascii_uppercase().parse().unwrap();
            let target = Resolver::new(type_, Compat::strict()).attribute(&path).unwrap();
            assert_eq!(target, Target::Attribute(def.id()), "{path}");
            assert!(seen.insert(def.path().to_owned()));
        }
    }
}

#[test]
fn sorting_agrees_with_the_order_operators() {
    let registry = Registry::standard();
    let type_ = registry.resource_type("User").unwrap();
    let key = SortKey::new(type_, type_.find(None, "displayName", None).unwrap());
    let mut runner = TestRunner::deterministic();
    for _ in 0..200 {
        let pair = (strategies::resource(type_), strategies::resource(type_)).new_tree(&mut runner).unwrap();
        let (a, b) = pair.current();
        let Some(name) = b.get_str("displayName") else { continue };
        let below = Filter::attr("displayName").unwrap().lt(name);
        let below = CompiledFilter::new(&below, type_, Compat::strict()).unwrap().matches(&a);
        assert_eq!(below, key.value(&a) < key.value(&b));
    }
}
