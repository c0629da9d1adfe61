//! `scim2 fsck`: does everything in the store agree.

use std::process::ExitCode;

use crate::args::{DONE, FsckArgs};
use crate::commands::{configured, print};
use crate::failure::{Failure, Outcome};
use crate::{schemas, store};

pub(crate) fn run(args: &FsckArgs) -> Outcome {
    let config = configured(&args.settings)?;
    let registry = schemas::load(&config.schemas).map_err(Failure::usage)?;
    let report = store::administer(&config)?.fsck(&registry).map_err(Failure::run)?;
    print(&report)?;
    if report.is_clean() { DONE } else { Ok(ExitCode::from(1)) }
}
