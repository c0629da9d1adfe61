//! The schema and message URIs of RFC 7643, RFC 7644 and RFC 9944.

/// The core schema of User ([RFC 7643 §4.1](https://www.rfc-editor.org/rfc/rfc7643#section-4.1)).
pub const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
/// The core schema of Group ([RFC 7643 §4.2](https://www.rfc-editor.org/rfc/rfc7643#section-4.2)).
pub const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
/// The enterprise extension of User ([RFC 7643 §4.3](https://www.rfc-editor.org/rfc/rfc7643#section-4.3)).
pub const ENTERPRISE_USER: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
/// The schema of the service provider's configuration ([RFC 7643 §5](https://www.rfc-editor.org/rfc/rfc7643#section-5)).
pub const SERVICE_PROVIDER_CONFIG: &str = "urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig";
/// The schema of resource types ([RFC 7643 §6](https://www.rfc-editor.org/rfc/rfc7643#section-6)).
pub const RESOURCE_TYPE: &str = "urn:ietf:params:scim:schemas:core:2.0:ResourceType";
/// The schema of schemas ([RFC 7643 §7](https://www.rfc-editor.org/rfc/rfc7643#section-7)).
pub const SCHEMA: &str = "urn:ietf:params:scim:schemas:core:2.0:Schema";
