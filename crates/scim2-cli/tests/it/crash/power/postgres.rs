//! PostgreSQL on a disk that is full, or that loses its power, under a node that keeps running.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::sync::mpsc;
use std::thread;

use scim2_crashfs::{CrashFs, Fault, Lost};
use scim2_testkit::http::{Answer, Endpoint};
use scim2_testkit::postgres::{Database, OwnServer};
use scim2_testkit::process::{Launch, ServerProcess};
use serde_json::json;
use tempfile::TempDir;

use super::super::load::{Answered, Client};
use super::super::{WRITERS, drawn, fsck, rounds_and_seed};
use crate::harness::launch;

/// How often the power is cut, unless the environment says it.
const ROUNDS: u64 = 2;

/// After at most so many changes of the disk: a write is some three of them.
const MOST: u64 = 1500;

/// A database on a disk of its own, and a node. In the order in which they have to go.
struct Machine {
    node: ServerProcess,
    launch: Launch,
    postgres: OwnServer,
    disk: CrashFs,
    _folder: TempDir,
}

impl Machine {
    fn new(seed: u64) -> Option<Self> {
        // Says so, or fails, where there is no PostgreSQL.
        Database::create().expect("a database")?;
        let folder = tempfile::tempdir().expect("a folder");
        let at = folder.path().join("disk");
        fs::create_dir(&at).expect("a folder");
        let disk = CrashFs::mount(&at, seed).expect("it is mounted")?;
        // The database is run by another user.
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).expect("is set");
        let own = at.join("postgres");
        fs::create_dir(&own).expect("a folder");
        let postgres = OwnServer::start_in(&own).expect("starts").expect("there is a server");
        let launch = launch(&folder)
            .store_at(postgres.database("scim2").expect("a database"))
            // A busy machine may stop a writer that others wait for, and none of them is to be refused for that.
            .env("SCIM2_DATABASE_TIMEOUT", "600");
        let node = launch.start().expect("the node starts");
        Some(Self { node, launch, postgres, disk, _folder: folder })
    }

    /// Writes from many sides until the power of the database's machine is gone, and has it back.
    fn write_until_cut(&mut self, name: &str, answered: &mut Answered) -> Lost {
        let (sender, receiver) = mpsc::channel();
        let Self { node, postgres, disk, .. } = self;
        thread::scope(|scope| {
            let disk = &*disk;
            for writer in 0..WRITERS {
                let client = Client::new(node.endpoint(), answered, &sender).until(|| disk.is_cut());
                scope.spawn(move || client.write(&format!("{name}w{writer}")));
            }
            drop(sender);
            receiver.into_iter().for_each(|write| answered.record(write));
        });
        // It may have found out by itself.
        let _ = postgres.kill9();
        let lost = disk.power_on().expect("it is mounted again");
        postgres.start_again().expect("starts again");
        lost
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        // Nobody may have files open when the disk is unmounted.
        let _ = self.postgres.kill9();
    }
}

/// What the node says once it has found its database again, by itself.
fn patient(endpoint: &Endpoint, method: &str, target: &str, body: Option<&serde_json::Value>) -> Answer {
    let answers = (0..1000).map(|_| endpoint.call(method, target, body).expect("an answer"));
    let mut answers = answers.inspect(|answer| {
        if answer.status == 503 {
            thread::sleep(std::time::Duration::from_millis(20));
        }
    });
    answers.find(|answer| answer.status != 503).expect("it finds its database")
}

#[test]
fn a_full_disk_of_postgres_is_503_until_there_is_room_and_loses_nothing() {
    let Some(machine) = Machine::new(1) else { return };
    let endpoint = machine.node.endpoint();
    let post = |number: usize| {
        let user = json!({"userName": format!("u{number}"), "displayName": "x".repeat(number % 200)});
        endpoint.call("POST", "/Users", Some(&user)).expect("an answer")
    };
    let count = || {
        let listed = patient(endpoint, "GET", "/Users?count=0", None);
        listed.json().expect("a list")["totalResults"].as_u64().expect("a number")
    };
    machine.disk.strike("", Fault::Full);
    let (stored, refused) = (0..20_000)
        .map(|number| (number, post(number)))
        .find(|(_, answer)| answer.status != 201)
        .expect("it is full some time");
    let text = String::from_utf8_lossy(&refused.body).into_owned();
    assert_eq!(refused.status, 503, "{text}");
    assert!(refused.header("retry-after").is_some(), "{text}");
    machine.disk.mend();
    assert_eq!(count(), stored as u64);
    let again = json!({"userName": format!("u{stored}")});
    assert_eq!(patient(endpoint, "POST", "/Users", Some(&again)).status, 201);
    assert_eq!(count(), stored as u64 + 1);
    fsck(&machine.launch);
}

#[test]
fn every_answered_write_survives_a_power_cut_under_postgres() {
    let (rounds, seed) = rounds_and_seed(ROUNDS);
    let Some(mut machine) = Machine::new(seed) else { return };
    let mut answered = Answered::with_group(machine.node.endpoint());
    let mut lost = 0;
    for round in 0..rounds {
        machine.disk.cut_after("", drawn(seed, round) % MOST);
        let gone = machine.write_until_cut(&format!("r{round}"), &mut answered);
        lost += gone.lost;
        // The node is the one that was there: it finds its database again.
        assert_eq!(patient(machine.node.endpoint(), "GET", "/Users?count=0", None).status, 200);
        answered.check_fresh(machine.node.endpoint());
        fsck(&machine.launch);
    }
    answered.check_all(machine.node.endpoint());
    assert!(lost > 0, "there was nothing to lose");
}

#[test]
fn a_disk_that_lies_to_postgres_is_found_out() {
    // That the test above can fail.
    let Some(mut machine) = Machine::new(1) else { return };
    let mut answered = Answered::with_group(machine.node.endpoint());
    machine.disk.strike("", Fault::Lying);
    machine.disk.cut_after("", 1500);
    machine.write_until_cut("lie", &mut answered);
    assert_eq!(patient(machine.node.endpoint(), "GET", "/Users?count=0", None).status, 200);
    assert!(!answered.all_missing(machine.node.endpoint()).is_empty(), "what was answered is gone");
}
