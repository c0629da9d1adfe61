//! Whatever a client sends, the answer is SCIM and the service continues to work.

use http::{Method, Request};
use http_body_util::Full;
use proptest::prelude::*;
use scim2_core::Compat;
use serde_json::{Value, json};

use crate::harness::{ENTERPRISE, GROUP, Server, USER};

fn method() -> impl Strategy<Value = Method> {
    prop::sample::select(vec![
        Method::GET,
        Method::POST,
        Method::PUT,
        Method::PATCH,
        Method::DELETE,
        Method::HEAD,
        Method::OPTIONS,
    ])
}

fn path() -> impl Strategy<Value = String> {
    let known = prop::sample::select(vec![
        "/Users",
        "/Users/r-00001",
        "/Groups",
        "/Groups/r-00002",
        "/.search",
        "/Users/.search",
        "/Bulk",
        "/Me",
        "/Schemas",
        "/ResourceTypes/User",
        "/ServiceProviderConfig",
        "/",
        "",
        "/Users/",
        "//",
        "/v1/Users",
    ]);
    prop_oneof![8 => known.prop_map(str::to_owned), 1 => "(/[a-zA-Z0-9%._~-]{0,8}){1,3}"]
}

fn query() -> impl Strategy<Value = String> {
    let name = prop::sample::select(vec![
        "filter",
        "sortBy",
        "sortOrder",
        "startIndex",
        "count",
        "attributes",
        "excludedAttributes",
        "cursor",
        "x",
    ]);
    let value = prop_oneof![
        prop::sample::select(vec![
            "userName%20eq%20%22ada%22",
            "members%5Bvalue%20pr%5D",
            "not%20(id%20pr)",
            "-1",
            "0",
            "9999999999999999999999",
            "name.familyName",
            "emails",
            "members",
            "meta.created",
            "descending",
            "%00",
            "%FF",
            "",
        ])
        .prop_map(str::to_owned),
        "[a-zA-Z0-9%.()+~:-]{0,24}",
    ];
    prop::collection::vec((name, value), 0..4).prop_map(|pairs| {
        pairs.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&")
    })
}

/// JSON out of the words of the protocol.
fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        prop::sample::select(vec![
            "ada",
            "r-00001",
            "r-00002",
            "nobody",
            "add",
            "remove",
            "replace",
            "POST",
            "PATCH",
            "DELETE",
            "/Users",
            "/Users/bulkId:a",
            "bulkId:a",
            "bulkId:b",
            "a",
            "b",
            "members",
            "userName",
            "title",
            "password",
            "members[value eq \"r-00001\"]",
            "emails[type eq \"work\"].value",
            "",
            "true",
            USER,
            GROUP,
            ENTERPRISE,
            "urn:ietf:params:scim:api:messages:2.0:PatchOp",
            "urn:ietf:params:scim:api:messages:2.0:BulkRequest",
        ])
        .prop_map(Value::from),
        ".{0,6}".prop_map(Value::from),
    ];
    let name = prop::sample::select(vec![
        "schemas",
        "id",
        "userName",
        "displayName",
        "name",
        "givenName",
        "emails",
        "value",
        "type",
        "primary",
        "members",
        "active",
        "password",
        "meta",
        "groups",
        "Operations",
        "op",
        "path",
        "method",
        "bulkId",
        "data",
        "version",
        "failOnErrors",
        "filter",
        "attributes",
        "count",
        "$ref",
        "display",
        ENTERPRISE,
        "manager",
        "title",
        "nope",
    ]);
    leaf.prop_recursive(5, 48, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(name.clone().prop_map(str::to_owned), inner, 0..6)
                .prop_map(|members| members.into_iter().collect::<serde_json::Map<_, _>>().into()),
        ]
    })
}

/// A body: words at random, or a message that is right on the outside.
fn body() -> impl Strategy<Value = Vec<u8>> {
    let operations = || prop::collection::vec(value(), 1..4);
    prop_oneof![
        value().prop_map(|value| value.to_string().into_bytes()),
        operations().prop_map(|operations| {
            let schemas = ["urn:ietf:params:scim:api:messages:2.0:PatchOp"];
            json!({ "schemas": schemas, "Operations": operations }).to_string().into_bytes()
        }),
        (value(), value()).prop_map(|(path, value)| {
            let schemas = ["urn:ietf:params:scim:api:messages:2.0:PatchOp"];
            let operation = json!({ "op": "replace", "path": path, "value": value });
            json!({ "schemas": schemas, "Operations": [operation] }).to_string().into_bytes()
        }),
        (value(), value()).prop_map(|(a, b)| {
            let schemas = ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"];
            let post = |bulk_id: &str, path: &str, data: &Value| {
                json!({ "method": "POST", "path": path, "bulkId": bulk_id, "data": data })
            };
            json!({ "schemas": schemas, "Operations": [post("a", "/Users", &a), post("b", "/Groups", &b)] })
                .to_string()
                .into_bytes()
        }),
        prop::collection::vec(any::<u8>(), 0..64),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn s_3_12_01_any_request_gets_a_scim_answer(
        compat in prop::sample::select(vec![Compat::default(), Compat::strict(), Compat::profile()]),
        requests in prop::collection::vec((method(), path(), query(), body()), 1..6),
    ) {
        let server = Server::with(|builder| builder.options(|options| options.compat = compat));
        let user = server.user("ada");
        server.group("Tour", &[&user]);
        for (method, path, query, body) in requests {
            let uri = format!("/scim/v2{path}?{query}");
            let request = Request::builder().method(method.clone()).uri(uri).header("authorization", "Bearer write");
            // Text that is not a URI never becomes a request.
            let Ok(request) = request.body(Full::new(body.into())) else { continue };
            let answer = server.send(request);
            let status = answer.status.as_u16();
            prop_assert!(status < 500 || status == 501, "{method} {path}?{query}: {}", answer.json);
            if status >= 400 && method != Method::HEAD {
                prop_assert_eq!(&answer.json["status"], &json!(status.to_string()));
                prop_assert_eq!(answer.header("content-type"), "application/scim+json");
            }
            prop_assert!(!String::from_utf8_lossy(&answer.bytes).contains("reversed"), "a hash leaked");
        }
        // Every stored resource is still readable, and every list agrees with its resources.
        let list = server.get("/?count=200");
        prop_assert_eq!(list.status, 200);
        prop_assert_eq!(&list.json["totalResults"], &json!(list.resources().len()));
        for resource in list.resources() {
            let location = resource["meta"]["location"].as_str().unwrap_or_default();
            let path = location.trim_start_matches(crate::harness::BASE);
            prop_assert_eq!(&server.get(path).json, resource);
        }
    }
}
