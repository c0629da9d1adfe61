//! Fixtures, dialect exchanges, strategies and the replay runner of the scim2 workspace.
//!
//! Unpublished: what more than one crate's tests lean on.
//!
//! - [`examples`]: the JSON bodies and filter strings printed in the RFCs
//! - [`dialects`]: what real identity providers send, what real service providers answer
//! - [`http`]: an HTTP/1.1 client that sends a request target to the byte
//! - [`replay`]: replays dialect exchanges against a running service
//! - [`needs`]: what a test needs from the machine, and what happens where it is missing
//! - [`postgres`]: a throw-away PostgreSQL cluster, a database for each test
//! - [`process`]: the binary as a process, killed and restarted at will
//! - [`strategies`]: proptest strategies that start from a schema
//! - [`filter_model`]: what a filter means, slowly
//! - [`laws`]: what the fuzz targets hold
//!
//! ```
//! use scim2_testkit::dialects;
//!
//! let hard = dialects::client_exchanges().into_iter().filter(|exchange| exchange.evidence.is_hard()).count();
//! assert_eq!(hard, 105);
//! ```

pub mod dialects;
pub mod examples;
pub mod filter_model;
pub mod http;
mod http1_model;
pub mod laws;
pub mod needs;
pub mod postgres;
pub mod process;
pub mod proxy;
pub mod replay;
pub mod strategies;
