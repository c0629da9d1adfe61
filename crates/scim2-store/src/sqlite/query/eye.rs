//! What SQL could not say, seen to one resource at a time.

use scim2_core::AttributeId;
use scim2_filter::{CompiledFilter, Condition, SortKey, SortValue};
use scim2_server::StoreError;
use scim2_server::store::Want;

use super::Side;
use crate::error::store_error;
use crate::sqlite::read::{self, Found};

/// Looks at one resource at a time: does it match, and what is it sorted by?
pub(super) struct Eye<'s> {
    /// What SQL could not say.
    filter: Option<&'s CompiledFilter>,
    sort: Option<SortKey>,
    want: Want,
    meta: bool,
}

impl<'s> Eye<'s> {
    /// `exact`: what is looked at is known to match.
    pub(super) fn new(side: &Side<'s>, exact: bool) -> Self {
        let target = side.target;
        let type_ = &*side.index.resource_type;
        let filter = target.filter.as_ref().filter(|_| !exact);
        let uses = |id: AttributeId| {
            let of = |used: AttributeId| used == id || type_.attribute(used).parent() == Some(id);
            filter.is_some_and(|filter| mentions(filter.condition(), &of)) || target.sort.is_some_and(of)
        };
        Self {
            filter,
            sort: target.sort.map(|id| SortKey::new(type_, id)),
            want: Want {
                members: type_.members().is_some_and(uses),
                groups: type_.groups().is_some_and(uses),
                hidden: false,
            },
            meta: type_.find(None, "meta", None).is_some_and(uses),
        }
    }

    pub(super) fn reads_bodies(&self) -> bool {
        self.filter.is_some() || self.sort.is_some()
    }

    /// The sort key of a resource, if it matches.
    pub(super) fn look(
        &self,
        side: &Side<'_>,
        found: Found,
    ) -> Result<Option<(SortValue<'static>, Box<Found>)>, StoreError> {
        if !self.reads_bodies() {
            return Ok(Some((SortValue::Missing, Box::new(found))));
        }
        let resource = if self.meta || self.want.members || self.want.groups {
            let search = side.search;
            search
                .stored(side.connection, side.index, found.clone(), self.want)?
                .representation(&search.cx)?
        } else {
            read::parse(rusqlite::types::ValueRef::Text(&found.body)).map_err(store_error)?
        };
        if self.filter.is_some_and(|filter| !filter.matches(&resource)) {
            return Ok(None);
        }
        let key = self.sort.as_ref().map_or(SortValue::Missing, |sort| sort.value(&resource)).into_owned();
        Ok(Some((key, Box::new(found))))
    }
}

/// Says whether a condition asks for an attribute. As deep as the filter, whose depth is limited.
fn mentions(condition: &Condition, of: &impl Fn(AttributeId) -> bool) -> bool {
    match condition {
        Condition::And(conditions) | Condition::Or(conditions) => {
            conditions.iter().any(|condition| mentions(condition, of))
        }
        Condition::Not(condition) => mentions(condition, of),
        Condition::Present(subject) => of(subject.attribute()),
        Condition::Compare(comparison) => of(comparison.subject().attribute()),
        Condition::Element { subject, .. } => of(subject.attribute()),
        _ => false,
    }
}
