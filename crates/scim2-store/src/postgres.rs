//! A [`ResourceStore`] on a PostgreSQL database that many nodes share.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use scim2_core::{CompiledType, Registry, ResourceId, Version};
use scim2_server::store::{
    Comparison, CursorKey, GroupMembership, Include, MemberStream, MemberTarget, MembersWrite, Outcome,
    Query, QueryPage, StoredResource, StreamedResource, Write,
};
use scim2_server::{Context, ResourceStore, StoreError, TenantId};

use self::audit_chain::Chaining;
use self::connection::{Share, Statement};
use self::fault::Fault;
use self::members::Change;
use self::retry::retrying;
use self::source::PostgresRows;
use self::write::{Deletion, MembersChange, Writing};
use crate::admin::Admin;
use crate::error::OpenError;
use crate::model::content::Content;
use crate::model::ids::IdCache;
use crate::model::index::TypeIndex;
use crate::model::indexing::Indexing;
use crate::model::row::Asked;
use crate::query::Search;
use crate::session::Row;
use crate::spool::{MAX_INLINE_MEMBERS, spool};
use crate::token::{self, Token, TokenCache, TokenHash, TokenState};

mod attribute;
mod audit;
mod audit_chain;
mod backfill;
mod cleanup;
mod connection;
mod cursor;
mod fault;
pub(crate) mod ids;
pub(crate) mod inspect;
mod layout;
mod load;
mod lock;
mod members;
mod options;
mod read;
mod retry;
mod session;
mod source;
mod statistics;
mod tls;
mod write;

pub(crate) use self::audit::{check_keys, log};
pub(crate) use self::audit_chain::{adopt_key, move_all as chain_waiting_rows};
pub(crate) use self::connection::{Connection, Pool};
pub(crate) use self::lock::Lock;
pub(crate) use self::retry::pause_before;
pub(crate) use load::PoolLoader;
pub use options::PostgresOptions;

/// Resources in a PostgreSQL database (15 or newer). A write is answered when it is durable.
///
/// Any number of nodes may serve one database, and no node holds state that the others need. Every write is a
/// transaction. If two writes conflict, one succeeds; the other is tried again where that is safe, and otherwise
/// gets an error. A write inserts its row of the audit log in its own transaction, and the row is appended to the
/// tenant's hash chain soon after.
///
/// Runs on a tokio runtime. Clones share the store.
///
/// # Limits
/// - All nodes of a database must serve the same schemas. A node with older schemas than another one refuses to
///   write the resource types in which they differ.
/// - `synchronous_commit` is left as the database sets it. With `off`, a crash of the database loses writes that
///   were answered.
#[derive(Debug, Clone)]
pub struct PostgresStore {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    pool: Pool,
    ids: IdCache,
    tokens: TokenCache,
    indexing: Indexing,
    chaining: Chaining,
}

/// Opens a database, with tables made if it has none.
pub(crate) async fn open(options: &PostgresOptions) -> Result<Pool, OpenError> {
    let pool = Pool::new(options)?;
    layout::migrate(&pool.take().await?).await?;
    Ok(pool)
}

impl PostgresStore {
    /// Opens a database, and creates its tables if it has none. Other nodes may run meanwhile.
    ///
    /// # Errors
    /// See [`OpenErrorKind`](crate::OpenErrorKind).
    pub async fn open(options: &PostgresOptions) -> Result<Self, OpenError> {
        let pool = open(options).await?;
        audit::check_keys(&pool.take().await?).await?;
        let (ids, tokens) = (IdCache::default(), TokenCache::default());
        let (indexing, chaining) = (options.indexing.clone(), Chaining::start(pool.clone()));
        let inner = Arc::new(Inner { pool, ids, tokens, indexing, chaining });
        // Continue what an earlier node has begun.
        tokio::spawn(cleanup::sweep(Arc::downgrade(&inner)));
        tokio::spawn(statistics::keep(Arc::downgrade(&inner)));
        Ok(Self { inner })
    }

    /// Makes the index match the resource types of a registry and the [options](PostgresOptions::indexing). The
    /// first use of each type does the same. Long work continues in the background.
    ///
    /// # Errors
    /// If the database cannot be written.
    pub async fn prepare(&self, registry: &Registry) -> Result<(), StoreError> {
        for resource_type in registry.resource_types() {
            self.index(resource_type).await?;
        }
        Ok(())
    }

    /// Accepts no more requests. Those under way are answered.
    pub fn close(&self) {
        self.inner.pool.close();
    }

    /// The database as its operator sees it, through the same connections.
    #[must_use]
    pub fn admin(&self) -> Admin {
        Admin::of_pool(self.inner.pool.clone())
    }

    /// The token with this SHA-256 hash, if it is valid at `now`.
    ///
    /// A change by another process (`scim2 token revoke`) takes effect within a second.
    ///
    /// # Errors
    /// Only if the database cannot answer.
    pub async fn token(
        &self,
        hash: &TokenHash,
        now: DateTime<Utc>,
    ) -> Result<Option<Arc<Token>>, StoreError> {
        self.token_state(hash, now).await.map(TokenState::valid)
    }

    /// As [`token`](Self::token), with the reason why a token is not valid.
    ///
    /// # Errors
    /// Only if the database cannot answer.
    pub async fn token_state(&self, hash: &TokenHash, now: DateTime<Utc>) -> Result<TokenState, StoreError> {
        let token = match self.inner.tokens.get(hash, now) {
            Some(token) => token,
            None => {
                let connection = self.inner.pool.take().await?;
                let found = connection.select(&token::find(hash)).await?;
                let Some(row) = found.first() else { return Ok(TokenState::Unknown) };
                let token = Token::from_row(&Row::Postgres(row))?;
                self.inner.tokens.put(*hash, token, now)
            }
        };
        let state = TokenState::of(token, now);
        if matches!(state, TokenState::Valid(_)) && self.inner.tokens.is_due(hash, now) {
            // Nobody waits for this, and no request depends on it.
            let (pool, hash) = (self.inner.pool.clone(), *hash);
            tokio::spawn(async move {
                let touched = async { pool.take().await?.select(&token::touch(&hash, now)).await };
                if let Err(fault) = touched.await {
                    tracing::warn!(error = %StoreError::from(fault), "the use of a token was not written down");
                }
            });
        }
        Ok(state)
    }

    /// A connection for a request, when it is the turn of its credential.
    async fn take(&self, cx: &Context) -> Result<Connection, Fault> {
        self.share(cx).take().await
    }

    fn share(&self, cx: &Context) -> Share<'_> {
        self.inner.pool.of(cx.credential())
    }

    async fn tenant(&self, tenant: &TenantId) -> Result<i64, Fault> {
        if let Some(number) = self.inner.ids.tenant(tenant) {
            return Ok(number);
        }
        let number = retrying(|| async { ids::tenant(&self.inner.pool.take().await?, tenant).await }).await?;
        self.inner.ids.add_tenant(tenant.clone(), number);
        Ok(number)
    }

    async fn index(&self, resource_type: &Arc<CompiledType>) -> Result<Arc<TypeIndex>, Fault> {
        if let Some(index) = self.inner.ids.index(resource_type) {
            return Ok(index);
        }
        let indexing = Some(&self.inner.indexing);
        let register = || async {
            // Rows of unique attributes are added at once, which may take long.
            ids::register(&self.inner.pool.take().await?.patient(), resource_type, indexing).await
        };
        let index = retrying(register).await?;
        self.inner.ids.add_index(&index);
        tokio::spawn(backfill::sweep(Arc::downgrade(&self.inner), Arc::clone(&index)));
        if !index.filling().is_empty() {
            tokio::spawn(backfill::fill(Arc::downgrade(&self.inner), Arc::clone(&index)));
        }
        Ok(index)
    }

    /// A write, with everything that can be computed before the database is asked, and the change of the members.
    async fn writing(&self, cx: &Context, write: Write) -> Result<(Writing, MembersWrite), Fault> {
        let tenant = self.tenant(&cx.tenant).await?;
        let index = self.index(&write.resource_type).await?;
        let Write { resource_type: _, id, body, never_returned, members, changed, include } = write;
        let content = Content::new(id, &body, &never_returned)?;
        let changed = changed.join("\n");
        Ok((Writing { cx: cx.clone(), index, tenant, content, body, changed, include }, members))
    }
}

impl ResourceStore for PostgresStore {
    async fn create(&self, cx: &Context, write: Write) -> Result<StoredResource, StoreError> {
        let (writing, members) = self.writing(cx, write).await?;
        let change = Change::of_new(members);
        let share = self.share(cx);
        let created = retrying(|| write::create(&share, &writing, &change)).await?;
        self.inner.chaining.wake(writing.tenant);
        Ok(created)
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
        let connection = &self.take(cx).await?;
        let asked = Asked::new(&index, include);
        // One statement reads one snapshot. Members and groups need more statements.
        if !asked.members {
            match read::by_id(connection, tenant, index.number, id).await? {
                None => return Ok(None),
                Some(found) if found.is_whole(asked) => {
                    return read::More::default().stored(found, &index, include).map(Some);
                }
                Some(_) => {}
            }
        }
        connection.begin_snapshot().await?;
        let found = read::by_id(connection, tenant, index.number, id).await?;
        let stored =
            read::stored(connection, &index, tenant, found.into_iter().collect(), include, usize::MAX)
                .await?;
        connection.commit().await?;
        Ok(stored.into_iter().next())
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
        if !asked.members {
            return Ok(self.retrieve(cx, resource_type, id, include).await?.map(StreamedResource::from));
        }
        let connection = self.take(cx).await?;
        connection.begin_snapshot().await?;
        let found = read::by_id(&connection, tenant, index.number, id).await?;
        let Some(found) = found else { return Ok(None) };
        let pk = found.pk;
        let mut more = read::More::read_up_to(&connection, tenant, &[pk], asked, MAX_INLINE_MEMBERS).await?;
        let in_pieces = more.leaves(pk);
        let resource = more.stored(found, &index, include)?;
        if !in_pieces {
            connection.commit().await?;
            return Ok(Some(resource.into()));
        }
        let (mut inlet, mut outlet) = spool(std::env::temp_dir(), cx.hold_bytes_anyway(0));
        inlet.expect(read::count_members(&connection, tenant, pk).await?)?;
        // A task of its own, so that the connection is not held while the client reads the answer.
        tokio::spawn(async move {
            let end = read::send_members(&connection, tenant, pk, &mut inlet).await;
            inlet.finish(end.map_err(StoreError::from));
        });
        let members = Some(MemberStream::new(move |task| outlet.poll(task)));
        Ok(Some(StreamedResource { resource, members }))
    }

    async fn replace(
        &self,
        cx: &Context,
        expected: &Version,
        write: Write,
    ) -> Result<Outcome<StoredResource>, StoreError> {
        let (writing, members) = self.writing(cx, write).await?;
        let share = self.share(cx);
        let planned =
            write::plan_replacement(&share, writing.tenant, &writing.index, &writing.content.id, members);
        // The plan stays correct while the version stays the same.
        let Some(change) = planned.await? else { return Ok(Outcome::NotFound) };
        let replaced = retrying(|| write::replace(&share, &writing, expected, &change)).await?;
        self.inner.chaining.wake(writing.tenant);
        Ok(replaced)
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
        let share = self.share(cx);
        let deleted = retrying(|| write::delete(&share, &deletion)).await?;
        self.inner.chaining.wake(deletion.tenant);
        Ok(match deleted {
            Outcome::Done(left) => {
                if left {
                    tokio::spawn(cleanup::sweep(Arc::downgrade(&self.inner)));
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
        let connection = &self.take(cx).await?;
        let asked = Asked::new(&index, include);
        if asked.is_anything() {
            connection.begin_snapshot().await?;
        }
        let found = read::list(connection, tenant, index.number, after, limit).await?;
        let stored = read::stored(connection, &index, tenant, found, include, usize::MAX).await?;
        if asked.is_anything() {
            connection.commit().await?;
        }
        Ok(stored)
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
            index: self.index(resource_type).await?,
            tenant: self.tenant(&cx.tenant).await?,
            id: id.to_owned(),
            expected: expected.cloned(),
            members,
            include,
        };
        let share = self.share(cx);
        let written = retrying(|| write::write_members(&share, &change)).await?;
        self.inner.chaining.wake(change.tenant);
        Ok(written)
    }

    async fn resolve_members(
        &self,
        cx: &Context,
        ids: &[ResourceId],
    ) -> Result<Vec<Option<MemberTarget>>, StoreError> {
        let tenant = self.tenant(&cx.tenant).await?;
        let connection = self.take(cx).await?;
        Ok(read::targets(&connection, tenant, ids).await?)
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
        let connection = self.take(cx).await?;
        connection.begin_snapshot().await?;
        let group = read::by_id(&connection, tenant, index.number, id).await?;
        let compared = match group {
            Some(group) => Some(read::compare(&connection, tenant, &group, ids).await?),
            None => None,
        };
        connection.commit().await?;
        Ok(compared)
    }

    async fn groups_of(&self, cx: &Context, id: &ResourceId) -> Result<Vec<GroupMembership>, StoreError> {
        let tenant = self.tenant(&cx.tenant).await?;
        let connection = &self.take(cx).await?;
        connection.begin_snapshot().await?;
        let groups = read::groups_of(connection, tenant, id).await?;
        connection.commit().await?;
        Ok(groups)
    }

    async fn cursor_key(&self) -> Result<Option<CursorKey>, StoreError> {
        const FIND: Statement =
            Statement { text: "SELECT value FROM secret WHERE name = 'cursor'", types: &[] };
        let connection = &self.inner.pool.take().await?;
        let rows = connection.query(&FIND, &[]).await?;
        let key: Option<Vec<u8>> = rows.first().map(|row| row.try_get(0)).transpose().map_err(Fault::from)?;
        let key = key.and_then(|key| <[u8; 32]>::try_from(key).ok());
        let key = key.ok_or_else(|| StoreError::internal("the key of cursors is not there"))?;
        Ok(Some(CursorKey::from(key)))
    }

    async fn query(&self, cx: &Context, query: &Query) -> Result<QueryPage, StoreError> {
        let tenant = self.tenant(&cx.tenant).await?;
        let mut indexes = Vec::with_capacity(query.targets.len());
        for target in &query.targets {
            indexes.push(self.index(&target.resource_type).await?);
        }
        // The time limit is for the whole query, not for each statement.
        let connection = self.take(cx).await?.patient();
        let source = PostgresRows { connection: &connection, tenant };
        let search = Search { cx, tenant, query, indexes: &indexes, source };
        // If this future is dropped, so is the connection, and that cancels the statement.
        let page = match query.time_limit {
            Some(limit) => match tokio::time::timeout(limit, source::answer(&search)).await {
                Ok(page) => page,
                Err(_) => return Err(StoreError::query_timeout()),
            },
            None => source::answer(&search).await,
        };
        Ok(page?)
    }
}
