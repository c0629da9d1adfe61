use std::fmt;

use serde::de::DeserializeOwned;
use serde_path_to_error::{Path, Segment};

use self::tidy::Tidied;
use super::{ResourceType, Schema};
use crate::json::JsonReader;
use crate::urn;
use crate::value::{Object, Value};

mod tidy;

/// The schemas and resource types of one JSON text, such as a published schema file.
///
/// The text holds one document, an array of documents or a ListResponse. Names of members are read in any letter case.
///
/// ```
/// use scim2_core::schema::{AttributeType, Documents};
///
/// let documents = Documents::from_json(
///     br#"{"id": "urn:example:1.0:Badge", "attributes": [{"name": "active", "type": "bool", "multiValued": "false"}]}"#,
/// )?;
/// assert_eq!(documents.schemas[0].attributes[0].type_, AttributeType::Boolean);
/// assert_eq!(
///     documents.warnings,
///     [
///         "schema `urn:example:1.0:Badge`: attribute `active`: `multiValued`: a string is read as `false`",
///         "schema `urn:example:1.0:Badge`: attribute `active`: `type`: `bool` is read as `boolean`",
///     ],
/// );
///
/// let error = Documents::from_json(br#"{"id": "urn:a:b", "attributes": [{"name": "x", "required": 1}]}"#).unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "schema `urn:a:b`: attribute `x`: `required`: expected `true` or `false`, found a number",
/// );
/// # Ok::<(), scim2_core::schema::DocumentError>(())
/// ```
///
/// Published schema files break the rules of [RFC 7643 §6 and
/// §7](https://www.rfc-editor.org/rfc/rfc7643#section-6) in small ways. A deviation that can only mean one
/// thing is read with a warning. Every other deviation is an error.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Documents {
    /// The schemas, in the order they came.
    pub schemas: Vec<Schema>,
    /// The resource types, in the order they came.
    pub resource_types: Vec<ResourceType>,
    /// The deviations that were read: one line each, with the document, the attribute and the key.
    pub warnings: Vec<String>,
}

impl Documents {
    /// Reads the documents of a JSON text; a byte order mark before it is skipped.
    ///
    /// # Errors
    /// If the text is not JSON, if a document is neither a schema nor a resource type, or if it breaks a rule in a way that
    /// can mean more than one thing. The line names document, attribute and key.
    pub fn from_json(json: &[u8]) -> Result<Self, DocumentError> {
        let json = json.strip_prefix("\u{feff}".as_bytes()).unwrap_or(json);
        let value =
            JsonReader::new().value(json).map_err(|error| DocumentError(error.in_text("the file")))?;
        let values = match &value {
            Value::Array(values) => values.as_slice(),
            Value::Object(object) => match object.get("Resources") {
                Some(Value::Array(values)) => values.as_slice(),
                _ => std::slice::from_ref(&value),
            },
            other => {
                let found = other.kind();
                return Err(DocumentError(format!(
                    "expected a JSON object or an array of them, found {found}"
                )));
            }
        };
        let mut documents = Self::default();
        for (index, value) in values.iter().enumerate() {
            documents.add(value).map_err(|error| match error {
                Failure::Of(line) => DocumentError(line),
                Failure::Unknown if values.len() == 1 => DocumentError(UNKNOWN.to_owned()),
                Failure::Unknown => {
                    DocumentError(format!("element {} of {}: {UNKNOWN}", index + 1, values.len()))
                }
            })?;
        }
        Ok(documents)
    }

    fn add(&mut self, value: &Value) -> Result<(), Failure> {
        let object = value.as_object().ok_or(Failure::Unknown)?;
        match DocumentKind::of(object).ok_or(Failure::Unknown)? {
            DocumentKind::Schema => {
                let tidied = tidy::schema(object, &mut self.warnings)?;
                let schema: Schema = read(tidied)?;
                if !object.contains("attributes") {
                    let id = &schema.id;
                    let warning =
                        format!("schema `{id}`: `attributes`: missing, read as a schema without any");
                    self.warnings.push(warning);
                }
                self.schemas.push(schema);
            }
            DocumentKind::ResourceType => {
                let tidied = tidy::resource_type(object, &mut self.warnings)?;
                self.resource_types.push(read(tidied)?);
            }
        }
        Ok(())
    }
}

const UNKNOWN: &str = "expected a schema (with `attributes`) or a resource type (with `endpoint`)";

enum Failure {
    /// The object is neither a schema nor a resource type.
    Unknown,
    /// A line that names the place.
    Of(String),
}

impl From<String> for Failure {
    fn from(line: String) -> Self {
        Self::Of(line)
    }
}

enum DocumentKind {
    Schema,
    ResourceType,
}

impl DocumentKind {
    /// `schemas` and `meta` decide only if nothing else does: many documents lack them.
    fn of(object: &Object) -> Option<Self> {
        let meta = object.get("meta").and_then(Value::as_object);
        let says_schema = || {
            let by_meta =
                meta.and_then(|meta| meta.get_str("resourceType")).is_some_and(|type_| type_ == "Schema");
            let mut schemas = object.get("schemas").into_iter().flat_map(Value::values);
            object.contains("id") && (by_meta || schemas.any(|uri| uri.as_str() == Some(urn::SCHEMA)))
        };
        if object.contains("endpoint") && (object.contains("schema") || !object.contains("attributes")) {
            Some(Self::ResourceType)
        } else if object.contains("attributes") || says_schema() {
            Some(Self::Schema)
        } else {
            None
        }
    }
}

/// After tidying, only names and URIs can still be malformed.
fn read<T: DeserializeOwned>(Tidied { place, object }: Tidied) -> Result<T, String> {
    let json = serde_json::Value::from(object);
    serde_path_to_error::deserialize(&json).map_err(|error| {
        let place = place_of(place, error.path(), &json);
        format!("{place}: {}", error.inner())
    })
}

/// Names attributes in place of their indexes.
fn place_of(mut place: String, path: &Path, json: &serde_json::Value) -> String {
    let mut at = Some(json);
    for segment in path {
        match segment {
            Segment::Map { key } => {
                at = at.and_then(|value| value.get(key));
                if !at.is_some_and(serde_json::Value::is_array) || key == "schemaExtensions" {
                    place.push_str(&format!(": `{key}`"));
                }
            }
            Segment::Seq { index } => {
                at = at.and_then(|value| value.get(index));
                if let Some(name) = at.and_then(|value| value.get("name")?.as_str()) {
                    place.push_str(&format!(": attribute `{}`", name.escape_debug()));
                }
            }
            Segment::Enum { .. } | Segment::Unknown => {}
        }
    }
    place
}

/// Why a text is not a schema document: one line for a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocumentError(String);

impl fmt::Display for DocumentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for DocumentError {}
