//! Where requests begin and end: bytes that are not a request are never answered as one, and what parsers read in different ways
//! is refused.

use scim2_testkit::process::{ServerProcess, TOKEN};
use serde_json::json;
use tempfile::TempDir;

use crate::harness;
use crate::raw::{Answer, Connection};

const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";

/// A server with one user, whom attacks try to delete.
pub(crate) struct Target {
    pub(crate) server: ServerProcess,
    victim: String,
    _folder: TempDir,
}

impl Target {
    pub(crate) fn with(arguments: &[&str]) -> Self {
        let (server, folder) = harness::serve(&[&["--max-body", "2000"], arguments].concat());
        let body = json!({ "schemas": [USER], "userName": "victim" });
        let answer = server.endpoint().call("POST", "/Users", Some(&body)).expect("an answer");
        assert_eq!(answer.status, 201);
        let victim = answer.json().expect("JSON")["id"].as_str().expect("an id").to_owned();
        Self { server, victim, _folder: folder }
    }

    pub(crate) fn authority(&self) -> String {
        let base = self.server.endpoint().base_url();
        base.strip_prefix("http://").and_then(|rest| rest.split('/').next()).expect("an authority").to_owned()
    }

    fn connect(&self) -> Connection {
        Connection::to(&self.authority())
    }

    pub(crate) fn victim_path(&self) -> String {
        format!("/scim/v2/Users/{}", self.victim)
    }

    /// A body that hides a request which deletes the victim.
    pub(crate) fn smuggling_body(&self) -> String {
        let path = self.victim_path();
        Self::body_around(
            &format!("DELETE {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\n\r\n"),
            0,
        )
    }

    /// A body that begins like a request and grows when its quotes are encoded. The bytes that it gains push the hidden
    /// request out of it. With padding it is too long to come together with its head.
    pub(crate) fn body_around(hidden: &str, padding: usize) -> String {
        // Each quote gains two bytes. An empty line before a request is skipped, so half of a pair more does no harm.
        let hidden = format!("{}{hidden}", "\n".repeat(hidden.len() % 2));
        format!("GET /{}{}\n{hidden}", "a".repeat(padding), "\"".repeat(hidden.len() / 2))
    }

    #[track_caller]
    pub(crate) fn victim_lives(&self) {
        let path = format!("/Users/{}", self.victim);
        let answer = self.server.endpoint().call("GET", &path, None).expect("an answer");
        assert_eq!(answer.status, 200, "the smuggled DELETE was executed");
    }
}

/// Requests that are answered before their body is read, with their status.
pub(crate) fn early_answers() -> Vec<(u16, String)> {
    let bearer = format!("Authorization: Bearer {TOKEN}\r\n");
    let json = "Content-Type: application/scim+json\r\n";
    vec![
        (401, format!("POST /scim/v2/Users HTTP/1.1\r\nHost: x\r\n{json}")),
        (401, format!("PATCH /scim/v2/Users/1 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer wrong\r\n{json}")),
        (404, format!("POST /scim/v2/Nothing HTTP/1.1\r\nHost: x\r\n{bearer}{json}")),
        (404, format!("POST /elsewhere HTTP/1.1\r\nHost: x\r\n{bearer}{json}")),
        (405, format!("PUT /scim/v2/Users HTTP/1.1\r\nHost: x\r\n{bearer}{json}")),
        (405, format!("POST /healthz HTTP/1.1\r\nHost: x\r\n{json}")),
        (415, format!("POST /scim/v2/Users HTTP/1.1\r\nHost: x\r\n{bearer}Content-Type: text/plain\r\n")),
        (415, format!("POST /scim/v2/Bulk HTTP/1.1\r\nHost: x\r\n{bearer}{json}Content-Encoding: gzip\r\n")),
        (400, format!("POST /scim/v2/Users HTTP/1.1\r\nHost: x y\r\n{bearer}{json}")),
        (200, format!("GET /scim/v2/Users?count=0 HTTP/1.1\r\nHost: x\r\n{bearer}")),
    ]
}

fn sized(head: &str, body: &str) -> String {
    format!("{head}Content-Length: {}\r\n\r\n", body.len())
}

/// All answers until the connection is closed after one, or until so many have come.
fn answers(connection: &mut Connection, count: usize) -> Vec<Answer> {
    let mut answers = Vec::new();
    while answers.len() < count
        && let Some(answer) = connection.answer()
    {
        let closes = answer.closes();
        answers.push(answer);
        if closes {
            break;
        }
    }
    answers
}

/// Sends the attack behind every early answer, in several ways, and looks whether the user is still there.
#[test]
fn body_after_early_answer_is_never_a_request() {
    for arguments in [&[][..], &["--compat", "strict"], &["--raw-quotes", "false"]] {
        let target = Target::with(arguments);
        let body = target.smuggling_body();
        let healthy = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n";
        let chunked = format!("Transfer-Encoding: chunked\r\n\r\n{:x}\r\n{body}\r\n0\r\n\r\n", body.len());
        std::thread::scope(|scope| {
            for (status, head) in early_answers() {
                let (target, body, chunked) = (&target, &body, &chunked);
                scope.spawn(move || {
                    let case = format!("{arguments:?} {status} {head}");
                    // The body comes after the answer.
                    let mut connection = target.connect();
                    connection.send(sized(&head, body));
                    let answer = connection.answer().expect("an answer");
                    assert_eq!((answer.status, answer.closes()), (status, true), "{case}");
                    connection.send(body);
                    connection.closed();
                    // It comes with the head, alone or between two other requests, and whole or in chunks.
                    for request in [format!("{}{body}", sized(&head, body)), format!("{head}{chunked}")] {
                        let mut connection = target.connect();
                        connection.send(format!("{healthy}{request}{healthy}"));
                        let statuses: Vec<u16> =
                            answers(&mut connection, 3).iter().map(|answer| answer.status).collect();
                        assert_eq!(statuses, [200, status, 200], "{case}");
                    }
                });
            }
        });
        target.victim_lives();
    }
}

#[test]
fn body_that_is_announced_as_too_large_is_never_a_request() {
    let target = Target::with(&[]);
    let mut body = target.smuggling_body();
    body.push_str(&" ".repeat(100_000));
    for path in ["Users", "Bulk", ".search"] {
        let head = format!(
            "POST /scim/v2/{path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\nContent-Type: \
             application/scim+json\r\n"
        );
        let mut connection = target.connect();
        connection.send(sized(&head, &format!("{body}{}", " ".repeat(9 << 20))));
        let answer = connection.answer().expect("an answer before the body");
        assert_eq!((answer.status, answer.closes()), (413, true), "{path}");
        connection.send(&body);
        drop(connection);
    }
    target.victim_lives();
}

/// A short body that came with its head costs no connection.
#[test]
fn early_answer_to_whole_request_keeps_the_connection() {
    let target = Target::with(&[]);
    let mut connection = target.connect();
    for (status, head) in early_answers() {
        connection.send(format!("{}{{}}", sized(&head, "{}")));
        let answer = connection.answer().expect("an answer");
        assert_eq!((answer.status, answer.closes()), (status, false), "{head}");
    }
}

#[test]
fn early_answer_to_expect_closes_the_connection() {
    let target = Target::with(&[]);
    let body = target.smuggling_body();
    for (status, head) in early_answers() {
        let mut connection = target.connect();
        connection.send(sized(&format!("{head}Expect: 100-continue\r\n"), &body));
        let answer = connection.answer().expect("an answer");
        assert_eq!((answer.status, answer.closes()), (status, true), "{head}");
        connection.send(&body);
        connection.closed();
    }
    target.victim_lives();
}

/// The lines of a connection on which anything may be wrong are refused, and nothing after them is answered.
#[test]
fn ambiguous_request_is_refused_and_the_connection_closed() {
    for arguments in [&[][..], &["--compat", "strict"]] {
        let target = Target::with(arguments);
        let bearer =
            format!("Host: x\r\nAuthorization: Bearer {TOKEN}\r\nContent-Type: application/scim+json\r\n");
        let chunks = "2\r\n{}\r\n0\r\n\r\n";
        for (status, request) in [
            (
                501,
                format!(
                    "POST /scim/v2/Users HTTP/1.1\r\n{bearer}Transfer-Encoding: gzip, chunked\r\n\r\n{chunks}"
                ),
            ),
            (
                501,
                format!(
                    "POST /scim/v2/Users HTTP/1.1\r\n{bearer}Transfer-Encoding: chunked, chunked\r\n\r\n{chunks}"
                ),
            ),
            (
                501,
                format!(
                    "POST /scim/v2/Users HTTP/1.1\r\n{bearer}Transfer-Encoding: chunked\r\nTransfer-Encoding: \
                     chunked\r\n\r\n{chunks}"
                ),
            ),
            (
                501,
                format!(
                    "GET /healthz HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n{chunks}"
                ),
            ),
            // RFC 9112 §6.3: 400 where `chunked` is not the last coding.
            (400, format!("POST /scim/v2/Users HTTP/1.1\r\n{bearer}Transfer-Encoding: gzip\r\n\r\n{chunks}")),
            (
                400,
                format!(
                    "POST /scim/v2/Users HTTP/1.1\r\n{bearer}Transfer-Encoding: chunked, gzip\r\n\r\n{chunks}"
                ),
            ),
            (400, format!("POST /scim/v2/Users HTTP/1.1\r\n{bearer}Transfer-Encoding: identity\r\n\r\n")),
            (
                400,
                format!("POST /scim/v2/Users HTTP/1.0\r\n{bearer}Transfer-Encoding: chunked\r\n\r\n{chunks}"),
            ),
            (
                400,
                format!(
                    "POST /scim/v2/Users HTTP/1.1\r\n{bearer}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{chunks}"
                ),
            ),
            (
                400,
                format!(
                    "POST /scim/v2/Users HTTP/1.1\r\n{bearer}Transfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n{chunks}"
                ),
            ),
            (
                400,
                format!(
                    "POST /scim/v2/Users HTTP/1.1\r\n{bearer}Content-Length: 2\r\nContent-Length: 2\r\n\r\n{{}}"
                ),
            ),
            (
                400,
                format!(
                    "POST /scim/v2/Users HTTP/1.1\r\n{bearer}Content-Length: 2\r\nContent-Length: 3\r\n\r\n{{}}"
                ),
            ),
            (400, format!("POST /scim/v2/Users HTTP/1.1\r\n{bearer}Content-Length: +2\r\n\r\n{{}}")),
            (400, format!("GET /scim/v2/Users HTTP/1.1\n{bearer}\r\n")),
            (400, format!("GET /scim/v2/Users HTTP/1.1\r\n{bearer}\n")),
            (400, format!("GET /scim/v2/Users HTTP/1.1\r\n{bearer} folded\r\n\r\n")),
            (400, format!("GET /scim/v2/Users#x HTTP/1.1\r\n{bearer}\r\n")),
            (400, format!("GET  /scim/v2/Users HTTP/1.1\r\n{bearer}\r\n")),
            (400, format!("CONNECT x:1 HTTP/1.1\r\n{bearer}\r\n")),
        ] {
            let mut connection = target.connect();
            let next = format!("DELETE /scim/v2/Users/{} HTTP/1.1\r\n{bearer}\r\n", target.victim);
            connection.send(format!("{request}{next}"));
            let answer = connection.answer().expect("an answer");
            assert_eq!((answer.status, answer.closes()), (status, true), "{request}");
            assert_eq!(answer.json()["status"], status.to_string(), "{request}");
            connection.closed();
        }
        target.victim_lives();
    }
}

/// A body whose chunks are ambiguous is the last thing on its connection, whatever the HTTP library makes of it.
#[test]
fn nothing_after_ambiguous_chunks_is_answered() {
    let target = Target::with(&[]);
    for chunks in [
        "2;\u{1}\r\n{}\r\n0\r\n\r\n",
        "2\n{}\r\n0\r\n\r\n",
        "2 \r\n{}\r\n0\r\n\r\n",
        "2\r\n{}\r\n0\r\nX\n\r\n",
    ] {
        let mut connection = target.connect();
        connection.send(format!(
            "POST /scim/v2/Users HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\nContent-Type: \
             application/scim+json\r\nTransfer-Encoding: chunked\r\n\r\n{chunks}"
        ));
        connection.send(format!(
            "DELETE /scim/v2/Users/{} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\n\r\n",
            target.victim
        ));
        if let Some(answer) = connection.answer() {
            assert_eq!((answer.status, answer.closes()), (400, true), "{chunks:?}");
        }
        connection.closed();
    }
    target.victim_lives();
}

/// Q-RAW-QUOTES, on the first request of a connection and after others.
#[test]
fn raw_quotes_in_targets_are_a_switch() {
    let filtered = format!(
        "GET /scim/v2/Users?filter=userName+eq+\"victim\" HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\n\r\n"
    );
    let target = Target::with(&[]);
    let mut connection = target.connect();
    let searched = r#"{"schemas":["urn:ietf:params:scim:api:messages:2.0:SearchRequest"],"count":0}"#;
    let head = format!(
        "POST /scim/v2/.search HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\nContent-Type: \
         application/scim+json\r\n"
    );
    for _ in 0..2 {
        connection.send(&filtered);
        let answer = connection.answer().expect("an answer");
        assert_eq!((answer.status, answer.closes()), (200, false));
        assert_eq!(answer.json()["totalResults"], 1);
        connection.send(format!("{}{searched}", sized(&head, searched)));
        assert_eq!(connection.answer().expect("an answer").status, 200);
        connection.send(format!(
            "{head}Transfer-Encoding: chunked\r\n\r\n{:x}\r\n{searched}\r\n0\r\n\r\n",
            searched.len()
        ));
        assert_eq!(connection.answer().expect("an answer").status, 200);
    }
    for arguments in [["--raw-quotes", "false"], ["--compat", "strict"], ["--compat", "profile"]] {
        let target = Target::with(&arguments);
        let mut connection = target.connect();
        connection.send(&filtered);
        assert_eq!(connection.answer().expect("an answer").status, 400, "{arguments:?}");
    }
}

#[test]
fn body_that_arrives_too_slowly_is_408() {
    let target = Target::with(&["--request-timeout", "1"]);
    let head = format!(
        "POST /scim/v2/Users HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\nContent-Type: \
         application/scim+json\r\n"
    );
    for part in [
        format!("{head}Content-Length: 100\r\n\r\n{{"),
        format!("{head}Transfer-Encoding: chunked\r\n\r\n5\r\n{{"),
    ] {
        let mut connection = target.connect();
        connection.send(part);
        let answer = connection.answer().expect("an answer");
        assert_eq!((answer.status, answer.closes()), (408, true));
        assert_eq!(answer.json()["status"], "408");
        connection.closed();
    }
}
