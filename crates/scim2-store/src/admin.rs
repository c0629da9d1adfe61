//! What an operator does to a database, also while a server has it open.

use std::ops::ControlFlow;
use std::path::Path;

use chrono::{DateTime, Utc};
use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};
use scim2_core::Registry;
use scim2_server::{StoreError, TenantId};

use crate::audit::{self, AuditHead, AuditKeys, AuditRecord, Entry};
use crate::dump::{self, DumpOptions, DumpSize, Dumped};
use crate::error::{OpenError, OpenErrorKind, store_error};
use crate::fsck::{self, FsckOptions, Report};
use crate::sqlite::{connection, layout, names};
use crate::token::{self, NewToken, Token, revocation};

/// A database as its operator sees it: tokens, the audit log, the check.
///
/// Works in a process of its own beside a server, or in the server's. Its methods wait for the
/// disk and are not for asynchronous workers.
///
/// ```
/// use scim2_server::{Access, TenantId};
/// use scim2_store::{Admin, NewToken};
///
/// let folder = tempfile::tempdir()?;
/// let mut admin = Admin::create(&folder.path().join("scim2.db"))?;
/// let now = chrono::DateTime::UNIX_EPOCH;
/// let token = NewToken {
///     id: "t1".to_owned(),
///     hash: [7; 32],
///     tenant: TenantId::default(),
///     name: "okta".to_owned(),
///     access: Access::Write,
///     expires: None,
/// };
/// admin.create_token(&token, "operator", now)?;
/// assert!(admin.revoke_token(&TenantId::default(), "t1", "operator", now)?);
/// assert!(!admin.revoke_token(&TenantId::default(), "t1", "operator", now)?, "it is revoked already");
///
/// let mut actions = Vec::new();
/// admin.audit(&TenantId::default(), 0, |record| {
///     actions.push(record.action);
///     true
/// })?;
/// assert_eq!(actions, ["token.create", "token.revoke"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Admin {
    connection: Connection,
    audit_keys: AuditKeys,
}

impl Admin {
    /// Opens a database that is there. Where nothing can be written, such as on a read-only file system, it can be
    /// read if its last server stopped in order.
    ///
    /// # Errors
    /// See [`OpenErrorKind`](crate::OpenErrorKind).
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        let connection = connection::readable(path)?;
        if layout::version(&connection)? == 0 {
            return Err(OpenError::new(OpenErrorKind::Empty));
        }
        Self::migrated(connection)
    }

    /// Opens a database, made new if there is none.
    ///
    /// # Errors
    /// See [`OpenErrorKind`](crate::OpenErrorKind).
    pub fn create(path: &Path) -> Result<Self, OpenError> {
        Self::migrated(connection::writer(path)?)
    }

    fn migrated(mut connection: Connection) -> Result<Self, OpenError> {
        layout::migrate(&mut connection)?;
        Ok(Self { connection, audit_keys: AuditKeys::default() })
    }

    /// With keys for the audit log that lie outside of the file, the same as those of the server.
    #[must_use]
    pub fn with_audit_keys(mut self, keys: AuditKeys) -> Self {
        self.audit_keys = keys;
        self
    }

    /// Stores a token and writes that to the audit log.
    ///
    /// # Errors
    /// [`Uniqueness`](scim2_server::StoreErrorKind::Uniqueness) if the id or the token is there already.
    pub fn create_token(
        &mut self,
        new: &NewToken,
        actor: &str,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let NewToken { id, hash, tenant, name, access: _, expires: _ } = new;
        let at = now.timestamp_millis();
        let row = new.row(at);
        let keys = audit::keyring(&self.connection, &self.audit_keys).map_err(store_error)?;
        let transaction =
            self.connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(store_error)?;
        let number = names::tenant(&transaction, tenant).map_err(store_error)?;
        transaction
            .execute(
                "INSERT INTO token (hash, id, tenant, name, access, created, expires) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                params![hash, id, number, name, row.access, at, row.expires],
            )
            .map_err(|error| match error.sqlite_error_code() {
                Some(rusqlite::ErrorCode::ConstraintViolation) => StoreError::uniqueness("id"),
                _ => store_error(error),
            })?;
        let details = row.details();
        let entry = Entry { at, changed: &details, ..Entry::of_token("token.create", id, actor) };
        audit::log(&transaction, &keys, number, &entry)?;
        transaction.commit().map_err(store_error)
    }

    /// Revokes a token and writes that to the audit log; `false` if there is no such token, or it
    /// is revoked already. A running server sees it within a second.
    ///
    /// # Errors
    /// Only if the database cannot answer.
    pub fn revoke_token(
        &mut self,
        tenant: &TenantId,
        id: &str,
        actor: &str,
        now: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        let Some(number) = self.number(tenant)? else { return Ok(false) };
        let keys = audit::keyring(&self.connection, &self.audit_keys).map_err(store_error)?;
        let at = now.timestamp_millis();
        let transaction =
            self.connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(store_error)?;
        let revoked = transaction
            .execute(
                "UPDATE token SET revoked = ?3 WHERE tenant = ?1 AND id = ?2 AND revoked IS NULL",
                params![number, id, at],
            )
            .map_err(store_error)?;
        if revoked > 0 {
            let details = revocation(at);
            let entry = Entry { at, changed: &details, ..Entry::of_token("token.revoke", id, actor) };
            audit::log(&transaction, &keys, number, &entry)?;
        }
        transaction.commit().map_err(store_error)?;
        Ok(revoked > 0)
    }

    /// All tokens of a tenant, or of all tenants, oldest first; revoked and expired ones too.
    ///
    /// # Errors
    /// Only if the database cannot answer.
    pub fn tokens(&self, tenant: Option<&TenantId>) -> Result<Vec<Token>, StoreError> {
        let sql = format!(
            "SELECT {} FROM token t JOIN tenant n ON n.number = t.tenant \
             WHERE ?1 IS NULL OR n.name = ?1 ORDER BY t.created, t.id",
            token::COLUMNS
        );
        let read = || -> rusqlite::Result<Vec<Token>> {
            self.connection
                .prepare(&sql)?
                .query_map([tenant.map(TenantId::as_str)], Token::from_row)?
                .collect()
        };
        read().map_err(store_error)
    }

    /// The names of all tenants, in the order they were first seen.
    ///
    /// # Errors
    /// Only if the database cannot answer.
    pub fn tenants(&self) -> Result<Vec<TenantId>, StoreError> {
        let read = || -> rusqlite::Result<Vec<Option<TenantId>>> {
            self.connection
                .prepare("SELECT name FROM tenant ORDER BY number")?
                .query_map([], |row| Ok(TenantId::parse(row.get_ref(0)?.as_str()?)))?
                .collect()
        };
        read().map(|names| names.into_iter().flatten().collect()).map_err(store_error)
    }

    /// Calls `each` with the rows of a tenant's audit log behind the one numbered `after`, oldest
    /// first, until it returns `false`. The log is streamed.
    ///
    /// # Errors
    /// Only if the database cannot answer.
    pub fn audit(
        &self,
        tenant: &TenantId,
        after: u64,
        each: impl FnMut(AuditRecord) -> bool,
    ) -> Result<(), StoreError> {
        match self.number(tenant)? {
            None => Ok(()),
            Some(number) => audit::read(&self.connection, number, after, each).map_err(store_error),
        }
    }

    /// The head of each tenant's audit log, to be kept elsewhere: see [`AuditHead`].
    ///
    /// # Errors
    /// Only if the database cannot answer.
    pub fn audit_heads(&self) -> Result<Vec<AuditHead>, StoreError> {
        audit::heads(&self.connection).map_err(store_error)
    }

    /// Checks that everything in the database agrees: the file itself, bodies, index rows, members, triggers, and
    /// the audit logs with themselves, with tokens and with the versions of resources. `registry` says what is
    /// indexed. Reads everything, and keeps some 40 bytes of each resource in memory.
    ///
    /// # Errors
    /// Only if the database cannot answer; what does not agree is in the report.
    pub fn fsck(&self, registry: &Registry) -> Result<Report, StoreError> {
        self.fsck_with(registry, &FsckOptions::default())
    }

    /// The same, compared with what is known from elsewhere.
    ///
    /// # Errors
    /// As [`fsck`](Self::fsck).
    pub fn fsck_with(&self, registry: &Registry, options: &FsckOptions) -> Result<Report, StoreError> {
        fsck::check(&self.connection, registry, &self.audit_keys, options).map_err(store_error)
    }

    /// How many resources a dump with these options has, if it begins at the beginning.
    ///
    /// # Errors
    /// Only if the database cannot answer.
    pub fn count(&self, registry: &Registry, options: &DumpOptions) -> Result<u64, StoreError> {
        dump::count(&self.connection, registry, options).map_err(store_error)
    }

    /// The names of the resource types that a registry does not have and of which a tenant, or any, has
    /// resources, and how many: a dump leaves them out.
    ///
    /// # Errors
    /// Only if the database cannot answer.
    pub fn unknown_types(
        &self,
        registry: &Registry,
        tenant: Option<&TenantId>,
    ) -> Result<Vec<(String, u64)>, StoreError> {
        dump::unknown(&self.connection, registry, tenant).map_err(store_error)
    }

    /// Calls `each` with everything a tenant has, by resource type in the order of the registry and
    /// by id, until it breaks off. All of it is of one moment, whatever a server does meanwhile,
    /// and is streamed: not more than one resource and [`DumpOptions::members`] members at a time.
    ///
    /// # Errors
    /// Only if the database cannot answer.
    pub fn dump(
        &self,
        registry: &Registry,
        options: &DumpOptions,
        mut each: impl FnMut(Dumped<'_>) -> ControlFlow<()>,
    ) -> Result<DumpSize, StoreError> {
        dump::dump(&self.connection, registry, options, &mut each).map_err(store_error)
    }

    pub(crate) fn connection(&self) -> &Connection {
        &self.connection
    }

    fn number(&self, tenant: &TenantId) -> Result<Option<i64>, StoreError> {
        self.connection
            .query_row("SELECT number FROM tenant WHERE name = ?1", [tenant.as_str()], |row| row.get(0))
            .optional()
            .map_err(store_error)
    }
}
