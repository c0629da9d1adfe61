//! What leads from one resource to another leads there, whatever the service provider understands.
//! The input is two resources as JSON, a line each.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../crates/scim2-patch/tests/it/fuzzed.rs"]
#[expect(dead_code, reason = "the other targets' laws")]
mod fuzzed;
#[path = "../../crates/scim2-patch/tests/it/model.rs"]
mod model;

fuzz_target!(|text: &str| fuzzed::diff_applies(text));
