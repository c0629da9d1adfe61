//! What leads from one resource to another, as a table: two resources, what the service provider
//! understands, and the operations.

use scim2_core::{Compat, Object, Value};
use scim2_patch::{DiffOptions, apply, diff};

use crate::support::{object, resource_type};

/// What it shows, the resource as it is, as it should be, and the operations.
type Case = (&'static str, &'static str, &'static str, &'static str);

#[track_caller]
fn check(type_name: &str, options: &DiffOptions, cases: &[Case]) {
    let type_ = resource_type(type_name);
    for (label, a, b, expected) in cases {
        let (a, b) = (object(a), object(b));
        let op = diff(&a, &b, &type_, options);
        let expected: Value =
            serde_json::from_str(expected).unwrap_or_else(|error| panic!("{label}: {error}"));
        let operations = op.to_object().remove("Operations").expect("a message has operations");
        assert_eq!(operations, expected, "{label}");
        let mut after = a;
        if !op.is_empty() {
            apply(&op, &mut after, &type_, &Compat::strict())
                .unwrap_or_else(|error| panic!("{label}: {error}"));
        }
        // Attributes that a client cannot write stay unchanged.
        assert!(diff(&after, &b, &type_, options).is_empty(), "{label}: it becomes {after}");
    }
}

fn options(change: impl FnOnce(&mut DiffOptions)) -> DiffOptions {
    let mut options = DiffOptions::DEFAULT;
    change(&mut options);
    options
}

#[test]
fn attributes() {
    check(
        "User",
        &DiffOptions::DEFAULT,
        &[
            ("nothing", r#"{"userName":"ada","title":"x"}"#, r#"{"userName":"ada","title":"x"}"#, "[]"),
            ("letter case of names", r#"{"userName":"ada"}"#, r#"{"USERNAME":"ada"}"#, "[]"),
            (
                "unassigned is absent",
                r#"{"userName":"ada","title":null,"emails":[]}"#,
                r#"{"userName":"ada"}"#,
                "[]",
            ),
            (
                "one comes, one changes, one goes",
                r#"{"userName":"ada","title":"x","nickName":"A"}"#,
                r#"{"userName":"ada","title":"y","active":true}"#,
                r#"[{"op":"remove","path":"nickName"},{"op":"replace","path":"title","value":"y"},
                    {"op":"add","path":"active","value":true}]"#,
            ),
            (
                "required",
                r#"{"userName":"ada"}"#,
                r#"{"userName":"bea"}"#,
                r#"[{"op":"replace","path":"userName","value":"bea"}]"#,
            ),
            (
                "readOnly attributes are the service provider's",
                r#"{"userName":"ada","id":"1","meta":{"version":"a"},"groups":[{"value":"g"}]}"#,
                r#"{"userName":"ada","id":"2","meta":{"version":"b"}}"#,
                "[]",
            ),
            (
                "what no schema knows is left out",
                r#"{"userName":"ada","shoeSize":38}"#,
                r#"{"userName":"ada","shoeSize":39}"#,
                "[]",
            ),
            (
                "sub-attributes",
                r#"{"userName":"ada","name":{"givenName":"Ada","familyName":"Byron","formatted":"x"}}"#,
                r#"{"userName":"ada","name":{"givenName":"Ada","familyName":"King","middleName":"A"}}"#,
                r#"[{"op":"remove","path":"name.formatted"},{"op":"replace","path":"name.familyName","value":"King"},
                    {"op":"add","path":"name.middleName","value":"A"}]"#,
            ),
            (
                "a complex attribute as a whole",
                r#"{"userName":"ada","name":{"givenName":"Ada"}}"#,
                r#"{"userName":"ada"}"#,
                r#"[{"op":"remove","path":"name"}]"#,
            ),
        ],
    );
}

#[test]
fn lists() {
    check(
        "User",
        &DiffOptions::DEFAULT,
        &[
            (
                "a value is added",
                r#"{"userName":"ada","emails":[{"value":"a@x"}]}"#,
                r#"{"userName":"ada","emails":[{"value":"a@x"},{"value":"b@x","type":"work"}]}"#,
                r#"[{"op":"add","path":"emails","value":[{"value":"b@x","type":"work"}]}]"#,
            ),
            (
                "a value goes",
                r#"{"userName":"ada","emails":[{"value":"a@x"},{"value":"b@x","type":"work"}]}"#,
                r#"{"userName":"ada","emails":[{"value":"a@x"}]}"#,
                r#"[{"op":"remove","path":"emails[value eq \"b@x\" and type eq \"work\"]"}]"#,
            ),
            (
                "a sub-attribute of a value",
                r#"{"userName":"ada","emails":[{"value":"a@x","type":"work","display":"x"}]}"#,
                r#"{"userName":"ada","emails":[{"value":"a@x","type":"work","display":"y"}]}"#,
                r#"[{"op":"replace","path":"emails[value eq \"a@x\" and type eq \"work\"].display","value":"y"}]"#,
            ),
            (
                "an address is named by all it has",
                r#"{"userName":"ada","addresses":[{"type":"work","locality":"x"},{"type":"home","locality":"y"}]}"#,
                r#"{"userName":"ada","addresses":[{"type":"home","locality":"y"}]}"#,
                r#"[{"op":"remove","path":"addresses[locality eq \"x\" and type eq \"work\"]"}]"#,
            ),
            (
                "the order counts, which no value path can say",
                r#"{"userName":"ada","emails":[{"value":"a@x"},{"value":"b@x"}]}"#,
                r#"{"userName":"ada","emails":[{"value":"b@x"},{"value":"a@x"}]}"#,
                r#"[{"op":"replace","path":"emails","value":[{"value":"b@x"},{"value":"a@x"}]}]"#,
            ),
            (
                "nothing in common",
                r#"{"userName":"ada","emails":[{"value":"a@x"},{"value":"b@x"},{"value":"c@x"}]}"#,
                r#"{"userName":"ada","emails":[{"value":"d@x"}]}"#,
                r#"[{"op":"replace","path":"emails","value":[{"value":"d@x"}]}]"#,
            ),
            (
                "one that has no `value` is named by all it has",
                r#"{"userName":"ada","addresses":[{"locality":"x","primary":true},{"locality":"y"}]}"#,
                r#"{"userName":"ada","addresses":[{"locality":"y"}]}"#,
                r#"[{"op":"remove","path":"addresses[locality eq \"x\" and primary eq true]"}]"#,
            ),
            (
                "two equal ones",
                r#"{"userName":"ada","photos":[{"type":"photo"}]}"#,
                r#"{"userName":"ada","photos":[{"type":"photo"},{"type":"photo"}]}"#,
                r#"[{"op":"replace","path":"photos","value":[{"type":"photo"},{"type":"photo"}]}]"#,
            ),
            (
                "all of it",
                r#"{"userName":"ada","emails":[{"value":"a@x"}]}"#,
                r#"{"userName":"ada"}"#,
                r#"[{"op":"remove","path":"emails"}]"#,
            ),
        ],
    );
    check(
        "Gadget",
        &DiffOptions::DEFAULT,
        &[
            (
                "simple values",
                r#"{"owners":["a","b"],"sizes":[1]}"#,
                r#"{"owners":["b","c"],"sizes":[1,2]}"#,
                r#"[{"op":"add","path":"sizes","value":[2]},{"op":"remove","path":"owners[value eq \"a\"]"},
                    {"op":"add","path":"owners","value":["c"]}]"#,
            ),
            (
                "a number goes",
                r#"{"owners":["a"],"sizes":[1,2,3]}"#,
                r#"{"owners":["a"],"sizes":[1,3]}"#,
                r#"[{"op":"remove","path":"sizes[value eq 2]"}]"#,
            ),
            (
                "an immutable attribute that has another value already",
                r#"{"owners":["a"],"serial":"1"}"#,
                r#"{"owners":["a"],"serial":"1","codes":["x"]}"#,
                r#"[{"op":"add","path":"codes","value":["x"]}]"#,
            ),
        ],
    );
}

/// Long lists are looked up by hash: the shortest way is found in them as well, and in time.
#[test]
fn long_lists() {
    let type_ = resource_type("User");
    let user = |roles: &mut dyn Iterator<Item = usize>| {
        let mut user = object(r#"{"userName":"ada"}"#);
        let roles = roles.map(|n| Value::from(Object::from_iter([("value", format!("role {n}"))])));
        user.insert("roles", roles.collect::<Vec<_>>());
        user
    };
    for count in [30, 32, 33, 2000, 50_000] {
        let (a, b) = (user(&mut (0..count)), user(&mut (1..=count)));
        let op = diff(&a, &b, &type_, &DiffOptions::DEFAULT);
        let text = op.to_object().get("Operations").map(ToString::to_string);
        let expected = format!(
            r#"[{{"op":"remove","path":"roles[value eq \"role 0\"]"}},{{"op":"add","path":"roles","value":[{{"value":"role {count}"}}]}}]"#
        );
        assert_eq!(text, Some(expected), "{count}");
        // Nothing in common: all of them at once.
        let c = user(&mut (count..2 * count));
        assert_eq!(diff(&a, &c, &type_, &DiffOptions::DEFAULT).operations().len(), 1, "{count}");
    }
}

#[test]
fn extensions() {
    check(
        "User",
        &DiffOptions::DEFAULT,
        &[
            (
                "an attribute comes",
                r#"{"userName":"ada"}"#,
                r#"{"userName":"ada","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"department":"x"}}"#,
                r#"[{"op":"add","path":"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department","value":"x"}]"#,
            ),
            (
                "another manager: a reference is said after what it is of",
                r#"{"userName":"ada","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"manager":{"value":"7","$ref":"../Users/7"}}}"#,
                r#"{"userName":"ada","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"manager":{"value":"8","$ref":"../Users/8"}}}"#,
                r#"[{"op":"replace","path":"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value","value":"8"},
                    {"op":"add","path":"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.$ref","value":"../Users/8"}]"#,
            ),
            (
                "and goes by itself",
                r#"{"userName":"ada","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"manager":{"value":"7","$ref":"../Users/7"}}}"#,
                r#"{"userName":"ada","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"manager":{"value":"8"}}}"#,
                r#"[{"op":"replace","path":"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value","value":"8"}]"#,
            ),
        ],
    );
    check(
        "Gadget",
        &DiffOptions::DEFAULT,
        &[(
            "what its schema requires goes with the whole of it",
            r#"{"owners":["a"],"urn:example:2.0:Stand":{"lot":"x","floor":3}}"#,
            r#"{"owners":["a"]}"#,
            r#"[{"op":"remove","path":"urn:example:2.0:Stand"}]"#,
        )],
    );
}

#[test]
fn lists_of_extensions() {
    check(
        "Gadget",
        &DiffOptions::DEFAULT,
        &[(
            "value by value",
            r#"{"owners":["a"],"urn:example:2.0:Label":{"notes":[{"value":"x"},{"value":"y","type":"t"}]}}"#,
            r#"{"owners":["a"],"urn:example:2.0:Label":{"notes":[{"value":"y","type":"t"},{"value":"z"}]}}"#,
            r#"[{"op":"remove","path":"urn:example:2.0:Label:notes[value eq \"x\"]"},
                {"op":"add","path":"urn:example:2.0:Label:notes","value":[{"value":"z"}]}]"#,
        )],
    );
}

/// A client need know no schema but that of its own type.
#[test]
fn diff_of_typed_users_returns_operations() {
    use scim2_core::resource::{Name, User};
    use scim2_patch::PatchOp;

    let type_ = resource_type("User");
    let before = User::new("ada");
    let mut after = before.clone();
    after.name = Some(Name::new("Ada", "King"));
    let op = PatchOp::between(&before, &after, &type_, &DiffOptions::DEFAULT);
    let expected = PatchOp::new().add("name", object(r#"{"familyName":"King","givenName":"Ada"}"#));
    assert_eq!(op, expected.expect("a path"));
    assert!(PatchOp::between(&after, &after, &type_, &DiffOptions::DEFAULT).is_empty());
}

#[test]
fn members() {
    let three = options(|it| it.max_members = 3);
    check(
        "Group",
        &three,
        &[
            (
                "some come and some go",
                r#"{"displayName":"Tour","members":[{"value":"a"},{"value":"b"},{"value":"c"}]}"#,
                r#"{"displayName":"Tour","members":[{"value":"d"},{"value":"b"},{"value":"c"}]}"#,
                r#"[{"op":"remove","path":"members[value eq \"a\"]"},{"op":"add","path":"members","value":[{"value":"d"}]}]"#,
            ),
            (
                "at most three in an operation",
                r#"{"displayName":"Tour"}"#,
                r#"{"displayName":"Tour","members":[{"value":"a"},{"value":"b"},{"value":"c"},{"value":"d"}]}"#,
                r#"[{"op":"add","path":"members","value":[{"value":"a"},{"value":"b"},{"value":"c"}]},
                    {"op":"add","path":"members","value":[{"value":"d"}]}]"#,
            ),
            (
                "more would leave than are left",
                r#"{"displayName":"Tour","members":[{"value":"a"},{"value":"b"},{"value":"c"},{"value":"d"}]}"#,
                r#"{"displayName":"Tour","members":[{"value":"d"}]}"#,
                r#"[{"op":"replace","path":"members","value":[{"value":"d"}]}]"#,
            ),
            (
                "something else is said of a member, who leaves and joins again",
                r#"{"displayName":"Tour","members":[{"value":"a"},{"value":"b","display":"x"}]}"#,
                r#"{"displayName":"Tour","members":[{"value":"a"},{"value":"b","display":"y"}]}"#,
                r#"[{"op":"remove","path":"members[value eq \"b\"]"},{"op":"add","path":"members","value":[{"value":"b","display":"y"}]}]"#,
            ),
            (
                "everybody leaves",
                r#"{"displayName":"Tour","members":[{"value":"a"}]}"#,
                r#"{"displayName":"Tour"}"#,
                r#"[{"op":"remove","path":"members"}]"#,
            ),
        ],
    );
    check(
        "Group",
        &options(|it| (it.value_paths, it.max_members) = (false, 2)),
        &[(
            "no value paths: the first replaces, the others add",
            r#"{"displayName":"Tour","members":[{"value":"a"},{"value":"b"}]}"#,
            r#"{"displayName":"Tour","members":[{"value":"b"},{"value":"c"},{"value":"d"}]}"#,
            r#"[{"op":"replace","path":"members","value":[{"value":"b"},{"value":"c"}]},
                {"op":"add","path":"members","value":[{"value":"d"}]}]"#,
        )],
    );
    check(
        "Group",
        &options(|it| (it.without_path, it.max_members) = (true, 2)),
        &[(
            "nor paths at all",
            r#"{"displayName":"Tour","members":[{"value":"a"}]}"#,
            r#"{"displayName":"World tour","members":[{"value":"b"},{"value":"c"},{"value":"d"}]}"#,
            r#"[{"op":"replace","value":{"displayName":"World tour","members":[{"value":"b"},{"value":"c"}]}},
                {"op":"add","value":{"members":[{"value":"d"}]}}]"#,
        )],
    );
}

#[test]
fn diff_options_limit_the_operations() {
    check(
        "User",
        &options(|it| it.value_paths = false),
        &[(
            "lists whole",
            r#"{"userName":"ada","emails":[{"value":"a@x"},{"value":"b@x"}]}"#,
            r#"{"userName":"ada","emails":[{"value":"a@x"}]}"#,
            r#"[{"op":"replace","path":"emails","value":[{"value":"a@x"}]}]"#,
        )],
    );
    check(
        "User",
        &options(|it| it.sub_attributes = false),
        &[(
            "complex attributes whole, and null for what goes",
            r#"{"userName":"ada","name":{"givenName":"Ada","familyName":"Byron","formatted":"x"}}"#,
            r#"{"userName":"ada","name":{"givenName":"Ada","familyName":"King"}}"#,
            r#"[{"op":"replace","path":"name","value":{"givenName":"Ada","familyName":"King","formatted":null}}]"#,
        )],
    );
    check(
        "User",
        &options(|it| it.without_path = true),
        &[
            ("nothing", r#"{"userName":"ada"}"#, r#"{"userName":"ada"}"#, "[]"),
            (
                "one object for all",
                r#"{"userName":"ada","title":"x","emails":[{"value":"a@x"}],"name":{"givenName":"Ada"}}"#,
                r#"{"userName":"ada","nickName":"A","emails":[{"value":"b@x"}],"name":{"familyName":"King"},
                    "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"department":"x"}}"#,
                r#"[{"op":"replace","value":{"name":{"familyName":"King","givenName":null},"nickName":"A","title":null,
                    "emails":[{"value":"b@x"}],
                    "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"department":"x"}}}]"#,
            ),
        ],
    );
    check(
        "Gadget",
        &options(|it| it.without_path = true),
        &[(
            "an extension that goes",
            r#"{"owners":["a"],"urn:example:2.0:Stand":{"lot":"x"}}"#,
            r#"{"owners":["a"]}"#,
            r#"[{"op":"replace","value":{"urn:example:2.0:Stand":null}}]"#,
        )],
    );
}

#[test]
fn diff_of_sub_attribute_values_is_small() {
    let cases: [(&str, &str, &str, &str); 6] = [
        (
            "one more",
            r#"{"owners":["a"],"maker":{"name":"C","brands":["x","y"]}}"#,
            r#"{"owners":["a"],"maker":{"name":"C","brands":["x","y","z"]}}"#,
            r#"[{"op":"add","path":"maker.brands","value":["z"]}]"#,
        ),
        (
            "one less",
            r#"{"owners":["a"],"maker":{"name":"C","brands":["x","y","z"]}}"#,
            r#"{"owners":["a"],"maker":{"name":"C","brands":["x","z"]}}"#,
            r#"[{"op":"remove","path":"maker.brands[value eq \"y\"]"}]"#,
        ),
        (
            "one less and one more, of few",
            r#"{"owners":["a"],"maker":{"name":"C","brands":["x","y"]}}"#,
            r#"{"owners":["a"],"maker":{"name":"C","brands":["y","z"]}}"#,
            r#"[{"op":"replace","path":"maker.brands","value":["y","z"]}]"#,
        ),
        (
            "another order",
            r#"{"owners":["a"],"maker":{"name":"C","brands":["x","y"]}}"#,
            r#"{"owners":["a"],"maker":{"name":"C","brands":["y","x"]}}"#,
            r#"[{"op":"replace","path":"maker.brands","value":["y","x"]}]"#,
        ),
        (
            "another letter case",
            r#"{"owners":["a"],"maker":{"name":"C","brands":["x","y","z"]}}"#,
            r#"{"owners":["a"],"maker":{"name":"C","brands":["X","y","z"]}}"#,
            r#"[{"op":"replace","path":"maker.brands","value":["X","y","z"]}]"#,
        ),
        (
            "within an element",
            r#"{"owners":["a"],"parts":[{"value":"p","colours":["x"]},{"value":"q","colours":["x","y"]}]}"#,
            r#"{"owners":["a"],"parts":[{"value":"p","colours":["x","y"]},{"value":"q","colours":["x"]}]}"#,
            r#"[{"op":"add","path":"parts[value eq \"p\"].colours","value":["y"]},
                {"op":"replace","path":"parts[value eq \"q\"].colours","value":["x"]}]"#,
        ),
    ];
    check("Gadget", &DiffOptions::DEFAULT, &cases);
    let whole = [(
        "without value paths",
        r#"{"owners":["a"],"maker":{"name":"C","brands":["x","y","z"]}}"#,
        r#"{"owners":["a"],"maker":{"name":"C","brands":["x","z"]}}"#,
        r#"[{"op":"replace","path":"maker.brands","value":["x","z"]}]"#,
    )];
    check("Gadget", &options(|options| options.value_paths = false), &whole);
}
