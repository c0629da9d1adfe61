//! Plans a filter: from a compiled filter to SQL over the index.
//!
//! A plan has a condition that every match satisfies. If the plan is [exact](Plan::exact), only matches satisfy it.
//! Otherwise the condition narrows the candidates, and the evaluator decides. A plan may also have a
//! [source](Plan::source) of candidates, which is faster than reading every resource of the type.
//!
//! In the SQL, `r` is the resource.

use std::borrow::Cow;

use scim2_core::{AttributeDef, AttributeId};
use scim2_filter::{CompareOp, Comparison, Condition, Operand};
use scim2_server::StoreError;

use crate::dialect::Dialect;
use crate::model::index::{IndexedPath, TypeIndex};
use crate::model::key::{KeyKind, OPAQUE, boolean_key, number_key, text_key, time_key};
use crate::sql::{Sql, blob, integer};

mod computed;
mod element;

type Result<T> = std::result::Result<T, StoreError>;

/// How a filter is run.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    /// The condition for candidates of the [`source`](Self::source), or of all resources if there is no source.
    /// `None` if all of them satisfy the plan.
    pub(crate) test: Option<Sql>,
    /// The condition for resources that are not candidates of the source.
    pub(crate) test_without_source: Option<Sql>,
    /// Whether everything that satisfies the test matches.
    pub(crate) exact: bool,
    pub(crate) source: Option<Source>,
    /// Whether the test beside the source is about `r.pk` only. Then index rows are enough, and no resource is read
    /// for it.
    pub(crate) test_by_number: bool,
    /// Other sources that may name fewer resources, each with its own test.
    others: Vec<Candidates>,
}

/// A `SELECT` of primary keys of resources.
#[derive(Debug, Clone)]
pub(crate) struct Source {
    pub(crate) sql: Sql,
    pub(crate) rank: Rank,
    /// Whether it names only resources of the tenant and type of the plan.
    pub(crate) of_type: bool,
    /// Whether it may name a resource more than once.
    pub(crate) repeats: bool,
}

/// How few resources a source probably names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Rank {
    /// One value of a unique attribute.
    One,
    /// One value of an attribute that has many different values.
    Few,
    /// A range of values.
    Some,
    /// A large part of the resources that have the attribute.
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
        let mut term = Planner { dialect, tenant, index, has_opaque }.term(condition)?;
        let mut others = term.sources.split_off(term.sources.len().min(1));
        others.truncate(MOST_SOURCES - 1);
        let (source, test, test_by_number) = match term.sources.pop() {
            Some(Candidates { source, rest, by_number }) => (Some(source), rest, by_number),
            None => (None, term.test.clone(), term.by_number),
        };
        Ok(Self { test, test_without_source: term.test, exact: term.exact, source, test_by_number, others })
    }

    /// The sources to choose from, if there are several. The first one is the default.
    pub(crate) fn sources(&self) -> Vec<&Source> {
        let others = self.others.iter().map(|other| &other.source);
        if self.others.is_empty() { Vec::new() } else { self.source.iter().chain(others).collect() }
    }

    /// Chooses the source at a place in [`sources`](Self::sources), because it names the fewest resources. `few`
    /// says that these can be evaluated one by one.
    pub(crate) fn take_source(&mut self, at: usize, few: bool) {
        if let Some(other) = at.checked_sub(1).and_then(|at| self.others.get(at)) {
            let Candidates { source, rest, by_number } = other.clone();
            (self.source, self.test, self.test_by_number) = (Some(source), rest, by_number);
        }
        self.others.clear();
        if few && let Some(source) = &mut self.source {
            source.rank = source.rank.min(Rank::Few);
        }
    }

    /// Whether the plan names few resources, so that they can be evaluated one by one.
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

/// The most sources of an AND filter that are compared.
const MOST_SOURCES: usize = 4;

/// The plan of a part of a filter.
struct Term {
    /// What every match satisfies.
    test: Option<Sql>,
    /// Whether the test is about `r.pk` only.
    by_number: bool,
    exact: bool,
    /// The sources of candidates, best first. An AND filter can start from any of its parts.
    sources: Vec<Candidates>,
}

/// A source, and the rest of the test that its candidates must satisfy.
#[derive(Debug, Clone)]
struct Candidates {
    source: Source,
    rest: Option<Sql>,
    /// Whether the rest is about `r.pk` only.
    by_number: bool,
}

impl Candidates {
    /// A source whose candidates all satisfy the test.
    fn all(source: Source) -> Vec<Self> {
        vec![Self { source, rest: None, by_number: true }]
    }
}

impl Term {
    /// No condition: the evaluator decides.
    const UNKNOWN: Self = Self { test: None, by_number: true, exact: false, sources: Vec::new() };

    const ALWAYS: Self = Self { test: None, by_number: true, exact: true, sources: Vec::new() };

    /// A test of columns of the resource.
    fn of_columns(test: Sql) -> Self {
        Self { test: Some(test), by_number: false, exact: true, sources: Vec::new() }
    }

    fn never() -> Self {
        Self { by_number: true, ..Self::of_columns(Sql::new("FALSE", [])) }
    }

    fn constant(holds: bool) -> Self {
        if holds { Self::ALWAYS } else { Self::never() }
    }

    /// Exactly the resources that `select` names.
    fn of_set(select: Sql, rank: Rank, exact: bool) -> Self {
        Self {
            test: Some(select.clone().within("r.pk IN (", ")")),
            by_number: true,
            exact,
            sources: Candidates::all(Source { sql: select, rank, of_type: true, repeats: true }),
        }
    }

    /// The same, where `select` may name resources of other types.
    fn of_wider_set(select: Sql, rank: Rank) -> Self {
        let mut term = Self::of_set(select, rank, true);
        for candidates in &mut term.sources {
            candidates.source.of_type = false;
        }
        term
    }
}

impl Planner<'_> {
    /// Recursion is as deep as the filter, whose depth the parser limits.
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

    /// The terms of an OR filter. All values that one attribute is compared with by `eq`, even a thousand, become
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

    /// The term. If it has so many `SELECT`s that planning it takes longer than running it, only its source is kept
    /// and the evaluator decides.
    fn planned_at_all(&self, term: Term) -> Term {
        let most = self.dialect.most_selects();
        if term.test.as_ref().is_none_or(|test| test.selects() <= most) {
            return term;
        }
        let sources = term.sources.into_iter().map(|candidates| candidates.source);
        let source = sources.take(1).find(|source| source.sql.selects() <= most);
        Term { sources: source.map(Candidates::all).unwrap_or_default(), ..Term::UNKNOWN }
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
            // `ne` also matches a resource without a value, and one that has another value beside the equal one.
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
        // Compare with the literal itself: the key of a long literal is a hash.
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

    /// Matches resources that have one of these values.
    fn equal(&self, path: &IndexedPath, keys: Vec<Vec<u8>>) -> Term {
        let one = keys.len() == 1;
        let mut params = vec![integer(self.tenant), integer(path.number)];
        params.extend(keys.into_iter().map(blob));
        let (test, select) = if one {
            // The look-up that clients make before every change: both texts are constants.
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
        let sources = Candidates::all(source);
        Term { test: Some(Sql::new(test, params)), by_number: true, exact: true, sources }
    }

    /// How many resources probably have one value of an attribute.
    fn rank(&self, path: &IndexedPath) -> Rank {
        if path.unique {
            Rank::One
        } else if path.kind == KeyKind::Boolean || !self.def(path.attribute).canonical_values().is_empty() {
            Rank::Many
        } else {
            Rank::Few
        }
    }

    /// Selects the resources with an index row of a path whose value satisfies `values`.
    fn select(&self, path: &IndexedPath, values: &Sql) -> Sql {
        let mut sql = Sql::new(
            "SELECT a.pk FROM attribute a WHERE a.tenant = ? AND a.path = ? AND ",
            [integer(self.tenant), integer(path.number)],
        );
        sql.append(values);
        sql
    }

    /// A test of the values of a path, about the column `value` of the innermost index row.
    fn values(&mut self, path: &IndexedPath, test: Test) -> Result<Values> {
        let Some(mut sql) = test.sql(self.dialect, path.kind) else {
            return Ok(Values { sql: Sql::new("TRUE", []), exact: false });
        };
        if (self.has_opaque)(path.number)? {
            // An opaque key may satisfy the test or not.
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
    /// With a key. For text and numbers it may be longer than a key in the index.
    Compare(CompareOp, Vec<u8>),
}

struct Values {
    sql: Sql,
    exact: bool,
}

impl Test {
    /// A test of `value`. It is wrong for opaque keys only.
    fn sql(self, dialect: Dialect, kind: KeyKind) -> Option<Sql> {
        let is_text = matches!(kind, KeyKind::Text(_));
        let opaque = || blob(vec![OPAQUE]);
        Some(match self {
            // An empty text does not count as a value.
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

/// The smallest key that is greater than all keys with this prefix. UTF-8 has no byte 0xff.
fn successor(mut prefix: Vec<u8>) -> Option<Vec<u8>> {
    let last = prefix.last_mut()?;
    *last = last.checked_add(1)?;
    Some(prefix)
}

/// The index key of a literal.
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
    let by_number = terms.iter().all(|term| term.by_number);
    let mut ways: Vec<(Rank, usize)> = terms
        .iter()
        .enumerate()
        .filter_map(|(at, term)| Some((term.sources.first()?.source.rank, at)))
        .collect();
    ways.sort_unstable();
    // A unique value matches at most one resource, so a `One` source is never compared. A `Many` source is rarely
    // the smallest. Counting the members of a group reads all of them, so sources of other types are not compared
    // either.
    let comparable = |at: usize| {
        let first = terms.get(at).and_then(|term| term.sources.first());
        first.is_some_and(|Candidates { source, .. }| match source.rank {
            Rank::Few => true,
            Rank::Some => source.of_type,
            Rank::One | Rank::Many => false,
        })
    };
    if ways.first().is_some_and(|(_, best)| comparable(*best)) {
        ways.retain(|(_, at)| comparable(*at));
        ways.truncate(MOST_SOURCES);
    } else {
        ways.truncate(1);
    }
    let sources = ways.iter().filter_map(|(_, best)| {
        let Candidates { source, rest, by_number } = terms.get(*best)?.sources.first()?.clone();
        let beside = || terms.iter().enumerate().filter(|(at, _)| at != best).map(|(_, term)| term);
        let tests = rest.into_iter().chain(beside().filter_map(|term| term.test.clone())).collect();
        let by_number = by_number && beside().all(|term| term.by_number);
        Some(Candidates { source, rest: Sql::join(tests, " AND "), by_number })
    });
    let sources = sources.collect();
    let tests = terms.into_iter().filter_map(|term| term.test).collect();
    Term { test: Sql::join(tests, " AND "), by_number, exact, sources }
}

fn or(mut terms: Vec<Term>) -> Term {
    /// SQLite joins at most 500.
    const MOST: usize = 100;
    if terms.len() == 1 {
        return terms.remove(0);
    }
    let exact = terms.iter().all(|term| term.exact);
    let by_number = terms.iter().all(|term| term.by_number);
    let sources: Option<Vec<&Source>> = terms
        .iter()
        .map(|term| term.sources.first().filter(|first| first.rest.is_none()).map(|first| &first.source))
        .collect();
    let source = sources.filter(|sources| sources.len() <= MOST).and_then(|sources| {
        // The union of two small sources is still small.
        let rank = sources.iter().map(|source| source.rank).max()?.max(Rank::Few);
        let of_type = sources.iter().all(|source| source.of_type);
        let mut union = Sql::default();
        for source in sources {
            union.push(if union.text.is_empty() { "SELECT pk FROM (" } else { " UNION SELECT pk FROM (" });
            union.append(&source.sql);
            union.push(") AS part");
        }
        Some(Source { sql: union, rank, of_type, repeats: true })
    });
    let tests: Option<Vec<Sql>> = terms.into_iter().map(|term| term.test).collect();
    match tests {
        // One part has no condition, so the whole has none.
        None => Term { exact, ..Term::UNKNOWN },
        Some(tests) => {
            let sources = source.map(Candidates::all).unwrap_or_default();
            Term { test: Sql::join(tests, " OR "), by_number, exact, sources }
        }
    }
}

fn not(term: Term) -> Term {
    match (term.exact, term.test) {
        (false, _) => Term::UNKNOWN,
        (true, None) => Term::never(),
        (true, Some(test)) => {
            Term { by_number: term.by_number, ..Term::of_columns(test.within("NOT (", ")")) }
        }
    }
}
