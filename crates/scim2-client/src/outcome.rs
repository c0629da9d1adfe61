use scim2_core::Version;

/// A resource as the service provider stores it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stored<R> {
    /// The resource, with the requested attributes.
    pub resource: R,
    /// The version from the header `ETag` or, without it, from `meta.version`.
    pub version: Option<Version>,
    /// The URI from the header `Location` or, without it, from `meta.location`.
    pub location: Option<String>,
}

/// The outcome of retrieving a resource.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Retrieved<R> {
    /// The resource.
    Found(Stored<R>),
    /// The resource still has the version that the client has (304).
    NotModified,
    /// The resource does not exist (404 with a SCIM error).
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

/// The outcome of replacing, modifying or deleting a resource.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Written<W> {
    /// The write was done.
    Done(W),
    /// The resource does not exist (404 with a SCIM error).
    Missing,
    /// The resource has another version than the client required (412). Nothing changed.
    VersionMismatch,
}

impl<W> Written<W> {
    /// The response, if the write was done.
    #[must_use]
    pub fn done(self) -> Option<W> {
        match self {
            Self::Done(answer) => Some(answer),
            Self::Missing | Self::VersionMismatch => None,
        }
    }
}
