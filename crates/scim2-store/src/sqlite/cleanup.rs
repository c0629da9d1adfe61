//! Deletes the members of deleted groups in the background.
//!
//! Deleting the row of a group hides its members, because each query for members also looks for the group. If the
//! group has few members, they are deleted in the same transaction. Otherwise they are deleted in small pieces
//! between other writes, and the next start continues the work.

use std::sync::{Arc, Weak};
use std::thread;

use rusqlite::{Connection, OptionalExtension};
use scim2_server::{StoreError, StoreErrorKind};

use super::Inner;
use super::backfill::{PAUSE, wait};
use super::batch::Batch;
use super::writer::Fault;

/// The number of members that one piece deletes, which takes a few milliseconds.
const SOME: i64 = 1000;

/// A deleted group: its tenant and its primary key.
pub(crate) type Gone = (i64, i64);

/// The deleted groups that still have members.
pub(super) fn left(connection: &Connection) -> rusqlite::Result<Vec<Gone>> {
    connection
        .prepare("SELECT tenant, pk FROM pending_deletion ORDER BY pk")?
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect()
}

/// Starts a thread that submits the pieces to the writing thread. It ends with the store; the next start continues.
pub(super) fn start(store: &Arc<Inner>, groups: Vec<Gone>) {
    let store = Arc::downgrade(store);
    let sweep = move || groups.into_iter().all(|group| run(&store, group));
    if let Err(error) = thread::Builder::new().name("scim2-sweep".to_owned()).spawn(sweep) {
        tracing::error!(%error, "the thread that deletes members of deleted groups could not be started");
    }
}

/// Deletes the members of a group. `false` if the store was dropped before.
pub(super) fn run(store: &Weak<Inner>, group: Gone) -> bool {
    match sweep(store, group) {
        Ok(true) => tracing::debug!("the members of a deleted group were deleted"),
        Ok(false) => return false,
        Err(error) => tracing::warn!(%error, "members of a deleted group could not be deleted"),
    }
    true
}

/// `false` if the store was dropped before the work was done.
fn sweep(store: &Weak<Inner>, group: Gone) -> Result<bool, StoreError> {
    while let Some(store) = store.upgrade() {
        match wait(store.writer.submit(move |batch| some(batch, group))) {
            Ok(true) => return Ok(true),
            Ok(false) => {}
            Err(_) if store.writer.is_closed() => return Ok(false),
            // Let other writes go first.
            Err(error) if *error.kind() == StoreErrorKind::Unavailable => thread::sleep(PAUSE),
            Err(error) => return Err(error),
        }
    }
    Ok(false)
}

/// Deletes one piece. `true` if it was the last one.
fn some(batch: &Batch<'_>, (tenant, pk): Gone) -> Result<bool, Fault> {
    if !batch.prepare("SELECT 1 FROM pending_deletion WHERE pk = ?1 AND tenant = ?2")?.exists([pk, tenant])? {
        // Another run has finished the group.
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
