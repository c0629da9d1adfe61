//! The service provider as its clients see it, in process and without a socket.

mod harness;

mod create;
mod store;
