use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::Write;

use crate::{AttrExp, AttrPath, CompValue, CompareOp, Filter, ValuePath};

impl Filter {
    /// An equivalent filter that is not longer: redundant terms are removed.
    ///
    /// | filter | simplified |
    /// | --- | --- |
    /// | `not (not (x))` | `x` |
    /// | `x and y and X` | `x and y` |
    /// | `x or (x and y)`, `x and (x or y)` | `x` |
    /// | `a ne null`, `not (a eq null)` | `a pr` |
    /// | `a[x] or a[y]` | `a[x or y]` |
    ///
    /// The simplified filter matches the same resources, whatever the names mean, and whether an attribute has no value,
    /// one or many. So `not (a ne "x")` is left as it is, because it says that no value of a list differs, and so is
    /// `a[x] and a[y]`, because two different elements may satisfy it.
    ///
    /// A removed term is not resolved. So a filter with an unknown attribute there may compile afterwards.
    ///
    /// ```
    /// # use scim2_filter::Filter;
    /// let filter: Filter = r#"not (not (a pr)) or (A pr and b eq "x") or c[d pr] or c[e pr]"#.parse()?;
    /// assert_eq!(filter.simplify().to_string(), "a pr or c[d pr or e pr]");
    /// # Ok::<(), scim2_filter::FilterError>(())
    /// ```
    #[must_use]
    pub fn simplify(self) -> Self {
        match self {
            Self::And(operands) => join(operands.into_vec(), true),
            Self::Or(operands) => join(operands.into_vec(), false),
            Self::Not(negation) => negated(negation.into_filter().simplify()),
            Self::Attr(AttrExp::Compare { path, op: CompareOp::Ne, value: CompValue::Null }) => present(path),
            Self::Attr(exp) => Self::Attr(exp),
            Self::ValuePath(value_path) => {
                let (attr, filter) = value_path.into_parts();
                Self::ValuePath(ValuePath::from_parts(attr, filter.simplify()))
            }
        }
    }
}

fn present(path: AttrPath) -> Filter {
    Filter::Attr(AttrExp::Present { path })
}

fn negated(filter: Filter) -> Filter {
    match filter {
        Filter::Not(negation) => negation.into_filter(),
        Filter::Attr(AttrExp::Compare { path, op: CompareOp::Eq, value: CompValue::Null }) => present(path),
        other => Filter::not_of(other),
    }
}

/// Joins operands, each once, without those that another operand makes redundant.
fn join(operands: Vec<Filter>, and: bool) -> Filter {
    // A simplified operand may have become a list of this kind.
    let mut flat = Vec::with_capacity(operands.len());
    for operand in operands {
        match operand.simplify() {
            Filter::And(inner) if and => flat.extend(inner),
            Filter::Or(inner) if !and => flat.extend(inner),
            other => flat.push(other),
        }
    }
    if !and {
        flat = merge_value_paths(flat);
    }
    let mut seen = BTreeSet::new();
    let mut once: Vec<(String, Filter)> = Vec::with_capacity(flat.len());
    for operand in flat {
        let key = key(&operand);
        if seen.insert(key.clone()) {
            once.push((key, operand));
        }
    }
    let settled = |operand: &Filter| match operand {
        // A list among the operands is of the other kind.
        Filter::And(inner) | Filter::Or(inner) => inner.iter().any(|part| seen.contains(&key(part))),
        _ => false,
    };
    let kept: Vec<Filter> =
        once.into_iter().map(|(_, operand)| operand).filter(|operand| !settled(operand)).collect();
    // INVARIANT: at least one operand is kept, because no operand makes itself redundant; none is deeper.
    if and { Filter::and_of(kept) } else { Filter::or_of(kept) }
}

/// Merges value paths in an `or`: one element satisfies `x`, or one element satisfies `y`, so one element satisfies
/// `x or y`.
fn merge_value_paths(operands: Vec<Filter>) -> Vec<Filter> {
    enum Merged {
        ValuePath(AttrPath, Vec<Filter>),
        Other(Filter),
    }
    let mut places = BTreeMap::new();
    let mut merged: Vec<Merged> = Vec::with_capacity(operands.len());
    for operand in operands {
        let Filter::ValuePath(value_path) = operand else {
            merged.push(Merged::Other(operand));
            continue;
        };
        let (attr, filter) = value_path.into_parts();
        let place = *places.entry(attr.as_str().to_ascii_lowercase()).or_insert(merged.len());
        match merged.get_mut(place) {
            Some(Merged::ValuePath(_, filters)) => filters.push(filter),
            _ => merged.push(Merged::ValuePath(attr, Vec::from([filter]))),
        }
    }
    let one = |merged| match merged {
        Merged::ValuePath(attr, filters) => {
            Filter::ValuePath(ValuePath::from_parts(attr, join(filters, false)))
        }
        Merged::Other(filter) => filter,
    };
    merged.into_iter().map(one).collect()
}

/// A key that is equal for equal filters: the nodes in order, with paths in lower case.
fn key(filter: &Filter) -> String {
    let mut key = String::new();
    filter.visit(&mut |node| {
        // Writing to a string cannot fail.
        let _ = match node {
            Filter::And(operands) => write!(key, "&{} ", operands.len()),
            Filter::Or(operands) => write!(key, "|{} ", operands.len()),
            Filter::Not(_) => write!(key, "! "),
            Filter::Attr(AttrExp::Present { path }) => write!(key, "{} pr ", Lower(path)),
            Filter::Attr(AttrExp::Compare { path, op, value }) => {
                write!(key, "{} {op} {value} ", Lower(path))
            }
            Filter::ValuePath(value_path) => write!(key, "{}[ ", Lower(value_path.attr())),
        };
    });
    key
}

struct Lower<'a>(&'a AttrPath);

impl core::fmt::Display for Lower<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        self.0.as_str().chars().try_for_each(|letter| f.write_char(letter.to_ascii_lowercase()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let simple = text.parse::<Filter>().unwrap().simplify();
        assert_eq!(simple.to_string(), expected, "{text}");
        assert_eq!(simple.clone().simplify(), simple, "{text}");
    }

    #[test]
    fn redundant_terms_are_removed() {
        check("a pr", "a pr");
        check("not (not (a pr))", "a pr");
        check("not (not (not (a pr)))", "not (a pr)");
        check("a pr and A pr", "a pr");
        check("a pr or b pr or a pr", "a pr or b pr");
        check("a pr or (a pr and b pr)", "a pr");
        check("(a pr or b pr) and a pr", "a pr");
        check("a pr and not (not (b pr and a pr))", "a pr and b pr");
        check("a pr or not (not (b pr or c pr))", "a pr or b pr or c pr");
        check("a pr or not (not (a pr or b pr))", "a pr or b pr");
        check("a pr and not (not (a pr and b pr))", "a pr and b pr");
        check("a ne null", "a pr");
        check("not (a eq null)", "a pr");
        check("not (a ne null)", "not (a pr)");
        check("a eq null or a ne null", "a eq null or a pr");
        check("x[a pr] or b pr or X[c pr]", "x[a pr or c pr] or b pr");
        check("x[a pr] or x[a pr and b pr]", "x[a pr]");
        check("x[not (not (a pr))]", "x[a pr]");
        check(r#"a eq "x" or a eq "X" or a eq "x""#, r#"a eq "x" or a eq "X""#);
        check("a eq 1 or a eq 1.0", "a eq 1 or a eq 1.0");
    }

    #[test]
    fn value_paths_of_two_elements_are_not_merged() {
        check("x[a pr] and x[b pr]", "x[a pr] and x[b pr]");
        check(r#"not (a ne "x")"#, r#"not (a ne "x")"#);
        check(r#"not (x[a pr])"#, "not (x[a pr])");
        check("x[not (a pr)]", "x[not (a pr)]");
        check("a pr and not (a pr)", "a pr and not (a pr)");
    }

    #[test]
    fn a_long_chain_takes_no_quadratic_time() {
        let chain = (0..20_000).map(|n| Filter::attr("a").unwrap().eq(i64::from(n % 10_000)));
        let Filter::Or(operands) = Filter::any(chain).unwrap().simplify() else { panic!("an or") };
        assert_eq!(operands.len(), 10_000);
    }
}
