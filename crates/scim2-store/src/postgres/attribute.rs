//! Writes many index rows with one statement.

use tokio_postgres::types::Type;

use super::connection::{Connection, Ready, Statement};
use super::fault::Fault;
use crate::model::index::IndexRow;

/// Index rows as the arrays that `unnest` takes.
#[derive(Debug)]
pub(crate) struct Columns<'r> {
    pub(crate) paths: Vec<i64>,
    pub(crate) values: Vec<&'r [u8]>,
    pub(crate) elements: Vec<i64>,
    pub(crate) unique: Vec<bool>,
}

impl<'r> Columns<'r> {
    /// In the order of the rows, which is the same on every node, so that two writes of the same unique values
    /// cannot deadlock.
    pub(crate) fn new(rows: &'r [IndexRow]) -> Self {
        Self {
            paths: rows.iter().map(|row| row.path).collect(),
            values: rows.iter().map(|row| row.value.as_slice()).collect(),
            elements: rows.iter().map(|row| row.element).collect(),
            unique: rows.iter().map(|row| row.unique).collect(),
        }
    }
}

const ADD: Statement = Statement {
    text: "INSERT INTO attribute (tenant, path, value, pk, element, uniq) \
           SELECT $1, n.path, n.value, $2, n.element, n.uniq \
           FROM unnest($3::bigint[], $4::bytea[], $5::bigint[], $6::boolean[]) AS n (path, value, element, uniq) \
           ON CONFLICT (tenant, path, value) WHERE uniq DO NOTHING RETURNING path, value, element",
    types: &[Type::INT8, Type::INT8, Type::INT8_ARRAY, Type::BYTEA_ARRAY, Type::INT8_ARRAY, Type::BOOL_ARRAY],
};

const REMOVE: Statement = Statement {
    text: "DELETE FROM attribute a USING unnest($3::bigint[], $4::bytea[], $5::bigint[]) AS o (path, value, element) \
           WHERE a.tenant = $1 AND a.pk = $2 AND a.path = o.path AND a.value = o.value AND a.element = o.element",
    types: &[Type::INT8, Type::INT8, Type::INT8_ARRAY, Type::BYTEA_ARRAY, Type::INT8_ARRAY],
};

/// Adds rows. Returns those that were not added because another resource has their unique value.
pub(crate) async fn add_rows(
    connection: &Connection,
    tenant: i64,
    pk: i64,
    rows: &[IndexRow],
) -> Result<Vec<IndexRow>, Fault> {
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let Columns { paths, values, elements, unique } = Columns::new(rows);
    let added = connection.query(&ADD, &[&tenant, &pk, &paths, &values, &elements, &unique]).await?;
    missing(rows, &added)
}

/// Adds rows of many resources, in their order. A unique value that another resource has is added as not unique,
/// and counted.
pub(crate) async fn add_many(
    connection: &Connection,
    tenant: i64,
    rows: &[(i64, IndexRow)],
) -> Result<usize, Fault> {
    const ADD: Statement = Statement {
        text: "WITH n AS ( \
                SELECT * FROM unnest($2::bigint[], $3::bytea[], $4::bigint[], $5::bigint[], $6::boolean[]) \
                 AS n (path, value, pk, element, uniq) \
               ), added AS ( \
                INSERT INTO attribute (tenant, path, value, pk, element, uniq) \
                SELECT $1, n.path, n.value, n.pk, n.element, n.uniq FROM n \
                ON CONFLICT (tenant, path, value) WHERE uniq DO NOTHING RETURNING path, value, pk, element \
               ), doubles AS ( \
                INSERT INTO attribute (tenant, path, value, pk, element, uniq) \
                SELECT $1, n.path, n.value, n.pk, n.element, FALSE FROM n \
                WHERE n.uniq AND NOT EXISTS (SELECT FROM added a WHERE a.path = n.path AND a.value = n.value \
                 AND a.pk = n.pk AND a.element = n.element) RETURNING 1 \
               ) SELECT count(*) FROM doubles",
        types: &[
            Type::INT8,
            Type::INT8_ARRAY,
            Type::BYTEA_ARRAY,
            Type::INT8_ARRAY,
            Type::INT8_ARRAY,
            Type::BOOL_ARRAY,
        ],
    };
    if rows.is_empty() {
        return Ok(0);
    }
    let paths: Vec<i64> = rows.iter().map(|(_, row)| row.path).collect();
    let values: Vec<&[u8]> = rows.iter().map(|(_, row)| row.value.as_slice()).collect();
    let pks: Vec<i64> = rows.iter().map(|(pk, _)| *pk).collect();
    let elements: Vec<i64> = rows.iter().map(|(_, row)| row.element).collect();
    let unique: Vec<bool> = rows.iter().map(|(_, row)| row.unique).collect();
    let added = connection.query(&ADD, &[&tenant, &paths, &values, &pks, &elements, &unique]).await?;
    let doubles: i64 = added.first().map_or(Ok(0), |row| row.try_get(0))?;
    Ok(usize::try_from(doubles).unwrap_or_default())
}

/// The rows that are missing among the added ones.
pub(crate) fn missing(rows: &[IndexRow], added: &[tokio_postgres::Row]) -> Result<Vec<IndexRow>, Fault> {
    if added.len() == rows.len() {
        return Ok(Vec::new());
    }
    let mut there = std::collections::HashSet::with_capacity(added.len());
    for row in added {
        there.insert((row.try_get::<_, i64>(0)?, row.try_get::<_, Vec<u8>>(1)?, row.try_get::<_, i64>(2)?));
    }
    let is_there = |row: &IndexRow| there.contains(&(row.path, row.value.clone(), row.element));
    Ok(rows.iter().filter(|row| !is_there(row)).cloned().collect())
}

/// Prepares the statement that deletes rows.
pub(crate) async fn removing(connection: &Connection) -> Result<Ready<'static>, Fault> {
    connection.ready(&REMOVE).await
}

/// Deletes rows with the prepared statement.
pub(crate) async fn remove_rows(
    connection: &Connection,
    removing: &Ready<'_>,
    tenant: i64,
    pk: i64,
    rows: &[IndexRow],
) -> Result<(), Fault> {
    if rows.is_empty() {
        return Ok(());
    }
    let Columns { paths, values, elements, unique: _ } = Columns::new(rows);
    connection.send(removing, &[&tenant, &pk, &paths, &values, &elements]).await?;
    Ok(())
}
