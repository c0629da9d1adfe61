//! The answer on a connection that is not served.

use bytes::Bytes;
use http::header::RETRY_AFTER;
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use http_body_util::Full;
use scim2_protocol::{ErrorResponse, MediaType};

use super::connections::Limit;

/// The seconds after which a client may try again.
const RETRY_SECONDS: u64 = 5;

/// 503 where the server has no connection left, 429 where the client has used up its share.
pub(super) fn answer(limit: Limit, headers: &HeaderMap) -> Response<Full<Bytes>> {
    let status = match limit {
        Limit::All => StatusCode::SERVICE_UNAVAILABLE,
        Limit::Source => StatusCode::TOO_MANY_REQUESTS,
    };
    let error = ErrorResponse::new(status).with_detail(format!("{limit}; try again later"));
    let mut response: Response<Full<Bytes>> = error.to_response(MediaType::of_answer(headers));
    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(RETRY_SECONDS));
    response
}
