//! PostgreSQL on a disk that is full, under a node that goes on.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::thread;

use scim2_crashfs::{CrashFs, Fault};
use scim2_testkit::http::{Answer, Endpoint};
use scim2_testkit::postgres::{Database, OwnServer};
use scim2_testkit::process::{Launch, ServerProcess};
use serde_json::json;
use tempfile::TempDir;

use super::super::fsck;
use crate::harness::launch;

/// A database on a disk of its own, and a node. In the order in which they have to go.
struct Machine {
    node: ServerProcess,
    launch: Launch,
    postgres: OwnServer,
    disk: CrashFs,
    _folder: TempDir,
}

impl Machine {
    fn new() -> Option<Self> {
        // Says so, or fails, where there is no PostgreSQL.
        Database::create().expect("a database")?;
        let folder = tempfile::tempdir().expect("a folder");
        let at = folder.path().join("disk");
        fs::create_dir(&at).expect("a folder");
        let disk = CrashFs::mount(&at, 1).expect("it is mounted")?;
        // The database is run by another user.
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).expect("is set");
        let own = at.join("postgres");
        fs::create_dir(&own).expect("a folder");
        let postgres = OwnServer::start_in(&own).expect("starts").expect("there is a server");
        let launch = launch(&folder).store_at(postgres.database("scim2").expect("a database"));
        let node = launch.start().expect("the node starts");
        Some(Self { node, launch, postgres, disk, _folder: folder })
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
    let Some(machine) = Machine::new() else { return };
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
