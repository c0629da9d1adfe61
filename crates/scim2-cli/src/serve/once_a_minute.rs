//! Events that are logged at most once a minute.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// How long the events after a logged one are only counted.
const QUIET: Duration = Duration::from_secs(60);

/// Decides which events of a kind are logged: the first, and then no more than one a minute.
#[derive(Debug, Default)]
pub(super) struct OncePerMinute(Mutex<Noted>);

#[derive(Debug, Default)]
struct Noted {
    logged: Option<Instant>,
    unlogged: u64,
}

impl OncePerMinute {
    /// Notes an event. If it is to be logged: how many before it were not.
    pub(super) fn note(&self) -> Option<u64> {
        let mut noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        if noted.logged.is_some_and(|logged| now.duration_since(logged) < QUIET) {
            noted.unlogged = noted.unlogged.saturating_add(1);
            return None;
        }
        noted.logged = Some(now);
        Some(std::mem::take(&mut noted.unlogged))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn events_within_a_minute_are_counted_and_not_logged() {
        let events = OncePerMinute::default();
        assert_eq!(events.note(), Some(0));
        assert_eq!((events.note(), events.note()), (None, None));
        tokio::time::advance(QUIET).await;
        assert_eq!(events.note(), Some(2));
        tokio::time::advance(QUIET).await;
        assert_eq!(events.note(), Some(0));
    }
}
