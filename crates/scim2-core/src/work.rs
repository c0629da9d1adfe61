//! How much work one request may cause, counted in bytes.
//!
//! A filter of a thousand terms over one long text, a PATCH of a thousand operations on a long list, a bulk
//! request of such PATCHes: each part is within its limit, and together they keep a processor busy for minutes.
//! So each request has one [`WorkBudget`], and all code that processes its data spends from it: filters, PATCH,
//! bulk operations, sorting and rendering.
//!
//! The unit is one byte of ASCII text that is read once, which takes about a nanosecond. Other steps cost as
//! many bytes as take about the same time: see [`VISIT`], [`text_cost`], [`RESOURCE`]. Nothing here reads a
//! clock, so the same request costs the same on every machine.

use std::cell::Cell;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The cost of finding and testing one value, in addition to the bytes of its text.
pub const VISIT: u64 = 32;

/// The cost of a byte of a stored resource that is read, changed, compared and written.
pub const RESOURCE: u64 = 32;

/// The cost of a byte of text beyond ASCII, which is normalized and folded.
const NORMALIZED: u64 = 16;

/// The cost of reading a text once: its bytes, or more if it has to be normalized.
///
/// ```
/// use scim2_core::work::text_cost;
///
/// assert_eq!(text_cost("Ada"), 3);
/// assert_eq!(text_cost("Åda"), 64);
/// ```
#[must_use]
pub fn text_cost(text: &str) -> u64 {
    let bytes = text.len() as u64;
    if text.is_ascii() { bytes } else { bytes.saturating_mul(NORMALIZED) }
}

/// The bytes of work that one request may cause. Clones share one counter.
///
/// ```
/// use scim2_core::work::{Work, WorkBudget};
///
/// let budget = WorkBudget::new(100);
/// let work = budget.begin();
/// assert!(work.spend(60).is_ok());
/// assert!(work.spend(60).is_err()); // costs nothing, since it is not done
/// drop(work);
/// assert_eq!(budget.spent(), 60);
/// ```
#[derive(Debug, Clone, Default)]
pub struct WorkBudget {
    shared: Option<Arc<Shared>>,
}

#[derive(Debug)]
struct Shared {
    limit: u64,
    spent: AtomicU64,
}

impl WorkBudget {
    /// The default budget of a request: about one second of one processor.
    pub const DEFAULT_LIMIT: u64 = 1 << 30;

    /// A budget of so many bytes.
    #[must_use]
    pub fn new(limit: u64) -> Self {
        Self { shared: Some(Arc::new(Shared { limit, spent: AtomicU64::new(0) })) }
    }

    /// No limit, for work that is bounded in another way, such as reading one resource by its id. Allocates
    /// nothing.
    #[must_use]
    pub fn unlimited() -> Self {
        Self::default()
    }

    /// How many bytes may be spent in all; [`u64::MAX`] if there is no limit.
    #[must_use]
    pub fn limit(&self) -> u64 {
        self.shared.as_ref().map_or(u64::MAX, |shared| shared.limit)
    }

    /// How many bytes are spent. The bytes of a [`Work`] are added when it is dropped.
    #[must_use]
    pub fn spent(&self) -> u64 {
        self.shared.as_ref().map_or(0, |shared| shared.spent.load(Ordering::Relaxed))
    }

    /// Spends bytes directly. For loops, [`begin`](Self::begin) is cheaper.
    ///
    /// # Errors
    /// If that many are not left; none is spent then.
    pub fn spend(&self, bytes: u64) -> Result<(), WorkExceeded> {
        self.begin().spend(bytes)
    }

    /// A counter for one piece of work on one thread, which starts with the bytes that are left now.
    ///
    /// Two pieces that run at the same time can each spend all bytes that were left when they began. Code that
    /// runs `n` pieces at once can exceed the limit by a factor of `n`.
    pub fn begin(&self) -> Work<'_> {
        let left = self.limit().saturating_sub(self.spent());
        Work { shared: self.shared.as_deref(), begun: left, left: Cell::new(left) }
    }
}

/// Counts a piece of work without atomics, and adds it to its [`WorkBudget`] when it is dropped.
///
/// It stays on one thread (it is not `Sync`) and must not live across an `.await`.
#[derive(Debug)]
#[must_use]
pub struct Work<'b> {
    shared: Option<&'b Shared>,
    begun: u64,
    left: Cell<u64>,
}

impl Work<'static> {
    /// Counts without a limit.
    pub fn unlimited() -> Self {
        Self::with_limit(u64::MAX)
    }

    /// Counts up to a limit of its own, for callers without a [`WorkBudget`].
    pub fn with_limit(bytes: u64) -> Self {
        Self { shared: None, begun: bytes, left: Cell::new(bytes) }
    }
}

impl Work<'_> {
    /// Spends bytes. Call it before doing the work that they pay for.
    ///
    /// # Errors
    /// If that many are not left; none is spent then.
    #[inline]
    pub fn spend(&self, bytes: u64) -> Result<(), WorkExceeded> {
        match self.left.get().checked_sub(bytes) {
            Some(left) => {
                self.left.set(left);
                Ok(())
            }
            None => Err(WorkExceeded),
        }
    }

    /// How many bytes this piece of work has spent.
    #[must_use]
    pub fn spent(&self) -> u64 {
        self.begun - self.left.get() // INVARIANT: `left` begins as `begun` and only shrinks.
    }
}

impl Drop for Work<'_> {
    fn drop(&mut self) {
        let spent = self.spent();
        if let Some(shared) = self.shared.filter(|_| spent > 0) {
            shared.spent.fetch_add(spent, Ordering::Relaxed);
        }
    }
}

/// A request would cause more work than its [`WorkBudget`] allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WorkExceeded;

impl fmt::Display for WorkExceeded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "the request would cause more work than one request may: split it, or ask for less at once",
        )
    }
}

impl std::error::Error for WorkExceeded {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_is_shared_by_its_clones() {
        let budget = WorkBudget::new(10);
        let clone = budget.clone();
        assert_eq!(clone.spend(4), Ok(()));
        assert_eq!(budget.spent(), 4);
        assert_eq!(budget.spend(7), Err(WorkExceeded));
        assert_eq!(budget.spend(6), Ok(()));
        assert_eq!(clone.spend(1), Err(WorkExceeded));
        assert_eq!(clone.spend(0), Ok(()));
    }

    #[test]
    fn pieces_at_the_same_time_are_added_up() {
        let budget = WorkBudget::new(10);
        let (a, b) = (budget.begin(), budget.begin());
        assert_eq!((a.spend(10), b.spend(10)), (Ok(()), Ok(())));
        drop((a, b));
        assert_eq!(budget.spent(), 20);
        assert_eq!(budget.begin().spend(1), Err(WorkExceeded));
    }

    #[test]
    fn without_a_limit_everything_is_affordable() {
        let budget = WorkBudget::unlimited();
        assert_eq!(budget.spend(u64::MAX), Ok(()));
        assert_eq!(budget.spend(u64::MAX), Ok(()));
        assert_eq!((budget.spent(), budget.limit()), (0, u64::MAX));
        assert_eq!(Work::with_limit(1).spend(2), Err(WorkExceeded));
    }
}
