//! The JSON Schema of the file, and the page for operators.

use serde_json::{Map, Value, json};

use super::key::KEYS;

/// The JSON Schema of the configuration file. It describes values as they are best written: a number or a boolean may
/// also be a text.
pub(crate) fn json_schema() -> Value {
    let keys = KEYS.iter().filter(|key| !key.is_file());
    let properties: Map<String, Value> = keys.map(|key| (key.name.clone(), key.schema())).collect();
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "The configuration file of scim2",
        "type": "object",
        "properties": properties,
        "additionalProperties": false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::key::find;

    /// The page for operators has a table for each heading. `SCIM2_WRITE_DOCS=1 cargo test -p scim2-cli` writes it.
    #[test]
    fn page_for_operators_is_up_to_date() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/configuration.md");
        let page = std::fs::read_to_string(path).unwrap();
        let (prose, _) = page.split_once("\n## ").unwrap();
        let mut wanted = prose.to_owned();
        let mut heading = "";
        for key in KEYS.iter() {
            if key.heading != heading {
                heading = &key.heading;
                wanted.push_str(&format!(
                    "\n## {heading}\n\n| key | default | what it does |\n|---|---|---|\n"
                ));
            }
            let help = key.help.replace('|', "\\|");
            wanted.push_str(&format!("| `{}` | {} | {help} |\n", key.name, key.default));
        }
        if std::env::var_os("SCIM2_WRITE_DOCS").is_some() {
            std::fs::write(path, &wanted).unwrap();
        }
        assert_eq!(page, wanted, "SCIM2_WRITE_DOCS=1 writes it");
    }

    #[test]
    fn every_key_has_its_own_name_and_a_help_text() {
        let names: std::collections::HashSet<_> = KEYS.iter().map(|key| key.name.as_str()).collect();
        assert_eq!(names.len(), KEYS.len());
        for key in KEYS.iter() {
            assert!(!key.help.is_empty() && !key.heading.is_empty(), "{}", key.name);
        }
    }

    #[test]
    fn one_rule_makes_the_three_names() {
        let key = find("patch_response").unwrap();
        assert_eq!((key.flag.as_str(), key.variable().as_str()), ("patch-response", "SCIM2_PATCH_RESPONSE"));
        assert_eq!(find("string_bool").unwrap().variable(), "SCIM2_STRING_BOOL");
    }

    #[test]
    fn json_schema_describes_the_value_of_each_key() {
        let schema = json_schema();
        let properties = schema["properties"].as_object().unwrap();
        assert_eq!(properties.len(), KEYS.len() - 1, "all except `config`");
        assert_eq!(
            properties["max_body"],
            json!({
                "type": ["integer", "string"], "minimum": 1, "maximum": 2_147_483_647,
                "pattern": "^[0-9]+ *([KkMm][Ii])?[Bb]?$", "default": "8MiB",
                "description": find("max_body").unwrap().help,
            })
        );
        assert_eq!(properties["patch_response"]["enum"], json!(["auto", "body", "no-content"]));
        assert_eq!(properties["schemas"]["items"], json!({ "type": "string" }));
        assert_eq!(properties["string_bool"]["type"], "boolean");
        assert!(properties.values().all(|schema| schema.get("type").or(schema.get("enum")).is_some()));
    }
}
