//! What a query did, told to who asks for it: `scim2 serve --explain-queries`.
//!
//! What it compares with is never told: statements hold `?` for it.

use std::cell::RefCell;
use std::collections::BTreeSet;

use scim2_core::AttributeId;
use scim2_core::schema::AttributeType;
use scim2_server::Context;
use scim2_server::store::Target;

use super::{Evaluator, Select, condition};
use crate::model::index::is_meta;

/// The target of these events, at the level `DEBUG`: who wants them turns it on.
pub const EXPLAIN: &str = "scim2_store::explain";

/// The way a query is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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

/// What a query does, told when this is dropped: also of one that is given up or fails.
pub(crate) struct Explanation<'s> {
    select: &'s Select<'s>,
    cx: &'s Context,
    target: &'s Target,
    way: Way,
    filters: bool,
    sorts: bool,
    /// How many rows came back.
    pub(crate) rows: u64,
    /// How many places were stepped over.
    pub(crate) skipped: u64,
    /// How many match; as long as that is not known, the query has not come to its end.
    pub(crate) matches: Option<u64>,
}

impl<'s> Explanation<'s> {
    pub(crate) fn new(
        select: &'s Select<'s>,
        cx: &'s Context,
        target: &'s Target,
        way: Way,
        evaluator: &Evaluator<'_>,
    ) -> Self {
        let (filters, sorts) = (evaluator.filters(), evaluator.sorts());
        Self { select, cx, target, way, filters, sorts, rows: 0, skipped: 0, matches: None }
    }

    /// Tells nothing: the query is answered in another way, which tells of itself.
    pub(crate) fn withdraw(self) {
        std::mem::forget(self);
    }

    /// The attributes that are filtered and sorted by: those that an index has, and those that none has
    /// and one could.
    fn attributes(&self) -> [String; 2] {
        let index = self.select.index;
        let type_ = &index.resource_type;
        let used = RefCell::new(BTreeSet::from_iter(self.target.sort));
        condition(self.target).mentions(&|id: AttributeId| {
            used.borrow_mut().insert(id);
            false
        });
        let list = |indexed: bool| {
            let used = used.borrow();
            let of = used.iter().filter_map(|id| {
                let path = type_.attribute(*id).path();
                let parent = type_.attribute(*id).parent();
                let by_row = path == "id"
                    || parent.is_some_and(|parent| [type_.members(), type_.groups()].contains(&Some(parent)));
                let is_indexed = by_row || index.path(*id).is_some();
                let whole = type_.attribute(*id).attribute_type() == AttributeType::Complex;
                (is_indexed == indexed && !whole && !is_meta(path)).then_some(path)
            });
            of.collect::<Vec<_>>().join(",")
        };
        [list(true), list(false)]
    }
}

impl Drop for Explanation<'_> {
    /// Tells what was asked of the database for one resource type, what was left to the evaluator,
    /// how many rows came back and how many of them match.
    fn drop(&mut self) {
        if !tracing::enabled!(target: EXPLAIN, tracing::Level::DEBUG) {
            return;
        }
        let sql = match (self.way, &self.select.plan.source) {
            (Way::Candidates, Some(source)) => self.select.candidates("r.*", source),
            _ => self.select.matching("r.*", true),
        };
        let evaluator = match (self.way, self.filters, self.sorts) {
            (Way::Page, _, _) | (_, false, false) => "nothing",
            (_, true, false) => "the filter",
            (_, false, true) => "the order",
            (_, true, true) => "the filter and the order",
        };
        let [indexed, not_indexed] = self.attributes();
        let request = &*self.cx.request_id;
        let resource_type = self.select.index.resource_type.name();
        let (way, sql, rows, skipped) = (self.way.name(), &*sql.text, self.rows, self.skipped);
        match self.matches {
            Some(matches) => tracing::debug!(
                target: EXPLAIN,
                request, resource_type, way, indexed, not_indexed, sql, evaluator, rows, skipped, matches, "query"
            ),
            None => tracing::debug!(
                target: EXPLAIN,
                request, resource_type, way, indexed, not_indexed, sql, evaluator, rows, skipped,
                "query that was given up or failed"
            ),
        }
    }
}
