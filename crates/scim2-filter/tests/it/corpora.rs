//! The corpora of the fuzz targets, without the fuzzer.

use std::path::Path;

use scim2_testkit::laws;

#[track_caller]
fn replay(target: &str, law: fn(&str)) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds").join(target);
    let mut inputs = 0;
    for entry in std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
        // Seeds that are not UTF-8 are skipped, as the fuzzer does.
        if let Ok(text) = std::fs::read_to_string(entry.unwrap().path()) {
            law(&text);
            inputs += 1;
        }
    }
    assert!(inputs > 0, "{} is empty", folder.display());
}

#[test]
fn filter_roundtrip() {
    replay("filter_roundtrip", laws::filter_roundtrip);
}

#[test]
fn path_roundtrip() {
    replay("path_roundtrip", laws::path_roundtrip);
}

#[test]
fn filter_eval_matches_model() {
    replay("filter_eval_matches_model", laws::filter_eval_matches_model);
}
