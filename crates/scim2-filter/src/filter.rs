use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;
use core::ops::Deref;
use core::str::FromStr;

use crate::{AttrExp, FilterError, FilterParser, ValuePath};

/// A filter, the RFC's `FILTER`, as a tree.
///
/// ```
/// use scim2_filter::Filter;
///
/// let filter: Filter = r#"title pr and (userType EQ "Intern" or userType eq "Temp")"#.parse()?;
/// let Filter::And(operands) = &filter else { unreachable!() };
/// assert_eq!(operands.len(), 2);
/// assert!(matches!(operands[1], Filter::Or(_)));
/// assert_eq!(filter.to_string(), r#"title pr and (userType eq "Intern" or userType eq "Temp")"#);
/// # Ok::<(), scim2_filter::FilterError>(())
/// ```
///
/// # What always holds
/// Trees come from the [parser](FilterParser) or from the builder that starts with
/// [`Filter::attr`]. Both keep these promises, so that every tree prints as a text that parses
/// to the same tree:
/// - an `And` has at least two operands and none of them is an `And`; likewise `Or`;
/// - no value path is nested in a value path (errata 4690 and 7322 of RFC 7644);
/// - the tree is never [nested](Self::depth) deeper than the limit it was made with, so walking,
///   printing, comparing and dropping it recurse no deeper either.
///
/// [RFC 7644 §3.4.2.2](https://www.rfc-editor.org/rfc/rfc7644#section-3.4.2.2)
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Filter {
    /// Every operand holds.
    And(Operands),
    /// At least one operand holds.
    Or(Operands),
    /// The operand does not hold.
    Not(Negation),
    /// One attribute is tested.
    Attr(AttrExp),
    /// One element of a multi-valued attribute satisfies the whole filter in brackets.
    ValuePath(ValuePath),
}

impl Filter {
    /// How deeply parentheses and brackets nest in the printed filter: 0 for `a pr`, 1 for
    /// `not (a pr)` and for `emails[type eq "work"]`.
    ///
    /// A tree has at most two levels of nodes for each level of nesting.
    #[must_use]
    pub fn depth(&self) -> usize {
        match self {
            Self::And(operands) | Self::Or(operands) => operands.depth as usize,
            Self::Not(negation) => negation.depth as usize,
            Self::Attr(_) => 0,
            Self::ValuePath(value_path) => value_path.depth(),
        }
    }

    pub(crate) fn has_value_path(&self) -> bool {
        match self {
            Self::And(operands) | Self::Or(operands) => operands.has_value_path,
            Self::Not(negation) => negation.filter.has_value_path(),
            Self::Attr(_) => false,
            Self::ValuePath(_) => true,
        }
    }

    /// INVARIANT: `operands` are not empty, and the depth of each is below the limit.
    pub(crate) fn and_of(operands: Vec<Filter>) -> Self {
        Self::joined(operands, true)
    }

    /// INVARIANT: `operands` are not empty, and the depth of each is below the limit.
    pub(crate) fn or_of(operands: Vec<Filter>) -> Self {
        Self::joined(operands, false)
    }

    /// INVARIANT: the depth of `filter` is below the limit.
    pub(crate) fn not_of(filter: Filter) -> Self {
        let depth = clamp(filter.depth() + 1);
        Self::Not(Negation { filter: Box::new(filter), depth })
    }

    fn joined(operands: Vec<Filter>, and: bool) -> Self {
        let mut joined = Operands { depth: 0, has_value_path: false, items: operands };
        if joined.items.iter().any(|operand| operand.is_list_of(and)) {
            joined.items = flatten(joined.items, and);
        }
        if joined.items.len() == 1
            && let Some(only) = joined.items.pop()
        {
            return only;
        }
        for operand in &joined.items {
            joined.depth = joined.depth.max(clamp(operand.depth_within(and)));
            joined.has_value_path |= operand.has_value_path();
        }
        if and { Self::And(joined) } else { Self::Or(joined) }
    }

    fn is_list_of(&self, and: bool) -> bool {
        match self {
            Self::And(_) => and,
            Self::Or(_) => !and,
            Self::Not(_) | Self::Attr(_) | Self::ValuePath(_) => false,
        }
    }

    /// Joins two filters. An existing list grows, so that a chain is built in linear time.
    ///
    /// INVARIANT: the depth of each is below the limit.
    pub(crate) fn join(self, other: Self, and: bool) -> Self {
        match self {
            Self::And(mut operands) if and => {
                operands.push(other, and);
                Self::And(operands)
            }
            Self::Or(mut operands) if !and => {
                operands.push(other, and);
                Self::Or(operands)
            }
            first => Self::joined(Vec::from([first, other]), and),
        }
    }

    /// The depth as an operand. An `or` within an `and` needs parentheses.
    pub(crate) fn depth_within(&self, and: bool) -> usize {
        self.depth() + usize::from(and && matches!(self, Self::Or(_)))
    }
}

/// Merges lists of the same operator. The first list grows.
fn flatten(operands: Vec<Filter>, and: bool) -> Vec<Filter> {
    let mut items: Vec<Filter> = Vec::new();
    for operand in operands {
        match operand {
            Filter::And(inner) if and => take_in(&mut items, inner.items),
            Filter::Or(inner) if !and => take_in(&mut items, inner.items),
            other => items.push(other),
        }
    }
    items
}

fn take_in(items: &mut Vec<Filter>, mut more: Vec<Filter>) {
    if items.is_empty() {
        *items = more;
    } else {
        items.append(&mut more);
    }
}

fn clamp(depth: usize) -> u16 {
    u16::try_from(depth).unwrap_or(u16::MAX)
}

impl FromStr for Filter {
    type Err = FilterError;

    /// Reads a filter with the [defaults](FilterParser::new) of the parser.
    fn from_str(text: &str) -> Result<Self, FilterError> {
        FilterParser::new().parse(text)
    }
}

/// The operands of an `and` or an `or`: at least two, read through a slice.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Operands {
    items: Vec<Filter>,
    depth: u16,
    has_value_path: bool,
}

impl Operands {
    /// The operands by value.
    #[must_use]
    pub fn into_vec(self) -> Vec<Filter> {
        self.items
    }
}

impl Operands {
    fn push(&mut self, operand: Filter, and: bool) {
        self.depth = self.depth.max(clamp(operand.depth_within(and)));
        self.has_value_path |= operand.has_value_path();
        match operand {
            Filter::And(more) if and => self.items.extend(more),
            Filter::Or(more) if !and => self.items.extend(more),
            other => self.items.push(other),
        }
    }
}

impl Deref for Operands {
    type Target = [Filter];

    fn deref(&self) -> &[Filter] {
        &self.items
    }
}

impl<'a> IntoIterator for &'a Operands {
    type Item = &'a Filter;
    type IntoIter = core::slice::Iter<'a, Filter>;

    fn into_iter(self) -> Self::IntoIter {
        self.items.iter()
    }
}

impl IntoIterator for Operands {
    type Item = Filter;
    type IntoIter = alloc::vec::IntoIter<Filter>;

    fn into_iter(self) -> Self::IntoIter {
        self.items.into_iter()
    }
}

impl fmt::Debug for Operands {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.items.fmt(f)
    }
}

/// The operand of a `not`.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Negation {
    filter: Box<Filter>,
    depth: u16,
}

impl Negation {
    /// What must not hold.
    #[must_use]
    pub fn filter(&self) -> &Filter {
        &self.filter
    }

    /// What must not hold, by value.
    #[must_use]
    pub fn into_filter(self) -> Filter {
        *self.filter
    }
}

impl fmt::Debug for Negation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.filter.fmt(f)
    }
}
