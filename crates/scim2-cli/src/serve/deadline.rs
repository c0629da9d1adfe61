//! A request body with a deadline, and how its unread rest is handled.
//!
//! A connection carries another request only if the body before was read to its end. An answer that is known earlier
//! waits for a short rest. With a long one the connection is closed after the answer.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Buf;
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt as _;
use tokio::sync::oneshot;
use tokio::time::{Sleep, sleep, timeout};

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// The most of an unread body that an answer waits for, in bytes: reading it costs less than a new connection.
const MAX_SHORT_REST: u64 = 64 << 10;

/// How long an answer waits for that. It has usually arrived together with the head.
const SHORT_REST_TIMEOUT: Duration = Duration::from_secs(1);

/// The most of an unread body that is read and thrown away after the answer, in bytes.
const MAX_DISCARDED: u64 = 64 << 20;

/// How long a client may pause while its body is thrown away.
const DISCARD_PAUSE: Duration = Duration::from_secs(5);

/// A body that ends in an error of the kind `TimedOut` once its time is over, so that a client that sends a byte an
/// hour keeps nothing waiting. The clock starts when the body is first waited for.
pub(super) struct DeadlineBody<B> {
    // Taken only when dropped.
    body: Option<B>,
    timeout: Duration,
    // Made when needed: most requests have no body, and a timer costs more than they do.
    timer: Option<Pin<Box<Sleep>>>,
    state: State,
    rest: Option<oneshot::Sender<Left<B>>>,
}

/// How far a body was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Unread,
    Ended,
    /// It did not arrive in time, or the connection broke.
    Failed,
}

/// What a body leaves when it is dropped.
enum Left<B> {
    Nothing,
    Rest(B),
    Failure,
}

/// Where a body says what it leaves.
pub(super) struct Rest<B> {
    left: oneshot::Receiver<Left<B>>,
    timeout: Duration,
}

/// What became of the rest of a body when the answer is known.
pub(super) enum End<B> {
    /// It was read to its end: another request may follow.
    Read,
    /// It was not: the connection must be closed after the answer. The rest is to be thrown away, if it is known.
    Unread(Option<Unread<B>>),
}

/// What an answered request left unread.
pub(super) struct Unread<B> {
    body: B,
    timeout: Duration,
}

impl<B: Body> DeadlineBody<B> {
    /// A body, and its rest if there is anything to be read at all.
    pub(super) fn new(body: B, timeout: Duration) -> (Self, Option<Rest<B>>) {
        if body.is_end_stream() {
            return (Self { body: Some(body), timeout, timer: None, state: State::Ended, rest: None }, None);
        }
        let (sender, left) = oneshot::channel();
        let this = Self { body: Some(body), timeout, timer: None, state: State::Unread, rest: Some(sender) };
        (this, Some(Rest { left, timeout }))
    }
}

impl<B: Body<Error: Into<BoxError>> + Unpin> Rest<B> {
    /// Looks after the rest once the answer is known. From a client that `asks` before it sends a body (`Expect`)
    /// nothing is read: it gets the answer instead.
    pub(super) async fn end(mut self, asks: bool) -> End<B> {
        let body = match self.left.try_recv() {
            Ok(Left::Nothing) => return End::Read,
            Ok(Left::Rest(body)) => body,
            // Nobody knows how far it was read if it has not been dropped.
            Ok(Left::Failure) | Err(_) => return End::Unread(None),
        };
        if asks {
            return End::Unread(None);
        }
        let mut unread = Unread { body, timeout: self.timeout };
        let is_short = unread.body.size_hint().lower() <= MAX_SHORT_REST;
        if is_short {
            let short = unread.read(MAX_SHORT_REST, SHORT_REST_TIMEOUT);
            if timeout(SHORT_REST_TIMEOUT, short).await.unwrap_or(false) {
                return End::Read;
            }
        }
        End::Unread(Some(unread))
    }
}

impl<B: Body<Error: Into<BoxError>> + Unpin> Unread<B> {
    /// Reads it and throws it away, within bounds. Many clients do not look for an answer before they have sent
    /// everything, and a connection closed under their hands loses them the answer.
    pub(super) async fn discard(mut self) {
        let timeout_in_all = self.timeout;
        // Out of time or not: the connection is closed.
        let _ = timeout(timeout_in_all, self.read(MAX_DISCARDED, DISCARD_PAUSE)).await;
    }

    /// Reads at most about `most` bytes, with no longer pauses than this. Says whether the end was reached.
    async fn read(&mut self, most: u64, longest_pause: Duration) -> bool {
        let mut left = most;
        loop {
            match timeout(longest_pause, self.body.frame()).await {
                Ok(None) => return true,
                Ok(Some(Ok(frame))) => {
                    let length = frame.data_ref().map_or(0, |data| data.remaining() as u64);
                    match left.checked_sub(length) {
                        Some(less) => left = less,
                        None => return false,
                    }
                }
                Ok(Some(Err(_))) | Err(_) => return false,
            }
        }
    }
}

impl<B> Drop for DeadlineBody<B> {
    fn drop(&mut self) {
        if let (Some(body), Some(rest)) = (self.body.take(), self.rest.take()) {
            // Nobody may be waiting for it.
            let _ = rest.send(match self.state {
                State::Unread => Left::Rest(body),
                State::Ended => Left::Nothing,
                State::Failed => Left::Failure,
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
    use http_body_util::{Empty, Full, StreamBody};

    use super::*;

    /// A body of one piece that has come, and more that never comes.
    fn halting(piece: usize) -> impl Body<Data = Bytes, Error = io::Error> + Unpin {
        let first = futures_util::stream::iter([Ok(Frame::data(Bytes::from(vec![b'x'; piece])))]);
        StreamBody::new(futures_util::StreamExt::chain(first, futures_util::stream::pending()))
    }

    #[tokio::test(start_paused = true)]
    async fn body_that_never_comes_is_timed_out_and_not_waited_for_again() {
        let frames = futures_util::stream::pending::<Result<Frame<Bytes>, io::Error>>();
        let (body, rest) = DeadlineBody::new(StreamBody::new(frames), Duration::from_secs(60));
        let error = body.collect().await.map(|_| ()).unwrap_err();
        assert_eq!(error.to_string(), "the body did not arrive in time");
        let kind = error.downcast_ref::<io::Error>().map(io::Error::kind);
        assert_eq!(kind, Some(io::ErrorKind::TimedOut));
        assert!(matches!(rest.unwrap().end(false).await, End::Unread(None)));
    }

    #[tokio::test]
    async fn body_that_is_empty_has_no_rest() {
        let (body, rest) = DeadlineBody::new(Empty::<Bytes>::new(), Duration::ZERO);
        assert!(body.is_end_stream() && rest.is_none());
        assert_eq!(body.collect().await.unwrap().to_bytes().len(), 0);
    }

    #[tokio::test]
    async fn short_rest_is_read_before_the_answer() {
        let (body, rest) = DeadlineBody::new(Full::new(Bytes::from_static(b"x")), Duration::MAX);
        drop(body);
        assert!(matches!(rest.unwrap().end(false).await, End::Read));
        let (body, rest) = DeadlineBody::new(Full::new(Bytes::from_static(b"x")), Duration::MAX);
        assert_eq!(body.collect().await.unwrap().to_bytes().len(), 1);
        assert!(matches!(rest.unwrap().end(false).await, End::Read));
    }

    #[tokio::test(start_paused = true)]
    async fn rest_that_is_long_or_missing_is_left_for_later() {
        let long = Full::new(Bytes::from(vec![b'x'; 1 + (64 << 10)]));
        let (body, rest) = DeadlineBody::new(long, Duration::from_secs(60));
        drop(body);
        let End::Unread(Some(unread)) = rest.unwrap().end(false).await else { panic!("a long rest") };
        assert_eq!(unread.body.size_hint().exact(), Some(1 + (64 << 10)), "nothing was waited for");
        unread.discard().await;

        for piece in [1, 1 + (64 << 10)] {
            let (body, rest) = DeadlineBody::new(halting(piece), Duration::from_secs(60));
            drop(body);
            let End::Unread(Some(unread)) = rest.unwrap().end(false).await else { panic!("no end in sight") };
            unread.discard().await;
        }
    }

    #[tokio::test]
    async fn rest_of_a_client_that_asks_first_is_not_read() {
        let (body, rest) = DeadlineBody::new(Full::new(Bytes::from_static(b"x")), Duration::MAX);
        drop(body);
        assert!(matches!(rest.unwrap().end(true).await, End::Unread(None)));
    }

    #[tokio::test]
    async fn body_that_nobody_dropped_is_not_taken_for_read() {
        let (body, rest) = DeadlineBody::new(Full::new(Bytes::from_static(b"x")), Duration::MAX);
        assert!(matches!(rest.unwrap().end(false).await, End::Unread(None)));
        drop(body);
    }
}
