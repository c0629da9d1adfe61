//! Making again what is derived: index rows, display names, counts; and letting go of memberships that lead
//! nowhere.

use std::collections::BTreeMap;

use scim2_server::Context;
use tokio_postgres::types::Type;

use super::attribute::add_many;
use super::audit::Auditing;
use super::connection::{Connection, Statement};
use super::cursor::Cursor;
use super::fault::Fault;
use super::lock::Lock;
use super::read::display;
use super::{fsck, names};
use crate::audit::Entry;
use crate::fsck::{FsckOptions, Report};
use crate::index::{IndexRow, TypeIndex};
use crate::repair::Repair;
use crate::row::{parse, version_of};
use crate::sql::{Sql, integer};

/// One transaction, while which nodes wait with their writes.
pub(crate) async fn repair(connection: &Connection, cx: &Context) -> Result<Repair, Fault> {
    let options = FsckOptions::default();
    let before = fsck::check(connection, &cx.registry, &options).await?;
    if before.is_clean() {
        return Ok(Repair { after: before.clone(), before, done: Vec::new() });
    }
    let mut indexes = Vec::new();
    for resource_type in cx.registry.resource_types() {
        indexes.push(names::register(connection, resource_type, None).await?);
    }
    connection.begin().await?;
    // Nothing is created, changed or deleted meanwhile, and nothing becomes a member.
    for index in &indexes {
        connection.simple(&Lock::Resources(index.number).alone()).await?;
    }
    connection.simple("LOCK TABLE member IN SHARE ROW EXCLUSIVE MODE").await?;
    let mut done = Vec::new();
    let mut note = |what: &str, count: usize| {
        if count > 0 {
            done.push(format!("{count} {what}"));
        }
    };
    let mut names = 0;
    for index in &indexes {
        names += display_names(connection, index).await?;
    }
    note("display names taken from the bodies", names);
    if before.broken.index && !has_unknown(connection, &indexes).await? {
        // Not truncated: that would empty it for queries that are under way.
        connection.simple("DELETE FROM attribute").await?;
        let mut resources = 0;
        for index in &indexes {
            resources += index_rows(connection, index).await?;
        }
        note("resources whose index rows were made again", resources);
    }
    if before.broken.triggers {
        connection.simple(fsck::TRIGGERS_ANEW).await?;
        note("tables whose triggers were made again", 2);
    }
    note("counts made again", tally(connection).await?);
    note("memberships that led nowhere taken away", members(connection, cx).await?);
    connection.commit().await?;
    let after: Report = fsck::check(connection, &cx.registry, &options).await?;
    Ok(Repair { before, done, after })
}

/// Whether there are resources of which nobody knows which rows they should have.
async fn has_unknown(connection: &Connection, indexes: &[std::sync::Arc<TypeIndex>]) -> Result<bool, Fault> {
    const UNKNOWN: Statement = Statement {
        text: "SELECT EXISTS (SELECT FROM resource WHERE type <> ALL ($1))",
        types: &[Type::INT8_ARRAY],
    };
    let known: Vec<i64> = indexes.iter().map(|index| index.number).collect();
    let rows = connection.query(&UNKNOWN, &[&known]).await?;
    Ok(rows.first().map_or(Ok(false), |row| row.try_get(0))?)
}

async fn display_names(connection: &Connection, index: &TypeIndex) -> Result<usize, Fault> {
    const CORRECT: Statement = Statement {
        text: "UPDATE resource SET display = $3 WHERE tenant = $1 AND pk = $2",
        types: &[Type::INT8, Type::INT8, Type::BYTEA],
    };
    let all =
        Sql::new("SELECT tenant, pk, display, body FROM resource WHERE type = ?", [integer(index.number)]);
    let mut wrong: Vec<(i64, i64, Option<Vec<u8>>)> = Vec::new();
    let mut cursor = Cursor::open(connection, &all).await?;
    while let Some(rows) = cursor.fetch().await? {
        for row in &rows {
            let Ok(body) = parse(row.try_get::<_, &str>(3)?.as_bytes()) else { continue };
            let name = body.get_str("displayName");
            if name != display(row, 2)?.as_deref() {
                wrong.push((row.try_get(0)?, row.try_get(1)?, name.map(|name| name.as_bytes().to_vec())));
            }
        }
    }
    for (tenant, pk, name) in &wrong {
        connection.query(&CORRECT, &[tenant, pk, name]).await?;
    }
    Ok(wrong.len())
}

/// Corrects what was counted; what waits to be counted stays so.
async fn tally(connection: &Connection) -> Result<usize, Fault> {
    const CORRECT: Statement = Statement {
        text: "INSERT INTO tally (tenant, type, resources) VALUES ($1, $2, $3) \
               ON CONFLICT (tenant, type) DO UPDATE SET resources = tally.resources + excluded.resources",
        types: &[Type::INT8, Type::INT8, Type::INT8],
    };
    // Nobody counts meanwhile.
    connection.simple("LOCK TABLE tally IN SHARE ROW EXCLUSIVE MODE").await?;
    let wrong = connection.query(&fsck::MISCOUNTED, &[]).await?;
    for row in &wrong {
        let (tenant, type_number): (i64, i64) = (row.try_get(0)?, row.try_get(1)?);
        let missing = row.try_get::<_, i64>(4)? - row.try_get::<_, i64>(5)?;
        connection.query(&CORRECT, &[&tenant, &type_number, &missing]).await?;
    }
    Ok(wrong.len())
}

/// All rows anew: which of them are wrong is dearer to find out, and it happens once.
async fn index_rows(connection: &Connection, index: &TypeIndex) -> Result<usize, Fault> {
    // Of two resources with a value that only one may have the older one keeps it.
    let all = Sql::new(
        "SELECT tenant, pk, body FROM resource WHERE type = ? ORDER BY tenant, pk",
        [integer(index.number)],
    );
    let mut count = 0;
    let mut cursor = Cursor::open(connection, &all).await?;
    while let Some(resources) = cursor.fetch().await? {
        let mut rows: BTreeMap<i64, Vec<(i64, IndexRow)>> = BTreeMap::new();
        for resource in &resources {
            let Ok(body) = parse(resource.try_get::<_, &str>(2)?.as_bytes()) else { continue };
            let (tenant, pk): (i64, i64) = (resource.try_get(0)?, resource.try_get(1)?);
            let of_tenant = rows.entry(tenant).or_default();
            of_tenant.extend(index.rows(&body).into_iter().map(|row| (pk, row)));
            count += 1;
        }
        for (tenant, rows) in rows {
            add_many(connection, tenant, &rows).await?;
        }
    }
    Ok(count)
}

async fn members(connection: &Connection, cx: &Context) -> Result<usize, Fault> {
    const FORGET: Statement = Statement {
        text: "DELETE FROM member m WHERE \
                NOT EXISTS (SELECT FROM resource g WHERE g.tenant = m.tenant AND g.pk = m.group_pk) \
                OR NOT EXISTS (SELECT FROM resource r WHERE r.tenant = m.tenant AND r.pk = m.member_pk) \
               RETURNING m.tenant, m.group_pk",
        types: &[],
    };
    const MOVE: Statement = Statement {
        text: "UPDATE resource r SET version = version + 1, modified = greatest(modified, $3) FROM type t \
               WHERE r.tenant = $1 AND r.pk = $2 AND t.number = r.type RETURNING r.id, t.name, r.version",
        types: &[Type::INT8, Type::INT8, Type::INT8],
    };
    let gone = connection.query(&FORGET, &[]).await?;
    let mut groups: Vec<(i64, i64)> =
        gone.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect::<Result<_, Fault>>()?;
    groups.sort_unstable();
    groups.dedup();
    let audit = Auditing::ready(connection).await?;
    let now = cx.now.timestamp_millis();
    for (tenant, group) in groups {
        // One that is not there itself has no version.
        for row in connection.query(&MOVE, &[&tenant, &group, &now]).await? {
            let version = version_of(row.try_get(2)?);
            let entry = Entry {
                version: version.as_str(),
                changed: "members",
                ..Entry::new(cx, "modify", row.try_get(1)?, row.try_get(0)?)
            };
            audit.log(connection, tenant, &entry).await?;
        }
    }
    Ok(gone.len())
}
