//! JSON Schema of SCIM schemas.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Map, Value as Json};

use crate::compiled::{AttributeDef, CompiledType, Owner};
use crate::resource::Resource;
use crate::schema::{AttributeType, Mutability};
use crate::value::{Number, Object, Value};

/// The JSON Schema of the resources of a type, in canonical form.
///
/// Canonical values become examples, because other values are legal. Additional attributes are allowed, because
/// a resource may have extensions that the reader does not know.
///
/// ```
/// use scim2_core::{Registry, json_schema_for};
///
/// let registry = Registry::standard();
/// let schema = json_schema_for(registry.resource_type("Group").expect("built in"));
/// let group = schema.as_object().expect("an object");
/// assert_eq!(group["title"], "Group");
/// assert_eq!(group["required"], serde_json::json!(["schemas", "displayName"]));
/// assert_eq!(group["properties"]["members"]["type"], "array");
/// ```
#[must_use]
pub fn json_schema_for(type_: &CompiledType) -> Schema {
    let mut object = members(type_, type_.top_level(Owner::Common).chain(type_.top_level(Owner::Core)));
    let mut required = object.remove("required");
    for (id, extension) in type_.extensions() {
        let uri = extension.uri().to_string();
        let attributes = members(type_, type_.top_level(Owner::Extension(id)));
        if let Some(properties) = object.get_mut("properties").and_then(Json::as_object_mut) {
            properties.insert(uri.clone(), Json::Object(attributes));
        }
        if extension.required()
            && let Some(Json::Array(required)) = &mut required
        {
            required.push(uri.into());
        }
    }
    object.extend(required.map(|required| ("required".to_owned(), required)));
    object.insert("$schema".to_owned(), "https://json-schema.org/draft/2020-12/schema".into());
    object.insert("title".to_owned(), type_.name().into());
    if let Some(description) = &type_.resource_type().description {
        object.insert("description".to_owned(), description.as_str().into());
    }
    Schema::from(object)
}

/// An object schema of these attributes.
fn members<'a>(
    type_: &CompiledType,
    attributes: impl Iterator<Item = &'a AttributeDef>,
) -> Map<String, Json> {
    let mut properties = Map::new();
    let mut required = Vec::new();
    for def in attributes {
        properties.insert(def.name().to_owned(), attribute(type_, def));
        if def.required() && def.mutability() != Mutability::ReadOnly {
            required.push(Json::from(def.name()));
        }
    }
    let mut object = Map::new();
    object.insert("type".to_owned(), "object".into());
    object.insert("properties".to_owned(), Json::Object(properties));
    if !required.is_empty() {
        object.insert("required".to_owned(), Json::Array(required));
    }
    object
}

fn attribute(type_: &CompiledType, def: &AttributeDef) -> Json {
    let mut value = match def.attribute_type() {
        AttributeType::Complex => members(type_, type_.sub_attributes(def.id()).iter()),
        simple => {
            let mut value = Map::new();
            let (name, rest) = match simple {
                AttributeType::Boolean => ("boolean", None),
                AttributeType::Decimal => ("number", None),
                AttributeType::Integer => ("integer", None),
                AttributeType::DateTime => ("string", Some(("format", "date-time"))),
                AttributeType::Reference => ("string", Some(("format", "uri-reference"))),
                AttributeType::Binary => ("string", Some(("contentEncoding", "base64"))),
                AttributeType::String | AttributeType::Complex => ("string", None),
            };
            value.insert("type".to_owned(), name.into());
            value.extend(rest.map(|(key, text)| (key.to_owned(), text.into())));
            value
        }
    };
    if !def.canonical_values().is_empty() {
        value.insert("examples".to_owned(), def.canonical_values().into());
    }
    if def.multi_valued() {
        let mut list = Map::new();
        list.insert("type".to_owned(), "array".into());
        list.insert("items".to_owned(), Json::Object(value));
        value = list;
    }
    if let Some(description) = def.description() {
        value.insert("description".to_owned(), description.into());
    }
    match def.mutability() {
        Mutability::ReadOnly => value.insert("readOnly".to_owned(), true.into()),
        Mutability::WriteOnly => value.insert("writeOnly".to_owned(), true.into()),
        Mutability::ReadWrite | Mutability::Immutable => None,
    };
    Json::Object(value)
}

impl JsonSchema for Value {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Value".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        true.into()
    }
}

impl JsonSchema for Object {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Object".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "object" })
    }
}

impl JsonSchema for Number {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Number".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "number" })
    }
}

impl JsonSchema for Resource {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Resource".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "object",
            "properties": {
                "schemas": { "type": "array", "items": { "type": "string" }, "minItems": 1 },
                "id": { "type": "string" },
                "externalId": { "type": "string" },
                "meta": { "type": "object" },
            },
            "required": ["schemas"],
        })
    }
}
