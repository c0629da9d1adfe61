use std::collections::HashSet;

use scim2_names::eq_ignore_case;

use super::{MAX_LINEAR_MEMBERS, Object, Value};

/// The members of an object that is being read. No two have the same name.
#[derive(Default)]
pub(crate) struct UniqueMembers {
    members: Vec<(Box<str>, Value)>,
    /// The names in lower case; only filled when there are too many members for a linear search.
    names: Option<HashSet<String>>,
}

impl UniqueMembers {
    /// Says whether an earlier member has this name, in any ASCII case. Call it once for each name, before
    /// [`push`](Self::push).
    pub(crate) fn repeats(&mut self, name: &str) -> bool {
        if self.members.len() < MAX_LINEAR_MEMBERS {
            return self.members.iter().any(|(known, _)| eq_ignore_case(known, name));
        }
        let members = &self.members;
        let names = self
            .names
            .get_or_insert_with(|| members.iter().map(|(name, _)| name.to_ascii_lowercase()).collect());
        !names.insert(name.to_ascii_lowercase())
    }

    /// INVARIANT: [`repeats`](Self::repeats) returned `false` for the name.
    pub(crate) fn push(&mut self, name: Box<str>, value: Value) {
        self.members.push((name, value));
    }

    pub(crate) fn into_object(self) -> Object {
        Object { members: self.members }
    }
}

/// The part of a repeated name that an error line shows.
pub(crate) fn shorten(name: &str) -> Box<str> {
    name.chars().take(64).collect()
}
