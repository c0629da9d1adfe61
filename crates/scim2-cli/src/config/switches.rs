//! The switches of a mode: a key for each quirk.

use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use scim2_core::Quirk;
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::{Map, Value, json};

use super::kinds::{As, Flag, Kind, Maybe};

/// The quirks that somebody switched on or off.
#[derive(Debug, Clone, Default)]
pub(super) struct Switches(pub(super) Vec<(Quirk, bool)>);

impl Switches {
    /// The key of a quirk: its name with underscores.
    pub(super) fn key(quirk: Quirk) -> String {
        quirk.name().replace('-', "_")
    }
}

impl<'de> Deserialize<'de> for Switches {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(SwitchesVisitor)
    }
}

struct SwitchesVisitor;

impl<'de> Visitor<'de> for SwitchesVisitor {
    type Value = Switches;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("keys with values")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Switches, A::Error> {
        let mut switches = Vec::new();
        while let Some(name) = map.next_key::<String>()? {
            match Quirk::ALL.iter().find(|quirk| Switches::key(**quirk) == name) {
                Some(quirk) => {
                    let Switch(on) = map.next_value()?;
                    switches.extend(on.map(|on| (*quirk, on)));
                }
                None => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(Switches(switches))
    }
}

struct Switch(Option<bool>);

impl<'de> Deserialize<'de> for Switch {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        As::<Maybe<Flag>>::deserialize(deserializer).map(Self)
    }
}

impl JsonSchema for Switches {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Switches".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let property = |quirk: &Quirk| {
            let default = if quirk.by_default() { "true, but false in strict and profile" } else { "false" };
            let mut schema = Flag::schema();
            for (name, value) in [
                ("description", help(*quirk).into()),
                ("x-default", json!(default)),
                ("x-value", json!(Flag::VALUE_NAME)),
                ("x-heading", json!("Switches of --compat (one tolerated deviation each)")),
            ] {
                schema.insert(name.to_owned(), value);
            }
            (Self::key(*quirk), schema.to_value())
        };
        let properties: Map<String, Value> = Quirk::ALL.iter().map(property).collect();
        json_schema!({ "type": "object", "properties": properties })
    }
}

fn help(quirk: Quirk) -> String {
    let text = match quirk {
        Quirk::TrailingSlash => "`/Users/` means `/Users`",
        Quirk::FilterSubattrOutside => {
            "`emails[type eq \"work\"].value eq \"x\"` means `emails[type eq \"work\" and value eq \"x\"]`"
        }
        Quirk::FilterUnquoted => "A bare word in a filter is a string if the attribute is one",
        Quirk::FilterLoose => "`TRUE` and `NULL` are literals, and the space before a literal may be missing",
        Quirk::StringBoolFilter => "A string in a filter is read as the boolean or number the attribute is",
        Quirk::ReadonlySent => "readOnly attributes in the value of a path-less PATCH are ignored",
        Quirk::StringBool => "`\"active\": \"False\"` is a boolean",
        Quirk::SchemasIncomplete => "`schemas` may be missing or lack an extension",
        Quirk::UnknownExt => "Unregistered extensions are ignored and logged",
        Quirk::UnknownAttribute => "Attributes that no schema has are ignored and logged",
        Quirk::UrnWrong => "Known misspellings of schema and message URIs are accepted",
        Quirk::ExtShortName => "An extension attribute may come without its URN if only one extension has it",
        Quirk::ManagerString => "A string stands for the `value` of a complex attribute",
        Quirk::SingleAsArray => "An array of one value stands for a singular attribute",
        Quirk::Primary => "The first of two primary values in POST and PUT wins",
        Quirk::PatchNoSchemas => "A PATCH, search or bulk request may lack `schemas`",
        Quirk::UnknownKeys => "Unknown keys of a PATCH, search or bulk request are ignored",
        Quirk::DottedKeys => "Keys of a body or of a path-less PATCH value may be paths: `name.givenName`",
        Quirk::ValuepathCreate => "`replace` whose value filter matches nothing adds the element",
        Quirk::IdempotentRemove => "`remove` whose value filter matches nothing succeeds",
        Quirk::RemoveWithValue => "`remove` with a value removes only what the value lists",
        Quirk::EmptyStringRemove => "`replace` of a complex attribute with `\"\"` unassigns it",
        Quirk::WrappedValue => "`{\"members\": […]}` as the value of the path `members` is unwrapped",
        Quirk::MemberString => "A string stands for an element of a multi-valued complex attribute",
        Quirk::GroupDisplayUnique => "The `displayName` of groups is unique",
        Quirk::PutPreservesAbsent => "A PUT keeps attributes that it does not mention",
        Quirk::UsernameAny => {
            "A user name may contain characters that the PRECIS profile refuses, such as spaces"
        }
        Quirk::AuthNoScheme => "`Authorization: TOKEN` is accepted without the word Bearer",
        Quirk::UnknownPath => "A PATCH operation whose path has an unknown name is skipped and logged",
        Quirk::ValueObject => "`{\"value\": X}` stands for the simple value X",
        Quirk::JsonText => {
            "Text that is a JSON array or object is read where the attribute is complex or multi-valued"
        }
        Quirk::RawQuotes => "`\"`, `<` and `>` in the target of a GET or HEAD need not be percent-encoded",
        Quirk::PathVariants => {
            "`/scim/Bulk`, `/scim/v2/v2/Bulk` and `/scim/v2/%42ulk` mean `/scim/v2/Bulk`; a proxy that \
             protects single paths must then know all these forms"
        }
        // A switch that is missing from this table still works.
        other => return format!("Tolerates `{other}`"),
    };
    text.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_quirk_is_described() {
        for quirk in Quirk::ALL {
            assert!(!help(*quirk).starts_with("Tolerates"), "{quirk}");
        }
    }
}
