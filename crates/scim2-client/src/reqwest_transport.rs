use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::{Request, Response};

use crate::transport::{Transport, TransportError, TransportErrorKind};

/// A [`Transport`] over the network by `reqwest`, with TLS by rustls.
///
/// ```no_run
/// use scim2_client::{BaseUrl, Client, ReqwestTransport};
///
/// let client = Client::new(ReqwestTransport::new()?, BaseUrl::parse("https://example.com/scim/v2")?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct ReqwestTransport {
    client: reqwest::Client,
    max_body: usize,
}

impl ReqwestTransport {
    /// How long a whole exchange may take. A page of 1,000 users from a slow provider takes a few
    /// seconds. After a minute the provider will probably not respond.
    pub const TIMEOUT: Duration = Duration::from_secs(60);

    /// The default limit of a response body, in bytes. [`max_body`](Self::max_body) sets another.
    pub const DEFAULT_MAX_BODY: usize = 64 * 1024 * 1024;

    /// A transport with its own connection pool. It follows no redirects and waits at most
    /// [`TIMEOUT`](Self::TIMEOUT).
    ///
    /// # Errors
    /// [`Connect`](TransportErrorKind::Connect) if TLS cannot be set up.
    pub fn new() -> Result<Self, TransportError> {
        reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(Self::TIMEOUT)
            .build()
            .map(Self::from)
            .map_err(|error| TransportError::with_source(TransportErrorKind::Connect, error))
    }

    /// Sets the limit of a response body, in bytes.
    #[must_use]
    pub const fn max_body(mut self, bytes: usize) -> Self {
        self.max_body = bytes;
        self
    }
}

impl From<reqwest::Client> for ReqwestTransport {
    /// Uses a client with your own settings: proxies, certificates, timeouts. It should not follow
    /// redirects.
    fn from(client: reqwest::Client) -> Self {
        Self { client, max_body: Self::DEFAULT_MAX_BODY }
    }
}

impl Transport for ReqwestTransport {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, TransportError> {
        let request = request.map(reqwest::Body::from).try_into().map_err(transport_error)?;
        let mut response = self.client.execute(request).await.map_err(transport_error)?;
        if response.content_length().is_some_and(|length| length > self.max_body as u64) {
            return Err(TransportError::new(TransportErrorKind::TooLarge));
        }
        let mut body = BytesMut::new();
        while let Some(chunk) = response.chunk().await.map_err(transport_error)? {
            if body.len() + chunk.len() > self.max_body {
                return Err(TransportError::new(TransportErrorKind::TooLarge));
            }
            body.extend_from_slice(&chunk);
        }
        let mut answer = Response::new(body.freeze());
        *answer.status_mut() = response.status();
        *answer.version_mut() = response.version();
        *answer.headers_mut() = std::mem::take(response.headers_mut());
        Ok(answer)
    }
}

fn transport_error(error: reqwest::Error) -> TransportError {
    let kind = if error.is_timeout() {
        TransportErrorKind::Timeout
    } else if error.is_connect() || error.is_builder() {
        TransportErrorKind::Connect
    } else {
        TransportErrorKind::Broken
    };
    // The URL may hold a filter with personal data.
    TransportError::with_source(kind, error.without_url())
}
