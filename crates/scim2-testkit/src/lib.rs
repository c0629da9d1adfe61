//! Fixtures, dialect exchanges and strategies of the scim2 workspace.
//!
//! Unpublished. It holds what the tests of more than one crate use.
//!
//! - [`examples`]: the JSON bodies and filter strings printed in the RFCs
//! - [`dialects`]: what real identity providers send, what real service providers answer
//! - [`http`]: an HTTP/1.1 client that sends a request target to the byte
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
//! let hard = dialects::client_exchanges().into_iter().filter(|exchange| exchange.evidence.is_first_hand()).count();
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
#[cfg(feature = "replay")]
pub mod replay;
pub mod strategies;
