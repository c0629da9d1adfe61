//! The layers of the configuration: defaults, file, environment, flags. A later layer wins.

use std::ffi::OsString;
use std::path::Path;
use std::sync::Arc;

use figment::error::{Actual, Error, Kind};
use figment::value::{Dict, Map, Value};
use figment::{Figment, Metadata, Profile, Provider};
use serde::de::DeserializeOwned;

use super::key::{self, KEYS, Key};
use super::{Config, Scope, Settings, StoreUrl, environment, file, read};
use crate::failure::Failure;

/// The values of one layer.
pub(super) struct Layer {
    /// Values by the names of their keys.
    pub(super) values: Dict,
    /// Where the value of a key was set, for an error.
    place: Arc<dyn Fn(&str) -> String + Send + Sync>,
}

impl Layer {
    pub(super) fn new(values: Dict, place: impl Fn(&str) -> String + Send + Sync + 'static) -> Self {
        Self { values, place: Arc::new(place) }
    }
}

impl Provider for Layer {
    fn metadata(&self) -> Metadata {
        let place = Arc::clone(&self.place);
        Metadata::default().interpolater(move |_, keys| place(keys.first().copied().unwrap_or_default()))
    }

    fn data(&self) -> Result<Map<Profile, Dict>, Error> {
        Ok(Map::from([(Profile::Default, self.values.clone())]))
    }
}

/// A configuration and where it comes from.
pub(crate) struct Effective {
    pub(crate) config: Config,
    layers: Figment,
}

impl Effective {
    /// Each key with its value, as it was written, and where it was set. No value has a secret in it.
    pub(crate) fn values(&self) -> impl Iterator<Item = (&'static Key, String, String)> {
        KEYS.iter().map(|key| {
            let (text, place) = match self.layers.find_value(&key.name) {
                Ok(value) => (shown(&value), place(self.layers.get_metadata(value.tag()), &key.name)),
                Err(_) => (String::new(), None),
            };
            let text = match &self.config.store {
                // The address of a database may have a password anywhere in it.
                StoreUrl::Postgres(address) if key.name == "store" => address.to_string(),
                _ => read::without_user(&text),
            };
            match place {
                Some(place) => (key, text, place),
                None => (key, key.default.clone(), "default".to_owned()),
            }
        })
    }
}

/// The configuration from the file, the environment and these flags.
///
/// # Errors
/// Names the key, where it was set and what was expected.
pub(crate) fn effective(settings: &Settings<impl Scope>) -> Result<Effective, Failure> {
    let mut effective =
        load(settings.values().clone(), |name| std::env::var_os(name)).map_err(Failure::usage)?;
    let names = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    effective.config.warnings = environment::unknown(names);
    Ok(effective)
}

/// The configuration if nobody sets anything.
pub(super) fn default() -> Config {
    #[expect(clippy::expect_used, reason = "a test reads all defaults")]
    extract(&defaults()).expect("defaults that can be read")
}

/// A section of it.
pub(super) fn default_section<T: DeserializeOwned>() -> T {
    #[expect(clippy::expect_used, reason = "a test reads all defaults")]
    defaults().extract().expect("defaults that can be read")
}

fn defaults() -> Figment {
    let values = KEYS.iter().map(|key| (key.name.clone(), json_value(key.default_value())));
    Figment::from(Layer::new(values.collect(), |_| String::new()))
}

/// Reads the layers; `variable` reads the environment.
fn load(flags: Dict, variable: impl Fn(&str) -> Option<OsString>) -> Result<Effective, String> {
    let named = |key: &str, name: fn(&Key) -> String| key::find(key).map(name).unwrap_or_default();
    let variables = Layer::new(environment::values(&flags, variable)?, move |key| {
        named(key, |key| format!("`{}`", key.variable()))
    });
    let flags = Layer::new(flags, move |key| named(key, |key| format!("`--{}`", key.flag)));
    let path = flags.values.get("config").or_else(|| variables.values.get("config"));
    let mut layers = defaults();
    if let Some(path) = path.and_then(Value::as_str) {
        layers = layers.merge(file::read(Path::new(path))?);
    }
    layers = layers.merge(variables).merge(flags);
    let config = extract(&layers).map_err(|error| message(&error))?;
    Ok(Effective { config, layers })
}

fn extract(layers: &Figment) -> Result<Config, Box<Error>> {
    let mut config: Config = layers.extract()?;
    config.limits = layers.extract()?;
    config.postgres = layers.extract()?;
    config.switches = layers.extract()?;
    Ok(config)
}

/// The error as one line: where the value was set, what was expected, and what was found.
pub(super) fn message(error: &Error) -> String {
    let what = match &error.kind {
        Kind::Message(message) => message.clone(),
        Kind::InvalidType(found, expected) => format!("expected {expected}, found {}", kind(found)),
        other => other.to_string(),
    };
    match error.path.first().and_then(|name| place(error.metadata.as_ref(), name)) {
        Some(place) => format!("{place}: {what}"),
        None => what,
    }
}

/// Where a value was set; `None` for a default.
fn place(metadata: Option<&Metadata>, name: &str) -> Option<String> {
    metadata.map(|layer| layer.interpolate(&Profile::Default, &[name])).filter(|place| !place.is_empty())
}

fn kind(found: &Actual) -> &'static str {
    match found {
        Actual::Seq => "an array",
        Actual::Map => "a table",
        Actual::Float(_) => "a number with a fraction",
        _ => "another value",
    }
}

/// A value as a person writes it.
fn shown(value: &Value) -> String {
    match value {
        Value::String(_, text) => text.clone(),
        Value::Bool(_, boolean) => boolean.to_string(),
        Value::Num(_, number) => number.to_i128().map_or_else(String::new, |number| number.to_string()),
        Value::Array(_, values) => values.iter().map(shown).collect::<Vec<_>>().join(", "),
        Value::Char(..) | Value::Empty(..) | Value::Dict(..) => String::new(),
    }
}

fn json_value(value: serde_json::Value) -> Value {
    Value::serialize(value).unwrap_or_else(|_| Value::from(String::new()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use scim2_core::{Mode, Quirk};

    use super::*;

    fn flags<const N: usize>(given: [(&str, &str); N]) -> Dict {
        given.into_iter().map(|(name, value)| (name.to_owned(), Value::from(value))).collect()
    }

    #[track_caller]
    fn loaded(flags: Dict, variables: &[(&str, &str)]) -> Effective {
        load(flags, |name| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| OsString::from(value))
        })
        .map_err(|error| panic!("{error}"))
        .unwrap()
    }

    fn failed(flags: Dict, variable: (&str, &str)) -> String {
        load(flags, |name| (name == variable.0).then(|| variable.1.into())).map(|_| ()).unwrap_err()
    }

    #[test]
    fn flag_wins_over_variable_wins_over_file_wins_over_default() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("scim2.toml");
        std::fs::write(&path, "max_results = 10\ndefault_page_size = 10\nscan_limit = 10\n").unwrap();
        let path = path.to_str().unwrap();
        let effective = loaded(
            flags([("config", path), ("max_results", "30")]),
            &[("SCIM2_MAX_RESULTS", "20"), ("SCIM2_DEFAULT_PAGE_SIZE", "20")],
        );
        let config = &effective.config;
        assert_eq!((config.max_results, config.default_page_size, config.scan_limit), (30, 20, Some(10)));
        assert_eq!(config.limits.max_depth, 32);

        let value = |name: &str| {
            let (_, text, place) = effective.values().find(|(key, ..)| key.name == name).unwrap();
            (text, place)
        };
        assert_eq!(value("max_results"), ("30".to_owned(), "`--max-results`".to_owned()));
        assert_eq!(value("default_page_size"), ("20".to_owned(), "`SCIM2_DEFAULT_PAGE_SIZE`".to_owned()));
        assert_eq!(value("scan_limit"), ("10".to_owned(), format!("{path}: line 3: `scan_limit`")));
        assert_eq!(value("max_depth"), ("32".to_owned(), "default".to_owned()));
        assert_eq!(value("credential_share"), ("(three quarters of them)".to_owned(), "default".to_owned()));
    }

    #[test]
    fn switch_wins_over_mode_in_any_layer() {
        let config = loaded(flags([("compat", "strict")]), &[("SCIM2_STRING_BOOL", "true")]).config;
        assert_eq!(config.compat().mode(), Mode::Strict);
        assert!(config.compat().allows(Quirk::StringBool));
        assert!(!config.compat().allows(Quirk::DottedKeys));
    }

    #[test]
    fn error_names_the_place() {
        assert_eq!(
            failed(flags([("max_results", "0")]), ("", "")),
            "`--max-results`: expected a whole number from 1 to 2147483647, found `0`"
        );
        assert_eq!(
            failed(Dict::new(), ("SCIM2_COMPAT", "lax")),
            "`SCIM2_COMPAT`: expected `default`, `strict` or `profile`, found `lax`"
        );
        assert_eq!(
            failed(Dict::new(), ("SCIM2_STRING_BOOL", "maybe")),
            "`SCIM2_STRING_BOOL`: expected `true` or `false`, found `maybe`"
        );
        assert_eq!(
            failed(flags([("max_body", "8MB")]), ("", "")),
            "`--max-body`: expected a size such as 8388608 or 8MiB, found `8MB`"
        );
        assert!(loaded(Dict::new(), &[("SCIM2_BASE_URL", "")]).config.base_url.is_none());
    }

    #[test]
    fn shown_defaults_are_the_defaults() {
        // A default with spaces is a sentence, which nobody can type as a value.
        let shown = KEYS.iter().filter(|key| !key.default.is_empty() && !key.default.contains(' '));
        let given = shown.map(|key| (key.name.clone(), Value::from(key.default.as_str()))).collect();
        let mut config = loaded(given, &[]).config;
        assert_eq!(config.compat(), Config::default().compat());
        config.mode = None;
        config.switches.0.clear();
        assert_eq!(format!("{config:?}"), format!("{:?}", Config::default()));
    }

    #[test]
    fn effective_values_have_no_password() {
        for store in ["postgres://u:secretpw@h/db", "postgres://h/db?user=u&password=secretpw"] {
            let effective = loaded(flags([("store", store)]), &[]);
            for (key, text, _) in effective.values() {
                assert!(!text.contains("secretpw"), "{}: {text}", key.name);
            }
        }
        let given = flags([("documentation_uri", "https://u:secretpw@h/")]);
        assert!(loaded(given, &[]).values().all(|(_, text, _)| !text.contains("secretpw")));
    }

    /// Lines that look like a configuration file, with mistakes of all kinds in them.
    fn file_text() -> impl Strategy<Value = String> {
        let names: Vec<String> = KEYS.iter().map(|key| key.name.clone()).collect();
        let value = prop_oneof![
            any::<i64>().prop_map(|number| number.to_string()),
            any::<bool>().prop_map(|boolean| boolean.to_string()),
            any::<String>().prop_map(|text| toml::Value::String(text).to_string()),
            "[0-9]{0,20} ?[KkMmGg]?[iI]?[bBsmhd]?".prop_map(|text| format!("{text:?}")),
            "(sqlite|postgres|https?|memory):?/{0,3}[a-z:@/?#=%. -]{0,30}"
                .prop_map(|text| format!("{text:?}")),
            prop::collection::vec("[\"'a-z0-9.:,]{0,9}", 0..3).prop_map(|texts| format!("{texts:?}")),
            ".{0,30}",
        ];
        let line = (prop_oneof![9 => prop::sample::select(names), 1 => "[a-z_]{1,12}"], value);
        let lines = prop::collection::vec(line.prop_map(|(name, value)| format!("{name} = {value}")), 0..6);
        prop_oneof![9 => lines.prop_map(|lines| lines.join("\n")), 1 => any::<String>()]
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn any_file_is_read_or_refused_with_its_line(text in file_text()) {
            let layers = file::layer(&text, "scim2.toml").map(|layer| defaults().merge(layer));
            let read = layers.and_then(|layers| match extract(&layers) {
                Ok(config) => Ok(Effective { config, layers }),
                Err(error) => Err(message(&error)),
            });
            match read {
                Ok(effective) => prop_assert_eq!(effective.values().count(), KEYS.len()),
                Err(error) => {
                    let rest = error.strip_prefix("scim2.toml: line ").expect("the file and the line");
                    let line: usize = rest.split_once(": ").expect("what is wrong").0.parse().expect("a number");
                    prop_assert!(line <= text.split('\n').count(), "{}", error);
                }
            }
        }
    }
}
