//! Loading many resources at once, also while nodes serve the database.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use scim2_core::ResourceId;
use scim2_server::{Context, StoreError};

use self::batch::Run;
use self::members::Waiting;
use super::connection::{Connection, Pool, Statement};
use super::fault::Fault;
use super::ids::{self, check_generation};
use super::lock::Lock;
use super::retry::{ATTEMPTS, pause};
use crate::admin::load::{LoadOptions, Loaded, PreparedLoad, Preparer, Unresolved};
use crate::error::OpenError;
use crate::model::index::TypeIndex;

mod audit;
mod batch;
mod members;

/// Loads resources into a database that nodes may serve.
#[derive(Debug)]
pub(crate) struct PoolLoader {
    pool: Pool,
    cx: Context,
    options: LoadOptions,
    tenant: i64,
    indexes: Arc<Vec<Arc<TypeIndex>>>,
    groups: Groups,
    waiting: Vec<Waiting>,
    /// The transaction of a dry run.
    dry: Option<Connection>,
    /// How many resources came, and how many had come when the tables were last analyzed.
    loaded: usize,
    analyzed: usize,
}

/// What a load remembers of groups. One entry for each group with members.
#[derive(Debug, Default, Clone)]
struct Groups {
    /// The place of the next member of a group.
    next: HashMap<i64, i64>,
    /// The groups that this load made.
    made: HashSet<i64>,
    /// The groups that were there before and have had their version moved.
    moved: HashSet<i64>,
    /// The resources that keep what they have, so that later lines add nothing to them.
    kept: HashSet<(i64, ResourceId)>,
}

/// For whom and into what a load goes.
#[derive(Debug, Clone, Copy)]
struct Scope<'a> {
    connection: &'a Connection,
    cx: &'a Context,
    tenant: i64,
    indexes: &'a [Arc<TypeIndex>],
    options: &'a LoadOptions,
}

/// So many resources are loaded before the tables are analyzed for the first time.
const FEW: usize = 5_000;

/// How many waiting members are looked up in one transaction.
const CHUNK: usize = 20_000;

impl PoolLoader {
    pub(crate) async fn open(pool: Pool, cx: &Context, options: LoadOptions) -> Result<Self, OpenError> {
        let connection = pool.take().await?.patient();
        let mut indexes = Vec::new();
        for resource_type in cx.registry.resource_types() {
            indexes.push(ids::register(&connection, resource_type, None).await?);
        }
        let dry = if options.dry_run {
            connection.begin().await?;
            Some(connection)
        } else {
            drop(connection);
            None
        };
        let tenant = match &dry {
            Some(connection) => ids::tenant(connection, &cx.tenant).await?,
            None => ids::tenant(&pool.take().await?, &cx.tenant).await?,
        };
        Ok(Self {
            pool,
            cx: cx.clone(),
            options,
            tenant,
            indexes: Arc::new(indexes),
            groups: Groups::default(),
            waiting: Vec::new(),
            dry,
            loaded: 0,
            analyzed: 0,
        })
    }

    /// What makes loads ready; clones work on as many threads as there are.
    pub(crate) fn preparer(&self) -> Preparer {
        Preparer::new(Arc::clone(&self.indexes), self.cx.now.timestamp_millis())
    }

    /// Writes loads in one transaction, in their order, and says what became of each. Some
    /// thousands at a time cost the least each.
    pub(crate) async fn load(&mut self, loads: Vec<PreparedLoad>) -> Result<Vec<Loaded>, StoreError> {
        let waiting = self.waiting.len();
        let mut attempt = 0;
        loop {
            let mut groups = self.groups.clone();
            match self.try_load(&loads, &mut groups).await {
                Ok((outcomes, more)) => {
                    self.groups = groups;
                    self.waiting.extend(more);
                    self.loaded += loads.len();
                    self.analyze_what_grew().await;
                    return Ok(outcomes);
                }
                Err(fault) => self.pass(fault, &mut attempt).await?,
            }
            self.waiting.truncate(waiting);
        }
    }

    async fn try_load(
        &self,
        loads: &[PreparedLoad],
        groups: &mut Groups,
    ) -> Result<(Vec<Loaded>, Vec<Waiting>), Fault> {
        let connection = &self.begin().await?;
        let done = Run::new(self.scope(connection.connection()), groups).run(loads).await?;
        connection.end().await?;
        Ok(done)
    }

    /// Adds the members that came before their resources, and tells of those whose resources did
    /// not come.
    pub(crate) async fn finish(mut self, mut unresolved: impl FnMut(Unresolved)) -> Result<(), StoreError> {
        let waiting = std::mem::take(&mut self.waiting);
        let mut attempt = 0;
        let mut chunks = waiting.chunks(CHUNK);
        let mut chunk = chunks.next();
        while let Some(members) = chunk {
            let mut groups = self.groups.clone();
            match self.try_resolve(members, &mut groups).await {
                Ok(missing) => {
                    self.groups = groups;
                    missing.into_iter().map(Waiting::unresolved).for_each(&mut unresolved);
                    chunk = chunks.next();
                    attempt = 0;
                }
                Err(fault) => self.pass(fault, &mut attempt).await?,
            }
        }
        self.analyze().await.map_err(StoreError::from)
    }

    /// Lets the server count again when twice as much is there as at the last time and a little more:
    /// the members of a large group are looked up among users that came just before.
    async fn analyze_what_grew(&mut self) {
        if self.loaded - self.analyzed <= self.analyzed + FEW {
            return;
        }
        self.analyzed = self.loaded;
        // The loaded resources are committed. Without statistics the load only becomes slower.
        if let Err(fault) = self.analyze().await {
            let error = StoreError::from(fault);
            tracing::warn!(%error, "the tables could not be analyzed");
        }
    }

    /// Lets the server count what is there now. Before it does by itself, a minute later, it takes the
    /// tables for empty ones and reads all of them for each look-up.
    async fn analyze(&self) -> Result<(), Fault> {
        if self.dry.is_some() {
            return Ok(());
        }
        self.pool.take().await?.patient().simple("ANALYZE resource, attribute, member, type").await
    }

    async fn try_resolve(&self, members: &[Waiting], groups: &mut Groups) -> Result<Vec<Waiting>, Fault> {
        let connection = &self.begin().await?;
        let scope = self.scope(connection.connection());
        let mut log = audit::Log::new(scope.cx);
        let missing = members::add(scope, groups, members, &mut log).await?;
        log.write(scope).await?;
        connection.end().await?;
        Ok(missing)
    }

    /// Waits before a transaction that lost against another one is run again. Any other fault ends the load, and so does
    /// every fault of a dry run, whose transaction cannot be run again.
    async fn pass(&self, fault: Fault, attempt: &mut u32) -> Result<(), StoreError> {
        *attempt += 1;
        if !fault.is_passing() || *attempt >= ATTEMPTS || self.dry.is_some() {
            return Err(fault.into());
        }
        tokio::time::sleep(pause(*attempt)).await;
        Ok(())
    }

    /// A transaction in which all types are indexed as this load knows them.
    async fn begin(&self) -> Result<Transaction<'_>, Fault> {
        const GENERATION: Statement = Statement {
            text: "SELECT generation FROM type WHERE number = $1",
            types: &[tokio_postgres::types::Type::INT8],
        };
        let transaction = match &self.dry {
            Some(connection) => Transaction::Dry(connection),
            None => {
                let connection = self.pool.take().await?.patient();
                connection.begin().await?;
                Transaction::Own(Box::new(connection))
            }
        };
        let connection = transaction.connection();
        for index in &*self.indexes {
            connection.simple(&Lock::Resources(index.number).shared()).await?;
            check_generation(index, &connection.query(&GENERATION, &[&index.number]).await?)?;
        }
        Ok(transaction)
    }

    fn scope<'a>(&'a self, connection: &'a Connection) -> Scope<'a> {
        let Self { cx, tenant, indexes, options, .. } = self;
        Scope { connection, cx, tenant: *tenant, indexes, options }
    }
}

/// A transaction of one call, or that of the dry run.
enum Transaction<'a> {
    Own(Box<Connection>),
    Dry(&'a Connection),
}

impl Transaction<'_> {
    fn connection(&self) -> &Connection {
        match self {
            Self::Own(connection) => connection,
            Self::Dry(connection) => connection,
        }
    }

    async fn end(&self) -> Result<(), Fault> {
        match self {
            Self::Own(connection) => connection.commit().await,
            Self::Dry(_) => Ok(()),
        }
    }
}
