use std::collections::HashMap;

use scim2_core::{ResourceId, Version};

use super::MemberTarget;

/// How the members of a group differ from the members it is to have, at one version of the group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comparison {
    /// The version of the group.
    pub version: Version,
    /// The present members that stay, in the order of the group: the index of each in the ids asked for, its
    /// resource type, and the name that the group shows.
    pub stay: Vec<(usize, MemberTarget)>,
    /// The ids of the present members that are not among the ids asked for.
    pub leave: Vec<ResourceId>,
}

/// Finds the index of an id among the ids that members are compared with.
///
/// ```
/// use scim2_core::ResourceId;
/// use scim2_server::store::MemberLookup;
///
/// let ids = [ResourceId::parse("ada")?, ResourceId::parse("grace")?];
/// let mut lookup = MemberLookup::new(&ids);
/// assert_eq!(lookup.place("grace"), Some(1));
/// assert_eq!(lookup.place("alan"), None);
/// # Ok::<(), scim2_core::IdError>(())
/// ```
#[derive(Debug)]
pub struct MemberLookup<'a> {
    ids: &'a [ResourceId],
    places: Option<HashMap<&'a str, usize>>,
    next: usize,
}

impl<'a> MemberLookup<'a> {
    /// A lookup in these ids.
    #[must_use]
    pub const fn new(ids: &'a [ResourceId]) -> Self {
        Self { ids, places: None, next: 0 }
    }

    /// The index of an id. Most clients send members in the order in which they read them, so nearly every id
    /// is found right after the previous one.
    pub fn place(&mut self, id: &str) -> Option<usize> {
        let place = match self.ids.get(self.next) {
            Some(next) if next.as_str() == id => Some(self.next),
            _ => {
                let all = || self.ids.iter().enumerate().map(|(at, id)| (id.as_str(), at)).collect();
                self.places.get_or_insert_with(all).get(id).copied()
            }
        };
        if let Some(place) = place {
            self.next = place + 1;
        }
        place
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_found_in_whatever_order_they_come() {
        let ids: Vec<ResourceId> =
            (0..6).map(|n| ResourceId::parse(&format!("u{n}")).expect("an id")).collect();
        let mut lookup = MemberLookup::new(&ids);
        for (id, place) in [
            ("u0", Some(0)),
            ("u1", Some(1)),
            ("x", None),
            ("u2", Some(2)),
            ("u5", Some(5)),
            ("u6", None),
            ("u4", Some(4)),
        ] {
            assert_eq!(lookup.place(id), place, "{id}");
        }
        assert_eq!(MemberLookup::new(&[]).place("u0"), None);
    }
}
