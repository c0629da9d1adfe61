//! Fixtures, dialect exchanges and strategies of the scim2 workspace.
//!
//! Not published. It has what the tests of several crates use.
//!
//! - [`examples`]: the JSON bodies and filter strings printed in the RFCs
//! - [`dialects`]: requests of real identity providers, answers of real service providers
//! - [`http`]: an HTTP/1.1 client that sends a request target byte for byte
//! - [`needs`]: programs and rights that tests need, and what happens if they are missing
//! - [`postgres`]: a throw-away PostgreSQL cluster, a database for each test
//! - [`process`]: the binary as a process, which a test can kill and restart
//! - [`strategies`]: proptest strategies that start from a schema
//! - [`filter_model`]: the meaning of a filter, by a slow model
//! - [`laws`]: the laws that the fuzz targets check
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
