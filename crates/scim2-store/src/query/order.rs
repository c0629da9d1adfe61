//! Orders that SQL can keep.

use super::Select;
use crate::index::IndexedPath;
use crate::sql::{Sql, integer};

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
    pub(crate) fn parts(&self, descending: bool) -> Vec<Part> {
        match self {
            Self::Column(column) => vec![Part::All { column, descending }],
            Self::Path(path) => {
                let with = Part::With { path: path.number, descending };
                let without = Part::Without { path: path.number };
                if descending { vec![without, with] } else { vec![with, without] }
            }
        }
    }
}

impl Part {
    /// The `columns` of the resources of this part in order.
    pub(crate) fn select(&self, columns: &str, select: &Select<'_>, few: bool) -> Sql {
        let mut sql = self.from(columns, select, few);
        match self {
            Self::All { column: "r.id", descending: false } | Self::Without { .. } => {
                sql.push(" ORDER BY r.id")
            }
            Self::All { column: "r.id", descending: true } => sql.push(" ORDER BY r.id DESC"),
            Self::All { column, descending } => {
                sql.push(&format!(" ORDER BY {column}{}, r.id", direction(*descending)));
            }
            Self::With { descending, .. } => {
                sql.push(&format!(" ORDER BY o.value{}, r.id", direction(*descending)));
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
