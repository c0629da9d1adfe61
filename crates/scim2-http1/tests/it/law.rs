use std::path::Path;

use proptest::prelude::*;
use scim2_testkit::laws::{request_head_matches_model, requests_are_handed_on};

#[test]
fn laws_hold_for_the_seeds_of_the_fuzz_targets() {
    type Law = fn(&[u8]);
    let laws = [
        ("requests_are_handed_on", requests_are_handed_on as Law),
        ("request_head_matches_model", request_head_matches_model as Law),
    ];
    for (target, law) in laws {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds").join(target);
        let mut count = 0;
        for entry in std::fs::read_dir(&folder).expect("the seeds are there") {
            law(&std::fs::read(entry.expect("an entry").path()).expect("a file"));
            count += 1;
        }
        assert!(count > 0, "{target} has no seeds");
    }
}

/// Pieces of requests, well-formed or nearly so; together they make requests, bodies that look like requests, and more.
const PARTS: &[&str] = &[
    "GET ",
    "HEAD ",
    "POST ",
    "CONNECT ",
    "/",
    "/\"<>",
    "/a#b",
    " HTTP/1.1\r\n",
    " HTTP/1.0\r\n",
    " HTTP/1.1\n",
    "\r\n",
    "\r\n\r\n",
    "\n",
    "\r",
    "GET /\" HTTP/1.1\r\n",
    "POST / HTTP/1.1\r\n",
    "Host: \"a\"\r\n",
    " folded\r\n",
    "A : b\r\n",
    "Content-Length: 0\r\n\r\n",
    "Content-Length: 3\r\n",
    "Content-Length: 12\r\n\r\n",
    "content-length:40 \r\n\r\n",
    "Content-Length: 1, 1\r\n",
    "Content-Length: +3\r\n",
    "Transfer-Encoding: chunked\r\n\r\n",
    "Transfer-Encoding: gzip, chunked\r\n\r\n",
    "transfer-encoding:\tCHUNKED\r\n",
    "0\r\n\r\n",
    "0\r\n",
    "3\r\nabc\r\n",
    "5;a=\"b\"\r\nGET /\r\n",
    "a\r\n\"\"\"\"\"\"\"\"\"\"\r\n",
    "0 \r\n\r\n",
    "T: \"x\"\r\n\r\n",
    "abc",
    "\"",
];

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn law_holds_for_requests_made_of_parts(
        first: u8,
        parts in prop::collection::vec(prop::sample::select(PARTS), 0..24),
    ) {
        let mut bytes = vec![first];
        bytes.extend(parts.concat().as_bytes());
        requests_are_handed_on(&bytes);
        request_head_matches_model(&bytes);
    }

    /// Lines of any bytes, where long and short ones are read in different ways.
    #[test]
    fn model_of_a_head_holds_for_any_bytes(
        first: u8,
        method in "[!-~]{0,4}|GET",
        target in prop::collection::vec(any::<u8>(), 0..24),
        value in prop::collection::vec(any::<u8>(), 0..24),
    ) {
        let bytes = [&[first], method.as_bytes(), b" /", &target, b" HTTP/1.1\r\nA:", &value].concat();
        request_head_matches_model(&bytes);
    }

    /// Well-formed requests one after another: each is followed to its end.
    #[test]
    fn law_holds_for_requests_that_are_right(
        first: u8,
        requests in prop::collection::vec(("(GET|HEAD|PUT)", "/[a-z\"<>%?]{0,8}", prop::option::of(".{0,40}"), any::<bool>()), 1..5),
    ) {
        let mut bytes = vec![first];
        for (method, target, body, chunked) in &requests {
            bytes.extend(format!("{method} {target} HTTP/1.1\r\nHost: \"a\"\r\n").as_bytes());
            match body {
                None => bytes.extend(b"\r\n"),
                Some(body) if *chunked && !body.is_empty() => {
                    let length = body.len();
                    bytes.extend(format!("Transfer-Encoding: chunked\r\n\r\n{length:X};x\r\n{body}\r\n0\r\n\r\n").as_bytes());
                }
                Some(body) => bytes.extend(format!("Content-Length: {}\r\n\r\n{body}", body.len()).as_bytes()),
            }
        }
        let mut framer = scim2_http1::RequestFramer::new();
        framer.follow(&bytes[1..], |_| true);
        prop_assert_eq!(framer.ambiguous(), None);
        prop_assert_eq!(framer.ended(), requests.len() as u64);
        requests_are_handed_on(&bytes);
    }
}
