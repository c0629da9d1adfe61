//! Conditions on attributes without index rows: columns of a resource, and members and groups, which have a table
//! of their own.

use scim2_core::AttributeId;
use scim2_core::compare::{Instant, StringRule};
use scim2_filter::{CompareOp, Comparison, Operand};

use super::{Candidates, Planner, Rank, Source, Term};
use crate::sql::{Sql, integer, text};

impl Planner<'_> {
    /// Plans a comparison with a column, a member or a group.
    pub(super) fn computed(&self, comparison: &Comparison) -> Term {
        let attribute = comparison.subject().attribute();
        let def = self.def(attribute);
        let parent_is = |computed: Option<AttributeId>| computed.is_some() && def.parent() == computed;
        let type_ = &self.index.resource_type;
        match (def.path(), comparison.op(), comparison.operand()) {
            (_, CompareOp::Eq, Operand::Text { key, .. })
                if key.contains('\0') && (parent_is(type_.members()) || parent_is(type_.groups())) =>
            {
                // An id holds no NUL.
                Term::UNKNOWN
            }
            ("id", op, Operand::Text { key, .. }) => self.id(op, key),
            ("meta.resourceType", op, Operand::Text { key, rule }) => {
                let equal = rule.eq_key(type_.name(), key);
                match op {
                    CompareOp::Eq => Term::constant(equal),
                    CompareOp::Ne => Term::constant(!equal),
                    _ => Term::UNKNOWN,
                }
            }
            ("meta.created", op, Operand::Instant(instant)) => moment("r.created", op, *instant),
            ("meta.lastModified", op, Operand::Instant(instant)) => moment("r.modified", op, *instant),
            (_, op @ (CompareOp::Eq | CompareOp::Ne), Operand::Text { key, rule: StringRule::CaseExact })
                if def.name() == "value" && parent_is(type_.members()) =>
            {
                if op == CompareOp::Eq {
                    self.having_member(key)
                } else {
                    Term::UNKNOWN
                }
            }
            (_, CompareOp::Eq, Operand::Text { key, rule: StringRule::CaseExact })
                if def.name() == "value" && parent_is(type_.groups()) =>
            {
                self.in_group(key)
            }
            _ => Term::UNKNOWN,
        }
    }

    /// The store accepts only ids that are equal to their comparison keys.
    fn id(&self, op: CompareOp, key: &str) -> Term {
        // No id holds a NUL, and PostgreSQL accepts none in a text. Such a literal sorts directly behind its part
        // before the NUL.
        if let Some((before, _)) = key.split_once('\0') {
            return match op {
                CompareOp::Eq => Term::never(),
                CompareOp::Ne => Term::ALWAYS,
                CompareOp::Gt | CompareOp::Ge => self.id(CompareOp::Gt, before),
                CompareOp::Lt | CompareOp::Le => self.id(CompareOp::Le, before),
                CompareOp::Co | CompareOp::Sw | CompareOp::Ew => Term::UNKNOWN,
            };
        }
        let column = |operator| Term::of_columns(Sql::new(format!("r.id {operator} ?"), [text(key)]));
        match op {
            CompareOp::Eq => {
                let select = Sql::new(
                    "SELECT i.pk FROM resource i WHERE i.tenant = ? AND i.type = ? AND i.id = ?",
                    [integer(self.tenant), integer(self.index.number), text(key)],
                );
                let source = Source { sql: select, rank: Rank::One, of_type: true, repeats: false };
                Term { sources: Candidates::all(source), ..column("=") }
            }
            CompareOp::Ne => column("<>"),
            CompareOp::Gt => column(">"),
            CompareOp::Ge => column(">="),
            CompareOp::Lt => column("<"),
            CompareOp::Le => column("<="),
            CompareOp::Co | CompareOp::Sw | CompareOp::Ew => Term::UNKNOWN,
        }
    }

    /// The groups that have a resource as a member.
    fn having_member(&self, id: &str) -> Term {
        let join = self.dialect.join();
        let select = Sql::new(
            format!(
                "SELECT m.group_pk AS pk FROM type t {join} resource i \
                 ON i.tenant = ? AND i.type = t.number AND i.id = ? \
                 {join} member m ON m.tenant = i.tenant AND m.member_pk = i.pk"
            ),
            [integer(self.tenant), text(id)],
        );
        Term::of_wider_set(select, Rank::Few)
    }

    /// The resources in a group, directly or through other groups. A group is not in itself.
    fn in_group(&self, id: &str) -> Term {
        let join = self.dialect.join();
        let select = Sql::new(
            format!(
                "SELECT pk FROM (WITH RECURSIVE start (pk) AS ( \
                    SELECT i.pk FROM type t {join} resource i \
                    ON i.tenant = ? AND i.type = t.number AND i.id = ? \
                 ), down (pk) AS ( \
                    SELECT m.member_pk FROM start {join} member m ON m.tenant = ? AND m.group_pk = start.pk \
                    UNION \
                    SELECT m.member_pk FROM down {join} member m ON m.tenant = ? AND m.group_pk = down.pk \
                 ) SELECT pk FROM down WHERE pk NOT IN (SELECT pk FROM start)) AS inside"
            ),
            [integer(self.tenant), text(id), integer(self.tenant), integer(self.tenant)],
        );
        Term::of_wider_set(select, Rank::Some)
    }
}

/// Compares a column of whole milliseconds with an instant, which may be between two milliseconds.
fn moment(column: &str, op: CompareOp, instant: Instant) -> Term {
    let nanoseconds = i64::from(instant.nanoseconds());
    let Some(below) = instant.seconds().checked_mul(1000).map(|millis| millis + nanoseconds / 1_000_000)
    else {
        return Term::UNKNOWN;
    };
    let between = nanoseconds % 1_000_000 != 0;
    let above = if between { below + 1 } else { below };
    let compare =
        |operator, millis| Term::of_columns(Sql::new(format!("{column} {operator} ?"), [integer(millis)]));
    match op {
        CompareOp::Eq if between => Term::never(),
        CompareOp::Ne if between => Term::ALWAYS,
        CompareOp::Eq => compare("=", below),
        CompareOp::Ne => compare("<>", below),
        CompareOp::Gt => compare(">", below),
        CompareOp::Ge => compare(">=", above),
        CompareOp::Lt => compare("<", above),
        CompareOp::Le => compare("<=", below),
        CompareOp::Co | CompareOp::Sw | CompareOp::Ew => Term::UNKNOWN,
    }
}
