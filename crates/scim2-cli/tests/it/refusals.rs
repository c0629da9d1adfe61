//! What a refused request leaves behind: a line in the log, and the same answer for whoever guesses.

use serde_json::{Value, json};

use crate::binary::{Server, done};
use crate::raw::Connection;

const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const TOKEN: &str = "bootstrap-token-of-a-test";

/// A value that no log line may hold.
const PRIVATE: &str = "PRIVATE-VALUE";

fn started(folder: &std::path::Path, arguments: &[&str]) -> Server {
    Server::start(folder, arguments, &[("SCIM2_BOOTSTRAP_TOKEN", TOKEN)])
}

/// The lines of the log that are refusals, once the server has ended.
fn refusals(server: Server) -> Vec<String> {
    server.signal("TERM");
    let (code, said) = server.wait();
    assert_eq!(code, Some(0));
    assert!(!said.contains(PRIVATE), "{said}");
    said.lines().filter(|line| line.contains("refused")).map(str::to_owned).collect()
}

/// The fields of a line in the format `json`.
fn fields(line: &str) -> Value {
    serde_json::from_str(line).expect(line)
}

/// Keys and paths are names until somebody writes a filter, or a value, into one.
#[test]
fn keys_and_paths_reach_the_log_without_filters_and_values() {
    let schemas = ["urn:ietf:params:scim:api:messages:2.0:PatchOp"];
    let filtered = format!("emails[value eq \"{PRIVATE}\"].nope");
    let spaced = format!("{PRIVATE} of Ada");
    let operations = json!([
        {"op": "add", "path": format!("emails[nope eq \"{PRIVATE}\"]"), "value": "a@example.com"},
        {"op": "add", "path": format!("nope[type eq \"{PRIVATE}\"].y"), "value": "a"},
        {"op": "add", "value": {(&*filtered): "a", (&*spaced): "b", "title": "Dr"}},
    ]);
    let bodies = [
        json!({"schemas": [USER], "userName": "bob", (&*filtered): "b", "nick name of": "c"}),
        json!({"schemas": [USER], "userName": "cy", (&*spaced): "b", "name": {(&*spaced): "c", "givenName": "Cy"}}),
        json!({"schemas": [USER], "userName": "dee", "emails": [{"value": "d@example.com", (&*filtered): "d"}]}),
        json!({"schemas": [USER], "userName": "eve", (format!("urn:example:{PRIVATE} x")): {"a": "d"}}),
    ];
    for mode in ["default", "strict"] {
        let folder = tempfile::tempdir().unwrap();
        let server = started(
            folder.path(),
            &["--store", "memory", "--log-format", "json", "--log", "info", "--compat", mode],
        );
        let endpoint = server.endpoint(TOKEN);
        let ada = json!({"schemas": [USER], "userName": "ada"});
        let created = endpoint.call("POST", "/Users", Some(&ada)).unwrap().json().unwrap();
        let user = format!("/Users/{}", created["id"].as_str().unwrap());
        let expected = if mode == "strict" { 400 } else { 201 };
        for body in &bodies {
            assert_eq!(
                endpoint.call("POST", "/Users", Some(body)).unwrap().status,
                expected,
                "{mode} {body}"
            );
        }
        let patch = json!({"schemas": schemas, "Operations": operations});
        let expected = if mode == "strict" { 400 } else { 200 };
        assert_eq!(endpoint.call("PATCH", &user, Some(&patch)).unwrap().status, expected, "{mode}");
        let unknown = json!({"schemas": schemas, "Operations": [{"op": "add", "path": "title", "value": "x", (&*spaced): 1}]});
        endpoint.call("PATCH", &user, Some(&unknown)).unwrap();
        let unknown =
            json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"], (&*spaced): 1});
        endpoint.call("POST", "/Users/.search", Some(&unknown)).unwrap();
        server.signal("TERM");
        let (code, said) = server.wait();
        assert_eq!(code, Some(0));
        assert!(!said.contains(PRIVATE), "{mode}: {said}");
        assert!(said.contains("emails[…].nope"), "{mode}: {said}");
    }
}

#[test]
fn refused_request_leaves_one_line_without_values_at_the_default_level() {
    let folder = tempfile::tempdir().unwrap();
    let server = started(folder.path(), &["--store", "memory", "--log-format", "json"]);
    let endpoint = server.endpoint(TOKEN);
    let post = |body: Value| ("POST", "/Users".to_owned(), Some(body));
    let get = |query: String| ("GET", format!("/Users?{query}"), None);
    let ada = json!({"schemas": [USER], "userName": format!("ada{PRIVATE}")});
    let created = endpoint.call("POST", "/Users", Some(&ada)).unwrap().json().unwrap();
    let user = format!("/Users/{}", created["id"].as_str().unwrap());
    let patch = |operation: Value| {
        let schemas = ["urn:ietf:params:scim:api:messages:2.0:PatchOp"];
        ("PATCH", user.clone(), Some(json!({"schemas": schemas, "Operations": [operation]})))
    };
    let requests = [
        post(json!({"schemas": [USER], "userName": "a", "active": PRIVATE})),
        post(json!({"schemas": [USER], "userName": format!("{PRIVATE} with spaces")})),
        post(json!({"schemas": [USER], "userName": "a", "password": [PRIVATE, PRIVATE]})),
        post(json!({"schemas": [USER], "userName": "a", "emails": [{"value": PRIVATE, "primary": PRIVATE}]})),
        post(ada.clone()),
        post(json!([PRIVATE])),
        get(format!("filter=userName%20eq%20%22a%22%20{PRIVATE}")),
        get(format!("filter=userName%20eq%20%22{PRIVATE}")),
        get(format!("filter=active%20eq%20%22{PRIVATE}%22")),
        get(format!("startIndex={PRIVATE}")),
        get(format!("sortOrder={PRIVATE}")),
        get(format!("cursor={PRIVATE}")),
        patch(json!({"op": PRIVATE, "path": "title"})),
        patch(json!({"op": "replace", "path": format!("emails[value eq \"{PRIVATE}\"].color"), "value": 1})),
        patch(json!({"op": "replace", "path": format!("emails[value eq \"{PRIVATE}"), "value": 1})),
        patch(json!({"op": "replace", "path": "active", "value": PRIVATE})),
        patch(json!({"op": "replace", "path": "id", "value": PRIVATE})),
        ("PUT", user.clone(), Some(json!({"schemas": [USER], "userName": [PRIVATE, PRIVATE]}))),
        ("GET", "/Nothing".to_owned(), None),
        ("PUT", "/Users".to_owned(), None),
    ];
    let mut answers = Vec::new();
    for (method, target, body) in &requests {
        let answer = endpoint.call(method, target, body.as_ref()).unwrap();
        assert!(answer.status >= 400, "{method} {target} {body:?}: {}", answer.status);
        answers.push(answer);
    }
    let lines = refusals(server);
    assert_eq!(lines.len(), requests.len(), "{lines:#?}");
    for ((line, answer), (method, target, _)) in lines.iter().zip(&answers).zip(&requests) {
        let fields = fields(line);
        assert_eq!(fields["level"], "WARN");
        assert_eq!(fields["status"], answer.status);
        assert_eq!(fields["method"], *method);
        assert_eq!(fields["path"], format!("/scim/v2{}", target.split('?').next().unwrap()));
        assert_eq!(fields["credential"], "bootstrap");
        assert_eq!(fields["address"], "127.0.0.1");
        assert_eq!(fields["request"].as_str(), answer.header("x-request-id"), "{line}");
        assert!(fields["detail"].is_string(), "{line}");
        let body = answer.json().unwrap();
        assert_eq!(fields["scim_type"], body["scimType"], "{line}");
    }
}

/// Bytes that are refused before they are a request are logged too, without the text in the place of a method or target.
/// The answer has the same protective headers as any other.
#[test]
fn what_never_becomes_a_request_leaves_a_line_and_gets_a_protected_answer() {
    let folder = tempfile::tempdir().unwrap();
    let arguments = ["--store", "memory", "--log-format", "json", "--request-timeout", "1"];
    let server = started(folder.path(), &arguments);
    let head = format!(
        "POST /scim/v2/Users?{PRIVATE} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\nContent-Type: \
         application/scim+json\r\n"
    );
    let fields = "x: y\r\n".repeat(200);
    let long = "a".repeat(100_000);
    let requests = [
        // Answered by the HTTP library.
        (400, false, format!("{PRIVATE} HTTP AT ALL\r\n\r\n")),
        (400, false, format!("GET /{PRIVATE} HTTP/1.1\r\n{PRIVATE} field\r\n\r\n")),
        (400, false, format!("GET /{PRIVATE} HTTP/3.0\r\nHost: x\r\n\r\n")),
        (414, false, format!("GET /{PRIVATE}{long} HTTP/1.1\r\nHost: x\r\n\r\n")),
        (414, false, format!("GET /{PRIVATE}{long}{long} HTTP/1.1\r\nHost: x\r\n\r\n")),
        (431, false, format!("GET /{PRIVATE} HTTP/1.1\r\nHost: x\r\n{fields}\r\n")),
        (413, false, format!("{head}Content-Length: 18446744073709551615\r\n\r\n")),
        (413, false, format!("{head}Content-Length: 18446744073709551617\r\n\r\n")),
        // Refused for how they are framed.
        (400, false, format!("{head}Content-Length: 2\r\nContent-Length: 2\r\n\r\n{{}}")),
        (413, false, format!("{head}Content-Length: 18446744073709551613\r\n\r\n")),
        (400, false, format!("GET {PRIVATE} HTTP/1.1\r\nHost: x\r\n\r\n")),
        (400, false, format!("{PRIVATE} /{PRIVATE} HTTP/1.1\nHost: x\n\n")),
        (501, false, format!("{head}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n")),
        // Refused by the service provider, before the body is whole.
        (408, true, format!("{head}Content-Length: 100\r\n\r\n{{")),
    ];
    let mut answers = Vec::new();
    for (status, _, bytes) in &requests {
        let mut connection = Connection::to(server.authority());
        connection.send(bytes);
        let answer = connection.answer().expect("an answer");
        assert_eq!(answer.status, *status, "{bytes:.200}");
        assert_eq!(answer.field("x-content-type-options"), Some("nosniff"), "{answer:?}");
        assert_eq!(answer.field("cache-control"), Some("no-store"), "{answer:?}");
        assert_eq!(answer.field("content-type"), Some("application/scim+json"), "{answer:?}");
        assert_eq!(answer.json()["status"], status.to_string());
        assert!(answer.closes(), "{answer:?}");
        answers.push(answer);
    }
    let lines = refusals(server);
    assert_eq!(lines.len(), requests.len(), "{lines:#?}");
    for ((line, answer), (status, is_request, _)) in lines.iter().zip(&answers).zip(&requests) {
        let fields = self::fields(line);
        assert_eq!(fields["status"], *status, "{line}");
        assert_eq!(fields["address"], "127.0.0.1");
        assert_eq!(fields["request"].as_str(), answer.field("x-request-id"), "{line}");
        assert_eq!(fields["detail"], answer.json()["detail"], "{line}");
        for name in ["method", "path"] {
            assert_eq!(fields.get(name).is_some_and(Value::is_string), *is_request, "{line}");
        }
    }
}

/// A flood of them is folded like any other.
#[test]
fn flood_of_what_never_becomes_a_request_is_folded() {
    let folder = tempfile::tempdir().unwrap();
    let server = started(folder.path(), &["--store", "memory"]);
    for number in 0..100 {
        let mut connection = Connection::to(server.authority());
        connection.send(format!("{number} HTTP AT ALL\r\n\r\n"));
        assert_eq!(connection.answer().expect("an answer").status, 400);
    }
    let lines = refusals(server);
    // A minute may have ended on the way.
    assert!(lines.len() <= 25, "{lines:#?}");
    assert!(lines.iter().any(|line| line.contains("more were refused like these")), "{lines:#?}");
}

#[test]
fn made_up_methods_of_any_length_leave_few_short_lines() {
    let folder = tempfile::tempdir().unwrap();
    let server = started(folder.path(), &["--store", "memory", "--log-format", "json"]);
    let long = "M".repeat(100_000);
    for number in 0..40_u8 {
        let letter = char::from(b'A' + number % 26);
        let mut connection = Connection::to(server.authority());
        connection.send(format!("{long}{letter} /scim/v2/Users HTTP/1.1\r\nHost: x\r\n\r\n"));
        assert_eq!(connection.answer().expect("an answer").status, 401);
    }
    let lines = refusals(server);
    // A minute may have ended on the way.
    assert!(lines.len() <= 25, "{}", lines.len());
    assert!(lines.iter().all(|line| line.len() < 1000), "{:.2000}", lines.join("\n"));
    assert_eq!(fields(&lines[0])["method"], "other");
}

#[test]
fn long_method_and_path_are_cut_in_the_debug_line_of_a_request() {
    let folder = tempfile::tempdir().unwrap();
    let server =
        started(folder.path(), &["--store", "memory", "--log-format", "json", "--log", "scim2=debug"]);
    let (method, path) = ("M".repeat(60_000), "p".repeat(60_000));
    for line in [format!("{method} /scim/v2/Users"), format!("GET /scim/v2/{path}?filter={PRIVATE}")] {
        let mut connection = Connection::to(server.authority());
        connection.send(format!("{line} HTTP/1.1\r\nHost: x\r\n\r\n"));
        assert_eq!(connection.answer().expect("an answer").status, 401);
    }
    server.signal("TERM");
    let (_, said) = server.wait();
    let requests: Vec<Value> = said.lines().map(fields).filter(|line| line["message"] == "request").collect();
    assert_eq!(requests.len(), 2, "{said:.2000}");
    assert_eq!(requests[0]["method"], "M".repeat(24));
    assert_eq!(requests[1]["path"], format!("/scim/v2/{path}")[..256]);
    assert!(!said.contains(PRIVATE) && said.lines().all(|line| line.len() < 1000), "{said:.2000}");
}

#[test]
fn log_of_both_formats_holds_no_control_character_of_a_path() {
    for format in ["text", "json"] {
        let folder = tempfile::tempdir().unwrap();
        let server = started(folder.path(), &["--store", "memory", "--log-format", format]);
        let mut connection = Connection::to(server.authority());
        let path = "/scim/v2/a\u{9b}31m\u{85}\u{202e}b";
        connection.send(format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n"));
        assert_eq!(connection.answer().expect("an answer").status, 401);
        let lines = refusals(server);
        let is_plain = |c| (' '..='~').contains(&c);
        assert!(lines[0].chars().all(is_plain), "{lines:?}");
        if format == "json" {
            assert_eq!(fields(&lines[0])["path"], path);
        }
    }
}

#[test]
fn answer_to_long_values_of_every_kind_is_short() {
    let folder = tempfile::tempdir().unwrap();
    let server = started(folder.path(), &["--store", "memory"]);
    let user = format!("\"schemas\": [\"{USER}\"], \"userName\": \"a\"");
    let search = "\"schemas\": [\"urn:ietf:params:scim:api:messages:2.0:SearchRequest\"]";
    let bulk = "\"schemas\": [\"urn:ietf:params:scim:api:messages:2.0:BulkRequest\"]";
    let patch = "\"schemas\": [\"urn:ietf:params:scim:api:messages:2.0:PatchOp\"]";
    let created =
        server.endpoint(TOKEN).call("POST", "/Users", Some(&json!({"schemas": [USER], "userName": "b"})));
    let id = created.unwrap().json().unwrap()["id"].as_str().unwrap().to_owned();
    let (digits, letters) = ("9".repeat(100_000), "a".repeat(100_000));
    let values = [
        digits.clone(),
        format!("-{digits}"),
        format!("0.{digits}"),
        format!("1e{digits}"),
        format!("\"{letters}\""),
        format!("[{digits}]"),
        format!("[\"{letters}\"]"),
        format!("{{\"{letters}\": {digits}}}"),
        format!("{{\"value\": {digits}}}"),
        format!("[{{\"{letters}\": true}}]"),
        "true".to_owned(),
    ];
    let patched = format!("/Users/{id}");
    let requests = |value: &str| {
        let post = |body: String| ("POST", "/Users".to_owned(), body);
        let search =
            |name: &str| ("POST", "/Users/.search".to_owned(), format!("{{{search}, \"{name}\": {value}}}"));
        let operation =
            |body: &str| ("PATCH", patched.clone(), format!("{{{patch}, \"Operations\": [{{{body}}}]}}"));
        let mut requests = vec![
            post(value.to_owned()),
            post(format!("{{\"schemas\": {value}, \"userName\": \"a\"}}")),
            post(format!("{{\"schemas\": [\"{USER}\"], \"userName\": {value}}}")),
            (
                "POST",
                "/Bulk".to_owned(),
                format!("{{{bulk}, \"failOnErrors\": {value}, \"Operations\": []}}"),
            ),
            ("POST", "/Bulk".to_owned(), format!("{{{bulk}, \"Operations\": {value}}}")),
            ("POST", "/Bulk".to_owned(), format!("{{{bulk}, \"Operations\": [{{\"method\": {value}}}]}}")),
            operation(&format!("\"op\": {value}, \"path\": \"title\"")),
            operation(&format!("\"op\": \"replace\", \"path\": {value}, \"value\": 1")),
            ("PATCH", patched.clone(), format!("{{{patch}, \"Operations\": {value}}}")),
        ];
        for name in ["active", "emails", "name", "password", "profileUrl", "x509Certificates", "meta"] {
            requests.push(post(format!("{{{user}, \"{name}\": {value}}}")));
            requests
                .push(operation(&format!("\"op\": \"replace\", \"path\": \"{name}\", \"value\": {value}")));
        }
        for part in ["value", "primary", "type"] {
            requests.push(post(format!("{{{user}, \"emails\": [{{\"{part}\": {value}}}]}}")));
        }
        let names =
            ["startIndex", "count", "filter", "sortBy", "sortOrder", "attributes", "cursor", "schemas"];
        requests.extend(names.map(search));
        requests
    };
    let (mut connection, mut refused) = (Connection::to(server.authority()), 0);
    for value in &values {
        for (method, target, body) in requests(value) {
            connection.send(format!(
                "{method} /scim/v2{target} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\nContent-Type: \
                 application/scim+json\r\nContent-Length: {}\r\n\r\n{body}",
                body.len()
            ));
            let answer = connection.answer().expect("an answer");
            if answer.status < 400 {
                continue;
            }
            refused += 1;
            let text = String::from_utf8_lossy(&answer.body);
            assert!(text.len() < 2000, "{method} {target} {body:.200}: {text:.2000}");
        }
    }
    assert!(refused > 200, "{refused}");
    let filter = format!("active eq {digits}");
    let answer = server.endpoint(TOKEN).call(
        "POST",
        "/Users/.search",
        Some(&json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"], "filter": filter
        })),
    );
    assert!(answer.unwrap().json().unwrap().to_string().len() < 2000);
}

#[test]
fn failed_operation_of_a_bulk_leaves_a_line_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let server = started(folder.path(), &["--store", "memory", "--log-format", "json"]);
    let body = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],
        "Operations": [
            {"method": "POST", "path": "/Users", "bulkId": "1", "data": {"schemas": [USER], "userName": "a"}},
            {"method": "POST", "path": "/Users", "bulkId": "2", "data": {"schemas": [USER], "active": PRIVATE}},
            {"method": "DELETE", "path": "/Users/none"},
        ]
    });
    let answer = server.endpoint(TOKEN).call("POST", "/Bulk", Some(&body)).unwrap();
    assert_eq!(answer.status, 200);
    let lines = refusals(server);
    let told: Vec<_> = lines
        .iter()
        .map(|line| {
            let fields = fields(line);
            (
                fields["operation"].as_u64(),
                fields["status"].as_u64(),
                fields["path"].as_str().unwrap().to_owned(),
            )
        })
        .collect();
    let expected =
        [(Some(2), Some(400), "/Users".to_owned()), (Some(3), Some(404), "/Users/none".to_owned())];
    assert_eq!(told, expected);
}

#[test]
fn flood_of_identical_refusals_is_folded() {
    let folder = tempfile::tempdir().unwrap();
    let server = started(folder.path(), &["--store", "memory"]);
    for number in 0..200 {
        let answer = server.endpoint(TOKEN).call("GET", &format!("/Users/{number}"), None).unwrap();
        assert_eq!(answer.status, 404);
    }
    let lines = refusals(server);
    // A minute may have ended on the way.
    assert!(lines.len() <= 25, "{lines:#?}");
    assert!(lines.iter().any(|line| line.contains("more were refused like these")), "{lines:#?}");
}

/// The client hears what is wrong with its header, and nothing about tokens that it does not have.
#[test]
fn refused_credentials_are_told_apart_in_the_log_and_only_malformed_ones_in_the_answer() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let server = started(path, &["--log-format", "json"]);
    let made = |name: &str, more: &[&str]| {
        let arguments = [&["token", "create", "--name", name], more].concat();
        done(path, &arguments).trim().to_owned()
    };
    let revoked = made("old-okta", &[]);
    let expired = made("short", &["--expires", "1s"]);
    done(path, &["token", "revoke", "old-okta"]);
    let root = server.root();
    let ask = |headers: &[&str]| {
        let headers: Vec<_> =
            headers.iter().map(|value| ("Authorization".to_owned(), (*value).to_owned())).collect();
        let answer = root.send("GET", "/scim/v2/Users", &headers, None).unwrap();
        let challenge = answer.header("www-authenticate").unwrap_or_default().to_owned();
        (answer.status, challenge, answer.json().unwrap()["detail"].as_str().unwrap_or_default().to_owned())
    };
    while ask(&[&format!("Bearer {expired}")]).0 == 200 {
        std::thread::yield_now();
    }
    let unknown = ask(&["Bearer scim2_of-somebody-else"]);
    assert_eq!(unknown.0, 401);
    assert!(unknown.1.starts_with("Bearer realm=\"scim\", error=\"invalid_token\""), "{}", unknown.1);
    assert_eq!(ask(&[&format!("Bearer {revoked}")]), unknown);
    assert_eq!(ask(&[&format!("Bearer {expired}")]), unknown);
    for (headers, part, is_bearer) in [
        (vec![], "found no `Authorization` header", false),
        (vec!["Basic YWRhOnB3"], "found the scheme Basic", false),
        (vec!["Negotiate abc"], "found another scheme", false),
        (vec![TOKEN], "no word `Bearer`", false),
        (vec!["Bearer Bearer x"], "`Bearer` twice", true),
        (vec!["Bearer \"x\""], "found quotes", true),
        (vec!["Bearer\tx"], "found a tab", true),
        (vec!["Bearer"], "found no token", true),
        (vec!["Bearer x", "Bearer x"], "found several", true),
    ] {
        let (status, challenge, detail) = ask(&headers);
        assert_eq!(status, 401, "{headers:?}");
        assert!(detail.contains(part), "{headers:?}: {detail}");
        assert_eq!(challenge.contains("invalid_token"), is_bearer, "{headers:?}: {challenge}");
    }
    let lines = refusals(server);
    let reasons: Vec<_> =
        lines.iter().map(|line| fields(line)["reason"].as_str().unwrap_or("").to_owned()).collect();
    let expected = [
        "unknown",
        "revoked",
        "expired",
        "no-header",
        "basic",
        "other-scheme",
        "no-scheme",
        "scheme-twice",
        "quotes",
        "whitespace",
        "no-token",
        "several-headers",
    ];
    let start = reasons.iter().position(|reason| reason == "unknown").expect("an unknown token");
    assert_eq!(reasons[start..], expected, "{lines:#?}");
    let of = |reason: &str| fields(lines.iter().rfind(|line| fields(line)["reason"] == reason).unwrap());
    assert_eq!(
        (&of("revoked")["credential"], &of("expired")["credential"]),
        (&json!("old-okta"), &json!("short"))
    );
    assert!(of("unknown")["detail"].as_str().unwrap().contains("scim2 token create"));
}

/// What the guesses of somebody else behind the same address do to a client with a token: nothing.
#[test]
fn guessed_tokens_are_warned_of_once_and_delay_no_valid_one() {
    let folder = tempfile::tempdir().unwrap();
    let server = started(folder.path(), &["--store", "memory", "--log-format", "json", "--log", "info"]);
    let guess = || server.endpoint("scim2_a-token-that-was-guessed").call("GET", "/Users", None).unwrap();
    for _ in 0..11 {
        assert_eq!(guess().status, 401);
    }
    // More requests at a time than the guard delays: the others get 429.
    let mut statuses: Vec<_> = std::thread::scope(|scope| {
        let all: Vec<_> = (0..40)
            .map(|_| {
                scope.spawn(|| {
                    let answer = guess();
                    (answer.status, answer.header("retry-after").is_some())
                })
            })
            .collect();
        all.into_iter().map(|one| one.join().unwrap()).collect()
    });
    statuses.sort_unstable();
    statuses.dedup();
    assert_eq!(statuses, [(401, false), (429, true)]);
    assert_eq!(server.endpoint(TOKEN).call("GET", "/Users", None).unwrap().status, 200);
    server.signal("TERM");
    let (_, said) = server.wait();
    let warnings: Vec<_> =
        said.lines().filter(|line| line.contains("many tokens from this address")).collect();
    assert_eq!(warnings.len(), 1, "{said}");
    assert_eq!(fields(warnings[0])["address"], "127.0.0.1");
    assert!(!said.contains("that-was-guessed"), "{said}");
    let totals = said.lines().find(|line| line.contains("totals since the start")).expect(&said);
    assert!(fields(totals)["refused"].as_str().unwrap().contains("401 unknown: "), "{totals}");
}

/// On a store of rows, whose index finds who has the value.
#[test]
fn conflict_names_the_resource_that_has_the_value() {
    let folder = tempfile::tempdir().unwrap();
    let server = started(folder.path(), &[]);
    let endpoint = server.endpoint(TOKEN);
    let ada = json!({"schemas": [USER], "userName": format!("ada{PRIVATE}")});
    let created = endpoint.call("POST", "/Users", Some(&ada)).unwrap().json().unwrap();
    let answer = endpoint.call("POST", "/Users", Some(&ada)).unwrap();
    let detail = answer.json().unwrap()["detail"].as_str().unwrap().to_owned();
    let id = created["id"].as_str().unwrap();
    assert_eq!(answer.status, 409);
    assert!(detail.ends_with(&format!("which is unique: the User with the id `{id}` has it")), "{detail}");
    assert_eq!(refusals(server).len(), 1);
}

#[test]
fn answers_about_people_are_not_kept_and_none_is_sniffed() {
    let folder = tempfile::tempdir().unwrap();
    let server = started(folder.path(), &["--store", "memory"]);
    let (endpoint, root) = (server.endpoint(TOKEN), server.root());
    for (target, kept) in [
        ("/Users", false),
        ("/Users/none", false),
        ("/ServiceProviderConfig", true),
        ("/Schemas", true),
        ("/ResourceTypes/User", true),
    ] {
        let answer = endpoint.call("GET", target, None).unwrap();
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{target}");
        let cache = (!kept).then_some("no-store");
        assert_eq!(answer.header("cache-control"), cache, "{target}");
    }
    for target in ["/healthz", "/readyz", "/scim/v2/Users"] {
        let answer = root.send("GET", target, &[], None).unwrap();
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{target}");
        assert_eq!(answer.header("cache-control"), Some("no-store"), "{target}");
    }
}
