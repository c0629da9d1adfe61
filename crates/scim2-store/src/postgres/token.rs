//! Bearer tokens in the database.

use chrono::{DateTime, Utc};
use scim2_server::{Access, TenantId};
use tokio_postgres::Row;
use tokio_postgres::types::Type;

use super::connection::{Connection, Statement};
use super::fault::Fault;
use crate::token::{Token, TokenHash};

pub(crate) async fn find(connection: &Connection, hash: &TokenHash) -> Result<Option<Token>, Fault> {
    const FIND: Statement = Statement {
        text: "SELECT t.id, n.name, t.name, t.access, t.created, t.expires, t.revoked, t.last_used \
               FROM token t JOIN tenant n ON n.number = t.tenant WHERE t.hash = $1",
        types: &[Type::BYTEA],
    };
    let rows = connection.query(&FIND, &[&hash.as_slice()]).await?;
    rows.first().map(from_row).transpose()
}

/// All tokens of a tenant, or of all tenants, oldest first.
pub(crate) async fn list(connection: &Connection, tenant: Option<&TenantId>) -> Result<Vec<Token>, Fault> {
    const LIST: Statement = Statement {
        text: "SELECT t.id, n.name, t.name, t.access, t.created, t.expires, t.revoked, t.last_used \
               FROM token t JOIN tenant n ON n.number = t.tenant \
               WHERE $1 IS NULL OR n.name = $1 ORDER BY t.created, t.id",
        types: &[Type::TEXT],
    };
    let rows = connection.query(&LIST, &[&tenant.map(TenantId::as_str)]).await?;
    rows.iter().map(from_row).collect()
}

pub(crate) async fn touch(
    connection: &Connection,
    hash: &TokenHash,
    now: DateTime<Utc>,
) -> Result<(), Fault> {
    const TOUCH: Statement = Statement {
        text: "UPDATE token SET last_used = $2 WHERE hash = $1",
        types: &[Type::BYTEA, Type::INT8],
    };
    connection.query(&TOUCH, &[&hash.as_slice(), &now.timestamp_millis()]).await?;
    Ok(())
}

fn from_row(row: &Row) -> Result<Token, Fault> {
    let time = |at: usize| -> Result<Option<DateTime<Utc>>, Fault> {
        Ok(row.try_get::<_, Option<i64>>(at)?.and_then(DateTime::from_timestamp_millis))
    };
    Ok(Token {
        id: row.try_get(0)?,
        tenant: TenantId::parse(row.try_get(1)?).unwrap_or_default(),
        name: row.try_get::<_, &str>(2)?.into(),
        access: if row.try_get::<_, &str>(3)? == "write" { Access::Write } else { Access::Read },
        created: time(4)?.unwrap_or_default(),
        expires: time(5)?,
        revoked: time(6)?,
        last_used: time(7)?,
    })
}
