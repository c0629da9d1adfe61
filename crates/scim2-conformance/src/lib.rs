//! Recorded SCIM 2.0 exchanges: what a client sent, and what a service provider should make of it.
//!
//! The crate holds three things:
//!
//! - [`Exchange`] is the format: a request, the resources that exist before it, and the expected response and state.
//! - [`read_exchanges`] reads a list of exchanges from JSON.
//! - [`Runner`](replay::Runner) replays exchanges against a service provider and returns a [`Report`](replay::Report). It
//!   sends requests through any [`Transport`](scim2_client::Transport): over the network, or into a
//!   [`tower_service::Service`] in the same process ([`ServiceTransport`](replay::ServiceTransport)).
//!
//! ```
//! # #[cfg(feature = "replay")] {
//! # use scim2_server::{Access, AuthError, Authenticator, MemoryStore, Principal, ServiceProvider, TenantId};
//! # struct AnyToken;
//! # impl Authenticator for AnyToken {
//! #     async fn authenticate(&self, _: &http::request::Parts) -> Result<Principal, AuthError> {
//! #         let tenant = TenantId::parse("default").ok_or(AuthError::Invalid)?;
//! #         Ok(Principal { tenant, actor: "test".into(), access: Access::Write, resource: None })
//! #     }
//! # }
//! # let service = ServiceProvider::builder(MemoryStore::new()).build().service(AnyToken);
//! use scim2_conformance::read_exchanges;
//! use scim2_conformance::replay::{Runner, ServiceTransport};
//!
//! let exchanges = read_exchanges(br#"[{
//!     "id": "acme-client-deactivate", "vendor": "acme", "role": "client",
//!     "summary": "deactivates an account", "evidence": "captured", "quirks": ["Q-STRING-BOOL"],
//!     "given": [{"$handle": "alice", "$type": "User", "userName": "alice", "active": true}],
//!     "request": {
//!         "method": "PATCH", "path": "/Users/{alice}", "headers": {"Authorization": "Bearer {token}"},
//!         "body": {"Operations": [{"op": "Replace", "path": "active", "value": "False"}]}
//!     },
//!     "expect": {"status": [200, 204], "notes": "the account is disabled", "resulting_state": {"active": false}},
//!     "source": "a log"
//! }]"#)?;
//!
//! // `service` is any `tower_service::Service` of `http` requests. Every user and group in it is deleted.
//! let runner = Runner::for_disposable_service(ServiceTransport(service), "http://localhost/scim/v2", "a-token");
//! let report = futures_executor::block_on(runner.run(&exchanges));
//! assert_eq!(report.failed().count(), 0, "{report}");
//! # }
//! # Ok::<(), scim2_conformance::ReadError>(())
//! ```
//!
//! # Limits
//! This is not a conformance checker yet. It brings no exchanges of its own, it knows no sections of the RFCs, and a
//! passed replay says only that the service provider does what these exchanges expect. Given resources are users and
//! groups of the standard schemas. The runner deletes every user and group of the service provider before an exchange.
//!
//! # Features
//! - `replay` (on by default): the runner. Without it the crate depends on serde only.

#![cfg_attr(docsrs, feature(doc_cfg))]

mod exchange;
#[cfg(feature = "replay")]
pub mod replay;

pub use exchange::{Evidence, Exchange, ExchangeRequest, Expectation, ReadError, Role, read_exchanges};

/// The blocks of this crate's README are tests.
#[cfg(all(doctest, feature = "replay"))]
#[doc = include_str!("../README.md")]
struct Readme;
