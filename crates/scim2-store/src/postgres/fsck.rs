//! The check: what is derived agrees with what it is derived from.

use std::collections::HashMap;

use scim2_core::Registry;
use tokio_postgres::types::Type;

use super::connection::{Connection, Statement};
use super::cursor::Cursor;
use super::fault::{Fault, reason};
use super::{audit, names, read};
use crate::audit::check::{LogCheck, missing};
use crate::fsck::{FsckOptions, Report, may_be_ahead, unknown_tenants};
use crate::index::{IndexRow, TypeIndex};
use crate::row::parse;
use crate::sql::{Sql, integer};
use crate::token::TokenRow;

pub(crate) async fn check(
    connection: &Connection,
    registry: &Registry,
    options: &FsckOptions,
) -> Result<Report, Fault> {
    // One snapshot, though nodes may be writing.
    connection.begin_snapshot().await?;
    let mut report = Report::default();
    match parts(connection, registry, options, &mut report).await {
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

async fn parts(
    connection: &Connection,
    registry: &Registry,
    options: &FsckOptions,
    report: &mut Report,
) -> Result<(), Fault> {
    index(connection, registry, report).await?;
    tally(connection, report).await?;
    members(connection, report).await?;
    triggers(connection, report).await?;
    audit_log(connection, registry, options, report).await?;
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
        let types = unknown_types(connection, registry).await?;
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

/// The triggers that keep the audit log append-only: their tables, names and `tgtype`.
const TRIGGERS: [(&str, &str, i64); 2] =
    [("audit", "audit_keeps_rows", 58), ("audit_waiting", "audit_keeps_waiting", 50)];

/// What both of them run.
const TRIGGER_BODY: &str = " BEGIN RAISE EXCEPTION 'the audit log is append-only'; END ";

/// Makes them again.
pub(super) const TRIGGERS_ANEW: &str = "\
    CREATE OR REPLACE FUNCTION audit_keeps_rows() RETURNS trigger LANGUAGE plpgsql AS \
    $$ BEGIN RAISE EXCEPTION 'the audit log is append-only'; END $$; \
    DROP TRIGGER IF EXISTS audit_keeps_rows ON audit; \
    CREATE TRIGGER audit_keeps_rows BEFORE UPDATE OR DELETE OR TRUNCATE ON audit \
    FOR EACH STATEMENT EXECUTE FUNCTION audit_keeps_rows(); \
    DROP TRIGGER IF EXISTS audit_keeps_waiting ON audit_waiting; \
    CREATE TRIGGER audit_keeps_waiting BEFORE UPDATE OR TRUNCATE ON audit_waiting \
    FOR EACH STATEMENT EXECUTE FUNCTION audit_keeps_rows()";

/// The triggers are there and fire, and there are no others on our tables.
async fn triggers(connection: &Connection, report: &mut Report) -> Result<(), Fault> {
    const FOUND: Statement = Statement {
        text: "SELECT c.relname::text, t.tgname::text, t.tgtype::bigint, \
                t.tgenabled IN ('O', 'A') AND t.tgqual IS NULL, p.prosrc \
               FROM pg_catalog.pg_trigger t JOIN pg_catalog.pg_class c ON c.oid = t.tgrelid \
               JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
               JOIN pg_catalog.pg_proc p ON p.oid = t.tgfoid \
               WHERE NOT t.tgisinternal AND n.nspname = ANY (current_schemas(FALSE)) \
                AND c.relname IN ('tenant', 'type', 'path', 'resource', 'attribute', 'member', 'token', 'tally', 'gone', \
                 'audit', 'audit_waiting', 'audit_last', 'audit_key', 'secret') ORDER BY 1, 2",
        types: &[],
    };
    let mut missing = TRIGGERS.to_vec();
    for row in connection.query(&FOUND, &[]).await? {
        let (table, name): (&str, &str) = (row.try_get(0)?, row.try_get(1)?);
        let position = missing.iter().position(|(of, expected, _)| (*of, *expected) == (table, name));
        let Some((_, _, kind)) = position.map(|position| missing.swap_remove(position)) else {
            let name = name.escape_debug();
            report.fault(format!("the trigger `{name}` on `{table}` is not one of this program"));
            continue;
        };
        let (found, fires): (i64, bool) = (row.try_get(2)?, row.try_get(3)?);
        if found != kind || !fires || row.try_get::<_, &str>(4)? != TRIGGER_BODY {
            report.fault(format!("the trigger `{name}` was changed or switched off"));
            report.broken.triggers = true;
        }
    }
    for (_, name, _) in missing {
        report.fault(format!("the trigger `{name}` is missing"));
        report.broken.triggers = true;
    }
    Ok(())
}

async fn audit_log(
    connection: &Connection,
    registry: &Registry,
    options: &FsckOptions,
    report: &mut Report,
) -> Result<(), Fault> {
    // Those that wait are in no chain yet.
    const ROWS: Statement = Statement {
        text: "SELECT (SELECT count(*) FROM audit) + (SELECT count(*) FROM audit_waiting)",
        types: &[],
    };
    const NAMED: Statement = Statement {
        text: "SELECT resource_type, resource_id FROM audit WHERE tenant = $1 AND seq = $2",
        types: &[Type::INT8, Type::INT8],
    };
    report.audit_rows = count(connection, &ROWS).await?;
    let keys = audit::keyring(connection).await?;
    let tenants = names::tenants(connection).await?;
    unknown_tenants(tenants.iter().map(|(_, name)| name.as_str()), options, report);
    for (tenant, name) in &tenants {
        let epochs = audit::epochs(connection, *tenant).await?;
        let mut log = LogCheck::new(name, &keys, epochs, &options.heads, report);
        audit::each_row(connection, *tenant, |seq, entry, hash| log.row(seq, entry, hash)).await?;
        let (seq, hash) = audit::last(connection, *tenant).await?;
        log.last(seq, &hash);
        audit::each_waiting(connection, *tenant, |entry| log.waiting(entry)).await?;
        tokens(connection, *tenant, &mut log).await?;
        let all = Sql::new(
            "SELECT t.name, r.id, r.version FROM resource r JOIN type t ON t.number = r.type WHERE r.tenant = ?",
            [integer(*tenant)],
        );
        let mut cursor = Cursor::open(connection, &all).await?;
        while let Some(resources) = cursor.fetch().await? {
            for row in &resources {
                let resource_type = row.try_get(0)?;
                let ahead = may_be_ahead(registry, resource_type);
                log.resource(resource_type, row.try_get(1)?, row.try_get(2)?, ahead);
            }
        }
        for seq in log.finish() {
            match connection.query(&NAMED, &[tenant, &seq]).await?.first() {
                Some(row) => report.fault(missing(name, row.try_get(0)?, row.try_get(1)?)),
                None => {
                    report.fault(format!("tenant {name}: a resource of the newest audit rows is not there"))
                }
            }
        }
    }
    Ok(())
}

async fn tokens(connection: &Connection, tenant: i64, log: &mut LogCheck<'_>) -> Result<(), Fault> {
    const TOKENS: Statement = Statement {
        text: "SELECT id, hash, name, access, created, expires, revoked FROM token WHERE tenant = $1 \
               ORDER BY created, id",
        types: &[Type::INT8],
    };
    for row in connection.query(&TOKENS, &[&tenant]).await? {
        log.token(&TokenRow {
            id: row.try_get(0)?,
            hash: row.try_get(1)?,
            name: row.try_get(2)?,
            access: row.try_get(3)?,
            created: row.try_get(4)?,
            expires: row.try_get(5)?,
            revoked: row.try_get(6)?,
        });
    }
    Ok(())
}

async fn count(connection: &Connection, statement: &Statement) -> Result<u64, Fault> {
    let rows = connection.query(statement, &[]).await?;
    let count: i64 = rows.first().map_or(Ok(0), |row| row.try_get(0))?;
    Ok(count.unsigned_abs())
}

/// The types that the registry does not have, and how many resources of each there are.
async fn unknown_types(connection: &Connection, registry: &Registry) -> Result<Vec<(String, u64)>, Fault> {
    const TYPES: Statement = Statement {
        text: "SELECT t.name, count(*) FROM resource r JOIN type t ON t.number = r.type GROUP BY t.name ORDER BY t.name",
        types: &[],
    };
    let mut types = Vec::new();
    for row in connection.query(&TYPES, &[]).await? {
        types.push((row.try_get::<_, String>(0)?, row.try_get::<_, i64>(1)?.unsigned_abs()));
    }
    types.retain(|(name, _)| registry.resource_type(name).is_none());
    Ok(types)
}
