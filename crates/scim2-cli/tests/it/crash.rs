//! The server dies with SIGKILL under concurrent writes; what it answered is there afterwards.
//!
//! Twenty times here; `cargo xtask soak crash` does it two hundred times. When it dies is drawn by chance from a seed
//! that is printed.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::hash::{BuildHasher, RandomState};
use std::process::Command;
use std::sync::mpsc::{self, Sender};
use std::thread;

use scim2_testkit::http::{Endpoint, encode};
use scim2_testkit::process::Launch;
use serde_json::{Value, json};

use crate::harness::launch;

const WRITERS: usize = 8;

/// After at most this many answered writes the server is killed, in each round.
const MOST: u64 = 60;

/// How often the server is killed, unless the environment says it.
const ROUNDS: u64 = 20;

/// How often the server is killed, and what the moments are drawn from.
const VARIABLES: [&str; 2] = ["SCIM2_CRASH_ROUNDS", "SCIM2_CRASH_SEED"];

/// What the answers said is stored.
#[derive(Default)]
struct Answered {
    /// Display names by user id; `None` where the user was deleted.
    users: BTreeMap<String, Option<String>>,
    /// The users that were written since they were last looked at.
    fresh: BTreeSet<String>,
    /// The ids that were added to the group.
    members: Vec<String>,
}

/// One answered write.
enum Write {
    User { id: String, display_name: String },
    Deleted { id: String },
    Member { id: String },
}

#[test]
fn every_answered_write_survives_kill_9() {
    let folder = tempfile::tempdir().expect("a folder");
    let launch = launch(&folder);
    every_answered_write_survives(&launch);
    let fsck = Command::new(env!("CARGO_BIN_EXE_scim2"))
        .args(["fsck", "--store"])
        .arg(launch.store_url())
        .output()
        .expect("fsck runs");
    assert!(fsck.status.success(), "{}", String::from_utf8_lossy(&fsck.stderr));
}

/// Starts a server again and again over one store, and kills it while it is written to.
pub(crate) fn every_answered_write_survives(launch: &Launch) {
    let mut server = launch.start().expect("the server starts");
    let group =
        json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": "Everybody"});
    let group =
        server.endpoint().call("POST", "/Groups", Some(&group)).expect("an answer").json().expect("a group");
    let group = group["id"].as_str().expect("an id").to_owned();
    let mut answered = Answered::default();
    let given = VARIABLES.map(|name| std::env::var(name).ok().and_then(|text| text.parse().ok()));
    let [rounds, seed] = given;
    let seed = seed.unwrap_or_else(|| RandomState::new().hash_one(0) % 1_000_000);
    println!("{}={seed}", VARIABLES[1]);
    for round in 0..rounds.unwrap_or(ROUNDS) {
        let moment = drawn(seed, round) % MOST + 1;
        let (sender, receiver) = mpsc::channel();
        let writers: Vec<_> = (0..WRITERS)
            .map(|writer| {
                let (endpoint, group, sender) = (server.endpoint().clone(), group.clone(), sender.clone());
                thread::spawn(move || write(&endpoint, &group, &format!("r{round}w{writer}"), &sender))
            })
            .collect();
        drop(sender);
        let mut count = 0;
        // Ends when every writer has met the dead server.
        for write in receiver {
            answered.record(write);
            count += 1;
            if count == moment {
                server.kill9().expect("killed");
            }
        }
        for writer in writers {
            writer.join().expect("a writer ends");
        }
        assert!(count >= moment, "only {count} writes were answered:\n{}", server.said());
        server = server.restart().expect("the server starts again");
        let fresh = std::mem::take(&mut answered.fresh);
        answered.check(server.endpoint(), &group, fresh.iter());
    }
    answered.check(server.endpoint(), &group, answered.users.keys());
    let stopped = server.terminate().expect("the signal is sent");
    assert!(stopped.success(), "SIGTERM ends with {stopped}");
}

/// The next number of a sequence (SplitMix64).
fn drawn(seed: u64, round: u64) -> u64 {
    let mut number = seed.wrapping_add((round + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

/// Writes until the server is gone, reporting each write after its answer.
fn write(endpoint: &Endpoint, group: &str, name: &str, answered: &Sender<Write>) {
    for number in 0.. {
        let user = json!({
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
            "userName": format!("{name}n{number}@example.com"),
            "displayName": "created",
        });
        let Some(created) = succeed(endpoint, "POST", "/Users", Some(&user)) else { return };
        let id = created["id"].as_str().expect("an id").to_owned();
        report(answered, Write::User { id: id.clone(), display_name: "created".to_owned() });

        let path = format!("/Users/{id}");
        if number % 3 == 0 {
            let change = patch(json!({"op": "replace", "path": "displayName", "value": "patched"}));
            // Its outcome is unknown from here to the answer, and stays so without one.
            report(answered, Write::User { id: id.clone(), display_name: String::new() });
            if succeed(endpoint, "PATCH", &path, Some(&change)).is_none() {
                return;
            }
            report(answered, Write::User { id: id.clone(), display_name: "patched".to_owned() });
        }
        if number % 5 == 4 {
            report(answered, Write::User { id: id.clone(), display_name: String::new() });
            if succeed(endpoint, "DELETE", &path, None).is_none() {
                report(answered, Write::User { id, display_name: UNKNOWN.to_owned() });
                return;
            }
            report(answered, Write::Deleted { id });
        } else {
            let change = patch(json!({"op": "add", "path": "members", "value": [{"value": id}]}));
            if succeed(endpoint, "PATCH", &format!("/Groups/{group}"), Some(&change)).is_none() {
                return;
            }
            report(answered, Write::Member { id });
        }
    }
}

/// A user of whom not even the existence is known: the server died over the deletion.
const UNKNOWN: &str = "unknown";

fn report(answered: &Sender<Write>, write: Write) {
    answered.send(write).expect("the test listens to the end");
}

/// The body of a successful answer, `null` where it has none; `None` once the server is gone.
fn succeed(endpoint: &Endpoint, method: &str, target: &str, body: Option<&Value>) -> Option<Value> {
    let answer = endpoint.call(method, target, body).ok()?;
    assert!(
        answer.is_success(),
        "{method} {target}: {} {}",
        answer.status,
        String::from_utf8_lossy(&answer.body)
    );
    Some(answer.json().unwrap_or_default())
}

fn patch(operation: Value) -> Value {
    json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [operation]})
}

impl Answered {
    fn record(&mut self, write: Write) {
        match write {
            Write::User { id, display_name } => {
                self.fresh.insert(id.clone());
                self.users.insert(id, Some(display_name));
            }
            Write::Deleted { id } => {
                self.fresh.insert(id.clone());
                self.users.insert(id, None);
            }
            Write::Member { id } => self.members.push(id),
        }
    }

    /// Holds what was answered of these users, and of all members, against what is there.
    fn check<'a>(&self, endpoint: &Endpoint, group: &str, users: impl Iterator<Item = &'a String>) {
        for id in users {
            let Some(display_name) = self.users.get(id) else { continue };
            let answer = endpoint.call("GET", &format!("/Users/{id}"), None).expect("an answer");
            match display_name.as_deref() {
                None => assert_eq!(answer.status, 404, "{id} was deleted"),
                Some(UNKNOWN) => assert!(matches!(answer.status, 200 | 404), "{id}: {}", answer.status),
                Some(display_name) => {
                    assert_eq!(answer.status, 200, "{id} was created");
                    let user = answer.json().expect("a user");
                    if !display_name.is_empty() {
                        assert_eq!(user["displayName"], display_name, "{id}");
                    }
                    let filter = encode(&format!("userName eq {}", user["userName"]));
                    let found =
                        endpoint.call("GET", &format!("/Users?filter={filter}"), None).expect("an answer");
                    let found = found.json().expect("a list");
                    assert_eq!(found["totalResults"], 1, "{id} by its userName");
                    assert_eq!(found["Resources"][0]["id"], id.as_str());
                }
            }
        }
        let group = endpoint
            .call("GET", &format!("/Groups/{group}"), None)
            .expect("an answer")
            .json()
            .expect("a group");
        let there: HashSet<_> = group["members"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|member| member["value"].as_str())
            .collect();
        for member in &self.members {
            assert!(there.contains(member.as_str()), "{member} was added to the group");
        }
    }
}
