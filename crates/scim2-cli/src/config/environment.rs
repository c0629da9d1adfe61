//! Variables of the environment.

use std::ffi::OsString;

use figment::value::{Dict, Value};

use super::key::{KEYS, Key};
use super::spelling::closest;

/// What all variables of this program begin with.
const PREFIX: &str = "SCIM2_";

/// The variable that is not a key: the first token of a store.
pub(crate) const BOOTSTRAP_TOKEN: &str = "SCIM2_BOOTSTRAP_TOKEN";

/// Variables that only the tests and benchmarks of this project read.
const TEST_PREFIXES: [&str; 4] = ["SCIM2_TEST_", "SCIM2_BENCH_", "SCIM2_CRASH_", "SCIM2_WRITE_"];

/// The variables that are set, by the names of their keys, except those that a flag overrides.
pub(super) fn values(flags: &Dict, variable: impl Fn(&str) -> Option<OsString>) -> Result<Dict, String> {
    let mut values = Dict::new();
    for key in KEYS.iter().filter(|key| !key.has_keys() && !flags.contains_key(&key.name)) {
        let name = key.variable();
        // Containers set an empty variable if there is none.
        if let Some(value) = variable(&name).filter(|value| !value.is_empty()) {
            let text = value.into_string().map_err(|_| format!("`{name}`: expected UTF-8"))?;
            values.insert(key.name.clone(), Value::from(text));
        }
    }
    Ok(values)
}

/// A warning for each variable that begins with the prefix and has no effect, with the one that was probably meant.
/// The value is not repeated.
pub(super) fn unknown(names: impl Iterator<Item = String>) -> Vec<String> {
    let known: Vec<String> = KEYS
        .iter()
        .filter(|key| !key.has_keys())
        .map(Key::variable)
        .chain([BOOTSTRAP_TOKEN.to_owned()])
        .collect();
    let is_other = |name: &String| {
        name.starts_with(PREFIX)
            && !known.contains(name)
            && !TEST_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
    };
    let mut names: Vec<String> = names.filter(is_other).collect();
    names.sort_unstable();
    let warning = |name: String| {
        let key = name.strip_prefix(PREFIX).unwrap_or(&name).to_ascii_lowercase();
        let shown: String = name.chars().take(60).flat_map(char::escape_debug).collect();
        let known = known.iter().filter_map(|name| name.strip_prefix(PREFIX)).map(str::to_ascii_lowercase);
        match closest(&key, known) {
            Some(meant) => {
                let meant = meant.to_ascii_uppercase();
                format!("the variable `{shown}` has no effect; did you mean `{PREFIX}{meant}`?")
            }
            None => {
                format!("the variable `{shown}` has no effect; `scim2 serve --help` lists those that have")
            }
        }
    };
    names.into_iter().map(warning).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_variable_is_reported_with_a_suggestion() {
        let names = [
            "PATH",
            "SCIM2_STORE",
            "SCIM2_BOOTSTRAP_TOKEN",
            "SCIM2_TEST_POSTGRES",
            "SCIM2_STROE",
            "SCIM2_MAX_CONNECTION",
            "SCIM2_BOOTSTRAP_TOKENS",
            "SCIM2_COLOUR",
        ];
        assert_eq!(
            unknown(names.into_iter().map(str::to_owned)),
            [
                "the variable `SCIM2_BOOTSTRAP_TOKENS` has no effect; did you mean `SCIM2_BOOTSTRAP_TOKEN`?",
                "the variable `SCIM2_COLOUR` has no effect; `scim2 serve --help` lists those that have",
                "the variable `SCIM2_MAX_CONNECTION` has no effect; did you mean `SCIM2_MAX_CONNECTIONS`?",
                "the variable `SCIM2_STROE` has no effect; did you mean `SCIM2_STORE`?",
            ]
        );
    }
}
