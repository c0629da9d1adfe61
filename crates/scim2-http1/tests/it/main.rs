//! The law of the fuzz target, on its seeds and on requests made up of parts that are nearly right.

// Clippy takes only what is `cfg(test)` for tests, where a failed expectation may panic.
#[cfg(test)]
mod law;
