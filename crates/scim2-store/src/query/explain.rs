//! What a query did, told to who asks for it: `scim2 serve --explain-queries`.
//!
//! What it compares with is never told: statements hold `?` for it.

use scim2_server::Context;

use super::{Eye, Select};

/// The target of these events, at the level `DEBUG`: who wants them turns it on.
pub const EXPLAIN: &str = "scim2_store::explain";

/// The way a query is answered.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Way {
    /// Few candidates are found by an index, and each is looked at.
    Candidates,
    /// The database counts, sorts and cuts the page out.
    Page,
    /// All that satisfy what SQL can say are looked at, one after the other.
    Scan,
}

impl Way {
    const fn name(self) -> &'static str {
        match self {
            Self::Candidates => "candidates of an index",
            Self::Page => "counted, sorted and paged in SQL",
            Self::Scan => "scan",
        }
    }
}

impl Select<'_> {
    /// Tells what was asked of the database for one resource type, what was left to the evaluator,
    /// how many rows came back and how many of them match.
    pub(crate) fn explain(&self, cx: &Context, way: Way, eye: &Eye<'_>, rows: u64, matches: u64) {
        if !tracing::enabled!(target: EXPLAIN, tracing::Level::DEBUG) {
            return;
        }
        let sql = match (way, &self.plan.source) {
            (Way::Candidates, Some(source)) => self.candidates("r.*", source),
            _ => self.matching("r.*", true),
        };
        let evaluator = match (way, eye.filters(), eye.sorts()) {
            (Way::Page, _, _) | (_, false, false) => "nothing",
            (_, true, false) => "the filter",
            (_, false, true) => "the order",
            (_, true, true) => "the filter and the order",
        };
        tracing::debug!(
            target: EXPLAIN,
            request = &*cx.request_id,
            resource_type = self.index.resource_type.name(),
            way = way.name(),
            sql = &*sql.text,
            evaluator,
            rows,
            matches,
            "query"
        );
    }
}
