//! Drives a server over keep-alive connections.
//!
//! Closed loop: each connection sends its next request when it has read the whole answer to the last one, so the server
//! decides the rate. Open loop: requests are due at fixed times, whatever the server does, and the time of a request
//! begins when it is due. One slow answer is then seen in all requests that waited for it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use hdrhistogram::Histogram;
use http::Request;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;

use crate::Result;
use crate::random::Random;

/// Makes the next request of a connection.
pub(crate) type Make = dyn Fn(&mut Random, u64) -> Request<Full<Bytes>> + Send + Sync;

/// How a server is driven.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plan {
    pub(crate) connections: usize,
    pub(crate) duration: Duration,
    pub(crate) seed: u64,
    /// The requests per second of an open loop; `None` for a closed loop.
    pub(crate) rate: Option<f64>,
}

/// The results of one run.
#[derive(Debug, Clone)]
pub(crate) struct Run {
    /// Answers a second.
    pub(crate) rate: f64,
    /// The median time of a request.
    pub(crate) p50: Duration,
    /// 99 of 100 requests were faster.
    pub(crate) p99: Duration,
    /// 999 of 1000 requests were faster.
    pub(crate) p999: Duration,
    /// Answers with an error status, and requests without an answer.
    pub(crate) errors: u64,
    /// All times, in nanoseconds.
    pub(crate) times: Histogram<u64>,
}

impl Run {
    fn new(times: Histogram<u64>, errors: u64, elapsed: Duration) -> Self {
        let at = |quantile: f64| Duration::from_nanos(times.value_at_quantile(quantile));
        #[expect(clippy::cast_precision_loss, reason = "a rate is an estimate")]
        let rate = times.len() as f64 / elapsed.as_secs_f64();
        Self { rate, p50: at(0.5), p99: at(0.99), p999: at(0.999), errors, times }
    }
}

/// Drives a server as the plan says. Its nodes share the connections.
pub(crate) fn drive(plan: &Plan, nodes: &[SocketAddr], make: Arc<Make>) -> Result<Run> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(async {
        let stop = Arc::new(AtomicBool::new(false));
        let turns = Arc::new(AtomicU64::new(0));
        let begun = Instant::now();
        let tasks: Vec<_> = (0..plan.connections as u64)
            .zip(nodes.iter().cycle())
            .map(|(number, node)| {
                let pace = Pace { begun, rate: plan.rate, turns: turns.clone(), stop: stop.clone() };
                tokio::spawn(connection(*node, plan.seed, number, pace, make.clone()))
            })
            .collect();
        tokio::time::sleep(plan.duration).await;
        stop.store(true, Ordering::Relaxed);
        let mut times = empty()?;
        let mut errors = 0;
        for task in tasks {
            let (seen, failed) = task.await??;
            times.add(seen)?;
            errors += failed;
        }
        Ok(Run::new(times, errors, begun.elapsed()))
    })
}

/// Times up to ten minutes, to three digits.
fn empty() -> Result<Histogram<u64>> {
    Ok(Histogram::new_with_bounds(1, 600_000_000_000, 3)?)
}

/// When the next request is due.
struct Pace {
    begun: Instant,
    rate: Option<f64>,
    turns: Arc<AtomicU64>,
    stop: Arc<AtomicBool>,
}

impl Pace {
    /// Waits until a request is due, and returns when it was due; `None` at the end.
    async fn next(&self) -> Option<Instant> {
        if self.stop.load(Ordering::Relaxed) {
            return None;
        }
        let Some(rate) = self.rate else { return Some(Instant::now()) };
        #[expect(clippy::cast_precision_loss, reason = "turns are far fewer than 2^52")]
        let offset = self.turns.fetch_add(1, Ordering::Relaxed) as f64 / rate;
        let due = self.begun + Duration::from_secs_f64(offset);
        tokio::time::sleep_until(due.into()).await;
        (!self.stop.load(Ordering::Relaxed)).then_some(due)
    }
}

async fn connection(
    node: SocketAddr,
    seed: u64,
    number: u64,
    pace: Pace,
    make: Arc<Make>,
) -> Result<(Histogram<u64>, u64)> {
    let mut sender = connect(node).await?;
    let mut random = Random::new(seed ^ number.wrapping_mul(0x9e37_79b9));
    let mut times = empty()?;
    let mut errors = 0;
    let mut sequence = number << 40;
    while let Some(due) = pace.next().await {
        sequence += 1;
        let request = make(&mut random, sequence);
        match exchange(&mut sender, request).await {
            Ok(status) => {
                errors += u64::from(!(200..300).contains(&status));
                let nanos = u64::try_from(due.elapsed().as_nanos()).unwrap_or(u64::MAX);
                times.saturating_record(nanos.max(1));
            }
            Err(_) => {
                // If the server closes a connection, the load continues over a new one.
                errors += 1;
                sender = connect(node).await?;
            }
        }
    }
    Ok((times, errors))
}

/// Sends a request and reads the whole answer. Returns its status.
async fn exchange(sender: &mut SendRequest<Full<Bytes>>, request: Request<Full<Bytes>>) -> Result<u16> {
    sender.ready().await?;
    let response = sender.send_request(request).await?;
    let status = response.status().as_u16();
    response.into_body().collect().await?;
    Ok(status)
}

/// Opens a keep-alive connection.
pub(crate) async fn connect(address: SocketAddr) -> Result<SendRequest<Full<Bytes>>> {
    let stream = tokio::net::TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let (sender, driver) = http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(driver);
    Ok(sender)
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::routing::any;

    use super::*;

    /// A server that answers after `wait`, and its address.
    fn server(wait: Duration) -> SocketAddr {
        let (sender, receiver) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("starts");
            runtime.block_on(async {
                let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("binds");
                sender.send(listener.local_addr().expect("an address")).expect("somebody waits");
                let answer = move || async move {
                    tokio::time::sleep(wait).await;
                    "ok"
                };
                axum::serve(listener, Router::new().route("/", any(answer))).await.expect("serves");
            });
        });
        receiver.recv().expect("it listens")
    }

    fn run(wait: Duration, rate: Option<f64>, target: &'static str) -> Run {
        let plan = Plan { connections: 1, duration: Duration::from_millis(400), seed: 1, rate };
        let make: Arc<Make> = Arc::new(move |_, _| {
            Request::get(target).header("host", "x").body(Full::default()).expect("a request")
        });
        drive(&plan, &[server(wait)], make).expect("runs")
    }

    #[test]
    fn open_loop_counts_the_time_that_a_request_waited() {
        // Due every 10 ms, answered every 50 ms: the tenth has waited for the nine before it.
        let open = run(Duration::from_millis(50), Some(100.0), "/");
        assert!(open.times.max() > 150_000_000, "{} ns", open.times.max());
        assert_eq!(open.errors, 0);
        let closed = run(Duration::from_millis(50), None, "/");
        assert!(closed.times.len() >= 2 && closed.p50 >= Duration::from_millis(50));
    }

    #[test]
    fn answer_with_error_status_is_an_error() {
        let run = run(Duration::ZERO, None, "/nowhere");
        assert_eq!(run.errors, run.times.len());
    }
}
