//! Background work on the index: adds rows for resources that are older than an indexed path, and deletes the rows
//! of paths that are not indexed any more.

use std::pin::pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::Duration;

use scim2_server::{StoreError, StoreErrorKind};

use super::{Inner, ids};
use crate::model::index::TypeIndex;

/// How long to wait before a piece is tried again, if the queue is full or the disk has no room.
pub(super) const PAUSE: Duration = Duration::from_millis(100);

/// Starts a thread that adds the missing rows of an index, and deletes those of paths that are not indexed any
/// more. It submits small pieces to the writing thread, so other writes run in between. The thread ends with the
/// store; the next start continues the work.
pub(super) fn start(store: &Arc<Inner>, index: &Arc<TypeIndex>) {
    let (store, index) = (Arc::downgrade(store), Arc::clone(index));
    let work = move || {
        let name = index.resource_type.name();
        if !index.filling().is_empty() {
            match fill(&store, &index) {
                Ok(true) => tracing::info!(resource_type = name, "index backfill finished"),
                Ok(false) => {}
                Err(error) => tracing::warn!(resource_type = name, %error, "index backfill failed"),
            }
        }
        if let Err(error) = clean_up(&store, &index) {
            tracing::warn!(resource_type = name, %error, "index rows of a removed path could not be deleted");
        }
    };
    if let Err(error) = thread::Builder::new().name("scim2-index".to_owned()).spawn(work) {
        tracing::error!(%error, "the thread for the index backfill could not be started");
    }
}

/// `false` if the store was dropped before the work was done.
fn fill(store: &Weak<Inner>, index: &Arc<TypeIndex>) -> Result<bool, StoreError> {
    let mut after = i64::MIN;
    piecewise(store, |store| {
        let these = Arc::clone(index);
        let last = wait(store.writer.submit(move |batch| ids::fill_some(batch, &these, after)))?;
        match last {
            Some(last) => after = last,
            // The writing thread has announced its commit, so readers that start now see the rows.
            None => store.ids.set_filled(index),
        }
        Ok(last.is_some())
    })
}

fn clean_up(store: &Weak<Inner>, index: &Arc<TypeIndex>) -> Result<bool, StoreError> {
    let number = index.number;
    piecewise(store, |store| wait(store.writer.submit(move |batch| ids::sweep_some(batch, number))))
}

/// Runs pieces until there is none left. `false` if the store was dropped before.
fn piecewise(
    store: &Weak<Inner>,
    mut piece: impl FnMut(&Inner) -> Result<bool, StoreError>,
) -> Result<bool, StoreError> {
    // Upgraded for one piece only, so that the store can be dropped in between.
    while let Some(store) = store.upgrade() {
        match piece(&store) {
            Ok(true) => {}
            Ok(false) => return Ok(true),
            Err(_) if store.writer.is_closed() => return Ok(false),
            // Let other writes go first.
            Err(error) if *error.kind() == StoreErrorKind::Unavailable => thread::sleep(PAUSE),
            Err(error) => return Err(error),
        }
    }
    Ok(false)
}

/// Blocks this thread until a future is ready.
pub(super) fn wait<T>(future: impl Future<Output = T>) -> T {
    struct Unpark(Thread);

    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }

    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut context = Context::from_waker(&waker);
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(value) => return value,
            Poll::Pending => thread::park(),
        }
    }
}
