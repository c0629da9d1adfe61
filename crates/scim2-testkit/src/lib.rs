//! Fixtures, dialect exchanges, strategies and the replay runner of the scim2 workspace
