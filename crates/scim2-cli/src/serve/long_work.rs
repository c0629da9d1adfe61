//! Where evaluations run that take long.

use scim2_server::LongWork;
use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::task::block_in_place;

/// Hands the other tasks of the thread to another one meanwhile. How many threads that takes is limited by the turns
/// of long evaluations.
#[derive(Debug)]
pub(super) struct BlockInPlace;

impl LongWork for BlockInPlace {
    fn run(&self, work: &mut dyn FnMut()) {
        match Handle::try_current().map(|runtime| runtime.runtime_flavor()) {
            Ok(RuntimeFlavor::MultiThread) => block_in_place(work),
            // There is no other thread that could run them.
            _ => work(),
        }
    }
}
