//! Reads resources, members and groups. All statements of one call read one snapshot if the caller has begun a
//! transaction.

use bytes::Bytes;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension, Row, params};
use scim2_core::json::JsonError;
use scim2_core::{Object, ResourceId};
use scim2_server::StoreError;
use scim2_server::store::{Comparison, GroupMembership, Include, Member, MemberTarget, StoredResource};

use super::groups::Groups;
use crate::error::store_error;
use crate::model::ids::IdCache;
use crate::model::index::TypeIndex;
use crate::model::members::Comparing;
use crate::model::row::{Asked, Found, columns, within};
use crate::spool::{Inlet, MAX_INLINE_MEMBERS};

/// Reads the columns of a [`Found`].
pub(crate) fn found(row: &Row<'_>) -> rusqlite::Result<Found> {
    Ok(Found {
        pk: row.get(0)?,
        id: id(row, 1)?,
        version: row.get(2)?,
        created: row.get(3)?,
        modified: row.get(4)?,
        never_returned: row.get(5)?,
        body: Bytes::copy_from_slice(row.get_ref(6)?.as_bytes()?),
        within: within(row.get(7)?),
    })
}

/// A resource with the parts that `include` asks for.
pub(crate) fn stored(
    found: Found,
    connection: &Connection,
    ids: &IdCache,
    index: &TypeIndex,
    tenant: i64,
    include: Include,
) -> rusqlite::Result<StoredResource> {
    stored_up_to(found, connection, &mut Groups::new(ids, tenant), index, include, usize::MAX)
}

/// The same as the answer to a write: without members if there are many.
pub(crate) fn written(
    found: Found,
    connection: &Connection,
    ids: &IdCache,
    index: &TypeIndex,
    tenant: i64,
    include: Include,
) -> rusqlite::Result<StoredResource> {
    stored_up_to(found, connection, &mut Groups::new(ids, tenant), index, include, MAX_INLINE_MEMBERS)
}

/// The same, without members if there are more than `most`.
pub(crate) fn stored_up_to(
    mut found: Found,
    connection: &Connection,
    known: &mut Groups<'_>,
    index: &TypeIndex,
    include: Include,
    most: usize,
) -> rusqlite::Result<StoredResource> {
    let asked = Asked::new(index, include);
    let members = match asked.members {
        true => members(connection, known.ids, known.tenant, found.pk, most)?,
        false => None,
    };
    let groups = match (asked.groups, found.within.take()) {
        (false, _) => None,
        (true, Some(within)) => Some(known.of(connection, found.pk, within)?),
        (true, None) => Some(known.find(connection, found.pk)?),
    };
    found.into_stored(index, include, members, groups).map_err(|error| wrong(5, error))
}

/// The resource with a type and an id.
pub(crate) fn by_id(
    connection: &Connection,
    tenant: i64,
    type_number: i64,
    id: &str,
    asked: Asked,
) -> rusqlite::Result<Option<Found>> {
    macro_rules! select {
        ($columns:expr, $join:literal) => {
            concat!(
                "SELECT ",
                $columns,
                " FROM resource r",
                $join,
                " WHERE r.tenant = ?1 AND r.type = ?2 AND r.id = ?3"
            )
        };
    }
    let key = params![tenant, type_number, id];
    if !asked.groups {
        return connection.prepare_cached(select!(columns!(), ""))?.query_row(key, found).optional();
    }
    // One row for each group, or one row without a group. This is faster than a second statement.
    let mut statement = connection.prepare_cached(select!(
        columns!("NULL, m.group_pk"),
        " LEFT JOIN member m ON m.tenant = r.tenant AND m.member_pk = r.pk"
    ))?;
    let mut rows = statement.query(key)?;
    let Some(row) = rows.next()? else { return Ok(None) };
    let mut resource = found(row)?;
    let mut groups = Vec::new();
    groups.extend(row.get::<_, Option<i64>>(8)?);
    while let Some(row) = rows.next()? {
        groups.push(row.get(8)?);
    }
    resource.within = Some(groups);
    Ok(Some(resource))
}

/// The resource with a type and an id, with the parts that `include` asks for.
pub(crate) fn resource(
    connection: &Connection,
    ids: &IdCache,
    index: &TypeIndex,
    tenant: i64,
    id: &str,
    include: Include,
) -> Result<Option<StoredResource>, StoreError> {
    let found =
        by_id(connection, tenant, index.number, id, Asked::new(index, include)).map_err(store_error)?;
    let stored = found.map(|found| stored(found, connection, ids, index, tenant, include));
    stored.transpose().map_err(store_error)
}

/// The resource with a primary key.
pub(crate) fn by_pk(connection: &Connection, pk: i64) -> rusqlite::Result<Option<Found>> {
    connection
        .prepare_cached(concat!("SELECT ", columns!(), " FROM resource r WHERE r.pk = ?1"))?
        .query_row([pk], found)
        .optional()
}

/// At most `limit` resources of a type whose id is greater than `after`, in order of id.
pub(crate) fn list(
    connection: &Connection,
    ids: &IdCache,
    index: &TypeIndex,
    tenant: i64,
    after: Option<&ResourceId>,
    limit: usize,
    include: Include,
) -> rusqlite::Result<Vec<StoredResource>> {
    // No id is empty, so every id is greater than the empty text.
    let after = after.map_or("", ResourceId::as_str);
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut statement = connection.prepare_cached(concat!(
        "SELECT ",
        columns!(),
        " FROM resource r WHERE r.tenant = ?1 AND r.type = ?2 AND r.id > ?3 ORDER BY r.id LIMIT ?4"
    ))?;
    let found = statement.query_map(params![tenant, index.number, after, limit], found)?;
    let mut groups = Groups::new(ids, tenant);
    found.map(|found| stored_up_to(found?, connection, &mut groups, index, include, usize::MAX)).collect()
}

/// The members of a group in the order they were added.
const MEMBERS: &str = "SELECT r.id, r.type, coalesce(m.display, r.display) \
    FROM member m CROSS JOIN resource r ON r.pk = m.member_pk \
    WHERE m.tenant = ?1 AND m.group_pk = ?2 ORDER BY m.added, m.member_pk LIMIT ?3";

/// All members; `None` if there are more than `most`.
fn members(
    connection: &Connection,
    ids: &IdCache,
    tenant: i64,
    group: i64,
    most: usize,
) -> rusqlite::Result<Option<Vec<Member>>> {
    let limit = i64::try_from(most).unwrap_or(i64::MAX).saturating_add(1);
    let members = connection
        .prepare_cached(MEMBERS)?
        .query_map([tenant, group, limit], |row| {
            Ok(Member {
                value: id(row, 0)?,
                resource_type: type_name(ids, row.get(1)?),
                display: row.get(2)?,
            })
        })?
        .collect::<rusqlite::Result<Vec<Member>>>()?;
    Ok(Some(members).filter(|members| members.len() <= most))
}

/// Streams all members, until the receiver stops.
pub(crate) fn send_members(
    connection: &Connection,
    ids: &IdCache,
    tenant: i64,
    group: i64,
    inlet: &mut Inlet,
) -> Result<(), StoreError> {
    each_member(connection, ids, tenant, group, |id, type_, display| inlet.push(id, type_, display))
}

/// Compares the members of the group with a type and an id with those that it shall have.
pub(crate) fn compare_by_id(
    connection: &Connection,
    id_cache: &IdCache,
    tenant: i64,
    type_number: i64,
    id: &str,
    ids: &[ResourceId],
) -> Result<Option<Comparison>, StoreError> {
    let group = by_id(connection, tenant, type_number, id, Asked::NOTHING).map_err(store_error)?;
    group.map(|group| compare(connection, id_cache, tenant, &group, ids)).transpose()
}

/// How many members a group has.
pub(crate) fn count_members(connection: &Connection, tenant: i64, group: i64) -> rusqlite::Result<u64> {
    let mut count =
        connection.prepare_cached("SELECT count(*) FROM member WHERE tenant = ?1 AND group_pk = ?2")?;
    let count: i64 = count.query_row([tenant, group], |row| row.get(0))?;
    Ok(u64::try_from(count).unwrap_or_default())
}

/// Compares the members of a group with those that it shall have. It reads each row of the group once, and looks
/// nothing up.
fn compare(
    connection: &Connection,
    id_cache: &IdCache,
    tenant: i64,
    group: &Found,
    ids: &[ResourceId],
) -> Result<Comparison, StoreError> {
    let mut comparing = Comparing::new(ids);
    each_member(connection, id_cache, tenant, group.pk, |id, type_, display| {
        comparing.add(id, type_, display).map(|()| true)
    })?;
    Ok(comparing.finish(group.version))
}

/// Passes the id, type and name of each member to `each`, in their order, until that returns `false`.
fn each_member(
    connection: &Connection,
    ids: &IdCache,
    tenant: i64,
    group: i64,
    mut each: impl FnMut(&str, &str, Option<&str>) -> Result<bool, StoreError>,
) -> Result<(), StoreError> {
    let mut statement = connection.prepare_cached(MEMBERS).map_err(store_error)?;
    let mut rows = statement.query([tenant, group, i64::MAX]).map_err(store_error)?;
    // Members nearly always have the same type.
    let mut type_: Option<(i64, Box<str>)> = None;
    while let Some(row) = rows.next().map_err(store_error)? {
        let text = |column| -> rusqlite::Result<Option<&str>> { Ok(row.get_ref(column)?.as_str_or_null()?) };
        let number = row.get(1).map_err(store_error)?;
        let name = match &mut type_ {
            Some((known, name)) if *known == number => name,
            other => &mut other.insert((number, type_name(ids, number))).1,
        };
        let (id, display) = (text(0).map_err(store_error)?, text(2).map_err(store_error)?);
        if !each(id.unwrap_or_default(), name, display)? {
            break;
        }
    }
    Ok(())
}

/// For each id, the name of the resource type and the display name of its resource.
pub(crate) fn targets(
    connection: &Connection,
    tenant: i64,
    ids: &[ResourceId],
) -> rusqlite::Result<Vec<Option<MemberTarget>>> {
    let mut find = connection.prepare_cached(
        "SELECT t.name, r.display FROM type t CROSS JOIN resource r \
         ON r.tenant = ?1 AND r.type = t.number AND r.id = ?2",
    )?;
    ids.iter()
        .map(|id| {
            find.query_row(params![tenant, id.as_str()], |row| {
                Ok(MemberTarget { resource_type: row.get(0)?, display: row.get(1)? })
            })
            .optional()
        })
        .collect()
}

/// The groups of the resource with an id, whatever its type is.
pub(crate) fn groups_of(
    connection: &Connection,
    ids: &IdCache,
    tenant: i64,
    id: &ResourceId,
) -> rusqlite::Result<Vec<GroupMembership>> {
    let pk: Option<i64> = connection
        .prepare_cached(
            "SELECT r.pk FROM type t CROSS JOIN resource r ON r.tenant = ?1 AND r.type = t.number AND r.id = ?2",
        )?
        .query_row(params![tenant, id.as_str()], |row| row.get(0))
        .optional()?;
    pk.map_or(Ok(Vec::new()), |pk| Groups::new(ids, tenant).find(connection, pk))
}

/// Runs `read` on one snapshot of the database.
pub(crate) fn snapshot<T>(
    connection: &Connection,
    read: impl FnOnce(&Connection) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    let run = |sql: &str| connection.prepare_cached(sql).and_then(|mut statement| statement.execute([]));
    run("BEGIN").map_err(store_error)?;
    let result = read(connection);
    let ended = run(if result.is_ok() { "COMMIT" } else { "ROLLBACK" }).map_err(store_error);
    result.and_then(|value| ended.map(|_| value))
}

pub(crate) fn parse(json: ValueRef<'_>) -> rusqlite::Result<Object> {
    json.as_str()?.parse().map_err(|error: JsonError| wrong(0, error))
}

pub(crate) fn id(row: &Row<'_>, column: usize) -> rusqlite::Result<ResourceId> {
    ResourceId::parse(row.get_ref(column)?.as_str()?).map_err(|error| wrong(column, error))
}

pub(crate) fn type_name(ids: &IdCache, number: i64) -> Box<str> {
    ids.type_name(number).map_or_else(|| "".into(), |name| (&*name).into())
}

/// The error for stored data that cannot be read back.
fn wrong(column: usize, error: impl std::error::Error + Send + Sync + 'static) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, rusqlite::types::Type::Text, Box::new(error))
}
