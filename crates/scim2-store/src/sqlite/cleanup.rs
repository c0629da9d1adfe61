//! Taking away what a deleted group leaves, beside everything else.
//!
//! The group is gone with its row: what finds members looks for that too. Of its members as many go
//! with it as take no time; the others go some at a time between other writes, also after a
//! restart.

use std::sync::{Arc, Weak};
use std::thread;

use rusqlite::{Connection, OptionalExtension};
use scim2_server::{StoreError, StoreErrorKind};

use super::Inner;
use super::backfill::{PAUSE, wait};
use super::batch::Batch;
use super::writer::Fault;

/// How many members go at a time: a few milliseconds.
const SOME: i64 = 1000;

/// A group that was deleted: its tenant and its number.
pub(crate) type Gone = (i64, i64);

/// The groups of which members are left.
pub(super) fn left(connection: &Connection) -> rusqlite::Result<Vec<Gone>> {
    connection
        .prepare("SELECT tenant, pk FROM pending_deletion ORDER BY pk")?
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect()
}

/// Starts a thread that has the writer take away the members of these groups. It ends with the
/// store; the next one begins anew.
pub(super) fn start(store: &Arc<Inner>, groups: Vec<Gone>) {
    let store = Arc::downgrade(store);
    let sweep = move || groups.into_iter().all(|group| run(&store, group));
    if let Err(error) = thread::Builder::new().name("scim2-sweep".to_owned()).spawn(sweep) {
        tracing::error!(%error, "a thread for the members of a deleted group could not be started");
    }
}

/// Has the writer take away the members of a group; `false` if the store is gone.
pub(super) fn run(store: &Weak<Inner>, group: Gone) -> bool {
    match sweep(store, group) {
        Ok(true) => tracing::debug!("the members of a deleted group are gone"),
        Ok(false) => return false,
        Err(error) => tracing::warn!(%error, "the members of a deleted group were not all taken away"),
    }
    true
}

/// `false` if the store is gone before all is done.
fn sweep(store: &Weak<Inner>, group: Gone) -> Result<bool, StoreError> {
    while let Some(store) = store.upgrade() {
        match wait(store.writer.submit(move |batch| some(batch, group))) {
            Ok(true) => return Ok(true),
            Ok(false) => {}
            Err(_) if store.writer.is_closed() => return Ok(false),
            // Others have more of a hurry.
            Err(error) if *error.kind() == StoreErrorKind::Unavailable => thread::sleep(PAUSE),
            Err(error) => return Err(error),
        }
    }
    Ok(false)
}

/// Takes some members away; `true` if they were the last ones.
fn some(batch: &Batch<'_>, (tenant, pk): Gone) -> Result<bool, Fault> {
    if !batch.prepare("SELECT 1 FROM pending_deletion WHERE pk = ?1 AND tenant = ?2")?.exists([pk, tenant])? {
        // It is done already, or the number is a group's that came after all.
        return Ok(true);
    }
    let last = batch
        .prepare(
            "SELECT added, member_pk FROM member WHERE tenant = ?1 AND group_pk = ?2 \
             ORDER BY added, member_pk LIMIT 1 OFFSET ?3",
        )?
        .query_row([tenant, pk, SOME - 1], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let (added, member_pk): (i64, i64) = last.unwrap_or((i64::MAX, i64::MAX));
    batch
        .prepare(
            "DELETE FROM member WHERE tenant = ?1 AND group_pk = ?2 AND added <= ?3 \
             AND (added < ?3 OR member_pk <= ?4)",
        )?
        .execute([tenant, pk, added, member_pk])?;
    if last.is_none() {
        batch.prepare("DELETE FROM pending_deletion WHERE pk = ?1")?.execute([pk])?;
    }
    Ok(last.is_none())
}
