//! What the configuration structs say about each of their keys, for flags, the page for operators and the JSON
//! Schema.

use std::sync::LazyLock;

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use scim2_core::Quirk;
use serde::Deserialize;
use serde::de::value::Error as FieldsError;
use serde::de::{Deserializer, Error as _, Visitor};
use serde_json::{Map, Value};

use super::switches::Switches;
use super::{Config, Limits, Postgres};

/// A configuration key: a field of a configuration struct.
pub(crate) struct Key {
    /// The name in the file. The flag and the variable follow from it.
    pub(crate) name: String,
    /// The flag without its dashes: `patch-response`.
    pub(crate) flag: String,
    /// The name of the value in help texts: `SIZE`.
    pub(crate) value_name: String,
    /// What the key does, without its default.
    pub(crate) help: String,
    /// The default as a person reads it; empty if there is none.
    pub(crate) default: String,
    /// The heading in help texts and on the page.
    pub(crate) heading: String,
    /// The JSON Schema of the value in the file.
    schema: Map<String, Value>,
}

/// All keys, in the order of the help text.
pub(crate) static KEYS: LazyLock<Vec<Key>> = LazyLock::new(|| {
    let mut keys = section::<Config>(fields::<Config>());
    // PostgreSQL comes last, limits come before operation.
    let operation = keys.iter().position(|key| key.heading == "Operation").unwrap_or(keys.len());
    keys.splice(operation..operation, section::<Limits>(fields::<Limits>()));
    keys.extend(section::<Postgres>(fields::<Postgres>()));
    let switches: Vec<String> = Quirk::ALL.iter().map(|quirk| Switches::key(*quirk)).collect();
    keys.extend(section::<Switches>(switches.iter().map(String::as_str)));
    keys
});

/// The key of that name.
pub(crate) fn find(name: &str) -> Option<&'static Key> {
    KEYS.iter().find(|key| key.name == name)
}

impl Key {
    /// The name in the environment: `SCIM2_PATCH_RESPONSE`.
    pub(crate) fn variable(&self) -> String {
        format!("SCIM2_{}", self.name.to_ascii_uppercase())
    }

    /// Whether the key names the file, and so cannot be in it.
    pub(crate) fn is_file(&self) -> bool {
        self.name == "config"
    }

    /// Whether the value has keys of its own, as a list of tables has. Then it has no flag and no variable.
    pub(crate) fn has_keys(&self) -> bool {
        self.value_name.is_empty()
    }

    /// Whether the flag may come without a value, which means `true`.
    pub(crate) fn is_switch(&self) -> bool {
        self.value_name == "BOOL"
    }

    /// Whether the key is a list, so that the flag may be given more than once.
    pub(crate) fn is_list(&self) -> bool {
        self.schema.get("type").is_some_and(|type_| type_ == "array")
    }

    /// The value if no layer above has one; null if the key may be absent.
    pub(super) fn default_value(&self) -> Value {
        self.schema.get("default").cloned().unwrap_or_default()
    }

    /// The JSON Schema of the value, as an editor reads it.
    pub(super) fn schema(&self) -> Value {
        let schema = self.schema.iter().filter(|(name, _)| !name.starts_with("x-"));
        let mut schema: Map<_, _> = schema.map(|(name, value)| (name.clone(), value.clone())).collect();
        schema.insert("description".to_owned(), self.help.as_str().into());
        schema.into()
    }
}

/// The keys of a struct, in the order of these names. A field without `x-heading` has the heading of the one before.
fn section<'n, T: JsonSchema>(names: impl IntoIterator<Item = &'n str>) -> Vec<Key> {
    // Each key takes its schema along, so it must be complete in itself.
    let settings = SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true);
    let mut root = settings.into_generator().into_root_schema_for::<T>();
    let mut properties = match root.remove("properties") {
        Some(Value::Object(properties)) => properties,
        _ => Map::new(),
    };
    let mut heading = String::new();
    let key = |name: &str| {
        let Some(Value::Object(schema)) = properties.remove(name) else { return None };
        let text = |member: &str| match schema.get(member) {
            Some(Value::String(text)) => Some(text.split_whitespace().collect::<Vec<_>>().join(" ")),
            Some(Value::Array(values)) if values.is_empty() => None,
            Some(value) => Some(value.to_string()),
            None => None,
        };
        if let Some(other) = text("x-heading") {
            heading = other;
        }
        Some(Key {
            name: name.to_owned(),
            flag: name.replace('_', "-"),
            value_name: text("x-value").unwrap_or_default(),
            help: text("description").unwrap_or_default(),
            default: text("x-default").or_else(|| text("default")).unwrap_or_default(),
            heading: heading.clone(),
            schema,
        })
    };
    names.into_iter().filter_map(key).collect()
}

/// The names of a struct's fields in their order, which a JSON Schema does not keep.
fn fields<'de, T: Deserialize<'de>>() -> impl Iterator<Item = &'static str> {
    let mut names: &'static [&'static str] = &[];
    // This deserializer notes the names and has no values, so it always fails.
    let _ = T::deserialize(Fields(&mut names));
    names.iter().copied()
}

struct Fields<'n>(&'n mut &'static [&'static str]);

impl<'de> Deserializer<'de> for Fields<'_> {
    type Error = FieldsError;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, FieldsError> {
        Err(FieldsError::custom("expected a struct"))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, FieldsError> {
        *self.0 = fields;
        Err(FieldsError::custom("only the names were asked for"))
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit
        unit_struct newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::kinds::{As, HttpUrl};
    use crate::config::{file, layers};

    /// The shape of a list of tables, as a configuration with several token issuers would have it.
    #[derive(Debug, Deserialize, JsonSchema)]
    struct Section {
        /// The issuers of access tokens
        #[schemars(extend("default" = [], "x-heading" = "Tokens"))]
        issuers: Vec<Issuer>,
    }

    #[derive(Debug, Deserialize, JsonSchema)]
    struct Issuer {
        /// The address of the issuer
        #[serde(with = "As::<HttpUrl>")]
        url: url::Url,
    }

    #[test]
    fn list_of_tables_is_a_key_of_the_file_alone() {
        let keys = section::<Section>(fields::<Section>());
        let [key] = keys.as_slice() else { panic!("one key") };
        assert!(key.has_keys() && key.is_list());
        assert_eq!((key.name.as_str(), key.help.as_str()), ("issuers", "The issuers of access tokens"));
        assert_eq!(key.schema()["items"]["properties"]["url"]["format"], "uri");

        let read = |text: &str| {
            let table: toml::Table = text.parse().unwrap();
            let values = table.into_iter().map(|(name, value)| (name, file::value(value).unwrap()));
            let layer = layers::Layer::new(values.collect(), |key| format!("scim2.toml: `{key}`"));
            let section: Result<Section, _> = figment::Figment::from(layer).extract();
            section.map_err(|error| layers::message(&error))
        };
        let section =
            read("[[issuers]]\nurl = \"https://a.example/\"\n[[issuers]]\nurl = \"https://b.example/\"\n");
        let hosts: Vec<_> = section.unwrap().issuers.iter().map(|issuer| issuer.url.to_string()).collect();
        assert_eq!(hosts, ["https://a.example/", "https://b.example/"]);
        assert_eq!(
            read("[[issuers]]\nurl = \"nowhere\"\n").unwrap_err(),
            "scim2.toml: `issuers`: expected an http or https URL, found `nowhere`"
        );
    }
}
