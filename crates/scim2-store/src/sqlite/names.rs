//! Giving tenants, resource types and paths their numbers.

use std::collections::HashMap;
use std::sync::Arc;

use rusqlite::{Connection, params};
use scim2_core::CompiledType;
use scim2_core::schema::Uniqueness;
use scim2_server::TenantId;

use super::batch::Batch;
use super::writer::Fault;
use crate::index::{IndexedPath, TypeIndex, is_indexed};
use crate::key::KeyKind;
use crate::names::Names;

/// Reads the names of all types.
pub(crate) fn load(connection: &Connection, names: &Names) -> rusqlite::Result<()> {
    let mut statement = connection.prepare("SELECT number, name FROM type")?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, Arc::from(row.get_ref(1)?.as_str()?))))?;
    names.set_types(rows.collect::<rusqlite::Result<_>>()?);
    Ok(())
}

/// The number of a tenant, given it if it has none.
pub(crate) fn tenant(connection: &Connection, tenant: &TenantId) -> rusqlite::Result<i64> {
    connection
        .prepare_cached("INSERT INTO tenant (name) VALUES (?1) ON CONFLICT DO NOTHING")?
        .execute([tenant.as_str()])?;
    connection
        .prepare_cached("SELECT number FROM tenant WHERE name = ?1")?
        .query_row([tenant.as_str()], |row| row.get(0))
}

/// Gives a resource type and its indexed paths their numbers. Where the schemas have changed since
/// the rows of the index were made, they are made again from the bodies.
pub(crate) fn register(
    batch: &Batch<'_>,
    resource_type: &Arc<CompiledType>,
) -> Result<Arc<TypeIndex>, Fault> {
    let connection = batch.connection();
    connection
        .execute("INSERT INTO type (name) VALUES (?1) ON CONFLICT DO NOTHING", [resource_type.name()])?;
    let number: i64 =
        connection
            .query_row("SELECT number FROM type WHERE name = ?1", [resource_type.name()], |row| row.get(0))?;
    let mut known: HashMap<String, (i64, String)> = connection
        .prepare("SELECT path, number, kind FROM path WHERE type = ?1")?
        .query_map([number], |row| Ok((row.get(0)?, (row.get(1)?, row.get(2)?))))?
        .collect::<rusqlite::Result<_>>()?;
    let mut paths = Vec::new();
    let mut new = Vec::new();
    for def in resource_type.attributes().iter().filter(|def| is_indexed(resource_type, def)) {
        let Some(kind) = KeyKind::of(def) else { continue };
        let unique = def.uniqueness() != Uniqueness::None;
        let wanted = if unique { format!("{} unique", kind.name()) } else { kind.name().to_owned() };
        let path = match known.remove(def.path()) {
            Some((number, kind)) if kind == wanted => number,
            old => {
                if let Some((number, _)) = old {
                    forget(connection, number)?;
                }
                let path = connection
                    .prepare_cached(
                        "INSERT INTO path (type, path, kind) VALUES (?1, ?2, ?3) RETURNING number",
                    )?
                    .query_row(params![number, def.path(), wanted], |row| row.get(0))?;
                new.push(path);
                path
            }
        };
        paths.push(IndexedPath { attribute: def.id(), number: path, kind, unique });
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

/// A resource type as the database knows it, if it knows all of it.
pub(crate) fn known(
    connection: &Connection,
    resource_type: &Arc<CompiledType>,
) -> rusqlite::Result<Option<TypeIndex>> {
    let mut statement = connection.prepare(
        "SELECT t.number, p.path, p.number FROM type t LEFT JOIN path p ON p.type = t.number WHERE t.name = ?1",
    )?;
    let mut rows = statement.query([resource_type.name()])?;
    let mut number = None;
    let mut numbers: HashMap<String, i64> = HashMap::new();
    while let Some(row) = rows.next()? {
        number = Some(row.get(0)?);
        if let Some(path) = row.get(1)? {
            numbers.insert(path, row.get(2)?);
        }
    }
    let Some(number) = number else { return Ok(None) };
    let indexed = resource_type.attributes().iter().filter(|def| is_indexed(resource_type, def));
    let paths = indexed.filter_map(|def| {
        let unique = def.uniqueness() != Uniqueness::None;
        let number = *numbers.get(def.path())?;
        Some(IndexedPath { attribute: def.id(), number, kind: KeyKind::of(def)?, unique })
    });
    let paths = paths.collect();
    Ok(Some(TypeIndex::new(Arc::clone(resource_type), number, paths)))
}

/// Removes a path and its rows.
fn forget(connection: &Connection, path: i64) -> rusqlite::Result<()> {
    // The rows begin with the tenant: they are found without reading those of other paths.
    connection
        .execute("DELETE FROM attribute WHERE path = ?1 AND tenant IN (SELECT number FROM tenant)", [path])?;
    connection.execute("DELETE FROM path WHERE number = ?1", [path])?;
    Ok(())
}

/// Makes the rows of new paths for the resources that are there already.
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
            // Two resources that were alike before the attribute became unique stay so until one
            // of them is written.
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
            "the index was made again"
        );
    }
    Ok(())
}
