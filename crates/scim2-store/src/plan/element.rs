//! Conditions on one element of an attribute: `emails[type eq "work" and value co "@example.com"]`.

use scim2_core::AttributeId;
use scim2_filter::{CompareOp, Condition, Operand};

use super::{Planner, Rank, Result, Term, Test, key};
use crate::model::index::IndexedPath;
use crate::sql::{Sql, blob, integer};

/// A test of one index row of an element.
struct Leaf {
    path: IndexedPath,
    /// Over the column `value` of the innermost index row.
    values: Sql,
    /// Whether the test is an equality, which is looked up for one element at a time.
    equal: bool,
    exact: bool,
    rank: Rank,
}

impl Planner<'_> {
    pub(super) fn element(&mut self, attribute: AttributeId, condition: &Condition) -> Result<Term> {
        let conditions = match condition {
            Condition::And(conditions) => conditions.as_slice(),
            one => std::slice::from_ref(one),
        };
        let type_ = &self.index.resource_type;
        if [type_.members(), type_.groups()].contains(&Some(attribute)) {
            // Members have no index rows, but a member can be found by its id.
            let mut terms = conditions.iter().map(|condition| match condition {
                Condition::Compare(comparison) => self.computed(comparison),
                _ => Term::UNKNOWN,
            });
            let best = terms.find(|term| !term.sources.is_empty());
            return Ok(best.map_or(Term::UNKNOWN, |term| Term { exact: conditions.len() == 1, ..term }));
        }
        let mut leaves = Vec::new();
        let mut exact = true;
        for condition in conditions {
            match self.leaf(condition)? {
                None => exact = false,
                Some(leaf) => {
                    exact &= leaf.exact;
                    leaves.push(leaf);
                }
            }
        }
        // Rows number the elements of the top-level attribute. So two rows of one element may belong to two values
        // of a multi-valued sub-attribute. Two tests are exact only if one row satisfies both.
        exact &= leaves.len() == 1 || self.def(attribute).parent().is_none();
        leaves.sort_by_key(|leaf| leaf.rank);
        let mut leaves = leaves.into_iter();
        let Some(first) = leaves.next() else { return Ok(Term::UNKNOWN) };
        // An element has one row for a sub-attribute that is not multi-valued, so all tests of that sub-attribute
        // apply to this row.
        let (same, others): (Vec<Leaf>, Vec<Leaf>) = leaves.partition(|leaf| {
            leaf.path.number == first.path.number && !self.def(leaf.path.attribute).multi_valued()
        });
        let mut tests = vec![first.values];
        tests.extend(same.into_iter().map(|leaf| leaf.values));
        let mut select = self.select(&first.path, &Sql::join(tests, " AND ").unwrap_or_default());
        // If the first row selects few elements, look the others up one by one instead of joining all of them.
        let one_by_one = if first.rank < Rank::Many { self.dialect.one_by_one() } else { "" };
        // Ranges of other sub-attributes. Each is read once, however many tests it has.
        let mut ranges: Vec<(IndexedPath, Vec<Sql>)> = Vec::new();
        for leaf in others {
            if leaf.equal {
                let place = [integer(self.tenant), integer(leaf.path.number)];
                let before = " AND EXISTS (SELECT 1 FROM attribute b WHERE b.tenant = ? AND b.path = ? AND ";
                select.append(&Sql::new(before, place));
                select.append(&leaf.values);
                select.push(" AND b.pk = a.pk AND b.element = a.element");
                select.push(one_by_one);
                select.push(")");
            } else if first.rank <= Rank::Few {
                // Few rows are found, so the evaluator tests them. SQL would read all rows of the path.
                exact = false;
            } else if self.def(leaf.path.attribute).multi_valued() {
                ranges.push((leaf.path, vec![leaf.values]));
            } else {
                match ranges.iter_mut().find(|(path, _)| path.number == leaf.path.number) {
                    Some((_, tests)) => tests.push(leaf.values),
                    None => ranges.push((leaf.path, vec![leaf.values])),
                }
            }
        }
        for (path, tests) in ranges {
            let place = [integer(self.tenant), integer(path.number)];
            let before = " AND (a.pk, a.element) IN (SELECT b.pk, b.element FROM attribute b \
                 WHERE b.tenant = ? AND b.path = ? AND ";
            select.append(&Sql::new(before, place));
            select.append(&Sql::join(tests, " AND ").unwrap_or_default());
            select.push(")");
        }
        Ok(Term::of_set(select, first.rank, exact))
    }

    /// The test of one row; `None` if the index cannot express the condition.
    fn leaf(&mut self, condition: &Condition) -> Result<Option<Leaf>> {
        let (attribute, test) = match condition {
            Condition::Present(subject) => (subject.attribute(), None),
            Condition::Compare(comparison) => (comparison.subject().attribute(), Some(comparison)),
            _ => return Ok(None),
        };
        let Some(path) = self.index.path(attribute).copied() else { return Ok(None) };
        let Some(comparison) = test else {
            let values = self.values(&path, Test::Present)?;
            return Ok(Some(Leaf {
                path,
                values: values.sql,
                equal: false,
                exact: values.exact,
                rank: Rank::Many,
            }));
        };
        let Some(key) = key(path.kind, comparison.operand()) else { return Ok(None) };
        Ok(match (comparison.op(), comparison.operand()) {
            // `ne` also matches an element without the sub-attribute, which has no row.
            (CompareOp::Ne, _) => None,
            (CompareOp::Eq, _) => Some(Leaf {
                path,
                values: Sql::new("value = ?", [blob(key)]),
                equal: true,
                exact: true,
                rank: self.rank(&path),
            }),
            (op, operand) => {
                let literal = match operand {
                    Operand::Text { key, .. } => key.as_bytes().to_vec(),
                    _ => key,
                };
                let rank = if op.is_substring() && op != CompareOp::Sw { Rank::Many } else { Rank::Some };
                let values = self.values(&path, Test::Compare(op, literal))?;
                Some(Leaf { path, values: values.sql, equal: false, exact: values.exact, rank })
            }
        })
    }
}
