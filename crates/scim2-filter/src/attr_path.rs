use alloc::string::String;
use core::fmt;
use core::hash::{Hash, Hasher};
use core::str::FromStr;

use scim2_names::{AttrName, SchemaUri, eq_ignore_case, hash_ignore_case};

use crate::{FilterError, FilterParser, Text};

/// The path of an attribute, the RFC's `attrPath`: `[URI ":"] ATTRNAME ["." ATTRNAME]`.
///
/// | text | [`schema`](Self::schema) | [`name`](Self::name) | [`sub_attribute`](Self::sub_attribute) |
/// | --- | --- | --- | --- |
/// | `userName` | | `userName` | |
/// | `name.givenName` | | `name` | `givenName` |
/// | `urn:example:2.0:User:name.givenName` | `urn:example:2.0:User` | `name` | `givenName` |
/// | `urn:example:2.0:User` | `urn:example:2.0` | `User` | |
/// | `urn:example:2.0` | `urn:example:2.0` | (empty) | |
///
/// The last two rows show the limits of the grammar: a text with colons is split at the last
/// one, although it may be the URI of a whole extension. Therefore the text is kept
/// ([`as_str`](Self::as_str)), and resolution looks for the longest registered schema that the text begins with. If the
/// part after the last colon cannot be a name, the whole text is the schema and the name is empty
/// ([`is_uri`](Self::is_uri)).
///
/// Paths compare and hash without regard to ASCII case and print as they were written.
///
/// ```
/// use scim2_filter::AttrPath;
///
/// let path: AttrPath = "urn:ietf:params:scim:schemas:core:2.0:User:name.givenName".parse()?;
/// assert_eq!(path.schema(), Some("urn:ietf:params:scim:schemas:core:2.0:User"));
/// assert_eq!((path.name(), path.sub_attribute()), ("name", Some("givenName")));
/// assert_eq!("USERNAME".parse::<AttrPath>()?, "userName".parse()?);
/// assert!("name.given.first".parse::<AttrPath>().is_err());
/// # Ok::<(), scim2_filter::FilterError>(())
/// ```
///
/// [RFC 7644 §3.10](https://www.rfc-editor.org/rfc/rfc7644#section-3.10)
#[derive(Clone)]
pub struct AttrPath {
    text: Text,
    /// The byte offset of the name; the length of the text if it is only a URI.
    name_at: u32,
    /// The byte offset of the sub-attribute; 0 if there is none.
    sub_at: u32,
}

impl AttrPath {
    /// The path of the attribute `name`, without schema and sub-attribute.
    #[must_use]
    pub fn new(name: &AttrName) -> Self {
        Self { text: name.as_str().into(), name_at: 0, sub_at: 0 }
    }

    /// INVARIANT: `text` was read by the grammar, which found the offsets.
    pub(crate) fn from_parts(text: &str, name_at: u32, sub_at: u32) -> Self {
        Self { text: text.into(), name_at, sub_at }
    }

    /// The same name and sub-attribute under `schema`, instead of the present schema.
    ///
    /// # Errors
    /// If the joined text is not an attribute path, because it is longer than the parser's default
    /// limit.
    pub fn with_schema(&self, schema: &SchemaUri) -> Result<Self, FilterError> {
        let mut text = String::from(schema.as_str());
        text.push(':');
        text.push_str(self.text.get(self.name_at as usize..).unwrap_or_default());
        text.parse()
    }

    /// The same schema and name with `sub_attribute`, instead of the present one.
    ///
    /// # Errors
    /// If the joined text is not an attribute path: it is longer than the parser's default limit, or
    /// the path has no name.
    pub fn with_sub_attribute(&self, sub_attribute: &AttrName) -> Result<Self, FilterError> {
        let end = if self.sub_at == 0 { self.text.len() } else { self.sub_at as usize - 1 };
        let mut text = String::from(self.text.get(..end).unwrap_or_default());
        text.push('.');
        text.push_str(sub_attribute.as_str());
        text.parse()
    }

    /// The path as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The schema URI before the last colon, if there is one; the whole text if
    /// it is [only a URI](Self::is_uri).
    #[must_use]
    pub fn schema(&self) -> Option<&str> {
        match self.name_at {
            0 => None,
            _ if self.is_uri() => Some(&self.text),
            at => self.text.get(..at as usize - 1),
        }
    }

    /// The name of the attribute, an [`AttrName`]; empty if it is [only a URI](Self::is_uri).
    #[must_use]
    pub fn name(&self) -> &str {
        let end = if self.sub_at == 0 { self.text.len() } else { self.sub_at as usize - 1 };
        self.text.get(self.name_at as usize..end).unwrap_or_default()
    }

    /// The name of the sub-attribute, an [`AttrName`].
    #[must_use]
    pub fn sub_attribute(&self) -> Option<&str> {
        if self.sub_at == 0 { None } else { self.text.get(self.sub_at as usize..) }
    }

    /// Says whether the text is a URI that cannot be split without knowing the schemas, because
    /// the part after its last colon is not an attribute name: `urn:example:schemas:2.0`.
    #[must_use]
    pub fn is_uri(&self) -> bool {
        self.name_at as usize == self.text.len()
    }
}

impl FromStr for AttrPath {
    type Err = FilterError;

    fn from_str(text: &str) -> Result<Self, FilterError> {
        FilterParser::new().parse_attr_path(text)
    }
}

impl From<AttrName> for AttrPath {
    fn from(name: AttrName) -> Self {
        Self::new(&name)
    }
}

impl PartialEq for AttrPath {
    fn eq(&self, other: &Self) -> bool {
        eq_ignore_case(&self.text, &other.text)
    }
}

impl Eq for AttrPath {}

impl Hash for AttrPath {
    fn hash<H: Hasher>(&self, state: &mut H) {
        hash_ignore_case(&self.text, state);
    }
}

impl fmt::Display for AttrPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for AttrPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.text, f)
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use super::*;
    use alloc::string::ToString;

    #[track_caller]
    fn check(text: &str, schema: Option<&str>, name: &str, sub: Option<&str>) {
        let path: AttrPath = text.parse().unwrap();
        assert_eq!((path.schema(), path.name(), path.sub_attribute()), (schema, name, sub), "{text}");
        assert_eq!(path.to_string(), text);
    }

    #[test]
    fn rfc7644_3_10_parts() {
        check("userName", None, "userName", None);
        check("members.$ref", None, "members", Some("$ref"));
        check(
            "urn:ietf:params:scim:schemas:core:2.0:User:name.givenName",
            Some("urn:ietf:params:scim:schemas:core:2.0:User"),
            "name",
            Some("givenName"),
        );
        check(
            "urn:ietf:params:scim:schemas:exampleCo:2.0:hr:age",
            Some("urn:ietf:params:scim:schemas:exampleCo:2.0:hr"),
            "age",
            None,
        );
        check("urn:a:2.0:User", Some("urn:a:2.0"), "User", None);
        check("urn:a:b:2.0", Some("urn:a:b:2.0"), "", None);
        check("urn:a:b:v1.0", Some("urn:a:b:v1.0"), "", None);
        // The part before the last colon is not a URI yet, or the part after it is not a name.
        for uri in ["urn:User", "urn:User.name", "urn::x", "urn::x.y", "urn:a:b:.x"] {
            check(uri, Some(uri), "", None);
        }
        check("urn:a:x", Some("urn:a"), "x", None);
        check("urn:a:x.y", Some("urn:a"), "x", Some("y"));
        check("https://example.com/scim/user", Some("https://example.com/scim/user"), "", None);
        check("https://example.com/user:age", Some("https://example.com/user"), "age", None);
    }

    #[test]
    fn equal_paths_have_equal_hashes_and_others_differ() {
        let hash = |text: &str| {
            let path: AttrPath = text.parse().unwrap();
            let mut hasher = std::hash::DefaultHasher::new();
            path.hash(&mut hasher);
            hasher.finish()
        };
        assert_eq!(hash("userName"), hash("USERNAME"));
        assert_ne!(hash("userName"), hash("user.Name"));
        assert_ne!("userName".parse::<AttrPath>().unwrap(), "user.Name".parse().unwrap());
    }

    #[test]
    fn parts_can_be_exchanged() {
        let path: AttrPath = "urn:a:User:name.givenName".parse().unwrap();
        let family = path.with_sub_attribute(&AttrName::parse("familyName").unwrap()).unwrap();
        assert_eq!(family.as_str(), "urn:a:User:name.familyName");
        let moved = family.with_schema(&SchemaUri::parse("urn:b:2.0:User").unwrap()).unwrap();
        assert_eq!(moved.as_str(), "urn:b:2.0:User:name.familyName");
        let plain = AttrPath::new(&AttrName::parse("a").unwrap());
        assert_eq!(plain.with_sub_attribute(&AttrName::parse("$ref").unwrap()).unwrap().as_str(), "a.$ref");
        let uri: AttrPath = "urn:a:2.0".parse().unwrap();
        assert!(uri.is_uri());
        assert!(!path.is_uri());
    }
}
