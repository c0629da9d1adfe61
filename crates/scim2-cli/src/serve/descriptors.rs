//! The limit of open files, and how many connections it allows.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::connections::RESERVED_CONNECTIONS;

/// The least number of files that is kept for the store: its database, its readers, spooled answers.
const MIN_STORE_FILES: u64 = 128;

/// The share of all files that is kept for the store, as a divisor.
const STORE_SHARE: u64 = 4;

/// Raises the limit of open files as far as the system allows. Returns the limit, `None` if there is none.
pub(super) fn raise_limit() -> Option<u64> {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current != maximum && setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }).is_ok() {
        return maximum;
    }
    current
}

/// How many of `wanted` connections can be served with that many files.
pub(super) fn connections_within(limit: Option<u64>, wanted: usize) -> usize {
    let Some(limit) = limit else { return wanted };
    let store = MIN_STORE_FILES.max(limit / STORE_SHARE);
    let left = limit.saturating_sub(store).saturating_sub(RESERVED_CONNECTIONS as u64);
    wanted.min(usize::try_from(left.max(1)).unwrap_or(usize::MAX))
}

/// The number of connections that are served: `wanted` or, with a line in the log, what the limit allows.
pub(super) fn fit_connections(wanted: usize) -> usize {
    let limit = raise_limit();
    let served = connections_within(limit, wanted);
    if let (Some(limit), true) = (limit, served < wanted) {
        tracing::warn!(
            "max_connections is {wanted}, but this process may open only {limit} files: {served} connections are \
             served. Raise the limit (LimitNOFILE of systemd, `ulimit -Hn`) or lower max_connections"
        );
    }
    served
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_leave_files_for_the_store_and_for_health_checks() {
        assert_eq!(connections_within(None, 4096), 4096);
        assert_eq!(connections_within(Some(1_048_576), 4096), 4096);
        assert_eq!(connections_within(Some(1024), 4096), 1024 - 256 - 64);
        assert_eq!(connections_within(Some(1024), 100), 100);
        assert_eq!(connections_within(Some(256), 4096), 256 - 128 - 64);
        assert_eq!(connections_within(Some(64), 4096), 1);
    }

    #[test]
    fn raised_limit_is_the_hard_one() {
        let limit = raise_limit();
        assert_eq!(limit, getrlimit(Resource::Nofile).current);
        assert_eq!(limit, getrlimit(Resource::Nofile).maximum);
    }
}
