use scim2_core::{Compat, Object, Quirk, Value};
use scim2_filter::AttrPath;
use serde::de::{Deserialize, Deserializer, Error as _};
use serde::ser::{Serialize, SerializeMap, Serializer};

use crate::message::Members;
use crate::message_error::{MessageError, MessageErrorKind};
use crate::projection::Projection;
use crate::query_parameters::{
    ATTRIBUTES, COUNT, CURSOR, EXCLUDED_ATTRIBUTES, FILTER, QueryParameters, SORT_BY, SORT_ORDER,
    START_INDEX, at_least_one, at_least_zero, empty_filter, parse_sort_by, split_names,
};
use crate::urn;

/// A query in the body of a POST to `/.search`
/// ([RFC 7644 §3.4.3](https://www.rfc-editor.org/rfc/rfc7644#section-3.4.3)).
///
/// ```
/// use scim2_core::{Compat, json::JsonReader};
/// use scim2_protocol::SearchRequest;
///
/// let body = br#"{
///     "schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"],
///     "attributes": ["userName"], "filter": "active eq true", "startIndex": 1, "count": 10
/// }"#;
/// let SearchRequest(query) = SearchRequest::from_object(JsonReader::new().object(body)?, &Compat::strict())?;
/// assert_eq!(query.filter.as_deref(), Some("active eq true"));
/// assert_eq!(query.count, Some(10));
/// # Ok::<(), scim2_protocol::MessageError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SearchRequest(pub QueryParameters);

impl SearchRequest {
    /// Reads the message.
    ///
    /// `attributes` and `excludedAttributes` are arrays of strings. One string with commas, as in
    /// a query string, is accepted too.
    ///
    /// # Errors
    /// [`Schemas`](MessageErrorKind::Schemas) if `schemas` lacks the URI, unless `compat` tolerates
    /// its absence; [`UnknownMember`](MessageErrorKind::UnknownMember) unless `compat` tolerates it;
    /// [`WrongType`](MessageErrorKind::WrongType) for a member. Values have the errors of
    /// [`QueryParameters::from_query_str`].
    pub fn from_object(message: Object, compat: &Compat) -> Result<Self, MessageError> {
        Self::from_object_noting(message, compat, &mut |_, _| {})
    }

    /// The same, and reports which quirks were needed, and for which members: the URI in `schemas` is missing or misspelled
    /// ([`PatchNoSchemas`](scim2_core::Quirk::PatchNoSchemas), [`UrnWrong`](scim2_core::Quirk::UrnWrong)), or a
    /// member is unknown ([`UnknownKeys`](scim2_core::Quirk::UnknownKeys)).
    ///
    /// # Errors
    /// As [`from_object`](Self::from_object).
    pub fn from_object_noting(
        message: Object,
        compat: &Compat,
        note: &mut dyn FnMut(Quirk, &str),
    ) -> Result<Self, MessageError> {
        let mut members = Members::of_message("a SearchRequest", urn::SEARCH_REQUEST, message, compat, note)?;
        let attributes = members.take(ATTRIBUTES).unwrap_or_default();
        let excluded = members.take(EXCLUDED_ATTRIBUTES).unwrap_or_default();
        let filter = match members.take_string(FILTER)? {
            Some(filter) if filter.trim().is_empty() => return Err(empty_filter()),
            filter => filter,
        };
        let given = |text: &String| !text.is_empty();
        let cursor = members.take_string(CURSOR)?;
        let count = members.take_integer(COUNT).map_err(|error| error.of_count(cursor.is_some()))?;
        let query = QueryParameters {
            projection: Projection::from_names(
                names(ATTRIBUTES, &attributes)?.into_iter(),
                names(EXCLUDED_ATTRIBUTES, &excluded)?.into_iter(),
                compat,
            )?,
            filter,
            sort_by: members
                .take_string(SORT_BY)?
                .filter(given)
                .map(|text| parse_sort_by(&text))
                .transpose()?,
            sort_order: members
                .take_string(SORT_ORDER)?
                .filter(given)
                .map(|text| text.parse())
                .transpose()?
                .unwrap_or_default(),
            start_index: members.take_integer(START_INDEX)?.map(at_least_one),
            count: count.map(at_least_zero),
            cursor,
        };
        members.finish(compat, note)?;
        Ok(Self(query))
    }
}

fn names<'a>(member: &'static str, value: &'a Value) -> Result<Vec<&'a str>, MessageError> {
    let mut names = Vec::new();
    for name in value.values() {
        let Some(text) = name.as_str() else {
            let line = format!("expected strings in `{member}` of a SearchRequest, found {}", name.kind());
            return Err(MessageError::new(MessageErrorKind::WrongType, line));
        };
        names.extend(split_names(text));
    }
    Ok(names)
}

impl From<QueryParameters> for SearchRequest {
    fn from(query: QueryParameters) -> Self {
        Self(query)
    }
}

impl Serialize for SearchRequest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let QueryParameters { projection, filter, sort_by, sort_order, start_index, count, cursor } = &self.0;
        let texts =
            |paths: &[AttrPath]| paths.iter().map(|path| path.as_str().to_owned()).collect::<Vec<_>>();
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("schemas", &[urn::SEARCH_REQUEST])?;
        match projection {
            Projection::Default => {}
            Projection::Attributes(paths) => map.serialize_entry(ATTRIBUTES, &texts(paths))?,
            Projection::ExcludedAttributes(paths) => {
                map.serialize_entry(EXCLUDED_ATTRIBUTES, &texts(paths))?;
            }
        }
        if let Some(filter) = filter {
            map.serialize_entry(FILTER, filter)?;
        }
        if let Some(sort_by) = sort_by {
            map.serialize_entry(SORT_BY, sort_by.as_str())?;
            map.serialize_entry(SORT_ORDER, sort_order.as_str())?;
        }
        if let Some(start_index) = start_index {
            map.serialize_entry(START_INDEX, start_index)?;
        }
        if let Some(count) = count {
            map.serialize_entry(COUNT, count)?;
        }
        if let Some(cursor) = cursor {
            map.serialize_entry(CURSOR, cursor)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for SearchRequest {
    /// Reads with the tolerance of [`Compat::default`].
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::from_object(Object::deserialize(deserializer)?, &Compat::default()).map_err(D::Error::custom)
    }
}

#[cfg(feature = "schemars")]
impl schemars::JsonSchema for SearchRequest {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "SearchRequest".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "object",
            "required": ["schemas"],
            "properties": {
                "schemas": { "type": "array", "contains": { "const": urn::SEARCH_REQUEST } },
                "attributes": { "type": "array", "items": { "type": "string" } },
                "excludedAttributes": { "type": "array", "items": { "type": "string" } },
                "filter": { "type": "string", "minLength": 1 },
                "sortBy": { "type": "string" },
                "sortOrder": { "enum": ["ascending", "descending"] },
                "startIndex": { "type": "integer" },
                "count": { "type": "integer" },
                "cursor": { "type": "string" }
            }
        })
    }
}
