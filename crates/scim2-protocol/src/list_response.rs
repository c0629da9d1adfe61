use std::convert::Infallible;
use std::fmt;
use std::io::Write as _;
use std::marker::PhantomData;

use scim2_names::eq_ignore_case;
use serde::de::{Deserialize, Deserializer, Error as _, IgnoredAny, MapAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, Serializer};

use crate::urn;

/// The response to a query: one page of resources
/// ([RFC 7644 §3.4.2](https://www.rfc-editor.org/rfc/rfc7644#section-3.4.2),
/// [RFC 9865 §2](https://www.rfc-editor.org/rfc/rfc9865#section-2)).
///
/// ```
/// use scim2_core::Object;
/// use scim2_protocol::ListResponse;
///
/// let page: ListResponse<Object> = serde_json::from_str(
///     r#"{"totalResults": 12, "startIndex": 11, "resources": [{"id": "a"}, {"id": "b"}]}"#,
/// )?;
/// assert_eq!(page.total_results, Some(12));
/// assert_eq!(page.resources[1].get_str("id"), Some("b"));
///
/// let none: ListResponse<Object> = serde_json::from_str(r#"{"totalResults": 0}"#)?;
/// assert!(none.resources.is_empty());
/// # Ok::<(), serde_json::Error>(())
/// ```
///
/// `Resources` is always written, even if it is empty. Reading tolerates what service providers
/// send: member names in any letter case, numbers as strings or decimals, `null` or nothing for an empty
/// list, and no `schemas`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ListResponse<T> {
    /// How many resources match, on all pages together. Only paging by cursor may omit it.
    pub total_results: Option<u64>,
    /// The 1-based index of the first resource of this page. Absent when paging by cursor.
    pub start_index: Option<u64>,
    /// The number of resources in this page.
    pub items_per_page: Option<u64>,
    /// The cursor of the next page. Absent on the last page, and when paging by index.
    pub next_cursor: Option<String>,
    /// The cursor of the previous page.
    pub previous_cursor: Option<String>,
    /// The resources of this page.
    pub resources: Vec<T>,
}

impl<T> ListResponse<T> {
    /// A page by index. `start_index` is 1-based.
    #[must_use]
    pub fn page(resources: Vec<T>, start_index: u64, total_results: u64) -> Self {
        Self {
            total_results: Some(total_results),
            start_index: Some(start_index),
            items_per_page: Some(resources.len() as u64),
            next_cursor: None,
            previous_cursor: None,
            resources,
        }
    }

    /// One page with all resources, as discovery endpoints return.
    #[must_use]
    pub fn all(resources: Vec<T>) -> Self {
        let total = resources.len() as u64;
        Self::page(resources, 1, total)
    }

    /// A page by cursor. Without `next_cursor` it is the last one.
    #[must_use]
    pub fn cursor_page(resources: Vec<T>, total_results: Option<u64>, next_cursor: Option<String>) -> Self {
        Self {
            total_results,
            start_index: None,
            items_per_page: Some(resources.len() as u64),
            next_cursor,
            previous_cursor: None,
            resources,
        }
    }

    /// The same page with other resources, such as typed ones.
    #[must_use]
    pub fn map<U>(self, mut resource: impl FnMut(T) -> U) -> ListResponse<U> {
        match self.try_map(|it| Ok::<U, Infallible>(resource(it))) {
            Ok(list) => list,
            Err(never) => match never {},
        }
    }

    /// The same page with each resource converted.
    ///
    /// # Errors
    /// The first error of `resource`.
    pub fn try_map<U, E>(self, resource: impl FnMut(T) -> Result<U, E>) -> Result<ListResponse<U>, E> {
        let Self { total_results, start_index, items_per_page, next_cursor, previous_cursor, resources } =
            self;
        Ok(ListResponse {
            total_results,
            start_index,
            items_per_page,
            next_cursor,
            previous_cursor,
            resources: resources.into_iter().map(resource).collect::<Result<_, E>>()?,
        })
    }

    /// The message as JSON, each resource written by `write`.
    ///
    /// For callers that have the resources as JSON text already:
    ///
    /// ```
    /// # use scim2_protocol::ListResponse;
    /// let page = ListResponse::all(vec![r#"{"id":"a"}"#, r#"{"id":"b"}"#]);
    /// let json = page.to_json_with(|resource, out| out.extend_from_slice(resource.as_bytes()));
    /// assert!(json.ends_with(br#""Resources":[{"id":"a"},{"id":"b"}]}"#));
    /// ```
    ///
    /// `write` appends one JSON value. Its output is not checked.
    #[must_use]
    pub fn to_json_with(&self, mut write: impl FnMut(&T, &mut Vec<u8>)) -> Vec<u8> {
        let (mut json, end) = self.json_around();
        for (at, resource) in self.resources.iter().enumerate() {
            if at > 0 {
                json.push(b',');
            }
            write(resource, &mut json);
        }
        json.extend_from_slice(end);
        json
    }

    /// The message as JSON without its resources: the text before them and the text after them. A caller that writes
    /// a large page in pieces writes the resources between them, separated by commas.
    ///
    /// ```
    /// # use scim2_protocol::ListResponse;
    /// let (begin, end) = ListResponse::<&str>::all(Vec::new()).json_around();
    /// assert!(begin.ends_with(br#""Resources":["#));
    /// assert_eq!(end, b"]}");
    /// ```
    #[must_use]
    pub fn json_around(&self) -> (Vec<u8>, &'static [u8]) {
        // An estimate of the size of the resources.
        let mut json = Vec::with_capacity(256 + self.resources.len().saturating_mul(1024));
        json.extend_from_slice(b"{\"schemas\":[\"");
        json.extend_from_slice(urn::LIST_RESPONSE.as_bytes());
        json.extend_from_slice(b"\"]");
        for (name, value) in self.numbers() {
            if let Some(value) = value {
                for part in [",\"", name, "\":", itoa::Buffer::new().format(value)] {
                    json.extend_from_slice(part.as_bytes());
                }
            }
        }
        for (name, value) in self.cursors() {
            if let Some(value) = value {
                // INVARIANT: writing to a `Vec` never fails.
                let _ = write!(json, ",\"{name}\":{}", scim2_core::Value::from(value.as_str()));
            }
        }
        json.extend_from_slice(b",\"Resources\":[");
        (json, b"]}")
    }

    fn numbers(&self) -> [(&'static str, Option<u64>); 3] {
        [
            ("totalResults", self.total_results),
            ("startIndex", self.start_index),
            ("itemsPerPage", self.items_per_page),
        ]
    }

    fn cursors(&self) -> [(&'static str, Option<&String>); 2] {
        [("nextCursor", self.next_cursor.as_ref()), ("previousCursor", self.previous_cursor.as_ref())]
    }
}

impl<T: Serialize> Serialize for ListResponse<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("schemas", &[urn::LIST_RESPONSE])?;
        for (name, value) in self.numbers() {
            if let Some(value) = value {
                map.serialize_entry(name, &value)?;
            }
        }
        for (name, value) in self.cursors() {
            if let Some(value) = value {
                map.serialize_entry(name, value)?;
            }
        }
        map.serialize_entry("Resources", &self.resources)?;
        map.end()
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for ListResponse<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ListVisitor(PhantomData))
    }
}

struct ListVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for ListVisitor<T> {
    type Value = ListResponse<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a ListResponse")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut list = ListResponse::cursor_page(Vec::new(), None, None);
        list.items_per_page = None;
        let mut known = false;
        while let Some(name) = map.next_key::<std::borrow::Cow<'de, str>>()? {
            if eq_ignore_case(&name, "totalResults") {
                list.total_results = map.next_value::<LenientNumber>()?.0;
                known = true;
            } else if eq_ignore_case(&name, "startIndex") {
                list.start_index = map.next_value::<LenientNumber>()?.0;
            } else if eq_ignore_case(&name, "itemsPerPage") {
                list.items_per_page = map.next_value::<LenientNumber>()?.0;
            } else if eq_ignore_case(&name, "nextCursor") {
                list.next_cursor = map.next_value()?;
            } else if eq_ignore_case(&name, "previousCursor") {
                list.previous_cursor = map.next_value()?;
            } else if eq_ignore_case(&name, "Resources") {
                list.resources = map.next_value::<Option<_>>()?.unwrap_or_default();
                known = true;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        // Without either member it is an error page or a single resource. If it counted as an empty list, the
        // client would conclude that there are no resources.
        if known {
            Ok(list)
        } else {
            Err(A::Error::custom("expected `totalResults` or `Resources` in a ListResponse"))
        }
    }
}

/// A number that may have been written as a string or as a decimal.
struct LenientNumber(Option<u64>);

impl<'de> Deserialize<'de> for LenientNumber {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = scim2_core::Value::deserialize(deserializer)?;
        let number = match &value {
            scim2_core::Value::Null => return Ok(Self(None)),
            scim2_core::Value::String(text) => text.trim().parse::<u64>().ok(),
            scim2_core::Value::Number(number) => number.as_u64().or_else(|| whole(number.to_f64())),
            _ => None,
        };
        match number {
            Some(number) => Ok(Self(Some(number))),
            None => Err(D::Error::custom(format_args!(
                "expected a count in a ListResponse, found {}",
                value.kind()
            ))),
        }
    }
}

/// A decimal without a fraction, as some languages write whole numbers. Below 0 counts as 0.
fn whole(decimal: f64) -> Option<u64> {
    // Beyond 2^53 a decimal cannot represent every whole number.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "whole, and 0 to 2^53 after max"
    )]
    (decimal.fract() == 0.0 && decimal <= EXACT).then(|| decimal.max(0.0) as u64)
}

#[cfg(feature = "schemars")]
impl<T: schemars::JsonSchema> schemars::JsonSchema for ListResponse<T> {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        format!("ListResponse_of_{}", T::schema_name()).into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "object",
            "required": ["schemas"],
            "properties": {
                "schemas": { "type": "array", "contains": { "const": urn::LIST_RESPONSE } },
                "totalResults": { "type": "integer", "minimum": 0 },
                "startIndex": { "type": "integer", "minimum": 1 },
                "itemsPerPage": { "type": "integer", "minimum": 0 },
                "nextCursor": { "type": "string" },
                "previousCursor": { "type": "string" },
                "Resources": { "type": "array", "items": generator.subschema_for::<T>() }
            }
        })
    }
}
