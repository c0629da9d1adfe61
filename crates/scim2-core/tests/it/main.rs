//! The promises of scim2-core, by section of RFC 7643.
#![expect(clippy::expect_used, reason = "helpers of tests fail as tests do")]

mod discovery;
mod dotted;
mod examples;
mod json_reader;
#[cfg(feature = "schemars")]
mod json_schema;
mod json_text;
mod laws;
mod resource;
mod schema;
mod validate;

use scim2_core::Object;

/// An object from JSON as a test writes it.
#[track_caller]
fn object(json: &str) -> Object {
    serde_json::from_str(json).expect("valid JSON")
}
