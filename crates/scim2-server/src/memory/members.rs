use std::collections::{BTreeMap, BTreeSet, HashMap};

use scim2_core::ResourceId;

use crate::store::{Member, MembersWrite};

/// The memberships of groups, indexed by group and by member.
#[derive(Debug, Default)]
pub(super) struct Memberships {
    groups: HashMap<ResourceId, Roll>,
    containing: HashMap<ResourceId, BTreeSet<ResourceId>>,
}

/// The members of one group in the order in which they were added.
#[derive(Debug, Default)]
struct Roll {
    last_place: u64,
    places: HashMap<ResourceId, u64>,
    members: BTreeMap<u64, Member>,
}

impl Memberships {
    /// The members of a group, with the display names that clients gave.
    pub(super) fn members(&self, group: &ResourceId) -> impl Iterator<Item = &Member> {
        self.groups.get(group).into_iter().flat_map(|roll| roll.members.values())
    }

    /// The groups that a resource is a direct member of.
    pub(super) fn containing(&self, member: &ResourceId) -> impl Iterator<Item = &ResourceId> {
        self.containing.get(member).into_iter().flatten()
    }

    /// Changes the members of a group and says whether anything changed.
    pub(super) fn write(
        &mut self,
        group: &ResourceId,
        write: MembersWrite,
        exists: impl Fn(&ResourceId) -> bool,
    ) -> bool {
        let mut changed = false;
        match write {
            MembersWrite::Keep => {}
            MembersWrite::Set(members) => {
                let stay: BTreeSet<&ResourceId> = members.iter().map(|member| &member.value).collect();
                let gone: Vec<ResourceId> = self
                    .members(group)
                    .filter(|member| !stay.contains(&member.value))
                    .map(|member| member.value.clone())
                    .collect();
                for member in gone {
                    changed |= self.remove(group, &member);
                }
                for member in members {
                    changed |= exists(&member.value) && self.add(group, member);
                }
            }
            MembersWrite::Change { remove, add } => {
                for member in remove {
                    changed |= self.remove(group, &member);
                }
                for member in add {
                    changed |= exists(&member.value) && self.add(group, member);
                }
            }
        }
        changed
    }

    /// Removes a resource from all groups and drops its own members. Returns the groups that lost it.
    pub(super) fn forget(&mut self, id: &ResourceId) -> Vec<ResourceId> {
        let own: Vec<ResourceId> = self.members(id).map(|member| member.value.clone()).collect();
        for member in own {
            self.remove(id, &member);
        }
        self.groups.remove(id);
        let groups: Vec<ResourceId> = self.containing(id).cloned().collect();
        for group in &groups {
            self.remove(group, id);
        }
        groups
    }

    fn add(&mut self, group: &ResourceId, member: Member) -> bool {
        let roll = self.groups.entry(group.clone()).or_default();
        if let Some(old) = roll.places.get(&member.value).and_then(|place| roll.members.get_mut(place)) {
            let renamed = member.display.is_some() && member.display != old.display;
            if renamed {
                old.display = member.display;
            }
            return renamed;
        }
        roll.last_place += 1;
        roll.places.insert(member.value.clone(), roll.last_place);
        self.containing.entry(member.value.clone()).or_default().insert(group.clone());
        roll.members.insert(roll.last_place, member);
        true
    }

    fn remove(&mut self, group: &ResourceId, member: &ResourceId) -> bool {
        let Some(roll) = self.groups.get_mut(group) else { return false };
        let Some(place) = roll.places.remove(member) else { return false };
        roll.members.remove(&place);
        if let Some(groups) = self.containing.get_mut(member) {
            groups.remove(group);
            if groups.is_empty() {
                self.containing.remove(member);
            }
        }
        true
    }
}
