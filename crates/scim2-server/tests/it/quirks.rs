//! Every switch of `Compat`: what it tolerates, and that nothing is tolerated without it.

use http::Method;
use scim2_core::{Compat, Quirk};
use scim2_server::{MemoryStore, ServiceProvider};
use serde_json::{Value, json};

use crate::harness::{Answer, ENTERPRISE, GROUP, Server, USER, raw, request};

/// A request that needs one quirk, and how it is refused without.
struct Case {
    quirk: Quirk,
    method: Method,
    path: String,
    body: Value,
    status: u16,
    scim_type: &'static str,
}

/// Those on which a request is judged by more than its status have tests of their own below.
const APART: &[Quirk] = &[
    Quirk::GroupDisplayUnique,
    Quirk::PutPreservesAbsent,
    Quirk::UsernameAny,
    Quirk::AuthNoScheme,
    Quirk::PathVariants, // `endpoint_has_one_path_unless_the_switch_takes_variants`
    Quirk::RawQuotes,    // below HTTP: `framing` in the tests of scim2-cli
];

#[test]
fn every_switch_tolerates_what_it_says_and_strict_nothing() {
    let cases = cases();
    let mut wrong = Vec::new();
    for Case { quirk, method, path, body, status, scim_type } in &cases {
        let (default, strict) = (Compat::default(), Compat::strict());
        for (mode, compat, tolerated) in [
            ("default", default, true),
            ("strict", strict, false),
            ("strict with it", strict.with(*quirk, true), true),
        ] {
            let (answer, noted) = send(compat, method, path, body);
            if tolerated && !noted.contains(quirk) {
                wrong.push(format!("{quirk} in {mode} is not reported: {noted:?}"));
            }
            let refused = answer.status == *status
                && answer.json["scimType"].as_str().unwrap_or_default() == *scim_type;
            if if tolerated { !answer.status.is_success() } else { !refused } {
                wrong.push(format!("{quirk} in {mode}: {} {}", answer.status, answer.json));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    for quirk in Quirk::ALL {
        let tested = cases.iter().any(|case| case.quirk == *quirk) || APART.contains(quirk);
        assert!(tested, "{quirk} has no case");
    }
}

/// The answer, and the quirks that are reported, of a server with the user `r-00001` and the group `r-00002` that has it as a member.
fn send(compat: Compat, method: &Method, path: &str, body: &Value) -> (Answer, Vec<Quirk>) {
    let server = server(compat);
    server.created(
        "/Users",
        json!({
            "schemas": [USER], "userName": "ada", "name": { "givenName": "Ada" },
            "emails": [{ "value": "ada@example.com", "type": "home" }],
        }),
    );
    server.group("Tour", &["r-00001"]);
    let answer = match body {
        Value::Null => server.send(request(method.clone(), path)),
        body => server.send(raw(method.clone(), path, body.to_string())),
    };
    (answer, reported(&server))
}

fn reported(server: &Server) -> Vec<Quirk> {
    server.provider.counts().tolerated.into_iter().map(|(quirk, _)| quirk).collect()
}

fn server(compat: Compat) -> Server {
    Server::with(|builder| builder.options(|options| options.compat = compat))
}

fn cases() -> Vec<Case> {
    use Quirk as Q;
    let get = |quirk, path: &str, status, scim_type| Case {
        quirk,
        method: Method::GET,
        path: path.to_owned(),
        body: Value::Null,
        status,
        scim_type,
    };
    let filter = |quirk, filter: &str| {
        let filter = percent_encoding::utf8_percent_encode(filter, percent_encoding::NON_ALPHANUMERIC);
        get(quirk, &format!("/Users?filter={filter}"), 400, "invalidFilter")
    };
    let post = |quirk, body: Value, scim_type| Case {
        quirk,
        method: Method::POST,
        path: "/Users".to_owned(),
        body,
        status: 400,
        scim_type,
    };
    let user = |more: Value| {
        let mut user = json!({ "schemas": [USER], "userName": "bob" });
        if let (Some(user), Value::Object(more)) = (user.as_object_mut(), more) {
            user.extend(more);
        }
        user
    };
    let message = |operation: Value| json!({ "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [operation] });
    let patch = |quirk, body: Value, scim_type| Case {
        quirk,
        method: Method::PATCH,
        path: "/Users/r-00001".to_owned(),
        body,
        status: 400,
        scim_type,
    };
    let of_group =
        |quirk, body, scim_type| Case { path: "/Groups/r-00002".to_owned(), ..patch(quirk, body, scim_type) };
    let bulk = |operation: Value, more: Value| {
        let schemas = ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"];
        let mut body = json!({ "schemas": schemas, "Operations": [operation] });
        if let (Some(body), Value::Object(more)) = (body.as_object_mut(), more) {
            body.extend(more);
        }
        let (method, path) = (Method::POST, "/Bulk".to_owned());
        Case { quirk: Q::UnknownKeys, method, path, body, status: 400, scim_type: "invalidSyntax" }
    };
    vec![
        get(Q::TrailingSlash, "/Users/", 404, ""),
        get(Q::TrailingSlash, "/Users/r-00001/", 404, ""),
        filter(Q::FilterSubattrOutside, r#"emails[type eq "home"].value eq "ada@example.com""#),
        filter(Q::FilterUnquoted, "userName eq ada"),
        filter(Q::FilterLoose, "active eq TRUE"),
        filter(Q::FilterLoose, r#"userName eq"ada""#),
        filter(Q::StringBoolFilter, r#"active eq "True""#),
        patch(
            Q::ReadonlySent,
            message(json!({ "op": "replace", "value": { "groups": [], "title": "Dr" } })),
            "mutability",
        ),
        post(Q::StringBool, user(json!({ "active": "False" })), "invalidValue"),
        patch(
            Q::StringBool,
            message(json!({ "op": "replace", "path": "active", "value": "False" })),
            "invalidValue",
        ),
        post(Q::SchemasIncomplete, json!({ "userName": "bob" }), "invalidSyntax"),
        post(Q::SchemasIncomplete, user(json!({ "schemas": [ENTERPRISE] })), "invalidSyntax"),
        post(Q::SchemasIncomplete, user(json!({ ENTERPRISE: { "department": "R" } })), "invalidSyntax"),
        post(Q::UnknownExt, user(json!({ "schemas": [USER, "urn:example:no"] })), "invalidSyntax"),
        post(Q::UnknownExt, user(json!({ "urn:example:no": { "a": 1 } })), "invalidSyntax"),
        post(Q::UnknownAttribute, user(json!({ "shoeSize": 9 })), "invalidSyntax"),
        post(Q::DottedKeys, user(json!({ "name.givenName": "Bo" })), "invalidSyntax"),
        post(Q::DottedKeys, user(json!({ USER: { "title": "Dr" } })), "invalidSyntax"),
        post(Q::UrnWrong, user(json!({ "schemas": ["urn:scim:schemas:core:1.0:User"] })), "invalidSyntax"),
        patch(
            Q::ExtShortName,
            message(json!({ "op": "add", "path": "department", "value": "R" })),
            "invalidPath",
        ),
        post(
            Q::ManagerString,
            user(json!({ "schemas": [USER, ENTERPRISE], ENTERPRISE: { "manager": "7" } })),
            "invalidValue",
        ),
        post(Q::SingleAsArray, user(json!({ "title": ["Dr"] })), "invalidValue"),
        post(
            Q::Primary,
            user(json!({ "emails": [
                { "value": "a@example.com", "primary": true }, { "value": "b@example.com", "primary": true },
            ] })),
            "invalidValue",
        ),
        patch(
            Q::PatchNoSchemas,
            json!({ "Operations": [{ "op": "add", "path": "title", "value": "Dr" }] }),
            "invalidSyntax",
        ),
        patch(
            Q::UnknownKeys,
            message(json!({ "op": "add", "name": "n", "path": "title", "value": "Dr" })),
            "invalidSyntax",
        ),
        Case {
            quirk: Q::UnknownKeys,
            method: Method::POST,
            path: "/Users/.search".to_owned(),
            body: json!({
                "schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"], "count": 1, "colour": "red",
            }),
            status: 400,
            scim_type: "invalidSyntax",
        },
        bulk(json!({ "method": "DELETE", "path": "/Users/r-00001" }), json!({ "colour": "red" })),
        bulk(json!({ "method": "DELETE", "path": "/Users/r-00001", "colour": "red" }), json!({})),
        patch(
            Q::DottedKeys,
            message(json!({ "op": "add", "value": { "name.familyName": "King" } })),
            "invalidPath",
        ),
        patch(
            Q::ValuepathCreate,
            message(
                json!({ "op": "replace", "path": r#"emails[type eq "work"].value"#, "value": "a@example.com" }),
            ),
            "noTarget",
        ),
        patch(
            Q::IdempotentRemove,
            message(json!({ "op": "remove", "path": r#"emails[type eq "work"]"# })),
            "noTarget",
        ),
        of_group(
            Q::RemoveWithValue,
            message(json!({ "op": "remove", "path": "members", "value": [{ "value": "r-00001" }] })),
            "invalidSyntax",
        ),
        patch(
            Q::UrnWrong,
            json!({
                "schemas": ["urn:ietf:params:scim:schemas:core:2.0:PatchOp"],
                "Operations": [{ "op": "replace", "path": "active", "value": false }],
            }),
            "invalidSyntax",
        ),
        Case {
            quirk: Q::UrnWrong,
            method: Method::POST,
            path: "/Bulk".to_owned(),
            body: json!({
                "schemas": ["urn:ietf:params:scim:schemas:core:2.0:BulkRequest"],
                "Operations": [{ "method": "DELETE", "path": "/Users/r-00001" }],
            }),
            status: 400,
            scim_type: "invalidSyntax",
        },
        Case {
            quirk: Q::UrnWrong,
            method: Method::POST,
            path: "/Users/.search".to_owned(),
            body: json!({ "schemas": ["urn:scim:schemas:core:1.0:searchrequest"], "count": 1 }),
            status: 400,
            scim_type: "invalidSyntax",
        },
        patch(
            Q::UnknownPath,
            json!({
                "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
                "Operations": [
                    { "op": "replace", "path": "shoeSize", "value": 38 },
                    { "op": "replace", "path": "active", "value": false },
                ],
            }),
            "invalidPath",
        ),
        post(Q::ValueObject, user(json!({ "title": { "$ref": null, "value": "Dr" } })), "invalidValue"),
        patch(
            Q::ValueObject,
            message(json!({ "op": "replace", "path": "active", "value": { "value": false } })),
            "invalidValue",
        ),
        patch(
            Q::ValueObject,
            message(json!({
                "op": "replace", "path": r#"emails[type eq "home"].value"#, "value": { "value": "b@example.com" },
            })),
            "invalidValue",
        ),
        post(
            Q::JsonText,
            user(json!({ "emails": r#"[{"value":"a@example.com","type":"work"}]"# })),
            "invalidValue",
        ),
        patch(
            Q::JsonText,
            message(json!({ "op": "replace", "path": "emails", "value": r#"[{"value":"b@example.com"}]"# })),
            "invalidValue",
        ),
        patch(
            Q::JsonText,
            message(json!({ "op": "add", "path": "name", "value": r#"{"familyName":"King"}"# })),
            "invalidValue",
        ),
        patch(
            Q::EmptyStringRemove,
            message(json!({ "op": "replace", "path": format!("{ENTERPRISE}:manager"), "value": "" })),
            "invalidValue",
        ),
        of_group(
            Q::WrappedValue,
            message(
                json!({ "op": "add", "path": "members", "value": { "members": [{ "value": "r-00001" }] } }),
            ),
            "invalidValue",
        ),
        of_group(
            Q::MemberString,
            message(json!({ "op": "add", "path": "members", "value": ["r-00001"] })),
            "invalidValue",
        ),
    ]
}

#[test]
fn group_display_unique_is_served_and_kept() {
    let tour = json!({ "schemas": [GROUP], "displayName": "tour" });
    for (compat, unique) in [
        (Compat::default(), true),
        (Compat::strict(), false),
        (Compat::default().with(Quirk::GroupDisplayUnique, false), false),
        (Compat::strict().with(Quirk::GroupDisplayUnique, true), true),
    ] {
        let server = server(compat);
        server.group("Tour", &[]);
        let second = server.post("/Groups", tour.clone());
        assert_eq!(second.status, if unique { 409 } else { 201 }, "{compat:?}");
        let schema = server.get(&format!("/Schemas/{GROUP}"));
        let name = schema.ok()["attributes"].as_array().expect("a list").iter();
        let name = name.clone().find(|attribute| attribute["name"] == "displayName").expect("the attribute");
        assert_eq!(name["uniqueness"], if unique { "server" } else { "none" }, "{compat:?}");
    }
}

#[test]
fn q_put_omits_put_preserves_absent_keeps_what_is_not_mentioned() {
    for (compat, title) in [
        (Compat::default(), Value::Null),
        (Compat::strict(), Value::Null),
        (Compat::default().with(Quirk::PutPreservesAbsent, true), json!("Dr")),
        (Compat::strict().with(Quirk::PutPreservesAbsent, true), json!("Dr")),
    ] {
        let server = server(compat);
        let id = server.created("/Users", json!({ "schemas": [USER], "userName": "ada", "title": "Dr" }));
        let put = server.put(&format!("/Users/{id}"), json!({ "schemas": [USER], "userName": "ada" }));
        assert_eq!(put.ok()["title"], title, "{compat:?}");
        let needed = compat.allows(Quirk::PutPreservesAbsent);
        assert_eq!(reported(&server).contains(&Quirk::PutPreservesAbsent), needed, "{compat:?}");
    }
}

#[test]
fn s_5_01_username_any_takes_what_precis_refuses() {
    for (compat, status) in [
        (Compat::default(), 400),
        (Compat::strict(), 400),
        (Compat::default().with(Quirk::UsernameAny, true), 201),
        (Compat::strict().with(Quirk::UsernameAny, true), 201),
    ] {
        let server = server(compat);
        let answer = server.post("/Users", json!({ "schemas": [USER], "userName": "ada king" }));
        assert_eq!(answer.status, status, "{compat:?}: {}", answer.json);
        let needed = compat.allows(Quirk::UsernameAny);
        assert_eq!(reported(&server).contains(&Quirk::UsernameAny), needed, "{compat:?}");
    }
}

/// What comes in `Authorization` is for the authenticator to read; the engine only tells it.
#[test]
fn auth_no_scheme_is_known_to_authenticators() {
    let compat = Compat::strict().with(Quirk::AuthNoScheme, true);
    let provider = ServiceProvider::builder(MemoryStore::new()).options(|options| options.compat = compat);
    assert!(provider.build().options().compat.allows(Quirk::AuthNoScheme));
    assert!(!Compat::default().allows(Quirk::AuthNoScheme));
}
