//! Reads the JSON of a response as the type that the caller wants.
//!
//! serde passes numbers of at most 64 bits. An [`Object`] and a [`Value`] keep every digit, so they
//! have their own reader, in lists too.

use std::any::Any;

use scim2_core::json::JsonReader;
use scim2_core::{Object, Value};
use scim2_protocol::ListResponse;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

/// Reads one document.
pub(crate) fn read<R: DeserializeOwned + 'static>(json: &[u8]) -> serde_json::Result<R> {
    // Tolerate as much of a response as possible: serde decides.
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

/// Reads an `Object` or a `Value` without loss, if `T` is one of them.
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
