//! The SCIM 2.0 messages that clients and service providers share
//! ([RFC 7644](https://www.rfc-editor.org/rfc/rfc7644), cursors from
//! [RFC 9865](https://www.rfc-editor.org/rfc/rfc9865)).
//!
//! Both ends read and write a message with the same type, so they cannot disagree:
//!
//! - [`QueryParameters`] are read from a query string or a [`SearchRequest`], and written to either. A
//!   [`ListResponse`] is the response.
//! - [`BulkRequest`] and [`BulkResponse`] carry many operations in one request.
//! - [`ErrorResponse`] is the body of an error. Only here a [`ScimType`](scim2_core::ScimType)
//!   becomes an HTTP status.
//! - [`Preconditions`] evaluate `If-Match` and `If-None-Match`. [`MediaType`] evaluates `Content-Type` and
//!   `Accept`. [`headers`] writes the other headers.
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
//! Requests are read from an [`Object`](scim2_core::Object), which
//! [`JsonReader`](scim2_core::json::JsonReader) has checked for depth and repeated names. The letter case of member
//! names is ignored. A [`Compat`](scim2_core::Compat) decides which other deviations are tolerated. Responses are read
//! with more tolerance: numbers may be strings, statuses may be numbers, and members may be missing.
//!
//! A filter stays text here, because parsing it needs limits and resolving it needs schemas.
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
