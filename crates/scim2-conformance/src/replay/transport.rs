//! Ways to send a request: exactly as an exchange writes it, or into a service in the same process.

use std::fmt::Write as _;
use std::future::poll_fn;

use bytes::Bytes;
use http::{Request, Response, Uri};
use http_body::Body;
use http_body_util::{BodyExt, Full, Limited};
use scim2_client::{Transport, TransportError, TransportErrorKind};
use tower_service::Service;

/// The request target below the base URL, exactly as the exchange writes it. Each request of a
/// [`Runner`](super::Runner) has it among its [extensions](Request::extensions).
///
/// Real clients send quotes and spaces that no URI may have. The URI of the request has them percent-encoded, which means
/// the same. A transport that can send any bytes may send this target instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExactTarget(pub String);

/// A [`tower_service::Service`] in the same process as a [`Transport`]. Its response body may have up to 64 MiB.
#[derive(Clone, Copy, Debug)]
pub struct ServiceTransport<S>(pub S);

/// The largest response body that a [`ServiceTransport`] reads, in bytes.
const MAX_BODY: usize = 64 << 20;

type BoxError = Box<dyn std::error::Error + Send + Sync>;

impl<S, B> Transport for ServiceTransport<S>
where
    S: Service<Request<Full<Bytes>>, Response = Response<B>> + Clone + Send + Sync,
    S::Future: Send,
    S::Error: Into<BoxError>,
    B: Body + Send,
    B::Data: Send,
    B::Error: Into<BoxError>,
{
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, TransportError> {
        let broken = |error| TransportError::with_source(TransportErrorKind::Broken, error);
        let mut service = self.0.clone();
        poll_fn(|cx| service.poll_ready(cx)).await.map_err(|error| broken(error.into()))?;
        let response = service.call(request.map(Full::new)).await.map_err(|error| broken(error.into()))?;
        let (head, body) = response.into_parts();
        match Limited::new(body, MAX_BODY).collect().await {
            Ok(body) => Ok(Response::from_parts(head, body.to_bytes())),
            Err(error) if error.is::<http_body_util::LengthLimitError>() => {
                Err(TransportError::new(TransportErrorKind::TooLarge))
            }
            Err(error) => Err(broken(error)),
        }
    }
}

/// The URI of a target below the base URL. Characters that no URI may have are percent-encoded.
pub(super) fn uri(base_url: &str, target: &str) -> Result<Uri, String> {
    let encoded =
        encode(target, |byte| byte.is_ascii_alphanumeric() || b"-._~:/?#[]@!$&'()*+,;=%".contains(&byte));
    format!("{base_url}{encoded}")
        .parse()
        .map_err(|error| format!("`{base_url}{target}` is not a URI: {error}"))
}

/// A query key or value with everything percent-encoded but the unreserved characters
/// ([RFC 3986 §2.3](https://www.rfc-editor.org/rfc/rfc3986#section-2.3)).
pub(super) fn encode_value(text: &str) -> String {
    encode(text, |byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte))
}

fn encode(text: &str, is_plain: impl Fn(u8) -> bool) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if is_plain(byte) {
            encoded.push(char::from(byte));
        } else {
            // INVARIANT: writing to a `String` never fails.
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn target_with_raw_quotes_and_spaces_becomes_a_uri() {
        let uri =
            uri("https://example.com/scim/v2", "/Users?filter=userName eq \"ä\"&a=%20+[]").expect("a URI");
        assert_eq!(
            uri.to_string(),
            "https://example.com/scim/v2/Users?filter=userName%20eq%20%22%C3%A4%22&a=%20+[]"
        );
        assert_eq!(encode_value("a+b c"), "a%2Bb%20c");
    }
}
