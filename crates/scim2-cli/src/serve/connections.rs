//! Which connections are served: how many in all and from each source, and which are closed for others.
//!
//! A connection beyond the limits takes the place of an idle one. If there is none, it goes to a small reserve where
//! health checks are answered and everything else is answered 503. Nobody can hold a connection without using it:
//! one whose client takes no byte for `send_timeout` is closed, and under pressure an idle one is closed sooner.

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

/// How long a client takes no byte before its connection is closed for another one, or for the end of the server.
const MIN_STALL: Duration = Duration::from_secs(5);

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
    /// All connections that may be served are in use.
    All,
    /// All connections that one source may have are in use.
    Source,
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::All => "all connections that this server may have are in use",
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
    from: HashMap<IpAddr, usize>,
    /// When the last search found no connection to close.
    nothing_found: Option<u64>,
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
        let used = open.from.get(&source).copied().unwrap_or_default();
        let beyond_share = limits.per_source < limits.served && used >= limits.per_source;
        let place = if beyond_share && !open.make_room(now, |entry| entry.source == source) {
            Place::Reserved(Limit::Source)
        } else if open.served >= limits.served && !open.make_room(now, |_| true) {
            Place::Reserved(Limit::All)
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
        self.lock().make_room(now, |_| true);
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
                *self.from.entry(source).or_default() += 1;
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
                let left = self.from.get(&source).map_or(0, |left| left.saturating_sub(1));
                if left == 0 {
                    self.from.remove(&source);
                } else {
                    self.from.insert(source, left);
                }
            }
            Counted::Reserved => self.reserved = self.reserved.saturating_sub(1),
            Counted::Closing => self.closing = self.closing.saturating_sub(1),
            Counted::Dropped => self.dropped = self.dropped.saturating_sub(1),
        }
    }

    /// Asks an idle or stalled connection to close and gives its place away: of the source with the most
    /// connections, the one that has been so for the longest time.
    fn make_room(&mut self, now: u64, may_close: impl Fn(&Entry) -> bool) -> bool {
        let just_searched =
            self.nothing_found.is_some_and(|searched| now.saturating_sub(searched) < SEARCH_PAUSE);
        if self.closing >= MAX_CLOSING || just_searched {
            return false;
        }
        let candidates = self.all.iter().filter_map(|(id, entry)| {
            if entry.counted != Counted::Served || !may_close(entry) {
                return None;
            }
            let (least, since, ending) = match entry.activity.state() {
                State::Busy => return None,
                State::Idle(since) => (MIN_IDLE, since, Ending::AfterRequest),
                State::Stalled(since) => (MIN_STALL, since, Ending::Now),
            };
            let age = now.checked_sub(since).filter(|age| *age >= activity::millis(least))?;
            let from_source = self.from.get(&entry.source).copied().unwrap_or_default();
            Some(((from_source, age), *id, ending))
        });
        let found = candidates
            .max_by_key(|(rank, id, _)| (*rank, std::cmp::Reverse(*id)))
            .map(|(_, id, ending)| (id, ending));
        match found {
            Some((id, ending)) => self.close(id, ending),
            None => {
                self.nothing_found = Some(now);
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
            open.nothing_found = None;
        }
        drop(open);
        self.connections.0.ended.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    fn connections(served: usize, per_source: usize) -> Connections {
        Connections::new(ConnectionLimits { served, per_source, send_timeout: Duration::from_secs(60) })
    }

    fn address(last: u8) -> IpAddr {
        [192, 0, 2, last].into()
    }

    #[track_caller]
    fn admit(connections: &Connections, last: u8) -> Lease {
        connections.admit(address(last))
    }

    #[tokio::test(start_paused = true)]
    async fn new_connection_at_the_limit_takes_the_place_of_the_longest_idle_one() {
        let connections = connections(2, 2);
        let first = admit(&connections, 1);
        advance(Duration::from_secs(1)).await;
        let second = admit(&connections, 2);
        let third = admit(&connections, 3);
        assert_eq!(third.place(), Place::Served);
        assert_eq!(first.activity().ending(), Ending::AfterRequest);
        assert_eq!(second.activity().ending(), Ending::None);
        // The others have not been idle for long enough.
        assert_eq!(admit(&connections, 4).place(), Place::Reserved(Limit::All));
        drop(third);
        assert_eq!(admit(&connections, 4).place(), Place::Served);
    }

    #[tokio::test(start_paused = true)]
    async fn connection_with_a_request_is_not_closed_for_another_one() {
        let connections = connections(1, 1);
        let busy = admit(&connections, 1);
        let request = Activity::begin_request(busy.activity());
        advance(Duration::from_secs(3600)).await;
        assert_eq!(admit(&connections, 2).place(), Place::Reserved(Limit::All));
        drop(request);
        advance(MIN_IDLE).await;
        assert_eq!(admit(&connections, 2).place(), Place::Served);
    }

    #[tokio::test(start_paused = true)]
    async fn source_beyond_its_share_closes_its_own_connections_only() {
        let connections = connections(10, 2);
        let other = admit(&connections, 1);
        advance(MIN_IDLE).await;
        let own = [admit(&connections, 2), admit(&connections, 2)];
        assert_eq!(admit(&connections, 2).place(), Place::Reserved(Limit::Source));
        advance(MIN_IDLE).await;
        assert_eq!(admit(&connections, 2).place(), Place::Served);
        assert_eq!(own[0].activity().ending(), Ending::AfterRequest);
        assert_eq!(other.activity().ending(), Ending::None);
    }

    #[tokio::test(start_paused = true)]
    async fn source_with_the_most_connections_makes_room_first() {
        let connections = connections(3, 3);
        let honest = admit(&connections, 1);
        advance(MIN_IDLE).await;
        let many = [admit(&connections, 2), admit(&connections, 2)];
        advance(MIN_IDLE).await;
        assert_eq!(admit(&connections, 3).place(), Place::Served);
        assert_eq!(honest.activity().ending(), Ending::None);
        assert_eq!(many[0].activity().ending(), Ending::AfterRequest);
    }

    #[tokio::test(start_paused = true)]
    async fn stalled_connection_ends_after_send_timeout_and_sooner_under_pressure() {
        let connections = connections(1, 1);
        let stalled = admit(&connections, 1);
        stalled.activity().stalled();
        advance(MIN_STALL).await;
        connections.sweep();
        assert_eq!(stalled.activity().ending(), Ending::None);
        assert_eq!(admit(&connections, 2).place(), Place::Served);
        assert_eq!(stalled.activity().ending(), Ending::Now);

        let connections = self::connections(1, 1);
        let stalled = admit(&connections, 1);
        stalled.activity().stalled();
        advance(Duration::from_secs(59)).await;
        connections.sweep();
        assert_eq!(stalled.activity().ending(), Ending::None);
        // Progress begins the time anew.
        stalled.activity().progressed();
        stalled.activity().stalled();
        advance(Duration::from_secs(59)).await;
        connections.sweep();
        assert_eq!(stalled.activity().ending(), Ending::None);
        advance(Duration::from_secs(1)).await;
        connections.sweep();
        assert_eq!(stalled.activity().ending(), Ending::Now);
    }

    #[tokio::test(start_paused = true)]
    async fn full_reserve_drops_its_oldest_connection() {
        let connections = connections(1, 1);
        let busy = admit(&connections, 1);
        let _request = Activity::begin_request(busy.activity());
        let reserved: Vec<Lease> = (0..RESERVED_CONNECTIONS).map(|_| admit(&connections, 2)).collect();
        let newest = admit(&connections, 3);
        assert_eq!(newest.place(), Place::Reserved(Limit::All));
        assert_eq!(reserved[0].activity().ending(), Ending::Now);
        assert_eq!(reserved[1].activity().ending(), Ending::None);
    }

    #[tokio::test(start_paused = true)]
    async fn connections_that_do_not_close_bound_how_many_are_asked_to() {
        let connections = connections(MAX_CLOSING * 2, MAX_CLOSING * 2);
        let idle: Vec<Lease> = (0..MAX_CLOSING * 2).map(|_| admit(&connections, 1)).collect();
        advance(MIN_IDLE).await;
        let taken: Vec<Lease> = (0..MAX_CLOSING).map(|_| admit(&connections, 2)).collect();
        assert!(taken.iter().all(|lease| lease.place() == Place::Served));
        assert_eq!(admit(&connections, 2).place(), Place::Reserved(Limit::All));
        drop(idle);
        assert_eq!(admit(&connections, 2).place(), Place::Served);
    }

    #[tokio::test(start_paused = true)]
    async fn close_does_not_wait_for_stalled_connections() {
        let connections = connections(2, 2);
        let stalled = admit(&connections, 1);
        stalled.activity().stalled();
        let ended = tokio::spawn(async move {
            std::future::poll_fn(|cx| stalled.activity().poll_ending(cx, Ending::Now)).await;
            drop(stalled);
        });
        assert!(connections.close(Duration::from_secs(30)).await);
        ended.await.expect("it ends");

        let working = admit(&connections, 1);
        let _request = Activity::begin_request(working.activity());
        assert!(!connections.close(Duration::from_secs(30)).await);
    }

    #[tokio::test(start_paused = true)]
    async fn ipv6_addresses_of_one_network_are_one_source() {
        let connections = connections(10, 1);
        let admit = |address: &str| connections.admit(address.parse().expect("an address"));
        let _first = admit("2001:db8::1");
        assert_eq!(admit("2001:db8:0:0:ffff::2").place(), Place::Reserved(Limit::Source));
        assert_eq!(admit("2001:db8:0:1::1").place(), Place::Served);
        let _second = admit("::ffff:192.0.2.1");
        assert_eq!(admit("192.0.2.1").place(), Place::Reserved(Limit::Source));
    }
}
