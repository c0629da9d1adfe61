//! The members of one JSON object of a document, each read with its place at hand.

use scim2_core::{Object, SchemaUri, Value};
use serde::de::DeserializeOwned;

/// One object, where it stands, and the warnings of its file.
pub(super) struct Reading<'o, 'w> {
    object: &'o Object,
    place: String,
    warnings: &'w mut Vec<String>,
}

impl<'o, 'w> Reading<'o, 'w> {
    pub(super) fn new(object: &'o Object, place: impl Into<String>, warnings: &'w mut Vec<String>) -> Self {
        Self { object, place: place.into(), warnings }
    }

    /// An object within this one.
    pub(super) fn within<'i>(&mut self, object: &'i Object, place: &str) -> Reading<'i, '_> {
        Reading { object, place: format!("{}: {place}", self.place), warnings: self.warnings }
    }

    pub(super) fn error(&self, message: &str) -> String {
        format!("{}: {message}", self.place)
    }

    pub(super) fn expected(&self, key: &str, expected: &str, found: &Value) -> String {
        self.error(&format!("`{key}`: expected {expected}, found {}", found.kind()))
    }

    pub(super) fn warn(&mut self, key: &str, message: &str) {
        self.warnings.push(format!("{}: `{key}`: {message}", self.place));
    }

    /// Warns of keys that mean nothing, and of those in other letter case than the RFC's.
    pub(super) fn keys(&mut self, known: &[&str]) {
        for (key, _) in self.object.iter() {
            if known.contains(&key) {
                continue;
            }
            let shown = key.escape_debug().to_string();
            match known.iter().find(|known| known.eq_ignore_ascii_case(key)) {
                Some(meant) => self.warn(&shown, &format!("read as `{meant}`")),
                None => self.warn(&shown, "no key of RFC 7643 §6 and §7 at this place, ignored"),
            }
        }
    }

    pub(super) fn text(&self, key: &str) -> Result<Option<String>, String> {
        match self.get(key) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.to_string())),
            Some(other) => Err(self.expected(key, "a string", other)),
        }
    }

    /// The text of a member that is one.
    pub(super) fn word(&self, key: &str) -> Option<&'o str> {
        self.get(key).and_then(Value::as_str)
    }

    pub(super) fn boolean(&mut self, key: &str) -> Result<Option<bool>, String> {
        let value = match self.get(key) {
            None => return Ok(None),
            Some(Value::Bool(value)) => return Ok(Some(*value)),
            Some(Value::String(text)) if text.eq_ignore_ascii_case("true") => true,
            Some(Value::String(text)) if text.eq_ignore_ascii_case("false") => false,
            Some(other) => return Err(self.expected(key, "`true` or `false`", other)),
        };
        self.warn(key, &format!("a string is read as `{value}`"));
        Ok(Some(value))
    }

    /// Strings; one alone stands for a list of one.
    pub(super) fn texts(&mut self, key: &str) -> Result<Vec<String>, String> {
        match self.get(key) {
            None => Ok(Vec::new()),
            Some(Value::String(text)) => {
                let texts = vec![text.to_string()];
                self.warn(key, "a string is read as an array of one");
                Ok(texts)
            }
            Some(Value::Array(values)) => values
                .iter()
                .map(|value| match value {
                    Value::String(text) => Ok(text.to_string()),
                    other => Err(self.expected(key, "an array of strings", other)),
                })
                .collect(),
            Some(other) => Err(self.expected(key, "an array of strings", other)),
        }
    }

    /// Documents of some kind; one alone stands for a list of one.
    pub(super) fn list(&mut self, key: &str, of: &str) -> Result<&'o [Value], String> {
        match self.get(key) {
            None => Ok(&[]),
            Some(Value::Array(values)) => Ok(values),
            Some(one @ Value::Object(_)) => {
                self.warn(key, "an object is read as an array of one");
                Ok(std::slice::from_ref(one))
            }
            Some(other) => Err(self.expected(key, &format!("an array of {of}"), other)),
        }
    }

    pub(super) fn uri(&self, key: &str, what: &str) -> Result<SchemaUri, String> {
        let text = self.text(key)?.filter(|text| !text.is_empty());
        let text = text.ok_or_else(|| self.error(&format!("`{key}` is missing: expected {what}")))?;
        SchemaUri::parse(&text).map_err(|error| self.error(&format!("`{key}`: {error}")))
    }

    /// A keyword of a closed set, in any letter case.
    pub(super) fn keyword<T: DeserializeOwned>(
        &mut self,
        key: &str,
        words: &[&str],
    ) -> Result<Option<T>, String> {
        let Some(value) = self.get(key).filter(|value| !value.is_unassigned()) else { return Ok(None) };
        let found = value.as_str().unwrap_or(value.kind());
        let Some(word) = words.iter().find(|word| word.eq_ignore_ascii_case(found)) else {
            let (last, rest) = words.split_last().unwrap_or((&"", &[]));
            let expected = format!("`{}` or `{last}`", rest.join("`, `"));
            return Err(
                self.error(&format!("`{key}`: expected {expected}, found `{}`", found.escape_debug()))
            );
        };
        if *word != found {
            self.warn(key, &format!("`{}` is read as `{word}`", found.escape_debug()));
        }
        serde_json::from_value(serde_json::Value::from(*word))
            .map(Some)
            .map_err(|error| self.error(&format!("`{key}`: {error}")))
    }

    fn get(&self, key: &str) -> Option<&'o Value> {
        self.object.get(key).filter(|value| **value != Value::Null)
    }
}
