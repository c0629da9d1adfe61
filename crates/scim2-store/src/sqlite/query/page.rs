//! Pages that the database counts, sorts and cuts out.

use rusqlite::params_from_iter;
use scim2_server::store::{Position, QueryPage, Start};
use scim2_server::{StoreError, StoredResource};

use super::Side;
use crate::error::store_error;
use crate::query::{Ends, Explanation, Order, Places, SORTED, Slice, Way, check_limit};
use crate::sql::Sql;

impl Side<'_, '_> {
    /// Counts, sorts and pages in SQL, if all of that can be said there.
    pub(super) fn page_in_sql(&self) -> Result<Option<QueryPage>, StoreError> {
        if !self.select.plan.exact {
            return Ok(None);
        }
        let Some(order) = self.order()? else { return Ok(None) };
        let mut told = self.explain(Way::Page, &self.eye(true));
        let total = self.total()?;
        let few = total <= SORTED;
        if few && self.select.plan.source.is_some() && matches!(order, Order::Path(_)) {
            // Quicker sorted when found than found in the order of all.
            told.withdraw();
            return Ok(None);
        }
        check_limit(self.search.query, total)?;
        let page = match &self.search.query.start {
            Start::Index(index) => Some(self.page_by_index(&order, *index, total, few, &mut told)?),
            Start::After(position) => self.page_by_position(&order, position, false, total, few)?,
            Start::Before(position) => self.page_by_position(&order, position, true, total, few)?,
        };
        let Some(page) = page else {
            told.withdraw();
            return Ok(None);
        };
        (told.rows, told.matches) = (page.resources.len() as u64, Some(total));
        Ok(Some(page))
    }

    /// How many match, where that is exact.
    pub(super) fn total(&self) -> Result<u64, StoreError> {
        self.count(&self.select.counting())
    }

    /// The page that begins at a place, counted from 1.
    fn page_by_index(
        &self,
        order: &Order,
        index: u64,
        total: u64,
        few: bool,
        told: &mut Explanation<'_>,
    ) -> Result<QueryPage, StoreError> {
        let query = self.search.query;
        let Places { mut slice, backwards } = self.select.places(order, query, index, total);
        told.skipped = slice.skip;
        let mut pks = Vec::new();
        for part in order.parts_towards(query.descending, backwards) {
            if slice.take == 0 {
                break;
            }
            if let Some(others) = self.select.left_out(&part) {
                let of_part = total.saturating_sub(self.count(&others)?);
                if of_part <= slice.skip {
                    // The page begins behind this part, which may be empty.
                    slice.skip -= of_part;
                    continue;
                }
            }
            let of_part = self.slice(part.select("r.pk", &self.select, few, backwards, None), slice)?;
            let found = of_part.len() as u64;
            if found == 0 && slice.skip > 0 {
                // The page begins behind this part.
                slice.skip = slice.skip.saturating_sub(self.count(&part.count(&self.select))?);
            } else {
                slice = Slice { skip: 0, take: slice.take.saturating_sub(found) };
            }
            pks.extend(of_part);
        }
        if backwards {
            pks.reverse();
        }
        let (resources, _) = self.read(&pks)?;
        self.ends().at(index, total, resources)
    }

    /// The page behind a position, or `backwards` the one before it: it costs what any page does.
    fn page_by_position(
        &self,
        order: &Order,
        position: &Position,
        backwards: bool,
        total: u64,
        few: bool,
    ) -> Result<Option<QueryPage>, StoreError> {
        let count = self.search.query.count;
        // One more, which tells whether others follow.
        let limit = if count == 0 { 0 } else { count.saturating_add(1) };
        let Some(mut pks) = self.beyond(order, position, backwards, limit, few)? else { return Ok(None) };
        let mut ahead = pks.len() as u64 > count;
        pks.truncate(usize::try_from(count).unwrap_or(usize::MAX));
        let (resources, all) = self.read(&pks)?;
        ahead |= !all;
        let nearest = resources.first().map(|nearest| self.ends().position(nearest)).transpose()?;
        let behind = match &nearest {
            Some(nearest) => self.beyond(order, nearest, !backwards, 1, few)?.unwrap_or_default(),
            None => Vec::new(),
        };
        let turned = nearest.filter(|_| !behind.is_empty());
        self.ends().beyond(backwards, total, resources, turned, ahead).map(Some)
    }

    /// The first resources beyond a position, nearest first.
    fn beyond(
        &self,
        order: &Order,
        position: &Position,
        backwards: bool,
        limit: u64,
        few: bool,
    ) -> Result<Option<Vec<i64>>, StoreError> {
        let (from, descending) = ((position, backwards), self.search.query.descending);
        let Some(statements) = self.select.beyond("r.pk", order, from, descending, few) else {
            return Ok(None);
        };
        let mut pks = Vec::new();
        for sql in statements {
            let take = limit.saturating_sub(pks.len() as u64);
            if take > 0 {
                pks.extend(self.slice(sql, Slice { skip: 0, take })?);
            }
        }
        Ok(Some(pks))
    }

    /// The resources of these numbers up to the first that the page has no room for, and whether they
    /// are all.
    fn read(&self, pks: &[i64]) -> Result<(Vec<StoredResource>, bool), StoreError> {
        let mut resources = Vec::with_capacity(pks.len());
        let mut budget = self.search.query.page_budget();
        for pk in pks {
            let Some(stored) = self.search.by_pk(self.connection, self.index, *pk)? else { continue };
            if !budget.takes(&stored) {
                return Ok((resources, false));
            }
            resources.push(stored);
        }
        Ok((resources, true))
    }

    fn ends(&self) -> Ends<'_> {
        Ends { cx: self.search.cx, target: self.target }
    }

    fn slice(&self, sql: Sql, slice: Slice) -> Result<Vec<i64>, StoreError> {
        let sql = slice.of(sql);
        let mut statement = self.prepare(&sql)?;
        let rows = statement
            .as_mut()
            .query_map(params_from_iter(&sql.params), |row| row.get(0))
            .map_err(store_error)?;
        rows.collect::<rusqlite::Result<_>>().map_err(store_error)
    }

    /// The order in SQL, if the index can say it.
    fn order(&self) -> Result<Option<Order>, StoreError> {
        let order = self.select.order(self.target.sort);
        let Some(Order::Path(path)) = &order else { return Ok(order) };
        let opaque = self.search.has_opaque(self.connection, path.number)?;
        Ok(order.filter(|_| !opaque))
    }
}
