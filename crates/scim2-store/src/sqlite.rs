//! A [`ResourceStore`] on one SQLite file.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use futures_channel::oneshot;
use rusqlite::Connection;
use scim2_core::{CompiledType, Registry, ResourceId, Version};
use scim2_server::store::{
    Comparison, CursorKey, GroupMembership, Include, MemberStream, MemberTarget, MembersWrite, Outcome,
    Query, QueryPage, StoredResource, StreamedResource, Write,
};
use scim2_server::{Context, ResourceStore, StoreError, TenantId};

use self::batch::Batch;
use self::budget::Budget;
use self::files::Files;
use self::groups::Groups;
use self::lock::ServerLock;
use self::pool::Pool;
use self::scan::{Scans, Waiting};
use self::source::{SqliteRows, now};
use self::write::{Deletion, MembersChange, Prepared};
use self::writer::{Fault, Writer};
use crate::admin::Admin;
use crate::audit::{self, AuditKeys};
use crate::error::{OpenError, store_error};
use crate::model::ids::IdCache;
use crate::model::index::TypeIndex;
use crate::model::indexing::Indexing;
use crate::model::row::{Asked, version_of};
use crate::query::Search;
use crate::spool::{MAX_INLINE_MEMBERS, spool};
use crate::token::{self, Token, TokenCache, TokenHash, TokenState};

mod backfill;
pub(crate) mod batch;
mod budget;
mod checkpoint;
mod cleanup;
pub(crate) mod connection;
#[cfg(test)]
mod faults;
mod files;
mod groups;
pub(crate) mod ids;
pub(crate) mod inspect;
pub(crate) mod layout;
pub(crate) mod load;
pub(crate) mod lock;
pub(crate) mod members;
mod param;
mod pool;
pub(crate) mod read;
mod scan;
pub(crate) mod session;
mod source;
#[cfg(test)]
mod work;
mod write;
pub(crate) mod writer;

/// Limits of a [`SqliteStore`], and what it indexes.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SqliteOptions {
    /// The longest queue of writes. When it is full, a write is refused with
    /// [`StoreErrorKind::Unavailable`](scim2_server::StoreErrorKind::Unavailable).
    pub queue: usize,
    /// The most writes in one commit. They share the cost of one `fdatasync`, and the last of them waits for the
    /// first.
    pub batch: usize,
    /// The number of threads for queries that read many resources.
    pub scan_threads: usize,
    /// How many of these threads the requests of one credential may use at once. By default three quarters of them,
    /// and never all unless there is only one. Further requests of the credential wait.
    pub scan_share: Option<usize>,
    /// Which attributes are indexed. Existing resources are indexed in the background; until that is done, queries
    /// do not use the new index rows.
    pub indexing: Indexing,
    /// Keys for the audit log that are stored outside of the file.
    pub audit_keys: AuditKeys,
}

impl Default for SqliteOptions {
    fn default() -> Self {
        Self {
            queue: 4096,
            batch: 128,
            scan_threads: 3,
            scan_share: None,
            indexing: Indexing::default(),
            audit_keys: AuditKeys::default(),
        }
    }
}

/// Resources in one SQLite file. A write is answered when it is durable.
///
/// One thread writes: it takes the waiting writes from a queue, commits them together, and then answers all of
/// them. A read uses a connection of its own, does not wait for writes, and reads one snapshot. Clones share the
/// store.
///
/// No asynchronous runtime is needed or used.
///
/// ```
/// use scim2_store::{SqliteOptions, SqliteStore};
///
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("scim2.db");
/// let store = SqliteStore::open(&path, SqliteOptions::default())?;
///
/// let error = SqliteStore::open(&path, SqliteOptions::default()).expect_err("one server at a time");
/// assert_eq!(error.to_string(), "another server has the database open");
/// store.close()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct SqliteStore {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    path: PathBuf,
    ids: Arc<IdCache>,
    pool: Arc<Pool>,
    tokens: TokenCache,
    scans: Scans,
    indexing: Indexing,
    audit_keys: AuditKeys,
    // Dropped before the lock, so that the queue is empty when the lock is released.
    writer: Writer,
    #[expect(dead_code, reason = "holds the lock until the store is dropped")]
    lock: ServerLock,
}

impl Inner {
    /// Reads one snapshot on a scan thread.
    async fn apart<T, F>(&self, cx: &Context, read: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    {
        let read = move |connection: &Connection, _: &Budget| read::snapshot(connection, read);
        self.scans.run(&cx.credential(), None, read).await
    }
}

impl SqliteStore {
    /// Opens a database, creates it if it is missing, and keeps other servers out of it. The files with `-wal`,
    /// `-shm` and `.lock` behind its name belong to it.
    ///
    /// # Errors
    /// See [`OpenErrorKind`](crate::OpenErrorKind).
    pub fn open(path: &Path, options: SqliteOptions) -> Result<Self, OpenError> {
        let lock = ServerLock::take(path)?;
        let mut connection = connection::writer(path)?;
        layout::migrate(&mut connection)?;
        let keys = audit::keyring(&connection, &options.audit_keys)?;
        audit::check_keys(&connection, &keys)?;
        let ids = Arc::new(IdCache::default());
        ids::load(&connection, &ids)?;
        let left = cleanup::left(&connection)?;
        let path = path.to_owned();
        let files = Arc::new(Files::of(&path).map_err(OpenError::io)?);
        let pool = Arc::new(Pool::new(path.clone(), Arc::clone(&files)));
        let readers = Arc::clone(&pool);
        let committed = move || readers.committed();
        let writer = Writer::start(connection, files, keys, options.queue, options.batch, committed)?;
        let scans = Scans::new(&path, options.scan_threads, options.scan_share);
        let tokens = TokenCache::default();
        let (indexing, audit_keys) = (options.indexing, options.audit_keys);
        let inner = Arc::new(Inner { path, ids, pool, tokens, scans, indexing, audit_keys, writer, lock });
        if !left.is_empty() {
            cleanup::start(&inner, left);
        }
        Ok(Self { inner })
    }

    /// Makes the index match the resource types of a registry and the [options](SqliteOptions::indexing). The first
    /// use of each type does the same. Long work continues in the background.
    ///
    /// # Errors
    /// If the database cannot be written.
    pub async fn prepare(&self, registry: &Registry) -> Result<(), StoreError> {
        for resource_type in registry.resource_types() {
            self.index(resource_type).await?;
        }
        Ok(())
    }

    /// Executes the queued writes, accepts no more, and runs a checkpoint. Reads continue to work.
    ///
    /// # Errors
    /// If the checkpoint fails. Nothing is lost, and the next start repeats it.
    pub fn close(&self) -> Result<(), StoreError> {
        self.inner.writer.close();
        self.inner.pool.close();
        let connection = connection::existing(&self.inner.path).map_err(StoreError::internal)?;
        connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).map_err(store_error)
    }

    /// The token with this SHA-256 hash, if it is valid at `now`.
    ///
    /// A change by another process (`scim2 token revoke`) takes effect within a second.
    ///
    /// # Errors
    /// Only if the database cannot answer.
    pub fn token(&self, hash: &TokenHash, now: DateTime<Utc>) -> Result<Option<Arc<Token>>, StoreError> {
        self.token_state(hash, now).map(TokenState::valid)
    }

    /// As [`token`](Self::token), with the reason why a token is not valid.
    ///
    /// # Errors
    /// Only if the database cannot answer.
    pub fn token_state(&self, hash: &TokenHash, now: DateTime<Utc>) -> Result<TokenState, StoreError> {
        let known = self.inner.tokens.get(hash, now);
        let token = match known {
            Some(token) => token,
            None => {
                // Another process may have created it since.
                let connection = self.inner.pool.take_now()?;
                let found = session::select(&connection, &token::find(hash), Token::from_row)?;
                let Some(token) = found.into_iter().next() else { return Ok(TokenState::Unknown) };
                self.inner.tokens.put(*hash, token, now)
            }
        };
        let state = TokenState::of(token, now);
        if matches!(state, TokenState::Valid(_)) && self.inner.tokens.is_due(hash, now) {
            let hash = *hash;
            // Nobody waits for this. If the queue is full, it is skipped.
            drop(self.inner.writer.submit(move |batch| {
                let touched = session::select(batch.connection(), &token::touch(&hash, now), |_| Ok(()));
                touched.map(drop).map_err(|fault| Fault::Broken(fault.into()))
            }));
        }
        Ok(state)
    }

    /// The database as its operator sees it.
    #[must_use]
    pub fn admin(&self) -> Admin {
        Admin::of_file(&self.inner.path, self.inner.audit_keys.clone())
    }

    async fn tenant(&self, tenant: &TenantId) -> Result<i64, StoreError> {
        if let Some(number) = self.inner.ids.tenant(tenant) {
            return Ok(number);
        }
        let new = tenant.clone();
        let number =
            self.inner.writer.submit(move |batch| Ok(ids::tenant(batch.connection(), &new)?)).await?;
        // Only after the commit, because a rollback would take the number back.
        self.inner.ids.add_tenant(tenant.clone(), number);
        Ok(number)
    }

    async fn index(&self, resource_type: &Arc<CompiledType>) -> Result<Arc<TypeIndex>, StoreError> {
        if let Some(index) = self.inner.ids.index(resource_type) {
            return Ok(index);
        }
        let (new, indexing) = (Arc::clone(resource_type), self.inner.indexing.clone());
        let register = move |batch: &mut Batch<'_>| {
            let index = ids::register(batch, &new, Some(&indexing))?;
            let sweeping = ids::has_gone(batch, index.number)?;
            Ok((index, sweeping))
        };
        let (index, sweeping) = self.inner.writer.submit(register).await?;
        self.inner.ids.add_index(&index);
        if sweeping || !index.filling().is_empty() {
            backfill::start(&self.inner, &index);
        }
        Ok(index)
    }

    /// Reads a group on a scan thread and streams its members.
    async fn read_apart(
        &self,
        cx: &Context,
        tenant: i64,
        index: Arc<TypeIndex>,
        id: &str,
        include: Include,
    ) -> Result<Option<StreamedResource>, StoreError> {
        // Spool next to the database: that volume has room for the same data.
        let folder = self.inner.path.parent().map(Path::to_owned).unwrap_or_default();
        let (mut inlet, mut outlet) = spool(folder, cx.hold_bytes_anyway(0));
        let (ids, id) = (Arc::clone(&self.inner.ids), id.to_owned());
        let (sender, receiver) = oneshot::channel();
        let read = move |connection: Result<&Connection, StoreError>, _: &Budget| {
            let mut asks = Some(sender);
            let read = |connection: &Connection| {
                let asked = Asked::new(&index, include);
                let found = read::by_id(connection, tenant, index.number, &id, asked).map_err(store_error)?;
                let pk = found.as_ref().map(|found| found.pk);
                // Without members, which are streamed, unless the group has none.
                let stored = found
                    .map(|found| {
                        let groups = &mut Groups::new(&ids, tenant);
                        read::stored_up_to(found, connection, groups, &index, include, 0)
                    })
                    .transpose()
                    .map_err(store_error)?;
                if let Some(pk) = pk {
                    inlet.expect(read::count_members(connection, tenant, pk).map_err(store_error)?)?;
                }
                if let Some(asks) = asks.take() {
                    let _ = asks.send(Ok(stored));
                }
                pk.map_or(Ok(()), |pk| read::send_members(connection, &ids, tenant, pk, &mut inlet))
            };
            let end = connection.and_then(|connection| read::snapshot(connection, read));
            match (asks, end) {
                (Some(asks), Err(error)) => drop(asks.send(Err(error))),
                (_, end) => inlet.finish(end),
            }
        };
        let turn = self.inner.scans.turn(&cx.credential()).await?;
        let waiting = Waiting::new(None);
        self.inner.scans.start(turn, &waiting, read)?;
        let resource = receiver.await.unwrap_or_else(|_| Err(StoreError::internal("a query panicked")))?;
        Ok(resource.map(|resource| {
            let members = resource.members.is_none().then(|| {
                MemberStream::new(move |task| {
                    let _ = &waiting;
                    outlet.poll(task)
                })
            });
            StreamedResource { resource, members }
        }))
    }
}

impl ResourceStore for SqliteStore {
    async fn create(&self, cx: &Context, write: Write) -> Result<StoredResource, StoreError> {
        let tenant = self.tenant(&cx.tenant).await?;
        let index = self.index(&write.resource_type).await?;
        let write = Prepared::new(cx, &self.inner.ids, index, tenant, write, None)?;
        self.inner.writer.submit(move |batch| write::create(batch, &write)).await
    }

    async fn retrieve(
        &self,
        cx: &Context,
        resource_type: &Arc<CompiledType>,
        id: &str,
        include: Include,
    ) -> Result<Option<StoredResource>, StoreError> {
        let tenant = self.tenant(&cx.tenant).await?;
        let index = self.index(resource_type).await?;
        let inner = &self.inner;
        let found = inner
            .pool
            .inline(|connection, _| read::resource(connection, &inner.ids, &index, tenant, id, include))?;
        if let Some(found) = found {
            return Ok(found);
        }
        let (ids, id) = (Arc::clone(&inner.ids), id.to_owned());
        inner
            .apart(cx, move |connection| read::resource(connection, &ids, &index, tenant, &id, include))
            .await
    }

    async fn retrieve_streamed(
        &self,
        cx: &Context,
        resource_type: &Arc<CompiledType>,
        id: &str,
        include: Include,
    ) -> Result<Option<StreamedResource>, StoreError> {
        let tenant = self.tenant(&cx.tenant).await?;
        let index = self.index(resource_type).await?;
        let asked = Asked::new(&index, include);
        let whole = self.inner.pool.inline(|connection, _| {
            let found = read::by_id(connection, tenant, index.number, id, asked).map_err(store_error)?;
            let Some(found) = found else { return Ok(Some(None)) };
            let mut groups = Groups::knowing(connection.known(), &self.inner.ids, tenant);
            let stored =
                read::stored_up_to(found, connection, &mut groups, &index, include, MAX_INLINE_MEMBERS);
            let stored = stored.map_err(store_error)?;
            connection.keep(groups.into_known());
            let is_whole = !asked.members || stored.members.is_some();
            Ok(is_whole.then(|| Some(stored.into())))
        })?;
        match whole.flatten() {
            Some(answer) => Ok(answer),
            None => self.read_apart(cx, tenant, index, id, include).await,
        }
    }

    async fn replace(
        &self,
        cx: &Context,
        expected: &Version,
        mut write: Write,
    ) -> Result<Outcome<StoredResource>, StoreError> {
        let tenant = self.tenant(&cx.tenant).await?;
        let index = self.index(&write.resource_type).await?;
        // Compute the change here, not on the writing thread. It stays correct while the version stays the same.
        let old = {
            let connection = self.inner.pool.take()?;
            let id = write.id.as_str();
            let old =
                read::by_id(&connection, tenant, index.number, id, Asked::NOTHING).map_err(store_error)?;
            let Some(old) = old else { return Ok(Outcome::NotFound) };
            // The work is bounded by the members in the body and in the store.
            if let MembersWrite::Set(members) = &mut write.members {
                let members = std::mem::take(members);
                let (remove, add) =
                    members::difference(&connection, tenant, old.pk, members).map_err(store_error)?;
                write.members = MembersWrite::Change { remove, add };
            }
            old
        };
        let version = version_of(old.version);
        if version != *expected {
            return Ok(Outcome::Conflict(version));
        }
        let write = Prepared::new(cx, &self.inner.ids, index, tenant, write, Some(&old))?;
        self.inner.writer.submit(move |batch| write::replace(batch, &write)).await
    }

    async fn delete(
        &self,
        cx: &Context,
        resource_type: &Arc<CompiledType>,
        id: &str,
        expected: Option<&Version>,
    ) -> Result<Outcome<()>, StoreError> {
        let deletion = Deletion {
            cx: cx.clone(),
            index: self.index(resource_type).await?,
            tenant: self.tenant(&cx.tenant).await?,
            id: id.to_owned(),
            expected: expected.cloned(),
        };
        Ok(match self.inner.writer.submit(move |batch| write::delete(batch, &deletion)).await? {
            Outcome::Done(left) => {
                if let Some(group) = left {
                    cleanup::start(&self.inner, vec![group]);
                }
                Outcome::Done(())
            }
            Outcome::NotFound => Outcome::NotFound,
            Outcome::Conflict(version) => Outcome::Conflict(version),
        })
    }

    async fn list(
        &self,
        cx: &Context,
        resource_type: &Arc<CompiledType>,
        after: Option<&ResourceId>,
        limit: usize,
        include: Include,
    ) -> Result<Vec<StoredResource>, StoreError> {
        let tenant = self.tenant(&cx.tenant).await?;
        let index = self.index(resource_type).await?;
        let inner = &self.inner;
        let listed = inner.pool.inline(|connection, _| {
            read::list(connection, &inner.ids, &index, tenant, after, limit, include).map_err(store_error)
        })?;
        if let Some(listed) = listed {
            return Ok(listed);
        }
        let (ids, after) = (Arc::clone(&inner.ids), after.cloned());
        let list = move |connection: &Connection| {
            read::list(connection, &ids, &index, tenant, after.as_ref(), limit, include).map_err(store_error)
        };
        inner.apart(cx, list).await
    }

    async fn write_members(
        &self,
        cx: &Context,
        resource_type: &Arc<CompiledType>,
        id: &str,
        expected: Option<&Version>,
        members: MembersWrite,
        include: Include,
    ) -> Result<Outcome<StoredResource>, StoreError> {
        let change = MembersChange {
            cx: cx.clone(),
            ids: Arc::clone(&self.inner.ids),
            index: self.index(resource_type).await?,
            tenant: self.tenant(&cx.tenant).await?,
            id: id.to_owned(),
            expected: expected.cloned(),
            members,
            include,
        };
        self.inner.writer.submit(move |batch| write::write_members(batch, &change)).await
    }

    async fn resolve_members(
        &self,
        cx: &Context,
        ids: &[ResourceId],
    ) -> Result<Vec<Option<MemberTarget>>, StoreError> {
        let tenant = self.tenant(&cx.tenant).await?;
        let targets = move |connection: &Connection, ids: &[ResourceId]| {
            read::targets(connection, tenant, ids).map_err(store_error)
        };
        if let Some(found) = self.inner.pool.inline(|connection, _| targets(connection, ids))? {
            return Ok(found);
        }
        let ids = ids.to_owned();
        self.inner.apart(cx, move |connection| targets(connection, &ids)).await
    }

    async fn compare_members(
        &self,
        cx: &Context,
        resource_type: &Arc<CompiledType>,
        id: &str,
        ids: &[ResourceId],
    ) -> Result<Option<Comparison>, StoreError> {
        let tenant = self.tenant(&cx.tenant).await?;
        let index = self.index(resource_type).await?;
        let inner = &self.inner;
        let compared = inner.pool.inline(|connection, _| {
            read::compare_by_id(connection, &inner.ids, tenant, index.number, id, ids)
        })?;
        if let Some(compared) = compared {
            return Ok(compared);
        }
        let (id_cache, id, ids) = (Arc::clone(&inner.ids), id.to_owned(), ids.to_owned());
        let compare = move |connection: &Connection| {
            read::compare_by_id(connection, &id_cache, tenant, index.number, &id, &ids)
        };
        inner.apart(cx, compare).await
    }

    async fn groups_of(&self, cx: &Context, id: &ResourceId) -> Result<Vec<GroupMembership>, StoreError> {
        let tenant = self.tenant(&cx.tenant).await?;
        let inner = &self.inner;
        let groups = inner.pool.inline(|connection, _| {
            read::groups_of(connection, &inner.ids, tenant, id).map_err(store_error)
        })?;
        if let Some(groups) = groups {
            return Ok(groups);
        }
        let (ids, id) = (Arc::clone(&inner.ids), id.clone());
        let find = move |connection: &Connection| {
            read::groups_of(connection, &ids, tenant, &id).map_err(store_error)
        };
        inner.apart(cx, find).await
    }

    async fn cursor_key(&self) -> Result<Option<CursorKey>, StoreError> {
        let connection = self.inner.pool.take()?;
        let key: [u8; 32] = connection
            .query_row("SELECT value FROM secret WHERE name = 'cursor'", [], |row| row.get(0))
            .map_err(store_error)?;
        Ok(Some(CursorKey::from(key)))
    }

    async fn query(&self, cx: &Context, query: &Query) -> Result<QueryPage, StoreError> {
        let tenant = self.tenant(&cx.tenant).await?;
        let mut indexes = Vec::with_capacity(query.targets.len());
        for target in &query.targets {
            indexes.push(self.index(&target.resource_type).await?);
        }
        let ids = &*self.inner.ids;
        let page = self.inner.pool.inline(|connection, budget| {
            let groups = Groups::knowing(connection.known(), ids, tenant);
            let source = SqliteRows::new(connection, budget, groups);
            let search = Search { cx, tenant, query, indexes: &indexes, source };
            let page = now(search.at_once())?;
            let known = search.source.into_groups().into_known();
            connection.keep(known);
            Ok(page)
        })?;
        if let Some(page) = page.flatten() {
            return Ok(page);
        }
        let (credential, time_limit) = (cx.credential(), query.time_limit);
        let (cx, ids, query) = (cx.clone(), Arc::clone(&self.inner.ids), query.clone());
        let search = move |connection: &Connection, budget: &Budget| {
            read::snapshot(connection, |connection| {
                let source = SqliteRows::new(connection, budget, Groups::new(&ids, tenant));
                now(Search { cx: &cx, tenant, query: &query, indexes: &indexes, source }.run())
            })
        };
        self.inner.scans.run(&credential, time_limit, search).await
    }
}
