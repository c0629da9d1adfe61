//! Reads resources, members and groups.

use std::collections::{HashMap, HashSet};

use bytes::Bytes;
use futures_util::future::join;
use scim2_core::ResourceId;
use scim2_server::StoreError;
use scim2_server::store::{Comparison, GroupMembership, Include, Member, MemberTarget, StoredResource};
use tokio_postgres::Row;
use tokio_postgres::types::Type;

use super::connection::{Connection, Statement};
use super::cursor::Cursor;
use super::fault::{Fault, wrong};
use crate::model::index::TypeIndex;
use crate::model::members::Comparing;
use crate::model::row::{Asked, Found, columns, columns_and_group, within};
use crate::spool::Inlet;
use crate::sql::{Sql, integer};

/// Reads the columns of a [`Found`].
pub(crate) fn found(row: &Row) -> Result<Found, Fault> {
    Ok(Found {
        pk: row.try_get(0)?,
        id: id(row, 1)?,
        version: row.try_get(2)?,
        created: row.try_get(3)?,
        modified: row.try_get(4)?,
        never_returned: row.try_get(5)?,
        body: Bytes::copy_from_slice(row.try_get::<_, &str>(6)?.as_bytes()),
        within: within(row.try_get(7)?),
    })
}

/// Members and groups of resources, by primary key.
#[derive(Debug, Default)]
pub(crate) struct More {
    members: HashMap<i64, Vec<Member>>,
    groups: HashMap<i64, Vec<GroupMembership>>,
    /// The groups whose members were left out, because there are many.
    left: HashSet<i64>,
}

impl More {
    /// Reads what is asked for, for all these resources together.
    pub(crate) async fn read(
        connection: &Connection,
        tenant: i64,
        pks: &[i64],
        asked: Asked,
    ) -> Result<Self, Fault> {
        Self::read_up_to(connection, tenant, pks, asked, usize::MAX).await
    }

    /// The same, without the members of groups that have more than `most`.
    pub(crate) async fn read_up_to(
        connection: &Connection,
        tenant: i64,
        pks: &[i64],
        asked: Asked,
        most: usize,
    ) -> Result<Self, Fault> {
        if pks.is_empty() || !asked.is_anything() {
            return Ok(Self::default());
        }
        let members = async {
            if asked.members { members(connection, tenant, pks, most).await } else { Ok(HashMap::new()) }
        };
        let groups =
            async { if asked.groups { groups(connection, tenant, pks).await } else { Ok(HashMap::new()) } };
        let (members, groups) = join(members, groups).await;
        let (mut members, groups) = (members?, groups?);
        let left = members.extract_if(|_, members| members.len() > most).map(|(pk, _)| pk).collect();
        Ok(Self { members, groups, left })
    }

    /// Whether the members of a group were left out.
    pub(crate) fn leaves(&self, pk: i64) -> bool {
        self.left.contains(&pk)
    }

    /// The resource with its members and groups.
    pub(crate) fn stored(
        &mut self,
        found: Found,
        index: &TypeIndex,
        include: Include,
    ) -> Result<StoredResource, StoreError> {
        let asked = Asked::new(index, include);
        let has_members = asked.members && !self.leaves(found.pk);
        let members = has_members.then(|| self.members.remove(&found.pk).unwrap_or_default());
        let groups = asked.groups.then(|| self.groups.remove(&found.pk).unwrap_or_default());
        found.into_stored(index, include, members, groups).map_err(StoreError::internal)
    }
}

/// The resource with a type and an id.
pub(crate) async fn by_id(
    connection: &Connection,
    tenant: i64,
    type_number: i64,
    id: &str,
) -> Result<Option<Found>, Fault> {
    const BY_ID: Statement = Statement {
        text: concat!(
            "SELECT ",
            columns_and_group!(),
            " FROM resource r WHERE r.tenant = $1 AND r.type = $2 AND r.id = $3"
        ),
        types: &[Type::INT8, Type::INT8, Type::TEXT],
    };
    if id.contains('\0') {
        // A text of PostgreSQL holds no NUL, so no id does.
        return Ok(None);
    }
    let rows = connection.query(&BY_ID, &[&tenant, &type_number, &id]).await?;
    rows.first().map(found).transpose()
}

/// The resources with these primary keys. Those behind more than `most` bytes of bodies are left out, but never the
/// first two.
pub(crate) async fn by_pks(
    connection: &Connection,
    tenant: i64,
    pks: &[i64],
    most: Option<u64>,
) -> Result<HashMap<i64, Found>, Fault> {
    const BY_PKS: Statement = Statement {
        text: concat!(
            "SELECT ",
            columns!(),
            " FROM (SELECT o.*, n.at, sum(octet_length(o.body)) OVER (ORDER BY n.at) - octet_length(o.body) AS passed \
               FROM unnest($2::bigint[]) WITH ORDINALITY AS n (pk, at) \
               JOIN resource o ON o.tenant = $1 AND o.pk = n.pk) AS r WHERE r.passed <= $3 OR r.at <= 2"
        ),
        types: &[Type::INT8, Type::INT8_ARRAY, Type::INT8],
    };
    if pks.is_empty() {
        return Ok(HashMap::new());
    }
    let most = most.and_then(|most| i64::try_from(most).ok()).unwrap_or(i64::MAX);
    let rows = connection.query(&BY_PKS, &[&tenant, &pks, &most]).await?;
    rows.iter().map(|row| found(row).map(|found| (found.pk, found))).collect()
}

/// At most `limit` resources of a type whose id is greater than `after`, in order of id.
pub(crate) async fn list(
    connection: &Connection,
    tenant: i64,
    type_number: i64,
    after: Option<&ResourceId>,
    limit: usize,
) -> Result<Vec<Found>, Fault> {
    const LIST: Statement = Statement {
        text: concat!(
            "SELECT ",
            columns!(),
            " FROM resource r WHERE r.tenant = $1 AND r.type = $2 AND r.id > $3 ORDER BY r.id LIMIT $4"
        ),
        types: &[Type::INT8, Type::INT8, Type::TEXT, Type::INT8],
    };
    // No id is empty, so every id is greater than the empty text.
    let after = after.map_or("", ResourceId::as_str);
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let rows = connection.query(&LIST, &[&tenant, &type_number, &after, &limit]).await?;
    rows.iter().map(found).collect()
}

/// The members of groups in the order they were added. At most one more than `most` for each group.
async fn members(
    connection: &Connection,
    tenant: i64,
    groups: &[i64],
    most: usize,
) -> Result<HashMap<i64, Vec<Member>>, Fault> {
    const MEMBERS: Statement = Statement {
        text: "SELECT g.pk, r.id, t.name, coalesce(m.display, r.display) FROM unnest($2::bigint[]) AS g (pk) \
               CROSS JOIN LATERAL (SELECT m.added, m.member_pk, m.display FROM member m \
                WHERE m.tenant = $1 AND m.group_pk = g.pk ORDER BY m.added, m.member_pk LIMIT $3) AS m \
               JOIN resource r ON r.tenant = $1 AND r.pk = m.member_pk JOIN type t ON t.number = r.type \
               ORDER BY g.pk, m.added, m.member_pk",
        types: &[Type::INT8, Type::INT8_ARRAY, Type::INT8],
    };
    let limit = i64::try_from(most).unwrap_or(i64::MAX).saturating_add(1);
    let mut members: HashMap<i64, Vec<Member>> = HashMap::new();
    for row in connection.query(&MEMBERS, &[&tenant, &groups, &limit]).await? {
        members.entry(row.try_get(0)?).or_default().push(Member {
            value: id(&row, 1)?,
            resource_type: row.try_get::<_, &str>(2)?.into(),
            display: display(&row, 3)?,
        });
    }
    Ok(members)
}

/// Streams all members of a group, until the receiver stops. The connection is in a transaction.
pub(crate) async fn send_members(
    connection: &Connection,
    tenant: i64,
    group: i64,
    inlet: &mut Inlet,
) -> Result<(), Fault> {
    each_member(connection, tenant, group, |id, type_, display| Ok(inlet.push(id, type_, display)?)).await
}

/// How many members a group has.
pub(crate) async fn count_members(connection: &Connection, tenant: i64, group: i64) -> Result<u64, Fault> {
    const COUNT: Statement = Statement {
        text: "SELECT count(*) FROM member WHERE tenant = $1 AND group_pk = $2",
        types: &[Type::INT8, Type::INT8],
    };
    let rows = connection.query(&COUNT, &[&tenant, &group]).await?;
    let count: i64 = rows.first().map_or(Ok(0), |row| row.try_get(0))?;
    Ok(u64::try_from(count).unwrap_or_default())
}

/// Compares the members of a group with those that it shall have. It reads each row of the group once, and looks
/// nothing up. The connection is in a transaction.
pub(crate) async fn compare(
    connection: &Connection,
    tenant: i64,
    group: &Found,
    ids: &[ResourceId],
) -> Result<Comparison, Fault> {
    let mut comparing = Comparing::new(ids);
    let compare = |id: &str, type_: &str, display: Option<&str>| {
        comparing.add(id, type_, display)?;
        Ok(true)
    };
    each_member(connection, tenant, group.pk, compare).await?;
    Ok(comparing.finish(group.version))
}

/// Passes the id, type and name of each member to `each`, in their order, until that returns `false`.
async fn each_member(
    connection: &Connection,
    tenant: i64,
    group: i64,
    mut each: impl FnMut(&str, &str, Option<&str>) -> Result<bool, Fault>,
) -> Result<(), Fault> {
    let members = Sql::new(
        "SELECT r.id, t.name, coalesce(m.display, r.display) FROM member m \
         JOIN resource r ON r.tenant = m.tenant AND r.pk = m.member_pk JOIN type t ON t.number = r.type \
         WHERE m.tenant = ? AND m.group_pk = ? ORDER BY m.added, m.member_pk",
        [integer(tenant), integer(group)],
    );
    let mut cursor = Cursor::open(connection, &members).await?;
    while let Some(rows) = cursor.fetch().await? {
        for row in rows {
            let display = display(&row, 2)?;
            if !each(row.try_get(0)?, row.try_get(1)?, display.as_deref())? {
                return Ok(());
            }
        }
    }
    Ok(())
}

/// The groups of resources, directly and through other groups. Direct groups come first.
async fn groups(
    connection: &Connection,
    tenant: i64,
    members: &[i64],
) -> Result<HashMap<i64, Vec<GroupMembership>>, Fault> {
    // The outer groups are found once for each group, not for each member. UNION keeps each group once, so cycles
    // end. OFFSET 0 makes PostgreSQL look each group up by the index; a join could read all members of all groups.
    // The planner takes an array for ten rows, so it expects few outer groups.
    const GROUPS: Statement = Statement {
        text: "WITH RECURSIVE direct (member, pk) AS MATERIALIZED ( \
                SELECT member_pk, group_pk FROM member WHERE tenant = $1 AND member_pk = ANY($2) \
               ), up (first, pk) AS ( \
                SELECT d.pk, d.pk FROM unnest(ARRAY(SELECT DISTINCT pk FROM direct)) AS d (pk) \
                UNION \
                SELECT up.first, m.group_pk FROM up CROSS JOIN LATERAL \
                 (SELECT g.group_pk FROM member g WHERE g.tenant = $1 AND g.member_pk = up.pk OFFSET 0) AS m \
               ), each (member, pk, direct) AS ( \
                SELECT d.member, up.pk, bool_or(up.pk = d.pk) FROM direct d JOIN up ON up.first = d.pk \
                WHERE up.pk <> d.member GROUP BY d.member, up.pk \
               ) \
               SELECT each.member, r.id, t.name, r.display, each.direct FROM each \
               JOIN resource r ON r.tenant = $1 AND r.pk = each.pk JOIN type t ON t.number = r.type \
               ORDER BY each.member, each.direct DESC, r.id",
        types: &[Type::INT8, Type::INT8_ARRAY],
    };
    let mut groups: HashMap<i64, Vec<GroupMembership>> = HashMap::new();
    for row in connection.query(&GROUPS, &[&tenant, &members]).await? {
        groups.entry(row.try_get(0)?).or_default().push(GroupMembership {
            value: id(&row, 1)?,
            resource_type: row.try_get::<_, &str>(2)?.into(),
            display: display(&row, 3)?,
            direct: row.try_get(4)?,
        });
    }
    Ok(groups)
}

/// For each id, the name of the resource type and the display name of its resource.
pub(crate) async fn targets(
    connection: &Connection,
    tenant: i64,
    ids: &[ResourceId],
) -> Result<Vec<Option<MemberTarget>>, Fault> {
    const TARGETS: Statement = Statement {
        text: "SELECT r.id, t.name, r.display FROM unnest($2::text[]) AS i (id) CROSS JOIN type t \
               JOIN resource r ON r.tenant = $1 AND r.type = t.number AND r.id = i.id ORDER BY t.number DESC",
        types: &[Type::INT8, Type::TEXT_ARRAY],
    };
    let texts: Vec<&str> = ids.iter().map(ResourceId::as_str).collect();
    let mut found = HashMap::new();
    for row in connection.query(&TARGETS, &[&tenant, &texts]).await? {
        let target =
            MemberTarget { resource_type: row.try_get::<_, &str>(1)?.into(), display: display(&row, 2)? };
        found.insert(id(&row, 0)?, target);
    }
    // The same id may occur more than once.
    Ok(ids.iter().map(|id| found.get(id).cloned()).collect())
}

/// The groups of the resource with an id, whatever its type is.
pub(crate) async fn groups_of(
    connection: &Connection,
    tenant: i64,
    id: &ResourceId,
) -> Result<Vec<GroupMembership>, Fault> {
    const FIND: Statement = Statement {
        text: "SELECT r.pk FROM type t JOIN resource r ON r.tenant = $1 AND r.type = t.number AND r.id = $2",
        types: &[Type::INT8, Type::TEXT],
    };
    let rows = connection.query(&FIND, &[&tenant, &id.as_str()]).await?;
    let Some(row) = rows.first() else { return Ok(Vec::new()) };
    let pk: i64 = row.try_get(0)?;
    Ok(groups(connection, tenant, &[pk]).await?.remove(&pk).unwrap_or_default())
}

/// These resources with the parts that `include` asks for, without the members of groups that have more than
/// `most`.
pub(crate) async fn stored(
    connection: &Connection,
    index: &TypeIndex,
    tenant: i64,
    found: Vec<Found>,
    include: Include,
    most: usize,
) -> Result<Vec<StoredResource>, Fault> {
    let pks: Vec<i64> = found.iter().map(|found| found.pk).collect();
    let mut more = More::read_up_to(connection, tenant, &pks, Asked::new(index, include), most).await?;
    found.into_iter().map(|found| Ok(more.stored(found, index, include)?)).collect()
}

pub(crate) fn id(row: &Row, column: usize) -> Result<ResourceId, Fault> {
    ResourceId::parse(row.try_get(column)?).map_err(wrong)
}

/// Display names are stored as bytes, because a text of PostgreSQL holds no NUL.
pub(crate) fn display(row: &Row, column: usize) -> Result<Option<Box<str>>, Fault> {
    let bytes: Option<&[u8]> = row.try_get(column)?;
    bytes.map(|bytes| std::str::from_utf8(bytes).map(Into::into)).transpose().map_err(wrong)
}
