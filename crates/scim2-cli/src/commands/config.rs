//! `scim2 config`: what is configured, and the JSON Schema of the file.

use super::{print, print_json};
use crate::args::{ConfigArgs, ConfigCheckArgs, ConfigCommand, DONE};
use crate::config::{BOOTSTRAP_TOKEN, effective, json_schema};
use crate::failure::Outcome;
use crate::{logs, serve};

pub(crate) fn run(args: &ConfigArgs) -> Outcome {
    match &args.command {
        ConfigCommand::Check(args) => check(args),
        ConfigCommand::Schema => {
            print_json(format_args!("{:#}", json_schema()))?;
            DONE
        }
    }
}

/// Reads everything that `serve` reads before it opens the store.
fn check(args: &ConfigCheckArgs) -> Outcome {
    let effective = effective(&args.settings)?;
    logs::start(&effective.config);
    serve::model(&effective.config)?;
    for (key, value, place) in effective.values() {
        let line = match (args.json, value.as_str()) {
            (true, _) => print_json(serde_json::json!({ "key": key.name, "value": value, "from": place })),
            (false, "") => print(format_args!("{} is not set", key.name)),
            (false, _) => print(format_args!("{} = {value}  # {place}", key.name)),
        };
        if !line? {
            return DONE;
        }
    }
    if !args.json && std::env::var_os(BOOTSTRAP_TOKEN).is_some_and(|token| !token.is_empty()) {
        print(format_args!("{BOOTSTRAP_TOKEN} is set; it counts only while the store has no token"))?;
    }
    DONE
}
