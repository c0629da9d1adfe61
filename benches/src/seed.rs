//! Makes a directory: as lines for `scim2 import`, or by POST into any SCIM server.

use std::io::{BufWriter, Write};
use std::path::Path;

use crate::directory::Directory;
use crate::target::Target;
use crate::{Result, SeedOptions};

/// The most members on one line. The other members follow in lines that are PatchOps.
const MEMBERS: usize = 10_000;

pub(crate) fn run(options: &SeedOptions) -> Result<()> {
    let directory = Directory { seed: options.seed, users: options.users };
    eprintln!("seed {}, {} users, groups of {:?}", options.seed, options.users, options.groups);
    if let Some(size) = options.groups.iter().find(|size| **size > options.users) {
        return Err(format!("a group of {size} needs as many users, and there are {}", options.users).into());
    }
    match (&options.output, &options.target.url) {
        (Some(path), None) => lines(directory, &options.groups, path),
        (None, Some(_)) => {
            let target = Target::new(&options.target)?;
            target.create_all("/Users", options.users, move |number| directory.user(number).to_string())?;
            // Servers choose the ids, so the ids of the members are looked up.
            let ids = target.user_ids(directory, options.users)?;
            for members in &options.groups {
                let values: Vec<_> = ids
                    .iter()
                    .take(usize::try_from(*members)?)
                    .map(|id| serde_json::json!({ "value": id }))
                    .collect();
                let mut group = directory.group(0);
                if let Some(group) = group.as_object_mut() {
                    group.insert("displayName".to_owned(), crate::directory::group_name(*members).into());
                    group.insert("members".to_owned(), values.into());
                }
                let group = group.to_string();
                target.create_all("/Groups", 1, move |_| group.clone())?;
            }
            Ok(())
        }
        _ => Err("expected --output FILE, for `scim2 import`, or --url URL".into()),
    }
}

fn lines(directory: Directory, groups: &[u64], path: &Path) -> Result<()> {
    let mut out: Box<dyn Write> = if path == Path::new("-") {
        Box::new(BufWriter::new(std::io::stdout().lock()))
    } else {
        Box::new(BufWriter::new(std::fs::File::create(path)?))
    };
    for number in 0..directory.users {
        writeln!(out, "{}", directory.user(number))?;
    }
    for size in groups {
        let mut group = directory.group(*size);
        let members = group.get_mut("members").and_then(|members| members.as_array_mut()).map(std::mem::take);
        let members = members.unwrap_or_default();
        let mut parts = members.chunks(MEMBERS);
        if let Some(group) = group.as_object_mut() {
            group.insert("members".to_owned(), parts.next().unwrap_or_default().into());
        }
        writeln!(out, "{group}")?;
        for part in parts {
            let line = serde_json::json!({
                "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
                "id": directory.group_id(*size),
                "meta": { "resourceType": "Group" },
                "Operations": [{ "op": "add", "path": "members", "value": part }]
            });
            writeln!(out, "{line}")?;
        }
    }
    Ok(out.flush()?)
}
