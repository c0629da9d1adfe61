//! No PATCH panics; a refused one changes nothing; one that succeeds can be led back to by a difference.
//! The input is a PatchOp, a line break and a resource, both as JSON.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../crates/scim2-patch/tests/it/fuzzed.rs"]
#[expect(dead_code, reason = "the other targets' laws")]
mod fuzzed;
#[path = "../../crates/scim2-patch/tests/it/model.rs"]
mod model;

fuzz_target!(|text: &str| fuzzed::patch_never_panics(text));
