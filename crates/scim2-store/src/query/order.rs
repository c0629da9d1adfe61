//! Orders that SQL can keep.

use scim2_filter::SortValue;
use scim2_server::store::Position;

use super::Select;
use crate::model::index::IndexedPath;
use crate::model::key::{KeyKind, OPAQUE, boolean_key, number_key, text_key, time_key};
use crate::sql::{Param, Sql, blob, integer, text};

/// What resources are sorted by in SQL.
pub(crate) enum Order {
    /// A column that no resource is without.
    Column(&'static str),
    /// An indexed attribute with one value at most.
    Path(IndexedPath),
}

/// A part of an ordered list: the resources with a value, those without, or all.
pub(crate) enum Part {
    All { column: &'static str, descending: bool },
    With { path: i64, descending: bool },
    Without { path: i64 },
}

impl Order {
    /// The parts one after the other: what has no value is last ascending and first descending.
    /// `backwards` the last comes first.
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

    /// The parts of which something lies behind a position, nearest first, or `backwards` what
    /// lies before it, each with the condition that leaves out what does not. `None` if keys do not
    /// tell.
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
        // The first of them holds the position, the others lie beyond it.
        Some(parts.into_iter().skip(first).map(|part| (part, condition.take())).collect())
    }

    /// What lies beyond a position within the part that holds it.
    fn condition(&self, position: &Position, descending: bool, backwards: bool) -> Option<Sql> {
        let operator = |down: bool| if down { "<" } else { ">" };
        let id = || text(position.id.as_str());
        let by_id = operator(backwards);
        let by_value = operator(descending != backwards);
        let column = |column: &str, key: Param| {
            // The first comparison is the one that an index answers.
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

/// The key in the index of what a resource is sorted by; `None` if it tells no order.
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
    /// The `columns` of the resources of this part in order, or `backwards`; of those that satisfy
    /// the condition, if there is one.
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
                // The index is walked in its order, so that a page costs what stands before it.
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
