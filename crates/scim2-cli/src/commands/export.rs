//! `scim2 export`: all resources of a tenant into a file.

use std::borrow::Cow;
use std::io::{self, BufWriter, IsTerminal as _, Write};
use std::ops::ControlFlow;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use scim2_core::json::JsonReader;
use scim2_core::{CompiledType, Registry};
use scim2_server::store::Member;
use scim2_store::{Admin, DumpOptions, DumpSize, Dumped, DumpedResource};
use serde_json::json;

use self::target::Target;
use crate::args::{DONE, ExportArgs};
use crate::commands::import::{SOME_REFUSED, resource_type, tenant};
use crate::commands::never_returned::NEVER_RETURNED;
use crate::commands::output::spare_store;
use crate::commands::progress::{Progress, rate};
use crate::commands::{configured, counted, time};
use crate::failure::{Failure, Outcome, say};
use crate::schemas;
use crate::store;
use crate::store::folders::expect_file;
use crate::terminal::{JsonLines, Shown};

mod target;

/// How many members of a group stand on one line. A line is then some 700 KB, which any reader of lines
/// takes, and most groups of most directories are one line.
const MEMBERS: usize = 10_000;

/// How many resources the bar advances at once.
const STEP: u64 = 1000;

pub(crate) async fn run(args: &ExportArgs) -> Outcome {
    let config = configured(&args.settings)?;
    let registry = schemas::load(&config.schemas, &config.compat()).map_err(Failure::usage)?;
    for name in &args.resource_types {
        resource_type(&registry, name)?;
    }
    let mut options = DumpOptions {
        tenant: tenant(&args.tenant)?,
        resource_types: args.resource_types.clone(),
        from: None,
        members: MEMBERS,
    };
    if args.file != Path::new("-") {
        expect_file("", &args.file)?;
    }
    spare_store(&config, "", &args.file)?;
    let admin = store::admin(&config).await?;
    let total = admin.count(&registry, &options).await.map_err(Failure::run)?;
    // A command that names types does not ask for others.
    let left_out = if args.resource_types.is_empty() {
        admin.unknown_types(&registry, Some(&options.tenant)).await.map_err(Failure::run)?
    } else {
        Vec::new()
    };
    if args.file == Path::new("-") {
        if args.resume {
            return Err(Failure::usage(
                "`--resume` needs a file name; it cannot be used with standard output",
            ));
        }
        let out = BufWriter::with_capacity(1 << 18, io::stdout().lock());
        let mut out = JsonLines::new(out, io::stdout().is_terminal());
        let (size, elapsed) = write(&admin, &registry, &options, args, total, &mut out).await?;
        return done(args, size, elapsed, &left_out);
    }
    let mut target = Target::open(&args.file, args.resume, args.force)?;
    options.from = target.from();
    let (size, elapsed) = write(&admin, &registry, &options, args, total, target.file()).await?;
    target.complete()?;
    done(args, size, elapsed, &left_out)
}

fn done(args: &ExportArgs, size: DumpSize, elapsed: Duration, left_out: &[(String, u64)]) -> Outcome {
    if !args.quiet {
        say(format_args!(
            "{}: {}, {} of groups; {:.1} s, {}/s",
            if args.file == Path::new("-") { Path::new("standard output") } else { &args.file }.display(),
            counted(size.resources, "resource", "resources"),
            counted(size.members, "member", "members"),
            elapsed.as_secs_f64(),
            rate(size.resources, elapsed)
        ));
    }
    if left_out.is_empty() {
        return DONE;
    }
    let types: Vec<_> = left_out.iter().map(|(name, count)| format!("`{name}` ({count})")).collect();
    say(format_args!(
        "left out, because no schema describes them: {}; give the `--schemas` of the server",
        types.join(", ")
    ));
    Ok(ExitCode::from(SOME_REFUSED))
}

async fn write(
    admin: &Admin,
    registry: &Registry,
    options: &DumpOptions,
    args: &ExportArgs,
    total: u64,
    out: &mut dyn Write,
) -> Result<(DumpSize, Duration), Failure> {
    let length = if options.from.is_some() { None } else { Some(total) };
    let mut progress = Progress::new("resources", length, args.quiet);
    let mut line = Vec::with_capacity(4096);
    let mut failed = None;
    let mut steps = 0;
    let size = admin.dump(registry, options, |part| {
        line.clear();
        match &part {
            Dumped::Resource(resource) => {
                steps += 1;
                if steps == STEP {
                    progress.advance(STEP, STEP);
                    steps = 0;
                }
                if let Err(error) = resource_line(&mut line, resource, !args.no_secrets) {
                    failed = Some(error);
                    return ControlFlow::Break(());
                }
            }
            Dumped::Members { resource_type, id, members } => {
                members_line(&mut line, resource_type, id, members)
            }
            _ => {}
        }
        match out.write_all(&line) {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => {
                failed = Some(error);
                ControlFlow::Break(())
            }
        }
    });
    let size = size.await.map_err(Failure::run)?;
    let elapsed = progress.finish();
    match failed.map_or_else(|| out.flush(), Err) {
        Ok(()) => Ok((size, elapsed)),
        Err(error) => Err(Failure::run(format!("the export cannot be written: {error}"))),
    }
}

/// The stored body with nested extensions in their places, then the members, `meta` and never-returned attributes.
fn resource_line(line: &mut Vec<u8>, resource: &DumpedResource<'_>, secrets: bool) -> io::Result<()> {
    let body = nested(resource.resource_type, resource.body).map_or(Cow::Borrowed(resource.body), Cow::Owned);
    let body = if secrets { body } else { without_never_returned(resource, body)? };
    let body = body.strip_suffix('}').unwrap_or(&body);
    line.extend_from_slice(body.as_bytes());
    if !resource.members.is_empty() {
        line.push(b',');
        value(line, members_name(resource.resource_type));
        line.push(b':');
        members(line, resource.members);
    }
    line.extend_from_slice(b",\"meta\":");
    value(
        line,
        &json!({
            "resourceType": resource.resource_type.name(),
            "created": time(resource.created),
            "lastModified": time(resource.last_modified),
            "version": resource.version.to_etag(),
        }),
    );
    if let Some(never_returned) = resource.never_returned.filter(|_| secrets) {
        line.extend_from_slice(format!(",\"{NEVER_RETURNED}\":{never_returned}").as_bytes());
    }
    line.extend_from_slice(b"}\n");
    Ok(())
}

/// The body without attributes that the current schemas never return. A body that was stored under an older schema
/// may contain them.
fn without_never_returned<'a>(resource: &DumpedResource<'_>, text: Cow<'a, str>) -> io::Result<Cow<'a, str>> {
    let reader = JsonReader::new().max_depth(JsonReader::MAX_DEPTH);
    let mut body = reader.object(text.as_bytes()).map_err(|_| {
        let (name, id) = (resource.resource_type.name(), Shown(resource.id));
        io::Error::other(format!(
            "the body of {name} {id} is not a JSON object, so what is hidden in it is not known"
        ))
    })?;
    if resource.resource_type.take_never_returned(&mut body).is_empty() {
        return Ok(text);
    }
    Ok(Cow::Owned(body.to_string()))
}

/// A body in which extensions lie in others, with each in its place.
fn nested(type_: &CompiledType, body: &str) -> Option<String> {
    // In a string the quotes would be escaped.
    let is_member = |at: usize| {
        let rest = body.get(at + CompiledType::NESTING.len()..).unwrap_or_default();
        body.get(..at).unwrap_or_default().ends_with('"') && rest.starts_with("\":{")
    };
    if !body.match_indices(CompiledType::NESTING).any(|(at, _)| is_member(at)) {
        return None;
    }
    let reader = JsonReader::new().max_depth(JsonReader::MAX_DEPTH);
    let mut object = reader.object(body.as_bytes()).ok()?;
    type_.nest_extensions(&mut object);
    Some(object.to_string())
}

/// A PatchOp that adds members, with what it is applied to.
fn members_line(line: &mut Vec<u8>, resource_type: &CompiledType, id: &str, more: &[Member]) {
    line.extend_from_slice(b"{\"schemas\":[\"urn:ietf:params:scim:api:messages:2.0:PatchOp\"],\"id\":");
    value(line, id);
    line.extend_from_slice(b",\"meta\":{\"resourceType\":");
    value(line, resource_type.name());
    line.extend_from_slice(b"},\"Operations\":[{\"op\":\"add\",\"path\":");
    value(line, members_name(resource_type));
    line.extend_from_slice(b",\"value\":");
    members(line, more);
    line.extend_from_slice(b"}]}\n");
}

fn members_name(resource_type: &CompiledType) -> &str {
    resource_type.members().map_or("members", |members| resource_type.attribute(members).name())
}

fn members(line: &mut Vec<u8>, members: &[Member]) {
    for (at, Member { value: id, resource_type, display }) in members.iter().enumerate() {
        line.extend_from_slice(if at == 0 { b"[{\"value\":" } else { b",{\"value\":" });
        value(line, id.as_str());
        line.extend_from_slice(b",\"type\":");
        value(line, &**resource_type);
        if let Some(display) = display {
            line.extend_from_slice(b",\"display\":");
            value(line, &**display);
        }
        line.push(b'}');
    }
    line.push(b']');
}

fn value<T: serde::Serialize + ?Sized>(line: &mut Vec<u8>, value: &T) {
    // INVARIANT: texts and objects of texts have a JSON form, and writing to a `Vec` never fails.
    let _ = serde_json::to_writer(line, value);
}
