//! The check: what is derived agrees with what it is derived from.

use std::collections::HashMap;

use scim2_core::Registry;
use tokio_postgres::types::Type;

use super::connection::{Connection, Statement};
use super::cursor::Cursor;
use super::fault::{Fault, reason};
use super::{audit, dump, names, read};
use crate::fsck::Report;
use crate::index::{IndexRow, TypeIndex};
use crate::row::parse;
use crate::sql::{Sql, integer};

pub(crate) async fn check(connection: &Connection, registry: &Registry) -> Result<Report, Fault> {
    // One snapshot, though nodes may be writing.
    connection.begin_snapshot().await?;
    let mut report = Report::default();
    match parts(connection, registry, &mut report).await {
        // A page that is not what was written: the database says which. Nothing more can be read
        // in the transaction.
        Err(Fault::Database(error)) if error.code().is_some_and(|code| code.code().starts_with("XX")) => {
            report.fault(format!("the database: {}", reason(&error)));
            connection.simple("ROLLBACK").await?;
        }
        checked => checked?,
    }
    Ok(report)
}

async fn parts(connection: &Connection, registry: &Registry, report: &mut Report) -> Result<(), Fault> {
    index(connection, registry, report).await?;
    tally(connection, report).await?;
    members(connection, report).await?;
    audit_log(connection, report).await?;
    connection.commit().await
}

/// Every body has the rows it should have, and there are no others.
async fn index(connection: &Connection, registry: &Registry, report: &mut Report) -> Result<(), Fault> {
    // Those of paths that are indexed no more are on their way out.
    const ROWS: Statement = Statement {
        text: "SELECT count(*) FROM attribute WHERE path NOT IN (SELECT number FROM path WHERE kind = 'gone')",
        types: &[],
    };
    const RESOURCES: Statement = Statement { text: "SELECT count(*) FROM resource", types: &[] };
    report.index_rows = count(connection, &ROWS).await?;
    let mut expected = 0_u64;
    for resource_type in registry.resource_types() {
        let Some(index) = names::known(connection, resource_type).await? else { continue };
        let all = Sql::new(
            "SELECT tenant, pk, id, display, body FROM resource WHERE type = ?",
            [integer(index.number)],
        );
        let mut cursor = Cursor::open(connection, &all).await?;
        while let Some(resources) = cursor.fetch().await? {
            for resource in &resources {
                report.resources += 1;
                expected += one(connection, &index, resource, report).await?;
            }
        }
    }
    let unknown = count(connection, &RESOURCES).await?.saturating_sub(report.resources);
    if unknown > 0 {
        // Without the schemas nobody can say which rows these should have.
        let types = dump::unknown(connection, registry, None).await?;
        report.unknown(unknown, &types);
    } else if report.index_rows > expected {
        report.broken.index = true;
        report.fault(format!("{} index rows belong to no value", report.index_rows - expected));
    }
    Ok(())
}

/// Checks one resource and returns how many rows it should have.
async fn one(
    connection: &Connection,
    index: &TypeIndex,
    resource: &tokio_postgres::Row,
    report: &mut Report,
) -> Result<u64, Fault> {
    const PRESENT: Statement = Statement {
        text: "SELECT a.path, a.value, a.element, a.uniq FROM unnest($3::bigint[], $4::bytea[], $5::bigint[]) \
                AS n (path, value, element) \
               JOIN attribute a ON a.tenant = $1 AND a.pk = $2 AND a.path = n.path AND a.value = n.value \
                AND a.element = n.element",
        types: &[Type::INT8, Type::INT8, Type::INT8_ARRAY, Type::BYTEA_ARRAY, Type::INT8_ARRAY],
    };
    let (tenant, pk): (i64, i64) = (resource.try_get(0)?, resource.try_get(1)?);
    let id: &str = resource.try_get(2)?;
    let name = format!("{} {id}", index.resource_type.name());
    let Ok(body) = parse(resource.try_get::<_, &str>(4)?.as_bytes()) else {
        report.fault(format!("{name}: the body is not a JSON object"));
        return Ok(0);
    };
    if body.get_str("id") != Some(id) {
        report.fault(format!("{name}: the body has another id"));
    }
    if body.get_str("displayName") != read::display(resource, 3)?.as_deref() {
        report.fault(format!("{name}: the display name is not the body's"));
    }
    let rows = index.rows(&body);
    let columns = super::attribute::Columns::new(&rows);
    let present = connection
        .query(&PRESENT, &[&tenant, &pk, &columns.paths, &columns.values, &columns.elements])
        .await?;
    let mut there: HashMap<(i64, Vec<u8>, i64), bool> = HashMap::with_capacity(present.len());
    for row in &present {
        there.insert((row.try_get(0)?, row.try_get(1)?, row.try_get(2)?), row.try_get(3)?);
    }
    for row in &rows {
        let fault = match there.get(&(row.path, row.value.clone(), row.element)) {
            // It is made in the background.
            None if index.is_filling(row.path) => continue,
            None => "no index row for",
            Some(true) if !row.unique => "the index takes a value for unique that need not be, of",
            // Of two that were there before the attribute became unique, one has it.
            Some(false) if row.unique && !somebody_has_it(connection, tenant, row).await? => {
                "the index does not keep a value unique, of"
            }
            Some(_) => continue,
        };
        report.broken.index = true;
        report.fault(format!("{name}: {fault} `{}`", index.spelling(row.path)));
    }
    Ok(rows.len() as u64)
}

async fn somebody_has_it(connection: &Connection, tenant: i64, row: &IndexRow) -> Result<bool, Fault> {
    const HOLDER: Statement = Statement {
        text: "SELECT 1 FROM attribute WHERE tenant = $1 AND path = $2 AND value = $3 AND uniq",
        types: &[Type::INT8, Type::INT8, Type::BYTEA],
    };
    Ok(!connection.query(&HOLDER, &[&tenant, &row.path, &row.value]).await?.is_empty())
}

/// What is counted is what is there.
async fn tally(connection: &Connection, report: &mut Report) -> Result<(), Fault> {
    for row in connection.query(&MISCOUNTED, &[]).await? {
        let (tenant, type_): (&str, &str) = (row.try_get(2)?, row.try_get(3)?);
        let (there, counted): (i64, i64) = (row.try_get(4)?, row.try_get(5)?);
        report.fault(format!("tenant {tenant}: there are {there} {type_} resources, counted were {counted}"));
    }
    Ok(())
}

/// The tenants and types whose resources are not as many as were counted.
pub(crate) const MISCOUNTED: Statement = Statement {
    text: "WITH counted AS ( \
            SELECT tenant, type, sum(resources)::bigint AS resources FROM \
             (SELECT tenant, type, resources FROM tally UNION ALL \
              SELECT tenant, type, resources FROM audit_waiting WHERE type IS NOT NULL) AS c \
            GROUP BY tenant, type \
           ), there AS (SELECT tenant, type, count(*) AS resources FROM resource GROUP BY tenant, type) \
           SELECT n.number, t.number, n.name, t.name, coalesce(r.resources, 0), coalesce(c.resources, 0) \
           FROM there r FULL JOIN counted c ON c.tenant = r.tenant AND c.type = r.type \
           JOIN tenant n ON n.number = coalesce(r.tenant, c.tenant) \
           JOIN type t ON t.number = coalesce(r.type, c.type) \
           WHERE coalesce(r.resources, 0) <> coalesce(c.resources, 0)",
    types: &[],
};

/// Both ends of every membership are there, in the tenant of the membership.
async fn members(connection: &Connection, report: &mut Report) -> Result<(), Fault> {
    const MEMBERS: Statement = Statement { text: "SELECT count(*) FROM member", types: &[] };
    const AGREEING: Statement = Statement {
        text: "SELECT count(*) FROM member m JOIN resource g ON g.tenant = m.tenant AND g.pk = m.group_pk \
               JOIN resource r ON r.tenant = m.tenant AND r.pk = m.member_pk",
        types: &[],
    };
    // Those of a group that was deleted are on their way out.
    const LEAVING: Statement = Statement {
        text: "SELECT count(*) FROM gone g JOIN member m ON m.tenant = g.tenant AND m.group_pk = g.pk \
               WHERE NOT EXISTS (SELECT FROM resource r WHERE r.tenant = g.tenant AND r.pk = g.pk)",
        types: &[],
    };
    report.members = count(connection, &MEMBERS).await?.saturating_sub(count(connection, &LEAVING).await?);
    let agreeing = count(connection, &AGREEING).await?;
    if report.members != agreeing {
        report.fault(format!("{} memberships point to no resource", report.members.abs_diff(agreeing)));
    }
    Ok(())
}

async fn audit_log(connection: &Connection, report: &mut Report) -> Result<(), Fault> {
    // Those that wait are in no chain yet.
    const ROWS: Statement = Statement {
        text: "SELECT (SELECT count(*) FROM audit) + (SELECT count(*) FROM audit_waiting)",
        types: &[],
    };
    report.audit_rows = count(connection, &ROWS).await?;
    for (number, name) in names::tenants(connection).await? {
        if let Some(seq) = audit::first_broken(connection, number).await? {
            report.fault(format!("the audit log of tenant {name}: row {seq} was changed, removed or put in"));
        }
    }
    Ok(())
}

async fn count(connection: &Connection, statement: &Statement) -> Result<u64, Fault> {
    let rows = connection.query(statement, &[]).await?;
    let count: i64 = rows.first().map_or(Ok(0), |row| row.try_get(0))?;
    Ok(count.unsigned_abs())
}
