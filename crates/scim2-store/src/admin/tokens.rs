//! Creating, revoking and listing bearer tokens.

use chrono::{DateTime, Utc};
use scim2_server::{StoreError, TenantId};

use super::engine::AnySession;
use super::tenants;
use crate::audit::Entry;
use crate::session::{Fault, Session as _, Transaction};
use crate::sql::{Sql, blob, integer, maybe_integer, text};
use crate::token::{COLUMNS, NewToken, Token, revocation};

pub(super) async fn create(
    session: &mut AnySession,
    new: &NewToken,
    actor: &str,
    now: DateTime<Utc>,
) -> Result<(), Fault> {
    let at = now.timestamp_millis();
    let row = new.row(at);
    session.begin(Transaction::Write).await?;
    let tenant = session.register_tenant(&new.tenant).await?;
    // PostgreSQL has no unique index over the hash alone.
    session.lock_tokens().await?;
    let create = Sql::new(
        "INSERT INTO token (tenant, id, hash, name, access, created, expires) SELECT ?, ?, ?, ?, ?, ?, ? \
         WHERE NOT EXISTS (SELECT 1 FROM token WHERE hash = ?) ON CONFLICT DO NOTHING RETURNING 1",
        [
            integer(tenant),
            text(row.id),
            blob(row.hash.to_vec()),
            text(row.name),
            text(row.access),
            integer(at),
            maybe_integer(row.expires),
            blob(row.hash.to_vec()),
        ],
    );
    if session.first(create, |_| Ok(())).await?.is_none() {
        return Err(StoreError::uniqueness("id").into());
    }
    let details = row.details();
    let entry = Entry { at, changed: &details, ..Entry::of_token("token.create", row.id, actor) };
    session.log(tenant, &entry).await?;
    session.commit().await
}

/// Returns `false` if there is no such token, or it is revoked already.
pub(super) async fn revoke(
    session: &mut AnySession,
    tenant: &TenantId,
    id: &str,
    actor: &str,
    now: DateTime<Utc>,
) -> Result<bool, Fault> {
    let Some(tenant) = tenants::find(session, tenant).await? else { return Ok(false) };
    let at = now.timestamp_millis();
    session.begin(Transaction::Write).await?;
    let revoke = Sql::new(
        "UPDATE token SET revoked = ? WHERE tenant = ? AND id = ? AND revoked IS NULL RETURNING 1",
        [integer(at), integer(tenant), text(id)],
    );
    let revoked = session.first(revoke, |_| Ok(())).await?.is_some();
    if revoked {
        let details = revocation(at);
        let entry = Entry { at, changed: &details, ..Entry::of_token("token.revoke", id, actor) };
        session.log(tenant, &entry).await?;
    }
    session.commit().await?;
    Ok(revoked)
}

/// All tokens of a tenant, or of all tenants, oldest first.
pub(super) async fn list(session: &mut AnySession, tenant: Option<&TenantId>) -> Result<Vec<Token>, Fault> {
    let mut list =
        Sql::new(format!("SELECT {COLUMNS} FROM token t JOIN tenant n ON n.number = t.tenant"), []);
    if let Some(tenant) = tenant {
        list.append(&Sql::new(" WHERE n.name = ?", [text(tenant.as_str())]));
    }
    list.push(" ORDER BY t.created, t.id");
    session.rows(list, Token::from_row).await
}
