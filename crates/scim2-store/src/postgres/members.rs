//! Members as rows: adding or removing one takes the same time in a group of ten and of a million.
//!
//! Locks are taken in one order: first the resources that become members, in order of their primary keys, then the
//! group. The locks keep the resources from being deleted before their member rows are written, but not from being
//! changed.

use std::collections::HashMap;

use scim2_core::ResourceId;
use scim2_server::store::{Member, MembersWrite};
use tokio_postgres::types::Type;

use super::connection::{Connection, Ready, Statement};
use super::fault::Fault;
use super::read::{display, id};
use crate::model;
use crate::spool::MAX_INLINE_MEMBERS;

/// How a write changes the members of a group.
#[derive(Debug, Clone, Default)]
pub(crate) struct Change {
    pub(crate) remove: Vec<ResourceId>,
    pub(crate) add: Vec<Member>,
}

impl Change {
    /// The change of a write to a group that has no members yet.
    pub(crate) fn of_new(write: MembersWrite) -> Self {
        match write {
            MembersWrite::Keep => Self::default(),
            MembersWrite::Set(add) | MembersWrite::Change { remove: _, add } => {
                Self { remove: Vec::new(), add }
            }
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.remove.is_empty() && self.add.is_empty()
    }
}

/// A change with the primary keys of the resources that exist. Those that become members are locked.
#[derive(Debug, Default)]
pub(crate) struct Located {
    remove: Vec<i64>,
    add: Vec<i64>,
    displays: Vec<Option<Vec<u8>>>,
}

/// The difference between `members` and the members that a group has: see [`model::members`](crate::model::members).
pub(crate) async fn difference(
    connection: &Connection,
    tenant: i64,
    group: i64,
    members: Vec<Member>,
) -> Result<Change, Fault> {
    const PRESENT: Statement = Statement {
        text: "SELECT r.id, m.display FROM member m JOIN resource r ON r.tenant = m.tenant AND r.pk = m.member_pk \
               WHERE m.tenant = $1 AND m.group_pk = $2",
        types: &[Type::INT8, Type::INT8],
    };
    let rows = connection.query(&PRESENT, &[&tenant, &group]).await?;
    let present = rows.iter().map(|row| Ok::<_, Fault>((id(row, 0)?, display(row, 1)?)));
    let (remove, add) = model::members::difference(members, present)?;
    Ok(Change { remove, add })
}

/// Looks up the resources that become or stop being members, and locks the former against deletion until the end of
/// the transaction. Resources that do not exist any more are left out.
pub(crate) async fn locate(connection: &Connection, tenant: i64, change: &Change) -> Result<Located, Fault> {
    const LEAVING: Statement = Statement {
        text: "SELECT r.pk FROM unnest($2::text[]) AS i (id) CROSS JOIN type t \
               JOIN resource r ON r.tenant = $1 AND r.type = t.number AND r.id = i.id",
        types: &[Type::INT8, Type::TEXT_ARRAY],
    };
    const COMING: Statement = Statement {
        text: "SELECT r.pk, i.at FROM unnest($2::text[], $3::text[]) WITH ORDINALITY AS i (type, id, at) \
               JOIN type t ON t.name = i.type \
               JOIN resource r ON r.tenant = $1 AND r.type = t.number AND r.id = i.id \
               ORDER BY r.pk FOR KEY SHARE OF r",
        types: &[Type::INT8, Type::TEXT_ARRAY, Type::TEXT_ARRAY],
    };
    let mut located = Located::default();
    if !change.remove.is_empty() {
        let ids: Vec<&str> = change.remove.iter().map(ResourceId::as_str).collect();
        for row in connection.query(&LEAVING, &[&tenant, &ids]).await? {
            located.remove.push(row.try_get(0)?);
        }
    }
    if !change.add.is_empty() {
        let types: Vec<&str> = change.add.iter().map(|member| &*member.resource_type).collect();
        let ids: Vec<&str> = change.add.iter().map(|member| member.value.as_str()).collect();
        let mut numbers: HashMap<i64, i64> = HashMap::new();
        for row in connection.query(&COMING, &[&tenant, &types, &ids]).await? {
            numbers.insert(row.try_get(1)?, row.try_get(0)?);
        }
        // A resource that is named twice is added once, at its first place, with the last display name.
        let mut places: HashMap<i64, usize> = HashMap::new();
        for (at, member) in (1..).zip(&change.add) {
            let Some(pk) = numbers.get(&at).copied() else { continue };
            let display = member.display.as_deref().map(|display| display.as_bytes().to_vec());
            match places.get(&pk).and_then(|place| located.displays.get_mut(*place)) {
                Some(known) => *known = display.or(known.take()),
                None => {
                    places.insert(pk, located.add.len());
                    located.add.push(pk);
                    located.displays.push(display);
                }
            }
        }
    }
    Ok(located)
}

/// The prepared statements that change members.
#[derive(Debug)]
pub(crate) struct Changing {
    remove: Ready<'static>,
    add: Ready<'static>,
}

impl Changing {
    pub(crate) async fn ready(connection: &Connection) -> Result<Self, Fault> {
        const REMOVE: Statement = Statement {
            text: "DELETE FROM member WHERE tenant = $1 AND group_pk = $2 AND member_pk = ANY($3) RETURNING 1",
            types: &[Type::INT8, Type::INT8, Type::INT8_ARRAY],
        };
        // A resource that is a member already keeps its place, and its display name unless a new one is given.
        const ADD: Statement = Statement {
            text: "INSERT INTO member (tenant, group_pk, added, member_pk, display) \
                   SELECT $1, $2, greatest($3, coalesce((SELECT max(added) + 1 FROM member \
                    WHERE tenant = $1 AND group_pk = $2), $3)) + n.at - 1, n.pk, n.display \
                   FROM unnest($4::bigint[], $5::bytea[]) WITH ORDINALITY AS n (pk, display, at) \
                   ON CONFLICT (tenant, member_pk, group_pk) DO UPDATE SET display = excluded.display \
                   WHERE excluded.display IS NOT NULL AND member.display IS DISTINCT FROM excluded.display \
                   RETURNING 1",
            types: &[Type::INT8, Type::INT8, Type::INT8, Type::INT8_ARRAY, Type::BYTEA_ARRAY],
        };
        Ok(Self { remove: connection.ready(&REMOVE).await?, add: connection.ready(&ADD).await? })
    }

    /// Makes a change in a group that this transaction has locked. `true` if any row changed.
    pub(crate) async fn run(
        &self,
        connection: &Connection,
        tenant: i64,
        group: i64,
        now: i64,
        located: &Located,
    ) -> Result<bool, Fault> {
        let Located { remove, add, displays } = located;
        let mut changed = false;
        if !remove.is_empty() {
            changed |= !connection.send(&self.remove, &[&tenant, &group, remove]).await?.is_empty();
        }
        if !add.is_empty() {
            changed |= !connection.send(&self.add, &[&tenant, &group, &now, add, displays]).await?.is_empty();
        }
        Ok(changed)
    }
}

/// Removes a resource that this transaction has locked from all groups, which changes their versions, and deletes
/// its own members. `true` if these are so many that the cleanup deletes them later.
pub(crate) async fn forget(connection: &Connection, tenant: i64, pk: i64, now: i64) -> Result<bool, Fault> {
    const LOCK: Statement = Statement {
        text: "SELECT r.pk FROM resource r WHERE r.tenant = $1 AND r.pk IN \
                (SELECT m.group_pk FROM member m WHERE m.tenant = $1 AND m.member_pk = $2) \
               ORDER BY r.pk FOR NO KEY UPDATE OF r",
        types: &[Type::INT8, Type::INT8],
    };
    const MOVE: Statement = Statement {
        text: "UPDATE resource SET version = version + 1, modified = greatest(modified, $3) WHERE tenant = $1 AND pk = ANY($2)",
        types: &[Type::INT8, Type::INT8_ARRAY, Type::INT8],
    };
    const FORGET: Statement = Statement {
        text: "DELETE FROM member WHERE tenant = $1 AND member_pk = $2",
        types: &[Type::INT8, Type::INT8],
    };
    const EMPTY: Statement = Statement {
        text: "DELETE FROM member WHERE tenant = $1 AND group_pk = $2",
        types: &[Type::INT8, Type::INT8],
    };
    const MANY: Statement = Statement {
        text: "SELECT FROM member WHERE tenant = $1 AND group_pk = $2 OFFSET $3 LIMIT 1",
        types: &[Type::INT8, Type::INT8, Type::INT8],
    };
    const LEAVE: Statement = Statement {
        text: "INSERT INTO pending_deletion (tenant, pk) VALUES ($1, $2)",
        types: &[Type::INT8, Type::INT8],
    };
    let mut groups: Vec<i64> = Vec::new();
    for row in connection.query(&LOCK, &[&tenant, &pk]).await? {
        groups.push(row.try_get(0)?);
    }
    if !groups.is_empty() {
        connection.query(&MOVE, &[&tenant, &groups, &now]).await?;
    }
    connection.query(&FORGET, &[&tenant, &pk]).await?;
    let few = i64::try_from(MAX_INLINE_MEMBERS).unwrap_or(i64::MAX);
    let many = !connection.query(&MANY, &[&tenant, &pk, &few]).await?.is_empty();
    connection.query(if many { &LEAVE } else { &EMPTY }, &[&tenant, &pk]).await?;
    Ok(many)
}
