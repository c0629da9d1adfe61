//! PATCH as a specification: tables of cases, each with the requirement or the quirk it shows.
#![expect(clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "the helpers of tests")]

mod changes;
mod deltas;
mod differences;
mod duplicates;
mod errors;
mod fuzzed;
mod generated;
mod laws;
mod message;
mod model;
mod profile;
mod quirks;
mod real_clients;
mod references;
mod remove_with_value;
mod rfc7644_3_5_2;
mod rfc7644_3_5_2_1_add;
mod rfc7644_3_5_2_2_remove;
mod rfc7644_3_5_2_3_replace;
mod schemas;
mod seeds;
mod singular_value_paths;
mod sub_values;
mod support;
mod unknown_path;
mod values;
mod work;
mod wrapped;
