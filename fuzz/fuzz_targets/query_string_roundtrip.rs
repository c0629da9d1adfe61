//! See the law of this name in `scim2-testkit`.
#![no_main]

use libfuzzer_sys::fuzz_target;
use scim2_testkit::laws;

fuzz_target!(|text: &str| laws::query_string_roundtrip(text));
