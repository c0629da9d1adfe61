//! Queries: filters in SQL, finished by the evaluator where SQL cannot say them.

use std::cell::RefCell;
use std::sync::Arc;

use rusqlite::{CachedStatement, Connection, Statement, params, params_from_iter};
use scim2_filter::{CompiledFilter, Condition, SortValue};
use scim2_server::store::{Include, Position, Query, QueryPage, Start, Target};
use scim2_server::{Context, StoreError, StoredResource};

use super::budget::Budget;
use super::groups::Groups;
use super::read;
use crate::dialect::Dialect;
use crate::error::store_error;
use crate::index::TypeIndex;
use crate::key::OPAQUE;
use crate::plan::Plan;
use crate::query::{Entry, Explanation, Eye, Page, Places, Select, Way, Window, check_limit, condition};
use crate::row::{Asked, Found};
use crate::spool::AT_ONCE;
use crate::sql::{Sql, integer};

mod page;

/// How many candidates are looked at on the thread that asks. More are a matter for the threads
/// that may take long.
const FEW: usize = 64;
const MORE_THAN_FEW: i64 = FEW as i64 + 1;

/// Up to how many candidates sources are compared: counting so many takes some milliseconds.
const MANY: u64 = 100_000;

/// The body that is kept when it is looked at, in bytes. A larger one is read again if it is on the
/// page, so that candidates do not fill the memory.
const SMALL: usize = 64 << 10;

/// Up to how many places from the beginning or the end a page of all resources is read on the thread that asks.
const NEAR: u64 = 512;

/// A query with the numbers of the database, ready to run on any thread.
pub(crate) struct Search<'q> {
    cx: &'q Context,
    tenant: i64,
    query: &'q Query,
    /// One for each target, in their order.
    indexes: &'q [Arc<TypeIndex>],
    /// What it may do on the connection that it runs on.
    budget: &'q Budget,
    /// What is known of groups in the snapshot of the connection that it runs on.
    groups: RefCell<Groups<'q>>,
}

/// What a query looks at within one snapshot.
struct Side<'s, 'q> {
    search: &'s Search<'q>,
    connection: &'s Connection,
    index: &'s Arc<TypeIndex>,
    target: &'s Target,
    select: Select<'s>,
}

impl<'q> Search<'q> {
    /// A query that is to run once, on one connection, of whose snapshot `groups` may know something.
    pub(crate) fn new(
        cx: &'q Context,
        query: &'q Query,
        indexes: &'q [Arc<TypeIndex>],
        budget: &'q Budget,
        groups: Groups<'q>,
    ) -> Self {
        Self { cx, tenant: groups.tenant, query, indexes, budget, groups: RefCell::new(groups) }
    }

    /// What is known of groups now.
    pub(crate) fn into_groups(self) -> Groups<'q> {
        self.groups.into_inner()
    }

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
        let sides = self.sides(connection, FEW as u64 + 1)?;
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

    /// A page near the beginning or the end of all resources of a type, whose number is known.
    fn all_at_once(&self, connection: &Connection) -> Result<Option<QueryPage>, StoreError> {
        let sides = self.sides(connection, 0)?;
        let [side] = sides.as_slice() else { return Ok(None) };
        let near = match self.query.start {
            Start::Index(index) => Places::new(index, self.query.count, side.total()?).reach() <= NEAR,
            Start::After(_) | Start::Before(_) => self.query.count <= NEAR,
        };
        if near { side.page_in_sql() } else { Ok(None) }
    }

    /// Answers however long it takes.
    pub(crate) fn run(&self, connection: &Connection) -> Result<QueryPage, StoreError> {
        read::snapshot(connection, |connection| {
            let sides = self.sides(connection, MANY)?;
            if let [side] = sides.as_slice()
                && let Some(page) = side.page_in_sql()?
            {
                return Ok(page);
            }
            let mut window = Window::new(self.query);
            for (at, side) in sides.iter().enumerate() {
                if !side.is_empty() {
                    side.look_at_all(&mut window, at)?;
                }
            }
            self.page(connection, &sides, window)
        })
    }

    /// The plan for each target, whose sources are compared by counting up to `most` of each.
    fn sides<'s>(&'s self, connection: &'s Connection, most: u64) -> Result<Vec<Side<'s, 'q>>, StoreError> {
        let targets = self.query.targets.iter().zip(self.indexes);
        targets
            .map(|(target, index)| {
                let (dialect, tenant) = (Dialect::Sqlite, self.tenant);
                let mut has_opaque = |path| self.has_opaque(connection, path);
                let plan = Plan::new(dialect, tenant, index, condition(target), &mut has_opaque)?;
                let select = Select { dialect, tenant, index, plan };
                let mut side = Side { search: self, connection, index, target, select };
                side.take_smallest_source(most)?;
                Ok(side)
            })
            .collect()
    }

    /// Whether a path has keys that only tell equality.
    fn has_opaque(&self, connection: &Connection, path: i64) -> Result<bool, StoreError> {
        connection
            .prepare_cached("SELECT 1 FROM attribute WHERE tenant = ?1 AND path = ?2 AND value >= ?3 LIMIT 1")
            .and_then(|mut statement| statement.exists(params![self.tenant, path, [OPAQUE]]))
            .map_err(store_error)
    }

    /// The resources of the page that a window holds.
    fn page(
        &self,
        connection: &Connection,
        sides: &[Side<'_, '_>],
        window: Window<Found>,
    ) -> Result<QueryPage, StoreError> {
        let total = window.total();
        check_limit(self.query, total)?;
        let mut page = window.into_page();
        let mut resources = Vec::with_capacity(page.entries.len());
        let mut budget = self.query.page_budget();
        for at in page.places() {
            let Some(Entry { side, pk, found, .. }) = page.entries.get_mut(at) else { continue };
            let Some(side) = sides.get(*side) else { continue };
            let stored = match found.take() {
                Some(found) => Some(self.listed(connection, side.index, *found)?),
                None => self.by_pk(connection, side.index, *pk)?,
            };
            let Some(stored) = stored else { continue };
            if !budget.takes(&stored) {
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
        self.stored(connection, index, found, self.query.include, AT_ONCE)
    }

    fn stored(
        &self,
        connection: &Connection,
        index: &TypeIndex,
        found: Found,
        include: Include,
        most: usize,
    ) -> Result<StoredResource, StoreError> {
        /// Copying a body is quicker than evaluating it.
        const COPIED_AT_ONCE: u64 = 8;
        self.budget.spend_bytes(found.body.len() as u64 / COPIED_AT_ONCE)?;
        let mut groups = self.groups.try_borrow_mut().map_err(StoreError::internal)?;
        read::stored_up_to(found, connection, &mut groups, index, include, most).map_err(store_error)
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

impl Side<'_, '_> {
    fn is_empty(&self) -> bool {
        matches!(self.target.filter.as_ref().map(CompiledFilter::condition), Some(Condition::Never))
    }

    /// Of several sources that each hold all matches takes the one that names the fewest, as far as
    /// that is told by counting up to `most`: the other conditions are looked up for these.
    fn take_smallest_source(&mut self, most: u64) -> Result<(), StoreError> {
        let sources = self.select.comparing(most);
        let mut smallest: Option<(u64, usize)> = None;
        for (at, sql) in sources.iter().enumerate() {
            let count = self.count(sql)?;
            if smallest.is_none_or(|(least, _)| count < least) {
                smallest = Some((count, at));
            }
        }
        if let Some((count, at)) = smallest {
            self.select.plan.take_source(at, count <= FEW as u64);
        }
        Ok(())
    }

    /// Looks at the candidates if they are few; `false` if they are not.
    fn look_at_few(&self, window: &mut Window<Found>, at: usize) -> Result<bool, StoreError> {
        let Some(source) = &self.select.plan.source else { return Ok(false) };
        // The tests beside the source may themselves be searches over all values of a path: for a
        // few resources the evaluator is quicker.
        let columns = Found::columns(Asked::new(self.index, self.search.query.include));
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
        let mut told = self.explain(Way::Candidates, &eye);
        (told.rows, told.matches) = (count as u64, Some(window.total() - before));
        Ok(true)
    }

    /// Looks at all candidates, one after the other.
    fn look_at_all(&self, window: &mut Window<Found>, at: usize) -> Result<(), StoreError> {
        let eye = self.eye(self.select.plan.exact);
        let before = window.total();
        let mut told = self.explain(Way::Scan, &eye);
        // Of what is known to match, and is in order of its ids, only they are read.
        let bodies = eye.reads_bodies();
        let sql = self.select.matching(if bodies { Found::COLUMNS } else { "r.pk, r.id" }, true);
        let mut statement = self.prepare(&sql)?;
        let mut rows = statement.as_mut().query(params_from_iter(&sql.params)).map_err(store_error)?;
        while let Some(row) = rows.next().map_err(store_error)? {
            told.rows += 1;
            check_limit(self.search.query, window.look_at(1))?;
            let (key, id, pk) = if bodies {
                let found = read::found(row).map_err(store_error)?;
                let Some((key, found)) = self.look(&eye, found)? else { continue };
                (key, found.id, found.pk)
            } else {
                let id = read::id(row, 1).map_err(store_error)?;
                (SortValue::Missing, id, row.get(0).map_err(store_error)?)
            };
            window.add(Entry { position: Position { key, id }, side: at, pk, found: None });
        }
        told.matches = Some(window.total() - before);
        Ok(())
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

    fn explain(&self, way: Way, eye: &Eye<'_>) -> Explanation<'_> {
        Explanation::new(&self.select, self.search.cx, self.target, way, eye)
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
        self.search.budget.spend_bytes(eye.work(found.body.len()))?;
        let resource = if eye.body_suffices() {
            read::parse(rusqlite::types::ValueRef::Text(&found.body)).map_err(store_error)?
        } else {
            let stored =
                self.search.stored(self.connection, self.index, found.clone(), eye.include, usize::MAX)?;
            stored.representation(self.search.cx)?
        };
        let key = eye.judge(&resource, &self.search.cx.work)?;
        Ok(key.map(|key| (key, Box::new(found))))
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
