//! Fills in `{handle}`, `{token}` and `{basic}`.

use std::collections::BTreeMap;

use serde_json::Value;

/// The texts of the declared placeholders. Other braces stay as they are.
#[derive(Clone, Debug, Default)]
pub(super) struct Placeholders(BTreeMap<String, String>);

impl Placeholders {
    /// Declares that `{name}` stands for `text`.
    pub(super) fn declare(&mut self, name: &str, text: &str) {
        self.0.insert(format!("{{{name}}}"), text.to_owned());
    }

    /// A text with the declared placeholders filled in.
    pub(super) fn fill(&self, text: &str) -> String {
        self.0.iter().fold(text.to_owned(), |text, (name, value)| text.replace(name, value))
    }

    /// A JSON value with the declared placeholders in its strings and keys filled in.
    pub(super) fn fill_json(&self, value: &Value) -> Value {
        match value {
            Value::String(text) => Value::String(self.fill(text)),
            Value::Array(elements) => elements.iter().map(|element| self.fill_json(element)).collect(),
            Value::Object(members) => {
                members.iter().map(|(key, value)| (self.fill(key), self.fill_json(value))).collect()
            }
            other => other.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_declared_names_are_replaced() {
        let mut names = Placeholders::default();
        names.declare("alice", "42");
        assert_eq!(names.fill("/Users/{alice}?x={bob}"), "/Users/42?x={bob}");
        let role = json!({"value": "{\"id\":\"{alice}\",\"value\":\"{}\"}"});
        assert_eq!(names.fill_json(&role), json!({"value": "{\"id\":\"42\",\"value\":\"{}\"}"}));
    }
}
