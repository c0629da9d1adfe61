//! The store through its public face.

mod admin;
mod common;
mod concurrency;
mod queries;
mod resources;
mod settings;
