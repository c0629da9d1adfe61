//! Flag before variable, variable before file, file before default.

use std::ffi::OsString;
use std::path::Path;

use super::keys::{self, Key};
use super::{Config, file};

/// A key as a flag gave it.
pub(super) type Given = (&'static Key, Vec<String>);

/// Makes the configuration; `variable` reads the environment.
pub(super) fn load(flags: &[Given], variable: impl Fn(&str) -> Option<OsString>) -> Result<Config, String> {
    let flag = |key: &Key| flags.iter().find(|(given, _)| given.name == key.name).map(|(_, values)| values);
    let environment = |key: &Key| -> Result<Option<String>, String> {
        match variable(&key.variable()) {
            // An empty variable is how a container says that there is none.
            Some(value) if !value.is_empty() => {
                value.into_string().map(Some).map_err(|_| format!("`{}`: expected UTF-8", key.variable()))
            }
            _ => Ok(None),
        }
    };
    let path = match keys::find("config") {
        Some(key) => match flag(key).and_then(|values| values.first()) {
            Some(path) => Some(path.clone()),
            None => environment(key)?,
        },
        None => None,
    };
    let in_file = match &path {
        Some(path) => file::read(Path::new(path))?,
        None => Vec::new(),
    };

    let mut config = Config::default();
    for key in keys::KEYS.iter() {
        let (values, place) = if let Some(values) = flag(key) {
            (values.clone(), format!("`--{}`", key.flag))
        } else if let Some(value) = environment(key)? {
            (vec![value], format!("`{}`", key.variable()))
        } else if let Some((_, values)) = in_file.iter().find(|(given, _)| given.name == key.name) {
            (values.clone(), format!("{}: `{}`", path.as_deref().unwrap_or_default(), key.name))
        } else {
            continue;
        };
        for value in values {
            key.apply(&mut config, &value).map_err(|error| format!("{place}: {error}"))?;
        }
    }
    Ok(config)
}

#[cfg(test)]
mod tests {
    use scim2_core::{Mode, Quirk};

    use super::*;

    fn given(name: &str, value: &str) -> Given {
        (keys::find(name).unwrap(), vec![value.to_owned()])
    }

    #[track_caller]
    fn loaded(flags: &[Given], variables: &[(&str, &str)]) -> Config {
        load(flags, |name| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| OsString::from(value))
        })
        .unwrap()
    }

    #[test]
    fn the_flag_counts_before_the_variable_before_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("scim2.toml");
        std::fs::write(&path, "max_results = 10\ndefault_page_size = 10\nscan_limit = 10\n").unwrap();
        let flags = [given("config", path.to_str().unwrap()), given("max_results", "30")];
        let config = loaded(&flags, &[("SCIM2_MAX_RESULTS", "20"), ("SCIM2_DEFAULT_PAGE_SIZE", "20")]);
        assert_eq!((config.max_results, config.default_page_size, config.scan_limit), (30, 20, Some(10)));
        assert_eq!(config.limits.max_depth, 32);
    }

    #[test]
    fn a_switch_counts_whatever_the_order_of_mode_and_switch() {
        let config = loaded(&[given("compat", "strict")], &[("SCIM2_STRING_BOOL", "true")]);
        assert_eq!(config.compat().mode(), Mode::Strict);
        assert!(config.compat().allows(Quirk::StringBool));
        assert!(!config.compat().allows(Quirk::DottedKeys));
    }

    #[test]
    fn an_error_names_the_place() {
        let none = |_: &str| None;
        assert_eq!(
            load(&[given("max_results", "0")], none).unwrap_err(),
            "`--max-results`: expected a whole number from 1 to 2147483647, found `0`"
        );
        let variable = |name: &str| (name == "SCIM2_COMPAT").then(|| OsString::from("lax"));
        assert_eq!(
            load(&[], variable).unwrap_err(),
            "`SCIM2_COMPAT`: expected `default`, `strict` or `profile`, found `lax`"
        );
        assert!(loaded(&[], &[("SCIM2_BASE_URL", "")]).base_url.is_none());
    }
}
