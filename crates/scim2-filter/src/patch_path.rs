use core::str::FromStr;

use scim2_names::AttrName;

use crate::{AttrPath, FilterError, FilterParser, ValuePath};

/// The `path` of a PATCH operation, the RFC's `PATH`: `attrPath / valuePath [subAttr]`.
///
/// ```
/// use scim2_filter::PatchPath;
///
/// let path: PatchPath = r#"addresses[type eq "work"].streetAddress"#.parse()?;
/// let PatchPath::Value { value_path, sub_attribute } = &path else { unreachable!() };
/// assert_eq!(value_path.attr().name(), "addresses");
/// assert_eq!(sub_attribute.as_ref().unwrap(), "streetAddress");
/// assert!("emails[0]".parse::<PatchPath>().is_err()); // no indices
/// # Ok::<(), scim2_filter::FilterError>(())
/// ```
///
/// The URI of a whole extension is an [`AttrPath`] too. Only resolution knows its meaning.
///
/// [RFC 7644 §3.5.2](https://www.rfc-editor.org/rfc/rfc7644#section-3.5.2)
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum PatchPath {
    /// `name.familyName`: an attribute or sub-attribute.
    Attr(AttrPath),
    /// `addresses[type eq "work"].streetAddress`: elements chosen by a filter.
    Value {
        /// The attribute and the filter that chooses its elements.
        value_path: ValuePath,
        /// The sub-attribute of the chosen elements. `None` means the elements themselves.
        sub_attribute: Option<AttrName>,
    },
}

impl PatchPath {
    /// The attribute that the path begins with.
    #[must_use]
    pub fn attr(&self) -> &AttrPath {
        match self {
            Self::Attr(path) => path,
            Self::Value { value_path, .. } => value_path.attr(),
        }
    }
}

impl FromStr for PatchPath {
    type Err = FilterError;

    fn from_str(text: &str) -> Result<Self, FilterError> {
        FilterParser::new().parse_path(text)
    }
}

impl From<AttrPath> for PatchPath {
    fn from(path: AttrPath) -> Self {
        Self::Attr(path)
    }
}

impl From<ValuePath> for PatchPath {
    fn from(value_path: ValuePath) -> Self {
        Self::Value { value_path, sub_attribute: None }
    }
}
