//! See the law of this name in `scim2-testkit`.
#![no_main]

use libfuzzer_sys::fuzz_target;
use scim2_testkit::laws;

fuzz_target!(|bytes: &[u8]| laws::request_head_matches_model(bytes));
