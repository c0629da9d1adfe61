//! Pages that the database counts, sorts and cuts out.

use scim2_server::StoredResource;
use scim2_server::store::{Position, QueryPage, Start};

use super::{Opaque, Side};
use crate::postgres::connection::Connection;
use crate::postgres::fault::Fault;
use crate::postgres::read;
use crate::query::{Ends, Explanation, Order, Part, Places, SORTED, Slice, Way, check_limit};
use crate::row::Found;
use crate::spool::AT_ONCE;
use crate::sql::{Sql, integer};

/// How many resources are read and stepped over for one statement less.
const NEAR: u64 = 256;

impl Side<'_> {
    /// Counts, sorts and pages in SQL, if all of that can be said there.
    pub(super) async fn page_in_sql(
        &self,
        connection: &Connection,
        opaque: &Opaque,
    ) -> Result<Option<QueryPage>, Fault> {
        if !self.select.plan.exact {
            return Ok(None);
        }
        let query = self.search.query;
        let Some(order) = self.select.order(self.target.sort) else { return Ok(None) };
        if let Order::Path(path) = &order
            && opaque.get(&path.number) != Some(&false)
        {
            return Ok(None);
        }
        let mut told = self.explain(Way::Page, &self.eye(true));
        let total = count(connection, &self.select.counting()).await?;
        let few = total <= SORTED;
        if few && self.select.plan.source.is_some() && matches!(order, Order::Path(_)) {
            // Quicker sorted when found than found in the order of all.
            told.withdraw();
            return Ok(None);
        }
        check_limit(query, total)?;
        let page = match &query.start {
            Start::Index(index) => {
                Some(self.page_by_index(connection, &order, *index, total, few, &mut told).await?)
            }
            Start::After(position) => {
                self.page_by_position(connection, &order, (position, false), total, few).await?
            }
            Start::Before(position) => {
                self.page_by_position(connection, &order, (position, true), total, few).await?
            }
        };
        let Some(page) = page else {
            told.withdraw();
            return Ok(None);
        };
        (told.rows, told.matches) = (page.resources.len() as u64, Some(total));
        Ok(Some(page))
    }

    /// The page that begins at a place, counted from 1.
    async fn page_by_index(
        &self,
        connection: &Connection,
        order: &Order,
        index: u64,
        total: u64,
        few: bool,
        told: &mut Explanation<'_>,
    ) -> Result<QueryPage, Fault> {
        let query = self.search.query;
        let places = self.select.places(order, query, index, total);
        told.skipped = places.slice.skip;
        let found = if places.backwards || places.slice.skip > NEAR {
            self.far(connection, order, places, total, few).await?
        } else {
            self.near(connection, order, places.slice, total, few).await?
        };
        let mut resources =
            read::stored(connection, self.index, self.search.tenant, found, query.include, AT_ONCE).await?;
        self.fit(&mut resources);
        Ok(self.ends().at(index, total, resources)?)
    }

    /// What stands at places near the beginning.
    async fn near(
        &self,
        connection: &Connection,
        order: &Order,
        mut slice: Slice,
        total: u64,
        few: bool,
    ) -> Result<Vec<Found>, Fault> {
        let mut found = Vec::new();
        for part in order.parts_towards(self.search.query.descending, false) {
            if slice.take == 0 {
                break;
            }
            if self.begins_behind(connection, &part, &mut slice, total).await? {
                continue;
            }
            let sql = part.select(Found::COLUMNS, &self.select, few, false, None);
            let of_part = self.slice(connection, sql, slice).await?;
            slice = rest(connection, &part.count(&self.select), slice, of_part.len()).await?;
            found.extend(of_part);
        }
        Ok(found)
    }

    /// Steps over a part that the page begins behind, which may be empty, if it is known how long it is.
    async fn begins_behind(
        &self,
        connection: &Connection,
        part: &Part,
        slice: &mut Slice,
        total: u64,
    ) -> Result<bool, Fault> {
        let Some(others) = self.select.left_out(part) else { return Ok(false) };
        let of_part = total.saturating_sub(count(connection, &others).await?);
        if of_part > slice.skip {
            return Ok(false);
        }
        slice.skip -= of_part;
        Ok(true)
    }

    /// What stands at any places: bodies are read of nothing else.
    async fn far(
        &self,
        connection: &Connection,
        order: &Order,
        Places { mut slice, backwards }: Places,
        total: u64,
        few: bool,
    ) -> Result<Vec<Found>, Fault> {
        let mut pks: Vec<i64> = Vec::new();
        for part in order.parts_towards(self.search.query.descending, backwards) {
            if slice.take == 0 {
                break;
            }
            if self.begins_behind(connection, &part, &mut slice, total).await? {
                continue;
            }
            let sql = match self.select.all_at(slice, backwards) {
                Some(sql) if matches!(order, Order::Column("r.id")) && !self.search.query.descending => sql,
                _ => slice.of(part.select("r.pk", &self.select, few, backwards, None)),
            };
            let of_part = connection.select(&sql).await?;
            slice = rest(connection, &part.count(&self.select), slice, of_part.len()).await?;
            for row in &of_part {
                pks.push(row.try_get(0)?);
            }
        }
        if backwards {
            pks.reverse();
        }
        let mut found =
            read::by_pks(connection, self.search.tenant, &pks, self.search.query.max_bytes).await?;
        // Those that are not there come behind the first that has no room.
        Ok(pks.iter().map_while(|pk| found.remove(pk)).collect())
    }

    /// The page behind a position, or backwards the one before it: it costs what any page does.
    async fn page_by_position(
        &self,
        connection: &Connection,
        order: &Order,
        (position, backwards): (&Position, bool),
        total: u64,
        few: bool,
    ) -> Result<Option<QueryPage>, Fault> {
        let query = self.search.query;
        // One more, which tells whether others follow.
        let limit = if query.count == 0 { 0 } else { query.count.saturating_add(1) };
        let Some(mut found) = self.beyond(connection, order, (position, backwards), limit, few).await? else {
            return Ok(None);
        };
        let mut ahead = found.len() as u64 > query.count;
        found.truncate(usize::try_from(query.count).unwrap_or(usize::MAX));
        let mut resources =
            read::stored(connection, self.index, self.search.tenant, found, query.include, AT_ONCE).await?;
        ahead |= self.fit(&mut resources);
        let nearest = resources.first().map(|nearest| self.ends().position(nearest)).transpose()?;
        let behind = match &nearest {
            Some(nearest) => self.beyond(connection, order, (nearest, !backwards), 1, few).await?,
            None => None,
        };
        let turned = nearest.filter(|_| behind.is_some_and(|found| !found.is_empty()));
        Ok(Some(self.ends().beyond(backwards, total, resources, turned, ahead)?))
    }

    /// The first resources beyond a position, nearest first.
    async fn beyond(
        &self,
        connection: &Connection,
        order: &Order,
        from: (&Position, bool),
        limit: u64,
        few: bool,
    ) -> Result<Option<Vec<Found>>, Fault> {
        let descending = self.search.query.descending;
        let Some(statements) = self.select.beyond(Found::COLUMNS, order, from, descending, few) else {
            return Ok(None);
        };
        let mut found = Vec::new();
        for sql in statements {
            let take = limit.saturating_sub(found.len() as u64);
            if take > 0 {
                found.extend(self.slice(connection, sql, Slice { skip: 0, take }).await?);
            }
        }
        Ok(Some(found))
    }

    /// Leaves out what has no room on the page, and says whether there was any.
    fn fit(&self, resources: &mut Vec<StoredResource>) -> bool {
        let mut budget = self.search.query.page_budget();
        let all = resources.len();
        let fitting = resources.iter().take_while(|stored| budget.takes(stored)).count();
        resources.truncate(fitting);
        fitting < all
    }

    fn ends(&self) -> Ends<'_> {
        Ends { cx: self.search.cx, target: self.target }
    }

    /// These places of what a statement of resources finds, up to the first behind which the page has no
    /// room for any.
    async fn slice(&self, connection: &Connection, sql: Sql, slice: Slice) -> Result<Vec<Found>, Fault> {
        let sql = slice.of(sql);
        let sql = match self.search.query.max_bytes {
            Some(most) => within_bytes(sql, most),
            None => sql,
        };
        connection.select(&sql).await?.iter().map(read::found).collect()
    }
}

/// What a statement of resources finds, without those behind more than so many bytes of bodies; two are
/// never left out, since the first always has room. How long a body is the database knows without reading
/// it.
fn within_bytes(sql: Sql, most: u64) -> Sql {
    let names = Found::NAMES;
    let before = format!(
        "SELECT {names} FROM (SELECT f.*, row_number() OVER () AS place, \
          sum(octet_length(f.body)) OVER (ROWS UNBOUNDED PRECEDING) - octet_length(f.body) AS passed FROM ("
    );
    let mut sql = sql.within(&before, &format!(") AS f ({names})) AS page WHERE passed <= ? OR place <= 2"));
    sql.params.push(integer(i64::try_from(most).unwrap_or(i64::MAX)));
    sql
}

/// The places that are left behind a part of which so many were found.
async fn rest(connection: &Connection, of_part: &Sql, slice: Slice, found: usize) -> Result<Slice, Fault> {
    Ok(if found == 0 && slice.skip > 0 {
        // The page begins behind this part.
        Slice { skip: slice.skip.saturating_sub(count(connection, of_part).await?), ..slice }
    } else {
        Slice { skip: 0, take: slice.take.saturating_sub(found as u64) }
    })
}

async fn count(connection: &Connection, sql: &Sql) -> Result<u64, Fault> {
    let rows = connection.select(sql).await?;
    let count: i64 = rows.first().map_or(Ok(0), |row| row.try_get(0))?;
    Ok(count.unsigned_abs())
}
