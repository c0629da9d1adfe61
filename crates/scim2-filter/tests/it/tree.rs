//! Trees built, walked and taken apart.

use std::collections::HashSet;

use scim2_filter::{
    AttrExp, AttrName, AttrPath, CompValue, CompareOp, Filter, FilterErrorKind as Kind, FilterParser, Folded,
    NumberLiteral, PatchPath, SchemaUri, Text, ValuePath,
};

fn attr(path: &str) -> scim2_filter::AttrTerm {
    Filter::attr(path).unwrap()
}

#[test]
fn each_operator_has_a_builder() {
    let built = [
        (attr("a").eq("x"), r#"a eq "x""#),
        (attr("a").ne(String::from("x")), r#"a ne "x""#),
        (attr("a").co(Text::from("x")), r#"a co "x""#),
        (attr("a").sw("x"), r#"a sw "x""#),
        (attr("a").ew("x"), r#"a ew "x""#),
        (attr("a").gt(1), "a gt 1"),
        (attr("a").ge(-1_i64), "a ge -1"),
        (attr("a").lt(u64::MAX), "a lt 18446744073709551615"),
        (attr("a").le("1.50".parse::<NumberLiteral>().unwrap()), "a le 1.50"),
        (attr("a").eq(true), "a eq true"),
        (attr("a").eq(CompValue::Null), "a eq null"),
        (attr("a").compare(CompareOp::Ne, false), "a ne false"),
        (attr("a.b").pr(), "a.b pr"),
    ];
    for (filter, text) in built {
        assert_eq!(filter.to_string(), text);
        assert_eq!(text.parse::<Filter>().unwrap(), filter);
    }
}

#[test]
fn trees_convert_into_their_parts() {
    let filter: Filter = r#"a pr and not (b[c eq "x"])"#.parse().unwrap();
    assert_eq!(format!("{filter:?}").matches("Compare").count(), 1);
    let Filter::And(operands) = filter else { panic!("an and") };
    assert_eq!((&operands).into_iter().count(), 2);
    let [first, second] = operands.into_vec().try_into().unwrap();
    let Filter::Attr(exp) = first else { panic!("an attrExp") };
    assert!(matches!(&exp, AttrExp::Present { .. }));
    assert_eq!(exp.path().as_str(), "a");
    let Filter::Not(negation) = second else { panic!("a not") };
    let Filter::ValuePath(value_path) = negation.into_filter() else { panic!("a value path") };
    let path = PatchPath::from(value_path.clone());
    assert_eq!((path.attr().as_str(), path.to_string().as_str()), ("b", r#"b[c eq "x"]"#));
    let (attr, inner) = value_path.into_parts();
    assert_eq!(ValuePath::new(attr, inner).unwrap().to_string(), r#"b[c eq "x"]"#);
    assert_eq!(r#"b[c eq "x"]"#.parse::<ValuePath>().unwrap().filter().to_string(), r#"c eq "x""#);
}

#[test]
fn trees_are_walked_in_the_order_of_the_text() {
    let filter: Filter = r#"a pr or not (b pr and c[d pr or urn:x:y:e eq 1])"#.parse().unwrap();
    let mut nodes = Vec::new();
    filter.visit(&mut |node| nodes.push(node.to_string()));
    assert_eq!(nodes[0], filter.to_string());
    assert_eq!(&nodes[1..3], ["a pr", "not (b pr and c[d pr or urn:x:y:e eq 1])"]);
    assert_eq!(nodes.len(), 9); // or, a, not, and, b, c[…], or, d, e
    let paths: Vec<_> = filter.attr_paths().map(|used| used.to_string()).collect();
    assert_eq!(paths, ["a", "b", "c", "c.d", "c.urn:x:y:e"]);
    // Folding a filter into its text gives the text.
    let text = filter.fold(&mut |node| match node {
        Folded::And(parts) => parts.join(" and "),
        Folded::Or(parts) => parts.join(" or "),
        Folded::Not(part) => format!("not ({part})"),
        Folded::Attr(exp) => exp.to_string(),
        Folded::ValuePath(attr, part) => format!("{attr}[{part}]"),
    });
    assert_eq!(text, filter.to_string());
}

#[test]
fn names_and_texts_convert_both_ways() {
    let name = AttrName::parse("userName").unwrap();
    let path = PatchPath::from(AttrPath::from(name));
    assert_eq!(format!("{path} {:?}", path.attr()), r#"userName "userName""#);
    assert_eq!("userName".parse::<PatchPath>().unwrap(), path);
    let uri = SchemaUri::parse(&format!("urn:{}", "x".repeat(20_000))).unwrap();
    assert!(path.attr().with_schema(&uri).is_err());
    for letters in [0, 1, 22, 23, 24, 300] {
        let text = "é".repeat(letters / 2) + &"x".repeat(letters % 2);
        let held = Text::from(text.as_str());
        assert_eq!(held, Text::from(text.clone()));
        assert_eq!((held.as_str(), held.as_ref(), held.to_string()), (&*text, &*text, text.clone()));
        assert_eq!(format!("{held:?}"), format!("{text:?}"));
    }
}

#[test]
fn equal_trees_are_one_in_a_hash_set() {
    let paths = ["userName", "USERNAME", "urn:a:User:x", "URN:A:user:X", "name.givenName", "name"];
    let paths: HashSet<AttrPath> = paths.iter().map(|path| path.parse().unwrap()).collect();
    assert_eq!(paths.len(), 4);
    assert!(paths.contains(&"Name.GIVENNAME".parse().unwrap()));
    let filters = [
        r#"a eq "x" and not (b[c pr])"#,
        r#"(A EQ "x") AND not(B[C PR])"#,
        r#"a eq "X" and not (b[c pr])"#, // a value keeps its case
        r#"not (b[c pr]) and a eq "x""#, // and operands their order
        "a eq 1",
        "a eq 1.0", // a number its spelling
    ];
    let filters: HashSet<Filter> = filters.iter().map(|filter| filter.parse().unwrap()).collect();
    assert_eq!(filters.len(), 5);
}

#[test]
fn numbers_keep_their_spelling() {
    let number = |text: &str| text.parse::<NumberLiteral>().unwrap();
    assert_eq!((number("7").as_i64(), number("7").as_u64()), (Some(7), Some(7)));
    assert_eq!((number("-7").as_i64(), number("-7").as_u64()), (Some(-7), None));
    let above = number("9223372036854775808");
    assert_eq!((above.as_i64(), above.as_u64()), (None, Some(9_223_372_036_854_775_808)));
    for text in ["18446744073709551616", "1.0", "1e3", "-0"] {
        assert_eq!((number(text).as_i64(), number(text).as_u64()), (None, None), "{text}");
    }
    assert_eq!(NumberLiteral::from(u64::MAX), number("18446744073709551615"));
    assert_ne!(number("1.0"), number("1"));
    assert_eq!(format!("{:?} {:?}", number("1.50"), CompValue::from(3)), "1.50 Number(3)");
    let error = "1.".parse::<NumberLiteral>().unwrap_err();
    assert_eq!(error.to_string(), "expected a JSON number such as `7`, `-1.5` or `2e3`");
}

#[test]
fn trees_that_would_not_print_are_not_built() {
    let error = Filter::any([]).unwrap_err();
    assert_eq!((error.kind(), error.to_string().as_str()), (Kind::Empty, "expected at least one filter"));
    assert_eq!((error.span(), error.expected().len(), error.hint()), (0..0, 0, None));
    let value_path = attr("b").matching(attr("c").pr()).unwrap();
    for inner in [
        value_path.clone(),
        value_path.clone().negate().unwrap(),
        attr("d").pr().and(value_path.clone()).unwrap(),
        attr("d").pr().or(value_path).unwrap(),
    ] {
        let error = attr("a").matching(inner).unwrap_err();
        assert_eq!(error.kind(), Kind::NestedValuePath);
        assert_eq!(format!("{error:#}"), "a value path cannot stand within a value path");
    }
    let mut deep = attr("a").pr();
    for level in 0..64 {
        assert_eq!(deep.depth(), level);
        deep = deep.negate().unwrap();
    }
    let error = deep.clone().negate().unwrap_err();
    assert_eq!(error.to_string(), "parentheses and brackets nest at most 64 deep");
    assert!(attr("x").matching(deep.clone()).is_err());
    assert!(deep.clone().and(attr("b").pr()).is_ok()); // which has parentheses of its own
    let either = deep.or(attr("b").pr()).unwrap();
    assert_eq!(either.clone().and(attr("c").pr()).unwrap_err().kind(), Kind::TooDeep); // one pair more
    assert_eq!(Filter::all([either, attr("c").pr()]).unwrap_err().kind(), Kind::TooDeep);
    assert_eq!(Filter::attr("a.b.c").unwrap_err().kind(), Kind::AttrPath);
}

#[test]
fn lists_join_whichever_side_they_come_from() {
    let either = |a: &str, b: &str| attr(a).pr().or(attr(b).pr()).unwrap();
    let both = |a: &str, b: &str| attr(a).pr().and(attr(b).pr()).unwrap();
    let printed = |filter: Result<Filter, _>| {
        let filter: Filter = filter.unwrap();
        assert_eq!(filter.to_string().parse::<Filter>().unwrap(), filter);
        filter.to_string()
    };
    assert_eq!(printed(either("a", "b").or(either("c", "d"))), "a pr or b pr or c pr or d pr");
    assert_eq!(printed(either("a", "b").and(either("c", "d"))), "(a pr or b pr) and (c pr or d pr)");
    assert_eq!(printed(both("a", "b").and(both("c", "d"))), "a pr and b pr and c pr and d pr");
    assert_eq!(printed(both("a", "b").or(both("c", "d"))), "a pr and b pr or c pr and d pr");
    assert_eq!(printed(Filter::all([either("a", "b"), both("c", "d")])), "(a pr or b pr) and c pr and d pr");
    assert_eq!(printed(either("a", "b").or(both("c", "d"))), "a pr or b pr or c pr and d pr");
    assert_eq!(printed(both("a", "b").and(either("c", "d"))), "a pr and b pr and (c pr or d pr)");
    assert_eq!(printed(attr("x").pr().and(both("a", "b"))), "x pr and a pr and b pr");
    assert_eq!(printed(attr("x").pr().or(both("a", "b"))), "x pr or a pr and b pr");
    let list = [either("a", "b"), attr("x").pr(), either("c", "d"), both("e", "f")];
    let Filter::Or(operands) = Filter::any(list).unwrap() else { panic!("an or") };
    assert_eq!(operands.len(), 6);
    assert_eq!(operands.into_iter().filter(|operand| matches!(operand, Filter::And(_))).count(), 1);
    assert_eq!(Filter::all([either("a", "b")]).unwrap(), either("a", "b"));
}

#[test]
fn default_parser_has_the_default_limits() {
    let text = format!("{} pr", "a".repeat(16 * 1024 - 3));
    assert!(FilterParser::default().parse(&text).is_ok());
    assert_eq!(FilterParser::default().parse(&format!("{text} ")).unwrap_err().kind(), Kind::TooLong);
}
