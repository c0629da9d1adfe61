use std::collections::HashSet;

use scim2_core::{Compat, Object, Quirk, Value};
use serde::de::{Deserialize, Deserializer, Error as _};
use serde::ser::{Serialize, SerializeMap, Serializer};

use super::BulkMethod;
use crate::message::{Members, Note};
use crate::message_error::{MessageError, MessageErrorKind};
use crate::urn;

/// A request with many operations
/// ([RFC 7644 §3.7](https://www.rfc-editor.org/rfc/rfc7644#section-3.7)).
///
/// ```
/// use scim2_core::Object;
/// use scim2_protocol::{BulkOperation, BulkRequest};
///
/// let ada = Object::from_iter([("userName", "ada")]);
/// let request = BulkRequest::new(vec![
///     BulkOperation::create("/Users", "a", ada),
///     BulkOperation::delete("/Users/2819c223"),
/// ])
/// .fail_on_errors(1);
/// assert_eq!(BulkOperation::reference("a"), "bulkId:a"); // stands for the id of the new resource
///
/// let json = serde_json::to_string(&request)?;
/// assert_eq!(serde_json::from_str::<BulkRequest>(&json)?, request);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct BulkRequest {
    /// After how many errors the service provider stops. Without it, all operations are tried.
    pub fail_on_errors: Option<u64>,
    /// The operations, in order.
    pub operations: Vec<BulkOperation>,
}

/// One operation of a [`BulkRequest`].
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct BulkOperation {
    /// The method.
    pub method: BulkMethod,
    /// The endpoint for a POST, or the resource for the other methods, below the base URI: `/Users/2819c223`.
    pub path: String,
    /// The name by which other operations refer to the new resource. Each POST has one.
    pub bulk_id: Option<String>,
    /// The version that the resource must have, as an entity tag.
    pub version: Option<String>,
    /// The body of the single request. A DELETE has none.
    pub data: Option<Value>,
}

/// The target of a [`BulkOperation`]'s path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BulkTarget<'a> {
    /// The endpoint with its leading slash: `/Users`.
    pub endpoint: &'a str,
    /// The id of a resource, or `bulkId:` and the name of a resource that the same request creates (A-19).
    pub id: Option<&'a str>,
}

impl BulkRequest {
    /// A request for these operations.
    #[must_use]
    pub fn new(operations: Vec<BulkOperation>) -> Self {
        Self { fail_on_errors: None, operations }
    }

    /// Stops after `errors` failed operations. 0 counts as 1.
    #[must_use]
    pub fn fail_on_errors(mut self, errors: u64) -> Self {
        self.fail_on_errors = Some(errors.max(1));
        self
    }

    /// Reads the message.
    ///
    /// A mistake in one operation, such as an unknown path or missing `data`, is an error
    /// when that operation runs. A mistake that makes the whole request ambiguous is an error here.
    ///
    /// # Errors
    /// [`Schemas`](crate::MessageErrorKind::Schemas) and [`UnknownMember`](crate::MessageErrorKind::UnknownMember)
    /// as `compat` says; [`MissingMember`](crate::MessageErrorKind::MissingMember) without `Operations`,
    /// or an operation without `method`, `path`, or, if it is a POST, `bulkId`;
    /// [`UnknownMethod`](crate::MessageErrorKind::UnknownMethod);
    /// [`InvalidValue`](crate::MessageErrorKind::InvalidValue) for a `failOnErrors` below 1 and a `bulkId` that occurs twice or is empty; [`WrongType`](crate::MessageErrorKind::WrongType).
    pub fn from_object(message: Object, compat: &Compat) -> Result<Self, MessageError> {
        Self::from_object_noting(message, compat, &mut |_, _| {})
    }

    /// The same, and reports which quirks were needed, and for which members: the URI in `schemas` is missing or misspelled
    /// ([`PatchNoSchemas`](scim2_core::Quirk::PatchNoSchemas), [`UrnWrong`](scim2_core::Quirk::UrnWrong)), or a
    /// member is unknown ([`UnknownKeys`](scim2_core::Quirk::UnknownKeys)).
    ///
    /// # Errors
    /// As [`from_object`](Self::from_object).
    pub fn from_object_noting(
        message: Object,
        compat: &Compat,
        note: &mut dyn FnMut(Quirk, &str),
    ) -> Result<Self, MessageError> {
        let mut members = Members::of_message("a BulkRequest", urn::BULK_REQUEST, message, compat, note)?;
        let fail_on_errors = match members.take_integer("failOnErrors")? {
            None => None,
            Some(errors) => {
                Some(u64::try_from(errors).ok().filter(|errors| *errors > 0).ok_or_else(|| {
                    MessageError::invalid_value("failOnErrors", "an integer above 0", &errors.to_string())
                })?)
            }
        };
        let operations = members.take_array("Operations")?.filter(|operations| !operations.is_empty());
        let operations = members.required("Operations", operations)?;
        members.finish(compat, note)?;

        let operations: Vec<BulkOperation> = operations
            .into_iter()
            .map(|operation| BulkOperation::from_value(operation, compat, note))
            .collect::<Result<_, _>>()?;
        let mut seen = HashSet::new();
        for bulk_id in operations.iter().filter_map(|operation| operation.bulk_id.as_deref()) {
            if bulk_id.is_empty() || !seen.insert(bulk_id) {
                let expected = "a name of its own for each operation";
                return Err(MessageError::invalid_value("bulkId", expected, bulk_id));
            }
        }
        Ok(Self { fail_on_errors, operations })
    }
}

impl BulkOperation {
    /// Creates `resource` at an endpoint such as `/Users`. Other operations refer to it by `bulk_id`.
    #[must_use]
    pub fn create(
        endpoint: impl Into<String>,
        bulk_id: impl Into<String>,
        resource: impl Into<Value>,
    ) -> Self {
        Self {
            bulk_id: Some(bulk_id.into()),
            data: Some(resource.into()),
            ..Self::new(BulkMethod::Post, endpoint.into())
        }
    }

    /// Replaces the resource at a path such as `/Users/2819c223`.
    #[must_use]
    pub fn replace(path: impl Into<String>, resource: impl Into<Value>) -> Self {
        Self { data: Some(resource.into()), ..Self::new(BulkMethod::Put, path.into()) }
    }

    /// Modifies the resource at a path by a PATCH message.
    #[must_use]
    pub fn patch(path: impl Into<String>, patch_op: impl Into<Value>) -> Self {
        Self { data: Some(patch_op.into()), ..Self::new(BulkMethod::Patch, path.into()) }
    }

    /// Deletes the resource at a path.
    #[must_use]
    pub fn delete(path: impl Into<String>) -> Self {
        Self::new(BulkMethod::Delete, path.into())
    }

    /// Requires that the resource has a version.
    #[must_use]
    pub fn if_match(mut self, version: &scim2_core::Version) -> Self {
        self.version = Some(version.to_etag());
        self
    }

    /// The text in place of an id that is not known yet
    /// ([RFC 7644 §3.7.2](https://www.rfc-editor.org/rfc/rfc7644#section-3.7.2)).
    #[must_use]
    pub fn reference(bulk_id: &str) -> String {
        format!("{}{bulk_id}", Self::REFERENCE)
    }

    /// The prefix of a [`reference`](Self::reference).
    pub const REFERENCE: &'static str = "bulkId:";

    /// The target of the path. `None` if it is not `/endpoint` or `/endpoint/id`.
    ///
    /// ```
    /// use scim2_protocol::{BulkOperation, BulkTarget};
    ///
    /// let operation = BulkOperation::delete("/Users/2819c223");
    /// assert_eq!(operation.target(), Some(BulkTarget { endpoint: "/Users", id: Some("2819c223") }));
    /// assert_eq!(BulkOperation::delete("/Users/1/2").target(), None);
    /// ```
    #[must_use]
    pub fn target(&self) -> Option<BulkTarget<'_>> {
        let below = self.path.strip_prefix('/')?;
        match below.split_once('/') {
            None if !below.is_empty() => Some(BulkTarget { endpoint: &self.path, id: None }),
            Some((endpoint, id)) if !endpoint.is_empty() && !id.is_empty() && !id.contains('/') => {
                Some(BulkTarget { endpoint: self.path.get(..=endpoint.len())?, id: Some(id) })
            }
            _ => None,
        }
    }

    fn new(method: BulkMethod, path: String) -> Self {
        Self { method, path, bulk_id: None, version: None, data: None }
    }

    fn from_value(value: Value, compat: &Compat, note: Note<'_>) -> Result<Self, MessageError> {
        let mut members = Members::of_part("a bulk operation", value)?;
        let method = members.take_string("method")?;
        let method = members.required("method", method)?;
        let method = BulkMethod::parse(&method).ok_or_else(|| {
            let expected = "`POST`, `PUT`, `PATCH` or `DELETE`";
            MessageError::unexpected(MessageErrorKind::UnknownMethod, "method", expected, &method)
        })?;
        let path = members.take_string("path")?;
        let path = members.required("path", path)?;
        let mut bulk_id = members.take_string("bulkId")?;
        if method == BulkMethod::Post {
            bulk_id = Some(members.required("bulkId", bulk_id)?);
        }
        let version = members.take_string("version")?;
        let data = members.take("data");
        members.finish(compat, note)?;
        Ok(Self { method, path, bulk_id, version, data })
    }
}

impl Serialize for BulkRequest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { fail_on_errors, operations } = self;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("schemas", &[urn::BULK_REQUEST])?;
        if let Some(errors) = fail_on_errors {
            map.serialize_entry("failOnErrors", errors)?;
        }
        map.serialize_entry("Operations", operations)?;
        map.end()
    }
}

impl Serialize for BulkOperation {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { method, path, bulk_id, version, data } = self;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("method", method.as_str())?;
        map.serialize_entry("path", path)?;
        if let Some(bulk_id) = bulk_id {
            map.serialize_entry("bulkId", bulk_id)?;
        }
        if let Some(version) = version {
            map.serialize_entry("version", version)?;
        }
        if let Some(data) = data {
            map.serialize_entry("data", data)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for BulkRequest {
    /// Reads with the tolerance of [`Compat::default`].
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::from_object(Object::deserialize(deserializer)?, &Compat::default()).map_err(D::Error::custom)
    }
}

#[cfg(feature = "schemars")]
impl schemars::JsonSchema for BulkRequest {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "BulkRequest".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "object",
            "required": ["schemas", "Operations"],
            "properties": {
                "schemas": { "type": "array", "contains": { "const": urn::BULK_REQUEST } },
                "failOnErrors": { "type": "integer", "minimum": 1 },
                "Operations": { "type": "array", "minItems": 1, "items": {
                    "type": "object",
                    "required": ["method", "path"],
                    "properties": {
                        "method": { "enum": ["POST", "PUT", "PATCH", "DELETE"] },
                        "path": { "type": "string" },
                        "bulkId": { "type": "string", "minLength": 1 },
                        "version": { "type": "string" },
                        "data": { "type": "object" }
                    }
                } }
            }
        })
    }
}
