//! A server of one's own for each test.

use scim2_testkit::process::{Launch, ServerProcess};
use tempfile::TempDir;

/// The binary under test with a store in `folder`.
pub(crate) fn launch(folder: &TempDir) -> Launch {
    Launch::new(env!("CARGO_BIN_EXE_scim2"), folder.path())
}

/// A server with a store of its own and these arguments; the folder goes with it.
pub(crate) fn serve(arguments: &[&str]) -> (ServerProcess, TempDir) {
    let folder = tempfile::tempdir().expect("a folder");
    let launch = arguments.iter().fold(launch(&folder), |launch, argument| launch.arg(argument));
    (launch.start().expect("the server starts"), folder)
}
