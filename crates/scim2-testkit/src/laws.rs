//! What the fuzz targets hold: each law takes any text. Ordinary tests replay the corpora through them.
#![expect(clippy::expect_used, reason = "a law that does not hold is a panic")]

use std::sync::LazyLock;

use scim2_core::json::JsonReader;
use scim2_core::{Compat, Object, Registry};
use scim2_filter::{CompiledFilter, Filter, FilterParser, Leniency, Resolver};

use crate::filter_model;

static REGISTRY: LazyLock<Registry> = LazyLock::new(Registry::standard);

/// What a filter prints reads back as the same filter; what the strict grammar reads means the same under
/// every leniency; what is reported as tolerated is enough to read the text; errors lie within the text;
/// to simplify is to stay within the depth and to change nothing more the second time.
///
/// # Panics
/// If one of these does not hold.
pub fn filter_roundtrip(text: &str) {
    let strict = FilterParser::new();
    let lenient = strict.leniency(Leniency::ALL);
    for parser in [strict, lenient] {
        match parser.parse_reporting(text) {
            Ok((filter, used)) => {
                let printed = filter.to_string();
                let long = parser.max_length(usize::MAX);
                let again = long.parse(&printed).expect("a printed filter reads back");
                assert_eq!(again, filter, "{printed}");
                assert_eq!(again.to_string(), printed);
                assert_eq!(strict.leniency(used).parse(text).as_ref(), Ok(&filter), "{used:?}");
                simplifies(filter, &long);
            }
            Err(error) => {
                assert!(error.span().end <= text.len());
                assert!(!error.to_string().contains('\n'));
                assert!(!format!("{error:#}").is_empty());
            }
        }
    }
    if let Ok((filter, used)) = strict.parse_reporting(text) {
        assert_eq!(used, Leniency::NONE);
        assert_eq!(lenient.parse_reporting(text), Ok((filter, Leniency::NONE)));
    }
}

fn simplifies(filter: Filter, parser: &FilterParser) {
    let (depth, terms) = (filter.depth(), filter.attr_paths().count());
    let simple = filter.simplify();
    assert!(simple.depth() <= depth, "{simple}");
    assert!(simple.attr_paths().count() <= terms, "{simple}");
    assert_eq!(parser.parse(&simple.to_string()).as_ref(), Ok(&simple));
    assert_eq!(simple.clone().simplify(), simple);
}

/// What a PATCH path prints reads back as the same path, and so for the path of an attribute.
///
/// # Panics
/// If that does not hold.
pub fn path_roundtrip(text: &str) {
    for leniency in [Leniency::NONE, Leniency::ALL] {
        let parser = FilterParser::new().leniency(leniency);
        if let Ok(path) = parser.parse_path(text) {
            let printed = path.to_string();
            let again = parser.max_length(usize::MAX).parse_path(&printed);
            assert_eq!(again, Ok(path), "{printed}");
        }
        if let Ok(path) = parser.parse_attr_path(text) {
            assert_eq!(path.as_str(), text);
            assert_eq!(parser.parse_path(text).map(|path| path.to_string()), Ok(text.to_owned()));
        }
    }
}

/// A filter that compiles answers as the [model](filter_model) does, its negation answers the opposite, it
/// means the same when it is simplified and wherever it compiles, and a query over several types refuses no
/// more. The text is a filter, a line break and a resource as JSON.
///
/// # Panics
/// If one of these does not hold.
pub fn filter_eval_matches_model(text: &str) {
    let (filter, resource) = text.split_once('\n').unwrap_or((text, "{}"));
    let Ok(resource) = JsonReader::new().object(resource.as_bytes()) else { return };
    for compat in [Compat::strict(), Compat::default()] {
        let parser = FilterParser::new().leniency(compat.into()).max_depth(32);
        let Ok(filter) = parser.parse(filter) else { continue };
        answers(&filter, &resource, compat);
    }
}

fn answers(filter: &Filter, resource: &Object, compat: Compat) {
    for type_ in REGISTRY.resource_types() {
        let resolver = Resolver::new(type_, compat);
        let Ok(compiled) = resolver.filter(filter) else { continue };
        let answer = compiled.matches(resource);
        if let Ok(strict) = CompiledFilter::new(filter, type_, Compat::strict()) {
            assert_eq!(strict.matches(resource), answer, "{filter}");
            assert_eq!(filter_model::matches(filter, type_, resource), answer, "{filter} over {resource}");
        }
        let negated = filter.clone().negate().expect("depth 33");
        let negated = resolver.filter(&negated).expect("resolves like the filter");
        assert_ne!(negated.matches(resource), answer, "{filter}");
        let simple = resolver.filter(&filter.clone().simplify()).expect("resolves like the filter");
        assert_eq!(simple.matches(resource), answer, "{filter}");
        let of_many = resolver.unknown_is_absent().filter(filter).expect("refuses no more");
        assert_eq!(of_many.matches(resource), answer, "{filter}");
    }
}
