//! The listener: connections in, requests through, and an orderly end.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use http::header::EXPECT;
use http::{Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use scim2_server::ClientAddress;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

use super::deadline::{DeadlineBody, Rest};
use super::refusal::Refusal;
use super::request_line::RequestLine;
use super::yield_before_write::YieldBeforeWrite;

/// The largest head of a request, in bytes: a filter of 16 KiB may be three times as long in a URL.
const MAX_HEAD: usize = 128 * 1024;

/// The most header fields of a request.
const MAX_HEADERS: usize = 100;

/// How long to wait after accepting failed, for example because no file descriptor is left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// How connections are served.
#[derive(Debug, Clone)]
pub(super) struct Rules {
    /// The most connections at a time; more wait in the operating system's queue.
    pub(super) max_connections: usize,
    /// How many proxies are trusted to name the client's address.
    pub(super) trusted_proxies: usize,
    /// How long the head, and then the body, of a request may take to arrive.
    pub(super) request_timeout: Duration,
    /// How long accepted requests may take to finish after `stop`.
    pub(super) shutdown_timeout: Duration,
}

/// Answers requests until `stop` is ready, then finishes those that were accepted. Says `false` if
/// some did not finish in time.
pub(super) async fn serve<H, F, B>(
    listener: TcpListener,
    handler: Arc<H>,
    rules: Rules,
    stop: impl Future<Output = ()>,
) -> bool
where
    H: Fn(Request<DeadlineBody<Incoming>>) -> F + Send + Sync + 'static,
    F: Future<Output = Response<B>> + Send + 'static,
    B: http_body::Body<Data: Send, Error: Into<Box<dyn std::error::Error + Send + Sync>>> + Send + 'static,
{
    let graceful = GracefulShutdown::new();
    let permits = Arc::new(Semaphore::new(rules.max_connections));
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(rules.request_timeout)
        .max_buf_size(MAX_HEAD)
        .max_headers(MAX_HEADERS);

    let mut stop = pin!(stop);
    loop {
        let accepted = async {
            let permit = Arc::clone(&permits).acquire_owned().await;
            (listener.accept().await, permit)
        };
        let (accepted, permit) = tokio::select! {
            () = &mut stop => break,
            accepted = accepted => accepted,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                pause(&error).await;
                continue;
            }
        };
        // Without it small answers wait for the peer's acknowledgement; failing is no reason to refuse.
        let _ = stream.set_nodelay(true);
        let handler = Arc::clone(&handler);
        let Rules { request_timeout: timeout, trusted_proxies, .. } = rules;
        let service = hyper::service::service_fn(move |request: Request<Incoming>| {
            let (mut head, body) = request.into_parts();
            head.extensions.insert(ClientAddress::new(peer, &head.headers, trusted_proxies));
            // Who asks before sending hears the answer instead.
            let asks = head.headers.contains_key(EXPECT);
            let (body, rest) = DeadlineBody::new(body, timeout);
            let answer = handler(Request::from_parts(head, body));
            async move {
                let answer = answer.await;
                // The answer does not wait for what nobody will read.
                if let Some(unread) = rest.filter(|_| !asks).and_then(Rest::unread) {
                    tokio::spawn(unread.discard());
                }
                Ok::<_, Infallible>(answer)
            }
        });
        let connection = http.serve_connection(layered(stream), service);
        let connection = graceful.watch(connection);
        tokio::spawn(async move {
            let _permit = permit;
            if let Err(error) = connection.await {
                tracing::debug!(%error, "connection ended");
            }
        });
    }
    drop(listener);
    tokio::time::timeout(rules.shutdown_timeout, graceful.shutdown()).await.is_ok()
}

/// What lies between a socket and the HTTP library.
pub(super) fn layered<S>(stream: S) -> TokioIo<Refusal<RequestLine<YieldBeforeWrite<S>>>> {
    TokioIo::new(Refusal::new(RequestLine::new(YieldBeforeWrite::new(stream))))
}

/// A connection that was gone before it was accepted is the peer's affair; anything else may last.
async fn pause(error: &io::Error) {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};

    if !matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset) {
        tracing::error!(%error, "a connection cannot be accepted");
        tokio::time::sleep(ACCEPT_PAUSE).await;
    }
}
