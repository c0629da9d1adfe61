//! The innermost layer of a connection's stream.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

use super::activity::{Activity, Ending};
use crate::serve::delegate::delegate;

/// A stream that can be closed without waiting for its peer to take what was sent.
pub(in super::super) trait Reset {
    /// Lets closing discard what the peer has not taken.
    fn reset_on_close(&self);
}

impl Reset for TcpStream {
    fn reset_on_close(&self) {
        // If it fails, the kernel keeps the unsent bytes for some minutes.
        let _ = self.set_zero_linger();
    }
}

#[cfg(test)]
impl Reset for tokio::io::DuplexStream {
    fn reset_on_close(&self) {}
}

/// A stream that reports whether its peer takes what is written.
#[derive(Debug)]
pub(in super::super) struct Watched<S: Reset> {
    stream: S,
    activity: Arc<Activity>,
}

impl<S: Reset> Watched<S> {
    pub(in super::super) fn new(stream: S, activity: Arc<Activity>) -> Self {
        Self { stream, activity }
    }

    fn wrote<T>(&self, written: Poll<T>) -> Poll<T> {
        self.activity.began();
        match written {
            Poll::Pending => self.activity.stalled(),
            Poll::Ready(_) => self.activity.progressed(),
        }
        written
    }
}

impl<S: Reset> Drop for Watched<S> {
    fn drop(&mut self) {
        if self.activity.ending() == Ending::Now {
            self.stream.reset_on_close();
        }
    }
}

impl<S: AsyncWrite + Reset + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.wrote(written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, slices);
        self.wrote(written)
    }

    delegate!(is_write_vectored, poll_flush, poll_shutdown);
}

impl<S: AsyncRead + Reset + Unpin> AsyncRead for Watched<S> {
    delegate!(poll_read);
}
