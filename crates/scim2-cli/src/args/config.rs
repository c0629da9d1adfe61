//! `scim2 config`.

use clap::Subcommand;

use crate::config::{Serving, Settings};

/// Check the configuration, or print the JSON Schema of its file.
#[derive(clap::Args)]
pub(crate) struct ConfigArgs {
    #[command(subcommand)]
    pub(crate) command: ConfigCommand,
}

#[derive(Subcommand)]
pub(crate) enum ConfigCommand {
    Check(ConfigCheckArgs),
    /// Print the JSON Schema of the configuration file, for editors that complete and check TOML
    Schema,
}

/// Read the configuration as `scim2 serve` would, and print each value and where it was set.
///
/// Takes the options of `scim2 serve`, and reads the same file, environment, schemas and key file. It does not open
/// the store and does not listen. Passwords are not printed. Ends with 0 if `scim2 serve` would accept the
/// configuration, and with 2 and one line about the first mistake if not.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  scim2 config check --config scim2.toml
  scim2 config check --config scim2.toml --json | jq -r 'select(.from != \"default\") | .key'
  scim2 config schema > scim2.schema.json")]
pub(crate) struct ConfigCheckArgs {
    /// Print a JSON object on each line: key, value and the place it comes from
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) settings: Settings<Serving>,
}
