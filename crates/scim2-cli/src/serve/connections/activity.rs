//! What one connection is doing, as its task reports it and the limits read it.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::task::AtomicWaker;
use http_body::{Body, Frame, SizeHint};
use tokio::time::Instant;

/// What one connection is doing. Times are milliseconds since the server started.
#[derive(Debug)]
pub(in super::super) struct Activity {
    started: Instant,
    /// Requests whose answers the HTTP library has not taken whole.
    requests: AtomicUsize,
    idle_since: AtomicU64,
    /// Since when the client takes no byte of what waits for it, plus one; 0 if nothing waits.
    stalled_since: AtomicU64,
    /// Whether a request has come or bytes were written.
    began: AtomicBool,
    ending: AtomicU8,
    task: AtomicWaker,
}

/// What a connection is doing, and since when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum State {
    /// A request is being read, worked on or answered.
    Busy,
    /// It waits for a request.
    Idle(u64),
    /// The client takes nothing of what waits for it.
    Stalled(u64),
}

/// How a connection is to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in super::super) enum Ending {
    /// As the client likes.
    None,
    /// After the request under way, at once if there is none.
    AfterRequest,
    /// At once.
    Now,
}

impl Activity {
    pub(super) fn new(started: Instant) -> Self {
        Self {
            started,
            requests: AtomicUsize::new(0),
            idle_since: AtomicU64::new(millis_since(started)),
            stalled_since: AtomicU64::new(0),
            began: AtomicBool::new(false),
            ending: AtomicU8::new(Ending::None as u8),
            task: AtomicWaker::new(),
        }
    }

    /// A request has come; it lasts until what is returned is dropped.
    pub(in super::super) fn begin_request(this: &Arc<Self>) -> RequestUnderWay {
        this.began();
        this.requests.fetch_add(1, Ordering::AcqRel);
        RequestUnderWay(Arc::clone(this))
    }

    /// A request has come, or bytes are written.
    pub(super) fn began(&self) {
        if !self.began.load(Ordering::Relaxed) {
            self.began.store(true, Ordering::Relaxed);
        }
    }

    /// Whether a request has come or bytes were written. If not, closing the connection loses nothing.
    pub(super) fn has_begun(&self) -> bool {
        self.began.load(Ordering::Relaxed)
    }

    /// The client took nothing.
    pub(in super::super) fn stalled(&self) {
        if self.stalled_since.load(Ordering::Relaxed) == 0 {
            self.stalled_since.store(millis_since(self.started).saturating_add(1), Ordering::Relaxed);
        }
    }

    /// The client took something.
    pub(in super::super) fn progressed(&self) {
        if self.stalled_since.load(Ordering::Relaxed) != 0 {
            self.stalled_since.store(0, Ordering::Relaxed);
        }
    }

    pub(super) fn state(&self) -> State {
        if let Some(since) = self.stalled_since.load(Ordering::Relaxed).checked_sub(1) {
            State::Stalled(since)
        } else if self.requests.load(Ordering::Acquire) > 0 {
            State::Busy
        } else {
            State::Idle(self.idle_since.load(Ordering::Relaxed))
        }
    }

    /// Asks the connection to end. What was asked before is not taken back.
    pub(super) fn end(&self, ending: Ending) {
        self.ending.fetch_max(ending as u8, Ordering::AcqRel);
        self.task.wake();
    }

    /// How the connection is to end.
    pub(super) fn ending(&self) -> Ending {
        match self.ending.load(Ordering::Acquire) {
            0 => Ending::None,
            1 => Ending::AfterRequest,
            _ => Ending::Now,
        }
    }

    /// Is ready once the connection is to end in this way or a quicker one.
    pub(super) fn poll_ending(&self, cx: &Context<'_>, ending: Ending) -> Poll<()> {
        // Registered before it is read: what is asked in between wakes the task.
        self.task.register(cx.waker());
        if self.ending() >= ending { Poll::Ready(()) } else { Poll::Pending }
    }
}

/// A request that is not answered yet.
#[derive(Debug)]
pub(in super::super) struct RequestUnderWay(Arc<Activity>);

impl Drop for RequestUnderWay {
    fn drop(&mut self) {
        self.0.idle_since.store(millis_since(self.0.started), Ordering::Relaxed);
        self.0.requests.fetch_sub(1, Ordering::AcqRel);
    }
}

/// The body of an answer: its request is under way until the HTTP library has taken all of it.
#[derive(Debug)]
pub(in super::super) struct TrackedBody<B> {
    body: B,
    _request: RequestUnderWay,
}

impl<B> TrackedBody<B> {
    pub(in super::super) fn new(body: B, request: RequestUnderWay) -> Self {
        Self { body, _request: request }
    }
}

impl<B: Body + Unpin> Body for TrackedBody<B> {
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

/// Whole milliseconds.
pub(super) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// Whole milliseconds since then.
pub(super) fn millis_since(started: Instant) -> u64 {
    millis(started.elapsed())
}
