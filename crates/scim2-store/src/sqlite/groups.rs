//! Finds the groups that a resource is a member of.

use std::collections::{HashMap, HashSet};

use rusqlite::{Connection, OptionalExtension, params};
use scim2_core::ResourceId;
use scim2_server::store::GroupMembership;

use super::read::{id, type_name};
use crate::model::ids::IdCache;

/// The most groups that one cache holds.
const MOST: usize = 4096;

/// Finds the groups of resources, and caches each group, because the resources of a page are mostly in the same
/// groups. All queries must read one snapshot.
#[derive(Debug)]
pub(crate) struct Groups<'n> {
    pub(crate) ids: &'n IdCache,
    pub(crate) tenant: i64,
    known: Known,
}

/// A cache of the groups of one snapshot, by primary key.
#[derive(Debug, Default)]
pub(crate) struct Known(HashMap<i64, Group>);

impl Known {
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }
}

#[derive(Debug)]
struct Group {
    /// `None` if the group was deleted.
    shown: Option<Shown>,
    /// The groups that this group is a member of.
    within: Box<[i64]>,
}

#[derive(Debug)]
struct Shown {
    value: ResourceId,
    resource_type: Box<str>,
    display: Option<Box<str>>,
}

impl<'n> Groups<'n> {
    pub(crate) fn new(ids: &'n IdCache, tenant: i64) -> Self {
        Self::knowing(Known::default(), ids, tenant)
    }

    /// The same, with groups that are cached already.
    pub(crate) fn knowing(known: Known, ids: &'n IdCache, tenant: i64) -> Self {
        Self { ids, tenant, known }
    }

    pub(crate) fn into_known(self) -> Known {
        self.known
    }

    /// The groups of a resource, directly and through other groups. Direct groups come first.
    pub(crate) fn find(
        &mut self,
        connection: &Connection,
        member: i64,
    ) -> rusqlite::Result<Vec<GroupMembership>> {
        let direct = within(connection, self.tenant, member)?;
        self.of(connection, member, direct)
    }

    /// The same, where the direct groups are known.
    pub(crate) fn of(
        &mut self,
        connection: &Connection,
        member: i64,
        mut found: Vec<i64>,
    ) -> rusqlite::Result<Vec<GroupMembership>> {
        if self.known.len() > MOST {
            self.known.clear();
        }
        let direct = found.len();
        let mut memberships = Vec::with_capacity(direct);
        // Each group is visited once, so cycles end.
        let mut seen = None;
        let mut at = 0;
        while let Some(pk) = found.get(at).copied() {
            let group = self.group(connection, pk)?;
            if !group.within.is_empty() {
                let seen: &mut HashSet<i64> = seen.get_or_insert_with(|| found.iter().copied().collect());
                found.extend(group.within.iter().filter(|within| seen.insert(**within)));
            }
            if let Some(Shown { value, resource_type, display }) =
                group.shown.as_ref().filter(|_| pk != member)
            {
                memberships.push(GroupMembership {
                    value: value.clone(),
                    resource_type: resource_type.clone(),
                    display: display.clone(),
                    direct: at < direct,
                });
            }
            at += 1;
        }
        memberships.sort_unstable_by(|a, b| (b.direct, a.value.as_str()).cmp(&(a.direct, b.value.as_str())));
        Ok(memberships)
    }

    fn group(&mut self, connection: &Connection, pk: i64) -> rusqlite::Result<&Group> {
        use std::collections::hash_map::Entry;

        match self.known.0.entry(pk) {
            Entry::Occupied(known) => Ok(known.into_mut()),
            Entry::Vacant(unknown) => {
                let shown = connection
                    .prepare_cached("SELECT r.id, r.type, r.display FROM resource r WHERE r.pk = ?1")?
                    .query_row([pk], |row| {
                        Ok(Shown {
                            value: id(row, 0)?,
                            resource_type: type_name(self.ids, row.get(1)?),
                            display: row.get(2)?,
                        })
                    })
                    .optional()?;
                Ok(unknown.insert(Group { shown, within: within(connection, self.tenant, pk)?.into() }))
            }
        }
    }
}

/// The groups that have a resource as a direct member.
fn within(connection: &Connection, tenant: i64, member: i64) -> rusqlite::Result<Vec<i64>> {
    connection
        .prepare_cached("SELECT m.group_pk FROM member m WHERE m.tenant = ?1 AND m.member_pk = ?2")?
        .query_map(params![tenant, member], |row| row.get(0))?
        .collect()
}
