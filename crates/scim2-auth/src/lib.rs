//! Authentication for a SCIM 2.0 service provider
//! ([RFC 7644 §2](https://www.rfc-editor.org/rfc/rfc7644#section-2)): bearer tokens, a guard against
//! guessing, and password hashes.
//!
//! ```
//! use bytes::Bytes;
//! use http::{Request, StatusCode};
//! use http_body_util::Full;
//! use scim2_auth::{Argon2id, BearerTokens, MemoryTokens, TokenSecret};
//! use scim2_server::{Access, BaseUrl, MemoryStore, Principal, ServiceProvider, TenantId};
//!
//! // Show the token once, and store its hash.
//! let secret = TokenSecret::generate()?;
//! let tokens = MemoryTokens::new();
//! let okta = Principal { tenant: TenantId::default(), actor: "okta".into(), access: Access::Write, resource: None };
//! tokens.insert(secret.hash(), okta, None);
//!
//! let scim = ServiceProvider::builder(MemoryStore::new())
//!     .options(|options| options.base_url = BaseUrl::fixed("https://example.com/scim/v2"))
//!     .password_hasher(Argon2id::new(2)) // at most two hashes at a time, 19 MiB each
//!     .build()
//!     .service(BearerTokens::new(tokens));
//!
//! # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
//! let request = Request::get("/scim/v2/Users").header("authorization", format!("Bearer {}", secret.reveal()));
//! assert_eq!(scim.handle(request.body(Full::<Bytes>::default())?).await.status(), StatusCode::OK);
//!
//! let request = Request::get("/scim/v2/Users").header("authorization", "Bearer a-guessed-token-1");
//! assert_eq!(scim.handle(request.body(Full::<Bytes>::default())?).await.status(), StatusCode::UNAUTHORIZED);
//! # Ok::<(), http::Error>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # The pieces
//! - [`TokenSecret`] is an opaque token in plain text: generated, or checked if somebody else made it. Only its
//!   [`TokenHash`] is stored.
//! - [`BearerTokens`] is the [`Authenticator`](scim2_server::Authenticator). It finds the principal of a token in
//!   a [`TokenSource`], and delays the answers to an address that sends tokens that are not valid. The address is
//!   the [`ClientAddress`](scim2_server::ClientAddress) in the extensions of the request; without it nothing is
//!   delayed.
//! - [`MemoryTokens`] is a `TokenSource` in memory. The stores of `scim2-store` are `TokenSource`s if its
//!   feature `auth` is on. Any other database needs one method.
//! - [`Argon2id`] is a [`PasswordHasher`](scim2_server::PasswordHasher).
//!
//! # Timing
//! A token is looked up by its SHA-256 hash. The time of a look-up depends on hashes, which an attacker cannot
//! choose, so it tells nothing about tokens. Hashes are compared in constant time all the same.
//!
//! # Limits
//! Delays and password hashes run on tokio: its timer must be enabled.
//!
//! JWT access tokens ([RFC 9068](https://www.rfc-editor.org/rfc/rfc9068)) and scopes are not here yet. A token
//! that is verified by a signature instead of a look-up is another `Authenticator`: it will stand beside
//! `bearer.rs` in `jwt.rs`. What a principal may do beyond [`Access`](scim2_server::Access) will be a field of
//! [`Principal`](scim2_server::Principal), filled in here and enforced in `scim2-server`.

mod bearer;
mod guard;
mod memory;
mod password;
mod token;

pub use bearer::{BearerTokens, TokenSource};
pub use memory::MemoryTokens;
pub use password::{Argon2id, hash_password};
pub use token::{GenerateError, TokenHash, TokenSecret};

/// The blocks of this crate's README are tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
