//! The JSON of an answer as whatever the caller wants it to be.
//!
//! serde hands numbers over as 64 bits at most. An [`Object`] and a [`Value`] keep every digit, so they
//! are read by their own reader, also within a list.

use std::any::Any;

use scim2_core::json::JsonReader;
use scim2_core::{Object, Value};
use scim2_protocol::ListResponse;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

/// Reads one document.
pub(crate) fn read<R: DeserializeOwned + 'static>(json: &[u8]) -> serde_json::Result<R> {
    // Of what a service provider sends as little as possible is refused: serde has the last word.
    match lossless(json) {
        Some(read) => Ok(read),
        None => serde_json::from_slice(json),
    }
}

/// Reads a page of documents.
pub(crate) fn read_list<R: DeserializeOwned + 'static>(json: &[u8]) -> serde_json::Result<ListResponse<R>> {
    serde_json::from_slice::<ListResponse<&RawValue>>(json)?.try_map(read_raw)
}

/// Reads a bare array of documents.
pub(crate) fn read_array<R: DeserializeOwned + 'static>(json: &[u8]) -> serde_json::Result<Vec<R>> {
    serde_json::from_slice::<Vec<&RawValue>>(json)?.into_iter().map(read_raw).collect()
}

fn read_raw<R: DeserializeOwned + 'static>(json: &RawValue) -> serde_json::Result<R> {
    read(json.get().as_bytes())
}

/// Reads what loses nothing, if that is what is wanted.
fn lossless<R: 'static>(json: &[u8]) -> Option<R> {
    let reader = JsonReader::new().max_depth(JsonReader::MAX_DEPTH);
    let mut wanted: Option<R> = None;
    let slot: &mut dyn Any = &mut wanted;
    if let Some(object) = slot.downcast_mut::<Option<Object>>() {
        *object = reader.object(json).ok();
    } else if let Some(value) = slot.downcast_mut::<Option<Value>>() {
        *value = reader.value(json).ok();
    }
    wanted
}
