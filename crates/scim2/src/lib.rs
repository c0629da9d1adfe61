//! SCIM 2.0 (RFC 7643, RFC 7644) for Rust: schema, filter, PATCH, server, client
