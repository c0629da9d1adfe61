//! The rows of a transaction in the audit log, given their places together at its end.

use scim2_server::Context;

use super::Scope;
use crate::audit::Entry;
use crate::model::index::TypeIndex;
use crate::model::row::version_of;
use crate::postgres::audit_chain::{End, Patience};
use crate::postgres::fault::Fault;

/// What is to be logged.
pub(super) struct Log<'c> {
    cx: &'c Context,
    rows: Vec<Logged>,
}

struct Logged {
    action: &'static str,
    type_number: i64,
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
            type_number: index.number,
            resource_type: index.resource_type.name().to_owned(),
            id: id.to_owned(),
            version: version_of(version).as_str().to_owned(),
            changed: changed.replace('\0', "\u{fffd}"),
        });
    }

    /// Writes all of it behind what waits; the last statements before the commit. A dry run has nobody
    /// wait for it.
    pub(super) async fn write(self, scope: Scope<'_>) -> Result<(), Fault> {
        let Scope { connection, tenant, .. } = scope;
        if self.rows.is_empty() || scope.options.dry_run {
            return Ok(());
        }
        let mut end = End::lock(connection, tenant, Patience::Yes).await?.ok_or(Fault::Overtaken)?;
        // They were written before: this transaction has seen what they tell of.
        while end.take_waiting().await? > 0 {}
        let clean = |text: &str| text.replace('\0', "\u{fffd}");
        let (actor, request) = (clean(&self.cx.actor), clean(&self.cx.request_id));
        for row in &self.rows {
            if row.action == "create" {
                end.count(row.type_number, 1);
            }
            end.add(&Entry {
                at: self.cx.now.timestamp_millis(),
                actor: &actor,
                request: &request,
                action: row.action,
                resource_type: &row.resource_type,
                resource_id: &row.id,
                version: &row.version,
                changed: &row.changed,
            });
        }
        end.write().await
    }
}
