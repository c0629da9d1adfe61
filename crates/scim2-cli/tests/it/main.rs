//! The binary as a process.

// Clippy takes only what is `cfg(test)` for tests, where a failed expectation may panic.
#[cfg(test)]
mod audit;
#[cfg(test)]
mod binary;
#[cfg(test)]
mod cli;
#[cfg(test)]
mod connections;
#[cfg(test)]
mod crash;
#[cfg(test)]
mod data;
#[cfg(test)]
mod dialects;
#[cfg(test)]
mod explain;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod files;
#[cfg(test)]
mod framing;
#[cfg(test)]
mod harness;
#[cfg(test)]
mod histories;
#[cfg(test)]
mod hygiene;
#[cfg(test)]
mod nested;
#[cfg(test)]
mod postgres;
#[cfg(test)]
mod proxies;
#[cfg(test)]
mod raw;
#[cfg(test)]
mod readme;
#[cfg(test)]
mod refusals;
#[cfg(test)]
mod rfc_examples;
#[cfg(test)]
mod schemas;
#[cfg(test)]
mod serve;
#[cfg(test)]
mod tokens;
