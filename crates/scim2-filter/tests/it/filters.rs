//! RFC 7644 §3.4.2.2: the filters that are read, with their canonical text, and those that are not.

use scim2_filter::{Filter, FilterErrorKind as Kind, FilterParser, Leniency};

/// The strict grammar reads `text` and prints it as `canonical`.
#[track_caller]
fn reads(text: &str, canonical: &str) {
    let filter: Filter = text.parse().unwrap_or_else(|error| panic!("{text}: {error:#}"));
    assert_eq!(filter.to_string(), canonical, "{text}");
    assert_eq!(canonical.parse::<Filter>().as_ref(), Ok(&filter), "{canonical}");
    let lenient = FilterParser::new().leniency(Leniency::ALL).parse(text);
    assert_eq!(lenient.as_ref(), Ok(&filter), "leniency changes no meaning: {text}");
}

#[track_caller]
fn same(text: &str) {
    reads(text, text);
}

/// Both the strict and the most lenient grammar refuse `text`.
#[track_caller]
fn refuses(text: &str, kind: Kind, at: usize) {
    for leniency in [Leniency::NONE, Leniency::ALL] {
        let error = FilterParser::new().leniency(leniency).parse(text).expect_err(text);
        assert_eq!((error.kind(), error.span().start), (kind, at), "{text}: {error}");
        assert!(error.in_filter(), "{text}");
    }
}

/// The strict grammar refuses `text`; with leniency it reads as `canonical`.
#[track_caller]
fn lenient(text: &str, kind: Kind, canonical: &str) {
    let error = text.parse::<Filter>().expect_err(text);
    assert_eq!(error.kind(), kind, "{text}: {error}");
    let filter = FilterParser::new().leniency(Leniency::ALL).parse(text).unwrap_or_else(|e| panic!("{e:#}"));
    assert_eq!(filter.to_string(), canonical, "{text}");
}

#[test]
fn rfc7644_3_4_2_2_examples() {
    reads(r#"userName Eq "john""#, r#"userName eq "john""#);
    reads(r#"Username eq "john""#, r#"Username eq "john""#);
    same(r#"userName eq "bjensen""#);
    same(r#"name.familyName co "O'Malley""#);
    same(r#"userName sw "J""#);
    same(r#"urn:ietf:params:scim:schemas:core:2.0:User:userName sw "J""#);
    same("title pr");
    same(r#"meta.lastModified gt "2011-05-13T04:42:34Z""#);
    same(r#"meta.lastModified ge "2011-05-13T04:42:34Z""#);
    same(r#"meta.lastModified lt "2011-05-13T04:42:34Z""#);
    same(r#"meta.lastModified le "2011-05-13T04:42:34Z""#);
    same(r#"title pr and userType eq "Employee""#);
    same(r#"title pr or userType eq "Intern""#);
    same(r#"schemas eq "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User""#);
    same(r#"userType eq "Employee" and (emails co "example.com" or emails.value co "example.org")"#);
    same(r#"userType ne "Employee" and not (emails co "example.com" or emails.value co "example.org")"#);
    reads(
        r#"userType eq "Employee" and (emails.type eq "work")"#,
        r#"userType eq "Employee" and emails.type eq "work""#,
    );
    same(r#"userType eq "Employee" and emails[type eq "work" and value co "@example.com"]"#);
    same(
        r#"emails[type eq "work" and value co "@example.com"] or ims[type eq "xmpp" and value co "@foo.com"]"#,
    );
    same(r#"displayName sw "smith""#);
    reads("(userName pr)", "userName pr");
}

#[test]
fn s_3_4_2_2_03_names_and_operators_in_any_case() {
    reads("NOT (a PR)", "not (a pr)");
    reads("a Pr AND b pR Or c PR", "a pr and b pr or c pr");
    for (written, printed) in [("EQ", "eq"), ("nE", "ne"), ("Co", "co"), ("SW", "sw"), ("eW", "ew")] {
        reads(&format!("a {written} \"x\""), &format!("a {printed} \"x\""));
    }
    for (written, printed) in [("GT", "gt"), ("gE", "ge"), ("Lt", "lt"), ("LE", "le")] {
        reads(&format!("a {written} 1"), &format!("a {printed} 1"));
    }
    assert_eq!("userName pr".parse::<Filter>(), "USERNAME PR".parse());
    assert_eq!("urn:a:User:x.y pr".parse::<Filter>(), "URN:A:USER:X.Y pr".parse());
}

#[test]
fn s_3_4_2_2_10_precedence() {
    same("a pr or b pr and c pr");
    reads("a pr or (b pr and c pr)", "a pr or b pr and c pr");
    same("(a pr or b pr) and c pr");
    reads("(a pr and b pr) or c pr", "a pr and b pr or c pr");
    same("a pr and (b pr or c pr)");
    reads("not (a pr) and b pr", "not (a pr) and b pr");
    reads("not ((a pr) and (b pr))", "not (a pr and b pr)");
    same("not (not (a pr))");
    same("a pr and not (b pr or c pr) or d pr");
    let Filter::Or(operands) = "a pr or b pr and c pr".parse().unwrap() else { panic!("an or at the root") };
    assert!(matches!(operands[1], Filter::And(_)));
}

#[test]
fn s_3_4_2_2_11_parentheses() {
    reads("((a pr))", "a pr");
    reads("(((a pr) or (b pr)))", "a pr or b pr");
    reads("( a pr )", "a pr");
    reads("(  a pr  or  b pr  )", "a pr or b pr");
    reads("a pr and (b pr and (c pr and d pr))", "a pr and b pr and c pr and d pr");
    reads("((a pr or b pr) or c pr) or d pr", "a pr or b pr or c pr or d pr");
}

#[test]
fn a_38_space_after_not() {
    reads("not(a pr)", "not (a pr)");
    reads("not (a pr)", "not (a pr)");
    reads("not   (a pr)", "not (a pr)");
    reads("not( a pr )", "not (a pr)");
    reads("emails[not(type eq \"work\")]", "emails[not (type eq \"work\")]");
}

#[test]
fn a_41_runs_of_spaces() {
    reads("  a pr  ", "a pr");
    reads("a   pr", "a pr");
    reads("a   eq   \"x\"", "a eq \"x\"");
    reads("a pr   and   b pr", "a pr and b pr");
    reads("emails[  type eq \"work\"  ]", "emails[type eq \"work\"]");
    refuses("a\tpr", Kind::AttrPath, 1);
    refuses("a pr\nand b pr", Kind::Operator, 2);
}

#[test]
fn keywords_are_names_where_a_name_stands() {
    same("not pr");
    same("and pr and or pr or not pr");
    same("pr pr");
    same("eq eq \"eq\"");
    same("true eq true");
    same("not.not eq 1");
    same("notes pr");
    same("nothing pr and origin pr or android pr");
    same("not[not pr]");
}

#[test]
fn s_3_4_2_2_12_value_paths() {
    same(r#"emails[type eq "work" or type eq "home" and value ew "@example.com"]"#);
    reads(
        r#"emails[type eq "work" or (type eq "home" and value ew "@example.com")]"#,
        r#"emails[type eq "work" or type eq "home" and value ew "@example.com"]"#,
    );
    same(r#"emails[(type eq "work" or type eq "home") and value ew "@example.com"]"#);
    same(r#"emails[not (type eq "work")]"#);
    same(r#"not (emails[type eq "work"])"#);
    same(r#"urn:a:2.0:User:emails[type pr]"#);
    same(r#"emails[urn:a:2.0:User:type eq "work"]"#);
    same(r#"(emails[type pr] or ims[type pr]) and a pr"#);
    refuses(r#"emails[type eq "work" and addresses[country eq "SE"]]"#, Kind::NestedValuePath, 35);
    refuses(r#"emails[a[b[c pr]]]"#, Kind::NestedValuePath, 8);
    refuses("emails[]", Kind::AttrPath, 7);
    refuses("emails[ ]", Kind::AttrPath, 8);
    refuses(r#"emails[type eq "work""#, Kind::Unclosed, 21);
    refuses(r#"emails[type eq "work")"#, Kind::Connective, 21);
    refuses("emails[0]", Kind::AttrPath, 7);
    refuses("emails [type pr]", Kind::Operator, 7);
    refuses("[type pr]", Kind::AttrPath, 0);
    refuses("a[b pr][c pr]", Kind::Connective, 7);
    refuses("a[b pr] pr", Kind::Connective, 8);
}

#[test]
fn literals_of_json() {
    same("a eq null");
    same("a eq true");
    same("a ne false");
    same("a eq 0");
    same("a eq -0");
    same("a eq -1.5e3");
    same("a eq 1E+5");
    same("a eq 9223372036854775807");
    same("a eq 18446744073709551615");
    same("a eq 123456789012345678901234567890.000000000000001");
    same(r#"a eq """#);
    same(r#"a eq "(not [a] and \"b\")""#);
    reads(r#"a eq "\u0041\/\u00e9""#, r#"a eq "A/é""#);
    reads(r#"a eq "\b\f\n\r\t\u0000\u001F""#, r#"a eq "\b\f\n\r\t\u0000\u001f""#);
    reads(
        r#"a eq "quote \" backslash \\ unicode \u00e9 \ud83d\ude00""#,
        r#"a eq "quote \" backslash \\ unicode é 😀""#,
    );
    same("a eq \"\u{7f}\u{2028}é😀\"");
    reads(r#"a eq "\uD800\uDC00\udbff\udfff\ud7ff\ue000""#, "a eq \"\u{10000}\u{10ffff}\u{d7ff}\u{e000}\"");
    reads(r#"a eq "\u0008\u000c\u0001\"\\""#, r#"a eq "\b\f\u0001\"\\""#);
}

#[test]
fn malformed_literals() {
    refuses("a eq -\\", Kind::Number, 5);
    refuses("a eq 'x'", Kind::CompValue, 5);
    refuses("a eq “x”", Kind::CompValue, 5);
    refuses("a eq [1]", Kind::CompValue, 5);
    refuses("a eq (\"x\")", Kind::CompValue, 5);
    refuses("a eq \"x", Kind::String, 7);
    refuses("a eq \"x\\\"", Kind::String, 9);
    refuses(r#"a eq "\x""#, Kind::String, 6);
    refuses(r#"a eq "\u12g4""#, Kind::String, 6);
    refuses(r#"a eq "\u+123""#, Kind::String, 6);
    refuses(r#"a eq "\u12"#, Kind::String, 6);
    refuses(r#"a eq "\ud83d""#, Kind::String, 6);
    refuses(r#"a eq "\ud83d\u0041""#, Kind::String, 6);
    refuses(r#"a eq "\ude00""#, Kind::String, 6);
    refuses("a eq \"tab\there\"", Kind::String, 9);
    refuses("a eq \"line\nbreak\"", Kind::String, 10);
    refuses("a eq \"x\"y", Kind::Connective, 8);
    refuses("a eq x\u{a0}y", Kind::CompValue, 5);
    refuses("a eq x\u{1}y", Kind::CompValue, 5);
    refuses("a eq \"x\"\"y\"", Kind::Connective, 8);
}

#[test]
fn abnf_names() {
    same("members.$ref eq \"https://example.com/v2/Users/1\"");
    same("$ref pr");
    same("a-b_c$d1 pr");
    same("urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value eq \"26118915\"");
    same("URN:IETF:PARAMS:SCIM:SCHEMAS:CORE:2.0:USER:USERNAME eq \"bjensen\"");
    same("urn:ietf:params:scim:schemas:extension:enterprise:2.0:User pr");
    same("urn:example:schemas:2.0 pr");
    same("https://example.com/schemas/user:age gt 3");
    refuses("1a pr", Kind::AttrPath, 0);
    refuses("a.b.c pr", Kind::AttrPath, 3);
    refuses("a. pr", Kind::AttrPath, 2);
    refuses("a..b pr", Kind::AttrPath, 2);
    refuses(".a pr", Kind::AttrPath, 0);
    refuses("-a pr", Kind::AttrPath, 0);
    refuses("$value pr", Kind::AttrPath, 0);
    refuses("é pr", Kind::AttrPath, 0);
    refuses("aé pr", Kind::AttrPath, 1);
    refuses("a/b pr", Kind::AttrPath, 1);
    refuses("urn:a:b: pr", Kind::AttrPath, 8);
    refuses("a_b:c:d pr", Kind::AttrPath, 0); // no scheme of a URI
    refuses("a$b:c:d pr", Kind::AttrPath, 0);
    refuses("urn:a:2.0:U:a.b/ pr", Kind::AttrPath, 15);
    refuses("urn:a:b:c.-x pr", Kind::AttrPath, 10);
    same("urn:a:2.0:U:a.2b pr"); // a URI that ends like this is nobody's attribute
    same("urn:User pr");
    refuses("urn:a:b:c. pr", Kind::AttrPath, 10);
    refuses("\"a\" eq \"x\"", Kind::AttrPath, 0);
}

#[test]
fn s_3_4_2_2_04_at_least_one_expression() {
    refuses("", Kind::Empty, 0);
    refuses("   ", Kind::Empty, 3);
    refuses("()", Kind::AttrPath, 1);
    refuses("( )", Kind::AttrPath, 2);
    refuses("not ()", Kind::AttrPath, 5);
}

#[test]
fn incomplete_expressions() {
    refuses("a", Kind::Operator, 1);
    refuses("a ", Kind::Operator, 2);
    refuses("a e", Kind::Operator, 2);
    refuses("a eq", Kind::CompValue, 4);
    refuses("a eq ", Kind::CompValue, 5);
    refuses("a eq )", Kind::CompValue, 5);
    refuses("a pr and", Kind::Operand, 8);
    refuses("a pr and ", Kind::Operand, 9);
    refuses("a pr or", Kind::Operand, 7);
    refuses("and a pr", Kind::Operator, 4);
    refuses("or", Kind::Operator, 2);
    refuses("not", Kind::Operator, 3);
    refuses("pr", Kind::Operator, 2);
    refuses("(a)", Kind::Operator, 2);
    refuses("(a pr", Kind::Unclosed, 5);
    refuses("((a pr)", Kind::Unclosed, 7);
    refuses("not (a pr", Kind::Unclosed, 9);
    refuses("a pr)", Kind::Connective, 4);
    refuses("(a pr))", Kind::Connective, 6);
    refuses("(a pr]", Kind::Connective, 5);
    refuses("a pr]", Kind::Connective, 4);
    refuses("(", Kind::Operand, 1);
    refuses("[", Kind::AttrPath, 0);
    refuses(")", Kind::AttrPath, 0);
}

#[test]
fn s_3_4_2_2_18_unknown_operators() {
    refuses("userName regex \"x\"", Kind::Operator, 9);
    refuses("a = \"x\"", Kind::Operator, 2);
    refuses("a == \"x\"", Kind::Operator, 2);
    refuses("a=\"x\"", Kind::AttrPath, 1);
    refuses("a like \"x\"", Kind::Operator, 2);
    refuses("a eqq \"x\"", Kind::Operator, 2);
    refuses("a prx", Kind::Operator, 2);
    refuses("a pr\"x\"", Kind::Operator, 2);
    refuses("a é \"x\"", Kind::Operator, 2);
    refuses("a eq1", Kind::Operator, 2);
    refuses("a \"x\"", Kind::Operator, 2);
}

#[test]
fn expressions_need_a_connective() {
    refuses("a pr b pr", Kind::Connective, 5);
    refuses("a eq \"x\" xor b pr", Kind::Connective, 9);
    refuses("a pr && b pr", Kind::Connective, 5);
    refuses("a pr || b pr", Kind::Connective, 5);
    refuses("a pr, b pr", Kind::Operator, 2);
    refuses("a pr and and b pr", Kind::Operator, 13);
    refuses("a pr andb pr", Kind::Connective, 5);
    refuses("a eq \"x\" \"y\"", Kind::Connective, 9);
    refuses("(a pr)(b pr)", Kind::Connective, 6);
}

#[test]
fn a_39_not_needs_parentheses() {
    refuses("not a pr", Kind::Operator, 4);
    refuses("a pr and not b pr", Kind::Operator, 13);
    refuses("not not (a pr)", Kind::Operator, 4);
}

#[test]
fn a_41_missing_spaces_are_a_leniency() {
    lenient("value eq\"x\"", Kind::Space, "value eq \"x\"");
    lenient("a eq\"x\"and b pr", Kind::Space, "a eq \"x\" and b pr");
    lenient("not(a pr)and b pr", Kind::Connective, "not (a pr) and b pr");
    lenient("(a pr)or(b pr)", Kind::Connective, "a pr or b pr");
    lenient("a pr and(b pr or c pr)", Kind::Connective, "a pr and (b pr or c pr)");
    lenient("a[b pr]and c pr", Kind::Connective, "a[b pr] and c pr");
}

#[test]
fn a_42_literals_in_capitals_are_a_leniency() {
    // Both are kept as written: a string attribute takes the text (Q-FILTER-UNQUOTED).
    lenient("active eq TRUE", Kind::CompValue, "active eq TRUE");
    lenient("active eq False", Kind::CompValue, "active eq False");
    lenient("title eq NULL", Kind::CompValue, "title eq null");
}

#[test]
fn a_43_words_without_quotes_are_a_leniency() {
    lenient(
        "(meta.resourceType eq User) or (meta.resourceType eq Group)",
        Kind::CompValue,
        "meta.resourceType eq User or meta.resourceType eq Group",
    );
    lenient("userName eq bjensen@example.com", Kind::CompValue, "userName eq bjensen@example.com");
    lenient("externalId eq 2819c223-7f76-453a-919d", Kind::Number, "externalId eq 2819c223-7f76-453a-919d");
    lenient("emails[type eq work]", Kind::CompValue, "emails[type eq work]");
    lenient("a eq trueish", Kind::CompValue, "a eq trueish");
}

#[test]
fn a_36_sub_attribute_outside_is_a_leniency() {
    lenient(
        r#"emails[type eq "work"].value eq "x""#,
        Kind::ValuePath,
        r#"emails[type eq "work" and value eq "x"]"#,
    );
    lenient(
        r#"emails[type eq "work" or primary eq true].value co "x" and a pr"#,
        Kind::ValuePath,
        r#"emails[(type eq "work" or primary eq true) and value co "x"] and a pr"#,
    );
    lenient("emails[type pr].value pr", Kind::ValuePath, "emails[type pr and value pr]");
    let lenient = FilterParser::new().leniency(Leniency::ALL);
    for text in
        ["emails[type pr].", "emails[type pr].value", "emails[type pr].value.x pr", "emails[type pr].1 pr"]
    {
        assert!(lenient.parse(text).is_err(), "{text}");
    }
}

#[test]
fn dot_after_schema_is_a_leniency() {
    lenient(
        "urn:a:2.0:User.name.givenName eq \"x\"",
        Kind::AttrPath,
        "urn:a:2.0:User.name.givenName eq \"x\"",
    );
    // With one dot the text is a path to the strict grammar too.
    same("urn:a:2.0:User.userName eq \"x\"");
    refuses("urn:a:2.0:User.name.given.first eq \"x\"", Kind::AttrPath, 19);
}

/// Strings are looked at eight bytes at a time: what is special may stand anywhere in them.
#[test]
fn strings_of_every_length_end_where_they_end() {
    for before in 0..20 {
        for after in 0..10 {
            let before = "x".repeat(before);
            let after: String = "é!~\u{7f}\u{80}".chars().cycle().take(after).collect();
            same(&format!(r#"a eq "{before}{after}""#));
            same(&format!(r#"a eq "{before}\"{after}\\" and b eq "{after}{before}""#));
            same(&format!(r#"a eq "{before}\n{after}""#));
            let at = 6 + before.len();
            for control in ['\0', '\u{1}', '\u{1f}'] {
                refuses(&format!("a eq \"{before}{control}{after}\""), Kind::String, at);
            }
            refuses(&format!(r#"a eq "{before}\q{after}""#), Kind::String, at);
            refuses(&format!(r#"a eq "{before}{after}"#), Kind::String, at + after.len());
        }
    }
}

#[test]
fn each_deviation_from_the_grammar_is_reported() {
    let lenient = FilterParser::new().leniency(Leniency::ALL);
    let told = |text: &str| {
        let (_, used) = lenient.parse_reporting(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        [
            used.unquoted_words,
            used.literals_in_any_case,
            used.missing_spaces,
            used.sub_attribute_outside,
            used.dot_after_schema,
        ]
    };
    assert_eq!(told("not(a pr) and (b pr) or ( c eq true )"), [false; 5]);
    assert_eq!(told("a eq x"), [true, false, false, false, false]);
    assert_eq!(told("a eq True"), [false, true, false, false, false]);
    assert_eq!(told(r#"a eq"x""#), [false, false, true, false, false]);
    assert_eq!(told("(a pr)and b pr"), [false, false, true, false, false]);
    assert_eq!(told("a pr or(b pr)"), [false, false, true, false, false]);
    assert_eq!(told("a[b pr].c pr"), [false, false, false, true, false]);
    assert_eq!(told("urn:a:2.0:U.b.c pr"), [false, false, false, false, true]);
    assert_eq!(told(r#"urn:a:2.0:U.b.c eq"x"and d[e eq NULL].f eq g"#), [true; 5]);
    let (path, used) = lenient.parse_path_reporting("a[b eq x].c").unwrap();
    assert_eq!(path.to_string(), "a[b eq x].c");
    assert!(used.unquoted_words && !used.missing_spaces);
    assert_eq!(Leniency::NONE.union(Leniency::ALL), Leniency::ALL);
    assert_eq!(Leniency::ALL.union(Leniency::NONE), Leniency::ALL);
    assert_eq!(Leniency::ALL.union(Leniency::ALL), Leniency::ALL);
    assert_eq!(Leniency::default(), Leniency::NONE);
}
