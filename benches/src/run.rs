//! Runs workloads against a SCIM server and prints the results.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use crate::directory::Directory;
use crate::load::{self, Plan, Run};
use crate::report::{self, micros};
use crate::server::status_line;
use crate::target::Target;
use crate::workload::{Known, Workload};
use crate::{Result, RunOptions};

/// The results of one workload.
struct Seen {
    workload: Workload,
    run: Run,
    /// RssAnon of the server, in bytes, when the workload ended.
    memory: Option<u64>,
}

pub(crate) fn run(options: &RunOptions) -> Result<()> {
    let target = Target::new(&options.target)?;
    let directory = Directory { seed: options.seed, users: options.users };
    // Posted users are new in each run: the numbers begin at the current second times 2^24, and no run posts 2^24 users
    // per second.
    let stamp = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs() << 24 | 1 << 62;
    eprintln!("seed {}, {} users, {} connections", options.seed, options.users, options.connections);
    let before = options.pid.map(anonymous_memory).transpose()?;
    let known = Known::new(target.clone(), directory, &options.groups, stamp)?;
    let mut all = Vec::new();
    for workload in &options.workloads {
        let make = known.make(*workload).map_err(|error| format!("{}: {error}", workload.name()))?;
        let plan = |seconds| Plan {
            connections: options.connections,
            duration: Duration::from_secs_f64(seconds),
            seed: options.seed,
            rate: options.rate,
        };
        let addresses = [target.address];
        load::drive(&plan(options.warm_up), &addresses, make.clone())?;
        let run = load::drive(&plan(options.seconds), &addresses, make)?;
        let memory = options.pid.map(anonymous_memory).transpose()?;
        all.push(Seen { workload: *workload, run, memory });
    }
    if options.json {
        println!("{}", as_json(options, before, &all));
    } else {
        table(before, &all);
    }
    Ok(())
}

/// The anonymous memory of a process in bytes, which excludes file pages.
fn anonymous_memory(pid: u32) -> Result<u64> {
    status_line(pid, "RssAnon:")
}

fn table(before: Option<u64>, all: &[Seen]) {
    let megabytes =
        |bytes: Option<u64>| bytes.map_or_else(String::new, |bytes| format!("{} MB", bytes / 1_000_000));
    println!(
        "{:<20} {:>12} {:>10} {:>10} {:>10} {:>10} {:>8} {:>9}",
        "workload", "requests/s", "p50", "p99", "p99.9", "longest", "errors", "memory"
    );
    if before.is_some() {
        println!("{:<20} {:>94}", "before", megabytes(before));
    }
    for Seen { workload, run, memory } in all {
        println!(
            "{:<20} {:>12.0} {:>10} {:>10} {:>10} {:>10} {:>8} {:>9}",
            workload.name(),
            run.rate,
            micros(run.p50),
            micros(run.p99),
            micros(run.p999),
            micros(Duration::from_nanos(run.times.max())),
            run.errors,
            megabytes(*memory),
        );
    }
}

fn as_json(options: &RunOptions, before: Option<u64>, all: &[Seen]) -> Value {
    let workloads: Vec<Value> = all
        .iter()
        .map(|Seen { workload, run, memory }| {
            let mut workload = report::workload(&workload.name(), run);
            if let Some(workload) = workload.as_object_mut() {
                workload.insert("rssAnon".to_owned(), json!(memory));
            }
            workload
        })
        .collect();
    json!({
        "users": options.users,
        "seed": options.seed,
        "connections": options.connections,
        "seconds": options.seconds,
        "loop": if options.rate.is_some() { "open" } else { "closed" },
        "rate": options.rate,
        "rssAnonBefore": before,
        "workloads": workloads,
    })
}
