//! What one connection is doing, as its task reports it and the limits read it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::task::AtomicWaker;
use tokio::time::Instant;

/// What one connection is doing. Times are milliseconds since the server started.
#[derive(Debug)]
pub(in super::super) struct Activity {
    started: Instant,
    /// The number of requests whose answers the HTTP library has not taken completely.
    requests: AtomicUsize,
    idle_since: AtomicU64,
    /// Since when the client takes no byte of the answer that waits for it.
    stalled: Since,
    /// Since when the client sends no byte of the body that it owes.
    paused: Since,
    /// Whether a request has arrived or bytes were written.
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
    /// The client takes nothing of the answer that waits for it.
    Stalled(u64),
}

/// How a connection is to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in super::super) enum Ending {
    /// When the client closes it.
    None,
    /// After the current request, or at once if there is none.
    AfterRequest,
    /// At once.
    Now,
}

/// Since when something lasts: the time plus one, or 0 if it does not.
#[derive(Debug, Default)]
struct Since(AtomicU64);

impl Since {
    fn begin(&self, started: Instant) {
        if self.0.load(Ordering::Relaxed) == 0 {
            self.0.store(millis_since(started).saturating_add(1), Ordering::Relaxed);
        }
    }

    fn end(&self) {
        if self.0.load(Ordering::Relaxed) != 0 {
            self.0.store(0, Ordering::Relaxed);
        }
    }

    fn time(&self) -> Option<u64> {
        self.0.load(Ordering::Relaxed).checked_sub(1)
    }

    fn has_lasted(&self, millis: u64, now: u64) -> bool {
        self.time().is_some_and(|since| now.saturating_sub(since) >= millis)
    }
}

impl Activity {
    pub(super) fn new(started: Instant) -> Self {
        Self {
            started,
            requests: AtomicUsize::new(0),
            idle_since: AtomicU64::new(millis_since(started)),
            stalled: Since::default(),
            paused: Since::default(),
            began: AtomicBool::new(false),
            ending: AtomicU8::new(Ending::None as u8),
            task: AtomicWaker::new(),
        }
    }

    /// A request has arrived. It is under way until the returned value is dropped.
    pub(in super::super) fn begin_request(this: &Arc<Self>) -> RequestUnderWay {
        this.began();
        this.requests.fetch_add(1, Ordering::AcqRel);
        RequestUnderWay(Arc::clone(this))
    }

    /// A request has arrived, or bytes are written.
    pub(super) fn began(&self) {
        if !self.began.load(Ordering::Relaxed) {
            self.began.store(true, Ordering::Relaxed);
        }
    }

    /// Whether a request has arrived or bytes were written. If not, closing the connection loses nothing.
    pub(super) fn has_begun(&self) -> bool {
        self.began.load(Ordering::Relaxed)
    }

    /// The client took nothing.
    pub(in super::super) fn stalled(&self) {
        self.stalled.begin(self.started);
    }

    /// The client took something.
    pub(in super::super) fn progressed(&self) {
        self.stalled.end();
    }

    /// Whether the client has taken nothing for so many milliseconds.
    pub(super) fn has_stalled_for(&self, millis: u64, now: u64) -> bool {
        self.stalled.has_lasted(millis, now)
    }

    /// The client has not sent the next part of a body.
    pub(super) fn paused(&self) {
        self.paused.begin(self.started);
    }

    /// The client sent the next part of a body, or owes none any more.
    pub(super) fn resumed(&self) {
        self.paused.end();
    }

    /// Whether the client has sent nothing of a body for so many milliseconds.
    pub(super) fn has_paused_for(&self, millis: u64, now: u64) -> bool {
        self.paused.has_lasted(millis, now)
    }

    pub(super) fn state(&self) -> State {
        if let Some(since) = self.stalled.time() {
            State::Stalled(since)
        } else if self.requests.load(Ordering::Acquire) > 0 {
            State::Busy
        } else {
            State::Idle(self.idle_since.load(Ordering::Relaxed))
        }
    }

    /// Asks the connection to end. A quicker ending that was asked for before stays.
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
        // The waker is registered before the state is read: an ending that is asked for in between wakes the task.
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

/// Whole milliseconds.
pub(super) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// Whole milliseconds since then.
pub(super) fn millis_since(started: Instant) -> u64 {
    millis(started.elapsed())
}
