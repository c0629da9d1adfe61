//! Logs the counts of tolerated deviations and refused requests.

use std::time::Duration;

use scim2_server::{Counts, ResourceStore, ServiceProvider};

/// How often the number of refusals that have no log line of their own is logged.
const FLUSH: Duration = Duration::from_secs(60);

/// After how many flushes the totals are logged.
const FLUSHES_PER_REPORT: u32 = 60;

/// Logs the totals once an hour, until the task is aborted.
pub(super) async fn report<S: ResourceStore>(provider: ServiceProvider<S>) {
    let mut said = Counts::default();
    let mut flushes = tokio::time::interval(FLUSH);
    let mut number = 0_u32;
    loop {
        flushes.tick().await;
        provider.flush_log();
        number = number.wrapping_add(1);
        let counts = provider.counts();
        if number.is_multiple_of(FLUSHES_PER_REPORT) && counts != said {
            log(&counts);
            said = counts;
        }
    }
}

/// Logs the totals unless all of them are zero.
pub(super) fn log(counts: &Counts) {
    if *counts == Counts::default() {
        return;
    }
    let tolerated: Vec<String> =
        counts.tolerated.iter().map(|(quirk, times)| format!("{quirk} {times}")).collect();
    let refused = counts.refused.iter().map(|(status, why, times)| match why.as_str() {
        "" => format!("{status}: {times}"),
        why => format!("{status} {why}: {times}"),
    });
    let refused: Vec<String> = refused.collect();
    tracing::info!(
        tolerated = tolerated.join(", "),
        ignored = counts.ignored,
        refused = refused.join(", "),
        "totals since the start"
    );
}
