//! SCIM 2.0 (RFC 7644) messages that client and service provider share
