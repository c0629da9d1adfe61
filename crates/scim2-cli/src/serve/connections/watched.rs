//! The task of a connection and the innermost layer of its stream.

use std::fmt;
use std::future::poll_fn;
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};

use hyper_util::server::graceful::GracefulConnection;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

use super::Lease;
use super::activity::{Activity, Ending};
use crate::serve::delegate::delegate;

/// Serves a connection until it ends or is to end.
pub(in super::super) async fn drive<C>(connection: C, lease: Lease)
where
    C: GracefulConnection<Error: fmt::Display>,
{
    let mut connection = pin!(connection);
    let mut asked = false;
    let activity = lease.activity();
    poll_fn(|cx| {
        if activity.poll_ending(cx, Ending::AfterRequest).is_ready() {
            if activity.ending() == Ending::Now {
                return Poll::Ready(());
            }
            if !asked {
                asked = true;
                // Reads what has arrived: a whole request is still answered.
                if connection.as_mut().poll(cx).is_ready() {
                    return Poll::Ready(());
                }
                // The HTTP library would wait for the rest of a first head.
                if !activity.has_begun() {
                    return Poll::Ready(());
                }
                connection.as_mut().graceful_shutdown();
            }
        }
        connection.as_mut().poll(cx).map(|ended| {
            if let Err(error) = ended {
                tracing::debug!(%error, "connection ended");
            }
        })
    })
    .await;
}

/// A stream that can be closed without waiting for its peer to take what was sent.
pub(in super::super) trait Reset {
    /// Lets closing discard what the peer has not taken.
    fn reset_on_close(&self);
}

impl Reset for TcpStream {
    fn reset_on_close(&self) {
        // If it fails, the kernel keeps the bytes for some minutes.
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
