//! Pages that the database counts, sorts and cuts out.

use scim2_server::store::{Position, QueryPage, Start};

use super::{
    Explanation, Hit, OpaquePaths, Order, PageLinks, Places, RowSource, SORTED, Slice, TargetQuery, Way,
    check_limit,
};
use crate::model::row::Found;

impl<S: RowSource> TargetQuery<'_, '_, S> {
    /// Counts, sorts and pages in SQL, if SQL can express all of that.
    pub(super) async fn page_in_sql(&self, opaque: &mut OpaquePaths) -> Result<Option<QueryPage>, S::Error> {
        if !self.select.plan.exact {
            return Ok(None);
        }
        let query = self.search.query;
        let Some(order) = self.select.order(self.target.sort) else { return Ok(None) };
        if let Order::Path(path) = &order
            && opaque.has(&self.search.source, path.number)?
        {
            return Ok(None);
        }
        let mut explanation = self.explain(Way::Page, &self.evaluator(true));
        let total = self.total().await?;
        let few = total <= SORTED;
        if few && self.select.plan.source.is_some() && matches!(order, Order::Path(_)) {
            // With few matches it is faster to sort them than to walk the sort index.
            explanation.withdraw();
            return Ok(None);
        }
        check_limit(query, total)?;
        let page = match &query.start {
            Start::Index(index) => {
                Some(self.page_by_index(&order, *index, total, few, &mut explanation).await?)
            }
            Start::After(position) => self.page_by_position(&order, (position, false), total, few).await?,
            Start::Before(position) => self.page_by_position(&order, (position, true), total, few).await?,
        };
        let Some(page) = page else {
            explanation.withdraw();
            return Ok(None);
        };
        (explanation.rows, explanation.matches) = (page.resources.len() as u64, Some(total));
        Ok(Some(page))
    }

    /// How many resources match, if the plan is exact.
    pub(super) async fn total(&self) -> Result<u64, S::Error> {
        Ok(self.search.source.smallest(&self.select.counting()).await?.0)
    }

    /// The page that begins at a place, counted from 1.
    async fn page_by_index(
        &self,
        order: &Order,
        index: u64,
        total: u64,
        few: bool,
        explanation: &mut Explanation<'_>,
    ) -> Result<QueryPage, S::Error> {
        let (query, source) = (self.search.query, &self.search.source);
        let Places { mut slice, backwards } = self.select.places(order, query, index, total);
        explanation.skipped = slice.skip;
        let with_rows = !backwards && S::MAX_SKIPPED_WITH_ROWS.is_some_and(|most| slice.skip <= most);
        let columns = if with_rows { Found::COLUMNS } else { "r.pk" };
        let mut hits = Vec::new();
        for part in order.parts_towards(query.descending, backwards) {
            if slice.take == 0 {
                break;
            }
            if let Some(others) = self.select.left_out(&part) {
                let of_part = total.saturating_sub(source.smallest(&others).await?.0);
                if of_part <= slice.skip {
                    // The page begins behind this part, which may be empty.
                    slice.skip -= of_part;
                    continue;
                }
            }
            let is_by_id = matches!(order, Order::Column("r.id")) && !query.descending;
            let sql = match self.select.all_at(slice, backwards).filter(|_| is_by_id && !with_rows) {
                Some(sql) => sql,
                None => slice.of(part.select(columns, &self.select, few, backwards, None)),
            };
            let of_part = source.hits(sql, with_rows, query.max_bytes).await?;
            if of_part.is_empty() && slice.skip > 0 {
                // The page begins behind this part.
                let skipped = source.smallest(&part.count(&self.select)).await?.0;
                slice.skip = slice.skip.saturating_sub(skipped);
            } else {
                slice = Slice { skip: 0, take: slice.take.saturating_sub(of_part.len() as u64) };
            }
            hits.extend(of_part);
        }
        if backwards {
            hits.reverse();
        }
        let (resources, _) = self.search.read(std::slice::from_ref(self), &mut hits).await?;
        Ok(self.links().at(index, total, resources)?)
    }

    /// The page behind a position, or `backwards` the one before it. It is as fast as the first page.
    async fn page_by_position(
        &self,
        order: &Order,
        (position, backwards): (&Position, bool),
        total: u64,
        few: bool,
    ) -> Result<Option<QueryPage>, S::Error> {
        let count = self.search.query.count;
        // One more, which tells whether others follow.
        let limit = if count == 0 { 0 } else { count.saturating_add(1) };
        let Some(mut hits) = self.beyond(order, (position, backwards), limit, few).await? else {
            return Ok(None);
        };
        let more_follow = hits.len() as u64 > count;
        hits.truncate(usize::try_from(count).unwrap_or(usize::MAX));
        let (resources, left_out) = self.search.read(std::slice::from_ref(self), &mut hits).await?;
        let ahead = more_follow || left_out.is_some();
        let nearest = resources.first().map(|nearest| self.links().position(nearest)).transpose()?;
        let behind = match &nearest {
            Some(nearest) => self.beyond(order, (nearest, !backwards), 1, few).await?,
            None => None,
        };
        let turned = nearest.filter(|_| behind.is_some_and(|hits| !hits.is_empty()));
        Ok(Some(self.links().beyond(backwards, total, resources, turned, ahead)?))
    }

    /// The first resources beyond a position, nearest first.
    async fn beyond(
        &self,
        order: &Order,
        from: (&Position, bool),
        limit: u64,
        few: bool,
    ) -> Result<Option<Vec<Hit>>, S::Error> {
        let query = self.search.query;
        let with_rows = S::MAX_SKIPPED_WITH_ROWS.is_some();
        let columns = if with_rows { Found::COLUMNS } else { "r.pk" };
        let Some(statements) = self.select.beyond(columns, order, from, query.descending, few) else {
            return Ok(None);
        };
        let mut hits: Vec<Hit> = Vec::new();
        for sql in statements {
            let take = limit.saturating_sub(hits.len() as u64);
            if take > 0 {
                let sql = Slice { skip: 0, take }.of(sql);
                hits.extend(self.search.source.hits(sql, with_rows, query.max_bytes).await?);
            }
        }
        Ok(Some(hits))
    }

    fn links(&self) -> PageLinks<'_> {
        PageLinks { cx: self.search.cx, target: self.target }
    }
}
