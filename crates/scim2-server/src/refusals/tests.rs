use scim2_protocol::Detail;

use super::shares::{MAX_LINES, MAX_LINES_OF_ONE, MAX_LINES_OF_STRANGERS, MAX_SOURCES};
use super::*;

/// A log whose clock the test sets.
#[derive(Default)]
struct Log(State);

impl Log {
    fn writes(&mut self, refused: &Refused<'_>, seconds: i64) -> bool {
        let now = DateTime::UNIX_EPOCH + TimeDelta::seconds(seconds);
        self.0.finish(now);
        self.0.admits(&Line::of(refused), now)
    }

    /// How many of so many lines with different details are written.
    fn written(&mut self, number: u64, refused: &Refused<'_>) -> u64 {
        let is_written = |number: &u64| self.writes(&Refused { error: &error(*number), ..*refused }, 0);
        (0..number).filter(is_written).count() as u64
    }
}

fn error(number: u64) -> ErrorResponse {
    ErrorResponse::not_found(Detail::of_names(format!("no {number}")))
}

fn by_credential<'r>(error: &'r ErrorResponse, name: &'r str) -> Refused<'r> {
    Refused {
        request_id: "1",
        method: Some("GET"),
        path: Some("/Users/1"),
        operation: None,
        credential: Some(name),
        reason: None,
        address: Some([192, 0, 2, 1].into()),
        error,
    }
}

fn by_stranger(error: &ErrorResponse, address: impl Into<IpAddr>) -> Refused<'_> {
    let reason = Some("no-header");
    Refused { credential: None, reason, address: Some(address.into()), ..by_credential(error, "") }
}

#[test]
fn same_lines_are_folded_and_others_are_not() {
    let mut log = Log::default();
    let (gone, other) = (ErrorResponse::not_found("there is none"), ErrorResponse::forbidden("no"));
    let mut written = |error: &ErrorResponse, seconds: i64| {
        (0..100).filter(|_| log.writes(&by_credential(error, "okta"), seconds)).count()
    };
    assert_eq!(written(&gone, 0), 10);
    assert_eq!(written(&gone, 59), 0);
    assert_eq!(written(&other, 59), 10);
    assert_eq!(written(&gone, 60), 10);
}

#[test]
fn different_lines_of_one_credential_are_bounded_and_counted() {
    let mut log = Log::default();
    let written = log.written(10_000, &by_credential(&error(0), "okta"));
    assert_eq!((written, log.0.kinds.len()), (MAX_LINES_OF_ONE, MAX_KINDS));
    let sources = format!("credential okta: {}", 10_000 - MAX_LINES_OF_ONE);
    assert_eq!(log.0.shares.folded(), (10_000 - MAX_LINES_OF_ONE, sources));
    // The next minute has lines of its own.
    let error = error(0);
    assert!(log.writes(&by_credential(&error, "okta"), 60));
    assert_eq!(log.0.shares.folded(), (0, String::new()));
}

#[test]
fn flood_of_one_source_leaves_lines_to_the_others() {
    let (mut log, error) = (Log::default(), error(0));
    assert_eq!(log.written(10_000, &by_credential(&error, "read-only")), MAX_LINES_OF_ONE);
    assert_eq!(log.written(10_000, &by_stranger(&error, [198, 51, 100, 1])), MAX_LINES_OF_ONE);
    assert_eq!(log.written(20, &by_credential(&error, "okta")), 20);
    assert_eq!(log.written(20, &by_stranger(&error, [198, 51, 100, 2])), 20);
}

#[test]
fn strangers_from_many_addresses_leave_half_of_the_lines_to_credentials() {
    let (mut log, error) = (Log::default(), error(0));
    let mut of_strangers = 0;
    for network in 0..1000_u16 {
        of_strangers += log.written(40, &by_stranger(&error, [0x2001, 0xdb8, 0, network, 0, 0, 0, 1]));
    }
    assert_eq!(of_strangers, MAX_LINES_OF_STRANGERS);
    for name in ["okta", "entra", "hr", "one", "more"] {
        assert_eq!(log.written(100, &by_credential(&error, name)), MAX_LINES_OF_ONE, "{name}");
    }
    assert_eq!(log.written(100, &by_credential(&error, "late")), 0);
    assert!(log.0.shares.sources() <= MAX_SOURCES + 1);
}

#[test]
fn credentials_in_any_number_keep_to_the_total_and_to_the_table() {
    let (mut log, error) = (Log::default(), error(0));
    let names: Vec<String> = (0..1000).map(|number| format!("token {number}")).collect();
    let written: u64 = names.iter().map(|name| log.written(1, &by_credential(&error, name))).sum();
    // The sources beyond the table have one share together.
    assert_eq!(written, MAX_SOURCES as u64 + MAX_LINES_OF_ONE);
    let more: u64 = names.iter().map(|name| log.written(40, &by_credential(&error, name))).sum();
    assert_eq!(written + more, MAX_LINES);
    assert!(log.0.shares.sources() <= MAX_SOURCES + 1);
}

/// A client with an expired or revoked token counts by its address, and cannot use up the lines of the token.
#[test]
fn credential_that_is_not_accepted_counts_by_its_address() {
    let (mut log, error) = (Log::default(), error(0));
    let revoked = Refused { reason: Some("revoked"), ..by_credential(&error, "okta") };
    assert_eq!(log.written(1000, &revoked), MAX_LINES_OF_ONE);
    assert_eq!(log.written(20, &by_credential(&error, "okta")), 20);
    assert_eq!(log.0.shares.folded().1, "address 192.0.2.1: 970");
}

#[test]
fn addresses_of_one_network_have_one_share() {
    let (mut log, error) = (Log::default(), error(0));
    let hosts = 1..=100_u16;
    let written: u64 =
        hosts.map(|host| log.written(1, &by_stranger(&error, [0x2001, 0xdb8, 0, 0, 0, 0, 0, host]))).sum();
    assert_eq!(written, MAX_LINES_OF_ONE);
    assert_eq!(log.0.shares.folded().1, "address 2001:db8::: 70");
}

#[test]
fn summary_names_the_sources_with_the_most_folded_lines() {
    let (mut log, error) = (Log::default(), error(0));
    for (name, number) in [("a", 31), ("b", 90), ("c", 35), ("d", 36), ("e", 37), ("f", 30)] {
        log.written(number, &by_credential(&error, name));
    }
    log.written(80, &by_stranger(&error, [192, 0, 2, 7]));
    let unknown = Refused { address: None, ..by_stranger(&error, [192, 0, 2, 7]) };
    log.written(50, &unknown);
    let (requests, sources) = log.0.shares.folded();
    assert_eq!(requests, 1 + 60 + 5 + 6 + 7 + 50 + 20);
    assert_eq!(
        sources,
        "credential b: 60, address 192.0.2.7: 50, others: 20, credential e: 7, credential d: 6"
    );
}

#[test]
fn every_refusal_is_written_or_counted_once() {
    let mut log = Log::default();
    let mut written = 0;
    for number in 0..5000_u64 {
        let error = error(number % 7);
        let [.., a, b] = number.to_be_bytes();
        let refused = match number % 3 {
            0 => by_stranger(&error, [10, 0, a, b]),
            1 => by_credential(&error, "okta"),
            _ => by_credential(&error, "entra"),
        };
        written += u64::from(log.writes(&refused, 0));
    }
    let same: u64 = log.0.kinds.iter().map(|kind| kind.seen.saturating_sub(MAX_SAME_LINES)).sum();
    assert_eq!(written + same + log.0.shares.folded().0, 5000);
}

#[test]
fn fields_of_a_line_are_short_whatever_a_peer_sends() {
    let long = "é".repeat(120_000);
    let error = ErrorResponse::not_found(Detail::of_names(long.clone()));
    let refused =
        Refused { request_id: &long, method: Some(&long), path: Some(&long), ..by_credential(&error, &long) };
    let line = Line::of(&refused);
    assert_eq!(line.method, Some("other"));
    for field in [Some(line.request_id), line.path, line.detail, line.credential] {
        assert_eq!(field.unwrap().chars().count(), MAX_FIELD_CHARS);
    }
    let named = |method: &'static str| Line::of(&Refused { method: Some(method), ..refused }).method;
    assert_eq!(
        (named("PATCH"), named("patch"), named("QUERY")),
        (Some("PATCH"), Some("other"), Some("other"))
    );
}

#[test]
fn requests_with_different_made_up_methods_are_folded() {
    let (mut log, error) = (Log::default(), error(0));
    let methods: Vec<String> = (0..1000).map(|number| format!("METHOD{number}")).collect();
    let is_written = |method: &&String| {
        log.writes(&Refused { method: Some(method), ..by_stranger(&error, [192, 0, 2, 7]) }, 0)
    };
    assert_eq!(methods.iter().filter(is_written).count() as u64, MAX_SAME_LINES);
}
