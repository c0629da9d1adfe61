//! Operations do to a resource what a slow, obvious model says they do; the bytes choose both.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../crates/scim2-patch/tests/it/fuzzed.rs"]
#[expect(dead_code, reason = "the other targets' laws")]
mod fuzzed;
#[path = "../../crates/scim2-patch/tests/it/model.rs"]
mod model;

fuzz_target!(|bytes: &[u8]| fuzzed::patch_matches_model(bytes));
