//! What is allocated, counted on the thread that does the work.

use allocation_counter::measure;
use scim2_core::{Compat, Object, Registry};
use scim2_filter::{CompiledFilter, Filter};

const USER: &str = r#"{
    "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User",
                "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"],
    "id": "2819c223-7F76", "userName": "BJensen@example.com", "active": true,
    "displayName": "BARBARA JENSÉN-GROẞ", "title": "Directrice ge\u0301ne\u0301rale", "nickName": "Бάβς",
    "name": {"givenName": "Barbara", "familyName": "Jensen"},
    "emails": [
        {"value": "BABS@jensen.org", "type": "home"},
        {"value": "bjensen@Example.com", "type": "work", "primary": true}
    ],
    "meta": {"resourceType": "User", "lastModified": "2011-05-13T04:42:34Z"},
    "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {"employeeNumber": "701984"}
}"#;

#[test]
fn evaluation_allocates_nothing() {
    let registry = Registry::standard();
    let type_ = registry.resource_type("User").unwrap();
    let user: Object = USER.parse().unwrap();
    for text in [
        r#"userName eq "bjensen@EXAMPLE.com""#,
        r#"userName co "JENSEN" and userName sw "BJ" and userName ew ".COM""#,
        r#"emails[type eq "WORK" and value co "@example.com"] or ims[type eq "xmpp" and value co "@foo.com"]"#,
        r#"emails.value gt "a" and emails ne "x" and not (locale pr)"#,
        r#"displayName eq "barbara jensén-gross" and displayName sw "BARBARA" and displayName co "SÉN""#,
        r#"title eq "directrice g\u00E9n\u00E9rale" and title ew "RALE" and nickName gt "бά""#,
        r#"active eq true and emails.primary eq true"#,
        r#"meta.lastModified ge "2011-05-13T06:42:34+02:00""#,
        r#"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:employeeNumber eq "701984""#,
        r#"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User pr"#,
    ] {
        let filter: Filter = text.parse().unwrap();
        let compiled = CompiledFilter::new(&filter, type_, Compat::strict()).unwrap();
        let counted = measure(|| assert!(compiled.matches(&user), "{text}"));
        assert_eq!(counted.count_total, 0, "{text}");
        let negated = CompiledFilter::new(&filter.negate().unwrap(), type_, Compat::strict()).unwrap();
        assert_eq!(measure(|| assert!(!negated.matches(&user))).count_total, 0, "{text}");
    }
}

#[test]
fn reading_allocates_for_structure_only() {
    let count = |text: &str| measure(|| assert!(text.parse::<Filter>().is_ok())).count_total;
    assert_eq!(count(r#"userName eq "bjensen""#), 0);
    assert_eq!(count("name.givenName pr"), 0);
    assert_eq!(count(r#"not (userName eq "bjensen")"#), 1);
    assert_eq!(count(r#"emails[type eq "work"]"#), 1);
}
