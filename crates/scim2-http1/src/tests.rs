use super::*;

/// The bytes that are handed on if `sent` arrives in pieces of at most `piece` bytes, and the framer after that.
fn handed_on(sent: &[u8], piece: usize) -> (Vec<u8>, RequestFramer) {
    let mut framer = RequestFramer::new();
    let mut handed_on = Vec::new();
    for bytes in sent.chunks(piece) {
        match framer.follow(bytes, |_| true) {
            Some(changed) => handed_on.extend_from_slice(&changed),
            None => handed_on.extend_from_slice(bytes),
        }
    }
    (handed_on, framer)
}

#[track_caller]
fn check(sent: &str, expected: &str) {
    for piece in [1, 2, 7, 1024] {
        let (bytes, _) = handed_on(sent.as_bytes(), piece);
        assert_eq!(String::from_utf8_lossy(&bytes), expected, "in pieces of {piece}");
    }
}

#[track_caller]
fn unchanged(sent: &str) {
    check(sent, sent);
}

/// The ambiguity of a request that follows a sound one. No byte after it is changed.
#[track_caller]
fn lost(request: &str) -> Ambiguity {
    let sound = "GET /1 HTTP/1.1\r\nHost: a\r\n\r\n";
    let sent = format!("{sound}{request}GET /\" HTTP/1.1\r\n\r\nGET /\" HTTP/1.1\r\n\r\n");
    let mut found = None;
    for piece in [1, 2, 7, 1024] {
        let (bytes, framer) = handed_on(sent.as_bytes(), piece);
        assert_eq!(String::from_utf8_lossy(&bytes), sent, "{request:?} in pieces of {piece}");
        let (number, ambiguity) = framer.ambiguous().unwrap_or_else(|| panic!("{request:?} was followed"));
        assert_eq!((number, framer.ended()), (2, 1), "{request:?}");
        assert_eq!(*found.get_or_insert(ambiguity), ambiguity);
    }
    found.unwrap_or(Ambiguity::Syntax)
}

#[test]
fn quotes_are_encoded_in_targets_only() {
    check(
        "GET /Users?filter=a+eq+\"b\" HTTP/1.1\r\nX: \"q\"\r\n\r\nHEAD /<> HTTP/1.0\r\nA: <\r\n\r\n",
        "GET /Users?filter=a+eq+%22b%22 HTTP/1.1\r\nX: \"q\"\r\n\r\nHEAD /%3C%3E HTTP/1.0\r\nA: <\r\n\r\n",
    );
    unchanged("POST /\" HTTP/1.1\r\nX: \"q\"\r\n\r\n");
    unchanged("GETS /\" HTTP/1.1\r\n\r\n");
    unchanged("{\"a\":1}\n");
    check("GET /\" \"HTTP/1.1\"\r\n\r\n", "GET /%22 \"HTTP/1.1\"\r\n\r\n");
}

#[test]
fn bodies_are_left_alone() {
    let inner = "GET /?\" HTTP/1.1\r\n\r\n";
    for body in [inner, "\r\nGET /\"\n", "\"\n\"", "0\r\n\r\nGET /\" HTTP/1.1\r\n\r\n"] {
        let length = body.len();
        let sized = format!("POST /Users HTTP/1.1\r\nContent-Length: {length}\r\n\r\n{body}");
        let chunked = format!(
            "PUT /a HTTP/1.1\r\ntransfer-encoding:\tChunked \r\n\r\n{length:x};a=\"b\"\r\n{body}\r\n1\r\n\"\r\n00\r\nT: \"\r\n\r\n"
        );
        // A body behind a GET is a body too.
        let get = format!("GET /a HTTP/1.1\r\nContent-Length: {length}\r\n\r\n{body}");
        for request in [sized, chunked, get] {
            unchanged(&request);
            check(&format!("{request}{inner}"), &format!("{request}GET /?%22 HTTP/1.1\r\n\r\n"));
        }
    }
}

#[test]
fn empty_lines_before_a_request_are_skipped() {
    check("\r\n\r\nGET /\" HTTP/1.1\r\n\r\n", "\r\n\r\nGET /%22 HTTP/1.1\r\n\r\n");
}

#[test]
fn encoding_asks_with_the_number_of_requests_that_ended() {
    let mut framer = RequestFramer::new();
    let sent = b"GET /\" HTTP/1.1\r\n\r\nGET /\" HTTP/1.1\r\n\r\n";
    let changed = framer.follow(sent, |ended| ended == 1).expect("the second is encoded");
    assert_eq!(changed, b"GET /\" HTTP/1.1\r\n\r\nGET /%22 HTTP/1.1\r\n\r\n");
    assert_eq!(framer.ended(), 2);
}

#[test]
fn request_that_parsers_read_in_different_ways_is_not_followed() {
    use Ambiguity::{Coding, Length, LengthTooLarge, Syntax};
    for (request, ambiguity) in [
        ("\nGET / HTTP/1.1\r\n\r\n", Syntax),
        ("GET / HTTP/1.1\nA: b\r\n\r\n", Syntax),
        ("GET / HTTP/1.1\r\nA: b\n\r\n", Syntax),
        ("GET / HTTP/1.1\r\nA: b\r\n\n", Syntax),
        ("GET / HTTP/1.1\r\nA: b\r\n c\r\n\r\n", Syntax),
        ("GET / HTTP/1.1\r\n A: b\r\n\r\n", Syntax),
        ("GET / HTTP/1.1\r\nA : b\r\n\r\n", Syntax),
        ("GET / HTTP/1.1\r\nA\r\n\r\n", Syntax),
        ("GET / HTTP/1.1\r\n: b\r\n\r\n", Syntax),
        ("GET / HTTP/1.1\r\nA: b\rc\r\n\r\n", Syntax),
        ("GET / HTTP/1.1\r\nA: b\0c\r\n\r\n", Syntax),
        ("GET  / HTTP/1.1\r\n\r\n", Syntax),
        ("GET / HTTP/1.1 \r\n\r\n", Syntax),
        ("GET\t/ HTTP/1.1\r\n\r\n", Syntax),
        ("GET /\r HTTP/1.1\r\n\r\n", Syntax),
        ("GET /\r\n\r\n", Syntax),
        ("GET / HTTP/2.0\r\n\r\n", Syntax),
        ("GET / http/1.1\r\n\r\n", Syntax),
        ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", Syntax),
        ("POST /a#b HTTP/1.1\r\n\r\n", Syntax),
        ("CONNECT a:1 HTTP/1.1\r\n\r\n", Syntax),
        ("GET healthz HTTP/1.1\r\n\r\n", Syntax),
        ("GET a:1 HTTP/1.1\r\n\r\n", Syntax),
        ("GET ://a/ HTTP/1.1\r\n\r\n", Syntax),
        ("GET ?a=b HTTP/1.1\r\n\r\n", Syntax),
        ("GET * HTTP/1.1\r\n\r\n", Syntax),
        ("OPTIONS ** HTTP/1.1\r\n\r\n", Syntax),
        ("G(T / HTTP/1.1\r\n\r\n", Syntax),
        ("POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", Length),
        ("POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n", Length),
        ("POST / HTTP/1.1\r\nContent-Length: 1, 1\r\n\r\n", Length),
        ("POST / HTTP/1.1\r\nContent-Length: +1\r\n\r\n", Length),
        ("POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", Length),
        ("POST / HTTP/1.1\r\nContent-Length: 0x1\r\n\r\n", Length),
        ("POST / HTTP/1.1\r\nContent-Length:\r\n\r\n", Length),
        ("POST / HTTP/1.1\r\nContent-Length: 18446744073709551617\r\n\r\n", LengthTooLarge),
        ("POST / HTTP/1.1\r\nContent-Length: 18446744073709551615\r\n\r\n", LengthTooLarge),
        ("POST / HTTP/1.1\r\nContent-Length: 1000000000000000\r\n\r\n", LengthTooLarge),
        ("POST / HTTP/1.1\r\nContent-Length: 1000000000000000x\r\n\r\n", Length),
        ("POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 1000000000000000\r\n\r\n", Length),
        ("POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", Length),
        ("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n", Length),
        ("POST / HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", Coding),
        ("POST / HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n", Coding),
        ("POST / HTTP/1.1\r\nTransfer-Encoding: identity\r\n\r\n", Coding),
        ("POST / HTTP/1.1\r\nTransfer-Encoding: chunked, chunked\r\n\r\n", Coding),
        ("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", Coding),
        ("POST / HTTP/1.1\r\nTransfer-Encoding: xchunked\r\n\r\n", Coding),
        ("POST / HTTP/1.1\r\nTransfer-Encoding:\r\n\r\n", Coding),
        ("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", Coding),
    ] {
        assert_eq!(lost(request), ambiguity, "{request:?}");
    }
    for chunks in [
        "x\r\n",
        "\r\n",
        "1 \r\na\r\n",
        "1\na\r\n",
        "1;a\nb\r\n",
        "1;\0\r\n",
        "-1\r\n",
        "0x1\r\n",
        "1\r\nab\r\n",
        "1\r\na\n",
        "1111111111111111\r\n",
        "0\r\n\n",
        "0\r\nA\r\n",
        "0\r\n A: b\r\n",
        " 1\r\n",
    ] {
        let request = format!("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n{chunks}");
        assert_eq!(lost(&request), Syntax, "{request:?}");
    }
}

#[test]
fn lines_are_bounded() {
    let method = |length: usize| "G".repeat(length);
    let target = |length: usize| format!("GET /{} HTTP/1.1\r\n\r\n", "a".repeat(length));
    let field = |length: usize| format!("GET / HTTP/1.1\r\nA: {}\r\n\r\n", "a".repeat(length));
    for longest in [
        target(MAX_TARGET - 13),
        format!("{} / HTTP/1.1\r\n\r\n", method(MAX_LINE - 13)),
        field(MAX_LINE - 5),
    ] {
        let (_, framer) = handed_on(longest.as_bytes(), 999);
        assert_eq!((framer.ambiguous(), framer.ended()), (None, 1));
    }
    for (too_long, ambiguity) in [
        (method(MAX_LINE + 1), Ambiguity::Syntax),
        (target(MAX_TARGET - 12), Ambiguity::TargetTooLong),
        (target(MAX_LINE), Ambiguity::TargetTooLong),
        (target(100_000 + MAX_LINE), Ambiguity::TargetTooLong),
        (field(MAX_LINE - 4), Ambiguity::Syntax),
    ] {
        let (_, framer) = handed_on(too_long.as_bytes(), 999);
        assert_eq!(framer.ambiguous(), Some((1, ambiguity)));
        assert!(framer.line.capacity() == 0);
    }
}

#[test]
fn target_in_origin_absolute_or_asterisk_form_is_followed() {
    for line in ["GET /a?b", "GET http://a/b", "POST https://a:1", "OPTIONS *"] {
        unchanged(&format!("{line} HTTP/1.1\r\n\r\n"));
        let (_, framer) = handed_on(format!("{line} HTTP/1.1\r\n\r\n").as_bytes(), 7);
        assert_eq!((framer.ambiguous(), framer.ended()), (None, 1), "{line}");
    }
}
