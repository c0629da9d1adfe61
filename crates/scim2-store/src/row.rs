//! What rows of either engine hold, as the port speaks of it.

use chrono::{DateTime, Utc};
use scim2_core::json::JsonReader;
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
    // Not through serde alone, which would round decimals.
    JsonReader::new().max_depth(JsonReader::DEEPEST).object(json).map_err(StoreError::internal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_without_loss() {
        let json = r#"{"weight":0.12345678901234567890,"count":123456789012345678901234567890}"#;
        assert_eq!(parse(json.as_bytes()).expect("an object").to_string(), json);
    }
}
