//! Attribute names and schema URIs of SCIM 2.0: two kinds of names that compare without case and print as they
//! were written.
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
//! With this crate the grammar (`scim2-filter`) and the schema types (`scim2-core`) share one definition of a
//! name, and neither depends on the other. It has no dependency and needs only `alloc`. With the feature
//! `serde` both types serialize as strings, and reading checks them.
//!
//! Only ASCII case is ignored: the RFCs allow no other letters in attribute names, and URNs compare the same
//! way ([RFC 7643 §2.1](https://www.rfc-editor.org/rfc/rfc7643#section-2.1), [RFC 7644
//! §3.10](https://www.rfc-editor.org/rfc/rfc7644#section-3.10)).

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
