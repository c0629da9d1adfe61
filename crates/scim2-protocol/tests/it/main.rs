//! The messages unchanged on the wire.

#[cfg(test)]
mod bulk;
#[cfg(test)]
mod corpora;
#[cfg(test)]
mod error_response;
#[cfg(test)]
#[cfg(feature = "schemars")]
mod json_schema;
#[cfg(test)]
mod list_response;
#[cfg(test)]
mod query_parameters;
#[cfg(test)]
mod search_request;

#[cfg(test)]
mod helper {
    use scim2_core::Object;
    use scim2_core::json::JsonReader;

    /// What a peer sent, past the JSON reader.
    #[track_caller]
    pub(crate) fn object(json: &str) -> Object {
        JsonReader::new().object(json.as_bytes()).expect("JSON")
    }
}
