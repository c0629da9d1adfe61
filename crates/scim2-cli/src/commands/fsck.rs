//! `scim2 fsck`: does everything in the store agree, and can it be made to.

use std::process::ExitCode;
use std::sync::Arc;

use chrono::Utc;
use scim2_server::{Context, TenantId};
use scim2_store::FsckOptions;

use crate::args::{DONE, FsckArgs};
use crate::commands::{configured, print};
use crate::failure::{Failure, Outcome, say};
use crate::schemas;
use crate::store;

pub(crate) async fn run(args: &FsckArgs) -> Outcome {
    let config = configured(&args.settings)?;
    let registry = schemas::load(&config.schemas, &config.compat()).map_err(Failure::usage)?;
    let hint = |lacks_types: bool| {
        if lacks_types {
            say(
                "give the `--schemas` of the server: without them nobody knows what these resources must have",
            );
        }
    };
    let is_clean = if args.repair {
        let cx = Context {
            request_id: format!("fsck-{}", uuid::Uuid::now_v7()).into(),
            ..Context::new(Arc::new(registry), TenantId::default(), store::OPERATOR, Utc::now())
        };
        let repaired = store::admin(&config).await?.repair(&cx).await;
        let repair = repaired.map_err(|error| store::refused(&config, &error))?;
        print(&repair)?;
        hint(repair.after.lacks_types);
        repair.after.is_clean()
    } else {
        let mut options = FsckOptions::default();
        options.heads = args.heads.clone();
        let report =
            store::admin(&config).await?.fsck_with(&registry, &options).await.map_err(Failure::run)?;
        print(&report)?;
        hint(report.lacks_types);
        report.is_clean()
    };
    if is_clean { DONE } else { Ok(ExitCode::from(1)) }
}
