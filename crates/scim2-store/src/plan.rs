//! From a compiled filter to SQL over the index.
//!
//! A plan holds a condition that every match satisfies, and says whether it is [exact](Plan::exact):
//! satisfied by the matches and by nothing else. What is not exact narrows the candidates, and the
//! evaluator finishes. A plan may also hold a [source](Plan::source) of candidates that is quicker
//! than looking at every resource of the type.
//!
//! The SQL speaks of one resource as `r`.

use std::borrow::Cow;

use scim2_core::{AttributeDef, AttributeId};
use scim2_filter::{CompareOp, Comparison, Condition, Operand};
use scim2_server::StoreError;

use crate::dialect::Dialect;
use crate::index::{IndexedPath, TypeIndex};
use crate::key::{KeyKind, OPAQUE, boolean_key, number_key, text_key, time_key};
use crate::sql::{Sql, blob, integer};

mod computed;
mod element;

type Result<T> = std::result::Result<T, StoreError>;

/// How a filter is run.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    /// What candidates out of the [`source`](Self::source), or without one all resources of the
    /// type, must satisfy; nothing if `None`.
    pub(crate) test: Option<Sql>,
    /// The same without a source.
    pub(crate) test_without_source: Option<Sql>,
    /// Whether what satisfies the test matches.
    pub(crate) exact: bool,
    pub(crate) source: Option<Source>,
}

/// A `SELECT` of the numbers of resources.
#[derive(Debug, Clone)]
pub(crate) struct Source {
    pub(crate) sql: Sql,
    pub(crate) rank: Rank,
    /// Whether all of them are of the type and the tenant of the plan.
    pub(crate) of_type: bool,
    /// Whether it may name a resource more than once.
    pub(crate) repeats: bool,
}

/// How few resources a source is likely to name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Rank {
    /// One value of an attribute that is unique.
    One,
    /// One value of an attribute with many values.
    Few,
    /// A range of values.
    Some,
    /// A good part of the resources that have the attribute.
    Many,
}

impl Plan {
    /// Plans a filter. `has_opaque` says whether a path has keys that only tell equality.
    pub(crate) fn new(
        dialect: Dialect,
        tenant: i64,
        index: &TypeIndex,
        condition: &Condition,
        has_opaque: &mut dyn FnMut(i64) -> Result<bool>,
    ) -> Result<Self> {
        let term = Planner { dialect, tenant, index, has_opaque }.term(condition)?;
        let (source, test) = match term.source {
            Some((source, rest)) => (Some(source), rest),
            None => (None, term.test.clone()),
        };
        Ok(Self { test, test_without_source: term.test, exact: term.exact, source })
    }

    /// Says whether the plan names few resources, so that they can be looked at at once.
    pub(crate) fn is_selective(&self) -> bool {
        self.source.as_ref().is_some_and(|source| source.rank <= Rank::Few)
    }
}

struct Planner<'a> {
    dialect: Dialect,
    tenant: i64,
    index: &'a TypeIndex,
    has_opaque: &'a mut dyn FnMut(i64) -> Result<bool>,
}

/// The plan of a part of a filter.
struct Term {
    /// What every match satisfies.
    test: Option<Sql>,
    exact: bool,
    /// Candidates, and what they must satisfy beside being candidates to satisfy the test.
    source: Option<(Source, Option<Sql>)>,
}

impl Term {
    /// Says nothing: the evaluator decides.
    const UNKNOWN: Self = Self { test: None, exact: false, source: None };

    const ALWAYS: Self = Self { test: None, exact: true, source: None };

    fn exact(test: Sql) -> Self {
        Self { test: Some(test), exact: true, source: None }
    }

    fn never() -> Self {
        Self::exact(Sql::new("FALSE", []))
    }

    fn constant(holds: bool) -> Self {
        if holds { Self::ALWAYS } else { Self::never() }
    }

    /// The resources that `select` names and no others.
    fn of_set(select: Sql, rank: Rank, exact: bool) -> Self {
        Self {
            test: Some(select.clone().within("r.pk IN (", ")")),
            exact,
            source: Some((Source { sql: select, rank, of_type: true, repeats: true }, None)),
        }
    }

    /// The same where the set may hold resources of other types.
    fn of_wider_set(select: Sql, rank: Rank) -> Self {
        let mut term = Self::of_set(select, rank, true);
        if let Some((source, _)) = &mut term.source {
            source.of_type = false;
        }
        term
    }
}

impl Planner<'_> {
    /// As deep as the filter, whose depth its parser limits.
    fn term(&mut self, condition: &Condition) -> Result<Term> {
        Ok(match condition {
            Condition::Always => Term::ALWAYS,
            Condition::Never => Term::never(),
            Condition::And(conditions) => {
                let terms = conditions.iter().map(|condition| self.term(condition)).collect::<Result<_>>()?;
                self.planned_at_all(and(terms))
            }
            Condition::Or(conditions) => {
                let terms = self.alternatives(conditions)?;
                self.planned_at_all(or(terms))
            }
            Condition::Not(condition) => not(self.term(condition)?),
            Condition::Present(subject) => self.present(subject.attribute())?,
            Condition::Compare(comparison) => self.compare(comparison)?,
            Condition::Element { subject, condition } => self.element(subject.attribute(), condition)?,
            _ => Term::UNKNOWN,
        })
    }

    /// The terms of a disjunction. What one attribute may be equal to, be it a thousand values, is
    /// one look-up.
    fn alternatives(&mut self, conditions: &[Condition]) -> Result<Vec<Term>> {
        let mut terms = Vec::new();
        let mut equal: Vec<(IndexedPath, Vec<Vec<u8>>)> = Vec::new();
        for condition in conditions {
            match self.equality(condition) {
                None => terms.push(self.term(condition)?),
                Some((path, key)) => match equal.iter_mut().find(|(other, _)| other.number == path.number) {
                    Some((_, keys)) => keys.push(key),
                    None => equal.push((path, vec![key])),
                },
            }
        }
        terms.extend(equal.into_iter().map(|(path, keys)| self.equal(&path, keys)));
        Ok(terms)
    }

    fn equality(&self, condition: &Condition) -> Option<(IndexedPath, Vec<u8>)> {
        let Condition::Compare(comparison) = condition else { return None };
        let path = self.index.path(comparison.subject().attribute())?;
        let key = key(path.kind, comparison.operand())?;
        (comparison.op() == CompareOp::Eq).then_some((*path, key))
    }

    /// The term, or of one that the engine would plan for longer than it runs only what finds its
    /// candidates: the evaluator decides.
    fn planned_at_all(&self, term: Term) -> Term {
        let most = self.dialect.most_selects();
        if term.test.as_ref().is_none_or(|test| test.selects() <= most) {
            return term;
        }
        let source = term.source.filter(|(source, _)| source.sql.selects() <= most);
        Term { test: None, exact: false, source: source.map(|(source, _)| (source, None)) }
    }

    fn def(&self, attribute: AttributeId) -> &AttributeDef {
        self.index.resource_type.attribute(attribute)
    }

    fn present(&mut self, attribute: AttributeId) -> Result<Term> {
        if let Some(path) = self.index.path(attribute).copied() {
            let values = self.values(&path, Test::Present)?;
            return Ok(Term::of_set(self.select(&path, &values.sql), Rank::Many, values.exact));
        }
        let def = self.def(attribute);
        let column =
            matches!(def.path(), "id" | "meta" | "meta.created" | "meta.lastModified" | "meta.version");
        Ok(if column { Term::ALWAYS } else { Term::UNKNOWN })
    }

    fn compare(&mut self, comparison: &Comparison) -> Result<Term> {
        let attribute = comparison.subject().attribute();
        let Some(path) = self.index.path(attribute).copied() else { return Ok(self.computed(comparison)) };
        let op = comparison.op();
        let Some(key) = key(path.kind, comparison.operand()) else { return Ok(Term::UNKNOWN) };
        if op == CompareOp::Ne {
            // Not equal is also what has no value, or another one beside the equal one.
            let equal = not(self.equal(&path, vec![key.clone()]));
            return Ok(if self.is_list(attribute) {
                let others = self.select(&path, &Sql::new("value <> ?", [blob(key)]));
                or(vec![equal, Term::of_set(others, Rank::Many, true)])
            } else {
                equal
            });
        }
        if op == CompareOp::Eq {
            return Ok(self.equal(&path, vec![key]));
        }
        // The literal itself and not its key where a long one is a hash there.
        let (literal, rank) = match comparison.operand() {
            Operand::Text { key, .. } if op == CompareOp::Sw && !key.is_empty() => {
                (key.as_bytes().to_vec(), Rank::Some)
            }
            Operand::Text { key, .. } => (key.as_bytes().to_vec(), Rank::Many),
            Operand::Number(number) => (number.key().into_bytes(), Rank::Some),
            _ => (key, Rank::Some),
        };
        let values = self.values(&path, Test::Compare(op, literal))?;
        Ok(Term::of_set(self.select(&path, &values.sql), rank, values.exact))
    }

    /// Having one of these values.
    fn equal(&self, path: &IndexedPath, keys: Vec<Vec<u8>>) -> Term {
        let one = keys.len() == 1;
        let mut params = vec![integer(self.tenant), integer(path.number)];
        params.extend(keys.into_iter().map(blob));
        let (test, select) = if one {
            // The look-up that clients make before every change: both texts stand as they are.
            (
                "EXISTS (SELECT a.pk FROM attribute a \
                 WHERE a.tenant = ? AND a.path = ? AND a.value = ? AND a.pk = r.pk)"
                    .into(),
                Cow::from("SELECT a.pk FROM attribute a WHERE a.tenant = ? AND a.path = ? AND a.value = ?"),
            )
        } else {
            let marks = vec!["?"; params.len() - 2].join(", ");
            let select = format!(
                "SELECT a.pk FROM attribute a WHERE a.tenant = ? AND a.path = ? AND a.value IN ({marks})"
            );
            (Cow::from(format!("EXISTS ({select} AND a.pk = r.pk)")), select.into())
        };
        let repeats = !one || self.is_list(path.attribute);
        let rank = if one { self.rank(path) } else { self.rank(path).max(Rank::Few) };
        let source = Source { sql: Sql::new(select, params.clone()), rank, of_type: true, repeats };
        Term { test: Some(Sql::new(test, params)), exact: true, source: Some((source, None)) }
    }

    /// How many resources have one value of an attribute.
    fn rank(&self, path: &IndexedPath) -> Rank {
        if path.unique {
            Rank::One
        } else if path.kind == KeyKind::Boolean || !self.def(path.attribute).canonical_values().is_empty() {
            Rank::Many
        } else {
            Rank::Few
        }
    }

    /// The rows of a path whose value satisfies `values`.
    fn select(&self, path: &IndexedPath, values: &Sql) -> Sql {
        let mut sql = Sql::new(
            "SELECT a.pk FROM attribute a WHERE a.tenant = ? AND a.path = ? AND ",
            [integer(self.tenant), integer(path.number)],
        );
        sql.append(values);
        sql
    }

    /// A test of the values of a path, over the column `value` of the innermost index row.
    fn values(&mut self, path: &IndexedPath, test: Test) -> Result<Values> {
        let Some(mut sql) = test.sql(self.dialect, path.kind) else {
            return Ok(Values { sql: Sql::new("TRUE", []), exact: false });
        };
        if (self.has_opaque)(path.number)? {
            // These may satisfy it or not.
            sql = sql.within("(", " OR value >= ?)");
            sql.params.push(blob(vec![OPAQUE]));
            return Ok(Values { sql, exact: false });
        }
        Ok(Values { sql, exact: true })
    }

    fn is_list(&self, attribute: AttributeId) -> bool {
        let def = self.def(attribute);
        def.multi_valued() || def.parent().is_some_and(|parent| self.def(parent).multi_valued())
    }
}

/// A test of one value.
enum Test {
    Present,
    /// With a key; of text and numbers also with one that is too long for the index.
    Compare(CompareOp, Vec<u8>),
}

struct Values {
    sql: Sql,
    exact: bool,
}

impl Test {
    /// The test over `value`, wrong only for opaque values.
    fn sql(self, dialect: Dialect, kind: KeyKind) -> Option<Sql> {
        let is_text = matches!(kind, KeyKind::Text(_));
        let opaque = || blob(vec![OPAQUE]);
        Some(match self {
            // An empty text is no value.
            Self::Present if is_text => Sql::new("value > ?", [blob(Vec::new())]),
            Self::Present => Sql::new("TRUE", []),
            Self::Compare(CompareOp::Co | CompareOp::Sw | CompareOp::Ew, literal) if literal.is_empty() => {
                Sql::new("TRUE", [])
            }
            Self::Compare(op, literal) => match op {
                CompareOp::Eq => Sql::new("value = ?", [blob(literal)]),
                CompareOp::Co if is_text => dialect.contains(literal),
                CompareOp::Sw if is_text => {
                    let end = successor(literal.clone())?;
                    Sql::new("value >= ? AND value < ?", [blob(literal), blob(end)])
                }
                CompareOp::Ew if is_text => dialect.ends_with(literal),
                CompareOp::Gt => Sql::new("value > ? AND value < ?", [blob(literal), opaque()]),
                CompareOp::Ge => Sql::new("value >= ? AND value < ?", [blob(literal), opaque()]),
                CompareOp::Lt => Sql::new("value < ?", [blob(literal)]),
                CompareOp::Le => Sql::new("value <= ?", [blob(literal)]),
                CompareOp::Ne | CompareOp::Co | CompareOp::Sw | CompareOp::Ew => return None,
            },
        })
    }
}

/// The least key that is greater than all that begin with `prefix`. UTF-8 has no byte 0xff.
fn successor(mut prefix: Vec<u8>) -> Option<Vec<u8>> {
    let last = prefix.last_mut()?;
    *last = last.checked_add(1)?;
    Some(prefix)
}

/// The key of a literal.
fn key(kind: KeyKind, operand: &Operand) -> Option<Vec<u8>> {
    match (kind, operand) {
        (KeyKind::Text(_), Operand::Text { key, .. }) => Some(text_key(key)),
        (KeyKind::Boolean, Operand::Bool(value)) => Some(boolean_key(*value)),
        (KeyKind::Number, Operand::Number(number)) => Some(number_key(number)),
        (KeyKind::Time, Operand::Instant(instant)) => Some(time_key(*instant)),
        _ => None,
    }
}

fn and(terms: Vec<Term>) -> Term {
    let exact = terms.iter().all(|term| term.exact);
    let best = terms
        .iter()
        .enumerate()
        .filter_map(|(at, term)| Some((term.source.as_ref()?.0.rank, at)))
        .min()
        .map(|(_, at)| at);
    let mut tests = Vec::new();
    let mut rest = Vec::new();
    let mut source = None;
    for (at, term) in terms.into_iter().enumerate() {
        tests.extend(term.test.clone());
        if Some(at) == best {
            let (best, beside) = term.source.unzip();
            source = best;
            rest.extend(beside.flatten());
        } else {
            rest.extend(term.test);
        }
    }
    Term {
        test: Sql::join(tests, " AND "),
        exact,
        source: source.map(|source| (source, Sql::join(rest, " AND "))),
    }
}

fn or(mut terms: Vec<Term>) -> Term {
    /// SQLite joins at most 500.
    const MOST: usize = 100;
    if terms.len() == 1 {
        return terms.remove(0);
    }
    let exact = terms.iter().all(|term| term.exact);
    let sources: Option<Vec<&Source>> = terms
        .iter()
        .map(|term| term.source.as_ref().filter(|(_, rest)| rest.is_none()).map(|(source, _)| source))
        .collect();
    let source = sources.filter(|sources| sources.len() <= MOST).and_then(|sources| {
        // Two of few are still few.
        let rank = sources.iter().map(|source| source.rank).max()?.max(Rank::Few);
        let of_type = sources.iter().all(|source| source.of_type);
        let mut union = Sql::default();
        for source in sources {
            union.push(if union.text.is_empty() { "SELECT pk FROM (" } else { " UNION SELECT pk FROM (" });
            union.append(&source.sql);
            union.push(") AS part");
        }
        Some((Source { sql: union, rank, of_type, repeats: true }, None))
    });
    let tests: Option<Vec<Sql>> = terms.into_iter().map(|term| term.test).collect();
    match tests {
        // One of them says nothing, and so the whole says nothing.
        None => Term { test: None, exact, source: None },
        Some(tests) => Term { test: Sql::join(tests, " OR "), exact, source },
    }
}

fn not(term: Term) -> Term {
    match (term.exact, term.test) {
        (false, _) => Term::UNKNOWN,
        (true, None) => Term::never(),
        (true, Some(test)) => Term::exact(test.within("NOT (", ")")),
    }
}
