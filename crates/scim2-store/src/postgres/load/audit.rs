//! The rows of a transaction in the audit log, written together at its end: the head of the log is
//! the one row that all writes of a tenant wait for.

use scim2_server::Context;
use tokio_postgres::types::Type;

use super::Scope;
use crate::audit::{Entry, Hash};
use crate::index::TypeIndex;
use crate::postgres::connection::Statement;
use crate::postgres::fault::{Fault, wrong};
use crate::row::version_of;

/// What is to be logged.
pub(super) struct Log<'c> {
    cx: &'c Context,
    rows: Vec<Logged>,
}

struct Logged {
    action: &'static str,
    resource_type: String,
    id: String,
    version: String,
    changed: String,
}

impl<'c> Log<'c> {
    pub(super) fn new(cx: &'c Context) -> Self {
        Self { cx, rows: Vec::new() }
    }

    pub(super) fn add(
        &mut self,
        action: &'static str,
        index: &TypeIndex,
        id: &str,
        version: i64,
        changed: &str,
    ) {
        self.rows.push(Logged {
            action,
            resource_type: index.resource_type.name().to_owned(),
            id: id.to_owned(),
            version: version_of(version).as_str().to_owned(),
            changed: changed.replace('\0', "\u{fffd}"),
        });
    }

    /// Writes all of it; the last statement before the commit. A dry run has nobody wait for it.
    pub(super) async fn write(self, scope: Scope<'_>) -> Result<(), Fault> {
        const HEAD: Statement = Statement {
            text: "SELECT seq, hash FROM audit_head WHERE tenant = $1 FOR UPDATE",
            types: &[Type::INT8],
        };
        const ADD: Statement = Statement {
            text: "INSERT INTO audit (tenant, seq, at, actor, request, action, resource_type, resource_id, version, \
                    changed, hash) SELECT $1, n.seq, $2, $3, $4, n.action, n.type, n.id, n.version, n.changed, n.hash \
                   FROM unnest($5::bigint[], $6::text[], $7::text[], $8::text[], $9::text[], $10::text[], \
                    $11::bytea[]) AS n (seq, action, type, id, version, changed, hash)",
            types: &[
                Type::INT8,
                Type::INT8,
                Type::TEXT,
                Type::TEXT,
                Type::INT8_ARRAY,
                Type::TEXT_ARRAY,
                Type::TEXT_ARRAY,
                Type::TEXT_ARRAY,
                Type::TEXT_ARRAY,
                Type::TEXT_ARRAY,
                Type::BYTEA_ARRAY,
            ],
        };
        const MOVE: Statement = Statement {
            text: "UPDATE audit_head SET seq = $2, hash = $3 WHERE tenant = $1",
            types: &[Type::INT8, Type::INT8, Type::BYTEA],
        };
        let Scope { connection, tenant, .. } = scope;
        if self.rows.is_empty() || scope.options.dry_run {
            return Ok(());
        }
        let heads = connection.query(&HEAD, &[&tenant]).await?;
        let head = heads.first().ok_or(Fault::Overtaken)?;
        let mut seq: i64 = head.try_get(0)?;
        let mut hash = Hash::try_from(head.try_get::<_, &[u8]>(1)?).map_err(wrong)?;
        let clean = |text: &str| text.replace('\0', "\u{fffd}");
        let (actor, request) = (clean(&self.cx.actor), clean(&self.cx.request_id));
        let at = self.cx.now.timestamp_millis();
        let mut places = Vec::with_capacity(self.rows.len());
        let mut hashes: Vec<Vec<u8>> = Vec::with_capacity(self.rows.len());
        for row in &self.rows {
            seq += 1;
            let entry = Entry {
                at,
                actor: &actor,
                request: &request,
                action: row.action,
                resource_type: &row.resource_type,
                resource_id: &row.id,
                version: &row.version,
                changed: &row.changed,
            };
            hash = entry.hash(&hash, seq);
            places.push(seq);
            hashes.push(hash.to_vec());
        }
        let texts = |of: fn(&Logged) -> &str| self.rows.iter().map(of).collect::<Vec<&str>>();
        let (actions, types) = (texts(|row| row.action), texts(|row| &row.resource_type));
        let (ids, versions) = (texts(|row| &row.id), texts(|row| &row.version));
        let changed = texts(|row| &row.changed);
        connection
            .query(
                &ADD,
                &[
                    &tenant, &at, &actor, &request, &places, &actions, &types, &ids, &versions, &changed,
                    &hashes,
                ],
            )
            .await?;
        connection.query(&MOVE, &[&tenant, &seq, &hash.as_slice()]).await?;
        Ok(())
    }
}
