//! The keys as flags of the commands.

use std::marker::PhantomData;

use clap::builder::ArgAction;
use clap::{Arg, ArgMatches, Args, Command, FromArgMatches};

use figment::value::Dict;

use super::key::{KEYS, Key};

/// The flags of a command that are configuration keys.
#[derive(Clone)]
pub(crate) struct Settings<S> {
    /// The flags that were given, by the names of their keys.
    values: Dict,
    scope: PhantomData<S>,
}

/// Which keys are flags of a command.
pub(crate) trait Scope {
    /// The names of the keys; `None` for all.
    const KEYS: Option<&'static [&'static str]>;
    /// The keys that have another default for this command.
    const DEFAULTS: &'static [(&'static str, &'static str)] = &[];
}

/// `scim2 serve` and `scim2 config check`: all keys.
#[derive(Clone)]
pub(crate) enum Serving {}

/// The commands that open the store.
#[derive(Clone)]
pub(crate) enum Storing {}

/// The commands that compare the store with schemas.
#[derive(Clone)]
pub(crate) enum Checking {}

/// `scim2 import`.
#[derive(Clone)]
pub(crate) enum Loading {}

/// `scim2 filter`.
#[derive(Clone)]
pub(crate) enum Filtering {}

impl Scope for Serving {
    const KEYS: Option<&'static [&'static str]> = None;
}

impl Scope for Storing {
    const KEYS: Option<&'static [&'static str]> =
        Some(&["config", "store", "log", "log_format", "audit_key_file", "database_prepare"]);
}

impl Scope for Checking {
    const KEYS: Option<&'static [&'static str]> = Some(&[
        "config",
        "store",
        "schemas",
        "compat",
        "log",
        "log_format",
        "audit_key_file",
        "database_prepare",
        "group_display_unique",
    ]);
}

impl Scope for Loading {
    const KEYS: Option<&'static [&'static str]> = Some(&[
        "config",
        "store",
        "schemas",
        "compat",
        "max_body",
        "max_string",
        "max_user_name",
        "max_password",
        "log",
        "log_format",
        "audit_key_file",
        "database_prepare",
        "group_display_unique",
    ]);
}

impl Scope for Filtering {
    const KEYS: Option<&'static [&'static str]> =
        Some(&["config", "schemas", "compat", "max_filter_length", "max_filter_depth", "max_filter_terms"]);
    const DEFAULTS: &'static [(&'static str, &'static str)] = &[("compat", "strict")];
}

impl<S> Settings<S> {
    /// The flags that were given, by the names of their keys.
    pub(super) fn values(&self) -> &Dict {
        &self.values
    }
}

fn keys_of<S: Scope>() -> impl Iterator<Item = &'static Key> {
    let is_flag =
        |key: &&Key| !key.has_keys() && S::KEYS.is_none_or(|names| names.contains(&key.name.as_str()));
    KEYS.iter().filter(is_flag)
}

impl<S: Scope> Args for Settings<S> {
    fn augment_args(command: Command) -> Command {
        keys_of::<S>().fold(command, |command, key| command.arg(argument(key, S::DEFAULTS)))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

fn argument(key: &'static Key, defaults: &[(&str, &str)]) -> Arg {
    let other = defaults.iter().find(|(name, _)| *name == key.name).map(|(_, default)| *default);
    let default = match other.unwrap_or(&key.default) {
        "" => String::new(),
        default => format!(" [default: {default}]"),
    };
    let help = format!("{} [env: {}]{default}", key.help, key.variable());
    let argument = Arg::new(key.name.as_str())
        .long(key.flag.as_str())
        .value_name(key.value_name.as_str())
        .help(help)
        .help_heading(key.heading.as_str())
        .action(if key.is_list() { ArgAction::Append } else { ArgAction::Set });
    // Somebody who adds an option to a command line that has it already means the last one.
    let argument = if key.is_list() { argument } else { argument.overrides_with(key.name.as_str()) };
    if key.is_switch() { argument.num_args(0..=1).default_missing_value("true") } else { argument }
}

impl<S: Scope> FromArgMatches for Settings<S> {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let value = |key: &Key| {
            let mut values = matches.get_many::<String>(&key.name)?.cloned();
            let value = if key.is_list() { values.collect::<Vec<_>>().into() } else { values.next()?.into() };
            Some((key.name.clone(), value))
        };
        Ok(Self { values: keys_of::<S>().filter_map(value).collect(), scope: PhantomData })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_scope_names_keys_that_exist() {
        let scopes = [Storing::KEYS, Checking::KEYS, Loading::KEYS, Filtering::KEYS];
        for name in scopes.into_iter().flatten().flatten() {
            assert!(KEYS.iter().any(|key| key.name == *name), "{name}");
        }
    }
}
