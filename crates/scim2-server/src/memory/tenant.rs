use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::ops::Bound;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use scim2_core::{CompiledType, Object, ResourceId, Version};

use super::Stamp;
use super::members::Memberships;
use crate::store::{
    Body, GroupMembership, Include, Member, MemberTarget, MembersWrite, StoreError, StoredResource, Write,
};

/// The resources of one tenant.
#[derive(Debug, Default)]
pub(super) struct Tenant {
    /// Resources by the name of the resource type, then by id.
    rows: BTreeMap<Box<str>, BTreeMap<Box<str>, Row>>,
    unique: HashMap<UniqueKey, ResourceId>,
    /// The unique keys that each resource holds.
    held: HashMap<ResourceId, Vec<UniqueKey>>,
    memberships: Memberships,
}

#[derive(Debug, Clone)]
pub(super) struct Row {
    pub(super) resource_type: Arc<CompiledType>,
    pub(super) id: ResourceId,
    pub(super) version: Version,
    pub(super) created: DateTime<Utc>,
    pub(super) last_modified: DateTime<Utc>,
    pub(super) body: Body,
    pub(super) never_returned: Object,
}

/// Resource type, path and comparison key of a value that no other resource may have.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct UniqueKey {
    resource_type: Box<str>,
    path: Box<str>,
    key: Box<str>,
}

impl Tenant {
    pub(super) fn row(&self, resource_type: &CompiledType, id: &str) -> Option<&Row> {
        self.rows.get(resource_type.name())?.get(id)
    }

    pub(super) fn exists(&self, id: &str) -> bool {
        self.rows.values().any(|rows| rows.contains_key(id))
    }

    /// The unique keys of a write, if no other resource has one of them.
    pub(super) fn claim(&self, write: &Write) -> Result<Vec<UniqueKey>, StoreError> {
        let type_ = &*write.resource_type;
        let mut keys = Vec::new();
        for (id, key) in type_.unique_keys(&write.body) {
            let key = UniqueKey {
                resource_type: type_.name().into(),
                path: type_.attribute(id).path().into(),
                key: key.as_ref().into(),
            };
            if self.unique.get(&key).is_some_and(|holder| *holder != write.id) {
                return Err(StoreError::uniqueness(key.path));
            }
            keys.push(key);
        }
        Ok(keys)
    }

    pub(super) fn put(&mut self, row: Row, keys: Vec<UniqueKey>) {
        self.release(&row.id);
        self.unique.extend(keys.iter().map(|key| (key.clone(), row.id.clone())));
        self.held.insert(row.id.clone(), keys);
        let rows = self.rows.entry(row.resource_type.name().into()).or_default();
        rows.insert(row.id.as_str().into(), row);
    }

    pub(super) fn remove(&mut self, resource_type: &CompiledType, id: &ResourceId) {
        self.release(id);
        if let Some(rows) = self.rows.get_mut(resource_type.name()) {
            rows.remove(id.as_str());
        }
    }

    fn release(&mut self, id: &ResourceId) {
        for key in self.held.remove(id).into_iter().flatten() {
            self.unique.remove(&key);
        }
    }

    pub(super) fn write_members(&mut self, group: &ResourceId, write: MembersWrite) -> bool {
        let rows = &self.rows;
        let exists = |id: &ResourceId| rows.values().any(|rows| rows.contains_key(id.as_str()));
        self.memberships.write(group, write, exists)
    }

    pub(super) fn forget(&mut self, id: &ResourceId) -> Vec<ResourceId> {
        self.memberships.forget(id)
    }

    /// Gives a resource a new version and time of change.
    pub(super) fn touch(&mut self, id: &ResourceId, stamp: &mut Stamp<'_>) {
        if let Some(row) = self.rows.values_mut().find_map(|rows| rows.get_mut(id.as_str())) {
            row.version = stamp.version();
            row.last_modified = stamp.now;
        }
    }

    pub(super) fn stored(
        &self,
        resource_type: &CompiledType,
        id: &str,
        include: Include,
    ) -> Option<StoredResource> {
        self.row(resource_type, id).map(|row| self.answer(row, include))
    }

    pub(super) fn list(
        &self,
        resource_type: &CompiledType,
        after: Bound<&str>,
        limit: usize,
        include: Include,
    ) -> Vec<StoredResource> {
        let Some(rows) = self.rows.get(resource_type.name()) else { return Vec::new() };
        let rows = rows.range::<str, _>((after, Bound::Unbounded));
        rows.take(limit).map(|(_, row)| self.answer(row, include)).collect()
    }

    pub(super) fn target(&self, id: &str) -> Option<MemberTarget> {
        let row = self.rows.values().find_map(|rows| rows.get(id))?;
        Some(MemberTarget { resource_type: row.resource_type.name().into(), display: display_name(row) })
    }

    pub(super) fn groups_of(&self, id: &ResourceId) -> Vec<GroupMembership> {
        if self.memberships.containing(id).next().is_none() {
            return Vec::new();
        }
        let mut seen = HashSet::from([id]);
        let mut waiting = VecDeque::from([id]);
        let mut memberships = Vec::new();
        while let Some(member) = waiting.pop_front() {
            for group in self.memberships.containing(member) {
                let Some(target) = self.target(group.as_str()) else { continue };
                if seen.insert(group) {
                    memberships.push(GroupMembership {
                        value: group.clone(),
                        resource_type: target.resource_type,
                        display: target.display,
                        direct: member == id,
                    });
                    waiting.push_back(group);
                }
            }
        }
        memberships.sort_by(|a, b| (b.direct, &a.value).cmp(&(a.direct, &b.value)));
        memberships
    }

    fn answer(&self, row: &Row, include: Include) -> StoredResource {
        let members = include.members.then(|| {
            let display = |member: &Member| match &member.display {
                Some(display) => Some(display.clone()),
                None => self.target(member.value.as_str())?.display,
            };
            let members = self.memberships.members(&row.id);
            members.map(|member| Member { display: display(member), ..member.clone() }).collect()
        });
        StoredResource {
            resource_type: Arc::clone(&row.resource_type),
            id: row.id.clone(),
            version: row.version.clone(),
            created: row.created,
            last_modified: row.last_modified,
            body: row.body.clone(),
            never_returned: include.never_returned.then(|| row.never_returned.clone()),
            members,
            groups: include.groups.then(|| self.groups_of(&row.id)),
        }
    }
}

fn display_name(row: &Row) -> Option<Box<str>> {
    row.body.to_object().ok()?.get_str("displayName").map(Into::into)
}
