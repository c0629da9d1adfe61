//! The TOML file.

use std::collections::BTreeMap;
use std::path::Path;

use figment::value::{Dict, Value};
use scim2_store::PostgresOptions;
use toml::Spanned;

use super::key::{self, KEYS};
use super::layers::Layer;
use super::read::warn_if_others_read;
use super::spelling::closest;

/// The values in the file at this path.
///
/// # Errors
/// Names the file, and the line and the key where there is one.
pub(super) fn read(path: &Path) -> Result<Layer, String> {
    let shown = path.display();
    let text = std::fs::read_to_string(path)
        .map_err(|error| format!("the configuration file `{shown}` cannot be read: {error}"))?;
    let layer = layer(&text, &shown.to_string())?;
    let has_password = layer
        .values
        .get("store")
        .and_then(Value::as_str)
        .is_some_and(|url| PostgresOptions::new(url).is_ok_and(|options| options.has_password()));
    if has_password {
        warn_if_others_read(path, "a password");
    }
    Ok(layer)
}

/// The values in the text of a file with this name.
pub(super) fn layer(text: &str, name: &str) -> Result<Layer, String> {
    let (values, lines) = parse(text).map_err(|error| format!("{name}: {error}"))?;
    let name = name.to_owned();
    Ok(Layer::new(values, move |key| match lines.get(key) {
        Some(line) => format!("{name}: line {line}: `{key}`"),
        None => format!("{name}: `{key}`"),
    }))
}

/// The values by their keys, and the lines they are on.
fn parse(text: &str) -> Result<(Dict, BTreeMap<String, usize>), String> {
    let table: BTreeMap<String, Spanned<toml::Value>> = toml::from_str(text).map_err(|error| {
        let line = error.span().map_or(1, |span| line_of(text, span.start));
        format!("line {line}: {}", error.message())
    })?;
    let (mut values, mut lines) = (Dict::new(), BTreeMap::new());
    for (name, spanned) in table {
        let line = line_of(text, spanned.span().start);
        let key = key::find(&name).ok_or_else(|| format!("line {line}: {}", unknown(&name)))?;
        if key.is_file() {
            return Err(format!("line {line}: `{name}` cannot be in the file it names"));
        }
        let value = value(spanned.into_inner()).map_err(|error| format!("line {line}: `{name}`: {error}"))?;
        values.insert(name.clone(), value);
        lines.insert(name, line);
    }
    Ok((values, lines))
}

/// The line of a byte, counted from 1.
fn line_of(text: &str, at: usize) -> usize {
    text.bytes().take(at).filter(|byte| *byte == b'\n').count() + 1
}

pub(super) fn value(value: toml::Value) -> Result<Value, String> {
    Ok(match value {
        toml::Value::String(text) => text.into(),
        toml::Value::Integer(number) => number.into(),
        toml::Value::Float(number) => number.into(),
        toml::Value::Boolean(boolean) => boolean.into(),
        toml::Value::Datetime(_) => {
            return Err("expected a text, a whole number or a boolean, found a date".to_owned());
        }
        toml::Value::Array(values) => {
            values.into_iter().map(self::value).collect::<Result<Vec<_>, _>>()?.into()
        }
        toml::Value::Table(table) => {
            let entry = |(name, value)| Ok((name, self::value(value)?));
            table.into_iter().map(entry).collect::<Result<Dict, String>>()?.into()
        }
    })
}

/// Names the key that was probably meant.
fn unknown(name: &str) -> String {
    let names = KEYS.iter().filter(|key| !key.is_file()).map(|key| key.name.as_str());
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
    fn values_have_the_lines_of_their_keys() {
        let (values, lines) =
            parse("# a comment\nmax_results = 5\n\nschemas = [\n\"a\", \"b\"]\nstring_bool = false\n")
                .unwrap();
        assert_eq!(values.keys().collect::<Vec<_>>(), ["max_results", "schemas", "string_bool"]);
        assert_eq!(lines.into_values().collect::<Vec<_>>(), [2, 4, 6]);
    }

    #[test]
    fn errors_are_one_line_and_say_where() {
        assert_eq!(
            error("patch-response = 1"),
            "line 1: there is no key `patch-response`; did you mean `patch_response`?"
        );
        assert_eq!(error("color = 1"), "line 1: there is no key `color`; `scim2 serve --help` lists them");
        assert_eq!(error("x = 1"), "line 1: there is no key `x`; `scim2 serve --help` lists them");
        assert_eq!(error("\nlistn = 1"), "line 2: there is no key `listn`; did you mean `listen`?");
        assert_eq!(error("config = \"x\""), "line 1: `config` cannot be in the file it names");
        assert_eq!(
            error("log = 2026-12-01"),
            "line 1: `log`: expected a text, a whole number or a boolean, found a date"
        );
        assert!(error("a = 1\nb = = 2").starts_with("line 2: "));
    }
}
