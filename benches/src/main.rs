//! The load generator: it makes a directory, starts the real binary and a bare axum route that
//! answers the same bytes, drives both with the same client in turns, and prints the ratios.
//!
//! ```sh
//! cargo build --release --bin scim2 && cargo run --release -p scim2-benches -- table
//! ```

mod bare;
mod disk;
mod load;
mod random;
mod report;
mod server;
mod table;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

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
    /// A bare axum route that answers every request with the bytes of a file.
    Bare {
        /// The address to listen on; the one taken is printed.
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

/// What the table is measured with.
#[derive(clap::Args, Clone)]
struct TableOptions {
    /// How many users the directory holds.
    #[arg(long, default_value_t = 100_000)]
    users: u64,
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
    /// Print JSON instead of a table.
    #[arg(long)]
    json: bool,
}

fn main() -> ExitCode {
    let done = match Arguments::parse().command {
        Command::Table(options) => table::run(&options),
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

/// What any step of a benchmark may fail with; a benchmark only prints it.
type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;
