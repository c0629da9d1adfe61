//! Which connections are served: how many in all and from each source, and which are closed for others.
//!
//! A connection beyond the limits takes the place of an idle one. If there is none, it goes to a small reserve where
//! health checks are answered and everything else is answered 503. Nobody can hold a connection without using it:
//! one whose client takes no byte for `send_timeout` is closed, and under pressure an idle one is closed sooner.
//! The last quarter of the places is for networks that hold few, so that a few networks cannot lock out the others.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use scim2_server::client_network;
use tokio::sync::Notify;
use tokio::time::{Instant, interval, timeout};

mod activity;
mod bodies;
mod limits;
mod networks;
mod registry;
mod stream;
mod task;

pub(super) use activity::Activity;
use activity::Ending;
pub(super) use bodies::{TrackedRequestBody, TrackedResponseBody};
pub(super) use limits::{ConnectionLimits, Limit, Place, RESERVED_CONNECTIONS};
use registry::Registry;
pub(super) use stream::{Reset, Watched};
pub(super) use task::drive;

/// The most connections that were dropped for others and whose tasks have not ended yet.
const MAX_DROPPED: usize = 64;

/// How long a client takes no byte before the shutdown of the server does not wait for it.
const MIN_STALL_AT_SHUTDOWN: Duration = Duration::from_secs(2);

/// How long a client sends nothing of a request body before the shutdown of the server does not wait for it. It is
/// longer than a busy client needs to send what the server has asked for with `100 Continue`.
const MIN_PAUSE_AT_SHUTDOWN: Duration = Duration::from_secs(5);

/// How often the server looks for connections whose clients take nothing.
pub(super) const SWEEP_INTERVAL: Duration = Duration::from_millis(500);

/// The open connections.
#[derive(Debug, Clone)]
pub(super) struct Connections(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    limits: ConnectionLimits,
    started: Instant,
    registry: Mutex<Registry>,
    /// Notified when a connection has ended.
    ended: Notify,
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
            registry: Mutex::default(),
            ended: Notify::new(),
        }))
    }

    /// Waits until the tasks of dropped connections have ended, so that a flood of new ones does not outrun them.
    pub(super) async fn dropped_have_ended(&self) {
        while self.registry().dropped() >= MAX_DROPPED {
            self.0.ended.notified().await;
        }
    }

    /// Counts a new connection: it is served, or it goes to the reserve, which drops its oldest one if it is full.
    pub(super) fn admit(&self, peer: IpAddr) -> Lease {
        let Shared { limits, started, .. } = &*self.0;
        let activity = Arc::new(Activity::new(*started));
        let now = activity::millis_since(*started);
        let (id, place) = self.registry().admit(limits, client_network(peer), &activity, now);
        Lease { connections: self.clone(), id, place, activity }
    }

    /// Closes the connections whose clients took nothing for `send_timeout`.
    pub(super) fn sweep(&self) {
        let send_timeout = activity::millis(self.0.limits.send_timeout);
        let closed = self.abort(|activity, now| activity.has_stalled_for(send_timeout, now));
        if closed > 0 {
            tracing::info!(closed, "connections closed: their clients took no byte for send_timeout");
        }
    }

    /// Asks one idle connection to close, because the process can open no more files.
    pub(super) fn close_an_idle_one(&self) {
        let now = activity::millis_since(self.0.started);
        self.registry().close_an_idle_one(now);
    }

    /// Lets every connection finish its request and waits until all have ended, except for clients that neither take
    /// nor send anything. Returns `false` if some did not end in time.
    pub(super) async fn close(&self, shutdown_timeout: Duration) -> bool {
        for activity in self.registry().activities() {
            activity.end(Ending::AfterRequest);
        }
        let (stall, pause) =
            (activity::millis(MIN_STALL_AT_SHUTDOWN), activity::millis(MIN_PAUSE_AT_SHUTDOWN));
        // A client may take the whole pause from now on, whatever it did before.
        let pauses_end = activity::millis_since(self.0.started).saturating_add(pause);
        let ended = async {
            let mut ticks = interval(SWEEP_INTERVAL);
            while !self.registry().is_empty() {
                tokio::select! {
                    () = self.0.ended.notified() => {}
                    _ = ticks.tick() => {
                        self.abort(|activity, now| {
                            let has_paused = || now >= pauses_end && activity.has_paused_for(pause, now);
                            activity.has_stalled_for(stall, now) || has_paused()
                        });
                    }
                }
            }
        };
        timeout(shutdown_timeout, ended).await.is_ok()
    }

    /// Aborts the connections whose activity says so at this time, in milliseconds. Returns how many.
    fn abort(&self, is_to_end: impl Fn(&Activity, u64) -> bool) -> usize {
        let now = activity::millis_since(self.0.started);
        let registry = self.registry();
        let to_end = registry.activities().filter(|activity| is_to_end(activity, now));
        to_end.map(|activity| activity.end(Ending::Now)).count()
    }

    fn registry(&self) -> MutexGuard<'_, Registry> {
        self.0.registry.lock().unwrap_or_else(PoisonError::into_inner)
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
        self.connections.registry().remove(self.id);
        self.connections.0.ended.notify_one();
    }
}

#[cfg(test)]
mod tests;
