//! The store as an import sees it, whichever engine it is on.

use scim2_server::{Context, StoreError};
use scim2_store::{
    Admin, LoadOptions, Loaded, Loader, OpenErrorKind, PostgresLoader, PreparedLoad, Preparer, Unresolved,
};
use tempfile::TempDir;
use tokio::runtime::Runtime;

use super::{in_memory, make_folder, runtime, unopened};
use crate::config::{Config, StoreUrl};
use crate::failure::{Failure, say};

/// A store that resources are loaded into. Its methods wait for the store.
#[derive(Debug)]
pub(crate) enum Loading {
    /// A file that no server has open, and the folder that is taken away with it if it is only tried.
    Sqlite(Box<Loader>, Option<TempDir>),
    /// A database, and what waits for it.
    Postgres(Box<PostgresLoader>, Runtime),
}

impl Loading {
    /// Opens the configured store, made new if there is none and something is to be stored.
    ///
    /// # Errors
    /// Names the address and what stands in the way: also a server that has the file open.
    pub(crate) fn open(config: &Config, cx: &Context, options: LoadOptions) -> Result<Self, Failure> {
        match &config.store {
            StoreUrl::Sqlite(path) => {
                let failed = |error| unopened(path.display(), &error);
                let mut options = options;
                options.audit_keys = config.audit_keys.clone();
                let is_there = || match Admin::open(path) {
                    Ok(_) => Ok(true),
                    Err(error) if error.kind() == OpenErrorKind::Missing => Ok(false),
                    Err(error) => Err(failed(error)),
                };
                if options.dry_run && !is_there()? {
                    say(format_args!("there is no store `{}`: compared with an empty one", path.display()));
                    // Which is nowhere but here.
                    let folder = tempfile::tempdir()
                        .map_err(|error| Failure::run(format!("no temporary folder can be made: {error}")))?;
                    let loader =
                        Loader::open(&folder.path().join("empty.db"), cx, options).map_err(Failure::run)?;
                    return Ok(Self::Sqlite(Box::new(loader), Some(folder)));
                }
                make_folder(path)?;
                Ok(Self::Sqlite(Box::new(Loader::open(path, cx, options).map_err(failed)?), None))
            }
            StoreUrl::Postgres(address) => {
                let (runtime, mut address) =
                    (runtime()?, config.postgres.apply(address, config.limits.credential_share));
                address.audit_keys = config.audit_keys.clone();
                match runtime.block_on(PostgresLoader::open(&address, cx, options)) {
                    Ok(loader) => Ok(Self::Postgres(Box::new(loader), runtime)),
                    Err(error) => Err(unopened(&address, &error)),
                }
            }
            StoreUrl::Memory => Err(in_memory()),
        }
    }

    /// What makes loads ready.
    pub(crate) fn preparer(&self) -> Preparer {
        match self {
            Self::Sqlite(loader, _) => loader.preparer(),
            Self::Postgres(loader, _) => loader.preparer(),
        }
    }

    /// About how many bytes of loads one transaction may have. In a file they are written as they
    /// come, and only their index rows are kept; over a connection all of them are.
    pub(crate) fn transaction(&self) -> usize {
        match self {
            Self::Sqlite(..) => 96 << 20,
            Self::Postgres(..) => 24 << 20,
        }
    }

    /// Writes loads in one transaction, in their order.
    pub(crate) fn load(
        &mut self,
        loads: impl Iterator<Item = PreparedLoad>,
    ) -> Result<Vec<Loaded>, StoreError> {
        match self {
            Self::Sqlite(loader, _) => loader.load(loads),
            Self::Postgres(loader, runtime) => runtime.block_on(loader.load(loads.collect())),
        }
    }

    /// Adds the members that came before their resources, and makes everything durable.
    pub(crate) fn finish(self, unresolved: impl FnMut(Unresolved)) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(loader, _folder) => loader.finish(unresolved),
            Self::Postgres(loader, runtime) => runtime.block_on(loader.finish(unresolved)),
        }
    }
}
