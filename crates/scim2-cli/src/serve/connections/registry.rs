//! The open connections and their counters: which place a new one gets, and which one makes room for it.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use super::activity::{self, Activity, Ending, State};
use super::limits::{ConnectionLimits, Limit, Newcomer, Place, RESERVED_CONNECTIONS};
use super::networks::{ConnectionCounts, site};

/// The most connections that were asked to close for others, in order, and are still open.
pub(super) const MAX_CLOSING: usize = 64;

/// How long to wait for the next search after one that found no connection to close.
const SEARCH_PAUSE_MILLIS: u64 = 50;

/// The open connections. Times are milliseconds since the server started.
#[derive(Debug, Default)]
pub(super) struct Registry {
    next_id: u64,
    connections: HashMap<u64, Connection>,
    served: usize,
    reserved: usize,
    closing: usize,
    dropped: usize,
    served_by_source: ConnectionCounts,
    served_by_site: ConnectionCounts,
    last_failed_search: LastFailedSearch,
}

#[derive(Debug)]
struct Connection {
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

/// When the last search found no connection to close. Searches for networks that hold few are apart, so that others
/// that connect all the time do not keep them from searching.
#[derive(Debug, Default)]
struct LastFailedSearch {
    for_few: Option<u64>,
    for_others: Option<u64>,
}

impl LastFailedSearch {
    fn at(&mut self, newcomer: Newcomer) -> &mut Option<u64> {
        match newcomer {
            Newcomer::OfSmallNetwork => &mut self.for_few,
            Newcomer::Usual | Newcomer::OfLargeNetwork => &mut self.for_others,
        }
    }
}

impl Registry {
    /// Counts a connection from a network. Returns its number and its place.
    pub(super) fn admit(
        &mut self,
        limits: &ConnectionLimits,
        source: IpAddr,
        activity: &Arc<Activity>,
        now: u64,
    ) -> (u64, Place) {
        let place = match self.limit_for(limits, source, now) {
            None => Place::Served,
            Some(limit) => Place::Reserved(limit),
        };
        if place != Place::Served && self.reserved >= RESERVED_CONNECTIONS {
            self.drop_oldest_reserved();
        }
        let counted = if place == Place::Served { Counted::Served } else { Counted::Reserved };
        let id = self.next_id;
        self.next_id += 1;
        self.count(counted, source);
        self.connections.insert(id, Connection { counted, source, activity: Arc::clone(activity) });
        (id, place)
    }

    pub(super) fn remove(&mut self, id: u64) {
        if let Some(Connection { counted, source, .. }) = self.connections.remove(&id) {
            self.discount(counted, source);
            self.last_failed_search = LastFailedSearch::default();
        }
    }

    /// Asks one idle connection to close.
    pub(super) fn close_an_idle_one(&mut self, now: u64) {
        self.make_room(now, Newcomer::Usual, |_, _| true);
    }

    pub(super) fn activities(&self) -> impl Iterator<Item = &Activity> {
        self.connections.values().map(|connection| &*connection.activity)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.connections.is_empty()
    }

    /// How many connections were dropped for others and have not ended yet.
    pub(super) fn dropped(&self) -> usize {
        self.dropped
    }

    /// The limit that keeps a new connection from being served, if no other one makes room for it.
    fn limit_for(&mut self, limits: &ConnectionLimits, source: IpAddr, now: u64) -> Option<Limit> {
        let is_full = self.served >= limits.served;
        let held = self.served_by_site.of(site(source));
        let is_few = limits.is_few(held);
        let newcomer = match (is_full, is_few) {
            (true, true) => Newcomer::OfSmallNetwork,
            (true, false) if limits.separates_sources() => Newcomer::OfLargeNetwork,
            _ => Newcomer::Usual,
        };
        let (limit, has_room) =
            if limits.separates_sources() && self.served_by_source.of(source) >= limits.per_source {
                let is_own = |other: &Connection, _| other.source == source;
                (Limit::Source, self.make_room(now, newcomer, is_own))
            } else if is_full {
                // Nobody takes the place of a network that holds fewer.
                let holds_as_many = |_: &Connection, held_by_other| held_by_other >= held;
                (Limit::All, self.make_room(now, newcomer, holds_as_many))
            } else if self.served >= limits.for_all() && !is_few {
                let is_of_site = |other: &Connection, _| site(other.source) == site(source);
                (Limit::All, self.make_room(now, newcomer, is_of_site))
            } else {
                return None;
            };
        (!has_room).then_some(limit)
    }

    /// Asks an idle or stalled connection to close and gives its place away: of the site with the most connections,
    /// the one that has been so for the longest time. `may_close` is also told how many its site has.
    fn make_room(
        &mut self,
        now: u64,
        newcomer: Newcomer,
        may_close: impl Fn(&Connection, usize) -> bool,
    ) -> bool {
        let last = *self.last_failed_search.at(newcomer);
        let just_searched = last.is_some_and(|last| now.saturating_sub(last) < SEARCH_PAUSE_MILLIS);
        if self.closing >= MAX_CLOSING || just_searched {
            return false;
        }
        let candidates = self.connections.iter().filter_map(|(id, connection)| {
            if connection.counted != Counted::Served {
                return None;
            }
            let held = self.served_by_site.of(site(connection.source));
            if !may_close(connection, held) {
                return None;
            }
            let (least, since, ending) = match connection.activity.state() {
                State::Busy => return None,
                State::Idle(since) => (newcomer.min_idle(), since, Ending::AfterRequest),
                State::Stalled(since) => (newcomer.min_stall(), since, Ending::Now),
            };
            let age = now.checked_sub(since).filter(|age| *age >= activity::millis(least))?;
            Some(((held, age), *id, ending))
        });
        let found = candidates.max_by_key(|(rank, id, _)| (*rank, Reverse(*id)));
        match found.map(|(_, id, ending)| (id, ending)) {
            Some((id, ending)) => self.close(id, ending),
            None => {
                *self.last_failed_search.at(newcomer) = Some(now);
                false
            }
        }
    }

    /// Drops the oldest connection of the reserve: a client that sent a request there has its answer by now.
    fn drop_oldest_reserved(&mut self) {
        let reserved =
            self.connections.iter().filter(|(_, connection)| connection.counted == Counted::Reserved);
        if let Some(oldest) = reserved.map(|(id, _)| *id).min() {
            self.close(oldest, Ending::Now);
        }
    }

    fn close(&mut self, id: u64, ending: Ending) -> bool {
        let Some(connection) = self.connections.get_mut(&id) else { return false };
        connection.activity.end(ending);
        let ends_as = if ending == Ending::Now { Counted::Dropped } else { Counted::Closing };
        let (counted, source) = (std::mem::replace(&mut connection.counted, ends_as), connection.source);
        self.discount(counted, source);
        self.count(ends_as, source);
        true
    }

    fn count(&mut self, counted: Counted, source: IpAddr) {
        if counted == Counted::Served {
            self.served_by_source.add(source);
            self.served_by_site.add(site(source));
        }
        let counter = self.counter(counted);
        *counter += 1;
    }

    fn discount(&mut self, counted: Counted, source: IpAddr) {
        if counted == Counted::Served {
            self.served_by_source.remove(source);
            self.served_by_site.remove(site(source));
        }
        let counter = self.counter(counted);
        *counter = counter.saturating_sub(1);
    }

    fn counter(&mut self, counted: Counted) -> &mut usize {
        match counted {
            Counted::Served => &mut self.served,
            Counted::Reserved => &mut self.reserved,
            Counted::Closing => &mut self.closing,
            Counted::Dropped => &mut self.dropped,
        }
    }
}
