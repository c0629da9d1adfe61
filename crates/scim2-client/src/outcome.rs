use scim2_core::Version;

/// A resource as the service provider stores it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stored<R> {
    /// The resource, as far as it was asked for and may be shown.
    pub resource: R,
    /// The version from the header `ETag` or, without it, from `meta.version`.
    pub version: Option<Version>,
    /// The URI from the header `Location` or, without it, from `meta.location`.
    pub location: Option<String>,
}

/// What came of retrieving a resource.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Retrieved<R> {
    /// Here it is.
    Found(Stored<R>),
    /// It is still at the version that the client has (304).
    NotModified,
    /// There is none (404 with a SCIM error).
    Missing,
}

impl<R> Retrieved<R> {
    /// The resource, if it was found.
    #[must_use]
    pub fn found(self) -> Option<Stored<R>> {
        match self {
            Self::Found(stored) => Some(stored),
            Self::NotModified | Self::Missing => None,
        }
    }
}

/// What came of replacing, modifying or deleting a resource.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Written<W> {
    /// It is done.
    Done(W),
    /// There is no such resource (404 with a SCIM error).
    Missing,
    /// It is at another version than the client demanded (412). Nothing has changed.
    VersionMismatch,
}

impl<W> Written<W> {
    /// What was answered, if it is done.
    #[must_use]
    pub fn done(self) -> Option<W> {
        match self {
            Self::Done(answer) => Some(answer),
            Self::Missing | Self::VersionMismatch => None,
        }
    }
}
