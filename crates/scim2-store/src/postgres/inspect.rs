//! What the check looks at in a PostgreSQL database alone: its layout, and the rows of the audit log that have no place
//! in it yet.

use super::audit;
use super::connection::{Connection, Statement};
use super::fault::Fault;
use super::layout;
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

/// The indexes of the layout: their names, whether they are unique, and how they are made.
const INDEXES: [(&str, bool, &str); 21] = [
    ("attribute_pkey", true, "btree (tenant, path, value, pk, element)"),
    ("attribute_unique", true, "btree (tenant, path, value) WHERE uniq"),
    ("audit_head_pkey", true, "btree (tenant)"),
    ("audit_key_pkey", true, "btree (tenant, seq)"),
    ("audit_pkey", true, "btree (tenant, seq)"),
    ("audit_waiting_pkey", true, "btree (tenant, number)"),
    ("member_of", true, "btree (tenant, member_pk, group_pk)"),
    ("member_pkey", true, "btree (tenant, group_pk, added, member_pk)"),
    ("path_pkey", true, "btree (number)"),
    ("pending_deletion_pkey", true, "btree (tenant, pk)"),
    ("path_type_path_key", true, "btree (type, path)"),
    ("resource_count_pkey", true, "btree (tenant, type)"),
    ("resource_pkey", true, "btree (tenant, pk)"),
    ("resource_tenant_type_id_key", true, "btree (tenant, type, id)"),
    ("secret_pkey", true, "btree (name)"),
    ("tenant_name_key", true, "btree (name)"),
    ("tenant_pkey", true, "btree (number)"),
    ("token_by_hash", false, "btree (hash)"),
    ("token_pkey", true, "btree (tenant, id)"),
    ("type_name_key", true, "btree (name)"),
    ("type_pkey", true, "btree (number)"),
];

/// The layout is the newest one, and its triggers and indexes are as it makes them.
pub(crate) async fn layout(connection: &Connection, report: &mut Report) -> Result<(), Fault> {
    const STEPS: Statement =
        Statement { text: "SELECT version FROM schema_version ORDER BY version", types: &[] };
    let steps = connection.query(&STEPS, &[]).await?;
    let steps: Vec<i64> = steps.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?;
    if !steps.into_iter().eq(1..=layout::NEWEST) {
        report.fault("the table `schema_version` does not have the steps of this program's layout");
    }
    indexes(connection, report).await?;
    triggers(connection, report).await
}

/// The indexes are there, and none of them was changed or is unfinished. Others may be added: they change no answer.
async fn indexes(connection: &Connection, report: &mut Report) -> Result<(), Fault> {
    const FOUND: Statement = Statement {
        text: "SELECT i.relname::text, x.indisunique, x.indisvalid AND x.indisready, \
                substring(pg_catalog.pg_get_indexdef(i.oid) FROM ' USING (.*)') \
               FROM pg_catalog.pg_index x JOIN pg_catalog.pg_class i ON i.oid = x.indexrelid \
               JOIN pg_catalog.pg_namespace n ON n.oid = i.relnamespace \
               WHERE n.nspname = ANY (current_schemas(FALSE))",
        types: &[],
    };
    let mut missing = INDEXES.to_vec();
    for row in connection.query(&FOUND, &[]).await? {
        let name: &str = row.try_get(0)?;
        let Some(position) = missing.iter().position(|(expected, _, _)| *expected == name) else { continue };
        let (_, unique, made) = missing.swap_remove(position);
        let (is_unique, is_valid): (bool, bool) = (row.try_get(1)?, row.try_get(2)?);
        let definition: Option<&str> = row.try_get(3)?;
        if is_unique != unique || !is_valid || definition != Some(made) {
            report.fault(format!("the index `{name}` was changed or is not valid: {}", anew(unique, made)));
        }
    }
    for (name, unique, made) in missing {
        report.fault(format!("the index `{name}` is missing: {}", anew(unique, made)));
    }
    Ok(())
}

/// What an operator does about an index.
fn anew(unique: bool, made: &str) -> String {
    format!("make it again as {} USING {made}", if unique { "UNIQUE INDEX" } else { "INDEX" })
}

/// The triggers are there and fire, and there are no others on our tables.
async fn triggers(connection: &Connection, report: &mut Report) -> Result<(), Fault> {
    const FOUND: Statement = Statement {
        text: "SELECT c.relname::text, t.tgname::text, t.tgtype::bigint, \
                t.tgenabled IN ('O', 'A') AND t.tgqual IS NULL, p.prosrc \
               FROM pg_catalog.pg_trigger t JOIN pg_catalog.pg_class c ON c.oid = t.tgrelid \
               JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
               JOIN pg_catalog.pg_proc p ON p.oid = t.tgfoid \
               WHERE NOT t.tgisinternal AND n.nspname = ANY (current_schemas(FALSE)) \
                AND c.relname IN ('tenant', 'type', 'path', 'resource', 'attribute', 'member', 'token', 'resource_count', 'pending_deletion', \
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
            report.broken.guards = true;
        }
    }
    for (_, name, _) in missing {
        report.fault(format!("the trigger `{name}` is missing"));
        report.broken.guards = true;
    }
    Ok(())
}

/// Makes the triggers of the layout again, and returns how many.
pub(crate) async fn repair_layout(connection: &Connection) -> Result<usize, Fault> {
    connection.simple(layout::TRIGGERS).await?;
    Ok(TRIGGERS.len())
}
