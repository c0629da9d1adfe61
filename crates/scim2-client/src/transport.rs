use std::error::Error;
use std::fmt;
use std::future::Future;
use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Response};

/// The port below the client: sends one HTTP request and returns its response.
///
/// # Contract
/// - The request is sent once, unchanged: its URI is absolute and encoded, and its headers are complete
///   except for `Host` and `Content-Length`.
/// - Every response is `Ok`, whatever its status. Redirects are not followed, because the client
///   decides which server may see the token.
/// - The body is complete when the future is ready, and its size is bounded: an implementation refuses a larger body with [`TransportErrorKind::TooLarge`].
/// - Dropping the future ends the exchange.
pub trait Transport: Send + Sync {
    /// Sends a request and waits for the response.
    ///
    /// # Errors
    /// If there is no response, or not all of it.
    fn send(
        &self,
        request: Request<Bytes>,
    ) -> impl Future<Output = Result<Response<Bytes>, TransportError>> + Send;
}

impl<T: Transport> Transport for &T {
    fn send(
        &self,
        request: Request<Bytes>,
    ) -> impl Future<Output = Result<Response<Bytes>, TransportError>> + Send {
        T::send(self, request)
    }
}

impl<T: Transport> Transport for Arc<T> {
    fn send(
        &self,
        request: Request<Bytes>,
    ) -> impl Future<Output = Result<Response<Bytes>, TransportError>> + Send {
        T::send(self, request)
    }
}

/// A function as a [`Transport`], for tests and for a service provider in the same process.
#[derive(Debug, Clone, Copy)]
pub struct FnTransport<F>(pub F);

impl<F, A> Transport for FnTransport<F>
where
    F: Fn(Request<Bytes>) -> A + Send + Sync,
    A: Future<Output = Result<Response<Bytes>, TransportError>> + Send,
{
    fn send(
        &self,
        request: Request<Bytes>,
    ) -> impl Future<Output = Result<Response<Bytes>, TransportError>> + Send {
        (self.0)(request)
    }
}

/// Why there is no response.
#[derive(Debug)]
pub struct TransportError {
    kind: TransportErrorKind,
    source: Option<Box<dyn Error + Send + Sync>>,
}

/// The reason for a missing response.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TransportErrorKind {
    /// The connection failed: the name is unknown, the port is closed, or the certificate is not trusted. The
    /// request was not sent.
    Connect,
    /// The time limit was reached. The service provider may have done the request.
    Timeout,
    /// The response is larger than the limit of the transport.
    TooLarge,
    /// The connection broke, or the other side does not speak HTTP. The service provider may have done the request.
    Broken,
}

impl TransportError {
    /// An error without a cause.
    #[must_use]
    pub const fn new(kind: TransportErrorKind) -> Self {
        Self { kind, source: None }
    }

    /// An error with a cause. The cause must not hold the token.
    #[must_use]
    pub fn with_source(kind: TransportErrorKind, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { kind, source: Some(source.into()) }
    }

    /// The reason for a missing response.
    #[must_use]
    pub const fn kind(&self) -> TransportErrorKind {
        self.kind
    }
}

impl fmt::Display for TransportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.kind {
            TransportErrorKind::Connect => "no connection to the service provider",
            TransportErrorKind::Timeout => "the service provider did not answer in time",
            TransportErrorKind::TooLarge => "the response is larger than the limit",
            TransportErrorKind::Broken => "the connection to the service provider broke",
        })
    }
}

impl Error for TransportError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}
