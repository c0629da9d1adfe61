//! Tenants and the numbers that stand for them.

use scim2_server::TenantId;

use super::engine::AnySession;
use crate::session::{Fault, Session as _};
use crate::sql::{Sql, text};

/// The number of a tenant, if it has one.
pub(super) async fn find(session: &mut AnySession, tenant: &TenantId) -> Result<Option<i64>, Fault> {
    session
        .first(Sql::new("SELECT number FROM tenant WHERE name = ?", [text(tenant.as_str())]), |row| {
            row.get(0)
        })
        .await
}

/// The numbers and names of all tenants, in the order they were first seen.
pub(super) async fn list(session: &mut AnySession) -> Result<Vec<(i64, String)>, Fault> {
    session
        .rows(Sql::new("SELECT number, name FROM tenant ORDER BY number", []), |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .await
}
