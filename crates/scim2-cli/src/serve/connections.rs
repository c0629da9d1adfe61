//! Which connections are served: how many in all and from each source, and which are closed for others.
//!
//! A connection beyond the limits takes the place of an idle one. If there is none, it goes to a small reserve where
//! health checks are answered and everything else is answered 503. Nobody can hold a connection without using it:
//! one whose client takes no byte for `send_timeout` is closed, and under pressure an idle one is closed sooner.
//! The last quarter of the places is for networks that hold few, so that a few networks cannot lock out the others.

use std::collections::HashMap;
use std::fmt;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use scim2_server::client_network;
use tokio::sync::Notify;
use tokio::time::{Instant, interval, timeout};

mod activity;
mod watched;

pub(super) use activity::{Activity, TrackedBody};
use activity::{Ending, State};
pub(super) use watched::{Reset, Watched, drive};

/// Connections beyond the limit on which health checks are still answered.
pub(super) const RESERVED_CONNECTIONS: usize = 64;

/// The most connections that were asked to close for others, in order, and are still open.
const MAX_CLOSING: usize = 64;

/// The most connections that were dropped for others and whose tasks have not ended yet.
const MAX_DROPPED: usize = 64;

/// How long a connection is idle before it is closed for another one, so that a burst of new connections is not
/// closed before their first request was read.
const MIN_IDLE: Duration = Duration::from_secs(1);

/// How long a client takes no byte before its connection is closed for another one.
const MIN_STALL: Duration = Duration::from_secs(5);

/// The same if the other one comes from a network that holds few connections.
const MIN_STALL_FOR_FEW: Duration = Duration::from_secs(1);

/// How long a connection is idle before a network that holds many takes its place while all places are in use.
/// It is longer than what networks that hold few wait for, so that they find connections to close.
const MIN_IDLE_FOR_MANY: Duration = Duration::from_secs(5);

/// One of so many places is kept for networks that hold few connections.
const KEPT_FOR_FEW: usize = 4;

/// A network holds few connections if it holds less than one of so many places.
const FEW: usize = 16;

/// How long a client takes no byte before the end of the server does not wait for it.
const MIN_STALL_AT_END: Duration = Duration::from_secs(2);

/// How long to wait for the next search after one that found no connection to close, in milliseconds.
const SEARCH_PAUSE: u64 = 50;

/// How often connections are looked through for those whose clients take nothing.
pub(super) const SWEEP_INTERVAL: Duration = Duration::from_millis(500);

/// How many connections are served.
#[derive(Debug, Clone, Copy)]
pub(super) struct ConnectionLimits {
    /// The most at a time.
    pub(super) served: usize,
    /// The most at a time from one source.
    pub(super) per_source: usize,
    /// How long a client may take no byte of what waits for it.
    pub(super) send_timeout: Duration,
}

impl ConnectionLimits {
    /// Whether one source may not have all connections. It may behind a proxy, where sources say nothing.
    fn separates_sources(&self) -> bool {
        self.per_source < self.served
    }

    /// How many connections are served before the rest is kept for networks that hold few.
    fn for_all(&self) -> usize {
        if self.separates_sources() { self.served - self.served / KEPT_FOR_FEW } else { self.served }
    }

    /// Whether a network with this many connections holds few.
    fn is_few(&self, held: usize) -> bool {
        held < (self.served / FEW).max(1)
    }
}

/// How long a connection must have been unused before it is closed for another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Claim {
    /// The other one comes from a network that holds few.
    Few,
    /// Any other case.
    Usual,
    /// All places are in use, and the other one comes from a network that holds many.
    Many,
}

impl Claim {
    fn min_idle(self) -> Duration {
        match self {
            Self::Few | Self::Usual => MIN_IDLE,
            Self::Many => MIN_IDLE_FOR_MANY,
        }
    }

    fn min_stall(self) -> Duration {
        match self {
            Self::Few => MIN_STALL_FOR_FEW,
            Self::Usual | Self::Many => MIN_STALL,
        }
    }
}

/// What a connection may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// It is served.
    Served,
    /// Only health checks are answered on it, for this reason.
    Reserved(Limit),
}

impl Place {
    /// The limit that keeps the connection from being served.
    pub(super) fn limit(self) -> Option<Limit> {
        match self {
            Self::Served => None,
            Self::Reserved(limit) => Some(limit),
        }
    }
}

/// A limit that was reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Limit {
    /// All connections that may be served are in use, or the rest is kept for networks that hold few.
    All,
    /// All connections that one source may have are in use.
    Source,
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::All => "all connections that this server may have for this address are in use",
            Self::Source => "all connections that one address may have are in use",
        })
    }
}

/// The open connections.
#[derive(Debug, Clone)]
pub(super) struct Connections(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    limits: ConnectionLimits,
    started: Instant,
    open: Mutex<Open>,
    ended: Notify,
}

#[derive(Debug, Default)]
struct Open {
    next: u64,
    all: HashMap<u64, Entry>,
    served: usize,
    reserved: usize,
    closing: usize,
    dropped: usize,
    /// How many are served from each source.
    from: Counts,
    /// How many are served from each site.
    from_site: Counts,
    /// The last search that found no connection to close.
    nothing_found: NothingFound,
}

/// How many connections each of these networks has.
#[derive(Debug, Default)]
struct Counts(HashMap<IpAddr, usize>);

impl Counts {
    fn of(&self, network: IpAddr) -> usize {
        self.0.get(&network).copied().unwrap_or_default()
    }

    fn add(&mut self, network: IpAddr) {
        *self.0.entry(network).or_default() += 1;
    }

    fn remove(&mut self, network: IpAddr) {
        match self.of(network) {
            0 | 1 => {
                self.0.remove(&network);
            }
            held => {
                self.0.insert(network, held - 1);
            }
        }
    }
}

/// When the last search found no connection to close. Searches for networks that hold few are apart, so that others
/// that knock all the time do not keep them from searching.
#[derive(Debug, Default)]
struct NothingFound {
    for_few: Option<u64>,
    for_others: Option<u64>,
}

impl NothingFound {
    fn at(&mut self, claim: Claim) -> &mut Option<u64> {
        match claim {
            Claim::Few => &mut self.for_few,
            Claim::Usual | Claim::Many => &mut self.for_others,
        }
    }
}

/// The network that counts as one where sources compete for places: an IPv6 /48, which has 65 536 /64 networks.
fn site(source: IpAddr) -> IpAddr {
    match source {
        IpAddr::V4(_) => source,
        IpAddr::V6(address) => IpAddr::V6((u128::from(address) >> 80 << 80).into()),
    }
}

#[derive(Debug)]
struct Entry {
    counted: Counted,
    /// The network that it comes from.
    source: IpAddr,
    activity: Arc<Activity>,
}

/// The counter that a connection belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Counted {
    Served,
    Reserved,
    /// It was asked to close, and its place is taken.
    Closing,
    /// It ends as soon as its task runs, and its place is taken.
    Dropped,
}

/// A connection that is counted until this is dropped.
#[derive(Debug)]
pub(super) struct Lease {
    connections: Connections,
    id: u64,
    place: Place,
    activity: Arc<Activity>,
}

impl Connections {
    pub(super) fn new(limits: ConnectionLimits) -> Self {
        Self(Arc::new(Shared {
            limits,
            started: Instant::now(),
            open: Mutex::default(),
            ended: Notify::new(),
        }))
    }

    /// Waits until the tasks of dropped connections have ended, so that a flood of new ones does not outrun them.
    pub(super) async fn dropped_have_ended(&self) {
        while self.lock().dropped >= MAX_DROPPED {
            self.0.ended.notified().await;
        }
    }

    /// Takes a connection in: to be served, or to the reserve, which drops its oldest one if it is full.
    pub(super) fn admit(&self, peer: IpAddr) -> Lease {
        let Shared { limits, started, .. } = &*self.0;
        let (source, now) = (client_network(peer), activity::millis_since(*started));
        let mut open = self.lock();
        let is_full = open.served >= limits.served;
        let held = open.from_site.of(site(source));
        let is_few = limits.is_few(held);
        let claim = match (is_full, is_few) {
            (true, true) => Claim::Few,
            (true, false) if limits.separates_sources() => Claim::Many,
            _ => Claim::Usual,
        };
        let place = if limits.separates_sources() && open.from.of(source) >= limits.per_source {
            let may_close = |entry: &Entry, _| entry.source == source;
            if open.make_room(now, claim, may_close) { Place::Served } else { Place::Reserved(Limit::Source) }
        } else if is_full {
            // Nobody takes the place of a network that holds fewer.
            let may_close = |_: &Entry, its| its >= held;
            if open.make_room(now, claim, may_close) { Place::Served } else { Place::Reserved(Limit::All) }
        } else if open.served >= limits.for_all() && !is_few {
            let may_close = |entry: &Entry, _| site(entry.source) == site(source);
            if open.make_room(now, claim, may_close) { Place::Served } else { Place::Reserved(Limit::All) }
        } else {
            Place::Served
        };
        if place != Place::Served && open.reserved >= RESERVED_CONNECTIONS {
            open.drop_oldest_reserved();
        }
        let counted = match place {
            Place::Served => Counted::Served,
            Place::Reserved(_) => Counted::Reserved,
        };
        let activity = Arc::new(Activity::new(*started));
        let id = open.next;
        open.next += 1;
        open.count(counted, source);
        open.all.insert(id, Entry { counted, source, activity: Arc::clone(&activity) });
        Lease { connections: self.clone(), id, place, activity }
    }

    /// Closes the connections whose clients took nothing for `send_timeout`.
    pub(super) fn sweep(&self) {
        let closed = self.abort_stalled(self.0.limits.send_timeout);
        if closed > 0 {
            tracing::info!(closed, "connections closed: their clients took no byte for send_timeout");
        }
    }

    /// Asks one idle connection to close, because the process can open no more files.
    pub(super) fn close_an_idle_one(&self) {
        let now = activity::millis_since(self.0.started);
        self.lock().make_room(now, Claim::Usual, |_, _| true);
    }

    /// Lets every connection finish its request and waits until all have ended, but not for clients that take nothing.
    /// `false` if some did not end in time.
    pub(super) async fn close(&self, patience: Duration) -> bool {
        for entry in self.lock().all.values() {
            entry.activity.end(Ending::AfterRequest);
        }
        let ended = async {
            let mut ticks = interval(SWEEP_INTERVAL);
            while !self.lock().all.is_empty() {
                tokio::select! {
                    () = self.0.ended.notified() => {}
                    _ = ticks.tick() => {
                        self.abort_stalled(MIN_STALL_AT_END);
                    }
                }
            }
        };
        timeout(patience, ended).await.is_ok()
    }

    /// Aborts the connections whose clients have taken nothing for this long, and says how many.
    fn abort_stalled(&self, patience: Duration) -> usize {
        let (now, patience) = (activity::millis_since(self.0.started), activity::millis(patience));
        let open = self.lock();
        let stalled = open.all.values().filter(|entry| {
            matches!(entry.activity.state(), State::Stalled(since) if now.saturating_sub(since) >= patience)
        });
        stalled.map(|entry| entry.activity.end(Ending::Now)).count()
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        self.0.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Open {
    fn count(&mut self, counted: Counted, source: IpAddr) {
        match counted {
            Counted::Served => {
                self.served += 1;
                self.from.add(source);
                self.from_site.add(site(source));
            }
            Counted::Reserved => self.reserved += 1,
            Counted::Closing => self.closing += 1,
            Counted::Dropped => self.dropped += 1,
        }
    }

    fn discount(&mut self, counted: Counted, source: IpAddr) {
        match counted {
            Counted::Served => {
                self.served = self.served.saturating_sub(1);
                self.from.remove(source);
                self.from_site.remove(site(source));
            }
            Counted::Reserved => self.reserved = self.reserved.saturating_sub(1),
            Counted::Closing => self.closing = self.closing.saturating_sub(1),
            Counted::Dropped => self.dropped = self.dropped.saturating_sub(1),
        }
    }

    /// Asks an idle or stalled connection to close and gives its place away: of the site with the most connections,
    /// the one that has been so for the longest time. `may_close` is also told how many its site has.
    fn make_room(&mut self, now: u64, claim: Claim, may_close: impl Fn(&Entry, usize) -> bool) -> bool {
        let nothing_found = *self.nothing_found.at(claim);
        let just_searched = nothing_found.is_some_and(|searched| now.saturating_sub(searched) < SEARCH_PAUSE);
        if self.closing >= MAX_CLOSING || just_searched {
            return false;
        }
        let candidates = self.all.iter().filter_map(|(id, entry)| {
            if entry.counted != Counted::Served {
                return None;
            }
            let held = self.from_site.of(site(entry.source));
            if !may_close(entry, held) {
                return None;
            }
            let (least, since, ending) = match entry.activity.state() {
                State::Busy => return None,
                State::Idle(since) => (claim.min_idle(), since, Ending::AfterRequest),
                State::Stalled(since) => (claim.min_stall(), since, Ending::Now),
            };
            let age = now.checked_sub(since).filter(|age| *age >= activity::millis(least))?;
            Some(((held, age), *id, ending))
        });
        let found = candidates
            .max_by_key(|(rank, id, _)| (*rank, std::cmp::Reverse(*id)))
            .map(|(_, id, ending)| (id, ending));
        match found {
            Some((id, ending)) => self.close(id, ending),
            None => {
                *self.nothing_found.at(claim) = Some(now);
                false
            }
        }
    }

    /// Drops the oldest connection of the reserve: whoever sent a request there has its answer.
    fn drop_oldest_reserved(&mut self) {
        let reserved = self.all.iter().filter(|(_, entry)| entry.counted == Counted::Reserved);
        if let Some(oldest) = reserved.map(|(id, _)| *id).min() {
            self.close(oldest, Ending::Now);
        }
    }

    fn close(&mut self, id: u64, ending: Ending) -> bool {
        let Some(entry) = self.all.get_mut(&id) else { return false };
        entry.activity.end(ending);
        let ends_as = if ending == Ending::Now { Counted::Dropped } else { Counted::Closing };
        let (counted, source) = (std::mem::replace(&mut entry.counted, ends_as), entry.source);
        self.discount(counted, source);
        self.count(ends_as, source);
        true
    }
}

impl Lease {
    /// What the connection may do.
    pub(super) fn place(&self) -> Place {
        self.place
    }

    /// What the connection is doing.
    pub(super) fn activity(&self) -> &Arc<Activity> {
        &self.activity
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let mut open = self.connections.lock();
        if let Some(Entry { counted, source, .. }) = open.all.remove(&self.id) {
            open.discount(counted, source);
            open.nothing_found = NothingFound::default();
        }
        drop(open);
        self.connections.0.ended.notify_one();
    }
}

#[cfg(test)]
mod tests;
