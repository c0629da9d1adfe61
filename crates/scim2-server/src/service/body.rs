use std::error::Error;
use std::io;
use std::pin::pin;

use bytes::{Buf, Bytes};
use http::header::CONTENT_ENCODING;
use http::{HeaderMap, StatusCode};
use http_body::Body;
use http_body_util::BodyExt;
use scim2_protocol::{ErrorResponse, MediaType};

use super::over_budget;
use crate::context::Context;
use crate::in_flight::{COUNTED_FROM, HeldBytes};

/// The error of any body.
pub(super) type BoxError = Box<dyn Error + Send + Sync>;

/// Reads the body of a request, at most `limit` bytes. The bytes of a body that is large enough to be counted
/// stay counted until the returned [`HeldBytes`] are dropped.
pub(super) async fn read<B>(
    cx: &Context,
    headers: &HeaderMap,
    body: B,
    limit: usize,
    too_large: impl Fn() -> ErrorResponse,
) -> Result<(Bytes, Option<HeldBytes>), ErrorResponse>
where
    B: Body,
    B::Error: Into<BoxError>,
{
    MediaType::of_body(headers)?;
    check_coding(headers)?;
    if body.size_hint().lower() > limit as u64 {
        return Err(too_large());
    }
    // A body of known length is read into one allocation. Only the part that has arrived takes memory.
    let length = body.size_hint().exact().and_then(|length| usize::try_from(length).ok()).unwrap_or_default();
    let mut body = pin!(body);
    let mut held: Option<HeldBytes> = None;
    let mut first: Option<Bytes> = None;
    let mut more: Vec<u8> = Vec::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| unreadable(&*error.into()))?;
        let Ok(mut data) = frame.into_data() else { continue };
        let have = first.as_ref().map_or(more.len(), Bytes::len);
        if have + data.remaining() > limit {
            return Err(too_large());
        }
        let have = (have + data.remaining()) as u64;
        if have > COUNTED_FROM as u64 {
            let held = held.get_or_insert_with(|| cx.hold_bytes_anyway(0));
            held.grow(have - held.bytes()).map_err(over_budget)?;
        }
        match first.take() {
            // Most bodies come in one piece, which is not copied.
            None if more.is_empty() => first = Some(data.copy_to_bytes(data.remaining())),
            None => more.extend_from_slice(&data.copy_to_bytes(data.remaining())),
            Some(bytes) => {
                more.reserve_exact(length);
                more.extend_from_slice(&bytes);
                more.extend_from_slice(&data.copy_to_bytes(data.remaining()));
            }
        }
    }
    Ok((first.unwrap_or_else(|| Bytes::from(more)), held))
}

/// The answer to a body that broke off, or came too slowly: a timeout is an [`io::ErrorKind::TimedOut`] among
/// the causes of the error.
fn unreadable(error: &(dyn Error + Send + Sync + 'static)) -> ErrorResponse {
    tracing::debug!(%error, "the body of a request could not be read");
    let mut cause: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(error) = cause {
        let io = error.downcast_ref::<io::Error>();
        if io.is_some_and(|error| error.kind() == io::ErrorKind::TimedOut) {
            return ErrorResponse::new(StatusCode::REQUEST_TIMEOUT)
                .with_detail("the body of the request did not arrive in time");
        }
        cause = error.source();
    }
    ErrorResponse::of_scim_type(
        scim2_core::ScimType::InvalidSyntax,
        "the body of the request ended before its time",
    )
}

/// Refuses a compressed body as such ([RFC 9110 §8.4](https://www.rfc-editor.org/rfc/rfc9110#section-8.4)), not
/// as broken JSON.
fn check_coding(headers: &HeaderMap) -> Result<(), ErrorResponse> {
    let plain =
        |value: &http::HeaderValue| value.is_empty() || value.as_bytes().eq_ignore_ascii_case(b"identity");
    if headers.get_all(CONTENT_ENCODING).iter().all(plain) {
        return Ok(());
    }
    let refused = ErrorResponse::new(StatusCode::UNSUPPORTED_MEDIA_TYPE);
    Err(refused.with_detail("expected a body without content coding"))
}
