//! SCIM 2.0 filter and path grammar (RFC 7644): parse, print, resolve, evaluate
