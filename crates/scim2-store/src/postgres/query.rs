//! Queries: filters in SQL, finished by the evaluator where SQL cannot say them.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use scim2_filter::{Condition, SortValue};
use scim2_server::store::{Pace, Position, Query, QueryPage, Target};
use scim2_server::{Context, StoreError};
use tokio_postgres::types::Type;

use super::connection::{Connection, Statement};
use super::cursor::{Cursor, FETCHED};
use super::fault::Fault;
use super::read::{self, More};
use crate::dialect::Dialect;
use crate::index::TypeIndex;
use crate::key::OPAQUE;
use crate::plan::Plan;
use crate::query::{Entry, Explanation, Eye, Page, Select, Way, Window, check_limit, condition};
use crate::row::{Asked, Found, parse};
use crate::spool::AT_ONCE;
use crate::sql::Sql;

mod page;

/// How many candidates are read at once, with no transaction about them if one statement does.
const FEW: usize = 64;

/// About how many bytes of bodies are read at once while all are looked at.
const PIECE: usize = 1 << 20;

/// A query with the numbers of the database.
pub(crate) struct Search<'q> {
    pub(crate) cx: &'q Context,
    pub(crate) tenant: i64,
    pub(crate) query: &'q Query,
    /// One for each target, in their order.
    pub(crate) indexes: &'q [Arc<TypeIndex>],
}

/// Which paths have keys that only tell equality, as far as that is known.
type Opaque = HashMap<i64, bool>;

/// What a query looks at within one snapshot.
struct Side<'s> {
    search: &'s Search<'s>,
    index: &'s TypeIndex,
    target: &'s Target,
    select: Select<'s>,
}

impl Search<'_> {
    pub(crate) async fn run(&self, connection: &Connection) -> Result<QueryPage, Fault> {
        let (mut sides, unknown) = self.sides(&Opaque::new())?;
        // With several targets, or without being known to be few, they are compared in the snapshot.
        if let [side] = sides.as_mut_slice()
            && unknown.is_empty()
        {
            side.take_smallest_source(connection).await?;
        }
        // The look-ups that identity providers make before every change are a single statement,
        // which is a snapshot of its own.
        if let [side] = sides.as_slice()
            && unknown.is_empty()
            && !side.is_empty()
            && side.few_eye().body_suffices()
            && let Some(entries) = side.look_at_few(connection, 0).await?
        {
            let asked = Asked::new(side.index, self.query.include);
            let whole =
                |entry: &Entry<Found>| entry.found.as_ref().is_some_and(|found| read::is_whole(found, asked));
            if entries.iter().all(whole) {
                let mut window = Window::new(self.query);
                entries.into_iter().for_each(|entry| window.add(entry));
                return self.page(connection, &sides, window).await;
            }
        }
        connection.begin_snapshot().await?;
        let opaque = self.opaque(connection, unknown).await?;
        let (mut sides, _) = self.sides(&opaque)?;
        for side in &mut sides {
            side.take_smallest_source(connection).await?;
        }
        let page = self.in_snapshot(connection, &sides, &opaque).await?;
        connection.commit().await?;
        Ok(page)
    }

    async fn in_snapshot(
        &self,
        connection: &Connection,
        sides: &[Side<'_>],
        opaque: &Opaque,
    ) -> Result<QueryPage, Fault> {
        let mut window = Window::new(self.query);
        for (at, side) in sides.iter().enumerate() {
            if side.is_empty() {
                continue;
            }
            if let Some(entries) = side.look_at_few(connection, at).await? {
                entries.into_iter().for_each(|entry| window.add(entry));
                continue;
            }
            if sides.len() == 1
                && let Some(page) = side.page_in_sql(connection, opaque).await?
            {
                return Ok(page);
            }
            side.look_at_all(connection, &mut window, at).await?;
        }
        self.page(connection, sides, window).await
    }

    /// The plan for each target, and the paths of which it must be known whether they have keys
    /// that only tell equality.
    fn sides<'s>(&'s self, opaque: &Opaque) -> Result<(Vec<Side<'s>>, BTreeSet<i64>), StoreError> {
        let mut unknown = BTreeSet::new();
        let targets = self.query.targets.iter().zip(self.indexes);
        let sides = targets
            .map(|(target, index)| {
                let mut has_opaque = |path: i64| {
                    Ok(opaque.get(&path).copied().unwrap_or_else(|| {
                        unknown.insert(path);
                        true
                    }))
                };
                let (dialect, tenant) = (Dialect::Postgres, self.tenant);
                let plan = Plan::new(dialect, tenant, index, condition(target), &mut has_opaque)?;
                let select = Select { dialect, tenant, index, plan };
                Ok(Side { search: self, index, target, select })
            })
            .collect::<Result<_, StoreError>>()?;
        Ok((sides, unknown))
    }

    /// Asks of these paths, and of those that are sorted by.
    async fn opaque(&self, connection: &Connection, mut paths: BTreeSet<i64>) -> Result<Opaque, Fault> {
        const ASK: Statement = Statement {
            text: "SELECT p.path, EXISTS (SELECT FROM attribute a \
                    WHERE a.tenant = $1 AND a.path = p.path AND a.value >= $3) FROM unnest($2::bigint[]) AS p (path)",
            types: &[Type::INT8, Type::INT8_ARRAY, Type::BYTEA],
        };
        for (target, index) in self.query.targets.iter().zip(self.indexes) {
            paths.extend(target.sort.and_then(|sort| index.path(sort)).map(|path| path.number));
        }
        if paths.is_empty() {
            return Ok(Opaque::new());
        }
        let paths: Vec<i64> = paths.into_iter().collect();
        let rows = connection.query(&ASK, &[&self.tenant, &paths, &[OPAQUE].as_slice()]).await?;
        rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
    }

    /// The resources of the page that a window holds.
    async fn page(
        &self,
        connection: &Connection,
        sides: &[Side<'_>],
        window: Window<Found>,
    ) -> Result<QueryPage, Fault> {
        let total = window.total();
        check_limit(self.query, total)?;
        let mut page = window.into_page();
        let unread =
            page.places().filter_map(|at| page.entries.get(at).filter(|entry| entry.found.is_none()));
        let unread: Vec<i64> = unread.map(|entry| entry.pk).collect();
        let mut read = read::by_pks(connection, self.tenant, &unread, self.query.max_bytes).await?;
        let entries = &mut page.entries;
        let mut more = Vec::with_capacity(sides.len());
        for (at, side) in sides.iter().enumerate() {
            let asked = Asked::new(side.index, self.query.include);
            let pks = entries.iter().filter(|entry| entry.side == at);
            // What is in no group needs no looking for its groups.
            let pks =
                pks.filter(|entry| entry.found.as_ref().is_none_or(|found| !read::is_whole(found, asked)));
            let pks: Vec<i64> = pks.map(|entry| entry.pk).collect();
            more.push(More::read_up_to(connection, self.tenant, &pks, asked, AT_ONCE).await?);
        }
        let mut resources = Vec::with_capacity(entries.len());
        let mut budget = self.query.page_budget();
        for at in page.places() {
            let Some(Entry { side, pk, found, .. }) = page.entries.get_mut(at) else { continue };
            let (Some(more), Some(side)) = (more.get_mut(*side), sides.get(*side)) else { continue };
            let found = found.take().map(|found| *found).or_else(|| read.remove(pk));
            // Those that were not read come behind the first that has no room.
            let Some(found) = found else { continue };
            let stored = more.stored(found, side.index, self.query.include)?;
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
}

impl Side<'_> {
    fn is_empty(&self) -> bool {
        matches!(condition(self.target), Condition::Never)
    }

    /// Of several sources that each hold all matches takes one that names few resources, if there is
    /// one. Of others the database knows better in which order to join them.
    async fn take_smallest_source(&mut self, connection: &Connection) -> Result<(), Fault> {
        let sources = self.select.comparing(FEW as u64 + 1);
        if sources.is_empty() {
            return Ok(());
        }
        let mut sql = Sql::default();
        for source in sources {
            sql.push(if sql.text.is_empty() { "SELECT (" } else { ", (" });
            sql.append(&source);
            sql.push(")");
        }
        let rows = connection.select(&sql).await?;
        let Some(row) = rows.first() else { return Ok(()) };
        let mut smallest = (i64::MAX, 0);
        for at in 0..row.len() {
            smallest = smallest.min((row.try_get(at)?, at));
        }
        let (count, at) = smallest;
        self.select.plan.take_source(at, count <= FEW as i64);
        Ok(())
    }

    /// Those of the candidates that match, if the candidates are few.
    async fn look_at_few(
        &self,
        connection: &Connection,
        at: usize,
    ) -> Result<Option<Vec<Entry<Found>>>, Fault> {
        let plan = &self.select.plan;
        let Some(source) = plan.source.as_ref().filter(|_| plan.is_selective()) else { return Ok(None) };
        // The tests beside the source may themselves be searches over all values of a path: for a
        // few resources the evaluator is quicker.
        let columns = Found::columns(Asked::new(self.index, self.search.query.include));
        let mut sql = self.select.candidates(columns, source);
        sql.push(" LIMIT ");
        sql.push(&(FEW + 1).to_string());
        let rows = connection.select(&sql).await?;
        if rows.len() > FEW {
            return Ok(None);
        }
        let found = rows.iter().map(read::found).collect::<Result<_, _>>()?;
        let eye = self.few_eye();
        let matching = self.look(connection, &eye, found, &mut Pace::new(None)).await?;
        let mut told = self.explain(Way::Candidates, &eye);
        (told.rows, told.matches) = (rows.len() as u64, Some(matching.len() as u64));
        let entry = |(key, found): (_, Found)| {
            let position = Position { key, id: found.id.clone() };
            Entry { position, side: at, pk: found.pk, found: Some(Box::new(found)) }
        };
        Ok(Some(matching.into_iter().map(entry).collect()))
    }

    /// Looks at all candidates, some at a time.
    async fn look_at_all(
        &self,
        connection: &Connection,
        window: &mut Window<Found>,
        at: usize,
    ) -> Result<(), Fault> {
        let eye = self.eye(self.select.plan.exact);
        let mut told = self.explain(Way::Scan, &eye);
        // Of what is known to match, and is in order of its ids, only they are read.
        let bodies = eye.reads_bodies();
        let columns = if bodies { Found::COLUMNS } else { "r.pk, r.id" };
        let mut cursor = Cursor::open(connection, &self.select.matching(columns, true)).await?;
        let mut pace = Pace::new(None);
        let before = window.total();
        let mut piece = if bodies { FEW } else { FETCHED };
        while let Some(rows) = cursor.fetch_some(piece).await? {
            told.rows += rows.len() as u64;
            check_limit(self.search.query, window.look_at(rows.len() as u64))?;
            if bodies {
                let found: Vec<Found> = rows.iter().map(read::found).collect::<Result<_, _>>()?;
                let bytes: usize = found.iter().map(|found| found.body.len()).sum();
                piece = (PIECE * found.len() / bytes.max(1)).clamp(1, FETCHED);
                for (key, found) in self.look(connection, &eye, found, &mut pace).await? {
                    let position = Position { key, id: found.id };
                    window.add(Entry { position, side: at, pk: found.pk, found: None });
                }
            } else {
                for row in &rows {
                    let position = Position { key: SortValue::Missing, id: read::id(row, 1)? };
                    window.add(Entry { position, side: at, pk: row.try_get(0)?, found: None });
                }
            }
        }
        told.matches = Some(window.total() - before);
        Ok(())
    }

    /// Those that match, with their sort keys. Other tasks of the thread run in between.
    async fn look(
        &self,
        connection: &Connection,
        eye: &Eye<'_>,
        found: Vec<Found>,
        pace: &mut Pace,
    ) -> Result<Vec<(SortValue<'static>, Found)>, Fault> {
        if !eye.reads_bodies() {
            return Ok(found.into_iter().map(|found| (SortValue::Missing, found)).collect());
        }
        let pks: Vec<i64> = found.iter().map(|found| found.pk).collect();
        let asked = Asked::new(self.index, eye.include);
        let mut more = More::read(connection, self.search.tenant, &pks, asked).await?;
        let mut matching = Vec::new();
        for found in found {
            pace.spend(eye.work(found.body.len())).await?;
            let resource = if eye.body_suffices() {
                parse(&found.body)?
            } else {
                let stored = more.stored(found.clone(), self.index, eye.include)?;
                stored.representation(self.search.cx)?
            };
            let key = eye.judge(&resource, &self.search.cx.work)?;
            matching.extend(key.map(|key| (key, found)));
        }
        Ok(matching)
    }

    fn explain(&self, way: Way, eye: &Eye<'_>) -> Explanation<'_> {
        Explanation::new(&self.select, self.search.cx, self.target, way, eye)
    }

    /// Looks at candidates of the source without the tests beside it.
    fn few_eye(&self) -> Eye<'_> {
        self.eye(self.select.plan.exact && self.select.plan.test.is_none())
    }

    fn eye(&self, exact: bool) -> Eye<'_> {
        Eye::new(&self.index.resource_type, self.target, exact)
    }
}
