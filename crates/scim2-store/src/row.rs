//! What rows of either engine hold, as the port speaks of it.

use chrono::{DateTime, Utc};
use scim2_core::{Object, Version};
use scim2_server::StoreError;

pub(crate) fn version_of(number: i64) -> Version {
    Version::from(number.unsigned_abs())
}

pub(crate) fn time(millis: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(millis).unwrap_or_default()
}

/// The object of a JSON text that was stored.
pub(crate) fn parse(json: &[u8]) -> Result<Object, StoreError> {
    serde_json::from_slice(json).map_err(StoreError::internal)
}
