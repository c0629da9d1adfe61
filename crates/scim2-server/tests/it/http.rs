//! HTTP around the protocol: credentials, methods, media types, routes.

use http::{Method, Request};
use scim2_core::Compat;
use serde_json::json;

use crate::harness::{BASE, Server, USER, raw, request, with_body, with_token};

#[test]
fn s_2_01_s_3_12_06_without_a_credential_401_with_a_challenge() {
    let server = Server::new();
    for (path, token) in
        [("/Users", ""), ("/Users", "Bearer wrong"), ("/Users/1", "Basic eA=="), ("/Nope", "")]
    {
        let mut request = with_token(Method::GET, path, token);
        if token.is_empty() {
            request.headers_mut().remove("authorization");
        }
        let refused = server.send(request);
        refused.refused(401, "");
        // RFC 6750 §3.1: what is wrong is said where a bearer token came, and nowhere else.
        let challenge = refused.header("www-authenticate");
        let expected = match token {
            "Bearer wrong" => "Bearer realm=\"scim\", error=\"invalid_token\", error_description=",
            _ => "Bearer realm=\"scim\"",
        };
        assert!(challenge.starts_with(expected), "{challenge}");
        assert_eq!(challenge.contains("error="), token == "Bearer wrong", "{challenge}");
    }
    server.send(with_token(Method::GET, "/Users", "Bearer down")).refused(503, "");
}

#[test]
fn s_2_02_a_reading_credential_does_not_write() {
    let server = Server::new();
    let id = server.user("ada");
    let send = |method: Method, path: &str| {
        let mut request = with_body(method, path, json!({ "schemas": [USER], "userName": "x" }));
        request.headers_mut().insert("authorization", "Bearer read".parse().expect("a value"));
        server.send(request)
    };
    let path = format!("/Users/{id}");
    for (method, path) in [
        (Method::POST, "/Users"),
        (Method::PUT, path.as_str()),
        (Method::PATCH, path.as_str()),
        (Method::DELETE, path.as_str()),
    ] {
        send(method, path).refused(403, "");
    }
    assert_eq!(send(Method::GET, "/Users").ok()["totalResults"], 1);
    let search = json!({ "schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"] });
    let mut request = with_body(Method::POST, "/Users/.search", search);
    request.headers_mut().insert("authorization", "Bearer read".parse().expect("a value"));
    assert_eq!(server.send(request).status, 200, "a search reads");
}

#[test]
fn a_64_methods_that_are_never_possible_are_405_with_allow() {
    let server = Server::new();
    let id = server.user("ada");
    for (method, path, allow) in [
        (Method::PUT, "/Users".to_owned(), "GET, HEAD, POST"),
        (Method::PATCH, "/Groups".to_owned(), "GET, HEAD, POST"),
        (Method::DELETE, "/Users".to_owned(), "GET, HEAD, POST"),
        (Method::POST, format!("/Users/{id}"), "GET, HEAD, PUT, PATCH, DELETE"),
        (Method::OPTIONS, format!("/Users/{id}"), "GET, HEAD, PUT, PATCH, DELETE"),
        (Method::POST, "/".to_owned(), "GET, HEAD"),
        (Method::GET, "/.search".to_owned(), "POST"),
    ] {
        let refused = server.send(request(method.clone(), &path));
        refused.refused(405, "");
        assert_eq!(refused.header("allow"), allow, "{method} {path}");
    }
}

#[test]
fn s_3_12_07_unknown_endpoints_are_404() {
    let server = Server::new();
    for path in
        ["/Nope", "/Nope/1", "/users", "/Users/1/2", "/ServiceProviderConfigs", "/Users//", "/Schemas/a/b"]
    {
        server.get(path).refused(404, "");
    }
    let outside = Request::get("https://example.com/other").header("authorization", "Bearer write");
    server.send(outside.body(Default::default()).expect("a request")).refused(404, "");
}

fn server_with_variants() -> Server {
    let compat = Compat::default().with(scim2_core::Quirk::PathVariants, true);
    Server::with(|builder| builder.options(|options| options.compat = compat))
}

/// A rule of a proxy for one path holds for everything that the path leads to.
#[test]
fn endpoint_has_one_path_unless_the_switch_takes_variants() {
    let (server, lenient) = (Server::new(), server_with_variants());
    let ids = [&server, &lenient].map(|server| server.user("ada"));
    let get = |server: &Server, path: &str| {
        let request =
            Request::get(path).header("authorization", "Bearer write").header("host", "example.com");
        server.send(request.body(Default::default()).expect("a request"))
    };
    let [id, lenient_id] = &ids;
    for endpoint in [
        "Users",
        "Groups",
        "Bulk",
        "Me",
        ".search",
        "Schemas",
        "ResourceTypes",
        "ServiceProviderConfig",
        "Users/ID",
    ] {
        let first = format!("%{:02X}{}", endpoint.as_bytes()[0], &endpoint[1..]);
        for path in [
            format!("/scim/{endpoint}"),
            format!("/scim/v2/v2/{endpoint}"),
            format!("/scim/v2/{first}"),
            format!("/scim/v%32/{endpoint}"),
        ] {
            get(&server, &path.replace("ID", id)).refused(404, "");
            assert_ne!(get(&lenient, &path.replace("ID", lenient_id)).status, 404, "{path}");
        }
        for path in [
            format!("/scim/v2//{endpoint}"),
            format!("//scim/v2/{endpoint}"),
            format!("/scim//v2/{endpoint}"),
            format!("/scim/v2/./{endpoint}"),
            format!("/scim/v2/x/../{endpoint}"),
            format!("/scim/v2/{endpoint}/."),
            format!("/scim/v2/{endpoint};a=b"),
            format!("/scim/v2/%2F{endpoint}"),
            format!("/scim/v2%2F{endpoint}"),
            format!("/scim/V2/{endpoint}"),
            format!("/SCIM/v2/{endpoint}"),
            format!("/scim/v2/{}", endpoint.to_ascii_uppercase()),
            format!("/scim/v2/{}", endpoint.to_ascii_lowercase()),
            format!("/{endpoint}"),
            format!("/v2/{endpoint}"),
        ] {
            if path != format!("/scim/v2/{endpoint}") {
                get(&server, &path.replace("ID", id)).refused(404, "");
                get(&lenient, &path.replace("ID", lenient_id)).refused(404, "");
            }
        }
    }
    // A part of the path of a user that need not be encoded, and a part of a Bulk path.
    get(&server, &format!("/scim/v2/Users/%{:02X}{}", id.as_bytes()[0], &id[1..])).refused(404, "");
    let bulk = server.post(
        "/Bulk",
        json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],
            "Operations": [{ "method": "DELETE", "path": format!("/U%73ers/{id}") }],
        }),
    );
    assert_ne!(bulk.ok()["Operations"][0]["status"], "204");
    assert_eq!(server.get(&format!("/Users/{id}")).status, 200);
}

#[test]
fn s_3_13_02_s_3_12_21_another_version_is_400() {
    let server = Server::new();
    let other = Request::get("https://example.com/scim/v9/Users").header("authorization", "Bearer write");
    server.send(other.body(Default::default()).expect("a request")).refused(400, "invalidVers");
    server.get("/v1/Users").refused(400, "invalidVers");
}

#[test]
fn s_3_13_01_03_a_path_without_a_version_is_of_the_one_there_is() {
    let server = server_with_variants();
    let id = server.user("ada");
    let get = |path: &str| {
        let request =
            Request::get(format!("https://example.com{path}")).header("authorization", "Bearer write");
        server.send(request.body(Default::default()).expect("a request"))
    };
    let (with, without) = (get(&format!("/scim/v2/Users/{id}")), get(&format!("/scim/Users/{id}")));
    assert_eq!(with.ok()["meta"]["location"], format!("{BASE}/Users/{id}"));
    assert_eq!(without.bytes, with.bytes);
    get("/scim/v3/Users").refused(400, "invalidVers");
    get("/scim/Nope").refused(404, "");
}

#[test]
fn q_trailing_slash_is_the_same_endpoint() {
    let server = Server::new();
    let id = server.user("ada");
    assert_eq!(server.get("/Users/").ok()["totalResults"], 1);
    assert_eq!(server.get(&format!("/Users/{id}/")).ok()["id"], json!(id));
}

#[test]
fn q_id_opaque_ids_of_any_form_are_404() {
    let server = Server::new();
    for id in ["0", "a.b", "a.scim", "%00", "%FF", "x%20y", "%2e%2e", &"x".repeat(4000)] {
        server.get(&format!("/Users/{id}")).refused(404, "");
    }
}

#[test]
fn s_3_8_02_03_04_the_answer_has_the_type_that_is_accepted() {
    let server = Server::new();
    for (accept, content_type) in [
        ("application/scim+json", "application/scim+json"),
        ("application/json", "application/json"),
        ("*/*", "application/scim+json"),
        ("application/json, application/scim+json", "application/scim+json"),
        ("text/html", "application/scim+json"),
    ] {
        for path in ["/Users", "/Nope"] {
            let mut request = request(Method::GET, path);
            request.headers_mut().insert("accept", accept.parse().expect("a value"));
            assert_eq!(server.send(request).header("content-type"), content_type, "{accept}");
        }
    }
    assert_eq!(server.get("/Users").header("content-type"), "application/scim+json");
}

#[test]
fn q_ct_scim_q_ct_json_s_3_8_06_request_bodies_are_json() {
    let server = Server::new();
    let post = |content_type: Option<&'static str>, name: &str| {
        let mut request =
            raw(Method::POST, "/Users", json!({ "schemas": [USER], "userName": name }).to_string());
        request.headers_mut().remove("content-type");
        if let Some(content_type) = content_type {
            request.headers_mut().insert("content-type", content_type.parse().expect("a value"));
        }
        server.send(request)
    };
    for (at, accepted) in [
        Some("application/scim+json; charset=utf-8"),
        Some("application/json"),
        Some("Application/JSON;charset=UTF-8"),
        None,
    ]
    .into_iter()
    .enumerate()
    {
        assert_eq!(post(accepted, &format!("user-{at}")).status, 201, "{accepted:?}");
    }
    for refused in ["text/plain", "application/xml", "application/json; charset=utf-16"] {
        post(Some(refused), "other").refused(415, "");
    }
}

#[test]
fn a_compressed_body_is_refused_as_such() {
    let server = Server::new();
    let post = |coding: &'static str, body: String| {
        let mut request = raw(Method::POST, "/Users", body);
        request.headers_mut().insert("content-encoding", coding.parse().expect("a value"));
        server.send(request)
    };
    let body = |name: &str| json!({ "schemas": [USER], "userName": name }).to_string();
    for coding in ["gzip", "br", "identity, gzip"] {
        post(coding, body("ada")).refused(415, "");
        post(coding, "\u{1f}\u{8b}\u{8}".to_owned()).refused(415, "");
    }
    assert_eq!(post("Identity", body("ada")).status, 201);
}

#[test]
fn s_3_8_01_text_beyond_the_basic_plane_round_trips() {
    let server = Server::new();
    let title = "⚙️ 𝔄𝔡𝔞 \"\\\u{2028}\u{7f}";
    let id = server.created("/Users", json!({ "schemas": [USER], "userName": "ada", "title": title }));
    assert_eq!(server.get(&format!("/Users/{id}")).ok()["title"], title);
}

#[test]
fn head_is_get_without_the_body() {
    let server = Server::new();
    let id = server.user("ada");
    let path = format!("/Users/{id}");
    let (get, head) = (server.get(&path), server.send(request(Method::HEAD, &path)));
    assert_eq!((head.status.as_u16(), head.bytes.len()), (200, 0));
    assert_eq!(head.header("content-length"), get.bytes.len().to_string());
    for name in ["etag", "content-type", "location"] {
        assert_eq!(head.header(name), get.header(name));
    }
    assert_eq!(server.send(request(Method::HEAD, "/Users/none")).status, 404);
    let mut unchanged = request(Method::HEAD, &path);
    unchanged.headers_mut().insert("if-none-match", get.header("etag").parse().expect("a value"));
    let answer = server.send(unchanged);
    assert_eq!((answer.status.as_u16(), answer.header("content-length")), (304, ""));
}

#[cfg(test)]
/// The base of the location in the answer to a GET, or the status of a refusal. `target` is the part before the
/// path.
fn base_of(trusted_proxies: usize, target: &str, headers: &[(&'static str, &str)]) -> String {
    use scim2_server::BaseUrl;
    let server = Server::with(|builder| {
        builder.options(|options| {
            options.base_url = BaseUrl::FromRequest { path: "/scim/v2".into(), trusted_proxies }
        })
    });
    let id = server.user("ada");
    let mut request =
        Request::get(format!("{target}/scim/v2/Users/{id}")).header("authorization", "Bearer write");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let answer = server.send(request.body(Default::default()).expect("a request"));
    if answer.status != 200 {
        answer.refused(400, "invalidSyntax");
        return "refused".to_owned();
    }
    answer.ok()["meta"]["location"].as_str().expect("a URI").replace(&format!("/scim/v2/Users/{id}"), "")
}

#[test]
fn base_url_from_request_counts_forwarded_fields_from_the_right() {
    assert_eq!(base_of(1, "", &[("host", "idp.example:8080")]), "http://idp.example:8080");
    let forwarded = [
        ("host", "inner"),
        ("x-forwarded-host", "evil.example, outer.example"),
        ("x-forwarded-proto", "https"),
    ];
    assert_eq!(base_of(0, "", &forwarded), "http://inner");
    assert_eq!(base_of(1, "", &forwarded), "https://outer.example");
    let twice = [("x-forwarded-host", "evil.example, outer.example"), ("x-forwarded-host", "inner.example")];
    assert_eq!(base_of(2, "", &twice), "http://outer.example");
    assert_eq!(base_of(1, "", &[("x-forwarded-proto", "HTTPS"), ("host", "h")]), "https://h");
    assert_eq!(base_of(1, "", &[("x-forwarded-proto", "https, http"), ("host", "h")]), "http://h");
    assert_eq!(base_of(1, "", &[("x-forwarded-proto", "javascript"), ("host", "h")]), "http://h");
}

/// Every location of an answer repeats the host.
#[test]
fn base_url_from_request_with_a_long_host_is_refused() {
    let (fits, long) = ("a".repeat(253), "a".repeat(254));
    let zeros = format!("a:{:0>20000}", 443);
    for name in ["host", "x-forwarded-host"] {
        assert_eq!(base_of(1, "", &[(name, &fits)]), format!("http://{fits}"), "{name}");
        for host in [&long, &zeros] {
            assert_eq!(base_of(1, "", &[(name, host)]), "refused", "{name}");
        }
    }
    assert_eq!(base_of(1, &format!("http://{long}"), &[("host", "h")]), "refused");
}

#[test]
fn base_url_from_request_with_absolute_target_ignores_host() {
    assert_eq!(
        base_of(0, "http://target.example:81", &[("host", "other.example")]),
        "http://target.example:81"
    );
    assert_eq!(base_of(0, "https://target.example", &[]), "https://target.example");
}

#[test]
fn base_url_from_request_with_something_else_than_a_host_is_refused() {
    // S-7.1-01: no user information in a URI of ours.
    for host in ["user:secret@evil.example", "evil.example/path", "evil.example?x", "a b", ""] {
        assert_eq!(base_of(0, "", &[("host", host)]), "refused", "{host}");
        if !host.is_empty() {
            assert_eq!(base_of(1, "", &[("host", "h"), ("x-forwarded-host", host)]), "refused", "{host}");
        }
    }
    assert_eq!(base_of(0, "http://user:secret@evil.example", &[("host", "h")]), "refused");
    assert_eq!(base_of(0, "", &[]), "refused");
}

#[test]
fn base_url_fixed_ignores_the_request() {
    let fixed = Server::new();
    let id = fixed.user("ada");
    let request = Request::get(format!("/scim/v2/Users/{id}")).header("authorization", "Bearer write");
    let request = request.header("x-forwarded-host", "evil.example").body(Default::default());
    let answer = fixed.send(request.expect("a request"));
    assert_eq!(answer.ok()["meta"]["location"], format!("{BASE}/Users/{id}"));
}

#[test]
fn the_service_is_a_tower_service() {
    use std::convert::Infallible;

    fn is_service<S, B>(_: &S)
    where
        S: tower_service::Service<Request<B>, Error = Infallible> + Clone + Send + Sync + 'static,
        S::Future: Send,
    {
    }
    is_service::<_, http_body_util::Full<bytes::Bytes>>(&Server::new().service);
}

#[test]
fn rfc3986_6_2_2_2_an_endpoint_may_be_percent_encoded() {
    let server = server_with_variants();
    let id = server.created("/%55sers", json!({ "schemas": [USER], "userName": "ada" }));
    for path in [format!("/%55sers/{id}"), format!("/Users/%72{}", &id[1..])] {
        assert_eq!(server.get(&path).status, 200, "{path}");
    }
    assert_eq!(server.get("/%53chemas").status, 200);
    assert_eq!(server.get("/Users%2F").status, 404, "an encoded slash is none");
    let bulk = server.post("/%42ulk", json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],
        "Operations": [
            { "method": "POST", "path": "/%55sers", "bulkId": "a", "data": { "schemas": [USER], "userName": "bob" } },
            { "method": "DELETE", "path": format!("/U%73ers/{id}") },
        ],
    }));
    let statuses: Vec<_> =
        bulk.ok()["Operations"].as_array().expect("a list").iter().map(|it| &it["status"]).collect();
    assert_eq!(statuses, ["201", "204"]);
}

#[test]
fn i_6_2_01_the_profile_has_one_media_type() {
    let server = Server::with(|builder| builder.options(|options| options.compat = Compat::profile()));
    for path in ["/Users", "/Nowhere"] {
        for accept in ["application/json", "application/scim+json", "*/*"] {
            let mut request = request(Method::GET, path);
            request.headers_mut().insert("accept", accept.parse().expect("a value"));
            assert_eq!(
                server.send(request).header("content-type"),
                "application/scim+json",
                "{path} {accept}"
            );
        }
    }
}
