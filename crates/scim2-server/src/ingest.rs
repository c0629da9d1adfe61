//! From the body of a resource to what a store keeps. POST, PUT, bulk operations and imports all read bodies here.

use std::fmt;

use scim2_core::validate::{Canonical, Ignored, Purpose, ValidationError};
use scim2_core::{
    AttributeId, Compat, CompiledType, Object, Owner, Quirk, Registry, ResourceId, ScimType, Value,
};
use scim2_protocol::ErrorResponse;

use crate::ports::prepare_password;
use crate::references;

/// The name of the attribute whose value is a clear password.
pub(crate) const PASSWORD: &str = "password";

/// Reads the bodies of resources.
///
/// ```
/// use scim2_core::validate::Purpose;
/// use scim2_core::{Compat, Registry};
/// use scim2_server::ingest::Ingest;
///
/// let registry = Registry::standard();
/// let group = registry.resource_type("Group").expect("a standard type");
/// let compat = Compat::default();
/// let ingest = Ingest::new(&registry, &compat);
///
/// let body = serde_json::from_str(r#"{"displayName":"Tour","members":[{"value":"a"}]}"#)?;
/// let tour = ingest.body(group, body, Purpose::Create)?;
/// assert_eq!(tour.body.get_str("displayName"), Some("Tour"));
/// assert!(!tour.body.contains("members"));
/// assert_eq!(tour.members[0].value(), "a");
///
/// let body = serde_json::from_str(r#"{"members":[]}"#)?;
/// assert!(ingest.body(group, body, Purpose::Create).is_err()); // no `displayName`
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Ingest<'a> {
    registry: &'a Registry,
    compat: &'a Compat,
    exported_members: bool,
}

/// The body of a resource in canonical form, split into the parts that a store keeps apart.
#[derive(Debug)]
#[non_exhaustive]
pub struct Ingested {
    /// The attributes without `meta`, members, groups and never-returned attributes.
    pub body: Object,
    /// The never-returned attributes that the body sets, except a clear password.
    pub never_returned: Object,
    /// The clear password that the body sets. Its hash belongs to [`never_returned`](Self::never_returned).
    pub password: Option<ClearPassword>,
    /// The never-returned attributes that the body unassigns.
    pub cleared: Vec<AttributeId>,
    /// The top-level attributes that the body mentions, including those that it unassigns.
    pub mentioned: Vec<AttributeId>,
    /// The members that the body lists.
    pub members: Vec<MemberInput>,
    /// The top-level attributes that the body sets, and the sub-attributes returned `request` that it gives.
    pub written: Vec<AttributeId>,
    /// What was left out.
    pub ignored: Vec<Ignored>,
    /// The deviations that were tolerated, each with the attribute or URI that needed it.
    pub leniencies: Vec<(Quirk, String)>,
}

impl<'a> Ingest<'a> {
    /// Reads bodies of resource types of this registry, as tolerant as `compat`.
    #[must_use]
    pub const fn new(registry: &'a Registry, compat: &'a Compat) -> Self {
        Self { registry, compat, exported_members: false }
    }

    /// Reads members as exports of SCIM servers write them: the `type` of a member is kept as a hint, and a member
    /// without `value` is named by the end of its `$ref`. Members are not compared with the schema, which would take
    /// most of the time of an import.
    #[must_use]
    pub const fn with_exported_members(self) -> Self {
        Self { exported_members: true, ..self }
    }

    /// Brings the body of a resource into canonical form and splits it.
    ///
    /// # Errors
    /// If the body breaks a rule of the schema, or a member has no `value`.
    pub fn body(
        &self,
        type_: &CompiledType,
        mut body: Object,
        purpose: Purpose<'_>,
    ) -> Result<Ingested, IngestError> {
        let members_name = type_.members().map(|id| type_.attribute(id).name());
        let exported = members_name.filter(|_| self.exported_members).and_then(|name| body.remove(name));
        let canonical = type_.canonicalize(body, purpose, self.compat).map_err(Kind::Invalid)?;
        let Canonical { object: mut body, ignored, leniencies, cleared, mentioned, given_on_request, .. } =
            canonical;
        references::settle(self.registry, type_, &mut body);
        // What a replace carried over was not written by the client.
        let mut written = top_level(type_, &body);
        written.retain(|id| mentioned.contains(id));
        written.extend(given_on_request);
        let mut never_returned = type_.take_never_returned(&mut body);
        let password = ClearPassword::take(&mut never_returned);
        let members = match (exported, members_name.and_then(|name| body.remove(name))) {
            (Some(members), _) => self.exported_members(type_, &members)?,
            (None, Some(members)) => inputs(&members)?,
            (None, None) => Vec::new(),
        };
        Ok(Ingested {
            body,
            never_returned,
            password,
            cleared,
            mentioned,
            members,
            written,
            ignored,
            leniencies,
        })
    }

    /// Reads members as [`with_exported_members`](Self::with_exported_members) says.
    ///
    /// # Errors
    /// If a member names no id, or has a string that is longer than the limit of the resource type.
    pub fn exported_members(
        &self,
        type_: &CompiledType,
        members: &Value,
    ) -> Result<Vec<MemberInput>, IngestError> {
        let limit = type_.string_limits().max_string;
        let found = longest_string(members);
        if found > limit {
            return Err(Kind::LongMember { limit, found }.into());
        }
        members.values().map(|member| self.exported_member(member.as_object())).collect()
    }

    fn exported_member(&self, member: Option<&Object>) -> Result<MemberInput, IngestError> {
        let reference = text(member, "$ref").and_then(|uri| uri.rsplit('/').next());
        let value = text(member, "value").or(reference).ok_or(Kind::MemberWithoutValue)?;
        let resource_type = text(member, "type").and_then(|name| self.registry.resource_type(name));
        Ok(MemberInput {
            value: value.into(),
            resource_type: resource_type.map(|type_| type_.name().into()),
            display: text(member, "display").map(Into::into),
        })
    }
}

/// A member of a group as a client sent it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberInput {
    value: Box<str>,
    resource_type: Option<Box<str>>,
    display: Option<Box<str>>,
}

impl MemberInput {
    /// The id of the member, which need not be an id of ours.
    #[must_use]
    pub fn value(&self) -> &str {
        &self.value
    }

    /// The name of the resource type that an export gives. In a request it is computed, whatever the client sends.
    #[must_use]
    pub fn resource_type(&self) -> Option<&str> {
        self.resource_type.as_deref()
    }

    /// The display name that the client gives.
    #[must_use]
    pub fn display(&self) -> Option<&str> {
        self.display.as_deref()
    }

    /// The id and the display name.
    pub(crate) fn into_parts(self) -> (Box<str>, Option<Box<str>>) {
        (self.value, self.display)
    }
}

/// Reads the values of `members` in canonical form.
pub(crate) fn inputs(members: &Value) -> Result<Vec<MemberInput>, IngestError> {
    members.values().map(|member| input(member.as_object())).collect()
}

/// Reads members that are objects in canonical form.
pub(crate) fn inputs_of(members: &[Object]) -> Result<Vec<MemberInput>, IngestError> {
    members.iter().map(|member| input(Some(member))).collect()
}

fn input(member: Option<&Object>) -> Result<MemberInput, IngestError> {
    let value = text(member, "value").ok_or(Kind::MemberWithoutValue)?;
    Ok(MemberInput {
        value: value.into(),
        resource_type: None,
        display: text(member, "display").map(Into::into),
    })
}

fn text<'o>(object: Option<&'o Object>, name: &str) -> Option<&'o str> {
    object.and_then(|object| object.get_str(name)).filter(|text| !text.is_empty())
}

/// The bytes of the longest string in a value. JSON nests no deeper than its reader allows.
#[must_use]
pub fn longest_string(value: &Value) -> usize {
    match value {
        Value::String(text) => text.len(),
        Value::Array(values) => values.iter().map(longest_string).max().unwrap_or_default(),
        Value::Object(object) => {
            object.iter().map(|(_, value)| longest_string(value)).max().unwrap_or_default()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
    }
}

/// A password as a client sent it. It is not printed.
pub struct ClearPassword(String);

impl ClearPassword {
    /// Takes the clear password out of the never-returned attributes.
    pub(crate) fn take(never_returned: &mut Object) -> Option<Self> {
        match never_returned.remove(PASSWORD)? {
            Value::String(clear) => Some(Self(clear)),
            other => {
                never_returned.insert(PASSWORD, other);
                None
            }
        }
    }

    /// The password as it must be hashed ([RFC 8265 §4.2](https://www.rfc-editor.org/rfc/rfc8265#section-4.2)).
    ///
    /// # Errors
    /// If it is empty, or the PRECIS profile OpaqueString refuses it.
    pub fn prepare(&self) -> Result<String, IngestError> {
        prepare_password(&self.0).ok_or_else(|| Kind::Password.into())
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn into_string(self) -> String {
        self.0
    }
}

impl fmt::Debug for ClearPassword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClearPassword(…)")
    }
}

/// A body with its `id` behind `schemas`, where the canonical form has it.
#[must_use]
pub fn with_id(body: Object, id: &ResourceId) -> Object {
    let mut with_id = Object::with_capacity(body.len() + 1);
    for (at, (name, value)) in body.into_iter().enumerate() {
        if at == 1 {
            with_id.insert("id", id.as_str());
        }
        with_id.insert(name, value);
    }
    with_id.insert("id", id.as_str());
    with_id
}

/// The top-level attributes of a body in canonical form.
fn top_level(type_: &CompiledType, body: &Object) -> Vec<AttributeId> {
    let mut found = Vec::with_capacity(body.len());
    for (name, value) in body.iter() {
        match (type_.find_extension(name), value) {
            (Some(extension), Value::Object(attributes)) => {
                let owner = Owner::Extension(extension);
                found.extend(attributes.iter().filter_map(|(name, _)| type_.find_in(owner, name)));
            }
            _ => found.extend(type_.find(None, name, None)),
        }
    }
    found
}

/// Why a body cannot be stored.
#[derive(Debug, Clone, PartialEq)]
pub struct IngestError(Box<Kind>);

#[derive(Debug, Clone, PartialEq)]
enum Kind {
    Invalid(ValidationError),
    MemberWithoutValue,
    LongMember { limit: usize, found: usize },
    Password,
}

impl IngestError {
    /// The line for a log: names and types, never values.
    #[must_use]
    pub fn log_line(&self) -> String {
        match &*self.0 {
            Kind::Invalid(error) => error.log_line(),
            _ => self.to_string(),
        }
    }
}

impl From<Kind> for IngestError {
    fn from(kind: Kind) -> Self {
        Self(Box::new(kind))
    }
}

impl fmt::Display for IngestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.0 {
            Kind::Invalid(error) => error.fmt(f),
            Kind::MemberWithoutValue => f.write_str("expected an id in `value` of each of the `members`"),
            Kind::LongMember { limit, found } => {
                write!(f, "`members`: expected strings of at most {limit} bytes, found one of {found}")
            }
            Kind::Password => f.write_str(
                "`password` is empty or holds characters that the PRECIS profile OpaqueString refuses",
            ),
        }
    }
}

impl std::error::Error for IngestError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &*self.0 {
            Kind::Invalid(error) => Some(error),
            Kind::MemberWithoutValue | Kind::LongMember { .. } | Kind::Password => None,
        }
    }
}

impl From<IngestError> for ErrorResponse {
    fn from(error: IngestError) -> Self {
        match *error.0 {
            Kind::Invalid(error) => error.into(),
            _ => {
                let line = scim2_protocol::Detail::of_names(error.to_string());
                Self::of_scim_type(ScimType::InvalidValue, line)
            }
        }
    }
}
