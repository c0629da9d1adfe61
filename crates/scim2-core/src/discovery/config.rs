//! The service provider's configuration
//! ([RFC 7643 §5](https://www.rfc-editor.org/rfc/rfc7643#section-5)).

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::Pagination;
use crate::urn;
use crate::value::{Object, Value};

/// The parts of the protocol that a service provider supports, and their limits.
///
/// Reading is lenient, because clients meet documents of every age: a missing feature is not supported, and
/// unknown members are kept in `other`.
///
/// ```
/// use scim2_core::discovery::ServiceProviderConfig;
///
/// let config: ServiceProviderConfig =
///     serde_json::from_str(r#"{"patch":{"supported":true},"filter":{"supported":true,"maxResults":200}}"#)?;
/// assert!(config.patch.supported && !config.bulk.supported);
/// assert_eq!(config.filter.max_results, 200);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct ServiceProviderConfig {
    /// The URL of a page for people about the service provider.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub documentation_uri: Option<String>,
    /// PATCH.
    pub patch: Supported,
    /// Bulk requests.
    pub bulk: BulkSupport,
    /// Filters.
    pub filter: FilterSupport,
    /// Setting passwords.
    pub change_password: Supported,
    /// Sorted results.
    pub sort: Supported,
    /// Versions and conditional requests.
    pub etag: Supported,
    /// How clients authenticate.
    pub authentication_schemes: Vec<AuthenticationScheme>,
    /// How answers are divided into pages; absent if the service provider does not say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pagination: Option<Pagination>,
    /// Whether the service provider follows the interoperability profile draft; absent if it does not say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interop_profile_conformant: Option<bool>,
    /// The other members of the document.
    #[serde(flatten)]
    pub other: Object,
}

impl ServiceProviderConfig {
    /// A service provider that supports nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The resource at `/ServiceProviderConfig`. `base` is the base URI without a slash at its end.
    #[must_use]
    pub fn to_resource(&self, base: &str) -> Object {
        let Self {
            documentation_uri,
            patch,
            bulk,
            filter,
            change_password,
            sort,
            etag,
            authentication_schemes,
            pagination,
            interop_profile_conformant,
            other,
        } = self;
        let mut object = Object::with_capacity(12);
        object.insert("schemas", vec![urn::SERVICE_PROVIDER_CONFIG]);
        if let Some(uri) = documentation_uri {
            object.insert("documentationUri", uri.as_str());
        }
        object.insert("patch", patch.to_object());
        let mut limits = Supported { supported: bulk.supported }.to_object();
        limits.insert("maxOperations", bulk.max_operations);
        limits.insert("maxPayloadSize", bulk.max_payload_size);
        object.insert("bulk", limits);
        let mut limits = Supported { supported: filter.supported }.to_object();
        limits.insert("maxResults", filter.max_results);
        object.insert("filter", limits);
        object.insert("changePassword", change_password.to_object());
        object.insert("sort", sort.to_object());
        object.insert("etag", etag.to_object());
        let schemes = authentication_schemes.iter().map(AuthenticationScheme::to_object);
        object.insert("authenticationSchemes", schemes.collect::<Vec<_>>());
        if let Some(pagination) = pagination {
            object.insert("pagination", pagination.to_object());
        }
        if let Some(conformant) = interop_profile_conformant {
            object.insert("interopProfileConformant", *conformant);
        }
        for (name, value) in other.iter().filter(|(name, _)| !matches!(*name, "schemas" | "meta" | "id")) {
            object.insert(name, value.clone());
        }
        object.insert("meta", super::meta("ServiceProviderConfig", format!("{base}/ServiceProviderConfig")));
        object
    }
}

/// Whether something is supported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Supported {
    /// Whether it is.
    pub supported: bool,
}

impl Supported {
    /// It is.
    pub const YES: Self = Self { supported: true };
    /// It is not.
    pub const NO: Self = Self { supported: false };

    fn to_object(self) -> Object {
        Object::from_iter([("supported", Value::from(self.supported))])
    }
}

/// Whether bulk requests are supported, and how large they may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", default)]
pub struct BulkSupport {
    /// Whether they are supported.
    pub supported: bool,
    /// The most operations in one request.
    pub max_operations: u64,
    /// The largest body, in bytes.
    pub max_payload_size: u64,
}

/// Whether filters are supported, and how many resources an answer holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", default)]
pub struct FilterSupport {
    /// Whether they are supported.
    pub supported: bool,
    /// The most resources in one response.
    pub max_results: u64,
}

/// A way for clients to authenticate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct AuthenticationScheme {
    /// The kind of authentication.
    #[serde(rename = "type")]
    pub type_: AuthenticationType,
    /// A short name.
    #[serde(default)]
    pub name: String,
    /// A sentence about it.
    #[serde(default)]
    pub description: String,
    /// Where it is specified.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spec_uri: Option<String>,
    /// The URL of a page for people about using it here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub documentation_uri: Option<String>,
    /// Whether it is the preferred one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub primary: Option<bool>,
}

impl AuthenticationScheme {
    /// A scheme with its required members.
    #[must_use]
    pub fn new(type_: AuthenticationType, name: impl Into<String>, description: impl Into<String>) -> Self {
        Self {
            type_,
            name: name.into(),
            description: description.into(),
            spec_uri: None,
            documentation_uri: None,
            primary: None,
        }
    }

    /// Bearer tokens in the header `Authorization`.
    #[must_use]
    pub fn bearer_token() -> Self {
        let mut scheme = Self::new(
            AuthenticationType::OAuthBearerToken,
            "Bearer token",
            "A token in the header Authorization",
        );
        scheme.spec_uri = Some("https://www.rfc-editor.org/rfc/rfc6750".to_owned());
        scheme.primary = Some(true);
        scheme
    }

    fn to_object(&self) -> Object {
        let Self { type_, name, description, spec_uri, documentation_uri, primary } = self;
        let mut object = Object::with_capacity(6);
        object.insert("type", type_.as_str());
        object.insert("name", name.as_str());
        object.insert("description", description.as_str());
        if let Some(uri) = spec_uri {
            object.insert("specUri", uri.as_str());
        }
        if let Some(uri) = documentation_uri {
            object.insert("documentationUri", uri.as_str());
        }
        if let Some(primary) = primary {
            object.insert("primary", *primary);
        }
        object
    }
}

/// The kind of authentication: five are defined by the RFC, others exist.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AuthenticationType {
    /// OAuth 1.0.
    OAuth,
    /// OAuth 2.0.
    OAuth2,
    /// A bearer token, wherever it comes from.
    OAuthBearerToken,
    /// User name and password in the header.
    HttpBasic,
    /// A digest of them.
    HttpDigest,
    /// Another one.
    Other(Box<str>),
}

impl AuthenticationType {
    const KNOWN: [Self; 5] =
        [Self::OAuth, Self::OAuth2, Self::OAuthBearerToken, Self::HttpBasic, Self::HttpDigest];

    /// The keyword on the wire.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::OAuth => "oauth",
            Self::OAuth2 => "oauth2",
            Self::OAuthBearerToken => "oauthbearertoken",
            Self::HttpBasic => "httpbasic",
            Self::HttpDigest => "httpdigest",
            Self::Other(keyword) => keyword,
        }
    }
}

impl From<&str> for AuthenticationType {
    fn from(keyword: &str) -> Self {
        Self::KNOWN
            .into_iter()
            .find(|known| known.as_str().eq_ignore_ascii_case(keyword))
            .unwrap_or_else(|| Self::Other(keyword.into()))
    }
}

impl Serialize for AuthenticationType {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for AuthenticationType {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self::from(&*<Cow<'de, str>>::deserialize(deserializer)?))
    }
}

#[cfg(feature = "schemars")]
impl schemars::JsonSchema for AuthenticationType {
    fn schema_name() -> Cow<'static, str> {
        "AuthenticationType".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let known = Self::KNOWN.map(|known| known.as_str().to_owned());
        schemars::json_schema!({ "type": "string", "examples": known })
    }
}
