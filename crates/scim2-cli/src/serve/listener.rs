//! The listener: it accepts connections, hands their requests to a service, and ends in order.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::net::IpAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;
use tokio::time::interval;
use tower_service::Service;

use super::connections::{
    ConnectionLimits, Connections, Lease, Place, Reset, SWEEP_INTERVAL, Watched, drive,
};
use super::deadline::BoxError;
use super::exchange::{Exchanges, RequestBody};
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
    /// How many connections are served, and how long their clients may take no bytes.
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

/// Hands requests to a service until `stop` is ready, then finishes those that were accepted. Returns `false` if some
/// did not finish in time.
///
/// The extensions of each request hold the [`ClientAddress`](scim2_server::ClientAddress), and the [`Place`] of its
/// connection unless that is served without limits.
pub(super) async fn serve<S, B>(
    listener: TcpListener,
    service: S,
    refuse: Refuse,
    rules: Rules,
    stop: impl Future<Output = ()>,
) -> bool
where
    S: Service<Request<RequestBody>, Response = Response<B>, Error = Infallible, Future: Send>
        + Clone
        + Send
        + 'static,
    B: Body<Data = Bytes, Error: Into<BoxError>> + Send + Unpin + 'static,
{
    let connections = Connections::new(rules.connections);
    let mut served = http1::Builder::new();
    served
        .timer(TokioTimer::new())
        .header_read_timeout(rules.request_timeout)
        .max_buf_size(MAX_HEAD)
        .max_headers(MAX_HEADERS);
    // A connection of the reserve serves one request, which must arrive soon.
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
        // Without TCP_NODELAY, small answers wait for the peer's acknowledgement. An error only means slower answers.
        let _ = stream.set_nodelay(true);
        let http = if lease.place() == Place::Served { &served } else { &reserved };
        let progress = Arc::<Progress>::default();
        let exchanges = Exchanges {
            service: service.clone(),
            place: lease.place(),
            activity: Arc::clone(lease.activity()),
            peer,
            trusted_proxies: rules.trusted_proxies,
            request_timeout: rules.request_timeout,
            progress: Arc::clone(&progress),
            refuse: Arc::clone(&refuse),
        };
        let answer = service_fn(move |request: Request<Incoming>| exchanges.answer(request));
        let stream = layered(stream, &lease, progress, rules.raw_quotes, (Arc::clone(&refuse), peer.ip()));
        let connection = http.serve_connection(stream, answer);
        tokio::spawn(drive(connection, lease));
    }
    drop(listener);
    connections.close(rules.shutdown_timeout).await
}

/// Puts the layers of a connection between its socket and the HTTP library.
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

/// Waits after accepting a connection failed. A connection that the peer closed before it was accepted needs no wait.
/// Other errors may last, for example if the process can open no more files: then an idle connection is closed, and one
/// line per minute is logged.
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

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use http_body_util::{BodyExt as _, Full};
    use scim2_protocol::MediaType;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpStream;
    use tokio::sync::oneshot;
    use tower::{ServiceBuilder, service_fn};

    use super::*;

    #[tokio::test]
    async fn service_with_layers_answers_and_the_listener_ends_in_order() {
        let echo = service_fn(|request: Request<RequestBody>| async {
            let body = request.into_body().collect().await.map(|body| body.to_bytes());
            Ok::<_, Infallible>(Response::new(Full::new(body.unwrap_or_default())))
        });
        let service = ServiceBuilder::new()
            .map_response(|mut answer: Response<Full<Bytes>>| {
                answer.headers_mut().insert("x-layer", HeaderValue::from_static("seen"));
                answer
            })
            .service(echo);
        let refuse: Refuse = Arc::new(|_, _, error| error.to_response(MediaType::ScimJson));
        let rules = Rules {
            connections: ConnectionLimits { served: 1, per_source: 1, send_timeout: Duration::from_secs(60) },
            trusted_proxies: 0,
            raw_quotes: false,
            request_timeout: Duration::from_secs(60),
            shutdown_timeout: Duration::from_secs(60),
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let (stop, stopped) = oneshot::channel::<()>();
        let served = tokio::spawn(serve(listener, service, refuse, rules, async {
            let _ = stopped.await;
        }));

        let mut client = TcpStream::connect(address).await.expect("it listens");
        let request = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi";
        client.write_all(request).await.expect("it reads");
        let mut answer = Vec::new();
        while !answer.ends_with(b"hi") {
            assert_ne!(client.read_buf(&mut answer).await.expect("it writes"), 0);
        }
        let answer = String::from_utf8_lossy(&answer);
        assert!(answer.starts_with("HTTP/1.1 200 ") && answer.contains("\r\nx-layer: seen\r\n"), "{answer}");
        stop.send(()).expect("it runs");
        assert!(served.await.expect("it ends"));
    }
}
