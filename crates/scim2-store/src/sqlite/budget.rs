//! Limits the work of a read, and stops reads.
//!
//! Each reading connection has a progress handler that asks the budget of the read that runs on it. SQLite calls
//! the handler after a fixed number of steps of its virtual machine, even in the middle of a statement and while it
//! prepares one. So the count does not depend on the speed of the machine.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use rusqlite::Connection;
use scim2_server::StoreError;

/// The number of steps between two calls of the handler: some ten microseconds.
const STEPS_PER_TICK: i32 = 1000;

/// How many steps a read may take inline, on the thread that asks: some milliseconds. A page of 200 users takes a
/// tenth of them.
pub(crate) const INLINE_STEPS: u64 = 200_000;

/// The budget of a read without a limit.
const UNLIMITED: u64 = u64::MAX;

/// How many bytes the evaluator processes in the time of one step.
const BYTES_PER_STEP: u64 = 8;

/// The budget of one read. Clones share it. One thread spends it, and any thread may [stop](Self::give_up) the
/// read.
#[derive(Debug, Clone)]
pub(crate) struct Budget(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    /// How many steps are left.
    left: AtomicU64,
    /// How many steps were done.
    done: AtomicU64,
    given_up: AtomicBool,
    time_limit: Option<Duration>,
    /// Set when the read begins.
    deadline: OnceLock<Instant>,
    stopped: Mutex<Option<Stop>>,
}

/// Why a read was stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stop {
    /// It needs more steps than an inline read may take.
    Spent,
    /// The caller dropped its future.
    GivenUp,
    /// It runs longer than its time limit.
    TimeOver,
}

impl Budget {
    /// A budget with a time limit only, which [`begin`](Self::begin) starts.
    pub(crate) fn new(time_limit: Option<Duration>) -> Self {
        Self(Arc::new(Shared {
            left: AtomicU64::new(UNLIMITED),
            done: AtomicU64::new(0),
            given_up: AtomicBool::new(false),
            time_limit,
            deadline: OnceLock::new(),
            stopped: Mutex::new(None),
        }))
    }

    /// Installs this budget as the progress handler of a connection.
    pub(crate) fn govern(&self, connection: &mut Connection) -> rusqlite::Result<()> {
        let budget = self.clone();
        let ask = move || budget.spend(STEPS_PER_TICK.unsigned_abs().into()).is_err();
        connection.progress_handler(STEPS_PER_TICK, Some(ask))
    }

    /// Starts the time limit.
    pub(crate) fn begin(&self) {
        if let Some(deadline) = self.0.time_limit.and_then(|limit| Instant::now().checked_add(limit)) {
            self.0.deadline.get_or_init(|| deadline);
        }
    }

    /// Limits the next read to this number of steps.
    pub(crate) fn limit(&self, steps: u64) {
        self.0.left.store(steps, Ordering::Relaxed);
    }

    /// Removes the limit, and forgets that it was reached.
    pub(crate) fn lift(&self) {
        // The reason is only set if the limit was reached.
        if self.0.left.swap(UNLIMITED, Ordering::Relaxed) == 0 {
            *self.0.stopped.lock().unwrap_or_else(PoisonError::into_inner) = None;
        }
    }

    /// Stops the read, because the caller dropped its future.
    pub(crate) fn give_up(&self) {
        self.0.given_up.store(true, Ordering::Relaxed);
    }

    /// Spends the work of the evaluator, in bytes that it processes.
    pub(crate) fn spend_bytes(&self, bytes: u64) -> Result<(), StoreError> {
        self.spend(bytes / BYTES_PER_STEP)
    }

    /// Spends steps. An error if none are left, the time is over, or the read was given up.
    pub(crate) fn spend(&self, steps: u64) -> Result<(), StoreError> {
        let Shared { left, done, given_up, deadline, .. } = &*self.0;
        // Only the thread that reads writes these two counters.
        done.store(done.load(Ordering::Relaxed).saturating_add(steps), Ordering::Relaxed);
        let stop = match left.load(Ordering::Relaxed) {
            UNLIMITED => None,
            room => {
                left.store(room.saturating_sub(steps), Ordering::Relaxed);
                (steps >= room).then_some(Stop::Spent)
            }
        };
        let stop = if given_up.load(Ordering::Relaxed) {
            Some(Stop::GivenUp)
        } else if deadline.get().is_some_and(|deadline| Instant::now() >= *deadline) {
            Some(Stop::TimeOver)
        } else {
            stop
        };
        match stop {
            None => Ok(()),
            Some(stop) => {
                *self.0.stopped.lock().unwrap_or_else(PoisonError::into_inner) = Some(stop);
                Err(stop.error())
            }
        }
    }

    /// How many steps were done.
    #[cfg(test)]
    pub(crate) fn done(&self) -> u64 {
        self.0.done.load(Ordering::Relaxed)
    }

    /// Whether the read has reached its limit of steps.
    pub(crate) fn is_spent(&self) -> bool {
        self.0.left.load(Ordering::Relaxed) == 0
    }

    /// The result of a read. If the budget stopped it, the error gives that reason instead of SQLite's.
    pub(crate) fn result<T>(&self, result: Result<T, StoreError>) -> Result<T, StoreError> {
        result.map_err(|error| {
            let stopped = *self.0.stopped.lock().unwrap_or_else(PoisonError::into_inner);
            stopped.map_or(error, Stop::error)
        })
    }
}

impl Stop {
    fn error(self) -> StoreError {
        match self {
            Self::Spent => StoreError::unavailable("the read exceeds its work limit"),
            Self::GivenUp => StoreError::unavailable("the query was canceled"),
            Self::TimeOver => StoreError::query_timeout(),
        }
    }
}

#[cfg(test)]
mod tests {
    use scim2_server::StoreErrorKind;

    use super::*;

    const ENDLESS: &str =
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n";

    fn governed(budget: &Budget) -> Connection {
        let mut connection = Connection::open_in_memory().expect("opens");
        budget.govern(&mut connection).expect("a handler");
        connection
    }

    fn run(connection: &Connection, sql: &str) -> Result<i64, StoreError> {
        connection.query_row(sql, [], |row| row.get(0)).map_err(crate::error::store_error)
    }

    #[test]
    fn a_statement_is_stopped_in_its_middle_by_the_limit_of_steps() {
        let budget = Budget::new(None);
        let connection = governed(&budget);
        budget.limit(50_000);
        budget.result(run(&connection, ENDLESS)).expect_err("stopped");
        assert!(budget.is_spent());
        assert!((50_000..60_000).contains(&budget.done()), "{}", budget.done());
        budget.lift();
        assert_eq!(run(&connection, "SELECT 1").expect("the connection still works"), 1);
        assert!(!budget.is_spent());
    }

    #[test]
    fn a_statement_is_stopped_in_its_middle_when_nobody_waits_or_the_time_is_over() {
        let budget = Budget::new(None);
        let connection = governed(&budget);
        budget.give_up();
        let error = budget.result(run(&connection, ENDLESS)).expect_err("stopped");
        assert_eq!(*error.kind(), StoreErrorKind::Unavailable);
        let budget = Budget::new(Some(Duration::ZERO));
        let connection = governed(&budget);
        budget.begin();
        let error = budget.result(run(&connection, ENDLESS)).expect_err("stopped");
        assert_eq!(*error.kind(), StoreErrorKind::TooMany);
    }

    #[test]
    fn a_statement_that_takes_long_to_prepare_is_stopped_too() {
        let budget = Budget::new(None);
        let connection = governed(&budget);
        budget.give_up();
        let sum = vec!["1"; 20_000].join(", ");
        run(&connection, &format!("SELECT max({sum})")).expect_err("stopped or refused");
        let union = vec!["SELECT 1"; 400].join(" UNION ");
        budget.result(run(&connection, &union)).expect_err("stopped");
    }
}
