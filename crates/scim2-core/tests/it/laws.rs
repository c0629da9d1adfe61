//! Laws that hold for any input.

use proptest::prelude::*;
use scim2_core::json::JsonReader;
use scim2_core::resource::{Resource, User};
use scim2_core::validate::Purpose;
use scim2_core::{Compat, Object, Registry, Value};
use scim2_testkit::strategies;

/// Any JSON, mostly with names of User attributes.
fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "-?(0|[1-9][0-9]{0,25})(\\.[0-9]{1,25})?([eE][+-]?[0-9]{1,2})?"
            .prop_map(|text| text.parse::<scim2_core::Number>().expect("a number").into()),
        prop::sample::select(vec!["True", "", "a@x", "2024-02-29T12:00:00Z", "https://example.com/", "MAIw"])
            .prop_map(Value::from),
        any::<String>().prop_map(|text| Value::from(text.replace('\0', ""))),
    ];
    leaf.prop_recursive(4, 48, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
            prop::collection::vec((name(), inner), 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

fn name() -> impl Strategy<Value = String> {
    let known = vec![
        "schemas",
        "id",
        "EXTERNALID",
        "userName",
        "name",
        "givenName",
        "active",
        "emails",
        "value",
        "type",
        "primary",
        "$ref",
        "manager",
        "department",
        "password",
        "groups",
        "members",
        "displayName",
        "title",
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User",
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager",
        "urn:scim:schemas:extension:enterprise:1.0",
        "urn:example:ext",
        "x509Certificates",
        "profileUrl",
    ];
    prop_oneof![4 => prop::sample::select(known).prop_map(str::to_owned), 1 => "[a-zA-Z:.]{1,12}"]
}

fn body() -> impl Strategy<Value = Object> {
    let registry = Registry::standard();
    let user = registry.resource_type("User").expect("built in").clone();
    (strategies::resource(&user), prop::collection::vec((name(), json()), 0..6)).prop_map(
        |(mut body, members)| {
            body.extend(members);
            body
        },
    )
}

proptest! {
    #[test]
    fn json_is_read_as_it_is_written(value in json()) {
        let text = value.to_string();
        prop_assert_eq!(&JsonReader::new().value(text.as_bytes()).expect("our own JSON"), &value);
        prop_assert_eq!(text.parse::<Value>().expect("our own JSON").to_string(), text);
    }

    #[test]
    fn canonical_form_is_its_own_canonical_form(body in body(), name in "[UG]") {
        let registry = Registry::standard();
        let type_ = registry.resource_type(if name == "U" { "User" } else { "Group" }).expect("built in");
        let purpose = Purpose::Replace { current: &Object::new() };
        for compat in [Compat::default(), Compat::strict(), Compat::profile()] {
            match type_.canonicalize(body.clone(), purpose, &compat) {
                Ok(once) => {
                    let twice = type_.canonicalize(once.object.clone(), purpose, &compat).expect("canonical");
                    prop_assert_eq!(twice.object.to_string(), once.object.to_string());
                    prop_assert_eq!(twice.ignored, []);
                    prop_assert_eq!(twice.leniencies, []);
                    type_.check_required(&once.object).expect("complete");
                }
                Err(error) => {
                    let line = error.to_string();
                    prop_assert!(!line.is_empty() && !line.chars().any(char::is_control), "{:?}", line);
                    prop_assert!(!line.ends_with('.') || line.ends_with("..."), "{:?}", line);
                }
            }
        }
    }

    #[test]
    fn a_resource_of_the_schema_is_accepted_and_typed(body in strategies::resource(
        Registry::standard().resource_type("User").expect("built in"))) {
        let registry = Registry::standard();
        let type_ = registry.resource_type("User").expect("built in");
        let purpose = Purpose::Replace { current: &Object::new() };
        let object = type_.canonicalize(body, purpose, &Compat::default()).expect("valid").object;
        let user = User::try_from(object.clone()).expect("a user");
        prop_assert_eq!(Resource::from(user), Resource::from(object));
    }

    #[test]
    fn never_returned_attributes_leave_no_trace(mut body in body(), password in "[a-z]{12}") {
        let registry = Registry::standard();
        let type_ = registry.resource_type("User").expect("built in");
        body.insert("password", password.as_str());
        let Ok(canonical) = type_.canonicalize(body, Purpose::Create, &Compat::default()) else { return Ok(()) };
        let mut object = canonical.object;
        let never_returned = type_.take_never_returned(&mut object);
        prop_assert_eq!(never_returned.get_str("password"), Some(password.as_str()));
        prop_assert!(!object.to_string().contains(&password));
        prop_assert!(canonical.ignored.iter().all(|it| !it.path.contains(&password)));
    }
}
