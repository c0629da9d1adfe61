//! What people read when a filter is wrong.

use insta::assert_snapshot;
use scim2_filter::{Filter, FilterParser, PatchPath};

fn filter(text: &str) -> String {
    format!("{:#}", text.parse::<Filter>().unwrap_err())
}

fn path(text: &str) -> String {
    format!("{:#}", text.parse::<PatchPath>().unwrap_err())
}

#[test]
fn common_mistakes_have_a_hint() {
    assert_snapshot!(filter("userName eq bjensen"), @r"
    expected a comparison value, found a word without quotes at byte 12
      | userName eq bjensen
      |             ^^^^^^^
      = hint: strings stand in double quotes
    ");
    assert_snapshot!(filter("userName eq 'bjensen'"), @r"
    expected a comparison value, found `'` at byte 12
      | userName eq 'bjensen'
      |             ^^^^^^^^^
      = hint: strings stand in double quotes, not single ones
    ");
    assert_snapshot!(filter("userName eq “bjensen”"), @r#"
    expected a comparison value, found `“` at byte 12
      | userName eq “bjensen”
      |             ^^^^^^^^^
      = hint: strings stand in plain double quotes `"`, not typographic ones
    "#);
    assert_snapshot!(filter(r#"userName = "bjensen""#), @r#"
    expected `pr`, `eq`, `ne`, `co`, `sw`, `ew`, `gt`, `ge`, `lt` or `le`, found `=` at byte 9
      | userName = "bjensen"
      |          ^
      = hint: write `eq` for it
    "#);
    assert_snapshot!(filter(r#"userName=="bjensen""#), @r#"
    expected a space and an operator or `[`, found `==` at byte 8
      | userName=="bjensen"
      |         ^^
      = hint: write `eq` for it
    "#);
    assert_snapshot!(filter(r#"title pr && userType eq "Intern""#), @r#"
    expected `and`, `or` or the end, found `&&` at byte 9
      | title pr && userType eq "Intern"
      |          ^^
      = hint: write `and` for it
    "#);
    assert_snapshot!(filter(r#"userName like "b%""#), @r#"
    expected `pr`, `eq`, `ne`, `co`, `sw`, `ew`, `gt`, `ge`, `lt` or `le`, found `like` at byte 9
      | userName like "b%"
      |          ^^^^
      = hint: `co` asks whether a string contains another
    "#);
    assert_snapshot!(filter(r#"(title pr or userType eq "Intern""#), @r#"
    expected `and`, `or` or `)`, found the end at byte 33; the bracket at byte 0 is not closed
      | …tle pr or userType eq "Intern"
      |                                ^
      = hint: every `(` needs its `)`, every `[` its `]`
    "#);
    assert_snapshot!(path(r#"emails[type eq "work""#), @r#"
    expected `and`, `or` or `]`, found the end at byte 21; the bracket at byte 6 is not closed
      | emails[type eq "work"
      |                      ^
      = hint: every `(` needs its `)`, every `[` its `]`
    "#);
    assert_snapshot!(filter(r#"“userName” eq "bjensen""#), @r#"
    expected an attribute, `not (` or `(`, found `“userName”` at byte 0
      | “userName” eq "bjensen"
      | ^^^^^^^^^^
      = hint: attributes stand without quotes
    "#);
    assert_snapshot!(filter(r#"userName not like "b""#), @r#"
    expected `pr`, `eq`, `ne`, `co`, `sw`, `ew`, `gt`, `ge`, `lt` or `le`, found `not` at byte 9
      | userName not like "b"
      |          ^^^
      = hint: write `ne`, or `not (…)` around the whole test
    "#);
    assert_snapshot!(filter("title pr)"), @r"
    expected `and`, `or` or the end, found `)` at byte 8
      | title pr)
      |         ^
      = hint: no `(` is open here
    ");
    assert_snapshot!(filter(r#"emails[type eq "work"].value eq "x""#), @r#"
    expected `and`, `or` or the end, found `.value` at byte 22
      | emails[type eq "work"].value eq "x"
      |                       ^^^^^^
      = hint: write the sub-attribute into the brackets: `emails[type eq "work" and value eq "x"]`
    "#);
    assert_snapshot!(filter("not title pr"), @r"
    expected `pr`, `eq`, `ne`, `co`, `sw`, `ew`, `gt`, `ge`, `lt` or `le`, found `title` at byte 4
      | not title pr
      |     ^^^^^
      = hint: `not` stands before parentheses: `not (title pr)`
    ");
    assert_snapshot!(filter("age gt 042"), @r"
    expected a comparison value, found something that is not a JSON number at byte 7
      | age gt 042
      |        ^^^
      = hint: numbers are written as in JSON, strings in double quotes
    ");
    assert_snapshot!(filter(r#"path eq "C:\home""#), @r#"
    expected an escape that JSON knows, found `\h` at byte 11
      | path eq "C:\home"
      |            ^^
      = hint: write `\\` for a backslash; `\u` takes four digits, surrogates in pairs
    "#);
    assert_snapshot!(filter(r#"value eq"x""#), @r#"
    expected a space before the string, found a string at byte 8
      | value eq"x"
      |         ^
    "#);
}

#[test]
fn error_names_what_is_missing() {
    assert_snapshot!(filter(""), @"expected a filter, found nothing");
    assert_snapshot!(filter("userName"), @r"
    expected `pr`, `eq`, `ne`, `co`, `sw`, `ew`, `gt`, `ge`, `lt` or `le`, found the end at byte 8
      | userName
      |         ^
    ");
    assert_snapshot!(filter("userName eq"), @r"
    expected a comparison value, found the end at byte 11
      | userName eq
      |            ^
    ");
    assert_snapshot!(filter(r#"userName eq "bjensen"#), @r#"
    expected a closing `"`, found the end at byte 20
      | userName eq "bjensen
      |                     ^
    "#);
    assert_snapshot!(filter("title pr and"), @r"
    expected an attribute, `not (` or `(`, found the end at byte 12
      | title pr and
      |             ^
    ");
    assert_snapshot!(filter("a.b.c pr"), @r"
    expected at most one sub-attribute, found `.c` at byte 3
      | a.b.c pr
      |    ^^
    ");
    assert_snapshot!(filter("emails[a[b pr]]"), @r"
    a value path cannot stand within a value path, found one at byte 8
      | emails[a[b pr]]
      |         ^
    ");
    assert_snapshot!(path("emails[0]"), @r"
    expected an attribute, `not (` or `(`, found `0` at byte 7
      | emails[0]
      |        ^
      = hint: elements are chosen by a filter, not by an index
    ");
    assert_snapshot!(path("members[value pr][value pr]"), @r"
    expected `.` or the end, found `[` at byte 17
      | members[value pr][value pr]
      |                  ^
      = hint: a path has one filter and no index
    ");
    assert_snapshot!(path("name."), @r"
    expected a sub-attribute, found the end at byte 5
      | name.
      |      ^
    ");
}

#[test]
fn error_names_the_exceeded_limit() {
    let parser = FilterParser::new().max_length(30).max_depth(2).max_terms(3);
    assert_snapshot!(parser.parse(&"x".repeat(31)).unwrap_err().to_string(), @"a filter has at most 30 bytes, found 31");
    assert_snapshot!(parser.parse("(((a pr)))").unwrap_err().to_string(), @"parentheses and brackets nest at most 2 deep, found more at byte 2");
    assert_snapshot!(parser.parse("a pr or b pr or c pr or d pr").unwrap_err().to_string(), @"a filter tests at most 3 attributes, found more at byte 25");
}

#[test]
fn long_texts_are_cut_to_a_window() {
    let text = format!(
        "{} and tïtle = 1 and {}",
        vec!["title pr"; 40].join(" and "),
        vec!["title pr"; 40].join(" and ")
    );
    assert_snapshot!(filter(&text), @r"
    expected a space and an operator or `[`, found `ïtle` at byte 521
      | …nd title pr and title pr and tïtle = 1 and title pr and titl…
      |                                ^^^^
    ");
    let word = format!("title {}", "x".repeat(500));
    assert_snapshot!(filter(&word), @r"
    expected `pr`, `eq`, `ne`, `co`, `sw`, `ew`, `gt`, `ge`, `lt` or `le`, found `xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx` at byte 6
      | title xxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…
      |       ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
    ");
}

#[test]
fn error_line_repeats_no_comparison_value() {
    for text in [
        "password eq hunter2",
        "password eq 'hunter2'",
        "password eq \"hunter2",
        "password eq \"hunter2\\x\"",
        "password eq 0hunter2",
    ] {
        let line = text.parse::<Filter>().unwrap_err().to_string();
        assert!(!line.contains("hunter2"), "{line}");
    }
}

#[test]
fn each_common_mistake_has_its_hint() {
    let mistakes = [
        "userName eq bjensen",
        "userName eq 'bjensen'",
        "userName eq “bjensen”",
        "userName eq „bjensen“",
        "userName eq «bjensen»",
        "userName eq ‘bjensen’",
        "userName eq `bjensen`",
        r#""userName" eq "bjensen""#,
        r#"(‘a’ pr)"#,
        r#"a"b" pr"#,
        r#"userName eq ("a", "b")"#,
        r#"userName eq ["a"]"#,
        "userName eq *",
        r#"userName in ("a")"#,
        r#"userName = "a""#,
        r#"userName == "a""#,
        r#"userName="a""#,
        r#"userName != "a""#,
        r#"userName <> "a""#,
        "count >= 1",
        "count <= 1",
        "count > 1",
        "count < 1",
        r#"userName like "a%""#,
        r#"userName contains "a""#,
        r#"userName startsWith "a""#,
        r#"userName endsWith "a""#,
        r#"userName equals "a""#,
        r#"userName is "a""#,
        "title present",
        "title exists",
        "not title pr",
        "title not pr",
        "a pr && b pr",
        "a pr || b pr",
        "!a pr",
        "!(a pr)",
        r#"a eq "x", b pr"#,
        "a pr)",
        "a pr]",
        "(a pr",
        "not (a pr and (b pr)",
        "emails[type pr",
        "(a pr)and b pr",
        "a pr and(b pr)",
        "emails[0]",
        "emails[.x pr]",
        "0emails pr",
        r#"emails[type eq "work"].value eq "x""#,
        "count eq 01",
        "count eq +1",
        r#"a eq "\x""#,
        r#"a eq "\ud800""#,
    ];
    let lines = mistakes.map(|text| {
        let error = text.parse::<Filter>().unwrap_err();
        format!("{text:<38} {}", error.hint().unwrap_or("(no hint)"))
    });
    assert_snapshot!(lines.join("\n"));
    let second = r#"emails[type eq "work"][0]"#.parse::<PatchPath>().unwrap_err();
    assert_eq!(second.hint(), Some("a path has one filter and no index"));
}

#[test]
fn error_lists_the_allowed_items() {
    let expected = |text: &str| text.parse::<Filter>().unwrap_err().expected().join(", ");
    assert_eq!(expected("a"), "`pr`, `eq`, `ne`, `co`, `sw`, `ew`, `gt`, `ge`, `lt`, `le`");
    assert_eq!(expected("a=1"), "a space and an operator, `[`");
    assert_eq!(expected("a pr x"), "`and`, `or`, the end");
    assert_eq!(expected("(a pr x"), "`and`, `or`, `)`");
    assert_eq!(expected("a[b pr x"), "`and`, `or`, `]`");
    assert_eq!(expected("a pr and"), "an attribute, `not (`, `(`");
    assert_eq!(expected("a eq"), "a comparison value");
    let of_path = |text: &str| text.parse::<PatchPath>().unwrap_err().expected().join(", ");
    assert_eq!(of_path("a b"), "`[`, the end");
    assert_eq!(of_path("a[b pr]c"), "`.`, the end");
    assert_eq!(of_path("a[b pr].c.d"), "the end");
    assert_eq!(of_path("a."), "a sub-attribute");
    let value_path = "a".parse::<scim2_filter::ValuePath>().unwrap_err();
    assert_eq!((value_path.expected(), value_path.hint()), (["`[`"].as_slice(), None));
}

#[test]
fn invisible_characters_are_escaped_in_errors() {
    let line = |text: &str| text.parse::<PatchPath>().unwrap_err().to_string();
    assert_eq!(line("members "), "expected `[` or the end, found a space at byte 7");
    assert_eq!(line("a\tb"), r"expected `[` or the end, found `\t` at byte 1");
    assert_eq!(
        line("a[b eq \"c\td\"]"),
        "expected control characters to be escaped, found a bare control character at byte 9"
    );
    assert_eq!(path("a\tb").lines().nth(1), Some("  | a\u{fffd}b"));
}

#[test]
fn the_innermost_open_bracket_is_named() {
    let open = |text: &str| {
        let line = text.parse::<Filter>().unwrap_err().to_string();
        let (_, at) = line.split_once("the bracket at byte ").unwrap_or_else(|| panic!("{line}"));
        at.split(' ').next().unwrap().parse::<usize>().unwrap()
    };
    assert_eq!(open("(a pr"), 0);
    assert_eq!(open("(a pr and (b pr"), 10);
    assert_eq!(open("(a pr and (b pr)"), 0);
    assert_eq!(open("x[(a pr and b pr)"), 1);
    assert_eq!(open(r#"(a eq "(" and b eq "[""#), 0);
    assert_eq!(open(r#"(a eq "\"(" and b eq "\\""#), 0);
    assert_eq!(open(r#"(a eq ")" and not (b pr"#), 18);
    assert_eq!(open(r#"(a eq ")]""#), 0);
}

#[test]
fn windows_show_both_sides_of_the_fault() {
    let long = "x".repeat(100);
    let drawn = filter(&format!(r#"a eq "{long}" = b eq "{long}""#));
    let lines: Vec<&str> = drawn.lines().collect();
    assert_eq!(lines[1], format!(r#"  | …{}" = b eq "{}…"#, "x".repeat(28), "x".repeat(22)));
    assert_eq!(lines[2], format!("  | {}^", " ".repeat(31)));
    // Nothing is cut where nothing is left out.
    assert_eq!(filter("ab =").lines().nth(1), Some("  | ab ="));
    let before = |count: usize| filter(&format!("{} = x", "a".repeat(count)));
    assert_eq!(before(29).lines().nth(1), Some(format!("  | {} = x", "a".repeat(29)).as_str()));
    assert_eq!(before(30).lines().nth(1), Some(format!("  | …{} = x", "a".repeat(29)).as_str()));
    let word = |count: usize| filter(&format!("a {}", "b".repeat(count)));
    assert_eq!(word(30).lines().nth(1), Some(format!("  | a {}", "b".repeat(30)).as_str()));
    assert_eq!(word(31).lines().nth(1), Some(format!("  | a {}…", "b".repeat(30)).as_str()));
}

#[test]
fn lenient_parse_keeps_the_depth_limit() {
    let lenient = FilterParser::new().leniency(scim2_filter::Leniency::ALL);
    let text = "emails[a pr or b pr].c pr"; // `(a pr or b pr) and c pr` in brackets
    assert_eq!(lenient.max_depth(2).parse(text).unwrap().depth(), 2);
    let error = lenient.max_depth(1).parse(text).unwrap_err();
    assert_eq!(error.to_string(), "parentheses and brackets nest at most 1 deep, found more at byte 0");
    assert_eq!(lenient.max_depth(1).parse("emails[a pr].c pr").unwrap().depth(), 1);
}
