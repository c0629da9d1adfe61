//! Everything a tenant has, in order, from one moment of the database.

use std::ops::ControlFlow;

use scim2_core::{CompiledType, Registry};
use scim2_server::TenantId;
use scim2_server::store::Member;
use tokio_postgres::types::Type;

use super::connection::{Connection, Statement};
use super::cursor::Cursor;
use super::fault::Fault;
use super::names;
use super::read::{display, id};
use crate::dump::{DumpOptions, DumpSize, Dumped, DumpedResource, types};
use crate::row::{time, version_of};
use crate::sql::{Sql, integer, text};

/// How many resources of these types a tenant has: what a dump from the beginning will have.
pub(super) async fn count(
    connection: &Connection,
    registry: &Registry,
    options: &DumpOptions,
) -> Result<u64, Fault> {
    const COUNT: Statement = Statement {
        text: "SELECT count(*) FROM resource WHERE tenant = $1 AND type = $2",
        types: &[Type::INT8, Type::INT8],
    };
    let Some(tenant) = names::find_tenant(connection, &options.tenant).await? else { return Ok(0) };
    let mut total = 0;
    for resource_type in types(registry, options) {
        let Some(number) = type_number(connection, resource_type).await? else { continue };
        let rows = connection.query(&COUNT, &[&tenant, &number]).await?;
        let count: i64 = rows.first().map_or(Ok(0), |row| row.try_get(0))?;
        total += count.unsigned_abs();
    }
    Ok(total)
}

/// The types that the registry does not have, and how many resources of each there are: of a tenant, or of all.
pub(super) async fn unknown(
    connection: &Connection,
    registry: &Registry,
    tenant: Option<&TenantId>,
) -> Result<Vec<(String, u64)>, Fault> {
    const TYPES: Statement = Statement { text: "SELECT number, name FROM type", types: &[] };
    const COUNT: Statement = Statement {
        text: "SELECT count(*) FROM resource r JOIN tenant n ON n.number = r.tenant \
               WHERE r.type = $1 AND ($2 = '' OR n.name = $2)",
        types: &[Type::INT8, Type::TEXT],
    };
    // No tenant has no name.
    let tenant = tenant.map_or("", TenantId::as_str);
    let mut unknown = Vec::new();
    for row in connection.query(&TYPES, &[]).await? {
        let (number, name): (i64, String) = (row.try_get(0)?, row.try_get(1)?);
        if registry.resource_type(&name).is_none() {
            let rows = connection.query(&COUNT, &[&number, &tenant]).await?;
            let count: i64 = rows.first().map_or(Ok(0), |row| row.try_get(0))?;
            if count > 0 {
                unknown.push((name, count.unsigned_abs()));
            }
        }
    }
    unknown.sort();
    Ok(unknown)
}

pub(super) async fn dump(
    connection: &Connection,
    registry: &Registry,
    options: &DumpOptions,
    mut each: impl FnMut(Dumped<'_>) -> ControlFlow<()>,
) -> Result<DumpSize, Fault> {
    connection.begin_snapshot().await?;
    let mut size = DumpSize::default();
    if let Some(tenant) = names::find_tenant(connection, &options.tenant).await? {
        let mut from = options.from.as_ref().map(|(type_, id)| (type_.as_str(), id.as_str()));
        for resource_type in types(registry, options) {
            // Types before the one to begin with are done.
            let first = match from {
                Some((name, _)) if name != resource_type.name() => continue,
                Some((_, id)) => id,
                None => "",
            };
            from = None;
            let Some(number) = type_number(connection, resource_type).await? else { continue };
            let of_type = OfType { connection, tenant, resource_type, number, most: options.members.max(1) };
            if of_type.dump(first, &mut size, &mut each).await?.is_break() {
                break;
            }
        }
    }
    connection.commit().await?;
    Ok(size)
}

/// The resources of one type.
struct OfType<'a> {
    connection: &'a Connection,
    tenant: i64,
    resource_type: &'a std::sync::Arc<CompiledType>,
    number: i64,
    /// How many members stand in one part.
    most: usize,
}

impl OfType<'_> {
    async fn dump(
        &self,
        first: &str,
        size: &mut DumpSize,
        each: &mut impl FnMut(Dumped<'_>) -> ControlFlow<()>,
    ) -> Result<ControlFlow<()>, Fault> {
        let Self { connection, resource_type, .. } = self;
        let all = Sql::new(
            "SELECT pk, id, version, created, modified, hidden, body FROM resource \
             WHERE tenant = ? AND type = ? AND id >= ? ORDER BY id",
            [integer(self.tenant), integer(self.number), text(first)],
        );
        let has_members = resource_type.members().is_some();
        let mut cursor = Cursor::open(connection, &all).await?;
        while let Some(rows) = cursor.fetch().await? {
            for row in &rows {
                let (group, id): (i64, &str) = (row.try_get(0)?, row.try_get(1)?);
                let mut part =
                    if has_members { self.members(group, None).await? } else { Members::default() };
                size.resources += 1;
                size.members += part.members.len() as u64;
                let resource = Dumped::Resource(DumpedResource {
                    resource_type,
                    id,
                    created: time(row.try_get(3)?),
                    last_modified: time(row.try_get(4)?),
                    version: version_of(row.try_get(2)?),
                    body: row.try_get(6)?,
                    never_returned: row.try_get(5)?,
                    members: &part.members,
                });
                if each(resource).is_break() {
                    return Ok(ControlFlow::Break(()));
                }
                while part.members.len() == self.most {
                    part = self.members(group, part.last).await?;
                    size.members += part.members.len() as u64;
                    let more = Dumped::Members { resource_type, id, members: &part.members };
                    if !part.members.is_empty() && each(more).is_break() {
                        return Ok(ControlFlow::Break(()));
                    }
                }
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    /// The next members of a group.
    async fn members(&self, group: i64, after: Option<(i64, i64)>) -> Result<Members, Fault> {
        const MEMBERS: Statement = Statement {
            text: "SELECT m.added, m.member_pk, r.id, t.name, nullif(m.display, r.display) \
                   FROM member m JOIN resource r ON r.tenant = m.tenant AND r.pk = m.member_pk \
                   JOIN type t ON t.number = r.type \
                   WHERE m.tenant = $1 AND m.group_pk = $2 AND (m.added, m.member_pk) > ($3, $4) \
                   ORDER BY m.added, m.member_pk LIMIT $5",
            types: &[Type::INT8, Type::INT8, Type::INT8, Type::INT8, Type::INT8],
        };
        let (added, pk) = after.unwrap_or((i64::MIN, i64::MIN));
        let limit = i64::try_from(self.most).unwrap_or(i64::MAX);
        let rows = self.connection.query(&MEMBERS, &[&self.tenant, &group, &added, &pk, &limit]).await?;
        let mut part = Members { members: Vec::with_capacity(rows.len()), last: after };
        for row in &rows {
            part.last = Some((row.try_get(0)?, row.try_get(1)?));
            part.members.push(Member {
                value: id(row, 2)?,
                resource_type: row.try_get::<_, &str>(3)?.into(),
                display: display(row, 4)?,
            });
        }
        Ok(part)
    }
}

/// Some members of a group, and the place of the last of them.
#[derive(Default)]
struct Members {
    members: Vec<Member>,
    last: Option<(i64, i64)>,
}

async fn type_number(connection: &Connection, resource_type: &CompiledType) -> Result<Option<i64>, Fault> {
    const FIND: Statement =
        Statement { text: "SELECT number FROM type WHERE name = $1", types: &[Type::TEXT] };
    let rows = connection.query(&FIND, &[&resource_type.name()]).await?;
    Ok(rows.first().map(|row| row.try_get(0)).transpose()?)
}
