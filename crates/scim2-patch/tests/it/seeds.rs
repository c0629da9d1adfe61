//! The seeds of the fuzz targets, without the fuzzer.

use std::fs;
use std::path::Path;

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
    each_seed("patch_never_panics", |seed| {
        fuzzed::patch_never_panics(std::str::from_utf8(seed).expect("a text"));
    });
}
