//! A request body that must arrive in time.
//!
//! The body layers of `tower-http` limit the time between two parts, so that a client that sends one byte before each
//! timeout could hold a request forever. This one limits the time for the whole body, and it hands an unread rest back
//! (docs/decisions/0039-layers-around-the-service.md).

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use http_body::{Body, Frame, SizeHint};
use tokio::sync::oneshot;
use tokio::time::{Sleep, sleep};

use super::unread::{Leftover, Rest};

pub(super) type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// A body that ends in an error of the kind `TimedOut` if it has not arrived whole in time. The time begins when the
/// body is first waited for.
pub(super) struct DeadlineBody<B> {
    // `None` only while the body is dropped.
    body: Option<B>,
    timeout: Duration,
    // Made when needed: most bodies arrive together with their heads, and a timer costs more than reading them.
    timer: Option<Pin<Box<Sleep>>>,
    state: State,
    leftover: Option<oneshot::Sender<Leftover<B>>>,
}

/// How far a body was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Unread,
    Ended,
    /// It did not arrive in time, or the connection broke.
    Failed,
}

impl<B: Body> DeadlineBody<B> {
    /// A body, and the receiver of its rest if there is anything to be read at all.
    pub(super) fn new(body: B, timeout: Duration) -> (Self, Option<Rest<B>>) {
        let (state, leftover, rest) = if body.is_end_stream() {
            (State::Ended, None, None)
        } else {
            let (sender, rest) = Rest::channel(timeout);
            (State::Unread, Some(sender), Some(rest))
        };
        (Self { body: Some(body), timeout, timer: None, state, leftover }, rest)
    }
}

impl<B> Drop for DeadlineBody<B> {
    fn drop(&mut self) {
        if let (Some(body), Some(leftover)) = (self.body.take(), self.leftover.take()) {
            // It fails if the connection was dropped, which then needs no rest.
            let _ = leftover.send(match self.state {
                State::Unread => Leftover::Rest(body),
                State::Ended => Leftover::Nothing,
                State::Failed => Leftover::Failure,
            });
        }
    }
}

impl<B: Body<Error: Into<BoxError>> + Unpin> Body for DeadlineBody<B> {
    type Data = B::Data;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        let this = &mut *self;
        let Some(body) = &mut this.body else { return Poll::Ready(None) };
        if let Poll::Ready(frame) = Pin::new(body).poll_frame(cx) {
            match &frame {
                None => this.state = State::Ended,
                Some(Ok(_)) => {}
                Some(Err(_)) => this.state = State::Failed,
            }
            return Poll::Ready(frame.map(|frame| frame.map_err(Into::into)));
        }
        let timeout = this.timeout;
        let timer = this.timer.get_or_insert_with(|| Box::pin(sleep(timeout)));
        ready!(timer.as_mut().poll(cx));
        this.state = State::Failed;
        let error = io::Error::new(io::ErrorKind::TimedOut, "the body did not arrive in time");
        Poll::Ready(Some(Err(error.into())))
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map(Body::size_hint).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http_body_util::{BodyExt as _, Empty, StreamBody};

    use super::*;
    use crate::serve::unread::BodyEnd;

    #[tokio::test(start_paused = true)]
    async fn body_that_never_comes_times_out_and_is_not_waited_for_again() {
        let frames = futures_util::stream::pending::<Result<Frame<Bytes>, io::Error>>();
        let (body, rest) = DeadlineBody::new(StreamBody::new(frames), Duration::from_secs(60));
        let error = body.collect().await.map(|_| ()).unwrap_err();
        assert_eq!(error.to_string(), "the body did not arrive in time");
        let kind = error.downcast_ref::<io::Error>().map(io::Error::kind);
        assert_eq!(kind, Some(io::ErrorKind::TimedOut));
        assert!(matches!(rest.unwrap().end(false).await, BodyEnd::Unread(None)));
    }

    #[tokio::test]
    async fn body_that_is_empty_has_no_rest() {
        let (body, rest) = DeadlineBody::new(Empty::<Bytes>::new(), Duration::ZERO);
        assert!(body.is_end_stream() && rest.is_none());
        assert_eq!(body.collect().await.unwrap().to_bytes().len(), 0);
    }
}
