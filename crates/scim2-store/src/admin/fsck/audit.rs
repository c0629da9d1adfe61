//! The audit logs against themselves, against the tokens, and against the versions of resources.

use std::collections::HashMap;

use scim2_core::Registry;

use super::Check;
use crate::admin::{dump, tenants};
use crate::audit::check::{LogCheck, missing};
use crate::audit::{KeyId, Keyring, OwnedEntry};
use crate::session::{Fault, Row, Session as _};
use crate::sql::{Sql, integer};
use crate::token::TokenRow;

impl Check<'_> {
    pub(super) async fn audit_log(&mut self) -> Result<(), Fault> {
        let keys = self.session.keyring().await?;
        let rows = self.session.dialect().audit_rows();
        self.report.audit_rows =
            self.session.count(Sql::new(format!("SELECT count(*) FROM {rows} AS a"), [])).await?;
        let tenants = tenants::list(self.session).await?;
        self.unknown_tenants(&tenants);
        let types: HashMap<i64, Box<str>> = dump::all_types(self.session).await?.into_iter().collect();
        for (tenant, name) in &tenants {
            self.tenant_log(&keys, *tenant, name, &types).await?;
        }
        Ok(())
    }

    async fn tenant_log(
        &mut self,
        keys: &Keyring,
        tenant: i64,
        name: &str,
        types: &HashMap<i64, Box<str>>,
    ) -> Result<(), Fault> {
        let Self { session, registry, options, report } = self;
        let epochs =
            Sql::new("SELECT seq, id FROM audit_key WHERE tenant = ? ORDER BY seq", [integer(tenant)]);
        let epochs = session.rows(epochs, |row| Ok((row.get(0)?, KeyId::from_bytes(row.bytes(1)?)))).await?;
        let mut log = LogCheck::new(name, keys, epochs, &options.heads, report);
        let mut last = 0;
        loop {
            let next = Sql::new(
                "SELECT seq, at, actor, request, action, resource_type, resource_id, version, changed, hash \
                 FROM audit WHERE tenant = ? AND seq > ? ORDER BY seq LIMIT 1000",
                [integer(tenant), integer(last)],
            );
            let read = |row: &Row<'_>| {
                Ok((row.get::<i64>(0)?, OwnedEntry::from_row(row, 1)?, row.bytes(9)?.to_vec()))
            };
            let page = session.page(next, read).await?;
            let Some((seq, _, _)) = page.last() else { break };
            last = *seq;
            for (seq, entry, hash) in &page {
                log.row(*seq, &entry.borrow(), hash);
            }
        }
        session.check_unchained(tenant, &mut log).await?;
        let tokens = Sql::new(
            "SELECT id, hash, name, access, created, expires, revoked FROM token WHERE tenant = ? \
             ORDER BY created, id",
            [integer(tenant)],
        );
        let read = |row: &Row<'_>| {
            let token = TokenRow {
                id: row.text(0)?,
                hash: row.bytes(1)?,
                name: row.text(2)?,
                access: row.text(3)?,
                created: row.get(4)?,
                expires: row.get(5)?,
                revoked: row.get(6)?,
            };
            Ok((token.id.to_owned(), token.details(), token.revoked))
        };
        for (id, details, revoked) in session.rows(tokens, read).await? {
            log.token(&id, &details, revoked);
        }
        let mut last = i64::MIN;
        loop {
            // In the order of the table: every row is read anyway.
            let not_indexed = session.dialect().not_indexed();
            let next = Sql::new(
                format!(
                    "SELECT pk, type, id, version FROM resource{not_indexed} \
                     WHERE tenant = ? AND pk > ? ORDER BY pk LIMIT 1000"
                ),
                [integer(tenant), integer(last)],
            );
            let read = |row: &Row<'_>| {
                Ok((row.get::<i64>(0)?, row.get::<i64>(1)?, row.get::<String>(2)?, row.get(3)?))
            };
            let page = session.page(next, read).await?;
            let Some((pk, ..)) = page.last() else { break };
            last = *pk;
            for (_, number, id, version) in &page {
                let resource_type = types.get(number).map_or("", |name| name);
                log.resource(resource_type, id, *version, may_be_ahead(registry, resource_type));
            }
        }
        for seq in log.finish() {
            let named = Sql::new(
                "SELECT resource_type, resource_id FROM audit WHERE tenant = ? AND seq = ?",
                [integer(tenant), integer(seq)],
            );
            let named =
                session.first(named, |row| Ok((row.get::<String>(0)?, row.get::<String>(1)?))).await?;
            report.fault(match named {
                Some((resource_type, id)) => missing(name, &resource_type, &id),
                None => format!("tenant {name}: a resource of the newest audit rows is not there"),
            });
        }
        Ok(())
    }

    /// Notes heads of tenants that are not there.
    fn unknown_tenants(&mut self, tenants: &[(i64, String)]) {
        for head in self.options.heads.iter().filter(|head| head.rows() > 0) {
            if !tenants.iter().any(|(_, name)| name == head.tenant().as_str()) {
                self.report.fault(format!(
                    "there is no tenant for the head {head}: all rows of its audit log were removed"
                ));
            }
        }
    }
}

/// Whether the version of a resource may be newer than its last row in the log says: that of a group may, and that of
/// a resource whose type is unknown.
fn may_be_ahead(registry: &Registry, resource_type: &str) -> bool {
    registry.resource_type(resource_type).is_none_or(|known| known.members().is_some())
}
