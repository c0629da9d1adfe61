//! The limits of connections, and what a connection may do within them.

use std::fmt;
use std::time::Duration;

/// How many connections beyond the limit are accepted to answer health checks.
pub(in super::super) const RESERVED_CONNECTIONS: usize = 64;

/// How long a connection must be idle before it is closed for another one, so that new connections are not closed
/// before their first request is read.
pub(super) const MIN_IDLE: Duration = Duration::from_secs(1);

/// How long a client must take no byte before its connection is closed for another one.
pub(super) const MIN_STALL: Duration = Duration::from_secs(5);

/// The same if the other one comes from a network that holds few connections.
const MIN_STALL_FOR_FEW: Duration = Duration::from_secs(1);

/// How long a connection must be idle before a network that holds many takes its place while all places are in use.
/// Networks that hold few wait less, so that they still find connections to close.
const MIN_IDLE_FOR_MANY: Duration = Duration::from_secs(5);

/// The divisor for the share of all places that is kept for networks that hold few connections.
const KEPT_FOR_FEW: usize = 4;

/// The divisor for the share of all places below which a network holds few connections.
const FEW: usize = 16;

/// How many connections are served.
#[derive(Debug, Clone, Copy)]
pub(in super::super) struct ConnectionLimits {
    /// The most at a time.
    pub(in super::super) served: usize,
    /// The most at a time from one source.
    pub(in super::super) per_source: usize,
    /// How long a client may take no byte of the answer that waits for it.
    pub(in super::super) send_timeout: Duration,
}

impl ConnectionLimits {
    /// Whether one source may not have all connections. It may behind a proxy, where all clients have one address.
    pub(super) fn separates_sources(&self) -> bool {
        self.per_source < self.served
    }

    /// How many connections are served before the rest is kept for networks that hold few.
    pub(super) fn for_all(&self) -> usize {
        if self.separates_sources() { self.served - self.served / KEPT_FOR_FEW } else { self.served }
    }

    /// Whether a network with this many connections holds few.
    pub(super) fn is_few(&self, held: usize) -> bool {
        held < (self.served / FEW).max(1)
    }
}

/// The client that wants the place of another connection. It decides how long that connection must have been unused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Newcomer {
    /// A client of a network that holds few connections, while all places are in use.
    OfSmallNetwork,
    /// Any other client.
    Usual,
    /// A client of a network that holds many connections, while all places are in use.
    OfLargeNetwork,
}

impl Newcomer {
    /// How long a connection must have been idle.
    pub(super) fn min_idle(self) -> Duration {
        match self {
            Self::OfSmallNetwork | Self::Usual => MIN_IDLE,
            Self::OfLargeNetwork => MIN_IDLE_FOR_MANY,
        }
    }

    /// How long a client must have taken no byte.
    pub(super) fn min_stall(self) -> Duration {
        match self {
            Self::OfSmallNetwork => MIN_STALL_FOR_FEW,
            Self::Usual | Self::OfLargeNetwork => MIN_STALL,
        }
    }
}

/// What a connection may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Place {
    /// It is served.
    Served,
    /// Only health checks are answered on it, for this reason.
    Reserved(Limit),
}

impl Place {
    /// The limit that keeps the connection from being served.
    pub(in super::super) fn limit(self) -> Option<Limit> {
        match self {
            Self::Served => None,
            Self::Reserved(limit) => Some(limit),
        }
    }
}

/// A limit that was reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Limit {
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
