//! Shares the log lines of a minute between the sources of refusals.

use std::fmt;
use std::net::IpAddr;

use super::Line;
use crate::forwarded::client_network;

/// How many lines are written in a window in total.
pub(super) const MAX_LINES: u64 = 300;

/// How many of them are about requests without an accepted credential, which anybody can send.
pub(super) const MAX_LINES_OF_STRANGERS: u64 = MAX_LINES / 2;

/// How many lines one credential or one client address may cause in a window.
pub(super) const MAX_LINES_OF_ONE: u64 = 30;

/// How many credentials, and as many addresses, have a share of their own. All others have one share together.
pub(super) const MAX_SOURCES: usize = 128;

/// How many sources are named at the end of a window.
const MAX_NAMED: usize = 5;

/// The sources that caused lines in this window. An unauthenticated client cannot use up the lines of a
/// credential, and one credential cannot use up those of another.
#[derive(Debug, Default)]
pub(super) struct Shares {
    credentials: Lines,
    strangers: Lines,
}

/// The lines of sources of one sort.
#[derive(Debug, Default)]
struct Lines {
    shares: Vec<Share>,
    written: u64,
}

#[derive(Debug)]
struct Share {
    source: Source,
    written: u64,
    folded: u64,
}

#[derive(Debug, PartialEq, Eq)]
enum Source {
    Credential(Box<str>),
    Address(IpAddr),
    /// Neither credential nor address is known, or the table of sources is full.
    Others,
}

impl Shares {
    /// Says whether a line may be written. It is counted as written or as folded.
    pub(super) fn admits(&mut self, line: &Line<'_>) -> bool {
        match line.credential {
            // A credential with a reason is known but not accepted. Anybody may have an expired token, so it
            // counts by its address.
            Some(name) if line.reason.is_none() => {
                let room = MAX_LINES - self.strangers.written;
                self.credentials.admits(
                    room,
                    |source| matches!(source, Source::Credential(own) if **own == *name),
                    || Source::Credential(name.into()),
                )
            }
            _ => {
                let room = MAX_LINES_OF_STRANGERS.min(MAX_LINES - self.credentials.written);
                let source = || {
                    line.address.map_or(Source::Others, |address| Source::Address(client_network(address)))
                };
                self.strangers.admits(room, |own| *own == source(), source)
            }
        }
    }

    /// Logs how many lines were folded, and the sources that caused the most of them.
    pub(super) fn say(&self) {
        let (requests, sources) = self.folded();
        if requests > 0 {
            tracing::warn!(requests, sources, "more were refused than are logged one by one");
        }
    }

    pub(super) fn folded(&self) -> (u64, String) {
        let all = self.credentials.shares.iter().chain(&self.strangers.shares);
        let mut shares: Vec<&Share> = all.filter(|share| share.folded > 0).collect();
        shares.sort_by_key(|share| std::cmp::Reverse(share.folded));
        let named: Vec<String> = shares.iter().take(MAX_NAMED).map(ToString::to_string).collect();
        (shares.iter().map(|share| share.folded).sum(), named.join(", "))
    }

    /// The length of the longer table.
    #[cfg(test)]
    pub(super) fn sources(&self) -> usize {
        self.credentials.shares.len().max(self.strangers.shares.len())
    }
}

impl Lines {
    fn admits(&mut self, room: u64, is_same: impl Fn(&Source) -> bool, source: impl Fn() -> Source) -> bool {
        let is_full = self.shares.len() >= MAX_SOURCES;
        let at = self.shares.iter().position(|share| is_same(&share.source));
        let at = at.or_else(|| {
            let others = || self.shares.iter().position(|share| share.source == Source::Others);
            is_full.then(others).flatten()
        });
        let at = at.unwrap_or_else(|| {
            let source = if is_full { Source::Others } else { source() };
            self.shares.push(Share { source, written: 0, folded: 0 });
            self.shares.len() - 1
        });
        let Some(share) = self.shares.get_mut(at) else { return false };
        let is_written = share.written < MAX_LINES_OF_ONE && self.written < room;
        share.written += u64::from(is_written);
        share.folded += u64::from(!is_written);
        self.written += u64::from(is_written);
        is_written
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.source {
            Source::Credential(name) => write!(f, "credential {name}: {}", self.folded),
            Source::Address(address) => write!(f, "address {address}: {}", self.folded),
            Source::Others => write!(f, "others: {}", self.folded),
        }
    }
}
