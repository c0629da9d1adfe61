//! The bodies of requests and answers, which report what the connection is doing.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use http_body::{Body, Frame, SizeHint};

use super::activity::{Activity, RequestUnderWay};

/// The body of a request: it reports while the client pauses.
#[derive(Debug)]
pub(in super::super) struct TrackedRequestBody<B> {
    body: B,
    /// `None` if the body is empty, as most are.
    activity: Option<Arc<Activity>>,
}

impl<B: Body> TrackedRequestBody<B> {
    pub(in super::super) fn new(body: B, activity: &Arc<Activity>) -> Self {
        let activity = (!body.is_end_stream()).then(|| Arc::clone(activity));
        Self { body, activity }
    }
}

impl<B> Drop for TrackedRequestBody<B> {
    fn drop(&mut self) {
        if let Some(activity) = &self.activity {
            activity.resumed();
        }
    }
}

impl<B: Body + Unpin> Body for TrackedRequestBody<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let frame = Pin::new(&mut self.body).poll_frame(cx);
        if let Some(activity) = &self.activity {
            match &frame {
                Poll::Pending => activity.paused(),
                Poll::Ready(_) => activity.resumed(),
            }
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// The body of an answer: its request is under way until the HTTP library has taken all of it.
#[derive(Debug)]
pub(in super::super) struct TrackedResponseBody<B> {
    body: B,
    _request: RequestUnderWay,
}

impl<B> TrackedResponseBody<B> {
    pub(in super::super) fn new(body: B, request: RequestUnderWay) -> Self {
        Self { body, _request: request }
    }
}

impl<B: Body + Unpin> Body for TrackedResponseBody<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
