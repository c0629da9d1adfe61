//! A SCIM 2.0 service provider as traits
//! ([RFC 7644](https://www.rfc-editor.org/rfc/rfc7644)): resources below, HTTP requests above, the
//! rules of the protocol between.

pub mod conformance;
pub mod context;
pub mod memory;
pub mod options;
pub mod ports;
pub mod provider;
pub mod service;
pub mod store;

mod engine;
mod projection;

pub use context::{Access, Context, Principal, TenantId};
pub use memory::MemoryStore;
pub use options::{BaseUrl, Features, Limits, Options, PatchResponse, UnknownMember};
pub use ports::{
    AuthError, Authenticator, Clock, HashError, IdSource, PasswordHasher, SystemClock, UuidSource,
};
pub use provider::{Builder, ServiceProvider};
pub use service::ScimService;
pub use store::{ResourceStore, StoreError, StoreErrorKind, StoredResource};
