//! See the law of this name in `scim2-server`.
#![no_main]

use libfuzzer_sys::fuzz_target;
use scim2_server::laws;

fuzz_target!(|bytes: &[u8]| laws::cursor_roundtrip(bytes));
