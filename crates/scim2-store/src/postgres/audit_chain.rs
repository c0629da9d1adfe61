//! The chain of a tenant's audit log, and the rows that wait for their place in it.
//!
//! A write leaves its row in `audit_waiting`, in its own transaction: it waits for nobody, and is not
//! done without its row. A task of each node moves what waits behind the log, many rows at once, under
//! the lock of the tenant's end of the log, whichever node wrote them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::join3;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio_postgres::error::SqlState;
use tokio_postgres::types::Type;

use super::audit;
use super::connection::{Connection, Pool, Statement};
use super::fault::{Fault, wrong};
use super::retry::retrying;
use crate::audit::{Entry, Hash, KeyChange, KeyId, Keyring, NextKey};

/// How long rows are left to gather before they are moved together.
const GATHER: Duration = Duration::from_millis(20);

/// How often a node looks for rows that nobody moved, such as those of a node that was killed.
const LOOK: Duration = Duration::from_secs(5);

/// How many rows are moved in one transaction.
const SOME: usize = 1000;

/// Tells the task of a node that rows wait. The task ends when this is dropped.
#[derive(Debug)]
pub(super) struct Chaining {
    told: Arc<Told>,
    tell: UnboundedSender<i64>,
}

/// The tenants that the task was told of and has not begun with.
type Told = Mutex<BTreeSet<i64>>;

impl Chaining {
    /// Starts the task.
    pub(super) fn start(pool: Pool) -> Self {
        let (tell, hear) = unbounded_channel();
        let told = Arc::new(Told::default());
        tokio::spawn(chain(pool, Arc::clone(&told), hear));
        Self { told, tell }
    }

    /// Rows of a tenant may wait.
    pub(super) fn wake(&self, tenant: i64) {
        if self.told.lock().unwrap_or_else(PoisonError::into_inner).insert(tenant) {
            // The task lives as long as this, unless its runtime ends.
            let _ = self.tell.send(tenant);
        }
    }
}

async fn chain(pool: Pool, told: Arc<Told>, mut hear: UnboundedReceiver<i64>) {
    let mut again = BTreeSet::new();
    loop {
        let mut tenants = std::mem::take(&mut again);
        if tenants.is_empty() {
            match tokio::time::timeout(LOOK, hear.recv()).await {
                Ok(Some(tenant)) => {
                    tenants.insert(tenant);
                }
                Ok(None) => return,
                Err(_) => tenants = waiting(&pool).await.unwrap_or_default(),
            }
        }
        tokio::time::sleep(GATHER).await;
        while let Ok(tenant) = hear.try_recv() {
            tenants.insert(tenant);
        }
        for tenant in tenants {
            told.lock().unwrap_or_else(PoisonError::into_inner).remove(&tenant);
            match move_some(&pool, tenant, Patience::No).await {
                Ok(Moved::All) => {}
                // Another node moves what it sees, which may not be what this one was told of.
                Ok(Moved::Some | Moved::Elsewhere) => {
                    again.insert(tenant);
                }
                // Tried again when somebody writes, or at the next look.
                Err(fault) => {
                    let error = scim2_server::StoreError::from(fault);
                    tracing::warn!(%error, "rows wait for their place in the audit log");
                }
            }
        }
    }
}

/// The tenants that rows of wait.
async fn waiting(pool: &Pool) -> Result<BTreeSet<i64>, Fault> {
    const WAITING: Statement = Statement { text: "SELECT DISTINCT tenant FROM audit_waiting", types: &[] };
    let rows = pool.take().await?.query(&WAITING, &[]).await?;
    rows.iter().map(|row| Ok(row.try_get(0)?)).collect()
}

/// Moves all rows of a tenant that wait, so that whoever reads the log next finds them there. A
/// database that cannot be written is left as it is.
pub(crate) async fn move_all(pool: &Pool, tenant: i64) -> Result<(), Fault> {
    const ANY: Statement = Statement {
        text: "SELECT EXISTS (SELECT FROM audit_waiting WHERE tenant = $1)",
        types: &[Type::INT8],
    };
    let rows = pool.take().await?.query(&ANY, &[&tenant]).await?;
    if !rows.first().map_or(Ok(false), |row| row.try_get(0))? {
        return Ok(());
    }
    loop {
        match move_some(pool, tenant, Patience::Yes).await {
            Ok(Moved::All | Moved::Elsewhere) => return Ok(()),
            Ok(Moved::Some) => {}
            // They are moved by a node that has the key.
            Err(Fault::UnknownKey | Fault::KeyNotAdopted) => return Ok(()),
            Err(Fault::Database(error)) if error.code() == Some(&SqlState::READ_ONLY_SQL_TRANSACTION) => {
                return Ok(());
            }
            Err(fault) => return Err(fault),
        }
    }
}

enum Moved {
    All,
    /// Others may be left.
    Some,
    /// Somebody else is at it.
    Elsewhere,
}

/// One transaction.
async fn move_some(pool: &Pool, tenant: i64, patience: Patience) -> Result<Moved, Fault> {
    retrying(|| async {
        let connection = &pool.take().await?;
        connection.begin().await?;
        let Some(mut end) = End::lock(connection, tenant, patience).await? else {
            connection.commit().await?;
            return Ok(Moved::Elsewhere);
        };
        let moved = end.take_waiting().await?;
        end.write().await?;
        connection.commit().await?;
        Ok(if moved < SOME { Moved::All } else { Moved::Some })
    })
    .await
}

/// Changes the log of a tenant to the key in use, in the current transaction, if it is hashed with the database's own
/// key. Returns the head that it had before, or `None` if there is nothing to do.
pub(crate) async fn adopt_key(
    connection: &Connection,
    tenant: i64,
    cause: &Entry<'_>,
) -> Result<Option<(i64, Hash)>, Fault> {
    let Some(mut end) = End::lock_with(connection, tenant, Patience::Yes, true).await? else {
        return Ok(None);
    };
    let Some(change) = end.key_change.filter(|change| !matches!(change.from, KeyId::External(_))) else {
        return Ok(None);
    };
    end.change_key(cause);
    end.write().await?;
    Ok(Some((change.rows, change.hash)))
}

/// Whether to wait for the one who has the end of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Patience {
    Yes,
    No,
}

/// The last row of a tenant's log, the key it was hashed with, and the database's own key.
macro_rules! last {
    () => {
        "SELECT l.seq, l.hash, l.key, (SELECT s.value FROM secret s WHERE s.name = 'audit') FROM audit_last l WHERE l.tenant = $1"
    };
}

/// The end of a tenant's log, which nobody else has until the transaction ends.
#[derive(Debug)]
pub(super) struct End<'c> {
    connection: &'c Connection,
    tenant: i64,
    seq: i64,
    hash: Hash,
    keys: Keyring,
    /// The key that rows are hashed with from here on.
    key: KeyId,
    /// Whether the table of keys must say from which row on it is used.
    is_new_key: bool,
    /// The row that begins to use it, if it takes the place of another one. It is written before any other row.
    key_change: Option<KeyChange>,
    /// By the number of their type.
    resources: BTreeMap<i64, i64>,
    rows: Columns,
}

/// Rows as the arrays that `unnest` takes.
#[derive(Debug, Default)]
struct Columns {
    seq: Vec<i64>,
    at: Vec<i64>,
    texts: [Vec<String>; 7],
    hash: Vec<Vec<u8>>,
}

impl<'c> End<'c> {
    /// `None` if the tenant has no log, or somebody else has its end and is not waited for.
    pub(super) async fn lock(
        connection: &'c Connection,
        tenant: i64,
        patience: Patience,
    ) -> Result<Option<Self>, Fault> {
        Self::lock_with(connection, tenant, patience, false).await
    }

    /// The same. With `adopts`, a log that is hashed with the database's own key changes to the key in use.
    async fn lock_with(
        connection: &'c Connection,
        tenant: i64,
        patience: Patience,
        adopts: bool,
    ) -> Result<Option<Self>, Fault> {
        const LOCK: Statement =
            Statement { text: concat!(last!(), " FOR UPDATE OF l"), types: &[Type::INT8] };
        const TRY: Statement =
            Statement { text: concat!(last!(), " FOR UPDATE OF l SKIP LOCKED"), types: &[Type::INT8] };
        let lock = if patience == Patience::Yes { &LOCK } else { &TRY };
        let rows = connection.query(lock, &[&tenant]).await?;
        let Some(row) = rows.first() else { return Ok(None) };
        let own: Option<&[u8]> = row.try_get(3)?;
        let keys = Keyring::new(own.unwrap_or_default(), connection.audit_keys().clone());
        let last = KeyId::from_bytes(row.try_get(2)?);
        let seq = row.try_get(0)?;
        let hash = Hash::try_from(row.try_get::<_, &[u8]>(1)?).map_err(wrong)?;
        let change = KeyChange { from: last, rows: seq, hash };
        let (key, key_change) = match keys.next(seq, last) {
            NextKey::First(key) | NextKey::Same(key) => (key, None),
            NextKey::Newer(key) => (key, Some(change)),
            NextKey::NotAdopted if adopts => (keys.in_use(), Some(change)),
            NextKey::NotAdopted => return Err(Fault::KeyNotAdopted),
            NextKey::NotGiven => return Err(Fault::UnknownKey),
        };
        Ok(Some(Self {
            connection,
            tenant,
            seq,
            hash,
            keys,
            key,
            is_new_key: key != last,
            key_change,
            resources: BTreeMap::new(),
            rows: Columns::default(),
        }))
    }

    /// Adds a row, which holds no NUL.
    pub(super) fn add(&mut self, entry: &Entry<'_>) {
        self.change_key(entry);
        self.add_row(entry);
    }

    /// Adds the row that begins to use a new key, if there is one. `cause` says who did it and when.
    fn change_key(&mut self, cause: &Entry<'_>) {
        if let Some(change) = self.key_change.take() {
            self.add_row(&Entry::of_key_change(cause, &change.to_string()));
        }
    }

    fn add_row(&mut self, entry: &Entry<'_>) {
        // INVARIANT: the key is known, or there would be no `End`.
        self.seq += 1;
        if let Some(link) = self.keys.find(self.key) {
            self.hash = link.hash(&self.hash, self.seq, entry);
        }
        let Entry { at, actor, request, action, resource_type, resource_id, version, changed } = *entry;
        self.rows.seq.push(self.seq);
        self.rows.at.push(at);
        let texts = [actor, request, action, resource_type, resource_id, version, changed];
        self.rows.texts.iter_mut().zip(texts).for_each(|(column, text)| column.push(text.to_owned()));
        self.rows.hash.push(self.hash.to_vec());
    }

    /// There are so many more resources of a type.
    pub(super) fn count(&mut self, type_number: i64, resources: i64) {
        *self.resources.entry(type_number).or_default() += resources;
    }

    /// Adds rows that wait, in the order they were written, and says how many there were.
    ///
    /// If write B saw write A, then B has the larger number, and a transaction that sees B's row also sees A's. So their
    /// order is kept. Writes that did not see each other may come in either order.
    pub(super) async fn take_waiting(&mut self) -> Result<usize, Fault> {
        const TAKE: Statement = Statement {
            text: "WITH oldest AS ( \
                    SELECT number FROM audit_waiting WHERE tenant = $1 ORDER BY number LIMIT 1000 \
                   ) DELETE FROM audit_waiting w USING oldest o WHERE w.tenant = $1 AND w.number = o.number \
                   RETURNING w.number, w.type, w.resources, w.at, w.actor, w.request, w.action, w.resource_type, \
                    w.resource_id, w.version, w.changed",
            types: &[Type::INT8],
        };
        let rows = self.connection.query(&TAKE, &[&self.tenant]).await?;
        let mut in_order = Vec::with_capacity(rows.len());
        for row in &rows {
            in_order.push((row.try_get::<_, i64>(0)?, row));
        }
        in_order.sort_unstable_by_key(|(number, _)| *number);
        for (_, row) in in_order {
            if let Some(type_number) = row.try_get(1)? {
                self.count(type_number, row.try_get(2)?);
            }
            self.add(&audit::entry(row, 3)?);
        }
        Ok(rows.len())
    }

    /// Writes what was added and counted.
    pub(super) async fn write(self) -> Result<(), Fault> {
        const ADD: Statement = Statement {
            text: "INSERT INTO audit (tenant, seq, at, actor, request, action, resource_type, resource_id, version, \
                    changed, hash) SELECT $1, n.* FROM unnest($2::bigint[], $3::bigint[], $4::text[], $5::text[], \
                    $6::text[], $7::text[], $8::text[], $9::text[], $10::text[], $11::bytea[]) AS n",
            types: &[
                Type::INT8,
                Type::INT8_ARRAY,
                Type::INT8_ARRAY,
                Type::TEXT_ARRAY,
                Type::TEXT_ARRAY,
                Type::TEXT_ARRAY,
                Type::TEXT_ARRAY,
                Type::TEXT_ARRAY,
                Type::TEXT_ARRAY,
                Type::TEXT_ARRAY,
                Type::BYTEA_ARRAY,
            ],
        };
        const MOVE: Statement = Statement {
            text: "UPDATE audit_last SET seq = $2, hash = $3, key = $4 WHERE tenant = $1",
            types: &[Type::INT8, Type::INT8, Type::BYTEA, Type::BYTEA],
        };
        const COUNT: Statement = Statement {
            text: "INSERT INTO resource_count (tenant, type, resources) \
                   SELECT $1, n.type, n.resources FROM unnest($2::bigint[], $3::bigint[]) AS n (type, resources) \
                   ON CONFLICT (tenant, type) DO UPDATE SET resources = resource_count.resources + excluded.resources",
            types: &[Type::INT8, Type::INT8_ARRAY, Type::INT8_ARRAY],
        };
        const KEY: Statement = Statement {
            text: "INSERT INTO audit_key (tenant, seq, id) VALUES ($1, $2, $3) \
                   ON CONFLICT (tenant, seq) DO UPDATE SET id = excluded.id",
            types: &[Type::INT8, Type::INT8, Type::BYTEA],
        };
        let Self { connection, tenant, seq, hash, keys: _, key, is_new_key, key_change: _, resources, rows } =
            self;
        let Some(first) = rows.seq.first() else { return Ok(()) };
        if is_new_key {
            connection.query(&KEY, &[&tenant, first, &key.as_bytes()]).await?;
        }
        let Columns { seq: places, at, texts, hash: hashes } = rows;
        let [actor, request, action, resource_type, resource_id, version, changed] = texts;
        let (types, counts): (Vec<i64>, Vec<i64>) =
            resources.into_iter().filter(|(_, resources)| *resources != 0).unzip();
        let (add, place, count) =
            join3(connection.ready(&ADD), connection.ready(&MOVE), connection.ready(&COUNT)).await;
        let (add, place, count) = (add?, place?, count?);
        let (added, moved, counted) = join3(
            connection.send(
                &add,
                &[
                    &tenant,
                    &places,
                    &at,
                    &actor,
                    &request,
                    &action,
                    &resource_type,
                    &resource_id,
                    &version,
                    &changed,
                    &hashes,
                ],
            ),
            connection.send(&place, &[&tenant, &seq, &hash.as_slice(), &key.as_bytes()]),
            async {
                if types.is_empty() {
                    return Ok(Vec::new());
                }
                connection.send(&count, &[&tenant, &types, &counts]).await
            },
        )
        .await;
        added?;
        moved?;
        counted?;
        Ok(())
    }
}
