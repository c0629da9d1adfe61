//! A request body that must arrive in time.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use http_body::{Body, Frame, SizeHint};
use tokio::time::{Sleep, sleep};

/// A body that ends in an error once its time is over, so that a peer who sends a byte an hour keeps
/// nothing waiting. The clock starts when the body is first asked for.
pub(super) struct DeadlineBody<B> {
    body: B,
    timeout: Duration,
    // Made when needed: most requests have no body, and a timer costs more than they do.
    timer: Option<Pin<Box<Sleep>>>,
}

impl<B> DeadlineBody<B> {
    pub(super) fn new(body: B, timeout: Duration) -> Self {
        Self { body, timeout, timer: None }
    }
}

impl<B> Body for DeadlineBody<B>
where
    B: Body<Error: Into<Box<dyn std::error::Error + Send + Sync>>> + Unpin,
{
    type Data = B::Data;
    type Error = Box<dyn std::error::Error + Send + Sync>;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        let this = &mut *self;
        if let Poll::Ready(frame) = Pin::new(&mut this.body).poll_frame(cx) {
            return Poll::Ready(frame.map(|frame| frame.map_err(Into::into)));
        }
        let timeout = this.timeout;
        let timer = this.timer.get_or_insert_with(|| Box::pin(sleep(timeout)));
        ready!(timer.as_mut().poll(cx));
        Poll::Ready(Some(Err("the body did not arrive in time".into())))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::{BodyExt as _, Empty, StreamBody};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_body_that_never_comes_is_an_error() {
        let frames = futures_util::stream::pending::<Result<Frame<bytes::Bytes>, std::io::Error>>();
        let body = DeadlineBody::new(StreamBody::new(frames), Duration::from_secs(60));
        let error = body.collect().await.map(|_| ()).unwrap_err();
        assert_eq!(error.to_string(), "the body did not arrive in time");
    }

    #[tokio::test]
    async fn a_body_that_is_there_is_not_touched() {
        let body = DeadlineBody::new(Empty::<bytes::Bytes>::new(), Duration::ZERO);
        assert!(body.is_end_stream());
        assert_eq!(body.collect().await.unwrap().to_bytes().len(), 0);
    }
}
