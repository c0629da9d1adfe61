//! The server dies under concurrent writes; what it answered is there afterwards.
//!
//! Twenty times here with SIGKILL, and some with a power cut; `cargo xtask soak crash` does it two hundred times. When
//! it dies is drawn by chance from a seed that is printed.

use std::hash::{BuildHasher, RandomState};
use std::process::Command;
use std::sync::mpsc;
use std::thread;

use scim2_testkit::process::Launch;

use crate::harness::launch;

mod import;
mod load;
#[cfg(target_os = "linux")]
mod power;
mod syncs;

use load::{Answered, Client};

const WRITERS: usize = 8;

/// After at most this many answered writes the server is killed, in each round.
const MOST: u64 = 60;

/// How often the server is killed, unless the environment says it.
const ROUNDS: u64 = 20;

/// How often the server is killed, and what the moments are drawn from.
const VARIABLES: [&str; 2] = ["SCIM2_CRASH_ROUNDS", "SCIM2_CRASH_SEED"];

/// The rounds that the environment asks for, or these, and the seed.
fn rounds_and_seed(rounds: u64) -> (u64, u64) {
    let given = VARIABLES.map(|name| std::env::var(name).ok().and_then(|text| text.parse().ok()));
    let [given, seed] = given;
    let seed = seed.unwrap_or_else(|| RandomState::new().hash_one(0) % 1_000_000);
    println!("{}={seed}", VARIABLES[1]);
    (given.unwrap_or(rounds), seed)
}

/// The next number of a sequence (SplitMix64).
fn drawn(seed: u64, round: u64) -> u64 {
    let mut number = seed.wrapping_add((round + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

/// Holds that all of a store agrees.
#[track_caller]
pub(crate) fn fsck(launch: &Launch) {
    let fsck = Command::new(env!("CARGO_BIN_EXE_scim2"))
        .args(["fsck", "--store"])
        .arg(launch.store_url())
        .output()
        .expect("fsck runs");
    let (out, error) = (String::from_utf8_lossy(&fsck.stdout), String::from_utf8_lossy(&fsck.stderr));
    assert!(fsck.status.success(), "{out}{error}");
}

#[test]
fn every_answered_write_survives_kill_9() {
    let folder = tempfile::tempdir().expect("a folder");
    let launch = launch(&folder);
    every_answered_write_survives(&launch);
    fsck(&launch);
}

/// Starts a server again and again over one store, and kills it while it is written to.
pub(crate) fn every_answered_write_survives(launch: &Launch) {
    let mut server = launch.start().expect("the server starts");
    let mut answered = Answered::with_group(server.endpoint());
    let (rounds, seed) = rounds_and_seed(ROUNDS);
    for round in 0..rounds {
        let moment = drawn(seed, round) % MOST + 1;
        let (sender, receiver) = mpsc::channel();
        let writers: Vec<_> = (0..WRITERS)
            .map(|writer| {
                let client = Client::new(server.endpoint(), &answered, &sender);
                thread::spawn(move || client.write(&format!("r{round}w{writer}")))
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
        answered.check_fresh(server.endpoint());
    }
    answered.check_all(server.endpoint());
    let stopped = server.terminate().expect("the signal is sent");
    assert!(stopped.success(), "SIGTERM ends with {stopped}");
}
