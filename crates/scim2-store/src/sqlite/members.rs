//! Members as rows: adding or removing one costs the same in a group of ten and of a million.

use std::collections::{HashMap, HashSet};

use rusqlite::{Connection, OptionalExtension, params};
use scim2_core::ResourceId;
use scim2_server::store::{Member, MembersWrite};

use super::batch::Batch;
use super::read;
use super::writer::Fault;

/// Does to the members of a group what a write says, and tells whether that changed anything.
pub(crate) fn change(
    batch: &Batch<'_>,
    tenant: i64,
    group: i64,
    now: i64,
    write: &MembersWrite,
) -> Result<bool, Fault> {
    match write {
        MembersWrite::Keep => Ok(false),
        MembersWrite::Set(members) => {
            let (remove, add) = difference(batch.connection(), tenant, group, members.clone())?;
            change(batch, tenant, group, now, &MembersWrite::Change { remove, add })
        }
        MembersWrite::Change { remove, add } => {
            let mut changed = false;
            for id in remove {
                changed |= remove_one(batch, tenant, group, id)?;
            }
            Ok(add_all(batch, tenant, group, now, add)? || changed)
        }
    }
}

/// Who goes and who comes, or gets another display name, when `members` are to be the members of a
/// group: of ten thousand that stay nothing is written.
pub(crate) fn difference(
    connection: &Connection,
    tenant: i64,
    group: i64,
    mut members: Vec<Member>,
) -> rusqlite::Result<(Vec<ResourceId>, Vec<Member>)> {
    let wanted: HashSet<&str> = members.iter().map(|member| member.value.as_str()).collect();
    let mut statement = connection.prepare_cached(
        "SELECT r.id, m.display FROM member m CROSS JOIN resource r ON r.pk = m.member_pk \
         WHERE m.tenant = ?1 AND m.group_pk = ?2",
    )?;
    let mut rows = statement.query([tenant, group])?;
    let mut remove = Vec::new();
    let mut stay: HashMap<ResourceId, Option<String>> = HashMap::new();
    while let Some(row) = rows.next()? {
        let id = read::id(row, 0)?;
        if wanted.contains(id.as_str()) {
            stay.insert(id, row.get(1)?);
        } else {
            remove.push(id);
        }
    }
    members.retain(|member| match stay.get(&member.value) {
        None => true,
        Some(display) => member.display.is_some() && member.display.as_deref() != display.as_deref(),
    });
    Ok((remove, members))
}

fn add_all(batch: &Batch<'_>, tenant: i64, group: i64, now: i64, members: &[Member]) -> Result<bool, Fault> {
    if members.is_empty() {
        return Ok(false);
    }
    let mut find = batch.prepare(
        "SELECT r.pk FROM type t CROSS JOIN resource r ON r.tenant = ?1 AND r.type = t.number AND r.id = ?3 \
         WHERE t.name = ?2",
    )?;
    // One that is a member already keeps its place, and its display name unless a new one is given.
    let mut add = batch.prepare(
        "INSERT INTO member (tenant, group_pk, added, member_pk, display) VALUES (?1, ?2, ?3, ?4, ?5) \
         ON CONFLICT (tenant, member_pk, group_pk) DO UPDATE SET display = excluded.display \
         WHERE excluded.display IS NOT NULL AND display IS NOT excluded.display",
    )?;
    let last: Option<i64> = batch
        .prepare("SELECT max(added) FROM member WHERE tenant = ?1 AND group_pk = ?2")?
        .query_row([tenant, group], |row| row.get(0))?;
    let mut added = last.map_or(now, |last| now.max(last + 1));
    let mut changed = false;
    for member in members {
        let pk: Option<i64> = find
            .query_row(params![tenant, &*member.resource_type, member.value.as_str()], |row| row.get(0))
            .optional()?;
        // One that was deleted meanwhile is left out.
        let Some(pk) = pk else { continue };
        if add.execute(params![tenant, group, added, pk, member.display.as_deref()])? > 0 {
            changed = true;
            added += 1;
        }
    }
    Ok(changed)
}

fn remove_one(batch: &Batch<'_>, tenant: i64, group: i64, id: &ResourceId) -> Result<bool, Fault> {
    let mut find = batch.prepare(
        "SELECT r.pk FROM type t CROSS JOIN resource r ON r.tenant = ?1 AND r.type = t.number AND r.id = ?2",
    )?;
    let pks = find
        .query_map(params![tenant, id.as_str()], |row| row.get(0))?
        .collect::<rusqlite::Result<Vec<i64>>>()?;
    let mut removed = false;
    for pk in pks {
        removed |= remove_row(batch, tenant, group, pk)?;
    }
    Ok(removed)
}

fn remove_row(batch: &Batch<'_>, tenant: i64, group: i64, member: i64) -> Result<bool, Fault> {
    Ok(batch
        .prepare("DELETE FROM member WHERE tenant = ?1 AND group_pk = ?2 AND member_pk = ?3")?
        .execute([tenant, group, member])?
        > 0)
}

/// Takes a resource that goes away out of all groups, which moves their versions, and lets go of
/// its own members.
pub(crate) fn forget(batch: &Batch<'_>, tenant: i64, pk: i64, now: i64) -> Result<(), Fault> {
    batch
        .prepare(
            "UPDATE resource SET version = version + 1, modified = max(modified, ?3) \
             WHERE pk IN (SELECT group_pk FROM member WHERE tenant = ?1 AND member_pk = ?2)",
        )?
        .execute([tenant, pk, now])?;
    batch.prepare("DELETE FROM member WHERE tenant = ?1 AND member_pk = ?2")?.execute([tenant, pk])?;
    batch.prepare("DELETE FROM member WHERE tenant = ?1 AND group_pk = ?2")?.execute([tenant, pk])?;
    Ok(())
}
