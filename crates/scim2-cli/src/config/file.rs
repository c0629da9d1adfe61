//! The TOML file.

use std::path::Path;

use scim2_store::PostgresOptions;

use super::keys;
use super::read::warn_if_others_read;
use super::spelling::closest;

/// The keys of a file with their values as text.
pub(super) fn read(path: &Path) -> Result<Vec<(&'static keys::Key, Vec<String>)>, String> {
    let shown = path.display();
    let text = std::fs::read_to_string(path)
        .map_err(|error| format!("the configuration file `{shown}` cannot be read: {error}"))?;
    let entries = parse(&text).map_err(|error| format!("{shown}: {error}"))?;
    let holds_password = |(key, values): &(&keys::Key, Vec<String>)| {
        key.name == "store"
            && values.iter().any(|url| PostgresOptions::new(url).is_ok_and(|options| options.has_password()))
    };
    if entries.iter().any(holds_password) {
        warn_if_others_read(path, "a password");
    }
    Ok(entries)
}

fn parse(text: &str) -> Result<Vec<(&'static keys::Key, Vec<String>)>, String> {
    let table: toml::Table = text.parse().map_err(|error: toml::de::Error| {
        let line = error
            .span()
            .and_then(|span| text.get(..span.start))
            .map_or(1, |before| before.bytes().filter(|byte| *byte == b'\n').count() + 1);
        format!("line {line}: {}", error.message())
    })?;
    table.iter().map(|(name, value)| entry(name, value)).collect()
}

fn entry(name: &str, value: &toml::Value) -> Result<(&'static keys::Key, Vec<String>), String> {
    let key = keys::find(name).ok_or_else(|| unknown(name))?;
    if key.is_file() {
        return Err(format!("`{name}` cannot stand in the file it names"));
    }
    let values = match value {
        toml::Value::Array(values) if key.many => values.iter().map(|value| scalar(name, value)).collect(),
        value => scalar(name, value).map(|value| vec![value]),
    };
    Ok((key, values?))
}

fn scalar(name: &str, value: &toml::Value) -> Result<String, String> {
    match value {
        toml::Value::String(text) => Ok(text.clone()),
        toml::Value::Integer(number) => Ok(number.to_string()),
        toml::Value::Boolean(boolean) => Ok(boolean.to_string()),
        other => {
            Err(format!("`{name}`: expected a text, a whole number or a boolean, found {}", kind(other)))
        }
    }
}

fn kind(value: &toml::Value) -> &'static str {
    match value {
        toml::Value::Array(_) => "an array",
        toml::Value::Table(_) => "a table",
        toml::Value::Float(_) => "a number with a fraction",
        toml::Value::Datetime(_) => "a date",
        toml::Value::String(_) | toml::Value::Integer(_) | toml::Value::Boolean(_) => "another value",
    }
}

/// Names the key that was probably meant.
fn unknown(name: &str) -> String {
    let names = keys::KEYS.iter().filter(|key| !key.is_file()).map(|key| key.name.as_str());
    match closest(name, names) {
        Some(key) => format!("there is no key `{name}`; did you mean `{key}`?"),
        None => format!("there is no key `{name}`; `scim2 serve --help` lists them"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn error(text: &str) -> String {
        parse(text).map(|_| ()).unwrap_err()
    }

    #[test]
    fn values_of_all_kinds_become_text() {
        let read = parse("max_results = 5\nstring_bool = false\nschemas = [\"a\", \"b\"]\n").unwrap();
        let read: Vec<_> = read.iter().map(|(key, values)| (key.name.as_str(), values.join("|"))).collect();
        assert_eq!(
            read,
            [
                ("max_results", "5".to_owned()),
                ("schemas", "a|b".to_owned()),
                ("string_bool", "false".to_owned())
            ]
        );
    }

    #[test]
    fn errors_are_one_line_and_say_where() {
        assert_eq!(
            error("patch-response = 1"),
            "there is no key `patch-response`; did you mean `patch_response`?"
        );
        assert_eq!(error("colour = 1"), "there is no key `colour`; `scim2 serve --help` lists them");
        assert_eq!(error("x = 1"), "there is no key `x`; `scim2 serve --help` lists them");
        assert_eq!(error("listn = 1"), "there is no key `listn`; did you mean `listen`?");
        assert_eq!(error("config = \"x\""), "`config` cannot stand in the file it names");
        assert_eq!(
            error("max_body = 1.5"),
            "`max_body`: expected a text, a whole number or a boolean, found a number with a fraction"
        );
        assert!(error("a = 1\nb = = 2").starts_with("line 2: "));
    }
}
