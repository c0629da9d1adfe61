//! Schemas and attributes as data: the documents of
//! [RFC 7643 §7](https://www.rfc-editor.org/rfc/rfc7643#section-7).

use scim2_names::{AttrName, SchemaUri};
use serde::{Deserialize, Serialize};

mod documents;
mod lint;

pub use documents::{DocumentError, Documents};
pub use lint::{Finding, Severity};

/// A schema: a URI and the attributes it defines.
///
/// ```
/// use scim2_core::schema::{AttributeType, Mutability, Schema};
///
/// let schema: Schema = serde_json::from_str(
///     r#"{"id":"urn:example:schemas:1.0:Badge","name":"Badge","attributes":[{"name":"number"}]}"#,
/// )?;
/// let number = &schema.attributes[0]; // what is not said has the defaults of RFC 7643 §2.2
/// assert_eq!(number.type_, AttributeType::String);
/// assert_eq!(number.mutability, Mutability::ReadWrite);
/// assert!(!number.required && !number.case_exact && !number.multi_valued);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Schema {
    /// The URI of the schema, which is its id as a resource.
    #[cfg_attr(feature = "schemars", schemars(with = "String"))]
    pub id: SchemaUri,
    /// A name for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// A description for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The attributes, in the order they are listed.
    #[serde(default)]
    pub attributes: Vec<Attribute>,
}

impl Schema {
    /// A schema without attributes.
    #[must_use]
    pub fn new(id: SchemaUri) -> Self {
        Self { id, name: None, description: None, attributes: Vec::new() }
    }
}

/// The definition of an attribute or sub-attribute with all its characteristics
/// ([RFC 7643 §2.2](https://www.rfc-editor.org/rfc/rfc7643#section-2.2)).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Attribute {
    /// The name as it is spelled in bodies.
    #[cfg_attr(feature = "schemars", schemars(with = "String"))]
    pub name: AttrName,
    /// The data type.
    #[serde(rename = "type", default)]
    pub type_: AttributeType,
    /// Whether the attribute has a list of values.
    #[serde(default)]
    pub multi_valued: bool,
    /// A description for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Whether a resource must have the attribute.
    #[serde(default)]
    pub required: bool,
    /// Whether strings compare with letter case.
    #[serde(default)]
    pub case_exact: bool,
    /// The values the attribute is expected to take; empty for any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub canonical_values: Vec<String>,
    /// Whether clients may write the attribute, and when.
    #[serde(default)]
    pub mutability: Mutability,
    /// When the attribute is part of a response.
    #[serde(default)]
    pub returned: Returned,
    /// Whether two resources may have the same value.
    #[serde(default)]
    pub uniqueness: Uniqueness,
    /// What a reference may point to: names of resource types, `external` or `uri`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reference_types: Vec<String>,
    /// The sub-attributes of a complex attribute.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sub_attributes: Vec<Attribute>,
}

impl Attribute {
    /// An attribute with the default characteristics: a singular, optional, readWrite string that
    /// compares without case.
    #[must_use]
    pub fn new(name: AttrName) -> Self {
        Self {
            name,
            type_: AttributeType::default(),
            multi_valued: false,
            description: None,
            required: false,
            case_exact: false,
            canonical_values: Vec::new(),
            mutability: Mutability::default(),
            returned: Returned::default(),
            uniqueness: Uniqueness::default(),
            reference_types: Vec::new(),
            sub_attributes: Vec::new(),
        }
    }
}

/// The data type of an attribute, a closed set
/// ([RFC 7643 §2.3](https://www.rfc-editor.org/rfc/rfc7643#section-2.3)).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub enum AttributeType {
    /// Unicode text.
    #[default]
    String,
    /// `true` or `false`.
    Boolean,
    /// A number that may have a fraction.
    Decimal,
    /// A whole number.
    Integer,
    /// A date and time, compared as an instant.
    DateTime,
    /// Base64.
    Binary,
    /// A URI.
    Reference,
    /// A set of sub-attributes.
    Complex,
}

impl AttributeType {
    /// The keyword on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Boolean => "boolean",
            Self::Decimal => "decimal",
            Self::Integer => "integer",
            Self::DateTime => "dateTime",
            Self::Binary => "binary",
            Self::Reference => "reference",
            Self::Complex => "complex",
        }
    }
}

/// Whether clients may write an attribute, and when: a closed set ([RFC 7643
/// §7](https://www.rfc-editor.org/rfc/rfc7643#section-7)).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub enum Mutability {
    /// Only the service provider writes the attribute.
    ReadOnly,
    /// Clients may write the attribute at any time.
    #[default]
    ReadWrite,
    /// Clients may write the attribute once, while it has no value.
    Immutable,
    /// Clients may write the attribute at any time, and no answer shows it.
    WriteOnly,
}

/// When an attribute is part of a response: a closed set
/// ([RFC 7643 §7](https://www.rfc-editor.org/rfc/rfc7643#section-7)).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub enum Returned {
    /// In every response, whatever the request asks for.
    Always,
    /// In no response.
    Never,
    /// In responses whose request neither excludes it nor names only others.
    #[default]
    Default,
    /// In responses whose request names it.
    Request,
}

/// Whether two resources may have the same value: a closed set
/// ([RFC 7643 §7](https://www.rfc-editor.org/rfc/rfc7643#section-7)).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub enum Uniqueness {
    /// Resources may have the same value.
    #[default]
    None,
    /// Two resources of one resource type and tenant must not have the same value.
    Server,
    /// No two resources anywhere may have the same value. A service provider can only guarantee it within each
    /// tenant, because one tenant must not find out what another one holds.
    Global,
}

/// The kind of resource at an endpoint: the document of [RFC 7643
/// §6](https://www.rfc-editor.org/rfc/rfc7643#section-6).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ResourceType {
    /// The name, which `meta.resourceType` repeats.
    pub name: String,
    /// A description for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The endpoint below the base URI, with its slash: `/Users`.
    pub endpoint: String,
    /// The core schema.
    #[cfg_attr(feature = "schemars", schemars(with = "String"))]
    pub schema: SchemaUri,
    /// The extensions a resource of this type may or must have.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub schema_extensions: Vec<SchemaExtension>,
}

impl ResourceType {
    /// A resource type without extensions.
    #[must_use]
    pub fn new(name: impl Into<String>, endpoint: impl Into<String>, schema: SchemaUri) -> Self {
        Self {
            name: name.into(),
            description: None,
            endpoint: endpoint.into(),
            schema,
            schema_extensions: Vec::new(),
        }
    }
}

/// An extension of a resource type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
pub struct SchemaExtension {
    /// The schema of the extension.
    #[cfg_attr(feature = "schemars", schemars(with = "String"))]
    pub schema: SchemaUri,
    /// Whether every resource must have it.
    #[serde(default)]
    pub required: bool,
}
