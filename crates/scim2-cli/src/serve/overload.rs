//! The answer to a request on a connection of the reserve.

use http::{HeaderValue, StatusCode};
use scim2_protocol::{Detail, ErrorResponse};

use super::connections::Limit;

/// The seconds after which a client may try again.
pub(super) const RETRY_AFTER: HeaderValue = HeaderValue::from_static("5");

/// 503 where the server has no connection left, 429 where the client has used up its share.
pub(super) fn refuse(limit: Limit) -> ErrorResponse {
    let status = match limit {
        Limit::All => StatusCode::SERVICE_UNAVAILABLE,
        Limit::Source => StatusCode::TOO_MANY_REQUESTS,
    };
    ErrorResponse::new(status).with_detail(Detail::of_names(format!("{limit}; try again later")))
}
