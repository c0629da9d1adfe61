//! Substitution of `{handle}`, `{token}` and `{basic}`.

use std::collections::BTreeMap;

use serde_json::Value;

/// What stands for each declared name; no other braces are special.
#[derive(Clone, Debug, Default)]
pub struct Names(BTreeMap<String, String>);

impl Names {
    /// Declares that `{name}` stands for `text`.
    pub fn declare(&mut self, name: &str, text: &str) {
        self.0.insert(format!("{{{name}}}"), text.to_owned());
    }

    /// The text with every declared name replaced.
    pub fn fill(&self, text: &str) -> String {
        self.0.iter().fold(text.to_owned(), |text, (name, value)| text.replace(name, value))
    }

    /// The JSON value with every declared name in its strings and keys replaced.
    pub fn fill_json(&self, value: &Value) -> Value {
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
        let mut names = Names::default();
        names.declare("alice", "42");
        assert_eq!(names.fill("/Users/{alice}?x={bob}"), "/Users/42?x={bob}");
        let role = json!({"value": "{\"id\":\"{alice}\",\"value\":\"{}\"}"});
        assert_eq!(names.fill_json(&role), json!({"value": "{\"id\":\"42\",\"value\":\"{}\"}"}));
    }
}
