//! Members of loaded groups, which may be named before they are loaded.

use rusqlite::{Connection, OptionalExtension, params};
use scim2_server::Context;
use scim2_server::store::Member;

use super::{Groups, Scope};
use crate::admin::load::Unresolved;
use crate::audit::Entry;
use crate::model::index::TypeIndex;
use crate::model::row::version_of;
use crate::sqlite::batch::Batch;
use crate::sqlite::writer::Fault;

/// The table of members that wait for their resources. `type` is null where any will do, `fresh`
/// is 1 for a group that this load made.
pub(super) const WAITING: &str = "CREATE TEMP TABLE waiting ( \
    number INTEGER PRIMARY KEY, group_pk INTEGER NOT NULL, added INTEGER NOT NULL, type INTEGER, \
    id TEXT NOT NULL, display TEXT, tag INTEGER NOT NULL, fresh INTEGER NOT NULL, position INTEGER NOT NULL, \
    total INTEGER NOT NULL)";

/// How many waiting members are looked up in one transaction.
const CHUNK: i64 = 50_000;

/// Where members are added.
#[derive(Clone, Copy)]
pub(super) struct Group<'a> {
    pub(super) pk: i64,
    pub(super) index: &'a TypeIndex,
    pub(super) id: &'a str,
    /// Whether this load made it: its version is then the loaded one and stays.
    pub(super) fresh: bool,
}

/// Adds those members that are there, in their places, and lets the others wait.
pub(super) fn add(
    batch: &mut Batch<'_>,
    scope: Scope<'_>,
    groups: &mut Groups,
    group: Group<'_>,
    members: &[Member],
    tag: u64,
) -> Result<(), Fault> {
    if members.is_empty() {
        return Ok(());
    }
    let Scope { cx, keys: _, tenant, indexes } = scope;
    let mut next = match groups.next.get(&group.pk) {
        Some(next) => *next,
        None if group.fresh => cx.now.timestamp_millis(),
        None => {
            let last: Option<i64> = batch
                .prepare("SELECT max(added) FROM member WHERE tenant = ?1 AND group_pk = ?2")?
                .query_row([tenant, group.pk], |row| row.get(0))?;
            last.map_or(cx.now.timestamp_millis(), |last| last + 1)
        }
    };
    let mut changed = false;
    let mut wait = batch.prepare(
        "INSERT INTO temp.waiting (group_pk, added, type, id, display, tag, fresh, position, total) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    )?;
    let total = i64::try_from(members.len()).unwrap_or(i64::MAX);
    for (position, Member { value, resource_type, display }) in (1_i64..).zip(members) {
        let display = display.as_deref();
        let type_ = indexes.iter().find(|index| index.resource_type.name() == &**resource_type);
        let type_ = type_.map(|index| index.number);
        match target(batch, tenant, type_, value.as_str())? {
            Some((pk, name)) => changed |= insert(batch, tenant, group.pk, next, pk, own(display, &name))?,
            None => {
                let tag = i64::try_from(tag).unwrap_or(i64::MAX);
                let id = value.as_str();
                wait.execute(params![group.pk, next, type_, id, display, tag, group.fresh, position, total])?;
                groups.waiting += 1;
            }
        }
        next += 1;
    }
    groups.next.insert(group.pk, next);
    if changed && !group.fresh && groups.moved.insert(group.pk) {
        touch(batch, cx, tenant, group.pk, group.index, group.id)?;
    }
    Ok(())
}

/// Looks up the next waiting members behind `after`; `None` when none is left.
pub(super) fn resolve(
    connection: &Connection,
    scope: Scope<'_>,
    groups: &mut Groups,
    after: i64,
    unresolved: &mut impl FnMut(Unresolved),
) -> Result<Option<i64>, Fault> {
    let Scope { cx, keys, tenant, indexes } = scope;
    let mut batch = Batch::new(connection, keys);
    let mut waiting = batch.prepare(
        "SELECT number, group_pk, added, type, id, display, tag, fresh, position, total FROM temp.waiting \
         WHERE number > ?1 ORDER BY number LIMIT ?2",
    )?;
    let mut rows = waiting.query([after, CHUNK])?;
    let mut last = None;
    while let Some(row) = rows.next()? {
        last = Some(row.get(0)?);
        let (group, added): (i64, i64) = (row.get(1)?, row.get(2)?);
        let id = row.get_ref(4)?.as_str().map_err(rusqlite::Error::from)?;
        let display = row.get_ref(5)?.as_str_or_null().map_err(rusqlite::Error::from)?;
        match target(&batch, tenant, row.get(3)?, id)? {
            None => {
                let tag: i64 = row.get(6)?;
                let (position, of): (i64, i64) = (row.get(8)?, row.get(9)?);
                unresolved(Unresolved {
                    tag: tag.unsigned_abs(),
                    member: id.to_owned(),
                    position: position.unsigned_abs(),
                    of: of.unsigned_abs(),
                });
            }
            Some((pk, name)) => {
                let changed = insert(&batch, tenant, group, added, pk, own(display, &name))?;
                let fresh: bool = row.get(7)?;
                if changed && !fresh && groups.moved.insert(group) {
                    let (type_, id): (i64, String) = batch
                        .prepare("SELECT type, id FROM resource WHERE pk = ?1")?
                        .query_row([group], |row| Ok((row.get(0)?, row.get(1)?)))?;
                    if let Some(index) = indexes.iter().find(|index| index.number == type_) {
                        touch(&mut batch, cx, tenant, group, index, &id)?;
                    }
                }
            }
        }
    }
    Ok(last)
}

/// The number and the display name of a resource, of that type or of any.
fn target(
    batch: &Batch<'_>,
    tenant: i64,
    type_: Option<i64>,
    id: &str,
) -> Result<Option<(i64, Option<String>)>, Fault> {
    let read = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?));
    Ok(match type_ {
        Some(type_) => batch
            .prepare("SELECT pk, display FROM resource WHERE tenant = ?1 AND type = ?2 AND id = ?3")?
            .query_row(params![tenant, type_, id], read)
            .optional()?,
        None => batch
            .prepare(
                "SELECT r.pk, r.display FROM type t CROSS JOIN resource r \
                 ON r.tenant = ?1 AND r.type = t.number AND r.id = ?2",
            )?
            .query_row(params![tenant, id], read)
            .optional()?,
    })
}

/// The display name to store. One that equals the member's own was copied from an answer, and is not stored.
fn own<'a>(display: Option<&'a str>, name: &Option<String>) -> Option<&'a str> {
    display.filter(|display| name.as_deref() != Some(*display))
}

fn insert(
    batch: &Batch<'_>,
    tenant: i64,
    group: i64,
    added: i64,
    member: i64,
    display: Option<&str>,
) -> Result<bool, Fault> {
    let inserted = batch
        .prepare(
            "INSERT INTO member (tenant, group_pk, added, member_pk, display) VALUES (?1, ?2, ?3, ?4, ?5) \
             ON CONFLICT (tenant, member_pk, group_pk) DO NOTHING",
        )?
        .execute(params![tenant, group, added, member, display])?;
    Ok(inserted > 0)
}

/// Moves the version of a group that was there before.
fn touch(
    batch: &mut Batch<'_>,
    cx: &Context,
    tenant: i64,
    pk: i64,
    index: &TypeIndex,
    id: &str,
) -> Result<(), Fault> {
    let version: i64 = batch
        .prepare("UPDATE resource SET version = version + 1, modified = max(modified, ?2) WHERE pk = ?1 RETURNING version")?
        .query_row([pk, cx.now.timestamp_millis()], |row| row.get(0))?;
    let version = version_of(version);
    let attribute = index.resource_type.members().map(|id| index.resource_type.attribute(id).path());
    batch.audit(
        tenant,
        &Entry {
            version: version.as_str(),
            changed: attribute.unwrap_or_default(),
            ..Entry::new(cx, "modify", index.resource_type.name(), id)
        },
    )
}
