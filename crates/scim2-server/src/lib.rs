//! A SCIM 2.0 service provider as traits
//! ([RFC 7644](https://www.rfc-editor.org/rfc/rfc7644)): resources below, HTTP requests above, the
//! rules of the protocol between.

pub mod context;
pub mod ports;
pub mod store;

pub use context::{Access, Context, Principal, TenantId};
pub use ports::{AuthError, Authenticator, Clock, HashError, IdSource, PasswordHasher};
pub use store::{ResourceStore, StoreError, StoreErrorKind, StoredResource};
