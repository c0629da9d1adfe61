//! What the fuzz targets hold: each law takes any text. Ordinary tests replay the corpora through them.
#![expect(clippy::expect_used, reason = "a law that does not hold is a panic")]

mod json;
mod query_string;
mod request_head;

use std::sync::LazyLock;

use scim2_core::json::JsonReader;
use scim2_core::{Compat, Object, Registry};
use scim2_filter::{CompiledFilter, Filter, FilterParser, Leniency, Resolver};
use scim2_http1::{RequestFramer, encode_target};

pub use self::json::json_matches_serde_json;
pub use self::query_string::query_string_roundtrip;
pub use self::request_head::request_head_matches_model;
use crate::{filter_model, http1_model};

static REGISTRY: LazyLock<Registry> = LazyLock::new(Registry::standard);

/// A printed filter reads back as the same filter. A text of the strict grammar means the same under every leniency. The
/// reported leniency is enough to read the text. Errors lie within the text. A simplified filter is not deeper, and
/// simplifying it again changes nothing.
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

/// `scim2-http1` hands on the bytes that were sent, except for encoded targets of GET and HEAD: parsers of every leniency
/// see the same requests with the same bodies. A request that the framer saw end is a request for each parser. The
/// first byte says in which pieces the others arrive.
///
/// # Panics
/// If one of these does not hold.
pub fn requests_are_handed_on(bytes: &[u8]) {
    let Some((first, sent)) = bytes.split_first() else { return };
    let mut framer = RequestFramer::new();
    let mut handed_on = Vec::new();
    for piece in sent.chunks(1 + usize::from(*first)) {
        match framer.follow(piece, |_| true) {
            Some(changed) => handed_on.extend_from_slice(&changed),
            None => handed_on.extend_from_slice(piece),
        }
    }
    for parser in http1_model::parsers() {
        let (before, rest_before) = parser.requests(sent);
        let (after, rest_after) = parser.requests(&handed_on);
        assert_eq!(before.len(), after.len(), "{parser:?}");
        for (before, after) in before.iter().zip(&after) {
            let target = after.target == before.target
                || matches!(before.method, b"GET" | b"HEAD") && after.target == encode_target(before.target);
            assert!(target, "{parser:?}: {before:?} {after:?}");
            assert_eq!((before.method, before.head), (after.method, after.head), "{parser:?}");
            assert_eq!(before.body, after.body, "{parser:?}");
        }
        // The last request may have come in part: nothing but its target is encoded.
        assert!(rest_after == rest_before || rest_after == with_encoded_target(rest_before), "{parser:?}");
        let ended = usize::try_from(framer.ended()).expect("as many as there are");
        match framer.ambiguous() {
            None => assert_eq!(before.len(), ended, "{parser:?}"),
            Some((number, _)) => {
                assert!(before.len() >= ended, "{parser:?}");
                assert_eq!(number, framer.ended() + 1);
            }
        }
    }
}

fn with_encoded_target(bytes: &[u8]) -> Vec<u8> {
    let mut start = 0;
    while bytes.get(start..).is_some_and(|rest| rest.starts_with(b"\r\n")) {
        start += 2;
    }
    let (blank, rest) = bytes.split_at(start);
    let mut spaces =
        rest.iter().enumerate().filter(|(_, byte)| matches!(byte, b' ' | b'\n')).map(|(at, _)| at);
    let (start, end) = (spaces.next().unwrap_or(rest.len()), spaces.next().unwrap_or(rest.len()));
    let (line, rest) = rest.split_at(end);
    let (method, target) = line.split_at(start);
    [blank, method, &encode_target(target), rest].concat()
}
