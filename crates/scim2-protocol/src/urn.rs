//! The URIs of the messages ([RFC 7644 §8.2](https://www.rfc-editor.org/rfc/rfc7644#section-8.2)).
//!
//! A message has its URI in `schemas`. `/Schemas` never lists them.

/// [`ListResponse`](crate::ListResponse).
pub const LIST_RESPONSE: &str = "urn:ietf:params:scim:api:messages:2.0:ListResponse";
/// [`SearchRequest`](crate::SearchRequest).
pub const SEARCH_REQUEST: &str = "urn:ietf:params:scim:api:messages:2.0:SearchRequest";
/// The body of a PATCH request.
pub const PATCH_OP: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";
/// [`BulkRequest`](crate::BulkRequest).
pub const BULK_REQUEST: &str = "urn:ietf:params:scim:api:messages:2.0:BulkRequest";
/// [`BulkResponse`](crate::BulkResponse).
pub const BULK_RESPONSE: &str = "urn:ietf:params:scim:api:messages:2.0:BulkResponse";
/// [`ErrorResponse`](crate::ErrorResponse).
pub const ERROR: &str = "urn:ietf:params:scim:api:messages:2.0:Error";
