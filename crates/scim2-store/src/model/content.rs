//! The content of a resource, as it is stored.

use bytes::Bytes;
use scim2_core::Object;
use scim2_core::ResourceId;
use scim2_core::compare::StringRule;
use scim2_server::StoreError;
use scim2_server::store::names_never_returned;

use crate::model::index::{Difference, TypeIndex};
use crate::model::row::parse;

/// The content of a resource, with all that can be computed before the database is asked.
#[derive(Debug)]
pub(crate) struct Content {
    pub(crate) id: ResourceId,
    pub(crate) display: Option<Box<str>>,
    /// The never-returned attributes as JSON, if there are any.
    pub(crate) never_returned: Option<String>,
    /// The other attributes as JSON.
    pub(crate) body: Bytes,
}

impl Content {
    pub(crate) fn new(id: ResourceId, body: &Object, never_returned: &Object) -> Result<Self, StoreError> {
        // A resource is looked up by the comparison key of its id.
        if StringRule::CaseExact.key(id.as_str()) != id.as_str() {
            return Err(StoreError::invalid_value("id", "expected an id in Unicode normalization form C"));
        }
        let text = |object| serde_json::to_string(object).map_err(StoreError::internal);
        Ok(Self {
            id,
            display: body.get_str("displayName").map(Into::into),
            never_returned: if never_returned.is_empty() { None } else { Some(text(never_returned)?) },
            body: Bytes::from(text(body)?),
        })
    }

    /// How the index changes when this content, whose body is `new`, replaces an older one; `None` if the older one
    /// has the same values, in whatever order. A write whose `changed` names a never-returned attribute is always a
    /// change: a version that stayed would tell a client that it guessed the value.
    pub(crate) fn difference(
        &self,
        index: &TypeIndex,
        new: &Object,
        changed: &str,
        old_body: &[u8],
        old_never_returned: Option<&str>,
    ) -> Result<Option<Difference>, StoreError> {
        let is_same = self.never_returned.as_deref() == old_never_returned
            && !names_never_returned(&index.resource_type, changed.split('\n'));
        if is_same && self.body == old_body {
            return Ok(None);
        }
        let old = parse(old_body)?;
        // The same values in another order have a text of the same length.
        if is_same && self.body.len() == old_body.len() && old == *new {
            return Ok(None);
        }
        Ok(Some(index.changed_rows(&old, new)))
    }
}
