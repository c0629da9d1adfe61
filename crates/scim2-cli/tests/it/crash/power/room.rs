//! A disk that is full, read-only or broken for a while, under a server or when one starts.

use std::fs::File;
use std::io::Read as _;
use std::process::{Command, Output};

use scim2_crashfs::Fault;
use scim2_testkit::http::Endpoint;
use scim2_testkit::process::{Launch, ServerProcess};
use serde_json::json;

use super::super::fsck;
use super::{Machine, PAGES, lengthen_log};

fn post(server: &ServerProcess, name: &str) -> u16 {
    let answer = server.endpoint().call("POST", "/Users", Some(&json!({"userName": name})));
    answer.expect("an answer").status
}

fn count(endpoint: &Endpoint) -> u64 {
    let listed = endpoint.call("GET", "/Users?count=0", None).expect("an answer");
    listed.json().expect("a list")["totalResults"].as_u64().expect("a number")
}

#[test]
fn a_log_that_cannot_be_synced_is_no_answer_and_the_server_goes_on_when_it_can() {
    let Some(mut machine) = Machine::new(1) else { return };
    let server = machine.start();
    let create = |name: &str| {
        server.endpoint().call("POST", "/Users", Some(&json!({"userName": name}))).expect("an answer")
    };
    assert_eq!(create("before").status, 201);
    for fault in [Fault::Full, Fault::UnableToSync, Fault::Broken, Fault::ReadOnly] {
        machine.disk.strike("-wal", fault);
        for name in ["refused", "again"] {
            let answer = create(name);
            let text = String::from_utf8_lossy(&answer.body).into_owned();
            assert_eq!(answer.status, 503, "{fault:?}: {text}");
            assert!(answer.header("retry-after").is_some(), "{fault:?}: {text}");
        }
        assert_eq!(count(server.endpoint()), 1, "reads go on, and what was refused is not there");
        machine.disk.mend();
        assert_eq!(create("before").status, 409);
    }
    assert_eq!(create("refused").status, 201, "{}", server.said());
    machine.disk.cut();
    drop(server);
    machine.disk.power_on().expect("it is mounted again");
    let server = machine.start();
    assert_eq!(count(server.endpoint()), 2);
    fsck(&machine.launch);
}

#[test]
fn a_log_that_cannot_be_moved_is_moved_later() {
    let Some(mut machine) = Machine::new(1) else { return };
    let server = machine.start();
    let create = |number: u64| assert_eq!(post(&server, &format!("u{number}")), 201, "{}", server.said());
    let store = machine.launch.store();
    let size = || std::fs::metadata(&store).expect("it is there").len();
    machine.disk.strike("scim2.db", Fault::UnableToSync);
    lengthen_log(&store);
    let all = PAGES * 4096;
    let wait = |from: u64, until: &dyn Fn() -> bool| {
        (from..from + 10_000).find(|number| {
            create(*number);
            until()
        })
    };
    let tried = wait(0, &|| size() > all).expect("it is moved after a commit");
    let before = machine.disk.changes();
    let goes_on = tried + 1..tried + 31;
    goes_on.clone().for_each(create);
    let changes = machine.disk.changes() - before;
    assert!(changes < 2 * PAGES, "it is not moved again after each commit: {changes}");

    // After a full checkpoint the log starts again, with another header.
    let header = || {
        let mut header = [0; 32];
        let mut log = File::open(store.with_extension("db-wal")).expect("it is there");
        log.read_exact(&mut header).expect("a header");
        header
    };
    let old = header();
    machine.disk.mend();
    lengthen_log(&store);
    let last = wait(goes_on.end, &|| header() != old).expect("it is moved");
    machine.disk.cut();
    drop(server);
    machine.disk.power_on().expect("it is mounted again");
    let server = machine.start();
    assert_eq!(count(server.endpoint()), last + 1);
    fsck(&machine.launch);
}

#[test]
fn a_disk_that_is_full_while_the_log_is_moved_and_at_the_next_start_loses_nothing() {
    let Some(mut machine) = Machine::new(1) else { return };
    let server = machine.start();
    machine.disk.strike("scim2.db", Fault::Full);
    lengthen_log(&machine.launch.store());
    let is_tried = |number: &u64| {
        assert_eq!(post(&server, &format!("u{number}")), 201, "{}", server.said());
        machine.disk.refused() > 0
    };
    let mut users = (0..10_000).find(is_tried).expect("it is moved after a commit") + 1;
    drop(server);
    machine.disk.mend();

    // Only the log has what was answered. Where it can be read, the server serves.
    for full in ["scim2.db", "-wal"] {
        machine.disk.strike(full, Fault::Full);
        let server = machine.launch.start().expect("the server starts");
        assert_eq!(count(server.endpoint()), users, "{full}: {}", server.said());
        match post(&server, &format!("u{users}")) {
            201 => users += 1,
            status => assert_eq!(status, 503, "{full}: {}", server.said()),
        }
        machine.disk.mend();
    }
    // What is read needs a companion, which needs room.
    for full in ["-shm", ""] {
        machine.disk.strike(full, Fault::Full);
        let refused = machine.launch.start().expect_err("there is no room").to_string();
        assert!(refused.contains("no room for its companion `-shm`: the disk is full"), "{full}: {refused}");
        machine.disk.mend();
    }
    let server = machine.start();
    assert_eq!(count(server.endpoint()), users);
    assert_eq!(post(&server, "behind"), 201);
    assert!(server.terminate().expect("the signal is sent").success());
    let log = machine.launch.store().with_extension("db-wal");
    assert!(!log.exists(), "it is moved as a whole");
    fsck(&machine.launch);
}

/// Forty users of two pages each on the disk, with no server, and where a page of the twentieth is.
fn users_on_a_disk() -> Option<(Machine, Fault)> {
    let mut machine = Machine::new(1)?;
    let server = machine.start();
    for number in 0..40 {
        let user = json!({"userName": format!("u{number}"), "title": "x".repeat(8000)});
        let created = server.endpoint().call("POST", "/Users", Some(&user)).expect("an answer");
        assert_eq!(created.status, 201);
    }
    assert!(server.terminate().expect("the signal is sent").success());
    let bytes = std::fs::read(machine.launch.store()).expect("it is there");
    let text = b"\"userName\":\"u20\"";
    let at = bytes.windows(text.len()).position(|window| window == text).expect("its page") as u64;
    let from = at / 4096 * 4096;
    Some((machine, Fault::Unreadable { from, to: from + 4096 }))
}

/// How a search is answered for each of the users, and one that has to look at all of them.
fn searched(server: &ServerProcess) -> (Vec<usize>, Option<u16>) {
    let search = |filter: &str| {
        let target = format!("/Users?count=1&filter={}", scim2_testkit::http::encode(filter));
        server.endpoint().call("GET", &target, None).ok().map(|answer| answer.status)
    };
    let refused = (0..40).filter(|number| match search(&format!("userName eq \"u{number}\"")) {
        Some(200) => false,
        Some(500) => true,
        answer => panic!("{answer:?}: {}", server.said()),
    });
    (refused.collect(), search("title co \"y\""))
}

fn said_by(launch: &Launch, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_scim2"));
    command.args(arguments).arg("--store").arg(launch.store_url()).output().expect("it runs")
}

#[test]
fn a_page_that_cannot_be_read_is_an_error_for_what_is_on_it_and_ends_no_server() {
    let Some((mut machine, fault)) = users_on_a_disk() else { return };
    let server = machine.start();
    machine.disk.strike("scim2.db", fault);
    let (refused, scan) = searched(&server);
    assert!(refused.contains(&20) && refused.len() < 5, "{refused:?}");
    assert_eq!(scan, Some(500), "{}", server.said());
    // So SQLite calls what cannot be read.
    server.said_once(|line| line.contains("malformed")).expect("it names the fault");
    assert_eq!(post(&server, "behind"), 201, "{}", server.said());

    // A check beside it tells, and so does a copy.
    let checked = said_by(&machine.launch, &["fsck"]);
    let said = String::from_utf8_lossy(&checked.stdout) + String::from_utf8_lossy(&checked.stderr);
    assert_eq!(checked.status.code(), Some(1), "{said}");
    assert!(said.contains("User") && said.contains("cannot be read"), "{said}");
    assert_eq!(said_by(&machine.launch, &["export"]).status.code(), Some(1));

    machine.disk.mend();
    assert_eq!(searched(&server), (Vec::new(), Some(200)), "it recovers by itself");
    assert!(server.terminate().expect("the signal is sent").success());
    fsck(&machine.launch);
    let server = machine.start();
    assert_eq!(count(server.endpoint()), 41);
}
