//! Limits at the bound, one past it and far past it, on a thread with a small stack.

use scim2_filter::{
    DEFAULT_MAX_DEPTH, DEFAULT_MAX_LENGTH, DEFAULT_MAX_TERMS, Filter, FilterErrorKind as Kind, FilterParser,
    MAX_DEPTH_CEILING,
};

/// Runs `work` with 256 KiB of stack.
fn on_a_small_stack(work: impl FnOnce() + Send + 'static) {
    std::thread::Builder::new().stack_size(256 * 1024).spawn(work).unwrap().join().unwrap();
}

fn unlimited() -> FilterParser {
    FilterParser::new().max_length(usize::MAX).max_terms(usize::MAX)
}

#[track_caller]
fn refused(text: &str, kind: Kind) {
    assert_eq!(unlimited().parse(text).unwrap_err().kind(), kind);
    let _ = unlimited().parse_path(text).map_err(|error| error.to_string());
}

#[test]
fn length_depth_and_terms_at_the_bound() {
    let fits = format!("{}pr", "a".repeat(DEFAULT_MAX_LENGTH - 3) + " ");
    assert!(fits.parse::<Filter>().is_ok());
    assert_eq!(format!("{fits} ").parse::<Filter>().unwrap_err().kind(), Kind::TooLong);

    let nested = |depth: usize| format!("{}a pr{}", "(".repeat(depth), ")".repeat(depth));
    assert!(nested(DEFAULT_MAX_DEPTH).parse::<Filter>().is_ok());
    assert_eq!(nested(DEFAULT_MAX_DEPTH + 1).parse::<Filter>().unwrap_err().kind(), Kind::TooDeep);

    let chain = |terms: usize| vec!["a pr"; terms].join(" or ");
    assert!(chain(DEFAULT_MAX_TERMS).parse::<Filter>().is_ok());
    assert_eq!(chain(DEFAULT_MAX_TERMS + 1).parse::<Filter>().unwrap_err().kind(), Kind::TooManyTerms);
}

#[test]
fn the_deepest_tree_fits_a_small_stack() {
    on_a_small_stack(|| {
        let mut text = "a pr".to_owned();
        for level in 0..DEFAULT_MAX_DEPTH {
            text =
                if level % 2 == 0 { format!("({text} or b pr) and c pr") } else { format!("not ({text})") };
        }
        let filter: Filter = text.parse().unwrap();
        assert_eq!(filter.depth(), DEFAULT_MAX_DEPTH);
        assert_eq!(filter.to_string(), text);
        assert_eq!(filter.clone(), filter);
        assert_eq!(filter.attr_paths().count(), 65);
        drop(filter);
    });
}

#[test]
fn the_ceiling_fits_a_main_thread() {
    let parser = unlimited().max_depth(usize::MAX);
    let deep = |depth: usize| format!("{}a pr{}", "not (".repeat(depth), ")".repeat(depth));
    let filter = parser.parse(&deep(MAX_DEPTH_CEILING)).unwrap();
    assert_eq!(filter.to_string(), deep(MAX_DEPTH_CEILING));
    assert_eq!(parser.parse(&deep(MAX_DEPTH_CEILING + 1)).unwrap_err().kind(), Kind::TooDeep);
}

#[test]
fn megabyte_of_any_text_returns() {
    const SIZE: usize = 1 << 20;
    on_a_small_stack(|| {
        refused(&"(".repeat(SIZE), Kind::TooDeep);
        refused(&"not ".repeat(SIZE / 4), Kind::Operator);
        refused(&"not(".repeat(SIZE / 4), Kind::TooDeep);
        refused(&"[".repeat(SIZE), Kind::AttrPath);
        refused(&"a[".repeat(SIZE / 2), Kind::NestedValuePath);
        refused(&"and ".repeat(SIZE / 4), Kind::Operator);
        refused(&"a".repeat(SIZE), Kind::Operator);
        refused(&"a.".repeat(SIZE / 2), Kind::AttrPath);
        refused(&"urn:".repeat(SIZE / 4), Kind::AttrPath);
        refused(&" ".repeat(SIZE), Kind::Empty);
        refused(&format!("a eq \"{}", "\\u0041".repeat(SIZE / 6)), Kind::String);
        let escapes = format!("a eq \"{}\"", "\\u0041".repeat(SIZE / 6));
        assert_eq!(unlimited().parse(&escapes).unwrap().to_string().len(), 7 + SIZE / 6);
        assert_eq!("(".repeat(SIZE).parse::<Filter>().unwrap_err().kind(), Kind::TooLong);
    });
}

#[test]
fn a_chain_of_100_000_terms_is_wide_not_deep() {
    on_a_small_stack(|| {
        for word in [" or ", " and "] {
            let text = vec!["a pr"; 100_000].join(word);
            assert_eq!(text.parse::<Filter>().unwrap_err().kind(), Kind::TooLong);
            let filter = unlimited().parse(&text).unwrap();
            assert_eq!(filter.depth(), 0);
            assert_eq!(filter.attr_paths().count(), 100_000);
            assert_eq!(filter.to_string(), text);
            assert_eq!(filter.clone(), filter);
        }
    });
}

#[cfg(feature = "eval")]
#[test]
fn the_deepest_filter_compiles_and_runs_on_a_small_stack() {
    use scim2_core::{Compat, Object, Registry};
    use scim2_filter::CompiledFilter;

    let mut text = "title pr".to_owned();
    for level in 0..DEFAULT_MAX_DEPTH {
        text =
            if level % 2 == 0 { format!("({text} or id pr) and active pr") } else { format!("not ({text})") };
    }
    let filter: Filter = text.parse().unwrap();
    on_a_small_stack(move || {
        let registry = Registry::standard();
        let user = registry.resource_type("User").unwrap();
        let compiled = CompiledFilter::new(&filter, user, Compat::default()).unwrap();
        let resource: Object = serde_json::from_str(r#"{"active":true,"id":"1"}"#).unwrap();
        assert!(!compiled.matches(&resource));
        assert_eq!(compiled.clone(), compiled);
    });
}
