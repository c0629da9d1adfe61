//! Where the SQL of one engine differs from that of the other.

use crate::sql::{Sql, blob, integer};

/// Which engine a statement is for. All that is not said here is the same for both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    Sqlite,
    #[cfg(feature = "postgres")]
    Postgres,
}

impl Dialect {
    /// A join with a condition. SQLite takes `CROSS JOIN` as the order to look things up in, which
    /// it would otherwise guess without knowing how the values are spread.
    pub(crate) const fn join(self) -> &'static str {
        match self {
            Self::Sqlite => "CROSS JOIN",
            #[cfg(feature = "postgres")]
            Self::Postgres => "JOIN",
        }
    }

    /// What ends a correlated `EXISTS` that is to be asked row by row. PostgreSQL, which plans without
    /// knowing the values, would join all rows of the one side with all of the other; `OFFSET` keeps
    /// it from that. SQLite never does.
    pub(crate) const fn one_by_one(self) -> &'static str {
        match self {
            Self::Sqlite => "",
            #[cfg(feature = "postgres")]
            Self::Postgres => " OFFSET 0",
        }
    }

    /// A `SELECT` of how many resources a tenant has of a type, as they were counted when they came
    /// and went.
    pub(crate) fn resource_count(self, tenant: i64, type_number: i64) -> Sql {
        let place = [integer(tenant), integer(type_number)];
        match self {
            Self::Sqlite => Sql::new(
                "SELECT coalesce(sum(resources), 0) FROM resource_count WHERE tenant = ? AND type = ?",
                place,
            ),
            // If each creation updated one row, many writers would wait for each other. Rows that wait for the audit
            // chain are added to the stored count instead.
            #[cfg(feature = "postgres")]
            Self::Postgres => {
                let [tenant, type_number] = place;
                Sql::new(
                    "SELECT coalesce(sum(resources), 0)::bigint FROM \
                     (SELECT resources FROM resource_count WHERE tenant = ? AND type = ? UNION ALL \
                      SELECT resources FROM audit_waiting WHERE tenant = ? AND type = ?) AS counted",
                    [tenant.clone(), type_number.clone(), tenant, type_number],
                )
            }
        }
    }

    /// How many `SELECT` a condition may hold. PostgreSQL looks for the best order to join them all
    /// in, which for a thousand takes minutes; SQLite takes them as they come, but runs each of them
    /// for each resource, and nests them no more than a thousand deep.
    pub(crate) const fn most_selects(self) -> usize {
        match self {
            Self::Sqlite => 128,
            #[cfg(feature = "postgres")]
            Self::Postgres => 48,
        }
    }

    /// Whether the bytes `value` contain these.
    pub(crate) fn contains(self, part: Vec<u8>) -> Sql {
        let text = match self {
            Self::Sqlite => "instr(value, ?) > 0",
            #[cfg(feature = "postgres")]
            Self::Postgres => "position(? IN value) > 0",
        };
        Sql::new(text, [blob(part)])
    }

    /// Whether the bytes `value` end with these.
    pub(crate) fn ends_with(self, end: Vec<u8>) -> Sql {
        let length = end.len();
        let text = match self {
            Self::Sqlite => format!("substr(value, -{length}) = ?"),
            // A place before the first byte is the first, and what is too short is not equal.
            #[cfg(feature = "postgres")]
            Self::Postgres => format!("substr(value, length(value) - {length} + 1) = ?"),
        };
        Sql::new(text, [blob(end)])
    }

    /// The next resources of a type, some hundred at a time, in the order in which the table is stored: those behind
    /// the one with this tenant and primary key.
    #[cfg_attr(
        not(feature = "postgres"),
        expect(unused_variables, reason = "a primary key of SQLite does not need the tenant")
    )]
    pub(crate) fn resources_after(self, columns: &str, type_number: i64, (tenant, pk): (i64, i64)) -> Sql {
        match self {
            Self::Sqlite => Sql::new(
                format!("SELECT {columns} FROM resource WHERE type = ? AND pk > ? ORDER BY pk LIMIT 500"),
                [integer(type_number), integer(pk)],
            ),
            #[cfg(feature = "postgres")]
            Self::Postgres => Sql::new(
                format!(
                    "SELECT {columns} FROM resource WHERE type = ? AND (tenant, pk) > (?, ?) \
                     ORDER BY tenant, pk LIMIT 500"
                ),
                [integer(type_number), integer(tenant), integer(pk)],
            ),
        }
    }

    /// Keeps SQLite from using an index where all rows are read anyway.
    pub(crate) const fn not_indexed(self) -> &'static str {
        match self {
            Self::Sqlite => " NOT INDEXED",
            #[cfg(feature = "postgres")]
            Self::Postgres => "",
        }
    }

    /// Whether no other resource may have the value of an index row.
    pub(crate) const fn is_unique(self) -> &'static str {
        match self {
            Self::Sqlite => "uniq = 1",
            #[cfg(feature = "postgres")]
            Self::Postgres => "uniq",
        }
    }

    /// Where resources are counted, as a table of tenant, type and number.
    pub(crate) const fn resource_counts(self) -> &'static str {
        match self {
            Self::Sqlite => "resource_count",
            #[cfg(feature = "postgres")]
            Self::Postgres => {
                "(SELECT tenant, type, resources FROM resource_count UNION ALL \
                  SELECT tenant, type, resources FROM audit_waiting WHERE type IS NOT NULL)"
            }
        }
    }

    /// All rows of audit logs, including those that have no place in a log yet.
    pub(crate) const fn audit_rows(self) -> &'static str {
        match self {
            Self::Sqlite => "audit",
            #[cfg(feature = "postgres")]
            Self::Postgres => "(SELECT tenant FROM audit UNION ALL SELECT tenant FROM audit_waiting)",
        }
    }

    /// The literal that marks an index row whose value no other resource may have.
    pub(crate) const fn unique(self) -> &'static str {
        match self {
            Self::Sqlite => "1",
            #[cfg(feature = "postgres")]
            Self::Postgres => "TRUE",
        }
    }

    /// The literal that marks any other index row.
    pub(crate) const fn not_unique(self) -> &'static str {
        match self {
            Self::Sqlite => "NULL",
            #[cfg(feature = "postgres")]
            Self::Postgres => "FALSE",
        }
    }

    /// The function that returns the greatest of its arguments.
    pub(crate) const fn greatest(self) -> &'static str {
        match self {
            Self::Sqlite => "max",
            #[cfg(feature = "postgres")]
            Self::Postgres => "greatest",
        }
    }
}
