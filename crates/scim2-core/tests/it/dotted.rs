//! Keys of bodies that are paths ([`Quirk::DottedKeys`]), and short names that several extensions have.

use scim2_core::schema::{ResourceType, Schema};
use scim2_core::validate::{Canonical, IgnoredReason, Purpose, ValidationError, ValidationErrorKind as Kind};
use scim2_core::{Compat, CompiledType, Quirk, Registry};

use crate::object;

const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

fn create(members: &str, compat: &Compat) -> Result<Canonical, ValidationError> {
    let registry = Registry::standard();
    let user = registry.resource_type("User").expect("built in");
    let json = format!(r#"{{"schemas":["{USER}","{ENTERPRISE}"],"userName":"ada","active":true,{members}}}"#);
    user.canonicalize(object(&json), Purpose::Create, compat)
}

#[test]
fn dotted_key_of_body_is_read_as_path() {
    for (members, expected) in [
        (r#""name.givenName":"Ada""#.to_owned(), r#""name":{"givenName":"Ada"}"#.to_owned()),
        (
            r#""NAME.familyname":"King","name":{"givenName":"Ada"}"#.to_owned(),
            r#""name":{"givenName":"Ada","familyName":"King"}"#.to_owned(),
        ),
        (format!(r#""{USER}:name.givenName":"Ada""#), r#""name":{"givenName":"Ada"}"#.to_owned()),
        (
            format!(r#""{ENTERPRISE}:manager.value":"7""#),
            format!(r#""{ENTERPRISE}":{{"manager":{{"value":"7"}}}}"#),
        ),
        (
            format!(r#""{ENTERPRISE}":{{"manager.value":"7","department":"D"}}"#),
            format!(r#""{ENTERPRISE}":{{"department":"D","manager":{{"value":"7"}}}}"#),
        ),
        (
            format!(r#""{USER}":{{"title":"Dr","name.givenName":"Ada"}}"#),
            r#""title":"Dr","name":{"givenName":"Ada"}"#.to_owned(),
        ),
        (r#""urn:scim:schemas:core:1.0":{"title":"Dr"}"#.to_owned(), r#""title":"Dr""#.to_owned()),
    ] {
        let canonical = create(&members, &Compat::default()).expect(&members);
        let text = canonical.object.to_string();
        assert!(
            text.ends_with(&format!(r#""userName":"ada","active":true,{expected}}}"#)),
            "{members}: {text}"
        );
        assert!(canonical.ignored.is_empty(), "{members}: {:?}", canonical.ignored);
        let used = canonical.leniencies.iter().any(|(quirk, _)| *quirk == Quirk::DottedKeys);
        assert!(used, "{members}");
        assert!(create(&members, &Compat::strict()).is_err(), "{members}");
        let off = Compat::default().with(Quirk::DottedKeys, false);
        let ignored = create(&members, &off).expect(&members).ignored;
        assert!(!ignored.is_empty(), "{members}");
    }
}

#[test]
fn dotted_key_that_names_no_one_value_is_reported() {
    for members in [
        r#""emails.value":"a@x""#,
        r#""emails[type eq \"work\"].value":"a@x""#,
        r#""name.shoeSize":"9""#,
        r#""title.value":"Dr""#,
        r#""shoe.size":"9""#,
    ] {
        let canonical = create(members, &Compat::default()).expect(members);
        assert_eq!(canonical.ignored.len(), 1, "{members}: {:?}", canonical.ignored);
        assert_eq!(canonical.ignored[0].reason, IgnoredReason::UnknownAttribute, "{members}");
        assert_eq!(
            create(members, &Compat::strict()).unwrap_err().kind(),
            Kind::UnknownAttribute,
            "{members}"
        );
    }
}

#[test]
fn sub_attribute_given_twice_is_refused() {
    for members in [
        r#""name":{"givenName":"Ada"},"name.givenName":"Bea""#.to_owned(),
        format!(r#""name.givenName":"Ada","{USER}:name.givenName":"Bea""#),
        r#""name":null,"name.givenName":"Bea""#.to_owned(),
        format!(r#""title":"Dr","{USER}":{{"title":"Prof"}}"#),
    ] {
        assert_eq!(create(&members, &Compat::default()).unwrap_err().kind(), Kind::Repeated, "{members}");
    }
}

#[test]
fn core_object_is_read_one_level_deep() {
    let nested = format!(r#""{USER}":{{"{USER}":{{"title":"Dr"}},"schemas":["{USER}"],"id":"7"}}"#);
    let canonical = create(&nested, &Compat::default()).expect("ignored");
    assert!(!canonical.object.contains("title"));
    let reasons: Vec<_> = canonical.ignored.iter().map(|ignored| ignored.reason).collect();
    assert_eq!(reasons, [IgnoredReason::UnknownAttribute, IgnoredReason::Misplaced, IgnoredReason::ReadOnly]);
}

#[test]
fn short_name_of_two_extensions_is_reported_with_both() {
    let schemas: Vec<Schema> = serde_json::from_str(
        r#"[{"id":"urn:example:Desk","attributes":[{"name":"room"}]},
            {"id":"urn:example:A","attributes":[{"name":"code"},{"name":"a"}]},
            {"id":"urn:example:B","attributes":[{"name":"code"}]}]"#,
    )
    .expect("schemas");
    let type_: ResourceType = serde_json::from_str(
        r#"{"name":"Desk","endpoint":"/Desks","schema":"urn:example:Desk","schemaExtensions":[
            {"schema":"urn:example:A","required":false},{"schema":"urn:example:B","required":false}]}"#,
    )
    .expect("a resource type");
    let desk = CompiledType::compile(type_, |uri| schemas.iter().find(|schema| schema.id == *uri))
        .expect("it compiles");
    let body = || object(r#"{"schemas":["urn:example:Desk"],"room":"1","code":"x"}"#);
    let canonical = desk.canonicalize(body(), Purpose::Create, &Compat::default()).expect("ignored");
    let ignored: Vec<_> = canonical.ignored.iter().map(|ignored| (&*ignored.path, ignored.reason)).collect();
    assert_eq!(
        ignored,
        [("urn:example:A:code", IgnoredReason::Ambiguous), ("urn:example:B:code", IgnoredReason::Ambiguous)]
    );
    let strict = desk.canonicalize(body(), Purpose::Create, &Compat::strict()).unwrap_err();
    assert_eq!(strict.kind(), Kind::UnknownAttribute);
}
