//! The service provider as its clients see it, in process and without a socket.

#[cfg(test)]
mod harness;

#[cfg(test)]
mod anything;

#[cfg(test)]
mod bulk;
#[cfg(test)]
mod create;
#[cfg(test)]
mod credentials;
#[cfg(test)]
mod cursors;
#[cfg(test)]
mod delete;
#[cfg(test)]
mod dialects;
#[cfg(test)]
mod discovery;
#[cfg(test)]
mod errors;
#[cfg(test)]
mod generated;
#[cfg(test)]
mod groups;
#[cfg(test)]
mod guesses;
#[cfg(test)]
mod http;
#[cfg(test)]
mod in_flight;
#[cfg(test)]
mod kept;
#[cfg(test)]
mod lengths;
#[cfg(test)]
mod me;
#[cfg(test)]
mod modes;
#[cfg(test)]
mod never_returned;
#[cfg(test)]
mod patch;
#[cfg(test)]
mod pieces;
#[cfg(test)]
mod projection;
#[cfg(test)]
mod query;
#[cfg(test)]
mod quirks;
#[cfg(test)]
mod references;
#[cfg(test)]
mod replace;
#[cfg(test)]
mod store;
#[cfg(test)]
mod tenants;
#[cfg(test)]
mod texts;
#[cfg(test)]
mod turns;
#[cfg(test)]
mod versions;
