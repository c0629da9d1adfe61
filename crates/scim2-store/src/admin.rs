//! The operator's side of a database, also while servers have it open. Everything here exists once for both engines.

use std::ops::ControlFlow;
use std::path::Path;

use chrono::{DateTime, Utc};
use scim2_core::Registry;
use scim2_server::{Context, StoreError, TenantId};

use self::engine::Database;
use crate::audit::{AuditHead, AuditKeys, AuditRecord, KeyId};
use crate::error::{OpenError, OpenErrorKind};
#[cfg(feature = "postgres")]
use crate::postgres::{self, PostgresOptions};
use crate::sqlite::{connection, layout};
use crate::token::{NewToken, Token};
use dump::{DumpOptions, DumpSize, Dumped};
use fsck::{FsckOptions, Report};
use repair::Repair;

mod audit;
pub(crate) mod dump;
mod engine;
pub(crate) mod fsck;
pub(crate) mod load;
pub(crate) mod repair;
mod tenants;
mod tokens;

/// A database as its operator sees it: tokens, the audit log, exports, the check and its repair.
///
/// Works beside any number of servers, in a process of its own or in a server's. No method makes the thread that
/// awaits it wait for the disk, so a request handler can call them. Clones use the same database.
///
/// ```
/// use scim2_server::{Access, TenantId};
/// use scim2_store::{Admin, NewToken};
///
/// # futures_executor::block_on(async {
/// let folder = tempfile::tempdir()?;
/// let admin = Admin::create(&folder.path().join("scim2.db"))?;
/// let now = chrono::DateTime::UNIX_EPOCH;
/// let token = NewToken {
///     id: "t1".to_owned(),
///     hash: [7; 32],
///     tenant: TenantId::default(),
///     name: "okta".to_owned(),
///     access: Access::Write,
///     expires: None,
/// };
/// admin.create_token(&token, "operator", now).await?;
/// assert!(admin.revoke_token(&TenantId::default(), "t1", "operator", now).await?);
/// assert!(!admin.revoke_token(&TenantId::default(), "t1", "operator", now).await?, "it is revoked already");
///
/// let mut actions = Vec::new();
/// admin
///     .audit(&TenantId::default(), 0, |record| {
///         actions.push(record.action);
///         true
///     })
///     .await?;
/// assert_eq!(actions, ["token.create", "token.revoke"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
#[derive(Debug, Clone)]
pub struct Admin {
    database: Database,
}

impl Admin {
    /// Opens a SQLite file that exists. Where nothing can be written, such as on a read-only file system, it can be
    /// read if its last server stopped in order.
    ///
    /// # Errors
    /// See [`OpenErrorKind`].
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        let mut connection = connection::readable(path)?;
        if layout::version(&connection)? == 0 {
            return Err(OpenError::new(OpenErrorKind::Empty));
        }
        layout::migrate(&mut connection)?;
        Ok(Self::of_file(path, AuditKeys::default()))
    }

    /// Opens a SQLite file, made new if there is none.
    ///
    /// # Errors
    /// See [`OpenErrorKind`].
    pub fn create(path: &Path) -> Result<Self, OpenError> {
        layout::migrate(&mut connection::writer(path)?)?;
        Ok(Self::of_file(path, AuditKeys::default()))
    }

    /// Opens a PostgreSQL database, with tables made if it has none.
    ///
    /// # Errors
    /// See [`OpenErrorKind`].
    #[cfg(feature = "postgres")]
    pub async fn connect(options: &PostgresOptions) -> Result<Self, OpenError> {
        Ok(Self::of_pool(postgres::open(options).await?))
    }

    pub(crate) fn of_file(path: &Path, audit_keys: AuditKeys) -> Self {
        Self { database: Database::Sqlite { path: path.to_owned(), audit_keys } }
    }

    #[cfg(feature = "postgres")]
    pub(crate) fn of_pool(pool: postgres::Pool) -> Self {
        Self { database: Database::Postgres(pool) }
    }

    /// With keys for the audit log that lie outside of the SQLite file, the same as those of the server. For
    /// PostgreSQL they stand in `PostgresOptions::audit_keys`.
    #[must_use]
    pub fn with_audit_keys(mut self, keys: AuditKeys) -> Self {
        match &mut self.database {
            Database::Sqlite { audit_keys, .. } => *audit_keys = keys,
            #[cfg(feature = "postgres")]
            Database::Postgres(pool) => pool.set_audit_keys(keys),
        }
        self
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
        let mut attempts = 0;
        loop {
            let mut session = self.database.session().await?;
            let created = tokens::create(&mut session, new, actor, now).await;
            drop(session);
            if let Some(created) = self.database.unless_lost(created, &mut attempts).await {
                return created;
            }
        }
    }

    /// Revokes a token and writes that to the audit log; `false` if there is no such token, or it
    /// is revoked already. Running servers see it within a second.
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
        let mut attempts = 0;
        loop {
            let mut session = self.database.session().await?;
            let revoked = tokens::revoke(&mut session, tenant, id, actor, now).await;
            drop(session);
            if let Some(revoked) = self.database.unless_lost(revoked, &mut attempts).await {
                return revoked;
            }
        }
    }

    /// All tokens of a tenant, or of all tenants, oldest first; revoked and expired ones too.
    ///
    /// # Errors
    /// Only if the database cannot answer.
    pub async fn tokens(&self, tenant: Option<&TenantId>) -> Result<Vec<Token>, StoreError> {
        Ok(tokens::list(&mut self.database.session().await?, tenant).await?)
    }

    /// The names of all tenants, in the order they were first seen.
    ///
    /// # Errors
    /// Only if the database cannot answer.
    pub async fn tenants(&self) -> Result<Vec<TenantId>, StoreError> {
        let tenants = tenants::list(&mut self.database.session().await?).await?;
        Ok(tenants.iter().filter_map(|(_, name)| TenantId::parse(name)).collect())
    }

    /// Calls `each` with the rows of a tenant's audit log behind the one numbered `after`, oldest
    /// first, until it returns `false`. The log is read some rows at a time. Rows that were written before
    /// the call are included; in a database that cannot be written, only those that had their place in the log.
    ///
    /// # Errors
    /// Only if the database cannot answer.
    pub async fn audit(
        &self,
        tenant: &TenantId,
        after: u64,
        each: impl FnMut(AuditRecord) -> bool,
    ) -> Result<(), StoreError> {
        let Some(number) = tenants::find(&mut self.database.session().await?, tenant).await? else {
            return Ok(());
        };
        self.database.chain_waiting_rows(number).await?;
        Ok(audit::read(&mut self.database.session().await?, number, after, each).await?)
    }

    /// The head of each tenant's audit log, to be kept elsewhere: see [`AuditHead`]. Rows that have no place in
    /// the log yet are not counted.
    ///
    /// # Errors
    /// Only if the database cannot answer.
    pub async fn audit_heads(&self) -> Result<Vec<AuditHead>, StoreError> {
        Ok(audit::heads(&mut self.database.session().await?).await?)
    }

    /// Changes audit logs that are hashed with the database's own key to the last key that lies outside of it. Each of
    /// them gets a row `audit.key` with the head it had before. Returns these heads.
    ///
    /// An attacker who can write the database can write a log with the database's own key, so no server does this by
    /// itself. Compare the heads with some that you kept before you rely on older rows. A SQLite file must not be open
    /// in a server. Nodes that serve a PostgreSQL database without the key no longer write to the logs.
    ///
    /// # Errors
    /// See [`OpenErrorKind`]: `InUse` if a server has the file open; `AuditKey` if no key was given, or a log has
    /// another one.
    pub async fn adopt_audit_key(
        &self,
        actor: &str,
        request_id: &str,
        now: DateTime<Utc>,
    ) -> Result<Vec<AuditHead>, OpenError> {
        let mut exclusive = self.database.exclusive_session().await?;
        if exclusive.session.keyring().await?.in_use() == KeyId::Own {
            return Err(OpenError::new(OpenErrorKind::AuditKey));
        }
        Ok(audit::adopt_key(&mut exclusive.session, actor, request_id, now).await?)
    }

    /// Checks that everything in the database agrees: the file itself, bodies, index rows, members, triggers, and
    /// the audit logs with themselves, with tokens and with the versions of resources. `registry` says what is
    /// indexed. Reads everything in one snapshot, and keeps some 40 bytes of each resource in memory.
    ///
    /// # Errors
    /// Only if the database cannot answer. Faults are in the report.
    pub async fn fsck(&self, registry: &Registry) -> Result<Report, StoreError> {
        self.fsck_with(registry, &FsckOptions::default()).await
    }

    /// The same, compared with what is known from elsewhere.
    ///
    /// # Errors
    /// As [`fsck`](Self::fsck).
    pub async fn fsck_with(&self, registry: &Registry, options: &FsckOptions) -> Result<Report, StoreError> {
        Ok(fsck::check(&mut self.database.patient_session().await?, registry, options).await?)
    }

    /// How many resources a dump with these options has, if it begins at the beginning.
    ///
    /// # Errors
    /// Only if the database cannot answer.
    pub async fn count(&self, registry: &Registry, options: &DumpOptions) -> Result<u64, StoreError> {
        Ok(dump::count(&mut self.database.patient_session().await?, registry, options).await?)
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
        Ok(dump::unknown(&mut self.database.patient_session().await?, registry, tenant).await?)
    }

    /// Checks the database and makes derived data again where it does not agree, in one transaction: triggers, indexes,
    /// index rows, display names and counts. It removes memberships whose group or member does not exist. The groups
    /// that lose one get a new version, with a row in the audit log. `cx` says with which resource types,
    /// in whose name and when. A SQLite file must not be open in a server; PostgreSQL nodes wait with their writes.
    ///
    /// Index rows are not changed while there are resources whose type the registry does not have, because their
    /// schemas say which rows they should have.
    ///
    /// # Errors
    /// See [`OpenErrorKind`]: `InUse` if a server has the file open, `Io` if the database cannot be written. The
    /// remaining faults are in the report.
    pub async fn repair(&self, cx: &Context) -> Result<Repair, OpenError> {
        let mut exclusive = self.database.exclusive_session().await?;
        exclusive.session.check_keys().await?;
        Ok(repair::repair(&mut exclusive.session, cx).await?)
    }

    /// Calls `each` with everything a tenant has, by resource type in the order of the registry and
    /// by id, until it breaks off. Everything is read from one snapshot, whatever servers do meanwhile, and is
    /// streamed: some hundred resources and [`DumpOptions::members`] members at a time.
    ///
    /// # Errors
    /// Only if the database cannot answer.
    pub async fn dump(
        &self,
        registry: &Registry,
        options: &DumpOptions,
        each: impl FnMut(Dumped<'_>) -> ControlFlow<()>,
    ) -> Result<DumpSize, StoreError> {
        Ok(dump::dump(&mut self.database.patient_session().await?, registry, options, each).await?)
    }
}
