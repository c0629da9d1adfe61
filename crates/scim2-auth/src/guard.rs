//! A guard against guessing: it counts failures by address, logs a warning, and delays the answers more and more.
//!
//! A valid token is never delayed. Otherwise one client could lock out all others that share its address, for
//! example behind a proxy. See docs/decisions/0024-guessing-is-slowed-down.md.

use std::hash::{BuildHasher as _, RandomState};
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use scim2_server::{AuthError, client_network};
use tokio::time::{Instant, sleep};

/// How many addresses are remembered. A slot has some 60 bytes.
const SLOTS: usize = 2048;

/// How many slots an address may be in. A new address takes the one whose last failure is the oldest.
const WAYS: usize = 4;

/// How many failures an address has before its answers are delayed. A client with an old token fails a few
/// times before somebody notices.
const FREE_FAILURES: u32 = 10;

/// The first delay. It doubles with each failure.
const FIRST_DELAY: Duration = Duration::from_millis(50);

/// The longest delay. Clients wait longer than that, and it leaves a connection 30 guesses a minute.
const MAX_DELAY: Duration = Duration::from_secs(2);

/// How many answers to one address are delayed at a time. Beyond that the answer is 429 at once.
const MAX_DELAYED_PER_ADDRESS: u32 = 4;

/// How many answers are delayed at a time. Each of them holds a connection, and nothing else.
const MAX_DELAYED: u32 = 64;

/// After this time half of the failures of an address are forgotten.
const HALF_LIFE: Duration = Duration::from_secs(60);

/// How often one address is logged, and how many addresses are logged in that time.
const WARN_INTERVAL: Duration = Duration::from_secs(60);
const MAX_WARNINGS: u32 = 10;

/// Counts failures by address, in a table of fixed size.
#[derive(Debug)]
pub(crate) struct Guard {
    state: Mutex<State>,
    hasher: RandomState,
}

#[derive(Debug)]
struct State {
    slots: Box<[Slot]>,
    delayed: u32,
    /// When the current interval of warnings began, and how many warnings it has.
    warnings: Option<(Instant, u32)>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Slot {
    address: Option<IpAddr>,
    failures: u32,
    delayed: u32,
    last: Option<Instant>,
    warned: Option<Instant>,
}

/// A place among the delayed answers. Dropping it gives the place back.
struct Delayed<'g> {
    guard: &'g Guard,
    address: IpAddr,
}

impl Guard {
    pub(crate) fn new() -> Self {
        let slots = vec![Slot::default(); SLOTS].into_boxed_slice();
        Self { state: Mutex::new(State { slots, delayed: 0, warnings: None }), hasher: RandomState::new() }
    }

    /// Counts a failure of this address, and waits for the delay of its answer. If too many answers are delayed
    /// already, the error becomes [`AuthError::TooManyFailures`].
    pub(crate) async fn failed(&self, address: IpAddr, error: AuthError) -> AuthError {
        let address = client_network(address);
        let Some(delay) = self.count(address) else { return error };
        match self.reserve(address) {
            Some(delayed) => {
                sleep(delay).await;
                drop(delayed);
                error
            }
            None => {
                let seconds = delay.as_millis().div_ceil(1000);
                AuthError::TooManyFailures(u32::try_from(seconds).unwrap_or(u32::MAX))
            }
        }
    }

    /// Counts a failure. Returns the delay of its answer.
    fn count(&self, address: IpAddr) -> Option<Duration> {
        let now = Instant::now();
        let mut state = self.lock();
        let slot = state.claim(self.first_slot(address), address)?;
        let halvings = slot.last.map_or(0, |last| now.duration_since(last).as_secs() / HALF_LIFE.as_secs());
        slot.failures = slot.failures.checked_shr(u32::try_from(halvings).unwrap_or(u32::MAX)).unwrap_or(0);
        slot.failures = slot.failures.saturating_add(1);
        slot.last = Some(now);
        let failures = slot.failures;
        let doublings = failures.checked_sub(FREE_FAILURES + 1)?;
        let delay = FIRST_DELAY.saturating_mul(1 << doublings.min(16)).min(MAX_DELAY);
        let is_due = slot.warned.is_none_or(|warned| now.duration_since(warned) >= WARN_INTERVAL);
        if is_due {
            slot.warned = Some(now);
            if state.may_warn(now) {
                drop(state);
                tracing::warn!(
                    %address,
                    failures,
                    delay_ms = u64::try_from(delay.as_millis()).unwrap_or(u64::MAX),
                    "many tokens from this address are not valid: somebody is guessing, or a client has an old token; \
                     answers to it are delayed"
                );
            }
        }
        Some(delay)
    }

    /// A place among the delayed answers, if one is free.
    fn reserve(&self, address: IpAddr) -> Option<Delayed<'_>> {
        let mut state = self.lock();
        if state.delayed >= MAX_DELAYED {
            return None;
        }
        let slot = state.find(self.first_slot(address), address)?;
        if slot.delayed >= MAX_DELAYED_PER_ADDRESS {
            return None;
        }
        slot.delayed += 1;
        state.delayed += 1;
        Some(Delayed { guard: self, address })
    }

    fn first_slot(&self, address: IpAddr) -> usize {
        // INVARIANT: the remainder is below `SLOTS / WAYS`.
        let sets = (SLOTS / WAYS) as u64;
        usize::try_from(self.hasher.hash_one(address) % sets).unwrap_or_default() * WAYS
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn find(&mut self, first: usize, address: IpAddr) -> Option<&mut Slot> {
        self.slots.get_mut(first..first + WAYS)?.iter_mut().find(|slot| slot.address == Some(address))
    }

    /// The slot of an address. If it has none, it takes the one whose last failure is the oldest. A slot with delayed
    /// answers is never taken.
    fn claim(&mut self, first: usize, address: IpAddr) -> Option<&mut Slot> {
        let ways = self.slots.get_mut(first..first + WAYS)?;
        let at = match ways.iter().position(|slot| slot.address == Some(address)) {
            Some(at) => at,
            None => {
                let free = ways.iter().enumerate().filter(|(_, slot)| slot.delayed == 0);
                let (at, _) = free.min_by_key(|(_, slot)| slot.last)?;
                *ways.get_mut(at)? = Slot { address: Some(address), ..Slot::default() };
                at
            }
        };
        ways.get_mut(at)
    }

    fn may_warn(&mut self, now: Instant) -> bool {
        let (begun, logged) =
            self.warnings.filter(|(begun, _)| now.duration_since(*begun) < WARN_INTERVAL).unwrap_or((now, 0));
        self.warnings = Some((begun, logged.saturating_add(1)));
        logged < MAX_WARNINGS
    }
}

impl Drop for Delayed<'_> {
    fn drop(&mut self) {
        let mut state = self.guard.lock();
        state.delayed = state.delayed.saturating_sub(1);
        if let Some(slot) = state.find(self.guard.first_slot(self.address), self.address) {
            slot.delayed = slot.delayed.saturating_sub(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;
    use std::sync::Arc;

    use super::*;

    fn address(number: u32) -> IpAddr {
        IpAddr::V4(Ipv4Addr::from(number))
    }

    /// How long an answer is delayed, by a paused clock.
    async fn delay(guard: &Guard, from: IpAddr) -> Duration {
        let start = Instant::now();
        assert_eq!(guard.failed(from, AuthError::Invalid).await, AuthError::Invalid);
        start.elapsed()
    }

    #[tokio::test(start_paused = true)]
    async fn delay_of_one_address_grows_to_the_maximum_and_is_forgotten() {
        let guard = Guard::new();
        for _ in 0..FREE_FAILURES {
            assert_eq!(delay(&guard, address(1)).await, Duration::ZERO);
        }
        let mut before = Duration::ZERO;
        for _ in 0..6 {
            let delay = delay(&guard, address(1)).await;
            assert!(delay > before, "{delay:?} after {before:?}");
            before = delay;
        }
        assert!(delay(&guard, address(1)).await <= MAX_DELAY + Duration::from_millis(1));
        assert_eq!(delay(&guard, address(2)).await, Duration::ZERO, "another address");
        tokio::time::advance(HALF_LIFE * 5).await;
        assert_eq!(delay(&guard, address(1)).await, Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn delayed_answers_are_bounded_by_address_and_in_total() {
        let guard = Arc::new(Guard::new());
        let wait = |from: IpAddr| {
            let guard = Arc::clone(&guard);
            tokio::spawn(async move { guard.failed(from, AuthError::Invalid).await })
        };
        for number in 0..100 {
            for _ in 0..FREE_FAILURES {
                guard.failed(address(number), AuthError::Invalid).await;
            }
        }
        let mut waiting = Vec::new();
        for number in 0..100 {
            for _ in 0..10 {
                waiting.push(wait(address(number)));
            }
        }
        let mut answers = Vec::new();
        for task in waiting {
            answers.push(task.await.unwrap());
        }
        let held = answers.iter().filter(|answer| **answer == AuthError::Invalid).count();
        let refused =
            answers.iter().filter(|answer| matches!(answer, AuthError::TooManyFailures(1..=2))).count();
        assert!(held <= MAX_DELAYED as usize && held >= MAX_DELAYED as usize / 2, "{held}");
        assert_eq!(held + refused, 1000);
        let state = guard.lock();
        assert_eq!((state.delayed, state.slots.iter().map(|slot| slot.delayed).sum::<u32>()), (0, 0));
    }

    #[tokio::test(start_paused = true)]
    async fn table_keeps_its_size_with_100_000_addresses() {
        let guard = Guard::new();
        for number in 0..100_000 {
            guard.failed(address(number), AuthError::Invalid).await;
        }
        assert_eq!(guard.lock().slots.len(), SLOTS);
        assert!(size_of::<Slot>() <= 80);
    }

    #[tokio::test(start_paused = true)]
    async fn dropped_request_gives_its_place_back() {
        let guard = Guard::new();
        for _ in 0..FREE_FAILURES {
            guard.failed(address(1), AuthError::Invalid).await;
        }
        for _ in 0..MAX_DELAYED_PER_ADDRESS * 2 {
            let waiting = guard.failed(address(1), AuthError::Invalid);
            assert!(tokio::time::timeout(Duration::from_millis(1), waiting).await.is_err());
        }
        assert_eq!(guard.lock().delayed, 0);
    }

    #[tokio::test(start_paused = true)]
    async fn ipv6_is_counted_by_network() {
        let guard = Guard::new();
        let [first, second, other] =
            ["2001:db8::1", "2001:db8::ffff:2", "2001:db8:0:1::1"].map(|text| text.parse().unwrap());
        for _ in 0..FREE_FAILURES {
            guard.failed(first, AuthError::Invalid).await;
        }
        assert!(delay(&guard, second).await > Duration::ZERO);
        assert_eq!(delay(&guard, other).await, Duration::ZERO);
    }
}
