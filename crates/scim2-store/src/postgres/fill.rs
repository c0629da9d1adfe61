//! Making rows of the index for resources that were there before it, beside everything else.

use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio_postgres::types::Type;

use super::Inner;
use super::connection::{Connection, Statement};
use super::fault::Fault;
use super::layout::LOCKS;
use super::names::check_generation;
use super::retry::retrying;
use crate::index::TypeIndex;
use crate::row::parse;

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
                inner.names.set_filled(&index);
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

/// One transaction. The resources are locked, so that what is read of them is what is there.
async fn fill_some(connection: &Connection, index: &TypeIndex, after: Place) -> Result<Step, Fault> {
    // One node is at it; the lock is not that of the type, which writers share.
    const BEGIN: Statement = Statement {
        text: "SELECT t.generation, pg_try_advisory_xact_lock($1, -$2), \
                EXISTS (SELECT FROM path p WHERE p.number = ANY($3) AND p.kind LIKE '% filling') \
               FROM type t WHERE t.number = $2",
        types: &[Type::INT4, Type::INT4, Type::INT8_ARRAY],
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
    connection.simple(&format!("SELECT pg_advisory_xact_lock_shared({LOCKS}, {})", index.number)).await?;
    // Types are few: their numbers are small.
    let number = i32::try_from(index.number).unwrap_or(i32::MAX);
    let state = connection.query(&BEGIN, &[&LOCKS, &number, &filling]).await?;
    check_generation(index, &state)?;
    let row = state.first().ok_or(Fault::Overtaken)?;
    let (alone, needed): (bool, bool) = (row.try_get(1)?, row.try_get(2)?);
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
