//! The store through its public face.

mod common;
mod concurrency;
mod resources;
mod settings;
