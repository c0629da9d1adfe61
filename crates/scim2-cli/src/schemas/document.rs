//! One file's JSON as documents, with the place of every fault.

use scim2_core::schema::{Attribute, ResourceType, Schema, SchemaExtension};
use scim2_core::{AttrName, Object, SchemaUri, Value};
use serde::de::DeserializeOwned;

/// What a file may hold.
pub(super) enum Document {
    Schema(Schema),
    ResourceType(ResourceType),
}

/// The documents of one file.
pub(super) fn read(value: &Value) -> Result<Vec<Document>, String> {
    match value {
        Value::Array(values) => values.iter().map(document).collect(),
        Value::Object(object) => match object.get("Resources") {
            Some(Value::Array(values)) => values.iter().map(document).collect(),
            _ => document(value).map(|document| vec![document]),
        },
        _ => Err("expected a JSON object or an array of them".to_owned()),
    }
}

/// `schemas` is not asked: many documents lack it, and the shapes are unlike each other.
fn document(value: &Value) -> Result<Document, String> {
    match value.as_object() {
        Some(object) if object.contains("attributes") => schema(object).map(Document::Schema),
        Some(object) if object.contains("endpoint") => resource_type(object).map(Document::ResourceType),
        _ => Err("expected a schema (with `attributes`) or a resource type (with `endpoint`)".to_owned()),
    }
}

fn schema(object: &Object) -> Result<Schema, String> {
    let mut schema = Schema::new(uri(object, "id").map_err(|error| format!("schema: {error}"))?);
    let id = schema.id.clone();
    let placed = |error| format!("schema `{id}`: {error}");
    schema.name = optional(object, "name").map_err(placed)?;
    schema.description = optional(object, "description").map_err(placed)?;
    schema.attributes = attributes(object, "attributes", 0).map_err(placed)?;
    Ok(schema)
}

fn attributes(object: &Object, member: &str, depth: usize) -> Result<Vec<Attribute>, String> {
    match object.get(member) {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::Array(values)) => values.iter().map(|value| attribute(value, depth)).collect(),
        Some(_) => Err(format!("`{member}`: expected an array")),
    }
}

/// The depth is bounded by the JSON reader's; a complex attribute in a complex one is refused when
/// the resource type is compiled.
fn attribute(value: &Value, depth: usize) -> Result<Attribute, String> {
    let object = value.as_object().ok_or("`attributes`: expected an array of objects")?;
    let name = object.get_str("name").ok_or("an attribute lacks its `name`")?;
    let placed = |error: String| format!("attribute `{}`: {error}", name.escape_debug());
    let parsed = AttrName::parse(name).map_err(|error| placed(error.to_string()))?;
    let mut attribute = Attribute::new(parsed);
    fill(&mut attribute, object, depth).map_err(placed)?;
    for (member, _) in object.iter() {
        if !MEMBERS.iter().any(|known| known.eq_ignore_ascii_case(member)) {
            tracing::warn!(attribute = name, member, "not a characteristic of an attribute, ignored");
        }
    }
    Ok(attribute)
}

const MEMBERS: [&str; 12] = [
    "name",
    "type",
    "multiValued",
    "description",
    "required",
    "caseExact",
    "canonicalValues",
    "mutability",
    "returned",
    "uniqueness",
    "referenceTypes",
    "subAttributes",
];

fn fill(attribute: &mut Attribute, object: &Object, depth: usize) -> Result<(), String> {
    let types = ["string", "boolean", "decimal", "integer", "dateTime", "binary", "reference", "complex"];
    attribute.type_ = keyword(object, "type", &types)?.unwrap_or_default();
    attribute.multi_valued = optional(object, "multiValued")?.unwrap_or_default();
    attribute.description = optional(object, "description")?;
    attribute.required = optional(object, "required")?.unwrap_or_default();
    attribute.case_exact = optional(object, "caseExact")?.unwrap_or_default();
    attribute.canonical_values = optional(object, "canonicalValues")?.unwrap_or_default();
    attribute.mutability =
        keyword(object, "mutability", &["readOnly", "readWrite", "immutable", "writeOnly"])?
            .unwrap_or_default();
    attribute.returned =
        keyword(object, "returned", &["always", "never", "default", "request"])?.unwrap_or_default();
    attribute.uniqueness = keyword(object, "uniqueness", &["none", "server", "global"])?.unwrap_or_default();
    attribute.reference_types = optional(object, "referenceTypes")?.unwrap_or_default();
    attribute.sub_attributes = attributes(object, "subAttributes", depth + 1)?;
    Ok(())
}

fn resource_type(object: &Object) -> Result<ResourceType, String> {
    let name = object.get_str("name").ok_or("a resource type lacks its `name`")?;
    let placed = |error: String| format!("resource type `{}`: {error}", name.escape_debug());
    let endpoint: Option<String> = optional(object, "endpoint").map_err(placed)?;
    let schema = uri(object, "schema").map_err(placed)?;
    let mut type_ = ResourceType::new(name, endpoint.unwrap_or_default(), schema);
    type_.description = optional(object, "description").map_err(placed)?;
    for value in object.get("schemaExtensions").map(Value::values).into_iter().flatten() {
        let extension = value.as_object().ok_or("`schemaExtensions`: expected an array of objects");
        let extension = extension.map_err(|error| placed(error.to_owned()))?;
        type_.schema_extensions.push(SchemaExtension {
            schema: uri(extension, "schema").map_err(placed)?,
            required: optional(extension, "required").map_err(placed)?.unwrap_or_default(),
        });
    }
    Ok(type_)
}

fn uri(object: &Object, member: &str) -> Result<SchemaUri, String> {
    let text = object.get_str(member).ok_or_else(|| format!("`{member}`: expected a URI"))?;
    SchemaUri::parse(text).map_err(|error| format!("`{member}`: {error}"))
}

/// A keyword of a closed set, in any letter case.
fn keyword<T: DeserializeOwned>(object: &Object, member: &str, words: &[&str]) -> Result<Option<T>, String> {
    let Some(value) = object.get(member).filter(|value| !value.is_unassigned()) else { return Ok(None) };
    let found = value.as_str().and_then(|text| words.iter().find(|word| word.eq_ignore_ascii_case(text)));
    let Some(word) = found else {
        let found = value.as_str().unwrap_or(value.kind());
        let (last, rest) = words.split_last().unwrap_or((&"", &[]));
        return Err(format!(
            "`{member}`: expected `{}` or `{last}`, found `{}`",
            rest.join("`, `"),
            found.escape_debug()
        ));
    };
    typed(serde_json::Value::from(*word), member).map(Some)
}

fn optional<T: DeserializeOwned>(object: &Object, member: &str) -> Result<Option<T>, String> {
    match object.get(member) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => {
            let value = serde_json::to_value(value).map_err(|error| format!("`{member}`: {error}"))?;
            typed(value, member).map(Some)
        }
    }
}

fn typed<T: DeserializeOwned>(value: serde_json::Value, member: &str) -> Result<T, String> {
    serde_json::from_value(value).map_err(|error| format!("`{member}`: {error}"))
}
