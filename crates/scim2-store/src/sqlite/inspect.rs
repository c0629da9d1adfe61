//! What the check looks at in a SQLite file alone: damaged pages, and the layout.

use std::collections::HashMap;

use rusqlite::{Connection, ErrorCode, OptionalExtension};

use super::layout;
use crate::admin::fsck::Report;

/// Every page is what SQLite would have written; otherwise, which resources cannot be read.
pub(crate) fn pages(connection: &Connection, report: &mut Report) -> rusqlite::Result<()> {
    let names = names(connection)?;
    let mut statement = connection.prepare("PRAGMA integrity_check")?;
    let mut lines = statement.query([])?;
    loop {
        let line = match lines.next() {
            Ok(Some(line)) => line,
            Ok(None) => break,
            // Some damage ends the check itself.
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseCorrupt) => {
                report.broken.file = true;
                report.fault(format!("the file: {error}"));
                break;
            }
            Err(error) => return Err(error),
        };
        // One row may hold several lines, below one that names the database.
        let text: String = line.get(0)?;
        for line in text.lines().filter(|line| *line != "ok" && !line.starts_with("***")) {
            report.broken.file = true;
            let on = tree(line).and_then(|tree| names.get(&tree)).map(|name| format!(" (`{name}`)"));
            report.fault(format!("the file: {line}{}", on.unwrap_or_default()));
        }
    }
    if report.broken.file
        && let Err(error) = resources(connection, report)
    {
        report.fault(format!("which resources cannot be read is not known: {error}"));
    }
    Ok(())
}

/// Tables and indexes by the page their tree begins with, which is how SQLite calls a tree.
fn names(connection: &Connection) -> rusqlite::Result<HashMap<i64, String>> {
    let mut statement = connection.prepare("SELECT rootpage, name FROM sqlite_schema WHERE rootpage > 0")?;
    statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
}

/// The tree of a line such as `Tree 9 page 26: …`.
fn tree(line: &str) -> Option<i64> {
    line.strip_prefix("Tree ")?.split(' ').next()?.parse().ok()
}

/// Looks at each resource that the index of the ids has.
fn resources(connection: &Connection, report: &mut Report) -> rusqlite::Result<()> {
    let mut ids = connection.prepare(
        "SELECT n.name, t.name, r.id, r.pk FROM resource r INDEXED BY resource_by_id \
         CROSS JOIN tenant n ON n.number = r.tenant CROSS JOIN type t ON t.number = r.type \
         ORDER BY r.tenant, r.type, r.id",
    )?;
    let mut body = connection.prepare("SELECT body FROM resource WHERE pk = ?1")?;
    let mut rows = ids.query([])?;
    while let Some(row) = rows.next()? {
        let pk: i64 = row.get(3)?;
        let found = body.query_row([pk], |row| row.get_ref(0).map(|_| ())).optional();
        if !matches!(found, Ok(Some(()))) {
            let (tenant, type_, id): (String, String, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
            report.fault(format!("tenant {tenant}: {type_} {id} cannot be read"));
        }
    }
    Ok(())
}

/// The layout is the newest one, and its triggers and indexes are as it makes them, word for word: they keep counts
/// right, ids unique and the audit log append-only.
pub(crate) fn layout(connection: &Connection, report: &mut Report) -> rusqlite::Result<()> {
    if !layout::steps_taken(connection)?.into_iter().eq(1..=layout::NEWEST) {
        report.fault("the table `schema_version` does not have the steps of this program's layout");
    }
    let expected = layout::guards()?;
    let mut there = layout::guards_of(connection)?;
    for (guard, sql) in &expected {
        let (kind, name) = (guard.0.name(), &guard.1);
        match there.remove(guard) {
            None => report.fault(format!("the {kind} `{name}` is missing")),
            Some(found) if found != *sql => report.fault(format!("the {kind} `{name}` was changed")),
            Some(_) => continue,
        }
        report.broken.guards = true;
    }
    for (kind, name) in there.keys() {
        report.fault(format!("the {} `{}` is not one of this program", kind.name(), name.escape_debug()));
        report.broken.guards = true;
    }
    Ok(())
}

/// Makes the triggers and indexes those of the layout, removes any other, and returns how many it made or removed.
pub(crate) fn repair_layout(connection: &Connection) -> rusqlite::Result<usize> {
    let expected = layout::guards()?;
    let there = layout::guards_of(connection)?;
    let mut count = 0;
    for ((guard, name), sql) in &there {
        if expected.get(&(*guard, name.clone())) != Some(sql) {
            let name = name.replace('"', "\"\"");
            connection.execute_batch(&format!("DROP {} \"{name}\"", guard.name()))?;
            count += 1;
        }
    }
    for (guard, sql) in &expected {
        if there.get(guard) != Some(sql) {
            connection.execute_batch(sql)?;
            count += usize::from(!there.contains_key(guard));
        }
    }
    Ok(count)
}
