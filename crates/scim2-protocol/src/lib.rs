//! The messages of SCIM 2.0 that client and service provider share
//! ([RFC 7644](https://www.rfc-editor.org/rfc/rfc7644), cursors from
//! [RFC 9865](https://www.rfc-editor.org/rfc/rfc9865)).
//!
//! Both ends read and write each of them with the same type, so neither can drift:
//!
//! - [`QueryParameters`] come out of a query string or a [`SearchRequest`] and go into either; a
//!   [`ListResponse`] answers them.
//! - [`BulkRequest`] and [`BulkResponse`] carry many operations at once.
//! - [`ErrorResponse`] says what went wrong; here, and only here, a [`ScimType`](scim2_core::ScimType)
//!   becomes an HTTP status.
//! - [`Preconditions`] decide on `If-Match` and `If-None-Match`; [`MediaType`] on `Content-Type` and
//!   `Accept`; [`headers`] writes the rest.
//!
//! ```
//! use scim2_core::Compat;
//! use scim2_protocol::{ErrorResponse, QueryParameters, SortOrder};
//!
//! let query = QueryParameters::from_query_str(
//!     "filter=userName+eq+%22ada%22&sortBy=name.familyName&startIndex=0&aadOptscim062020",
//!     &Compat::default(),
//! )?;
//! assert_eq!(query.filter.as_deref(), Some(r#"userName eq "ada""#));
//! assert_eq!(query.start_index, Some(1)); // below 1 means 1, RFC 7644 §3.4.2.4
//! assert_eq!(query.sort_order, SortOrder::Ascending);
//!
//! let error = QueryParameters::from_query_str("filter=", &Compat::default()).unwrap_err();
//! assert_eq!(
//!     ErrorResponse::from(error).to_json(),
//!     r#"{"schemas":["urn:ietf:params:scim:api:messages:2.0:Error"],"status":"400","scimType":"invalidFilter","detail":"expected an expression in `filter`, found nothing"}"#,
//! );
//! # Ok::<(), scim2_protocol::MessageError>(())
//! ```
//!
//! What a client sent is read from an [`Object`](scim2_core::Object), which
//! [`JsonReader`](scim2_core::json::JsonReader) has checked for depth and repeated names; member
//! names of messages match without case. A [`Compat`](scim2_core::Compat) says what is tolerated
//! beyond that. What a service provider answered is read more kindly still: numbers written as
//! strings, statuses written as numbers, members that are missing.
//!
//! A filter is kept as text here, since only who has the schemas and the limits can read it.
//!
//! # Features
//! - `schemars`: JSON Schema of every message.

#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod headers;
pub mod urn;

mod bulk;
mod detail;
mod error_response;
mod list_response;
mod media_type;
mod message;
mod message_error;
mod preconditions;
mod projection;
mod query_parameters;
mod search_request;

pub use bulk::{BulkMethod, BulkOperation, BulkOperationResponse, BulkRequest, BulkResponse, BulkTarget};
pub use detail::Detail;
pub use error_response::{ErrorResponse, status_of};
pub use list_response::ListResponse;
pub use media_type::{MediaType, UnsupportedMediaType};
pub use message_error::{MessageError, MessageErrorKind};
pub use preconditions::{EntityTags, Precondition, Preconditions};
pub use projection::Projection;
pub use query_parameters::{QueryParameters, SortOrder};
pub use search_request::SearchRequest;

/// The blocks of this crate's README are tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
