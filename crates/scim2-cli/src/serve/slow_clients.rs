//! Tests: a client that reads slowly, or not at all, costs the server nothing while it does not read.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream;
use http::{Request, Response};
use http_body::Frame;
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt as _, Full, StreamBody};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use scim2_protocol::MediaType;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};
use tokio::task::yield_now;

use super::connections::{ConnectionLimits, Connections, drive};
use super::listener::layered;
use super::refusal::Refuse;

/// The capacity of each direction of the connection in bytes, like that of a socket buffer.
const SOCKET_BUFFER: usize = 1024;

/// A future whose polls are counted.
struct Counted<F> {
    future: Pin<Box<F>>,
    polls: Arc<AtomicUsize>,
}

impl<F: Future> Future for Counted<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        self.polls.fetch_add(1, Ordering::Relaxed);
        self.future.as_mut().poll(cx)
    }
}

/// Lets all tasks run until they wait for the client. A task that wakes itself is polled again and again.
async fn settle() {
    for _ in 0..200 {
        yield_now().await;
    }
}

/// Serves these pipelined requests to a client that reads nothing at first, and then a little at a time.
async fn check(name: &str, requests: &str, body: fn() -> BoxBody<Bytes, Infallible>) {
    let (mut client, server) = duplex(SOCKET_BUFFER);
    let service =
        service_fn(move |_: Request<Incoming>| async move { Ok::<_, Infallible>(Response::new(body())) });
    let connections = Connections::new(ConnectionLimits {
        served: 1,
        per_source: 1,
        send_timeout: Duration::from_secs(60),
    });
    let lease = connections.admit([127, 0, 0, 1].into());
    let refuse: Refuse = Arc::new(|_, _, error| error.to_response(MediaType::ScimJson));
    let stream = layered(server, &lease, Arc::default(), true, (refuse, [127, 0, 0, 1].into()));
    let connection = drive(http1::Builder::new().serve_connection(stream, service), lease);
    let polls = Arc::new(AtomicUsize::new(0));
    tokio::spawn(Counted { future: Box::pin(connection), polls: Arc::clone(&polls) });
    client.write_all(requests.as_bytes()).await.expect("it reads");

    settle().await;
    let full = polls.load(Ordering::Relaxed);
    settle().await;
    assert_eq!(polls.load(Ordering::Relaxed), full, "{name}: polls while the client reads nothing");

    let (mut reads, mut arrived, mut part) = (0, 0, [0; 256]);
    loop {
        let read = client.read(&mut part).await.expect("it writes");
        if read == 0 {
            break;
        }
        (reads, arrived) = (reads + 1, arrived + read);
        settle().await;
    }
    assert!(arrived > 3 * SOCKET_BUFFER, "{name}: {arrived} bytes are too few to fill the socket");
    let polls = polls.load(Ordering::Relaxed) - full;
    // Each read makes room, which costs one poll, and the write that follows yields once, which costs another. Each
    // answer begins with a write of its own.
    let bound = 2 * (reads + requests.matches("GET").count());
    assert!(polls <= bound, "{name}: {polls} polls for {reads} reads");
}

fn whole(size: usize) -> BoxBody<Bytes, Infallible> {
    Full::new(Bytes::from(vec![b'x'; size])).boxed()
}

fn streamed(pieces: usize, size: usize) -> BoxBody<Bytes, Infallible> {
    let frames = (0..pieces).map(move |_| Ok(Frame::data(Bytes::from(vec![b'x'; size]))));
    StreamBody::new(stream::iter(frames)).boxed()
}

fn pipelined(version: &str, count: usize) -> String {
    let one = format!("GET / HTTP/{version}\r\nHost: x\r\n\r\n");
    format!("{}GET / HTTP/{version}\r\nHost: x\r\nConnection: close\r\n\r\n", one.repeat(count - 1))
}

#[tokio::test]
async fn small_answers_cost_no_polls_while_the_client_does_not_read() {
    check("small", &pipelined("1.1", 20), || whole(200)).await;
}

#[tokio::test]
async fn page_costs_no_polls_while_the_client_does_not_read() {
    check("page", &pipelined("1.1", 1), || whole(100_000)).await;
    check("page over HTTP/1.0", &pipelined("1.0", 1), || whole(100_000)).await;
}

#[tokio::test]
async fn streamed_group_costs_no_polls_while_the_client_does_not_read() {
    check("group", &pipelined("1.1", 1), || streamed(50, 4_000)).await;
    check("group in large pieces", &pipelined("1.1", 2), || streamed(3, 100_000)).await;
    check("group over HTTP/1.0", &pipelined("1.0", 1), || streamed(50, 4_000)).await;
}
