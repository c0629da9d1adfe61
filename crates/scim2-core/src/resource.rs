//! Resources: the dynamic form that keeps everything, and typed forms of the RFC's own schemas.
//!
//! [`Resource`] is any resource of any service provider. [`User`], [`Group`] and [`EnterpriseUser`] have a
//! field for each attribute of their schema and keep the rest in `other`. So a resource can be read into a type
//! and written again without loss, whatever a vendor added to it. Names are read in any letter case ([RFC 7643
//! §2.1](https://www.rfc-editor.org/rfc/rfc7643#section-2.1)).
//!
//! ```
//! use scim2_core::resource::{Email, Resource, User};
//!
//! let mut ada = User::new("ada@example.com");
//! ada.emails.push(Email::new("ada@example.com").with_type("work"));
//! let resource = Resource::from(&ada);
//! assert_eq!(resource.object().get_str("userName"), Some("ada@example.com"));
//!
//! let json = r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"id":"7",
//!     "USERNAME":"bob","urn:example:ext:1.0:User":{"badge":12}}"#;
//! let bob: User = serde_json::from_str(json)?;
//! assert_eq!(bob.user_name, "bob");
//! assert!(bob.other.contains("urn:example:ext:1.0:User"));
//! assert_eq!(serde_json::from_str::<User>(r#"{"id":"7"}"#).unwrap_err().to_string(),
//!     "`userName` is required, expected a string, found nothing");
//! # Ok::<(), serde_json::Error>(())
//! ```

use std::fmt;

use crate::id::{ExternalId, ResourceId, Version};
use crate::value::{Object, Value};

mod enterprise_user;
mod field;
mod group;
mod meta;
mod secret;
mod user;

pub use enterprise_user::{EnterpriseUser, Manager};
pub use group::{Group, Member};
pub use meta::Meta;
pub use secret::Secret;
pub use user::{Address, Email, GroupRef, Labelled, Name, Photo, User, X509Certificate};

/// A resource as it is on the wire: an object with the common attributes ([RFC 7643
/// §3](https://www.rfc-editor.org/rfc/rfc7643#section-3)) and any others.
///
/// Reading checks nothing. The accessors return `None` for a value that is missing or of the wrong type.
#[derive(Clone, PartialEq, Default, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct Resource(Object);

impl Resource {
    /// A resource without attributes.
    #[must_use]
    pub const fn new() -> Self {
        Self(Object::new())
    }

    /// The URIs of `schemas`.
    pub fn schemas(&self) -> impl Iterator<Item = &str> {
        self.0.get("schemas").into_iter().flat_map(Value::values).filter_map(Value::as_str)
    }

    /// Says whether `schemas` lists the URI, whatever its letter case.
    #[must_use]
    pub fn has_schema(&self, uri: &str) -> bool {
        self.schemas().any(|listed| listed.eq_ignore_ascii_case(uri))
    }

    /// The id that the service provider issued.
    #[must_use]
    pub fn id(&self) -> Option<ResourceId> {
        ResourceId::parse(self.0.get_str("id")?).ok()
    }

    /// The id that the client issued.
    #[must_use]
    pub fn external_id(&self) -> Option<ExternalId> {
        ExternalId::parse(self.0.get_str("externalId")?).ok()
    }

    /// The metadata.
    #[must_use]
    pub fn meta(&self) -> Option<Meta> {
        Meta::try_from(self.0.get("meta")?.as_object()?.clone()).ok()
    }

    /// The version in the metadata.
    #[must_use]
    pub fn version(&self) -> Option<Version> {
        Version::from_etag(self.0.get("meta")?.as_object()?.get_str("version")?)
    }

    /// The value of a core attribute.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    /// The attributes of an extension.
    #[must_use]
    pub fn extension(&self, uri: &str) -> Option<&Object> {
        self.0.get(uri)?.as_object()
    }

    /// All attributes.
    #[must_use]
    pub fn object(&self) -> &Object {
        &self.0
    }

    /// All attributes, to be changed.
    #[must_use]
    pub fn object_mut(&mut self) -> &mut Object {
        &mut self.0
    }

    /// All attributes.
    #[must_use]
    pub fn into_object(self) -> Object {
        self.0
    }
}

impl From<Object> for Resource {
    fn from(object: Object) -> Self {
        Self(object)
    }
}

impl From<Resource> for Object {
    fn from(resource: Resource) -> Self {
        resource.0
    }
}

impl fmt::Display for Resource {
    /// Writes compact JSON.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for Resource {
    /// Shows the names of the attributes and none of their values, because a password may be among them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.iter().map(|(name, _)| name)).finish()
    }
}
