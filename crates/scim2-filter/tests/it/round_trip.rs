//! The two laws of printing, for generated trees and for arbitrary text.

use proptest::prelude::*;
use scim2_filter::{
    CompValue, CompareOp, Filter, FilterParser, Leniency, NumberLiteral, PatchPath, ValuePath,
};

fn attr_path() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "[a-zA-Z][a-zA-Z0-9_$-]{0,6}",
        2 => "[a-z]{1,5}\\.([a-z]{1,5}|\\$ref)",
        1 => "urn:[a-z]{1,4}:[0-9]\\.[0-9]:[A-Z][a-z]{0,4}:[a-z]{1,4}(\\.[a-z]{1,4})?",
        1 => "urn:[a-z]{1,4}:[0-9]\\.[0-9]",
        1 => prop::sample::select(vec!["not", "and", "or", "pr", "eq", "true", "null"]).prop_map(str::to_owned),
    ]
}

fn comp_value() -> impl Strategy<Value = CompValue> {
    prop_oneof![
        4 => any::<String>().prop_map(CompValue::from),
        1 => any::<i64>().prop_map(CompValue::from),
        1 => any::<u64>().prop_map(CompValue::from),
        1 => "-?(0|[1-9][0-9]{0,30})(\\.[0-9]{1,9})?([eE][+-]?[0-9]{1,3})?"
            .prop_map(|text| CompValue::from(text.parse::<NumberLiteral>().unwrap())),
        1 => any::<bool>().prop_map(CompValue::from),
        1 => Just(CompValue::Null),
    ]
}

fn attr_exp() -> impl Strategy<Value = Filter> {
    (attr_path(), prop::option::of((prop::sample::select(CompareOp::ALL.to_vec()), comp_value()))).prop_map(
        |(path, test)| {
            let term = Filter::attr(&path).unwrap();
            match test {
                Some((op, value)) => term.compare(op, value),
                None => term.pr(),
            }
        },
    )
}

fn logical(leaf: impl Strategy<Value = Filter> + 'static) -> impl Strategy<Value = Filter> {
    leaf.prop_recursive(5, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 1..4).prop_map(|list| Filter::all(list).unwrap()),
            prop::collection::vec(inner.clone(), 1..4).prop_map(|list| Filter::any(list).unwrap()),
            inner.prop_map(|filter| filter.negate().unwrap()),
        ]
    })
}

fn value_path() -> impl Strategy<Value = ValuePath> {
    (attr_path(), logical(attr_exp()))
        .prop_map(|(path, filter)| ValuePath::new(path.parse().unwrap(), filter).unwrap())
}

fn filter() -> impl Strategy<Value = Filter> {
    logical(prop_oneof![3 => attr_exp().boxed(), 1 => value_path().prop_map(Filter::ValuePath).boxed()])
}

/// Texts made of the pieces of the language, so that many of them nearly parse.
fn nearly_a_filter() -> impl Strategy<Value = String> {
    let pieces = vec![
        "a",
        "emails",
        "urn:a:2.0:U:b",
        ".",
        "value",
        " ",
        "  ",
        " eq ",
        " pr",
        " and ",
        " or ",
        "not",
        "(",
        ")",
        "[",
        "]",
        "\"x\"",
        "\"\\u0041\"",
        "\"",
        "1",
        "-0.5e3",
        "true",
        "NULL",
        "word",
        "'",
        "é",
        ":",
        "$ref",
    ];
    prop::collection::vec(prop::sample::select(pieces), 0..16).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn printed_filter_reads_as_the_same_filter(filter in filter()) {
        let text = filter.to_string();
        prop_assert_eq!(text.parse::<Filter>(), Ok(filter.clone()), "{}", text);
        let lenient = FilterParser::new().leniency(Leniency::ALL).parse(&text);
        prop_assert_eq!(lenient.as_ref(), Ok(&filter), "{}", text);
    }

    #[test]
    fn printed_path_reads_as_the_same_path(value_path in value_path(), sub in prop::option::of("[a-z]{1,4}")) {
        let path = PatchPath::Value { value_path, sub_attribute: sub.map(|name| name.parse().unwrap()) };
        let text = path.to_string();
        prop_assert_eq!(text.parse::<PatchPath>(), Ok(path), "{}", text);
    }

    #[test]
    fn printing_is_idempotent_and_errors_lie_in_the_text(text in nearly_a_filter()) {
        for leniency in [Leniency::NONE, Leniency::ALL] {
            let parser = FilterParser::new().leniency(leniency);
            match parser.parse(&text) {
                Ok(filter) => {
                    let printed = filter.to_string();
                    prop_assert_eq!(parser.parse(&printed), Ok(filter), "{} / {}", text, printed);
                }
                Err(error) => {
                    let span = error.span();
                    prop_assert!(text.get(span).is_some(), "{:?} {:?}", text, error);
                    prop_assert!(!error.to_string().contains('\n'));
                    let drawn = format!("{error:#}");
                    prop_assert!(!drawn.is_empty());
                }
            }
            if let Ok(path) = parser.parse_path(&text) {
                prop_assert_eq!(parser.parse_path(&path.to_string()), Ok(path));
            }
        }
    }

    #[test]
    fn no_text_panics(text in any::<String>()) {
        if let Ok(filter) = FilterParser::new().leniency(Leniency::ALL).parse(&text) {
            prop_assert!(filter.attr_paths().count() > 0);
        }
        let _ = text.parse::<PatchPath>().map_err(|error| format!("{error:#}"));
    }
}
