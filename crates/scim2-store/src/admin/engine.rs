//! The operations of an operator that differ between the engines.

#![cfg_attr(
    not(feature = "postgres"),
    expect(unused_variables, irrefutable_let_patterns, reason = "SQLite is then the only engine")
)]

use std::path::PathBuf;
use std::sync::Arc;

use scim2_core::CompiledType;
use scim2_server::{StoreError, TenantId};

use super::fsck::Report;
use crate::audit::check::LogCheck;
use crate::audit::{self, AuditKeys, Entry, Hash, Keyring};
use crate::dialect::Dialect;
use crate::error::OpenError;
use crate::model::index::TypeIndex;
#[cfg(feature = "postgres")]
use crate::postgres;
use crate::session::{Fault, Row, Session, Transaction};
use crate::sql::{Param, Sql};
use crate::sqlite::batch::Batch;
use crate::sqlite::lock::ServerLock;
use crate::sqlite::session::SqliteSession;
use crate::sqlite::{ids, inspect};

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
                let session = SqliteSession::open(path).await.map_err(unopened)?;
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

    /// The result of an operation. `None`, after a pause, if the operation lost against another transaction and should
    /// run again.
    pub(super) async fn unless_lost<T>(
        &self,
        result: Result<T, Fault>,
        attempts: &mut u32,
    ) -> Option<Result<T, StoreError>> {
        *attempts += 1;
        match result {
            Err(Fault::Conflict(error)) => match self.pause(*attempts).await {
                Some(()) => None,
                None => Some(Err(error)),
            },
            result => Some(result.map_err(StoreError::from)),
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

    /// A session that, on SQLite, keeps servers from opening the file until it is dropped.
    pub(super) async fn exclusive_session(&self) -> Result<ExclusiveSession, OpenError> {
        match self {
            Self::Sqlite { path, audit_keys } => {
                let lock = ServerLock::take(path)?;
                let session = SqliteSession::open_writable(path).await?;
                let session = AnySession::Sqlite { session, audit_keys: audit_keys.clone() };
                Ok(ExclusiveSession { session, _lock: Some(lock) })
            }
            #[cfg(feature = "postgres")]
            Self::Postgres(_) => Ok(ExclusiveSession { session: self.patient_session().await?, _lock: None }),
        }
    }

    /// Waits before another attempt. `None` if there were enough.
    async fn pause(&self, attempt: u32) -> Option<()> {
        match self {
            // Writers wait for each other: none of them loses.
            Self::Sqlite { .. } => None,
            #[cfg(feature = "postgres")]
            Self::Postgres(_) => postgres::pause_before(attempt).await,
        }
    }
}

/// A session, and what keeps servers out meanwhile.
#[derive(Debug)]
pub(super) struct ExclusiveSession {
    // Dropped, and so closed, before the lock is.
    pub(super) session: AnySession,
    _lock: Option<ServerLock>,
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
                session.run(move |connection| Ok(ids::tenant(connection, &tenant)?)).await
            }
            #[cfg(feature = "postgres")]
            Self::Postgres(connection) => Ok(postgres::ids::tenant(connection, tenant).await?),
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

    /// A resource type as the database knows it, if it knows the type.
    pub(super) async fn known_index(
        &mut self,
        resource_type: &Arc<CompiledType>,
    ) -> Result<Option<Arc<TypeIndex>>, Fault> {
        let known = match self {
            Self::Sqlite { session, .. } => {
                let resource_type = Arc::clone(resource_type);
                session.run(move |connection| Ok(ids::known(connection, &resource_type)?)).await?
            }
            #[cfg(feature = "postgres")]
            Self::Postgres(connection) => postgres::ids::known(connection, resource_type).await?,
        };
        Ok(known.map(Arc::new))
    }

    /// Reports damaged pages of a SQLite file. PostgreSQL reports a damaged page when it reads it.
    pub(super) async fn check_pages(&mut self, report: &mut Report) -> Result<(), Fault> {
        if let Self::Sqlite { session, .. } = self {
            *report = session
                .run(|connection| {
                    let mut report = Report::default();
                    inspect::pages(connection, &mut report)?;
                    Ok(report)
                })
                .await?;
        }
        Ok(())
    }

    /// Reports parts of the layout that differ from what this program makes.
    pub(super) async fn check_layout(&mut self, report: &mut Report) -> Result<(), Fault> {
        match self {
            Self::Sqlite { session, .. } => {
                let mut found = std::mem::take(report);
                *report = session
                    .run(move |connection| {
                        inspect::layout(connection, &mut found)?;
                        Ok(found)
                    })
                    .await?;
                Ok(())
            }
            #[cfg(feature = "postgres")]
            Self::Postgres(connection) => Ok(postgres::inspect::layout(connection, report).await?),
        }
    }

    /// Makes the layout again where [`check_layout`](Self::check_layout) found a fault, and returns how many parts.
    pub(super) async fn repair_layout(&mut self) -> Result<usize, Fault> {
        match self {
            Self::Sqlite { session, .. } => {
                session.run(|connection| Ok(inspect::repair_layout(connection)?)).await
            }
            #[cfg(feature = "postgres")]
            Self::Postgres(connection) => Ok(postgres::inspect::repair_layout(connection).await?),
        }
    }

    /// Makes all indexes of a SQLite file again. `false` on PostgreSQL, which has programs of its own for that.
    pub(super) async fn reindex(&mut self) -> Result<bool, Fault> {
        match self {
            Self::Sqlite { session, .. } => {
                session.run(|connection| Ok(connection.execute_batch("REINDEX")?)).await?;
                Ok(true)
            }
            #[cfg(feature = "postgres")]
            Self::Postgres(_) => Ok(false),
        }
    }

    /// Gives a resource type and its indexed paths their numbers, in a transaction of its own.
    pub(super) async fn register_type(
        &mut self,
        resource_type: &Arc<CompiledType>,
    ) -> Result<Arc<TypeIndex>, Fault> {
        match self {
            Self::Sqlite { session, audit_keys } => {
                let (resource_type, keys) = (Arc::clone(resource_type), audit_keys.clone());
                let register = move |connection: &rusqlite::Connection| {
                    let keys = audit::keyring(connection, &keys)?;
                    let transaction = connection.unchecked_transaction()?;
                    let batch = Batch::new(&transaction, &keys);
                    let index = ids::register(&batch, &resource_type, None)?;
                    transaction.commit()?;
                    Ok(index)
                };
                session.run(register).await
            }
            #[cfg(feature = "postgres")]
            Self::Postgres(connection) => Ok(postgres::ids::register(connection, resource_type, None).await?),
        }
    }

    /// Keeps others from writing resources, members and counts until the transaction ends. On SQLite a transaction
    /// that writes is alone anyway.
    pub(super) async fn lock_all(&mut self, indexes: &[Arc<TypeIndex>]) -> Result<(), Fault> {
        match self {
            Self::Sqlite { .. } => Ok(()),
            #[cfg(feature = "postgres")]
            Self::Postgres(connection) => {
                for index in indexes {
                    connection.simple(&postgres::Lock::Resources(index.number).alone()).await?;
                }
                Ok(connection.simple("LOCK TABLE member, resource_count IN SHARE ROW EXCLUSIVE MODE").await?)
            }
        }
    }

    /// Checks what follows the last row of a tenant's log.
    pub(super) async fn check_unchained(&mut self, tenant: i64, log: &mut LogCheck<'_>) -> Result<(), Fault> {
        match self {
            Self::Sqlite { .. } => Ok(()),
            #[cfg(feature = "postgres")]
            Self::Postgres(connection) => Ok(postgres::inspect::unchained(connection, tenant, log).await?),
        }
    }

    /// Refuses a process that cannot write to one of the audit logs.
    pub(super) async fn check_keys(&mut self) -> Result<(), OpenError> {
        match self {
            Self::Sqlite { session, audit_keys } => {
                let keys = audit_keys.clone();
                let check = move |connection: &rusqlite::Connection| {
                    let keys = audit::keyring(connection, &keys)?;
                    Ok(audit::check_keys(connection, &keys))
                };
                session.run(check).await?
            }
            #[cfg(feature = "postgres")]
            Self::Postgres(connection) => Ok(postgres::check_keys(connection).await?),
        }
    }

    /// Changes the log of a tenant to the key in use, if it is hashed with the database's own key. Returns how
    /// many rows it had before and the hash of the last one.
    pub(super) async fn adopt_key(
        &mut self,
        tenant: i64,
        cause: &Entry<'_>,
    ) -> Result<Option<(i64, Hash)>, Fault> {
        match self {
            Self::Sqlite { session, audit_keys } => {
                let (cause, keys) = (cause.to_owned(), audit_keys.clone());
                let adopt = move |connection: &rusqlite::Connection| {
                    let keys = audit::keyring(connection, &keys)?;
                    Ok(audit::adopt_key(connection, &keys, tenant, &cause.borrow())?)
                };
                session.run(adopt).await
            }
            #[cfg(feature = "postgres")]
            Self::Postgres(connection) => Ok(postgres::adopt_key(connection, tenant, cause).await?),
        }
    }

    /// All keys of the audit log that this process has for the database.
    pub(super) async fn keyring(&mut self) -> Result<Keyring, Fault> {
        let external = match self {
            Self::Sqlite { audit_keys, .. } => audit_keys.clone(),
            #[cfg(feature = "postgres")]
            Self::Postgres(connection) => connection.audit_keys().clone(),
        };
        let own = Sql::new("SELECT value FROM secret WHERE name = 'audit'", []);
        let own: Option<Vec<u8>> = self.first(own, |row| row.get(0)).await?;
        // Without it, rows made with it are found broken.
        Ok(Keyring::new(&own.unwrap_or_default(), external))
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

/// The fault of a file that was opened before and cannot be opened now.
fn unopened(error: OpenError) -> Fault {
    StoreError::unavailable(error.to_string()).into()
}
