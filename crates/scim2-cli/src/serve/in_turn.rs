//! Answers that are sent once what is ready has been worked on.
//!
//! Sending an answer wakes who waits for it: an interrupt to another processor, which costs about as much
//! as finding a user. A worker that has several requests before it therefore answers none of them before it
//! has worked on all: then one interrupt wakes a client, or a proxy, that finds the other answers when it
//! is awake (docs/decisions/0018-answers-in-turn.md).

use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::task::yield_now;

/// A connection that before each write lets the other tasks that are ready go first, once.
#[derive(Debug)]
pub(super) struct InTurn<S> {
    stream: S,
    /// The others have been let go first; the next write is ours.
    gave_way: bool,
}

impl<S> InTurn<S> {
    pub(super) fn new(stream: S) -> Self {
        Self { stream, gave_way: false }
    }

    /// Ready when the others have had their turn.
    fn poll_turn(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.gave_way = !self.gave_way;
        if self.gave_way { pin!(yield_now()).poll(cx) } else { Poll::Ready(()) }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for InTurn<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        ready!(self.poll_turn(cx));
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        ready!(self.poll_turn(cx));
        Pin::new(&mut self.stream).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for InTurn<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};

    use super::*;

    #[tokio::test]
    async fn what_is_ready_is_worked_on_before_an_answer_is_sent() {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (_client, server) = duplex(64);
        let (answers, works) = (Arc::clone(&seen), Arc::clone(&seen));
        let answer = tokio::spawn(async move {
            InTurn::new(server).write_all(b"answer").await.expect("written");
            answers.lock().expect("whole").push("answered");
        });
        let other = tokio::spawn(async move { works.lock().expect("whole").push("worked on") });
        answer.await.expect("ends");
        other.await.expect("ends");
        assert_eq!(*seen.lock().expect("whole"), ["worked on", "answered"]);
    }

    #[tokio::test]
    async fn all_arrives_whatever_room_there_is() {
        let sent: Vec<u8> = (0..=255).cycle().take(10_000).collect();
        for room in [1, 7, 4096] {
            let (mut client, server) = duplex(room);
            let bytes = sent.clone();
            let writer = tokio::spawn(async move {
                let mut stream = InTurn::new(server);
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
