//! `scim2 import`: resources from a file into the store.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use chrono::Utc;
use scim2_core::json::JsonReader;
use scim2_core::{CompiledType, Registry};
use scim2_server::{Context, TenantId};
use scim2_store::LoadOptions;

use self::line::LineReader;
use self::summary::Summary;
use crate::args::{DONE, ImportArgs};
use crate::commands::configured;
use crate::commands::progress::Progress;
use crate::failure::{Failure, Outcome, say};
use crate::schemas;
use crate::store::{self, Loading};

mod line;
mod list;
mod look;
mod pipeline;
mod report;
mod summary;

/// The exit code when the rest is stored, or exported, and some of it was not.
pub(super) const SOME_REFUSED: u8 = 3;

pub(crate) fn run(args: &ImportArgs) -> Outcome {
    let config = configured(&args.settings)?;
    let registry = schemas::load(&config.schemas, &config.compat()).map_err(Failure::usage)?;
    let registry = Arc::new(registry.with_string_limits(config.limits.strings()));
    let tenant = tenant(&args.tenant)?;
    let fallback = args.resource_type.as_deref().map(|name| resource_type(&registry, name)).transpose()?;
    // Find mistakes in the command line before the store is opened.
    let (mut input, length) = open(&args.file)?;
    let name =
        if args.file == Path::new("-") { "standard input".into() } else { args.file.to_string_lossy() };
    let beginning =
        input.fill_buf().map_err(|error| Failure::usage(format!("`{name}` cannot be read: {error}")))?;
    let shape = look::at(beginning).map_err(|what| Failure::usage(format!("`{name}` {what}")))?;
    let mut summary = Summary::new(match &args.report {
        Some(path) => Some(report::create(path, &config, args)?),
        None => None,
    });
    let now = Utc::now();
    let cx = Context {
        request_id: format!("import-{}", uuid::Uuid::now_v7()).into(),
        ..Context::new(Arc::clone(&registry), tenant, store::OPERATOR, now)
    };
    let mut options = LoadOptions::default();
    options.replace = args.replace;
    options.dry_run = args.dry_run;
    let mut loader = Loading::open(&config, &cx, options).inspect_err(|_| summary.give_up())?;

    let json = JsonReader::new().max_depth(config.limits.max_depth);
    let reader = LineReader::new(registry, config.compat(), json, config.limits.max_body, fallback);
    let mut progress = Progress::new("resources", length, args.quiet);
    let stopped = pipeline::run(
        (input, shape),
        &reader,
        config.worker_threads,
        &mut loader,
        &mut summary,
        &mut progress,
    )
    .and_then(|()| {
        loader
            .finish(|member| summary.left_out(&member, &progress))
            .map_err(|error| Failure::run(format!("the members could not be stored: {error}")))
    });
    let elapsed = progress.finish();
    if let Some(missing) = reader.missing_pages() {
        say(missing);
    }
    summary.close()?;
    summary.print(&args.file, elapsed, args.json, args.quiet, args.dry_run)?;
    stopped?;
    if summary.is_clean() { DONE } else { Ok(ExitCode::from(SOME_REFUSED)) }
}

fn open(path: &Path) -> Result<(Box<dyn BufRead + Send>, Option<u64>), Failure> {
    if path == Path::new("-") {
        return Ok((Box::new(BufReader::new(io::stdin())), None));
    }
    let unreadable =
        |error: io::Error| Failure::usage(format!("`{}` cannot be read: {error}", path.display()));
    let file = File::open(path).map_err(unreadable)?;
    let metadata = file.metadata().map_err(unreadable)?;
    if metadata.is_dir() {
        return Err(Failure::usage(format!("`{}` cannot be read: it is a folder", path.display())));
    }
    // A pipe has no length.
    let length = metadata.is_file().then_some(metadata.len());
    Ok((Box::new(BufReader::with_capacity(1 << 18, file)), length))
}

/// The resource type of that name.
///
/// # Errors
/// Names the existing ones.
pub(super) fn resource_type(registry: &Registry, name: &str) -> Result<Arc<CompiledType>, Failure> {
    registry.resource_type(name).cloned().ok_or_else(|| {
        let names: Vec<_> = registry.resource_types().map(|known| format!("`{}`", known.name())).collect();
        Failure::usage(format!(
            "`--type`: there is no resource type `{}`, only {}",
            name.escape_debug(),
            names.join(", ")
        ))
    })
}

/// The tenant of that name.
///
/// # Errors
/// If it is not the name of a tenant.
pub(super) fn tenant(name: &str) -> Result<TenantId, Failure> {
    TenantId::parse(name)
        .ok_or_else(|| Failure::usage("`--tenant`: expected 1 to 63 letters, digits, `-`, `_` and `.`"))
}
