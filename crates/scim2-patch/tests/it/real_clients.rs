//! PATCH as real clients and the test suites of other libraries send it, one file for each. What is
//! to the letter and what is tolerated stand side by side there; the quirks one by one are in
//! `quirks`.

mod entra_id;
mod libraries;
mod okta;
