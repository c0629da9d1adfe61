use std::borrow::Cow;
use std::sync::Arc;
use std::{fmt, io};

use bytes::Bytes;
use chrono::{DateTime, Utc};
use scim2_core::json::JsonReader;
use scim2_core::{CompiledType, Object, ResourceId, Value, Version};

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
    /// The never-returned attributes, if [`Include::never_returned`](super::Include::never_returned) asked for them.
    pub never_returned: Option<Object>,
    /// The members, if [`Include::members`](super::Include::members) asked for them.
    pub members: Option<Vec<Member>>,
    /// The groups, if [`Include::groups`](super::Include::groups) asked for them and the store computes them;
    /// with `None` the engine computes them.
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

    /// About how many bytes the resource takes: its attributes as JSON, its members and its groups.
    #[must_use]
    pub fn size(&self) -> u64 {
        /// The bytes of a member or a group in addition to its id and its name.
        const ENTRY: usize = 96;
        let text = |text: &Option<Box<str>>| text.as_ref().map_or(0, |text| text.len());
        let members = self.members.iter().flatten();
        let members = members.map(|member| ENTRY + 2 * member.value.as_str().len() + text(&member.display));
        let groups = self.groups.iter().flatten();
        let groups = groups.map(|group| ENTRY + 2 * group.value.as_str().len() + text(&group.display));
        members.chain(groups).fold(self.body.size(), usize::saturating_add).try_into().unwrap_or(u64::MAX)
    }

    /// The resource as filters and sort keys see it: its attributes, the members and groups that were asked
    /// for, and `meta`.
    ///
    /// # Errors
    /// As [`attributes`](Self::attributes).
    pub fn representation(&self, cx: &Context) -> Result<Object, StoreError> {
        crate::projection::representation(cx, self)
    }
}

impl Body {
    /// How many bytes it takes as JSON.
    #[must_use]
    pub fn size(&self) -> usize {
        match self {
            Self::Json(json) => json.len(),
            Self::Object(object) => json_size(object),
        }
    }

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

/// Reads stored JSON with the maximum depth, so that everything that was accepted can be read back.
const fn reader() -> JsonReader {
    JsonReader::new().max_depth(JsonReader::MAX_DEPTH)
}

/// Says whether an object takes more than `limit` bytes as JSON. Most objects are far below the limit; for them no
/// character is looked at.
pub(crate) fn exceeds_json_size(object: &Object, limit: usize) -> bool {
    /// The most bytes that one byte of text takes as JSON: `\u0000`.
    const MAX_ESCAPE: usize = 6;
    fn text(text: &str) -> usize {
        text.len().saturating_mul(MAX_ESCAPE).saturating_add(4)
    }
    // INVARIANT: JSON nests no deeper than its reader allows, so the recursion is bounded.
    fn bound(value: &Value) -> usize {
        match value {
            Value::Null | Value::Bool(_) => 8,
            Value::Number(number) => {
                let mut digits = Count(4);
                // INVARIANT: counting never fails.
                let _ = fmt::Write::write_fmt(&mut digits, format_args!("{number}"));
                digits.0
            }
            Value::String(string) => text(string),
            Value::Array(values) => values.iter().map(bound).fold(4, usize::saturating_add),
            Value::Object(object) => bound_of(object),
        }
    }
    fn bound_of(object: &Object) -> usize {
        object
            .iter()
            .map(|(name, value)| text(name).saturating_add(bound(value)))
            .fold(4, usize::saturating_add)
    }
    bound_of(object) > limit && json_size(object) > limit
}

/// How many bytes an object takes as JSON.
pub(crate) fn json_size(object: &Object) -> usize {
    let mut count = Count(0);
    match serde_json::to_writer(&mut count, object) {
        Ok(()) => count.0,
        Err(_) => usize::MAX,
    }
}

/// Counts bytes.
struct Count(usize);

impl io::Write for Count {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 = self.0.saturating_add(bytes.len());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl fmt::Write for Count {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0 = self.0.saturating_add(text.len());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exceeds_json_size_agrees_with_the_text() {
        for text in [
            "{}",
            r#"{"a":null,"b":true,"c":false}"#,
            r#"{"a":1,"b":-1.5e300,"c":123456789012345678901234567890,"d":0.1}"#,
            r#"{"text":"\u0000\u0001\"\\ü","list":["x",{},[],[[{"y":"z"}]]]}"#,
        ] {
            let object: Object = serde_json::from_str(text).expect("an object");
            let size = object.to_string().len();
            for limit in [0, size - 1, size, size + 1, 10 * size, usize::MAX] {
                assert_eq!(exceeds_json_size(&object, limit), size > limit, "{text}: {limit}");
            }
        }
    }
}
