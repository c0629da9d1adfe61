//! Runs a transaction again if it lost against another one.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use super::fault::Fault;

/// How often a transaction is tried after deadlocks and serialization failures. One of the conflicting transactions
/// always succeeds, so more of them are worth an error.
pub(crate) const ATTEMPTS: u32 = 8;

/// How often a transaction is tried if another node changed what it had read: as often as the port allows.
pub(crate) const CONTENTION: u32 = scim2_server::store::CONTENTION_LIMIT as u32;

/// Runs a transaction, and runs it again while it loses against others.
pub(crate) async fn retrying<T, F>(run: impl Fn() -> F) -> Result<T, Fault>
where
    F: Future<Output = Result<T, Fault>>,
{
    let mut attempt = 0;
    loop {
        let fault = match run().await {
            Ok(value) => return Ok(value),
            Err(fault) => fault,
        };
        attempt += 1;
        let most = if matches!(fault, Fault::Overtaken) { CONTENTION } else { ATTEMPTS };
        if !fault.is_passing() || attempt >= most {
            return Err(fault);
        }
        tokio::time::sleep(pause(attempt)).await;
    }
}

/// Waits before attempt number `attempt + 1`. `None` if there were enough.
pub(crate) async fn pause_before(attempt: u32) -> Option<()> {
    if attempt >= ATTEMPTS {
        return None;
    }
    tokio::time::sleep(pause(attempt)).await;
    Some(())
}

/// A random time. Its limit doubles with each attempt, up to a tenth of a second.
pub(crate) fn pause(attempt: u32) -> Duration {
    let most = 1_u64 << attempt.min(7);
    let milliseconds = RandomState::new().hash_one(attempt) % most.min(100);
    Duration::from_millis(milliseconds)
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use scim2_server::StoreError;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_was_overtaken_is_tried_again_and_not_for_ever() {
        let tried = Cell::new(0);
        let third = retrying(|| async {
            tried.set(tried.get() + 1);
            if tried.get() < 3 { Err(Fault::Overtaken) } else { Ok(tried.get()) }
        });
        assert_eq!(third.await.expect("the third time"), 3);

        tried.set(0);
        let never: Result<(), _> = retrying(|| async {
            tried.set(tried.get() + 1);
            Err(Fault::Overtaken)
        })
        .await;
        assert!(matches!(never, Err(Fault::Overtaken)));
        assert_eq!(tried.get(), CONTENTION);
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_refused_is_not_tried_again() {
        let tried = Cell::new(0);
        let refused: Result<(), _> = retrying(|| async {
            tried.set(tried.get() + 1);
            Err(StoreError::uniqueness("userName").into())
        })
        .await;
        assert!(matches!(refused, Err(Fault::Refused(_))));
        assert_eq!(tried.get(), 1);
    }
}
