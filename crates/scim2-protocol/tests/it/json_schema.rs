use schemars::{JsonSchema, schema_for};
use scim2_core::ScimType;
use scim2_protocol::{BulkRequest, BulkResponse, ErrorResponse, ListResponse, SearchRequest};
use serde_json::Value;

/// The schema names every member of the message that `examples` print, and demands no other.
#[track_caller]
fn check<T: JsonSchema>(urn: &str) {
    let schema = Value::from(schema_for!(T));
    assert!(schema["properties"]["schemas"].to_string().contains(urn), "{urn}");
    let mut seen = 0;
    for (name, text) in scim2_testkit::examples::all() {
        let example: Value = serde_json::from_str(text).unwrap();
        if !example["schemas"].to_string().contains(urn) {
            continue;
        }
        seen += 1;
        for member in example.as_object().unwrap().keys() {
            assert!(schema["properties"].get(member).is_some(), "{name}: {member}");
        }
        for member in schema["required"].as_array().unwrap() {
            assert!(example.get(member.as_str().unwrap()).is_some(), "{name}: {member}");
        }
    }
    assert!(seen > 0, "{urn} is printed");
}

#[test]
fn every_printed_message_fits_its_json_schema() {
    check::<ListResponse<Value>>("messages:2.0:ListResponse");
    check::<SearchRequest>("messages:2.0:SearchRequest");
    check::<BulkRequest>("messages:2.0:BulkRequest");
    check::<BulkResponse>("messages:2.0:BulkResponse");
    check::<ErrorResponse>("messages:2.0:Error");
}

#[test]
fn json_schema_of_list_names_its_resources() {
    let schema = Value::from(schema_for!(ListResponse<ScimType>));
    assert_eq!(schema["properties"]["Resources"]["items"]["$ref"], "#/$defs/ScimType");
}
