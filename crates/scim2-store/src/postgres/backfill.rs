//! Background work on the index: adds rows for resources that are older than an indexed path, and deletes the rows
//! of paths that are not indexed any more.

use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio_postgres::types::Type;

use super::Inner;
use super::connection::{Connection, Statement};
use super::fault::Fault;
use super::ids::check_generation;
use super::lock::Lock;
use super::retry::retrying;
use crate::model::index::{GONE, PIECE, TypeIndex};
use crate::model::row::parse;

/// How long a node waits while another node does the work.
const PAUSE: Duration = Duration::from_secs(1);

/// The tenant and primary key of the last resource that is done.
type Place = (i64, i64);

/// The result of one piece.
enum Step {
    /// More resources follow behind this one.
    Next(Place),
    /// Another node does the work.
    Elsewhere,
    /// All resources have their rows.
    Done,
}

/// Adds the missing rows of an index in pieces, or waits until another node has. Ends with the store.
pub(super) async fn fill(store: Weak<Inner>, index: Arc<TypeIndex>) {
    let name = index.resource_type.name();
    let mut after = (i64::MIN, i64::MIN);
    while let Some(inner) = store.upgrade() {
        let some = retrying(|| async { fill_some(&inner.pool.take().await?, &index, after).await });
        match some.await {
            Ok(Step::Next(place)) => after = place,
            Ok(Step::Done) => {
                inner.ids.set_filled(&index);
                tracing::info!(resource_type = name, "index backfill finished");
                return;
            }
            Ok(Step::Elsewhere) => {
                drop(inner);
                tokio::time::sleep(PAUSE).await;
            }
            Err(fault) => {
                let error = scim2_server::StoreError::from(fault);
                tracing::warn!(resource_type = name, %error, "the index backfill failed and is tried again");
                if inner.pool.is_closed() {
                    return;
                }
                drop(inner);
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

/// Deletes the rows of paths that are not indexed any more, in pieces, unless another node does. Ends with the
/// store.
pub(super) async fn sweep(store: Weak<Inner>, index: Arc<TypeIndex>) {
    let mut after = None;
    while let Some(inner) = store.upgrade() {
        let some = retrying(|| async { sweep_some(&inner.pool.take().await?, &index, &after).await });
        match some.await {
            Ok(Swept::Next(place)) => after = Some(place),
            Ok(Swept::Done) => return,
            Ok(Swept::Elsewhere) => {
                drop(inner);
                tokio::time::sleep(PAUSE).await;
            }
            Err(fault) => {
                let error = scim2_server::StoreError::from(fault);
                let name = index.resource_type.name();
                tracing::warn!(resource_type = name, %error, "index rows of a removed path could not be deleted yet");
                if inner.pool.is_closed() {
                    return;
                }
                drop(inner);
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

/// The path, tenant and value behind which the next rows begin. Without it, each search would first pass the dead
/// rows of the deleted ones.
type Swath = (i64, i64, Vec<u8>);

enum Swept {
    Next(Swath),
    Elsewhere,
    Done,
}

/// Deletes one piece, in one transaction.
async fn sweep_some(
    connection: &Connection,
    index: &TypeIndex,
    after: &Option<Swath>,
) -> Result<Swept, Fault> {
    const BEGIN: Statement = Statement {
        text: "SELECT p.number, n.number \
               FROM path p LEFT JOIN tenant n ON p.number > $3 OR n.number >= $4 WHERE p.type = $1 AND p.kind = $2 \
                AND p.number >= $3 ORDER BY p.number, n.number LIMIT 1",
        types: &[Type::INT8, Type::TEXT, Type::INT8, Type::INT8],
    };
    const SWEEP: Statement = Statement {
        text: "WITH gone AS ( \
                SELECT value, pk, element FROM attribute WHERE tenant = $1 AND path = $2 AND value >= $3 \
                ORDER BY value, pk, element LIMIT $4 \
               ), deleted AS ( \
                DELETE FROM attribute a USING gone g WHERE a.tenant = $1 AND a.path = $2 AND a.value = g.value \
                 AND a.pk = g.pk AND a.element = g.element \
               ) SELECT value FROM gone ORDER BY value DESC LIMIT 1",
        types: &[Type::INT8, Type::INT8, Type::BYTEA, Type::INT8],
    };
    const END: Statement = Statement {
        text: "DELETE FROM path WHERE number = $1 AND kind = $2",
        types: &[Type::INT8, Type::TEXT],
    };
    let (mut path, mut tenant, value) = match after {
        Some((path, tenant, value)) => (*path, *tenant, value.as_slice()),
        None => (i64::MIN, i64::MIN, [].as_slice()),
    };
    connection.begin().await?;
    let next = connection.query(&BEGIN, &[&index.number, &GONE, &path, &tenant]).await?;
    let Some(row) = next.first() else {
        connection.commit().await?;
        return Ok(Swept::Done);
    };
    if !Lock::Backfill(index.number).attempt(connection).await? {
        connection.commit().await?;
        return Ok(Swept::Elsewhere);
    }
    let here = (path, tenant);
    path = row.try_get(0)?;
    let Some(of_tenant) = row.try_get(1)? else {
        // No tenant is left.
        connection.query(&END, &[&path, &GONE]).await?;
        connection.commit().await?;
        return Ok(Swept::Next((path + 1, i64::MIN, Vec::new())));
    };
    tenant = of_tenant;
    let value = if here == (path, tenant) { value } else { &[] };
    let rows = connection.query(&SWEEP, &[&tenant, &path, &value, &PIECE]).await?;
    let last: Option<Vec<u8>> = rows.first().map(|row| row.try_get(0)).transpose()?;
    connection.commit().await?;
    Ok(Swept::Next(match last {
        Some(last) => (path, tenant, last),
        None => (path, tenant + 1, Vec::new()),
    }))
}

/// Adds the rows of one piece, in one transaction. It locks the resources, so that the bodies do not change
/// meanwhile.
async fn fill_some(connection: &Connection, index: &TypeIndex, after: Place) -> Result<Step, Fault> {
    // Only one node at a time. The lock is not the one of the type, which writers share.
    const BEGIN: Statement = Statement {
        text: "SELECT t.generation, \
                EXISTS (SELECT FROM path p WHERE p.number = ANY($2) AND p.kind LIKE '% filling') \
               FROM type t WHERE t.number = $1",
        types: &[Type::INT8, Type::INT8_ARRAY],
    };
    const RESOURCES: Statement = Statement {
        text: "SELECT tenant, pk, body FROM resource WHERE type = $1 AND (tenant, pk) > ($2, $3) \
               ORDER BY tenant, pk LIMIT 200 FOR NO KEY UPDATE",
        types: &[Type::INT8, Type::INT8, Type::INT8],
    };
    const ADD: Statement = Statement {
        text: "INSERT INTO attribute (tenant, path, value, pk, element, uniq) \
               SELECT n.tenant, n.path, n.value, n.pk, n.element, FALSE \
               FROM unnest($1::bigint[], $2::bigint[], $3::bytea[], $4::bigint[], $5::bigint[]) \
                AS n (tenant, path, value, pk, element) ON CONFLICT DO NOTHING",
        types: &[Type::INT8_ARRAY, Type::INT8_ARRAY, Type::BYTEA_ARRAY, Type::INT8_ARRAY, Type::INT8_ARRAY],
    };
    const READY: Statement = Statement {
        text: "UPDATE path SET kind = replace(kind, ' filling', '') WHERE number = ANY($1)",
        types: &[Type::INT8_ARRAY],
    };
    let filling = index.filling();
    connection.begin().await?;
    connection.simple(&Lock::Resources(index.number).shared()).await?;
    let alone = Lock::Backfill(index.number).attempt(connection).await?;
    let state = connection.query(&BEGIN, &[&index.number, &filling]).await?;
    check_generation(index, &state)?;
    let row = state.first().ok_or(Fault::Overtaken)?;
    let needed: bool = row.try_get(1)?;
    if !needed || !alone {
        connection.commit().await?;
        return Ok(if needed { Step::Elsewhere } else { Step::Done });
    }
    let resources = connection.query(&RESOURCES, &[&index.number, &after.0, &after.1]).await?;
    let (mut tenants, mut paths, mut values) = (Vec::new(), Vec::new(), Vec::new());
    let (mut pks, mut elements) = (Vec::new(), Vec::new());
    let mut last = None;
    for resource in &resources {
        let (tenant, pk): (i64, i64) = (resource.try_get(0)?, resource.try_get(1)?);
        last = Some((tenant, pk));
        let body = parse(resource.try_get::<_, &str>(2)?.as_bytes())?;
        for row in index.rows(&body).into_iter().filter(|row| filling.contains(&row.path)) {
            tenants.push(tenant);
            paths.push(row.path);
            values.push(row.value);
            pks.push(pk);
            elements.push(row.element);
        }
    }
    if !paths.is_empty() {
        connection.query(&ADD, &[&tenants, &paths, &values, &pks, &elements]).await?;
    }
    let some = match last {
        Some(last) => Step::Next(last),
        None => {
            connection.query(&READY, &[&filling]).await?;
            Step::Done
        }
    };
    connection.commit().await?;
    Ok(some)
}
