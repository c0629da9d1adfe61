//! The store as the commands beside the server see it, whichever engine it is on.

use std::ops::ControlFlow;

use chrono::{DateTime, Utc};
use scim2_core::Registry;
use scim2_server::{Context, StoreError, TenantId};
use scim2_store::{
    Admin, AuditHead, AuditRecord, DumpOptions, DumpSize, Dumped, FsckOptions, NewToken, PostgresAdmin,
    Repair, Report, Token,
};
use tokio::runtime::Runtime;

use super::{OPERATOR, in_memory, make_folder, runtime, unopened};
use crate::config::{Config, StoreUrl};
use crate::failure::Failure;

/// A store that is opened for one command. Its methods wait for the store.
#[derive(Debug)]
pub(crate) enum Administrator {
    /// A file.
    Sqlite(Admin),
    /// A database, and what waits for it.
    Postgres(PostgresAdmin, Runtime),
}

impl Administrator {
    /// Opens the configured store, which must be there.
    ///
    /// # Errors
    /// Names the address and what stands in the way; a store in memory has no outside.
    pub(crate) fn open(config: &Config) -> Result<Self, Failure> {
        match &config.store {
            StoreUrl::Sqlite(path) => match Admin::open(path) {
                Ok(admin) => Ok(Self::Sqlite(admin.with_audit_keys(config.audit_keys.clone()))),
                Err(error) => Err(unopened(path.display(), &error)),
            },
            StoreUrl::Postgres(_) => Self::open_or_create(config),
            StoreUrl::Memory => Err(in_memory()),
        }
    }

    /// As [`open`](Self::open), made new if there is none.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub(crate) fn open_or_create(config: &Config) -> Result<Self, Failure> {
        match &config.store {
            StoreUrl::Sqlite(path) => {
                make_folder(path)?;
                match Admin::create(path) {
                    Ok(admin) => Ok(Self::Sqlite(admin.with_audit_keys(config.audit_keys.clone()))),
                    Err(error) => Err(unopened(path.display(), &error)),
                }
            }
            StoreUrl::Postgres(address) => {
                let runtime = runtime()?;
                let mut options = config.postgres.apply(address, config.limits.credential_share);
                options.audit_keys = config.audit_keys.clone();
                match runtime.block_on(PostgresAdmin::open(&options)) {
                    Ok(admin) => Ok(Self::Postgres(admin, runtime)),
                    Err(error) => Err(unopened(&options, &error)),
                }
            }
            StoreUrl::Memory => Err(in_memory()),
        }
    }

    /// Keeps a token.
    pub(crate) fn add_token(&mut self, token: &NewToken) -> Result<(), Failure> {
        let now = Utc::now();
        match self {
            Self::Sqlite(admin) => admin.create_token(token, OPERATOR, now),
            Self::Postgres(admin, runtime) => runtime.block_on(admin.create_token(token, OPERATOR, now)),
        }
        .map_err(Failure::run)
    }

    /// Revokes a token; `false` if it is revoked already.
    pub(crate) fn revoke_token(
        &mut self,
        tenant: &TenantId,
        id: &str,
        now: DateTime<Utc>,
    ) -> Result<bool, Failure> {
        match self {
            Self::Sqlite(admin) => admin.revoke_token(tenant, id, OPERATOR, now),
            Self::Postgres(admin, runtime) => runtime.block_on(admin.revoke_token(tenant, id, OPERATOR, now)),
        }
        .map_err(Failure::run)
    }

    /// All tokens, oldest first.
    pub(crate) fn tokens(&self) -> Result<Vec<Token>, Failure> {
        match self {
            Self::Sqlite(admin) => admin.tokens(None),
            Self::Postgres(admin, runtime) => runtime.block_on(admin.tokens(None)),
        }
        .map_err(Failure::run)
    }

    /// Calls `each` with the rows of a tenant's audit log, oldest first, until it returns `false`.
    pub(crate) fn audit(
        &self,
        tenant: &TenantId,
        each: impl FnMut(AuditRecord) -> bool,
    ) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(admin) => admin.audit(tenant, 0, each),
            Self::Postgres(admin, runtime) => runtime.block_on(admin.audit(tenant, 0, each)),
        }
    }

    /// The head of each tenant's audit log.
    pub(crate) fn audit_heads(&self) -> Result<Vec<AuditHead>, Failure> {
        match self {
            Self::Sqlite(admin) => admin.audit_heads(),
            Self::Postgres(admin, runtime) => runtime.block_on(admin.audit_heads()),
        }
        .map_err(Failure::run)
    }

    /// How many resources a dump from the beginning will have.
    pub(crate) fn count(&self, registry: &Registry, options: &DumpOptions) -> Result<u64, Failure> {
        match self {
            Self::Sqlite(admin) => admin.count(registry, options),
            Self::Postgres(admin, runtime) => runtime.block_on(admin.count(registry, options)),
        }
        .map_err(Failure::run)
    }

    /// The resource types that the registry does not have, and how many resources of each a tenant has.
    pub(crate) fn unknown_types(
        &self,
        registry: &Registry,
        tenant: &TenantId,
    ) -> Result<Vec<(String, u64)>, Failure> {
        match self {
            Self::Sqlite(admin) => admin.unknown_types(registry, Some(tenant)),
            Self::Postgres(admin, runtime) => runtime.block_on(admin.unknown_types(registry, Some(tenant))),
        }
        .map_err(Failure::run)
    }

    /// Calls `each` with everything a tenant has, until it breaks off.
    pub(crate) fn dump(
        &self,
        registry: &Registry,
        options: &DumpOptions,
        each: impl FnMut(Dumped<'_>) -> ControlFlow<()>,
    ) -> Result<DumpSize, Failure> {
        match self {
            Self::Sqlite(admin) => admin.dump(registry, options, each),
            Self::Postgres(admin, runtime) => runtime.block_on(admin.dump(registry, options, each)),
        }
        .map_err(Failure::run)
    }

    /// Checks that everything in the store agrees, and makes again what is derived where it does not.
    pub(crate) fn repair(config: &Config, cx: &Context) -> Result<Repair, Failure> {
        match &config.store {
            StoreUrl::Sqlite(path) => {
                Admin::repair(path, cx, &config.audit_keys).map_err(|error| unopened(path.display(), &error))
            }
            StoreUrl::Postgres(_) => match Self::open(config)? {
                Self::Postgres(admin, runtime) => runtime.block_on(admin.repair(cx)).map_err(Failure::run),
                Self::Sqlite(_) => Err(in_memory()),
            },
            StoreUrl::Memory => Err(in_memory()),
        }
    }

    /// Checks that everything in the store agrees.
    pub(crate) fn fsck(&self, registry: &Registry, options: &FsckOptions) -> Result<Report, Failure> {
        match self {
            Self::Sqlite(admin) => admin.fsck_with(registry, options),
            Self::Postgres(admin, runtime) => runtime.block_on(admin.fsck_with(registry, options)),
        }
        .map_err(Failure::run)
    }
}
