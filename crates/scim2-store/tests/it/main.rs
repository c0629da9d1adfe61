//! The store through its public face.
#![cfg(test)] // helpers are tests to clippy too

mod admin;
mod audit;
mod backup;
mod common;
mod concurrency;
mod contract;
mod crowds;
mod faults;
mod indexing;
#[cfg(feature = "postgres")]
mod nodes;
mod queries;
mod remains;
mod repair;
mod resources;
mod restore;
mod settings;
#[cfg(feature = "postgres")]
mod tls;
mod unique;
mod walks;
