//! Loading many resources at once into a file that no server has open.

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;

use rusqlite::Connection;
use scim2_core::ResourceId;
use scim2_server::{Context, StoreError};

use super::batch::Batch;
use super::lock::ServerLock;
use super::writer::Fault;
use super::{connection, ids, layout};
use crate::admin::load::{LoadOptions, Loaded, PreparedLoad, Preparer, Unresolved};
use crate::audit::{self, AuditKeys, Keyring};
use crate::error::{OpenError, store_error};
use crate::model::index::TypeIndex;

mod batch;
mod members;

/// Loads resources into a file that no server has open.
#[derive(Debug)]
pub(crate) struct FileLoader {
    // Dropped, and so closed, before the lock is.
    connection: Connection,
    #[expect(dead_code, reason = "holds the lock until the loader is dropped")]
    lock: ServerLock,
    cx: Context,
    keys: Keyring,
    options: LoadOptions,
    tenant: i64,
    indexes: Arc<Vec<Arc<TypeIndex>>>,
    groups: Groups,
}

/// For whom and into what a load goes.
#[derive(Debug, Clone, Copy)]
struct Scope<'a> {
    cx: &'a Context,
    keys: &'a Keyring,
    tenant: i64,
    indexes: &'a [Arc<TypeIndex>],
}

/// What a load remembers of groups. One entry for each group with members.
#[derive(Debug, Default)]
struct Groups {
    /// The place of the next member of a group.
    next: HashMap<i64, i64>,
    /// The groups that this load made.
    made: HashSet<i64>,
    /// The groups that were there before and have had their version moved.
    moved: HashSet<i64>,
    /// The resources that keep what they have, so that later lines add nothing to them.
    kept: HashSet<(i64, ResourceId)>,
    /// How many members wait for their resources.
    waiting: u64,
}

/// Pages kept in memory, in KiB: the inner pages of the index of a million users and what of its
/// leaves is being written.
const CACHE: i64 = 96 << 10;

/// Pages of the write-ahead log after which a commit moves them into the database: 128 MiB. A page
/// that many commits touch is moved once.
const CHECKPOINT: i64 = 32 << 10;

impl FileLoader {
    /// Opens a file that exists and keeps servers out of it.
    pub(crate) fn open(
        path: &Path,
        audit_keys: &AuditKeys,
        cx: &Context,
        options: LoadOptions,
    ) -> Result<Self, OpenError> {
        let lock = ServerLock::take(path)?;
        let mut connection = connection::writer(path)?;
        layout::migrate(&mut connection)?;
        // A commit survives the process at once and the machine when all is done: nobody is
        // answered before.
        connection.pragma_update(None, "synchronous", "normal")?;
        connection.pragma_update(None, "cache_size", -CACHE)?;
        connection.pragma_update(None, "wal_autocheckpoint", CHECKPOINT)?;
        connection.pragma_update(None, "temp_store", "file")?;
        connection.execute_batch(members::WAITING)?;
        connection.execute_batch("BEGIN IMMEDIATE")?;
        let keys = audit::keyring(&connection, audit_keys)?;
        audit::check_keys(&connection, &keys)?;
        let tenant = ids::tenant(&connection, &cx.tenant)?;
        let indexes = {
            let batch = Batch::new(&connection, &keys);
            let indexes = cx.registry.resource_types().map(|type_| ids::register(&batch, type_, None));
            indexes.collect::<Result<Vec<_>, Fault>>().map_err(|fault| match fault {
                Fault::Refused(error) | Fault::Broken(error) => OpenError::io(error),
            })?
        };
        if !options.dry_run {
            connection.execute_batch("COMMIT")?;
        }
        let (indexes, groups) = (Arc::new(indexes), Groups::default());
        Ok(Self { connection, lock, cx: cx.clone(), keys, options, tenant, indexes, groups })
    }

    /// What makes loads ready; clones work on as many threads as there are.
    pub(crate) fn preparer(&self) -> Preparer {
        Preparer::new(Arc::clone(&self.indexes), self.cx.now.timestamp_millis())
    }

    /// Writes loads in one transaction, in their order, and says what became of each.
    ///
    /// Each is taken when the one before it is written; its index rows are kept, some hundred bytes
    /// each, and written in their order when there are no more. So the more come at a time, the less
    /// each costs: a page of the index is written once for all its rows.
    pub(crate) fn load(
        &mut self,
        loads: impl IntoIterator<Item = PreparedLoad>,
    ) -> Result<Vec<Loaded>, StoreError> {
        self.begin()?;
        let Self { connection, cx, keys, options, tenant, indexes, groups, .. } = self;
        let scope = Scope { cx, keys, tenant: *tenant, indexes };
        let run = batch::Run::new(connection, scope, options.replace, groups).run(loads);
        self.end(run)
    }

    /// Adds the members that came before their resources, tells of those whose resources did not
    /// come, and makes everything durable.
    pub(crate) fn finish(mut self, mut unresolved: impl FnMut(Unresolved)) -> Result<(), StoreError> {
        let mut after = 0;
        while self.groups.waiting > 0 {
            self.begin()?;
            let Self { connection, cx, keys, tenant, indexes, groups, .. } = &mut self;
            let scope = Scope { cx, keys, tenant: *tenant, indexes };
            let resolved = members::resolve(connection, scope, groups, after, &mut unresolved);
            match self.end(resolved)? {
                Some(last) => after = last,
                None => break,
            }
        }
        if self.options.dry_run {
            return self.connection.execute_batch("ROLLBACK").map_err(store_error);
        }
        // A checkpoint syncs the file, even if the commits before it did not.
        self.connection.pragma_update(None, "synchronous", "full").map_err(store_error)?;
        self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).map_err(store_error)
    }

    fn begin(&self) -> Result<(), StoreError> {
        if self.options.dry_run {
            return Ok(());
        }
        self.connection.execute_batch("BEGIN IMMEDIATE").map_err(store_error)
    }

    fn end<T>(&self, run: Result<T, Fault>) -> Result<T, StoreError> {
        let ended = match run {
            Ok(done) if self.options.dry_run => return Ok(done),
            Ok(done) => self.connection.execute_batch("COMMIT").map(|()| done).map_err(store_error),
            Err(Fault::Refused(error) | Fault::Broken(error)) => Err(error),
        };
        if ended.is_err() && !self.connection.is_autocommit() {
            // If this fails, closing the connection rolls the transaction back.
            let _ = self.connection.execute_batch("ROLLBACK");
        }
        ended
    }
}
