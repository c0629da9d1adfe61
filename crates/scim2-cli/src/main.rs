//! The binary `scim2`.
fn main() {}
