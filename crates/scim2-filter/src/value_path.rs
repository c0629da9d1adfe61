use alloc::boxed::Box;
use core::str::FromStr;

use crate::error::FilterErrorKind;
use crate::{AttrPath, Filter, FilterError, FilterParser};

/// A filter on the elements of one attribute, the RFC's `valuePath`:
/// `emails[type eq "work" and value co "@example.com"]`.
///
/// It holds if *one* element satisfies the whole inner filter. The paths in the inner filter are
/// relative to the attribute. It cannot hold another value path (errata 4690 and 7322).
///
/// [RFC 7644 §3.4.2.2](https://www.rfc-editor.org/rfc/rfc7644#section-3.4.2.2)
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ValuePath {
    attr: AttrPath,
    filter: Box<Filter>,
}

impl ValuePath {
    /// The value path `attr[filter]`.
    ///
    /// # Errors
    /// [`FilterErrorKind::NestedValuePath`] if `filter` holds a value path,
    /// [`FilterErrorKind::TooDeep`] if the brackets would nest it deeper than
    /// [`DEFAULT_MAX_DEPTH`](crate::DEFAULT_MAX_DEPTH).
    pub fn new(attr: AttrPath, filter: Filter) -> Result<Self, FilterError> {
        if filter.has_value_path() {
            return Err(FilterError::of_tree(FilterErrorKind::NestedValuePath));
        }
        if filter.depth() >= crate::DEFAULT_MAX_DEPTH {
            return Err(FilterError::of_tree(FilterErrorKind::TooDeep));
        }
        Ok(Self::from_parts(attr, filter))
    }

    /// INVARIANT: `filter` holds no value path, and its depth is below the limit.
    pub(crate) fn from_parts(attr: AttrPath, filter: Filter) -> Self {
        Self { attr, filter: Box::new(filter) }
    }

    /// The attribute whose elements are tested.
    #[must_use]
    pub fn attr(&self) -> &AttrPath {
        &self.attr
    }

    /// What one element must satisfy, its paths relative to the attribute.
    #[must_use]
    pub fn filter(&self) -> &Filter {
        &self.filter
    }

    /// The attribute and the inner filter by value.
    #[must_use]
    pub fn into_parts(self) -> (AttrPath, Filter) {
        (self.attr, *self.filter)
    }

    pub(crate) fn depth(&self) -> usize {
        self.filter.depth() + 1
    }
}

impl FromStr for ValuePath {
    type Err = FilterError;

    fn from_str(text: &str) -> Result<Self, FilterError> {
        FilterParser::new().parse_value_path(text)
    }
}
