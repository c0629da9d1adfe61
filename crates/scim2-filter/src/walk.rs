use alloc::vec::Vec;

use crate::{AttrExp, AttrPath, Filter};

impl Filter {
    /// Calls `see` with this filter and each filter in it, a node before its operands, in the
    /// order of the text. Includes the filters of value paths.
    ///
    /// ```
    /// # use scim2_filter::Filter;
    /// let filter: Filter = r#"a pr and not (b[c eq "x"])"#.parse()?;
    /// let mut nodes = 0;
    /// filter.visit(&mut |_| nodes += 1);
    /// assert_eq!(nodes, 5); // and, a, not, b[…], c
    /// # Ok::<(), scim2_filter::FilterError>(())
    /// ```
    pub fn visit<'a>(&'a self, see: &mut impl FnMut(&'a Filter)) {
        let mut open = Vec::from([self]);
        while let Some(filter) = open.pop() {
            see(filter);
            push_operands(filter, &mut open);
        }
    }

    /// Converts the filter from the leaves up: `make` is called for each node, with its results for the
    /// node's operands.
    ///
    /// ```
    /// # use scim2_filter::{Filter, Folded};
    /// /// How many attributes a filter tests at most.
    /// fn tests(filter: &Filter) -> usize {
    ///     filter.fold(&mut |node| match node {
    ///         Folded::And(operands) | Folded::Or(operands) => operands.into_iter().sum(),
    ///         Folded::Not(operand) | Folded::ValuePath(_, operand) => operand,
    ///         Folded::Attr(_) => 1,
    ///     })
    /// }
    /// assert_eq!(tests(&r#"a pr and not (b[c eq "x" or d pr])"#.parse()?), 3);
    /// # Ok::<(), scim2_filter::FilterError>(())
    /// ```
    ///
    /// It recurses as deep as the filter [nests](Self::depth).
    pub fn fold<'a, T>(&'a self, make: &mut impl FnMut(Folded<'a, T>) -> T) -> T {
        let node = match self {
            Self::And(operands) => Folded::And(operands.iter().map(|operand| operand.fold(make)).collect()),
            Self::Or(operands) => Folded::Or(operands.iter().map(|operand| operand.fold(make)).collect()),
            Self::Not(negation) => Folded::Not(negation.filter().fold(make)),
            Self::Attr(exp) => Folded::Attr(exp),
            Self::ValuePath(value_path) => {
                Folded::ValuePath(value_path.attr(), value_path.filter().fold(make))
            }
        };
        make(node)
    }

    /// Every attribute the filter names, in the order of the text, as often as it is named.
    ///
    /// ```
    /// # use scim2_filter::Filter;
    /// let filter: Filter = r#"userName pr or emails[type eq "work"]"#.parse()?;
    /// let names: Vec<String> = filter.attr_paths().map(|used| used.to_string()).collect();
    /// assert_eq!(names, ["userName", "emails", "emails.type"]);
    /// # Ok::<(), scim2_filter::FilterError>(())
    /// ```
    #[must_use]
    pub fn attr_paths(&self) -> AttrPaths<'_> {
        AttrPaths { open: Vec::from([(None, self)]) }
    }
}

/// One node of a filter that is [folded](Filter::fold), with the results for its operands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Folded<'a, T> {
    /// An `and` of at least two operands.
    And(Vec<T>),
    /// An `or` of at least two operands.
    Or(Vec<T>),
    /// The operand does not hold.
    Not(T),
    /// One attribute is tested.
    Attr(&'a AttrExp),
    /// One element of the attribute satisfies the operand.
    ValuePath(&'a AttrPath, T),
}

fn push_operands<'a>(filter: &'a Filter, open: &mut Vec<&'a Filter>) {
    match filter {
        Filter::And(operands) | Filter::Or(operands) => open.extend(operands.iter().rev()),
        Filter::Not(negation) => open.push(negation.filter()),
        Filter::ValuePath(value_path) => open.push(value_path.filter()),
        Filter::Attr(_) => {}
    }
}

/// The iterator of [`Filter::attr_paths`].
#[derive(Debug, Clone)]
pub struct AttrPaths<'a> {
    open: Vec<(Option<&'a AttrPath>, &'a Filter)>,
}

/// One use of an attribute in a filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AttrUse<'a> {
    /// The attribute before the brackets, if the path stands within a value path.
    pub parent: Option<&'a AttrPath>,
    /// The path as written: within a value path relative to `parent`.
    pub path: &'a AttrPath,
}

impl core::fmt::Display for AttrUse<'_> {
    /// Prints the path from the resource's root.
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self.parent {
            Some(parent) => write!(f, "{parent}.{}", self.path),
            None => self.path.fmt(f),
        }
    }
}

impl<'a> Iterator for AttrPaths<'a> {
    type Item = AttrUse<'a>;

    fn next(&mut self) -> Option<AttrUse<'a>> {
        while let Some((parent, filter)) = self.open.pop() {
            match filter {
                Filter::And(operands) | Filter::Or(operands) => {
                    self.open.extend(operands.iter().rev().map(|operand| (parent, operand)));
                }
                Filter::Not(negation) => self.open.push((parent, negation.filter())),
                Filter::ValuePath(value_path) => {
                    self.open.push((Some(value_path.attr()), value_path.filter()));
                    return Some(AttrUse { parent, path: value_path.attr() });
                }
                Filter::Attr(AttrExp::Present { path } | AttrExp::Compare { path, .. }) => {
                    return Some(AttrUse { parent, path });
                }
            }
        }
        None
    }
}
