use alloc::boxed::Box;
use core::fmt;

use scim2_core::{CompiledType, ScimType};

use crate::FilterError;

/// Why a well-formed filter or path does not fit a resource type.
///
/// ```
/// use scim2_core::{Compat, Registry, ScimType};
/// use scim2_filter::{Filter, ResolveErrorKind, Resolver};
///
/// let registry = Registry::standard();
/// let user = registry.resource_type("User").expect("built in");
/// let filter: Filter = "active gt true".parse()?;
/// let error = Resolver::new(user, Compat::default()).filter(&filter).unwrap_err();
/// assert_eq!(error.kind(), ResolveErrorKind::Operator);
/// assert_eq!(error.scim_type(), ScimType::InvalidFilter);
/// assert_eq!(error.to_string(), "`gt` does not apply to the boolean `active`");
/// # Ok::<(), scim2_filter::FilterError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResolveError(Box<Inner>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Inner {
    kind: ResolveErrorKind,
    /// The name at fault, as the schema spells it or as the client wrote it.
    subject: Box<str>,
    resource_type: Box<str>,
    expected: &'static str,
    found: &'static str,
    /// The paths that an ambiguous name may stand for.
    candidates: Box<[Box<str>]>,
    purpose: Purpose,
}

/// What is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ResolveErrorKind {
    /// The resource type has no such attribute or sub-attribute.
    UnknownAttribute,
    /// Several extensions have an attribute of that name, so it needs the URI of its schema.
    Ambiguous,
    /// The resource type does not have the schema.
    UnknownSchema,
    /// A whole schema is named instead of an attribute.
    WholeSchema,
    /// The path has a sub-attribute or a value filter, but the attribute has no sub-attributes.
    NotComplex,
    /// A complex attribute without `value` is compared or sorted by.
    Complex,
    /// The operator does not apply to the attribute's type.
    Operator,
    /// The comparison value is not of the attribute's type.
    Value,
    /// The attribute is returned `never`, so a client must not learn anything about its value.
    NeverReturned,
}

/// The purpose of resolving a path, which decides the keyword of the error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    Filter,
    Path,
    Sort,
}

impl ResolveError {
    pub(super) fn new(kind: ResolveErrorKind, subject: &str, type_: &CompiledType, purpose: Purpose) -> Self {
        Self::with(kind, subject, type_, purpose, "", "")
    }

    /// How many characters of the client's text an error line repeats.
    const MAX_SUBJECT_CHARS: usize = 120;

    pub(super) fn with(
        kind: ResolveErrorKind,
        subject: &str,
        type_: &CompiledType,
        purpose: Purpose,
        expected: &'static str,
        found: &'static str,
    ) -> Self {
        let subject = subject.chars().take(Self::MAX_SUBJECT_CHARS).collect();
        let resource_type = type_.name().into();
        let candidates = Box::default();
        Self(Box::new(Inner { kind, subject, resource_type, expected, found, candidates, purpose }))
    }

    /// How many candidates the error of an ambiguous name lists at most.
    const MAX_CANDIDATES: usize = 4;

    #[cold]
    pub(super) fn ambiguous<'a>(
        subject: &str,
        candidates: impl Iterator<Item = &'a str>,
        type_: &CompiledType,
        purpose: Purpose,
    ) -> Self {
        let mut error = Self::new(ResolveErrorKind::Ambiguous, subject, type_, purpose);
        error.0.candidates = candidates.take(Self::MAX_CANDIDATES).map(Into::into).collect();
        error
    }

    /// What is wrong.
    #[must_use]
    pub fn kind(&self) -> ResolveErrorKind {
        self.0.kind
    }

    /// The line for logs. It is the same line, because it names attributes and kinds of values, and never a value.
    #[must_use]
    pub fn log_line(&self) -> alloc::string::String {
        alloc::format!("{self}")
    }

    /// The name at fault, as the schema spells it or as the client wrote it, cut short.
    #[must_use]
    pub fn subject(&self) -> &str {
        &self.0.subject
    }

    /// The full paths that an [ambiguous](ResolveErrorKind::Ambiguous) name may stand for, at most 4. Empty for other
    /// errors.
    #[must_use]
    pub fn candidates(&self) -> &[Box<str>] {
        &self.0.candidates
    }

    /// The SCIM error keyword: `invalidFilter` for a filter, `invalidPath` for a path, `invalidValue`
    /// for `sortBy`.
    ///
    /// [RFC 7644 §3.12, Table 9](https://www.rfc-editor.org/rfc/rfc7644#section-3.12)
    #[must_use]
    pub fn scim_type(&self) -> ScimType {
        match self.0.purpose {
            Purpose::Filter => ScimType::InvalidFilter,
            Purpose::Path => ScimType::InvalidPath,
            Purpose::Sort => ScimType::InvalidValue,
        }
    }
}

impl fmt::Display for ResolveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { kind, subject, resource_type, expected, found, candidates, purpose } = &*self.0;
        match kind {
            ResolveErrorKind::UnknownAttribute => {
                write!(f, "resource type {resource_type} has no attribute `{subject}`")
            }
            ResolveErrorKind::Ambiguous => {
                write!(f, "`{subject}` is ambiguous: several extensions of {resource_type} have it, write ")?;
                for (index, candidate) in candidates.iter().enumerate() {
                    let or = if index == 0 { "" } else { " or " };
                    write!(f, "{or}`{candidate}`")?;
                }
                Ok(())
            }
            ResolveErrorKind::UnknownSchema => {
                write!(f, "resource type {resource_type} has no schema that `{subject}` begins with")
            }
            ResolveErrorKind::WholeSchema => {
                write!(f, "expected an attribute, found `{subject}`, which is a whole schema")
            }
            ResolveErrorKind::NotComplex if expected.is_empty() => {
                write!(f, "`{subject}` has no sub-attributes")
            }
            ResolveErrorKind::NotComplex => write!(f, "`{subject}` has no sub-attributes: {expected}"),
            ResolveErrorKind::Complex => {
                let verb = if *purpose == Purpose::Sort { "sort by" } else { "compare" };
                write!(f, "`{subject}` is complex: {verb} one of its sub-attributes")
            }
            ResolveErrorKind::Operator if *expected == "null" => {
                write!(f, "`{found}` does not compare `{subject}` with null")
            }
            ResolveErrorKind::Operator => write!(f, "`{found}` does not apply to the {expected} `{subject}`"),
            ResolveErrorKind::Value => write!(f, "expected {expected} for `{subject}`, found {found}"),
            ResolveErrorKind::NeverReturned => {
                let verb = if *purpose == Purpose::Sort { "sorted by" } else { "filtered by" };
                write!(f, "`{subject}` is never returned and cannot be {verb}")
            }
        }
    }
}

impl core::error::Error for ResolveError {}

impl FilterError {
    /// The SCIM error keyword: `invalidFilter`, or `invalidPath` if a path is at fault outside of its
    /// brackets.
    ///
    /// [RFC 7644 §3.12, Table 9](https://www.rfc-editor.org/rfc/rfc7644#section-3.12)
    #[must_use]
    pub fn scim_type(&self) -> ScimType {
        if self.in_filter() { ScimType::InvalidFilter } else { ScimType::InvalidPath }
    }
}
