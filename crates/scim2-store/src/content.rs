//! What of a resource is stored, as an engine writes it.

use bytes::Bytes;
use scim2_core::Object;
use scim2_core::ResourceId;
use scim2_core::compare::StringRule;
use scim2_server::StoreError;
use scim2_server::store::names_never_returned;

use crate::index::{IndexRow, TypeIndex, difference};
use crate::row::parse;

/// The content of a resource, with all that can be computed of it before the database is asked.
#[derive(Debug)]
pub(crate) struct Content {
    pub(crate) id: ResourceId,
    pub(crate) display: Option<Box<str>>,
    /// JSON, if there is anything hidden.
    pub(crate) never_returned: Option<String>,
    /// JSON.
    pub(crate) body: Bytes,
    pub(crate) rows: Vec<IndexRow>,
}

impl Content {
    pub(crate) fn new(
        index: &TypeIndex,
        id: ResourceId,
        body: &Object,
        never_returned: &Object,
    ) -> Result<Self, StoreError> {
        // What is looked up by its id is looked up by its comparison key.
        if StringRule::CaseExact.key(id.as_str()) != id.as_str() {
            return Err(StoreError::invalid_value("id", "expected an id in Unicode normalisation form C"));
        }
        let text = |object| serde_json::to_string(object).map_err(StoreError::internal);
        Ok(Self {
            id,
            display: body.get_str("displayName").map(Into::into),
            never_returned: if never_returned.is_empty() { None } else { Some(text(never_returned)?) },
            rows: index.rows(body),
            body: Bytes::from(text(body)?),
        })
    }

    /// The rows that go and those that come when this takes the place of an older content; `None`
    /// if that has the same values, in whatever order. A write whose `changed` names a never-returned attribute
    /// is a change also then: a version that stayed would tell a right guess from a wrong one.
    pub(crate) fn difference(
        &self,
        index: &TypeIndex,
        changed: &str,
        old_body: &[u8],
        old_never_returned: Option<&str>,
    ) -> Result<Option<Difference>, StoreError> {
        let names_never_returned = names_never_returned(&index.resource_type, changed.split('\n'));
        if !names_never_returned
            && self.body == old_body
            && self.never_returned.as_deref() == old_never_returned
        {
            return Ok(None);
        }
        let old = parse(old_body)?;
        // In another order the text has another order and the same length.
        let may_be_equal = !names_never_returned
            && self.never_returned.as_deref() == old_never_returned
            && self.body.len() == old_body.len();
        if may_be_equal && parse(&self.body)? == old {
            return Ok(None);
        }
        let (remove, add) = difference(&index.rows(&old), &self.rows);
        Ok(Some(Difference { remove, add }))
    }
}

/// The rows that go and those that come.
#[derive(Debug)]
pub(crate) struct Difference {
    pub(crate) remove: Vec<IndexRow>,
    pub(crate) add: Vec<IndexRow>,
}
