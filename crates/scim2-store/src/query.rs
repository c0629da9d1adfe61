//! What a query is made of, whichever engine runs it: the statements, their order, the page.

use scim2_core::AttributeId;
use scim2_filter::{CompiledFilter, Condition};
use scim2_server::store::Target;

use crate::dialect::Dialect;
use crate::index::TypeIndex;
use crate::plan::{Plan, Source};
use crate::sql::{Sql, integer};

mod eye;
mod order;
mod window;

pub(crate) use eye::Eye;
pub(crate) use order::{Order, Part};
pub(crate) use window::{Entry, Page, Window};

/// Up to how many matches it is quicker to find and sort them all than to walk all resources in
/// order until the page is full.
pub(crate) const SORTED: u64 = 4096;

/// The statements that find the resources of one type that satisfy a plan.
#[derive(Debug, Clone)]
pub(crate) struct Select<'s> {
    pub(crate) dialect: Dialect,
    pub(crate) tenant: i64,
    pub(crate) index: &'s TypeIndex,
    pub(crate) plan: Plan,
}

/// The places of a page among what matches, counted from 0.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Slice {
    pub(crate) skip: u64,
    pub(crate) take: u64,
}

impl Select<'_> {
    /// A `SELECT` of how many resources satisfy the test.
    pub(crate) fn counting(&self) -> Sql {
        match &self.plan.source {
            // The index alone tells.
            Some(source) if source.of_type && self.plan.test.is_none() => source
                .sql
                .clone()
                .within("SELECT count(*) FROM (SELECT DISTINCT pk FROM (", ") AS found) AS counted"),
            None if self.plan.test_without_source.is_none() && self.dialect.keeps_tally() => Sql::new(
                "SELECT coalesce(sum(resources), 0) FROM tally WHERE tenant = ? AND type = ?",
                [integer(self.tenant), integer(self.index.number)],
            ),
            _ => self.matching("count(*)", true),
        }
    }

    /// A `SELECT` of `columns` of what satisfies the test.
    pub(crate) fn matching(&self, columns: &str, with_source: bool) -> Sql {
        let (mut sql, test) = match self.plan.source.as_ref().filter(|_| with_source) {
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

    /// A `SELECT` of `columns` of what a source names.
    pub(crate) fn candidates(&self, columns: &str, source: &Source) -> Sql {
        // Telling repetitions apart takes a table of its own, which a single look-up need not pay.
        let (before, behind) =
            if source.repeats { ("SELECT DISTINCT pk FROM (", ") AS found") } else { ("", "") };
        let (select, join) = (&*source.sql.text, self.dialect.join());
        let place = " resource r ON r.pk = s.pk WHERE r.tenant = ? AND r.type = ?";
        let text = ["SELECT ", columns, " FROM (", before, select, behind, ") AS s ", join, place].concat();
        let mut params = Vec::with_capacity(source.sql.params.len() + 2);
        params.extend_from_slice(&source.sql.params);
        params.extend([integer(self.tenant), integer(self.index.number)]);
        Sql { text: text.into(), params }
    }

    /// The order in SQL, if the index can say it. That of a path it can say unless the path has keys
    /// that only tell equality, which the engine must see to.
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

/// The condition of a target, which always holds where it has none.
pub(crate) fn condition(target: &Target) -> &Condition {
    target.filter.as_ref().map_or(&Condition::Always, CompiledFilter::condition)
}
