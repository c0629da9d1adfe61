//! Applies a PATCH to a resource, both in files, and says what changed:
//!
//! ```sh
//! cargo run -p scim2-patch --example patch_file -- User user.json patch.json > patched.json
//! ```

use std::error::Error;
use std::fs;

use scim2_core::json::JsonReader;
use scim2_core::validate::Purpose;
use scim2_core::{Compat, Object, Registry, Value};
use scim2_patch::{Limits, PatchOp, apply};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [type_name, resource, patch] = arguments.as_slice() else {
        return Err("usage: patch_file RESOURCE_TYPE RESOURCE_FILE PATCH_FILE".into());
    };
    let registry = Registry::standard();
    let type_ = registry.resource_type(type_name).ok_or("expected `User` or `Group`")?;
    let compat = Compat::default();

    // A stored resource is in canonical form, and so is what a PATCH makes of it.
    let mut resource = type_.canonicalize(read(resource)?, Purpose::Create, &compat)?.object;
    let op = PatchOp::from_object(read(patch)?, &compat, &Limits::DEFAULT)?;
    let applied = apply(&op, &mut resource, type_, &compat)?;

    for change in applied.changes() {
        let text = |value: Option<&Value>| value.map_or_else(|| "-".to_owned(), ToString::to_string);
        let path = type_.attribute(change.attribute()).path();
        let before = change.before(&resource, type_);
        eprintln!("{path}: {} -> {}", text(before.as_ref()), text(change.after(&resource, type_)));
    }
    for quirk in applied.leniencies() {
        eprintln!("tolerated: {}", quirk.name());
    }
    for ignored in applied.ignored() {
        eprintln!("ignored: {} ({})", ignored.path, ignored.reason);
    }
    println!("{resource}");
    Ok(())
}

fn read(file: &str) -> Result<Object, Box<dyn Error>> {
    let text = fs::read(file).map_err(|error| format!("{file}: {error}"))?;
    Ok(JsonReader::new().object(&text).map_err(|error| format!("{file}: {error}"))?)
}
