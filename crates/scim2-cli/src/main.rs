//! The binary `scim2`: a SCIM 2.0 service provider and the tools around it.
//!
//! - [`args`] is the command line, [`config`] the configuration.
//! - [`serve`] is the service provider over HTTP, with [`schemas`] from files.
//! - [`commands`] are the other commands.

mod args;
mod commands;
mod config;
mod failure;
mod logs;
mod schemas;
mod serve;
mod store;
mod terminal;

use std::process::ExitCode;

/// A request makes dozens of small allocations, and frees some of them on another thread. The allocator of the system
/// is slow at that.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let outcome = args::parse().and_then(|command| match command {
        args::Command::Serve(args) => serve::run(&args),
        args::Command::Token(args) => commands::wait(commands::token::run(&args)),
        args::Command::Audit(args) => commands::wait(commands::audit::run(&args)),
        args::Command::Import(args) => commands::import::run(&args),
        args::Command::Export(args) => commands::wait(commands::export::run(&args)),
        args::Command::Backup(args) => commands::backup::backup(&args),
        args::Command::Restore(args) => commands::backup::restore(&args),
        args::Command::Fsck(args) => commands::wait(commands::fsck::run(&args)),
        args::Command::Filter(args) => commands::filter::run(&args),
        args::Command::Config(args) => commands::config::run(&args),
        args::Command::Version => commands::version(),
    });
    outcome.unwrap_or_else(|failure| failure.report())
}
