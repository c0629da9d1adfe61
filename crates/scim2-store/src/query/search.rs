//! Runs a query: filters in SQL, finished by the evaluator where SQL cannot express them.

use std::sync::Arc;

use scim2_filter::{CompiledFilter, Condition};
use scim2_server::store::{Query, QueryPage, Start, StoredResource};
use scim2_server::{Context, StoreError};

use super::{Hit, OpaquePaths, Page, Places, RowSource, Select, TargetQuery, Window, check_limit, condition};
use crate::model::index::TypeIndex;
use crate::model::row::Asked;
use crate::plan::Plan;

/// How many candidates are few: they are looked at one by one, on the thread that asks.
pub(crate) const FEW: usize = 64;

/// A page of all resources of a type is read on the thread that asks if it ends at most this many places from the
/// first or the last resource.
const MAX_INLINE_PLACES: u64 = 512;

/// A query, and the snapshot that it runs on.
pub(crate) struct Search<'q, S> {
    pub(crate) cx: &'q Context,
    pub(crate) tenant: i64,
    pub(crate) query: &'q Query,
    /// One for each target, in their order.
    pub(crate) indexes: &'q [Arc<TypeIndex>],
    pub(crate) source: S,
}

impl<'q, S: RowSource> Search<'q, S> {
    /// Answers if few resources are in question; `None` if it may take long, or more statements than may be sent.
    pub(crate) async fn at_once(&self) -> Result<Option<QueryPage>, S::Error> {
        if let [target] = self.query.targets.as_slice()
            && target.sort.is_none()
            && matches!(condition(target), Condition::Always)
        {
            return if S::INLINE_SNAPSHOT { self.near_page_of_all().await } else { Ok(None) };
        }
        if !self.query.targets.iter().all(|target| target.filter.as_ref().is_some_and(may_be_selective)) {
            return Ok(None);
        }
        let mut opaque = OpaquePaths::default();
        let mut targets = self.targets(&mut opaque)?;
        let is_one_statement = || match targets.as_slice() {
            [target] => opaque.is_complete() && target.few_evaluator().body_suffices(),
            _ => false,
        };
        if !S::INLINE_SNAPSHOT && !is_one_statement() {
            return Ok(None);
        }
        for target in &mut targets {
            target.take_smallest_source(FEW as u64 + 1).await?;
        }
        let mut window = Window::new(self.query);
        for (at, target) in targets.iter().enumerate() {
            if !target.is_empty() && !target.look_at_few(&mut window, at).await? {
                return Ok(None);
            }
        }
        let is_whole = |hit: &Hit| {
            let asked = targets.get(hit.target).map(|target| Asked::new(target.index, self.query.include));
            asked.is_some_and(|asked| hit.found.as_ref().is_some_and(|found| found.is_whole(asked)))
        };
        if !S::INLINE_SNAPSHOT && !window.hits().all(is_whole) {
            return Ok(None);
        }
        self.page(&targets, window).await.map(Some)
    }

    /// A page near the beginning or the end of all resources of a type, whose number is known.
    async fn near_page_of_all(&self) -> Result<Option<QueryPage>, S::Error> {
        let mut opaque = OpaquePaths::default();
        let targets = self.targets(&mut opaque)?;
        let [target] = targets.as_slice() else { return Ok(None) };
        let is_near = match self.query.start {
            Start::Index(index) => {
                Places::new(index, self.query.count, target.total().await?).reach() <= MAX_INLINE_PLACES
            }
            Start::After(_) | Start::Before(_) => self.query.count <= MAX_INLINE_PLACES,
        };
        if is_near { target.page_in_sql(&mut opaque).await } else { Ok(None) }
    }

    /// Answers, however long it takes. The source reads one snapshot.
    pub(crate) async fn run(&self) -> Result<QueryPage, S::Error> {
        let mut opaque = OpaquePaths::default();
        let mut targets = self.targets(&mut opaque)?;
        for (target, index) in self.query.targets.iter().zip(self.indexes) {
            if let Some(path) = target.sort.and_then(|sort| index.path(sort)) {
                opaque.has(&self.source, path.number)?;
            }
        }
        if !opaque.is_complete() {
            opaque.ask(&self.source).await?;
            targets = self.targets(&mut opaque)?;
        }
        for target in &mut targets {
            target.take_smallest_source(S::MAX_COMPARED).await?;
        }
        let mut window = Window::new(self.query);
        for (at, target) in targets.iter().enumerate() {
            if target.is_empty() || (!S::INLINE_SNAPSHOT && target.look_at_few(&mut window, at).await?) {
                continue;
            }
            if targets.len() == 1
                && let Some(page) = target.page_in_sql(&mut opaque).await?
            {
                return Ok(page);
            }
            target.look_at_all(&mut window, at).await?;
        }
        self.page(&targets, window).await
    }

    /// The plan for each target.
    fn targets<'s>(&'s self, opaque: &mut OpaquePaths) -> Result<Vec<TargetQuery<'s, 'q, S>>, StoreError> {
        let targets = self.query.targets.iter().zip(self.indexes);
        targets
            .map(|(target, index)| {
                let (dialect, tenant) = (S::DIALECT, self.tenant);
                let mut has_opaque = |path| opaque.has(&self.source, path);
                let plan = Plan::new(dialect, tenant, index, condition(target), &mut has_opaque)?;
                let select = Select { dialect, tenant, index, plan };
                Ok(TargetQuery { search: self, index, target, select })
            })
            .collect()
    }

    /// The resources of the page that a window holds.
    async fn page(&self, targets: &[TargetQuery<'_, 'q, S>], window: Window) -> Result<QueryPage, S::Error> {
        let total = window.total();
        check_limit(self.query, total)?;
        let mut page = window.into_page();
        let (mut resources, left_out) = self.read(targets, &mut page.entries).await?;
        if let Some(at) = left_out {
            page.end_before(at);
        }
        if page.backwards {
            resources.reverse();
        }
        let Page { previous, next, .. } = page;
        Ok(QueryPage { total, resources, previous, next })
    }

    /// The resources of these hits up to the first that the page has no room for, and the place of that one.
    pub(super) async fn read<H: AsRef<Hit> + AsMut<Hit>>(
        &self,
        targets: &[TargetQuery<'_, 'q, S>],
        hits: &mut [H],
    ) -> Result<(Vec<StoredResource>, Option<usize>), S::Error> {
        let mut page = self.source.begin_page(hits, targets).await?;
        let mut resources = Vec::with_capacity(hits.len());
        let mut budget = self.query.page_budget();
        for (at, hit) in hits.iter_mut().enumerate() {
            let hit = hit.as_mut();
            let Some(target) = targets.get(hit.target) else { continue };
            // Hits that were not read lie behind the first that has no room.
            let Some(stored) = self.source.resource(&mut page, hit, target)? else { continue };
            if !budget.takes(&stored) {
                return Ok((resources, Some(at)));
            }
            resources.push(stored);
        }
        Ok((resources, None))
    }
}

/// Says whether a plan could name few resources, from the shape of the filter alone. As deep as the filter, whose
/// depth its parser limits.
fn may_be_selective(filter: &CompiledFilter) -> bool {
    fn of(condition: &Condition) -> bool {
        match condition {
            Condition::And(conditions) => conditions.iter().any(of),
            Condition::Or(conditions) => conditions.iter().all(of),
            Condition::Compare(_) | Condition::Element { .. } | Condition::Never => true,
            _ => false,
        }
    }
    of(filter.condition())
}
