//! RFC 7644 §3.4.2.3: what resources are sorted by.

use scim2_core::schema::{ResourceType, Schema};
use scim2_core::{Compat, Object, Registry, SchemaUri, ScimType};
use scim2_filter::{Filter, ResolveErrorKind as Kind, Resolver, SortValue};

/// The order of `resources` by `path`, as indices.
#[track_caller]
fn order(path: &str, resources: &[&str], descending: bool) -> Vec<usize> {
    let registry = Registry::standard();
    let resolver = Resolver::new(registry.resource_type("User").unwrap(), Compat::strict());
    let key = resolver.sort_key(&path.parse().unwrap()).unwrap().unwrap();
    let resources: Vec<Object> = resources.iter().map(|json| serde_json::from_str(json).unwrap()).collect();
    let mut order: Vec<usize> = (0..resources.len()).collect();
    order.sort_by(|a, b| {
        let (a, b) = (key.value(&resources[*a]), key.value(&resources[*b]));
        if descending { b.cmp(&a) } else { a.cmp(&b) }
    });
    order
}

#[test]
fn s_3_4_2_3_02_primary_or_first() {
    let resources = [
        r#"{"emails":[{"value":"c@x"},{"value":"a@x","primary":true}]}"#,
        r#"{"emails":[{"value":"b@x"},{"value":"a@a"}]}"#,
        r#"{"emails":[{"value":"d@x","primary":false}]}"#,
    ];
    assert_eq!(order("emails.value", &resources, false), [0, 1, 2]);
    assert_eq!(order("emails", &resources, false), [0, 1, 2]);
}

#[test]
fn s_3_4_2_3_04_missing_last_or_first() {
    let resources = ["{}", r#"{"title":"b"}"#, r#"{"title":null}"#, r#"{"title":"a"}"#];
    assert_eq!(order("title", &resources, false), [3, 1, 0, 2]);
    assert_eq!(order("title", &resources, true), [0, 2, 1, 3]);
}

#[test]
fn s_3_4_2_3_06_order_of_types() {
    let names = [r#"{"displayName":"\u00c9va"}"#, r#"{"displayName":"Zoe"}"#, r#"{"displayName":"adam"}"#];
    assert_eq!(order("displayName", &names, false), [2, 1, 0]); // code points, without case
    let ids = [r#"{"id":"b"}"#, r#"{"id":"B"}"#, r#"{"id":"a"}"#];
    assert_eq!(order("id", &ids, false), [1, 2, 0]); // with case
    let dates = [
        r#"{"meta":{"created":"2024-01-01T12:00:00+02:00"}}"#,
        r#"{"meta":{"created":"2024-01-01T11:00:00Z"}}"#,
    ];
    assert_eq!(order("meta.created", &dates, false), [0, 1]);
    assert_eq!(order("active", &[r#"{"active":true}"#, r#"{"active":false}"#], false), [1, 0]);
}

#[test]
fn extensions_can_be_sorted_by() {
    let path = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department";
    let uri = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
    let of = |department: &str| format!(r#"{{"{uri}":{{"department":"{department}"}}}}"#);
    assert_eq!(order(path, &[&of("b"), "{}", &of("A")], false), [2, 0, 1]);
}

#[test]
fn s_3_4_2_3_03_sort_by_unsortable_attribute_is_refused() {
    let registry = Registry::standard();
    let resolver = Resolver::new(registry.resource_type("User").unwrap(), Compat::default());
    for (path, kind) in [
        ("name", Kind::Complex),
        ("nope", Kind::UnknownAttribute),
        ("password", Kind::NeverReturned),
        ("urn:ietf:params:scim:schemas:core:2.0:User", Kind::WholeSchema),
        ("urn:example:other:2.0:name", Kind::UnknownSchema),
    ] {
        let error = resolver.sort_key(&path.parse().unwrap()).unwrap_err();
        assert_eq!((error.kind(), error.scim_type()), (kind, ScimType::InvalidValue), "{path}");
    }
    assert_eq!(resolver.unknown_is_absent().sort_key(&"nope".parse().unwrap()).unwrap(), None);
    assert!(SortValue::Missing > SortValue::Text("z".into()));
}

#[test]
fn values_outlive_their_resource() {
    let registry = Registry::standard();
    let user = registry.resource_type("User").unwrap();
    let resolver = Resolver::new(user, Compat::strict());
    let resource = r#"{"displayName":"\u00c9va","active":true,"title":5,"name":[],
        "meta":{"created":"2024-01-01T00:00:00Z"}}"#;
    let resource: Object = resource.parse().unwrap();
    let key = |path: &str| resolver.sort_key(&path.parse().unwrap()).unwrap().unwrap();
    let value = |path: &str| key(path).value(&resource).into_owned();
    assert_eq!(value("displayName"), SortValue::Text("éva".into()));
    assert_eq!(value("active"), SortValue::Bool(true));
    assert_eq!(value("meta.created"), SortValue::Instant("2024-01-01T01:00:00+01:00".parse().unwrap()));
    assert_eq!(value("title"), SortValue::Number(5_i64.into())); // not of its type, and yet in an order
    assert_eq!(value("name.givenName"), SortValue::Missing);
    assert_eq!(value("nickName"), SortValue::Missing);
    assert_eq!(key("name.givenName").attribute(), user.find(None, "name", Some("givenName")).unwrap());
    let strange: Object = r#"{"meta":{"created":"soon"},"displayName":{"a":1}}"#.parse().unwrap();
    assert_eq!(key("meta.created").value(&strange), SortValue::Text("soon".into()));
    assert_eq!(key("displayName").value(&strange), SortValue::Missing);
}

#[test]
fn sort_by_never_returned_part_is_refused() {
    let complex = |name: &str, of_all: &str, of_value: &str| {
        format!(
            r#"{{"name":"{name}","type":"complex","multiValued":true,"returned":"{of_all}",
                "subAttributes":[{{"name":"value","type":"string","returned":"{of_value}"}}]}}"#
        )
    };
    let schema = format!(
        r#"{{"id":"urn:example:2.0:Key","name":"Key","attributes":[{},{},{}]}}"#,
        complex("open", "default", "default"),
        complex("closed", "default", "never"),
        complex("away", "never", "default"),
    );
    let schema: Schema = serde_json::from_str(&schema).unwrap();
    let type_ = ResourceType::new("Key", "/Keys", SchemaUri::parse("urn:example:2.0:Key").unwrap());
    let registry = Registry::with(vec![schema], vec![type_]).unwrap();
    let resolver = Resolver::new(registry.resource_type("Key").unwrap(), Compat::default());
    let sorts =
        |path: &str| resolver.sort_key(&path.parse().unwrap()).map(drop).map_err(|error| error.kind());
    let filters = |path: &str| {
        let filter = Filter::attr(path).unwrap().eq("x");
        resolver.filter(&filter).map(drop).map_err(|error| error.kind())
    };
    for path in ["open", "open.value"] {
        assert_eq!((sorts(path), filters(path)), (Ok(()), Ok(())), "{path}");
    }
    for path in ["closed", "closed.value", "away", "away.value"] {
        assert_eq!(
            (sorts(path), filters(path)),
            (Err(Kind::NeverReturned), Err(Kind::NeverReturned)),
            "{path}"
        );
    }
}
