//! What the check looks at in a PostgreSQL database alone: its layout, and the rows of the audit log that have no place
//! in it yet.

use super::audit;
use super::connection::{Connection, Statement};
use super::fault::Fault;
use crate::admin::fsck::Report;
use crate::audit::check::LogCheck;

/// The last row of a tenant's log is the one that nodes go on from, and rows wait for their place behind it.
pub(crate) async fn unchained(
    connection: &Connection,
    tenant: i64,
    log: &mut LogCheck<'_>,
) -> Result<(), Fault> {
    let (seq, hash) = audit::last(connection, tenant).await?;
    log.last(seq, &hash);
    audit::each_waiting(connection, tenant, |entry| log.waiting(entry)).await
}

/// The triggers that keep the audit log append-only: their tables, names and `tgtype`.
const TRIGGERS: [(&str, &str, i64); 2] =
    [("audit", "audit_keeps_rows", 58), ("audit_waiting", "audit_keeps_waiting", 50)];

/// What both of them run.
const TRIGGER_BODY: &str = " BEGIN RAISE EXCEPTION 'the audit log is append-only'; END ";

/// Makes them again.
const TRIGGERS_ANEW: &str = "\
    CREATE OR REPLACE FUNCTION audit_keeps_rows() RETURNS trigger LANGUAGE plpgsql AS \
    $$ BEGIN RAISE EXCEPTION 'the audit log is append-only'; END $$; \
    DROP TRIGGER IF EXISTS audit_keeps_rows ON audit; \
    CREATE TRIGGER audit_keeps_rows BEFORE UPDATE OR DELETE OR TRUNCATE ON audit \
    FOR EACH STATEMENT EXECUTE FUNCTION audit_keeps_rows(); \
    DROP TRIGGER IF EXISTS audit_keeps_waiting ON audit_waiting; \
    CREATE TRIGGER audit_keeps_waiting BEFORE UPDATE OR TRUNCATE ON audit_waiting \
    FOR EACH STATEMENT EXECUTE FUNCTION audit_keeps_rows()";

/// The triggers are there and fire, and there are no others on our tables.
pub(crate) async fn layout(connection: &Connection, report: &mut Report) -> Result<(), Fault> {
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

/// Makes the triggers of the layout again, and returns how many.
pub(crate) async fn repair_layout(connection: &Connection) -> Result<usize, Fault> {
    connection.simple(TRIGGERS_ANEW).await?;
    Ok(TRIGGERS.len())
}
