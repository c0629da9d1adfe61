//! Fair queues for scarce resources, such as threads for scans or connections to a database.
//!
//! Each credential has its own queue. A thread that becomes free goes to the next credential in the round, so a client
//! that sends a thousand requests delays another client's request by one of them and not by a thousand. A credential
//! may hold only its [share](TurnLimits::share) at once, so its slow requests leave threads for the others.
//!
//! ```
//! use scim2_server::turns::{TurnLimits, Turns};
//! # use std::sync::Arc;
//! # use scim2_server::turns::Credential;
//! # futures_util::FutureExt::now_or_never(async {
//! # let credential = Credential::new(Default::default(), "identity provider".into());
//! let threads = Turns::new(TurnLimits { at_once: 4, share: 3, waiting: 1000, waiting_share: 100 });
//! let turn = threads.take(&credential).await?;
//! // … the work …
//! drop(turn); // the next one begins
//! # Ok::<(), scim2_server::StoreError>(())
//! # }).expect("nobody else is there")?;
//! # Ok::<(), scim2_server::StoreError>(())
//! ```

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_channel::oneshot;

use crate::context::{Context, TenantId};
use crate::store::StoreError;

/// The owner of a request. All requests of one actor of a tenant share their turns.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Credential {
    tenant: TenantId,
    actor: Arc<str>,
}

impl Credential {
    /// The credential of an actor.
    #[must_use]
    pub fn new(tenant: TenantId, actor: Arc<str>) -> Self {
        Self { tenant, actor }
    }
}

impl Context {
    /// The owner of this request.
    #[must_use]
    pub fn credential(&self) -> Credential {
        Credential::new(self.tenant.clone(), Arc::clone(&self.actor))
    }
}

/// How many turns there are, and how many requests may wait for one. A limit of 0 counts as 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TurnLimits {
    /// How many turns there are at once.
    pub at_once: usize,
    /// How many of them one credential may have.
    pub share: usize,
    /// How many requests may wait; one more is refused with
    /// [`StoreErrorKind::Unavailable`](crate::StoreErrorKind::Unavailable).
    pub waiting: usize,
    /// How many requests of one credential may wait; one more is refused with
    /// [`StoreErrorKind::Throttled`](crate::StoreErrorKind::Throttled).
    pub waiting_share: usize,
}

impl TurnLimits {
    /// The default share of one credential: three quarters, and never all turns if there is more than one.
    #[must_use]
    pub const fn usual_share(at_once: usize) -> usize {
        let share = at_once - at_once.div_ceil(4);
        if share == 0 { 1 } else { share }
    }
}

/// Gives out turns. Clones share them.
#[derive(Debug, Clone)]
pub struct Turns {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    limits: TurnLimits,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    running: usize,
    waiting: usize,
    /// The credentials with requests that run or wait.
    credentials: HashMap<Credential, Queue>,
    /// The credentials with waiting requests, the next one first.
    round: VecDeque<Credential>,
}

#[derive(Debug, Default)]
struct Queue {
    running: usize,
    waiting: VecDeque<oneshot::Sender<Turn>>,
}

/// The right to work, until it is dropped.
#[derive(Debug)]
pub struct Turn {
    /// `None` once the turn was given back, so that its drop does not do it again.
    held: Option<(Arc<Shared>, Credential)>,
}

impl Turns {
    /// Turns within these limits.
    #[must_use]
    pub fn new(limits: TurnLimits) -> Self {
        let TurnLimits { at_once, share, waiting, waiting_share } = limits;
        let limits = TurnLimits {
            at_once: at_once.max(1),
            share: share.max(1),
            waiting: waiting.max(1),
            waiting_share: waiting_share.max(1),
        };
        Self { shared: Arc::new(Shared { limits, state: Mutex::default() }) }
    }

    /// A turn, if one is free.
    #[must_use]
    pub fn try_take(&self, credential: &Credential) -> Option<Turn> {
        let mut state = self.shared.lock();
        state.may_run(credential, self.shared.limits).then(|| {
            state.run(credential);
            Turn { held: Some((Arc::clone(&self.shared), credential.clone())) }
        })
    }

    /// Waits for a turn. If the future is dropped, the request waits no longer.
    ///
    /// # Errors
    /// [`StoreErrorKind::Throttled`](crate::StoreErrorKind::Throttled) if too many requests of the credential wait already,
    /// [`StoreErrorKind::Unavailable`](crate::StoreErrorKind::Unavailable) if too many of all do.
    pub async fn take(&self, credential: &Credential) -> Result<Turn, StoreError> {
        let receiver = {
            let mut state = self.shared.lock();
            if state.may_run(credential, self.shared.limits) {
                state.run(credential);
                return Ok(Turn { held: Some((Arc::clone(&self.shared), credential.clone())) });
            }
            state.wait(credential, self.shared.limits)?
        };
        receiver.await.map_err(|_| StoreError::unavailable("the store is shutting down"))
    }

    /// How many requests wait.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.shared.lock().waiting
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing that is done under the lock panics.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Whether a request of this credential can run at once. If a turn is free, every waiting credential already has
    /// its full share, so the request overtakes nobody.
    fn may_run(&self, credential: &Credential, limits: TurnLimits) -> bool {
        let running = self.credentials.get(credential).map_or(0, |queue| queue.running);
        self.running < limits.at_once && running < limits.share
    }

    fn run(&mut self, credential: &Credential) {
        self.running += 1;
        match self.credentials.get_mut(credential) {
            Some(queue) => queue.running += 1,
            None => {
                let queue = Queue { running: 1, waiting: VecDeque::new() };
                self.credentials.insert(credential.clone(), queue);
            }
        }
    }

    fn wait(
        &mut self,
        credential: &Credential,
        limits: TurnLimits,
    ) -> Result<oneshot::Receiver<Turn>, StoreError> {
        if let Some(queue) = self.credentials.get_mut(credential)
            && queue.waiting.len() >= limits.waiting_share
        {
            // Remove waiting requests whose clients have disconnected.
            let before = queue.waiting.len();
            queue.waiting.retain(|sender| !sender.is_canceled());
            self.waiting -= before - queue.waiting.len();
            if queue.waiting.is_empty() {
                self.round.retain(|other| other != credential);
            } else if queue.waiting.len() >= limits.waiting_share {
                return Err(StoreError::throttled(
                    "too many requests of this credential wait already: send fewer at once, and try again later",
                ));
            }
        }
        if self.waiting >= limits.waiting {
            return Err(StoreError::unavailable("too many requests are waiting"));
        }
        let queue = self.credentials.entry(credential.clone()).or_default();
        let (sender, receiver) = oneshot::channel();
        if queue.waiting.is_empty() {
            self.round.push_back(credential.clone());
        }
        queue.waiting.push_back(sender);
        self.waiting += 1;
        Ok(receiver)
    }

    /// Takes the next request whose turn it is, if there is one.
    fn next(&mut self, limits: TurnLimits) -> Option<(Credential, oneshot::Sender<Turn>)> {
        if self.running >= limits.at_once {
            return None;
        }
        // Each is looked at once.
        for _ in 0..self.round.len() {
            let credential = self.round.pop_front()?;
            let Some(queue) = self.credentials.get_mut(&credential) else { continue };
            if queue.running >= limits.share {
                self.round.push_back(credential);
                continue;
            }
            let Some(sender) = queue.waiting.pop_front() else { continue };
            self.waiting -= 1;
            if !queue.waiting.is_empty() {
                self.round.push_back(credential.clone());
            }
            return Some((credential, sender));
        }
        None
    }

    fn end(&mut self, credential: &Credential) {
        self.running -= 1;
        if let Some(queue) = self.credentials.get_mut(credential) {
            queue.running -= 1;
            if queue.running == 0 && queue.waiting.is_empty() {
                self.credentials.remove(credential);
            }
        }
    }
}

impl Drop for Turn {
    /// Starts the next requests.
    fn drop(&mut self) {
        let Some((shared, credential)) = self.held.take() else { return };
        let mut state = shared.lock();
        state.end(&credential);
        while let Some((credential, sender)) = state.next(shared.limits) {
            state.run(&credential);
            let turn = Self { held: Some((Arc::clone(&shared), credential)) };
            // If its client has gone, the turn comes back.
            if let Err(mut turn) = sender.send(turn)
                && let Some((_, credential)) = turn.held.take()
            {
                state.end(&credential);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;
    use futures_util::future::BoxFuture;

    use super::*;
    use crate::store::StoreErrorKind;

    const LIMITS: TurnLimits = TurnLimits { at_once: 3, share: 2, waiting: 50, waiting_share: 20 };

    fn credential(name: &str) -> Credential {
        Credential::new(TenantId::default(), name.into())
    }

    /// A request that waits.
    fn wait(turns: &Turns, name: &str) -> BoxFuture<'static, Result<Turn, StoreError>> {
        let (turns, credential) = (turns.clone(), credential(name));
        let mut waiting = Box::pin(async move { turns.take(&credential).await });
        assert!(waiting.as_mut().now_or_never().is_none(), "it waits");
        waiting
    }

    #[track_caller]
    fn now(turns: &Turns, name: &str) -> Turn {
        turns.take(&credential(name)).now_or_never().expect("a turn is free").expect("a turn")
    }

    fn refusal(turns: &Turns, name: &str) -> StoreErrorKind {
        let refused = turns.take(&credential(name)).now_or_never().expect("refused at once");
        refused.expect_err("refused").kind().clone()
    }

    #[test]
    fn one_credential_never_has_more_than_its_share() {
        let turns = Turns::new(LIMITS);
        let (first, _second) = (now(&turns, "a"), now(&turns, "a"));
        let mut third = wait(&turns, "a");
        let other = now(&turns, "b");
        drop(other);
        assert!(third.as_mut().now_or_never().is_none(), "its share is used up");
        drop(first);
        third.now_or_never().expect("its turn").expect("a turn");
    }

    #[test]
    fn what_becomes_free_goes_to_one_credential_after_the_other() {
        let turns = Turns::new(TurnLimits { at_once: 1, ..LIMITS });
        let mut turn = now(&turns, "a");
        let mut waiting: Vec<(&str, BoxFuture<'_, _>)> = Vec::new();
        for name in ["a", "a", "a", "a", "b", "b", "c"] {
            waiting.push((name, wait(&turns, name)));
        }
        let mut served = Vec::new();
        while !waiting.is_empty() {
            drop(turn);
            let ready = waiting.iter_mut().enumerate().find_map(|(at, (_, request))| {
                request.as_mut().now_or_never().map(|turn| (at, turn.expect("a turn")))
            });
            let (at, next) = ready.expect("one is served");
            served.push(waiting.remove(at).0);
            turn = next;
        }
        assert_eq!(served, ["a", "b", "c", "a", "b", "a", "a"]);
        drop(turn);
        assert_eq!(turns.waiting(), 0);
        assert!(turns.shared.lock().credentials.is_empty(), "nothing is kept");
    }

    #[test]
    fn requests_whose_clients_have_gone_hold_neither_turns_nor_places() {
        let turns = Turns::new(TurnLimits { at_once: 1, waiting_share: 2, ..LIMITS });
        let turn = now(&turns, "a");
        for _ in 0..10 {
            drop((wait(&turns, "a"), wait(&turns, "a")));
        }
        let (kept, granted) = (wait(&turns, "a"), wait(&turns, "b"));
        drop(turn);
        // A dropped request passes its turn on.
        drop((kept, granted));
        drop(now(&turns, "c"));
        assert_eq!((turns.waiting(), turns.shared.lock().running), (0, 0));
        assert!(turns.shared.lock().credentials.is_empty(), "nothing is kept");
    }

    #[test]
    fn too_many_of_one_credential_are_throttled_and_too_many_of_all_are_refused() {
        let turns = Turns::new(TurnLimits { at_once: 1, share: 1, waiting: 3, waiting_share: 2 });
        let _turn = now(&turns, "a");
        let _waiting = (wait(&turns, "a"), wait(&turns, "a"));
        assert_eq!(refusal(&turns, "a"), StoreErrorKind::Throttled);
        let _third = wait(&turns, "b");
        assert_eq!(refusal(&turns, "c"), StoreErrorKind::Unavailable);
        assert_eq!(refusal(&turns, "a"), StoreErrorKind::Throttled);
    }

    #[test]
    fn the_usual_share_leaves_something_for_others() {
        let shares = [1, 2, 3, 4, 16].map(TurnLimits::usual_share);
        assert_eq!(shares, [1, 1, 2, 3, 12]);
    }
}
