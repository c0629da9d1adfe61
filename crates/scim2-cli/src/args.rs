//! What can be typed.

use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{Parser, Subcommand};

use crate::config::{Filtering, Serving, Settings, Storing};
use crate::failure::Failure;

mod config;
mod data;

pub(crate) use config::{ConfigArgs, ConfigCheckArgs, ConfigCommand};
pub(crate) use data::{BackupArgs, ExportArgs, FsckArgs, ImportArgs, RestoreArgs};

/// Reads the command line. Answers `--help` and `--version` itself.
///
/// # Errors
/// What is wrong with it, in one line.
pub(crate) fn parse() -> Result<Command, Failure> {
    match Cli::try_parse() {
        Ok(cli) => Ok(cli.command),
        Err(error) => match error.kind() {
            ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
                // If the reader closes the pipe early, it has read enough.
                let _ = error.print();
                std::process::exit(0);
            }
            ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
                let _ = error.print();
                std::process::exit(2);
            }
            _ => Err(Failure::usage(hinted(first_lines(&error.to_string())))),
        },
    }
}

/// Adds our option to the message if an option of other programs was used.
fn hinted(message: String) -> String {
    match ["--port", "--bind", "--host", "--address"]
        .iter()
        .find(|flag| message.contains(&format!("'{flag}'")))
    {
        Some(_) => format!("{message}; `--listen 127.0.0.1:8080` sets address and port"),
        None => message,
    }
}

/// The message without the usage and the pointer to the help text that clap adds.
fn first_lines(message: &str) -> String {
    let message = message.strip_prefix("error: ").unwrap_or(message);
    let end = ["\n\nUsage:", "\n\nFor more information"].iter().filter_map(|mark| message.find(mark)).min();
    message.get(..end.unwrap_or(message.len())).unwrap_or(message).to_owned()
}

/// A SCIM 2.0 service provider and the tools around it.
///
/// `scim2 serve` is a service provider (RFC 7643, RFC 7644) that an identity provider such as Okta or
/// Entra ID can provision into. It needs only a folder for its data. The other commands manage its tokens, print its
/// audit log, import, export, back up and check its store, check its configuration, and try out filters.
#[derive(Parser)]
#[command(name = "scim2", version, propagate_version = false)]
#[command(
    after_help = "Exit codes: 0 success; 1 the command failed; 2 the command line, the configuration or a path is \
                        wrong."
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    Serve(ServeArgs),
    Token(TokenArgs),
    Audit(AuditArgs),
    Import(ImportArgs),
    Export(ExportArgs),
    Backup(BackupArgs),
    Restore(RestoreArgs),
    Fsck(FsckArgs),
    Filter(FilterArgs),
    Config(ConfigArgs),
    /// Print the version
    Version,
}

/// Run the service provider.
///
/// By default it listens on 127.0.0.1:8080 and keeps its data in ./scim2-data/. On the first start it makes a token and
/// prints it once on standard error, with a curl command to try. To choose the token yourself, set
/// SCIM2_BOOTSTRAP_TOKEN (16 or more visible ASCII characters); it counts only while the store has no token.
///
/// /healthz and /readyz answer at the root without a token. SIGTERM and Ctrl-C stop the server: it finishes the requests
/// it has accepted, and ends with 0. The server has no TLS. Put a proxy with TLS in front, and set --base-url to the
/// address that clients use.
///
/// Every option is also a line in the TOML file of --config and an environment variable: --patch-response,
/// patch_response = "auto", SCIM2_PATCH_RESPONSE. The option wins over the variable, the variable over the file. See
/// what is in effect with `scim2 config check`.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  scim2 serve
  scim2 serve --listen 0.0.0.0:8080 --base-url https://scim.example.com/scim/v2
  scim2 serve --store sqlite:/var/lib/scim2/scim2.db --compat strict --string-bool true
  scim2 serve --schemas ./my-schemas --config scim2.toml
  SCIM2_BOOTSTRAP_TOKEN=$(cat token) scim2 serve --store memory")]
pub(crate) struct ServeArgs {
    #[command(flatten)]
    pub(crate) settings: Settings<Serving>,
}

/// Create, list and revoke the bearer tokens that clients authenticate with.
///
/// Works while `scim2 serve` runs on the same store. A token is printed once, when it is made: the store keeps only its
/// hash. A running server refuses a revoked token within one second.
#[derive(clap::Args)]
pub(crate) struct TokenArgs {
    #[command(subcommand)]
    pub(crate) command: TokenCommand,
}

#[derive(Subcommand)]
pub(crate) enum TokenCommand {
    Create(TokenCreateArgs),
    List(TokenListArgs),
    Revoke(TokenRevokeArgs),
}

/// Make a token and print it on standard output.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  scim2 token create --name okta
  scim2 token create --name report --read-only --expires 2027-01-31T00:00:00Z
  scim2 token create --name entra --expires 90d")]
pub(crate) struct TokenCreateArgs {
    /// What the audit log calls the client that uses the token
    #[arg(long, value_name = "NAME", default_value = "token")]
    pub(crate) name: String,
    /// When the token expires: a dateTime such as 2027-01-31T00:00:00Z, or a time from now such as 12h or 90d
    #[arg(long, visible_alias = "expires-in", value_name = "WHEN")]
    pub(crate) expires: Option<String>,
    /// Allow only GET and searches
    #[arg(long)]
    pub(crate) read_only: bool,
    #[command(flatten)]
    pub(crate) settings: Settings<Storing>,
}

/// List the tokens, without their secrets.
#[derive(clap::Args)]
pub(crate) struct TokenListArgs {
    /// Print a JSON object on each line
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) settings: Settings<Storing>,
}

/// Revoke a token: it is refused from now on.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  scim2 token revoke 0192f0c1-5b7e-7c39-9d1f-3c1f7a3e5b11
  scim2 token revoke okta")]
pub(crate) struct TokenRevokeArgs {
    /// The id of the token, or its name if only one token has it
    #[arg(value_name = "ID")]
    pub(crate) token: String,
    #[command(flatten)]
    pub(crate) settings: Settings<Storing>,
}

/// Print who changed what and when, newest last.
///
/// Works while `scim2 serve` runs on the same store. --filter takes a SCIM filter over time (a dateTime), actor,
/// operation (create, modify, delete, token.create, token.revoke, store.restore), resourceType, resourceId, version,
/// changed (the attributes, multi-valued), requestId, tenant and number (an integer). The log has no values of
/// attributes. Each row contains a hash over the row before it; `scim2 fsck` checks these hashes. Keep the output of
/// --head somewhere else: `scim2 fsck --head` then detects rows that were removed from the end later.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  scim2 audit
  scim2 audit --filter 'resourceType eq \"User\" and operation eq \"delete\"'
  scim2 audit --filter 'changed eq \"active\" and time ge \"2026-11-01T00:00:00Z\"' --json")]
pub(crate) struct AuditArgs {
    /// Print a JSON object on each line
    #[arg(long)]
    pub(crate) json: bool,
    /// Print only rows that match this SCIM filter
    #[arg(long, value_name = "EXPR")]
    pub(crate) filter: Option<String>,
    /// Print only the newest N rows
    #[arg(long, value_name = "N")]
    pub(crate) limit: Option<usize>,
    /// Print only the number of rows and the hash of the last row, COUNT:HASH, for `scim2 fsck --head`
    #[arg(long, conflicts_with_all = ["json", "filter", "limit"])]
    pub(crate) head: bool,
    /// Continue a log that is hashed with the store's own key, with the key of --audit-key-file
    ///
    /// Needed once, when a store that was used without a key file gets one. Prints the head of the log before this:
    /// compare it with one that you kept. Stop `scim2 serve` before.
    #[arg(long, conflicts_with_all = ["json", "filter", "limit", "head"])]
    pub(crate) adopt_key: bool,
    #[command(flatten)]
    pub(crate) settings: Settings<Storing>,
}

/// Explain a SCIM filter, or find the lines of a file that match it.
///
/// Prints the filter in its canonical form, then as a tree. The grammar is that of RFC 7644 §3.4.2.2 with its errata;
/// --compat default also accepts what real clients send beyond it. If the filter is wrong, a caret points at the
/// mistake, and the command ends with 2.
///
/// With --match, prints the lines of a file that match the filter, byte for byte. Each line is a JSON object, a SCIM
/// resource of type --type.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  scim2 filter 'userName eq \"bjensen\" and not (title pr)'
  scim2 filter 'emails[type eq \"work\" and value co \"@example.com\"]' --match users.jsonl
  scim2 filter --compat default 'emails[type eq \"work\"].value eq \"x\"'
  scim2 filter --type Badge --schemas ./schemas 'number sw \"7\"' --match - < badges.jsonl")]
pub(crate) struct FilterArgs {
    /// The filter
    #[arg(value_name = "EXPR", allow_hyphen_values = true)]
    pub(crate) filter: String,
    /// A file with a JSON object on each line; `-` for standard input
    #[arg(long = "match", value_name = "FILE")]
    pub(crate) file: Option<String>,
    /// The resource type of the lines
    #[arg(long = "type", value_name = "NAME", default_value = "User")]
    pub(crate) resource_type: String,
    #[command(flatten)]
    pub(crate) settings: Settings<Filtering>,
}

/// The result of a command that succeeded.
pub(crate) const DONE: Result<ExitCode, Failure> = Ok(ExitCode::SUCCESS);

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn first_lines_of_an_error_have_no_usage() {
        let error = Cli::try_parse_from(["scim2", "serve", "--colour", "red"]).map(|_| ()).unwrap_err();
        assert_eq!(first_lines(&error.to_string()), "unexpected argument '--colour' found");
    }
}
