//! The attacks of `framing` through real proxies, which re-use their connections to the server for other clients.

use scim2_testkit::process::TOKEN;
use scim2_testkit::proxy::{Proxy, Software};

use crate::framing::{Target, early_answers};
use crate::raw::Connection;

#[test]
fn nginx_never_carries_a_smuggled_request() {
    attack_through(Software::Nginx);
}

#[test]
fn nginx_without_buffering_never_carries_a_smuggled_request() {
    attack_through(Software::NginxUnbuffered);
}

#[test]
fn haproxy_never_carries_a_smuggled_request() {
    attack_through(Software::Haproxy);
}

fn attack_through(software: Software) {
    let target = Target::with(&[]);
    let folder = tempfile::tempdir().expect("a folder");
    let proxy = Proxy::start(software, &target.authority(), folder.path()).expect("the proxy starts");
    let Some(proxy) = proxy else { return };
    let path = target.victim_path();
    let hidden = [
        // The next client's request completes the field, and brings its token.
        format!("DELETE {path} HTTP/1.1\r\nHost: x\r\nX: "),
        format!("DELETE {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\n\r\n"),
    ];
    std::thread::scope(|scope| {
        for (status, head) in early_answers() {
            let (proxy, hidden) = (&proxy, &hidden);
            scope.spawn(move || {
                for hidden in hidden {
                    attack_once(software, proxy, status, &head, &Target::body_around(hidden, 0));
                    attack_once(software, proxy, status, &head, &Target::body_around(hidden, 20_000));
                }
            });
        }
    });
    target.victim_lives();
}

fn attack_once(software: Software, proxy: &Proxy, status: u16, head: &str, body: &str) {
    let sized = format!("{head}Content-Length: {}\r\n\r\n", body.len());
    let chunked = format!("{head}Transfer-Encoding: chunked\r\n\r\n{:x}\r\n", body.len());
    for (head, end) in [(sized, ""), (chunked, "\r\n0\r\n\r\n")] {
        let mut attacker = Connection::to(proxy.authority());
        attacker.send(format!("{head}{body}{end}"));
        assert_eq!(attacker.answer().expect("an answer").status, status, "{software:?} {head}");
        honest_client_is_served(proxy);
        if software == Software::Nginx {
            // It asks the server when it has the whole body.
            continue;
        }
        let mut attacker = Connection::to(proxy.authority());
        attacker.send(&head);
        assert_eq!(attacker.answer().expect("an early answer").status, status, "{software:?} {head}");
        attacker.send(format!("{body}{end}"));
        honest_client_is_served(proxy);
    }
}

/// Requests of a client with a token are answered with what they ask for, each of them.
#[track_caller]
fn honest_client_is_served(proxy: &Proxy) {
    let mut client = Connection::to(proxy.authority());
    for _ in 0..2 {
        client.send(format!(
            "GET /scim/v2/Users?filter=userName+eq+\"victim\" HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\n\r\n"
        ));
        let answer = client.answer().expect("an answer");
        assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
        assert_eq!(answer.json()["totalResults"], 1);
    }
}
