use http::StatusCode;
use scim2_core::{Object, Value};
use serde::de::{Deserialize, Deserializer, Error as _};
use serde::ser::{Serialize, SerializeMap, Serializer};

use super::BulkMethod;
use crate::error_response::{ErrorResponse, status_from_value};
use crate::message::Members;
use crate::message_error::{MessageError, MessageErrorKind};
use crate::urn;

/// The results of a [`BulkRequest`](crate::BulkRequest), one for each operation that ran
/// ([RFC 7644 §3.7.3](https://www.rfc-editor.org/rfc/rfc7644#section-3.7.3)).
///
/// ```
/// use http::StatusCode;
/// use scim2_protocol::{BulkMethod, BulkOperationResponse, BulkResponse, ErrorResponse};
///
/// let mut failed = BulkOperationResponse::new(BulkMethod::Post, StatusCode::BAD_REQUEST);
/// failed.bulk_id = Some("a".into());
/// failed.response = Some(ErrorResponse::new(StatusCode::BAD_REQUEST).to_object().into());
/// let json = serde_json::to_value(BulkResponse::new(vec![failed]))?;
/// assert_eq!(json["Operations"][0]["status"], "400");
///
/// // Two examples of the RFC print the status as an object.
/// let read: BulkResponse = serde_json::from_str(r#"{"Operations":[{"method":"POST","status":{"code":"201"}}]}"#)?;
/// assert_eq!(read.operations[0].status, StatusCode::CREATED);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct BulkResponse {
    /// The results. Their order may differ from that of the request.
    pub operations: Vec<BulkOperationResponse>,
}

/// The result of one bulk operation.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct BulkOperationResponse {
    /// The method of the operation.
    pub method: BulkMethod,
    /// The name from the request.
    pub bulk_id: Option<String>,
    /// The new version of the resource, as an entity tag.
    pub version: Option<String>,
    /// The URI of the resource. Only a failed POST has none.
    pub location: Option<String>,
    /// The status, as for the single request.
    pub status: StatusCode,
    /// The body, as for the single request: an [`ErrorResponse`] if the operation failed, otherwise the
    /// resource or nothing.
    pub response: Option<Value>,
}

impl BulkResponse {
    /// A response with these results.
    #[must_use]
    pub fn new(operations: Vec<BulkOperationResponse>) -> Self {
        Self { operations }
    }

    fn from_operations(message: Object) -> Result<Self, MessageError> {
        let mut members = Members::of_part("a BulkResponse", message.into())?;
        let operations = members.take_array("Operations")?;
        let operations = members.required("Operations", operations)?.into_iter();
        Ok(Self { operations: operations.map(BulkOperationResponse::from_value).collect::<Result<_, _>>()? })
    }
}

impl BulkOperationResponse {
    /// A result with a status only.
    #[must_use]
    pub const fn new(method: BulkMethod, status: StatusCode) -> Self {
        Self { method, bulk_id: None, version: None, location: None, status, response: None }
    }

    /// A failed operation.
    #[must_use]
    pub fn failed(method: BulkMethod, error: &ErrorResponse) -> Self {
        Self { response: Some(error.to_object().into()), ..Self::new(method, error.status) }
    }

    /// The error, if the operation failed. Without a body it has a status only.
    #[must_use]
    pub fn error(&self) -> Option<ErrorResponse> {
        if self.status.is_success() {
            return None;
        }
        let body = self.response.as_ref().and_then(Value::as_object);
        let error = body.and_then(|body| ErrorResponse::from_object(body, self.status));
        Some(error.unwrap_or(ErrorResponse::new(self.status)))
    }

    fn from_value(value: Value) -> Result<Self, MessageError> {
        let mut members = Members::of_part("the result of a bulk operation", value)?;
        let method = members.take_string("method")?;
        let method = members.required("method", method)?;
        let status = members.take("status");
        let status = members.required("status", status)?;
        Ok(Self {
            method: BulkMethod::parse(&method).ok_or_else(|| {
                MessageError::invalid_value("method", "`POST`, `PUT`, `PATCH` or `DELETE`", &method)
            })?,
            bulk_id: members.take_string("bulkId")?,
            version: members.take_string("version")?,
            location: members.take_string("location")?,
            status: status_from_value(&status).ok_or_else(|| {
                MessageError::new(
                    MessageErrorKind::InvalidValue,
                    format!("expected an HTTP status in `status`, found {}", status.kind()),
                )
            })?,
            response: members.take("response"),
        })
    }
}

impl Serialize for BulkResponse {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(2))?;
        map.serialize_entry("schemas", &[urn::BULK_RESPONSE])?;
        map.serialize_entry("Operations", &self.operations)?;
        map.end()
    }
}

impl Serialize for BulkOperationResponse {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { method, bulk_id, version, location, status, response } = self;
        let mut map = serializer.serialize_map(None)?;
        if let Some(location) = location {
            map.serialize_entry("location", location)?;
        }
        map.serialize_entry("method", method.as_str())?;
        if let Some(bulk_id) = bulk_id {
            map.serialize_entry("bulkId", bulk_id)?;
        }
        if let Some(version) = version {
            map.serialize_entry("version", version)?;
        }
        map.serialize_entry("status", status.as_str())?;
        if let Some(response) = response {
            map.serialize_entry("response", response)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for BulkResponse {
    /// Reads a response, whatever its `schemas` are.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let message = Object::deserialize(deserializer)?;
        Self::from_operations(message).map_err(D::Error::custom)
    }
}

#[cfg(feature = "schemars")]
impl schemars::JsonSchema for BulkResponse {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "BulkResponse".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "object",
            "required": ["schemas", "Operations"],
            "properties": {
                "schemas": { "type": "array", "contains": { "const": urn::BULK_RESPONSE } },
                "Operations": { "type": "array", "items": {
                    "type": "object",
                    "required": ["method", "status"],
                    "properties": {
                        "location": { "type": "string" },
                        "method": { "enum": ["POST", "PUT", "PATCH", "DELETE"] },
                        "bulkId": { "type": "string" },
                        "version": { "type": "string" },
                        "status": { "type": "string", "pattern": "^[1-9][0-9]{2}$" },
                        "response": { "type": "object" }
                    }
                } }
            }
        })
    }
}
