//! Long computations that yield their thread at regular intervals and obey a time limit.

use std::future::poll_fn;
use std::task::Poll;
use std::time::{Duration, Instant};

use scim2_filter::{CompiledFilter, Condition};

use super::StoreError;

/// The work that is done before the thread is yielded, in bytes that were looked at. It takes well below ten
/// milliseconds.
const WORK_PER_TURN: u64 = 1 << 20;

/// Counts the work of a query or of another long computation on an asynchronous thread. It gives the
/// thread to other tasks at regular intervals, and refuses to continue when the time is over.
///
/// A future that is dropped ends at its next turn, because that is where it waits.
#[derive(Debug)]
pub struct Pace {
    stretch: Stretch,
    deadline: Option<Instant>,
}

impl Pace {
    /// Work that may take this long from now, or as long as it likes.
    #[must_use]
    pub fn new(limit: Option<Duration>) -> Self {
        let deadline = limit.and_then(|limit| Instant::now().checked_add(limit));
        Self { stretch: Stretch::of(WORK_PER_TURN), deadline }
    }

    /// Adds `work`, in bytes that were looked at, and yields the thread if its turn is over.
    ///
    /// # Errors
    /// [`StoreErrorKind::TooMany`](super::StoreErrorKind::TooMany) if the time is over.
    pub async fn spend(&mut self, work: u64) -> Result<(), StoreError> {
        if self.stretch.ends_with(work) {
            yield_now().await;
            self.check()?;
        }
        Ok(())
    }

    fn check(&self) -> Result<(), StoreError> {
        match self.deadline {
            Some(deadline) if Instant::now() >= deadline => Err(StoreError::query_timeout()),
            _ => Ok(()),
        }
    }
}

/// The work that is done before other tasks run. Long work on an asynchronous thread is counted here.
#[derive(Debug)]
pub(crate) struct Stretch {
    length: u64,
    left: u64,
}

impl Stretch {
    /// Stretches of this length, in bytes that are looked at.
    pub(crate) const fn of(length: u64) -> Self {
        Self { length, left: length }
    }

    /// How much work still belongs to this stretch.
    pub(crate) const fn left(&self) -> u64 {
        self.left
    }

    /// Counts work, and says whether it exceeds the stretch. The next one begins then.
    pub(crate) fn ends_with(&mut self, work: u64) -> bool {
        let left = self.left.checked_sub(work);
        self.left = left.unwrap_or(self.length);
        left.is_none()
    }
}

/// What it costs to evaluate a filter on one resource after the other.
#[derive(Debug, Clone, Copy)]
pub struct EvaluationCost {
    comparisons: u64,
}

impl EvaluationCost {
    /// The cost of a filter, or of reading alone.
    #[must_use]
    pub fn of(filter: Option<&CompiledFilter>) -> Self {
        Self { comparisons: filter.map_or(0, |filter| comparisons(filter.condition())) }
    }

    /// The work on a resource of that many bytes, in bytes that are looked at: each comparison may look
    /// at all of it.
    #[must_use]
    pub fn work(self, bytes: u64) -> u64 {
        /// The cost of a resource in addition to its body.
        const RESOURCE: u64 = 256;
        bytes.saturating_add(RESOURCE).saturating_mul(self.comparisons + 1)
    }
}

/// How many comparisons a condition makes. The recursion is as deep as the filter, whose depth its parser
/// limits.
fn comparisons(condition: &Condition) -> u64 {
    match condition {
        Condition::Always | Condition::Never => 0,
        Condition::And(conditions) | Condition::Or(conditions) => conditions.iter().map(comparisons).sum(),
        Condition::Not(condition) | Condition::Element { condition, .. } => comparisons(condition),
        _ => 1,
    }
}

/// Lets other tasks of the thread run.
pub(crate) async fn yield_now() {
    let mut yielded = false;
    poll_fn(|task| {
        if yielded {
            return Poll::Ready(());
        }
        yielded = true;
        task.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;
    use crate::store::StoreErrorKind;

    #[test]
    fn work_gives_the_thread_back_each_time_a_turn_is_over() {
        let mut pace = Pace::new(None);
        assert!(pace.spend(WORK_PER_TURN).now_or_never().is_some());
        assert!(pace.spend(1).now_or_never().is_none(), "the turn is over");
        assert!(pace.spend(WORK_PER_TURN).now_or_never().is_some(), "the next one");
        assert!(pace.spend(u64::MAX).now_or_never().is_none());
    }

    #[test]
    fn work_is_refused_when_its_time_is_over() {
        let mut pace = Pace::new(Some(Duration::ZERO));
        let mut work = std::pin::pin!(pace.spend(WORK_PER_TURN + 1));
        assert!(work.as_mut().now_or_never().is_none());
        let error = work.now_or_never().expect("it does not wait again").expect_err("refused");
        assert_eq!(*error.kind(), StoreErrorKind::TooMany);
    }
}
