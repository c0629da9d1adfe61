use std::borrow::Cow;
use std::fmt;

use http::StatusCode;
use http::header::CONTENT_TYPE;
use scim2_core::compiled::MessageSchemas;
use scim2_core::json::JsonError;
use scim2_core::validate::ValidationError;
use scim2_core::{Object, Quirk, ScimType, Value};
use scim2_filter::{FilterError, ResolveError};
use scim2_patch::PatchError;
use serde::de::{Deserialize, Deserializer, Error as _};
use serde::ser::{Serialize, SerializeMap, Serializer};

use crate::detail::Detail;
use crate::media_type::{MediaType, UnsupportedMediaType};
use crate::message_error::{MessageError, one_line};
use crate::urn;

/// The body of every error response
/// ([RFC 7644 §3.12](https://www.rfc-editor.org/rfc/rfc7644#section-3.12)).
///
/// ```
/// use http::StatusCode;
/// use scim2_core::ScimType;
/// use scim2_protocol::ErrorResponse;
///
/// let error = ErrorResponse::new(StatusCode::CONFLICT)
///     .with_scim_type(ScimType::Uniqueness)
///     .with_detail("the userName is taken");
/// assert_eq!(
///     error.to_json(),
///     r#"{"schemas":["urn:ietf:params:scim:api:messages:2.0:Error"],"status":"409","scimType":"uniqueness","detail":"the userName is taken"}"#,
/// );
/// assert_eq!(error, ErrorResponse::of_scim_type(ScimType::Uniqueness, "the userName is taken"));
/// ```
///
/// In JSON the status is a string. A number is read too.
#[derive(Debug, Clone)]
pub struct ErrorResponse {
    /// The HTTP status, the same as that of the response.
    pub status: StatusCode,
    /// The keyword, if the error has one.
    pub scim_type: Option<ScimType>,
    /// A line for people. It holds no secret and no internals of the service provider. It may repeat
    /// what the client sent.
    pub detail: Option<String>,
    /// The line for logs, without values that the client sent: see [`Detail`]. It is not
    /// part of the message, and equality ignores it.
    pub log_line: Option<Cow<'static, str>>,
}

/// The status for a keyword: 409 for `uniqueness` (A-21), 403 for `sensitive`,
/// 400 for all others, including unknown ones.
#[must_use]
pub fn status_of(scim_type: &ScimType) -> StatusCode {
    match scim_type {
        ScimType::Uniqueness => StatusCode::CONFLICT,
        ScimType::Sensitive => StatusCode::FORBIDDEN,
        _ => StatusCode::BAD_REQUEST,
    }
}

impl ErrorResponse {
    /// How many characters of a detail `Display` shows. A service provider may send a whole page.
    pub const MAX_DETAIL_CHARS: usize = 400;

    /// An error with a status only.
    #[must_use]
    pub const fn new(status: StatusCode) -> Self {
        Self { status, scim_type: None, detail: None, log_line: None }
    }

    /// An error with the status of its keyword ([`status_of`]).
    #[must_use]
    pub fn of_scim_type(scim_type: ScimType, detail: impl Into<Detail>) -> Self {
        Self::new(status_of(&scim_type)).with_scim_type(scim_type).with_detail(detail)
    }

    /// 401: the credentials are missing or wrong. The response needs a
    /// [challenge](crate::headers::Challenge) too.
    #[must_use]
    pub fn unauthorized(detail: impl Into<Detail>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED).with_detail(detail)
    }

    /// 403: the client is not allowed to do this.
    #[must_use]
    pub fn forbidden(detail: impl Into<Detail>) -> Self {
        Self::new(StatusCode::FORBIDDEN).with_detail(detail)
    }

    /// 404: the resource or endpoint does not exist.
    #[must_use]
    pub fn not_found(detail: impl Into<Detail>) -> Self {
        Self::new(StatusCode::NOT_FOUND).with_detail(detail)
    }

    /// 405: the endpoint does not support this method (A-64). The response needs `Allow` too.
    #[must_use]
    pub fn method_not_allowed(detail: impl Into<Detail>) -> Self {
        Self::new(StatusCode::METHOD_NOT_ALLOWED).with_detail(detail)
    }

    /// 409: the request conflicts with the current state, for another reason than
    /// [`Uniqueness`](ScimType::Uniqueness).
    #[must_use]
    pub fn conflict(detail: impl Into<Detail>) -> Self {
        Self::new(StatusCode::CONFLICT).with_detail(detail)
    }

    /// 412: the resource does not have the version that the client named.
    #[must_use]
    pub fn precondition_failed(detail: impl Into<Detail>) -> Self {
        Self::new(StatusCode::PRECONDITION_FAILED).with_detail(detail)
    }

    /// 413: the body or the number of operations exceeds a limit, which `detail` names.
    #[must_use]
    pub fn payload_too_large(detail: impl Into<Detail>) -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE).with_detail(detail)
    }

    /// 429: the client sends too many requests.
    #[must_use]
    pub fn too_many_requests(detail: impl Into<Detail>) -> Self {
        Self::new(StatusCode::TOO_MANY_REQUESTS).with_detail(detail)
    }

    /// 500: an internal error. `detail` reveals no internals.
    #[must_use]
    pub fn internal(detail: impl Into<Detail>) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR).with_detail(detail)
    }

    /// 501: an optional feature of the protocol is disabled (A-64).
    #[must_use]
    pub fn not_implemented(detail: impl Into<Detail>) -> Self {
        Self::new(StatusCode::NOT_IMPLEMENTED).with_detail(detail)
    }

    /// 503: the service is temporarily unavailable.
    #[must_use]
    pub fn service_unavailable(detail: impl Into<Detail>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE).with_detail(detail)
    }

    /// Sets the keyword.
    #[must_use]
    pub fn with_scim_type(mut self, scim_type: ScimType) -> Self {
        self.scim_type = Some(scim_type);
        self
    }

    /// Sets the line for people.
    #[must_use]
    pub fn with_detail(mut self, detail: impl Into<Detail>) -> Self {
        let Detail { text, log_line } = detail.into();
        self.detail = Some(text.into_owned());
        self.log_line = log_line;
        self
    }

    /// Reads the body of a response. `None` if it is not a SCIM error.
    ///
    /// It is a SCIM error if `schemas` names the message, or if it has a `detail` or
    /// a `scimType`, because some providers omit `schemas`. If the status is missing or malformed, `status` counts, the
    /// status of the response.
    #[must_use]
    pub fn from_object(object: &Object, status: StatusCode) -> Option<Self> {
        // Clients read responses with the default tolerance.
        let named = matches!(
            MessageSchemas::of(object.get("schemas"), urn::ERROR),
            MessageSchemas::Exact | MessageSchemas::Needs(Quirk::UrnWrong)
        );
        let detail = object.get_str("detail").map(str::to_owned);
        let scim_type = object.get_str("scimType").filter(|keyword| !keyword.is_empty()).map(ScimType::from);
        (named || detail.is_some() || scim_type.is_some()).then(|| Self {
            status: object.get("status").and_then(status_from_value).unwrap_or(status),
            scim_type,
            detail,
            log_line: None,
        })
    }

    /// The message as an object, for the result of a bulk operation.
    #[must_use]
    pub fn to_object(&self) -> Object {
        let Self { status, scim_type, detail, log_line: _ } = self;
        let mut object = Object::with_capacity(4);
        object.insert("schemas", vec![urn::ERROR]);
        object.insert("status", status.as_str());
        if let Some(scim_type) = scim_type {
            object.insert("scimType", scim_type.as_str());
        }
        if let Some(detail) = detail {
            object.insert("detail", detail.as_str());
        }
        object
    }

    /// The message as compact JSON.
    #[must_use]
    pub fn to_json(&self) -> String {
        self.to_object().to_string()
    }

    /// The response with this message in the body, its status and its `Content-Type`.
    #[must_use]
    pub fn to_response<B: From<Vec<u8>>>(&self, media_type: MediaType) -> http::Response<B> {
        let mut response = http::Response::new(B::from(self.to_json().into_bytes()));
        *response.status_mut() = self.status;
        response.headers_mut().insert(CONTENT_TYPE, media_type.to_header_value());
        response
    }
}

macro_rules! from_errors_with_a_scim_type {
    ($($(#[$doc:meta])* $error:ty,)*) => {$(
        impl From<$error> for ErrorResponse {
            $(#[$doc])*
            fn from(error: $error) -> Self {
                let detail = Detail::new(error.to_string(), error.log_line());
                Self::of_scim_type(error.scim_type(), detail)
            }
        }
    )*};
}

from_errors_with_a_scim_type! {
    MessageError,
    ValidationError,
    /// `invalidFilter`, or `invalidPath` if the path around a filter is at fault (A-13).
    FilterError,
    ResolveError,
    PatchError,
}

impl From<JsonError> for ErrorResponse {
    fn from(error: JsonError) -> Self {
        MessageError::from(error).into()
    }
}

impl From<UnsupportedMediaType> for ErrorResponse {
    fn from(error: UnsupportedMediaType) -> Self {
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE).with_detail(Detail::of_names(error.to_string()))
    }
}

impl PartialEq for ErrorResponse {
    /// Compares the members of the message.
    fn eq(&self, other: &Self) -> bool {
        let Self { status, scim_type, detail, log_line: _ } = self;
        *status == other.status && *scim_type == other.scim_type && *detail == other.detail
    }
}

impl Eq for ErrorResponse {}

impl fmt::Display for ErrorResponse {
    /// Writes `409 uniqueness: the userName is taken`, at most [`MAX_DETAIL_CHARS`](Self::MAX_DETAIL_CHARS) characters of
    /// the detail and no line break.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.status.as_str())?;
        if let Some(scim_type) = &self.scim_type {
            write!(f, " {scim_type}")?;
        }
        match &self.detail {
            Some(detail) => write!(f, ": {}", one_line(detail, Self::MAX_DETAIL_CHARS)),
            None => Ok(()),
        }
    }
}

impl Serialize for ErrorResponse {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { status, scim_type, detail, log_line: _ } = self;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("schemas", &[urn::ERROR])?;
        map.serialize_entry("status", status.as_str())?;
        if let Some(scim_type) = scim_type {
            map.serialize_entry("scimType", scim_type)?;
        }
        if let Some(detail) = detail {
            map.serialize_entry("detail", detail)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for ErrorResponse {
    /// Reads a message with a status. [`from_object`](Self::from_object) tolerates more.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let object = Object::deserialize(deserializer)?;
        let status = object
            .get("status")
            .and_then(status_from_value)
            .ok_or_else(|| D::Error::custom("expected an HTTP status in `status` of an Error"))?;
        Ok(Self {
            status,
            scim_type: object.get_str("scimType").map(ScimType::from),
            detail: object.get_str("detail").map(str::to_owned),
            log_line: None,
        })
    }
}

#[cfg(feature = "schemars")]
impl schemars::JsonSchema for ErrorResponse {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Error".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "object",
            "required": ["schemas", "status"],
            "properties": {
                "schemas": { "type": "array", "contains": { "const": urn::ERROR } },
                "status": { "type": "string", "pattern": "^[1-9][0-9]{2}$" },
                "scimType": generator.subschema_for::<ScimType>(),
                "detail": { "type": "string" }
            }
        })
    }
}

/// The status in a message: a string, a number, or an object with `code` (A-17).
pub(crate) fn status_from_value(value: &Value) -> Option<StatusCode> {
    match value {
        Value::String(text) => StatusCode::from_bytes(text.trim().as_bytes()).ok(),
        Value::Number(number) => StatusCode::from_u16(number.as_u64()?.try_into().ok()?).ok(),
        // One level only: `code` is a string or a number.
        Value::Object(object) => match object.get("code")? {
            Value::Object(_) => None,
            code => status_from_value(code),
        },
        _ => None,
    }
}
