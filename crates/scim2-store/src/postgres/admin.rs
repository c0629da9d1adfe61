//! What an operator does to a database, also while nodes serve it.

use std::ops::ControlFlow;

use chrono::{DateTime, Utc};
use scim2_core::Registry;
use scim2_server::{Context, StoreError, TenantId};
use tokio_postgres::types::Type;

use super::audit::{self, Auditing};
use super::connection::{Connection, Pool, Statement, Value};
use super::fault::Fault;
use super::lock::Lock;
use super::options::PostgresOptions;
use super::retry::retrying;
use super::{chain, dump, fsck, layout, names, repair, token};
use crate::audit::{AuditHead, AuditRecord, Entry};
use crate::dump::{DumpOptions, DumpSize, Dumped};
use crate::error::OpenError;
use crate::fsck::{FsckOptions, Report};
use crate::repair::Repair;
use crate::token::{NewToken, Token, revocation};

/// A PostgreSQL database as its operator sees it: tokens, the audit log, the check, exports.
///
/// Works beside any number of nodes that serve the database.
#[derive(Debug, Clone)]
pub struct PostgresAdmin {
    pool: Pool,
}

impl PostgresAdmin {
    /// Opens a database, with tables made if it has none.
    ///
    /// # Errors
    /// See [`OpenErrorKind`](crate::OpenErrorKind).
    pub async fn open(options: &PostgresOptions) -> Result<Self, OpenError> {
        let pool = Pool::new(options)?;
        let connection = pool.take().await?;
        layout::migrate(&connection).await?;
        Ok(Self::of(pool))
    }

    pub(super) fn of(pool: Pool) -> Self {
        Self { pool }
    }

    /// Stores a token and writes that to the audit log.
    ///
    /// # Errors
    /// [`Uniqueness`](scim2_server::StoreErrorKind::Uniqueness) if the id or the token is there already.
    pub async fn create_token(
        &self,
        new: &NewToken,
        actor: &str,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        Ok(retrying(|| self.try_create_token(new, actor, now)).await?)
    }

    async fn try_create_token(&self, new: &NewToken, actor: &str, now: DateTime<Utc>) -> Result<(), Fault> {
        // No unique index is over hashes alone: those who store tokens come one after the other.
        const CREATE: Statement = Statement {
            text: "INSERT INTO token (tenant, id, hash, name, access, created, expires) \
                   SELECT $1, $2, $3, $4, $5, $6, $7 WHERE NOT EXISTS (SELECT FROM token WHERE hash = $3) \
                   ON CONFLICT (tenant, id) DO NOTHING RETURNING 1",
            types: &[Type::INT8, Type::TEXT, Type::BYTEA, Type::TEXT, Type::TEXT, Type::INT8, Type::INT8],
        };
        let NewToken { id, hash, tenant, name, .. } = new;
        let row = new.row(now.timestamp_millis());
        let at = now.timestamp_millis();
        let connection = &self.pool.take().await?;
        let number = names::tenant(connection, tenant).await?;
        connection
            .begin_with(&format!("BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; {}", Lock::Tokens.alone()))
            .await?;
        let values: &[Value<'_>] = &[&number, id, &hash.as_slice(), name, &row.access, &at, &row.expires];
        let created = connection.query(&CREATE, values).await?;
        if created.is_empty() {
            return Err(StoreError::uniqueness("id").into());
        }
        let details = row.details();
        let entry = Entry { at, changed: &details, ..Entry::of_token("token.create", id, actor) };
        log(connection, number, &entry).await?;
        connection.commit().await
    }

    /// Revokes a token and writes that to the audit log; `false` if there is no such token, or it
    /// is revoked already. Running nodes see it within a second.
    ///
    /// # Errors
    /// Only if the database cannot answer.
    pub async fn revoke_token(
        &self,
        tenant: &TenantId,
        id: &str,
        actor: &str,
        now: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        Ok(retrying(|| self.try_revoke_token(tenant, id, actor, now)).await?)
    }

    async fn try_revoke_token(
        &self,
        tenant: &TenantId,
        id: &str,
        actor: &str,
        now: DateTime<Utc>,
    ) -> Result<bool, Fault> {
        const REVOKE: Statement = Statement {
            text: "UPDATE token SET revoked = $3 WHERE tenant = $1 AND id = $2 AND revoked IS NULL RETURNING 1",
            types: &[Type::INT8, Type::TEXT, Type::INT8],
        };
        let connection = &self.pool.take().await?;
        let Some(number) = names::find_tenant(connection, tenant).await? else { return Ok(false) };
        let at = now.timestamp_millis();
        connection.begin().await?;
        let revoked = !connection.query(&REVOKE, &[&number, &id, &at]).await?.is_empty();
        if revoked {
            let details = revocation(at);
            let entry = Entry { at, changed: &details, ..Entry::of_token("token.revoke", id, actor) };
            log(connection, number, &entry).await?;
        }
        connection.commit().await?;
        Ok(revoked)
    }

    /// All tokens of a tenant, or of all tenants, oldest first; revoked and expired ones too.
    ///
    /// # Errors
    /// Only if the database cannot answer.
    pub async fn tokens(&self, tenant: Option<&TenantId>) -> Result<Vec<Token>, StoreError> {
        Ok(token::list(&self.pool.take().await?, tenant).await?)
    }

    /// The names of all tenants, in the order they were first seen.
    ///
    /// # Errors
    /// Only if the database cannot answer.
    pub async fn tenants(&self) -> Result<Vec<TenantId>, StoreError> {
        let connection = self.pool.take().await?;
        let tenants = names::tenants(&connection).await?;
        Ok(tenants.into_iter().filter_map(|(_, name)| TenantId::parse(&name)).collect())
    }

    /// Calls `each` with the rows of a tenant's audit log behind the one numbered `after`, oldest
    /// first, until it returns `false`. The log is read some rows at a time. What was written before
    /// the call is there; in a database that cannot be written, what had its place in the log.
    ///
    /// # Errors
    /// Only if the database cannot answer.
    pub async fn audit(
        &self,
        tenant: &TenantId,
        after: u64,
        each: impl FnMut(AuditRecord) -> bool,
    ) -> Result<(), StoreError> {
        let Some(number) = names::find_tenant(&self.pool.take().await?, tenant).await? else { return Ok(()) };
        chain::move_all(&self.pool, number).await?;
        Ok(audit::read(&self.pool.take().await?, number, after, each).await?)
    }

    /// The head of each tenant's audit log, to be kept elsewhere: see [`AuditHead`]. Rows that have no place in
    /// the log yet are not counted.
    ///
    /// # Errors
    /// Only if the database cannot answer.
    pub async fn audit_heads(&self) -> Result<Vec<AuditHead>, StoreError> {
        Ok(audit::heads(&self.pool.take().await?).await?)
    }

    /// Checks that everything in the database agrees: bodies, index rows, members, triggers, and the audit logs
    /// with themselves, with tokens and with the versions of resources. `registry` says what is indexed. Reads
    /// everything, as it was at one moment, and keeps some 40 bytes of each resource in memory.
    ///
    /// # Errors
    /// Only if the database cannot answer; what does not agree is in the report.
    pub async fn fsck(&self, registry: &Registry) -> Result<Report, StoreError> {
        self.fsck_with(registry, &FsckOptions::default()).await
    }

    /// The same, compared with what is known from elsewhere.
    ///
    /// # Errors
    /// As [`fsck`](Self::fsck).
    pub async fn fsck_with(&self, registry: &Registry, options: &FsckOptions) -> Result<Report, StoreError> {
        Ok(fsck::check(&self.pool.take().await?.patient(), registry, options).await?)
    }

    /// Checks the database and makes again what is derived and does not agree, in one transaction:
    /// index rows and display names from the bodies, and without memberships whose group or member is
    /// not there. The groups that lose one move their version, with a row in the audit log. `cx` says
    /// with which resource types, in whose name and when. Nodes wait with their writes meanwhile.
    ///
    /// Index rows are left alone while resources are there whose type the registry does not have:
    /// nobody knows then which rows they should have.
    ///
    /// # Errors
    /// Only if the database cannot answer or be written; what is left is in the report.
    pub async fn repair(&self, cx: &Context) -> Result<Repair, StoreError> {
        Ok(repair::repair(&self.pool.take().await?.patient(), cx).await?)
    }

    /// How many resources a dump with these options has, if it begins at the beginning.
    ///
    /// # Errors
    /// Only if the database cannot answer.
    pub async fn count(&self, registry: &Registry, options: &DumpOptions) -> Result<u64, StoreError> {
        Ok(dump::count(&self.pool.take().await?.patient(), registry, options).await?)
    }

    /// The names of the resource types that a registry does not have and of which a tenant, or any, has
    /// resources, and how many: a dump leaves them out.
    ///
    /// # Errors
    /// Only if the database cannot answer.
    pub async fn unknown_types(
        &self,
        registry: &Registry,
        tenant: Option<&TenantId>,
    ) -> Result<Vec<(String, u64)>, StoreError> {
        Ok(dump::unknown(&self.pool.take().await?.patient(), registry, tenant).await?)
    }

    /// Calls `each` with everything a tenant has, by resource type in the order of the registry and
    /// by id, until it breaks off. All of it is of one moment, whatever nodes do meanwhile, and is
    /// streamed: not more than 500 resources and [`DumpOptions::members`] members at a time.
    ///
    /// # Errors
    /// Only if the database cannot answer.
    pub async fn dump(
        &self,
        registry: &Registry,
        options: &DumpOptions,
        each: impl FnMut(Dumped<'_>) -> ControlFlow<()>,
    ) -> Result<DumpSize, StoreError> {
        Ok(dump::dump(&self.pool.take().await?.patient(), registry, options, each).await?)
    }
}

async fn log(connection: &Connection, tenant: i64, entry: &Entry<'_>) -> Result<(), Fault> {
    Auditing::ready(connection).await?.log(connection, tenant, entry).await
}
