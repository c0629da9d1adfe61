//! The core of SCIM 2.0: schemas, attributes, values and resources
//! ([RFC 7643](https://www.rfc-editor.org/rfc/rfc7643)).
//!
//! - [`Value`] and [`Object`] are JSON as SCIM sees it; [`json`] reads them from a peer, within limits.
//! - [`schema`] holds the documents: a [`Schema`](schema::Schema) lists attributes with their
//!   characteristics, a [`ResourceType`](schema::ResourceType) ties schemas to an endpoint.
//! - [`Registry`] compiles them: a [`CompiledType`] finds any attribute by name at once.
//! - [`validate`] brings bodies and values into canonical form, or says why that is impossible.
//! - [`resource`] holds resources: a dynamic form for any of them, and typed users and groups.
//! - [`compare`] says when two strings are equal, for filters, uniqueness, stores and sorting alike.
//! - [`discovery`] makes the resources that describe a service provider.
//! - [`Compat`] names what is tolerated of real clients.
//!
//! This crate has no filter grammar, no I/O, no `async` and no clock.

#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod compare;
pub mod compat;
pub mod compiled;
pub mod discovery;
pub mod json;
pub mod resource;
pub mod schema;
pub mod urn;
pub mod validate;
pub mod work;

mod builtin;
mod id;
#[cfg(feature = "schemars")]
mod json_schema;
mod registry;
mod scim_type;
mod value;

pub use compat::{Compat, Mode, Quirk};
pub use compiled::{AttributeDef, AttributeId, CompiledType, ExtensionId, Owner, References};
pub use id::{ExternalId, IdError, ResourceId, Version};
#[cfg(feature = "schemars")]
pub use json_schema::json_schema_for;
pub use registry::Registry;
pub use scim_type::ScimType;
pub use value::{Number, NumberError, Object, Value};

pub use scim2_names::{AttrName, NameError, SchemaUri};

/// The blocks of this crate's README are tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
