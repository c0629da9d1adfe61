//! Everything a tenant has, in order, from one snapshot of the database.

use std::ops::ControlFlow;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use scim2_core::{CompiledType, Registry, ResourceId, Version};
use scim2_server::store::Member;
use scim2_server::{StoreError, TenantId};

use super::engine::AnySession;
use super::tenants;
use crate::model::row::{time, version_of};
use crate::session::{Fault, Session as _, Transaction};
use crate::sql::{Sql, integer, text};

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
    /// The text of one JSON object: the attributes without `meta`, members and never-returned attributes.
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
pub(super) async fn count(
    session: &mut AnySession,
    registry: &Registry,
    options: &DumpOptions,
) -> Result<u64, Fault> {
    let Some(tenant) = tenants::find(session, &options.tenant).await? else { return Ok(0) };
    let mut total = 0;
    for resource_type in types(registry, options) {
        let Some(number) = type_number(session, resource_type).await? else { continue };
        let count = Sql::new(
            "SELECT count(*) FROM resource WHERE tenant = ? AND type = ?",
            [integer(tenant), integer(number)],
        );
        total += session.count(count).await?;
    }
    Ok(total)
}

/// The types that the registry does not have, and how many resources of each there are: of a tenant, or of all.
pub(super) async fn unknown(
    session: &mut AnySession,
    registry: &Registry,
    tenant: Option<&TenantId>,
) -> Result<Vec<(String, u64)>, Fault> {
    let mut unknown = Vec::new();
    for (number, name) in all_types(session).await? {
        if registry.resource_type(&name).is_some() {
            continue;
        }
        let mut count = Sql::new(
            "SELECT count(*) FROM resource r JOIN tenant n ON n.number = r.tenant WHERE r.type = ?",
            [integer(number)],
        );
        if let Some(tenant) = tenant {
            count.append(&Sql::new(" AND n.name = ?", [text(tenant.as_str())]));
        }
        let count = session.count(count).await?;
        if count > 0 {
            unknown.push((name.into(), count));
        }
    }
    unknown.sort();
    Ok(unknown)
}

/// Everything a tenant has, from one snapshot.
pub(super) async fn dump(
    session: &mut AnySession,
    registry: &Registry,
    options: &DumpOptions,
    each: impl FnMut(Dumped<'_>) -> ControlFlow<()>,
) -> Result<DumpSize, Fault> {
    session.begin(Transaction::Snapshot).await?;
    let mut dump = Dump {
        tenant: match tenants::find(session, &options.tenant).await? {
            None => return Ok(DumpSize::default()),
            Some(tenant) => tenant,
        },
        names: all_types(session).await?,
        session,
        max_members: options.members.max(1),
        size: DumpSize::default(),
        each,
    };
    let mut from = options.from.as_ref().map(|(type_, id)| (type_.as_str(), id.as_str()));
    for resource_type in types(registry, options) {
        // Types before the one to begin with are done.
        let first = match from {
            Some((name, _)) if name != resource_type.name() => continue,
            Some((_, id)) => id,
            None => "",
        };
        from = None;
        if dump.resources(resource_type, first).await?.is_break() {
            break;
        }
    }
    let size = dump.size;
    session.commit().await?;
    Ok(size)
}

/// The types to be dumped, in their order.
fn types<'a>(
    registry: &'a Registry,
    options: &'a DumpOptions,
) -> impl Iterator<Item = &'a Arc<CompiledType>> {
    registry.resource_types().filter(|type_| {
        options.resource_types.is_empty() || options.resource_types.iter().any(|name| name == type_.name())
    })
}

/// A dump under way.
struct Dump<'s, F> {
    session: &'s mut AnySession,
    tenant: i64,
    /// The numbers and names of all types.
    names: Vec<(i64, Box<str>)>,
    max_members: usize,
    size: DumpSize,
    each: F,
}

/// A row of `resource`.
struct StoredRow {
    pk: i64,
    id: String,
    version: i64,
    created: i64,
    modified: i64,
    never_returned: Option<String>,
    body: String,
}

impl<F: FnMut(Dumped<'_>) -> ControlFlow<()>> Dump<'_, F> {
    /// All resources of a type whose id is `first` or later.
    async fn resources(
        &mut self,
        resource_type: &Arc<CompiledType>,
        first: &str,
    ) -> Result<ControlFlow<()>, Fault> {
        let Some(number) = type_number(self.session, resource_type).await? else {
            return Ok(ControlFlow::Continue(()));
        };
        let mut from = ("id >= ?", first.to_owned());
        loop {
            let (condition, id) = from;
            let next = Sql::new(
                format!(
                    "SELECT pk, id, version, created, modified, hidden, body FROM resource \
                     WHERE tenant = ? AND type = ? AND {condition} ORDER BY id LIMIT 500"
                ),
                [integer(self.tenant), integer(number), text(id)],
            );
            let page = self.session.page(next, |row| {
                Ok(StoredRow {
                    pk: row.get(0)?,
                    id: row.get(1)?,
                    version: row.get(2)?,
                    created: row.get(3)?,
                    modified: row.get(4)?,
                    never_returned: row.get(5)?,
                    body: row.get(6)?,
                })
            });
            let page = page.await?;
            let Some(last) = page.last() else { return Ok(ControlFlow::Continue(())) };
            from = ("id > ?", last.id.clone());
            for resource in &page {
                if self.resource(resource_type, resource).await?.is_break() {
                    return Ok(ControlFlow::Break(()));
                }
            }
        }
    }

    /// One resource with all its members.
    async fn resource(
        &mut self,
        resource_type: &Arc<CompiledType>,
        row: &StoredRow,
    ) -> Result<ControlFlow<()>, Fault> {
        let mut members = match resource_type.members() {
            Some(_) => self.members(row.pk, (i64::MIN, i64::MIN)).await?,
            None => Vec::new(),
        };
        self.size.resources += 1;
        let mut part = self.part(&members);
        let resource = Dumped::Resource(DumpedResource {
            resource_type,
            id: &row.id,
            created: time(row.created),
            last_modified: time(row.modified),
            version: version_of(row.version),
            body: &row.body,
            never_returned: row.never_returned.as_deref(),
            members: &part,
        });
        if (self.each)(resource).is_break() {
            return Ok(ControlFlow::Break(()));
        }
        while let Some(last) = members.last().filter(|_| members.len() == self.max_members) {
            members = self.members(row.pk, last.place).await?;
            part = self.part(&members);
            let more = Dumped::Members { resource_type, id: &row.id, members: &part };
            if !part.is_empty() && (self.each)(more).is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    /// The next members of a group behind a place in it.
    async fn members(&mut self, group: i64, after: (i64, i64)) -> Result<Vec<MemberRow>, Fault> {
        let next = Sql::new(
            format!(
                "SELECT m.added, m.member_pk, r.id, r.type, nullif(m.display, r.display) \
                 FROM member m {} resource r ON r.tenant = m.tenant AND r.pk = m.member_pk \
                 WHERE m.tenant = ? AND m.group_pk = ? AND (m.added, m.member_pk) > (?, ?) \
                 ORDER BY m.added, m.member_pk LIMIT ?",
                self.session.dialect().join()
            ),
            [
                integer(self.tenant),
                integer(group),
                integer(after.0),
                integer(after.1),
                integer(i64::try_from(self.max_members).unwrap_or(i64::MAX)),
            ],
        );
        let members = self.session.rows(next, |row| {
            Ok(MemberRow {
                place: (row.get(0)?, row.get(1)?),
                id: ResourceId::parse(row.text(2)?).map_err(StoreError::internal)?,
                type_number: row.get(3)?,
                display: row.display(4)?,
            })
        });
        members.await
    }

    fn part(&mut self, members: &[MemberRow]) -> Vec<Member> {
        self.size.members += members.len() as u64;
        let name = |number: i64| self.names.iter().find(|(known, _)| *known == number);
        members
            .iter()
            .map(|member| Member {
                value: member.id.clone(),
                resource_type: name(member.type_number).map_or_else(Box::default, |(_, name)| name.clone()),
                display: member.display.clone(),
            })
            .collect()
    }
}

/// A member with its place in the group.
struct MemberRow {
    place: (i64, i64),
    id: ResourceId,
    type_number: i64,
    display: Option<Box<str>>,
}

async fn type_number(session: &mut AnySession, type_: &CompiledType) -> Result<Option<i64>, Fault> {
    let find = Sql::new("SELECT number FROM type WHERE name = ?", [text(type_.name())]);
    session.first(find, |row| row.get(0)).await
}

pub(super) async fn all_types(session: &mut AnySession) -> Result<Vec<(i64, Box<str>)>, Fault> {
    let types = Sql::new("SELECT number, name FROM type", []);
    session.rows(types, |row| Ok((row.get(0)?, row.text(1)?.into()))).await
}
