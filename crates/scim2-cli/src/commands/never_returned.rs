//! The place of never-returned attributes in an export.

/// Stands beside the attributes of a line and holds those that no answer of a server has: the hash of the
/// password. No attribute has such a name, and no SCIM server that reads the line takes it for one.
pub(super) const NEVER_RETURNED: &str = "urn:scim2:export:1.0:Hidden";
