//! A connection whose writes wait until the other ready tasks of the worker have run.
//!
//! Sending an answer wakes the client by an interrupt to another processor, which costs about as much as finding a user.
//! A worker with several ready requests therefore works on all of them before it sends their answers. One interrupt then
//! wakes a client or a proxy, which finds the other answers waiting (docs/decisions/0018-answers-in-turn.md).

use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::task::yield_now;

use super::delegate::delegate;

/// A connection that yields to the worker's other ready tasks before each write.
///
/// It yields once per completed write. While the socket is full it does not yield again: a yield wakes its own task,
/// and a task that wakes itself before the socket takes anything runs for as long as the client does not read.
#[derive(Debug)]
pub(super) struct YieldBeforeWrite<S> {
    stream: S,
    /// The yield before the next write is done. Set until that write makes progress.
    yielded: bool,
}

impl<S> YieldBeforeWrite<S> {
    pub(super) fn new(stream: S) -> Self {
        Self { stream, yielded: false }
    }

    /// Is pending once before each write.
    fn poll_yield(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.yielded {
            return Poll::Ready(());
        }
        self.yielded = true;
        pin!(yield_now()).poll(cx)
    }

    /// Records the result of a write: after progress or an error the next write yields again.
    fn wrote<T>(&mut self, written: Poll<T>) -> Poll<T> {
        self.yielded = written.is_pending();
        written
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for YieldBeforeWrite<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        ready!(self.poll_yield(cx));
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.wrote(written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        ready!(self.poll_yield(cx));
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, slices);
        self.wrote(written)
    }

    delegate!(is_write_vectored, poll_flush, poll_shutdown);
}

impl<S: AsyncRead + Unpin> AsyncRead for YieldBeforeWrite<S> {
    delegate!(poll_read);
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};

    use super::*;

    #[tokio::test]
    async fn write_runs_after_the_other_ready_tasks() {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (_client, server) = duplex(64);
        let (answers, works) = (Arc::clone(&seen), Arc::clone(&seen));
        let answer = tokio::spawn(async move {
            YieldBeforeWrite::new(server).write_all(b"answer").await.expect("written");
            answers.lock().expect("whole").push("answered");
        });
        let other = tokio::spawn(async move { works.lock().expect("whole").push("worked on") });
        answer.await.expect("ends");
        other.await.expect("ends");
        assert_eq!(*seen.lock().expect("whole"), ["worked on", "answered"]);
    }

    #[tokio::test]
    async fn all_bytes_arrive_for_any_size_of_the_socket_buffer() {
        let sent: Vec<u8> = (0..=255).cycle().take(10_000).collect();
        for room in [1, 7, 4096] {
            let (mut client, server) = duplex(room);
            let bytes = sent.clone();
            let writer = tokio::spawn(async move {
                let mut stream = YieldBeforeWrite::new(server);
                stream.write_all(&bytes).await.expect("written");
                stream.shutdown().await.expect("shut down");
            });
            let mut arrived = Vec::new();
            client.read_to_end(&mut arrived).await.expect("read");
            writer.await.expect("ends");
            assert_eq!(arrived, sent, "with room for {room}");
        }
    }
}
