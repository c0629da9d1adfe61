use std::borrow::Cow;
use std::fmt::{self, Write as _};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use scim2_core::Compat;
use scim2_filter::AttrPath;
use scim2_names::eq_ignore_case;

use crate::message_error::{MessageError, MessageErrorKind};
use crate::projection::Projection;

/// The parameters of a query ([RFC 7644 §3.4.2](https://www.rfc-editor.org/rfc/rfc7644#section-3.4.2),
/// [RFC 9865 §2](https://www.rfc-editor.org/rfc/rfc9865#section-2)).
///
/// They come from the query string of a GET or from the body of a POST to `/.search`
/// ([`SearchRequest`](crate::SearchRequest)).
///
/// ```
/// use scim2_core::Compat;
/// use scim2_protocol::{Projection, QueryParameters};
///
/// let query = QueryParameters {
///     projection: Projection::Attributes(vec!["userName".parse()?]),
///     filter: Some(r#"userName sw "j+""#.to_owned()),
///     count: Some(10),
///     ..QueryParameters::default()
/// };
/// let text = query.to_query_string();
/// assert_eq!(text, "attributes=userName&filter=userName%20sw%20%22j%2B%22&count=10");
/// assert_eq!(QueryParameters::from_query_str(&text, &Compat::strict())?, query);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct QueryParameters {
    /// `attributes` or `excludedAttributes`.
    pub projection: Projection,
    /// `filter`: not empty, not parsed.
    pub filter: Option<String>,
    /// `sortBy`.
    pub sort_by: Option<AttrPath>,
    /// `sortOrder`. It has no effect without `sort_by`.
    pub sort_order: SortOrder,
    /// `startIndex`, 1-based. A number below 1 is read as 1.
    pub start_index: Option<u64>,
    /// `count`, the wanted page size. 0 asks for `totalResults` only. A number below 0
    /// is read as 0.
    pub count: Option<u64>,
    /// `cursor`. The empty string asks for the first page by cursor.
    pub cursor: Option<String>,
}

impl QueryParameters {
    /// Reads the query of a URI, without the `?`.
    ///
    /// A name matches in its exact spelling, or else in any letter case. `+` is a space. An unencoded quote or space is
    /// accepted unchanged, and an extra `&` is ignored. Unknown parameters are ignored, and so are known
    /// ones without a value, with two exceptions: `cursor` asks for the first page, and `filter` is an error,
    /// because without its filter the query would return other resources.
    ///
    /// # Errors
    /// [`InvalidFilter`](MessageErrorKind::InvalidFilter) for an empty or a repeated `filter`
    /// (A-60), [`InvalidValue`](MessageErrorKind::InvalidValue) for a `startIndex` or `count` that
    /// is not an integer (A-57; for a `count` next to a `cursor`
    /// [`InvalidCount`](MessageErrorKind::InvalidCount)), another `sortOrder`, a `sortBy` that names no attribute, another
    /// parameter given twice, both projections in `strict` mode (A-27), and text that is not UTF-8.
    pub fn from_query_str(query: &str, compat: &Compat) -> Result<Self, MessageError> {
        let raw = RawParameters::parse(query)?;
        let projection = raw.projection(compat)?;
        let filter = match raw.single(FILTER)? {
            Some(filter) if filter.trim().is_empty() => return Err(empty_filter()),
            filter => filter.map(str::to_owned),
        };
        let cursor = raw.single(CURSOR)?.map(str::to_owned);
        let count = raw.integer(COUNT).map_err(|error| error.of_count(cursor.is_some()))?;
        Ok(Self {
            projection,
            filter,
            sort_by: raw.given(SORT_BY)?.map(parse_sort_by).transpose()?,
            sort_order: raw.given(SORT_ORDER)?.map(str::parse).transpose()?.unwrap_or_default(),
            start_index: raw.integer(START_INDEX)?.map(at_least_one),
            count: count.map(at_least_zero),
            cursor,
        })
    }

    /// Writes the query of a URI, percent-encoded and without the `?`. Empty if no parameter is set.
    #[must_use]
    pub fn to_query_string(&self) -> String {
        let Self { projection, filter, sort_by, sort_order, start_index, count, cursor } = self;
        let mut query = String::new();
        match projection {
            Projection::Default => {}
            Projection::Attributes(paths) => push(&mut query, ATTRIBUTES, &join(paths)),
            Projection::ExcludedAttributes(paths) => push(&mut query, EXCLUDED_ATTRIBUTES, &join(paths)),
        }
        if let Some(filter) = filter {
            push(&mut query, FILTER, filter);
        }
        if let Some(sort_by) = sort_by {
            push(&mut query, SORT_BY, sort_by.as_str());
        }
        if *sort_order != SortOrder::default() {
            push(&mut query, SORT_ORDER, sort_order.as_str());
        }
        if let Some(start_index) = start_index {
            push(&mut query, START_INDEX, &start_index.to_string());
        }
        if let Some(count) = count {
            push(&mut query, COUNT, &count.to_string());
        }
        if let Some(cursor) = cursor {
            push(&mut query, CURSOR, cursor);
        }
        query
    }

    pub(crate) fn projection_from_query_str(
        query: &str,
        compat: &Compat,
    ) -> Result<Projection, MessageError> {
        RawParameters::parse(query)?.projection(compat)
    }
}

/// The order of a sorted query
/// ([RFC 7644 §3.4.2.3](https://www.rfc-editor.org/rfc/rfc7644#section-3.4.2.3)).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum SortOrder {
    /// `ascending`; resources without the value come last.
    #[default]
    Ascending,
    /// `descending`; resources without the value come first.
    Descending,
}

impl SortOrder {
    /// The keyword in the query.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ascending => "ascending",
            Self::Descending => "descending",
        }
    }
}

impl std::str::FromStr for SortOrder {
    type Err = MessageError;

    fn from_str(text: &str) -> Result<Self, MessageError> {
        [Self::Ascending, Self::Descending]
            .into_iter()
            .find(|order| eq_ignore_case(order.as_str(), text))
            .ok_or_else(|| MessageError::invalid_value(SORT_ORDER, "`ascending` or `descending`", text))
    }
}

impl fmt::Display for SortOrder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

pub(crate) const ATTRIBUTES: &str = "attributes";
pub(crate) const EXCLUDED_ATTRIBUTES: &str = "excludedAttributes";
pub(crate) const FILTER: &str = "filter";
pub(crate) const SORT_BY: &str = "sortBy";
pub(crate) const SORT_ORDER: &str = "sortOrder";
pub(crate) const START_INDEX: &str = "startIndex";
pub(crate) const COUNT: &str = "count";
pub(crate) const CURSOR: &str = "cursor";

const KNOWN: [&str; 8] =
    [ATTRIBUTES, EXCLUDED_ATTRIBUTES, FILTER, SORT_BY, SORT_ORDER, START_INDEX, COUNT, CURSOR];

pub(crate) fn parse_sort_by(text: &str) -> Result<AttrPath, MessageError> {
    text.trim().parse().map_err(|_| MessageError::invalid_value(SORT_BY, "the path of an attribute", text))
}

pub(crate) fn empty_filter() -> MessageError {
    let line = "expected an expression in `filter`, found nothing";
    MessageError::new(MessageErrorKind::InvalidFilter, line)
}

pub(crate) fn at_least_one(number: i64) -> u64 {
    at_least_zero(number).max(1)
}

pub(crate) fn at_least_zero(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

/// The separator of names in a query string.
pub(crate) fn split_names(list: &str) -> impl Iterator<Item = &str> {
    list.split(',').map(str::trim).filter(|name| !name.is_empty())
}

/// The known parameters of a query string, decoded.
struct RawParameters<'a> {
    /// The name, whether it was spelled exactly, and the value.
    parameters: Vec<(&'static str, bool, Cow<'a, str>)>,
}

impl<'a> RawParameters<'a> {
    fn parse(query: &'a str) -> Result<Self, MessageError> {
        let mut parameters = Vec::new();
        for pair in query.split('&') {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            // A name that is not UTF-8 is unknown.
            let Some(name) = decode(name) else { continue };
            let Some(known) = KNOWN.into_iter().find(|known| eq_ignore_case(known, &name)) else { continue };
            let value = decode(value).ok_or_else(|| {
                let line = format!("expected UTF-8 in `{known}`, found other bytes");
                MessageError::new(MessageErrorKind::InvalidValue, line)
            })?;
            parameters.push((known, known == name, value));
        }
        Ok(Self { parameters })
    }

    /// The values of a parameter under its exact name, or else under its name in any letter case.
    fn values(&self, name: &'static str) -> impl Iterator<Item = &str> {
        let exact = self.parameters.iter().any(|(known, exact, _)| *known == name && *exact);
        self.parameters
            .iter()
            .filter(move |(known, is_exact, _)| *known == name && (*is_exact || !exact))
            .map(|(_, _, value)| &**value)
    }

    /// The only value of a parameter. It may be empty.
    fn single(&self, name: &'static str) -> Result<Option<&str>, MessageError> {
        let mut values = self.values(name);
        let first = values.next();
        // A second filter in another spelling counts too: ignoring it would return more resources.
        let repeated = match name {
            FILTER => self.parameters.iter().filter(|(known, ..)| *known == FILTER).nth(1).is_some(),
            _ => values.next().is_some(),
        };
        if repeated {
            let kind = match name {
                FILTER => MessageErrorKind::InvalidFilter,
                _ => MessageErrorKind::InvalidValue,
            };
            return Err(MessageError::new(kind, format!("expected one `{name}`, found several")));
        }
        Ok(first)
    }

    /// The only value of a parameter, if it is not empty.
    fn given(&self, name: &'static str) -> Result<Option<&str>, MessageError> {
        Ok(self.single(name)?.filter(|value| !value.is_empty()))
    }

    fn integer(&self, name: &'static str) -> Result<Option<i64>, MessageError> {
        let Some(text) = self.given(name)? else { return Ok(None) };
        let digits = text.trim();
        let (negative, digits) = match digits.strip_prefix('-') {
            Some(digits) => (true, digits),
            None => (false, digits),
        };
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(MessageError::invalid_value(name, "an integer", text));
        }
        // Larger numbers are clamped: a page beyond 2^63 is as empty as one at 2^63.
        let number = digits.parse().unwrap_or(i64::MAX);
        Ok(Some(if negative { -number } else { number }))
    }

    fn projection(&self, compat: &Compat) -> Result<Projection, MessageError> {
        Projection::from_names(
            self.values(ATTRIBUTES).flat_map(split_names),
            self.values(EXCLUDED_ATTRIBUTES).flat_map(split_names),
            compat,
        )
    }
}

fn decode(text: &str) -> Option<Cow<'_, str>> {
    if !text.contains(['%', '+']) {
        return Some(Cow::Borrowed(text));
    }
    let spaced = if text.contains('+') { Cow::Owned(text.replace('+', " ")) } else { Cow::Borrowed(text) };
    let mut bytes = Vec::with_capacity(spaced.len());
    bytes.extend(percent_decode_str(&spaced));
    String::from_utf8(bytes).ok().map(Cow::Owned)
}

/// The characters that are percent-encoded in a query: all except the unreserved ones and those that every
/// reader accepts unencoded.
const ENCODED: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b',').remove(b':');

fn push(query: &mut String, name: &str, value: &str) {
    if !query.is_empty() {
        query.push('&');
    }
    // INVARIANT: writing to a `String` never fails.
    let _ = write!(query, "{name}={}", utf8_percent_encode(value, ENCODED));
}

fn join(paths: &[AttrPath]) -> String {
    paths.iter().map(AttrPath::as_str).collect::<Vec<_>>().join(",")
}
