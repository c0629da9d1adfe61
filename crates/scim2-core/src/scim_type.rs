use std::borrow::Cow;
use std::fmt;

/// The keyword that says what is wrong with a request: an open set
/// ([RFC 7644 §3.12](https://www.rfc-editor.org/rfc/rfc7644#section-3.12), Table 9, and
/// [RFC 9865 §2.1](https://www.rfc-editor.org/rfc/rfc9865#section-2.1)).
///
/// ```
/// use scim2_core::ScimType;
///
/// assert_eq!(ScimType::from("uniqueness"), ScimType::Uniqueness);
/// assert_eq!(ScimType::from("quotaExceeded").as_str(), "quotaExceeded"); // kept as it came
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ScimType {
    /// The filter cannot be parsed, or compares what cannot be compared.
    InvalidFilter,
    /// The query has more results than the service provider will return.
    TooMany,
    /// Another resource has the value.
    Uniqueness,
    /// The mutability of the attribute does not allow the change.
    Mutability,
    /// The body does not have the form that the operation needs.
    InvalidSyntax,
    /// The path of a PATCH operation cannot be parsed or names no attribute.
    InvalidPath,
    /// The path matches nothing.
    NoTarget,
    /// A value is missing or not of the attribute's type.
    InvalidValue,
    /// The protocol version is not supported.
    InvalidVers,
    /// The request URI holds sensitive data.
    Sensitive,
    /// The service provider did not issue the cursor.
    InvalidCursor,
    /// The cursor has expired.
    ExpiredCursor,
    /// The page size does not fit the cursor.
    InvalidCount,
    /// A keyword that no RFC defines.
    Other(Cow<'static, str>),
}

impl ScimType {
    const KNOWN: [Self; 13] = [
        Self::InvalidFilter,
        Self::TooMany,
        Self::Uniqueness,
        Self::Mutability,
        Self::InvalidSyntax,
        Self::InvalidPath,
        Self::NoTarget,
        Self::InvalidValue,
        Self::InvalidVers,
        Self::Sensitive,
        Self::InvalidCursor,
        Self::ExpiredCursor,
        Self::InvalidCount,
    ];

    /// The keyword on the wire.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::InvalidFilter => "invalidFilter",
            Self::TooMany => "tooMany",
            Self::Uniqueness => "uniqueness",
            Self::Mutability => "mutability",
            Self::InvalidSyntax => "invalidSyntax",
            Self::InvalidPath => "invalidPath",
            Self::NoTarget => "noTarget",
            Self::InvalidValue => "invalidValue",
            Self::InvalidVers => "invalidVers",
            Self::Sensitive => "sensitive",
            Self::InvalidCursor => "invalidCursor",
            Self::ExpiredCursor => "expiredCursor",
            Self::InvalidCount => "invalidCount",
            Self::Other(keyword) => keyword,
        }
    }
}

impl From<&str> for ScimType {
    fn from(keyword: &str) -> Self {
        Self::KNOWN
            .into_iter()
            .find(|known| known.as_str() == keyword)
            .unwrap_or_else(|| Self::Other(Cow::Owned(keyword.to_owned())))
    }
}

impl fmt::Display for ScimType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl serde::Serialize for ScimType {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> serde::Deserialize<'de> for ScimType {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self::from(&*<Cow<'de, str>>::deserialize(deserializer)?))
    }
}

#[cfg(feature = "schemars")]
impl schemars::JsonSchema for ScimType {
    fn schema_name() -> Cow<'static, str> {
        "ScimType".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "examples": Self::KNOWN.map(|known| known.as_str().to_owned()) })
    }
}
