use chrono::{DateTime, Utc};

use super::field::typed;
use crate::id::Version;

typed! {
    /// What the service provider records about a resource
    /// ([RFC 7643 §3.1](https://www.rfc-editor.org/rfc/rfc7643#section-3.1)).
    pub struct Meta {
        /// The name of the resource type.
        pub resource_type: Option<String> = "resourceType",
        /// When the resource was added.
        #[cfg_attr(feature = "schemars", schemars(with = "Option<String>", extend("format" = "date-time")))]
        pub created: Option<DateTime<Utc>> = "created",
        /// When the resource last changed.
        #[cfg_attr(feature = "schemars", schemars(with = "Option<String>", extend("format" = "date-time")))]
        pub last_modified: Option<DateTime<Utc>> = "lastModified",
        /// The URI of the resource.
        pub location: Option<String> = "location",
        /// The version as it is on the wire, an entity tag such as `W/"3694e05e9dff594"`.
        pub version: Option<String> = "version",
    }
}

impl Meta {
    /// Empty metadata.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The version without the marks of an entity tag.
    #[must_use]
    pub fn to_version(&self) -> Option<Version> {
        Version::from_etag(self.version.as_deref()?)
    }
}
