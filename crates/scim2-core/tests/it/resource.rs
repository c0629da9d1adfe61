//! Typed resources and the dynamic form.

use scim2_core::resource::{Email, EnterpriseUser, Group, Manager, Member, Meta, Name, Resource, User};
use scim2_core::validate::ValidationErrorKind as Kind;

use crate::object;

const FULL: &str = r#"{
    "schemas":["urn:ietf:params:scim:schemas:core:2.0:User","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"],
    "id":"2819c223","externalId":"701984","userName":"grace@example.com",
    "name":{"formatted":"Dr. Grace B. Hopper","familyName":"Hopper","givenName":"Grace","middleName":"B.","honorificPrefix":"Dr.","suffix2":"x"},
    "displayName":"Grace","nickName":"Amazing","profileUrl":"https://example.com/grace","active":true,
    "emails":[{"value":"grace@example.com","type":"work","primary":true},{"value":"g@home.example"}],
    "addresses":[{"type":"work","streetAddress":"1 Navy Way","country":"US"}],
    "phoneNumbers":[{"value":"tel:+1-201-555-0123","type":"work"}],"ims":[{"value":"grace","type":"xmpp"}],
    "photos":[{"value":"https://example.com/grace.png","type":"photo"}],"roles":[{"value":"admiral"}],
    "groups":[{"value":"e9e3","$ref":"../Groups/e9e3","display":"Navy","type":"direct"}],
    "x509Certificates":[{"value":"MAIwAA=="}],
    "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"employeeNumber":"1","manager":{"value":"26118915","$ref":"../Users/26118915","displayName":"J"}},
    "urn:example:ext:1.0:User":{"badge":12,"nested":[{"deep":[1.5,null]}]},
    "meta":{"resourceType":"User","created":"2010-01-23T04:56:22Z","lastModified":"2011-05-13T04:42:34Z","version":"W/\"a330bc54f0671c9\"","location":"https://example.com/v2/Users/2819c223"}}"#;

#[test]
fn full_user_round_trips_through_typed_form() {
    let user: User = serde_json::from_str(FULL).expect("a user");
    assert_eq!(user.user_name, "grace@example.com");
    assert_eq!(user.emails[0].primary, Some(true));
    assert_eq!(user.groups[0].reference.as_deref(), Some("../Groups/e9e3"));
    let enterprise = user.enterprise.as_ref().expect("the extension");
    assert_eq!(enterprise.manager.as_ref().and_then(|it| it.value.as_deref()), Some("26118915"));
    let meta = user.meta.as_ref().expect("meta");
    assert_eq!(meta.created.map(|it| it.timestamp()), Some(1_264_222_582));
    assert_eq!(meta.to_version().map(|it| it.to_string()).as_deref(), Some("a330bc54f0671c9"));
    assert_eq!(user.to_object(), object(FULL));
    assert_eq!(serde_json::to_string(&user).ok().map(|json| object(&json)), Some(object(FULL)));
    let resource = Resource::from(object(FULL));
    assert_eq!(User::try_from(resource.clone()).as_ref(), Ok(&user));
    assert_eq!(Resource::from(user), resource);
}

#[test]
fn c_2_1_01_names_without_case() {
    let json = r#"{"USERNAME":"a","Name":{"GIVENNAME":"Ada"},"EMAILS":[{"VALUE":"a@x"}],"X":1}"#;
    let user: User = serde_json::from_str(json).expect("a user");
    assert_eq!(user.name.and_then(|it| it.given_name).as_deref(), Some("Ada"));
    assert_eq!(user.emails[0].value.as_deref(), Some("a@x"));
    assert_eq!(user.other.len(), 1);
}

#[test]
fn built_users_and_groups() {
    let mut ada = User::new("ada");
    ada.name = Some(Name::new("Ada", "Lovelace"));
    ada.emails.push(Email::new("ada@example.com").with_type("work").as_primary());
    let mut enterprise = EnterpriseUser::new();
    enterprise.manager = Some(Manager::new("7"));
    ada.enterprise = Some(enterprise);
    ada.password = Some("t1meMa$heen".into());
    insta::assert_snapshot!(Resource::from(&ada), @r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"],"userName":"ada","name":{"familyName":"Lovelace","givenName":"Ada"},"password":"t1meMa$heen","emails":[{"value":"ada@example.com","type":"work","primary":true}],"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"manager":{"value":"7"}}}"#);
    assert!(!format!("{ada:?}").contains("t1me"));
    assert!(!format!("{:?}", Resource::from(&ada)).contains("t1me"));

    let mut group = Group::new("Analysts");
    group.members.push(Member::new("7"));
    insta::assert_snapshot!(Resource::from(group), @r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"displayName":"Analysts","members":[{"value":"7"}]}"#);
}

#[test]
fn errors_name_the_attribute_and_never_show_the_value() {
    let read = |json: &str| User::try_from(object(json)).map(|_| ()).unwrap_err();
    for (json, kind, line) in [
        ("{}", Kind::Required, "`userName` is required, expected a string, found nothing"),
        (r#"{"userName":7}"#, Kind::Type, "expected a string for `userName`, found a number"),
        (
            r#"{"userName":"a","emails":[{"primary":"x"}]}"#,
            Kind::Type,
            "expected a boolean for `emails.primary`, found a string",
        ),
        (
            r#"{"userName":"a","meta":{"created":"yesterday"}}"#,
            Kind::Type,
            "expected a date and time such as `2008-01-23T04:56:22Z` for `meta.created`, found a string",
        ),
        (
            r#"{"userName":"a","password":123456}"#,
            Kind::Type,
            "expected a string for `password`, found a number",
        ),
    ] {
        let error = read(json);
        assert_eq!((error.kind(), error.to_string().as_str()), (kind, line));
    }
}

#[test]
fn the_dynamic_form_answers_for_the_common_attributes() {
    let resource = Resource::from(object(FULL));
    assert_eq!(resource.id().map(|it| it.to_string()).as_deref(), Some("2819c223"));
    assert_eq!(resource.external_id().map(|it| it.to_string()).as_deref(), Some("701984"));
    assert!(resource.has_schema("URN:IETF:params:scim:schemas:core:2.0:User"));
    assert_eq!(resource.version().map(|it| it.to_etag()).as_deref(), Some(r#"W/"a330bc54f0671c9""#));
    assert_eq!(resource.meta().and_then(|it| it.resource_type).as_deref(), Some("User"));
    assert!(resource.extension("urn:example:ext:1.0:USER").is_some());
    let empty = Resource::new();
    assert!(empty.id().is_none() && empty.meta().is_none() && empty.schemas().next().is_none());
    let mut meta = Meta::new();
    meta.created = chrono::DateTime::from_timestamp(0, 500_000_000);
    assert_eq!(meta.to_object().to_string(), r#"{"created":"1970-01-01T00:00:00.500Z"}"#);
}
