//! The load generator. It makes a directory, starts the real binary and a bare axum route that answers the same bytes,
//! drives both by turns with the same client, and prints the ratios.
//!
//! ```sh
//! cargo build --release --bin scim2 && cargo run --release -p scim2-benches -- table
//! ```
//!
//! `seed`, `run` and `plot` do the same step by step, for any SCIM server:
//!
//! ```sh
//! scim2-bench seed --users 1000000 --groups 10,1000000 --output d.jsonl && scim2 import d.jsonl
//! scim2-bench run --url http://127.0.0.1:8080/scim/v2 --users 1000000 --groups 10,1000000 --json > r.json
//! scim2-bench plot r.json plot.svg
//! ```

mod bare;
mod directory;
mod disk;
mod import;
mod load;
mod plot;
mod random;
mod report;
mod run;
mod seed;
mod server;
mod table;
mod target;
mod workload;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(about = "Load generator and benchmarks of scim2")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Measures the whole table on a directory of its own and prints every ratio.
    Table(TableOptions),
    /// Makes a directory of users and groups.
    Seed(SeedOptions),
    /// Runs workloads against a SCIM server that has the directory of `seed`.
    Run(RunOptions),
    /// Draws what `run --json` printed or `table --report` wrote.
    Plot {
        /// The report.
        report: PathBuf,
        /// The SVG file.
        output: PathBuf,
        /// Rates as bars instead of times as curves.
        #[arg(long)]
        rates: bool,
        /// Only workloads whose names contain one of these.
        #[arg(long, value_delimiter = ',')]
        only: Vec<String>,
    },
    /// A bare axum route that answers every request with the bytes of a file.
    Bare {
        /// The address to listen on. The actual address is printed.
        #[arg(long, default_value = "127.0.0.1:0")]
        listen: SocketAddr,
        /// The file whose bytes are the answer.
        #[arg(long)]
        body: PathBuf,
        /// Worker threads.
        #[arg(long, default_value_t = 2)]
        threads: usize,
    },
}

/// Where the server is.
#[derive(clap::Args, Clone)]
struct TargetOptions {
    /// The base URL of a SCIM server, http only.
    #[arg(long)]
    url: Option<String>,
    /// A bearer token that may write.
    #[arg(long, env = "SCIM2_BENCH_TOKEN", hide_env_values = true)]
    token: Option<String>,
}

/// The directory to be made.
#[derive(clap::Args, Clone)]
struct SeedOptions {
    #[command(flatten)]
    target: TargetOptions,
    /// Write lines for `scim2 import` to this file (`-` for standard output) instead of creating by POST.
    #[arg(long)]
    output: Option<PathBuf>,
    /// How many users.
    #[arg(long, default_value_t = 10_000)]
    users: u64,
    /// The sizes of the groups.
    #[arg(long, value_delimiter = ',', default_value = "10,1000")]
    groups: Vec<u64>,
    /// The seed of the ids.
    #[arg(long, default_value_t = 42)]
    seed: u64,
}

/// The workloads to run, and how.
#[derive(clap::Args, Clone)]
struct RunOptions {
    #[command(flatten)]
    target: TargetOptions,
    /// How many users `seed` made.
    #[arg(long, default_value_t = 10_000)]
    users: u64,
    /// The sizes of the groups that `seed` made.
    #[arg(long, value_delimiter = ',', default_value = "10,1000")]
    groups: Vec<u64>,
    /// The seed of the directory and of the choice of users.
    #[arg(long, default_value_t = 42)]
    seed: u64,
    /// The workloads, one after the other.
    #[arg(long, value_enum, value_delimiter = ',', default_value = "get,filter-user-name,patch-active,post")]
    workloads: Vec<workload::Workload>,
    /// Keep-alive connections.
    #[arg(long, default_value_t = 16)]
    connections: usize,
    /// Seconds for each workload.
    #[arg(long, default_value_t = 5.0)]
    seconds: f64,
    /// Seconds of warm-up before each workload, which do not count.
    #[arg(long, default_value_t = 1.0)]
    warm_up: f64,
    /// Open loop: this many requests per second, whatever the server does; the time of a request begins when it is due.
    /// Without it each connection waits for its answer (closed loop).
    #[arg(long)]
    rate: Option<f64>,
    /// The process of the server, to report its anonymous memory (RssAnon).
    #[arg(long)]
    pid: Option<u32>,
    /// Print JSON instead of a table.
    #[arg(long)]
    json: bool,
}

/// How the table is measured.
#[derive(clap::Args, Clone)]
struct TableOptions {
    /// How many users the directory holds.
    #[arg(long, default_value_t = 100_000)]
    users: u64,
    /// The sizes of its groups; those larger than the directory are left out.
    #[arg(long, value_delimiter = ',', default_value = "10,10000,100000,1000000")]
    groups: Vec<u64>,
    /// An empty PostgreSQL database instead of a file; without the comparison with bare SQL.
    #[arg(long, env = "SCIM2_BENCH_STORE", hide_env_values = true)]
    store: Option<String>,
    /// How many servers share the database and the connections.
    #[arg(long, default_value_t = 1, requires = "store")]
    nodes: usize,
    /// Seconds of the mixed load at the end, after which memory is read.
    #[arg(long, default_value_t = 20)]
    mixed: u64,
    /// Seconds for each measurement of each side.
    #[arg(long, default_value_t = 4)]
    seconds: u64,
    /// How often the two sides take turns; the median counts.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Keep-alive connections of the reading workloads.
    #[arg(long, default_value_t = 16)]
    connections: usize,
    /// Worker threads of the server and of the bare route.
    #[arg(long, default_value_t = 2)]
    threads: usize,
    /// The seed of the random choice of users.
    #[arg(long, default_value_t = 42)]
    seed: u64,
    /// The folder for the database; a temporary one by default, removed at the end.
    #[arg(long)]
    folder: Option<PathBuf>,
    /// The binary under test; by default `scim2` beside this program.
    #[arg(long)]
    binary: Option<PathBuf>,
    /// Write the report to this file too, as JSON, for `plot`.
    #[arg(long)]
    report: Option<PathBuf>,
    /// Print JSON instead of a table.
    #[arg(long)]
    json: bool,
}

impl TableOptions {
    fn groups(&self) -> Vec<u64> {
        self.groups.iter().copied().filter(|size| *size <= self.users).collect()
    }

    fn duration(&self) -> Duration {
        Duration::from_secs(self.seconds)
    }
}

fn main() -> ExitCode {
    let done = match Arguments::parse().command {
        Command::Table(options) => table::run(&options),
        Command::Seed(options) => seed::run(&options),
        Command::Run(options) => run::run(&options),
        Command::Plot { report, output, rates, only } => plot::run(&report, &output, rates, &only),
        Command::Bare { listen, body, threads } => bare::run(listen, &body, threads),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("scim2-bench: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Any error of a benchmark; it is only printed.
type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;
