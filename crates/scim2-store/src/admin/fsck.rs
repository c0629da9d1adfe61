//! The check: derived data agrees with the data it is derived from.

use std::fmt;
use std::sync::Arc;

use scim2_core::Registry;
use scim2_server::StoreError;

use super::dump;
use super::engine::AnySession;
use crate::audit::AuditHead;
use crate::model::index::{IndexRow, TypeIndex};
use crate::model::row::parse;
use crate::session::{Fault, Row, Session as _, Transaction};
use crate::sql::{Param, Sql, blob, integer};

mod audit;

/// What a check compares with beside the database itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct FsckOptions {
    /// Heads that the audit logs had before. Each of them must still be in its log, or rows were removed from its
    /// end, or it was rewritten.
    pub heads: Vec<AuditHead>,
}

/// What a check found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Report {
    /// How many resources were looked at.
    pub resources: u64,
    /// How many rows of the index.
    pub index_rows: u64,
    /// How many memberships.
    pub members: u64,
    /// How many rows of the audit log.
    pub audit_rows: u64,
    /// How many rows of the audit log are hashed with the database's own key, if there is a key outside of it. An attacker
    /// who could write the database before that key was adopted could write these rows.
    pub database_key_rows: Option<u64>,
    /// How many tokens.
    pub tokens: u64,
    /// What does not agree, a line each; at most [`MOST`](Self::MOST).
    pub faults: Vec<String>,
    /// Whether there are resources of types that the registry does not have.
    pub lacks_types: bool,
    /// What a repair must know of them.
    pub(crate) broken: Broken,
}

/// Which parts have faults that can be mended by making something again.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Broken {
    /// A page of the file or an index of SQLite.
    pub(crate) file: bool,
    /// The rows of the index.
    pub(crate) index: bool,
    /// Triggers, or indexes of a SQLite file.
    pub(crate) guards: bool,
}

impl Report {
    /// The most faults that are listed.
    pub const MOST: usize = 1000;

    /// Says whether everything agrees.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.faults.is_empty()
    }

    /// Notes resources of types that the registry does not have.
    pub(crate) fn unknown(&mut self, count: u64, types: &[(String, u64)]) {
        let types: Vec<String> = types.iter().map(|(name, count)| format!("`{name}` ({count})")).collect();
        self.fault(format!(
            "{} of types that the registry does not have: {}",
            counted(count, "resource"),
            types.join(", ")
        ));
        self.lacks_types = true;
    }

    pub(crate) fn fault(&mut self, fault: impl Into<String>) {
        if self.faults.len() < Self::MOST {
            self.faults.push(fault.into());
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { resources, index_rows, members, audit_rows, database_key_rows, tokens, faults, .. } = self;
        let with_database_key = match database_key_rows {
            None | Some(0) => String::new(),
            Some(rows) => format!(" ({rows} hashed with the database's own key)"),
        };
        write!(
            f,
            "{}, {}, {}, {}{with_database_key}, {}: {}",
            counted(*resources, "resource"),
            counted(*index_rows, "index row"),
            counted(*members, "membership"),
            counted(*audit_rows, "audit row"),
            counted(*tokens, "token"),
            if faults.is_empty() { "all agree".to_owned() } else { counted(faults.len() as u64, "fault") }
        )?;
        faults.iter().try_for_each(|fault| write!(f, "\n{fault}"))
    }
}

/// A number of things whose plural ends in `s`: `1 fault`, `2 faults`.
pub(super) fn counted(number: u64, one: &str) -> String {
    format!("{number} {one}{}", if number == 1 { "" } else { "s" })
}

/// Checks everything in one snapshot.
pub(super) async fn check(
    session: &mut AnySession,
    registry: &Registry,
    options: &FsckOptions,
) -> Result<Report, Fault> {
    session.begin(Transaction::Snapshot).await?;
    let mut report = Report::default();
    session.check_pages(&mut report).await?;
    let mut check = Check { session, registry, options, report };
    match check.parts().await {
        // Damage ends the transaction of PostgreSQL: nothing more can be read in it.
        Err(Fault::Damaged(reason)) => {
            check.report.broken.file = true;
            check.report.fault(format!("the database: {reason}"));
        }
        checked => checked?,
    }
    Ok(check.report)
}

/// A check under way.
struct Check<'a> {
    session: &'a mut AnySession,
    registry: &'a Registry,
    options: &'a FsckOptions,
    report: Report,
}

/// A resource as the check looks at it.
struct Checked {
    tenant: i64,
    pk: i64,
    id: String,
    body: Result<CheckedBody, ()>,
}

struct CheckedBody {
    has_other_id: bool,
    has_other_display_name: bool,
    rows: Vec<IndexRow>,
}

impl Check<'_> {
    async fn parts(&mut self) -> Result<(), Fault> {
        let checked = self.index().await;
        self.end("bodies and index rows", checked)?;
        let checked = self.counts().await;
        self.end("counts", checked)?;
        let checked = self.members().await;
        self.end("memberships", checked)?;
        let checked = self.session.check_layout(&mut self.report).await;
        self.end("the layout", checked)?;
        let checked = self.audit_log().await;
        self.end("the audit log", checked)?;
        self.session.commit().await
    }

    /// Ends a part of the check. In a damaged file a part may fail; the faults that the others find are worth knowing.
    fn end(&mut self, part: &str, checked: Result<(), Fault>) -> Result<(), Fault> {
        match checked {
            Err(fault) if self.report.broken.file => {
                let reason = match fault {
                    Fault::Damaged(reason) => reason,
                    fault => StoreError::from(fault).to_string(),
                };
                self.report.fault(format!("{part} cannot be checked to the end: {reason}"));
                Ok(())
            }
            checked => checked,
        }
    }

    /// Every body has the rows it should have, and there are no others.
    async fn index(&mut self) -> Result<(), Fault> {
        // Rows of paths that are no longer indexed will be removed.
        let rows = "SELECT count(*) FROM attribute \
                    WHERE path NOT IN (SELECT number FROM path WHERE kind = 'gone')";
        self.report.index_rows = self.session.count(Sql::new(rows, [])).await?;
        let mut expected = 0_u64;
        for resource_type in self.registry.resource_types() {
            let Some(index) = self.session.known_index(resource_type).await? else { continue };
            let mut last = (i64::MIN, i64::MIN);
            loop {
                let columns = "tenant, pk, id, display, body";
                let next = self.session.dialect().resources_after(columns, index.number, last);
                let read = Arc::clone(&index);
                let page = self.session.page(next, move |row| checked(row, &read)).await?;
                let Some(resource) = page.last() else { break };
                last = (resource.tenant, resource.pk);
                for resource in &page {
                    self.body(&index, resource);
                }
                expected += self.index_rows(&index, &page).await?;
            }
        }
        let all = self.session.count(Sql::new("SELECT count(*) FROM resource", [])).await?;
        let unknown = all.saturating_sub(self.report.resources);
        if unknown > 0 {
            // Without the schemas nobody can say which rows these should have.
            let types = dump::unknown(self.session, self.registry, None).await?;
            self.report.unknown(unknown, &types);
        } else if self.report.index_rows > expected {
            self.report.broken.index = true;
            let more = self.report.index_rows - expected;
            let verb = if more == 1 { "belongs" } else { "belong" };
            self.report.fault(format!("{} {verb} to no value", counted(more, "index row")));
        }
        let is_unique = self.session.dialect().is_unique();
        let shared = format!(
            "SELECT count(*) FROM (SELECT 1 FROM attribute WHERE {is_unique} GROUP BY tenant, path, value \
             HAVING count(DISTINCT pk) > 1) AS shared"
        );
        let shared = self.session.count(Sql::new(shared, [])).await?;
        if shared > 0 {
            self.report.broken.index = true;
            let values = counted(shared, "value");
            self.report
                .fault(format!("{values} that only one resource may have, more than one resource has"));
        }
        Ok(())
    }

    fn body(&mut self, index: &TypeIndex, resource: &Checked) {
        self.report.resources += 1;
        let name = format!("{} {}", index.resource_type.name(), resource.id);
        match &resource.body {
            Err(()) => self.report.fault(format!("{name}: the body is not a JSON object")),
            Ok(body) => {
                if body.has_other_id {
                    self.report.fault(format!("{name}: the body has another id"));
                }
                if body.has_other_display_name {
                    self.report.fault(format!("{name}: the display name is not the body's"));
                }
            }
        }
    }

    /// Looks up the rows of some resources, and returns how many there should be.
    async fn index_rows(&mut self, index: &TypeIndex, page: &[Checked]) -> Result<u64, Fault> {
        let expected: Vec<(&Checked, &IndexRow)> = page
            .iter()
            .flat_map(|resource| {
                let rows = resource.body.iter().flat_map(|body| &body.rows);
                rows.map(move |row| (resource, row))
            })
            .collect();
        let is_unique = self.session.dialect().is_unique();
        let find = format!(
            "SELECT {is_unique} FROM attribute \
             WHERE tenant = ? AND path = ? AND value = ? AND pk = ? AND element = ?"
        );
        let keys = expected.iter().map(|(resource, row)| {
            let mut key = unique_key(resource.tenant, row);
            key.extend([integer(resource.pk), integer(row.element)]);
            key
        });
        let read = |row: &Row<'_>| Ok(row.get::<Option<bool>>(0)?.unwrap_or_default());
        let found = self.session.each(&find, keys.collect(), read).await?;
        let mut not_unique = Vec::new();
        for ((resource, row), found) in expected.iter().zip(found) {
            let fault = match found {
                // Rows of this path are still made in the background.
                None if index.is_filling(row.path) => continue,
                None => "no index row for",
                Some(true) if !row.unique => "the index takes a value for unique that need not be, of",
                Some(false) if row.unique => {
                    not_unique.push((*resource, *row));
                    continue;
                }
                Some(_) => continue,
            };
            self.index_fault(index, resource, row, fault);
        }
        // If two resources had a value before its attribute became unique, the index keeps it for one of them.
        let find =
            format!("SELECT 1 FROM attribute WHERE tenant = ? AND path = ? AND value = ? AND {is_unique}");
        let keys = not_unique.iter().map(|(resource, row)| unique_key(resource.tenant, row));
        let holders = self.session.each(&find, keys.collect(), |_| Ok(())).await?;
        for ((resource, row), _) in not_unique.iter().zip(holders).filter(|(_, holder)| holder.is_none()) {
            self.index_fault(index, resource, row, "the index does not keep a value unique, of");
        }
        Ok(expected.len() as u64)
    }

    fn index_fault(&mut self, index: &TypeIndex, resource: &Checked, row: &IndexRow, fault: &str) {
        self.report.broken.index = true;
        let (name, path) = (index.resource_type.name(), index.spelling(row.path));
        self.report.fault(format!("{name} {}: {fault} `{path}`", resource.id));
    }

    /// The stored counts agree with the resources.
    async fn counts(&mut self) -> Result<(), Fault> {
        for wrong in miscounted(self.session).await? {
            let Miscounted { tenant_name, type_name, resources, counted, .. } = wrong;
            self.report.fault(format!(
                "tenant {tenant_name}: the database has {resources} of type {type_name}, and counted {counted}"
            ));
        }
        Ok(())
    }

    /// Both ends of every membership are there, in the tenant of the membership.
    async fn members(&mut self) -> Result<(), Fault> {
        let join = self.session.dialect().join();
        let all = self.session.count(Sql::new("SELECT count(*) FROM member", [])).await?;
        let agreeing = format!(
            "SELECT count(*) FROM member m {join} resource g ON g.tenant = m.tenant AND g.pk = m.group_pk \
             {join} resource r ON r.tenant = m.tenant AND r.pk = m.member_pk"
        );
        let agreeing = self.session.count(Sql::new(agreeing, [])).await?;
        // Members of a group that was deleted will be removed.
        let leaving = format!(
            "SELECT count(*) FROM pending_deletion g {join} member m ON m.tenant = g.tenant AND m.group_pk = g.pk \
             WHERE NOT EXISTS (SELECT 1 FROM resource r WHERE r.tenant = g.tenant AND r.pk = g.pk)"
        );
        let leaving = self.session.count(Sql::new(leaving, [])).await?;
        self.report.members = all.saturating_sub(leaving);
        let lost = self.report.members.abs_diff(agreeing);
        if lost > 0 {
            let verb = if lost == 1 { "points" } else { "point" };
            self.report.fault(format!("{} {verb} to no resource", counted(lost, "membership")));
        }
        Ok(())
    }
}

/// The columns of [`unique_key`] of an index row.
fn unique_key(tenant: i64, row: &IndexRow) -> Vec<Param> {
    vec![integer(tenant), integer(row.path), blob(row.value.clone())]
}

/// Reads a resource and computes the index rows it should have.
fn checked(row: &Row<'_>, index: &TypeIndex) -> Result<Checked, StoreError> {
    let id: String = row.get(2)?;
    let display = row.display(3)?;
    let body = parse(row.text_bytes(4)?).map_err(drop).map(|body| CheckedBody {
        has_other_id: body.get_str("id") != Some(&id),
        has_other_display_name: body.get_str("displayName") != display.as_deref(),
        rows: index.rows(&body),
    });
    Ok(Checked { tenant: row.get(0)?, pk: row.get(1)?, id, body })
}

/// A tenant and type whose resources are not as many as were counted.
pub(super) struct Miscounted {
    pub(super) tenant: i64,
    pub(super) type_number: i64,
    tenant_name: String,
    type_name: String,
    pub(super) resources: i64,
    pub(super) counted: i64,
}

/// The tenants and types whose resources are not as many as were counted.
pub(super) async fn miscounted(session: &mut AnySession) -> Result<Vec<Miscounted>, Fault> {
    let counts = session.dialect().resource_counts();
    let wrong = format!(
        "SELECT n.number, t.number, n.name, t.name, coalesce(r.resources, 0), coalesce(c.resources, 0) \
         FROM (SELECT tenant, type, count(*) AS resources FROM resource GROUP BY tenant, type) r \
         FULL JOIN (SELECT tenant, type, CAST(sum(resources) AS bigint) AS resources FROM {counts} AS a \
          GROUP BY tenant, type) c ON c.tenant = r.tenant AND c.type = r.type \
         JOIN tenant n ON n.number = coalesce(r.tenant, c.tenant) \
         JOIN type t ON t.number = coalesce(r.type, c.type) \
         WHERE coalesce(r.resources, 0) <> coalesce(c.resources, 0)"
    );
    let read = |row: &Row<'_>| {
        Ok(Miscounted {
            tenant: row.get(0)?,
            type_number: row.get(1)?,
            tenant_name: row.get(2)?,
            type_name: row.get(3)?,
            resources: row.get(4)?,
            counted: row.get(5)?,
        })
    };
    session.rows(Sql::new(wrong, []), read).await
}
