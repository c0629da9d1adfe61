//! A SCIM 2.0 client ([RFC 7644](https://www.rfc-editor.org/rfc/rfc7644)) over any HTTP transport.
//!
//! ```
//! # use bytes::Bytes;
//! # use scim2_client::{FnTransport, TransportError};
//! # async fn answer(request: http::Request<Bytes>) -> Result<http::Response<Bytes>, TransportError> {
//! #     assert_eq!(request.uri(), "https://example.com/scim/v2/Users?filter=userName%20eq%20%22ada%22&startIndex=1&count=100");
//! #     assert_eq!(request.headers()["authorization"], "Bearer s3cret");
//! #     let body = r#"{"totalResults":1,"Resources":[{"id":"7","userName":"ada"}]}"#;
//! #     Ok(http::Response::new(Bytes::from_static(body.as_bytes())))
//! # }
//! # let transport = FnTransport(answer);
//! # futures_util::FutureExt::now_or_never(async {
//! use scim2_client::{BaseUrl, BearerToken, Client};
//! use scim2_core::Object;
//! use scim2_protocol::QueryParameters;
//!
//! let client = Client::new(transport, BaseUrl::parse("https://example.com/scim/v2")?)
//!     .bearer_token(BearerToken::new("s3cret")?);
//! assert!(!format!("{client:?}").contains("s3cret"));
//!
//! let users = client.endpoint::<Object>("/Users");
//! let query = QueryParameters { filter: Some(r#"userName eq "ada""#.into()), ..Default::default() };
//! let mut pages = users.pages(query);
//! while let Some(page) = pages.next_page().await? {
//!     assert_eq!(page.resources[0].get_str("id"), Some("7"));
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # }).expect("ready at once")?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Over the network, with the feature `reqwest`:
//!
//! ```no_run
//! # #[cfg(feature = "reqwest")]
//! # fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use scim2_client::{BaseUrl, BearerToken, Client, ReqwestTransport};
//!
//! let client = Client::new(ReqwestTransport::new()?, BaseUrl::parse("https://example.com/scim/v2")?)
//!     .bearer_token(BearerToken::new("s3cret")?);
//! # drop(client);
//! # Ok(())
//! # }
//! ```
//!
//! - [`Transport`] is the port below: it sends an `http::Request` and returns an `http::Response`. The
//!   feature `reqwest` adds one for the network. [`FnTransport`] turns a function into one, for tests
//!   and for a service provider in the same process.
//! - [`Client`] has the base URL and the token. [`Client::endpoint`] returns the operations on a
//!   resource type, as [`Object`](scim2_core::Object) or as any type that serde reads and writes.
//!   [`Client::of`] returns those of a [`ScimResource`], which knows its endpoint.
//! - Expected outcomes are values: [`Retrieved`] and [`Written`] say whether a resource is missing or
//!   has another version. Everything else is a [`ClientError`].
//!
//! Every message is read and written by [`scim2_protocol`], as the service provider does.
//!
//! # Deviations of service providers
//! The client tolerates bodies with the wrong content type, statuses written as numbers, error pages in HTML, pages that
//! are smaller than requested, and providers that ignore paging. A 404 means that a resource
//! is missing only if its body is a SCIM error. Otherwise the base URL may be wrong.
//!
//! # Not in this crate
//! The client does not retry, wait or cache, because that needs a clock and a policy.
//!
//! # Features
//! - `reqwest`: `ReqwestTransport`, with TLS by rustls.

#![cfg_attr(docsrs, feature(doc_cfg))]

mod base_url;
mod bearer_token;
mod bulk;
mod client;
mod discovery;
mod endpoint;
mod error;
mod exchange;
mod json;
mod me;
mod outcome;
mod transport;

#[cfg(feature = "reqwest")]
mod reqwest_transport;

pub use base_url::{BaseUrl, BaseUrlError};
pub use bearer_token::{BearerToken, BearerTokenError};
pub use client::Client;
pub use endpoint::{Endpoint, Pages, RetrieveOptions, ScimResource, WriteOptions};
pub use error::{ClientError, ClientErrorKind};
pub use me::Me;
pub use outcome::{Retrieved, Stored, Written};
#[cfg(feature = "reqwest")]
pub use reqwest_transport::ReqwestTransport;
pub use transport::{FnTransport, Transport, TransportError, TransportErrorKind};

/// The blocks of this crate's README are tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
