//! The check: what is derived agrees with what it is derived from.

use std::fmt;

use rusqlite::{Connection, OptionalExtension, params};
use scim2_core::Registry;

use crate::audit::check::{LogCheck, missing};
use crate::audit::{self, AuditHead, AuditKeys, KeyId};
use crate::index::IndexRow;
use crate::sqlite::{layout, names, read};
use crate::token::TokenRow;

mod damage;

/// What a check compares with beside the database itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct FsckOptions {
    /// Heads that the audit logs had before. Each of them must still be in its log, or rows were removed from its
    /// end, or it was written anew.
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
    /// Triggers.
    pub(crate) triggers: bool,
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
            "{count} resources are of types that the registry does not have: {}",
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
        let Self { resources, index_rows, members, audit_rows, tokens, faults, lacks_types: _, broken: _ } =
            self;
        write!(
            f,
            "{resources} resources, {index_rows} index rows, {members} memberships, {audit_rows} audit rows, \
             {tokens} tokens: {}",
            if faults.is_empty() { "all agree".to_owned() } else { format!("{} faults", faults.len()) }
        )?;
        faults.iter().try_for_each(|fault| write!(f, "\n{fault}"))
    }
}

/// What is checked, and what with.
struct Check<'a> {
    connection: &'a Connection,
    registry: &'a Registry,
    keys: &'a AuditKeys,
    options: &'a FsckOptions,
}

pub(crate) fn check(
    connection: &Connection,
    registry: &Registry,
    keys: &AuditKeys,
    options: &FsckOptions,
) -> rusqlite::Result<Report> {
    // One snapshot, though a server may be writing.
    let snapshot = connection.unchecked_transaction()?;
    let mut report = Report::default();
    damage::file(&snapshot, &mut report)?;
    let parts: [(&str, Part); 5] = [
        ("bodies and index rows", |check, report| index(check.connection, check.registry, report)),
        ("counts", |check, report| tally(check.connection, report)),
        ("memberships", |check, report| members(check.connection, report)),
        ("triggers", |check, report| triggers(check.connection, report)),
        ("the audit log", audit_log),
    ];
    let check = Check { connection: &snapshot, registry, keys, options };
    for (name, part) in parts {
        match part(&check, &mut report) {
            // What else is there is worth knowing.
            Err(error) if report.broken.file => {
                report.fault(format!("{name} cannot be checked to the end: {error}"));
            }
            checked => checked?,
        }
    }
    Ok(report)
}

/// What can be checked apart.
type Part = fn(&Check<'_>, &mut Report) -> rusqlite::Result<()>;

/// Every body has the rows it should have, and there are no others.
fn index(connection: &Connection, registry: &Registry, report: &mut Report) -> rusqlite::Result<()> {
    let count = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, i64>(0)).map(i64::unsigned_abs);
    // Those of paths that are indexed no more are on their way out.
    report.index_rows = count(
        "SELECT count(*) FROM attribute WHERE path NOT IN (SELECT number FROM path WHERE kind = 'gone')",
    )?;
    let mut expected = 0_u64;
    let mut row_is_there = connection.prepare(
        "SELECT uniq FROM attribute WHERE tenant = ?1 AND path = ?2 AND value = ?3 AND pk = ?4 AND element = ?5",
    )?;
    let mut somebody_has_it = connection
        .prepare("SELECT 1 FROM attribute WHERE tenant = ?1 AND path = ?2 AND value = ?3 AND uniq = 1")?;
    for resource_type in registry.resource_types() {
        let Some(index) = names::known(connection, resource_type)? else { continue };
        let mut statement =
            connection.prepare("SELECT tenant, pk, id, display, body FROM resource WHERE type = ?1")?;
        let mut resources = statement.query([index.number])?;
        while let Some(resource) = resources.next()? {
            report.resources += 1;
            let (tenant, pk): (i64, i64) = (resource.get(0)?, resource.get(1)?);
            let id = resource.get_ref(2)?.as_str()?;
            let name = format!("{} {id}", resource_type.name());
            let Ok(body) = read::parse(resource.get_ref(4)?) else {
                report.fault(format!("{name}: the body is not a JSON object"));
                continue;
            };
            if body.get_str("id") != Some(id) {
                report.fault(format!("{name}: the body has another id"));
            }
            if body.get_str("displayName") != resource.get_ref(3)?.as_str_or_null()? {
                report.fault(format!("{name}: the display name is not the body's"));
            }
            for IndexRow { path, value, element, unique } in index.rows(&body) {
                expected += 1;
                let row = row_is_there.query_row(params![tenant, path, value, pk, element], |row| row.get(0));
                let fault = match row.optional()? {
                    // It is made in the background.
                    None if index.is_filling(path) => continue,
                    None => "no index row for",
                    Some(Some(1)) if !unique => "the index takes a value for unique that need not be, of",
                    // Of two that were there before the attribute became unique, one has it.
                    Some(None::<i64>)
                        if unique && !somebody_has_it.exists(params![tenant, path, value])? =>
                    {
                        "the index does not keep a value unique, of"
                    }
                    Some(_) => continue,
                };
                report.broken.index = true;
                report.fault(format!("{name}: {fault} `{}`", index.spelling(path)));
            }
        }
    }
    let unknown = count("SELECT count(*) FROM resource")?.saturating_sub(report.resources);
    if unknown > 0 {
        // Without the schemas nobody can say which rows these should have.
        let types = unknown_types(connection, registry)?;
        report.unknown(unknown, &types);
    } else if report.index_rows > expected {
        report.broken.index = true;
        report.fault(format!("{} index rows belong to no value", report.index_rows - expected));
    }
    Ok(())
}

/// What is counted is what is there.
fn tally(connection: &Connection, report: &mut Report) -> rusqlite::Result<()> {
    let mut statement = connection.prepare(
        "SELECT n.name, t.name, (SELECT count(*) FROM resource r WHERE r.tenant = n.number AND r.type = t.number) \
         AS there, coalesce(c.resources, 0) AS counted \
         FROM tenant n CROSS JOIN type t LEFT JOIN tally c ON c.tenant = n.number AND c.type = t.number \
         WHERE there <> counted",
    )?;
    let mut wrong = statement.query([])?;
    while let Some(row) = wrong.next()? {
        let (tenant, type_): (String, String) = (row.get(0)?, row.get(1)?);
        let (there, counted): (i64, i64) = (row.get(2)?, row.get(3)?);
        report.fault(format!("tenant {tenant}: there are {there} {type_} resources, counted were {counted}"));
    }
    Ok(())
}

/// Both ends of every membership are there, in the tenant of the membership.
fn members(connection: &Connection, report: &mut Report) -> rusqlite::Result<()> {
    let (total, agreeing): (i64, i64) = connection.query_row(
        "SELECT (SELECT count(*) FROM member), \
         (SELECT count(*) FROM member m CROSS JOIN resource g ON g.pk = m.group_pk AND g.tenant = m.tenant \
          CROSS JOIN resource r ON r.pk = m.member_pk AND r.tenant = m.tenant)",
        [],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    // Those of a group that was deleted are on their way out.
    let leaving: i64 = connection.query_row(
        "SELECT count(*) FROM gone g CROSS JOIN member m ON m.tenant = g.tenant AND m.group_pk = g.pk \
         WHERE NOT EXISTS (SELECT 1 FROM resource r WHERE r.pk = g.pk)",
        [],
        |row| row.get(0),
    )?;
    let total = total - leaving;
    report.members = total.unsigned_abs();
    if total != agreeing {
        report.fault(format!("{} memberships point to no resource", total - agreeing));
    }
    Ok(())
}

/// The triggers are those that the layout makes, word for word: they keep counts right and the audit log append-only.
fn triggers(connection: &Connection, report: &mut Report) -> rusqlite::Result<()> {
    let expected = layout::triggers()?;
    let mut there = layout::triggers_of(connection)?;
    for (name, sql) in &expected {
        match there.remove(name) {
            None => report.fault(format!("the trigger `{name}` is missing")),
            Some(found) if found != *sql => report.fault(format!("the trigger `{name}` was changed")),
            Some(_) => continue,
        }
        report.broken.triggers = true;
    }
    for name in there.keys() {
        report.fault(format!("the trigger `{}` is not one of this program", name.escape_debug()));
        report.broken.triggers = true;
    }
    Ok(())
}

fn audit_log(check: &Check<'_>, report: &mut Report) -> rusqlite::Result<()> {
    let Check { connection, registry, keys, options } = check;
    let keys = audit::keyring(connection, keys)?;
    let rows: i64 = connection.query_row("SELECT count(*) FROM audit", [], |row| row.get(0))?;
    report.audit_rows = rows.unsigned_abs();
    let tenants: Vec<(i64, String)> = connection
        .prepare("SELECT number, name FROM tenant ORDER BY number")?
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<rusqlite::Result<_>>()?;
    unknown_tenants(tenants.iter().map(|(_, name)| name.as_str()), options, report);
    for (tenant, name) in &tenants {
        let epochs = connection
            .prepare("SELECT seq, id FROM audit_key WHERE tenant = ?1 ORDER BY seq")?
            .query_map([tenant], |row| Ok((row.get(0)?, KeyId::from_bytes(row.get_ref(1)?.as_blob()?))))?
            .collect::<rusqlite::Result<_>>()?;
        let mut log = LogCheck::new(name, &keys, epochs, &options.heads, report);
        audit::each_row(connection, *tenant, |seq, entry, hash| log.row(seq, entry, hash))?;
        tokens(connection, *tenant, &mut log)?;
        // By the order of the table: every row is read anyway.
        let mut statement = connection.prepare(
            "SELECT t.name, r.id, r.version FROM resource r NOT INDEXED CROSS JOIN type t ON t.number = r.type \
             WHERE r.tenant = ?1",
        )?;
        let mut resources = statement.query([tenant])?;
        while let Some(row) = resources.next()? {
            let resource_type = row.get_ref(0)?.as_str()?;
            let id = row.get_ref(1)?.as_str()?;
            log.resource(resource_type, id, row.get(2)?, may_be_ahead(registry, resource_type));
        }
        let mut named = connection
            .prepare("SELECT resource_type, resource_id FROM audit WHERE tenant = ?1 AND seq = ?2")?;
        for seq in log.finish() {
            let (resource_type, id): (String, String) =
                named.query_row(params![tenant, seq], |row| Ok((row.get(0)?, row.get(1)?)))?;
            report.fault(missing(name, &resource_type, &id));
        }
    }
    Ok(())
}

fn tokens(connection: &Connection, tenant: i64, log: &mut LogCheck<'_>) -> rusqlite::Result<()> {
    let mut statement = connection.prepare(
        "SELECT id, hash, name, access, created, expires, revoked FROM token WHERE tenant = ?1 ORDER BY created, id",
    )?;
    let mut tokens = statement.query([tenant])?;
    while let Some(row) = tokens.next()? {
        log.token(&TokenRow {
            id: row.get_ref(0)?.as_str()?,
            hash: row.get_ref(1)?.as_blob()?,
            name: row.get_ref(2)?.as_str()?,
            access: row.get_ref(3)?.as_str()?,
            created: row.get(4)?,
            expires: row.get(5)?,
            revoked: row.get(6)?,
        });
    }
    Ok(())
}

/// Whether the version of a resource may be ahead of its last row in the log; also if nobody knows its type.
pub(crate) fn may_be_ahead(registry: &Registry, resource_type: &str) -> bool {
    registry.resource_type(resource_type).is_none_or(|known| known.members().is_some())
}

/// Notes heads of tenants that are not there.
pub(crate) fn unknown_tenants<'a>(
    tenants: impl Iterator<Item = &'a str> + Clone,
    options: &FsckOptions,
    report: &mut Report,
) {
    for head in options.heads.iter().filter(|head| head.rows() > 0) {
        if !tenants.clone().any(|name| name == head.tenant().as_str()) {
            report.fault(format!(
                "there is no tenant for the head {head}: all rows of its audit log were removed"
            ));
        }
    }
}

/// The types that the registry does not have, and how many resources of each there are.
fn unknown_types(connection: &Connection, registry: &Registry) -> rusqlite::Result<Vec<(String, u64)>> {
    let mut types = connection
        .prepare("SELECT t.name, count(*) FROM resource r JOIN type t ON t.number = r.type GROUP BY t.name")?
        .query_map([], |row| Ok((row.get(0)?, row.get::<_, i64>(1)?.unsigned_abs())))?
        .collect::<rusqlite::Result<Vec<(String, u64)>>>()?;
    types.retain(|(name, _)| registry.resource_type(name).is_none());
    Ok(types)
}
