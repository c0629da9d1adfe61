//! The identifiers of a resource and its version.

use std::fmt;

macro_rules! text_traits {
    ($name:ident) => {
        impl $name {
            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                self.as_str()
            }
        }

        impl std::str::FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                Self::parse(text)
            }
        }

        impl TryFrom<&str> for $name {
            type Error = IdError;

            fn try_from(text: &str) -> Result<Self, IdError> {
                Self::parse(text)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&self.0, f)
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
                Self::parse(&text).map_err(serde::de::Error::custom)
            }
        }

        #[cfg(feature = "schemars")]
        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({ "type": "string", "minLength": 1 })
            }
        }
    };
}

/// The `id` of a resource: issued by the service provider, stable, never reused, compared with case.
///
/// Any text of 1 to 255 bytes without control characters, `/` or the word `bulkId`
/// ([RFC 7643 §3.1](https://www.rfc-editor.org/rfc/rfc7643#section-3.1)).
///
/// ```
/// use scim2_core::ResourceId;
///
/// assert_eq!(ResourceId::parse("2819c223")?.as_str(), "2819c223");
/// assert!(ResourceId::parse("bulkId:1").is_err());
/// # Ok::<(), scim2_core::IdError>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ResourceId(Box<str>);

impl ResourceId {
    /// Checks a text.
    ///
    /// # Errors
    /// If it is empty, longer than 255 bytes, holds a control character or `/`, or the word `bulkId`.
    pub fn parse(text: &str) -> Result<Self, IdError> {
        // Almost every id is visible ASCII without `/` and without the `k` of the word. This loop never ends early, so
        // the compiler checks many bytes at a time.
        let is_plain = |byte: u8| byte.is_ascii_graphic() & (byte != b'/') & (byte | 0x20 != b'k');
        if matches!(text.len(), 1..=255) && text.bytes().fold(true, |all, byte| all & is_plain(byte)) {
            return Ok(Self(text.into()));
        }
        check(text, "an id", 255)?;
        if text.contains('/') {
            return Err(IdError { what: "an id", rule: "holds no `/`" });
        }
        // Few ids have a `k`, the only letter of the word that is not in most ids: a UUID has none. So the search for
        // the word is rarely needed.
        let may_hold_word = text.bytes().any(|byte| byte | 0x20 == b'k');
        if may_hold_word && text.as_bytes().windows(6).any(|word| word.eq_ignore_ascii_case(b"bulkId")) {
            return Err(IdError { what: "an id", rule: "never holds the word `bulkId`" });
        }
        Ok(Self(text.into()))
    }
}

text_traits!(ResourceId);

/// The `externalId` of a resource: issued by the client, meaningful to that client only, compared
/// with case ([RFC 7643 §3.1](https://www.rfc-editor.org/rfc/rfc7643#section-3.1)).
///
/// There is deliberately no conversion between this and [`ResourceId`].
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ExternalId(Box<str>);

impl ExternalId {
    /// Checks a text.
    ///
    /// # Errors
    /// If it is empty or holds a control character.
    pub fn parse(text: &str) -> Result<Self, IdError> {
        check(text, "an externalId", usize::MAX)?;
        Ok(Self(text.into()))
    }
}

text_traits!(ExternalId);

/// The version of a resource: an opaque text that can only be compared for equality ([RFC 7644
/// §3.14](https://www.rfc-editor.org/rfc/rfc7644#section-3.14)).
///
/// On the wire it is a weak entity tag, both in `meta.version` and in the header `ETag`:
///
/// ```
/// use scim2_core::Version;
///
/// let version = Version::parse("3694e05e9dff590")?;
/// assert_eq!(version.to_etag(), r#"W/"3694e05e9dff590""#);
/// assert_eq!(Version::from_etag(r#"W/"3694e05e9dff590""#), Some(version.clone()));
/// assert_eq!(Version::from_etag(r#""3694e05e9dff590""#), Some(version)); // weak comparison, A-24
/// assert_eq!(Version::from_etag("3694e05e9dff590"), None);
/// # Ok::<(), scim2_core::IdError>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Version(Box<str>);

impl Version {
    /// Checks the opaque text, without `W/` and quotes.
    ///
    /// # Errors
    /// If it is empty, longer than 255 bytes, not printable ASCII, or holds a quote.
    pub fn parse(text: &str) -> Result<Self, IdError> {
        check(text, "a version", 255)?;
        if text.bytes().any(|byte| !byte.is_ascii_graphic() || byte == b'"') {
            return Err(IdError { what: "a version", rule: "holds printable ASCII characters but no quote" });
        }
        Ok(Self(text.into()))
    }

    /// The version that an entity tag holds, weak or strong.
    #[must_use]
    pub fn from_etag(etag: &str) -> Option<Self> {
        let opaque = etag.strip_prefix("W/").unwrap_or(etag);
        Self::parse(opaque.strip_prefix('"')?.strip_suffix('"')?).ok()
    }

    /// The version as a weak entity tag.
    #[must_use]
    pub fn to_etag(&self) -> String {
        format!("W/\"{}\"", self.0)
    }
}

impl From<u64> for Version {
    fn from(number: u64) -> Self {
        Self(number.to_string().into())
    }
}

text_traits!(Version);

/// Why a text is not an identifier. The error line repeats nothing of the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdError {
    what: &'static str,
    rule: &'static str,
}

impl fmt::Display for IdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { what, rule } = self;
        write!(f, "{what} {rule}")
    }
}

impl std::error::Error for IdError {}

fn check(text: &str, what: &'static str, longest: usize) -> Result<(), IdError> {
    if text.is_empty() {
        Err(IdError { what, rule: "is not empty" })
    } else if text.len() > longest {
        Err(IdError { what, rule: "has at most 255 bytes" })
    } else if has_control(text) {
        Err(IdError { what, rule: "holds no control character" })
    } else {
        Ok(())
    }
}

/// Whether a text holds a control character. ASCII is looked at by bytes, which is much faster.
fn has_control(text: &str) -> bool {
    let is_ascii = text.bytes().fold(true, |all, byte| all & byte.is_ascii());
    if is_ascii {
        text.bytes().fold(false, |any, byte| any | byte.is_ascii_control())
    } else {
        text.chars().any(char::is_control)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn c_3_1_06_an_id_never_holds_bulk_id() {
        for text in [
            "bulkId",
            "a-BULKID-b",
            "xxbulKIDxx",
            "",
            "a/b",
            "a\u{1}",
            "\u{7f}",
            "ü\u{85}",
            "ü\n",
            &"x".repeat(256),
        ] {
            assert!(ResourceId::parse(text).is_err(), "{text:?}");
        }
        assert!(ResourceId::parse(&"x".repeat(255)).is_ok());
        for text in ["a.b@c", "bulk-Id", "kk", "ük", "2819c223-7f76-453a-919d-413861904646"] {
            assert!(ResourceId::parse(text).is_ok(), "{text:?}");
        }
    }
}
