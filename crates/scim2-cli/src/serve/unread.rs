//! What is done with a request body that was not read to its end when the answer is known.
//!
//! A connection carries another request only if the body before was read to its end. The answer waits for a short
//! rest. With a long rest the connection is closed after the answer.

use std::time::Duration;

use bytes::Buf as _;
use http_body::Body;
use http_body_util::BodyExt as _;
use tokio::sync::oneshot;
use tokio::time::timeout;

use super::deadline::BoxError;

/// The most of an unread body that an answer waits for, in bytes: reading it costs less than a new connection.
const MAX_SHORT_REST: u64 = 64 << 10;

/// How long an answer waits for a short rest. It has usually arrived together with the head.
const SHORT_REST_TIMEOUT: Duration = Duration::from_secs(1);

/// The most of an unread body that is read and discarded after the answer, in bytes.
const MAX_DISCARDED: u64 = 64 << 20;

/// How long a client may pause while its body is discarded.
const DISCARD_PAUSE: Duration = Duration::from_secs(5);

/// What a body leaves when it is dropped.
pub(super) enum Leftover<B> {
    /// It was read to its end.
    Nothing,
    Rest(B),
    /// It failed, so nobody knows where it ends.
    Failure,
}

/// Receives what a body leaves.
pub(super) struct Rest<B> {
    leftover: oneshot::Receiver<Leftover<B>>,
    timeout: Duration,
}

/// Whether a body was read to its end when the answer is known.
pub(super) enum BodyEnd<B> {
    /// It was read to its end: another request may follow.
    Read,
    /// It was not: the connection must be closed after the answer. The rest, if it is known, is to be discarded.
    Unread(Option<Unread<B>>),
}

/// What an answered request left unread.
pub(super) struct Unread<B> {
    body: B,
    timeout: Duration,
}

impl<B> Rest<B> {
    /// The sender for a body, and the receiver.
    pub(super) fn channel(timeout: Duration) -> (oneshot::Sender<Leftover<B>>, Self) {
        let (sender, leftover) = oneshot::channel();
        (sender, Self { leftover, timeout })
    }
}

impl<B: Body<Error: Into<BoxError>> + Unpin> Rest<B> {
    /// Reads a short rest once the answer is known. Nothing is read from a client that `expects` permission before it
    /// sends a body (`Expect: 100-continue`): it gets the answer instead.
    pub(super) async fn end(mut self, expects: bool) -> BodyEnd<B> {
        let body = match self.leftover.try_recv() {
            Ok(Leftover::Nothing) => return BodyEnd::Read,
            Ok(Leftover::Rest(body)) => body,
            // A body that is not dropped yet may still be read by somebody.
            Ok(Leftover::Failure) | Err(_) => return BodyEnd::Unread(None),
        };
        if expects {
            return BodyEnd::Unread(None);
        }
        let mut unread = Unread { body, timeout: self.timeout };
        let is_short = unread.body.size_hint().lower() <= MAX_SHORT_REST;
        if is_short {
            let short = unread.read(MAX_SHORT_REST, SHORT_REST_TIMEOUT);
            if timeout(SHORT_REST_TIMEOUT, short).await.unwrap_or(false) {
                return BodyEnd::Read;
            }
        }
        BodyEnd::Unread(Some(unread))
    }
}

impl<B: Body<Error: Into<BoxError>> + Unpin> Unread<B> {
    /// Reads the rest and discards it, within limits. Many clients look for an answer only after they have sent
    /// everything. If the connection were closed before, they would lose the answer.
    pub(super) async fn discard(mut self) {
        let total_timeout = self.timeout;
        // The connection is closed in any case.
        let _ = timeout(total_timeout, self.read(MAX_DISCARDED, DISCARD_PAUSE)).await;
    }

    /// Reads about `max_bytes` at most, and waits for each part no longer than `max_pause`. Returns whether the end was
    /// reached.
    async fn read(&mut self, max_bytes: u64, max_pause: Duration) -> bool {
        let mut left = max_bytes;
        loop {
            match timeout(max_pause, self.body.frame()).await {
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

#[cfg(test)]
mod tests {
    use std::io;

    use bytes::Bytes;
    use http_body::Frame;
    use http_body_util::{BodyExt as _, Full, StreamBody};

    use super::*;
    use crate::serve::deadline::DeadlineBody;

    /// A body whose first part has arrived, and whose second part never does.
    fn halting(piece: usize) -> impl Body<Data = Bytes, Error = io::Error> + Unpin {
        let first = futures_util::stream::iter([Ok(Frame::data(Bytes::from(vec![b'x'; piece])))]);
        StreamBody::new(futures_util::StreamExt::chain(first, futures_util::stream::pending()))
    }

    #[tokio::test]
    async fn short_rest_is_read_before_the_answer() {
        let (body, rest) = DeadlineBody::new(Full::new(Bytes::from_static(b"x")), Duration::MAX);
        drop(body);
        assert!(matches!(rest.unwrap().end(false).await, BodyEnd::Read));
        let (body, rest) = DeadlineBody::new(Full::new(Bytes::from_static(b"x")), Duration::MAX);
        assert_eq!(body.collect().await.unwrap().to_bytes().len(), 1);
        assert!(matches!(rest.unwrap().end(false).await, BodyEnd::Read));
    }

    #[tokio::test(start_paused = true)]
    async fn rest_that_is_long_or_missing_is_left_for_later() {
        let long = Full::new(Bytes::from(vec![b'x'; 1 + (64 << 10)]));
        let (body, rest) = DeadlineBody::new(long, Duration::from_secs(60));
        drop(body);
        let BodyEnd::Unread(Some(unread)) = rest.unwrap().end(false).await else { panic!("a long rest") };
        assert_eq!(unread.body.size_hint().exact(), Some(1 + (64 << 10)), "nothing was waited for");
        unread.discard().await;

        for piece in [1, 1 + (64 << 10)] {
            let (body, rest) = DeadlineBody::new(halting(piece), Duration::from_secs(60));
            drop(body);
            let BodyEnd::Unread(Some(unread)) = rest.unwrap().end(false).await else {
                panic!("no end in sight")
            };
            unread.discard().await;
        }
    }

    #[tokio::test]
    async fn rest_of_a_client_that_expects_permission_is_not_read() {
        let (body, rest) = DeadlineBody::new(Full::new(Bytes::from_static(b"x")), Duration::MAX);
        drop(body);
        assert!(matches!(rest.unwrap().end(true).await, BodyEnd::Unread(None)));
    }

    #[tokio::test]
    async fn body_that_is_not_dropped_does_not_count_as_read() {
        let (body, rest) = DeadlineBody::new(Full::new(Bytes::from_static(b"x")), Duration::MAX);
        assert!(matches!(rest.unwrap().end(false).await, BodyEnd::Unread(None)));
        drop(body);
    }
}
