//! SCIM 2.0 PATCH (RFC 7644 section 3.5.2): parse, apply, diff
