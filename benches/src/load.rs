//! Drives a server over keep-alive connections, closed loop: each connection sends its next
//! request when the answer to the last has been read whole.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;

use crate::Result;
use crate::random::Random;

/// Makes the next request of a connection.
pub(crate) type Make = dyn Fn(&mut Random, u64) -> Request<Full<Bytes>> + Send + Sync;

/// What one run saw.
#[derive(Debug, Clone)]
pub(crate) struct Run {
    /// Answers a second.
    pub(crate) rate: f64,
    /// The median time of a request.
    pub(crate) p50: Duration,
    /// 99 of 100 requests were quicker.
    pub(crate) p99: Duration,
    /// 999 of 1000 requests were quicker.
    pub(crate) p999: Duration,
    /// Answers whose status was not the expected one.
    pub(crate) errors: u64,
}

/// Drives `address` for `duration` over `connections` connections.
pub(crate) fn drive(
    address: SocketAddr,
    connections: usize,
    duration: Duration,
    seed: u64,
    expected: u16,
    make: Arc<Make>,
) -> Result<Run> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(async {
        let stop = Arc::new(AtomicBool::new(false));
        let begun = Instant::now();
        let tasks: Vec<_> = (0..connections as u64)
            .map(|number| {
                let (stop, make) = (stop.clone(), make.clone());
                tokio::spawn(connection(address, number, seed, expected, stop, make))
            })
            .collect();
        tokio::time::sleep(duration).await;
        stop.store(true, Ordering::Relaxed);
        let mut times = Vec::new();
        let mut errors = 0;
        for task in tasks {
            let (seen, failed) = task.await??;
            times.extend(seen);
            errors += failed;
        }
        let elapsed = begun.elapsed();
        times.sort_unstable();
        let at = |permille: usize| times.get(times.len() * permille / 1000).copied().unwrap_or_default();
        #[expect(clippy::cast_precision_loss, reason = "a rate is an estimate")]
        let rate = times.len() as f64 / elapsed.as_secs_f64();
        Ok(Run { rate, p50: at(500), p99: at(990), p999: at(999), errors })
    })
}

async fn connection(
    address: SocketAddr,
    number: u64,
    seed: u64,
    expected: u16,
    stop: Arc<AtomicBool>,
    make: Arc<Make>,
) -> Result<(Vec<Duration>, u64)> {
    let stream = tokio::net::TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let (mut sender, driver) = http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(driver);
    let mut random = Random::new(seed ^ number.wrapping_mul(0x9e37_79b9));
    let mut times = Vec::with_capacity(100_000);
    let mut errors = 0;
    let mut sequence = number << 40;
    while !stop.load(Ordering::Relaxed) {
        sequence += 1;
        let request = make(&mut random, sequence);
        let start = Instant::now();
        sender.ready().await?;
        let response = sender.send_request(request).await?;
        errors += u64::from(response.status().as_u16() != expected);
        response.into_body().collect().await?;
        times.push(start.elapsed());
    }
    Ok((times, errors))
}
