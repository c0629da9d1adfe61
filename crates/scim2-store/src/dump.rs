//! Everything a tenant has, in order, from one moment of the database.

use std::ops::ControlFlow;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use rusqlite::{Connection, OptionalExtension, params};
use scim2_core::{CompiledType, Registry, ResourceId, Version};
use scim2_server::TenantId;
use scim2_server::store::Member;

use crate::row::{time, version_of};
use crate::sqlite::read;

/// A part of a dump.
#[derive(Debug)]
#[non_exhaustive]
pub enum Dumped<'a> {
    /// A resource, with its first members if it has any.
    Resource(DumpedResource<'a>),
    /// More members of the group that came last.
    Members {
        /// The resource type of the group.
        resource_type: &'a Arc<CompiledType>,
        /// The id of the group.
        id: &'a str,
        /// The members, each with its own display name or none.
        members: &'a [Member],
    },
}

/// A resource in a dump.
#[derive(Debug)]
#[non_exhaustive]
pub struct DumpedResource<'a> {
    /// The resource type.
    pub resource_type: &'a Arc<CompiledType>,
    /// The id.
    pub id: &'a str,
    /// When it was created.
    pub created: DateTime<Utc>,
    /// When it was last changed.
    pub last_modified: DateTime<Utc>,
    /// The version.
    pub version: Version,
    /// The text of one JSON object: the attributes without `meta`, members and what is hidden.
    pub body: &'a str,
    /// The text of one JSON object, if there are never-returned attributes: the password's hash.
    pub never_returned: Option<&'a str>,
    /// The first members, each with its own display name or none.
    pub members: &'a [Member],
}

/// What of a tenant is dumped, and from where.
#[derive(Debug, Clone, Default)]
pub struct DumpOptions {
    /// The tenant.
    pub tenant: TenantId,
    /// The names of the resource types, in their order; none for all types of the registry.
    pub resource_types: Vec<String>,
    /// The name of a resource type and the id in it that is the first.
    pub from: Option<(String, ResourceId)>,
    /// How many members stand in one part at most; 0 counts as 1.
    pub members: usize,
}

/// What a dump was.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct DumpSize {
    /// How many resources.
    pub resources: u64,
    /// How many members of groups.
    pub members: u64,
}

/// How many resources of these types a tenant has: what a dump from the beginning will have.
pub(crate) fn count(
    connection: &Connection,
    registry: &Registry,
    options: &DumpOptions,
) -> rusqlite::Result<u64> {
    let Some(tenant) = tenant(connection, &options.tenant)? else { return Ok(0) };
    let mut total = 0;
    for resource_type in types(registry, options) {
        let Some(number) = type_number(connection, resource_type)? else { continue };
        let count: i64 = connection.query_row(
            "SELECT count(*) FROM resource WHERE tenant = ?1 AND type = ?2",
            [tenant, number],
            |row| row.get(0),
        )?;
        total += count.unsigned_abs();
    }
    Ok(total)
}

/// The types that the registry does not have, and how many resources of each there are: of a tenant, or of all.
pub(crate) fn unknown(
    connection: &Connection,
    registry: &Registry,
    tenant: Option<&TenantId>,
) -> rusqlite::Result<Vec<(String, u64)>> {
    let mut counts = connection.prepare(
        "SELECT count(*) FROM resource r JOIN tenant n ON n.number = r.tenant \
         WHERE r.type = ?1 AND (?2 IS NULL OR n.name = ?2)",
    )?;
    let mut unknown = Vec::new();
    for (number, name) in all_types(connection)? {
        if registry.resource_type(&name).is_none() {
            let count: i64 =
                counts.query_row(params![number, tenant.map(TenantId::as_str)], |row| row.get(0))?;
            if count > 0 {
                unknown.push((name.into(), count.unsigned_abs()));
            }
        }
    }
    unknown.sort();
    Ok(unknown)
}

pub(crate) fn dump(
    connection: &Connection,
    registry: &Registry,
    options: &DumpOptions,
    each: &mut dyn FnMut(Dumped<'_>) -> ControlFlow<()>,
) -> rusqlite::Result<DumpSize> {
    let snapshot = connection.unchecked_transaction()?;
    let mut size = DumpSize::default();
    let Some(tenant) = tenant(&snapshot, &options.tenant)? else { return Ok(size) };
    let names = all_types(&snapshot)?;
    let mut from = options.from.as_ref().map(|(type_, id)| (type_.as_str(), id.as_str()));
    for resource_type in types(registry, options) {
        // Types before the one to begin with are done.
        let first = match from {
            Some((name, _)) if name != resource_type.name() => continue,
            Some((_, id)) => id,
            None => "",
        };
        from = None;
        let Some(number) = type_number(&snapshot, resource_type)? else { continue };
        let mut statement = snapshot.prepare(
            "SELECT pk, id, version, created, modified, hidden, body FROM resource \
             WHERE tenant = ?1 AND type = ?2 AND id >= ?3 ORDER BY id",
        )?;
        let has_members = resource_type.members().is_some();
        let mut rows = statement.query(params![tenant, number, first])?;
        while let Some(row) = rows.next()? {
            let id = row.get_ref(1)?.as_str()?;
            let mut members = Members::of(&snapshot, tenant, row.get(0)?, options.members.max(1));
            let part = if has_members { members.next(&names)? } else { Vec::new() };
            size.resources += 1;
            size.members += part.len() as u64;
            let resource = Dumped::Resource(DumpedResource {
                resource_type,
                id,
                created: time(row.get(3)?),
                last_modified: time(row.get(4)?),
                version: version_of(row.get(2)?),
                body: row.get_ref(6)?.as_str()?,
                never_returned: row.get_ref(5)?.as_str_or_null()?,
                members: &part,
            });
            if each(resource).is_break() {
                return Ok(size);
            }
            while members.more {
                let part = members.next(&names)?;
                size.members += part.len() as u64;
                if !part.is_empty() && each(Dumped::Members { resource_type, id, members: &part }).is_break()
                {
                    return Ok(size);
                }
            }
        }
    }
    Ok(size)
}

/// The types to be dumped, in their order.
pub(crate) fn types<'a>(
    registry: &'a Registry,
    options: &'a DumpOptions,
) -> impl Iterator<Item = &'a Arc<CompiledType>> {
    registry.resource_types().filter(|type_| {
        options.resource_types.is_empty() || options.resource_types.iter().any(|name| name == type_.name())
    })
}

/// The members of a group, part by part.
struct Members<'c> {
    connection: &'c Connection,
    tenant: i64,
    group: i64,
    after: (i64, i64),
    most: usize,
    more: bool,
}

impl<'c> Members<'c> {
    fn of(connection: &'c Connection, tenant: i64, group: i64, most: usize) -> Self {
        Self { connection, tenant, group, after: (i64::MIN, i64::MIN), most, more: false }
    }

    fn next(&mut self, names: &[(i64, Box<str>)]) -> rusqlite::Result<Vec<Member>> {
        let mut statement = self.connection.prepare_cached(
            "SELECT m.added, m.member_pk, r.id, r.type, nullif(m.display, r.display) \
             FROM member m CROSS JOIN resource r ON r.pk = m.member_pk \
             WHERE m.tenant = ?1 AND m.group_pk = ?2 AND (m.added, m.member_pk) > (?3, ?4) \
             ORDER BY m.added, m.member_pk LIMIT ?5",
        )?;
        let limit = i64::try_from(self.most).unwrap_or(i64::MAX);
        let mut rows =
            statement.query(params![self.tenant, self.group, self.after.0, self.after.1, limit])?;
        let mut part = Vec::new();
        while let Some(row) = rows.next()? {
            self.after = (row.get(0)?, row.get(1)?);
            let number: i64 = row.get(3)?;
            let name = names.iter().find(|(known, _)| *known == number);
            part.push(Member {
                value: read::id(row, 2)?,
                resource_type: name.map_or_else(Box::default, |(_, name)| name.clone()),
                display: row.get(4)?,
            });
        }
        self.more = part.len() == self.most;
        Ok(part)
    }
}

fn tenant(connection: &Connection, tenant: &TenantId) -> rusqlite::Result<Option<i64>> {
    connection
        .query_row("SELECT number FROM tenant WHERE name = ?1", [tenant.as_str()], |row| row.get(0))
        .optional()
}

fn type_number(connection: &Connection, type_: &CompiledType) -> rusqlite::Result<Option<i64>> {
    connection
        .query_row("SELECT number FROM type WHERE name = ?1", [type_.name()], |row| row.get(0))
        .optional()
}

fn all_types(connection: &Connection) -> rusqlite::Result<Vec<(i64, Box<str>)>> {
    connection
        .prepare("SELECT number, name FROM type")?
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect()
}
