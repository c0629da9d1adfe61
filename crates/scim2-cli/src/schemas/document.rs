//! One file's JSON as documents, with the place of every fault.
//!
//! Published schema files break the rules in small ways. What can only mean one thing is read with a
//! warning; everything else is an error. Both name the document, the attribute and the key.

use scim2_core::schema::{Attribute, AttributeType, ResourceType, Schema, SchemaExtension, Uniqueness};
use scim2_core::{AttrName, Object, SchemaUri, Value};

use self::reading::Reading;

mod reading;

/// What a file may hold.
pub(super) enum Document {
    Schema(Schema),
    ResourceType(ResourceType),
}

/// The documents of one file, and what was read although it breaks a rule.
pub(super) fn read(value: &Value) -> Result<(Vec<Document>, Vec<String>), String> {
    let mut warnings = Vec::new();
    let values = match value {
        Value::Array(values) => values.as_slice(),
        Value::Object(object) => match object.get("Resources") {
            Some(Value::Array(values)) => values.as_slice(),
            _ => std::slice::from_ref(value),
        },
        other => return Err(format!("expected a JSON object or an array of them, found {}", other.kind())),
    };
    let documents = values.iter().map(|value| document(value, &mut warnings)).collect::<Result<_, _>>()?;
    Ok((documents, warnings))
}

/// `schemas` is asked only where nothing else tells: many documents lack it.
fn document(value: &Value, warnings: &mut Vec<String>) -> Result<Document, String> {
    let unknown = || "expected a schema (with `attributes`) or a resource type (with `endpoint`)".to_owned();
    let object = value.as_object().ok_or_else(unknown)?;
    if object.contains("attributes") {
        schema(object, warnings).map(Document::Schema)
    } else if object.contains("endpoint") {
        resource_type(object, warnings).map(Document::ResourceType)
    } else if says_schema(object) {
        let document = schema(object, warnings)?;
        warnings
            .push(format!("schema `{}`: `attributes`: missing, read as a schema without any", document.id));
        Ok(Document::Schema(document))
    } else {
        Err(unknown())
    }
}

/// Whether a document without `attributes` says that it is a schema.
fn says_schema(object: &Object) -> bool {
    let meta = object.get("meta").and_then(Value::as_object);
    let by_meta = meta.and_then(|meta| meta.get_str("resourceType")).is_some_and(|type_| type_ == "Schema");
    let mut schemas = object.get("schemas").into_iter().flat_map(Value::values);
    object.contains("id") && (by_meta || schemas.any(|uri| uri.as_str() == Some(scim2_core::urn::SCHEMA)))
}

const SCHEMA_KEYS: [&str; 6] = ["schemas", "id", "name", "description", "attributes", "meta"];

const TYPE_KEYS: [&str; 8] =
    ["schemas", "id", "name", "description", "endpoint", "schema", "schemaExtensions", "meta"];

const EXTENSION_KEYS: [&str; 2] = ["schema", "required"];

const ATTRIBUTE_KEYS: [&str; 12] = [
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

fn schema(object: &Object, warnings: &mut Vec<String>) -> Result<Schema, String> {
    let id = Reading::new(object, "schema", warnings).uri("id", "the URI of the schema")?;
    let mut reading = Reading::new(object, format!("schema `{id}`"), warnings);
    reading.keys(&SCHEMA_KEYS);
    let mut schema = Schema::new(id);
    schema.name = reading.text("name")?;
    schema.description = reading.text("description")?;
    schema.attributes = attributes(&mut reading, "attributes")?;
    Ok(schema)
}

fn attributes(reading: &mut Reading<'_, '_>, key: &str) -> Result<Vec<Attribute>, String> {
    let values = reading.list(key, "attributes")?;
    values
        .iter()
        .map(|value| {
            let object =
                value.as_object().ok_or_else(|| reading.expected(key, "an array of objects", value))?;
            attribute(object, reading)
        })
        .collect()
}

/// The depth is bounded by the JSON reader's; a complex attribute in a complex one is refused when
/// the resource type is compiled.
fn attribute(object: &Object, parent: &mut Reading<'_, '_>) -> Result<Attribute, String> {
    let name = object.get_str("name").ok_or_else(|| parent.error("an attribute lacks its `name`"))?;
    let mut reading = parent.within(object, &format!("attribute `{}`", name.escape_debug()));
    let parsed = AttrName::parse(name).map_err(|error| reading.error(&error.to_string()))?;
    reading.keys(&ATTRIBUTE_KEYS);
    let mut attribute = Attribute::new(parsed);
    attribute.multi_valued = reading.boolean("multiValued")?.unwrap_or_default();
    attribute.description = reading.text("description")?;
    attribute.required = reading.boolean("required")?.unwrap_or_default();
    attribute.case_exact = reading.boolean("caseExact")?.unwrap_or_default();
    attribute.canonical_values = reading.texts("canonicalValues")?;
    attribute.mutability = reading
        .keyword("mutability", &["readOnly", "readWrite", "immutable", "writeOnly"])?
        .unwrap_or_default();
    attribute.returned =
        reading.keyword("returned", &["always", "never", "default", "request"])?.unwrap_or_default();
    attribute.uniqueness = uniqueness(&mut reading)?;
    attribute.reference_types = reading.texts("referenceTypes")?;
    attribute.sub_attributes = attributes(&mut reading, "subAttributes")?;
    attribute.type_ = type_of(&attribute, &mut reading)?;
    Ok(attribute)
}

/// Where `type` is missing, what only one type can have tells it.
fn type_of(attribute: &Attribute, reading: &mut Reading<'_, '_>) -> Result<AttributeType, String> {
    const TYPES: [&str; 8] =
        ["string", "boolean", "decimal", "integer", "dateTime", "binary", "reference", "complex"];
    for (word, type_) in [("bool", AttributeType::Boolean), ("int", AttributeType::Integer)] {
        if reading.word("type").is_some_and(|found| found.eq_ignore_ascii_case(word)) {
            reading.warn("type", &format!("`{word}` is read as `{}`", type_.as_str()));
            return Ok(type_);
        }
    }
    if let Some(type_) = reading.keyword("type", &TYPES)? {
        return Ok(type_);
    }
    let told = if !attribute.sub_attributes.is_empty() {
        Some((AttributeType::Complex, "subAttributes"))
    } else if !attribute.reference_types.is_empty() {
        Some((AttributeType::Reference, "referenceTypes"))
    } else {
        None
    };
    let Some((type_, key)) = told else { return Ok(AttributeType::default()) };
    reading.warn("type", &format!("missing, read as `{}` because of `{key}`", type_.as_str()));
    Ok(type_)
}

/// A scope of uniqueness that RFC 7643 does not know is one that a service provider cannot guard.
fn uniqueness(reading: &mut Reading<'_, '_>) -> Result<Uniqueness, String> {
    const SCOPES: [&str; 3] = ["none", "server", "global"];
    match reading.word("uniqueness") {
        Some(word) if !SCOPES.iter().any(|known| known.eq_ignore_ascii_case(word)) => {
            let shown = word.escape_debug().to_string();
            reading.warn(
                "uniqueness",
                &format!("`{shown}` is unknown, read as `none`: equal values are accepted"),
            );
            Ok(Uniqueness::None)
        }
        _ => Ok(reading.keyword("uniqueness", &SCOPES)?.unwrap_or_default()),
    }
}

fn resource_type(object: &Object, warnings: &mut Vec<String>) -> Result<ResourceType, String> {
    let reading = Reading::new(object, "resource type", warnings);
    let name = reading.text("name")?.ok_or_else(|| reading.error("`name` is missing: expected its name"))?;
    let mut reading = Reading::new(object, format!("resource type `{}`", name.escape_debug()), warnings);
    reading.keys(&TYPE_KEYS);
    if let Some(id) = reading.text("id")?
        && id != name
    {
        let shown = id.escape_debug().to_string();
        reading.warn("id", &format!("`{shown}` is not kept, the id of a resource type is its name"));
    }
    let endpoint = match reading.text("endpoint")? {
        Some(endpoint) if !endpoint.is_empty() && !endpoint.contains([':', '/']) => {
            reading.warn("endpoint", &format!("read as `/{}`", endpoint.escape_debug()));
            format!("/{endpoint}")
        }
        endpoint => endpoint.unwrap_or_default(),
    };
    let schema = reading.uri("schema", "the URI of its schema")?;
    let mut type_ = ResourceType::new(name, endpoint, schema);
    type_.description = reading.text("description")?;
    for value in reading.list("schemaExtensions", "extensions")? {
        type_.schema_extensions.push(extension(value, &mut reading)?);
    }
    Ok(type_)
}

fn extension(value: &Value, reading: &mut Reading<'_, '_>) -> Result<SchemaExtension, String> {
    const KEY: &str = "schemaExtensions";
    match value {
        Value::Object(object) => {
            let mut reading = reading.within(object, &format!("`{KEY}`"));
            reading.keys(&EXTENSION_KEYS);
            let schema = reading.uri("schema", "the URI of the extension")?;
            let required = reading.boolean("required")?.unwrap_or_default();
            Ok(SchemaExtension { schema, required })
        }
        Value::String(text) => {
            let schema =
                SchemaUri::parse(text).map_err(|error| reading.error(&format!("`{KEY}`: {error}")))?;
            reading.warn(KEY, &format!("`{schema}` is read as an extension that is not required"));
            Ok(SchemaExtension { schema, required: false })
        }
        other => Err(reading.expected(KEY, "an array of objects", other)),
    }
}
