//! Clients that take connections and do not use them: they lock nobody out.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use scim2_testkit::http::Answer;
use serde_json::{Value, json};

use crate::binary::{Server, command, expect};

const TOKEN: &str = "bootstrap-token-of-a-test";

const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";

/// How long a write waits before the socket counts as full.
const FULL: Duration = Duration::from_millis(100);

fn start(folder: &Path, arguments: &[&str]) -> Server {
    let mut all = vec!["--store", "memory"];
    all.extend(arguments);
    Server::start(folder, &all, &[("SCIM2_BOOTSTRAP_TOKEN", TOKEN)])
}

/// A connection whose server waits for the body of a request: it is in use until the body came.
fn busy(server: &Server) -> TcpStream {
    let mut stream = TcpStream::connect(server.authority()).expect("it listens");
    let head = format!(
        "POST /scim/v2/Users HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\nContent-Type: \
         application/scim+json\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).expect("it reads");
    let mut go_on = [0; 25];
    stream.read_exact(&mut go_on).expect("it answers");
    assert_eq!(&go_on, b"HTTP/1.1 100 Continue\r\n\r\n");
    stream
}

/// A client that sends requests until nothing more is taken, and reads no answer.
fn stuck(server: &Server, request: &str) -> TcpStream {
    let mut stream = TcpStream::connect(server.authority()).expect("it listens");
    stream.set_write_timeout(Some(FULL)).expect("a timeout");
    let requests = request.repeat(500);
    let mut refused = 0;
    while refused < 5 {
        match stream.write(requests.as_bytes()) {
            Ok(_) => refused = 0,
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => refused += 1,
            Err(error) => panic!("{error}"),
        }
    }
    stream
}

/// Requests that a client can repeat without reading the answers.
fn pipelined() -> [String; 4] {
    [
        "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n".to_owned(),
        "GET /scim/v2/Users HTTP/1.1\r\nHost: x\r\n\r\n".to_owned(),
        format!("GET /scim/v2/Schemas HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\n\r\n"),
        format!(
            "GET /scim/v2/Schemas HTTP/1.0\r\nConnection: keep-alive\r\nAuthorization: Bearer {TOKEN}\r\n\r\n"
        ),
    ]
}

fn users(server: &Server) -> Answer {
    server.endpoint(TOKEN).call("GET", "/Users", None).expect("an answer")
}

#[test]
fn client_that_reads_nothing_is_closed_after_send_timeout() {
    let folder = tempfile::tempdir().unwrap();
    let server = start(folder.path(), &["--send-timeout", "1"]);
    for request in pipelined() {
        let mut stream = stuck(&server, &request);
        // The server resets the connection: what the client sends next is an error.
        loop {
            match stream.write(b" ") {
                Ok(_) => {}
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
                Err(error) => {
                    assert!(
                        matches!(error.kind(), ErrorKind::ConnectionReset | ErrorKind::BrokenPipe),
                        "{error}"
                    );
                    break;
                }
            }
        }
    }
    assert_eq!(users(&server).status, 200);
}

#[test]
fn health_checks_are_answered_while_all_connections_are_in_use() {
    let folder = tempfile::tempdir().unwrap();
    let arguments = ["--max-connections", "8", "--request-timeout", "3600"];
    let server = start(folder.path(), &arguments);
    let in_use: Vec<TcpStream> = (0..4).map(|_| busy(&server)).collect();
    // More silent connections than the reserve has places.
    let silent: Vec<TcpStream> =
        (0..100).map(|_| TcpStream::connect(server.authority()).expect("it listens")).collect();
    for probe in ["/healthz", "/readyz"] {
        let answer = server.root().send("GET", probe, &[], None).expect("an answer");
        assert_eq!((answer.status, answer.body.as_slice()), (200, &b"ok\n"[..]));
        assert_eq!(answer.header("connection"), Some("close"));
    }
    // Half of the connections are the share of one address.
    let answer = users(&server);
    assert_eq!((answer.status, answer.header("retry-after")), (429, Some("5")));
    assert_eq!(answer.json().unwrap()["status"], "429");
    drop(in_use);
    while users(&server).status != 200 {
        std::thread::yield_now();
    }
    drop(silent);
}

#[test]
fn server_without_a_free_connection_answers_503() {
    let folder = tempfile::tempdir().unwrap();
    let arguments =
        ["--max-connections", "2", "--max-connections-per-address", "9", "--request-timeout", "3600"];
    let server = start(folder.path(), &arguments);
    let in_use: Vec<TcpStream> = (0..2).map(|_| busy(&server)).collect();
    let answer = users(&server);
    assert_eq!((answer.status, answer.header("retry-after")), (503, Some("5")));
    assert_eq!(answer.json().unwrap()["status"], "503");
    drop(in_use);
    server.signal("TERM");
    let (code, said) = server.wait();
    assert_eq!(code, Some(0));
    assert_eq!(said.matches("connections are refused").count(), 1, "{said}");
}

#[test]
fn idle_connection_makes_room_for_a_new_one() {
    let folder = tempfile::tempdir().unwrap();
    let arguments = ["--max-connections", "2", "--request-timeout", "3600"];
    let server = start(folder.path(), &arguments);
    let mut idle = TcpStream::connect(server.authority()).unwrap();
    idle.write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    let mut status = [0; 12];
    idle.read_exact(&mut status).unwrap();
    assert_eq!(&status, b"HTTP/1.1 200");
    while users(&server).status != 200 {
        std::thread::yield_now();
    }
    let mut rest = Vec::new();
    idle.read_to_end(&mut rest).expect("the server closes it in order");
    assert!(rest.ends_with(b"ok\n"));
}

/// A connection from one of this machine's own addresses, with buffers that are soon full.
fn connect_from(last: u8, server: &Server) -> std::io::Result<TcpStream> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let address: SocketAddr = server.authority().parse().expect("an address");
    let stream = runtime.block_on(async {
        let socket = tokio::net::TcpSocket::new_v4()?;
        socket.set_recv_buffer_size(4096)?;
        socket.set_send_buffer_size(4096)?;
        socket.bind((IpAddr::from(Ipv4Addr::new(127, 0, 0, last)), 0).into())?;
        socket.connect(address).await
    })?;
    let stream = stream.into_std()?;
    stream.set_nonblocking(false)?;
    stream.set_write_timeout(Some(FULL))?;
    Ok(stream)
}

/// Opens a connection, fills it with requests, reads no answer, and begins again when the connection is closed.
fn attack(last: u8, server: &Server, filled: &AtomicUsize, ended: &AtomicBool) {
    let requests = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n".repeat(100);
    while !ended.load(Ordering::Relaxed) {
        let Ok(mut stream) = connect_from(last, server) else { continue };
        let mut is_full = false;
        while !ended.load(Ordering::Relaxed) {
            match stream.write(requests.as_bytes()) {
                Ok(_) => {}
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                    if !is_full {
                        is_full = true;
                        filled.fetch_add(1, Ordering::Relaxed);
                    }
                }
                Err(_) => break,
            }
        }
    }
}

/// Two addresses without a token hold all connections that they get, and ask for more all the time.
#[test]
fn two_addresses_that_replace_their_connections_do_not_lock_out_a_third() {
    let folder = tempfile::tempdir().unwrap();
    let server = start(folder.path(), &["--max-connections", "64"]);
    let request = format!(
        "GET /scim/v2/Users HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer {TOKEN}\r\n\r\n"
    );
    let (filled, ended) = (AtomicUsize::new(0), AtomicBool::new(false));
    let answers = std::thread::scope(|scope| {
        for last in [1, 2] {
            for _ in 0..36 {
                let (server, filled, ended) = (&server, &filled, &ended);
                scope.spawn(move || attack(last, server, filled, ended));
            }
        }
        // All places but those that are kept for networks that hold few.
        while filled.load(Ordering::Relaxed) < 48 {
            std::thread::yield_now();
        }
        let ask = || {
            let mut stream = connect_from(9, &server)?;
            stream.write_all(request.as_bytes())?;
            let mut answer = String::new();
            stream.read_to_string(&mut answer)?;
            Ok::<_, std::io::Error>(answer)
        };
        let answers: Vec<_> = (0..128).map(|_| ask()).collect();
        ended.store(true, Ordering::Relaxed);
        answers
    });
    for answer in answers {
        let answer = answer.expect("an answer");
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    }
}

#[test]
fn shutdown_does_not_wait_for_the_rest_of_a_first_head() {
    let folder = tempfile::tempdir().unwrap();
    let server = start(folder.path(), &["--request-timeout", "3600", "--shutdown-timeout", "3600"]);
    let begun = ["\r\n", "GET /scim", "GET /healthz HTTP/1.1\r\nHost: x\r\n"].map(|sent| {
        let mut stream = TcpStream::connect(server.authority()).expect("it listens");
        stream.write_all(sent.as_bytes()).expect("it reads");
        stream
    });
    // The server accepts connections in order, so it has these.
    assert_eq!(users(&server).status, 200);
    server.signal("TERM");
    let (code, said) = server.wait();
    assert_eq!((code, said.contains("shutdown timeout")), (Some(0), false), "{said}");
    drop(begun);
}

#[test]
fn shutdown_does_not_wait_for_the_rest_of_a_body() {
    let folder = tempfile::tempdir().unwrap();
    let server = start(folder.path(), &["--request-timeout", "3600", "--shutdown-timeout", "3600"]);
    let head = format!(
        "POST /scim/v2/Users HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\nContent-Type: \
         application/scim+json\r\n"
    );
    let open: Vec<TcpStream> = [
        "Content-Length: 100\r\n\r\n{",
        "Transfer-Encoding: chunked\r\n\r\n5\r\n{\"use",
        // Refused at once; the rest is read and discarded.
        "Content-Length: 60000000\r\n\r\n{",
    ]
    .into_iter()
    .map(|body| {
        let mut stream = TcpStream::connect(server.authority()).expect("it listens");
        stream.write_all(format!("{head}{body}").as_bytes()).expect("it reads");
        stream
    })
    .collect();
    let asked = busy(&server);
    server.signal("TERM");
    let (code, said) = server.wait();
    assert_eq!((code, said.contains("shutdown timeout")), (Some(0), false), "{said}");
    drop((open, asked));
}

#[test]
fn shutdown_does_not_wait_for_clients_that_read_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let server = start(folder.path(), &["--send-timeout", "3600", "--shutdown-timeout", "3600"]);
    let stuck: Vec<TcpStream> = pipelined().iter().map(|request| stuck(&server, request)).collect();
    server.signal("TERM");
    // Requests without a token are logged; that some did not finish is not.
    let (code, said) = server.wait();
    assert_eq!((code, said.contains("shutdown timeout")), (Some(0), false), "{said}");
    drop(stuck);
}

#[test]
fn connections_are_fitted_within_the_files_that_may_be_opened() {
    let folder = tempfile::tempdir().unwrap();
    let mut limited = std::process::Command::new("sh");
    let serve = command(folder.path(), &["serve", "--listen", "127.0.0.1:0", "--request-timeout", "3600"]);
    limited.args(["-c", "ulimit -Sn 200; ulimit -Hn 256; exec \"$@\"", "sh"]);
    limited.arg(serve.get_program()).args(serve.get_args()).current_dir(folder.path());
    limited.env("SCIM2_BOOTSTRAP_TOKEN", TOKEN).args(["--max-connections-per-address", "4096"]);
    let server = Server::spawn(limited);
    assert!(
        server
            .greeting
            .contains("max_connections is 4096, but this process may open only 256 files: 64 connections"),
        "{}",
        server.greeting
    );
    // Twice as many as are served, and more than the process may open files.
    let in_use: Vec<TcpStream> = (0..64).map(|_| busy(&server)).collect();
    let silent: Vec<TcpStream> =
        (0..300).map(|_| TcpStream::connect(server.authority()).expect("it listens")).collect();
    for _ in 0..50 {
        assert_eq!(users(&server).status, 503);
    }
    assert_eq!(server.root().send("GET", "/readyz", &[], None).expect("an answer").status, 200);
    // The requests in progress are still answered, because the store has files left.
    let mut one = in_use.into_iter().next().expect("one");
    one.write_all(b"{}").expect("it reads");
    let mut status = [0; 12];
    one.read_exact(&mut status).expect("it answers");
    assert_eq!(&status, b"HTTP/1.1 400");
    drop(silent);
    server.signal("TERM");
    let (_, said) = server.wait();
    assert_eq!(said.matches("connections are refused").count(), 1, "{said}");
    assert!(!said.contains("cannot be accepted"), "{said}");
}

/// Requests a target and reads the head of the answer only.
fn unread(server: &Server, target: &str) -> (TcpStream, u16) {
    let mut stream = TcpStream::connect(server.authority()).expect("it listens");
    let head = format!("GET /scim/v2{target} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\n\r\n");
    stream.write_all(head.as_bytes()).expect("it reads");
    let mut status = [0; 12];
    stream.read_exact(&mut status).expect("it answers");
    let status = String::from_utf8_lossy(&status[9..]).parse().expect("a status");
    (stream, status)
}

/// Pages and groups that nobody reads are counted, in the store too; what is beyond the share of a credential is
/// refused at once, and answered when the others are gone.
#[test]
fn unread_answers_beyond_the_share_of_a_credential_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let arguments = ["--max-bytes-in-flight-per-credential", "24MiB", "--send-timeout", "3600"];
    let server = Server::start(folder.path(), &arguments, &[("SCIM2_BOOTSTRAP_TOKEN", TOKEN)]);
    let endpoint = server.endpoint(TOKEN);
    let operations: Vec<Value> = (0..100)
        .map(|number| {
            let data =
                json!({"schemas": [USER], "userName": format!("u{number}"), "title": "x".repeat(50_000)});
            json!({"method": "POST", "path": "/Users", "bulkId": format!("b{number}"), "data": data})
        })
        .collect();
    let bulk = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"], "Operations": operations,
    });
    expect(&endpoint, 200, "POST", "/Bulk", Some(bulk));
    let mut held = Vec::new();
    let refused = loop {
        let (stream, status) = unread(&server, "/Users?count=100");
        if status != 200 {
            break status;
        }
        held.push(stream);
        assert!(held.len() < 100, "nothing is refused");
    };
    // Five megabytes each, of which the kernel has taken some.
    assert!(refused == 429 && held.len() >= 4, "{refused} after {}", held.len());
    assert_eq!(endpoint.call("GET", "/Users?count=1", None).expect("an answer").status, 200);
    drop(held);
    while endpoint.call("GET", "/Users?count=100", None).expect("an answer").status != 200 {
        std::thread::yield_now();
    }
}
