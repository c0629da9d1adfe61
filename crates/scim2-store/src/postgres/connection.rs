//! A pool of connections, their statements and transactions.
//!
//! Nothing here outlives a transaction: no setting is changed, no `LISTEN` is used, and no lock belongs to a
//! session. So a connection pooler in transaction mode may be in between. Prepared statements do outlive a
//! transaction, and can be switched off.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use deadpool_postgres::{Manager, ManagerConfig, Object, PoolError, RecyclingMethod, Runtime};
use futures_util::FutureExt;
use futures_util::future::try_join_all;
use scim2_server::StoreError;
use scim2_server::turns::{Credential, Turn, TurnLimits, Turns};
use tokio_postgres::Row;
use tokio_postgres::types::{ToSql, Type};

use super::fault::{Fault, reason};
use super::options::PostgresOptions;
use super::tls::Connector;
use crate::audit::AuditKeys;
use crate::error::OpenError;
use crate::sql::{Param, Sql};

/// A longer statement is hardly ever used twice, so it is not kept prepared.
const LONG: usize = 4096;

/// The number of prepared statements that a connection keeps. There are some forty fixed ones; the others come from
/// filters.
const KEPT: usize = 256;

/// How many runs of one statement are sent before their answers are awaited.
const PIPELINED: usize = 256;

/// The value of a `$n`.
pub(crate) type Value<'a> = &'a (dyn ToSql + Sync);

/// Connections to one database.
#[derive(Debug, Clone)]
pub(crate) struct Pool {
    pool: deadpool_postgres::Pool,
    /// One turn for each connection.
    turns: Turns,
    waiting: usize,
    wait_timeout: Duration,
    patience: Duration,
    named: bool,
    connector: Connector,
    audit_keys: AuditKeys,
}

/// Takes connections for the requests of one credential.
#[derive(Debug)]
pub(crate) struct Share<'p> {
    pool: &'p Pool,
    credential: Credential,
}

impl Share<'_> {
    /// Waits for a turn of the credential, and then for a connection. A task that has a connection must not wait
    /// for another one: that could deadlock.
    pub(crate) async fn take(&self) -> Result<Connection, Fault> {
        let turns = &self.pool.turns;
        let turn = match turns.try_take(&self.credential) {
            Some(turn) => turn,
            None => match tokio::time::timeout(self.pool.wait_timeout, turns.take(&self.credential)).await {
                Ok(turn) => turn?,
                Err(_) => return Err(StoreError::unavailable("the database is busy").into()),
            },
        };
        let mut connection = self.pool.take().await?;
        connection.turn = Some(turn);
        Ok(connection)
    }
}

impl Pool {
    pub(crate) fn new(options: &PostgresOptions) -> Result<Self, OpenError> {
        let config = options.config();
        let connector = options.connector()?;
        let manager = Manager::from_config(
            config,
            connector.0.clone(),
            // Other methods send a statement for every request.
            ManagerConfig { recycling_method: RecyclingMethod::Fast },
        );
        let pool = deadpool_postgres::Pool::builder(manager)
            .max_size(options.connections.max(1))
            .wait_timeout(Some(options.pool_timeout))
            .create_timeout(Some(options.pool_timeout))
            .recycle_timeout(Some(options.pool_timeout))
            .runtime(Runtime::Tokio1)
            .build()
            .map_err(OpenError::io)?;
        let connections = options.connections.max(1);
        let turns = Turns::new(TurnLimits {
            at_once: connections,
            share: options.share.unwrap_or(TurnLimits::usual_share(connections)),
            waiting: options.waiting,
            waiting_share: TurnLimits::usual_share(options.waiting),
        });
        Ok(Self {
            pool,
            turns,
            waiting: options.waiting,
            wait_timeout: options.pool_timeout,
            patience: options.statement_timeout,
            named: options.prepared_statements,
            connector,
            audit_keys: options.audit_keys.clone(),
        })
    }

    /// Takes connections for the requests of a credential.
    pub(crate) fn of(&self, credential: Credential) -> Share<'_> {
        Share { pool: self, credential }
    }

    /// A connection for background work, which needs no turn.
    pub(crate) async fn take(&self) -> Result<Connection, Fault> {
        if self.pool.status().waiting >= self.waiting {
            return Err(StoreError::unavailable("too many requests wait for the database").into());
        }
        let client = self.pool.get().await.map_err(|error| match error {
            PoolError::Backend(error) => Fault::Database(error),
            PoolError::Timeout(_) => StoreError::unavailable("the database is busy").into(),
            PoolError::Closed => StoreError::unavailable("the store is shutting down").into(),
            other => StoreError::internal(other).into(),
        })?;
        Ok(Connection {
            client: Some(client),
            named: self.named,
            patience: self.patience,
            under_way: AtomicUsize::new(0),
            in_transaction: AtomicBool::new(false),
            connector: self.connector.clone(),
            turn: None,
            audit_keys: self.audit_keys.clone(),
        })
    }

    /// Uses other keys for the audit log.
    pub(crate) fn set_audit_keys(&mut self, keys: AuditKeys) {
        self.audit_keys = keys;
    }

    /// Whether the pool is closed.
    pub(crate) fn is_closed(&self) -> bool {
        self.pool.is_closed()
    }

    /// Closes the pool.
    pub(crate) fn close(&self) {
        self.pool.close();
    }
}

/// A fixed statement with the types of its parameters.
#[derive(Debug)]
pub(crate) struct Statement {
    pub(crate) text: &'static str,
    pub(crate) types: &'static [Type],
}

/// A statement that is sent as soon as it is polled. So statements that are joined are sent in the order in which
/// they are first polled.
#[derive(Debug)]
pub(crate) enum Ready<'s> {
    Named(tokio_postgres::Statement),
    Unnamed(&'s str, &'s [Type]),
}

/// A connection of the pool. When it is dropped, it is rolled back and returned. If a statement is under way, the
/// statement is canceled and the connection closed.
#[derive(Debug)]
pub(crate) struct Connection {
    // INVARIANT: `Some` until the drop.
    client: Option<Object>,
    named: bool,
    patience: Duration,
    under_way: AtomicUsize,
    in_transaction: AtomicBool,
    connector: Connector,
    /// Released after the client has returned to the pool.
    turn: Option<Turn>,
    audit_keys: AuditKeys,
}

impl Connection {
    /// The same without a time limit for statements, for an operator.
    pub(crate) fn patient(mut self) -> Self {
        self.patience = Duration::MAX;
        self
    }

    /// The keys of the audit log that are stored outside of the database.
    pub(crate) fn audit_keys(&self) -> &AuditKeys {
        &self.audit_keys
    }

    /// Prepares a statement.
    pub(crate) async fn ready(&self, statement: &Statement) -> Result<Ready<'static>, Fault> {
        self.ready_text(statement.text, statement.types).await
    }

    async fn ready_text<'s>(&self, text: &'s str, types: &'s [Type]) -> Result<Ready<'s>, Fault> {
        if !self.named || text.len() > LONG {
            return Ok(Ready::Unnamed(text, types));
        }
        let client = self.client();
        if client.statement_cache.size() >= KEPT {
            client.statement_cache.clear();
        }
        self.within(client.prepare_typed_cached(text, types)).await.map(Ready::Named)
    }

    /// Sends a statement when first polled, and returns its rows.
    pub(crate) async fn send(&self, statement: &Ready<'_>, values: &[Value<'_>]) -> Result<Vec<Row>, Fault> {
        let client = self.client();
        match statement {
            Ready::Named(statement) => self.within(client.query(statement, values)).await,
            Ready::Unnamed(text, types) => {
                let values: Vec<_> = values.iter().copied().zip(types.iter().cloned()).collect();
                self.within(client.query_typed(text, &values)).await
            }
        }
    }

    /// The rows of a statement.
    pub(crate) async fn query(&self, statement: &Statement, values: &[Value<'_>]) -> Result<Vec<Row>, Fault> {
        let ready = self.ready(statement).await?;
        self.send(&ready, values).await
    }

    /// The rows of a generated statement.
    pub(crate) async fn select(&self, sql: &Sql) -> Result<Vec<Row>, Fault> {
        let text = numbered(&sql.text);
        let types = types(&sql.params);
        let ready = self.ready_text(&text, &types).await?;
        self.send(&ready, &values(&sql.params)).await
    }

    /// Runs one statement with each of these parameters, [`PIPELINED`] runs at a time, and returns the rows of each.
    pub(crate) async fn select_each(&self, text: &str, runs: &[Vec<Param>]) -> Result<Vec<Vec<Row>>, Fault> {
        let Some(first) = runs.first() else { return Ok(Vec::new()) };
        let (text, types) = (numbered(text), types(first));
        let ready = &self.ready_text(&text, &types).await?;
        let mut found = Vec::with_capacity(runs.len());
        for runs in runs.chunks(PIPELINED) {
            let sent = runs.iter().map(async |params| self.send(ready, &values(params)).await);
            found.extend(try_join_all(sent).await?);
        }
        Ok(found)
    }

    /// Declares a cursor for a statement, in a transaction.
    pub(super) async fn declare(&self, name: &str, sql: &Sql) -> Result<(), Fault> {
        let text = format!("DECLARE {name} NO SCROLL CURSOR FOR {}", numbered(&sql.text));
        self.send(&Ready::Unnamed(&text, &types(&sql.params)), &values(&sql.params)).await.map(|_| ())
    }

    /// Sends statements without parameters when first polled.
    pub(crate) async fn simple(&self, text: &str) -> Result<(), Fault> {
        self.within(self.client().batch_execute(text)).await
    }

    /// Begins a transaction whose statements see what is committed when they start.
    pub(crate) async fn begin(&self) -> Result<(), Fault> {
        self.begin_with("BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE").await
    }

    /// Begins a read-only transaction whose statements all read one snapshot.
    pub(crate) async fn begin_snapshot(&self) -> Result<(), Fault> {
        self.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await
    }

    /// Begins a transaction with this text, which may have further statements.
    pub(crate) async fn begin_with(&self, text: &str) -> Result<(), Fault> {
        self.in_transaction.store(true, Ordering::Relaxed);
        self.simple(text).await
    }

    /// Commits. Sent together with statements before it, it commits nothing if one of them fails.
    pub(crate) async fn commit(&self) -> Result<(), Fault> {
        self.simple("COMMIT").await?;
        self.in_transaction.store(false, Ordering::Relaxed);
        Ok(())
    }

    /// Waits for an answer, up to the time limit.
    async fn within<T>(
        &self,
        answer: impl Future<Output = Result<T, tokio_postgres::Error>>,
    ) -> Result<T, Fault> {
        self.under_way.fetch_add(1, Ordering::Relaxed);
        // If this future is dropped, or the time is over, the count stays, and the drop of the connection cancels
        // the statement.
        let answer = tokio::time::timeout(self.patience, answer).await.map_err(|_| Fault::TooLong)?;
        self.under_way.fetch_sub(1, Ordering::Relaxed);
        Ok(answer?)
    }

    fn client(&self) -> &Object {
        match &self.client {
            Some(client) => client,
            None => unreachable!("the client is there until the drop"),
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        let Some(client) = self.client.take() else { return };
        if *self.under_way.get_mut() > 0 {
            // Nobody waits for the statement: cancel it.
            let token = client.cancel_token();
            drop(Object::take(client));
            let connector = self.connector.0.clone();
            if let Ok(runtime) = tokio::runtime::Handle::try_current() {
                runtime.spawn(async move {
                    if let Err(error) = token.cancel_query(connector).await {
                        tracing::warn!(error = reason(&error), "a statement could not be stopped");
                    }
                });
            }
        } else if *self.in_transaction.get_mut() {
            // Sent now, so that it comes before the next user's statements.
            let _ = client.batch_execute("ROLLBACK").now_or_never();
        }
    }
}

fn types(params: &[Param]) -> Vec<Type> {
    let of = |param: &Param| match param {
        Param::Integer(_) | Param::MaybeInteger(_) => Type::INT8,
        Param::Blob(_) | Param::Display(_) => Type::BYTEA,
        Param::Text(_) => Type::TEXT,
    };
    params.iter().map(of).collect()
}

fn values(params: &[Param]) -> Vec<Value<'_>> {
    fn of(param: &Param) -> Value<'_> {
        match param {
            Param::Integer(value) => value,
            Param::MaybeInteger(value) => value,
            Param::Blob(value) => value,
            Param::Text(value) => value,
            Param::Display(name) => name,
        }
    }
    params.iter().map(of).collect()
}

/// Replaces each `?` by `$1`, `$2` and so on. Our statements have no other `?`.
fn numbered(text: &str) -> String {
    let mut numbered = String::with_capacity(text.len() + 16);
    for (number, piece) in text.split('?').enumerate() {
        if number > 0 {
            numbered.push('$');
            numbered.push_str(&number.to_string());
        }
        numbered.push_str(piece);
    }
    numbered
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_numbered_in_order() {
        assert_eq!(numbered("a = ? AND (b, c) IN (?, ?)"), "a = $1 AND (b, c) IN ($2, $3)");
        assert_eq!(numbered("none"), "none");
    }
}
