//! A request body that must arrive in time, and whose rest is not lost.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt as _;
use tokio::sync::oneshot;
use tokio::time::{Sleep, sleep};

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// The most of a refused body that is read and thrown away.
const LONGEST_REST: u64 = 64 << 20;

/// A body that ends in an error once its time is over, so that a peer who sends a byte an hour keeps
/// nothing waiting. The clock starts when the body is first waited for.
pub(super) struct DeadlineBody<B> {
    // Taken only when dropped.
    body: Option<B>,
    timeout: Duration,
    // Made when needed: most requests have no body, and a timer costs more than they do.
    timer: Option<Pin<Box<Sleep>>>,
    rest: Option<oneshot::Sender<B>>,
}

/// Where the body of a request comes back to once nobody reads it any more.
pub(super) struct Rest<B> {
    body: oneshot::Receiver<B>,
    timeout: Duration,
}

/// What a refused request left unread.
pub(super) struct Unread<B> {
    body: B,
    timeout: Duration,
}

impl<B: Body> DeadlineBody<B> {
    /// A body, and its rest if there is anything to be read at all.
    pub(super) fn new(body: B, timeout: Duration) -> (Self, Option<Rest<B>>) {
        if body.is_end_stream() {
            return (Self { body: Some(body), timeout, timer: None, rest: None }, None);
        }
        let (sender, receiver) = oneshot::channel();
        let this = Self { body: Some(body), timeout, timer: None, rest: Some(sender) };
        (this, Some(Rest { body: receiver, timeout }))
    }
}

impl<B: Body<Error: Into<BoxError>> + Unpin> Rest<B> {
    /// What was not read, once the request is answered; nothing if all was read.
    pub(super) fn unread(mut self) -> Option<Unread<B>> {
        let body = self.body.try_recv().ok().filter(|body| !body.is_end_stream())?;
        Some(Unread { body, timeout: self.timeout })
    }
}

impl<B: Body<Error: Into<BoxError>> + Unpin> Unread<B> {
    /// Reads it and throws it away, within bounds. Many clients do not look for an answer before
    /// they have sent everything, and a connection closed under their hands loses them the answer.
    pub(super) async fn discard(self) {
        let Self { mut body, timeout } = self;
        let mut left = LONGEST_REST;
        let discarding = async {
            while let Some(Ok(frame)) = body.frame().await {
                let length = frame.data_ref().map_or(0, |data| bytes::Buf::remaining(data) as u64);
                left = left.saturating_sub(length);
                if left == 0 {
                    break;
                }
            }
        };
        // Out of time or not: the connection ends or goes on by what was read.
        let _ = tokio::time::timeout(timeout, discarding).await;
    }
}

impl<B> Drop for DeadlineBody<B> {
    fn drop(&mut self) {
        if let (Some(body), Some(rest)) = (self.body.take(), self.rest.take()) {
            // Nobody may be waiting for it.
            let _ = rest.send(body);
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
            return Poll::Ready(frame.map(|frame| frame.map_err(Into::into)));
        }
        let timeout = this.timeout;
        let timer = this.timer.get_or_insert_with(|| Box::pin(sleep(timeout)));
        ready!(timer.as_mut().poll(cx));
        // Who did not send it in time is not waited for again.
        this.rest = None;
        Poll::Ready(Some(Err("the body did not arrive in time".into())))
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
    use http_body_util::{Empty, Full, StreamBody};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_body_that_never_comes_is_an_error_and_is_not_waited_for_again() {
        let frames = futures_util::stream::pending::<Result<Frame<bytes::Bytes>, std::io::Error>>();
        let (body, rest) = DeadlineBody::new(StreamBody::new(frames), Duration::from_secs(60));
        let error = body.collect().await.map(|_| ()).unwrap_err();
        assert_eq!(error.to_string(), "the body did not arrive in time");
        assert!(rest.unwrap().unread().is_none());
    }

    #[tokio::test]
    async fn a_body_that_is_not_there_has_no_rest() {
        let (body, rest) = DeadlineBody::new(Empty::<bytes::Bytes>::new(), Duration::ZERO);
        assert!(body.is_end_stream() && rest.is_none());
        assert_eq!(body.collect().await.unwrap().to_bytes().len(), 0);
    }

    #[tokio::test]
    async fn what_is_dropped_unread_is_read_as_rest() {
        let (body, rest) = DeadlineBody::new(Full::new(bytes::Bytes::from_static(b"x")), Duration::MAX);
        drop(body);
        rest.unwrap().unread().expect("a byte").discard().await;
        let (body, rest) = DeadlineBody::new(Full::new(bytes::Bytes::from_static(b"x")), Duration::MAX);
        assert_eq!(body.collect().await.unwrap().to_bytes().len(), 1);
        assert!(rest.unwrap().unread().is_none());
    }
}
