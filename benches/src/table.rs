//! The whole table. Reads are compared with a bare route, and writes with a bare loop of SQL. Operations whose cost must
//! not grow with the directory are compared with the same operation on little data.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::directory::Directory;
use crate::disk::{self, BareSql, Keys};
use crate::import::import;
use crate::load::{self, Make, Plan, Run};
use crate::random::Random;
use crate::report::{self, Bar, Row, micros};
use crate::server::Server;
use crate::target::Target;
use crate::workload::{Known, Workload};
use crate::{Result, SeedOptions, TableOptions, TargetOptions, seed};

/// The bootstrap token of the server under test, which only this program can reach.
const TOKEN: &str = "scim2-bench-token-0123456789";

/// The warm-up before each measurement.
const WARM_UP: Duration = Duration::from_millis(700);

pub(crate) fn run(options: &TableOptions) -> Result<()> {
    let temporary = tempfile::tempdir()?;
    let folder = options.folder.clone().unwrap_or_else(|| temporary.path().to_owned());
    std::fs::create_dir_all(&folder)?;
    let fdatasync = disk::fdatasync(&folder)?;
    eprintln!("fdatasync of the data folder: p50 {}, p99 {}", micros(fdatasync.0), micros(fdatasync.1));
    eprintln!(
        "seed {}, {} users, groups of {:?}, {} worker threads",
        options.seed,
        options.users,
        options.groups(),
        options.threads
    );
    let mut bench = Bench::start(options, &folder, fdatasync)?;
    bench.reads()?;
    bench.pages()?;
    bench.writes()?;
    bench.groups()?;
    bench.memory()?;
    if let Some(path) = &options.report {
        std::fs::write(path, report::json(&bench.rows).to_string())?;
    }
    if options.json {
        println!("{}", report::json(&bench.rows));
    } else {
        report::table(&bench.rows);
    }
    Ok(())
}

/// The servers under test, and the results so far.
struct Bench<'a> {
    options: &'a TableOptions,
    folder: &'a Path,
    /// The times of an `fdatasync` of the folder: p50 and p99.
    fdatasync: (Duration, Duration),
    nodes: Vec<Server>,
    known: Known,
    target: Target,
    /// The database of the servers, and a copy of it for the bare loop; `None` on PostgreSQL.
    files: Option<(PathBuf, PathBuf)>,
    rows: Vec<Row>,
}

impl<'a> Bench<'a> {
    /// Imports the directory and starts the servers on it.
    fn start(options: &'a TableOptions, folder: &'a Path, fdatasync: (Duration, Duration)) -> Result<Self> {
        let binary = match &options.binary {
            Some(path) => path.clone(),
            None => std::env::current_exe()?.with_file_name("scim2"),
        };
        let database = folder.join("bench.db");
        let store = options.store.clone().unwrap_or_else(|| format!("sqlite:{}", database.display()));
        let groups = options.groups();
        let lines = folder.join("bench.jsonl");
        seed::run(&SeedOptions {
            target: TargetOptions { url: None, token: None },
            output: Some(lines.clone()),
            users: options.users,
            groups: groups.clone(),
            seed: options.seed,
        })?;
        let imported = import(&binary, &store, &lines)?;
        std::fs::remove_file(lines)?;
        #[expect(clippy::cast_precision_loss, reason = "a rate is an estimate")]
        let import_rate = options.users as f64 / imported.elapsed.as_secs_f64();
        let files = if options.store.is_none() {
            let copy = folder.join("bare.db");
            std::fs::copy(&database, &copy)?;
            Some((database, copy))
        } else {
            None
        };

        let serve = || {
            let mut command = Command::new(&binary);
            command
                .args(["serve", "--listen", "127.0.0.1:0", "--worker-threads", &options.threads.to_string()])
                .args(["--store", &store])
                .env("SCIM2_BOOTSTRAP_TOKEN", TOKEN);
            Server::start(&mut command)
        };
        let nodes = (0..options.nodes.max(1)).map(|_| serve()).collect::<Result<Vec<_>>>()?;
        let first = nodes.first().ok_or("no server")?;
        let rows = vec![
            Row::alone("import", import_rate, "/s").held_to(Bar::Least(15_000.0)),
            megabytes("import, resident memory", imported.resident).held_to(Bar::Most(300.0)),
            Row::alone("start", first.started_in.as_secs_f64() * 1e3, "ms"),
            megabytes("resident memory, idle", first.resident_memory()?),
            megabytes("anonymous memory, idle", first.anonymous_memory()?),
        ];
        let target = Target::new(&TargetOptions {
            url: Some(format!("http://{}/scim/v2", first.address)),
            token: Some(TOKEN.to_owned()),
        })?;
        let stamp = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs() << 24 | 1 << 62;
        let directory = Directory { seed: options.seed, users: options.users };
        let known = Known::new(target.clone(), directory, &groups, stamp)?;
        Ok(Self { options, folder, fdatasync, nodes, known, target, files, rows })
    }

    /// Reads of one user, beside a bare route that answers the same bytes.
    fn reads(&mut self) -> Result<()> {
        for (workload, what, part) in [
            (Workload::Get, "GET /Users/{id}", 0.45),
            (Workload::FilterUserName, "filter=userName eq", 0.40),
            (Workload::FilterExternalId, "filter=externalId eq", 0.40),
            (Workload::FilterEmail, "filter=emails[type eq \"work\"].value eq", 0.40),
        ] {
            let make = self.known.make(workload)?;
            let (status, sample) = self.target.send((make)(&mut Random::new(self.options.seed), 0))?;
            if status != 200 {
                return Err(format!("{what} answered {status}").into());
            }
            let body = self.folder.join("bare-body.json");
            std::fs::write(&body, &sample)?;
            let bare = bare_route(&body, self.options.threads)?;
            let at_once = self.options.connections;
            let (ours, yardstick) = self.in_turns(
                |bench| bench.drive(at_once, &make),
                |bench| bench.drive_at(&[bare.address], at_once, &make),
            )?;
            let p99 = ours.p99.as_secs_f64() * 1e3;
            let row = Row::rate(format!("{what}, {at_once} connections"), ours);
            self.rows.push(row.beside(yardstick.rate).held_to(Bar::Part(part)));
            if workload == Workload::Get {
                let row = Row::alone("the same, p99", p99, "ms").beside(yardstick.p99.as_secs_f64() * 1e3);
                self.rows.push(row.held_to(Bar::Times(3.0)));
            }
        }
        Ok(())
    }

    /// Pages at the end and by cursor, beside the first.
    fn pages(&mut self) -> Result<()> {
        let first = self.known.make(Workload::ListFirst)?;
        for (workload, what) in [
            (Workload::ListLast, "the last page of 100 by startIndex"),
            (Workload::ListCursor, "a page of 100 by cursor"),
            (Workload::ListDeep, "page 10 000 by cursor, or the last"),
        ] {
            let make = self.known.make(workload)?;
            let at_once = self.options.connections;
            let (ours, yardstick) =
                self.in_turns(|bench| bench.drive(at_once, &make), |bench| bench.drive(at_once, &first))?;
            let row = Row::rate(what, ours).beside(yardstick.rate);
            self.rows.push(row.held_to(Bar::Part(1.0 / 1.2)));
        }
        let jump = self.known.make(Workload::ListJump)?;
        let ours = self.rounds(|bench| bench.drive(bench.options.connections, &jump))?;
        self.rows.push(Row::rate("a page of 100 at a random startIndex", ours));
        Ok(())
    }

    /// Creates, beside a bare loop of the same SQL, and PATCH of `active` beside them.
    fn writes(&mut self) -> Result<()> {
        let in_order = self.known.make(Workload::PostInOrder)?;
        let scattered = self.known.make(Workload::Post)?;
        let mut bare = match &self.files {
            // The loop copies the rows of a user that the server has written.
            Some((database, copy)) => {
                self.target.send((in_order)(&mut Random::new(0), 0))?;
                Some(BareSql::open(copy, database)?)
            }
            None => None,
        };
        let mut posted = 0.0;
        for (connections, keys, make, part) in [
            (64, Keys::InOrder, &in_order, 0.35),
            (64, Keys::Scattered, &scattered, 0.35),
            (1, Keys::InOrder, &in_order, 0.60),
            (1, Keys::Scattered, &scattered, 0.60),
        ] {
            let seconds = self.options.duration();
            let (ours, yardstick) = self.in_turns(
                |bench| bench.drive(connections, make),
                |_| {
                    let batch = u64::try_from(connections)?;
                    bare.as_mut().map(|bare| bare.insert(keys, batch, seconds)).transpose()
                },
            )?;
            if connections > 1 && keys == Keys::Scattered {
                posted = ours.rate;
            }
            let order = if keys == Keys::InOrder { "in order" } else { "in no order" };
            let mut row = Row::rate(format!("POST /Users, names {order}, {connections} connections"), ours);
            if let Some(yardstick) = yardstick {
                row = row.beside(yardstick).held_to(Bar::Part(part));
            }
            self.rows.push(row);
        }
        let make = self.known.make(Workload::PatchActive)?;
        let ours = self.rounds(|bench| bench.drive(64, &make))?;
        let row = Row::rate("PATCH active, 64 connections, beside POST", ours);
        self.rows.push(row.beside(posted).held_to(Bar::Part(1.0)));
        Ok(())
    }

    /// Members of a large group, beside those of a small one.
    fn groups(&mut self) -> Result<()> {
        let small = self.known.make(Workload::MemberSmall)?;
        let large = self.known.make(Workload::MemberLarge)?;
        let groups = self.options.groups();
        let of = |size: Option<&u64>| size.copied().unwrap_or_default();
        let (least, most) = (of(groups.iter().min()), of(groups.iter().max()));
        for at_once in [self.options.connections, 1] {
            let (ours, yardstick) =
                self.in_turns(|bench| bench.drive(at_once, &large), |bench| bench.drive(at_once, &small))?;
            let p99 = ours.p99.as_secs_f64() * 1e3;
            let what = format!("one member, group of {most} and {least}, {at_once} connections");
            self.rows.push(Row::rate(what, ours).beside(yardstick.rate).held_to(Bar::Part(1.0 / 1.2)));
            let row = Row::alone("the same, p99 beside that of fdatasync", p99, "ms");
            self.rows.push(row.beside(self.fdatasync.1.as_secs_f64() * 1e3).held_to(Bar::Times(4.0)));
        }
        let make = self.known.make(Workload::PutGroup)?;
        let ours = self.rounds(|bench| bench.drive(1, &make))?;
        self.rows.push(Row::rate("PUT of a group of 10 000, one member changed", ours));
        Ok(())
    }

    /// The memory of the first server after a scan and after a mixed load.
    fn memory(&mut self) -> Result<()> {
        let first = self.nodes.first().ok_or("no server")?;
        let before = first.anonymous_memory()?;
        let scan = self.known.make(Workload::Contains)?;
        let (ours, most) = first.most_anonymous_memory_while(|| self.drive(1, &scan))?;
        let mut rows = vec![
            Row::rate("co on an attribute in no index, one connection", ours),
            megabytes("the same, growth of anonymous memory", most.saturating_sub(before))
                .held_to(Bar::Most(50.0)),
        ];
        let mixed = self.known.make(Workload::Mixed)?;
        let plan =
            Plan { duration: Duration::from_secs(self.options.mixed), ..self.plan(self.options.connections) };
        let (ours, most) =
            first.most_anonymous_memory_while(|| load::drive(&plan, &self.addresses(), mixed.clone()))?;
        rows.push(Row::rate(format!("mixed load of {} s", self.options.mixed), ours));
        rows.push(megabytes("the same, anonymous memory", most).held_to(Bar::Most(150.0)));
        self.rows.append(&mut rows);
        Ok(())
    }

    fn addresses(&self) -> Vec<SocketAddr> {
        self.nodes.iter().map(|node| node.address).collect()
    }

    fn plan(&self, connections: usize) -> Plan {
        Plan { connections, duration: self.options.duration(), seed: self.options.seed, rate: None }
    }

    /// Drives the servers under test.
    fn drive(&self, connections: usize, make: &Arc<Make>) -> Result<Run> {
        self.drive_at(&self.addresses(), connections, make)
    }

    fn drive_at(&self, addresses: &[SocketAddr], connections: usize, make: &Arc<Make>) -> Result<Run> {
        let plan = self.plan(connections);
        load::drive(&Plan { duration: WARM_UP, ..plan }, addresses, make.clone())?;
        load::drive(&plan, addresses, make.clone())
    }

    /// The median of some rounds.
    fn rounds<T: Rate>(&self, mut measure: impl FnMut(&Self) -> Result<T>) -> Result<T> {
        let all = (0..self.options.rounds).map(|_| measure(self)).collect::<Result<Vec<_>>>()?;
        median(all).ok_or_else(|| "expected at least one round".into())
    }

    /// Measures ours and the yardstick by turns, so that other load on the machine affects both. Returns the median of
    /// each.
    fn in_turns<A: Rate, B: Rate>(
        &self,
        mut ours: impl FnMut(&Self) -> Result<A>,
        mut yardstick: impl FnMut(&Self) -> Result<B>,
    ) -> Result<(A, B)> {
        let (mut first, mut second) = (Vec::new(), Vec::new());
        for _ in 0..self.options.rounds {
            disk::settle();
            first.push(ours(self)?);
            disk::settle();
            second.push(yardstick(self)?);
        }
        median(first).zip(median(second)).ok_or_else(|| "expected at least one round".into())
    }
}

impl Server {
    /// Runs `measure`, and returns the peak of the process's anonymous memory meanwhile, in bytes.
    fn most_anonymous_memory_while<T>(&self, measure: impl FnOnce() -> Result<T>) -> Result<(T, u64)> {
        let (done, most) = (AtomicBool::new(false), AtomicU64::new(0));
        let measured = std::thread::scope(|scope| {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    most.fetch_max(self.anonymous_memory().unwrap_or_default(), Ordering::Relaxed);
                    std::thread::sleep(Duration::from_millis(20));
                }
            });
            let measured = measure();
            done.store(true, Ordering::Relaxed);
            measured
        })?;
        Ok((measured, most.into_inner()))
    }
}

/// The figure by which rounds are compared.
trait Rate {
    fn rate(&self) -> f64;
}

impl Rate for Run {
    fn rate(&self) -> f64 {
        self.rate
    }
}

impl Rate for Option<f64> {
    fn rate(&self) -> f64 {
        self.unwrap_or_default()
    }
}

fn median<T: Rate>(mut rounds: Vec<T>) -> Option<T> {
    rounds.sort_by(|a, b| a.rate().total_cmp(&b.rate()));
    let middle = rounds.len() / 2;
    rounds.into_iter().nth(middle)
}

fn megabytes(what: &str, bytes: u64) -> Row {
    #[expect(clippy::cast_precision_loss, reason = "shown in whole megabytes")]
    let megabytes = bytes as f64 / 1e6;
    Row::alone(what, megabytes, "MB")
}

fn bare_route(body: &Path, threads: usize) -> Result<Server> {
    let program: PathBuf = std::env::current_exe()?;
    Server::start(
        Command::new(program).arg("bare").arg("--body").arg(body).args(["--threads", &threads.to_string()]),
    )
}
