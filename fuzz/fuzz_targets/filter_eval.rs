//! A filter that compiles gives an answer, and its negation the other one. The input is a filter, a line
//! break and a resource as JSON.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use scim2_core::json::JsonReader;
use scim2_core::{Compat, Object, Registry};
use scim2_filter::{CompiledFilter, Filter, FilterParser, Resolver};

static REGISTRY: LazyLock<Registry> = LazyLock::new(Registry::standard);

fuzz_target!(|text: &str| {
    let (filter, resource) = text.split_once('\n').unwrap_or((text, "{}"));
    let Ok(resource) = JsonReader::new().object(resource.as_bytes()) else { return };
    answers(filter, &resource);
});

fn answers(text: &str, resource: &Object) {
    for compat in [Compat::default(), Compat::strict()] {
        let parser = FilterParser::new().leniency(compat.into()).max_depth(32);
        let Ok(filter) = parser.parse(text) else { continue };
        for type_ in REGISTRY.resource_types() {
            let resolver = Resolver::new(type_, compat);
            let negated: Filter = filter.clone().negate().expect("depth 33");
            if let Ok(compiled) = CompiledFilter::new(&filter, type_, compat) {
                let negated = resolver.filter(&negated).expect("resolves like the filter");
                assert_ne!(compiled.matches(resource), negated.matches(resource));
            }
            // A query over several types refuses less.
            if resolver.filter(&filter).is_ok() {
                assert!(resolver.unknown_is_absent().filter(&filter).is_ok());
            }
        }
    }
}
