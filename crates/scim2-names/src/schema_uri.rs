use alloc::boxed::Box;

use crate::error::{NameError, NameErrorKind};
use crate::fold::name_traits;

/// The URI of a schema, in practice a URN such as `urn:ietf:params:scim:schemas:core:2.0:User`.
///
/// An absolute URI: a scheme, a colon, and at least one more character, without white space, control
/// characters, quotes or brackets. Schema URIs compare, hash and order without ASCII case and print as they
/// were written.
///
/// ```
/// # use scim2_names::SchemaUri;
/// let uri = SchemaUri::parse("urn:ietf:params:scim:schemas:core:2.0:Group")?;
/// assert!(uri == "URN:ietf:params:scim:schemas:core:2.0:group");
/// assert!(SchemaUri::parse("Group").is_err());
/// # Ok::<(), scim2_names::NameError>(())
/// ```
///
/// [RFC 7644 §3.10](https://www.rfc-editor.org/rfc/rfc7644#section-3.10)
#[derive(Clone)]
pub struct SchemaUri(Box<str>);

impl SchemaUri {
    /// Checks that `text` has the shape of an absolute URI.
    ///
    /// # Errors
    /// [`NameErrorKind::Empty`], [`NameErrorKind::NoScheme`] for a text without `scheme:`,
    /// [`NameErrorKind::Character`] for a character that no schema URI may hold.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        const WHAT: &str = "a schema URI";
        if text.is_empty() {
            return Err(NameError::new(NameErrorKind::Empty, WHAT, text, 0));
        }
        if let Some(at) = text.bytes().position(|byte| !Self::allows(byte)) {
            return Err(NameError::new(
                NameErrorKind::Character,
                "a schema URI holds no space, quote, bracket or control character",
                text,
                at,
            ));
        }
        let scheme = text.split(':').next().unwrap_or_default();
        let starts_well = scheme.bytes().next().is_some_and(|byte| byte.is_ascii_alphabetic());
        let scheme_is_plain =
            scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'));
        if !starts_well || !scheme_is_plain || text.len() <= scheme.len() + 1 {
            return Err(NameError::new(NameErrorKind::NoScheme, WHAT, text, 0));
        }
        Ok(Self(text.into()))
    }

    /// Says whether a schema URI may hold `byte`.
    #[must_use]
    pub const fn allows(byte: u8) -> bool {
        byte > b' '
            && byte < 0x7f
            && !matches!(
                byte,
                b'"' | b'<'
                    | b'>'
                    | b'['
                    | b']'
                    | b'('
                    | b')'
                    | b'{'
                    | b'}'
                    | b'\\'
                    | b'^'
                    | b'`'
                    | b'|'
                    | b','
            )
    }

    /// The URI as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

name_traits!(SchemaUri);

impl AsRef<str> for SchemaUri {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn absolute_uris_only() {
        for text in ["urn:a", "urn:ietf:params:scim:schemas:core:2.0:User", "https://example.com/x", "x:y"] {
            assert!(SchemaUri::parse(text).is_ok(), "{text:?}");
        }
        for text in ["", "User", ":a", "urn:", "1a:b", "urn:a b", "urn:a[0]", "urn:\"a\"", "urn:ä"] {
            assert!(SchemaUri::parse(text).is_err(), "{text:?}");
        }
    }
}
