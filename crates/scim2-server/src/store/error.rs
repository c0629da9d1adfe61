use std::borrow::Cow;
use std::error::Error;
use std::fmt;

use scim2_core::work::WorkExceeded;

use crate::in_flight::BytesExceeded;

/// Why a store could not do what it was asked.
#[derive(Debug)]
pub struct StoreError {
    kind: StoreErrorKind,
    detail: Cow<'static, str>,
    source: Option<Box<dyn Error + Send + Sync>>,
}

/// Whose fault it is, and what may help.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum StoreErrorKind {
    /// Another resource has the value of this attribute (its path), which is unique.
    Uniqueness(Box<str>),
    /// The store cannot hold such a value in this attribute (its path).
    InvalidValue(Box<str>),
    /// The query would have to look at more resources, or take longer, than the store allows, or would cause
    /// more work than the request may.
    TooMany,
    /// The store is busy or shutting down: the same request may succeed later.
    Unavailable,
    /// The credential has used up its share of the service provider: the same request may succeed later.
    Throttled,
    /// The store failed; the operator must look.
    Internal,
}

impl StoreError {
    /// The value of a unique attribute is taken.
    #[must_use]
    pub fn uniqueness(path: impl Into<Box<str>>) -> Self {
        let path = path.into();
        let detail = format!("another resource has this value of `{path}`, which is unique").into();
        Self { kind: StoreErrorKind::Uniqueness(path), detail, source: None }
    }

    /// The store cannot hold a value; `detail` says what it expects and must not hold a secret.
    #[must_use]
    pub fn invalid_value(path: impl Into<Box<str>>, detail: impl Into<Cow<'static, str>>) -> Self {
        Self { kind: StoreErrorKind::InvalidValue(path.into()), detail: detail.into(), source: None }
    }

    /// The query would look at too much.
    #[must_use]
    pub fn too_many(detail: impl Into<Cow<'static, str>>) -> Self {
        Self { kind: StoreErrorKind::TooMany, detail: detail.into(), source: None }
    }

    /// The query was worked on for longer than [`Query::time_limit`](super::Query::time_limit).
    #[must_use]
    pub fn query_timeout() -> Self {
        Self::too_many(
            "the query takes longer than the service provider allows: filter by an indexed attribute, or with \
             fewer comparisons",
        )
    }

    /// The store is busy or shutting down.
    #[must_use]
    pub fn unavailable(detail: impl Into<Cow<'static, str>>) -> Self {
        Self { kind: StoreErrorKind::Unavailable, detail: detail.into(), source: None }
    }

    /// The credential has used up its share.
    #[must_use]
    pub fn throttled(detail: impl Into<Cow<'static, str>>) -> Self {
        Self { kind: StoreErrorKind::Throttled, detail: detail.into(), source: None }
    }

    /// The store failed.
    #[must_use]
    pub fn internal(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self {
            kind: StoreErrorKind::Internal,
            detail: Cow::Borrowed("the store failed"),
            source: Some(source.into()),
        }
    }

    /// Whose fault it is.
    #[must_use]
    pub fn kind(&self) -> &StoreErrorKind {
        &self.kind
    }
}

impl From<WorkExceeded> for StoreError {
    fn from(exceeded: WorkExceeded) -> Self {
        Self::too_many(exceeded.to_string())
    }
}

impl From<BytesExceeded> for StoreError {
    fn from(exceeded: BytesExceeded) -> Self {
        let kind = match exceeded {
            BytesExceeded::Share => StoreErrorKind::Throttled,
            BytesExceeded::Total => StoreErrorKind::Unavailable,
        };
        Self { kind, detail: exceeded.to_string().into(), source: None }
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.detail)
    }
}

impl Error for StoreError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_ref().map(|source| &**source as &(dyn Error + 'static))
    }
}
