//! Misspelled URIs of schemas and messages ([`Quirk::UrnWrong`](crate::Quirk::UrnWrong)).

use scim2_names::eq_ignore_case;

use super::{CompiledType, ExtensionId};
use crate::compat::Quirk;
use crate::value::Value;

/// Longer than any registered URI with an attribute after it.
const MAX_MISSPELT_BYTES: usize = 512;

impl CompiledType {
    /// [`split_schema`](Self::split_schema) for a misspelled URI of a schema of this type: colons and dots
    /// missing or mixed up, the namespace used before the RFC (`urn:scim:`), `urn:` left out, version 1.0, the
    /// last part left out or in the plural. The rest of the text comes without the separator.
    ///
    /// ```
    /// use scim2_core::Registry;
    ///
    /// let registry = Registry::standard();
    /// let user = registry.resource_type("User").expect("a resource type");
    /// let (extension, rest) = user
    ///     .split_misspelt("urn:ietf:params:scim:schemas:extension:enterprise:2.0User:department")
    ///     .expect("understood");
    /// assert!(extension.is_some());
    /// assert_eq!(rest, "department");
    /// assert_eq!(user.split_misspelt("urn:scim:schemas:core:1.0"), Some((None, "")));
    /// assert_eq!(user.split_misspelt("ietf:params:scim:schemas:core:2.0:Users:title"), Some((None, "title")));
    /// assert_eq!(user.split_misspelt("urn:example:User"), None);
    /// ```
    #[must_use]
    pub fn split_misspelt<'t>(&self, text: &'t str) -> Option<(Option<ExtensionId>, &'t str)> {
        if text.len() > MAX_MISSPELT_BYTES {
            return None;
        }
        // Try the whole text, then the text before its last colon: the name of an attribute holds no colon.
        let parts = [Some((text, "")), text.rsplit_once(':')];
        parts.into_iter().flatten().find_map(|(uri, rest)| Some((self.misspelt(uri)?, rest)))
    }

    fn misspelt(&self, uri: &str) -> Option<Option<ExtensionId>> {
        if self.is_foreign(uri) {
            return None;
        }
        let wrong = squeeze(uri)?;
        let means = |known: &str| {
            squeeze(known).is_some_and(|right| {
                let last = known.rsplit(':').next().map_or(0, str::len);
                let short = right.len().checked_sub(last).and_then(|end| right.get(..end));
                right == wrong || wrong.strip_suffix('s') == Some(&right) || short == Some(wrong.as_str())
            })
        };
        if means(self.schema().as_str()) {
            return Some(None);
        }
        self.extensions().find(|(_, extension)| means(extension.uri().as_str())).map(|(id, _)| Some(id))
    }
}

/// Which message `schemas` names, compared with the message that is expected.
///
/// ```
/// use scim2_core::Quirk;
/// use scim2_core::compiled::MessageSchemas;
///
/// let patch = "urn:ietf:params:scim:api:messages:2.0:PatchOp";
/// let of = |uri: &str| MessageSchemas::of(Some(&uri.into()), patch);
/// assert_eq!(of(patch), MessageSchemas::Exact);
/// assert_eq!(of("urn:ietf:params:scim:schemas:core:2.0:PatchOp"), MessageSchemas::Needs(Quirk::UrnWrong));
/// assert_eq!(of("URN:SCIM:SCHEMAS:CORE:1.0:PATCHOP"), MessageSchemas::Needs(Quirk::UrnWrong));
/// assert_eq!(of("urn:ietf:params:scim:schemas:core:2.0:User"), MessageSchemas::Other);
/// assert_eq!(of("urn:ietf:params:scim:api:messages:2.0:BulkRequest"), MessageSchemas::Other);
/// assert_eq!(MessageSchemas::of(None, patch), MessageSchemas::Needs(Quirk::PatchNoSchemas));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MessageSchemas {
    /// The URI of the expected message.
    Exact,
    /// The URI is missing or misspelled. A mode that tolerates this quirk takes it for the expected message.
    Needs(Quirk),
    /// Another message.
    Other,
}

impl MessageSchemas {
    /// Compares the value of `schemas` with the URI of the expected message.
    #[must_use]
    pub fn of(schemas: Option<&Value>, message: &str) -> Self {
        let Some(schemas) = schemas.filter(|schemas| !schemas.is_unassigned()) else {
            return Self::Needs(Quirk::PatchNoSchemas);
        };
        let uris = || schemas.values().filter_map(Value::as_str);
        if uris().any(|uri| eq_ignore_case(uri, message)) {
            Self::Exact
        } else if uris().any(|uri| is_misspelt_message(uri, message)) {
            Self::Needs(Quirk::UrnWrong)
        } else {
            Self::Other
        }
    }
}

/// Says whether a URI is a misspelling of a message URI: it is in the namespace of schemas, has version 1, or
/// has colons and dots missing or mixed up.
fn is_misspelt_message(uri: &str, message: &str) -> bool {
    const NAMESPACES: [&str; 3] = ["apimessages20", "schemascore20", "schemasapimessages20"];
    let Some(name) = message.rsplit(':').next().filter(|_| uri.len() <= MAX_MISSPELT_BYTES) else {
        return false;
    };
    squeeze(uri).is_some_and(|wrong| {
        NAMESPACES
            .iter()
            .filter_map(|namespace| wrong.strip_prefix(namespace))
            .any(|rest| rest.eq_ignore_ascii_case(name))
    })
}

/// A URI of the SCIM namespace without the parts that clients commonly get wrong.
fn squeeze(uri: &str) -> Option<String> {
    const NAMESPACES: [&str; 3] = ["urn:ietf:params:scim:", "ietf:params:scim:", "urn:scim:"];
    let lower = uri.to_ascii_lowercase();
    let rest = NAMESPACES.iter().find_map(|prefix| lower.strip_prefix(prefix))?;
    let rest = rest.replacen("1.0", "2.0", 1);
    Some(rest.chars().filter(|c| !matches!(c, ':' | '.')).collect())
}
