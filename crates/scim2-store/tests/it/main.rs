//! The store through its public face.

mod admin;
mod common;
mod concurrency;
mod conformance;
mod queries;
mod resources;
mod settings;
