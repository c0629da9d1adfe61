//! The listener: connections in, requests through, and an orderly end.

use std::future::Future;
use std::io;
use std::net::IpAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;
use tokio::time::interval;

use super::connections::{
    ConnectionLimits, Connections, Lease, Place, Reset, SWEEP_INTERVAL, Watched, drive,
};
use super::deadline::DeadlineBody;
use super::exchange::Exchanges;
use super::framed::{Framed, Progress};
use super::once_a_minute::OncePerMinute;
use super::refusal::{Refusal, Refuse};
use super::yield_before_write::YieldBeforeWrite;

/// The largest head of a request, in bytes: a filter of 16 KiB may be three times as long in a URL.
const MAX_HEAD: usize = 128 * 1024;

/// The most header fields of a request.
const MAX_HEADERS: usize = 100;

/// How long to wait after accepting failed, for example because no file descriptor is left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// How long the head of a request may take to arrive on a connection of the reserve.
const RESERVED_TIMEOUT: Duration = Duration::from_secs(5);

/// How connections are served.
#[derive(Debug, Clone)]
pub(super) struct Rules {
    /// How many connections are served, and how long their clients may take nothing.
    pub(super) connections: ConnectionLimits,
    /// How many proxies are trusted to name the client's address.
    pub(super) trusted_proxies: usize,
    /// Whether raw quotes in targets are encoded.
    pub(super) raw_quotes: bool,
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
    refuse: Refuse,
    rules: Rules,
    stop: impl Future<Output = ()>,
) -> bool
where
    H: Fn(Request<DeadlineBody<Incoming>>, Place) -> F + Send + Sync + 'static,
    F: Future<Output = Response<B>> + Send + 'static,
    B: Body<Data: Send, Error: Into<Box<dyn std::error::Error + Send + Sync>>>
        + From<Full<Bytes>>
        + Send
        + Unpin
        + 'static,
{
    let connections = Connections::new(rules.connections);
    let mut served = http1::Builder::new();
    served
        .timer(TokioTimer::new())
        .header_read_timeout(rules.request_timeout)
        .max_buf_size(MAX_HEAD)
        .max_headers(MAX_HEADERS);
    // A connection of the reserve is for one request, which comes at once.
    let mut reserved = served.clone();
    reserved.keep_alive(false).header_read_timeout(rules.request_timeout.min(RESERVED_TIMEOUT));

    let (refused, failed) = (OncePerMinute::default(), OncePerMinute::default());
    let mut sweeps = interval(SWEEP_INTERVAL);
    let mut stop = pin!(stop);
    loop {
        let accepted = tokio::select! {
            () = &mut stop => break,
            _ = sweeps.tick() => {
                connections.sweep();
                continue;
            }
            accepted = async {
                connections.dropped_have_ended().await;
                listener.accept().await
            } => accepted,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                pause(&error, &connections, &failed).await;
                continue;
            }
        };
        let lease = connections.admit(peer.ip());
        if let Some(limit) = lease.place().limit()
            && let Some(before) = refused.note()
        {
            tracing::warn!(%peer, before, "connections are refused: {limit}; see max_connections");
        }
        // Without it small answers wait for the peer's acknowledgement; failing is no reason to refuse.
        let _ = stream.set_nodelay(true);
        let http = if lease.place() == Place::Served { &served } else { &reserved };
        let progress = Arc::<Progress>::default();
        let exchanges = Exchanges {
            handler: Arc::clone(&handler),
            place: lease.place(),
            activity: Arc::clone(lease.activity()),
            peer,
            trusted_proxies: rules.trusted_proxies,
            request_timeout: rules.request_timeout,
            progress: Arc::clone(&progress),
            refuse: Arc::clone(&refuse),
        };
        let service = service_fn(move |request: Request<Incoming>| exchanges.answer(request));
        let stream = layered(stream, &lease, progress, rules.raw_quotes, (Arc::clone(&refuse), peer.ip()));
        let connection = http.serve_connection(stream, service);
        tokio::spawn(drive(connection, lease));
    }
    drop(listener);
    connections.close(rules.shutdown_timeout).await
}

/// What lies between a socket and the HTTP library.
pub(super) fn layered<S: Reset>(
    stream: S,
    lease: &Lease,
    progress: Arc<Progress>,
    raw_quotes: bool,
    (refuse, peer): (Refuse, IpAddr),
) -> TokioIo<Layers<S>> {
    let watched = Watched::new(stream, Arc::clone(lease.activity()));
    let framed = Framed::new(YieldBeforeWrite::new(watched), Arc::clone(&progress), raw_quotes);
    TokioIo::new(Refusal::new(framed, refuse, peer, progress))
}

/// The layers of a connection, the socket innermost.
pub(super) type Layers<S> = Refusal<Framed<YieldBeforeWrite<Watched<S>>>>;

/// A connection that was gone before it was accepted is the peer's affair. Anything else may last, such as a process
/// that can open no more files: an idle connection makes room, and one line a minute says so.
async fn pause(error: &io::Error, connections: &Connections, failed: &OncePerMinute) {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};

    if matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset) {
        return;
    }
    if let Some(before) = failed.note() {
        tracing::error!(%error, before, "connections cannot be accepted");
    }
    connections.close_an_idle_one();
    tokio::time::sleep(ACCEPT_PAUSE).await;
}
