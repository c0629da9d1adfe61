//! Assigns numbers to tenants, resource types and indexed paths.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use scim2_core::{AttributeDef, CompiledType};
use scim2_server::{StoreError, TenantId};
use tokio_postgres::types::Type;

use super::attribute::add_many;
use super::connection::{Connection, Statement};
use super::cursor::Cursor;
use super::fault::Fault;
use super::lock::Lock;
use crate::audit::FIRST;
use crate::model::index::{
    GONE, IndexRow, IndexedPath, TypeIndex, is_indexable, is_indexed, is_kind, kind_name,
};
use crate::model::indexing::Indexing;
use crate::model::key::KeyKind;
use crate::model::row::parse;
use crate::sql::{Sql, integer};

/// The number of a tenant, if it has one.
pub(crate) async fn find_tenant(connection: &Connection, tenant: &TenantId) -> Result<Option<i64>, Fault> {
    const FIND: Statement =
        Statement { text: "SELECT number FROM tenant WHERE name = $1", types: &[Type::TEXT] };
    let rows = connection.query(&FIND, &[&tenant.as_str()]).await?;
    Ok(rows.first().map(|row| row.try_get(0)).transpose()?)
}

/// The number of a tenant. A new tenant gets one.
pub(crate) async fn tenant(connection: &Connection, tenant: &TenantId) -> Result<i64, Fault> {
    const ADD: Statement = Statement {
        text: "WITH new AS (INSERT INTO tenant (name) VALUES ($1) ON CONFLICT DO NOTHING RETURNING number) \
               INSERT INTO audit_last (tenant, seq, hash) SELECT number, 0, $2 FROM new",
        types: &[Type::TEXT, Type::BYTEA],
    };
    if let Some(number) = find_tenant(connection, tenant).await? {
        return Ok(number);
    }
    connection.query(&ADD, &[&tenant.as_str(), &FIRST.as_slice()]).await?;
    // This node has inserted it, or another node was faster.
    find_tenant(connection, tenant).await?.ok_or(Fault::Overtaken)
}

/// What the database knows of a resource type.
struct Known {
    number: i64,
    generation: i64,
    /// The numbers and kinds of its paths.
    paths: HashMap<String, (i64, String)>,
}

/// The index of a resource type as the database has it; `None` if the type is unknown.
pub(crate) async fn known(
    connection: &Connection,
    resource_type: &Arc<CompiledType>,
) -> Result<Option<TypeIndex>, Fault> {
    let Some(known) = read(connection, resource_type.name()).await? else { return Ok(None) };
    let indexable = resource_type.attributes().iter().filter(|def| is_indexable(resource_type, def));
    let paths = indexable.filter_map(|def| {
        let path = path(resource_type, def)?;
        let (number, stored) = known.paths.get(def.path())?;
        let ready = is_kind(stored, path.kind, path.unique).unwrap_or(true);
        Some(IndexedPath { number: *number, ready, ..path })
    });
    let paths = paths.collect();
    Ok(Some(TypeIndex::new(Arc::clone(resource_type), known.number, paths).of(known.generation)))
}

/// Assigns numbers to a resource type and its indexed paths: those that `indexing` chooses, or without it the
/// existing ones and those that must be indexed. If the schemas have changed, the index rows are computed again
/// from the bodies, and nodes with the older schemas refuse to write. The rows of a new path that is not unique are
/// left to the [backfill](super::backfill) if the type has resources.
pub(crate) async fn register(
    connection: &Connection,
    resource_type: &Arc<CompiledType>,
    indexing: Option<&Indexing>,
) -> Result<Arc<TypeIndex>, Fault> {
    const ADD: Statement = Statement {
        text: "INSERT INTO type (name) VALUES ($1) ON CONFLICT DO NOTHING",
        types: &[Type::TEXT],
    };
    const ADD_PATH: Statement = Statement {
        text: "INSERT INTO path (type, path, kind) VALUES ($1, $2, $3) RETURNING number",
        types: &[Type::INT8, Type::TEXT, Type::TEXT],
    };
    const EMPTY: Statement = Statement {
        text: "SELECT NOT EXISTS (SELECT FROM tenant t JOIN resource r ON r.tenant = t.number AND r.type = $1)",
        types: &[Type::INT8],
    };
    const MOVE: Statement = Statement {
        text: "UPDATE type SET generation = generation + 1 WHERE number = $1",
        types: &[Type::INT8],
    };
    // Usually nothing has changed.
    if let Some(known) = read(connection, resource_type.name()).await?
        && let Some(index) = agreeing(resource_type, indexing, &known)
    {
        return Ok(index);
    }
    connection.query(&ADD, &[&resource_type.name()]).await?;
    let Some(before) = read(connection, resource_type.name()).await? else { return Err(Fault::Overtaken) };
    connection
        .begin_with(&format!(
            "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; {}",
            Lock::Resources(before.number).alone()
        ))
        .await?;
    // From here on this node is alone. Another node may just have done the same.
    let Some(mut known) = read(connection, resource_type.name()).await? else {
        return Err(Fault::Overtaken);
    };
    if let Some(index) = agreeing(resource_type, indexing, &known) {
        connection.commit().await?;
        return Ok(index);
    }
    let rows = connection.query(&EMPTY, &[&known.number]).await?;
    let is_empty: bool = rows.first().map_or(Ok(false), |row| row.try_get(0))?;
    let mut paths = Vec::new();
    let mut new = Vec::new();
    for path in wanted(resource_type, indexing, &known) {
        let name = resource_type.attribute(path.attribute).path();
        let old = known.paths.remove(name);
        let kept =
            old.as_ref().and_then(|(number, old)| Some((*number, is_kind(old, path.kind, path.unique)?)));
        let (number, ready) = match kept {
            Some(kept) => kept,
            None => {
                if let Some((number, _)) = old {
                    forget(connection, number).await?;
                }
                // A unique path must be complete before anything is written.
                let ready = path.unique || is_empty;
                let kind = kind_name(path.kind, path.unique, ready);
                let rows = connection.query(&ADD_PATH, &[&known.number, &name, &kind]).await?;
                let number = rows.first().ok_or(Fault::Overtaken)?.try_get(0)?;
                if ready {
                    new.push(number);
                }
                (number, ready)
            }
        };
        paths.push(IndexedPath { number, ready, ..path });
    }
    for (number, _) in known.paths.into_values() {
        forget(connection, number).await?;
    }
    connection.query(&MOVE, &[&known.number]).await?;
    let index = TypeIndex::new(Arc::clone(resource_type), known.number, paths).of(known.generation + 1);
    if !new.is_empty() {
        fill(connection, &index, &new).await?;
    }
    // The table changes only here, and its statistics decide how ids are looked up.
    connection.simple("ANALYZE (SKIP_LOCKED) type").await?;
    connection.commit().await?;
    Ok(Arc::new(index))
}

/// The paths to index, without numbers.
fn wanted(resource_type: &CompiledType, indexing: Option<&Indexing>, known: &Known) -> Vec<IndexedPath> {
    let default = Indexing::default();
    let there = indexing.is_none() && !known.paths.is_empty();
    let is_wanted = |def: &&AttributeDef| {
        let must = resource_type.is_unique(def.id());
        if there {
            is_indexable(resource_type, def) && (must || known.paths.contains_key(def.path()))
        } else {
            is_indexed(resource_type, def, indexing.unwrap_or(&default))
        }
    };
    resource_type.attributes().iter().filter(is_wanted).filter_map(|def| path(resource_type, def)).collect()
}

/// How an attribute would be indexed, without a number.
fn path(resource_type: &CompiledType, def: &AttributeDef) -> Option<IndexedPath> {
    let (kind, unique) = (KeyKind::of(def)?, resource_type.is_unique(def.id()));
    Some(IndexedPath { attribute: def.id(), number: 0, kind, unique, ready: true })
}

/// The index, if the database has exactly the wanted paths.
fn agreeing(
    resource_type: &Arc<CompiledType>,
    indexing: Option<&Indexing>,
    known: &Known,
) -> Option<Arc<TypeIndex>> {
    let mut paths = Vec::new();
    for path in wanted(resource_type, indexing, known) {
        let (number, stored) = known.paths.get(resource_type.attribute(path.attribute).path())?;
        let ready = is_kind(stored, path.kind, path.unique)?;
        paths.push(IndexedPath { number: *number, ready, ..path });
    }
    if paths.len() != known.paths.len() || known.generation == 0 {
        return None;
    }
    let index = TypeIndex::new(Arc::clone(resource_type), known.number, paths).of(known.generation);
    Some(Arc::new(index))
}

async fn read(connection: &Connection, name: &str) -> Result<Option<Known>, Fault> {
    const READ: Statement = Statement {
        text: "SELECT t.number, t.generation, p.path, p.number, p.kind \
               FROM type t LEFT JOIN path p ON p.type = t.number AND p.kind <> $2 WHERE t.name = $1",
        types: &[Type::TEXT, Type::TEXT],
    };
    let mut known: Option<Known> = None;
    for row in connection.query(&READ, &[&name, &GONE]).await? {
        let known = match &mut known {
            Some(known) => known,
            None => known.insert(Known {
                number: row.try_get(0)?,
                generation: row.try_get(1)?,
                paths: HashMap::new(),
            }),
        };
        if let Some(path) = row.try_get(2)? {
            known.paths.insert(path, (row.try_get(3)?, row.try_get(4)?));
        }
    }
    Ok(known)
}

/// Marks a path as not indexed any more. The [cleanup](super::backfill::sweep) deletes its rows.
async fn forget(connection: &Connection, path: i64) -> Result<(), Fault> {
    const FORGET: Statement = Statement {
        text: "UPDATE path SET kind = $2, path = number::text WHERE number = $1",
        types: &[Type::INT8, Type::TEXT],
    };
    connection.query(&FORGET, &[&path, &GONE]).await?;
    Ok(())
}

/// Adds the rows of new paths for all existing resources.
async fn fill(connection: &Connection, index: &TypeIndex, new: &[i64]) -> Result<(), Fault> {
    let of_type = Sql::new("SELECT tenant, pk, body FROM resource WHERE type = ?", [integer(index.number)]);
    let mut count = 0_u64;
    let mut doubles = 0;
    let mut cursor = Cursor::open(connection, &of_type).await?;
    while let Some(resources) = cursor.fetch().await? {
        let mut rows: BTreeMap<i64, Vec<(i64, IndexRow)>> = BTreeMap::new();
        for resource in &resources {
            let (tenant, pk): (i64, i64) = (resource.try_get(0)?, resource.try_get(1)?);
            let body = parse(resource.try_get::<_, &str>(2)?.as_bytes())?;
            let new_rows = index.rows(&body).into_iter().filter(|row| new.contains(&row.path));
            rows.entry(tenant).or_default().extend(new_rows.map(|row| (pk, row)));
            count += 1;
        }
        for (tenant, rows) in rows {
            // If two resources had the same value before the attribute became unique, both keep it until one of
            // them is written.
            doubles += add_many(connection, tenant, &rows).await?;
        }
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

/// Refuses to write with an index that differs from the database's.
pub(crate) fn check_generation(index: &TypeIndex, rows: &[tokio_postgres::Row]) -> Result<(), Fault> {
    let generation: i64 = rows.first().map_or(Ok(0), |row| row.try_get(0))?;
    if generation == index.generation() {
        return Ok(());
    }
    let name = index.resource_type.name();
    tracing::error!(
        resource_type = name,
        "another node serves this resource type with other schemas: start this node again with the same ones"
    );
    Err(StoreError::unavailable("another node serves the resource type with other schemas").into())
}
