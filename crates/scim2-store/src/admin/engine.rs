//! In what the two engines differ for an operator.

use std::path::PathBuf;

use scim2_core::Registry;
use scim2_server::{Context, StoreError, TenantId};

use crate::audit::{self, AuditKeys, Entry};
use crate::dialect::Dialect;
use crate::error::OpenError;
use crate::fsck::{self, FsckOptions, Report};
#[cfg(feature = "postgres")]
use crate::postgres;
use crate::repair::{self, Repair};
use crate::session::{Fault, Row, Session, Transaction};
use crate::sql::{Param, Sql};
use crate::sqlite::names;
use crate::sqlite::session::SqliteSession;

/// Where a database is.
#[derive(Debug, Clone)]
pub(super) enum Database {
    Sqlite {
        path: PathBuf,
        audit_keys: AuditKeys,
    },
    #[cfg(feature = "postgres")]
    Postgres(postgres::Pool),
}

impl Database {
    /// A connection for one operation.
    pub(super) async fn session(&self) -> Result<AnySession, Fault> {
        match self {
            Self::Sqlite { path, audit_keys } => {
                let session = SqliteSession::open(path).await?;
                Ok(AnySession::Sqlite { session, audit_keys: audit_keys.clone() })
            }
            #[cfg(feature = "postgres")]
            Self::Postgres(pool) => Ok(AnySession::Postgres(Box::new(pool.take().await?))),
        }
    }

    /// The same for an operation that may take long: its statements are not stopped after a time.
    pub(super) async fn patient_session(&self) -> Result<AnySession, Fault> {
        Ok(match self.session().await? {
            #[cfg(feature = "postgres")]
            AnySession::Postgres(connection) => AnySession::Postgres(Box::new(connection.patient())),
            session => session,
        })
    }

    /// Runs an operation, and again if it lost against another transaction.
    pub(super) async fn retrying<T>(
        &self,
        run: impl AsyncFn(&mut AnySession) -> Result<T, Fault>,
    ) -> Result<T, StoreError> {
        let mut attempt = 0;
        loop {
            let done = match self.session().await {
                Ok(mut session) => run(&mut session).await,
                Err(fault) => Err(fault),
            };
            attempt += 1;
            match done {
                Err(Fault::Conflict(error)) => self.pause(attempt).await.ok_or(error)?,
                done => return Ok(done?),
            }
        }
    }

    /// Gives rows of a tenant that wait for their place in the audit log that place.
    pub(super) async fn chain_waiting_rows(&self, tenant: i64) -> Result<(), Fault> {
        match self {
            // Every row has its place from the beginning.
            Self::Sqlite { .. } => Ok(()),
            #[cfg(feature = "postgres")]
            Self::Postgres(pool) => Ok(postgres::chain_waiting_rows(pool, tenant).await?),
        }
    }

    pub(super) async fn fsck(&self, registry: &Registry, options: &FsckOptions) -> Result<Report, Fault> {
        match self.patient_session().await? {
            AnySession::Sqlite { mut session, audit_keys } => {
                let (registry, options) = (registry.clone(), options.clone());
                session
                    .run(move |connection| Ok(fsck::check(connection, &registry, &audit_keys, &options)?))
                    .await
            }
            #[cfg(feature = "postgres")]
            AnySession::Postgres(connection) => Ok(postgres::check(&connection, registry, options).await?),
        }
    }

    pub(super) async fn repair(&self, cx: &Context) -> Result<Repair, OpenError> {
        match self {
            Self::Sqlite { path, audit_keys } => repair::repair_file(path, cx, audit_keys),
            #[cfg(feature = "postgres")]
            Self::Postgres(pool) => Ok(postgres::repair(&pool.take().await?.patient(), cx).await?),
        }
    }

    /// Waits before the next attempt. `None` if there were enough.
    async fn pause(&self, attempt: u32) -> Option<()> {
        match self {
            // Writers wait for each other: none of them loses.
            Self::Sqlite { .. } => None,
            #[cfg(feature = "postgres")]
            Self::Postgres(_) => postgres::pause_before(attempt).await,
        }
    }
}

/// A session of either engine. Operations that exist once run on it.
#[derive(Debug)]
pub(super) enum AnySession {
    Sqlite {
        session: SqliteSession,
        audit_keys: AuditKeys,
    },
    #[cfg(feature = "postgres")]
    Postgres(Box<postgres::Connection>),
}

impl AnySession {
    /// The number of a tenant, given it if it has none.
    pub(super) async fn register_tenant(&mut self, tenant: &TenantId) -> Result<i64, Fault> {
        match self {
            Self::Sqlite { session, .. } => {
                let tenant = tenant.clone();
                session.run(move |connection| Ok(names::tenant(connection, &tenant)?)).await
            }
            #[cfg(feature = "postgres")]
            Self::Postgres(connection) => Ok(postgres::names::tenant(connection, tenant).await?),
        }
    }

    /// Waits until no other transaction creates a token. On SQLite a transaction that writes is alone anyway.
    pub(super) async fn lock_tokens(&mut self) -> Result<(), Fault> {
        match self {
            Self::Sqlite { .. } => Ok(()),
            #[cfg(feature = "postgres")]
            Self::Postgres(connection) => Ok(connection.simple(&postgres::Lock::Tokens.alone()).await?),
        }
    }

    /// Adds a row to a tenant's audit log, in the transaction under way.
    pub(super) async fn log(&mut self, tenant: i64, entry: &Entry<'_>) -> Result<(), Fault> {
        match self {
            Self::Sqlite { session, audit_keys } => {
                let (entry, keys) = (entry.to_owned(), audit_keys.clone());
                let log = move |connection: &rusqlite::Connection| {
                    let keys = audit::keyring(connection, &keys)?;
                    Ok(audit::log(connection, &keys, tenant, &entry.borrow())?)
                };
                session.run(log).await
            }
            #[cfg(feature = "postgres")]
            Self::Postgres(connection) => Ok(postgres::log(connection, tenant, entry).await?),
        }
    }
}

impl Session for AnySession {
    fn dialect(&self) -> Dialect {
        match self {
            Self::Sqlite { session, .. } => session.dialect(),
            #[cfg(feature = "postgres")]
            Self::Postgres(connection) => connection.dialect(),
        }
    }

    async fn begin(&mut self, transaction: Transaction) -> Result<(), Fault> {
        match self {
            Self::Sqlite { session, .. } => session.begin(transaction).await,
            #[cfg(feature = "postgres")]
            Self::Postgres(connection) => Session::begin(&mut **connection, transaction).await,
        }
    }

    async fn commit(&mut self) -> Result<(), Fault> {
        match self {
            Self::Sqlite { session, .. } => session.commit().await,
            #[cfg(feature = "postgres")]
            Self::Postgres(connection) => Session::commit(&mut **connection).await,
        }
    }

    async fn rows<T, F>(&mut self, sql: Sql, read: F) -> Result<Vec<T>, Fault>
    where
        T: Send + 'static,
        F: Fn(&Row<'_>) -> Result<T, StoreError> + Send + 'static,
    {
        match self {
            Self::Sqlite { session, .. } => session.rows(sql, read).await,
            #[cfg(feature = "postgres")]
            Self::Postgres(connection) => connection.rows(sql, read).await,
        }
    }

    async fn page<T, F>(&mut self, sql: Sql, read: F) -> Result<Vec<T>, Fault>
    where
        T: Send + 'static,
        F: Fn(&Row<'_>) -> Result<T, StoreError> + Send + 'static,
    {
        match self {
            Self::Sqlite { session, .. } => session.page(sql, read).await,
            #[cfg(feature = "postgres")]
            Self::Postgres(connection) => connection.page(sql, read).await,
        }
    }

    async fn each<T, F>(
        &mut self,
        text: &str,
        runs: Vec<Vec<Param>>,
        read: F,
    ) -> Result<Vec<Option<T>>, Fault>
    where
        T: Send + 'static,
        F: Fn(&Row<'_>) -> Result<T, StoreError> + Send + 'static,
    {
        match self {
            Self::Sqlite { session, .. } => session.each(text, runs, read).await,
            #[cfg(feature = "postgres")]
            Self::Postgres(connection) => connection.each(text, runs, read).await,
        }
    }
}
