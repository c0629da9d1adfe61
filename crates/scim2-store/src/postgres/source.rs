//! Rows of PostgreSQL for the query runner.

use std::collections::HashMap;

use scim2_server::StoreError;
use scim2_server::store::{Pace, StoredResource};
use tokio_postgres::Row;
use tokio_postgres::types::Type;

use super::connection::{Connection, Statement};
use super::cursor::{Cursor, FETCHED};
use super::fault::Fault;
use super::read::{self, More};
use crate::dialect::Dialect;
use crate::model::key::OPAQUE;
use crate::model::row::{Asked, Found};
use crate::query::{FEW, Hit, RowSource, Scan, Search, TargetQuery, Visitor};
use crate::spool::MAX_INLINE_MEMBERS;
use crate::sql::{Sql, integer};

/// About how many bytes of bodies are read at once while all candidates are looked at.
const FETCHED_BYTES: usize = 1 << 20;

/// The rows that a connection finds, in a transaction if it has begun one.
pub(super) struct PostgresRows<'c> {
    pub(super) connection: &'c Connection,
    pub(super) tenant: i64,
}

/// Answers a query, if possible with one statement, which is a snapshot of its own: the look-ups that identity
/// providers make before every change. Anything else is a transaction.
pub(super) async fn answer(
    search: &Search<'_, PostgresRows<'_>>,
) -> Result<scim2_server::store::QueryPage, Fault> {
    if let Some(page) = search.at_once().await? {
        return Ok(page);
    }
    let connection = search.source.connection;
    connection.begin_snapshot().await?;
    let page = search.run().await?;
    connection.commit().await?;
    Ok(page)
}

/// What was read together for a page.
#[derive(Default)]
pub(super) struct PageRows {
    found: HashMap<i64, Found>,
    /// Members and groups, for each target.
    more: Vec<More>,
}

impl PostgresRows<'_> {
    /// Passes rows that were read together to a visitor. Other tasks of the thread run in between.
    async fn visit(
        &self,
        rows: Vec<Found>,
        related: Asked,
        pace: &mut Pace,
        visitor: &mut impl Visitor,
    ) -> Result<(), Fault> {
        let pks: Vec<i64> = rows.iter().map(|found| found.pk).collect();
        let mut more = More::read(self.connection, self.tenant, &pks, related).await?;
        for found in rows {
            pace.spend(visitor.work(&found)).await?;
            visitor.row(found, |found, index, include| more.stored(found, index, include))?;
        }
        Ok(())
    }
}

impl RowSource for PostgresRows<'_> {
    type Error = Fault;
    type Page = PageRows;

    const DIALECT: Dialect = Dialect::Postgres;
    const INLINE_SNAPSHOT: bool = false;
    const MAX_COMPARED: u64 = FEW as u64 + 1;
    const MAX_SKIPPED_WITH_ROWS: Option<u64> = Some(256);
    // All candidates that are few were read by one statement.
    const MAX_KEPT_BODY: usize = usize::MAX;

    fn has_opaque(&self, _: i64) -> Result<Option<bool>, StoreError> {
        Ok(None)
    }

    async fn opaque_paths(&self, paths: Vec<i64>) -> Result<HashMap<i64, bool>, Fault> {
        const ASK: Statement = Statement {
            text: "SELECT p.path, EXISTS (SELECT FROM attribute a \
                    WHERE a.tenant = $1 AND a.path = p.path AND a.value >= $3) FROM unnest($2::bigint[]) AS p (path)",
            types: &[Type::INT8, Type::INT8_ARRAY, Type::BYTEA],
        };
        let rows = self.connection.query(&ASK, &[&self.tenant, &paths, &[OPAQUE].as_slice()]).await?;
        rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
    }

    async fn smallest(&self, sql: &Sql) -> Result<(u64, usize), Fault> {
        let rows = self.connection.select(sql).await?;
        let Some(row) = rows.first() else { return Ok((0, 0)) };
        let mut smallest = (u64::MAX, 0);
        for column in 0..row.len() {
            smallest = smallest.min((row.try_get::<_, i64>(column)?.unsigned_abs(), column));
        }
        Ok(smallest)
    }

    async fn each_row(&self, sql: &Sql, scan: Scan, visitor: &mut impl Visitor) -> Result<bool, Fault> {
        let mut pace = Pace::new(None);
        if let Some(most) = scan.max_rows {
            let rows = self.connection.select(sql).await?;
            if rows.len() > most {
                return Ok(false);
            }
            self.visit(found(&rows)?, scan.related, &mut pace, visitor).await?;
            return Ok(true);
        }
        let mut cursor = Cursor::open(self.connection, sql).await?;
        let mut fetched = FEW;
        while let Some(rows) = cursor.fetch_some(fetched).await? {
            let rows = found(&rows)?;
            let bytes: usize = rows.iter().map(|found| found.body.len()).sum();
            fetched = (FETCHED_BYTES * rows.len() / bytes.max(1)).clamp(1, FETCHED);
            self.visit(rows, scan.related, &mut pace, visitor).await?;
        }
        Ok(true)
    }

    async fn each_id(&self, sql: &Sql, visitor: &mut impl Visitor) -> Result<(), Fault> {
        let mut cursor = Cursor::open(self.connection, sql).await?;
        while let Some(rows) = cursor.fetch().await? {
            for row in &rows {
                visitor.id(row.try_get(0)?, read::id(row, 1)?)?;
            }
        }
        Ok(())
    }

    async fn hits(&self, sql: Sql, with_rows: bool, max_bytes: Option<u64>) -> Result<Vec<Hit>, Fault> {
        let hit = |pk, found: Option<Found>| Hit { pk, target: 0, found: found.map(Box::new) };
        if with_rows {
            let sql = match max_bytes {
                Some(most) => within_bytes(sql, most),
                None => sql,
            };
            let rows = found(&self.connection.select(&sql).await?)?;
            return Ok(rows.into_iter().map(|found| hit(found.pk, Some(found))).collect());
        }
        let rows = self.connection.select(&sql).await?;
        rows.iter().map(|row| Ok(hit(row.try_get(0)?, None))).collect()
    }

    async fn begin_page<H: AsRef<Hit>>(
        &self,
        hits: &[H],
        targets: &[TargetQuery<'_, '_, Self>],
    ) -> Result<PageRows, Fault> {
        let mut unread = Vec::new();
        for hit in hits {
            let hit = hit.as_ref();
            if hit.found.is_none() {
                unread.push(hit.pk);
            }
        }
        let max_bytes = targets.first().and_then(TargetQuery::max_bytes);
        let found = read::by_pks(self.connection, self.tenant, &unread, max_bytes).await?;
        let mut more = Vec::with_capacity(targets.len());
        for (at, target) in targets.iter().enumerate() {
            let asked = Asked::new(target.index, target.include());
            let mut pks = Vec::new();
            for hit in hits {
                let hit = hit.as_ref();
                let is_whole = hit.found.as_ref().is_some_and(|found| found.is_whole(asked));
                if hit.target == at && !is_whole {
                    pks.push(hit.pk);
                }
            }
            more.push(More::read_up_to(self.connection, self.tenant, &pks, asked, MAX_INLINE_MEMBERS).await?);
        }
        Ok(PageRows { found, more })
    }

    fn resource(
        &self,
        page: &mut PageRows,
        hit: &mut Hit,
        target: &TargetQuery<'_, '_, Self>,
    ) -> Result<Option<StoredResource>, StoreError> {
        let found = hit.found.take().map(|found| *found).or_else(|| page.found.remove(&hit.pk));
        let (Some(found), Some(more)) = (found, page.more.get_mut(hit.target)) else { return Ok(None) };
        more.stored(found, target.index, target.include()).map(Some)
    }
}

fn found(rows: &[Row]) -> Result<Vec<Found>, Fault> {
    rows.iter().map(read::found).collect()
}

/// What a statement of resources finds, without those behind more than so many bytes of bodies. The first two are
/// always found, since the first resource of a page always has room. The database knows the length of a body without
/// reading it.
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
