//! How the answer to a query is divided into pages
//! ([RFC 9865 §4](https://www.rfc-editor.org/rfc/rfc9865#section-4)).

use serde::{Deserialize, Deserializer, Serialize};

use crate::value::{Object, Value};

/// The ways of paging that a service provider supports, and their limits. An absent member says nothing, so a
/// missing limit may still exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct Pagination {
    /// Pages by `cursor`.
    pub cursor: bool,
    /// Pages by `startIndex`.
    pub index: bool,
    /// How pages are divided if a request names neither.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "method")]
    pub default_pagination_method: Option<PaginationMethod>,
    /// How many resources a page has without `count`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_page_size: Option<u64>,
    /// How many resources a page has at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_page_size: Option<u64>,
    /// How long a cursor is valid, in seconds from the page it came with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cursor_timeout: Option<u64>,
}

/// A way of dividing an answer into pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum PaginationMethod {
    /// By `startIndex`, which every client knows.
    #[default]
    Index,
    /// By `cursor`.
    Cursor,
}

impl PaginationMethod {
    /// The word on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Index => "index",
            Self::Cursor => "cursor",
        }
    }
}

impl Pagination {
    pub(super) fn to_object(self) -> Object {
        let Self {
            cursor,
            index,
            default_pagination_method,
            default_page_size,
            max_page_size,
            cursor_timeout,
        } = self;
        let mut object = Object::from_iter([("cursor", Value::from(cursor)), ("index", Value::from(index))]);
        if let Some(method) = default_pagination_method {
            object.insert("defaultPaginationMethod", method.as_str());
        }
        let numbers = [
            ("defaultPageSize", default_page_size),
            ("maxPageSize", max_page_size),
            ("cursorTimeout", cursor_timeout),
        ];
        for (name, number) in numbers {
            if let Some(number) = number {
                object.insert(name, number);
            }
        }
        object
    }
}

/// An unknown word is read as absent.
fn method<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<PaginationMethod>, D::Error> {
    let word = Option::<std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
    let known = [PaginationMethod::Index, PaginationMethod::Cursor];
    Ok(word.and_then(|word| known.into_iter().find(|known| known.as_str().eq_ignore_ascii_case(&word))))
}
