//! Compares the members that a group has with those that it shall have.

use std::collections::{HashMap, HashSet};

use scim2_core::ResourceId;
use scim2_server::StoreError;
use scim2_server::store::{Comparison, Member, MemberLookup, MemberTarget};

use crate::model::row::version_of;

/// The members that leave a group, and those that join it or get another display name, if it shall have `members` and
/// has the `present` ones, each with its display name. A member that stays as it is is in neither list.
pub(crate) fn difference<E>(
    mut members: Vec<Member>,
    present: impl Iterator<Item = Result<(ResourceId, Option<Box<str>>), E>>,
) -> Result<(Vec<ResourceId>, Vec<Member>), E> {
    let wanted: HashSet<&str> = members.iter().map(|member| member.value.as_str()).collect();
    let mut leave = Vec::new();
    let mut stay: HashMap<ResourceId, Option<Box<str>>> = HashMap::new();
    for member in present {
        let (id, display) = member?;
        if wanted.contains(id.as_str()) {
            stay.insert(id, display);
        } else {
            leave.push(id);
        }
    }
    members.retain(|member| match stay.get(&member.value) {
        None => true,
        Some(display) => member.display.is_some() && member.display != *display,
    });
    Ok((leave, members))
}

/// Makes a [`Comparison`] from the members of a group, which are passed one by one.
pub(crate) struct Comparing<'a> {
    wanted: MemberLookup<'a>,
    stay: Vec<(usize, MemberTarget)>,
    leave: Vec<ResourceId>,
}

impl<'a> Comparing<'a> {
    /// With the members that the group shall have.
    pub(crate) fn new(ids: &'a [ResourceId]) -> Self {
        Self { wanted: MemberLookup::new(ids), stay: Vec::with_capacity(ids.len()), leave: Vec::new() }
    }

    /// Adds a member that the group has.
    pub(crate) fn add(&mut self, id: &str, type_: &str, display: Option<&str>) -> Result<(), StoreError> {
        match self.wanted.place(id) {
            Some(place) => {
                let target = MemberTarget { resource_type: type_.into(), display: display.map(Into::into) };
                self.stay.push((place, target));
            }
            None => self.leave.push(ResourceId::parse(id).map_err(StoreError::internal)?),
        }
        Ok(())
    }

    /// The comparison with a version of the group.
    pub(crate) fn finish(self, version: i64) -> Comparison {
        Comparison { version: version_of(version), stay: self.stay, leave: self.leave }
    }
}
