//! The resources by which a service provider describes itself: `/ServiceProviderConfig`, `/ResourceTypes` and
//! `/Schemas` ([RFC 7644 §4](https://www.rfc-editor.org/rfc/rfc7644#section-4)).
//!
//! The documents themselves are [`ServiceProviderConfig`], [`ResourceType`] and [`Schema`]. On the wire they
//! also have `schemas`, `id` and `meta`, and every characteristic of an attribute is written out.
//! [`resource_types`] and [`schemas`] make these resources from a [`Registry`].
//!
//! ```
//! use scim2_core::{Registry, discovery};
//!
//! let registry = Registry::standard();
//! let types = discovery::resource_types(&registry, "https://example.com/scim/v2");
//! assert_eq!(types[0].get_str("id"), Some("User"));
//! let schemas = discovery::schemas(&registry, "https://example.com/scim/v2");
//! assert_eq!(schemas.len(), 6);
//! ```

use crate::registry::Registry;
use crate::schema::{Attribute, AttributeType, Mutability, ResourceType, Returned, Schema, Uniqueness};
use crate::urn;
use crate::value::{Object, Value};

mod config;
mod pagination;

pub use config::{
    AuthenticationScheme, AuthenticationType, BulkSupport, FilterSupport, ServiceProviderConfig, Supported,
};
pub use pagination::{Pagination, PaginationMethod};

/// The resources of `/ResourceTypes`, in the registry's order. `base` is the base URI without a
/// slash at its end.
#[must_use]
pub fn resource_types(registry: &Registry, base: &str) -> Vec<Object> {
    registry.resource_types().map(|type_| resource_type(type_.resource_type(), base)).collect()
}

/// The resources of `/Schemas`: the schemas of the resource types and those of the discovery resources, because
/// there is a schema for each URI in use ([RFC 7643 §7](https://www.rfc-editor.org/rfc/rfc7643#section-7)).
#[must_use]
pub fn schemas(registry: &Registry, base: &str) -> Vec<Object> {
    registry.schemas().chain(registry.discovery_schemas()).map(|document| schema(document, base)).collect()
}

/// One resource of `/ResourceTypes`; its `id` is its name.
#[must_use]
pub fn resource_type(document: &ResourceType, base: &str) -> Object {
    let ResourceType { name, description, endpoint, schema, schema_extensions } = document;
    let mut object = Object::with_capacity(8);
    object.insert("schemas", vec![urn::RESOURCE_TYPE]);
    object.insert("id", name.as_str());
    object.insert("name", name.as_str());
    if let Some(description) = description {
        object.insert("description", description.as_str());
    }
    object.insert("endpoint", endpoint.as_str());
    object.insert("schema", schema.as_str());
    if !schema_extensions.is_empty() {
        let extensions = schema_extensions.iter().map(|extension| {
            Object::from_iter([
                ("schema", Value::from(extension.schema.as_str())),
                ("required", Value::from(extension.required)),
            ])
        });
        object.insert("schemaExtensions", extensions.collect::<Vec<_>>());
    }
    object.insert("meta", meta("ResourceType", format!("{base}/ResourceTypes/{name}")));
    object
}

/// One resource of `/Schemas`.
#[must_use]
pub fn schema(document: &Schema, base: &str) -> Object {
    let Schema { id, name, description, attributes } = document;
    let mut object = Object::with_capacity(6);
    object.insert("schemas", vec![urn::SCHEMA]);
    object.insert("id", id.as_str());
    if let Some(name) = name {
        object.insert("name", name.as_str());
    }
    if let Some(description) = description {
        object.insert("description", description.as_str());
    }
    object.insert("attributes", attributes.iter().map(attribute).collect::<Vec<_>>());
    object.insert("meta", meta("Schema", format!("{base}/Schemas/{id}")));
    object
}

/// An attribute with every characteristic that has a value. Complex, boolean and number attributes have
/// `caseExact` and `uniqueness` too: widely used clients cannot read an attribute without them.
///
/// The documents nest two deep, or three for the schema of schemas, so the recursion is bounded.
fn attribute(definition: &Attribute) -> Object {
    let Attribute {
        name,
        type_,
        multi_valued,
        description,
        required,
        case_exact,
        canonical_values,
        mutability,
        returned,
        uniqueness,
        reference_types,
        sub_attributes,
    } = definition;
    let texts = |values: &[String]| Value::Array(values.iter().map(|text| text.as_str().into()).collect());
    let mut object = Object::with_capacity(12);
    object.insert("name", name.as_str());
    object.insert("type", type_.as_str());
    object.insert("multiValued", *multi_valued);
    if let Some(description) = description {
        object.insert("description", description.as_str());
    }
    object.insert("required", *required);
    if !canonical_values.is_empty() {
        object.insert("canonicalValues", texts(canonical_values));
    }
    // References and binary values compare with case whatever the document says: RFC 7643 §2.3.6 and §2.3.7.
    let always_exact = matches!(type_, AttributeType::Reference | AttributeType::Binary);
    object.insert("caseExact", *case_exact || always_exact);
    object.insert("mutability", mutability_name(*mutability));
    object.insert("returned", returned_name(*returned));
    object.insert("uniqueness", uniqueness_name(*uniqueness));
    if !reference_types.is_empty() {
        object.insert("referenceTypes", texts(reference_types));
    }
    if !sub_attributes.is_empty() {
        object.insert("subAttributes", sub_attributes.iter().map(attribute).collect::<Vec<_>>());
    }
    object
}

/// The `meta` of a document that is part of the program: without dates and version.
fn meta(resource_type: &str, location: String) -> Object {
    Object::from_iter([("resourceType", Value::from(resource_type)), ("location", Value::from(location))])
}

fn mutability_name(mutability: Mutability) -> &'static str {
    match mutability {
        Mutability::ReadOnly => "readOnly",
        Mutability::ReadWrite => "readWrite",
        Mutability::Immutable => "immutable",
        Mutability::WriteOnly => "writeOnly",
    }
}

fn returned_name(returned: Returned) -> &'static str {
    match returned {
        Returned::Always => "always",
        Returned::Never => "never",
        Returned::Default => "default",
        Returned::Request => "request",
    }
}

fn uniqueness_name(uniqueness: Uniqueness) -> &'static str {
    match uniqueness {
        Uniqueness::None => "none",
        Uniqueness::Server => "server",
        Uniqueness::Global => "global",
    }
}
