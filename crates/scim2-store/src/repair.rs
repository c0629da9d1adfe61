//! Making again what is derived: index rows, display names, counts; and letting go of memberships
//! that lead nowhere.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use rusqlite::{Connection, TransactionBehavior, params};
use scim2_core::Registry;
use scim2_server::{Context, StoreErrorKind};

use crate::audit::{self, AuditKeys, Entry, Keyring};
use crate::error::{OpenError, OpenErrorKind};
use crate::fsck::{self, FsckOptions, Report};
use crate::index::TypeIndex;
use crate::row::version_of;
use crate::sqlite::batch::Batch;
use crate::sqlite::connection;
use crate::sqlite::lock::ServerLock;
use crate::sqlite::read;
use crate::sqlite::writer::Fault;
use crate::sqlite::{layout, names};

/// What a repair did, and what is left.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Repair {
    /// What did not agree before.
    pub before: Report,
    /// What was done, a line each.
    pub done: Vec<String>,
    /// What does not agree after it: what nothing else tells how it was. A body that is no JSON, a
    /// broken chain of the audit log; for those there are backups.
    pub after: Report,
}

impl fmt::Display for Repair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { before: _, done, after } = self;
        done.iter().try_for_each(|line| writeln!(f, "repaired: {line}"))?;
        after.fmt(f)
    }
}

/// Repairs a file that no server has open.
pub(crate) fn repair_file(path: &Path, cx: &Context, audit_keys: &AuditKeys) -> Result<Repair, OpenError> {
    let lock = ServerLock::take(path)?;
    let mut connection = connection::existing(path)?;
    if layout::version(&connection)? == 0 {
        return Err(OpenError::new(OpenErrorKind::Empty));
    }
    layout::migrate(&mut connection)?;
    let options = FsckOptions::default();
    let keys = audit::keyring(&connection, audit_keys)?;
    audit::settle(&connection, &keys)?;
    let before = fsck::check(&connection, &cx.registry, audit_keys, &options)?;
    let mut done = Vec::new();
    if !before.is_clean() {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        match repair(&transaction, cx, &keys, &before, &mut done) {
            Ok(()) => transaction.commit()?,
            // What something would be made again from is on a page that is gone.
            Err(Fault::Broken(error)) if before.broken.file && *error.kind() == StoreErrorKind::Internal => {
                drop(transaction);
                let mut after = before.clone();
                after.fault("nothing is repaired while tables cannot be read: restore a backup");
                return Ok(Repair { before, done: Vec::new(), after });
            }
            Err(Fault::Refused(error) | Fault::Broken(error)) => return Err(OpenError::io(error)),
        }
    }
    let after = if before.is_clean() {
        before.clone()
    } else {
        fsck::check(&connection, &cx.registry, audit_keys, &options)?
    };
    drop((connection, lock));
    Ok(Repair { before, done, after })
}

fn repair(
    connection: &Connection,
    cx: &Context,
    keys: &Keyring,
    before: &Report,
    done: &mut Vec<String>,
) -> Result<(), Fault> {
    let mut note = |what: &str, count: usize| {
        if count > 0 {
            done.push(format!("{count} {what}"));
        }
    };
    if before.broken.file {
        connection.execute_batch("REINDEX")?;
        note("file, whose indexes were made again", 1);
    }
    let unknown: i64 = {
        let known =
            cx.registry.resource_types().map(|type_| format!("'{}'", type_.name().replace('\'', "''")));
        let known: Vec<String> = known.collect();
        connection.query_row(
            &format!(
                "SELECT count(*) FROM resource r JOIN type t ON t.number = r.type WHERE t.name NOT IN ({})",
                known.join(", ")
            ),
            [],
            |row| row.get(0),
        )?
    };
    note("display names taken from the bodies", display_names(connection)?);
    if unknown == 0 && (before.broken.index || before.broken.file) {
        note("resources whose index rows were made again", index(connection, &cx.registry, keys)?);
    }
    if before.broken.triggers {
        note("triggers made again", triggers(connection)?);
    }
    note("counts made again", tally(connection)?);
    note("memberships that led nowhere taken away", members(connection, cx, keys)?);
    Ok(())
}

fn display_names(connection: &Connection) -> Result<usize, Fault> {
    let mut resources = connection.prepare("SELECT pk, display, body FROM resource")?;
    let mut correct = connection.prepare("UPDATE resource SET display = ?2 WHERE pk = ?1")?;
    let mut rows = resources.query([])?;
    let mut wrong: Vec<(i64, Option<String>)> = Vec::new();
    while let Some(row) = rows.next()? {
        let Ok(body) = read::parse(row.get_ref(2)?) else { continue };
        let display: Option<String> = row.get(1)?;
        if body.get_str("displayName") != display.as_deref() {
            wrong.push((row.get(0)?, body.get_str("displayName").map(str::to_owned)));
        }
    }
    for (pk, display) in &wrong {
        correct.execute(params![pk, display])?;
    }
    Ok(wrong.len())
}

/// All rows anew: which of them are wrong is dearer to find out, and it happens once.
fn index(connection: &Connection, registry: &Registry, keys: &Keyring) -> Result<usize, Fault> {
    connection.execute("DELETE FROM attribute", [])?;
    let batch = Batch::new(connection, keys);
    let mut count = 0;
    for resource_type in registry.resource_types() {
        let index: Arc<TypeIndex> = names::register(&batch, resource_type, None)?;
        let mut resources =
            batch.prepare("SELECT tenant, pk, body FROM resource WHERE type = ?1 ORDER BY pk")?;
        let mut resources = resources.query([index.number])?;
        while let Some(row) = resources.next()? {
            let (tenant, pk): (i64, i64) = (row.get(0)?, row.get(1)?);
            let Ok(body) = read::parse(row.get_ref(2)?) else { continue };
            let mut rows = index.rows(&body);
            // Of two resources with a value that only one may have the older one keeps it.
            for row in rows.iter_mut().filter(|row| row.unique) {
                row.unique = batch.check_unique(tenant, &index, std::slice::from_ref(row), Some(pk)).is_ok();
            }
            // A path that was new to the database has its rows already.
            batch.remove_rows(tenant, pk, &rows)?;
            batch.add_rows(tenant, pk, &rows)?;
            count += 1;
        }
    }
    Ok(count)
}

/// Makes the triggers those of the layout; one that is not ours goes.
fn triggers(connection: &Connection) -> Result<usize, Fault> {
    let expected = layout::triggers()?;
    let there = layout::triggers_of(connection)?;
    let mut count = 0;
    for (name, sql) in &there {
        if expected.get(name) != Some(sql) {
            connection.execute_batch(&format!("DROP TRIGGER \"{}\"", name.replace('"', "\"\"")))?;
            count += 1;
        }
    }
    for (name, sql) in &expected {
        if there.get(name) != Some(sql) {
            connection.execute_batch(sql)?;
            count += usize::from(!there.contains_key(name));
        }
    }
    Ok(count)
}

fn tally(connection: &Connection) -> Result<usize, Fault> {
    let wrong: i64 = connection.query_row(
        "SELECT count(*) FROM (SELECT tenant, type, count(*) AS there FROM resource GROUP BY tenant, type) r \
         FULL JOIN (SELECT * FROM tally WHERE resources <> 0) c ON c.tenant = r.tenant AND c.type = r.type \
         WHERE r.there IS NOT c.resources",
        [],
        |row| row.get(0),
    )?;
    if wrong > 0 {
        connection.execute_batch(
            "DELETE FROM tally; \
             INSERT INTO tally (tenant, type, resources) SELECT tenant, type, count(*) FROM resource GROUP BY tenant, type",
        )?;
    }
    Ok(usize::try_from(wrong).unwrap_or_default())
}

/// The memberships of which an end is not there, or is another tenant's.
const NOWHERE: &str = "FROM member m WHERE \
    NOT EXISTS (SELECT 1 FROM resource g WHERE g.pk = m.group_pk AND g.tenant = m.tenant) \
    OR NOT EXISTS (SELECT 1 FROM resource r WHERE r.pk = m.member_pk AND r.tenant = m.tenant)";

fn members(connection: &Connection, cx: &Context, keys: &Keyring) -> Result<usize, Fault> {
    let mut groups = connection.prepare(&format!(
        "SELECT DISTINCT g.tenant, g.pk, g.id, t.name FROM (SELECT m.tenant, m.group_pk {NOWHERE}) m \
         JOIN resource g ON g.pk = m.group_pk AND g.tenant = m.tenant JOIN type t ON t.number = g.type"
    ))?;
    let groups = groups
        .query_map([], |row| {
            Ok((
                row.get::<_, i64>(0)?,
                row.get::<_, i64>(1)?,
                row.get::<_, String>(2)?,
                row.get::<_, String>(3)?,
            ))
        })?
        .collect::<rusqlite::Result<Vec<_>>>()?;
    let gone = connection.execute(
        &format!(
            "DELETE FROM member WHERE (tenant, group_pk, added, member_pk) IN \
             (SELECT m.tenant, m.group_pk, m.added, m.member_pk {NOWHERE})"
        ),
        [],
    )?;
    let mut batch = Batch::new(connection, keys);
    for (tenant, pk, id, type_) in groups {
        let version: i64 = connection.query_row(
            "UPDATE resource SET version = version + 1, modified = max(modified, ?2) WHERE pk = ?1 RETURNING version",
            [pk, cx.now.timestamp_millis()],
            |row| row.get(0),
        )?;
        let version = version_of(version);
        let entry =
            Entry { version: version.as_str(), changed: "members", ..Entry::new(cx, "modify", &type_, &id) };
        batch.audit(tenant, &entry)?;
    }
    Ok(gone)
}
