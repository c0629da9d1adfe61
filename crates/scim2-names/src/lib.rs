//! Attribute names and schema URIs of SCIM 2.0, the two kinds of name that are compared without
//! case and printed as they came.
//!
//! ```
//! use scim2_names::{AttrName, SchemaUri};
//!
//! let name = AttrName::parse("userName")?;
//! assert_eq!(name, AttrName::parse("USERNAME")?); // RFC 7643 §2.1
//! assert_eq!(name.as_str(), "userName");          // printed as it came
//! assert!(AttrName::parse("1st").is_err());
//!
//! let user = SchemaUri::parse("urn:ietf:params:scim:schemas:core:2.0:User")?;
//! assert!(user == "URN:IETF:PARAMS:SCIM:SCHEMAS:CORE:2.0:USER");
//! # Ok::<(), scim2_names::NameError>(())
//! ```
//!
//! This crate exists so that the grammar (`scim2-filter`) and the schema types (`scim2-core`)
//! share one definition of a name without either depending on the other. It has no dependency
//! and needs only `alloc`; the feature `serde` lets both types travel as strings, through the
//! checked door.
//!
//! Folding is ASCII: the RFCs allow nothing else in an attribute name, and URNs fold the same way
//! ([RFC 7643 §2.1](https://www.rfc-editor.org/rfc/rfc7643#section-2.1),
//! [RFC 7644 §3.10](https://www.rfc-editor.org/rfc/rfc7644#section-3.10)).

#![cfg_attr(docsrs, feature(doc_cfg))]
#![no_std]

extern crate alloc;

mod attr_name;
mod error;
mod fold;
mod schema_uri;

pub use attr_name::AttrName;
pub use error::{NameError, NameErrorKind};
pub use fold::{eq_ignore_case, hash_ignore_case};
pub use schema_uri::SchemaUri;

/// The blocks of this crate's README are tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
