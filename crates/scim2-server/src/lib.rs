//! SCIM 2.0 service provider as traits: a tower service over your own user table
