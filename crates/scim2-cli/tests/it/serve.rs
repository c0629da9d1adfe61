//! `scim2 serve` from start to end.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;

use serde_json::json;

use crate::binary::{Server, expect, run, served};

const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";

/// The token of a greeting.
fn token_of(greeting: &str) -> Option<&str> {
    let line = greeting.lines().find_map(|line| line.trim().strip_prefix("token "))?;
    Some(line.trim())
}

fn all_bytes_of(folder: &Path) -> Vec<u8> {
    let mut bytes = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder") {
        bytes.extend(std::fs::read(entry.expect("an entry").path()).expect("a file"));
    }
    bytes
}

#[test]
fn the_first_start_shows_a_token_once_and_keeps_its_hash_only() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path(), &[], &[]);
    let token = token_of(&server.greeting).expect("a token").to_owned();
    assert!(token.starts_with("scim2_") && token.len() == 55, "{token}");
    assert!(server.greeting.contains(&format!("base URL  {}\n", server.base_url())), "{}", server.greeting);
    expect(&server.endpoint(&token), 200, "GET", "/Users", None);
    expect(&server.endpoint("scim2_of-somebody-else"), 401, "GET", "/Users", None);

    server.signal("TERM");
    let (code, said) = server.wait();
    // The token of somebody else was refused, which is logged, and so is the head of the audit log.
    let lines = said.lines().filter(|line| !line.contains("scim2::audit_head"));
    assert_eq!((code, lines.count()), (Some(0), 1), "{said}");
    let stored = all_bytes_of(&folder.path().join("scim2-data"));
    assert!(!stored.windows(token.len()).any(|window| window == token.as_bytes()));

    let again = Server::start(folder.path(), &[], &[]);
    // Which store and how many users, what is logged, the head of the audit log, and where it listens: no token.
    assert_eq!(again.greeting.lines().count(), 4, "{}", again.greeting);
    let store = std::fs::canonicalize(folder.path()).unwrap().join("scim2-data/scim2.db");
    let line = format!("scim2 keeps its data in sqlite:{}: 0 users; `scim2 token create`", store.display());
    assert!(again.greeting.contains(&line), "{}", again.greeting);
    assert!(
        again.greeting.contains("scim2 logs at `warn`: faults and refused requests;"),
        "{}",
        again.greeting
    );
    expect(&again.endpoint(&token), 200, "GET", "/Users", None);
}

#[test]
fn group_display_unique_is_what_the_mode_or_the_switch_says() {
    let group =
        json!({ "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": "Tour Guides" });
    for (args, second, uniqueness) in [
        (&["--compat", "default"][..], 409, "server"),
        (&["--compat", "strict"], 201, "none"),
        (&["--compat", "profile"], 201, "none"),
        (&["--group-display-unique", "false"], 201, "none"),
        (&["--compat", "strict", "--group-display-unique", "true"], 409, "server"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let server = Server::start(folder.path(), args, &[]);
        let endpoint = server.endpoint(token_of(&server.greeting).expect("a token"));
        expect(&endpoint, 201, "POST", "/Groups", Some(group.clone()));
        expect(&endpoint, second, "POST", "/Groups", Some(group.clone()));
        let schema =
            expect(&endpoint, 200, "GET", "/Schemas/urn:ietf:params:scim:schemas:core:2.0:Group", None);
        let attributes = schema["attributes"].as_array().expect("attributes");
        let name = attributes.iter().find(|attribute| attribute["name"] == "displayName").expect("a name");
        assert_eq!(name["uniqueness"], uniqueness, "{args:?}");
        drop(server);
        // `fsck` reports the same.
        let mut fsck = vec!["fsck"];
        fsck.extend(args);
        let ran = run(folder.path(), &fsck);
        assert_eq!(ran.code, Some(0), "{args:?}: {}{}", ran.out, ran.err);
    }
}

#[test]
fn the_curl_line_is_a_request_that_works() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path(), &["--store", "memory"], &[]);
    let line =
        server.greeting.lines().find(|line| line.trim_start().starts_with("curl ")).expect("a curl line");
    let (field, url) =
        line.trim().strip_prefix("curl -H '").and_then(|rest| rest.split_once("' ")).expect(line);
    let (name, value) = field.split_once(": ").expect(line);
    let target = url.strip_prefix(server.base_url()).expect(line);
    let field = [(name.to_owned(), value.to_owned())];
    let answer = server.endpoint("").send("GET", target, &field, None).unwrap();
    assert_eq!(answer.status, 200);
    assert_eq!(answer.json().unwrap()["totalResults"], 0);
}

#[test]
fn a_bootstrap_token_counts_while_there_is_none_and_is_never_shown() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path(), &[], &[("SCIM2_BOOTSTRAP_TOKEN", "first-bootstrap-token")]);
    assert_eq!(server.greeting.lines().count(), 4, "{}", server.greeting);
    expect(&server.endpoint("first-bootstrap-token"), 200, "GET", "/Users", None);
    drop(server);
    let server = Server::start(folder.path(), &[], &[("SCIM2_BOOTSTRAP_TOKEN", "other-bootstrap-token")]);
    expect(&server.endpoint("first-bootstrap-token"), 200, "GET", "/Users", None);
    expect(&server.endpoint("other-bootstrap-token"), 401, "GET", "/Users", None);
}

#[test]
fn a_bootstrap_token_that_is_too_short_is_refused_and_not_repeated() {
    let folder = tempfile::tempdir().unwrap();
    let output = crate::binary::command(folder.path(), &["serve", "--listen", "127.0.0.1:0"])
        .env("SCIM2_BOOTSTRAP_TOKEN", "short")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(
        String::from_utf8_lossy(&output.stderr),
        "scim2: `SCIM2_BOOTSTRAP_TOKEN`: expected 16 or more visible ASCII characters\n"
    );
}

#[test]
fn a_bootstrap_token_that_is_easy_to_guess_is_refused_and_not_repeated() {
    let folder = tempfile::tempdir().unwrap();
    for token in ["secretsecretsecret", "0123456789abcdefghij", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaa"] {
        let output = crate::binary::command(folder.path(), &["serve", "--listen", "127.0.0.1:0"])
            .env("SCIM2_BOOTSTRAP_TOKEN", token)
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(2));
        assert_eq!(
            String::from_utf8_lossy(&output.stderr),
            "scim2: `SCIM2_BOOTSTRAP_TOKEN` is too easy to guess; expected random characters, such as those that \
             `openssl rand -hex 16` prints\n"
        );
    }
}

#[test]
fn a_port_in_use_is_one_line_and_exit_code_2() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path(), &["--store", "memory"], &[]);
    let ran = run(folder.path(), &["serve", "--listen", server.authority()]);
    assert_eq!(ran.code, Some(2));
    assert_eq!(ran.err, format!("scim2: cannot listen on {}: the port is in use\n", server.authority()));
    assert!(!folder.path().join("scim2-data").exists());
}

#[test]
fn a_store_in_use_is_one_line_and_exit_code_2() {
    let folder = tempfile::tempdir().unwrap();
    let _server = Server::start(folder.path(), &[], &[]);
    let ran = run(folder.path(), &["serve", "--listen", "127.0.0.1:0"]);
    assert_eq!(ran.code, Some(2));
    assert_eq!(ran.err, "scim2: the store `./scim2-data/scim2.db`: another server has the database open\n");
}

#[test]
fn probes_answer_at_the_root_without_a_token() {
    let (server, _folder) = served(&[]);
    let url = server.endpoint().base_url();
    let root = url.strip_suffix("/scim/v2").unwrap();
    let root = scim2_testkit::http::Endpoint::new(root, "").unwrap();
    for probe in ["/healthz", "/readyz"] {
        let answer = root.send("GET", probe, &[], None).unwrap();
        assert_eq!((answer.status, answer.body.as_slice()), (200, b"ok\n".as_slice()));
        let answer = root.send("POST", probe, &[], None).unwrap();
        assert_eq!((answer.status, answer.header("allow")), (405, Some("GET, HEAD")));
        assert_eq!(answer.json().unwrap()["status"], "405");
    }
    for path in ["/scim/v2/Users", "/scim/v2/ServiceProviderConfig", "/scim/v2/nothing"] {
        let answer = root.send("GET", path, &[], None).unwrap();
        assert_eq!(answer.status, 401, "{path}");
        assert!(answer.header("www-authenticate").unwrap().starts_with("Bearer"));
    }
}

/// The signal comes between the head and the body of a request; its answer comes nevertheless, and what it
/// wrote is there at the next start.
#[test]
fn what_was_accepted_is_finished_after_sigterm() {
    let folder = tempfile::tempdir().unwrap();
    let token = "bootstrap-token-of-a-test";
    let server = Server::start(folder.path(), &[], &[("SCIM2_BOOTSTRAP_TOKEN", token)]);
    let body = json!({"schemas": [USER], "userName": "late"}).to_string();
    let head = format!(
        "POST /scim/v2/Users HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nContent-Type: \
         application/scim+json\r\nExpect: 100-continue\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    let mut stream = TcpStream::connect(server.authority()).unwrap();
    stream.write_all(head.as_bytes()).unwrap();
    // The server says that it has read the head and wants the body: the request is accepted.
    let mut go = [0; 25];
    stream.read_exact(&mut go).unwrap();
    assert_eq!(&go, b"HTTP/1.1 100 Continue\r\n\r\n");

    server.signal("TERM");
    // It has stopped accepting once nobody can connect any more.
    while TcpStream::connect(server.authority()).is_ok() {
        std::thread::yield_now();
    }
    stream.write_all(body.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 201 "), "{answer}");
    let (code, said) = server.wait();
    // Nothing is logged but the head of the audit log, at the start and at the end.
    assert_eq!(
        (code, said.lines().filter(|line| !line.contains("scim2::audit_head")).count()),
        (Some(0), 0),
        "{said}"
    );

    let server = Server::start(folder.path(), &[], &[]);
    let found = expect(&server.endpoint(token), 200, "GET", "/Users?filter=userName%20eq%20%22late%22", None);
    assert_eq!(found["totalResults"], 1);
}

#[test]
fn ctrl_c_ends_it_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path(), &["--store", "memory"], &[]);
    server.signal("INT");
    let (code, said) = server.wait();
    // Nothing is logged but the head of the audit log, at the start and at the end.
    assert_eq!(
        (code, said.lines().filter(|line| !line.contains("scim2::audit_head")).count()),
        (Some(0), 0),
        "{said}"
    );
}

#[test]
fn what_is_no_http_gets_a_scim_error_too() {
    let (server, _folder) = raw_server();
    let fields = "x: y\r\n".repeat(200);
    for (status, bytes) in [
        (400, "NOT HTTP AT ALL\r\n\r\n".to_owned()),
        (400, "GET / HTTP/1.1\r\nbad field\r\n\r\n".to_owned()),
        (431, format!("GET / HTTP/1.1\r\nHost: x\r\n{fields}\r\n")),
        (431, format!("GET / HTTP/1.1\r\nHost: x\r\nlong: {}\r\n\r\n", "a".repeat(400_000))),
        (414, format!("GET /{} HTTP/1.1\r\nHost: x\r\n\r\n", "a".repeat(100_000))),
    ] {
        let answer = server.raw(bytes.as_bytes());
        let (head, body) = answer.split_once("\r\n\r\n").expect(&answer);
        assert!(head.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}");
        assert!(head.contains("content-type: application/scim+json"), "{answer}");
        let body: serde_json::Value = serde_json::from_str(body).expect(&answer);
        assert_eq!(body["status"], status.to_string());
        assert_eq!(body["schemas"][0], "urn:ietf:params:scim:api:messages:2.0:Error");
    }
    assert_eq!(server.root().send("GET", "/healthz", &[], None).unwrap().status, 200);
}

/// Neither a connection that never asked anything nor one that waits for its next request holds it up: it would
/// say so after the shutdown timeout.
#[test]
fn connections_without_a_request_do_not_hold_up_the_end() {
    let (server, _folder) = raw_server();
    let silent = TcpStream::connect(server.authority()).unwrap();
    let mut waiting = TcpStream::connect(server.authority()).unwrap();
    waiting.write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    let mut status = [0; 12];
    waiting.read_exact(&mut status).unwrap();
    assert_eq!(&status, b"HTTP/1.1 200");
    server.signal("TERM");
    let (code, said) = server.wait();
    // Nothing is logged but the head of the audit log, at the start and at the end.
    assert_eq!(
        (code, said.lines().filter(|line| !line.contains("scim2::audit_head")).count()),
        (Some(0), 0),
        "{said}"
    );
    drop((silent, waiting));
}

/// A client that looks for an answer only after it has sent everything gets one. The connection is closed after it: the
/// answer came before the end of the body, and a proxy must not send another client's request behind that.
#[test]
fn a_body_that_is_too_large_is_read_to_its_end_and_refused() {
    let (server, _folder) = raw_server();
    let token = token_of(&server.greeting).unwrap().to_owned();
    let body = vec![b' '; 10 << 20];
    for (token, status) in [(token.as_str(), 413), ("wrong-token-wrong-token", 401)] {
        for _ in 0..2 {
            let mut stream = TcpStream::connect(server.authority()).unwrap();
            let head = format!(
                "POST /scim/v2/Users HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nContent-Type: \
                 application/scim+json\r\nContent-Length: {}\r\n\r\n",
                body.len()
            );
            stream.write_all(head.as_bytes()).unwrap();
            stream.write_all(&body).unwrap();
            let mut answer = [0; 12];
            stream.read_exact(&mut answer).unwrap();
            assert_eq!(String::from_utf8_lossy(&answer), format!("HTTP/1.1 {status}"));
            let mut reader = std::io::BufReader::new(&mut stream);
            assert_eq!(body_of(&mut reader)["status"], status.to_string());
            assert_eq!(reader.read(&mut [0]).unwrap(), 0, "the connection is closed");
        }
    }
}

/// A body whose Content-Length is too large is refused before it arrives. The client may still send it.
#[test]
fn s_3_12_10_a_body_that_is_announced_as_too_large_is_refused_at_once() {
    let (server, _folder) = raw_server();
    let token = token_of(&server.greeting).unwrap();
    let length = 9 << 20;
    for path in ["Users", "Bulk"] {
        let mut stream = TcpStream::connect(server.authority()).unwrap();
        // Well below the time that a body may take to arrive.
        stream.set_read_timeout(Some(std::time::Duration::from_secs(20))).unwrap();
        let head = format!(
            "POST /scim/v2/{path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nContent-Type: \
             application/scim+json\r\nContent-Length: {length}\r\n\r\n",
        );
        stream.write_all(head.as_bytes()).unwrap();
        let mut reader = std::io::BufReader::new(&mut stream);
        let mut status = [0; 12];
        reader.read_exact(&mut status).unwrap();
        assert_eq!(&status, b"HTTP/1.1 413");
        assert_eq!(body_of(&mut reader)["status"], "413");
        stream.write_all(&vec![b' '; length]).unwrap();
    }
}

/// RFC 9112 §3.2.
#[test]
fn a_request_without_a_host_or_with_two_is_refused() {
    let (server, _folder) = raw_server();
    let token = token_of(&server.greeting).unwrap();
    for (version, hosts, status) in [
        ("1.1", "Host: x\r\n", "200"),
        ("1.1", "", "400"),
        ("1.1", "Host: x\r\nHost: y\r\n", "400"),
        ("1.1", "Host: x y\r\n", "400"),
        ("1.0", "", "200"),
    ] {
        for target in ["/scim/v2/Users", "/healthz"] {
            let mut stream = TcpStream::connect(server.authority()).unwrap();
            let head = format!("GET {target} HTTP/{version}\r\n{hosts}Authorization: Bearer {token}\r\n\r\n");
            stream.write_all(head.as_bytes()).unwrap();
            let mut reader = std::io::BufReader::new(&mut stream);
            let mut line = [0; 12];
            reader.read_exact(&mut line).unwrap();
            assert_eq!(String::from_utf8_lossy(&line[9..]), status, "{version} {hosts:?} {target}");
            if status == "400" {
                assert_eq!(body_of(&mut reader)["scimType"], "invalidSyntax");
            }
        }
    }
}

/// Reads the rest of a head, and the body that it announces.
fn body_of(reader: &mut impl std::io::BufRead) -> serde_json::Value {
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        if line == "\r\n" {
            break;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    serde_json::from_slice(&body).unwrap()
}

fn raw_server() -> (Server, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path(), &["--store", "memory"], &[]);
    (server, folder)
}

#[test]
fn flag_before_variable_before_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = "max_results = 10\npatch_response = \"no-content\"\nstore = \"memory\"\nbase_url = \"https://x.example/a\"\n";
    std::fs::write(folder.path().join("scim2.toml"), file).unwrap();
    let token = "bootstrap-token-of-a-test";
    let variables = [
        ("SCIM2_BOOTSTRAP_TOKEN", token),
        ("SCIM2_CONFIG", "scim2.toml"),
        ("SCIM2_MAX_RESULTS", "20"),
        ("SCIM2_BASE_URL", "https://y.example/b"),
    ];
    let server = Server::start(folder.path(), &["--base-url", "https://z.example/c"], &variables);
    assert!(server.greeting.ends_with(" with base URL https://z.example/c\n"), "{}", server.greeting);
    assert!(!folder.path().join("scim2-data").exists());
    let endpoint = server.endpoint(token);
    let config = expect(&endpoint, 200, "GET", "/ServiceProviderConfig", None);
    assert_eq!(config["filter"]["maxResults"], 20);
    let user = expect(&endpoint, 201, "POST", "/Users", Some(json!({"schemas": [USER], "userName": "a"})));
    let id = user["id"].as_str().unwrap();
    assert_eq!(user["meta"]["location"], format!("https://z.example/c/Users/{id}"));
    let patch = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
        "Operations": [{"op": "replace", "path": "title", "value": "b"}]});
    let target = format!("/Users/{id}");
    expect(&endpoint, 204, "PATCH", &target, Some(patch.clone()));
    expect(&endpoint, 200, "PATCH", &format!("{target}?attributes=title"), Some(patch));
}

#[test]
fn host_and_forwarded_count_only_if_configured() {
    let location_with = |arguments: &[&str], forwarded_host: &str| {
        let (server, _folder) = served(&[&["--store", "memory"], arguments].concat());
        let fields = [
            ("Authorization", format!("Bearer {}", server.endpoint().token())),
            ("X-Forwarded-Host", forwarded_host.to_owned()),
            ("X-Forwarded-Proto", "https".to_owned()),
            ("Content-Type", "application/scim+json".to_owned()),
        ];
        let fields: Vec<_> = fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        let body = json!({"schemas": [USER], "userName": "a"}).to_string();
        let answer = server.endpoint().send("POST", "/Users", &fields, Some(body.as_bytes())).unwrap();
        assert_eq!(answer.status, 201);
        let base = server.endpoint().base_url();
        answer.header("location").unwrap().replace(&base, "HERE").split("/Users/").next().unwrap().to_owned()
    };
    let location = |arguments: &[&str]| location_with(arguments, "forwarded.example");
    assert_eq!(location(&[]), "HERE");
    // The client's Host is the listen address here, and the forwarded fields still do not count.
    assert_eq!(location(&["--trust-host"]), "HERE");
    let trusted = ["--trust-forwarded", "true"];
    assert_eq!(location(&trusted), "https://forwarded.example/scim/v2");
    // The proxy appended the right one of two values. With a second trusted proxy, the left one counts.
    let twice = |hops| {
        location_with(
            &[&trusted, &["--forwarded-hops", hops][..]].concat(),
            "client.example, forwarded.example",
        )
    };
    assert_eq!(twice("1"), "https://forwarded.example/scim/v2");
    assert_eq!(twice("2"), "https://client.example/scim/v2");
}

#[test]
fn a_switch_of_the_mode_is_a_flag() {
    let (server, _folder) = served(&["--store", "memory", "--string-bool", "false"]);
    let body = json!({"schemas": [USER], "userName": "a", "active": "False"});
    let error = expect(server.endpoint(), 400, "POST", "/Users", Some(body.clone()));
    assert_eq!(error["scimType"], "invalidValue");
    let (server, _folder) = served(&["--store", "memory", "--compat", "strict", "--string-bool"]);
    assert_eq!(expect(server.endpoint(), 201, "POST", "/Users", Some(body))["active"], false);
}

#[test]
fn discovery_is_anonymous_only_if_configured() {
    let (server, _folder) = served(&["--store", "memory", "--anonymous-discovery"]);
    for path in ["/ServiceProviderConfig", "/ResourceTypes", "/Schemas"] {
        assert_eq!(server.endpoint().send("GET", path, &[], None).unwrap().status, 200, "{path}");
    }
    assert_eq!(server.endpoint().send("GET", "/Users", &[], None).unwrap().status, 401);
}

#[test]
fn what_the_operator_calls_sensitive_is_no_filter_in_a_uri() {
    let documentation = ["--documentation-uri", "https://example.com/scim"];
    let sensitive = ["--store", "memory", "--sensitive-attributes", "emails,userName"];
    let (server, _folder) = served(&[&sensitive[..], &documentation].concat());
    let endpoint = server.endpoint();
    for filter in ["userName%20pr", "emails.value%20pr"] {
        let error = expect(endpoint, 403, "GET", &format!("/Users?filter={filter}"), None);
        assert_eq!(error["scimType"], "sensitive");
    }
    let search =
        json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"], "filter": "userName pr"});
    expect(endpoint, 200, "POST", "/Users/.search", Some(search));
    let config = expect(endpoint, 200, "GET", "/ServiceProviderConfig", None);
    assert_eq!(config["documentationUri"], "https://example.com/scim");
}

#[test]
fn a_password_is_kept_as_an_argon2id_hash_and_logged_nowhere() {
    let (server, folder) = served(&["--log", "trace"]);
    let body = json!({"schemas": [USER], "userName": "a", "password": "Tr0ub4dor-and-3"});
    let user = expect(server.endpoint(), 201, "POST", "/Users", Some(body));
    assert!(user.get("password").is_none());
    let said = server.said();
    assert!(!said.contains("Tr0ub4dor") && !said.contains("argon2id"), "{said}");
    assert!(!said.contains(scim2_testkit::process::TOKEN), "{said}");
    assert_eq!(server.terminate().unwrap().code(), Some(0));
    let stored = all_bytes_of(folder.path());
    let holds = |text: &str| stored.windows(text.len()).any(|window| window == text.as_bytes());
    assert!(holds("$argon2id$v=19$") && !holds("Tr0ub4dor"));
}

/// An operator who wants to know what a stricter mode would refuse reads it in the log.
#[test]
fn the_log_says_what_was_tolerated_wherever_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let token = [("SCIM2_BOOTSTRAP_TOKEN", "first-bootstrap-token")];
    let arguments = ["--store", "memory", "--log", "info", "--path-variants"];
    let server = Server::start(folder.path(), &arguments, &token);
    let endpoint = server.endpoint("first-bootstrap-token");
    let user = json!({ "schemas": [USER], "userName": "ada", "active": "True" });
    let id = expect(&endpoint, 201, "POST", "/Users", Some(user))["id"].as_str().unwrap().to_owned();
    for target in [
        "/Users?filter=userName%20eq%20ada",
        "/Users?filter=emails%5Btype%20eq%20%22work%22%5D.value%20pr",
        "/?filter=department%20pr",
        "/Users?filter=active%20eq%20%22true%22%20and%20title%20eq%22x%22",
        "/Users?sortBy=costCenter",
        &format!("/Users/{id}?attributes=division"),
    ] {
        expect(&endpoint, 200, "GET", target, None);
    }
    expect(&endpoint, 200, "GET", "/%55sers", None);
    let head = "Host: x\r\nAuthorization: Bearer first-bootstrap-token\r\nConnection: close\r\n\r\n";
    let answer =
        server.raw(format!("GET /scim/v2/Users?filter=title+eq+\"x\" HTTP/1.1\r\n{head}").as_bytes());
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    expect(&endpoint, 200, "GET", "/Users?filter=userName%20eq%20%22ada%22", None);
    server.signal("TERM");
    let (code, said) = server.wait();
    assert_eq!(code, Some(0));
    // One line a request.
    let lenient = said.lines().filter(|line| line.contains("lenient"));
    let tolerated: Vec<&str> =
        lenient.filter_map(|line| line.split("tolerated=\"").nth(1)?.split('"').next()).collect();
    let expected = [
        "string-bool (User active)",
        "filter-unquoted (User)",
        "filter-subattr-outside (User)",
        "ext-short-name (any)",
        "filter-loose (User), string-bool-filter (User)",
        "ext-short-name (User)",
        "ext-short-name (User)",
        "path-variants",
        "raw-quotes",
    ];
    assert_eq!(tolerated, expected, "{said}");
}
