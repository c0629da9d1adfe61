//! What filters mean: RFC 7644 §3.4.2.2 by requirement, and the readings where the RFC leaves room.

use scim2_core::schema::{ResourceType, Schema};
use scim2_core::{Compat, CompiledType, Object, Registry, SchemaUri, ScimType};
use scim2_filter::{
    CompiledFilter, Condition, Filter, FilterParser, Leniency, ResolveErrorKind as Kind, Resolver,
};

const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

const USER: &str = r#"{
    "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User",
                "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"],
    "id": "2819c223-7F76", "externalId": "701984", "userName": "bjensen@example.com",
    "name": {"givenName": "Barbara", "familyName": "Jensen", "middleName": ""},
    "displayName": "Babs Jensen", "nickName": "Straße", "title": "", "userType": "Employee",
    "profileUrl": "https://login.example.com/bjensen", "active": true, "locale": null, "ims": [],
    "emails": [
        {"value": "bjensen@example.com", "type": "work", "primary": true},
        {"value": "babs@jensen.org", "type": "home"},
        {"value": "untyped@example.net"}
    ],
    "phoneNumbers": [{"value": "tel:+1-201-555-0123", "type": "work"}],
    "addresses": [{"type": "work", "locality": "Hollywood", "country": "US"}],
    "groups": [{"value": "e9e30dba", "$ref": "https://example.com/v2/Groups/e9e30dba", "display": "Tour Guides"}],
    "x509Certificates": [{"value": "MIIDQzCC"}],
    "roles": [{"value": "admin", "primary": true}, {"value": "user", "primary": false}],
    "meta": {"resourceType": "User", "created": "2010-01-23T04:56:22Z", "lastModified": "2011-05-13T04:42:34Z"},
    "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {
        "employeeNumber": "701984", "department": "Tour Operations",
        "manager": {"value": "26118915", "displayName": "John Smith"}
    }
}"#;

const GROUP: &str = r#"{
    "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "id": "e9e30dba", "displayName": "Tour Guides",
    "members": [{"value": "2819c223", "$ref": "https://example.com/v2/Users/2819c223", "type": "User"}],
    "meta": {"resourceType": "Group"}
}"#;

const THING: &str = r#"{
    "schemas": ["urn:example:schemas:2.0:Thing"], "id": "1",
    "count": 9007199254740993, "weight": 1.5, "zero": 0, "huge": 18446744073709551615,
    "tags": ["Red", "green"], "numbers": [1, 2, 3], "ready": false, "code": "AbC", "empty": {"a": "", "b": null},
    "seen": "2024-02-29T14:00:00+02:00", "dates": ["2020-01-01T00:00:00Z", "2021-01-01T00:00:00Z"],
    "blob": "AAEC", "padded": "AAE=", "parts": [{"names": ["x", "y"]}, {"names": ["z"]}], "word": "e\u0301t\u00e9"
}"#;

fn thing() -> Registry {
    let attribute = |name: &str, type_: &str, multi: bool, exact: bool| {
        format!(r#"{{"name":"{name}","type":"{type_}","multiValued":{multi},"caseExact":{exact}}}"#)
    };
    let complex = |name: &str, multi: bool, subs: &[String]| {
        format!(
            r#"{{"name":"{name}","type":"complex","multiValued":{multi},"subAttributes":[{}]}}"#,
            subs.join(",")
        )
    };
    let attributes = [
        attribute("count", "integer", false, false),
        attribute("weight", "decimal", false, false),
        attribute("zero", "integer", false, false),
        attribute("huge", "integer", false, false),
        attribute("tags", "string", true, false),
        attribute("numbers", "integer", true, false),
        attribute("ready", "boolean", false, false),
        attribute("code", "string", false, true),
        attribute("word", "string", false, false),
        attribute("seen", "dateTime", false, false),
        attribute("dates", "dateTime", true, false),
        attribute("blob", "binary", false, false),
        attribute("padded", "binary", false, false),
        complex(
            "empty",
            false,
            &[
                attribute("a", "string", false, false),
                attribute("b", "string", false, false),
                attribute("primary", "boolean", false, false),
            ],
        ),
        complex(
            "parts",
            true,
            &[attribute("names", "string", true, false), attribute("spare", "boolean", false, false)],
        ),
    ];
    let schema = format!(
        r#"{{"id":"urn:example:schemas:2.0:Thing","name":"Thing","attributes":[{}]}}"#,
        attributes.join(",")
    );
    let schema: Schema = serde_json::from_str(&schema).unwrap();
    let uri = SchemaUri::parse("urn:example:schemas:2.0:Thing").unwrap();
    Registry::with(vec![schema], vec![ResourceType::new("Thing", "/Things", uri)]).unwrap()
}

/// One resource with its type.
struct Subject {
    registry: Registry,
    name: &'static str,
    resource: Object,
}

impl Subject {
    fn user() -> Self {
        Self { registry: Registry::standard(), name: "User", resource: serde_json::from_str(USER).unwrap() }
    }

    fn group() -> Self {
        Self { registry: Registry::standard(), name: "Group", resource: serde_json::from_str(GROUP).unwrap() }
    }

    fn thing() -> Self {
        Self { registry: thing(), name: "Thing", resource: serde_json::from_str(THING).unwrap() }
    }

    fn type_(&self) -> &CompiledType {
        self.registry.resource_type(self.name).unwrap()
    }

    fn compile(&self, text: &str, compat: Compat) -> CompiledFilter {
        let filter = FilterParser::new().leniency((&compat).into()).parse(text);
        let filter = filter.unwrap_or_else(|error| panic!("{text}: {error}"));
        CompiledFilter::new(&filter, self.type_(), compat).unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    #[track_caller]
    fn yes(&self, text: &str) {
        assert!(self.compile(text, Compat::strict()).matches(&self.resource), "should match: {text}");
        self.agrees_with_default(text);
    }

    #[track_caller]
    fn no(&self, text: &str) {
        assert!(!self.compile(text, Compat::strict()).matches(&self.resource), "should not match: {text}");
        self.agrees_with_default(text);
    }

    /// Leniency gives a meaning to what had none; it changes no meaning.
    #[track_caller]
    fn agrees_with_default(&self, text: &str) {
        assert_eq!(self.compile(text, Compat::strict()), self.compile(text, Compat::default()), "{text}");
    }

    /// Refused by the strict mode and the default mode alike.
    #[track_caller]
    fn never(&self, text: &str, kind: Kind) {
        for compat in [Compat::strict(), Compat::default(), Compat::profile()] {
            self.refused(text, kind, compat);
        }
    }

    /// A match in the default mode.
    #[track_caller]
    fn yes_in_default(&self, text: &str) {
        let compat = Compat::default();
        let filter = FilterParser::new().leniency((&compat).into()).parse(text).expect(text);
        let compiled = CompiledFilter::new(&filter, self.type_(), compat).expect(text);
        assert!(compiled.matches(&self.resource), "should match: {text}");
    }

    /// Refused by the grammar of this mode, or else as the kinds say.
    #[track_caller]
    fn refused_as(&self, text: &str, kinds: &[Kind], compat: Compat) {
        let parser = FilterParser::new().leniency((&compat).into());
        let Ok(filter) = parser.parse(text) else { return };
        let error = CompiledFilter::new(&filter, self.type_(), compat).expect_err(text);
        assert!(kinds.contains(&error.kind()), "{text}: {error}");
    }

    #[track_caller]
    fn refused(&self, text: &str, kind: Kind, compat: Compat) {
        let filter = FilterParser::new().leniency((&compat).into()).parse(text).expect(text);
        let error = CompiledFilter::new(&filter, self.type_(), compat).expect_err(text);
        assert_eq!(error.kind(), kind, "{text}: {error}");
        assert_eq!(error.scim_type(), ScimType::InvalidFilter);
    }

    /// Refused by the strict mode; a match in the default mode.
    #[track_caller]
    fn lenient(&self, text: &str, kind: Kind) {
        let filter = FilterParser::new().leniency((&Compat::default()).into()).parse(text).expect(text);
        let error = CompiledFilter::new(&filter, self.type_(), Compat::strict()).expect_err(text);
        assert_eq!(error.kind(), kind, "{text}: {error}");
        assert!(self.compile(text, Compat::default()).matches(&self.resource), "should match: {text}");
    }
}

#[test]
fn s_3_4_2_2_05_eq_and_ne() {
    let user = Subject::user();
    user.yes(r#"userName eq "bjensen@example.com""#);
    user.no(r#"userName eq "bjensen""#);
    user.no(r#"userName ne "bjensen@example.com""#);
    user.yes(r#"userName ne "bjensen""#);
    user.yes("active eq true");
    user.no("active eq false");
    user.yes("active ne false");
    user.yes(r#"x509Certificates.value eq "MIIDQzCC""#);
    user.no(r#"x509Certificates.value eq "miidqzcc""#);
    let thing = Subject::thing();
    thing.yes("ready eq false");
    thing.no("ready ne false");
    thing.yes(r#"blob eq "AAEC""#);
    thing.no(r#"blob eq "aaec""#);
    thing.yes(r#"padded eq "AAE""#);
    thing.yes(r#"padded eq "AAE=""#);
    thing.no(r#"padded ne "AAE""#);
    thing.no(r#"padded eq "aae""#);
}

#[test]
fn s_3_4_2_2_06_substrings_include_equality() {
    let user = Subject::user();
    for op in ["co", "sw", "ew"] {
        user.yes(&format!(r#"userName {op} "bjensen@example.com""#));
        user.yes(&format!(r#"userName {op} """#));
        user.no(&format!(r#"userName {op} "bjensen@example.com.""#));
        user.no(&format!(r#"locale {op} """#));
    }
    user.yes(r#"userName co "sen@ex""#);
    user.no(r#"userName sw "jensen""#);
    user.yes(r#"userName sw "BJEN""#);
    user.yes(r#"userName ew ".COM""#);
    user.no(r#"userName ew ".co""#);
    user.yes(r#"profileUrl sw "https://""#);
}

#[test]
fn s_3_4_2_2_07_and_a_33_presence() {
    let user = Subject::user();
    user.yes("userName pr");
    user.yes("active pr");
    user.no("preferredLanguage pr");
    user.no("title pr"); // ""
    user.no("locale pr"); // null
    user.no("ims pr"); // []
    user.yes("name pr");
    user.yes("name.givenName pr");
    user.no("name.middleName pr"); // ""
    user.no("name.honorificPrefix pr");
    user.yes("emails pr");
    user.yes("emails.primary pr");
    user.yes("roles.primary pr");
    user.yes("emails[primary pr]");
    user.no("photos pr");
    user.no("photos.value pr");
    user.yes("meta pr");
    user.yes("schemas pr");
    let thing = Subject::thing();
    thing.yes("zero pr");
    thing.yes("ready pr"); // false
    thing.no("empty pr"); // only empty nodes
    thing.yes("tags pr");
    thing.yes("parts pr");
    thing.yes("parts.names pr");
}

#[test]
fn s_3_4_2_2_08_order_of_strings() {
    let user = Subject::user();
    user.yes(r#"displayName gt "babs j""#);
    user.no(r#"displayName gt "BABS JENSEN""#);
    user.yes(r#"displayName ge "BABS JENSEN""#);
    user.yes(r#"displayName lt "babs z""#);
    user.no(r#"displayName lt "Babs Jensen""#);
    user.yes(r#"displayName le "Babs Jensen""#);
    user.no(r#"locale gt """#);
    let thing = Subject::thing();
    thing.yes(r#"code lt "abc""#); // with case, capitals come first
    thing.no(r#"code lt "ABC""#);
}

#[test]
fn s_3_4_2_2_08_order_of_dates() {
    let user = Subject::user();
    user.yes(r#"meta.lastModified ge "2011-05-13T04:42:34Z""#);
    user.no(r#"meta.lastModified gt "2011-05-13T04:42:34Z""#);
    user.yes(r#"meta.lastModified gt "2011-05-13T04:42:33.999Z""#);
    user.yes(r#"meta.lastModified le "2011-05-13T04:42:34Z""#);
    user.yes(r#"meta.lastModified lt "2011-05-13T04:42:34.001Z""#);
    user.yes(r#"meta.lastModified eq "2011-05-13T06:42:34+02:00""#);
    user.no(r#"meta.lastModified ne "2011-05-13T04:42:34.000Z""#);
    user.yes(r#"meta.created lt "2011-01-01T00:00:00Z""#);
    let thing = Subject::thing();
    thing.yes(r#"seen eq "2024-02-29T12:00:00Z""#);
    thing.yes(r#"seen lt "2024-02-29T13:00:00Z""#); // though its text is greater
    thing.yes(r#"dates ge "2021-01-01T00:00:00Z""#);
    thing.no(r#"dates gt "2021-01-01T00:00:00Z""#);
}

#[test]
fn s_3_4_2_2_08_order_of_numbers() {
    let thing = Subject::thing();
    thing.yes("count eq 9007199254740993");
    thing.no("count eq 9007199254740992"); // the same double
    thing.yes("count gt 9007199254740992");
    thing.yes("count lt 9007199254740994");
    thing.yes("huge eq 18446744073709551615");
    thing.no("huge gt 18446744073709551615");
    thing.yes("huge lt 1e400");
    thing.yes("huge gt -1e400");
    thing.yes("weight eq 1.50");
    thing.yes("weight gt 1");
    thing.yes("weight lt 2");
    thing.yes("weight eq 15e-1");
    thing.yes("zero eq -0");
    thing.yes("zero eq 0.0");
    thing.yes("zero le 0");
    thing.yes("numbers gt 2");
    thing.no("numbers gt 3");
}

#[test]
fn s_3_4_2_2_09_and_a_45_operators_by_type() {
    let user = Subject::user();
    for op in ["gt", "ge", "lt", "le", "co", "sw", "ew"] {
        user.never(&format!("active {op} true"), Kind::Operator);
        user.never(&format!("emails[primary {op} true]"), Kind::Operator);
        user.never(&format!(r#"x509Certificates.value {op} "A""#), Kind::Operator);
        user.never(&format!(r#"x509Certificates[value {op} "A"]"#), Kind::Operator);
    }
    for op in ["co", "sw", "ew"] {
        user.never(&format!(r#"meta.created {op} "2011""#), Kind::Operator);
        Subject::thing().never(&format!("count {op} 1"), Kind::Operator);
        Subject::thing().never(&format!("weight {op} 1"), Kind::Operator);
    }
}

#[test]
fn s_3_4_2_2_10_and_11_logic() {
    let user = Subject::user();
    user.yes(r#"active eq true or title pr and title pr"#);
    user.no(r#"(active eq true or title pr) and title pr"#);
    user.yes("not (title pr)");
    user.no("not (userName pr)");
    user.yes("not (not (userName pr))");
    user.yes("not (title pr) and userName pr");
    user.no("not (title pr or userName pr)");
    user.yes("title pr or locale pr or userName pr");
    user.no("userName pr and active pr and title pr");
}

#[test]
fn s_3_4_2_2_12_value_paths_hold_for_one_element() {
    let user = Subject::user();
    user.yes(r#"emails[type eq "work" and value co "@example.com"]"#);
    user.no(r#"emails[type eq "home" and value co "@example.com"]"#);
    user.yes(r#"emails.type eq "home" and emails.value co "@example.com""#);
    user.yes(r#"emails[type eq "home"] and emails[value co "@example.com"]"#);
    user.yes(r#"emails[type eq "home" or type eq "work"]"#);
    user.yes(r#"emails[not (type eq "work")]"#);
    user.no(r#"phoneNumbers[not (type eq "work")]"#);
    user.yes(r#"not (emails[type eq "other"])"#);
    user.yes(r#"emails[not (type pr)]"#);
    user.no(r#"photos[type eq "photo"]"#);
    user.no(r#"photos[not (type eq "photo")]"#); // no element at all
    user.yes(r#"name[givenName eq "barbara"]"#); // a list of one
    user.yes(r#"groups[$ref eq "https://example.com/v2/Groups/e9e30dba"]"#);
    user.yes(r#"schemas[value ew ":core:2.0:User"]"#);
    Subject::thing().yes(r#"tags[value eq "red"]"#);
    Subject::thing().yes(r#"parts[names eq "x" and names eq "y"]"#);
    Subject::thing().no(r#"parts[names eq "x" and names eq "z"]"#);
}

#[test]
fn s_3_4_2_2_13_brackets_hold_sub_attributes() {
    let user = Subject::user();
    user.never(r#"emails[userName eq "x"]"#, Kind::UnknownAttribute);
    user.never(r#"emails[emails.type eq "x"]"#, Kind::UnknownAttribute);
    user.never(r#"emails[nope pr]"#, Kind::UnknownAttribute);
    user.never(r#"emails[type.value eq "work"]"#, Kind::UnknownAttribute);
    user.never(r#"userName[value eq "x"]"#, Kind::NotComplex);
    user.never(r#"emails.type[value eq "x"]"#, Kind::NotComplex);
    user.never(r#"schemas[type eq "x"]"#, Kind::UnknownAttribute);
    user.never(&format!("{ENTERPRISE}[department pr]"), Kind::WholeSchema);
    user.yes(r#"emails[urn:ietf:params:scim:schemas:core:2.0:User:type eq "work"]"#);
    user.yes(r#"emails[urn:ietf:params:scim:schemas:core:2.0:User:emails.type eq "work"]"#);
    user.never(&format!(r#"emails[{ENTERPRISE}:type eq "work"]"#), Kind::UnknownAttribute);
    user.never(
        r#"emails[urn:ietf:params:scim:schemas:core:2.0:User:ims.type eq "work"]"#,
        Kind::UnknownAttribute,
    );
}

#[test]
fn c_2_4_03_an_absent_primary_counts_as_false() {
    let user = Subject::user(); // one e-mail address is primary, the others do not say
    user.yes("emails[primary eq false]");
    user.yes("emails.primary eq false");
    user.yes("emails.primary ne true");
    user.yes("emails[primary eq true]");
    user.no(r#"emails[value eq "bjensen@example.com" and primary eq false]"#);
    user.no(r#"emails[value eq "bjensen@example.com" and primary ne true]"#);
    user.yes("emails.primary ne false");
    user.yes("photos.primary ne true"); // nothing is equal
    user.no("photos[primary eq false]"); // there is no element to be false of
    let thing = Subject::thing(); // of no other boolean is that said, and of no singular attribute
    thing.no("parts.spare eq false");
    thing.no("parts[spare eq false]");
    thing.yes("parts.spare ne false");
    thing.no("empty.primary eq false");
}

#[test]
fn s_3_4_2_2_15_any_value_matches() {
    let user = Subject::user();
    user.yes(r#"emails.type eq "work""#);
    user.yes(r#"emails.type eq "HOME""#);
    user.no(r#"emails.type eq "other""#);
    user.yes(r#"roles.primary eq false"#);
    user.yes(r#"schemas eq "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User""#); // 21
    Subject::thing().yes(r#"tags eq "GREEN""#);
    Subject::thing().yes(r#"tags sw "re""#);
    Subject::thing().yes(r#"parts.names eq "z""#);
    Subject::group().yes(r#"members.value eq "2819c223""#);
}

#[test]
fn s_3_4_2_2_16_and_a_34_complex_attributes() {
    let user = Subject::user();
    user.never(r#"name eq "Barbara""#, Kind::Complex);
    user.never(r#"addresses co "Holly""#, Kind::Complex);
    user.never(r#"meta eq "User""#, Kind::Complex);
    user.yes(r#"emails co "jensen.org""#);
    user.yes(r#"emails eq "BABS@jensen.org""#);
    user.refused("emails eq true", Kind::Value, Compat::strict()); // text in default: Q-FILTER-UNQUOTED
    user.refused("roles gt true", Kind::Value, Compat::strict());
    user.yes(&format!(r#"{ENTERPRISE}:manager eq "26118915""#)); // Q-COMPLEX-EQ, Q-REF-CHECK
    Subject::thing().never(r#"parts eq "x""#, Kind::Complex);
}

#[test]
fn s_3_4_2_2_20_and_t_strings_compare_by_their_rule() {
    let user = Subject::user();
    user.yes(r#"USERNAME eq "BJensen@Example.com""#);
    user.yes(r#"userName eq "ｂｊｅｎｓｅｎ@example.com""#); // PRECIS: full width
    user.no(r#"id eq "2819C223-7F76""#); // caseExact
    user.yes(r#"id eq "2819c223-7F76""#);
    user.yes(r#"externalId eq "701984""#);
    user.no(r#"profileUrl eq "https://LOGIN.example.com/bjensen""#); // C-2.3.7-03
    user.yes(r#"nickName eq "STRASSE""#);
    user.yes(r#"nickName ew "SSE""#);
    user.no(r#"meta.resourceType eq "user""#);
    user.yes(r#"meta.resourceType eq "User""#);
    let thing = Subject::thing();
    thing.yes(r#"word eq "ÉTE\u0301""#); // composed and decomposed
    thing.yes(r#"word co "T""#);
    thing.no(r#"code eq "abc""#);
    thing.yes(r#"code sw "Ab""#);
}

#[test]
fn a_30_null_is_no_value() {
    let user = Subject::user();
    user.yes("preferredLanguage eq null");
    user.yes("locale eq null");
    user.yes("title eq null");
    user.no("userName eq null");
    user.yes("userName ne null");
    user.no("locale ne null");
    user.yes("photos eq null");
    user.no("emails eq null");
    user.yes("name.honorificSuffix eq null");
    user.yes("emails[type eq null]");
    user.no("phoneNumbers[type eq null]");
    for op in ["co", "sw", "ew", "gt", "ge", "lt", "le"] {
        user.never(&format!("userName {op} null"), Kind::Operator);
        user.never(&format!("active {op} null"), Kind::Operator);
    }
}

#[test]
fn a_31_ne_holds_without_a_value() {
    let user = Subject::user();
    user.yes(r#"preferredLanguage ne "en""#);
    user.yes(r#"locale ne "en""#);
    user.yes(r#"photos.value ne "x""#);
    user.yes(r#"photos ne "x""#);
    user.yes(r#"emails[type ne "work" and value ew ".net"]"#);
    user.no(r#"preferredLanguage eq "en""#);
}

#[test]
fn a_32_ne_asks_whether_any_value_differs() {
    let user = Subject::user();
    user.yes(r#"emails.type ne "work""#);
    user.no(r#"phoneNumbers.type ne "work""#);
    user.no(r#"not (emails.type eq "work")"#);
    user.yes(r#"not (emails.type eq "other")"#);
    user.no("active ne true");
}

#[test]
fn a_35_members_by_id() {
    let group = Subject::group();
    group.yes(r#"members eq "2819c223""#);
    group.yes(r#"members[value eq "2819c223"]"#);
    group.yes(r#"members.value eq "2819c223""#);
    group.yes(r#"members.$ref eq "https://example.com/v2/Users/2819c223""#);
    group.no(r#"members eq "other""#);
    group.yes(r#"id eq "e9e30dba" and members eq "2819c223""#); // Q-FILTER-ID
}

#[test]
fn a_43_words_without_quotes_for_strings_only() {
    let user = Subject::user();
    user.lenient("userName eq bjensen@example.com", Kind::Value);
    user.lenient("emails[type eq work]", Kind::Value);
    user.lenient("(meta.resourceType eq User) or (meta.resourceType eq Group)", Kind::Value);
    user.lenient("profileUrl sw https://login", Kind::Value);
    user.refused("meta.created gt 2011-05-13T04:42:34Z", Kind::Value, Compat::default());
    user.refused("x509Certificates.value eq MIIDQzCC", Kind::Value, Compat::default());
    user.refused("active eq yes", Kind::Value, Compat::default());
}

#[test]
fn a_44_booleans_and_numbers_as_strings() {
    let user = Subject::user();
    user.lenient(r#"active eq "true""#, Kind::Value);
    user.lenient(r#"active eq "True""#, Kind::Value);
    user.lenient(r#"active ne "FALSE""#, Kind::Value);
    user.lenient(r#"roles[primary eq "True"]"#, Kind::Value);
    user.never(r#"active eq "yes""#, Kind::Value);
    user.never("active eq 1", Kind::Value);
    // The default mode takes both as text: Q-FILTER-UNQUOTED.
    user.refused("userName eq 5", Kind::Value, Compat::strict());
    user.refused("userName eq true", Kind::Value, Compat::strict());
    let thing = Subject::thing();
    thing.lenient(r#"count gt "9007199254740992""#, Kind::Value);
    thing.lenient(r#"weight eq "1.5""#, Kind::Value);
    thing.never(r#"count eq "many""#, Kind::Value);
    thing.never("count eq true", Kind::Value);
}

#[test]
fn a_46_date_literals() {
    let user = Subject::user();
    user.yes(r#"meta.lastModified eq "2011-05-13T04:42:34""#);
    user.never(r#"meta.lastModified gt "2011-05-13""#, Kind::Value);
    user.never(r#"meta.lastModified gt "yesterday""#, Kind::Value);
    user.never("meta.lastModified gt 2011", Kind::Value);
}

#[test]
fn a_47_unknown_attributes() {
    let user = Subject::user();
    user.never("nope pr", Kind::UnknownAttribute);
    user.never("name.nope pr", Kind::UnknownAttribute);
    user.never("nope[a pr]", Kind::UnknownAttribute);
    user.never("userName.value pr", Kind::NotComplex);
    user.never(&format!("{ENTERPRISE}:nope pr"), Kind::UnknownAttribute);
    user.never("userName pr and nope pr", Kind::UnknownAttribute);
    user.never("members pr", Kind::UnknownAttribute);
    // Nor is a schema nobody registered: a client that finds nobody creates a second resource.
    for unknown in [
        "urn:example:params:scim:schemas:extension:2.0:User:colour",
        "urn:ietf:params:scim:schemas:extension:enterprize:2.0:User:department",
        "foo:bar:x",
        "https://example.com/user:colour",
    ] {
        user.never(&format!("{unknown} pr"), Kind::UnknownSchema);
        user.never(&format!(r#"{unknown} eq "red""#), Kind::UnknownSchema);
        user.never(&format!(r#"not ({unknown} ne "red")"#), Kind::UnknownSchema);
        user.never(&format!(r#"userName pr or {unknown} eq null"#), Kind::UnknownSchema);
        user.never(&format!("{unknown}[a pr]"), Kind::UnknownSchema);
    }
}

#[test]
fn a_48_schemas_are_split_by_the_longest_known() {
    let user = Subject::user();
    user.yes(r#"urn:ietf:params:scim:schemas:core:2.0:User:userName sw "b""#);
    user.yes(r#"URN:IETF:PARAMS:SCIM:SCHEMAS:CORE:2.0:USER:name.GIVENNAME eq "barbara""#);
    user.yes(&format!(r#"{ENTERPRISE}:employeeNumber eq "701984""#));
    user.yes(&format!(r#"{ENTERPRISE}:manager.displayName co "smith""#));
    user.yes(&format!(r#"{ENTERPRISE}:manager[value eq "26118915"]"#));
    user.yes(&format!(r#"{ENTERPRISE}:manager[{ENTERPRISE}:value eq "26118915"]"#));
    user.yes(&format!(r#"{ENTERPRISE}:manager[{ENTERPRISE}:manager.displayName pr]"#));
    user.yes(&format!("{ENTERPRISE} pr"));
    user.never(&format!(r#"{ENTERPRISE} eq "x""#), Kind::WholeSchema);
    user.never("urn:ietf:params:scim:schemas:core:2.0:User pr", Kind::WholeSchema);
    let mut bare = Subject::user();
    bare.resource.remove(ENTERPRISE);
    bare.no(&format!("{ENTERPRISE} pr"));
    bare.no(&format!("{ENTERPRISE}:department pr"));
    bare.yes(&format!(r#"{ENTERPRISE}:department ne "x""#));
}

#[test]
fn a_49_core_schema_of_another_type() {
    let user = Subject::user();
    user.never("urn:ietf:params:scim:schemas:core:2.0:Group:displayName pr", Kind::UnknownSchema);
    user.never("urn:ietf:params:scim:schemas:core:2.0:Usr:displayName pr", Kind::UnknownSchema);
    Subject::group().never("urn:ietf:params:scim:schemas:core:2.0:User:userName pr", Kind::UnknownSchema);
}

#[test]
fn quirks_of_names() {
    let user = Subject::user();
    // Q-EXT-SHORT-NAME
    user.lenient(r#"department eq "tour operations""#, Kind::UnknownAttribute);
    user.lenient(r#"manager eq "26118915""#, Kind::UnknownAttribute);
    user.lenient(r#"manager.value eq "26118915""#, Kind::UnknownAttribute);
    // Q-URN-WRONG
    user.lenient("urn:ietf:params:scim:schemas:core:2.0:User.userName pr", Kind::UnknownSchema);
    user.lenient(&format!("{ENTERPRISE}.manager.value pr"), Kind::UnknownSchema);
    user.lenient("urn:scim:schemas:core:1.0:userName pr", Kind::UnknownSchema);
    for uri in [
        "urn:scim:schemas:extension:enterprise:1.0",
        "urn:scim:schemas:extension:enterprise:2.0:User",
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0",
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0User",
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0.User",
        "urn:ietf:params:scim:schemas:extension:enterprise:1.0:User",
    ] {
        user.lenient(&format!("{uri}:department pr"), Kind::UnknownSchema);
    }
}

#[test]
fn a_36_sub_attribute_outside_is_of_the_same_element() {
    let user = Subject::user();
    let matches = |text: &str| user.compile(text, Compat::default()).matches(&user.resource);
    assert!(matches(r#"emails[type eq "work"].value eq "bjensen@example.com""#));
    assert!(!matches(r#"emails[type eq "home"].value eq "bjensen@example.com""#));
    assert!("emails[type eq \"work\"].value pr".parse::<Filter>().is_err());
}

#[test]
fn common_attributes_are_always_known() {
    for subject in [Subject::user(), Subject::group(), Subject::thing()] {
        for text in ["id pr", "schemas pr", "externalId pr or id pr", "meta.resourceType pr or id pr"] {
            subject.yes(text);
        }
    }
}

#[test]
fn never_returned_attributes_cannot_be_tested() {
    let user = Subject::user();
    user.never(r#"password eq "t1meMa$heen""#, Kind::NeverReturned);
    user.never("password pr", Kind::NeverReturned);
    user.never("not (password eq null)", Kind::NeverReturned);
}

#[test]
fn parts_of_never_returned_attributes_cannot_be_tested() {
    let schema = r#"{"id":"urn:example:Safe","name":"Safe","attributes":[
        {"name":"shut","type":"complex","returned":"never","subAttributes":[{"name":"s"},{"name":"value"}]},
        {"name":"keys","type":"complex","multiValued":true,"mutability":"writeOnly","subAttributes":[{"name":"value"}]}]}"#;
    let type_ = r#"{"name":"Safe","endpoint":"/Safes","schema":"urn:example:Safe"}"#;
    let schemas: Vec<Schema> = vec![serde_json::from_str(schema).unwrap()];
    let types: Vec<ResourceType> = vec![serde_json::from_str(type_).unwrap()];
    let registry = Registry::with(schemas, types).unwrap();
    let type_ = registry.resource_type("Safe").unwrap();
    let resolver = Resolver::new(type_, Compat::default());
    for text in [
        r#"shut.s eq "3""#,
        "not (shut.s pr)",
        "shut[s pr]",
        "shut pr",
        r#"shut eq "x""#,
        r#"keys.value eq "k""#,
        r#"keys[value eq "k"]"#,
        "keys.value eq null",
    ] {
        let filter: Filter = text.parse().unwrap();
        let error = resolver.filter(&filter).expect_err(text);
        assert_eq!(
            (error.kind(), error.scim_type().as_str()),
            (Kind::NeverReturned, "invalidFilter"),
            "{text}"
        );
    }
    for text in ["shut.s", "shut", "keys.value", "keys"] {
        let error = resolver.sort_key(&text.parse().unwrap()).expect_err(text);
        assert_eq!(error.kind(), Kind::NeverReturned, "{text}");
    }
}

#[test]
fn a_43_json_arrays_and_objects_are_not_words() {
    for text in
        ["title eq {}", "title eq {", "title eq }", r#"title eq {"a":1}"#, "title eq a{b}", "title eq []"]
    {
        assert!(text.parse::<Filter>().is_err(), "{text}");
        assert!(FilterParser::new().leniency(Leniency::ALL).parse(text).is_err(), "{text}");
    }
}

#[test]
fn s_3_4_2_1_03_unknown_attributes_in_a_query_over_types() {
    let group = Subject::group();
    let compile = |text: &str| {
        let filter: Filter = text.parse().unwrap();
        Resolver::new(group.type_(), Compat::strict()).unknown_is_absent().filter(&filter)
    };
    for (text, expected) in [
        (r#"userName eq "x""#, false),
        (r#"userName ne "x""#, true),
        ("userName pr", false),
        ("userName eq null", true),
        ("userName ne null", false),
        ("not (userName pr)", true),
        ("emails[type pr]", false),
        ("urn:ietf:params:scim:schemas:core:2.0:User:userName pr", false),
        (r#"userName eq "x" or displayName eq "tour guides""#, true),
        (r#"displayName eq "tour guides" and userName pr"#, false),
        (r#"meta.resourceType eq "User" or meta.resourceType eq "Group""#, true),
        (&format!(r#"{ENTERPRISE}:department eq "x""#), false),
    ] {
        assert_eq!(compile(text).unwrap().matches(&group.resource), expected, "{text}");
    }
    // That is not a leniency: the RFC asks for it.
    let unknown = "urn:example:2.0:Thing:x pr or nope pr".parse().unwrap();
    for compat in [Compat::strict(), Compat::default()] {
        let compiled = Resolver::new(group.type_(), compat).unknown_is_absent().filter(&unknown).unwrap();
        assert_eq!(compiled.leniencies(), []);
    }
    // Attributes that the type has are still checked.
    assert_eq!(compile("displayName eq 1").unwrap_err().kind(), Kind::Value);
}

#[test]
fn conditions_fold_constants() {
    let group = Subject::group();
    let resolver = Resolver::new(group.type_(), Compat::strict()).unknown_is_absent();
    let condition = |text: &str| resolver.filter(&text.parse().unwrap()).unwrap().condition().clone();
    assert_eq!(condition("userName pr and displayName pr"), Condition::Never);
    assert_eq!(condition("not (userName pr)"), Condition::Always);
    assert_eq!(condition("not (userName pr) or displayName pr"), Condition::Always);
    assert!(matches!(condition("userName pr or displayName pr"), Condition::Present(_)));
    assert!(
        matches!(condition("displayName pr or id pr or userName pr"), Condition::Or(list) if list.len() == 2)
    );
}

#[test]
fn comparison_has_subject_operator_and_literal() {
    let user = Subject::user();
    let Condition::Compare(comparison) =
        user.compile(r#"emails co "EXAMPLE""#, Compat::strict()).condition().clone()
    else {
        panic!("a comparison")
    };
    assert_eq!(user.type_().attribute(comparison.subject().attribute()).path(), "emails.value");
    assert_eq!(comparison.value().as_str(), Some("EXAMPLE"));
    assert_eq!(comparison.op().as_str(), "co");
}

#[test]
fn element_filters_of_patch_paths() {
    let user = Subject::user();
    let resolver = Resolver::new(user.type_(), Compat::default());
    let emails = user.type_().find(None, "emails", None).unwrap();
    let filter = resolver.element_filter(&r#"type eq "WORK""#.parse().unwrap(), emails).unwrap();
    let elements = user.resource.get("emails").unwrap().as_array().unwrap();
    let matching: Vec<bool> = elements.iter().map(|element| filter.matches(element)).collect();
    assert_eq!(matching, [true, false, false]);
    let user_name = user.type_().find(None, "userName", None).unwrap();
    let error = resolver.element_filter(&"value pr".parse().unwrap(), user_name).unwrap_err();
    assert_eq!(error.kind(), Kind::NotComplex);
}

#[test]
fn error_lines() {
    let user = Subject::user();
    for (text, line) in [
        ("nope pr", "resource type User has no attribute `nope`"),
        ("emails[nope pr]", "resource type User has no attribute `emails.nope`"),
        (
            "urn:ietf:params:scim:schemas:core:2.0:Group:displayName pr",
            "resource type User has no schema that `urn:ietf:params:scim:schemas:core:2.0:Group:displayName` begins with",
        ),
        (r#"name eq "x""#, "`name` is complex: compare one of its sub-attributes"),
        ("userName.x pr", "`userName` has no sub-attributes"),
        ("active gt true", "`gt` does not apply to the boolean `active`"),
        ("userName co null", "`co` does not compare `userName` with null"),
        ("active eq 1", "expected a boolean for `active`, found a number"),
        (
            r#"meta.created gt "x""#,
            "expected a dateTime such as `2011-05-13T04:42:34Z` for `meta.created`, found a string",
        ),
        (r#"password eq "x""#, "`password` is never returned and cannot be filtered by"),
        (
            "urn:ietf:params:scim:schemas:core:2.0:User pr",
            "expected an attribute, found `urn:ietf:params:scim:schemas:core:2.0:User`, which is a whole schema",
        ),
        (
            r#"x509Certificates.value gt "A""#,
            "`gt` does not apply to the binary attribute `x509Certificates.value`",
        ),
        (r#"meta.created sw "2""#, "`sw` does not apply to the dateTime `meta.created`"),
        ("userName eq 5", "expected a string for `userName`, found a number"),
        (r#"active eq "yes""#, "expected a boolean for `active`, found a string"),
        ("userName eq true", "expected a string for `userName`, found a boolean"),
    ] {
        let error = CompiledFilter::new(&text.parse().unwrap(), user.type_(), Compat::strict()).unwrap_err();
        assert_eq!(error.to_string(), line);
    }
}

#[test]
fn numbers_compare_without_rounding() {
    let resource: Object =
        r#"{"weight":0.12345678901234567890,"count":123456789012345678901234567890}"#.parse().unwrap();
    let registry = thing();
    let type_ = registry.resource_type("Thing").unwrap();
    let matches = |text: &str| {
        let filter: Filter = text.parse().unwrap();
        CompiledFilter::new(&filter, type_, Compat::strict()).unwrap().matches(&resource)
    };
    for yes in [
        "weight eq 0.1234567890123456789",
        "weight eq 12345678901234567890e-20",
        "weight gt 0.12345678901234567889999",
        "weight lt 0.12345678901234567890001",
        "weight lt 1e999999999",
        "weight gt -1e999999999",
        "weight gt 1e-999999999",
        "count eq 123456789012345678901234567890",
        "count ne 123456789012345678901234567891",
        "count lt 123456789012345678901234567891",
    ] {
        assert!(matches(yes), "{yes}");
        assert!(!matches(&format!("not ({yes})")), "{yes}");
    }
    for no in [
        "weight eq 0.12345678901234568",
        "weight eq 0.123456789012345678901",
        "count eq 1.2345678901234568e29",
    ] {
        assert!(!matches(no), "{no}");
    }
}

#[test]
fn tolerated_deviations_are_reported() {
    let registry = Registry::standard();
    let user = registry.resource_type("User").unwrap();
    let told = |text: &str| {
        let compat = Compat::default();
        let (filter, used) = FilterParser::new().leniency(compat.into()).parse_reporting(text).unwrap();
        // The reported leniencies are enough to read the filter again, and each of them is needed.
        assert_eq!(FilterParser::new().leniency(used).parse(text).as_ref(), Ok(&filter), "{text}");
        let compiled = CompiledFilter::new(&filter, user, compat).unwrap();
        let mut told: Vec<_> = used.quirks().chain(compiled.leniencies().iter().copied()).collect();
        told.sort_by_key(|quirk| quirk.name());
        told.dedup();
        told.iter().map(|quirk| quirk.name()).collect::<Vec<_>>().join(" ")
    };
    for (text, expected) in [
        (r#"userName eq "a" and not (title pr)"#, ""),
        (r#"not(title pr) and active eq true"#, ""),
        ("userName eq bjensen", "filter-unquoted"),
        ("active eq TRUE", "filter-loose"),
        ("title eq NULL", "filter-loose"),
        (r#"userName eq"a""#, "filter-loose"),
        (r#"(title pr)and (userName pr)"#, "filter-loose"),
        (r#"(title pr) or(userName pr)"#, "filter-loose"),
        (r#"emails[type eq "work"].value eq "x""#, "filter-subattr-outside"),
        (r#"emails[primary eq "True"]"#, "string-bool-filter"),
        ("active eq false", ""),
        (r#"active eq "false""#, "string-bool-filter"),
        ("active eq False", "filter-loose"),
        (r#"department eq "x""#, "ext-short-name"),
        (r#"urn:scim:schemas:core:1.0:userName eq "x""#, "urn-wrong"),
        (r#"urn:ietf:params:scim:schemas:core:2.0:User.userName eq "x""#, "urn-wrong"),
        (r#"urn:ietf:params:scim:schemas:core:2.0:User.name.givenName eq "x""#, "urn-wrong"),
        (
            r#"emails[type eq work].value eq x and department eq "x""#,
            "ext-short-name filter-subattr-outside filter-unquoted",
        ),
    ] {
        assert_eq!(told(text), expected, "{text}");
    }
    let emails = user.find(None, "emails", None).unwrap();
    let filter: Filter = r#"primary eq "True""#.parse().unwrap();
    let element = Resolver::new(user, Compat::default()).element_filter(&filter, emails).unwrap();
    assert_eq!(element.leniencies(), [scim2_core::Quirk::StringBoolFilter]);
}

/// Q-FILTER-UNQUOTED: what a client means without quotes is known when the attribute is.
#[test]
fn literals_without_quotes_are_text_for_string_attributes() {
    let mut user = Subject::user();
    let resource = format!(
        r#"{{"userName":"0042","externalId":"701984","name":{{"familyName":"True","givenName":"O'Dora"}},
        "displayName":"007","active":true,"phoneNumbers":[{{"value":"+49301234567"}},{{"value":"123456"}}],
        "{ENTERPRISE}":{{"employeeNumber":"0042","costCenter":"1.50"}},
        "meta":{{"created":"2024-01-01T00:00:00Z"}}}}"#
    );
    user.resource = resource.parse().unwrap();
    for text in [
        "externalId eq 701984",
        "externalId sw 7019",
        "userName eq 0042",
        &format!("{ENTERPRISE}:employeeNumber eq 0042"),
        &format!("{ENTERPRISE}:costCenter eq 1.50"),
        "phoneNumbers.value eq 123456",
        "phoneNumbers eq 123456",
        "phoneNumbers[value eq 123456]",
        "phoneNumbers.value eq +49301234567",
        "name.familyName eq True",
        "name.familyName eq true", // compared without case
        "name.familyName eq TRUE",
        "name.givenName eq O'Dora",
        "displayName eq 007",
        "displayName ew 07",
    ] {
        user.yes_in_default(text);
        user.refused_as(text, &[Kind::Value], Compat::strict());
    }
    // The text is kept: a value with other leading zeros, signs or letter case is another value.
    for text in [
        "userName eq 42",
        "phoneNumbers.value eq 49301234567",
        "displayName eq 7",
        &format!("{ENTERPRISE}:costCenter eq 1.5"),
    ] {
        assert!(!user.compile(text, Compat::default()).matches(&user.resource), "{text}");
    }
    let unquoted = |text: &str| user.compile(text, Compat::default()).leniencies().to_vec();
    assert_eq!(unquoted("externalId eq 701984"), [scim2_core::Quirk::FilterUnquoted]);
    assert_eq!(unquoted("name.familyName eq True"), [scim2_core::Quirk::FilterUnquoted]);
    assert_eq!(unquoted("active eq True"), [scim2_core::Quirk::FilterLoose]);
    // `externalId` compares with case.
    user.resource = r#"{"externalId":"True"}"#.parse().unwrap();
    user.yes_in_default("externalId eq True");
    assert!(!user.compile("externalId eq true", Compat::default()).matches(&user.resource));
    // Other types take their own literals.
    for text in ["active eq 1", "active eq yes", "meta.created gt 2011", "meta.created gt 2011-05-13"] {
        user.refused(text, Kind::Value, Compat::default());
    }
    let thing = Subject::thing();
    for text in ["count eq 01", "count eq +1", "count eq 1.", "count eq True"] {
        thing.refused(text, Kind::Value, Compat::default());
    }
    for text in ["title eq .5", "title eq 1.2.3", "title eq 1e", "id eq 2819c223-7f76-453a", "title eq R&D"] {
        assert!(FilterParser::new().leniency(Leniency::ALL).parse(text).is_ok(), "{text}");
        assert!(text.parse::<Filter>().is_err(), "{text}");
    }
}

#[test]
fn token_that_cannot_be_text_is_refused_with_a_hint() {
    let lenient = FilterParser::new().leniency(Leniency::ALL);
    for (value, hint) in [
        ("%22x%22", "percent-encoded twice"),
        ("%2522x", "percent-encoded twice"),
        ("&quot;x&quot;", "HTML entity"),
        ("&#34;x&#34;", "HTML entity"),
        ("`x`", "double quotes, not backticks"),
        ("'x'", "double quotes, not single ones"),
        ("´x´", "double quotes, not backticks or accents"),
        ("“x”", "not typographic ones"),
        ("‘x’", "double quotes"),
        ("<x>", "placeholder"),
        ("x;", "double quotes"),
        ("1;", "double quotes"),
        ("x>", "double quotes"),
        ("x'", "double quotes"),
        ("?", "placeholder"),
        ("$1", "placeholder"),
        ("${user}", "placeholder"),
        ("{0}", "placeholder"),
        (":id", "placeholder"),
        ("%s", "placeholder"),
        ("undefined", "placeholder"),
        ("None", "placeholder"),
        ("nil", "placeholder"),
        ("NaN", "placeholder"),
        ("*", "wildcards"),
        ("jo*", "double quotes"),
    ] {
        for parser in [lenient, FilterParser::new()] {
            for text in [format!("userName eq {value}"), format!("emails[value eq {value}]")] {
                let error = parser.parse(&text).expect_err(&text);
                assert!(error.hint().is_some_and(|found| found.contains(hint)), "{text}: {error}");
            }
        }
    }
    for value in ["-", "+", "--", "'", "_", "="] {
        assert!(lenient.parse(&format!("userName eq {value}")).is_err(), "{value}");
    }
    let error = lenient.parse("userName%20eq%20%22x%22").unwrap_err();
    assert!(error.to_string().contains("encoded twice"), "{error}");
}

/// JSON reads `\b` as a backspace, and no name holds one.
#[test]
fn a_backslash_that_became_a_control_character_is_refused_in_default() {
    let user = Subject::user();
    for text in [
        r#"userName eq "CORP\bjorn""#,
        r#"userName eq "CORP\nancy""#,
        r#"userName eq "CORP\tom""#,
        r#"displayName eq "CORP\fred""#,
        r#"emails[value eq "CORP\bjorn"]"#,
        r#"title co "\u0007""#,
    ] {
        user.refused(text, Kind::Value, Compat::default());
        let filter: Filter = text.parse().unwrap();
        let error = CompiledFilter::new(&filter, user.type_(), Compat::default()).unwrap_err().to_string();
        assert!(error.contains(r"write `\\` for a backslash") && !error.contains("CORP"), "{error}");
        assert!(CompiledFilter::new(&filter, user.type_(), Compat::strict()).is_ok(), "{text}");
    }
    for text in [r#"userName eq "CORP\\bjorn""#, r#"addresses.formatted co "Plaza\nHollywood""#] {
        user.compile(text, Compat::default());
    }
}

#[test]
fn value_paths_on_multi_valued_sub_attributes_choose_values() {
    let schema = r#"{"id":"urn:example:2.0:Org","attributes":[
        {"name":"org","type":"complex","subAttributes":[
            {"name":"floors","multiValued":true},{"name":"levels","type":"integer","multiValued":true},{"name":"name"}]},
        {"name":"grants","type":"complex","multiValued":true,"subAttributes":[
            {"name":"scopes","multiValued":true},{"name":"type"},
            {"name":"secrets","multiValued":true,"returned":"never"}]}]}"#;
    let thing = r#"{"name":"Org","endpoint":"/Orgs","schema":"urn:example:2.0:Org"}"#;
    let registry = Registry::with(
        vec![serde_json::from_str(schema).unwrap()],
        vec![serde_json::from_str(thing).unwrap()],
    );
    let registry = registry.unwrap();
    let type_ = registry.resource_type("Org").unwrap();
    let resource: Object = r#"{"org":{"floors":["1","2a"],"levels":[3,7]},
        "grants":[{"type":"a","scopes":["read","write"]},{"type":"b","scopes":["admin"]},{"type":"c"}]}"#
        .parse()
        .unwrap();
    let matches = |text: &str| {
        let filter: Filter = text.parse().unwrap();
        assert_eq!(filter.to_string(), text);
        CompiledFilter::new(&filter, type_, Compat::strict()).map(|filter| filter.matches(&resource))
    };
    for (text, expected) in [
        (r#"org.floors[value eq "1"]"#, true),
        (r#"urn:example:2.0:Org:org.floors[value eq "1"]"#, true),
        (r#"org.floors[value eq "3"]"#, false),
        (r#"org.floors[value sw "2" and value ew "a"]"#, true),
        (r#"org.floors[value sw "1" and value ew "a"]"#, false), // no one value is both
        (r#"org.floors[not (value eq "1")]"#, true),
        (r#"not (org.floors[value eq "1"])"#, false),
        ("org.levels[value gt 3 and value le 7]", true),
        ("org.levels[value gt 3 and value lt 7]", false),
        (r#"grants.scopes[value eq "admin"]"#, true),
        (r#"grants.scopes[value sw "a" and value ew "d"]"#, false),
        ("grants.scopes[value pr]", true),
    ] {
        assert_eq!(matches(text), Ok(expected), "{text}");
    }
    let kind = |text: &str| matches(text).unwrap_err().kind();
    assert_eq!(kind("org.name[value pr]"), Kind::NotComplex);
    assert_eq!(kind("org.floors[type pr]"), Kind::UnknownAttribute);
    assert_eq!(kind("grants.secrets[value pr]"), Kind::NeverReturned);
}

#[test]
fn values_of_another_type_than_the_attribute_equal_nothing() {
    let mut user = Subject::user();
    let resource = r#"{"userName":5,"active":"true","emails":"x","name":"Ada","title":true,
        "meta":{"created":7},"displayName":["a","B"]}"#;
    user.resource = resource.parse().unwrap();
    for text in [
        r#"userName eq "5""#,
        r#"userName co """#,
        r#"userName gt """#,
        "active eq true",
        "active eq false",
        r#"meta.created le "2024-01-01T00:00:00Z""#,
        "emails.value pr",
        r#"emails[value eq "x"]"#,
        "name.givenName pr",
        r#"title eq "true""#,
    ] {
        user.no(text);
    }
    user.yes(r#"userName ne "5""#);
    user.yes("active ne true");
    user.yes("userName pr");
    user.yes("emails pr");
    user.yes(r#"displayName eq "b""#); // a list where there should be none
}

#[test]
fn condition_reports_the_tested_attributes() {
    let user = Subject::user();
    let resolver = Resolver::new(user.type_(), Compat::strict());
    let id = |path: &str| match resolver.attribute(&path.parse().unwrap()) {
        Ok(scim2_filter::Target::Attribute(id)) => id,
        other => panic!("{path}: {other:?}"),
    };
    let condition = |text: &str| user.compile(text, Compat::strict()).condition().clone();
    let mentions = |text: &str, path: &str| {
        let wanted = id(path);
        condition(text).mentions(&|attribute| attribute == wanted)
    };
    let text = r#"(userName eq "a" or not (title pr)) and emails[type eq "work" and value pr]"#;
    for path in ["userName", "title", "emails", "emails.type", "emails.value"] {
        assert!(mentions(text, path), "{path}");
    }
    for path in ["displayName", "emails.primary", "ims.type"] {
        assert!(!mentions(text, path), "{path}");
    }
    let present = format!("{ENTERPRISE} pr");
    assert!(!mentions(&present, "userName"));
    let Condition::HasExtension(extension) = condition(&present) else { panic!("an extension") };
    assert_eq!(Some(extension.extension()), user.type_().find_extension(ENTERPRISE));
    let operand = |text: &str| match condition(text) {
        Condition::Compare(comparison) => {
            format!("{:?} {:?}", comparison.operand(), comparison.value().as_str())
        }
        other => panic!("{other:?}"),
    };
    assert_eq!(
        operand(r#"displayName eq "STRASSE""#),
        r#"Text { key: "strasse", rule: CaseIgnore } Some("STRASSE")"#
    );
    assert_eq!(operand("active ne false"), "Bool(false) None");
    let emails = user.type_().find(None, "emails", None).unwrap();
    let element = resolver.element_filter(&"type pr".parse().unwrap(), emails).unwrap();
    assert!(element.condition().mentions(&|attribute| attribute == id("emails.type")));
}

#[test]
fn constants_within_lists_and_negations_are_folded() {
    let group = Subject::group();
    let resolver = Resolver::new(group.type_(), Compat::strict()).unknown_is_absent();
    let condition = |text: &str| resolver.filter(&text.parse().unwrap()).unwrap().condition().clone();
    assert_eq!(condition("userName pr or title pr"), Condition::Never);
    assert_eq!(condition("not (userName pr) and not (title pr)"), Condition::Always);
    assert_eq!(condition("not (not (userName pr))"), Condition::Never);
    assert_eq!(condition("displayName pr and not (userName pr)"), condition("displayName pr"));
    assert_eq!(condition("not (displayName pr or not (userName pr))"), Condition::Never);
    let Condition::Not(inner) = condition("not (displayName pr)") else { panic!("a not") };
    assert_eq!(*inner, condition("displayName pr"));
}

#[test]
fn null_and_partial_elements_match_by_what_they_hold() {
    let mut user = Subject::user();
    let resource = r#"{"emails":[{"value":"a@x","primary":false},{"value":"b@x","primary":null}],
        "phoneNumbers":[],"ims":[null,{"value":"i"}]}"#;
    user.resource = resource.parse().unwrap();
    user.yes(r#"emails[primary eq false and value eq "b@x"]"#);
    user.yes("emails.primary eq false");
    user.no("emails.primary eq true");
    user.no("emails.primary ne false");
    user.yes("phoneNumbers.primary ne false"); // there is nobody to be equal
    user.no("phoneNumbers[primary ne false]");
    user.yes("ims pr");
    user.yes("ims[primary eq false]");
    user.no("ims[type pr]");
    user.yes(r#"ims.type ne "aim""#);
}
