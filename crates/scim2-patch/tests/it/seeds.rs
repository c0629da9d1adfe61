//! The seeds of the fuzz targets, without the fuzzer.

use std::fs;
use std::path::Path;

use scim2_core::json::JsonReader;
use scim2_core::{Compat, Registry};
use scim2_patch::{Limits, PatchOp, apply};

use crate::fuzzed;

fn each_seed(target: &str, mut run: impl FnMut(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds").join(target);
    let entries = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut count = 0;
    for entry in entries {
        let seed = fs::read(entry.expect("an entry").path()).expect("a seed");
        run(&seed);
        count += 1;
    }
    assert!(count > 0, "{target} has no seeds");
}

#[test]
fn patch_matches_model() {
    each_seed("patch_matches_model", fuzzed::patch_matches_model);
}

#[test]
fn diff_applies() {
    each_seed("diff_applies", |seed| fuzzed::diff_applies(std::str::from_utf8(seed).expect("a text")));
}

#[test]
fn patch_never_panics() {
    let registry = Registry::standard();
    let mut understood = 0;
    each_seed("patch_never_panics", |seed| {
        let text = std::str::from_utf8(seed).expect("a text");
        let (message, resource) = text.split_once('\n').unwrap_or((text, r#"{"userName":"ada"}"#));
        let read = |text: &str| JsonReader::new().object(text.as_bytes()).expect("a seed is JSON");
        for compat in [Compat::default(), Compat::strict(), Compat::profile()] {
            let Ok(op) = PatchOp::from_object(read(message), &compat, &Limits::DEFAULT) else { continue };
            understood += 1;
            for type_ in registry.resource_types() {
                let before = read(resource);
                let mut after = before.clone();
                if apply(&op, &mut after, type_, &compat).is_err() {
                    assert_eq!(after, before);
                }
            }
        }
    });
    assert!(understood > 0);
}
