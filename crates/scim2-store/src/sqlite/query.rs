//! Queries: filters in SQL, finished by the evaluator where SQL cannot say them.

use std::cell::Cell;
use std::sync::Arc;

use rusqlite::{CachedStatement, Connection, Statement, params, params_from_iter};
use scim2_core::AttributeId;
use scim2_filter::{CompiledFilter, Condition, SortKey, SortValue};
use scim2_server::store::{Position, Query, QueryPage, Start, Target, Want};
use scim2_server::{Context, StoreError, StoredResource};

use super::names::Names;
use super::read::{self, Asked, Found};
use super::scan::GivenUp;
use crate::error::store_error;
use crate::index::TypeIndex;
use crate::key::OPAQUE;
use crate::plan::{Plan, Source};
use crate::sql::{Sql, integer};

mod eye;
mod order;
mod window;

use eye::Eye;
use order::{Order, Part};
use window::{Entry, Page, Window};

/// How many candidates are looked at on the thread that asks. More are a matter for the threads
/// that may take long.
const FEW: usize = 64;

/// Up to how many matches it is quicker to find and sort them all than to walk all resources in
/// order until the page is full.
const SORTED: u64 = 4096;

/// A query with the numbers of the database, ready to run on any thread.
pub(crate) struct Search {
    pub(crate) cx: Context,
    pub(crate) names: Arc<Names>,
    pub(crate) tenant: i64,
    pub(crate) query: Query,
    /// One for each target, in their order.
    pub(crate) indexes: Vec<Arc<TypeIndex>>,
}

/// What a query looks at within one snapshot.
struct Side<'s> {
    search: &'s Search,
    connection: &'s Connection,
    index: &'s Arc<TypeIndex>,
    target: &'s Target,
    plan: Plan,
}

impl Search {
    /// Answers at once if few resources are in question; `None` if it may take long.
    pub(crate) fn at_once(&self, connection: &Connection) -> Result<Option<QueryPage>, StoreError> {
        // Without a filter all resources are in question.
        if !self.query.targets.iter().all(|target| target.filter.as_ref().is_some_and(may_be_selective)) {
            return Ok(None);
        }
        if let Some(page) = self.in_one_statement(connection)? {
            return Ok(Some(page));
        }
        read::snapshot(connection, |connection| {
            let sides = self.sides(connection, &Cell::default())?;
            let mut window = Window::new(&self.query);
            for (at, side) in sides.iter().enumerate() {
                if side.is_empty() {
                    continue;
                }
                if !side.plan.is_selective() || !side.look_at_few(&mut window, at)? {
                    return Ok(None);
                }
            }
            self.page(connection, &sides, window).map(Some)
        })
    }

    /// The page, if a single statement finds all that is in it: that is a snapshot of its own, and
    /// beginning and ending a transaction costs as much again. The look-ups that identity providers
    /// make before every change are such queries.
    fn in_one_statement(&self, connection: &Connection) -> Result<Option<QueryPage>, StoreError> {
        let [index] = self.indexes.as_slice() else { return Ok(None) };
        let asked = Asked::new(index, self.query.want);
        if asked.members {
            return Ok(None);
        }
        let looked = Cell::default();
        let sides = self.sides(connection, &looked)?;
        let [side] = sides.as_slice() else { return Ok(None) };
        let mut window = Window::new(&self.query);
        if looked.get()
            || side.is_empty()
            || !side.plan.is_selective()
            || !side.look_at_few(&mut window, 0)?
        {
            return Ok(None);
        }
        if window.found().all(|found| found.is_whole(asked)) {
            self.page(connection, &sides, window).map(Some)
        } else {
            Ok(None)
        }
    }

    /// Answers however long it takes.
    pub(crate) fn run(&self, connection: &Connection, given_up: &GivenUp) -> Result<QueryPage, StoreError> {
        read::snapshot(connection, |connection| {
            let sides = self.sides(connection, &Cell::default())?;
            if let [side] = sides.as_slice()
                && let Some(page) = side.page_in_sql()?
            {
                return Ok(page);
            }
            let mut window = Window::new(&self.query);
            for (at, side) in sides.iter().enumerate() {
                if !side.is_empty() {
                    side.look_at_all(&mut window, at, given_up)?;
                }
            }
            self.page(connection, &sides, window)
        })
    }

    /// The plan for each target; `looked` is set if the database was read for it.
    fn sides<'s>(
        &'s self,
        connection: &'s Connection,
        looked: &Cell<bool>,
    ) -> Result<Vec<Side<'s>>, StoreError> {
        let has_opaque = |path: i64| {
            looked.set(true);
            connection
                .prepare_cached(
                    "SELECT 1 FROM attribute WHERE tenant = ?1 AND path = ?2 AND value >= ?3 LIMIT 1",
                )?
                .exists(params![self.tenant, path, [OPAQUE]])
        };
        let targets = self.query.targets.iter().zip(&self.indexes);
        targets
            .map(|(target, index)| {
                let condition = target.filter.as_ref().map_or(&Condition::Always, CompiledFilter::condition);
                let plan =
                    Plan::new(self.tenant, index, condition, &mut { has_opaque }).map_err(store_error)?;
                Ok(Side { search: self, connection, index, target, plan })
            })
            .collect()
    }

    /// The resources of the page that a window holds.
    fn page(
        &self,
        connection: &Connection,
        sides: &[Side<'_>],
        window: Window,
    ) -> Result<QueryPage, StoreError> {
        let total = window.total();
        self.check_limit(total)?;
        let Page { entries, previous, next } = window.into_page();
        let mut resources = Vec::with_capacity(entries.len());
        for Entry { side, pk, found, .. } in entries {
            let Some(side) = sides.get(side) else { continue };
            resources.extend(match found {
                Some(found) => Some(self.stored(connection, side.index, *found, self.query.want)?),
                None => self.by_pk(connection, side.index, pk)?,
            });
        }
        Ok(QueryPage { total, resources, previous, next })
    }

    fn by_pk(
        &self,
        connection: &Connection,
        index: &TypeIndex,
        pk: i64,
    ) -> Result<Option<StoredResource>, StoreError> {
        let found = read::by_pk(connection, pk).map_err(store_error)?;
        found.map(|found| self.stored(connection, index, found, self.query.want)).transpose()
    }

    fn stored(
        &self,
        connection: &Connection,
        index: &TypeIndex,
        found: Found,
        want: Want,
    ) -> Result<StoredResource, StoreError> {
        found.into_stored(connection, &self.names, index, self.tenant, want).map_err(store_error)
    }

    fn check_limit(&self, looked_at: u64) -> Result<(), StoreError> {
        if self.query.scan_limit.is_some_and(|limit| looked_at > limit) {
            return Err(StoreError::too_many(
                "the query matches or would look at more resources than the service provider allows",
            ));
        }
        Ok(())
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
    fn look_at_few(&self, window: &mut Window, at: usize) -> Result<bool, StoreError> {
        let Some(source) = &self.plan.source else { return Ok(false) };
        // The tests beside the source may themselves be searches over all values of a path: for a
        // few resources the evaluator is quicker.
        let columns = Found::columns(Asked::new(self.index, self.search.query.want));
        let mut sql = self.candidates(columns, source);
        sql.push(" LIMIT ");
        sql.push(&(FEW + 1).to_string());
        let mut statement = self.prepare(&sql)?;
        let mut rows = statement.as_mut().query(params_from_iter(&sql.params)).map_err(store_error)?;
        let eye = Eye::new(self, self.plan.exact && self.plan.test.is_none());
        let mut count = 0;
        while let Some(row) = rows.next().map_err(store_error)? {
            count += 1;
            if count > FEW {
                return Ok(false);
            }
            let found = Found::from_row(row).map_err(store_error)?;
            if let Some((key, found)) = eye.look(self, found)? {
                let position = Position { key, id: found.id.clone() };
                window.add(Entry { position, side: at, pk: found.pk, found: Some(found) });
            }
        }
        Ok(true)
    }

    /// Looks at all candidates, one after the other.
    fn look_at_all(&self, window: &mut Window, at: usize, given_up: &GivenUp) -> Result<(), StoreError> {
        let eye = Eye::new(self, self.plan.exact);
        if !eye.reads_bodies() {
            // All that satisfy the test match, in order of their ids: only they are read.
            let sql = self.select("r.pk, r.id", true);
            let mut statement = self.prepare(&sql)?;
            let mut rows = statement.as_mut().query(params_from_iter(&sql.params)).map_err(store_error)?;
            while let Some(row) = rows.next().map_err(store_error)? {
                given_up.check()?;
                let id = read::id(row, 1).map_err(store_error)?;
                let pk = row.get(0).map_err(store_error)?;
                let position = Position { key: SortValue::Missing, id };
                window.add(Entry { position, side: at, pk, found: None });
                self.search.check_limit(window.total())?;
            }
            return Ok(());
        }
        let sql = self.select(Found::COLUMNS, true);
        let mut statement = self.prepare(&sql)?;
        let mut rows = statement.as_mut().query(params_from_iter(&sql.params)).map_err(store_error)?;
        let mut looked_at = 0;
        while let Some(row) = rows.next().map_err(store_error)? {
            given_up.check()?;
            looked_at += 1;
            self.search.check_limit(looked_at)?;
            let found = Found::from_row(row).map_err(store_error)?;
            if let Some((key, found)) = eye.look(self, found)? {
                let position = Position { key, id: found.id };
                window.add(Entry { position, side: at, pk: found.pk, found: None });
            }
        }
        Ok(())
    }

    /// Counts, sorts and pages in SQL, if all of that can be said there.
    fn page_in_sql(&self) -> Result<Option<QueryPage>, StoreError> {
        if !self.plan.exact {
            return Ok(None);
        }
        let query = &self.search.query;
        // A page by position is found by looking at all that match.
        let Start::Index(index) = query.start else { return Ok(None) };
        let Some(order) = self.order()? else { return Ok(None) };
        let total = self.count(&self.counting())?;
        self.search.check_limit(total)?;
        let few = total <= SORTED;
        if few && self.plan.source.is_some() && matches!(order, Order::Path(_)) {
            // Quicker sorted when found than found in the order of all.
            return Ok(None);
        }
        let mut window = Slice { skip: index.saturating_sub(1), take: query.count.min(total) };
        let mut resources = Vec::new();
        if window.take > 0 && window.skip < total {
            for part in order.parts(query.descending) {
                if window.take == 0 {
                    break;
                }
                let pks = self.pks(&part, &window, few)?;
                let found = pks.len() as u64;
                if found == 0 && window.skip > 0 {
                    // The page begins behind this part.
                    window.skip = window.skip.saturating_sub(self.count(&part.count(self))?);
                } else {
                    window = Slice { skip: 0, take: window.take.saturating_sub(found) };
                }
                for pk in pks {
                    resources.extend(self.search.by_pk(self.connection, self.index, pk)?);
                }
            }
        }
        let place = |there: bool, stored: Option<&StoredResource>| {
            stored.filter(|_| there).map(|stored| self.position(stored)).transpose()
        };
        let previous = place(index > 1, resources.first())?;
        let end = index.saturating_sub(1).saturating_add(resources.len() as u64);
        let next = place(end < total, resources.last())?;
        Ok(Some(QueryPage { total, resources, previous, next }))
    }

    /// Where a resource stands in the order of the query.
    fn position(&self, stored: &StoredResource) -> Result<Position, StoreError> {
        let key = match self.target.sort {
            None => SortValue::Missing,
            Some(attribute) => {
                let resource = stored.representation(&self.search.cx)?;
                SortKey::new(&self.index.resource_type, attribute).value(&resource).into_owned()
            }
        };
        Ok(Position { key, id: stored.id.clone() })
    }

    fn pks(&self, part: &Part, slice: &Slice, few: bool) -> Result<Vec<i64>, StoreError> {
        let mut sql = part.select(self, few);
        sql.push(" LIMIT ? OFFSET ?");
        let number = |value: u64| integer(i64::try_from(value).unwrap_or(i64::MAX));
        sql.params.extend([number(slice.take), number(slice.skip)]);
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

    /// A `SELECT` of how many resources satisfy the test.
    fn counting(&self) -> Sql {
        match &self.plan.source {
            // The index alone tells.
            Some(source) if source.of_type && self.plan.test.is_none() => {
                source.sql.clone().within("SELECT count(*) FROM (SELECT DISTINCT pk FROM (", "))")
            }
            _ => self.select("count(*)", true),
        }
    }

    /// A `SELECT` of `columns` of what satisfies the test.
    fn select(&self, columns: &str, with_source: bool) -> Sql {
        let (mut sql, test) = match self.plan.source.as_ref().filter(|_| with_source) {
            Some(source) => (self.candidates(columns, source), &self.plan.test),
            None => {
                let place = [integer(self.search.tenant), integer(self.index.number)];
                let text = format!("SELECT {columns} FROM resource r WHERE r.tenant = ? AND r.type = ?");
                (Sql::new(text, place), &self.plan.test_without_source)
            }
        };
        if let Some(test) = test {
            sql.push(" AND ");
            sql.append(test);
        }
        sql
    }

    /// A `SELECT` of `columns` of what a source names.
    fn candidates(&self, columns: &str, source: &Source) -> Sql {
        // Telling repetitions apart takes a table of its own, which a single look-up need not pay.
        let (before, behind) = if source.repeats { ("SELECT DISTINCT pk FROM (", ")") } else { ("", "") };
        let mut sql = source.sql.clone().within(
            &format!("SELECT {columns} FROM ({before}"),
            &format!("{behind}) s CROSS JOIN resource r ON r.pk = s.pk WHERE r.tenant = ? AND r.type = ?"),
        );
        sql.params.extend([integer(self.search.tenant), integer(self.index.number)]);
        sql
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
        let Some(attribute) = self.target.sort else { return Ok(Some(Order::Column("r.id"))) };
        let type_ = &self.index.resource_type;
        let def = type_.attribute(attribute);
        let Some(path) = self.index.path(attribute) else {
            return Ok(match def.path() {
                "id" => Some(Order::Column("r.id")),
                "meta.created" => Some(Order::Column("r.created")),
                "meta.lastModified" => Some(Order::Column("r.modified")),
                _ => None,
            });
        };
        let list = |id: AttributeId| type_.attribute(id).multi_valued();
        if list(attribute) || def.parent().is_some_and(list) {
            return Ok(None);
        }
        let opaque = self
            .connection
            .prepare_cached("SELECT 1 FROM attribute WHERE tenant = ?1 AND path = ?2 AND value >= ?3 LIMIT 1")
            .and_then(|mut statement| statement.exists(params![self.search.tenant, path.number, [OPAQUE]]))
            .map_err(store_error)?;
        Ok((!opaque).then_some(Order::Path(*path)))
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

#[derive(Debug, Clone, Copy)]
struct Slice {
    skip: u64,
    take: u64,
}
