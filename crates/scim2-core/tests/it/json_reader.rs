//! The law of the fuzz target `json_matches_serde_json`, on its seeds and on texts made of JSON tokens.

use std::path::Path;

use proptest::prelude::*;
use scim2_testkit::laws::json_matches_serde_json;

#[test]
fn json_seeds_read_as_by_serde_json() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds/json_matches_serde_json");
    let mut count = 0;
    for entry in std::fs::read_dir(&folder).expect("the seeds are there") {
        let seed = std::fs::read(entry.expect("an entry").path()).expect("a seed");
        json_matches_serde_json(&seed);
        count += 1;
    }
    assert!(count > 0, "there are no seeds");
}

proptest! {
    #[test]
    fn json_tokens_read_as_by_serde_json(
        tokens in proptest::collection::vec(
            prop::sample::select(vec![
                "{", "}", "[", "]", ",", ":", "\"a\"", "\"B\"", "\"é\"", "1", "-0", "18446744073709551616", "1.50", "1e5",
                "-2E-3", "1e999", "true", "null", "\"\\u0000\"", "\"\\ud83d\\ude00\\n\"", " ", "\n", "\"", "\\", "x",
                "{\"a\":[1,{}],\"b\":\"c\"}", "\"0123456789abcdef\"",
            ]),
            0..12,
        )
    ) {
        json_matches_serde_json(tokens.concat().as_bytes());
    }
}
