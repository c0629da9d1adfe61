//! Assigns numbers to tenants, resource types and indexed paths.

use std::collections::HashMap;
use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension, params};
use scim2_core::{AttributeDef, CompiledType};
use scim2_server::TenantId;

use super::batch::Batch;
use super::writer::Fault;
use crate::model::ids::IdCache;
use crate::model::index::{
    GONE, IndexRow, IndexedPath, PIECE, TypeIndex, is_indexable, is_indexed, is_kind, kind_name,
};
use crate::model::indexing::Indexing;
use crate::model::key::KeyKind;

/// Reads the names of all types.
pub(crate) fn load(connection: &Connection, ids: &IdCache) -> rusqlite::Result<()> {
    let mut statement = connection.prepare("SELECT number, name FROM type")?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, Arc::from(row.get_ref(1)?.as_str()?))))?;
    ids.set_types(rows.collect::<rusqlite::Result<_>>()?);
    Ok(())
}

/// The number of a tenant. A new tenant gets one.
pub(crate) fn tenant(connection: &Connection, tenant: &TenantId) -> rusqlite::Result<i64> {
    connection
        .prepare_cached("INSERT INTO tenant (name) VALUES (?1) ON CONFLICT DO NOTHING")?
        .execute([tenant.as_str()])?;
    connection
        .prepare_cached("SELECT number FROM tenant WHERE name = ?1")?
        .query_row([tenant.as_str()], |row| row.get(0))
}

/// Whether a type has no resources. The index begins with the tenant; without a tenant, SQLite would read all
/// resources.
const IS_EMPTY: &str = "SELECT NOT EXISTS \
    (SELECT 1 FROM tenant t CROSS JOIN resource r ON r.tenant = t.number AND r.type = ?1)";

/// Assigns numbers to a resource type and its indexed paths: those that `indexing` chooses, or without it the
/// existing ones and those that must be indexed. If the schemas have changed, the index rows are computed again
/// from the bodies. The rows of a new path that is not unique are left to the [backfill](fill_some) if the type has
/// resources.
pub(crate) fn register(
    batch: &Batch<'_>,
    resource_type: &Arc<CompiledType>,
    indexing: Option<&Indexing>,
) -> Result<Arc<TypeIndex>, Fault> {
    let connection = batch.connection();
    connection
        .execute("INSERT INTO type (name) VALUES (?1) ON CONFLICT DO NOTHING", [resource_type.name()])?;
    let number: i64 =
        connection
            .query_row("SELECT number FROM type WHERE name = ?1", [resource_type.name()], |row| row.get(0))?;
    let mut known: HashMap<String, (i64, String)> = connection
        .prepare("SELECT path, number, kind FROM path WHERE type = ?1 AND kind <> ?2")?
        .query_map(params![number, GONE], |row| Ok((row.get(0)?, (row.get(1)?, row.get(2)?))))?
        .collect::<rusqlite::Result<_>>()?;
    let is_empty: bool = connection.prepare(IS_EMPTY)?.query_row([number], |row| row.get(0))?;
    let mut paths = Vec::new();
    let mut new = Vec::new();
    let default = Indexing::default();
    let there = indexing.is_none() && !known.is_empty();
    let is_wanted = |def: &AttributeDef, known: &HashMap<String, (i64, String)>| {
        let must = resource_type.is_unique(def.id());
        if there {
            is_indexable(resource_type, def) && (must || known.contains_key(def.path()))
        } else {
            is_indexed(resource_type, def, indexing.unwrap_or(&default))
        }
    };
    for def in resource_type.attributes() {
        let Some(kind) = KeyKind::of(def).filter(|_| is_wanted(def, &known)) else { continue };
        let unique = resource_type.is_unique(def.id());
        let old = known.remove(def.path());
        let kept = old.as_ref().and_then(|(number, old)| Some((*number, is_kind(old, kind, unique)?)));
        let (path, ready) = match kept {
            Some(kept) => kept,
            None => {
                if let Some((number, _)) = old {
                    forget(connection, number)?;
                }
                // A unique path must be complete before anything is written.
                let ready = unique || is_empty;
                let wanted = kind_name(kind, unique, ready);
                let path = connection
                    .prepare_cached(
                        "INSERT INTO path (type, path, kind) VALUES (?1, ?2, ?3) RETURNING number",
                    )?
                    .query_row(params![number, def.path(), wanted], |row| row.get(0))?;
                if ready {
                    new.push(path);
                }
                (path, ready)
            }
        };
        paths.push(IndexedPath { attribute: def.id(), number: path, kind, unique, ready });
    }
    for (number, _) in known.into_values() {
        forget(connection, number)?;
    }
    let index = Arc::new(TypeIndex::new(Arc::clone(resource_type), number, paths));
    if !new.is_empty() {
        fill(batch, &index, &new)?;
    }
    Ok(index)
}

/// The index of a resource type as the database has it; `None` if the type is unknown.
pub(crate) fn known(
    connection: &Connection,
    resource_type: &Arc<CompiledType>,
) -> rusqlite::Result<Option<TypeIndex>> {
    let mut statement = connection.prepare(
        "SELECT t.number, p.path, p.number, p.kind FROM type t LEFT JOIN path p ON p.type = t.number \
         WHERE t.name = ?1",
    )?;
    let mut rows = statement.query([resource_type.name()])?;
    let mut number = None;
    let mut numbers: HashMap<String, (i64, String)> = HashMap::new();
    while let Some(row) = rows.next()? {
        number = Some(row.get(0)?);
        if let Some(path) = row.get(1)? {
            numbers.insert(path, (row.get(2)?, row.get(3)?));
        }
    }
    let Some(number) = number else { return Ok(None) };
    let indexed = resource_type.attributes().iter().filter(|def| is_indexable(resource_type, def));
    let paths = indexed.filter_map(|def| {
        let (unique, kind) = (resource_type.is_unique(def.id()), KeyKind::of(def)?);
        let (number, stored) = numbers.get(def.path())?;
        let ready = is_kind(stored, kind, unique).unwrap_or(true);
        Some(IndexedPath { attribute: def.id(), number: *number, kind, unique, ready })
    });
    let paths = paths.collect();
    Ok(Some(TypeIndex::new(Arc::clone(resource_type), number, paths)))
}

/// Marks a path as not indexed any more. [`sweep_some`] deletes its rows.
fn forget(connection: &Connection, path: i64) -> rusqlite::Result<()> {
    connection
        .execute("UPDATE path SET kind = ?2, path = number WHERE number = ?1", params![path, GONE])
        .map(drop)
}

/// Whether a type has paths that are not indexed any more but still have rows.
pub(crate) fn has_gone(batch: &Batch<'_>, type_number: i64) -> Result<bool, Fault> {
    let mut gone = batch.prepare("SELECT 1 FROM path WHERE type = ?1 AND kind = ?2")?;
    Ok(gone.exists(params![type_number, GONE])?)
}

/// Deletes some rows of a path that is not indexed any more. `false` if none are left.
pub(crate) fn sweep_some(batch: &Batch<'_>, type_number: i64) -> Result<bool, Fault> {
    let gone: Option<i64> = batch
        .prepare("SELECT number FROM path WHERE type = ?1 AND kind = ?2")?
        .query_row(params![type_number, GONE], |row| row.get(0))
        .optional()?;
    let Some(path) = gone else { return Ok(false) };
    // The key begins with the tenant, so the rows are found without reading those of other paths.
    let swept = batch
        .prepare(
            "DELETE FROM attribute WHERE (tenant, path, value, pk, element) IN \
             (SELECT a.tenant, a.path, a.value, a.pk, a.element FROM tenant t CROSS JOIN attribute a \
              ON a.tenant = t.number AND a.path = ?1 LIMIT ?2)",
        )?
        .execute([path, PIECE])?;
    if swept == 0 {
        batch.prepare("DELETE FROM path WHERE number = ?1")?.execute([path])?;
    }
    Ok(true)
}

/// Adds the missing index rows of the next resources behind `after`, and returns the last of these. `None` if all
/// are done and the paths are complete. It runs on the writing thread, so nobody changes the resources meanwhile.
pub(crate) fn fill_some(batch: &Batch<'_>, index: &TypeIndex, after: i64) -> Result<Option<i64>, Fault> {
    /// Takes a few milliseconds, for which other writes wait.
    const SOME: i64 = 200;
    let filling = index.filling();
    let mut last = None;
    let mut add = batch.prepare(
        "INSERT INTO attribute (tenant, path, value, pk, element, uniq) VALUES (?1, ?2, ?3, ?4, ?5, NULL) \
         ON CONFLICT DO NOTHING",
    )?;
    let mut statement = batch
        .prepare("SELECT tenant, pk, body FROM resource WHERE type = ?1 AND pk > ?2 ORDER BY pk LIMIT ?3")?;
    let mut resources = statement.query([index.number, after, SOME])?;
    while let Some(resource) = resources.next()? {
        let (tenant, pk): (i64, i64) = (resource.get(0)?, resource.get(1)?);
        last = Some(pk);
        let body = super::read::parse(resource.get_ref(2)?)?;
        for IndexRow { path, value, element, unique: _ } in index.rows(&body) {
            // A resource that was written since the path exists has its rows.
            if filling.contains(&path) {
                add.execute(params![tenant, path, value, pk, element])?;
            }
        }
    }
    if last.is_none() {
        let mut ready =
            batch.prepare("UPDATE path SET kind = replace(kind, ' filling', '') WHERE number = ?1")?;
        for path in filling {
            ready.execute([path])?;
        }
    }
    Ok(last)
}

/// Adds the rows of new paths for all existing resources.
fn fill(batch: &Batch<'_>, index: &TypeIndex, new: &[i64]) -> Result<(), Fault> {
    let mut statement = batch.prepare("SELECT tenant, pk, body FROM resource WHERE type = ?1")?;
    let mut resources = statement.query([index.number])?;
    let mut count = 0_u64;
    let mut doubles = 0_u64;
    while let Some(resource) = resources.next()? {
        let (tenant, pk): (i64, i64) = (resource.get(0)?, resource.get(1)?);
        let body = super::read::parse(resource.get_ref(2)?)?;
        let mut rows = index.rows(&body);
        rows.retain(|row| new.contains(&row.path));
        for row in rows.iter_mut().filter(|row| row.unique) {
            // If two resources had the same value before the attribute became unique, both keep it until one of
            // them is written.
            if batch.check_unique(tenant, index, std::slice::from_ref(row), Some(pk)).is_err() {
                row.unique = false;
                doubles += 1;
            }
        }
        batch.add_rows(tenant, pk, &rows)?;
        count += 1;
    }
    if count > 0 {
        tracing::info!(
            resource_type = index.resource_type.name(),
            count,
            doubles,
            "index rows were computed again"
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whether_a_type_is_empty_is_looked_up_and_not_searched_for() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut connection =
            super::super::connection::writer(&folder.path().join("scim2.db")).expect("opens");
        super::super::layout::migrate(&mut connection).expect("migrates");
        let mut statement =
            connection.prepare(&format!("EXPLAIN QUERY PLAN {IS_EMPTY}")).expect("a statement");
        let steps: Vec<String> =
            statement.query_map([1], |row| row.get(3)).and_then(Iterator::collect).expect("a plan");
        let step = steps.iter().find(|step| step.contains(" r ")).expect("a step that finds resources");
        assert!(step.starts_with("SEARCH r ") && step.contains("resource_by_id"), "{steps:?}");
    }
}
