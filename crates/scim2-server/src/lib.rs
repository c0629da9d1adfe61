//! A SCIM 2.0 service provider as traits ([RFC 7644](https://www.rfc-editor.org/rfc/rfc7644)): a store below,
//! HTTP requests above, the rules of the protocol in between.
//!
//! ```
//! use bytes::Bytes;
//! use http::{Request, StatusCode};
//! use http_body_util::Full;
//! use scim2_server::{
//!     Access, AuthError, Authenticator, BaseUrl, MemoryStore, Principal, ServiceProvider, TenantId,
//! };
//!
//! /// Anybody may do anything: for this page only.
//! struct Anybody;
//!
//! impl Authenticator for Anybody {
//!     async fn authenticate(&self, _: &http::request::Parts) -> Result<Principal, AuthError> {
//!         let actor = "anybody".into();
//!         Ok(Principal { tenant: TenantId::default(), actor, access: Access::Write, resource: None })
//!     }
//! }
//!
//! let provider = ServiceProvider::builder(MemoryStore::new())
//!     .options(|options| options.base_url = BaseUrl::fixed("https://example.com/scim/v2"))
//!     .build();
//! let scim = provider.service(Anybody); // a tower service, for axum, hyper or a test
//!
//! let user = r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada"}"#;
//! let request = Request::post("/scim/v2/Users").body(Full::new(Bytes::from(user)))?;
//! # futures_util::FutureExt::now_or_never(async {
//! let response = scim.handle(request).await;
//! assert_eq!(response.status(), StatusCode::CREATED);
//! assert!(response.headers()["location"].to_str().is_ok_and(|uri| uri.contains("/scim/v2/Users/")));
//!
//! let response = scim.handle(Request::get("/scim/v2/Nope").body(Full::<Bytes>::default())?).await;
//! assert_eq!(response.status(), StatusCode::NOT_FOUND); // with a SCIM Error in its body
//! # Ok::<(), http::Error>(())
//! # }).expect("a store in memory never waits")?;
//! # Ok::<(), http::Error>(())
//! ```
//!
//! # The pieces
//! - [`ResourceStore`] is the port below; [`store`] says how to implement it over a table of your own,
//!   `examples/axum.rs` does it, and [`contract`] checks it. [`MemoryStore`] is the model; `scim2-store` has
//!   SQLite.
//! - [`Authenticator`], [`PasswordHasher`], [`Clock`] and [`IdSource`] are the small ports.
//! - [`ServiceProvider`] holds the rules: create, retrieve, query, replace, PATCH, delete, Bulk, `/Me`
//!   and discovery, with versions, projection and everything that [`Options`] can change.
//! - [`ScimService`] is the HTTP layer above it: routes, methods, media types, limits, errors. It opens no
//!   socket and needs no runtime.
//!
//! # What is stored and what is computed
//! A store keeps the attributes, with the never-returned ones apart from the others, and members as rows.
//! `meta`, `$ref`, `User.groups` and the display names of members are computed for each answer. A body that is
//! stored as text and answered whole is copied, not parsed.
//!
//! # What is not here
//! TLS, rate limits and events ([RFC 9967](https://www.rfc-editor.org/rfc/rfc9967)). A password is hashed by
//! the [`PasswordHasher`] if there is one, or else refused with 501. It is in no answer, log or error line.
//! Logs go to `tracing` and name attributes, never values.

pub mod context;
pub mod contract;
pub mod forwarded;
pub mod in_flight;
pub mod ingest;
pub mod memory;
pub mod options;
pub mod ports;
pub mod provider;
pub mod service;
pub mod store;
pub mod turns;

mod counters;
mod credential;
mod engine;
mod notes;
mod projection;
mod references;
mod refusals;

/// The laws of fuzz targets about what is private to this crate.
#[cfg(fuzzing)]
#[doc(hidden)]
pub mod laws {
    pub use crate::engine::cursor_roundtrip;
}

pub use context::{Access, Context, Principal, TenantId};
pub use counters::Counts;
pub use forwarded::{ClientAddress, ToleratedBelow, client_network, is_host_port};
pub use memory::MemoryStore;
pub use notes::Notes;
pub use options::{BaseUrl, Features, Limits, Options, PatchResponse, UnknownMember};
pub use ports::{
    AuthError, Authenticator, Clock, HashError, IdSource, InPlace, LongWork, MalformedCredential,
    PasswordHasher, SystemClock, UuidSource, bearer_token,
};
pub use provider::{Builder, ServiceProvider};
pub use service::{ResponseBody, ScimService};
pub use store::{ResourceStore, StoreError, StoreErrorKind, StoredResource};

/// The blocks of the workspace's README are tests.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;

/// The blocks of this crate's README are tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct CrateReadme;
