//! Orders that SQL can produce.

use scim2_filter::SortValue;
use scim2_server::store::Position;

use super::Select;
use crate::model::index::IndexedPath;
use crate::model::key::{KeyKind, OPAQUE, boolean_key, number_key, text_key, time_key};
use crate::sql::{Param, Sql, blob, integer, text};

/// What resources are sorted by in SQL.
pub(crate) enum Order {
    /// A column that every resource has.
    Column(&'static str),
    /// An indexed attribute with at most one value.
    Path(IndexedPath),
}

/// A part of a sorted list: all resources, those with a value, or those without.
pub(crate) enum Part {
    All { column: &'static str, descending: bool },
    With { path: i64, descending: bool },
    Without { path: i64 },
}

impl Order {
    /// The parts in order. Resources without a value come last in ascending order, and first in descending order.
    /// If `backwards`, the order is reversed.
    pub(crate) fn parts_towards(&self, descending: bool, backwards: bool) -> Vec<Part> {
        let mut parts = match self {
            Self::Column(column) => vec![Part::All { column, descending }],
            Self::Path(path) => {
                let with = Part::With { path: path.number, descending };
                let without = Part::Without { path: path.number };
                if descending { vec![without, with] } else { vec![with, without] }
            }
        };
        if backwards {
            parts.reverse();
        }
        parts
    }

    /// The parts that have resources behind a position, or before it if `backwards`, nearest first. Each has the
    /// condition that excludes the others. `None` if keys do not tell the order.
    pub(crate) fn beyond(
        &self,
        position: &Position,
        descending: bool,
        backwards: bool,
    ) -> Option<Vec<(Part, Option<Sql>)>> {
        let parts = self.parts_towards(descending, backwards);
        let condition = self.condition(position, descending, backwards)?;
        let has_value = position.key != SortValue::Missing;
        let holds = |part: &Part| match part {
            Part::All { .. } => true,
            Part::With { .. } => has_value,
            Part::Without { .. } => !has_value,
        };
        let first = parts.iter().position(holds)?;
        let mut condition = Some(condition);
        // The first part holds the position, the others are behind it.
        Some(parts.into_iter().skip(first).map(|part| (part, condition.take())).collect())
    }

    /// The condition for being behind a position, within the part that holds it.
    fn condition(&self, position: &Position, descending: bool, backwards: bool) -> Option<Sql> {
        let operator = |down: bool| if down { "<" } else { ">" };
        let id = || text(position.id.as_str());
        let by_id = operator(backwards);
        let by_value = operator(descending != backwards);
        let column = |column: &str, key: Param| {
            // The first comparison is the one that uses the index.
            let test = format!(" AND {column} {by_value}= ? AND ({column} {by_value} ? OR r.id {by_id} ?)");
            Sql::new(test, [key.clone(), key, id()])
        };
        Some(match (self, &position.key) {
            (Self::Column("r.id"), _) => Sql::new(format!(" AND r.id {by_value} ?"), [id()]),
            (Self::Column(name), SortValue::Instant(instant)) => {
                let milliseconds = instant.seconds().checked_mul(1000)?;
                let rest = i64::from(instant.nanoseconds() / 1_000_000);
                column(name, integer(milliseconds.checked_add(rest)?))
            }
            (Self::Path(_), SortValue::Missing) => Sql::new(format!(" AND r.id {by_id} ?"), [id()]),
            (Self::Path(path), key) => column("o.value", blob(path_key(path.kind, key)?)),
            (Self::Column(_), _) => return None,
        })
    }
}

/// The index key of a sort key; `None` if the key only tells equality.
fn path_key(kind: KeyKind, key: &SortValue<'_>) -> Option<Vec<u8>> {
    let key = match (kind, key) {
        (KeyKind::Text(_), SortValue::Text(text)) => text_key(text),
        (KeyKind::Boolean, SortValue::Bool(value)) => boolean_key(*value),
        (KeyKind::Number, SortValue::Number(number)) => number_key(number),
        (KeyKind::Time, SortValue::Instant(instant)) => time_key(*instant),
        _ => return None,
    };
    (key.first() != Some(&OPAQUE)).then_some(key)
}

impl Part {
    /// Selects `columns` of the resources of this part in order, or reversed if `backwards`, that satisfy the
    /// condition.
    pub(crate) fn select(
        &self,
        columns: &str,
        select: &Select<'_>,
        few: bool,
        backwards: bool,
        condition: Option<&Sql>,
    ) -> Sql {
        let mut sql = self.from(columns, select, few);
        if let Some(condition) = condition {
            sql.append(condition);
        }
        let by_id = direction(backwards);
        match self {
            Self::All { column: "r.id", descending } => {
                sql.push(&format!(" ORDER BY r.id{}", direction(*descending != backwards)));
            }
            Self::Without { .. } => sql.push(&format!(" ORDER BY r.id{by_id}")),
            Self::All { column, descending } => {
                let by_value = direction(*descending != backwards);
                sql.push(&format!(" ORDER BY {column}{by_value}, r.id{by_id}"));
            }
            Self::With { descending, .. } => {
                let by_value = direction(*descending != backwards);
                sql.push(&format!(" ORDER BY o.value{by_value}, r.id{by_id}"));
            }
        }
        sql
    }

    pub(crate) fn count(&self, select: &Select<'_>) -> Sql {
        self.from("count(*)", select, true)
    }

    fn from(&self, columns: &str, select: &Select<'_>, few: bool) -> Sql {
        let tenant = integer(select.tenant);
        match self {
            Self::All { .. } => select.matching(columns, few),
            Self::Without { path } => {
                let mut sql = select.matching(columns, few);
                sql.append(&Sql::new(
                    " AND r.pk NOT IN (SELECT o.pk FROM attribute o WHERE o.tenant = ? AND o.path = ?)",
                    [tenant, integer(*path)],
                ));
                sql
            }
            Self::With { path, .. } => {
                // Read the index in its order, so that only the rows before the page are skipped.
                let join = select.dialect.join();
                let mut sql = Sql::new(
                    format!(
                        "SELECT {columns} FROM attribute o {join} resource r \
                         ON r.pk = o.pk AND r.tenant = o.tenant WHERE o.tenant = ? AND o.path = ?"
                    ),
                    [tenant, integer(*path)],
                );
                if let Some(test) = &select.plan.test_without_source {
                    sql.push(" AND ");
                    sql.append(test);
                }
                sql
            }
        }
    }
}

const fn direction(descending: bool) -> &'static str {
    if descending { " DESC" } else { "" }
}
