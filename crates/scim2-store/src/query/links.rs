//! The ends of a page that the database cut out: the positions at which its neighbours begin.

use scim2_filter::{SortKey, SortValue};
use scim2_server::store::{Position, QueryPage, Target};
use scim2_server::{Context, StoreError, StoredResource};

/// Where the resources of a target stand in its order.
#[derive(Clone, Copy)]
pub(crate) struct PageLinks<'s> {
    pub(crate) cx: &'s Context,
    pub(crate) target: &'s Target,
}

impl PageLinks<'_> {
    /// The page that begins at a place, counted from 1, of so many.
    pub(crate) fn at(
        self,
        index: u64,
        total: u64,
        resources: Vec<StoredResource>,
    ) -> Result<QueryPage, StoreError> {
        let end = index.saturating_sub(1).saturating_add(resources.len() as u64);
        let previous = resources.first().filter(|_| index > 1);
        let next = resources.last().filter(|_| end < total);
        let previous = previous.map(|stored| self.position(stored)).transpose()?;
        let next = next.map(|stored| self.position(stored)).transpose()?;
        Ok(QueryPage { total, resources, previous, next })
    }

    /// The page of what lies beyond a position, nearest first, or `backwards` before it. `turned` is where
    /// the way back begins, if anything lies there; `ahead` says whether anything lies further on.
    pub(crate) fn beyond(
        self,
        backwards: bool,
        total: u64,
        mut resources: Vec<StoredResource>,
        turned: Option<Position>,
        ahead: bool,
    ) -> Result<QueryPage, StoreError> {
        let farthest = resources.last().filter(|_| ahead);
        let farthest = farthest.map(|stored| self.position(stored)).transpose()?;
        Ok(if backwards {
            resources.reverse();
            QueryPage { total, resources, previous: farthest, next: turned }
        } else {
            QueryPage { total, resources, previous: turned, next: farthest }
        })
    }

    /// Where one stands.
    pub(crate) fn position(self, stored: &StoredResource) -> Result<Position, StoreError> {
        let key = match self.target.sort {
            None => SortValue::Missing,
            Some(attribute) => {
                let resource = stored.representation(self.cx)?;
                SortKey::new(&self.target.resource_type, attribute).value(&resource).into_owned()
            }
        };
        Ok(Position { key, id: stored.id.clone() })
    }
}
