//! The power is cut, and what was not synced is gone: on a file system that forgets it.
//!
//! Where it cannot be mounted (FUSE, and root or `fusermount3`) these tests say so and do nothing.

use std::path::Path;
use std::process::Command;
use std::sync::mpsc;
use std::thread;

use scim2_crashfs::{CrashFs, Fault};
use scim2_testkit::process::{Launch, ServerProcess};
use serde_json::json;
use tempfile::TempDir;

mod postgres;
mod room;

use super::load::{Answered, Client};
use super::{WRITERS, drawn, fsck, import, rounds_and_seed};

/// How often the power is cut, unless the environment says it.
const ROUNDS: u64 = 8;

/// After at most so many changes of the disk: some sixty of them are a write that waits for nobody.
const MOST: u64 = 2000;

/// A disk that forgets, and a server on it. The disk is unmounted before its folder goes.
struct Machine {
    disk: CrashFs,
    launch: Launch,
    folder: TempDir,
}

impl Machine {
    fn new(seed: u64) -> Option<Self> {
        let folder = tempfile::tempdir().expect("a folder");
        let at = folder.path().join("disk");
        std::fs::create_dir(&at).expect("a folder");
        let disk = CrashFs::mount(&at, seed).expect("it is mounted")?;
        Some(Self { disk, launch: Launch::new(env!("CARGO_BIN_EXE_scim2"), at), folder })
    }

    /// Starts the server; the power may go meanwhile, and comes back.
    fn start(&mut self) -> ServerProcess {
        match self.launch.start() {
            Ok(server) => server,
            Err(error) => {
                assert!(self.disk.is_cut(), "{error}");
                self.disk.power_on().expect("it is mounted again");
                self.launch.start().expect("the server starts")
            }
        }
    }

    /// Writes from many sides until the power is gone, and the server with it.
    fn write_until_cut(&mut self, mut server: ServerProcess, name: &str, answered: &mut Answered) {
        let (sender, receiver) = mpsc::channel();
        let disk = &self.disk;
        thread::scope(|scope| {
            for writer in 0..WRITERS {
                let client = Client::new(server.endpoint(), answered, &sender).until(|| disk.is_cut());
                scope.spawn(move || client.write(&format!("{name}w{writer}")));
            }
            drop(sender);
            scope.spawn(|| {
                disk.wait_until_cut();
                server.kill9().expect("killed");
            });
            receiver.into_iter().for_each(|write| answered.record(write));
        });
        drop(server);
        self.disk.power_on().expect("it is mounted again");
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }
}

#[test]
fn every_answered_write_survives_a_power_cut() {
    let (rounds, seed) = rounds_and_seed(ROUNDS);
    let Some(mut machine) = Machine::new(seed) else { return };
    let mut answered = Answered::with_group(machine.start().endpoint());
    for round in 0..rounds {
        if round % 3 == 2 {
            // While the log is read after the last cut.
            machine.disk.cut_after("", drawn(seed, 2 * round) % 20);
        }
        let server = machine.start();
        machine.disk.cut_after("", drawn(seed, 2 * round + 1) % MOST);
        machine.write_until_cut(server, &format!("r{round}"), &mut answered);
        let server = machine.start();
        answered.check_fresh(server.endpoint());
        // Beside the server: alone, it would move the log and leave none for the next round.
        fsck(&machine.launch);
    }
    let server = machine.start();
    answered.check_all(server.endpoint());
    let stopped = server.terminate().expect("the signal is sent");
    assert!(stopped.success(), "SIGTERM ends with {stopped}");
    fsck(&machine.launch);
}

#[test]
fn a_disk_that_lies_about_the_log_is_found_out() {
    // What would be so with `synchronous = NORMAL`: that the test above can fail.
    let Some(mut machine) = Machine::new(1) else { return };
    let server = machine.start();
    let mut answered = Answered::with_group(server.endpoint());
    machine.disk.strike("-wal", Fault::Lying);
    machine.disk.cut_after("", 2000);
    machine.write_until_cut(server, "lie", &mut answered);
    let server = machine.start();
    assert!(!answered.all_missing(server.endpoint()).is_empty(), "what was answered is gone");
    fsck(&machine.launch);
}

#[test]
fn a_power_cut_while_the_log_is_moved_loses_nothing() {
    let (rounds, seed) = rounds_and_seed(3);
    let Some(mut machine) = Machine::new(seed) else { return };
    let mut answered = Answered::with_group(machine.start().endpoint());
    for round in 0..rounds {
        let server = machine.start();
        lengthen_log(&machine.launch.store());
        // The next commit finds it too long; only then the database itself is written to.
        machine.disk.cut_after("scim2.db", drawn(seed, round) % PAGES);
        machine.write_until_cut(server, &format!("r{round}"), &mut answered);
        let server = machine.start();
        answered.check_fresh(server.endpoint());
        fsck(&machine.launch);
        if round % 3 == 2 {
            // A server that stops checkpoints the whole log. With power cuts alone the log would grow by gigabytes
            // in two hundred rounds, and each start would read all of it.
            let stopped = server.terminate().expect("the signal is sent");
            assert!(stopped.success(), "SIGTERM ends with {stopped}");
            // It is there, and empty, if a thread had the database open to the last.
            let log = std::fs::metadata(machine.launch.store().with_extension("db-wal"));
            assert_eq!(log.map_or(0, |log| log.len()), 0, "round {round}");
        }
    }
}

/// Pages that the log has more than it may have before it is moved.
const PAGES: u64 = 9000;

/// Writes more into the log than is left there, as another process.
fn lengthen_log(store: &Path) {
    let connection = rusqlite::Connection::open(store).expect("opens");
    connection.pragma_update(None, "wal_autocheckpoint", 0).expect("is set");
    let bytes = PAGES * 4096;
    let sql =
        format!("CREATE TABLE filler (b); INSERT INTO filler VALUES (zeroblob({bytes})); DROP TABLE filler");
    connection.execute_batch(&sql).expect("writes");
}

#[test]
fn a_power_cut_at_the_first_start_leaves_nothing_that_is_in_the_way() {
    let (rounds, seed) = rounds_and_seed(6);
    for round in 0..rounds.min(40) {
        let Some(mut machine) = Machine::new(drawn(seed, round)) else { return };
        machine.disk.cut_after("", drawn(seed, round) % 40);
        let server = machine.start();
        let created = server.endpoint().call("POST", "/Users", Some(&json!({"userName": "ada"})));
        if created.as_ref().is_ok_and(|answer| answer.status == 201) {
            machine.disk.cut();
            drop(server);
            machine.disk.power_on().expect("it is mounted again");
            let server = machine.start();
            let listed =
                server.endpoint().call("GET", "/Users", None).expect("an answer").json().expect("a list");
            assert_eq!(listed["totalResults"], 1);
        }
        fsck(&machine.launch);
    }
}

#[test]
fn a_power_cut_under_restore_leaves_the_old_store_or_the_new_one() {
    let (rounds, seed) = rounds_and_seed(6);
    let Some(mut machine) = Machine::new(seed) else { return };
    let backup = machine.path().join("backup.db");
    let scim2 = |launch: &Launch, arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_scim2"));
        command.args(arguments).arg("--store").arg(launch.store_url()).arg(&backup).output().expect("it runs")
    };
    let create = |server: &ServerProcess, name: &str| {
        let created = server.endpoint().call("POST", "/Users", Some(&json!({"userName": name})));
        assert_eq!(created.expect("an answer").status, 201);
    };
    let names = |server: &ServerProcess| {
        let listed = server.endpoint().call("GET", "/Users?attributes=userName", None).expect("an answer");
        let listed = listed.json().expect("a list");
        let names = listed["Resources"].as_array().into_iter().flatten();
        names.map(|user| user["userName"].as_str().expect("a name").to_owned()).collect::<Vec<_>>()
    };
    let server = machine.start();
    create(&server, "old");
    assert!(scim2(&machine.launch, &["backup"]).status.success());
    drop(server);
    for round in 0..rounds.min(40) {
        let server = machine.start();
        if !names(&server).contains(&"new".to_owned()) {
            create(&server, "new");
        }
        // Killed, so that there is a log.
        drop(server);
        machine.disk.cut_after("", drawn(seed, round) % 120);
        let restored = scim2(&machine.launch, &["restore", "--force"]);
        let is_cut = machine.disk.is_cut();
        machine.disk.power_on().expect("it is mounted again");
        let server = machine.start();
        let names = names(&server);
        if restored.status.success() {
            assert_eq!(names, ["old"], "{round}");
        } else {
            assert!(is_cut, "{}", String::from_utf8_lossy(&restored.stderr));
            assert!(names == ["old", "new"] || names == ["old"], "{round}: {names:?}");
        }
        fsck(&machine.launch);
    }
}

#[test]
fn a_power_cut_under_import_leaves_what_goes_on() {
    let (rounds, seed) = rounds_and_seed(3);
    let Some(mut machine) = Machine::new(seed) else { return };
    let file = machine.path().join("f.jsonl");
    std::fs::write(&file, import::lines()).expect("writes");
    let scim2 = |arguments: &[&str], store: &Path| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_scim2"));
        command
            .args(arguments)
            .arg("--store")
            .arg(format!("sqlite:{}", store.display()))
            .output()
            .expect("it runs")
    };
    let import = |store: &Path| scim2(&["import", "--quiet", &file.display().to_string()], store);
    let before = machine.disk.changes();
    let whole = machine.launch.store();
    assert!(import(&whole).status.success());
    let changes = machine.disk.changes() - before;
    let exported =
        |store: &Path| import::content(&String::from_utf8_lossy(&scim2(&["export"], store).stdout));
    let expected = exported(&whole);
    for round in 0..rounds.min(20) {
        let store = whole.with_file_name(format!("{round}.db"));
        machine.disk.cut_after("", drawn(seed, round) % changes);
        let ran = import(&store);
        let done = ran.status.success();
        assert!(machine.disk.is_cut() || done, "{}", String::from_utf8_lossy(&ran.stderr));
        machine.disk.power_on().expect("it is mounted again");
        // Cut while it was clearing up: what it said is true already.
        if done {
            assert!(exported(&store) == expected, "round {round}: it was not done");
        }
        let ran = import(&store);
        assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
        let checked = scim2(&["fsck"], &store);
        assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stdout));
        assert!(exported(&store) == expected, "round {round}: it is another store");
    }
}
