//! Why a body or a value was refused.

use std::borrow::Cow;
use std::fmt;

use super::log_path;
use crate::compiled::AttributeDef;
use crate::scim_type::ScimType;
use crate::value::Value;

/// Why a body or a value does not fit its resource type.
///
/// The error line names the attribute, the expectation and what was found. For never-returned attributes
/// (passwords) it names the kind of the value and never the value.
///
/// ```
/// use scim2_core::validate::{Purpose, ValidationErrorKind};
/// use scim2_core::{Compat, Registry, ScimType};
///
/// let registry = Registry::standard();
/// let user = registry.resource_type("User").expect("built in");
/// let body = serde_json::from_str(r#"{"userName":"ada","active":"maybe"}"#)?;
/// let error = user.canonicalize(body, Purpose::Create, &Compat::default()).unwrap_err();
/// assert_eq!(error.kind(), ValidationErrorKind::Type);
/// assert_eq!(error.path(), "active");
/// assert_eq!(error.scim_type(), ScimType::InvalidValue);
/// assert_eq!(error.to_string(), "expected a boolean for `active`, found the string `maybe`");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValidationError {
    kind: ValidationErrorKind,
    path: Box<str>,
    expected: Cow<'static, str>,
    found: Box<str>,
}

/// The rule that a body or a value broke.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ValidationErrorKind {
    /// `schemas` is missing, or lacks the URI of the core schema.
    SchemasMissing,
    /// `schemas` is not a list of distinct URIs.
    SchemasMalformed,
    /// A schema URI is neither the resource type's nor one of its extensions.
    UnknownSchema,
    /// The body has attributes of an extension that `schemas` does not list.
    SchemaNotListed,
    /// No schema of the resource type knows the attribute.
    UnknownAttribute,
    /// An attribute is given twice, once with its schema's URI and once without.
    Repeated,
    /// A required attribute or extension has no value.
    Required,
    /// The value is not of the attribute's data type.
    Type,
    /// A singular attribute is given several values.
    TooManyValues,
    /// The value has the right type but not the right form.
    Format,
    /// The string has more bytes than the [limit](crate::compiled::StringLimits) of the attribute.
    TooLong,
    /// The value is not one of the canonical values (in the interoperability profile).
    NotCanonical,
    /// Two values of one attribute are primary.
    Primary,
    /// An immutable attribute would change.
    Mutability,
}

impl ValidationError {
    pub(crate) fn new(
        kind: ValidationErrorKind,
        path: &str,
        expected: impl Into<Cow<'static, str>>,
        found: impl AsRef<str>,
    ) -> Self {
        Self { kind, path: cut(path), expected: expected.into(), found: found.as_ref().into() }
    }

    /// An error about a value, which the line shows unless the attribute is never returned.
    pub(super) fn value(
        kind: ValidationErrorKind,
        def: &AttributeDef,
        expected: impl Into<Cow<'static, str>>,
        value: &Value,
    ) -> Self {
        Self::new(kind, def.path(), expected, describe(def, value))
    }

    /// The same error about a part of the attribute `name`.
    pub(crate) fn below(self, name: &str) -> Self {
        let path = match &*self.path {
            "" => name.into(),
            path => format!("{name}{}{path}", if name.contains(':') { ':' } else { '.' }).into(),
        };
        Self { path, ..self }
    }

    /// The rule that was broken.
    #[must_use]
    pub fn kind(&self) -> ValidationErrorKind {
        self.kind
    }

    /// The attribute or schema at fault: a path in standard notation where the schema knows it,
    /// else what the peer wrote, cut short.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The keyword of the error response
    /// ([RFC 7644 §3.12](https://www.rfc-editor.org/rfc/rfc7644#section-3.12)).
    #[must_use]
    pub fn scim_type(&self) -> ScimType {
        match self.kind {
            ValidationErrorKind::SchemasMissing
            | ValidationErrorKind::SchemasMalformed
            | ValidationErrorKind::UnknownSchema
            | ValidationErrorKind::SchemaNotListed
            | ValidationErrorKind::UnknownAttribute
            | ValidationErrorKind::Repeated => ScimType::InvalidSyntax,
            ValidationErrorKind::Required
            | ValidationErrorKind::Type
            | ValidationErrorKind::TooManyValues
            | ValidationErrorKind::Format
            | ValidationErrorKind::TooLong
            | ValidationErrorKind::NotCanonical
            | ValidationErrorKind::Primary => ScimType::InvalidValue,
            ValidationErrorKind::Mutability => ScimType::Mutability,
        }
    }
}

impl ValidationError {
    /// The error line without the value that was found, for logs: a response goes to the client that sent the
    /// value, a log to others.
    ///
    /// ```
    /// use scim2_core::validate::Purpose;
    /// use scim2_core::{Compat, Registry};
    ///
    /// let registry = Registry::standard();
    /// let user = registry.resource_type("User").expect("built in");
    /// let body = serde_json::from_str(r#"{"userName":"ada","active":"maybe"}"#)?;
    /// let error = user.canonicalize(body, Purpose::Create, &Compat::default()).unwrap_err();
    /// assert_eq!(error.log_line(), "expected a boolean for `active`");
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    #[must_use]
    pub fn log_line(&self) -> String {
        let Self { kind, path, expected, found: _ } = self;
        let path = log_path(path);
        match kind {
            // These show names of attributes and schemas, and sizes, but no values.
            ValidationErrorKind::SchemaNotListed
            | ValidationErrorKind::TooManyValues
            | ValidationErrorKind::TooLong
            | ValidationErrorKind::UnknownAttribute
            | ValidationErrorKind::Repeated => Self { path: path.into(), ..self.clone() }.to_string(),
            ValidationErrorKind::Required => format!("`{path}` is required"),
            // The expectation would show the value that the resource has.
            ValidationErrorKind::Mutability => format!("`{path}` is immutable"),
            ValidationErrorKind::SchemasMissing
            | ValidationErrorKind::SchemasMalformed
            | ValidationErrorKind::UnknownSchema
            | ValidationErrorKind::Type
            | ValidationErrorKind::Format
            | ValidationErrorKind::NotCanonical
            | ValidationErrorKind::Primary => format!("expected {expected} for `{path}`"),
        }
    }
}

impl fmt::Display for ValidationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, path, expected, found } = self;
        let path = path.escape_debug();
        match kind {
            ValidationErrorKind::SchemaNotListed => {
                write!(f, "expected `schemas` to list `{path}`, of which the body has attributes")
            }
            ValidationErrorKind::UnknownAttribute => {
                write!(f, "expected an attribute of {expected}, found `{path}`")
            }
            ValidationErrorKind::Required => {
                write!(f, "`{path}` is required, expected {expected}, found {found}")
            }
            ValidationErrorKind::Repeated => write!(f, "`{path}` is given twice"),
            ValidationErrorKind::Mutability => {
                write!(f, "`{path}` is immutable, expected {expected}, found {found}")
            }
            ValidationErrorKind::SchemasMissing
            | ValidationErrorKind::SchemasMalformed
            | ValidationErrorKind::UnknownSchema
            | ValidationErrorKind::Type
            | ValidationErrorKind::TooManyValues
            | ValidationErrorKind::Format
            | ValidationErrorKind::TooLong
            | ValidationErrorKind::NotCanonical
            | ValidationErrorKind::Primary => {
                write!(f, "expected {expected} for `{path}`, found {found}")
            }
        }
    }
}

impl std::error::Error for ValidationError {}

/// The kind of the value that was found. A short simple value is shown itself, unless it is secret.
fn describe(def: &AttributeDef, value: &Value) -> String {
    match value {
        _ if def.is_never_returned() => value.kind().to_owned(),
        Value::String(text) if text.is_empty() => "an empty string".to_owned(),
        Value::String(text) => format!("the string `{}`", cut(text).escape_debug()),
        Value::Number(number) => format!("the number `{}`", cut(&number.to_string())),
        Value::Bool(flag) => format!("the boolean `{flag}`"),
        Value::Null | Value::Array(_) | Value::Object(_) => value.kind().to_owned(),
    }
}

/// The most characters of a peer's text that an error line or a report repeats.
const MAX_SHOWN_CHARS: usize = 100;

pub(super) fn cut(text: &str) -> Box<str> {
    match text.char_indices().nth(MAX_SHOWN_CHARS) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()).into(),
        None => text.into(),
    }
}
