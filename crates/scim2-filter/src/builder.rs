use alloc::vec::Vec;

use crate::error::FilterErrorKind;
use crate::{AttrExp, AttrPath, CompValue, CompareOp, DEFAULT_MAX_DEPTH, Filter, FilterError, ValuePath};

/// An attribute that needs an operator, from [`Filter::attr`].
///
/// ```
/// use scim2_filter::Filter;
///
/// let filter = Filter::attr("userName")?.eq("bjensen").and(Filter::attr("title")?.pr())?;
/// assert_eq!(filter.to_string(), r#"userName eq "bjensen" and title pr"#);
///
/// let work = Filter::attr("type")?.eq("work");
/// let email = Filter::attr("emails")?.matching(work)?;
/// assert_eq!(email.to_string(), r#"emails[type eq "work"]"#);
/// assert!(Filter::attr("emails")?.matching(email).is_err()); // no value path in a value path
/// # Ok::<(), scim2_filter::FilterError>(())
/// ```
#[derive(Debug, Clone)]
#[must_use]
pub struct AttrTerm(AttrPath);

impl AttrTerm {
    /// The attribute equals `value`.
    pub fn eq(self, value: impl Into<CompValue>) -> Filter {
        self.compare(CompareOp::Eq, value)
    }

    /// The attribute differs from `value`.
    pub fn ne(self, value: impl Into<CompValue>) -> Filter {
        self.compare(CompareOp::Ne, value)
    }

    /// The attribute contains `value`.
    pub fn co(self, value: impl Into<CompValue>) -> Filter {
        self.compare(CompareOp::Co, value)
    }

    /// The attribute starts with `value`.
    pub fn sw(self, value: impl Into<CompValue>) -> Filter {
        self.compare(CompareOp::Sw, value)
    }

    /// The attribute ends with `value`.
    pub fn ew(self, value: impl Into<CompValue>) -> Filter {
        self.compare(CompareOp::Ew, value)
    }

    /// The attribute is greater than `value`.
    pub fn gt(self, value: impl Into<CompValue>) -> Filter {
        self.compare(CompareOp::Gt, value)
    }

    /// The attribute is greater than `value` or equal to it.
    pub fn ge(self, value: impl Into<CompValue>) -> Filter {
        self.compare(CompareOp::Ge, value)
    }

    /// The attribute is less than `value`.
    pub fn lt(self, value: impl Into<CompValue>) -> Filter {
        self.compare(CompareOp::Lt, value)
    }

    /// The attribute is less than `value` or equal to it.
    pub fn le(self, value: impl Into<CompValue>) -> Filter {
        self.compare(CompareOp::Le, value)
    }

    /// The attribute compares with `value` by `op`.
    pub fn compare(self, op: CompareOp, value: impl Into<CompValue>) -> Filter {
        Filter::Attr(AttrExp::Compare { path: self.0, op, value: value.into() })
    }

    /// The attribute has a value.
    pub fn pr(self) -> Filter {
        Filter::Attr(AttrExp::Present { path: self.0 })
    }

    /// One element of the attribute satisfies `filter`, whose paths are relative to it.
    ///
    /// # Errors
    /// Those of [`ValuePath::new`].
    pub fn matching(self, filter: Filter) -> Result<Filter, FilterError> {
        ValuePath::new(self.0, filter).map(Filter::ValuePath)
    }
}

impl Filter {
    /// Starts a filter on the attribute at `path`, such as `name.givenName`.
    ///
    /// # Errors
    /// If `path` is not an attribute path.
    pub fn attr(path: &str) -> Result<AttrTerm, FilterError> {
        path.parse().map(AttrTerm)
    }

    /// Both this filter and `other` hold.
    ///
    /// # Errors
    /// [`FilterErrorKind::TooDeep`] if the result would nest deeper than [`DEFAULT_MAX_DEPTH`].
    pub fn and(self, other: Filter) -> Result<Filter, FilterError> {
        bounded(self.join(other, true))
    }

    /// This filter or `other` holds, or both.
    ///
    /// # Errors
    /// [`FilterErrorKind::TooDeep`] if the result would nest deeper than [`DEFAULT_MAX_DEPTH`].
    pub fn or(self, other: Filter) -> Result<Filter, FilterError> {
        bounded(self.join(other, false))
    }

    /// This filter does not hold.
    ///
    /// # Errors
    /// [`FilterErrorKind::TooDeep`] if the result would nest deeper than [`DEFAULT_MAX_DEPTH`].
    pub fn negate(self) -> Result<Filter, FilterError> {
        bounded(Filter::not_of(self))
    }

    /// All of `filters` hold. A single filter is returned unchanged.
    ///
    /// # Errors
    /// [`FilterErrorKind::Empty`] for no filter at all, [`FilterErrorKind::TooDeep`] if the result
    /// would nest deeper than [`DEFAULT_MAX_DEPTH`].
    pub fn all(filters: impl IntoIterator<Item = Filter>) -> Result<Filter, FilterError> {
        bounded(Filter::and_of(some(filters)?))
    }

    /// At least one of `filters` holds. A single filter is returned unchanged.
    ///
    /// # Errors
    /// [`FilterErrorKind::Empty`] for no filter at all, [`FilterErrorKind::TooDeep`] if the result
    /// would nest deeper than [`DEFAULT_MAX_DEPTH`].
    pub fn any(filters: impl IntoIterator<Item = Filter>) -> Result<Filter, FilterError> {
        bounded(Filter::or_of(some(filters)?))
    }
}

fn some(filters: impl IntoIterator<Item = Filter>) -> Result<Vec<Filter>, FilterError> {
    let filters: Vec<Filter> = filters.into_iter().collect();
    if filters.is_empty() { Err(FilterError::of_tree(FilterErrorKind::Empty)) } else { Ok(filters) }
}

/// Dropping a tree that is one level too deep recurses only one level more.
fn bounded(filter: Filter) -> Result<Filter, FilterError> {
    if filter.depth() > DEFAULT_MAX_DEPTH {
        return Err(FilterError::of_tree(FilterErrorKind::TooDeep));
    }
    Ok(filter)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    fn a(name: &str) -> Filter {
        Filter::attr(name).unwrap().pr()
    }

    #[test]
    fn lists_are_flat() {
        let chain = a("a").or(a("b")).unwrap().or(a("c").or(a("d")).unwrap()).unwrap();
        assert_eq!(chain.to_string(), "a pr or b pr or c pr or d pr");
        let Filter::Or(operands) = &chain else { panic!("{chain:?}") };
        assert_eq!(operands.len(), 4);
        let mixed = chain.and(a("e")).unwrap();
        assert_eq!(mixed.to_string(), "(a pr or b pr or c pr or d pr) and e pr");
        assert_eq!(mixed.to_string().parse::<Filter>().unwrap(), mixed);
        assert_eq!(mixed.depth(), 1);
    }

    #[test]
    fn chains_grow_in_linear_time() {
        let long = |join: fn(Filter, Filter) -> Result<Filter, FilterError>| {
            (1..100_000).fold(a("a"), |chain, _| join(chain, a("b")).unwrap())
        };
        assert!(matches!(long(Filter::and), Filter::And(list) if list.len() == 100_000));
        let deep = long(Filter::or).and(a("c").or(a("d")).unwrap().negate().unwrap()).unwrap();
        let Filter::And(operands) = &deep else { panic!("an and") };
        assert!(matches!(&operands[0], Filter::Or(list) if list.len() == 100_000));
        assert_eq!(deep.depth(), 1);
        let value_path = Filter::attr("x").unwrap().matching(a("y")).unwrap();
        let nested = a("a").and(a("b")).unwrap().and(value_path).unwrap();
        let error = Filter::attr("z").unwrap().matching(nested).unwrap_err();
        assert_eq!(error.kind(), FilterErrorKind::NestedValuePath);
    }

    #[test]
    fn list_of_one_filter_is_that_filter() {
        assert_eq!(Filter::all([a("a")]).unwrap(), a("a"));
        assert_eq!(Filter::any([]).unwrap_err().kind(), FilterErrorKind::Empty);
    }

    #[test]
    fn depth_is_bounded_while_building() {
        let mut filter = a("a");
        for _ in 0..DEFAULT_MAX_DEPTH {
            filter = filter.negate().unwrap();
        }
        assert_eq!(filter.depth(), DEFAULT_MAX_DEPTH);
        assert_eq!(filter.to_string().parse::<Filter>().unwrap(), filter);
        assert_eq!(filter.clone().negate().unwrap_err().kind(), FilterErrorKind::TooDeep);
        let beside = filter.and(a("b")).unwrap();
        assert_eq!(Filter::attr("x").unwrap().matching(beside).unwrap_err().kind(), FilterErrorKind::TooDeep);
    }
}
