//! Making rows of the index for resources that were there before it, and taking away those that nobody
//! looks for any more, beside everything else.

use std::pin::pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::Duration;

use scim2_server::{StoreError, StoreErrorKind};

use super::{Inner, ids};
use crate::model::index::TypeIndex;

/// How long it waits for room in the queue of writes, or on the disk.
pub(super) const PAUSE: Duration = Duration::from_millis(100);

/// Starts a thread that has the writer make the rows of those paths of an index that are being filled, and
/// take away those of paths that are indexed no more, some at a time between other writes. It ends with
/// the store; the next one goes on.
pub(super) fn start(store: &Arc<Inner>, index: &Arc<TypeIndex>) {
    let (store, index) = (Arc::downgrade(store), Arc::clone(index));
    let work = move || {
        let name = index.resource_type.name();
        if !index.filling().is_empty() {
            match fill(&store, &index) {
                Ok(true) => tracing::info!(resource_type = name, "the index has what was added to it"),
                Ok(false) => {}
                Err(error) => tracing::warn!(resource_type = name, %error, "the index was not filled"),
            }
        }
        if let Err(error) = sweep(&store, &index) {
            tracing::warn!(resource_type = name, %error, "rows of the index were not taken away");
        }
    };
    if let Err(error) = thread::Builder::new().name("scim2-index".to_owned()).spawn(work) {
        tracing::error!(%error, "a thread for the index could not be started");
    }
}

/// `false` if the store is gone before all is done.
fn fill(store: &Weak<Inner>, index: &Arc<TypeIndex>) -> Result<bool, StoreError> {
    let mut after = i64::MIN;
    piecewise(store, |store| {
        let these = Arc::clone(index);
        let last = wait(store.writer.submit(move |batch| ids::fill_some(batch, &these, after)))?;
        match last {
            Some(last) => after = last,
            // Readers that come now see the rows: the writer has told them of its commit.
            None => store.ids.set_filled(index),
        }
        Ok(last.is_some())
    })
}

fn sweep(store: &Weak<Inner>, index: &Arc<TypeIndex>) -> Result<bool, StoreError> {
    let number = index.number;
    piecewise(store, |store| wait(store.writer.submit(move |batch| ids::sweep_some(batch, number))))
}

/// Does a piece after the other while there is one; `false` if the store is gone before.
fn piecewise(
    store: &Weak<Inner>,
    mut piece: impl FnMut(&Inner) -> Result<bool, StoreError>,
) -> Result<bool, StoreError> {
    // Held for no longer than a piece takes: dropping the store is not delayed.
    while let Some(store) = store.upgrade() {
        match piece(&store) {
            Ok(true) => {}
            Ok(false) => return Ok(true),
            Err(_) if store.writer.is_closed() => return Ok(false),
            // Others have more of a hurry.
            Err(error) if *error.kind() == StoreErrorKind::Unavailable => thread::sleep(PAUSE),
            Err(error) => return Err(error),
        }
    }
    Ok(false)
}

/// Waits for what another thread does.
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
