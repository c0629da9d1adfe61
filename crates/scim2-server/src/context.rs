//! The circumstances of a request: tenant, actor, time, limits.

use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use scim2_core::work::WorkBudget;
use scim2_core::{CompiledType, Registry, ResourceId};

use crate::in_flight::ByteBudget;
use crate::notes::Notes;

/// The circumstances of one request, handed to every port.
#[derive(Debug, Clone)]
pub struct Context {
    /// The tenant. A request sees and changes only the resources of its tenant.
    pub tenant: TenantId,
    /// The name of the client in the audit log.
    pub actor: Arc<str>,
    /// The time of the request, and of everything that it writes.
    pub now: DateTime<Utc>,
    /// The id of the request in logs and in the audit log.
    pub request_id: Arc<str>,
    /// The schemas and resource types.
    pub registry: Arc<Registry>,
    /// The base URI of the endpoints, without a slash at its end. Each `meta.location` and `$ref` begins with
    /// it.
    pub base_url: Arc<str>,
    /// The work that the request may still cause: filters that run outside a database, sorting, PATCH
    /// and bulk operations spend from it, in the engine and in stores alike.
    pub work: WorkBudget,
    /// The deviations of the request that were tolerated. A new context has none: `Notes::default()`.
    pub notes: Notes,
    /// The bytes that the request and others may hold; see [`hold_bytes`](Self::hold_bytes).
    pub bytes: ByteBudget,
}

impl Context {
    /// The context of work that no HTTP request asks for, such as a command or a background job. Its request
    /// id is the actor, its base URL is empty, and its work and bytes have no limit. Change what differs by struct
    /// update:
    ///
    /// ```
    /// use std::sync::Arc;
    /// use scim2_core::Registry;
    /// use scim2_server::{Context, TenantId};
    ///
    /// let registry = Arc::new(Registry::standard());
    /// let cx = Context {
    ///     request_id: "import-1".into(),
    ///     ..Context::new(registry, TenantId::default(), "operator", chrono::DateTime::UNIX_EPOCH)
    /// };
    /// assert_eq!(&*cx.actor, "operator");
    /// ```
    #[must_use]
    pub fn new(
        registry: Arc<Registry>,
        tenant: TenantId,
        actor: impl Into<Arc<str>>,
        now: DateTime<Utc>,
    ) -> Self {
        let actor = actor.into();
        Self {
            tenant,
            request_id: Arc::clone(&actor),
            actor,
            now,
            registry,
            base_url: Arc::default(),
            work: WorkBudget::unlimited(),
            notes: Notes::default(),
            bytes: ByteBudget::default(),
        }
    }

    /// The URI of a resource.
    #[must_use]
    pub fn location(&self, resource_type: &CompiledType, id: &ResourceId) -> String {
        let mut uri = String::with_capacity(self.base_url.len() + resource_type.endpoint().len() + 40);
        self.write_location(&mut uri, resource_type.endpoint(), id.as_str());
        uri
    }

    pub(crate) fn write_location(&self, uri: &mut String, endpoint: &str, id: &str) {
        uri.push_str(&self.base_url);
        uri.push_str(endpoint);
        uri.push('/');
        uri.extend(utf8_percent_encode(id, IN_PATH));
    }
}

/// What is percent-encoded in a segment of a path: all characters except the `pchar`s of [RFC 3986
/// §3.3](https://www.rfc-editor.org/rfc/rfc3986#section-3.3).
const IN_PATH: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'!')
    .remove(b'$')
    .remove(b'&')
    .remove(b'(')
    .remove(b')')
    .remove(b'*')
    .remove(b'+')
    .remove(b',')
    .remove(b';')
    .remove(b'=')
    .remove(b':')
    .remove(b'@');

/// The name of a tenant: 1 to 63 bytes of ASCII letters, digits, `-`, `_` and `.`.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TenantId(Arc<str>);

impl TenantId {
    /// The tenant of a service provider that has only one.
    pub const DEFAULT: &'static str = "default";

    /// Checks a name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        let fits = (1..=63).contains(&name.len())
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'));
        fits.then(|| Self(name.into()))
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for TenantId {
    fn default() -> Self {
        Self(Self::DEFAULT.into())
    }
}

impl fmt::Display for TenantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for TenantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

/// The client that makes a request, as an [`Authenticator`](crate::Authenticator) identified it.
#[derive(Debug, Clone)]
pub struct Principal {
    /// The tenant the credential belongs to.
    pub tenant: TenantId,
    /// The name in the audit log.
    pub actor: Arc<str>,
    /// What the credential allows.
    pub access: Access,
    /// The resource that stands for the principal, for `/Me`: resource type name and id.
    pub resource: Option<(Arc<str>, ResourceId)>,
}

/// What a credential allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Access {
    /// Reading only.
    Read,
    /// Everything.
    #[default]
    Write,
}
