//! The corpora of the fuzz targets, without the fuzzer.

use std::path::Path;

use scim2_testkit::laws::query_string_roundtrip;

#[test]
fn law_holds_for_the_seeds_of_the_fuzz_target() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds/query_string_roundtrip");
    let mut count = 0;
    for entry in std::fs::read_dir(&folder).expect("the seeds are there") {
        // A seed that is not UTF-8 never reaches the law: the fuzzer skips it too.
        if let Ok(text) = std::fs::read_to_string(entry.expect("an entry").path()) {
            query_string_roundtrip(&text);
            count += 1;
        }
    }
    assert!(count > 0, "there are no seeds");
}
