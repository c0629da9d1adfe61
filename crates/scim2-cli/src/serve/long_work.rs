//! Where long evaluations run.

use scim2_server::LongWork;
use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::task::block_in_place;

/// Runs long work on the current thread and moves the thread's other tasks to another thread. The limit on concurrent
/// long evaluations limits how many threads this takes.
#[derive(Debug)]
pub(super) struct BlockInPlace;

impl LongWork for BlockInPlace {
    fn run(&self, work: &mut dyn FnMut()) {
        match Handle::try_current().map(|runtime| runtime.runtime_flavor()) {
            Ok(RuntimeFlavor::MultiThread) => block_in_place(work),
            // No other thread could run the other tasks.
            _ => work(),
        }
    }
}
