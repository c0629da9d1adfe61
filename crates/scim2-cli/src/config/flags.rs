//! The keys as flags of the commands.

use std::marker::PhantomData;

use clap::builder::ArgAction;
use clap::{Arg, ArgMatches, Args, Command, FromArgMatches};

use super::keys::{self, Key};
use super::layers::Given;

/// The flags of a command that stand for configuration keys.
#[derive(Clone)]
pub(crate) struct Settings<S> {
    given: Vec<Given>,
    scope: PhantomData<S>,
}

/// Which keys a command has as flags.
pub(crate) trait Scope {
    /// The bit of the command in [`Key::scope`].
    const BIT: u8;
    /// The keys whose default is another one for this command.
    const DEFAULTS: &'static [(&'static str, &'static str)] = &[];
}

/// `scim2 serve`: all keys.
#[derive(Clone)]
pub(crate) enum Serving {}

/// The commands that open the store.
#[derive(Clone)]
pub(crate) enum Storing {}

/// `scim2 fsck`.
#[derive(Clone)]
pub(crate) enum Checking {}

/// `scim2 import`.
#[derive(Clone)]
pub(crate) enum Loading {}

/// `scim2 filter`.
#[derive(Clone)]
pub(crate) enum Filtering {}

impl Scope for Serving {
    const BIT: u8 = keys::SERVE;
}

impl Scope for Storing {
    const BIT: u8 = keys::STORE;
}

impl Scope for Checking {
    const BIT: u8 = keys::CHECK;
}

impl Scope for Loading {
    const BIT: u8 = keys::LOAD;
}

impl Scope for Filtering {
    const BIT: u8 = keys::FILTER;
    const DEFAULTS: &'static [(&'static str, &'static str)] = &[("compat", "strict")];
}

impl<S> Settings<S> {
    /// What was given.
    pub(super) fn given(&self) -> &[Given] {
        &self.given
    }
}

fn keys_of<S: Scope>() -> impl Iterator<Item = &'static Key> {
    keys::KEYS.iter().filter(|key| key.scope & S::BIT != 0)
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
        .value_name(key.value_name)
        .help(help)
        .help_heading(key.heading)
        .action(if key.many { ArgAction::Append } else { ArgAction::Set });
    // Who adds an option to a command line that has it already means the last one.
    let argument = if key.many { argument } else { argument.overrides_with(key.name.as_str()) };
    if key.switch { argument.num_args(0..=1).default_missing_value("true") } else { argument }
}

impl<S: Scope> FromArgMatches for Settings<S> {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let given = keys_of::<S>()
            .filter_map(|key| {
                let values: Vec<String> = matches.get_many::<String>(&key.name)?.cloned().collect();
                Some((key, values))
            })
            .collect();
        Ok(Self { given, scope: PhantomData })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}
