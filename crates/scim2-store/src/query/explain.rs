//! Logs how queries were run: `scim2 serve --explain-queries`.
//!
//! The log never holds the values that a query compares with: statements have `?` in their place.

use std::cell::RefCell;
use std::collections::BTreeSet;

use scim2_core::AttributeId;
use scim2_core::schema::AttributeType;
use scim2_server::Context;
use scim2_server::store::Target;

use super::{Evaluator, Select, condition};
use crate::model::index::is_meta;

/// The target of these events, which have the level `DEBUG`.
pub const EXPLAIN: &str = "scim2_store::explain";

/// How a query is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// An index finds few candidates, and each is evaluated.
    Candidates,
    /// The database counts, sorts and selects the page.
    Page,
    /// All resources that satisfy the SQL part of the filter are evaluated.
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

/// Describes how a query is run. It is logged when this is dropped, even if the query was canceled or failed.
pub(crate) struct Explanation<'s> {
    select: &'s Select<'s>,
    cx: &'s Context,
    target: &'s Target,
    way: Way,
    filters: bool,
    sorts: bool,
    /// How many rows the database returned.
    pub(crate) rows: u64,
    /// How many places were skipped.
    pub(crate) skipped: u64,
    /// How many resources match; `None` until the query has ended.
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

    /// Logs nothing, because the query is run in another way.
    pub(crate) fn withdraw(self) {
        std::mem::forget(self);
    }

    /// The attributes in the filter and the order: those with an index, and those without one that could have one.
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
    /// Logs the statement for one resource type, what was left to the evaluator, and the numbers of rows and
    /// matches.
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
