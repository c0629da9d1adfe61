//! The part of a query that is about one resource type.

use std::sync::Arc;

use scim2_core::ResourceId;
use scim2_filter::{CompiledFilter, Condition, SortValue};
use scim2_server::StoreError;
use scim2_server::store::{Include, Position, StoredResource, Target};

use super::search::FEW;
use super::{
    Entry, Evaluator, Explanation, Hit, RowSource, Scan, Search, Select, Visitor, Way, Window, check_limit,
};
use crate::model::index::TypeIndex;
use crate::model::row::{Asked, Found, parse};
use crate::sql::Sql;

/// What a query looks for in the resources of one type.
pub(crate) struct TargetQuery<'s, 'q, S> {
    pub(super) search: &'s Search<'q, S>,
    pub(crate) index: &'s Arc<TypeIndex>,
    pub(super) target: &'s Target,
    pub(super) select: Select<'s>,
}

impl<S: RowSource> TargetQuery<'_, '_, S> {
    pub(super) fn is_empty(&self) -> bool {
        matches!(self.target.filter.as_ref().map(CompiledFilter::condition), Some(Condition::Never))
    }

    /// What the answer holds beside the rows of its resources.
    pub(crate) fn include(&self) -> Include {
        self.search.query.include
    }

    /// How many bytes the resources of a page may have.
    #[cfg(feature = "postgres")]
    pub(crate) fn max_bytes(&self) -> Option<u64> {
        self.search.query.max_bytes
    }

    /// Takes the smallest of several sources that each hold all matches, as far as counting up to `most` tells.
    pub(super) async fn take_smallest_source(&mut self, most: u64) -> Result<(), S::Error> {
        let mut sql = Sql::default();
        for source in self.select.comparing(most) {
            sql.push(if sql.text.is_empty() { "SELECT (" } else { ", (" });
            sql.append(&source);
            sql.push(")");
        }
        if sql.text.is_empty() {
            return Ok(());
        }
        let (count, at) = self.search.source.smallest(&sql).await?;
        self.select.plan.take_source(at, count <= FEW as u64);
        Ok(())
    }

    /// Looks at the candidates if they are few. `false` if they are not: then the window may hold some of them.
    pub(super) async fn look_at_few(&self, window: &mut Window, at: usize) -> Result<bool, S::Error> {
        let plan = &self.select.plan;
        let Some(source) = plan.source.as_ref().filter(|_| plan.is_selective()) else { return Ok(false) };
        // The tests beside the source may search all values of a path. For a few resources the evaluator is faster.
        let columns = Found::columns(Asked::new(self.index, self.include()));
        let mut sql = self.select.candidates(columns, source);
        // Not a parameter: PostgreSQL plans for the number.
        sql.push(" LIMIT 65");
        const { assert!(FEW == 64, "the statement asks for one more") };
        let evaluator = self.few_evaluator();
        let before = window.total();
        let mut explanation = self.explain(Way::Candidates, &evaluator);
        let scan = Scan { max_rows: Some(FEW), related: self.related(&evaluator) };
        let mut look = Look {
            target: self,
            evaluator,
            window,
            at,
            max_kept_body: Some(S::MAX_KEPT_BODY),
            rows: &mut explanation.rows,
        };
        let looked = self.search.source.each_row(&sql, scan, &mut look).await;
        match looked {
            Ok(true) => explanation.matches = Some(window.total() - before),
            Ok(false) | Err(_) => explanation.withdraw(),
        }
        looked
    }

    /// Looks at all candidates, one after the other.
    pub(super) async fn look_at_all(&self, window: &mut Window, at: usize) -> Result<(), S::Error> {
        let evaluator = self.evaluator(self.select.plan.exact);
        let before = window.total();
        let mut explanation = self.explain(Way::Scan, &evaluator);
        let scan = Scan { max_rows: None, related: self.related(&evaluator) };
        // If all candidates match and come in order of their ids, only the ids are read.
        let reads_bodies = evaluator.reads_bodies();
        let columns = if reads_bodies { Found::COLUMNS } else { "r.pk, r.id" };
        let sql = self.select.matching(columns, true);
        let mut look =
            Look { target: self, evaluator, window, at, max_kept_body: None, rows: &mut explanation.rows };
        if reads_bodies {
            self.search.source.each_row(&sql, scan, &mut look).await?;
        } else {
            self.search.source.each_id(&sql, &mut look).await?;
        }
        explanation.matches = Some(window.total() - before);
        Ok(())
    }

    pub(super) fn explain(&self, way: Way, evaluator: &Evaluator<'_>) -> Explanation<'_> {
        Explanation::new(&self.select, self.search.cx, self.target, way, evaluator)
    }

    /// Looks at candidates of the source without the tests beside it.
    pub(super) fn few_evaluator(&self) -> Evaluator<'_> {
        self.evaluator(self.select.plan.exact && self.select.plan.test.is_none())
    }

    pub(super) fn evaluator(&self, exact: bool) -> Evaluator<'_> {
        Evaluator::new(&self.index.resource_type, self.target, exact)
    }

    /// What an evaluator needs beside the rows.
    fn related(&self, evaluator: &Evaluator<'_>) -> Asked {
        if evaluator.reads_bodies() { Asked::new(self.index, evaluator.include) } else { Asked::NOTHING }
    }
}

/// Puts the resources that match into a window.
struct Look<'l, 's, 'q, S> {
    target: &'l TargetQuery<'s, 'q, S>,
    evaluator: Evaluator<'l>,
    window: &'l mut Window,
    at: usize,
    /// The largest body that is kept for the page, in bytes. `None` in a scan, which keeps none and is limited by how
    /// many resources it looks at.
    max_kept_body: Option<usize>,
    /// How many rows were looked at.
    rows: &'l mut u64,
}

impl<S> Look<'_, '_, '_, S> {
    fn count(&mut self) -> Result<(), StoreError> {
        *self.rows += 1;
        match self.max_kept_body {
            Some(_) => Ok(()),
            None => check_limit(self.target.search.query, self.window.look_at(1)),
        }
    }

    /// The sort key of a resource, if it matches.
    fn judge(
        &self,
        found: &Found,
        load: impl FnOnce(Found, &TypeIndex, Include) -> Result<StoredResource, StoreError>,
    ) -> Result<Option<SortValue<'static>>, StoreError> {
        let (evaluator, cx) = (&self.evaluator, self.target.search.cx);
        if !evaluator.reads_bodies() {
            return Ok(Some(SortValue::Missing));
        }
        let resource = if evaluator.body_suffices() {
            parse(&found.body)?
        } else {
            load(found.clone(), self.target.index, evaluator.include)?.representation(cx)?
        };
        evaluator.judge(&resource, &cx.work)
    }
}

impl<S> Visitor for Look<'_, '_, '_, S> {
    fn work(&self, found: &Found) -> u64 {
        if self.evaluator.reads_bodies() { self.evaluator.work(found.body.len()) } else { 0 }
    }

    fn row(
        &mut self,
        found: Found,
        load: impl FnOnce(Found, &TypeIndex, Include) -> Result<StoredResource, StoreError>,
    ) -> Result<(), StoreError> {
        self.count()?;
        let Some(key) = self.judge(&found, load)? else { return Ok(()) };
        let pk = found.pk;
        let (id, found) = if self.max_kept_body.is_some_and(|most| found.body.len() <= most) {
            (found.id.clone(), Some(Box::new(found)))
        } else {
            (found.id, None)
        };
        let hit = Hit { pk, target: self.at, found };
        self.window.add(Entry { position: Position { key, id }, hit });
        Ok(())
    }

    fn id(&mut self, pk: i64, id: ResourceId) -> Result<(), StoreError> {
        self.count()?;
        let hit = Hit { pk, target: self.at, found: None };
        self.window.add(Entry { position: Position { key: SortValue::Missing, id }, hit });
        Ok(())
    }
}
