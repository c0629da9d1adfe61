use std::borrow::Cow;
use std::sync::Arc;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use scim2_core::json::JsonReader;
use scim2_core::{CompiledType, Object, ResourceId, Version};

use super::{GroupMembership, Member, StoreError};
use crate::context::Context;

/// A resource as the store has it.
#[derive(Debug, Clone)]
pub struct StoredResource {
    /// The resource type.
    pub resource_type: Arc<CompiledType>,
    /// The id.
    pub id: ResourceId,
    /// The version.
    pub version: Version,
    /// When it was created.
    pub created: DateTime<Utc>,
    /// When it was last changed.
    pub last_modified: DateTime<Utc>,
    /// The attributes, as in [`Write::body`](super::Write::body).
    pub body: Body,
    /// The hidden attributes, if [`Want::hidden`](super::Want::hidden) asked for them.
    pub hidden: Option<Object>,
    /// The members, if [`Want::members`](super::Want::members) asked for them.
    pub members: Option<Vec<Member>>,
    /// The groups, if [`Want::groups`](super::Want::groups) asked for them and the store computes them; `None` leaves
    /// it to the engine.
    pub groups: Option<Vec<GroupMembership>>,
}

/// The attributes of a stored resource: JSON text, ready to be copied into a response, or parsed.
#[derive(Debug, Clone)]
pub enum Body {
    /// The text of one JSON object with at least one member (`id`), written by this store.
    Json(Bytes),
    /// The object.
    Object(Object),
}

impl StoredResource {
    /// The attributes as an object, parsed if they are stored as text.
    ///
    /// # Errors
    /// [`StoreErrorKind::Internal`](super::StoreErrorKind::Internal) if the text is not a JSON object.
    pub fn attributes(&self) -> Result<Cow<'_, Object>, StoreError> {
        self.body.to_object()
    }

    /// The resource as filters and sort keys see it: its attributes, those members and groups that
    /// were asked for, and `meta`.
    ///
    /// # Errors
    /// As [`attributes`](Self::attributes).
    pub fn representation(&self, cx: &Context) -> Result<Object, StoreError> {
        crate::projection::representation(cx, self)
    }
}

impl Body {
    /// The attributes as an object, parsed if they are text.
    ///
    /// # Errors
    /// [`StoreErrorKind::Internal`](super::StoreErrorKind::Internal) if the text is not a JSON object.
    pub fn to_object(&self) -> Result<Cow<'_, Object>, StoreError> {
        match self {
            Self::Object(object) => Ok(Cow::Borrowed(object)),
            Self::Json(json) => reader().object(json).map(Cow::Owned).map_err(StoreError::internal),
        }
    }

    /// The attributes as an object, parsed if they are text.
    ///
    /// # Errors
    /// [`StoreErrorKind::Internal`](super::StoreErrorKind::Internal) if the text is not a JSON object.
    pub fn into_object(self) -> Result<Object, StoreError> {
        match self {
            Self::Object(object) => Ok(object),
            Self::Json(json) => reader().object(&json).map_err(StoreError::internal),
        }
    }
}

/// Of what is stored no depth is refused that could be written.
const fn reader() -> JsonReader {
    JsonReader::new().max_depth(JsonReader::DEEPEST)
}
