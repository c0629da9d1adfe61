//! Queries, for both engines: statements, orders, windows, pages and the code that runs them.

use scim2_core::AttributeId;
use scim2_filter::{CompiledFilter, Condition};
use scim2_server::StoreError;
use scim2_server::store::{Position, Query, Target};

use crate::dialect::Dialect;
use crate::model::index::TypeIndex;
use crate::plan::{Plan, Source};
use crate::sql::{Sql, integer};

mod evaluator;
mod explain;
mod links;
mod order;
mod page;
mod search;
mod source;
mod target;
mod window;

pub use explain::EXPLAIN;
#[cfg(feature = "postgres")]
pub(crate) use search::FEW;
pub(crate) use search::Search;
pub(crate) use source::{Hit, RowSource, Scan, Visitor};
pub(crate) use target::TargetQuery;

use evaluator::Evaluator;
use explain::{Explanation, Way};
use links::PageLinks;
use order::{Order, Part};
use source::OpaquePaths;
use window::{Entry, Page, Window};

/// Up to this many matches, finding and sorting them all is faster than reading resources in order until the page
/// is full.
pub(crate) const SORTED: u64 = 4096;

/// Builds the statements that find the resources of one type.
#[derive(Debug, Clone)]
pub(crate) struct Select<'s> {
    pub(crate) dialect: Dialect,
    pub(crate) tenant: i64,
    pub(crate) index: &'s TypeIndex,
    pub(crate) plan: Plan,
}

/// A range of places in a list, counted from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Slice {
    pub(crate) skip: u64,
    pub(crate) take: u64,
}

/// Where a page is in a list, counted from the nearer end. Everything before it from that end is skipped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Places {
    pub(crate) slice: Slice,
    /// Whether `slice` is counted from the last place backwards.
    pub(crate) backwards: bool,
}

impl Places {
    /// `index` is counted from 1, `total` is the length of the list.
    pub(crate) fn new(index: u64, count: u64, total: u64) -> Self {
        let skip = index.saturating_sub(1).min(total);
        let take = count.min(total - skip);
        let behind = total - skip - take;
        if take > 0 && behind < skip {
            Self { slice: Slice { skip: behind, take }, backwards: true }
        } else {
            Self { slice: Slice { skip, take }, backwards: false }
        }
    }

    /// The number of places from the nearer end to the end of the page.
    pub(crate) fn reach(self) -> u64 {
        // INVARIANT: both are at most the length of the list.
        self.slice.skip + self.slice.take
    }
}

impl Slice {
    /// The statement, limited to these places of its result.
    pub(crate) fn of(self, mut sql: Sql) -> Sql {
        let number = |value: u64| integer(i64::try_from(value).unwrap_or(i64::MAX));
        sql.push(" LIMIT ? OFFSET ?");
        sql.params.extend([number(self.take), number(self.skip)]);
        sql
    }
}

impl Select<'_> {
    /// Counts the resources that satisfy the test.
    pub(crate) fn counting(&self) -> Sql {
        match &self.plan.source {
            // The index alone is enough.
            Some(source) if source.of_type && (self.plan.test.is_none() || self.plan.test_by_number) => {
                self.found(source).within("SELECT count(*) FROM (", ") AS counted")
            }
            None if self.plan.test_without_source.is_none() => {
                self.dialect.resource_count(self.tenant, self.index.number)
            }
            _ => self.matching("count(*)", true),
        }
    }

    /// Counts what each of several sources names, up to `most`. Empty if there is only one source.
    pub(crate) fn comparing(&self, most: u64) -> Vec<Sql> {
        let of = |source: &Source| {
            let slice = Slice { skip: 0, take: most };
            let some = slice.of(source.sql.clone().within("SELECT pk FROM (", ") AS s"));
            some.within("SELECT count(*) FROM (", ") AS counted")
        };
        self.plan.sources().into_iter().map(of).collect()
    }

    /// Selects `columns` of the resources that satisfy the test.
    pub(crate) fn matching(&self, columns: &str, with_source: bool) -> Sql {
        let (mut sql, test) = match self.plan.source.as_ref().filter(|_| with_source) {
            // Exclude what does not match before any resource is read.
            Some(source) if self.plan.test_by_number && self.plan.test.is_some() => {
                (self.resources_of(columns, self.found(source)), &None)
            }
            Some(source) => (self.candidates(columns, source), &self.plan.test),
            None => {
                let place = [integer(self.tenant), integer(self.index.number)];
                let text = format!("SELECT {columns} FROM resource r WHERE r.tenant = ? AND r.type = ?");
                (Sql::new(text, place), &self.plan.test_without_source)
            }
        };
        if let Some(test) = test {
            sql.push(" AND ");
            sql.append(test);
        }
        sql
    }

    /// Selects `columns` of the resources that a source names.
    pub(crate) fn candidates(&self, columns: &str, source: &Source) -> Sql {
        // Removing duplicates needs a temporary table, which a single look-up does not need.
        let (before, behind) =
            if source.repeats { ("SELECT DISTINCT pk FROM (", ") AS found") } else { ("", "") };
        self.resources_of(columns, source.sql.clone().within(before, behind))
    }

    /// Selects the primary keys that a source names and that satisfy the test, which must be about primary keys
    /// only. SQLite reads one list of index rows and looks the others up.
    fn found(&self, source: &Source) -> Sql {
        let distinct = if source.repeats { "DISTINCT " } else { "" };
        let mut sql = source.sql.clone().within(&format!("SELECT {distinct}r.pk AS pk FROM ("), ") AS r");
        if let Some(test) = &self.plan.test {
            sql.push(" WHERE ");
            sql.append(test);
        }
        sql
    }

    /// Selects `columns` of the resources of this type that another statement names.
    fn resources_of(&self, columns: &str, numbers: Sql) -> Sql {
        let place = " resource r ON r.pk = s.pk WHERE r.tenant = ? AND r.type = ?";
        let text =
            ["SELECT ", columns, " FROM (", &*numbers.text, ") AS s ", self.dialect.join(), place].concat();
        let mut params = numbers.params;
        params.extend([integer(self.tenant), integer(self.index.number)]);
        Sql { text: text.into(), params }
    }

    /// Selects the primary keys at these places among all resources of the type, in order of their ids. It skips
    /// ids only, which the index holds. `None` if there is a filter, and for SQLite, where [`Part::select`] reads
    /// no resource either.
    pub(crate) fn all_at(&self, slice: Slice, backwards: bool) -> Option<Sql> {
        if self.dialect == Dialect::Sqlite || self.plan.test_without_source.is_some() {
            return None;
        }
        let (beyond, direction) = if backwards { ("<=", " DESC") } else { (">=", "") };
        let place = || [integer(self.tenant), integer(self.index.number)];
        let mut sql =
            Sql::new("SELECT r.pk FROM resource r WHERE r.tenant = ? AND r.type = ? AND r.id ", place());
        sql.push(beyond);
        let first = format!(
            " (SELECT i.id FROM resource i WHERE i.tenant = ? AND i.type = ? ORDER BY i.id{direction}"
        );
        sql.append(&Slice { take: 1, ..slice }.of(Sql::new(first, place())));
        sql.push(&format!(") ORDER BY r.id{direction}"));
        Some(Slice { skip: 0, ..slice }.of(sql))
    }

    /// Where the page that begins at a place, counted from 1, is in an order.
    pub(crate) fn places(&self, order: &Order, query: &Query, index: u64, total: u64) -> Places {
        // With a filter, the end of the part with values is not known: all resources without a value would have to
        // be found.
        let end_is_far = matches!(order, Order::Path(_)) && self.plan.test_without_source.is_some();
        if end_is_far && !query.descending {
            let slice = Slice { skip: index.saturating_sub(1).min(total), take: query.count.min(total) };
            return Places { slice, backwards: false };
        }
        Places::new(index, query.count, total)
    }

    /// Counts the resources that have a value, which the part without values leaves out. `None` if there is a
    /// filter.
    pub(crate) fn left_out(&self, part: &Part) -> Option<Sql> {
        let Part::Without { path } = part else { return None };
        let place = [integer(self.tenant), integer(*path)];
        let count = Sql::new("SELECT count(*) FROM attribute o WHERE o.tenant = ? AND o.path = ?", place);
        self.plan.test_without_source.is_none().then_some(count)
    }

    /// Statements for the resources behind a position, or before it if `backwards`, nearest first. Each statement
    /// continues the one before it. `None` if keys do not tell the order.
    pub(crate) fn beyond(
        &self,
        columns: &str,
        order: &Order,
        (position, backwards): (&Position, bool),
        descending: bool,
        few: bool,
    ) -> Option<Vec<Sql>> {
        let parts = order.beyond(position, descending, backwards)?.into_iter();
        Some(parts.map(|(part, sql)| part.select(columns, self, few, backwards, sql.as_ref())).collect())
    }

    /// The order, if SQL can express it. The caller must check that an indexed path has no keys that only tell
    /// equality.
    pub(crate) fn order(&self, sort: Option<AttributeId>) -> Option<Order> {
        let Some(attribute) = sort else { return Some(Order::Column("r.id")) };
        let type_ = &self.index.resource_type;
        let def = type_.attribute(attribute);
        let Some(path) = self.index.path(attribute) else {
            return match def.path() {
                "id" => Some(Order::Column("r.id")),
                "meta.created" => Some(Order::Column("r.created")),
                "meta.lastModified" => Some(Order::Column("r.modified")),
                _ => None,
            };
        };
        let list = |id: AttributeId| type_.attribute(id).multi_valued();
        if list(attribute) || def.parent().is_some_and(list) {
            return None;
        }
        Some(Order::Path(*path))
    }
}

/// An error if a query has read more resources than it may.
pub(crate) fn check_limit(query: &Query, looked_at: u64) -> Result<(), StoreError> {
    if query.scan_limit.is_some_and(|limit| looked_at > limit) {
        return Err(StoreError::too_many(
            "the query matches or would look at more resources than the service provider allows",
        ));
    }
    Ok(())
}

/// The condition of a target; a target without a filter always matches.
pub(crate) fn condition(target: &Target) -> &Condition {
    target.filter.as_ref().map_or(&Condition::Always, CompiledFilter::condition)
}

#[cfg(test)]
mod tests {
    use scim2_core::{Compat, Registry};
    use scim2_filter::{FilterParser, Resolver};

    use super::*;
    use crate::model::index::IndexedPath;
    use crate::model::key::KeyKind;

    /// Calls `look` with the statements for a filter of users, whose names are indexed.
    fn with_select<T>(filter: &str, look: impl FnOnce(Select<'_>) -> T) -> T {
        let registry = Registry::standard();
        let type_ = registry.resource_type("User").expect("built in");
        let paths = ["userName", "name.familyName", "name.givenName", "externalId"].into_iter().zip(1..);
        let resolver = Resolver::new(type_, Compat::default());
        let path = |(name, number): (&str, i64)| IndexedPath {
            attribute: resolver
                .sort_key(&name.parse().expect("a path"))
                .expect("known")
                .expect("sorts")
                .attribute(),
            number,
            kind: KeyKind::Text(scim2_core::compare::StringRule::CaseExact),
            unique: name == "userName",
            ready: true,
        };
        let index = TypeIndex::new(std::sync::Arc::clone(type_), 1, paths.map(path).collect());
        let filter = FilterParser::new().parse(filter).expect("a filter");
        let filter = resolver.filter(&filter).expect("resolves");
        let (dialect, tenant) = (Dialect::Sqlite, 1);
        let plan = Plan::new(dialect, tenant, &index, filter.condition(), &mut |_| Ok(false)).expect("plans");
        look(Select { dialect, tenant, index: &index, plan })
    }

    #[test]
    fn what_rows_of_the_index_say_together_is_counted_without_reading_resources() {
        for (filter, alone) in [
            (r#"name.familyName eq "x""#, true),
            (r#"name.familyName eq "x" and name.givenName eq "y""#, true),
            (r#"name.familyName eq "x" and name.givenName eq "y" and externalId eq "z""#, true),
            (r#"name.familyName eq "x" and not (name.givenName eq "y")"#, true),
            (r#"name.familyName eq "x" or name.givenName eq "y""#, true),
            (r#"name.familyName eq "x" and (name.givenName sw "y" or externalId pr)"#, true),
            (r#"name.familyName eq "x" and meta.created gt "2020-01-01T00:00:00Z""#, false),
            (r#"groups.value eq "x""#, false),
        ] {
            let sql = with_select(filter, |select| select.counting());
            assert_eq!(!sql.text.contains(" resource "), alone, "{filter}: {}", sql.text);
            assert_eq!(sql.text.matches('?').count(), sql.params.len(), "{filter}: {}", sql.text);
        }
    }

    #[test]
    fn each_part_of_a_conjunction_that_may_name_few_may_be_walked() {
        for (filter, sources) in [
            (r#"name.familyName eq "x""#, 0),
            (r#"userName eq "a" and name.familyName eq "x""#, 0),
            (r#"name.familyName eq "x" and name.givenName eq "y""#, 2),
            (r#"name.familyName eq "x" and name.givenName eq "y" and userName sw "z""#, 3),
            (r#"name.familyName eq "x" and userName co "z""#, 0),
            (r#"name.familyName eq "x" and groups.value eq "g""#, 0),
            (r#"groups.value eq "g" and userName sw "z""#, 0),
        ] {
            assert_eq!(with_select(filter, |select| select.comparing(65).len()), sources, "{filter}");
        }
        let filter = r#"name.familyName eq "x" and name.givenName eq "y""#;
        let walked = |at: usize| {
            with_select(filter, |mut select| {
                select.plan.take_source(at, true);
                assert!(select.plan.is_selective() && select.comparing(65).is_empty());
                let sql = select.matching("r.pk", true);
                assert_eq!(sql.text.matches('?').count(), sql.params.len(), "{}", sql.text);
                sql.params.get(1).cloned()
            })
        };
        assert_eq!([walked(0), walked(1)], [Some(integer(2)), Some(integer(3))]);
    }

    #[test]
    fn a_page_is_counted_to_from_the_nearer_end() {
        for total in 0..12 {
            for index in 1..15 {
                for count in 0..15 {
                    let Places { slice: Slice { skip, take }, backwards } = Places::new(index, count, total);
                    let all: Vec<u64> = (1..=total).collect();
                    let from =
                        |end: &[u64]| end.iter().skip(skip as usize).take(take as usize).copied().collect();
                    let page: Vec<u64> = if backwards {
                        let turned: Vec<u64> = all.iter().rev().copied().collect();
                        let page: Vec<u64> = from(&turned);
                        page.into_iter().rev().collect()
                    } else {
                        from(&all)
                    };
                    let expected: Vec<u64> = (index..index + count).filter(|place| *place <= total).collect();
                    assert_eq!(page, expected, "{index} {count} of {total}");
                    assert!(page.is_empty() || skip <= total / 2, "{index} {count} of {total}: {skip}");
                }
            }
        }
        let far = Places::new(u64::MAX, u64::MAX, u64::MAX);
        assert_eq!(far, Places { slice: Slice { skip: 0, take: 1 }, backwards: true });
    }
}
