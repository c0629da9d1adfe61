//! Rows of the table `resource`, and how they become resources of the port.

use std::sync::Arc;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use scim2_core::json::JsonError;
use scim2_core::{Object, ResourceId, Version};
use scim2_server::StoreError;
use scim2_server::store::{Body, GroupMembership, Include, Member, StoredResource};

use crate::model::index::TypeIndex;

/// The columns of a [`Found`], of `resource` as `r`, in the order of its fields.
macro_rules! columns {
    () => {
        columns!("CAST(NULL AS boolean)")
    };
    ($in_group:literal) => {
        concat!("r.pk, r.id, r.version, r.created, r.modified, r.hidden, r.body, ", $in_group)
    };
}

/// The same, and whether it is a member of any group. Most users are in no group, which is faster to see here than
/// by a second search.
macro_rules! columns_and_group {
    () => {
        columns!("EXISTS (SELECT 1 FROM member m WHERE m.tenant = r.tenant AND m.member_pk = r.pk)")
    };
}

pub(crate) use columns;
#[cfg(feature = "postgres")]
pub(crate) use columns_and_group;

/// A row of `resource`.
#[derive(Debug, Clone)]
pub(crate) struct Found {
    pub(crate) pk: i64,
    pub(crate) id: ResourceId,
    pub(crate) version: i64,
    pub(crate) created: i64,
    pub(crate) modified: i64,
    pub(crate) never_returned: Option<String>,
    pub(crate) body: Bytes,
    /// The primary keys of the groups that it is a member of, if the same statement found them. At least
    /// `Some(vec![])` if there are none.
    pub(crate) within: Option<Vec<i64>>,
}

impl Found {
    /// The columns without a look at groups.
    pub(crate) const COLUMNS: &str = columns!();

    /// The names of these columns in a sub-select.
    #[cfg(feature = "postgres")]
    pub(crate) const NAMES: &str = "pk, id, version, created, modified, hidden, body, in_group";

    /// The columns that `asked` needs.
    pub(crate) fn columns(asked: Asked) -> &'static str {
        if asked.groups { columns_and_group!() } else { Self::COLUMNS }
    }

    /// Whether the row holds everything that is asked for.
    pub(crate) fn is_whole(&self, asked: Asked) -> bool {
        !asked.members && (!asked.groups || self.within.as_ref().is_some_and(Vec::is_empty))
    }

    /// The resource with its members and groups; `None` where they were not asked for.
    pub(crate) fn into_stored(
        self,
        index: &TypeIndex,
        include: Include,
        members: Option<Vec<Member>>,
        groups: Option<Vec<GroupMembership>>,
    ) -> Result<StoredResource, JsonError> {
        let Self { pk: _, id, version, created, modified, never_returned, body, within: _ } = self;
        Ok(StoredResource {
            resource_type: Arc::clone(&index.resource_type),
            id,
            version: version_of(version),
            created: time(created),
            last_modified: time(modified),
            body: Body::Json(body),
            never_returned: match never_returned {
                _ if !include.never_returned => None,
                None => Some(Object::new()),
                Some(json) => Some(json.parse()?),
            },
            members,
            groups,
        })
    }
}

/// The parts that are asked for, that the type can have, and that are stored in other rows.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked {
    pub(crate) members: bool,
    pub(crate) groups: bool,
}

impl Asked {
    /// Nothing beside the row.
    pub(crate) const NOTHING: Self = Self { members: false, groups: false };

    pub(crate) fn new(index: &TypeIndex, include: Include) -> Self {
        Self {
            members: include.members && index.resource_type.members().is_some(),
            groups: include.groups && index.resource_type.groups().is_some(),
        }
    }

    #[cfg(feature = "postgres")]
    pub(crate) fn is_anything(self) -> bool {
        self.members || self.groups
    }
}

/// `Some(vec![])` if the resource is known to be in no group, `None` if it was not looked up.
pub(crate) fn within(in_group: Option<bool>) -> Option<Vec<i64>> {
    (in_group == Some(false)).then(Vec::new)
}

pub(crate) fn version_of(number: i64) -> Version {
    Version::from(number.unsigned_abs())
}

pub(crate) fn time(millis: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(millis).unwrap_or_default()
}

/// Parses a stored body.
pub(crate) fn parse(json: &[u8]) -> Result<Object, StoreError> {
    let text = std::str::from_utf8(json).map_err(StoreError::internal)?;
    // serde alone would round decimals.
    text.parse::<Object>().map_err(StoreError::internal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_without_loss() {
        let json = r#"{"weight":0.12345678901234567890,"count":123456789012345678901234567890}"#;
        assert_eq!(parse(json.as_bytes()).expect("an object").to_string(), json);
    }
}
