//! Queries: filters in SQL, finished by the evaluator where SQL cannot say them.

use std::sync::Arc;

use rusqlite::{CachedStatement, Connection, Statement, params, params_from_iter};
use scim2_filter::{CompiledFilter, Condition, SortValue};
use scim2_server::store::{Position, Query, QueryPage, Start, Target, Want};
use scim2_server::{Context, StoreError, StoredResource};

use super::read;
use super::scan::GivenUp;
use crate::dialect::Dialect;
use crate::error::store_error;
use crate::index::TypeIndex;
use crate::key::OPAQUE;
use crate::names::Names;
use crate::plan::Plan;
use crate::query::{
    Entry, Eye, Order, Page, SORTED, Select, Slice, Way, Window, check_limit, condition, position,
};
use crate::row::{Asked, Found};
use crate::spool::AT_ONCE;
use crate::sql::{Sql, integer};

/// How many candidates are looked at on the thread that asks. More are a matter for the threads
/// that may take long.
const FEW: usize = 64;
const MORE_THAN_FEW: i64 = FEW as i64 + 1;

/// The body that is kept when it is looked at, in bytes. A larger one is read again if it is on the
/// page, so that candidates do not fill the memory.
const SMALL: usize = 64 << 10;

/// Up to which place a page of all resources is read on the thread that asks.
const NEAR: u64 = 512;

/// A query with the numbers of the database, ready to run on any thread.
pub(crate) struct Search<'q> {
    pub(crate) cx: &'q Context,
    pub(crate) names: &'q Names,
    pub(crate) tenant: i64,
    pub(crate) query: &'q Query,
    /// One for each target, in their order.
    pub(crate) indexes: &'q [Arc<TypeIndex>],
}

/// What a query looks at within one snapshot.
struct Side<'s> {
    search: &'s Search<'s>,
    connection: &'s Connection,
    index: &'s Arc<TypeIndex>,
    target: &'s Target,
    select: Select<'s>,
}

impl Search<'_> {
    /// Answers at once if few resources are in question; `None` if it may take long. The
    /// connection is on one snapshot.
    pub(crate) fn at_once(&self, connection: &Connection) -> Result<Option<QueryPage>, StoreError> {
        if let [target] = self.query.targets.as_slice()
            && target.sort.is_none()
            && matches!(condition(target), Condition::Always)
        {
            return self.all_at_once(connection);
        }
        if !self.query.targets.iter().all(|target| target.filter.as_ref().is_some_and(may_be_selective)) {
            return Ok(None);
        }
        let sides = self.sides(connection)?;
        let mut window = Window::new(self.query);
        for (at, side) in sides.iter().enumerate() {
            if side.is_empty() {
                continue;
            }
            if !side.select.plan.is_selective() || !side.look_at_few(&mut window, at)? {
                return Ok(None);
            }
        }
        self.page(connection, &sides, window).map(Some)
    }

    /// A page near the beginning of all resources of a type, whose number is known.
    fn all_at_once(&self, connection: &Connection) -> Result<Option<QueryPage>, StoreError> {
        let near = match self.query.start {
            Start::Index(index) => index.saturating_add(self.query.count) <= NEAR,
            Start::After(_) | Start::Before(_) => self.query.count <= NEAR,
        };
        if !near {
            return Ok(None);
        }
        match self.sides(connection)?.as_slice() {
            [side] => side.page_in_sql(),
            _ => Ok(None),
        }
    }

    /// Answers however long it takes.
    pub(crate) fn run(&self, connection: &Connection, given_up: &GivenUp) -> Result<QueryPage, StoreError> {
        read::snapshot(connection, |connection| {
            let sides = self.sides(connection)?;
            if let [side] = sides.as_slice()
                && let Some(page) = side.page_in_sql()?
            {
                return Ok(page);
            }
            let mut window = Window::new(self.query);
            for (at, side) in sides.iter().enumerate() {
                if !side.is_empty() {
                    side.look_at_all(&mut window, at, given_up)?;
                }
            }
            self.page(connection, &sides, window)
        })
    }

    /// The plan for each target.
    fn sides<'s>(&'s self, connection: &'s Connection) -> Result<Vec<Side<'s>>, StoreError> {
        let has_opaque = |path: i64| {
            connection
                .prepare_cached(
                    "SELECT 1 FROM attribute WHERE tenant = ?1 AND path = ?2 AND value >= ?3 LIMIT 1",
                )
                .and_then(|mut statement| statement.exists(params![self.tenant, path, [OPAQUE]]))
                .map_err(store_error)
        };
        let targets = self.query.targets.iter().zip(self.indexes);
        targets
            .map(|(target, index)| {
                let (dialect, tenant) = (Dialect::Sqlite, self.tenant);
                let plan = Plan::new(dialect, tenant, index, condition(target), &mut { has_opaque })?;
                let select = Select { dialect, tenant, index, plan };
                Ok(Side { search: self, connection, index, target, select })
            })
            .collect()
    }

    /// The resources of the page that a window holds.
    fn page(
        &self,
        connection: &Connection,
        sides: &[Side<'_>],
        window: Window<Found>,
    ) -> Result<QueryPage, StoreError> {
        let total = window.total();
        check_limit(self.query, total)?;
        let mut page = window.into_page();
        let mut resources = Vec::with_capacity(page.entries.len());
        let mut room = self.query.room();
        for at in page.places() {
            let Some(Entry { side, pk, found, .. }) = page.entries.get_mut(at) else { continue };
            let Some(side) = sides.get(*side) else { continue };
            let stored = match found.take() {
                Some(found) => Some(self.listed(connection, side.index, *found)?),
                None => self.by_pk(connection, side.index, *pk)?,
            };
            let Some(stored) = stored else { continue };
            if !room.takes(&stored) {
                page.end_before(at);
                break;
            }
            resources.push(stored);
        }
        if page.backwards {
            resources.reverse();
        }
        let Page { previous, next, .. } = page;
        Ok(QueryPage { total, resources, previous, next })
    }

    fn by_pk(
        &self,
        connection: &Connection,
        index: &TypeIndex,
        pk: i64,
    ) -> Result<Option<StoredResource>, StoreError> {
        let found = read::by_pk(connection, pk).map_err(store_error)?;
        found.map(|found| self.listed(connection, index, found)).transpose()
    }

    /// As a page has it: many members are left to be read apart.
    fn listed(
        &self,
        connection: &Connection,
        index: &TypeIndex,
        found: Found,
    ) -> Result<StoredResource, StoreError> {
        let (tenant, want) = (self.tenant, self.query.want);
        read::stored_up_to(found, connection, self.names, index, tenant, want, AT_ONCE).map_err(store_error)
    }

    fn stored(
        &self,
        connection: &Connection,
        index: &TypeIndex,
        found: Found,
        want: Want,
    ) -> Result<StoredResource, StoreError> {
        read::stored(found, connection, self.names, index, self.tenant, want).map_err(store_error)
    }
}

/// Says whether a plan could name few resources, from the shape of the filter alone. As deep as
/// the filter, whose depth its parser limits.
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

impl Side<'_> {
    fn is_empty(&self) -> bool {
        matches!(self.target.filter.as_ref().map(CompiledFilter::condition), Some(Condition::Never))
    }

    /// Looks at the candidates if they are few; `false` if they are not.
    fn look_at_few(&self, window: &mut Window<Found>, at: usize) -> Result<bool, StoreError> {
        let Some(source) = &self.select.plan.source else { return Ok(false) };
        // The tests beside the source may themselves be searches over all values of a path: for a
        // few resources the evaluator is quicker.
        let columns = Found::columns(Asked::new(self.index, self.search.query.want));
        let mut sql = self.select.candidates(columns, source);
        sql.push(" LIMIT ?");
        sql.params.push(integer(MORE_THAN_FEW));
        let mut statement = self.prepare(&sql)?;
        let mut rows = statement.as_mut().query(params_from_iter(&sql.params)).map_err(store_error)?;
        let eye = self.eye(self.select.plan.exact && self.select.plan.test.is_none());
        let before = window.total();
        let mut count = 0;
        while let Some(row) = rows.next().map_err(store_error)? {
            count += 1;
            if count > FEW {
                return Ok(false);
            }
            let found = read::found(row).map_err(store_error)?;
            if let Some((key, found)) = self.look(&eye, found)? {
                let position = Position { key, id: found.id.clone() };
                let (pk, found) = (found.pk, Some(found).filter(|found| found.body.len() <= SMALL));
                window.add(Entry { position, side: at, pk, found });
            }
        }
        self.explain(Way::Candidates, &eye, count as u64, window.total() - before);
        Ok(true)
    }

    /// Looks at all candidates, one after the other.
    fn look_at_all(
        &self,
        window: &mut Window<Found>,
        at: usize,
        given_up: &GivenUp,
    ) -> Result<(), StoreError> {
        let eye = self.eye(self.select.plan.exact);
        let before = window.total();
        if !eye.reads_bodies() {
            // All that satisfy the test match, in order of their ids: only they are read.
            let sql = self.select.matching("r.pk, r.id", true);
            let mut statement = self.prepare(&sql)?;
            let mut rows = statement.as_mut().query(params_from_iter(&sql.params)).map_err(store_error)?;
            while let Some(row) = rows.next().map_err(store_error)? {
                given_up.check()?;
                check_limit(self.search.query, window.look_at(1))?;
                let id = read::id(row, 1).map_err(store_error)?;
                let pk = row.get(0).map_err(store_error)?;
                let position = Position { key: SortValue::Missing, id };
                window.add(Entry { position, side: at, pk, found: None });
            }
            let matches = window.total() - before;
            self.explain(Way::Scan, &eye, matches, matches);
            return Ok(());
        }
        let sql = self.select.matching(Found::COLUMNS, true);
        let mut statement = self.prepare(&sql)?;
        let mut rows = statement.as_mut().query(params_from_iter(&sql.params)).map_err(store_error)?;
        let mut looked_at = 0;
        while let Some(row) = rows.next().map_err(store_error)? {
            given_up.check()?;
            looked_at += 1;
            check_limit(self.search.query, window.look_at(1))?;
            let found = read::found(row).map_err(store_error)?;
            if let Some((key, found)) = self.look(&eye, found)? {
                let position = Position { key, id: found.id };
                window.add(Entry { position, side: at, pk: found.pk, found: None });
            }
        }
        self.explain(Way::Scan, &eye, looked_at, window.total() - before);
        Ok(())
    }

    /// Counts, sorts and pages in SQL, if all of that can be said there.
    fn page_in_sql(&self) -> Result<Option<QueryPage>, StoreError> {
        if !self.select.plan.exact {
            return Ok(None);
        }
        let query = &self.search.query;
        let Some(order) = self.order()? else { return Ok(None) };
        let total = self.count(&self.select.counting())?;
        check_limit(self.search.query, total)?;
        let few = total <= SORTED;
        if few && self.select.plan.source.is_some() && matches!(order, Order::Path(_)) {
            // Quicker sorted when found than found in the order of all.
            return Ok(None);
        }
        let index = match &query.start {
            Start::Index(index) => *index,
            Start::After(position) => return self.page_by_position(&order, position, false, total, few),
            Start::Before(position) => return self.page_by_position(&order, position, true, total, few),
        };
        let mut window = Slice { skip: index.saturating_sub(1), take: query.count.min(total) };
        let mut resources = Vec::new();
        let mut room = query.room();
        if window.take > 0 && window.skip < total {
            'parts: for part in order.parts(query.descending) {
                if window.take == 0 {
                    break;
                }
                let pks = self.slice(part.select("r.pk", &self.select, few, false, None), window)?;
                let found = pks.len() as u64;
                if found == 0 && window.skip > 0 {
                    // The page begins behind this part.
                    window.skip = window.skip.saturating_sub(self.count(&part.count(&self.select))?);
                } else {
                    window = Slice { skip: 0, take: window.take.saturating_sub(found) };
                }
                for pk in pks {
                    let Some(stored) = self.search.by_pk(self.connection, self.index, pk)? else { continue };
                    if !room.takes(&stored) {
                        break 'parts;
                    }
                    resources.push(stored);
                }
            }
        }
        let place = |there: bool, stored: Option<&StoredResource>| {
            stored.filter(|_| there).map(|stored| self.position(stored)).transpose()
        };
        let previous = place(index > 1, resources.first())?;
        self.explain(Way::Page, &self.eye(true), resources.len() as u64, total);
        let end = index.saturating_sub(1).saturating_add(resources.len() as u64);
        let next = place(end < total, resources.last())?;
        Ok(Some(QueryPage { total, resources, previous, next }))
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
        self.explain(Way::Page, &self.eye(true), pks.len() as u64, total);
        let mut ahead = pks.len() as u64 > count;
        pks.truncate(usize::try_from(count).unwrap_or(usize::MAX));
        let mut resources = Vec::with_capacity(pks.len());
        let mut room = self.search.query.room();
        for pk in pks {
            let Some(stored) = self.search.by_pk(self.connection, self.index, pk)? else { continue };
            if !room.takes(&stored) {
                ahead = true;
                break;
            }
            resources.push(stored);
        }
        let nearest = resources.first().map(|nearest| self.position(nearest)).transpose()?;
        let farthest = resources.last().map(|farthest| self.position(farthest)).transpose()?;
        let turned = match &nearest {
            Some(nearest) => self.beyond(order, nearest, !backwards, 1, few)?.unwrap_or_default(),
            None => Vec::new(),
        };
        let nearest = nearest.filter(|_| !turned.is_empty());
        let farthest = farthest.filter(|_| ahead);
        Ok(Some(if backwards {
            resources.reverse();
            QueryPage { total, resources, previous: farthest, next: nearest }
        } else {
            QueryPage { total, resources, previous: nearest, next: farthest }
        }))
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

    /// Where a resource stands in the order of the query.
    fn position(&self, stored: &StoredResource) -> Result<Position, StoreError> {
        position(self.search.cx, self.target, stored)
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

    fn count(&self, sql: &Sql) -> Result<u64, StoreError> {
        let count: i64 = self
            .prepare(sql)?
            .as_mut()
            .query_row(params_from_iter(&sql.params), |row| row.get(0))
            .map_err(store_error)?;
        Ok(count.unsigned_abs())
    }

    fn prepare(&self, sql: &Sql) -> Result<Prepared<'_>, StoreError> {
        /// A longer one is hardly asked twice, and is not kept.
        const LONG: usize = 4096;
        if sql.text.len() > LONG {
            self.connection.prepare(&sql.text).map(Prepared::Once).map_err(store_error)
        } else {
            self.connection.prepare_cached(&sql.text).map(Prepared::Cached).map_err(store_error)
        }
    }

    /// The order in SQL, if the index can say it.
    fn order(&self) -> Result<Option<Order>, StoreError> {
        let order = self.select.order(self.target.sort);
        let Some(Order::Path(path)) = &order else { return Ok(order) };
        let opaque = self
            .connection
            .prepare_cached("SELECT 1 FROM attribute WHERE tenant = ?1 AND path = ?2 AND value >= ?3 LIMIT 1")
            .and_then(|mut statement| statement.exists(params![self.search.tenant, path.number, [OPAQUE]]))
            .map_err(store_error)?;
        Ok(order.filter(|_| !opaque))
    }

    fn explain(&self, way: Way, eye: &Eye<'_>, rows: u64, matches: u64) {
        self.select.explain(self.search.cx, way, eye, rows, matches);
    }

    fn eye(&self, exact: bool) -> Eye<'_> {
        Eye::new(&self.index.resource_type, self.target, exact)
    }

    /// The sort key of a resource, if it matches.
    fn look(
        &self,
        eye: &Eye<'_>,
        found: Found,
    ) -> Result<Option<(SortValue<'static>, Box<Found>)>, StoreError> {
        if !eye.reads_bodies() {
            return Ok(Some((SortValue::Missing, Box::new(found))));
        }
        let resource = if eye.body_suffices() {
            read::parse(rusqlite::types::ValueRef::Text(&found.body)).map_err(store_error)?
        } else {
            let stored = self.search.stored(self.connection, self.index, found.clone(), eye.want)?;
            stored.representation(self.search.cx)?
        };
        Ok(eye.judge(&resource).map(|key| (key, Box::new(found))))
    }
}

/// A statement that is kept or not.
enum Prepared<'c> {
    Cached(CachedStatement<'c>),
    Once(Statement<'c>),
}

impl<'c> Prepared<'c> {
    fn as_mut(&mut self) -> &mut Statement<'c> {
        match self {
            Self::Cached(statement) => statement,
            Self::Once(statement) => statement,
        }
    }
}
