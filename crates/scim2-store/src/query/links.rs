//! The positions at which the previous and the next page begin.

use scim2_filter::{SortKey, SortValue};
use scim2_server::store::{Position, QueryPage, Target};
use scim2_server::{Context, StoreError, StoredResource};

/// Computes the positions of the resources of a target.
#[derive(Clone, Copy)]
pub(crate) struct PageLinks<'s> {
    pub(crate) cx: &'s Context,
    pub(crate) target: &'s Target,
}

impl PageLinks<'_> {
    /// The page that begins at a place, counted from 1, of `total` places.
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

    /// The page behind a position, or before it if `backwards`; `resources` has the nearest first. `turned` is the
    /// position where the way back begins, if there are resources; `ahead` says whether more follow.
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

    /// The position of a resource.
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
