//! RFC 7644 §3.5.2 and §3.10: paths of PATCH operations and of attributes.

use scim2_filter::{AttrPath, FilterErrorKind as Kind, FilterParser, Leniency, PatchPath, ValuePath};

#[track_caller]
fn same(text: &str) {
    let path: PatchPath = text.parse().unwrap_or_else(|error| panic!("{text}: {error:#}"));
    assert_eq!(path.to_string(), text);
    assert_eq!(FilterParser::new().leniency(Leniency::ALL).parse_path(text).as_ref(), Ok(&path));
}

/// Refused whatever the leniency; `in_filter` says whether the brackets are at fault (A-13).
#[track_caller]
fn refuses(text: &str, kind: Kind, at: usize, in_filter: bool) {
    for leniency in [Leniency::NONE, Leniency::ALL] {
        let error = FilterParser::new().leniency(leniency).parse_path(text).expect_err(text);
        assert_eq!((error.kind(), error.span().start), (kind, at), "{text}: {error}");
        assert_eq!(error.in_filter(), in_filter, "{text}: {error}");
        #[cfg(feature = "eval")]
        assert_eq!(
            error.scim_type().as_str(),
            if in_filter { "invalidFilter" } else { "invalidPath" },
            "{text}"
        );
    }
}

#[test]
fn rfc7644_3_5_2_examples() {
    for text in [
        "members",
        "name.familyName",
        r#"addresses[type eq "work"]"#,
        r#"members[value eq "2819c223-7f76-453a-919d-413861904646"]"#,
        r#"members[value eq "2819c223-7f76-453a-919d-413861904646"].displayName"#,
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:employeeNumber",
        r#"emails[type eq "work" and value ew "example.com"]"#,
        r#"addresses[type eq "work"].streetAddress"#,
        "nickName",
        "urn:ietf:params:scim:schemas:core:2.0:User:name.givenName",
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User",
        r#"urn:a:2.0:User:emails[type eq "work"].value"#,
        r#"members[value eq "1"].$ref"#,
        "urn:example:2.0",
    ] {
        same(text);
    }
    let text = r#"members[value eq"2819c223"]"#;
    assert_eq!(text.parse::<PatchPath>().unwrap_err().kind(), Kind::Space);
    let path = FilterParser::new().leniency(Leniency::ALL).parse_path(text).unwrap();
    assert_eq!(path.to_string(), r#"members[value eq "2819c223"]"#);
}

#[test]
fn s_3_5_2_06_malformed_paths() {
    refuses("", Kind::Empty, 0, false);
    refuses(" ", Kind::AttrPath, 0, false);
    refuses(".name", Kind::AttrPath, 0, false);
    refuses("name.", Kind::AttrPath, 5, false);
    refuses("name..familyName", Kind::AttrPath, 5, false);
    refuses("name.a.b", Kind::AttrPath, 6, false);
    refuses("/emails/0", Kind::AttrPath, 0, false);
    refuses("members ", Kind::Trailing, 7, false);
    refuses(" members", Kind::AttrPath, 0, false);
    refuses("members eq \"1\"", Kind::Trailing, 7, false);
    refuses("emails]", Kind::Trailing, 6, false);
    refuses(r#"emails[type eq "work"].value.x"#, Kind::Trailing, 28, false);
    refuses(r#"emails[type eq "work"]value"#, Kind::Trailing, 22, false);
    refuses(r#"emails[type eq "work"] .value"#, Kind::Trailing, 22, false);
    refuses(r#"emails[type eq "work"]."#, Kind::AttrPath, 23, false);
    refuses(r#"members[value eq "1"][value eq "2"]"#, Kind::Trailing, 21, false);
    refuses("[value eq \"1\"]", Kind::AttrPath, 0, false);
}

#[test]
fn a_13_malformed_filters_in_paths() {
    refuses("emails[0]", Kind::AttrPath, 7, true);
    refuses("emails[]", Kind::AttrPath, 7, true);
    refuses("emails[type eq ]", Kind::CompValue, 15, true);
    refuses("emails[type]", Kind::Operator, 11, true);
    // A value path that never closes is at fault as a path.
    refuses(r#"emails[type eq "work""#, Kind::Unclosed, 21, false);
    refuses("members[value eq", Kind::CompValue, 16, false);
    refuses("emails[type eq 'work']", Kind::CompValue, 15, true);
    refuses("emails[a[b pr]]", Kind::NestedValuePath, 8, true);
}

#[test]
fn attribute_and_value_paths_are_read_alone() {
    assert!("emails[type pr]".parse::<AttrPath>().is_err());
    assert!("a b".parse::<AttrPath>().is_err());
    assert!("".parse::<AttrPath>().is_err());
    let value_path: ValuePath = "emails[type pr]".parse().unwrap();
    assert_eq!(value_path.to_string(), "emails[type pr]");
    assert!("emails".parse::<ValuePath>().is_err());
    assert!("emails[type pr].value".parse::<ValuePath>().is_err());
}

#[cfg(feature = "eval")]
#[test]
fn paths_resolve_to_attributes_extensions_or_the_resource() {
    use scim2_core::{Compat, Registry};
    use scim2_filter::{ResolveErrorKind, Resolver, Target};

    let registry = Registry::standard();
    let user = registry.resource_type("User").unwrap();
    let resolver = Resolver::new(user, Compat::strict());
    let find = |text: &str| resolver.attribute(&text.parse().unwrap());
    let enterprise = "URN:ietf:params:scim:schemas:extension:enterprise:2.0:User";
    assert_eq!(find(enterprise), Ok(Target::Extension(user.find_extension(enterprise).unwrap())));
    assert_eq!(find("urn:ietf:params:scim:schemas:core:2.0:User"), Ok(Target::Resource));
    assert_eq!(
        find("NAME.givenname"),
        Ok(Target::Attribute(user.find(None, "name", Some("givenName")).unwrap()))
    );
    for (path, kind) in [
        ("nope", ResolveErrorKind::UnknownAttribute),
        ("name.nope", ResolveErrorKind::UnknownAttribute),
        ("title.nope", ResolveErrorKind::NotComplex),
        ("urn:example:2.0", ResolveErrorKind::UnknownSchema),
        ("urn:ietf:params:scim:schemas:core:2.0:User:nope", ResolveErrorKind::UnknownAttribute),
    ] {
        let error = find(path).unwrap_err();
        assert_eq!((error.kind(), error.scim_type().as_str()), (kind, "invalidPath"), "{path}");
    }
}
