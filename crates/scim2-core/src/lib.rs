//! SCIM 2.0 (RFC 7643) schemas, attributes, values, resources and validation
