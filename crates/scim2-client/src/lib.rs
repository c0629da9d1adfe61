//! SCIM 2.0 client: typed and dynamic calls over any HTTP transport
