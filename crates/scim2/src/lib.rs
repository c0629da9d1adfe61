//! SCIM 2.0 for Rust: identity providers use it to create, change and deactivate accounts and groups in an
//! application ([RFC 7643](https://www.rfc-editor.org/rfc/rfc7643), [RFC
//! 7644](https://www.rfc-editor.org/rfc/rfc7644)).
//!
//! This crate re-exports the crates of the family by feature, so that one dependency and one version number are
//! enough. You can also depend on each of them alone.
//!
#![cfg_attr(
    feature = "patch",
    doc = r##"```
use scim2::filter::{CompiledFilter, Filter};
use scim2::patch::{PatchOp, apply};
use scim2::{Compat, Object, Registry};

let registry = Registry::standard();
let user_type = registry.resource_type("User").expect("a standard type");
let mut ada: Object = serde_json::from_str(
    r#"{"userName": "ada", "emails": [{"type": "work", "value": "ada@example.com"}], "active": true}"#,
)?;

// Entra ID has its own form of a PATCH. The form of the RFC works, too.
let entra = r#"{"Operations": [{"op": "Replace", "path": "active", "value": "False"}]}"#;
apply(&serde_json::from_str::<PatchOp>(entra)?, &mut ada, user_type, &Compat::default())?;

let filter: Filter = r#"active eq false and emails[type eq "work" and value ew "@example.com"]"#.parse()?;
let filter = CompiledFilter::new(&filter, user_type, Compat::default())?;
assert!(filter.matches(&ada));
# Ok::<(), Box<dyn std::error::Error>>(())
```"##
)]
//!
//! # Features
//! | you want to | feature | module |
//! | --- | --- | --- |
//! | read schemas, validate and hold resources | (always) | this page: [`Registry`], [`Object`], [`Value`] |
//! | parse, print or evaluate filters and paths | `filter` (default) | `filter`, crate `scim2-filter` |
//! | apply PATCH to your own resources, or find the smallest PATCH between two | `patch` (default) | `patch`, crate `scim2-patch` |
//! | read and write the messages, write your own server | `protocol` (default) | `protocol`, crate `scim2-protocol` |
//! | let identity providers manage your own user table | `server` | `server`, crate `scim2-server` |
//! | check bearer tokens and hash passwords there | `auth` | `auth`, crate `scim2-auth` |
//! | the same, with the users kept in SQLite | `store` | `store`, crate `scim2-store` |
//! | the same, with the users kept in PostgreSQL | `postgres` | `store::PostgresStore` |
//! | call a service provider through your own HTTP client | `client` | `client`, crate `scim2-client` |
//! | the same, with an HTTP client included | `reqwest` | `client::ReqwestTransport` |
//! | have JSON Schemas of the messages | `schemars` | |
//!
//! To run a service provider without writing any Rust, use the binary of the crate `scim2-cli`.
//!
//! Features only add code. None of them changes how a message is read or checked. The tolerated deviations of real
//! identity providers are a value, [`Compat`], that you pass in.

#![cfg_attr(docsrs, feature(doc_cfg))]

pub use scim2_core::*;

#[cfg(feature = "auth")]
#[doc(no_inline)]
pub use scim2_auth as auth;
#[cfg(feature = "client")]
#[doc(no_inline)]
pub use scim2_client as client;
#[cfg(feature = "filter")]
#[doc(no_inline)]
pub use scim2_filter as filter;
#[cfg(feature = "patch")]
#[doc(no_inline)]
pub use scim2_patch as patch;
#[cfg(feature = "protocol")]
#[doc(no_inline)]
pub use scim2_protocol as protocol;
#[cfg(feature = "server")]
#[doc(no_inline)]
pub use scim2_server as server;
#[cfg(feature = "store")]
#[doc(no_inline)]
pub use scim2_store as store;

/// The blocks of this crate's README are tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
