//! The store through its public face.
#![cfg(test)] // helpers are tests to clippy too

mod admin;
mod common;
mod concurrency;
mod conformance;
mod queries;
mod resources;
mod settings;
