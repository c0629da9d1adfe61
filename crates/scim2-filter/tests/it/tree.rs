//! Trees built, walked and taken apart.

use scim2_filter::{
    AttrExp, AttrName, AttrPath, CompValue, CompareOp, Filter, Folded, Number, PatchPath, SchemaUri, Text,
    ValuePath,
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
        (attr("a").le("1.50".parse::<Number>().unwrap()), "a le 1.50"),
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
fn trees_come_apart() {
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
    // What is folded into its own text is the text.
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
fn names_and_texts_go_in_and_out() {
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
