//! The store as an import sees it.

use scim2_server::{Context, StoreError};
use scim2_store::{Admin, LoadOptions, Loaded, Loader, OpenErrorKind, PreparedLoad, Preparer, Unresolved};
use tempfile::TempDir;
use tokio::runtime::Runtime;

use super::{admin_or_create, refused, runtime};
use crate::config::{Config, StoreUrl};
use crate::failure::{Failure, say};

/// A store that resources are loaded into. Its methods wait for the store.
#[derive(Debug)]
pub(crate) struct Loading {
    loader: Loader,
    runtime: Runtime,
    /// Where the store is that a dry run without a store compares with.
    _folder: Option<TempDir>,
}

impl Loading {
    /// Opens the configured store, and creates it if there is none and something is to be stored.
    ///
    /// # Errors
    /// Names the address and the reason, such as a server that has the file open.
    pub(crate) fn open(config: &Config, cx: &Context, options: LoadOptions) -> Result<Self, Failure> {
        let runtime = runtime()?;
        let folder = match &config.store {
            StoreUrl::Sqlite(path) if options.dry_run => match Admin::open(path) {
                Ok(_) => None,
                Err(error) if error.kind() == OpenErrorKind::Missing => {
                    say(format_args!("there is no store `{}`: compared with an empty one", path.display()));
                    let folder = tempfile::tempdir();
                    Some(
                        folder.map_err(|error| {
                            Failure::run(format!("no temporary folder can be made: {error}"))
                        })?,
                    )
                }
                Err(error) => return Err(refused(config, &error)),
            },
            _ => None,
        };
        let admin = match &folder {
            Some(folder) => Admin::create(&folder.path().join("empty.db")).map_err(Failure::run)?,
            None => runtime.block_on(admin_or_create(config))?,
        };
        let loader = runtime.block_on(admin.loader(cx, options)).map_err(|error| refused(config, &error))?;
        Ok(Self { loader, runtime, _folder: folder })
    }

    /// Prepares loads.
    pub(crate) fn preparer(&self) -> Preparer {
        self.loader.preparer()
    }

    /// About how many bytes of loads one transaction may have.
    pub(crate) fn transaction(&self) -> usize {
        self.loader.transaction_size()
    }

    /// Writes loads in one transaction, in their order.
    pub(crate) fn load(
        &mut self,
        loads: impl Iterator<Item = PreparedLoad>,
    ) -> Result<Vec<Loaded>, StoreError> {
        self.runtime.block_on(self.loader.load(loads))
    }

    /// Adds the members that came before their resources, and makes everything durable.
    pub(crate) fn finish(self, unresolved: impl FnMut(Unresolved)) -> Result<(), StoreError> {
        self.runtime.block_on(self.loader.finish(unresolved))
    }
}
