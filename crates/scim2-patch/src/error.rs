//! The error of a PATCH: the operation at fault, what was expected, and the `scimType`.

use std::fmt;

use scim2_core::ScimType;
use scim2_core::validate::{ValidationError, log_path};
use scim2_filter::{FilterError, ResolveError, ResolveErrorKind};

use crate::patch_op::Op;

/// Why a PATCH request was refused.
///
/// `{}` is one line that names the operation by its number, counted from 1, and never holds the
/// value of an attribute:
///
/// ```
/// use scim2_core::{Compat, Registry};
/// use scim2_patch::{PatchOp, apply};
///
/// let registry = Registry::standard();
/// let type_ = registry.resource_type("User").expect("a standard type");
/// let mut user = serde_json::from_str(r#"{"userName":"ada"}"#)?;
/// let op = PatchOp::new().replace("title", "Countess")?.remove("userName")?;
/// let error = apply(&op, &mut user, type_, &Compat::default()).unwrap_err();
/// assert_eq!(error.to_string(), "operation 2 (remove userName): the required attribute `userName` cannot be removed");
/// assert_eq!(error.scim_type().as_str(), "mutability");
/// assert!(!user.contains("title")); // all or nothing
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct PatchError {
    kind: PatchErrorKind,
    operation: Option<usize>,
    op: Option<Op>,
    path: Option<Box<str>>,
}

/// What is wrong with a PATCH request. Attributes are named by their path in the schema's spelling.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum PatchErrorKind {
    /// `schemas` of the message lacks the URI of PatchOp.
    Schemas,
    /// `Operations` is not an array with at least one operation.
    Operations,
    /// There are more operations than this limit.
    TooManyOperations(usize),
    /// The operations would read or copy more bytes than the `work` of [`apply_within`](crate::apply_within) allows.
    TooMuchWork,
    /// An operation does not have the form of an operation. The text says what was expected.
    Operation(&'static str),
    /// A member that PatchOp does not have, where that is not tolerated. The name of the member.
    UnknownKey(Box<str>),
    /// The path does not follow the grammar.
    Path(FilterError),
    /// The path has a number in brackets. SCIM has no array index (S-3.5.2-07).
    Index,
    /// A path, or a key of a path-less value, names no attribute of the resource type.
    UnknownAttribute(Box<str>),
    /// The path has a filter, but its attribute is singular and simple, so there are no values to choose from.
    NoElements(Box<str>),
    /// The path is the URI of the base schema, which names the whole resource and not an attribute.
    WholeResource(Box<str>),
    /// The path names nothing that the resource type has, or its filter does not fit the attribute.
    Resolve(ResolveError),
    /// The value does not fit the attribute.
    Value(ValidationError),
    /// A value names an attribute that no schema has, which the interoperability profile refuses as malformed
    /// (I-5.3-01).
    Unknown(ValidationError),
    /// `remove` has no path.
    NoPath,
    /// The filter in the path matches no value, and the operation cannot create one from it.
    NoTarget,
    /// `add` or `replace` has no value.
    NoValue,
    /// The value does not fit the attribute.
    InvalidValue {
        /// The attribute.
        attribute: Box<str>,
        /// What was expected, and what kind of value was found.
        reason: Box<str>,
    },
    /// The value of an operation without path, or on a whole extension, is not an object.
    NotAnObject,
    /// The resource type has no extension with this URI, so `schemas` cannot name it.
    UnknownSchema(Box<str>),
    /// The operation would remove the base schema from `schemas`.
    BaseSchema,
    /// The attribute is readOnly.
    ReadOnly(Box<str>),
    /// The attribute is immutable and has another value.
    Immutable(Box<str>),
    /// The attribute is immutable and has a value that the operation would remove.
    ImmutableRemoved(Box<str>),
    /// The attribute is immutable, has a value, and is returned `never`. A new value is refused even if it is the same,
    /// so that the error does not confirm a guess.
    NeverReturnedImmutable(Box<str>),
    /// The attribute is required, and the operation would unassign it.
    Required(Box<str>),
    /// `remove` has a value, where that is not tolerated.
    RemoveWithValue,
    /// An operation without a path, which the interoperability profile refuses.
    PathlessRefused,
    /// A path with a filter and without a sub-attribute after it, which the interoperability profile refuses.
    FilterWithoutSubAttribute,
}

impl PatchErrorKind {
    /// Says whether the path of an operation, or the filter in it, holds a name that the resource type
    /// does not have, or that several of its extensions have.
    pub(crate) fn is_unknown_name(&self) -> bool {
        match self {
            Self::UnknownAttribute(_) => true,
            Self::Resolve(error) => matches!(
                error.kind(),
                ResolveErrorKind::UnknownAttribute
                    | ResolveErrorKind::UnknownSchema
                    | ResolveErrorKind::NotComplex
                    | ResolveErrorKind::Ambiguous
            ),
            _ => false,
        }
    }

    /// Says whether a short name stands for attributes of several extensions.
    pub(crate) fn is_ambiguous(&self) -> bool {
        matches!(self, Self::Resolve(error) if error.kind() == ResolveErrorKind::Ambiguous)
    }
}

impl PatchError {
    pub(crate) fn new(kind: PatchErrorKind) -> Self {
        Self { kind, operation: None, op: None, path: None }
    }

    /// The error of a malformed path. A number in brackets has a kind of its own.
    pub(crate) fn path(text: &str, error: FilterError) -> Self {
        let brackets = text.split_once('[').and_then(|(_, rest)| rest.split_once(']'));
        let index = brackets.is_some_and(|(inner, _)| inner.trim().parse::<i64>().is_ok());
        Self::new(if index { PatchErrorKind::Index } else { PatchErrorKind::Path(error) })
    }

    pub(crate) fn in_operation(mut self, number: usize) -> Self {
        self.operation = Some(number);
        self
    }

    pub(crate) fn at(mut self, number: usize, op: Op, path: Option<&str>) -> Self {
        self.operation = Some(number);
        self.op = Some(op);
        self.path = path.map(Into::into);
        self
    }

    /// What is wrong.
    #[must_use]
    pub fn kind(&self) -> &PatchErrorKind {
        &self.kind
    }

    /// The number of the operation at fault, counted from 1. `None` if the whole message is at fault.
    #[must_use]
    pub fn operation(&self) -> Option<usize> {
        self.operation
    }

    /// The path of the operation at fault, if it has one.
    #[must_use]
    pub fn operation_path(&self) -> Option<&str> {
        self.path.as_deref()
    }

    /// The keyword of the SCIM error
    /// ([RFC 7644 §3.12](https://www.rfc-editor.org/rfc/rfc7644#section-3.12)). The status is 400 for
    /// all except [`TooManyOperations`](PatchErrorKind::TooManyOperations), for which 413 is better.
    #[must_use]
    pub fn scim_type(&self) -> ScimType {
        match &self.kind {
            PatchErrorKind::Schemas
            | PatchErrorKind::Operations
            | PatchErrorKind::Operation(_)
            | PatchErrorKind::UnknownKey(_)
            | PatchErrorKind::RemoveWithValue
            | PatchErrorKind::Unknown(_)
            | PatchErrorKind::PathlessRefused => ScimType::InvalidSyntax,
            PatchErrorKind::TooManyOperations(_) | PatchErrorKind::TooMuchWork => ScimType::TooMany,
            PatchErrorKind::Path(error) => error.scim_type(),
            PatchErrorKind::Resolve(error) => error.scim_type(),
            // An unknown attribute in a value is not a syntax error: the message is well-formed.
            PatchErrorKind::Value(error) => match error.scim_type() {
                ScimType::InvalidSyntax => ScimType::InvalidValue,
                other => other,
            },
            PatchErrorKind::Index
            | PatchErrorKind::UnknownAttribute(_)
            | PatchErrorKind::NoElements(_)
            | PatchErrorKind::WholeResource(_)
            | PatchErrorKind::FilterWithoutSubAttribute => ScimType::InvalidPath,
            PatchErrorKind::NoPath | PatchErrorKind::NoTarget => ScimType::NoTarget,
            PatchErrorKind::NoValue
            | PatchErrorKind::InvalidValue { .. }
            | PatchErrorKind::NotAnObject
            | PatchErrorKind::UnknownSchema(_) => ScimType::InvalidValue,
            PatchErrorKind::BaseSchema
            | PatchErrorKind::ReadOnly(_)
            | PatchErrorKind::Immutable(_)
            | PatchErrorKind::ImmutableRemoved(_)
            | PatchErrorKind::NeverReturnedImmutable(_)
            | PatchErrorKind::Required(_) => ScimType::Mutability,
        }
    }
}

impl PatchError {
    /// The line for logs: without filters of paths and without values.
    ///
    /// ```
    /// use scim2_core::{Compat, Registry};
    /// use scim2_patch::{PatchOp, apply};
    ///
    /// let registry = Registry::standard();
    /// let type_ = registry.resource_type("User").expect("a standard type");
    /// let mut user = serde_json::from_str(r#"{"userName":"ada"}"#)?;
    /// let op = PatchOp::new().replace(r#"emails[value eq "ada@example.com"].colour"#, "red")?;
    /// let error = apply(&op, &mut user, type_, &Compat::strict()).unwrap_err();
    /// assert!(error.log_line().starts_with("operation 1 (replace emails[…].colour): "));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn log_line(&self) -> String {
        let mut line = String::new();
        if let Some(number) = self.operation {
            line = match (self.op, &self.path) {
                (Some(op), Some(path)) => format!("operation {number} ({op} {}): ", log_path(path)),
                (Some(op), None) => format!("operation {number} ({op}): "),
                (None, _) => format!("operation {number}: "),
            };
        }
        line + &self.kind.log_line()
    }
}

impl PatchErrorKind {
    fn log_line(&self) -> String {
        match self {
            Self::Path(error) => error.log_line(),
            Self::Resolve(error) => error.log_line(),
            Self::Value(error) | Self::Unknown(error) => error.log_line(),
            Self::UnknownAttribute(path) => {
                format!("the resource type has no attribute `{}`", log_path(path))
            }
            Self::UnknownKey(name) => format!("`{}` is not a member of a PatchOp message", log_path(name)),
            Self::UnknownSchema(_) => "the resource type has no schema of that URI".to_owned(),
            Self::WholeResource(_) => "expected an attribute, found the resource itself".to_owned(),
            other => other.to_string(),
        }
    }
}

impl fmt::Display for PatchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(number) = self.operation {
            write!(f, "operation {number}")?;
            match (self.op, &self.path) {
                (Some(op), Some(path)) => write!(f, " ({op} {})", cut(path))?,
                (Some(op), None) => write!(f, " ({op})")?,
                (None, _) => {}
            }
            f.write_str(": ")?;
        }
        self.kind.fmt(f)
    }
}

impl fmt::Display for PatchErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Schemas => write!(f, "expected `schemas` to hold `{}`", crate::PatchOp::SCHEMA),
            Self::Operations => f.write_str("expected `Operations` to be an array of at least one operation"),
            Self::TooManyOperations(limit) => write!(f, "expected at most {limit} operations"),
            Self::TooMuchWork => f.write_str(
                "expected fewer operations at once, or shorter filters and values: split the request",
            ),
            Self::Operation(expected) => write!(f, "expected {expected}"),
            Self::UnknownKey(name) => write!(f, "`{}` is not a member of a PatchOp message", cut(name)),
            Self::Path(error) => error.fmt(f),
            Self::Index => f.write_str("expected a filter within the brackets, found a number"),
            Self::UnknownAttribute(path) => {
                write!(f, "the resource type has no attribute `{}`", cut(path))
            }
            Self::NoElements(path) => {
                write!(f, "`{path}` has at most one simple value, so its path cannot have a filter")
            }
            Self::WholeResource(path) => {
                write!(f, "expected an attribute, found the resource itself, which `{}` names", cut(path))
            }
            Self::Resolve(error) => error.fmt(f),
            Self::Value(error) | Self::Unknown(error) => error.fmt(f),
            Self::NoPath => f.write_str("expected `path`: `remove` needs one"),
            Self::NoTarget => f.write_str("the filter matches no value"),
            Self::NoValue => f.write_str("expected `value`"),
            Self::InvalidValue { attribute, reason } => write!(f, "`{attribute}`: {reason}"),
            Self::NotAnObject => f.write_str("expected `value` to be an object of attributes"),
            Self::UnknownSchema(uri) => write!(f, "the resource type has no schema `{}`", cut(uri)),
            Self::BaseSchema => f.write_str("the base schema cannot be removed from `schemas`"),
            Self::ReadOnly(path) => write!(f, "the readOnly attribute `{path}` cannot be changed"),
            Self::Immutable(path) => write!(f, "the immutable attribute `{path}` has another value already"),
            Self::NeverReturnedImmutable(path) => write!(
                f,
                "the immutable attribute `{path}` has a value that is never returned: expected it left out"
            ),
            Self::ImmutableRemoved(path) => {
                write!(f, "the immutable attribute `{path}` has a value, which cannot be removed")
            }
            Self::Required(path) => write!(f, "the required attribute `{path}` cannot be removed"),
            Self::RemoveWithValue => f.write_str("expected no `value`: `remove` names its target by `path`"),
            Self::PathlessRefused => f.write_str("expected `path`: this service provider needs one"),
            Self::FilterWithoutSubAttribute => f.write_str("expected a sub-attribute after the filter"),
        }
    }
}

impl std::error::Error for PatchError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.kind {
            PatchErrorKind::Path(error) => Some(error),
            PatchErrorKind::Resolve(error) => Some(error),
            PatchErrorKind::Value(error) | PatchErrorKind::Unknown(error) => Some(error),
            _ => None,
        }
    }
}

/// How many bytes of a client's text an error line shows at most.
const MAX_SHOWN_BYTES: usize = 100;

/// A client's text on one line, cut short.
pub(crate) fn cut(text: &str) -> String {
    let mut end = text.len().min(MAX_SHOWN_BYTES);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let shown = text.get(..end).unwrap_or_default().escape_debug();
    // Quotes are common in paths and need no escape here.
    let shown = shown.to_string().replace("\\\"", "\"").replace("\\'", "'");
    if end < text.len() { shown + "…" } else { shown }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_is_cut_between_characters() {
        for (text, shown) in [
            ("x".repeat(100), "x".repeat(100)),
            ("x".repeat(101), format!("{}…", "x".repeat(100))),
            (format!("x{}", "é".repeat(60)), format!("x{}…", "é".repeat(49))),
            ("é".repeat(60), format!("{}…", "é".repeat(50))),
            ("\u{1f600}".repeat(26), format!("{}…", "\u{1f600}".repeat(25))),
            ("a[b eq \"c\"]\n'".to_owned(), "a[b eq \"c\"]\\n'".to_owned()),
        ] {
            assert_eq!(cut(&text), shown);
        }
    }
}
