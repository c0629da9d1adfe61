//! The stores as the commands see them: opened, and asked for tokens.

use std::path::Path;

use chrono::{DateTime, Utc};
use scim2_auth::{MemoryTokens, TokenSecret};
use scim2_server::{Access, Principal, StoreErrorKind, TenantId};
use scim2_store::{Admin, Indexing, NewToken, PostgresOptions, PostgresStore, SqliteOptions, SqliteStore};

use crate::config::{Config, StoreUrl};
use crate::failure::Failure;

pub(crate) mod folders;
mod loading;

pub(crate) use loading::Loading;

/// Whom the audit log names for what is done on the command line.
pub(crate) const OPERATOR: &str = "operator";

/// Opens a database to serve, made new if there is none.
///
/// # Errors
/// Names the path and the reason.
pub(crate) fn open_or_create(
    path: &Path,
    config: &Config,
    indexing: Indexing,
) -> Result<SqliteStore, Failure> {
    make_folder(path)?;
    let mut options = SqliteOptions::default();
    options.indexing = indexing;
    options.scan_share = config.limits.credential_share;
    options.audit_keys = config.audit_keys.clone();
    SqliteStore::open(path, options).map_err(|error| unopened(path.display(), &error))
}

/// Opens a PostgreSQL database to serve, with tables made if it has none.
///
/// # Errors
/// Names the address, without the password, and the reason.
pub(crate) async fn connect(
    config: &Config,
    address: &PostgresOptions,
    indexing: Indexing,
) -> Result<PostgresStore, Failure> {
    let mut options = config.postgres.apply(address, config.limits.credential_share);
    options.indexing = indexing;
    options.audit_keys = config.audit_keys.clone();
    PostgresStore::open(&options).await.map_err(|error| unopened(&options, &error))
}

/// Opens the configured store for its operator; it must exist.
///
/// # Errors
/// Names the address and the reason. A store in memory belongs to the server's process alone.
pub(crate) async fn admin(config: &Config) -> Result<Admin, Failure> {
    match &config.store {
        StoreUrl::Sqlite(path) => {
            let admin = Admin::open(path).map_err(|error| unopened(path.display(), &error))?;
            Ok(admin.with_audit_keys(config.audit_keys.clone()))
        }
        StoreUrl::Postgres(address) => {
            let mut options = config.postgres.apply(address, config.limits.credential_share);
            options.audit_keys = config.audit_keys.clone();
            Admin::connect(&options).await.map_err(|error| unopened(&options, &error))
        }
        StoreUrl::Memory => Err(in_memory()),
    }
}

/// As [`admin`], and creates the store if there is none.
///
/// # Errors
/// As [`admin`].
pub(crate) async fn admin_or_create(config: &Config) -> Result<Admin, Failure> {
    if let StoreUrl::Sqlite(path) = &config.store {
        make_folder(path)?;
        Admin::create(path).map_err(|error| unopened(path.display(), &error))?;
    }
    admin(config).await
}

/// The file of the configured store, for what is done to files alone.
///
/// # Errors
/// A store in memory has no file, and PostgreSQL has programs of its own for its files.
pub(crate) fn path_of(config: &Config) -> Result<&Path, Failure> {
    match &config.store {
        StoreUrl::Sqlite(path) => Ok(path),
        StoreUrl::Postgres(_) => Err(Failure::usage(
            "a PostgreSQL database is copied by its own `pg_dump` and `pg_restore`, after which tokens that were \
                 revoked since are valid again: `scim2 token list` shows them; \
                 `scim2 export` and `scim2 import` carry resources from any store to any other",
        )),
        StoreUrl::Memory => Err(in_memory()),
    }
}

/// What waits for a database on the thread of a command.
pub(crate) fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::run(format!("threads cannot be started: {error}")))
}

fn in_memory() -> Failure {
    Failure::usage("a store in memory belongs to the process that serves it; expected `--store sqlite:PATH`")
}

/// Names the address and the reason.
pub(crate) fn unopened(address: impl std::fmt::Display, error: &dyn std::fmt::Display) -> Failure {
    Failure::usage(format!("the store `{address}`: {error}"))
}

/// The same for the configured store.
pub(crate) fn refused(config: &Config, error: &dyn std::fmt::Display) -> Failure {
    match &config.store {
        StoreUrl::Sqlite(path) => unopened(path.display(), error),
        address => unopened(address, error),
    }
}

/// Makes the folder of a database if it is missing, but only one level, and nothing right below the root: a path that
/// is further from what exists is a mistake.
///
/// # Errors
/// Names the folder and the reason.
pub(crate) fn make_folder(path: &Path) -> Result<(), Failure> {
    let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) else { return Ok(()) };
    folders::make_missing(folder).map_err(|failure| unopened(path.display(), &failure))
}

/// Where the first token of a store is put.
pub(crate) trait TokenKeeper {
    /// Whether there is any token, be it expired or revoked.
    async fn any(&self) -> Result<bool, Failure>;

    /// Keeps a token.
    async fn add(&mut self, token: &NewToken) -> Result<(), Failure>;
}

/// A token to be kept: all of it but the secret.
pub(crate) fn new_token(
    name: &str,
    secret: &TokenSecret,
    access: Access,
    expires: Option<DateTime<Utc>>,
) -> NewToken {
    NewToken {
        id: uuid::Uuid::now_v7().to_string(),
        hash: *secret.hash().as_bytes(),
        tenant: TenantId::default(),
        name: name.to_owned(),
        access,
        expires,
    }
}

impl TokenKeeper for Admin {
    async fn any(&self) -> Result<bool, Failure> {
        self.tokens(None).await.map(|tokens| !tokens.is_empty()).map_err(Failure::run)
    }

    async fn add(&mut self, token: &NewToken) -> Result<(), Failure> {
        match self.create_token(token, OPERATOR, Utc::now()).await {
            Ok(()) => Ok(()),
            // Another node that starts with the same token was quicker.
            Err(error) if matches!(error.kind(), StoreErrorKind::Uniqueness(_)) => Ok(()),
            Err(error) => Err(Failure::run(error)),
        }
    }
}

impl TokenKeeper for MemoryTokens {
    async fn any(&self) -> Result<bool, Failure> {
        Ok(!self.is_empty())
    }

    async fn add(&mut self, token: &NewToken) -> Result<(), Failure> {
        let principal = Principal {
            tenant: token.tenant.clone(),
            actor: token.name.as_str().into(),
            access: token.access,
            resource: None,
        };
        self.insert(token.hash.into(), principal, token.expires);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_last_folder_of_a_path_is_made() {
        let folder = tempfile::tempdir().unwrap();
        make_folder(&folder.path().join("data/scim2.db")).unwrap();
        assert!(folder.path().join("data").is_dir());
        let error = make_folder(&folder.path().join("far/away/scim2.db")).unwrap_err();
        assert!(error.to_string().ends_with("is not there; make it first"), "{error}");
        assert!(!folder.path().join("far").exists());
        make_folder(Path::new("/scim2-test-nowhere/scim2.db")).unwrap_err();
        assert!(!Path::new("/scim2-test-nowhere").exists());
        make_folder(Path::new("scim2.db")).unwrap();
    }
}
