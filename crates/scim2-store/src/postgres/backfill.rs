//! Making rows of the index for resources that were there before it, and taking away those that nobody
//! looks for any more, beside everything else.

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

/// How long a node waits before it looks again whether another is done.
const PAUSE: Duration = Duration::from_secs(1);

/// Where the next resources begin: behind this tenant and number.
type Place = (i64, i64);

/// What came of some resources.
enum Step {
    /// Others come behind this one.
    Next(Place),
    /// Another node is at it.
    Elsewhere,
    /// All have their rows.
    Done,
}

/// Makes the rows of those paths of an index that are being filled, some resources at a time, or waits
/// until another node has. Ends with the store.
pub(super) async fn fill(store: Weak<Inner>, index: Arc<TypeIndex>) {
    let name = index.resource_type.name();
    let mut after = (i64::MIN, i64::MIN);
    while let Some(inner) = store.upgrade() {
        let some = retrying(|| async { fill_some(&inner.pool.take().await?, &index, after).await });
        match some.await {
            Ok(Step::Next(place)) => after = place,
            Ok(Step::Done) => {
                inner.ids.set_filled(&index);
                tracing::info!(resource_type = name, "the index has what was added to it");
                return;
            }
            Ok(Step::Elsewhere) => {
                drop(inner);
                tokio::time::sleep(PAUSE).await;
            }
            Err(fault) => {
                let error = scim2_server::StoreError::from(fault);
                tracing::warn!(resource_type = name, %error, "the index is not filled yet");
                if inner.pool.is_closed() {
                    return;
                }
                drop(inner);
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

/// Takes away the rows of those paths of a type that are indexed no more, some at a time, or leaves that
/// to the node that is at it. Ends with the store.
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
                tracing::warn!(resource_type = name, %error, "rows of the index are not taken away yet");
                if inner.pool.is_closed() {
                    return;
                }
                drop(inner);
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

/// Behind which value of which path and tenant the next rows begin. Looked for without it, they would
/// be found behind all those that were taken away.
type Swath = (i64, i64, Vec<u8>);

enum Swept {
    Next(Swath),
    Elsewhere,
    Done,
}

/// One transaction.
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

/// One transaction. The resources are locked, so that what is read of them is what is there.
async fn fill_some(connection: &Connection, index: &TypeIndex, after: Place) -> Result<Step, Fault> {
    // One node is at it; the lock is not that of the type, which writers share.
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
